//! Ctrl-C once and twice, and failures that stop only what depends on them.

use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::program::Program;

/// Applies in the background until a line contains `until`, then interrupts; twice if `hard`. What it printed, and its
/// exit code.
pub fn interrupted(program: &Program, until: &str, hard: bool) -> (String, Option<i32>) {
    let mut child = program.command(&["apply", "-auto-approve"]).stdout(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_child(&child);
    let mut said = String::new();
    let ok: fn(std::io::Result<String>) -> Option<String> = Result::ok;
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(ok);
    read_until(&mut lines, until, &mut said);
    kill_process(pid, Signal::INT).unwrap();
    if hard {
        read_until(&mut lines, "Once more gives up at once", &mut said);
        kill_process(pid, Signal::INT).unwrap();
    }
    for line in lines {
        said += &(line + "\n");
    }
    (said, child.wait().unwrap().code())
}

type Lines = std::iter::MapWhile<std::io::Lines<BufReader<ChildStdout>>, fn(std::io::Result<String>) -> Option<String>>;

fn read_until(lines: &mut Lines, until: &str, said: &mut String) {
    for line in lines {
        *said += &line;
        *said += "\n";
        if line.contains(until) {
            return;
        }
    }
    panic!("{until} was never printed:\n{said}");
}

fn slow(seconds: u32) -> String {
    format!(
        r#"
        resource "terraform_data" "first" {{ input = 1 }}
        resource "time_sleep" "slow" {{
          create_duration = "{seconds}s"
          triggers        = {{ first = terraform_data.first.id }}
        }}
        resource "terraform_data" "last" {{ input = time_sleep.slow.id }}
        "#
    )
}

#[test]
fn the_first_interrupt_waits_for_what_runs_and_starts_nothing_more() {
    let program = Program::with(&[("main.tf", &slow(2))]);
    let (said, code) = interrupted(&program, "time_sleep.slow: Creating", false);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("time_sleep.slow: Creation complete"), "{said}");
    assert!(!said.contains("terraform_data.last: Creating"), "{said}");
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.first\ntime_sleep.slow\n");
    assert!(program.has("terraform.tfstate") && !program.has(".terraform.tfstate.lock.info"));
    assert!(program.ok(&["apply", "-auto-approve"]).contains("Resources: 1 added, 0 changed, 0 destroyed."));
}

#[test]
fn the_second_interrupt_gives_up_at_once_and_loses_nothing() {
    let program = Program::with(&[("main.tf", &slow(60))]);
    let began = Instant::now();
    let (said, code) = interrupted(&program, "time_sleep.slow: Creating", true);
    assert!(began.elapsed() < Duration::from_secs(30), "{said}");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("The next run finds out what became of it"), "{said}");
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.first\n");
    program.write("main.tf", &slow(0));
    let rest = program.ok(&["apply", "-auto-approve"]);
    assert!(rest.contains("Resources: 2 added, 0 changed, 0 destroyed."), "{rest}");
}

#[test]
fn a_failure_stops_its_dependents_and_nothing_else() {
    let program = Program::with(&[
        ("not-a-folder", ""),
        (
            "main.tf",
            r#"
            resource "terraform_data" "before" { input = 1 }
            resource "local_file" "fails" {
              filename = "${path.module}/not-a-folder/file"
              content  = terraform_data.before.id
            }
            resource "terraform_data" "dependent" { input = local_file.fails.id }
            resource "time_sleep" "beside" { create_duration = "300ms" }
            resource "terraform_data" "beside" { input = time_sleep.beside.id }
            "#,
        ),
    ]);
    let answer = program.call(&["apply", "-auto-approve"]);
    assert_eq!(answer.code, 1, "{}", answer.out);
    assert!(answer.err.contains("not-a-folder") && answer.err.contains("local_file.fails"), "{}", answer.err);
    let listed = program.ok(&["state", "list"]);
    assert_eq!(listed, "terraform_data.before\nterraform_data.beside\ntime_sleep.beside\n");
}
