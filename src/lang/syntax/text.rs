//! Literal text: escapes, normalisation, and the indentation of heredocs.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::parser::{Parsed, Parser};
use super::token::{Token, TokenKind};
use crate::diag::Span;

/// The text in Unicode normal form C, as every text from configuration is.
pub fn normalised(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        text
    } else {
        text.nfc().collect::<String>().into()
    }
}

impl<'a> Parser<'a> {
    /// The text that a token of literal text stands for: `$${` and `%%{` resolved, and between quotes the escapes with a
    /// backslash too.
    pub fn unescape(&mut self, token: Token) -> Parsed<Cow<'a, str>> {
        let raw = self.slice(token);
        let quoted = token.kind == TokenKind::QuotedText;
        let special = |byte: &u8| matches!(byte, b'$' | b'%' | b'\\' | b'\n');
        if !raw.as_bytes().iter().any(special) {
            return Ok(normalised(Cow::Borrowed(raw)));
        }
        let mut out = String::with_capacity(raw.len());
        let mut rest = raw;
        loop {
            let Some(at) = rest.bytes().position(|byte| special(&byte)) else {
                out.push_str(rest);
                return Ok(normalised(Cow::Owned(out)));
            };
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let offset = token.start + (raw.len() - rest.len()) as u32;
            let taken = match rest.as_bytes() {
                [a @ (b'$' | b'%'), b, b'{', ..] if a == b => {
                    out.push_str(&rest[1..3]);
                    3
                }
                [b'\\', ..] if quoted => self.escape(rest, offset, &mut out)?,
                [b'\n', ..] if quoted => {
                    let span = Span { file: self.file, start: token.start, end: offset };
                    return self.fail(
                        "Invalid multi-line string",
                        "A quoted text must end on its line. Write \\n for the end of a line in it, or use the \"heredoc\" syntax for a text of several lines.",
                        span,
                    );
                }
                _ => {
                    out.push_str(&rest[..1]);
                    1
                }
            };
            rest = &rest[taken..];
        }
    }

    /// Resolves the escape that `rest` begins with; gives its length.
    fn escape(&mut self, rest: &str, offset: u32, out: &mut String) -> Parsed<usize> {
        let selector = rest[1..].chars().next();
        let span = |length: usize| Span { file: self.file, start: offset, end: offset + length as u32 };
        let (simple, digits) = match selector {
            Some('n') => ('\n', 0),
            Some('r') => ('\r', 0),
            Some('t') => ('\t', 0),
            Some(c @ ('"' | '\\')) => (c, 0),
            Some('u') => (' ', 4),
            Some('U') => (' ', 8),
            _ => {
                let shown = selector.map_or(String::new(), String::from);
                let span = span(1 + shown.len());
                let detail =
                    format!("\"\\{shown}\" is no escape sequence. A literal backslash is written as \"\\\\\".");
                return self.fail("Invalid escape sequence", detail, span);
            }
        };
        if digits == 0 {
            out.push(simple);
            return Ok(2);
        }
        let code = rest.get(2..2 + digits).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
            Some(c) => {
                out.push(c);
                Ok(2 + digits)
            }
            None => {
                let (span, count) = (span(2), if digits == 4 { "four" } else { "eight" });
                let detail =
                    format!("After {} must come {count} hexadecimal digits that name a character.", &rest[..2]);
                self.fail("Invalid escape sequence", detail, span)
            }
        }
    }
}

/// Takes the indentation that all lines share from the pieces of a `<<-` heredoc. `None` stands for a sequence between
/// pieces of text. Lines of whitespace alone neither count nor change.
pub fn dedent(pieces: &mut [Option<String>]) {
    let mut shared: Option<usize> = None;
    for_line_starts(pieces, |indent, _| shared = Some(shared.map_or(indent, |least| least.min(indent))));
    let Some(shared) = shared.filter(|indent| *indent > 0) else { return };
    for_line_starts(pieces, |_, text| {
        if let Some(text) = text {
            let cut: usize = text.chars().take(shared).map(char::len_utf8).sum();
            text.drain(..cut);
        }
    });
}

/// Calls `f` with every piece that starts a line and its indentation.
fn for_line_starts(pieces: &mut [Option<String>], mut f: impl FnMut(usize, Option<&mut String>)) {
    let mut line_start = true;
    for piece in pieces {
        let starts = std::mem::replace(&mut line_start, piece.as_ref().is_some_and(|text| text.ends_with('\n')));
        if !starts {
            continue;
        }
        match piece {
            None => f(0, None),
            Some(text) => {
                let indent = text.chars().take_while(|c| c.is_whitespace() && *c != '\n').count();
                let blank = text.ends_with('\n') && text.trim().is_empty();
                if !blank {
                    f(indent, Some(text));
                }
            }
        }
    }
}
