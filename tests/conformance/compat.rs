//! What commands print under INFRA_COMPAT=terraform, line for line beside the real `terraform`: whole texts on standard output, and on
//! standard error where the case asks for it.
//!
//! `compat/NAME.txt` is a case: `--- file PATH` writes a file, `--- run ARGUMENTS` is a command with what terraform printed for it and
//! its exit code, `--- errors ARGUMENTS` the same with standard error. Ids and times are masked, and lines of progress that stand together
//! are sorted: both programs end them in another order at each run. `just conformance` records anew.

use std::path::{Path, PathBuf};

use regex::Regex;

use super::known::compat::KNOWN;
use super::peer::Peer;

/// A part of a case.
enum Part {
    File { path: String, text: String },
    Run { line: String, errors: bool, answer: String },
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/compat");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 8, "the cases were not found");
    cases
}

fn parts(text: &str) -> Vec<Part> {
    let parts = text.split("--- ").skip(1).map(|part| {
        let (head, body) = part.split_once('\n').unwrap();
        let (kind, line) = head.split_once(' ').unwrap();
        match kind {
            "file" => Part::File { path: line.to_owned(), text: body.to_owned() },
            "run" | "errors" => Part::Run { line: line.to_owned(), errors: kind == "errors", answer: body.to_owned() },
            other => panic!("no such part: {other}"),
        }
    });
    parts.collect()
}

/// Plays a case and gives its text with what this program answers.
fn play(peer: &Peer, parts: &[Part], env: &[(String, String)]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("terraformrc"), "").unwrap();
    let play = |part: &Part| match part {
        Part::File { path, text } => {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
            String::new()
        }
        Part::Run { line, errors, .. } => {
            // Variables before the command, as a shell takes them.
            let words = line.split(' ');
            let (set, arguments): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with("TF_"));
            let set = set.iter().map(|word| word.split_once('=').unwrap()).map(|(a, b)| (a.to_owned(), b.to_owned()));
            let env: Vec<(String, String)> = env.iter().cloned().chain(set).collect();
            let output = peer.run_with(dir.path(), &arguments, &env);
            let mut text = String::from_utf8(output.stdout).unwrap();
            if *errors {
                text.push_str(&String::from_utf8(output.stderr).unwrap());
            }
            format!("{}=> {}\n", masked(&text), output.status.code().unwrap())
        }
    };
    parts.iter().map(play).collect()
}

fn masked(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, word) in [
        ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
        (r"deposed object [0-9a-f]{8}", "deposed object KEY"),
        (r" after \d+s", " after 0s"),
        ("\u{1b}\\[[0-9;]*m", ""),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, word).into_owned();
    }
    let progress = Regex::new(r"^[^ :]+(?: \(deposed object KEY\))?: [A-Z]").unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    for run in lines.chunk_by_mut(|a, b| progress.is_match(a) && progress.is_match(b)) {
        if run.len() > 1 {
            run.sort_unstable();
        }
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn texts_are_terraforms_line_by_line() {
    let env = [("INFRA_COMPAT".to_owned(), "terraform".to_owned())];
    let mut failed = Vec::new();
    let mut used = Vec::new();
    for case in cases() {
        let name = case.file_stem().unwrap().to_string_lossy().into_owned();
        let parts = parts(&std::fs::read_to_string(&case).unwrap());
        let runs = parts.iter().zip(play(&Peer::infra(), &parts, &env)).filter_map(|(part, got)| match part {
            Part::Run { line, answer, .. } => Some((line, answer, got)),
            Part::File { .. } => None,
        });
        for (step, (line, expect, got)) in (1..).zip(runs) {
            let known = KNOWN.iter().position(|(case, at, _)| *case == name && *at == step);
            match (known, *expect == got) {
                (None, true) => {}
                (Some(row), false) => used.push(row),
                (Some(_), true) => failed.push(format!("=== {name} {step}: {line}\nthe known difference is gone")),
                (None, false) => {
                    let diff = similar::TextDiff::from_lines(expect, &got).unified_diff().to_string();
                    failed.push(format!("=== {name} {step}: {line}\n{diff}"));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{} answers differ (- terraform, + ours):\n{}", failed.len(), failed.join("\n"));
    assert_eq!(used.len(), KNOWN.len(), "a row of the table names no step");
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_compat() {
    for case in cases() {
        let parts = parts(&std::fs::read_to_string(&case).unwrap());
        let mut text = String::new();
        for (part, answer) in parts.iter().zip(play(&Peer::terraform(), &parts, &[])) {
            match part {
                Part::File { path, text: content } => text.push_str(&format!("--- file {path}\n{content}")),
                Part::Run { line, errors, .. } => {
                    let kind = if *errors { "errors" } else { "run" };
                    text.push_str(&format!("--- {kind} {line}\n{answer}"));
                }
            }
        }
        std::fs::write(case, text).unwrap();
    }
}
