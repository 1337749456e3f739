//! A run beside others: who holds the lock, what others see of it, and what they wait for.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::bad_input::fails;
use super::program::Program;

/// An object that is being made until the file `go` is there.
const SLOW: &str = "resource \"terraform_data\" \"slow\" {\n  provisioner \"local-exec\" {\n    command = \"echo begun; while [ -e main.tf -a ! -e go ]; do sleep 0.05; done\"\n  }\n}\n";

/// A run that is in the middle of making its object.
pub fn run(program: &Program, mut command: Command) -> Child {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("begun")), "{}", program.path("").display());
    // What it prints from now on has to go somewhere.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

#[test]
fn a_plan_beside_a_run_waits_or_sees_it_as_it_is() {
    let program = Program::with(&[("main.tf", SLOW)]);
    let mut child = run(&program, program.command(&["apply", "-auto-approve"]));
    let parts = [
        "Error: Error acquiring the state lock",
        "Lock Info:\n  ID: ",
        "  Operation: OperationTypeApply\n  Who:       tester@",
    ];
    fails(&program, &["plan"], &parts);
    let answer = fails(&program, &["plan", "-lock-timeout=1s"], &parts);
    assert!(
        answer.out.contains("Waiting for the lock of terraform.tfstate") || answer.err.contains("Waiting for the lock")
    );
    let seen = program.ok(&["plan", "-lock=false"]);
    assert!(seen.contains("A run is in progress") && seen.contains("No changes."), "{seen}");
    assert!(!seen.contains("tainted"), "{seen}");
    // One that waits long enough sees what became of it.
    let mut waiting = program.command(&["plan", "-lock-timeout=10m"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(waiting.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("Waiting for the lock")));
    program.write("go", "");
    assert!(lines.any(|line| line.contains("No changes.")));
    assert!(waiting.wait().unwrap().success());
    assert!(child.wait().unwrap().success());
    // Beside nobody, a plan leaves no trace.
    let before = super::bad_input::files(&program.path(""));
    program.ok(&["plan", "-lock-timeout=1s"]);
    assert_eq!(super::bad_input::files(&program.path("")), before);
}

#[test]
fn an_object_that_was_left_half_made_is_tainted() {
    let program = Program::with(&[("main.tf", SLOW)]);
    let mut child = run(&program, program.command(&["apply", "-auto-approve"]));
    child.kill().unwrap();
    child.wait().unwrap();
    program.write("go", "");
    let seen = program.ok(&["plan"]);
    assert!(seen.contains("is tainted, so must be replaced"), "{seen}");
}

#[test]
fn whoever_has_no_name_in_the_environment_has_one_in_the_password_database() {
    let program = Program::with(&[("main.tf", SLOW)]);
    let mut command = program.command(&["apply", "-auto-approve"]);
    command.env_remove("USER").env_remove("LOGNAME");
    let mut child = run(&program, command);
    let lock = std::fs::read(program.path(".terraform.tfstate.lock.info")).unwrap();
    let lock: serde_json::Value = serde_json::from_slice(&lock).unwrap();
    let name = Command::new("id").arg("-un").output().unwrap().stdout;
    let name = String::from_utf8(name).unwrap();
    assert!(lock["Who"].as_str().unwrap().starts_with(&format!("{}@", name.trim())), "{lock}");
    program.write("go", "");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_workspace_in_use_is_not_removed() {
    let program = Program::with(&[("main.tf", SLOW)]);
    program.ok(&["workspace", "new", "-lock=true", "-lock-timeout=1s", "w"]);
    let mut child = run(&program, program.command(&["apply", "-auto-approve"]));
    program.ok(&["workspace", "select", "default"]);
    let parts = ["Error: Error acquiring the state lock", "  Operation: OperationTypeApply\n"];
    fails(&program, &["workspace", "delete", "-force", "w"], &parts);
    fails(&program, &["workspace", "delete", "-force", "-lock-timeout=1s", "w"], &parts);
    assert!(program.has("terraform.tfstate.d/w/terraform.tfstate"));
    program.ok(&["workspace", "delete", "-force", "-lock=false", "w"]);
    assert!(!program.has("terraform.tfstate.d/w"));
    child.kill().unwrap();
    child.wait().unwrap();
}
