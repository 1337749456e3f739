//! Tuples, objects, for expressions and calls.

use foldhash::{HashMap, HashMapExt};

use super::ast::{Call, Expr, ExprKind, For, Ident, ObjectItem};
use super::body::MANY;
use super::parser::{Parsed, Parser};
use super::token::{Token, TokenKind};
use crate::addr::Name;
use crate::diag::{Diagnostic, Span};
use crate::value::{Str, Value};

const FOR: &str = "Invalid 'for' expression";

impl Parser<'_> {
    /// `[…]` behind its bracket.
    pub fn tuple(&mut self, open: Token) -> Parsed<Expr> {
        let start = self.span(open);
        self.lines(true, |parser| {
            if parser.is_keyword("for") {
                return parser.for_expression(start, TokenKind::CloseBracket);
            }
            let (bottom, mut height) = (parser.exprs.len(), 0);
            loop {
                if parser.accept(TokenKind::CloseBracket).is_some() {
                    break;
                }
                parser.reject_end(
                    "Unterminated tuple constructor expression",
                    "This bracket is not closed before the end of the file.",
                    start,
                )?;
                let item = parser.expression()?;
                parser.exprs.push(item);
                height = height.max(parser.height);
                match parser.peek_kind() {
                    TokenKind::Comma => {
                        parser.next();
                    }
                    TokenKind::CloseBracket | TokenKind::End => {}
                    _ => {
                        return parser.unexpected(
                            "Missing item separator",
                            "Here must be a comma before the next item, or the closing bracket.",
                        );
                    }
                }
            }
            let span = parser.since(start);
            parser.grow(height, span)?;
            let items = parser.exprs.split_off(bottom).into();
            Ok(Expr { kind: ExprKind::Tuple(items), span })
        })
    }

    /// `{…}` behind its brace.
    pub fn object(&mut self, open: Token) -> Parsed<Expr> {
        let start = self.span(open);
        if self.lines(true, |parser| parser.is_keyword("for")) {
            return self.lines(true, |parser| parser.for_expression(start, TokenKind::CloseBrace));
        }
        self.lines(false, |parser| parser.object_items(start))
    }

    fn object_items(&mut self, start: Span) -> Parsed<Expr> {
        let (bottom, mut height) = (self.items.len(), 0);
        loop {
            while self.accept(TokenKind::Newline).is_some() {}
            if self.accept(TokenKind::CloseBrace).is_some() {
                break;
            }
            self.reject_end(
                "Unterminated object constructor expression",
                "This brace is not closed before the end of the file.",
                start,
            )?;
            let key = self.object_key()?;
            height = height.max(self.height);
            match self.peek_kind() {
                TokenKind::Assign | TokenKind::Colon => {
                    self.next();
                }
                TokenKind::Newline => {
                    return self.unexpected(
                        "Missing attribute value",
                        "The equals sign (\"=\") and the value must be on the line of the attribute's name.",
                    );
                }
                TokenKind::End => {
                    return self.fail(
                        "Unterminated object constructor expression",
                        "This brace is not closed before the end of the file.",
                        start,
                    );
                }
                _ => {
                    return self.unexpected(
                        "Missing key/value separator",
                        "Here must be an equals sign (\"=\") and the value of the attribute.",
                    );
                }
            }
            let value = self.expression()?;
            height = height.max(self.height);
            self.items.push(ObjectItem { key, value });
            match self.peek_kind() {
                TokenKind::Comma => {
                    self.next();
                }
                TokenKind::Newline | TokenKind::CloseBrace | TokenKind::End => {}
                _ => {
                    return self.unexpected(
                        "Missing attribute separator",
                        "Here must be a comma or the end of the line before the next attribute.",
                    );
                }
            }
        }
        let span = self.since(start);
        self.grow(height, span)?;
        if self.items.len() > bottom + 1 {
            self.warn_of_repeated(bottom);
        }
        let items = self.items.split_off(bottom).into();
        Ok(Expr { kind: ExprKind::Object(items), span })
    }

    /// Says which keys of an object are written more than once: the last value counts, which is rarely what is meant.
    fn warn_of_repeated(&mut self, bottom: usize) {
        let items = &self.items[bottom..];
        let mut repeated = Vec::new();
        // Most objects are small: looking back costs less than a table.
        let mut seen: HashMap<&Str, Span> = HashMap::new();
        for (at, item) in items.iter().enumerate() {
            let Some(name) = item.name() else { continue };
            let first = if items.len() <= MANY {
                items[..at].iter().rfind(|earlier| earlier.name() == Some(name)).map(|earlier| earlier.key.span)
            } else {
                seen.insert(name, item.key.span)
            };
            if let Some(first) = first {
                repeated.push((name.to_string(), first, item.key.span));
            }
        }
        for (name, first, span) in repeated {
            let line = self.source.position(first.start).line;
            let detail = format!(
                "The object has a value for {name:?} on line {line} already. The last one counts; remove the other."
            );
            self.said.push(Diagnostic::warning("Attribute written twice", detail).at(span).as_advice());
        }
    }

    /// The key of an item. A word alone is a text, not a reference.
    fn object_key(&mut self) -> Parsed<Expr> {
        let token = self.peek();
        if token.kind == TokenKind::Ident && matches!(self.peek_second(), TokenKind::Assign | TokenKind::Colon) {
            self.next();
            self.height = 1;
            let name = self.ident(token);
            return Ok(Expr { kind: ExprKind::Literal(Value::String(name.text)), span: name.span });
        }
        let key = self.expression()?;
        Ok(match key.kind {
            ExprKind::Variable(name) => Expr { kind: ExprKind::Literal(Value::String(name)), span: key.span },
            _ => key,
        })
    }

    /// `for …` up to the closing bracket or brace.
    fn for_expression(&mut self, start: Span, close: TokenKind) -> Parsed<Expr> {
        self.next();
        let is_object = close == TokenKind::CloseBrace;
        let (key_name, value_name) = self.loop_names(FOR)?;
        let source = self.expression()?;
        let mut height = self.height;
        if self.accept(TokenKind::Colon).is_none() {
            return self.unexpected(FOR, "After the collection of a 'for' expression must come a colon.");
        }
        let mut key = None;
        let mut value = self.expression()?;
        height = height.max(self.height);
        if let Some(arrow) = self.accept(TokenKind::Arrow) {
            if !is_object {
                return self.fail(FOR, "A key is not possible when building a tuple.", self.span(arrow));
            }
            key = Some(std::mem::replace(&mut value, self.expression()?));
            height = height.max(self.height);
        } else if is_object {
            return self.unexpected(FOR, "An object needs a key for every value: key => value.");
        }
        let group = self.accept(TokenKind::Ellipsis);
        if let Some(ellipsis) = group.filter(|_| !is_object) {
            return self.fail(FOR, "Values are grouped (...) only when building an object.", self.span(ellipsis));
        }
        let mut condition = None;
        if self.is_keyword("if") {
            self.next();
            condition = Some(self.expression()?);
            height = height.max(self.height);
        }
        if self.accept(close).is_none() {
            self.reject_end(FOR, "This 'for' expression is not closed before the end of the file.", start)?;
            return self.unexpected(FOR, "More follows where the 'for' expression should be closed.");
        }
        let span = self.since(start);
        self.grow(height, span)?;
        let group = group.is_some();
        let kind = ExprKind::For(Box::new(For { key_name, value_name, source, key, value, group, condition }));
        Ok(Expr { kind, span })
    }

    /// `value in` or `key, value in`.
    pub fn loop_names(&mut self, summary: &str) -> Parsed<(Option<Ident>, Ident)> {
        let first = self.loop_name(summary, "After 'for' must come the name of a variable.")?;
        let names = if self.accept(TokenKind::Comma).is_some() {
            let second =
                self.loop_name(summary, "After the comma must come the name of the variable for the value.")?;
            (Some(first), second)
        } else {
            (None, first)
        };
        if !self.is_keyword("in") {
            return self.unexpected(summary, "After the names of variables must come the word 'in'.");
        }
        self.next();
        Ok(names)
    }

    fn loop_name(&mut self, summary: &str, detail: &str) -> Parsed<Ident> {
        match self.accept(TokenKind::Ident) {
            Some(token) => Ok(self.ident(token)),
            None => self.unexpected(summary, detail),
        }
    }

    pub fn is_keyword(&mut self, word: &str) -> bool {
        let token = self.peek();
        token.kind == TokenKind::Ident && self.slice(token) == word
    }

    fn reject_end(&mut self, summary: &str, detail: &str, span: Span) -> Parsed<()> {
        if self.peek_kind() == TokenKind::End { self.fail(summary, detail, span) } else { Ok(()) }
    }

    /// A call, behind the first part of its name.
    pub fn call(&mut self, first: Token) -> Parsed<Expr> {
        let start = self.span(first);
        let mut name = self.ident(first);
        while self.accept(TokenKind::DoubleColon).is_some() {
            let Some(part) = self.accept(TokenKind::Ident) else {
                return self.unexpected(
                    "Missing function name",
                    "After \"::\" must come the name of a function or of a namespace.",
                );
            };
            name.text = Name::from(format!("{}::{}", name.text, self.slice(part)));
            name.span = name.span.to(self.span(part));
        }
        if self.accept(TokenKind::OpenParen).is_none() {
            return self.unexpected(
                "Missing open parenthesis",
                "After the name of a function must come its arguments in parentheses.",
            );
        }
        self.lines(true, |parser| parser.arguments(start, name))
    }

    fn arguments(&mut self, start: Span, name: Ident) -> Parsed<Expr> {
        let (bottom, mut height, mut expand_last) = (self.exprs.len(), 0, false);
        loop {
            if self.accept(TokenKind::CloseParen).is_some() {
                break;
            }
            self.reject_end(
                "Unterminated function call",
                "The call's parenthesis is not closed before the end of the file.",
                start,
            )?;
            let argument = self.expression()?;
            self.exprs.push(argument);
            height = height.max(self.height);
            match self.peek_kind() {
                TokenKind::Comma => {
                    self.next();
                }
                TokenKind::CloseParen | TokenKind::End => {}
                TokenKind::Ellipsis => {
                    self.next();
                    expand_last = true;
                    if self.peek_kind() != TokenKind::CloseParen {
                        return self.unexpected(
                            "Missing closing parenthesis",
                            "An argument that is spread (with ...) is the last one; the closing parenthesis must follow.",
                        );
                    }
                }
                _ => {
                    return self.unexpected(
                        "Missing argument separator",
                        "Here must be a comma before the next argument, or the closing parenthesis.",
                    );
                }
            }
        }
        let span = self.since(start);
        self.grow(height, span)?;
        let arguments = self.exprs.split_off(bottom).into();
        Ok(Expr { kind: ExprKind::Call(Box::new(Call { name, arguments, expand_last })), span })
    }
}
