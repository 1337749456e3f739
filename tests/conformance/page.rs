//! The table of docs/compatibility.md says what `known` says: it is made from there, and has to be what it would be made into now.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::known;

const BEGIN: &str = "<!-- made from tests/conformance/known: just conformance writes it anew -->\n";
const END: &str = "<!-- end -->\n";

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/compatibility.md")
}

/// Every difference: the suite, why, and the case.
fn differences() -> Vec<(&'static str, &'static str, String)> {
    let mut all = Vec::new();
    let steps = [
        ("commands", known::commands::KNOWN),
        ("compat", known::compat::KNOWN),
        ("modules", known::modules::KNOWN),
        ("runs", known::runs::KNOWN),
    ];
    for (suite, table) in steps {
        all.extend(table.iter().map(|(case, step, why)| (suite, *why, format!("{case} {step}"))));
    }
    let named = [
        ("corpus", known::corpus::KNOWN),
        ("documents", known::documents::KNOWN),
        ("opentofu", known::opentofu::KNOWN),
        ("tested", known::tested::KNOWN),
    ];
    for (suite, table) in named {
        all.extend(table.iter().map(|(file, case, why)| (suite, *why, format!("{file}: {case}"))));
    }
    let sequences = known::sequences::KNOWN.iter();
    all.extend(sequences.map(|(case, step, what, why)| ("sequences", *why, format!("{case} {step} ({what})"))));
    let validate = known::validate::KNOWN.iter();
    all.extend(validate.map(|(case, _, summary, why)| ("validate", *why, format!("{case}: {summary}"))));
    all
}

fn table() -> String {
    let mut rows: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for (suite, why, case) in differences() {
        rows.entry((suite, why)).or_default().push(case);
    }
    let mut out = String::from("| suite | what differs, and why | cases |\n| --- | --- | --- |\n");
    for ((suite, why), mut cases) in rows {
        cases.dedup();
        let cases = cases.join("; ").replace('|', "\\|").replace('<', "&lt;");
        let _ = writeln!(out, "| {suite} | {} | {cases} |", why.replace('|', "\\|").replace('<', "&lt;"));
    }
    out
}

/// The page before the table, the table, and the page behind it.
fn split(text: &str) -> (&str, &str, &str) {
    let (before, rest) =
        text.split_once(BEGIN).unwrap_or_else(|| panic!("the page does not mark where the table begins"));
    let (table, after) = rest.split_once(END).unwrap_or_else(|| panic!("the page does not mark where the table ends"));
    (before, table, after)
}

#[test]
fn the_page_tells_every_known_difference() {
    let text = std::fs::read_to_string(page()).unwrap();
    let (_, written, _) = split(&text);
    let expect = table();
    assert!(
        written == expect,
        "docs/compatibility.md is behind tests/conformance/known:\n{}",
        similar::TextDiff::from_lines(written, &expect).unified_diff()
    );
}

#[test]
#[ignore = "writes the table of docs/compatibility.md: just conformance"]
fn record_page() {
    let text = std::fs::read_to_string(page()).unwrap();
    let (before, _, after) = split(&text);
    std::fs::write(page(), format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
}
