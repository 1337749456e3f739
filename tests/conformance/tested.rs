//! Folders with test files, each tested once: how every run ends, what is said of it and where, the exit code, the text, the
//! lines for programs and the JUnit report are those of the real `terraform test`.
//!
//! `tested/NAME.txt` holds cases as in `corpus`: `=== NAME` begins one, `@ ARGUMENTS` are its arguments, then come main.tf and,
//! behind `--- PATH`, the other files. `tested/NAME.json` is what terraform answered. `just conformance` records anew; terraform
//! finds the providers time and kubernetes, built from source, in the mirror folder that INFRA_PROVIDER_MIRROR names.

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;
use serde_json::{Value as Json, json};

use super::corpus::{at_once, compare, record};
use super::known::tested::KNOWN;
use super::peer::{Peer, without_ids};

#[test]
fn test_files_answer_as_under_terraform() {
    let answered = compare("tested", KNOWN, &|path| play_all(path, &Peer::infra()), &differences);
    assert!(answered >= 160, "{answered} folders");
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_tested() {
    if std::env::var_os("INFRA_PROVIDER_MIRROR").is_none() {
        return println!("not recorded: INFRA_PROVIDER_MIRROR names no folder with the providers time and kubernetes");
    }
    record("tested", &|path| play_all(path, &Peer::terraform()));
}

/// The parts of two answers that differ, each on lines of its own.
fn differences(expect: &Json, got: &Json) -> String {
    let parts = ["code", "text", "said", "lines", "junit"];
    let parts = parts.iter().filter(|part| expect[**part] != got[**part]);
    let one = |part: &&str| {
        let all = |answer: &Json| answer[*part].as_array().cloned().unwrap_or_else(|| vec![answer[*part].clone()]);
        let (expect, got) = (all(expect), all(got));
        let only = |from: &[Json], than: &[Json], sign: &str| -> String {
            let lines = from.iter().filter(|line| !than.contains(line));
            lines.map(|line| format!("\n    {sign} {line}")).collect()
        };
        let differ = format!("{}{}", only(&expect, &got, "-"), only(&got, &expect, "+"));
        let order = if differ.is_empty() { "\n    in another order" } else { "" };
        format!("\n  {part}{differ}{order}")
    };
    parts.map(one).collect()
}

/// One folder.
struct Case {
    name: String,
    arguments: Vec<String>,
    files: Vec<(String, String)>,
}

fn cases(path: &Path) -> Vec<Case> {
    let text = format!("\n{}", std::fs::read_to_string(path).unwrap());
    let only = std::env::var("INFRA_TEST_CASE").unwrap_or_default();
    text.split("\n=== ").skip(1).map(case).filter(|case| case.name.contains(&only)).collect()
}

fn case(text: &str) -> Case {
    let (name, mut body) = text.split_once('\n').unwrap();
    let mut case = Case { name: name.to_owned(), arguments: Vec::new(), files: Vec::new() };
    while let Some((line, rest)) = body.split_once('\n').filter(|(line, _)| line.starts_with("@ ")) {
        case.arguments = line[2..].split_whitespace().map(str::to_owned).collect();
        body = rest;
    }
    for part in format!("\n--- main.tf\n{body}").split("\n--- ").skip(1) {
        let (path, text) = part.split_once('\n').unwrap_or((part, ""));
        case.files.push((path.to_owned(), format!("{}\n", text.trim_end_matches('\n'))));
    }
    case
}

/// The answers to every case of a file.
fn play_all(path: &Path, peer: &Peer) -> BTreeMap<String, Json> {
    at_once(&cases(path), |case| &case.name, |case| play(case, peer))
}

fn play(case: &Case, peer: &Peer) -> Json {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let mirror = std::env::var("INFRA_PROVIDER_MIRROR").unwrap_or_default();
    let settings = format!("provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n");
    std::fs::write(folder.join("terraformrc"), if mirror.is_empty() { String::new() } else { settings }).unwrap();
    for (path, text) in &case.files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    if peer.installs {
        let directory = case.arguments.iter().filter(|argument| argument.starts_with("-test-directory"));
        let arguments: Vec<&str> = ["init", "-input=false"].into_iter().chain(directory.map(String::as_str)).collect();
        peer.run(folder, &arguments);
    }
    let given: Vec<&str> = case.arguments.iter().map(String::as_str).collect();
    let arguments = |first: &[&'static str]| [first, &given].concat();
    let output = peer.run(folder, &arguments(&["test", "-no-color", "-junit-xml=junit.xml"]));
    let text = String::from_utf8(output.stdout).unwrap();
    let text: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    // What of the text is a diagnostic is compared by the lines for programs.
    let from = text.iter().position(|line| line.starts_with("Warning: ") || line.starts_with("Error: "));
    let text: Vec<&str> = match case.arguments.iter().any(|argument| argument == "-verbose") {
        true => text[..from.unwrap_or(text.len())].to_vec(),
        false => text.into_iter().filter(|line| tells_how_it_stands(line)).collect(),
    };
    let junit = std::fs::read_to_string(folder.join("junit.xml")).ok();
    let output = peer.run(folder, &arguments(&["test", "-json"]));
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Json> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let answer = json!({
        "code": output.status.code(),
        "text": text,
        "said": said(&lines),
        "lines": lines.iter().filter_map(line).collect::<Vec<_>>(),
        "junit": junit.map(|junit| report(&junit)),
    });
    let folder = folder.to_string_lossy();
    without_ids(&serde_json::from_str(&answer.to_string().replace(&*folder, "DIR")).unwrap())
}

/// `run "a"... pass`, and the last line.
fn tells_how_it_stands(line: &str) -> bool {
    let ends = ["in progress", "tearing down", "pass", "fail", "skip", "pending"];
    ends.iter().any(|end| line.ends_with(&format!("... {end}")))
        || line.starts_with("Success!")
        || line.starts_with("Failure!")
}

/// Errors and warnings: of which run, what they are called, and where they are.
fn said(lines: &[Json]) -> Vec<String> {
    let one = |line: &Json| {
        let said = &line["diagnostic"];
        let place = [&line["@testfile"], &line["@testrun"]].map(|part| part.as_str().unwrap_or("-"));
        let (severity, summary) = (text(&said["severity"]), text(&said["summary"]));
        let range = &said["range"];
        let at = range["filename"].as_str().map(|file| format!(" ({file}:{})", range["start"]["line"]));
        // The words of the test itself are part of the answer.
        let words = (summary == "Test assertion failed").then(|| format!(": {}", text(&said["detail"])));
        format!(
            "{} {} {severity}: {summary}{}{}",
            place[0],
            place[1],
            words.unwrap_or_default(),
            at.unwrap_or_default()
        )
    };
    let mut said: Vec<String> = lines.iter().filter(|line| line["type"] == "diagnostic").map(one).collect();
    said.sort();
    said.dedup();
    said
}

/// A line for programs without what differs at each run; schemas of whole providers are left out.
fn line(line: &Json) -> Option<Json> {
    let kind = line["type"].as_str()?;
    if matches!(kind, "version" | "diagnostic") || !kind.starts_with("test_") {
        return None;
    }
    let mut line = line.clone();
    for gone in ["@timestamp", "@module"] {
        line.as_object_mut()?.remove(gone);
    }
    if matches!(kind, "test_plan" | "test_state") {
        let body = line[kind].take();
        line[kind] = json!({
            "changes": body["resource_changes"], "outputs": body["output_changes"], "root": body["root_module"],
            "values": body["planned_values"], "state": body["outputs"],
        });
    }
    if let Some(run) = line.get_mut("test_run").and_then(Json::as_object_mut)
        && run.get("elapsed").is_some_and(|elapsed| elapsed != 0)
    {
        run.insert("elapsed".to_owned(), json!("some"));
    }
    Some(line)
}

/// A JUnit report without times; of each diagnostic, its first line.
fn report(junit: &str) -> Vec<String> {
    let times = Regex::new(r#" (time|timestamp)="[^"]*""#).unwrap();
    let said = Regex::new(r"(?s)<!\[CDATA\[(.*?)\]\]>").unwrap();
    let first = |found: &regex::Captures<'_>| {
        let titles = found[1].lines().filter(|line| line.starts_with("Error: ") || line.starts_with("Warning: "));
        let titles: Vec<&str> = titles.collect();
        let text = if titles.is_empty() { found[1].trim().to_owned() } else { titles.join("; ") };
        format!("<![CDATA[{text}]]>")
    };
    let text = said.replace_all(junit, first);
    times.replace_all(&text, "").lines().map(str::to_owned).collect()
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}
