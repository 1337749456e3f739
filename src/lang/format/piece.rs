//! Tokens as a formatter needs them: text, and how many spaces stand before it.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::lang::syntax::{Token, TokenKind};

/// A token with the spaces before it.
#[derive(Clone, Debug)]
pub(super) struct Piece<'a> {
    pub kind: TokenKind,
    pub text: Cow<'a, str>,
    pub spaces: usize,
    /// Where it began in the source; pieces that were put in have none.
    pub start: Option<u32>,
}

impl Piece<'_> {
    /// A piece that was not in the source.
    pub fn new(kind: TokenKind, text: impl Into<Cow<'static, str>>) -> Piece<'static> {
        Piece { kind, text: text.into(), spaces: 0, start: None }
    }

    /// How many columns it takes, without the spaces.
    pub fn width(&self) -> usize {
        if self.text.is_ascii() { self.text.len() } else { self.text.graphemes(true).count() }
    }

    /// Whether it is a comment that ends with its line.
    pub fn is_line_comment(&self) -> bool {
        self.kind == TokenKind::Comment && !self.text.starts_with("/*")
    }
}

/// The pieces of a text.
pub(super) fn pieces<'a>(text: &'a str, tokens: &[Token]) -> Vec<Piece<'a>> {
    // A byte order mark belongs to no token, and goes.
    let mut end = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() as u32 } else { 0 };
    let mut pieces = Vec::with_capacity(tokens.len());
    for token in tokens {
        pieces.push(Piece {
            kind: token.kind,
            text: Cow::Borrowed(&text[token.start as usize..token.end as usize]),
            spaces: (token.start - end) as usize,
            start: Some(token.start),
        });
        end = token.end;
    }
    pieces
}

/// The text that pieces make.
pub(super) fn text(pieces: &[Piece<'_>]) -> String {
    let mut text = String::with_capacity(pieces.iter().map(|piece| piece.text.len() + 1).sum());
    for piece in pieces {
        text.extend(std::iter::repeat_n(' ', piece.spaces));
        text.push_str(&piece.text);
    }
    text
}
