//! Every command that people type: those of the documents, and those that the table below adds. Each is called where nothing exists yet
//! and where everything does, ends as the table says, and waits for nothing.
//!
//! The table is `typed.txt`; what stands in it is explained there. A command that a document shows and the table lacks fails the test.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::documented::blocks;
use super::program::{Answer, Program};
use super::projects::platform;

const TABLE: &str = include_str!("typed.txt");

/// No command takes as long, whatever else the machine does; a gate or a lock that is waited for in vain takes longer.
const LIMIT: Duration = Duration::from_secs(120);

/// A row of the table.
struct Row {
    /// Where it is called.
    place: &'static str,
    /// The command as it is written.
    written: &'static str,
    /// The commands that are called.
    called: Vec<&'static str>,
    /// What comes of it where nothing exists, and where everything does.
    empty: Expected,
    full: Expected,
}

#[derive(Clone, Copy, Default)]
struct Expected {
    /// The exit code, or `serves` for one that goes on until it is interrupted.
    ends: &'static str,
    /// A part of what it prints.
    prints: &'static str,
}

fn table() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        if !line.starts_with(' ') {
            let (place, written) = line.split_once(" · ").unwrap_or_else(|| panic!("no command: {line}"));
            let (empty, full) = Default::default();
            rows.push(Row { place, written, called: Vec::new(), empty, full });
            continue;
        }
        let row = rows.last_mut().unwrap();
        let (word, rest) = line.trim().split_once(' ').unwrap();
        let (ends, prints) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        match word {
            "as" => row.called.push(rest.trim()),
            "empty" => row.empty = Expected { ends, prints: prints.trim() },
            "full" => row.full = Expected { ends, prints: prints.trim() },
            other => panic!("{other:?} means nothing"),
        }
    }
    for row in &mut rows {
        assert!(!row.empty.ends.is_empty() && !row.full.ends.is_empty(), "{}: nothing is expected", row.written);
        if row.called.is_empty() {
            row.called.push(row.written);
        }
    }
    rows
}

/// The commands of the documents: those of consoles, and those in running text that begin with the program's name.
fn written() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    pages.extend(std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for page in pages.iter().filter(|page| page.extension().is_some_and(|ext| ext == "md")) {
        let text = std::fs::read_to_string(page).unwrap();
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        let consoles = blocks(&text).into_iter().flat_map(|(_, lines)| lines);
        let commands = consoles.filter_map(|line| line.strip_prefix("$ infra ").map(str::to_owned));
        for command in commands.chain(inline(&text)) {
            found.entry(command).or_default().insert(name.clone());
        }
    }
    found
}

/// Commands in running text. They may go on in the next line.
fn inline(page: &str) -> Vec<String> {
    let outside = page.split("\n```").step_by(2).collect::<Vec<_>>().join("\n\n");
    let code = outside.split('`').skip(1).step_by(2);
    let words = |code: &str| code.split_whitespace().collect::<Vec<_>>().join(" ");
    code.filter_map(|code| words(code).strip_prefix("infra ").map(str::to_owned)).collect()
}

#[test]
fn every_command_of_the_documents_is_in_the_table() {
    let (rows, written) = (table(), written());
    assert!(written.len() > 30, "only {} commands were found", written.len());
    let known: BTreeSet<&str> = rows.iter().map(|row| row.written).collect();
    let missing: Vec<_> = written.iter().filter(|(command, _)| !known.contains(command.as_str())).collect();
    assert!(missing.is_empty(), "tests/cli/typed.txt does not say what becomes of {missing:#?}");
}

#[test]
fn commands_on_the_shipped_platform() {
    let empty = platform();
    let full = empty.copied();
    full.ok(&["apply", "-env", "dev", "-auto-approve"]);
    check_all("platform", &empty, &full);
}

#[test]
fn commands_in_a_folder() {
    let tour = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tour.md")).unwrap();
    let console = tour.split("$ cat main.tf\n").nth(1).unwrap();
    let empty = Program::with(&[("main.tf", console.split("\n$ ").next().unwrap())]);
    let full = empty.copied();
    full.ok(&["apply", "-auto-approve"]);
    check_all("folder", &empty, &full);
}

#[test]
fn commands_of_the_language_page() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/language.md")).unwrap();
    for section in page.split("\n## ").skip(1) {
        let title = section.lines().next().unwrap();
        let empty = Program::with(&[]);
        let mut commands = Vec::new();
        for (language, lines) in blocks(section) {
            match (language, lines.first().and_then(|line| line.strip_prefix("# "))) {
                ("hcl", Some(path)) => empty.write(path, &lines[1..].join("\n")),
                _ => commands.extend(lines.iter().filter_map(|line| line.strip_prefix("$ infra "))),
            }
        }
        if commands.is_empty() {
            continue;
        }
        let full = empty.copied();
        for command in commands.iter().filter(|command| !command.starts_with("destroy")) {
            full.call_within(&borrowed(&arguments(command)), LIMIT);
        }
        check_all(title, &empty, &full);
        let rows = table();
        for command in commands {
            let known = rows.iter().any(|row| row.place == title && row.written == command);
            assert!(known, "tests/cli/typed.txt has no row \"{title} · {command}\"");
        }
    }
}

/// Calls every command of a place, each in a folder of its own.
fn check_all(place: &str, empty: &Program, full: &Program) {
    let mut faults = String::new();
    for row in table().iter().filter(|row| row.place == place) {
        for command in &row.called {
            for (name, program, expected) in [("empty", empty, row.empty), ("full", full, row.full)] {
                if let Err(fault) = check(&program.copied(), command, expected) {
                    faults += &format!("\n{place} · {command} where it is {name}: {fault}");
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

fn check(program: &Program, command: &str, expected: Expected) -> Result<(), String> {
    let arguments = arguments(command);
    let arguments = borrowed(&arguments);
    let answer =
        if expected.ends == "serves" { served(program, &arguments) } else { program.call_within(&arguments, LIMIT) };
    let ends = if expected.ends == "serves" { "0" } else { expected.ends };
    let all = format!("{}{}", answer.out, answer.err);
    if answer.code.to_string() == ends && all.contains(expected.prints) {
        return Ok(());
    }
    Err(format!("exit code {} instead of {ends}, or nothing of {:?} in\n{all}", answer.code, expected.prints))
}

fn borrowed(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// Reads the first line of a command that goes on, interrupts it, and reads the rest.
fn served(program: &Program, arguments: &[&str]) -> Answer {
    let mut child = program.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut out = String::new();
    reader.read_line(&mut out).unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    reader.read_to_string(&mut out).unwrap();
    let output = child.wait_with_output().unwrap();
    Answer { code: output.status.code().unwrap_or(-1), out, err: String::from_utf8(output.stderr).unwrap() }
}

/// The words of a command, as a shell makes them: quotation marks keep together what they enclose.
fn arguments(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for char in command.trim().chars() {
        match (char, quote) {
            ('"' | '\'', None) => quote = Some(char),
            (_, Some(open)) if char == open => quote = None,
            (' ', None) => words.push(String::new()),
            _ => words.last_mut().unwrap().push(char),
        }
    }
    words
}
