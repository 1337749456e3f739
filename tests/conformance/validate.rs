//! `validate -json` beside the real `terraform`, as a whole: `validate/NAME.txt` is a folder, `validate/NAME.json` what
//! terraform says of it. Only the words of details are ours, and what [`KNOWN`] lists. `just conformance` records anew.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::peer::Peer;

#[path = "validate_known.rs"]
mod known;

use known::{Difference, KNOWN};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/validate");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "txt")).collect();
    cases.sort();
    assert!(cases.len() >= 120);
    cases
}

/// What a program says of the folder of a case.
fn validated(program: &Peer, case: &Path) -> Json {
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
    let output = program.run(folder, &["validate", "-json"]);
    let said: Json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}: {}", case.display(), String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.success(), said["valid"] == true);
    said
}

/// What is said, each once, in an order of its own: terraform's changes from run to run, and it says some things twice.
fn diagnostics(said: &Json) -> Vec<Json> {
    let mut all = said["diagnostics"].as_array().unwrap().clone();
    let count = |severity: &str| all.iter().filter(|one| one["severity"] == severity).count();
    let (errors, warnings) = (count("error"), count("warning"));
    assert_eq!((&said["error_count"], &said["warning_count"]), (&errors.into(), &warnings.into()));
    assert_eq!((&said["format_version"], &said["valid"]), (&"1.0".into(), &(errors == 0).into()));
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
    for path in cases() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let expect: Json = serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
        let got = validated(&Peer::infra(), &path);
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
fn record_validations() {
    for path in cases() {
        let said = validated(&Peer::terraform(), &path);
        std::fs::write(path.with_extension("json"), serde_json::to_string_pretty(&said).unwrap() + "\n").unwrap();
    }
}
