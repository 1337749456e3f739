//! Commands that only look, beside the real `terraform`: `graph`, `providers`, `providers schema -json`, `metadata functions -json`.
//! `looking/NAME.txt` is a folder, `looking/NAME.out` what terraform prints there. `just conformance` records anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use super::peer::Peer;

/// Each case: the recorded answer, the folder, and the command.
const CASES: &[(&str, &str, &[&str])] = &[
    ("graph_nested", "graph_nested", &["graph"]),
    ("graph_nested.plan", "graph_nested", &["graph", "-type=plan"]),
    ("graph_calls", "graph_calls", &["graph"]),
    ("graph_calls.plan", "graph_calls", &["graph", "-type=plan"]),
    ("providers", "providers", &["providers"]),
    ("schema", "schema", &["providers", "schema", "-json"]),
    ("functions", "schema", &["metadata", "functions", "-json"]),
];

/// Functions that one of the two lacks, or that are declared otherwise, and why.
const FUNCTIONS: &[(&str, &str)] = &[
    ("base64gunzip", "of OpenTofu"),
    ("convert", "of later versions"),
    ("urldecode", "of OpenTofu"),
    ("cidrcontains", "of OpenTofu"),
];

fn file(name: &str, end: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/looking").join(format!("{name}.{end}"))
}

fn answer(peer: &Peer, folder: &str, arguments: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("terraformrc"), "").unwrap();
    for part in std::fs::read_to_string(file(folder, "txt")).unwrap().split("--- file ").skip(1) {
        let (path, text) = part.split_once('\n').unwrap();
        std::fs::create_dir_all(dir.path().join(path).parent().unwrap()).unwrap();
        std::fs::write(dir.path().join(path), text).unwrap();
    }
    if peer.installs {
        // Providers of the registry are not needed to see which ones are.
        peer.run(dir.path(), if folder == "providers" { &["get"] } else { &["init"] });
    }
    let output = peer.run(dir.path(), arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    match serde_json::from_str::<Json>(&text) {
        Ok(json) => serde_json::to_string_pretty(&without_descriptions(json)).unwrap() + "\n",
        Err(_) => text,
    }
}

/// Prose is ours, and mostly absent.
fn without_descriptions(json: Json) -> Json {
    match json {
        Json::Object(fields) => {
            let kept = fields.into_iter().filter(|(name, value)| {
                !(matches!(name.as_str(), "description" | "description_kind" | "summary") && value.is_string())
            });
            kept.map(|(name, value)| (name, without_descriptions(value))).collect()
        }
        Json::Array(items) => items.into_iter().map(without_descriptions).collect(),
        other => other,
    }
}

#[test]
fn commands_that_only_look_print_what_terraforms_print() {
    let mut failed = Vec::new();
    for (name, folder, arguments) in CASES {
        let expect = std::fs::read_to_string(file(name, "out")).unwrap();
        let got = answer(&Peer::infra(), folder, arguments);
        match *name {
            "functions" => failed.extend(functions(&expect, &got)),
            "schema" => {
                let json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
                let (expect, got) = (json(&expect), json(&got));
                if sorted(&expect) != sorted(&got) {
                    failed.push(format!("{name}\n{expect:#}\n{got:#}"));
                }
            }
            // Terraform walks modules and providers in another order at each run.
            "providers" if tree(&expect) == tree(&got) => {}
            _ if expect == got => {}
            _ => failed.push(format!("{name}\n--- terraform\n{expect}\n--- infra\n{got}")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn sorted(json: &Json) -> String {
    fn sort(json: &Json) -> Json {
        match json {
            Json::Object(fields) => {
                let fields: std::collections::BTreeMap<_, _> =
                    fields.iter().map(|(name, value)| (name, sort(value))).collect();
                serde_json::to_value(fields).unwrap()
            }
            Json::Array(items) => items.iter().map(sort).collect(),
            other => other.clone(),
        }
    }
    sort(json).to_string()
}

/// The lines of a tree without the strokes that tell the last one.
fn tree(text: &str) -> BTreeSet<String> {
    text.lines().map(|line| line.replace("└── ", "├── ").replace("│   ", "    ")).collect()
}

fn functions(expect: &str, got: &str) -> Vec<String> {
    let read =
        |text: &str| serde_json::from_str::<Json>(text).unwrap()["function_signatures"].as_object().unwrap().clone();
    let (expect, got) = (read(expect), read(got));
    let names: BTreeSet<&String> = expect.keys().chain(got.keys()).collect();
    let mut failed = Vec::new();
    for name in names {
        let known = FUNCTIONS.iter().any(|(known, _)| *known == name.trim_start_matches("core::"));
        let same = match (expect.get(name), got.get(name)) {
            (Some(a), Some(b)) => sorted(a) == sorted(b),
            _ => false,
        };
        if same == known {
            failed.push(format!(
                "{name} (known: {known})\n  {}\n  {}",
                expect.get(name).unwrap_or(&Json::Null),
                got.get(name).unwrap_or(&Json::Null)
            ));
        }
    }
    failed
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_looks() {
    for (name, folder, arguments) in CASES {
        std::fs::write(file(name, "out"), answer(&Peer::terraform(), folder, arguments)).unwrap();
    }
}

#[test]
fn completions_are_scripts_that_shells_can_read() {
    for shell in ["bash", "zsh", "fish"] {
        let output = Command::new(env!("CARGO_BIN_EXE_infra")).args(["completions", shell]).output().unwrap();
        assert!(output.status.success());
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(script.contains("infra") && script.contains("workspace"), "{shell}");
        if shell == "bash" {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("completions.bash");
            std::fs::write(&path, script).unwrap();
            assert!(Command::new("bash").arg("-n").arg(path).status().unwrap().success());
        }
    }
}
