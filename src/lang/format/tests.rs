//! What holds for every file. That the form is Terraform's is shown in `tests/conformance/fmt`.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use super::format;
use crate::diag::SourceMap;
use crate::lang::syntax::{TokenKind, lex};

fn form(text: &str) -> Option<String> {
    let sources = SourceMap::default();
    let file = sources.add("main.tf", text);
    format(&sources, file).ok()
}

/// The tokens of a text without their places.
fn tokens(text: &str) -> Vec<(TokenKind, &str)> {
    lex(text, true).iter().map(|token| (token.kind, &text[token.start as usize..token.end as usize])).collect()
}

fn texts() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join("layers"), root.join("tests/conformance/fmt")];
    let mut texts = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|end| end == "tf" || end == "ugly" || end == "tidy") {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
    assert!(texts.len() > 20);
    texts
}

#[test]
fn a_formatted_file_is_its_own_form() {
    for text in texts() {
        // Of interpolations in each other only the outermost is replaced, as by Terraform.
        let text: String =
            text.lines().filter(|line| !line.contains("= \"${")).map(|line| format!("{line}\n")).collect();
        let Some(once) = form(&text) else { continue };
        assert_eq!(form(&once).as_deref(), Some(&*once));
    }
}

#[test]
fn the_layers_have_their_form() {
    let layers = Path::new(env!("CARGO_MANIFEST_DIR")).join("layers");
    let mut open = vec![layers];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|end| end == "tf") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(form(&text), Some(text), "{}", path.display());
        }
    }
}

/// The text with more blanks wherever there are some between two tokens.
fn wider(text: &str) -> String {
    let (mut wide, mut end) = (String::new(), 0);
    for token in lex(text, true) {
        let (start, stop) = (token.start as usize, token.end as usize);
        if start > end {
            wide.push_str(" \t  ");
        }
        wide.push_str(&text[start..stop]);
        end = stop;
    }
    wide
}

#[test]
fn blanks_between_tokens_are_all_that_changes() {
    for text in texts() {
        let text: String = text.lines().filter(|line| !line.contains("\"${")).map(|line| format!("{line}\n")).collect();
        let Some(once) = form(&text) else { continue };
        let again = form(&wider(&once)).unwrap_or_default();
        assert!(again == once, "{:?}", again.lines().zip(once.lines()).find(|(again, once)| again != once));
        assert!(tokens(&again) == tokens(&once));
    }
}

#[test]
fn what_cannot_be_read_has_no_form() {
    assert_eq!(form("a = [\n"), None);
    assert_eq!(form("a = 1\na = 2\n"), None);
    assert_eq!(form(""), Some(String::new()));
}

/// Terraform makes `a.0.1` of it, which is an error.
#[test]
fn blanks_between_indexes_stay() {
    assert_eq!(form("a = b . 0 . 1\n").as_deref(), Some("a = b.0. 1\n"));
}

/// Terraform takes such a template apart and makes a file that cannot be read.
#[test]
fn a_comment_in_an_interpolation_stays_where_it_is() {
    let text = "a = \"${\n  # why\n  b\n}\"\n";
    assert_eq!(form(text).as_deref(), Some(text));
}
