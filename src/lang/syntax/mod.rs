//! Text to AST: lexer, recovering parser, and the tree itself. Parsing never fails: what cannot be read is said in
//! diagnostics and left out or marked as an error in the tree. The source text stays whole in the source map, and every
//! node has its span, so that nothing is lost; [`lex`] gives every token with the comments.
//!
//! In: the text of one file. Out: the tree and what is to be said about the text. Not here: what names and blocks mean.
//!
//! Invariants: trees are at most [`MAX_NESTING`] levels of brackets and [`MAX_HEIGHT`] nodes deep, so that whoever walks
//! one by recursion (over its chains of operators and traversals by loop) needs no limit of its own.

pub mod ast;
mod body;
mod collection;
mod expr;
mod json;
mod lexer;
mod parser;
mod parts;
mod sections;
#[cfg(test)]
mod speed_test;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod tokens;

pub use json::{parse_json, parse_json_assignments, parse_json_mocks, parse_json_tests};
pub use lexer::{is_name, lex};
pub use parser::{MAX_HEIGHT, MAX_NESTING};
pub use sections::sections;
pub(crate) use text::normalised;
pub use token::{Token, TokenKind};

use crate::diag::{Diagnostics, FileId, SourceMap};
use ast::{Body, Expr, ExprKind, File};
use lexer::Lexer;
use parser::Parser;

/// Reads a file of arguments and blocks. A file that is not in the map reads as an empty one.
pub fn parse(sources: &SourceMap, file: FileId) -> (File, Diagnostics) {
    let Some(source) = sources.get(file) else { return (File { body: Body::default() }, Diagnostics::none()) };
    let (body, said) = parts::read(&source, file);
    (File { body }, said)
}

/// Reads a text that is one expression, such as the value of `-var`.
pub fn parse_expr(sources: &SourceMap, file: FileId) -> (Expr, Diagnostics) {
    let Some(source) = sources.get(file) else { return (missing(file), Diagnostics::none()) };
    let mut parser = Parser::new(&source, file, Lexer::code(&source.text));
    let expr = parser.whole_expression();
    (expr, parser.said)
}

/// Reads a text that is one template: the content of a file for `templatefile`.
pub fn parse_template(sources: &SourceMap, file: FileId) -> (Expr, Diagnostics) {
    let Some(source) = sources.get(file) else { return (missing(file), Diagnostics::none()) };
    let mut parser = Parser::new(&source, file, Lexer::template(&source.text));
    let expr = parser.whole_template();
    (expr, parser.said)
}

/// Reads a text that is one traversal: names, attributes and constant indexes, such as `module.a["k"].b`.
pub fn parse_traversal(sources: &SourceMap, file: FileId) -> (Expr, Diagnostics) {
    let (expr, mut said) = parse_expr(sources, file);
    if !said.has_errors() && !expr.is_traversal() {
        said.push(
            crate::diag::Diagnostic::error(
                "Invalid expression",
                "A single reference is required here: names joined by dots, and constant indexes in brackets.",
            )
            .at(expr.span),
        );
    }
    (expr, said)
}

fn missing(file: FileId) -> Expr {
    Expr { kind: ExprKind::Error, span: crate::diag::Span { file, start: 0, end: 0 } }
}
