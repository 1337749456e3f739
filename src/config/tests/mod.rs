//! Configuration from files that exist in memory only; errors are compared with their whole text.

#![expect(clippy::unwrap_used, reason = "tests")]

mod assignments;
mod blocks;
mod environments;
mod platform;
mod project;
mod state;

use std::fmt::Write as _;
use std::sync::Arc;

use super::{Captured, Config, Given, LoadOptions, load};
use crate::diag::{Diagnostics, Outcome, SourceMap};
use crate::value::Value;

/// Files in `/p`, which is also the working directory unless said otherwise.
pub fn options(files: &[(&str, &str)]) -> LoadOptions {
    let captured = files.iter().fold(Captured::default(), |all, (path, text)| all.with(format!("/p/{path}"), *text));
    LoadOptions::new("/p", Arc::new(captured))
}

/// A project of one layer `a`, with these lines behind its own.
pub fn project(lines: &str) -> String {
    format!(
        "project {{\n  name = \"x\"\n  env  = [\"BUCKET\", \"UNSET\"]\n}}\nlayer \"a\" {{\n  source = \"a\"\n}}\n{lines}"
    )
}

/// Loads and expects no errors; warnings are given too.
pub fn loaded(options: &LoadOptions) -> (Config, Diagnostics) {
    let outcome = load(options);
    assert!(!outcome.has_errors(), "{}", draw(&outcome.said, &options.sources));
    (outcome.value.unwrap(), outcome.said)
}

/// Loads and compares everything that is said.
pub fn check(options: &LoadOptions, expect: &str) {
    let Outcome { value, said } = load(options);
    let drawn = draw(&said, &options.sources);
    assert_eq!(drawn.trim(), expect.trim(), "got:\n{drawn}");
    assert!(value.is_some() || said.has_errors(), "no configuration and no error");
}

/// The value of a variable of the first layer.
pub fn value(config: &Config, name: &str) -> Result<Option<Value>, String> {
    let layer = &config.layers[0];
    match layer.assigned(&layer.root.variables[name]) {
        None => Ok(None),
        Some(outcome) => match outcome.into_result() {
            Ok((value, _)) => Ok(Some(value)),
            Err(said) => Err(draw(&said, &config.sources)),
        },
    }
}

pub fn var(name: &str, text: &str) -> Given {
    Given::Var { name: name.into(), text: text.into() }
}

pub fn var_file(path: &str) -> Given {
    Given::File(path.into())
}

/// Diagnostics with their place and the line they are about.
pub fn draw(said: &Diagnostics, sources: &SourceMap) -> String {
    let mut text = String::new();
    for diagnostic in said.iter() {
        let severity = if diagnostic.is_error() { "Error" } else { "Warning" };
        writeln!(text, "{severity}: {}", diagnostic.summary).unwrap();
        if let Some(span) = diagnostic.subject {
            let source = sources.get(span.file).unwrap();
            let line = source.position(span.start).line;
            let within = diagnostic.within.as_ref().map_or_else(String::new, |within| format!(", in {within}"));
            let marked = source.slice(span).lines().next().unwrap_or_default().to_owned();
            writeln!(text, "  on {} line {line}{within}:", source.path.display()).unwrap();
            writeln!(text, "  {line}: {}  [{marked}]", source.line(line)).unwrap();
        }
        writeln!(text, "{}", diagnostic.detail).unwrap();
    }
    text
}
