//! Wrong configuration and unusable state: every mistake is told with its cause and a next step, ends with 1, and changes
//! nothing that was stored before.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use super::program::{Answer, Program};

const SOUND: &str = "resource \"terraform_data\" \"kept\" {\n  input = \"one\"\n}\n";

/// A folder in which one object is in state.
fn applied() -> Program {
    let program = Program::with(&[("main.tf", SOUND)]);
    program.ok(&["apply", "-auto-approve"]);
    program
}

/// Every file of a folder with its content, locks left out.
pub(super) fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The answer of a command that fails, and says all of this.
#[track_caller]
pub(super) fn fails(program: &Program, args: &[&str], parts: &[&str]) -> Answer {
    let answer = program.call(args);
    assert_eq!(answer.code, 1, "{args:?}\n{}\n{}", answer.out, answer.err);
    for part in parts {
        assert!(answer.err.contains(part), "{part:?} is not in what {args:?} says:\n{}\n{}", answer.out, answer.err);
    }
    answer
}

/// `plan` and `apply` both fail, say all of this, and leave every file as it was.
#[track_caller]
fn refused(program: &Program, parts: &[&str]) {
    let before = files(&program.path(""));
    fails(program, &["plan"], parts);
    fails(program, &["apply", "-auto-approve"], parts);
    assert_eq!(files(&program.path("")), before, "a refused run changed a file");
}

#[test]
fn mistakes_in_configuration_are_told_and_leave_the_state_alone() {
    let cases: &[(&str, &[&str])] = &[
        (
            "variable \"storage\" {\n  default = 1\n}\noutput \"a\" {\n  value = var.storge\n}\n",
            &[
                "Error: Reference to undeclared input variable",
                "on wrong.tf line 5, in output \"a\":",
                "5:   value = var.storge",
                "^^^^",
                "Did you mean \"storage\"?",
            ],
        ),
        (
            "variable \"needed\" {}\n",
            &["Error: No value for required variable", "on wrong.tf line 1:", "1: variable \"needed\" {}", "-var"],
        ),
        (
            "output \"a\" {\n  value = file(\"missing.txt\")\n}\n",
            &["on wrong.tf line 2, in output \"a\":", "value = file(\"missing.txt\")", "^^^^", "missing.txt", "exist"],
        ),
        (
            "module \"m\" {\n  source = \"./nowhere\"\n}\n",
            &["on wrong.tf line 2, in module \"m\":", "The folder nowhere", "Correct \"source\""],
        ),
        (
            "variable \"n\" {\n  type    = number\n  default = \"many\"\n}\n",
            &["on wrong.tf line 3, in variable \"n\":", "default = \"many\"", "^^^^", "number"],
        ),
        (
            "resource \"time_sleep\" \"s\" {\n  triggers = 5\n}\n",
            &["on wrong.tf line 2, in resource \"time_sleep\" \"s\":", "triggers = 5", "^", "map"],
        ),
        (
            "resource \"terraform_data\" \"a\" {\n  input = terraform_data.b.id\n}\nresource \"terraform_data\" \"b\" {\n  \
             input = local.c\n}\nlocals {\n  c = terraform_data.a.id\n}\n",
            &[
                "Error: Cycle",
                "terraform_data.a",
                "terraform_data.b",
                "local.c",
                "on wrong.tf line 8, in locals:",
                "^^^^",
                "Remove one of the references.",
            ],
        ),
        (
            "resource \"terraform_data\" \"kept\" {\n}\n",
            &["Error: Duplicate resource", "resource \"terraform_data\" \"kept\"", "main.tf", "wrong.tf line 1"],
        ),
        (
            "output \"a\" {\n  value = terraform_data.ketp.id\n}\n",
            &[
                "Error: Reference to undeclared resource",
                "wrong.tf line 2",
                "terraform_data.ketp",
                "^^^^",
                "Did you mean \"terraform_data.kept\"?",
            ],
        ),
        (
            "output \"a\" {\n  value = terraform_data.kept.nothing\n}\n",
            &["wrong.tf line 2", "terraform_data.kept.nothing", "^^^^", "nothing"],
        ),
        (
            "resource \"terraform_dato\" \"a\" {\n}\n",
            &["wrong.tf line 1", "terraform_dato", "^^^^", "Did you mean \"terraform_data\"?"],
        ),
        ("resource \"terraform_data\" \"a\" {\n  inptu = 1\n}\n", &["wrong.tf line 2", "inptu", "^^^^", "\"input\""]),
        ("resource \"terraform_data\" \"a\" {\n  input = \n}\n", &["wrong.tf line 2", "^"]),
    ];
    for (text, parts) in cases {
        let program = applied();
        program.write("wrong.tf", text);
        refused(&program, parts);
    }
}

#[test]
fn every_mistake_is_told_and_not_only_the_first() {
    let program = applied();
    program.write("a.tf", "output \"a\" {\n  value = var.one\n}\noutput \"b\" {\n  value = local.two\n}\n");
    refused(&program, &["var.one", "local.two"]);
}

#[test]
fn a_file_of_values_that_is_missing_is_named() {
    let program = applied();
    for args in [&["plan", "-var-file=nowhere.tfvars"][..], &["apply", "-auto-approve", "-var-file=nowhere.tfvars"]] {
        fails(&program, args, &["nowhere.tfvars"]);
    }
    fails(&program, &["apply", "nowhere.plan"], &["nowhere.plan", "infra plan -out"]);
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.kept\n");
}

