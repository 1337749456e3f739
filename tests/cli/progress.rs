//! What a run says while it goes on, where there is no terminal: a line per start and per end, and a table at the end.

use super::program::Program;

const PROJECT: &[(&str, &str)] = &[
    (
        "infra.hcl",
        r#"
        project { name = "lines" }
        layer "a" { source = "a" }
        phase "1" {
          include = [layer.a.terraform_data.first]
          gate "passes" {
            command { argv = ["true"] }
          }
        }
        phase "2" {
          include = [layer.a.terraform_data.second]
          gate "fails" {
            timeout  = "1s"
            interval = "100ms"
            command { argv = ["false"] }
          }
        }
        phase "3" { include = [layer.a.terraform_data.third] }
        "#,
    ),
    (
        "a/main.tf",
        r#"
        resource "terraform_data" "first" { input = 1 }
        resource "terraform_data" "second" {
          count = 2
          input = terraform_data.first.id
        }
        resource "terraform_data" "third" { input = terraform_data.second[0].id }
        "#,
    ),
];

#[test]
fn every_start_and_every_end_has_a_line_and_the_table_says_how_far_it_came() {
    let program = Program::with(PROJECT);
    let answer = program.call(&["apply", "-auto-approve"]);
    assert_eq!(answer.code, 1, "{}{}", answer.out, answer.err);
    // Behind the plan.
    let lines: Vec<&str> = answer.out.lines().skip_while(|line| !line.starts_with("Plan: ")).collect();
    let at = |start: &str| {
        let found = lines.iter().position(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("no line {start:?} in\n{}{}", answer.out, answer.err))
    };
    let order = [
        "phase 1",
        "terraform_data.first: Creating...",
        "terraform_data.first: Creation complete after 0s [id=",
        "gate passes: Checking...",
        "gate passes: Passed after 0s",
        "phase 1 complete after 0s: 1 added, 0 changed, 0 destroyed",
        "terraform_data.second[0]: Creating...",
        "terraform_data.second[0]: Creation complete after 0s [id=",
        "gate fails: Checking...",
        "gate fails: Failed after 1s",
        "phase 2 failed after 1s: 2 added, 0 changed, 0 destroyed",
    ]
    .map(at);
    assert!(order.is_sorted(), "{order:?}\n{}", answer.out);
    assert!(!answer.out.contains("terraform_data.third: "), "{}", answer.out);
    let last = "Phase 3 was not started. Done so far and in state: 3 added, 0 changed, 0 destroyed. The next run goes on from \
                here.\nRun the check alone with: infra gate run fails\n";
    assert!(answer.out.ends_with(last), "{}", answer.out);
    let table = &lines[at("  phase  added  changed  destroyed")..];
    let numbers = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(numbers(table[1])[..4], ["1", "1", "0", "0"]);
    assert!(table[1].contains("terraform_data.first 0.0s"), "{}", table[1]);
    assert!(numbers(table[2])[..2] == ["2", "2"] && table[2].ends_with("✘ not finished"), "{}", table[2]);
    assert_eq!(numbers(table[3]), ["3", "-", "-", "-", "-", "not", "started,", "1", "to", "go"]);
}

#[test]
fn whoever_waits_for_a_lock_is_told_whose_it_is() {
    let program = Program::with(&[("main.tf", "resource \"time_sleep\" \"a\" {\n  create_duration = \"60s\"\n}\n")]);
    let mut holder = program.command(&["apply", "-auto-approve"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let out = std::io::BufReader::new(holder.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(out).map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("time_sleep.a: Creating...")));
    let answer = program.call(&["apply", "-auto-approve", "-lock-timeout=1s"]);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(answer.code, 1);
    let told = "Waiting for the lock of terraform.tfstate, held by tester@";
    assert!(answer.out.starts_with(told), "{}{}", answer.out, answer.err);
}

#[test]
fn a_phase_whose_first_step_failed_was_started() {
    let program = Program::with(&[
        (
            "infra.hcl",
            "project { name = \"p\" }\nlayer \"a\" { source = \"a\" }\nphase \"1\" { include = [layer.a.local_file.f] }\n\
             phase \"2\" { include = [layer.a.terraform_data.x] }\n",
        ),
        (
            "a/main.tf",
            "resource \"local_file\" \"f\" {\n  filename = \"/proc/nothing/here\"\n  content  = \"x\"\n}\n\
             resource \"terraform_data\" \"x\" {}\n",
        ),
    ]);
    let answer = program.call(&["apply", "-auto-approve"]);
    assert_eq!(answer.code, 1);
    let row =
        |phase: &str| answer.out.lines().find(|line| line.starts_with(&format!("  {phase} "))).unwrap_or_default();
    assert!(row("1").ends_with("✘ not finished"), "{}", answer.out);
    assert!(row("2").ends_with("not started, 1 to go"), "{}", answer.out);
    assert!(answer.out.contains("Phase 2 was not started."), "{}", answer.out);
}

#[test]
fn reading_a_data_source_has_a_start_and_an_end() {
    let program = Program::with(&[(
        "main.tf",
        "data \"null_data_source\" \"d\" {\n  inputs = { a = \"b\" }\n}\n\
         resource \"terraform_data\" \"a\" {\n  input = data.null_data_source.d.outputs\n}\n",
    )]);
    let out = program.ok(&["apply", "-auto-approve"]);
    assert!(
        out.starts_with("data.null_data_source.d: Reading...\ndata.null_data_source.d: Read complete after 0s\n"),
        "{out}"
    );
}
