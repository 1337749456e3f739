//! Spellings of old that are replaced: labels without quotes, types in quotes or without their elements' type, and templates
//! that are nothing but one interpolation.

use std::borrow::Cow;

use super::piece::Piece;
use crate::diag::Span;
use crate::lang::syntax::TokenKind as T;
use crate::lang::syntax::ast::{Attribute, Block, Body, Ident};

/// The pieces with old spellings replaced. Spans of the tree are those of the pieces.
pub(super) fn rewritten<'a>(pieces: Vec<Piece<'a>>, body: &Body) -> Vec<Piece<'a>> {
    let mut rewriting = Rewriting { pieces, edits: Vec::new() };
    for attribute in &body.attributes {
        rewriting.value(attribute);
    }
    for block in &body.blocks {
        rewriting.block(block, block.kind.text == *"variable");
    }
    rewriting.finish()
}

/// Pieces, and what takes the place of some.
struct Rewriting<'a> {
    pieces: Vec<Piece<'a>>,
    edits: Vec<(std::ops::Range<usize>, Vec<Piece<'a>>)>,
}

impl<'a> Rewriting<'a> {
    /// `declares`: whether it is the declaration of a variable.
    fn block(&mut self, block: &Block, declares: bool) {
        for label in &block.labels {
            self.label(label);
        }
        for attribute in &block.body.attributes {
            if declares && attribute.name.text == *"type" {
                self.type_of(attribute);
            } else {
                self.value(attribute);
            }
        }
        for inner in &block.body.blocks {
            self.block(inner, false);
        }
    }

    /// The indexes of the pieces of a range of the source.
    fn range(&self, span: Span) -> std::ops::Range<usize> {
        let index = |offset: u32| self.pieces.partition_point(|piece| piece.start.is_some_and(|start| start < offset));
        index(span.start)..index(span.end)
    }

    fn label(&mut self, label: &Ident) {
        let range = self.range(label.span);
        if let [piece] = &self.pieces[range.clone()]
            && piece.kind == T::Ident
        {
            let text = Piece { kind: T::QuotedText, spaces: 0, ..piece.clone() };
            self.edits.push((range, vec![Piece::new(T::OpenQuote, "\""), text, Piece::new(T::CloseQuote, "\"")]));
        }
    }

    /// `"string"` is `string`; `list` and `"list"` lack the type of their elements.
    fn type_of(&mut self, attribute: &Attribute) {
        let range = self.range(attribute.expr.span);
        let texts: Vec<&str> = self.pieces[range.clone()].iter().map(|piece| &*piece.text).collect();
        let (name, element) = match texts.as_slice() {
            ["\"", "string", "\""] => ("string", None),
            ["\"", "list", "\""] => ("list", Some("string")),
            ["\"", "map", "\""] => ("map", Some("string")),
            ["list"] => ("list", Some("any")),
            ["map"] => ("map", Some("any")),
            ["set"] => ("set", Some("any")),
            _ => return,
        };
        let mut pieces = vec![Piece::new(T::Ident, name)];
        if let Some(element) = element {
            pieces.extend([
                Piece::new(T::OpenParen, "("),
                Piece::new(T::Ident, element),
                Piece::new(T::CloseParen, ")"),
            ]);
        }
        self.edits.push((range, pieces));
    }

    /// `"${x}"` is `x`; in parentheses when it takes several lines.
    fn value(&mut self, attribute: &Attribute) {
        let range = self.range(attribute.expr.span);
        let Some(inner) = interpolated(&self.pieces[range.clone()]) else { return };
        // A comment that hid the rest of its line would hide something else then.
        if inner.iter().any(Piece::is_line_comment) {
            return;
        }
        let mut pieces: Vec<Piece<'a>> = inner.to_vec();
        if pieces.iter().any(|piece| piece.kind == T::Newline) {
            pieces.insert(0, Piece::new(T::OpenParen, Cow::Borrowed("(")));
            pieces.push(Piece::new(T::CloseParen, ")"));
        }
        self.edits.push((range, pieces));
    }

    fn finish(mut self) -> Vec<Piece<'a>> {
        self.edits.sort_by_key(|(range, _)| range.start);
        let mut rest = self.pieces.into_iter();
        let (mut done, mut at) = (Vec::new(), 0);
        for (range, pieces) in self.edits {
            done.extend(rest.by_ref().take(range.start - at));
            done.extend(pieces);
            at = range.end;
            rest.by_ref().take(range.len()).for_each(drop);
        }
        done.extend(rest);
        done
    }
}

/// What stands in a quoted template that is one interpolation and nothing else, without ends of lines around it.
fn interpolated<'p, 'a>(pieces: &'p [Piece<'a>]) -> Option<&'p [Piece<'a>]> {
    let [open, interpolation, inner @ .., end, close] = pieces else { return None };
    let kinds = (open.kind, interpolation.kind, end.kind, close.kind);
    if kinds != (T::OpenQuote, T::OpenInterpolation, T::CloseTemplate, T::CloseQuote) {
        return None;
    }
    let mut depth = 0_usize;
    for piece in inner {
        match piece.kind {
            T::OpenInterpolation | T::OpenDirective => depth += 1,
            // The end of the first interpolation: another one follows.
            T::CloseTemplate => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    let mut inner = inner;
    while let [Piece { kind: T::Newline, .. }, rest @ ..] | [rest @ .., Piece { kind: T::Newline, .. }] = inner {
        inner = rest;
    }
    Some(inner)
}
