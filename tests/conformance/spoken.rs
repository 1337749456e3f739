//! What commands print, without what is not compared: prose, colours, the order in which things happen to end.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value as Json;

/// Whether what a command prints holds sentences, which are each program's own.
fn speaks(command: &str) -> bool {
    matches!(command, "plan" | "apply" | "destroy" | "refresh" | "show")
}

/// How lines begin that are no prose.
const KEPT: &[&str] = &[
    "Plan: ",
    "No changes. ",
    "Note: Objects have changed outside of ",
    "Changes to Outputs:",
    "Apply complete! ",
    "Destroy complete! ",
    "Outputs:",
    "Warning: ",
    "Error: ",
    "resource \"",
    "data \"",
    "# ",
    "}",
    "]",
    ")",
    "EOT",
    "<<EOT",
];

/// The lines of a text without colours, blank lines and prose.
pub fn spoken(command: &str, text: &str) -> Vec<String> {
    let colour = Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    let frame = Regex::new("^[╷│╵] ?").unwrap();
    let value = Regex::new(r"^[A-Za-z_][\w-]* = ").unwrap();
    let progress = Regex::new(r"^[^ :]+(?: \(deposed object [0-9a-f]+\))?: [A-Z]").unwrap();
    let mut lines: Vec<String> = Vec::new();
    let mut of_warning = false;
    // How a command is used is told in each program's own words.
    let text = text.split("Usage: ").next().unwrap_or_default();
    for line in colour.replace_all(text, "").lines() {
        let framed = frame.is_match(line);
        let line = frame.replace(line, "").trim_end().to_owned();
        if !speaks(command) {
            // What a warning says is prose everywhere.
            of_warning |= line.starts_with("Warning: ");
            if !of_warning || line.starts_with("Warning: ") {
                lines.push(line);
            }
            continue;
        }
        let starts = KEPT.iter().any(|start| line.starts_with(start)) || value.is_match(&line);
        // Where a warning is, and what it says, is compared elsewhere.
        of_warning = line.starts_with("Warning: ") || (of_warning && (framed || line.starts_with(' ') || !starts));
        let kept = starts || line.starts_with(' ') || progress.is_match(&line);
        if line.is_empty() || (of_warning && !line.starts_with("Warning: ")) || !kept || passing(&line) {
            continue;
        }
        lines.push(name(&line));
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let version = Regex::new(r#"(resource_version +=) "\d+""#).unwrap();
    lines.iter_mut().for_each(|line| *line = version.replace(line, "$1 \"N\"").into_owned());
    let took = Regex::new(r" after \d+s").unwrap();
    lines.iter_mut().for_each(|line| *line = took.replace(line, " after 0s").into_owned());
    // Objects end in another order at each run.
    for run in lines.chunk_by_mut(|a, b| progress.is_match(a) && progress.is_match(b)) {
        if run.len() > 1 {
            run.sort();
        }
    }
    lines
}

/// Lines about looking at objects (one an object there, one for all here), and about what to do next.
fn passing(line: &str) -> bool {
    let how_to_go_on = ["    terraform apply \"", "    tofu apply \"", "    infra apply ", "Note: You didn't use "];
    let looked_at = [": Refreshing state...", ": Reading...", ": Read complete after"];
    looked_at.iter().any(|word| line.contains(word)) || how_to_go_on.iter().any(|start| line.starts_with(start))
}

/// A document, or lines of JSON, without what differs from run to run; nothing if it is neither.
pub fn document(text: &str) -> Option<Json> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    if let Ok(document) = serde_json::from_str::<Json>(text) {
        return Some(clean(document));
    }
    let lines: Option<Vec<Json>> = text.lines().map(|line| serde_json::from_str(line).ok()).collect();
    // Of looking at objects there is one line here, and there are two for each object there.
    let told =
        |line: &Json| !line["type"].as_str().is_some_and(|kind| kind == "version" || kind.starts_with("refresh_"));
    let lines = lines?.into_iter().filter(told).map(clean);
    let mut lines: Vec<Json> = lines.collect();
    // Objects are looked at, planned and made in another order at each run.
    for run in lines.chunk_by_mut(|a, b| group(a) == group(b)) {
        run.sort_by_key(Json::to_string);
    }
    Some(lines.into())
}

/// What lines of a stream come in one piece, the order inside of which is chance.
fn group(line: &Json) -> String {
    let kind = line["type"].as_str().unwrap_or_default();
    kind.split_once('_')
        .filter(|(verb, _)| ["refresh", "apply"].contains(verb))
        .map_or(kind, |(verb, _)| verb)
        .to_owned()
}

fn clean(json: Json) -> Json {
    match json {
        Json::Object(fields) => {
            let passing = [
                "timestamp",
                "@timestamp",
                "terraform_version",
                "@module",
                "elapsed_seconds",
                "lineage",
                "serial",
                "detail",
            ];
            let kept = fields.into_iter().filter(|(name, _)| !passing.contains(&name.as_str()));
            let clean_one = |(name, value): (String, Json)| match (name.as_str(), value) {
                ("@message", Json::String(text)) => (name, Json::String(self::name(&text))),
                ("relevant_attributes" | "sensitive_attributes", Json::Array(mut items)) => {
                    // In the order of a hash table.
                    items.sort_by_key(Json::to_string);
                    (name, Json::Array(items))
                }
                (_, value) => (name, clean(value)),
            };
            // In the order of names, so that what differs can be shown.
            kept.map(clean_one).collect::<BTreeMap<String, Json>>().into_iter().collect()
        }
        Json::Array(items) => items.into_iter().map(clean).collect(),
        other => other,
    }
}

/// The programs call themselves by their names.
fn name(text: &str) -> String {
    text.replace("Terraform", "infra").replace("OpenTofu", "infra")
}

/// How the errors on standard error are called: the summaries, or the first line where there are none.
pub fn summaries(text: &str) -> Vec<String> {
    let colour = Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    let text = colour.replace_all(text, "");
    let named: Vec<String> =
        text.lines().filter_map(|line| line.split_once("Error: ").map(|(_, summary)| name(summary))).collect();
    let mut said = match named.is_empty() {
        false => named,
        true => text.lines().map(str::trim).find(|line| !line.is_empty()).map(name).into_iter().collect(),
    };
    // What follows from the first mistake, or says it again.
    let more = ["Too many command line arguments", "stat ", "couldn't load the provided path "];
    if said.len() > 1 {
        said.retain(|summary| !more.iter().any(|start| summary.starts_with(start)));
    }
    said.sort();
    said
}
