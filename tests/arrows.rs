//! Dependencies between rooms point downwards only.
//!
//! Reads every file under `src/`, finds each path into the crate (`crate::room::…`, grouped or not, and a `super::` chain
//! that climbs out of its room), and fails on one that leads to a room of a higher rank, or of the same rank without
//! standing in the table below.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Every room with its rank; a room imports lower ranks.
const RANKS: &[(&str, u8)] = &[
    ("addr", 0),
    ("diag", 0),
    ("value", 0),
    ("schema", 0),
    ("change", 0),
    ("event", 0),
    ("threads", 0),
    ("text", 0),
    ("lang", 1),
    ("provider", 1),
    ("client", 1),
    ("config", 2),
    ("install", 2),
    ("state", 2),
    ("gate", 2),
    ("provision", 2),
    ("providers", 2),
    ("plugin", 2),
    ("sandbox", 2),
    ("graph", 3),
    ("plan", 4),
    ("apply", 5),
    ("ops", 6),
    ("view", 6),
    ("cli", 7),
    ("bot", 7),
];

/// Edges between rooms of one rank. What the rest of a rank needs of another room of that rank belongs a rank lower.
const SAME_RANK: &[(&str, &str)] = &[
    // Plain data builds on plainer data: addresses are named in diagnostics, values carry marks and paths, schemas
    // speak of values, a change of both, an event of everything.
    ("value", "diag"),
    ("value", "addr"),
    ("addr", "diag"),
    ("addr", "value"),
    ("schema", "value"),
    ("schema", "diag"),
    ("change", "addr"),
    ("change", "value"),
    ("change", "diag"),
    ("event", "addr"),
    ("event", "change"),
    ("event", "diag"),
    ("event", "value"),
    // A provider's functions are functions of the language.
    ("provider", "lang"),
    // Use cases hand their results to the views as data; the other direction does not exist.
    ("ops", "view"),
];

/// The one native provider that may look into state: its remote state data source reads it.
const MAY_READ_STATE: (&str, &str) = ("terraform", "state");

/// A path into the crate, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
struct Reference {
    line: usize,
    /// `["providers", "kubernetes"]` of `crate::providers::kubernetes::Manifest`.
    path: Vec<String>,
}