#[test]
fn a_state_that_cannot_be_read_is_left_as_it_is() {
    let cases: &[(&dyn Fn(&str) -> String, &[&str])] = &[
        (
            &|text| text[..text.len() / 2].to_owned(),
            &["Error: State cannot be read", "terraform.tfstate", "Restore it", "Nothing was changed."],
        ),
        (
            &|text| text.replace("\"version\": 4", "\"version\": 5"),
            &["Error: State is newer than this program", "terraform.tfstate", "version 5", "Nothing was changed."],
        ),
        (&|_| "<html>404</html>".to_owned(), &["Error: State cannot be read", "terraform.tfstate"]),
    ];
    for (damage, parts) in cases {
        let program = applied();
        let text = std::fs::read_to_string(program.path("terraform.tfstate")).unwrap();
        let damaged = damage(&text);
        assert_ne!(damaged, text);
        program.write("terraform.tfstate", &damaged);
        program.write("main.tf", &SOUND.replace("one", "two"));
        refused(&program, parts);
        for args in [&["state", "list"][..], &["output"], &["destroy", "-auto-approve"], &["show"]] {
            fails(&program, args, &parts[..2]);
        }
        // What was there before is not lost: put back, it goes on.
        program.write("terraform.tfstate", &text);
        assert_eq!(program.ok(&["state", "list"]), "terraform_data.kept\n");
        assert!(program.ok(&["plan"]).contains("Plan: 0 to add, 1 to change, 0 to destroy."));
    }
}

#[test]
fn a_lock_that_is_held_names_its_holder_and_a_way_on() {
    let program = applied();
    program.write("slow.tf", "resource \"time_sleep\" \"slow\" {\n  create_duration = \"60s\"\n}\n");
    let mut holder = program.command(&["apply", "-auto-approve"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("time_sleep.slow: Creating...")));
    let parts = [
        "Error: Error acquiring the state lock\n\nError message: resource temporarily unavailable\nLock Info:\n  ID:        ",
        "\n  Path:      /",
        "\n  Operation: OperationTypeApply\n  Who:       tester@",
        "\n  Version:   ",
        " +0000 UTC\n  Info:      \n\n",
        "terraform.tfstate is held by tester@",
        "for \"apply\" since ",
        "UTC (",
        "-lock-timeout=10m",
    ];
    fails(&program, &["apply", "-auto-approve"], &parts);
    fails(&program, &["destroy", "-auto-approve"], &parts);
    // A plan would be of what is about to change. It can be had all the same, and says so.
    fails(&program, &["plan"], &parts);
    fails(&program, &["plan", "-lock-timeout=1s"], &parts);
    let seen = program.call(&["plan", "-lock=false"]);
    assert_eq!(seen.code, 0);
    assert!(seen.out.contains("A run is in progress"), "{}{}", seen.out, seen.err);
    holder.kill().unwrap();
    holder.wait().unwrap();
    // The lock went with its process, and nothing of the state did.
    program.write("slow.tf", "");
    program.ok(&["apply", "-auto-approve"]);
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.kept\n");
}

const GATED: &str = r#"
project { name = "gated" }
layer "a" { source = "a" }
phase "1" {
  include = [layer.a.terraform_data.first]
  gate "g" {
    GATE
  }
}
phase "2" { include = [layer.a.terraform_data.second] }
"#;

#[test]
fn a_gate_that_cannot_work_is_found_by_plan() {
    for (gate, summary, detail) in [
        ("htp { url = \"http://x\" }", "Unsupported block type", "Did you mean \"http\"?"),
        ("tcp { adress = \"x:1\" }", "Unsupported argument", "adress"),
        ("tcp { address = layer.a.second }", "Gate reads a later phase", "only when phase 2 is done"),
    ] {
        let program = Program::with(&[
            ("infra.hcl", &GATED.replace("GATE", gate)),
            (
                "a/main.tf",
                r#"
                resource "terraform_data" "first" { input = 1 }
                resource "terraform_data" "second" { input = "x:1" }
                output "second" { value = terraform_data.second.output }
                "#,
            ),
        ]);
        let answer = program.call(&["plan"]);
        assert_eq!(answer.code, 1, "{gate}: {}", answer.out);
        assert!(answer.err.contains(summary) && answer.err.contains(detail), "{gate}: {}", answer.err);
        assert!(answer.err.contains("infra.hcl line 7"), "{gate}: {}", answer.err);
    }
}

#[test]
fn a_provider_that_nothing_uses_is_not_configured() {
    let text = "provider \"kubernetes\" {}\nresource \"terraform_data\" \"a\" {}\n";
    let program = Program::with(&[("main.tf", text)]);
    program.ok(&["apply", "-auto-approve"]);
    program.ok(&["destroy", "-auto-approve"]);
}

#[test]
fn settings_that_are_not_there_are_refused_by_their_name() {
    for (name, settings) in [
        ("cloud", "cloud {\n  organization = \"x\"\n  workspaces { name = \"y\" }\n}"),
        ("experiments", "experiments = [anything]"),
        ("provider_meta", "provider_meta \"terraform\" { a = 1 }"),
        ("encryption", "encryption {}"),
    ] {
        let program = Program::with(&[("main.tf", &format!("terraform {{\n{settings}\n}}\n"))]);
        for command in [["init"], ["plan"]] {
            let answer = program.call(&command);
            let told = answer.err.contains("Not supported yet") && answer.err.contains(&format!("{name:?}"));
            assert!(answer.code == 1 && told, "{name}: {}", answer.err);
        }
    }
}
