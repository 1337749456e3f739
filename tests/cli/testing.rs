//! `infra test` as a command: in a project, interrupted, in parallel, and what it leaves.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;

use super::program::Program;

const PROJECT: &str = r#"
    project { name = "p" }
    layer "ground" { source = "ground" }
    layer "apps" { source = "apps" }
"#;

fn project() -> Program {
    Program::with(&[
        ("infra.hcl", PROJECT),
        ("ground/main.tf", "output \"kubeconfig\" {\n  value = \"real\"\n}\n"),
        (
            "ground/ground.tftest.hcl",
            "run \"ground\" {\n  assert {\n    condition = output.kubeconfig == \"real\"\n    error_message = \"no\"\n  }\n}\n",
        ),
        (
            "apps/main.tf",
            r#"
            resource "terraform_data" "app" { input = layer.ground.kubeconfig }
            output "seen" { value = terraform_data.app.output }
            "#,
        ),
        (
            "apps/tests/apps.tftest.hcl",
            r#"
            override_layer {
              target  = layer.ground
              outputs = { kubeconfig = "given" }
            }
            run "given" {
              assert {
                condition     = output.seen == "given" && terraform_data.app.output == "given"
                error_message = "it is ${output.seen}"
              }
            }
            run "other" {
              override_layer {
                target  = layer.ground
                outputs = { kubeconfig = "other" }
              }
              assert {
                condition     = output.seen == "other"
                error_message = "it is ${output.seen}"
              }
            }
            "#,
        ),
    ])
}

#[test]
fn in_a_project_the_tests_of_every_layer_are_run_with_the_layers_below_given() {
    let program = project();
    let said = program.ok(&["test"]);
    assert!(said.contains("ground/ground.tftest.hcl... pass"), "{said}");
    assert!(said.contains("apps/tests/apps.tftest.hcl... pass"), "{said}");
    assert!(said.ends_with("Success! 3 passed, 0 failed.\n"), "{said}");
    let said = program.ok(&["test", "-layer", "ground"]);
    assert!(said.ends_with("Success! 1 passed, 0 failed.\n"), "{said}");
    let said = program.ok(&["-chdir=apps", "test", "-filter=tests/apps.tftest.hcl"]);
    assert!(said.starts_with("tests/apps.tftest.hcl... in progress\n"), "{said}");
    assert!(said.ends_with("Success! 2 passed, 0 failed.\n"), "{said}");
    assert!(!program.has("state") && !program.has("apps/terraform.tfstate"));
    let answer = program.call(&["test", "-layer", "nobody"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("The layers are: ground, apps."), "{}", answer.err);
}

#[test]
fn a_layer_that_no_test_gives_is_named() {
    let program = project();
    program.write("apps/tests/apps.tftest.hcl", "run \"bare\" {}\n");
    let answer = program.call(&["test", "-layer", "apps"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("override_layer { target = layer.ground"), "{}", answer.err);
}

const SLOW: &str = r#"
    variable "seconds" { default = 0 }
    resource "terraform_data" "first" { input = 1 }
    resource "time_sleep" "slow" {
      create_duration = "${var.seconds}s"
      triggers        = { first = terraform_data.first.id }
    }
"#;

#[test]
fn an_interrupt_skips_what_is_left_and_destroys_what_was_made() {
    let program = Program::with(&[
        ("main.tf", SLOW),
        (
            "a.tftest.hcl",
            "run \"quick\" {}\nrun \"slow\" {\n  variables {\n    seconds = 2\n  }\n  plan_options {\n    replace = [time_sleep.slow]\n  }\n}\nrun \"never\" {}\n",
        ),
        ("b.tftest.hcl", "run \"never\" {}\n"),
    ]);
    let mut child =
        program.command(&["test", "-json", "-junit-xml=report.xml"]).stdout(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_child(&child);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut seen = Vec::new();
    for line in lines {
        let Ok(line) = serde_json::from_str::<Json>(&line) else { continue };
        if line["test_run"]["run"] == "slow" && line["test_run"]["progress"] == "starting" {
            kill_process(pid, Signal::INT).unwrap();
        }
        seen.push(line);
    }
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let ended = |file: &str, run: &str| {
        let line = seen.iter().find(|line| {
            line["test_run"]["progress"] == "complete" && line["@testfile"] == file && line["@testrun"] == run
        });
        line.unwrap()["test_run"]["status"].clone()
    };
    assert_eq!(ended("a.tftest.hcl", "quick"), "pass");
    assert_eq!(ended("a.tftest.hcl", "slow"), "error");
    assert_eq!(ended("a.tftest.hcl", "never"), "skip");
    assert_eq!(ended("b.tftest.hcl", "never"), "skip");
    assert!(seen.iter().any(|line| line["test_run"]["progress"] == "teardown"));
    assert!(!seen.iter().any(|line| line["type"] == "test_cleanup"), "something was left");
    let report = std::fs::read_to_string(program.path("report.xml")).unwrap();
    assert!(report.contains("<skipped message=\"Testcase skipped due to an interrupt\">"), "{report}");
}

#[test]
fn runs_that_may_do_so_run_together() {
    let program = Program::with(&[
        ("main.tf", SLOW),
        (
            "a.tftest.hcl",
            r#"
            test { parallel = true }
            run "one" { state_key = "one" }
            run "two" { state_key = "two" }
            run "same" { state_key = "two" }
            run "after" {
              state_key = "after"
              variables {
                seconds = run.one == null ? 1 : 0
              }
            }
            run "alone" {
              state_key = "alone"
              parallel  = false
            }
            "#,
        ),
    ]);
    let said = program.ok(&["test", "-json"]);
    let lines = said.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let runs = lines.filter(|line| line["type"] == "test_run" && line["test_run"]["progress"] != "teardown");
    let order: Vec<String> = runs
        .map(|line| {
            format!("{} {}", line["@testrun"].as_str().unwrap(), line["test_run"]["progress"].as_str().unwrap())
        })
        .collect();
    let expect = [
        "one starting",
        "two starting",
        "one complete",
        "two complete",
        "same starting",
        "after starting",
        "same complete",
        "after complete",
        "alone starting",
        "alone complete",
    ];
    assert_eq!(order, expect);
}

#[test]
fn what_cannot_be_destroyed_is_named() {
    let program = Program::with(&[
        ("main.tf", "resource \"terraform_data\" \"kept\" {\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n"),
        ("a.tftest.hcl", "run \"a\" {}\n"),
    ]);
    let answer = program.call(&["test"]);
    assert_eq!(answer.code, 1);
    assert!(answer.out.ends_with("Failure! 1 passed, 0 failed.\n"), "{}", answer.out);
    assert!(answer.err.contains("Instance cannot be destroyed"), "{}", answer.err);
    assert!(
        answer.err.contains("a.tftest.hcl/a are left") && answer.err.contains("  - terraform_data.kept\n"),
        "{}",
        answer.err
    );
}

#[test]
fn a_report_that_cannot_be_written_fails_the_command() {
    let program = Program::with(&[("main.tf", "output \"o\" {\n  value = 1\n}\n"), ("a.tftest.hcl", "run \"a\" {}\n")]);
    let answer = program.call(&["test", "-junit-xml=nowhere/report.xml"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("Report not written"), "{}", answer.err);
}
