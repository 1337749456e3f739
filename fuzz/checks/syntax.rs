//! Text to tokens, trees and back.

use infra::diag::{Diagnostics, FileId, SourceMap};
use infra::lang::format;
use infra::lang::syntax::{
    Token, TokenKind, lex, parse, parse_expr, parse_json, parse_json_assignments, parse_template, parse_traversal,
};
use infra::view::{Style, diagnostics, validation_json};

/// Tokens stand in order within the text, on whole characters, and only blanks lie between them.
pub fn lexer(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let all = lex(&text, true);
    covers(&text, &all);
    let mut without = lex(&text, false);
    without.retain(|token| token.kind != TokenKind::Comment);
    let kept: Vec<Token> = all.iter().copied().filter(|token| token.kind != TokenKind::Comment).collect();
    assert_eq!(kept, without, "comments are all that differs");
}

fn covers(text: &str, tokens: &[Token]) {
    let mut end = 0;
    for token in tokens {
        let (start, stop) = (token.start as usize, token.end as usize);
        assert!(start >= end && stop >= start, "{token:?} does not follow {end}");
        let between = text.get(end..start).unwrap_or_else(|| panic!("{token:?} begins inside a character"));
        assert!(between.chars().all(|c| c.is_whitespace() || c == '\u{feff}'), "{between:?} is in no token");
        end = stop;
    }
    let last = tokens.last().map(|token| (token.kind, token.end as usize));
    assert_eq!(last, Some((TokenKind::End, text.len())));
}

/// Every text is read; what is said about it can be drawn; what is read without errors has a form, that form says the same
/// and is its own form.
pub fn parser(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let sources = SourceMap::default();
    let file = sources.add("main.tf", &*text);
    draw(&parse(&sources, file).1, &sources, file);
    draw(&parse_expr(&sources, file).1, &sources, file);
    draw(&parse_template(&sources, file).1, &sources, file);
    draw(&parse_traversal(&sources, file).1, &sources, file);
    if let Ok(form) = format::format(&sources, file) {
        formatted(&text, form);
    }
}

/// Whatever is said points into the text and can be drawn.
fn draw(said: &Diagnostics, sources: &SourceMap, file: FileId) {
    let length = sources.get(file).map_or(0, |source| source.text.len());
    for diagnostic in said.iter() {
        let span = diagnostic.subject.unwrap_or_else(|| panic!("{} points nowhere", diagnostic.summary));
        assert!(span.start <= span.end && span.end as usize <= length, "{} points to {span:?}", diagnostic.summary);
    }
    // Of a text that is one mistake after another a few tell as much as all.
    let few = Diagnostics(said.iter().take(20).cloned().collect());
    diagnostics(&few, sources, Style::default(), false);
    validation_json(&few, sources);
}

fn form(text: &str) -> String {
    let sources = SourceMap::default();
    let file = sources.add("main.tf", text);
    format::format(&sources, file).unwrap_or_else(|said| panic!("the form cannot be read: {said}\n{text}"))
}

fn formatted(text: &str, once: String) {
    // Templates that are one interpolation lose one level each time, as with Terraform.
    let levels = text.matches("${").count();
    let mut now = once;
    let mut changes = 0;
    loop {
        let next = form(&now);
        if next == now {
            break;
        }
        changes += 1;
        assert!(changes <= levels, "it never settles:\n{now}\n-----\n{next}");
        now = next;
    }
    if levels == 0 {
        assert_eq!(words(text), words(&now), "the form says something else:\n{text}\n-----\n{now}");
    }
}

/// The tokens that mean something, as text: ends of lines and quotes around labels and types of old aside.
fn words(text: &str) -> Vec<&str> {
    let tokens = lex(text, true);
    let counts = |token: &&Token| {
        use TokenKind as T;
        !matches!(
            token.kind,
            T::Newline | T::OpenQuote | T::CloseQuote | T::End | T::OpenParen | T::CloseParen | T::Comma
        )
    };
    let word = |token: &Token| text[token.start as usize..token.end as usize].trim();
    // The types of elements that types of old lack, and a name that was one.
    let old = |word: &&str| !matches!(*word, "any" | "string" | "");
    tokens.iter().filter(counts).map(word).filter(old).collect()
}

/// Every text is read as a configuration and as assignments.
pub fn json(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let sources = SourceMap::default();
    let file = sources.add("main.tf.json", &*text);
    let (tree, said) = parse_json(&sources, file);
    draw(&said, &sources, file);
    super::evaluate::body(&tree.body, &sources);
    let (tree, said) = parse_json_assignments(&sources, file);
    draw(&said, &sources, file);
    super::evaluate::body(&tree.body, &sources);
}
