//! Whether a space stands between two tokens of a line. The rules are those seen in the output of `terraform fmt`, its
//! oddities included: a call needs no space before its parenthesis, and so `if(x)` has none either.

use super::piece::Piece;
use crate::lang::syntax::TokenKind as T;

/// Whether a space stands behind `left`, which has `before` on its left, if it is followed by `right`.
pub(super) fn between(before: Option<&Piece<'_>>, left: &Piece<'_>, right: &Piece<'_>) -> bool {
    match (left.kind, right.kind) {
        (_, T::Newline | T::End) => false,
        (T::Ident, T::OpenParen) => false,
        // `a.0 . 1` without its blank is another number.
        (T::Dot, T::Number) if before.is_some_and(|before| before.kind == T::Number) => true,
        (T::Dot | T::DoubleColon, _) | (_, T::Dot | T::DoubleColon) => false,
        (_, T::Comma | T::Ellipsis) => false,
        (T::Comma, _) => true,
        (T::QuotedText | T::LineText | T::OpenQuote | T::OpenHeredoc, _) => false,
        (_, T::QuotedText | T::LineText | T::CloseQuote | T::CloseHeredoc) => false,
        (T::OpenBracket | T::OpenParen, _) | (_, T::CloseBracket | T::CloseParen) => false,
        (T::OpenBrace, T::CloseBrace) => false,
        (T::Minus, _) if before.is_none_or(|before| starts_operand(before.kind)) => false,
        (T::Bang, _) => false,
        (T::OpenBrace, _) | (_, T::OpenBrace | T::CloseBrace) => true,
        (T::CloseBrace, T::CloseTemplate) => true,
        (T::OpenInterpolation | T::OpenDirective, _) | (_, T::CloseTemplate) => false,
        (T::CloseTemplate, T::OpenInterpolation | T::OpenDirective) => false,
        (T::Ident, T::OpenBracket) => left.text == "in",
        (T::Number | T::CloseBracket | T::CloseParen | T::CloseBrace, T::OpenBracket) => false,
        _ => true,
    }
}

/// Whether a minus behind such a token negates.
fn starts_operand(kind: T) -> bool {
    matches!(
        kind,
        T::Assign
            | T::OpenParen
            | T::OpenBracket
            | T::OpenBrace
            | T::Comma
            | T::Colon
            | T::Question
            | T::Plus
            | T::Minus
            | T::Star
            | T::Slash
            | T::Percent
            | T::Bang
            | T::Equal
            | T::NotEqual
            | T::Less
            | T::LessOrEqual
            | T::Greater
            | T::GreaterOrEqual
            | T::And
            | T::Or
    )
}
