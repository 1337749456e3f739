//! Large files are read in parts by several threads.
//!
//! A part ends where a block of the file itself ends, if it looks so: behind a line that is nothing but a closing brace. What
//! looks like that may stand in a heredoc or a comment as well; then the part does not read as a file without errors, and the
//! whole is read at once. So is a file with errors: what is said about them does not depend on the number of processors.

use std::ops::Range;

use super::ast::Body;
use super::lexer::Lexer;
use super::parser::Parser;
use crate::diag::{Diagnostics, FileId, Source, Span};
use crate::threads;

/// A part has at least so many bytes: some milliseconds' work.
const LEAST: usize = 1 << 17;

/// The content of a file.
pub(super) fn read(source: &Source, file: FileId) -> (Body, Diagnostics) {
    let text = &*source.text;
    let count = threads::pieces(text.len(), LEAST);
    if count > 1
        && let Some(whole) = joined(threads::each(cut(text, count), |part| body(source, file, part)))
    {
        return whole;
    }
    body(source, file, 0..text.len())
}

fn body(source: &Source, file: FileId, part: Range<usize>) -> (Body, Diagnostics) {
    let mut parser = Parser::new(source, file, Lexer::part(&source.text, part));
    let body = parser.file();
    (body, parser.said)
}

/// About equal parts of a text, each but the last up to a line with nothing but a closing brace.
fn cut(text: &str, count: usize) -> Vec<Range<usize>> {
    const END: &str = "\n}\n";
    let mut parts = Vec::with_capacity(count);
    let mut start = 0;
    for part in 1..count {
        let about = text.floor_char_boundary((text.len() * part / count).max(start));
        let Some(found) = text[about..].find(END) else { break };
        let end = about + found + END.len();
        parts.push(start..end);
        start = end;
    }
    parts.push(start..text.len());
    parts
}

/// All parts as one. `None` when they have to be read together.
fn joined(parts: Vec<(Body, Diagnostics)>) -> Option<(Body, Diagnostics)> {
    let mut parts = parts.into_iter();
    let (mut whole, mut said) = parts.next()?;
    for (part, more) in parts {
        said.append(more);
        // Whether an argument was set before shows only when all of them are looked at.
        if !whole.attributes.is_empty() && !part.attributes.is_empty() {
            return None;
        }
        whole.attributes.extend(part.attributes);
        whole.blocks.extend(part.blocks);
        whole.span = whole.span.zip(part.span).map(|(first, last): (Span, Span)| first.to(last));
    }
    (!said.has_errors()).then_some((whole, said))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::diag::SourceMap;

    /// A large text reads the same in parts and at once; whether it can be read in parts.
    fn check(text: &str, in_parts: bool) {
        let sources = SourceMap::default();
        let file = sources.add("main.tf", text);
        let Some(source) = sources.get(file) else { return assert!(!in_parts) };
        let whole = body(&source, file, 0..text.len());
        for count in 2..5 {
            let parts: Vec<_> = cut(text, count).into_iter().map(|part| body(&source, file, part)).collect();
            assert_eq!(parts.len() > 1 && joined(parts).is_some(), in_parts);
        }
        assert_eq!(format!("{whole:?}"), format!("{:?}", read(&source, file)));
    }

    fn blocks(count: usize) -> String {
        (0..count).fold(String::new(), |mut text, at| {
            let _cannot_fail =
                write!(text, "resource \"a\" \"b{at}\" {{\n  c = <<E\nd ${{{at}}}\nE\n  é = \"é\"\n}}\n\n");
            text
        })
    }

    #[test]
    fn a_large_file_reads_the_same_in_parts() {
        let text = blocks(8000);
        assert!(text.len() > LEAST * 2);
        check(&text, true);
        check(&format!("\u{feff}{text}x = 1\n"), true);
        check(&format!("x = 1\n{text}x = 2\n"), false);
        check(&format!("{text}y {{\n"), false);
        check(&format!("/*\n{text}*/\n"), false);
        check(&format!("x = <<E\n{}E\n", text.replace("E\n", "F\n")), false);
        check(&format!("x {{\n  y = {{ a = 1, a = 2 }}\n}}\n{text}"), true);
    }
}
