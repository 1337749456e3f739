//! Folders whose configuration changes step by step: what is planned, what the state holds afterwards, and how errors are
//! called are those of the real `terraform`.
//!
//! `sequences/NAME.txt` is a case: `--- file PATH` begins a file (an empty one removes it), `--- apply ARGUMENTS` plans with
//! these arguments and applies the saved plan. `sequences/NAME.json` is what terraform answered at each step. `just
//! conformance` records anew (with terraform on the PATH) and prints what became different. `INFRA_CORPUS=moved` takes only the
//! cases with that in their name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::{Value as Json, json};

use super::known::sequences::KNOWN;
use super::peer::{Peer, sorted_members, without_ids};

#[test]
fn folders_change_as_under_terraform() {
    let mut failed = Vec::new();
    for path in cases() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let recorded = std::fs::read_to_string(path.with_extension("json")).unwrap_or_else(|_| "[]".to_owned());
        let expect: Vec<Json> = serde_json::from_str(&recorded).unwrap();
        let got = play(&path, &Peer::infra());
        assert_eq!(got.len(), expect.len(), "{name}: record it with `just conformance`");
        for (step, (got, expect)) in got.iter().zip(&expect).enumerate() {
            let parts = [
                "plan",
                "errors",
                "changes",
                "checks",
                "outputs",
                "provisions",
                "apply",
                "apply_errors",
                "check_results",
                "state",
            ];
            for part in parts {
                if ["state", "check_results"].contains(&part) && expect[part].is_null() {
                    continue;
                }
                let known = KNOWN.iter().any(|known| (known.0, known.1, known.2) == (name.as_str(), step + 1, part));
                match (got[part] == expect[part], known) {
                    (false, false) => failed.push(format!(
                        "{name}, step {}, {part}\n  terraform: {}\n  infra:     {}",
                        step + 1,
                        expect[part],
                        got[part]
                    )),
                    (true, true) => failed.push(format!("{name}, step {}, {part}: no difference any more", step + 1)),
                    (true, false) | (false, true) => {}
                }
            }
        }
    }
    assert!(failed.is_empty(), "{} differences:\n{}", failed.len(), failed.join("\n"));
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_sequences() {
    for path in cases() {
        let answers = play(&path, &Peer::terraform());
        let text = serde_json::to_string_pretty(&answers).unwrap() + "\n";
        let file = path.with_extension("json");
        if std::fs::read_to_string(&file).is_ok_and(|recorded| recorded == text) {
            continue;
        }
        println!("recorded {}", file.display());
        std::fs::write(file, text).unwrap();
    }
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/sequences");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "txt")).collect();
    cases.sort();
    assert!(cases.len() >= 30);
    if let Ok(only) = std::env::var("INFRA_CORPUS") {
        cases.retain(|path| path.file_stem().is_some_and(|name| name.to_string_lossy().contains(&only)));
    }
    cases
}

/// Exit code, standard output, and the summaries of the errors.
fn call(peer: &Peer, folder: &Path, arguments: &[&str]) -> (i32, String, Vec<String>) {
    let output = peer.run(folder, arguments);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let summaries = err.lines().filter_map(|line| line.split_once("Error: ").map(|(_, summary)| summary.to_owned()));
    let mut summaries: Vec<String> = summaries.map(|summary| sorted_members(&summary)).collect();
    summaries.sort();
    (output.status.code().unwrap(), out, summaries)
}

/// Plays a case in a folder of its own; the answer to every step.
pub fn play(case: &Path, peer: &Peer) -> Vec<Json> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    std::fs::write(folder.join("terraformrc"), "").unwrap();
    let text = std::fs::read_to_string(case).unwrap();
    let mut answers = Vec::new();
    for part in text.split("--- ").skip(1) {
        let (head, body) = part.split_once('\n').unwrap_or((part, ""));
        let words: Vec<&str> = head.split_whitespace().collect();
        match words.as_slice() {
            ["file", path] => {
                let path = folder.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, body).unwrap();
            }
            ["apply", arguments @ ..] => answers.push(step(peer, folder, arguments)),
            other => panic!("{}: {other:?}", case.display()),
        }
    }
    answers
}

