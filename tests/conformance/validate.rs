//! Diagnostics beside those of the real `terraform`, as a whole: `validate/NAME.txt` is a folder, `validate/NAME.json` what
//! `terraform validate -json` says of it; in `planned`, what `terraform plan -json` says. Only the words of details are ours, and
//! what [`KNOWN`] lists. `just conformance` records anew.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::known::validate::{Difference, KNOWN};
use super::peer::Peer;

/// Folders of cases, the command whose diagnostics they hold, and how many there are at least.
const SUITES: [(&str, &[&str], usize); 2] =
    [("validate", &["validate", "-json"], 120), ("planned", &["plan", "-json"], 11)];

fn cases(suite: &str, least: usize) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(suite);
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "txt")).collect();
    cases.sort();
    assert!(cases.len() >= least);
    cases
}

/// What a program says of the folder of a case.
fn said(program: &Peer, case: &Path, command: &[&str]) -> Json {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    std::fs::write(folder.join("terraformrc"), "").unwrap();
    for part in std::fs::read_to_string(case).unwrap().split("--- file ").skip(1) {
        let (path, text) = part.split_once('\n').unwrap();
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    if program.installs {
        program.run(folder, &["init"]);
    }
    let output = program.run(folder, command);
    if command[0] == "plan" {
        return serde_json::json!({ "diagnostics": in_lines(&String::from_utf8(output.stdout).unwrap()) });
    }
    let said: Json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}: {}", case.display(), String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.success(), said["valid"] == true);
    said
}

/// The diagnostics among the lines of a stream of events.
fn in_lines(text: &str) -> Vec<Json> {
    let lines = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let diagnostics = lines.filter(|line| line["type"] == "diagnostic").map(|mut line| {
        let diagnostic = line["diagnostic"].take();
        let (severity, summary) = (diagnostic["severity"].as_str().unwrap(), diagnostic["summary"].as_str().unwrap());
        let (level, word) = if severity == "error" { ("error", "Error") } else { ("warn", "Warning") };
        assert_eq!((&line["@level"], &line["@message"]), (&level.into(), &format!("{word}: {summary}").into()));
        diagnostic
    });
    diagnostics.collect()
}

/// What is said, each once, in an order of its own: terraform's changes from run to run, and it says some things twice.
fn diagnostics(said: &Json) -> Vec<Json> {
    let mut all = said["diagnostics"].as_array().unwrap().clone();
    let count = |severity: &str| all.iter().filter(|one| one["severity"] == severity).count();
    let (errors, warnings) = (count("error"), count("warning"));
    if said["valid"].is_null() {
        assert!(errors + warnings > 0);
    } else {
        assert_eq!((&said["error_count"], &said["warning_count"]), (&errors.into(), &warnings.into()));
        assert_eq!((&said["format_version"], &said["valid"]), (&"1.0".into(), &(errors == 0).into()));
    }
    for one in &mut all {
        one.as_object_mut().unwrap().remove("detail").unwrap();
        let summary = super::peer::sorted_members(one["summary"].as_str().unwrap());
        one["summary"] = summary.into();
    }
    all.sort_by_key(|one| {
        (one["range"]["filename"].to_string(), one["range"]["start"]["byte"].as_u64(), one.to_string())
    });
    all.dedup();
    all
}

/// The differences between what terraform and infra say of a case, by what is to be known of them.
fn differences(expect: Vec<Json>, got: Vec<Json>) -> Vec<(Difference, Json, Json)> {
    let left = |these: &[Json], those: &[Json]| -> Vec<Json> {
        these.iter().filter(|one| !those.contains(one)).cloned().collect()
    };
    let (missing, mut extra) = (left(&expect, &got), left(&got, &expect));
    let mut found = Vec::new();
    for one in missing {
        let line = |json: &Json| (json["summary"].clone(), json["range"]["start"]["line"].clone());
        let pair = extra.iter().position(|other| line(other) == line(&one));
        let pair = pair.or_else(|| extra.iter().position(|other| other["summary"] == one["summary"]));
        match pair.map(|at| extra.remove(at)) {
            Some(other) => found.push((Difference::Other, one, other)),
            None => found.push((Difference::Missing, one, Json::Null)),
        }
    }
    found.extend(extra.into_iter().map(|one| (Difference::Extra, Json::Null, one)));
    found
}

#[test]
fn what_is_wrong_is_said_in_terraforms_fields() {
    let mut failed = Vec::new();
    let mut used = vec![false; KNOWN.len()];
    let all =
        SUITES.iter().flat_map(|(suite, command, least)| cases(suite, *least).into_iter().map(|case| (case, *command)));
    for (path, command) in all {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let expect: Json = serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
        let got = said(&Peer::infra(), &path, command);
        for (difference, expect, got) in differences(diagnostics(&expect), diagnostics(&got)) {
            let summary = if expect.is_null() { &got["summary"] } else { &expect["summary"] };
            let known =
                KNOWN.iter().position(|known| (known.0, known.1) == (name.as_str(), difference) && known.2 == summary);
            match known {
                Some(at) => used[at] = true,
                None => {
                    failed.push(format!("{name}, {difference:?} {summary}\n  terraform: {expect}\n  infra:     {got}"))
                }
            }
        }
    }
    let stale = KNOWN.iter().zip(used).filter(|(_, used)| !used);
    failed.extend(stale.map(|(known, _)| format!("{}: no difference any more: {:?} {}", known.0, known.1, known.2)));
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_diagnostics() {
    for (suite, command, least) in SUITES {
        for path in cases(suite, least) {
            let said = said(&Peer::terraform(), &path, command);
            std::fs::write(path.with_extension("json"), serde_json::to_string_pretty(&said).unwrap() + "\n").unwrap();
        }
    }
}
