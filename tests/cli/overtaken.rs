//! What a run that ended without saying so has left behind: told first, and settled by commands.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value as Json;

use super::program::{Program, names};

const STUCK: &str = r#"
resource "terraform_data" "first" {
  input = "from the killed run"
}
resource "time_sleep" "middle" {
  create_duration = "60s"
  triggers        = { first = terraform_data.first.id }
}
"#;

/// A folder in which an apply was killed after `terraform_data.first` was made.
fn killed() -> Program {
    let program = Program::with(&[("main.tf", STUCK)]);
    let mut child = program.command(&["apply", "-auto-approve"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("terraform_data.first: Creation complete")));
    child.kill().unwrap();
    child.wait().unwrap();
    program.write("main.tf", "resource \"terraform_data\" \"second\" {}\n");
    program
}

/// The journals of the state, moved to another folder and back.
fn shift(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for name in names(from) {
        std::fs::rename(from.join(&name), to.join(&name)).unwrap();
    }
}

/// A folder whose state another run has written behind the back of the killed one.
fn overtaken() -> Program {
    let program = killed();
    let (journal, aside) = (program.path("terraform.tfstate.journal"), program.path("aside"));
    shift(&journal, &aside);
    program.ok(&["apply", "-auto-approve"]);
    shift(&aside, &journal);
    program
}

#[test]
fn what_was_recovered_is_told_before_anything_else() {
    let program = killed();
    let out = program.ok(&["apply", "-auto-approve"]);
    let told = "Recovered 1 result and 0 intents from a run by tester@";
    let (told, planned) = (out.find(told), out.find("# terraform_data.first will be destroyed"));
    assert!(told.is_some() && told < planned, "{out}");
    assert!(out.contains("that ended without saying so (03:04 UTC, apply).\n  settled: 1   uncertain: 0\n"), "{out}");

    let program = killed();
    let out = program.ok(&["apply", "-auto-approve", "-json"]);
    let lines: Vec<Json> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let at = |kind: &str| lines.iter().position(|line| line["type"] == kind);
    assert!(at("recovered").is_some() && at("recovered") < at("planned_change"), "{out}");
    let recovery = &lines[at("recovered").unwrap()]["recovery"];
    assert_eq!((&recovery["results"], &recovery["runs"][0]["operation"]), (&1.into(), &"apply".into()));
}

#[test]
fn an_overtaken_journal_stops_writers_and_says_how_to_go_on() {
    let program = overtaken();
    for command in ["plan", "apply"] {
        let answer = program.call(&[command]);
        assert_eq!(answer.code, 1, "{}", answer.out);
        for part in ["infra state uncertain", "infra state settle -keep", "infra state settle -drop"] {
            assert!(answer.err.replace('\n', " ").contains(part), "{command}: {part}\n{}", answer.err);
        }
    }
    let shown = program.ok(&["state", "uncertain"]);
    for part in ["a run by tester@", "(apply, 2026-01-02T03:04:05Z)", "made or changed", "terraform_data.first"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.second\n");
}

#[test]
fn an_overtaken_journal_is_kept_or_dropped() {
    let program = overtaken();
    let kept = program.ok(&["state", "settle", "-keep"]);
    assert!(kept.contains("1 journal taken into state."), "{kept}");
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.first\nterraform_data.second\n");
    assert!(program.ok(&["plan"]).contains("Plan: 0 to add, 0 to change, 1 to destroy."));
    assert_eq!(program.ok(&["state", "uncertain"]), "Nothing is uncertain.\n");

    let program = overtaken();
    let dropped = program.ok(&["state", "settle", "-drop"]);
    assert!(dropped.contains("1 journal forgotten."), "{dropped}");
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.second\n");
    assert!(program.ok(&["plan"]).contains("No changes."));
    let again = program.call(&["state", "settle", "-drop"]);
    assert_eq!((again.code, again.err.contains("Nothing to settle")), (1, true), "{}", again.err);
}

#[test]
fn a_damaged_journal_can_only_be_dropped() {
    let program = overtaken();
    let journal = program.path("terraform.tfstate.journal");
    let file = journal.join(names(&journal).remove(0));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("\"sum\":\"", "\"sum\":\"0", 1)).unwrap();
    let kept = program.call(&["state", "settle", "-keep"]);
    assert_eq!(kept.code, 1);
    assert!(kept.err.replace('\n', " ").contains("What cannot be read can only be dropped."), "{}", kept.err);
    assert!(program.ok(&["state", "uncertain"]).contains("can only be dropped"));
    program.ok(&["state", "settle", "-drop"]);
    assert!(program.ok(&["plan"]).contains("No changes."));
}

#[test]
fn settling_takes_one_answer() {
    let program = Program::with(&[("main.tf", "")]);
    for (args, hint) in [
        (&["state", "settle"][..], "--exists"),
        (&["state", "settle", "-keep", "-drop"], "cannot be used with"),
        (&["state", "settle", "-keep", "terraform_data.a"], "cannot be used with"),
        (&["state", "settle", "-exists"], "ADDRESS"),
        (&["state", "settle", "-keep"], "Nothing to settle"),
    ] {
        let answer = program.call(args);
        assert_eq!(answer.code, 1, "{args:?}");
        assert!(answer.err.contains(hint), "{args:?}: {}", answer.err);
    }
    let help = program.ok(&["state", "settle", "-help"]);
    assert!(help.contains("infra state uncertain lists") && help.contains("--keep"), "{help}");
}
