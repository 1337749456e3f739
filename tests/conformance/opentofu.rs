//! What OpenTofu's language has beyond Terraform's, beside the real `tofu`: `enabled`, `deprecated`, providers with `for_each`, `.tofu` files.
//!
//! `opentofu/NAME.txt` holds small configurations, as `corpus` does, and `opentofu/sequences/NAME.txt` folders that change step by step, as
//! `sequences` does. The answers beside them are those of OpenTofu 1.12.6; `record_opentofu` records them anew, with `tofu` on the PATH.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::corpus::{differences, play_all, texts};
use super::known::opentofu::KNOWN;
use super::peer::Peer;
use super::sequences::play;

fn is_known(file: &str, case: &str) -> bool {
    KNOWN.iter().any(|known| (known.0, known.1) == (file, case))
}

#[test]
fn opentofus_language_answers_as_under_opentofu() {
    let mut failed = Vec::new();
    let mut judge = |file: &str, case: &str, differs: String| match (differs.is_empty(), is_known(file, case)) {
        (false, false) => failed.push(format!("{file}, {case}{differs}")),
        (true, true) => failed.push(format!("{file}, {case}: no difference any more")),
        (true, false) | (false, true) => {}
    };
    for path in texts("opentofu") {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let recorded = std::fs::read_to_string(path.with_extension("json")).unwrap();
        let expect: BTreeMap<String, Json> = serde_json::from_str(&recorded).unwrap();
        for (name, got) in &play_all(&path, &Peer::infra()) {
            judge(&file, name, differences(&expect[name], got).replace("terraform: ", "tofu:  "));
        }
    }
    for path in texts("opentofu/sequences") {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let recorded = std::fs::read_to_string(path.with_extension("json")).unwrap();
        let expect: Vec<Json> = serde_json::from_str(&recorded).unwrap();
        for (step, (got, expect)) in play(&path, &Peer::infra()).iter().zip(&expect).enumerate() {
            let parts = ["plan", "errors", "changes", "outputs", "apply", "apply_errors", "state"];
            let parts = parts.iter().filter(|part| expect[**part] != got[**part]);
            let differs: String = parts
                .map(|part| format!("\n  {part}\n    tofu:  {}\n    infra: {}", expect[part], got[part]))
                .collect();
            judge(&file, &(step + 1).to_string(), differs);
        }
    }
    assert!(failed.is_empty(), "{} differ:\n{}", failed.len(), failed.join("\n"));
}

#[test]
#[ignore = "records the answers of tofu 1.12.6, which has to be on the PATH"]
fn record_opentofu() {
    let write = |path: &std::path::Path, answers: String| {
        let file = path.with_extension("json");
        if !std::fs::read_to_string(&file).is_ok_and(|recorded| recorded == answers) {
            println!("recorded {}", file.display());
            std::fs::write(file, answers).unwrap();
        }
    };
    if std::process::Command::new("tofu").arg("version").output().is_err() {
        println!("tofu is not on the PATH: its answers stay as they are");
        return;
    }
    for path in texts("opentofu") {
        write(&path, serde_json::to_string_pretty(&play_all(&path, &Peer::tofu())).unwrap() + "\n");
    }
    for path in texts("opentofu/sequences") {
        write(&path, serde_json::to_string_pretty(&play(&path, &Peer::tofu())).unwrap() + "\n");
    }
}
