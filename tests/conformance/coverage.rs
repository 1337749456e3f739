//! Which cases of the suites show each part of the language and of the command line: `coverage.txt`.
//!
//! A line is `PART -- FILE -- TEXT`: the file, below `tests` or `src`, holds the text by which the case is found. A part without a line, and a
//! line whose text is nowhere, fail. Functions need no lines: each has to be called in the cases of functions, or in the corpus.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("coverage.txt");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_part_of_the_language_is_shown_by_a_case() {
    let mut wrong = Vec::new();
    let mut parts = BTreeSet::new();
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [part, file, text] = line.split(" -- ").collect::<Vec<_>>()[..] else {
            wrong.push(format!("{line}: no case"));
            continue;
        };
        parts.insert(part);
        let found = std::fs::read_to_string(root().join(file)).is_ok_and(|content| content.contains(text));
        if !found {
            wrong.push(format!("{part}: {file} does not hold {text:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(parts.len() >= 190, "{} parts", parts.len());
}

#[test]
fn every_function_is_called_by_a_case() {
    let folders = ["src/lang/functions/cases", "tests/conformance/corpus", "tests/conformance/opentofu"];
    let texts: String = folders.iter().flat_map(|folder| texts(&root().join(folder))).collect();
    let missing: Vec<&str> = infra::lang::functions::names()
        // Of this one terraform knows nothing.
        .filter(|name| *name != "env")
        .filter(|name| !texts.contains(&format!("\n{name} [")) && !texts.contains(&format!("{name}(")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What the text files of a folder hold, each after a line's end.
fn texts(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_text = |path: &PathBuf| path.extension().is_some_and(|end| end == "txt");
    files.filter(is_text).map(|path| format!("\n{}", std::fs::read_to_string(path).unwrap())).collect()
}
