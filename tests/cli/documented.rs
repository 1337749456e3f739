//! What docs/language.md shows is what happens.
//!
//! The code blocks of a section that begin with `# PATH` are files; `console` blocks are commands and lines of what they print, in
//! this order, with `…` for anything.

use std::path::Path;

use super::program::Program;

/// A code block: its language, and its lines; of one that is a file the first names it.
pub type Block<'a> = (&'a str, Vec<&'a str>);

#[test]
fn the_examples_of_the_language_page_work() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/language.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut tried = 0;
    for section in page.split("\n## ").skip(1) {
        let title = section.lines().next().unwrap();
        let program = Program::with(&[]);
        for (language, lines) in blocks(section) {
            match (language, lines.first().and_then(|line| line.strip_prefix("# "))) {
                ("hcl", Some(path)) => program.write(path, &lines[1..].join("\n")),
                ("console", _) => tried += commands(title, &program, &lines),
                (language, _) => panic!("{title}: a block of {language:?} that is neither a file nor a console"),
            }
        }
    }
    assert!(tried >= 10, "only {tried} commands were found");
}

pub fn blocks(section: &str) -> Vec<Block<'_>> {
    let mut found: Vec<Block<'_>> = Vec::new();
    let mut inside = false;
    for line in section.lines() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(language) => {
                inside = true;
                found.push((language, Vec::new()));
            }
            None if inside => found.last_mut().unwrap().1.push(line),
            None => {}
        }
    }
    found
}

/// Runs the commands of a block; gives how many.
fn commands(title: &str, program: &Program, lines: &[&str]) -> usize {
    let mut calls: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in lines {
        match line.strip_prefix("$ infra ") {
            Some(command) => calls.push((command, Vec::new())),
            None => calls.last_mut().unwrap().1.push(line),
        }
    }
    for (command, expect) in &calls {
        let answer = program.call(&command.split(' ').collect::<Vec<_>>());
        let text = format!("{}{}", answer.out, answer.err);
        let mut printed = text.lines();
        for line in expect.iter().filter(|line| **line != "…") {
            let found = printed.any(|printed| is_shown(line, printed.trim_end()));
            assert!(found, "{title}: infra {command} does not print, in this order:\n{line}\nbut:\n{text}");
        }
    }
    calls.len()
}

/// Whether a line is shown by another one; `…` at its end stands for the rest.
fn is_shown(shown: &str, printed: &str) -> bool {
    match shown.strip_suffix('…') {
        Some(start) => printed.starts_with(start),
        None => printed == shown,
    }
}