/// Plans, applies what was planned, and looks at the state.
fn step(peer: &Peer, folder: &Path, arguments: &[&str]) -> Json {
    let common = ["-no-color", "-input=false"];
    if peer.installs {
        call(peer, folder, &["init", common[0], common[1]]);
    }
    let plan = [&["plan", "-out=p", "-detailed-exitcode"], &common[..], arguments].concat();
    let (code, _, errors) = call(peer, folder, &plan);
    let mut answer = json!({ "plan": code, "errors": errors });
    if code != 1 {
        let document: Json = serde_json::from_str(&call(peer, folder, &["show", "-json", "p"]).1).unwrap();
        let actions = |change: &Json| {
            let reason = change["action_reason"].as_str().map(|reason| format!(" ({reason})")).unwrap_or_default();
            let actions = change["change"]["actions"].as_array().unwrap().iter().flat_map(Json::as_str);
            let more =
                |name: &str, text: &Json| text.as_str().map(|text| format!(", {name} {text}")).unwrap_or_default();
            let (from, id) = (&change["previous_address"], &change["change"]["importing"]["id"]);
            let more = more("moved from", from) + &more("imported from", id);
            format!("{}{reason}{more}", actions.collect::<Vec<_>>().join(", "))
        };
        let changes: BTreeMap<&str, String> = document["resource_changes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|change| (change["address"].as_str().unwrap(), actions(change)))
            .collect();
        let outputs: BTreeMap<&String, Json> = document["output_changes"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, change)| (name, json!([change["actions"], change["after"], change["after_unknown"]])))
            .collect();
        let checks: BTreeMap<&str, &Json> = document["checks"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|check| (check["address"]["to_display"].as_str().unwrap(), check))
            .collect();
        if !checks.is_empty() {
            answer["checks"] = json!(checks);
        }
        answer["changes"] = json!(changes);
        answer["outputs"] = json!(outputs);
        let (code, told, errors) = call(peer, folder, &["apply", common[0], common[1], "p"]);
        // Terraform writes them in another order at each run.
        let state = std::fs::read(folder.join("terraform.tfstate")).ok();
        let state: Json = state.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        if let Some(results) = state["check_results"].as_array() {
            let mut results = results.clone();
            for result in &mut results {
                if let Some(objects) = result["objects"].as_array_mut() {
                    objects.sort_by_key(Json::to_string);
                }
            }
            results.sort_by_key(Json::to_string);
            answer["check_results"] = json!(results);
        }
        answer["apply"] = json!(code);
        let provisions = provisions(&told);
        if !provisions.is_empty() {
            answer["provisions"] = json!(provisions);
        }
        answer["apply_errors"] = json!(errors);
    }
    // Terraform shows no state while the configuration cannot be read.
    if let Ok(state) = serde_json::from_str::<Json>(&call(peer, folder, &["show", "-json"]).1) {
        let mut objects = BTreeMap::new();
        gather(&state["values"]["root_module"], &mut objects);
        close(&mut objects);
        answer["state"] = json!({ "objects": objects, "outputs": state["values"]["outputs"] });
    }
    without_ids(&answer)
}

/// What provisioners said, object by object: their order among objects is another one at each run.
fn provisions(told: &str) -> BTreeMap<String, Vec<String>> {
    let line = Regex::new(r"^(\S+?):? (Provisioning with .*|\((?:local-exec|remote-exec|file)\): .*)$").unwrap();
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for found in told.lines().filter_map(|told| line.captures(told)) {
        said.entry(found[1].to_owned()).or_default().push(found[2].to_owned());
    }
    said
}

/// The objects of a module and those below it, by address.
fn gather(module: &Json, into: &mut BTreeMap<String, Json>) {
    for object in module["resources"].as_array().into_iter().flatten() {
        let part = json!([object["values"], object["sensitive_values"], object["depends_on"], object["tainted"]]);
        into.insert(object["address"].as_str().unwrap().to_owned(), part);
    }
    for child in module["child_modules"].as_array().into_iter().flatten() {
        gather(child, into);
    }
}

/// Completes what each object depends on by what that depends on: terraform stores all of it, we store the direct ones, from
/// which it follows.
fn close(objects: &mut BTreeMap<String, Json>) {
    let block = |address: &str| Regex::new(r#"\[[^\]]*\]"#).unwrap().replace_all(address, "").into_owned();
    let direct = |object: &Json| -> Vec<String> {
        object[2].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let mut blocks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (address, object) in &*objects {
        blocks.entry(block(address)).or_default().extend(direct(object));
    }
    for object in objects.values_mut() {
        let mut all = std::collections::BTreeSet::new();
        let mut open = direct(object);
        while let Some(name) = open.pop() {
            open.extend(blocks.get(&name).into_iter().flatten().filter(|next| !all.contains(*next)).cloned());
            all.insert(name);
        }
        object[2] = json!(all);
    }
}
