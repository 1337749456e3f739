//! JSON documents as a whole beside the real `terraform`, the order of their fields included: plans, states and outputs of a folder that has
//! something of everything, of one without objects, and of one whose plan fails. `documents/NAME.json` is what terraform prints; `just
//! conformance` records anew.

use std::path::Path;

use serde_json::{Map, Value as Json};

use super::known::documents::KNOWN;
use super::peer::{Peer, without_ids};

type Steps = &'static [(&'static str, &'static [&'static str])];

/// The folders, each with its commands, and the names of the documents that they print.
const CASES: &[(&str, Steps)] = &[("everything", EVERYTHING), ("no_objects", NO_OBJECTS), ("fails", FAILS)];

const NO_OBJECTS: Steps = &[
    ("", &["plan", "-out=p"]),
    ("outputs alone", &["show", "-json", "p"]),
    ("", &["apply", "-auto-approve"]),
    ("", &["plan", "-out=p"]),
    ("outputs as they are", &["show", "-json", "p"]),
    ("", &["plan", "-destroy", "-out=p"]),
    ("outputs that go", &["show", "-json", "p"]),
    ("", &["plan", "-refresh-only", "-out=p"]),
    ("outputs looked at", &["show", "-json", "p"]),
];

/// A `!` before a command: it fails.
const FAILS: Steps = &[
    ("", &["apply", "-auto-approve"]),
    ("", &["!", "plan", "-out=p", "-var=t=b"]),
    ("protected", &["show", "-json", "p"]),
    ("", &["!", "plan", "-out=p", "-var=number=b"]),
    ("wrong value", &["show", "-json", "p"]),
    ("", &["!", "plan", "-out=p", "-destroy"]),
    ("protected from going", &["show", "-json", "p"]),
];

const EVERYTHING: Steps = &[
    ("", &["plan", "-out=p"]),
    ("planned", &["show", "-json", "p"]),
    ("", &["apply", "-auto-approve"]),
    ("state", &["show", "-json"]),
    ("outputs", &["output", "-json"]),
    ("one output", &["output", "-json", "p"]),
    ("", &["plan", "-out=p"]),
    ("unchanged", &["show", "-json", "p"]),
    ("", &["plan", "-replace=terraform_data.a[0]", "-out=p"]),
    ("replaced", &["show", "-json", "p"]),
    ("", &["plan", "-destroy", "-out=p"]),
    ("destroyed", &["show", "-json", "p"]),
    ("valid", &["validate", "-json"]),
];

fn documents(peer: &Peer, name: &str, steps: Steps) -> Json {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    std::fs::write(folder.join("terraformrc"), "").unwrap();
    let case = std::fs::read_to_string(recorded(name, "txt")).unwrap();
    for part in case.split("--- file ").skip(1) {
        let (path, text) = part.split_once('\n').unwrap();
        std::fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        std::fs::write(folder.join(path), text).unwrap();
    }
    if peer.installs {
        peer.run(folder, &["init"]);
    }
    let mut documents = Map::new();
    for (name, command) in steps {
        let (fails, command) = match command {
            ["!", rest @ ..] => (true, rest),
            all => (false, *all),
        };
        let output = peer.run(folder, command);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), !fails, "{command:?}: {said}");
        if !name.is_empty() {
            documents.insert((*name).to_owned(), serde_json::from_slice(&output.stdout).unwrap());
        }
    }
    without_ids(&Json::Object(documents))
}

fn recorded(name: &str, end: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/documents").join(format!("{name}.{end}"))
}

/// Where two values differ, in values, in fields, or in their order.
fn compare(path: &str, expect: &Json, got: &Json, found: &mut Vec<(String, String)>) {
    let mut say = |what: String| found.push((path.to_owned(), what));
    match (expect, got) {
        (Json::Object(expect), Json::Object(got)) => {
            let names = |fields: &Map<String, Json>| fields.keys().cloned().collect::<Vec<_>>();
            if names(expect) != names(got) {
                say(format!("terraform: {:?}, infra: {:?}", names(expect), names(got)));
            }
            for (name, expect) in expect {
                if let Some(got) = got.get(name) {
                    compare(&format!("{path}.{name}"), expect, got, found);
                }
            }
        }
        // These come in any order.
        (Json::Array(expect), Json::Array(got)) if path == ".relevant_attributes" => {
            let sorted = |items: &[Json]| items.iter().map(Json::to_string).collect::<std::collections::BTreeSet<_>>();
            if sorted(expect) != sorted(got) {
                say(format!("terraform: {expect:?}, infra: {got:?}"));
            }
        }
        (Json::Array(expect), Json::Array(got)) if expect.len() == got.len() => {
            for (index, (expect, got)) in expect.iter().zip(got).enumerate() {
                compare(&format!("{path}[{index}]"), expect, got, found);
            }
        }
        // When it was planned.
        (Json::String(_), Json::String(_)) if path.ends_with(".timestamp") => {}
        _ if expect == got => {}
        _ => say(format!("terraform: {expect}, infra: {got}")),
    }
}

#[test]
fn documents_are_terraforms_to_the_order_of_their_fields() {
    let (mut failed, mut used) = (Vec::new(), vec![false; KNOWN.len()]);
    for (case, steps) in CASES {
        let expect: Json = serde_json::from_slice(&std::fs::read(recorded(case, "json")).unwrap()).unwrap();
        let got = documents(&Peer::infra(), case, steps);
        for (name, expect) in expect.as_object().unwrap() {
            let mut found = Vec::new();
            compare("", expect, &got[name], &mut found);
            for (path, what) in found {
                match KNOWN.iter().position(|known| known.0 == name && path.starts_with(known.1)) {
                    Some(at) => used[at] = true,
                    None => failed.push(format!("{name}{path}: {what}")),
                }
            }
        }
    }
    let stale = KNOWN.iter().zip(used).filter(|(_, used)| !used);
    failed.extend(stale.map(|(known, _)| format!("{}{}: no difference any more", known.0, known.1)));
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_documents() {
    for (case, steps) in CASES {
        let text = serde_json::to_string_pretty(&documents(&Peer::terraform(), case, steps)).unwrap();
        std::fs::write(recorded(case, "json"), text + "\n").unwrap();
    }
}
