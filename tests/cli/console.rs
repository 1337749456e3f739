//! `console` in a project: layers, state and what is wrong. What values look like is compared in `conformance/console.rs`.

use std::io::Write as _;
use std::process::Stdio;

use super::program::{Answer, Program};

fn console(program: &Program, flags: &[&str], input: &str) -> Answer {
    let mut child = program
        .command(&[&["console"], flags].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Answer { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}

fn project() -> Program {
    Program::with(&[
        (
            "infra.hcl",
            "project { name = \"p\" }\nlayer \"ground\" {\n  source = \"ground\"\n}\nlayer \"apps\" {\n  source = \"apps\"\n}\n",
        ),
        (
            "ground/main.tf",
            "variable \"size\" { default = 3 }\nresource \"terraform_data\" \"a\" { input = \"x\" }\noutput \"url\" { value = \
             \"${terraform_data.a.output}:${var.size}\" }\n",
        ),
        ("apps/main.tf", "locals { seen = layer.ground.url }\noutput \"seen\" { value = local.seen }\n"),
    ])
}

#[test]
fn in_a_project_layers_are_named_or_chosen() {
    let program = project();
    let ask = |flags: &[&str], input: &str| console(&program, flags, input).out;
    assert_eq!(ask(&[], "layer.apps.seen\n"), "(known after apply)\n");
    program.ok(&["apply", "-auto-approve"]);
    assert_eq!(ask(&[], "layer.apps.seen\n"), "\"x:3\"\n");
    assert_eq!(ask(&["-layer=apps"], "local.seen\n"), "\"x:3\"\n");
    assert_eq!(ask(&["-layer=ground"], "var.size + 1\n"), "4\n");
    assert_eq!(ask(&["-layer=ground"], "terraform_data.a.input\n"), "\"x\"\n");
    assert_eq!(ask(&[], "\"${environment.name} ${terraform.workspace}\"\n"), "\"default default\"\n");
    let lost = console(&program, &[], "var.size\n");
    assert_eq!(lost.code, 1);
    assert!(lost.err.contains("Which layer?") && lost.err.contains("-layer=NAME"), "{}", lost.err);
}

#[test]
fn brackets_and_heredocs_go_over_several_lines() {
    let program = Program::with(&[]);
    let ask = |input: &str| console(&program, &[], input);
    assert_eq!(ask("[\n  1,\n  2,\n]\n").out, "[\n  1,\n  2,\n]\n");
    assert_eq!(ask("<<EOT\na\n  b\nEOT\n").out, "<<EOT\na\n  b\n\nEOT\n");
    let open = ask("(1\n");
    assert_eq!((open.code, open.out.as_str()), (1, ""));
    assert!(ask("help\n").out.contains("type(EXPRESSION)"));
}

#[test]
fn what_is_wrong_elsewhere_does_not_keep_the_rest_from_being_looked_at() {
    let program = Program::with(&[("main.tf", "locals {\n  bad  = tonumber(\"x\")\n  good = 1\n}\n")]);
    let answer = console(&program, &[], "local.good\n");
    assert_eq!((answer.code, answer.out.as_str()), (0, "1\n"));
    assert!(answer.err.contains("may produce unexpected results"), "{}", answer.err);
}
