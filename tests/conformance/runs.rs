//! Commands with their flags, files and variables of the environment, beside the real `terraform`: how each ends, the lines that bots
//! match, and what those print that scripts read.
//!
//! `runs/NAME.txt` is a case: `--- file PATH` begins a file (an empty one removes it), `--- run NAME=VALUE … COMMAND …` is a command of
//! which the exit code and the lines that bots match count, `--- says …` one of which everything on standard output does. Words with spaces
//! stand in single quotes. `runs/NAME.json` is what terraform did; `just conformance` records anew.

use std::path::Path;

use regex::Regex;
use serde_json::{Value as Json, json};

use super::corpus::texts;
use super::known::runs::KNOWN;
use super::peer::{Peer, without_ids};

#[test]
fn commands_end_as_under_terraform() {
    let mut failed = Vec::new();
    for path in texts("runs") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let recorded = std::fs::read_to_string(path.with_extension("json")).unwrap_or_else(|_| "[]".to_owned());
        let expect: Vec<Json> = serde_json::from_str(&recorded).unwrap();
        let got = play(&path, &Peer::infra());
        assert_eq!(got.len(), expect.len(), "{name}: record it with `just conformance`");
        for (step, (got, expect)) in got.iter().zip(&expect).enumerate() {
            let known = KNOWN.iter().any(|known| (known.0, known.1) == (name.as_str(), step + 1));
            match (got == expect, known) {
                (false, false) => {
                    failed.push(format!("{name}, {}\n  terraform: {expect}\n  infra:     {got}", step + 1))
                }
                (true, true) => failed.push(format!("{name}, {}: no difference any more", step + 1)),
                (true, false) | (false, true) => {}
            }
        }
    }
    assert!(failed.is_empty(), "{} differences:\n{}", failed.len(), failed.join("\n"));
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_runs() {
    for path in texts("runs") {
        let text = serde_json::to_string_pretty(&play(&path, &Peer::terraform())).unwrap() + "\n";
        std::fs::write(path.with_extension("json"), text).unwrap();
    }
}

fn play(path: &Path, peer: &Peer) -> Vec<Json> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    std::fs::write(folder.join("terraformrc"), "").unwrap();
    let text = format!("\n{}", std::fs::read_to_string(path).unwrap());
    let mut answers = Vec::new();
    for part in text.split("\n--- ").skip(1) {
        let (head, body) = part.split_once('\n').unwrap_or((part, ""));
        let (kind, rest) = head.split_once(' ').unwrap();
        match kind {
            "file" => {
                let path = folder.join(rest);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                match body.trim() {
                    "" => std::fs::remove_file(path).unwrap(),
                    _ => std::fs::write(path, format!("{}\n", body.trim_end_matches('\n'))).unwrap(),
                }
            }
            "run" | "says" => answers.push(answer(peer, folder, rest, kind == "says")),
            other => panic!("{}: {other}", path.display()),
        }
    }
    answers
}

/// What a command came to.
fn answer(peer: &Peer, folder: &Path, command: &str, whole: bool) -> Json {
    let words = words(command);
    let assigned = Regex::new("^[A-Z][A-Za-z_]*=").unwrap();
    let (env, arguments): (Vec<_>, Vec<_>) = {
        let end = words.iter().position(|word| !assigned.is_match(word)).unwrap_or(words.len());
        (words[..end].to_vec(), words[end..].to_vec())
    };
    let env: Vec<(String, String)> =
        env.iter().map(|word| word.split_once('=').unwrap()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = peer.run_with(folder, &arguments, &env);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = if whole { json!(out) } else { json!(matched(&out)) };
    without_ids(&json!({ "run": command, "code": output.status.code(), "said": said }))
}

/// The lines that bots look for.
fn matched(out: &str) -> Vec<&str> {
    let line =
        Regex::new("^(Plan: |No changes\\.|Apply complete!|Destroy complete!|Outputs:|[a-z_]+ = |  [-+~] [a-z_]+ +=)");
    let line = line.unwrap();
    out.lines().filter(|text| line.is_match(text)).collect()
}

/// The words of a line; those in single quotes hold spaces.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