#[test]
fn dependencies_point_downwards() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    assert!(files.len() > 20, "the sources were not found: {files:?}");
    let mut faults = String::new();
    for file in &files {
        let inner = file.strip_prefix(&src).unwrap();
        let module = module_path(inner);
        let Some(room) = module.first() else { continue };
        let text = std::fs::read_to_string(file).unwrap();
        for reference in references(&text, &module) {
            if let Err(why) = judge(room, module.get(1), &reference.path) {
                writeln!(faults, "src/{}:{}: {why}", inner.display(), reference.line).unwrap();
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

/// Whether `room` (and the part of it, for a provider) may refer to `path`.
fn judge(room: &str, part: Option<&String>, path: &[String]) -> Result<(), String> {
    let Some(target) = path.first() else { return Ok(()) };
    let own = rank(room).ok_or_else(|| format!("room `{room}` has no rank; add it to tests/arrows.rs"))?;
    // A crate-level name that is no room: a macro or a re-export of lib.rs, of which there are none.
    let other = rank(target).ok_or_else(|| format!("`crate::{target}` is no room"))?;
    if room == target {
        let neighbour = path.get(1).filter(|name| name.chars().all(|c| c.is_lowercase() || c == '_'));
        return match (room, part, neighbour) {
            ("providers", Some(part), Some(neighbour)) if part != neighbour && part != "mod" => {
                Err(format!("provider `{part}` knows provider `{neighbour}`; what both need belongs into `client`"))
            }
            _ => Ok(()),
        };
    }
    if other < own {
        return Ok(());
    }
    let in_table = SAME_RANK.contains(&(room, target));
    let reads_state =
        room == "providers" && part.is_some_and(|part| (part.as_str(), target.as_str()) == MAY_READ_STATE);
    if other == own && (in_table || reads_state) {
        return Ok(());
    }
    Err(format!("`{room}` (rank {own}) refers to `{target}` (rank {other}); arrows point to lower ranks"))
}

fn rank(room: &str) -> Option<u8> {
    RANKS.iter().find(|(name, _)| *name == room).map(|(_, rank)| *rank)
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// `lang/eval/mod.rs` → `[lang, eval]`; `lib.rs` and `main.rs` → `[]`, they stand above all rooms.
fn module_path(file: &Path) -> Vec<String> {
    let mut path: Vec<String> =
        file.with_extension("").components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    match path.last().map(String::as_str) {
        Some("mod") => drop(path.pop()),
        Some("lib" | "main") if path.len() == 1 => path.clear(),
        // The tests of `convert.rs` stand in `convert_test.rs`, as its module `tests`.
        Some(name) if name.ends_with("_test") => path.push("tests".to_owned()),
        _ => {}
    }
    path
}

/// All paths into the crate that a file of module `module` writes down outside comments and strings.
fn references(text: &str, module: &[String]) -> Vec<Reference> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    // Depth of braces at which each inline module was opened.
    let mut inline: Vec<usize> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while let Some((line, token)) = tokens.get(at) {
        match token.as_str() {
            "{" => {
                let opens_module = at >= 2 && tokens[at - 2].1 == "mod";
                depth += 1;
                if opens_module {
                    inline.push(depth);
                }
            }
            "}" => {
                if inline.last() == Some(&depth) {
                    inline.pop();
                }
                depth -= 1;
            }
            "crate" if follows(&tokens, at + 1, "::") => {
                paths(&tokens, at + 2, &mut Vec::new(), *line, &mut found);
            }
            "super" if follows(&tokens, at + 1, "::") && (at == 0 || tokens[at - 1].1 != "::") => {
                let mut climbed = 0;
                while tokens.get(at).is_some_and(|(_, token)| token == "super") && follows(&tokens, at + 1, "::") {
                    climbed += 1;
                    at += 2;
                }
                let leads_out = climbed >= module.len() + inline.len();
                if leads_out && tokens.get(at).is_some_and(|(_, name)| rank(name).is_some()) {
                    paths(&tokens, at, &mut Vec::new(), *line, &mut found);
                }
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn follows(tokens: &[(usize, String)], at: usize, what: &str) -> bool {
    tokens.get(at).is_some_and(|(_, token)| token == what)
}

/// Reads the path (or the group of paths) that starts at token `at`; returns the token after it.
fn paths(
    tokens: &[(usize, String)],
    mut at: usize,
    prefix: &mut Vec<String>,
    line: usize,
    found: &mut Vec<Reference>,
) -> usize {
    let start = prefix.len();
    loop {
        match tokens.get(at) {
            Some((_, token)) if token == "{" => {
                at += 1;
                while let Some((_, token)) = tokens.get(at) {
                    match token.as_str() {
                        "}" => {
                            at += 1;
                            break;
                        }
                        "," => at += 1,
                        _ => {
                            let next = paths(tokens, at, prefix, line, found);
                            // A star or a renaming: nothing of interest, but it must be stepped over.
                            at = next.max(at + 1);
                        }
                    }
                }
                prefix.truncate(start);
                return at;
            }
            Some((_, token)) if token.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                prefix.push(token.clone());
                at += 1;
                if follows(tokens, at, "::") {
                    at += 1;
                    continue;
                }
            }
            _ => {}
        }
        if !prefix.is_empty() {
            found.push(Reference { line, path: prefix.iter().take(2).cloned().collect() });
        }
        prefix.truncate(start);
        if follows(tokens, at, "as") {
            at += 2;
        }
        return at;
    }
}

/// Words, `::` and single signs, each with its line; comments, strings and characters left out.
fn tokens(text: &str) -> Vec<(usize, String)> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while at < chars.len() {
        let c = chars[at];
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        let from = at;
        if c == '/' && next == '/' {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if c == '/' && next == '*' {
            let mut depth = 1;
            at += 2;
            while at < chars.len() && depth > 0 {
                match (chars[at], chars.get(at + 1)) {
                    ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
                    ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
                    _ => at += 1,
                }
            }
        } else if c == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if c == '\'' {
            // A character literal, or else a lifetime, of which only the sign is dropped.
            if next == '\\' {
                at += 3;
                while at < chars.len() && chars[at] != '\'' {
                    at += 1;
                }
                at += 1;
            } else if chars.get(at + 2) == Some(&'\'') {
                at += 3;
            } else {
                at += 1;
            }
        } else if is_word(c) {
            while at < chars.len() && is_word(chars[at]) {
                at += 1;
            }
            let word: String = chars[from..at].iter().collect();
            let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
            if matches!(word.as_str(), "r" | "br" | "cr") && chars.get(at + hashes) == Some(&'"') {
                let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
                at += hashes + 1;
                while at < chars.len() && !chars[at..].starts_with(&end) {
                    at += 1;
                }
                at += end.len();
            } else {
                found.push((line, word));
            }
        } else if c == ':' && next == ':' {
            found.push((line, "::".to_owned()));
            at += 2;
        } else {
            if !c.is_whitespace() {
                found.push((line, c.to_string()));
            }
            at += 1;
        }
        line += chars[from..at.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    found
}

#[test]
fn paths_are_found_wherever_they_are_written() {
    fn check(text: &str, module: &str, expect: &[&str]) {
        let module: Vec<String> = module.split("::").map(str::to_owned).collect();
        let found: Vec<String> = references(text, &module).into_iter().map(|found| found.path.join("::")).collect();
        assert_eq!(found, expect, "{text}");
    }
    check("use crate::addr::Name;", "plan", &["addr::Name"]);
    check("pub use crate::{addr::{Name, Module as M}, diag};", "plan", &["addr::Name", "addr::Module", "diag"]);
    check("fn f() -> crate::value::Value { crate::lang::eval::run(x) }", "plan", &["value::Value", "lang::eval"]);
    check("use crate::value::*; use crate::lang::{*};", "plan", &["value", "lang"]);
    check("// crate::cli\n/* crate::cli /* crate::cli */ */ \"crate::cli\" r#\"\"crate::cli\"#", "plan", &[]);
    check("fn f<'a>(c: char) { c == '\"' || c == '\\'' || c == '\\u{7b}'; crate::cli::run() }", "plan", &["cli::run"]);
    check(
        "use super::cli::run; mod tests { use super::*; use super::super::view::X; }",
        "plan",
        &["cli::run", "view::X"],
    );
    check("pub(super) fn f() { super::diff() }", "plan::order", &[]);
    check("use super::diff; use super::super::apply::run;", "plan::order", &["apply::run"]);
}

#[test]
fn upward_arrows_are_refused() {
    fn check(room: &str, part: &str, path: &str, expect: bool) {
        let path: Vec<String> = path.split("::").map(str::to_owned).collect();
        let verdict = judge(room, Some(&part.to_owned()), &path);
        assert_eq!(verdict.is_ok(), expect, "{room}::{part} → {path:?}: {verdict:?}");
    }
    check("plan", "diff", "value::Value", true);
    check("plan", "diff", "apply::run", false);
    check("value", "number", "schema::Block", false);
    check("graph", "build", "plan::Plan", false);
    check("providers", "kubernetes", "client::kube", true);
    check("providers", "kubernetes", "providers::random", false);
    check("providers", "kubernetes", "providers::kubernetes", true);
    check("providers", "terraform", "state::Model", true);
    check("providers", "random", "state::Model", false);
    check("view", "plan", "ops::Report", false);
    check("plan", "diff", "unheard::Of", false);
}
