//! The whole document of `show -json`, field by field, beside that of the real terraform.

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// Where our documents differ from Terraform's, and why. `*` stands for anything.
const KNOWN: &[(&str, &str, &str)] = &[
    // case, path, reason
    (
        "forget*",
        "planned_values.root_module.resources",
        "Terraform lists what state will forget among what there will be, without values; we do not",
    ),
    (
        "json_remote_state",
        "prior_state.values.root_module.resources[0].sensitive_values.outputs.s",
        "what another state marks as sensitive stays so in ours; Terraform reads it as an ordinary value",
    ),
];

/// Keys that a golden file holds beside the document: how the case was made.
const CASE: [&str; 6] = ["mode", "files", "before", "after", "args", "types"];

/// What differs and is not known. `used` takes the known differences that were met.
pub(super) fn differences(case: &str, theirs: &Json, ours: &Json, used: &mut BTreeSet<usize>) -> Vec<String> {
    let mut found = Vec::new();
    compare("", &clean(theirs, true), &clean(ours, false), &mut found);
    let mut left = Vec::new();
    for (path, theirs, ours) in found {
        let known = KNOWN.iter().position(|(of, at, _)| matches(of, case) && matches(at, &path));
        match known {
            Some(known) => {
                used.insert(known);
            }
            None => left.push(format!("{path}\n  terraform {theirs}\n  ours      {ours}")),
        }
    }
    left
}

/// A difference that is gone is to leave the table.
pub(super) fn all_are_used(used: &BTreeSet<usize>) {
    let unused: Vec<_> = (0..KNOWN.len()).filter(|index| !used.contains(index)).map(|index| KNOWN[index]).collect();
    assert!(unused.is_empty(), "these differences do not exist any more: {unused:?}");
}

/// Without what differs from run to run, and without what may be missing and is empty then.
fn clean(document: &Json, golden: bool) -> Json {
    let mut document = document.clone();
    let top = document.as_object_mut().unwrap();
    if golden {
        CASE.iter().for_each(|key| drop(top.remove(*key)));
    }
    top.insert("timestamp".into(), Json::Null);
    top.retain(|key, value| !(matches!(key.as_str(), "resource_changes" | "output_changes") && is_empty(value)));
    if let Some(relevant) = top.get_mut("relevant_attributes").and_then(Json::as_array_mut) {
        // Terraform lists them in the order of a hash table.
        relevant.sort_by_key(ToString::to_string);
    }
    let text = regex::Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
        .unwrap()
        .replace_all(&document.to_string(), "ID")
        .into_owned();
    serde_json::from_str(&text).unwrap()
}

fn is_empty(json: &Json) -> bool {
    json.as_array().is_some_and(Vec::is_empty) || json.as_object().is_some_and(serde_json::Map::is_empty)
}

fn compare(path: &str, theirs: &Json, ours: &Json, found: &mut Vec<(String, String, String)>) {
    match (theirs, ours) {
        (Json::Object(a), Json::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => compare(&path, a, b, found),
                    (a, b) => {
                        let text = |json: Option<&Json>| json.map_or_else(|| "(absent)".to_owned(), Json::to_string);
                        found.push((path, text(a), text(b)));
                    }
                }
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{at}]"), a, b, found);
            }
        }
        _ if theirs == ours => {}
        _ => found.push((path.to_owned(), theirs.to_string(), ours.to_string())),
    }
}

/// Whether a text is what a pattern says; `*` stands for any part of it.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => {
            let Some(text) = text.strip_prefix(start) else { return false };
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| matches(rest, &text[at..]))
        }
    }
}
