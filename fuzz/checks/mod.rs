//! What has to hold for every input, however hostile. One function a kind of input; each panics when something does not hold.
//!
//! The fuzz targets call these with what libFuzzer makes up, `tests/fuzz` with the committed corpus and with mutations of it
//! from a fixed seed.

mod documents;
mod evaluate;
mod scope;
mod syntax;

/// A kind of input.
pub struct Target {
    /// Its name, that of its corpus and of its fuzz target.
    pub name: &'static str,
    /// What has to hold.
    pub check: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "lexer", check: syntax::lexer },
    Target { name: "parser", check: syntax::parser },
    Target { name: "json", check: syntax::json },
    Target { name: "evaluate", check: evaluate::evaluate },
    Target { name: "state", check: documents::state },
    Target { name: "plan", check: documents::plan },
    Target { name: "journal", check: documents::journal },
];

/// Runs the check of a target, on a stack as deep as that of the program's threads.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let check = target.unwrap_or_else(|| panic!("there is no target {name}")).check;
    assert!(infra::threads::with_stack(|| check(input)).is_some(), "there is no thread to check in");
}
