//! `infra fmt` as people, editors and pipelines call it. What it makes of a file is proven in `tests/conformance/fmt.rs`.

use std::io::Write as _;
use std::process::Stdio;

use super::program::{Answer, Program};

const UGLY: &str = "a=1\n";
const TIDY: &str = "a = 1\n";
const DIFFERENCE: &str = "--- old/main.tf\n+++ new/main.tf\n@@ -1 +1 @@\n-a=1\n+a = 1\n";

fn folder() -> Program {
    Program::with(&[
        ("main.tf", UGLY),
        ("tidy.tf", TIDY),
        ("values.tfvars", UGLY),
        ("other.hcl", UGLY),
        (".hidden.tf", UGLY),
        ("sub/main.tf", UGLY),
        (".terraform/modules/main.tf", UGLY),
    ])
}

fn read(program: &Program, path: &str) -> String {
    std::fs::read_to_string(program.path(path)).unwrap()
}

/// Calls the program with a text on standard input.
fn pipe(program: &Program, args: &[&str], text: &str) -> Answer {
    let mut child =
        program.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Answer { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn files_are_named_and_written() {
    let program = folder();
    assert_eq!(program.ok(&["fmt"]), "main.tf\nvalues.tfvars\n");
    assert_eq!((&*read(&program, "main.tf"), &*read(&program, "values.tfvars")), (TIDY, TIDY));
    assert_eq!((&*read(&program, "other.hcl"), &*read(&program, "sub/main.tf")), (UGLY, UGLY));
    assert_eq!(program.ok(&["fmt", "-recursive"]), "sub/main.tf\n");
    assert_eq!(read(&program, ".terraform/modules/main.tf"), UGLY);
    assert_eq!(program.ok(&["fmt", "-recursive", "-check"]), "");
}

#[test]
fn a_check_writes_nothing_and_ends_with_three() {
    let program = folder();
    let answer = program.call(&["fmt", "-check", "-diff", "./main.tf", "tidy.tf"]);
    assert_eq!((answer.code, answer.out), (3, format!("main.tf\n{DIFFERENCE}")));
    assert_eq!(read(&program, "main.tf"), UGLY);
    assert_eq!(program.ok(&["fmt", "-write=false", "-list=false", "-diff", "main.tf"]), DIFFERENCE);
    assert_eq!(program.ok(&["fmt", "-write=false", "-list=false", "main.tf"]), TIDY);
    assert_eq!(read(&program, "main.tf"), UGLY);
}

#[test]
fn a_dash_is_standard_input() {
    let program = folder();
    let answer = pipe(&program, &["fmt", "-"], UGLY);
    assert_eq!((answer.code, &*answer.out), (0, TIDY));
    assert_eq!(pipe(&program, &["fmt", "-check", "-"], UGLY).code, 3);
    assert_eq!(pipe(&program, &["fmt", "-check", "-"], TIDY).code, 0);
}

#[test]
fn what_cannot_be_formatted_ends_with_two() {
    let program = folder();
    program.write("broken.tf", "a = [\n");
    let answer = program.call(&["fmt"]);
    assert_eq!((answer.code, &*answer.out), (2, "main.tf\nvalues.tfvars\n"));
    assert!(answer.err.contains("on broken.tf line"), "{}", answer.err);
    for (path, expect) in [("nowhere", "No file or directory at nowhere"), ("other.hcl", "Only .tf, .tfvars")] {
        let answer = program.call(&["fmt", path]);
        assert_eq!(answer.code, 2);
        assert!(answer.err.contains(expect), "{}", answer.err);
    }
}
