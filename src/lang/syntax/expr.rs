//! Expressions: operators by precedence, traversals, and the simple terms.

use super::ast::{BinaryOp, Expr, ExprKind, Index, Member, Splat, UnaryOp};
use super::parser::{MAX_HEIGHT, Parsed, Parser};
use super::token::{Token, TokenKind};
use crate::diag::Span;
use crate::value::{Number, Value};

/// The operator of a token and how tightly it binds.
fn binary(kind: TokenKind) -> Option<(BinaryOp, u8)> {
    Some(match kind {
        TokenKind::Or => (BinaryOp::Or, 1),
        TokenKind::And => (BinaryOp::And, 2),
        TokenKind::Equal => (BinaryOp::Equal, 3),
        TokenKind::NotEqual => (BinaryOp::NotEqual, 3),
        TokenKind::Less => (BinaryOp::Less, 4),
        TokenKind::LessOrEqual => (BinaryOp::LessOrEqual, 4),
        TokenKind::Greater => (BinaryOp::Greater, 4),
        TokenKind::GreaterOrEqual => (BinaryOp::GreaterOrEqual, 4),
        TokenKind::Plus => (BinaryOp::Add, 5),
        TokenKind::Minus => (BinaryOp::Subtract, 5),
        TokenKind::Star => (BinaryOp::Multiply, 6),
        TokenKind::Slash => (BinaryOp::Divide, 6),
        TokenKind::Percent => (BinaryOp::Modulo, 6),
        _ => return None,
    })
}

/// An operator that waits for its right operand.
struct Waiting {
    left: Expr,
    height: u32,
    op: BinaryOp,
    binding: u8,
}

impl Parser<'_> {
    /// A text that is one expression and nothing else.
    pub fn whole_expression(&mut self) -> Expr {
        let start = self.peek();
        self.skip_newlines = true;
        let error = Expr { kind: ExprKind::Error, span: self.span(start) };
        let Ok(expr) = self.expression() else { return error };
        if self.peek_kind() != TokenKind::End {
            let said: Parsed<()> =
                self.unexpected("Extra characters after expression", "An expression was read, but more follows it.");
            return if said.is_err() { error } else { expr };
        }
        expr
    }

    /// An expression of any kind.
    pub fn expression(&mut self) -> Parsed<Expr> {
        let first = self.unary()?;
        // Most expressions are one operand.
        let condition = match binary(self.peek_kind()) {
            Some(_) => self.operators(first)?,
            None => first,
        };
        if self.peek_kind() != TokenKind::Question {
            return Ok(condition);
        }
        let height = self.height;
        self.nested(|parser| parser.conditional(condition, height))
    }

    fn conditional(&mut self, condition: Expr, mut height: u32) -> Parsed<Expr> {
        self.next();
        let yes = self.expression()?;
        height = height.max(self.height);
        if self.accept(TokenKind::Colon).is_none() {
            return self.unexpected(
                "Missing false expression in conditional",
                "After \"condition ? value\" must come a colon and the value for a false condition.",
            );
        }
        let no = self.expression()?;
        let span = condition.span.to(no.span);
        self.grow(height.max(self.height), span)?;
        Ok(Expr { kind: ExprKind::Conditional(Box::new([condition, yes, no])), span })
    }

    /// Operands joined by operators with two operands, behind the first. Waiting operators are kept on a list, not on the
    /// program's stack.
    fn operators(&mut self, first: Expr) -> Parsed<Expr> {
        let mut right = first;
        let mut waiting: Vec<Waiting> = Vec::new();
        loop {
            let next = binary(self.peek_kind());
            let binding = next.map_or(0, |(_, binding)| binding);
            while let Some(Waiting { left, height, op, .. }) = waiting.pop_if(|waiting| waiting.binding >= binding) {
                let span = left.span.to(right.span);
                self.grow(height.max(self.height), span)?;
                right = Expr { kind: ExprKind::Binary(op, Box::new([left, right])), span };
            }
            let Some((op, binding)) = next else { return Ok(right) };
            self.next();
            waiting.push(Waiting { left: right, height: self.height, op, binding });
            right = self.unary()?;
        }
    }

    /// An operand with the operators before it.
    fn unary(&mut self) -> Parsed<Expr> {
        let mut signs: Vec<(UnaryOp, Span)> = Vec::new();
        loop {
            let token = self.peek();
            let op = match token.kind {
                TokenKind::Minus => UnaryOp::Negate,
                TokenKind::Bang => UnaryOp::Not,
                _ => break,
            };
            self.next();
            signs.push((op, self.span(token)));
        }
        let mut expr = self.postfix()?;
        for (op, sign) in signs.into_iter().rev() {
            let span = sign.to(expr.span);
            self.grow(self.height, span)?;
            expr = Expr { kind: ExprKind::Unary(op, Box::new(expr)), span };
        }
        Ok(expr)
    }

    /// A term with the attributes, indexes and splats behind it.
    fn postfix(&mut self) -> Parsed<Expr> {
        let term = self.term()?;
        self.traversal(term, false)
    }

    /// Attributes, indexes and splats behind `expr`. In an attribute-only splat, brackets and more splats do not belong to it.
    fn traversal(&mut self, mut expr: Expr, attributes_only: bool) -> Parsed<Expr> {
        loop {
            let token = self.peek();
            expr = match token.kind {
                TokenKind::Dot => {
                    self.next();
                    self.dotted(expr, attributes_only)?
                }
                TokenKind::OpenBracket if !attributes_only => {
                    self.next();
                    self.nested(|parser| parser.bracketed(expr))?
                }
                _ => return Ok(expr),
            };
        }
    }

    /// What may follow a dot.
    fn dotted(&mut self, expr: Expr, attributes_only: bool) -> Parsed<Expr> {
        let token = self.peek();
        let span = expr.span.to(self.span(token));
        match token.kind {
            TokenKind::Ident => {
                self.next();
                let name = self.ident(token);
                self.grow(self.height, span)?;
                Ok(Expr { kind: ExprKind::Attribute(Box::new(Member { object: expr, name })), span })
            }
            TokenKind::Number => {
                let text = self.slice(token);
                if let Some((first, second)) = text.split_once('.') {
                    let detail = format!(
                        "Two indexes in the legacy form cannot follow each other. Use brackets, as in [{first}][{second}]."
                    );
                    return self.unexpected("Invalid legacy index syntax", detail);
                }
                self.next();
                let height = self.height;
                let key = self.number(token)?;
                self.grow(height, span)?;
                Ok(Expr { kind: ExprKind::Index(Box::new(Index { collection: expr, key })), span })
            }
            TokenKind::Star if attributes_only => self.unexpected(
                "Nested splat expression not allowed",
                "Inside an attribute-only splat expression (.*) there cannot be another one. Use [*] instead.",
            ),
            TokenKind::Star => {
                self.next();
                let height = self.height;
                self.height = 1;
                let item = Expr { kind: ExprKind::SplatItem, span: self.span(token) };
                let each = self.traversal(item, true)?;
                self.splat(expr, each, height, false)
            }
            _ => self.unexpected("Invalid attribute name", "After a dot must come the name of an attribute."),
        }
    }

    /// What may follow an opening bracket: an index or a full splat.
    fn bracketed(&mut self, expr: Expr) -> Parsed<Expr> {
        let height = self.height;
        let start = self.peek();
        if start.kind == TokenKind::Star && self.peek_second() == TokenKind::CloseBracket {
            self.next();
            self.next();
            self.height = 1;
            let item = Expr { kind: ExprKind::SplatItem, span: self.since(self.span(start)) };
            let each = self.traversal(item, false)?;
            return self.splat(expr, each, height, true);
        }
        let key = self.lines(true, |parser| {
            let key = parser.expression()?;
            match parser.accept(TokenKind::CloseBracket) {
                Some(_) => Ok(key),
                None => {
                    parser.unexpected("Missing close bracket on index", "An index ends with a closing bracket (\"]\").")
                }
            }
        })?;
        let span = self.since(expr.span);
        self.grow(height.max(self.height), span)?;
        Ok(Expr { kind: ExprKind::Index(Box::new(Index { collection: expr, key })), span })
    }

    fn splat(&mut self, source: Expr, each: Expr, height: u32, full: bool) -> Parsed<Expr> {
        let span = self.since(source.span);
        self.grow(height.max(self.height), span)?;
        Ok(Expr { kind: ExprKind::Splat(Box::new(Splat { source, each, full })), span })
    }

    /// An expression without operators and traversals.
    fn term(&mut self) -> Parsed<Expr> {
        self.height = 1;
        let token = self.peek();
        let span = self.span(token);
        match token.kind {
            TokenKind::Ident => {
                self.next();
                if matches!(self.peek_kind(), TokenKind::OpenParen | TokenKind::DoubleColon) {
                    return self.nested(|parser| parser.call(token));
                }
                let kind = match self.slice(token) {
                    "true" => ExprKind::Literal(Value::Bool(true)),
                    "false" => ExprKind::Literal(Value::Bool(false)),
                    "null" => ExprKind::Literal(Value::NULL),
                    name => ExprKind::Variable(self.name(name)),
                };
                Ok(Expr { kind, span })
            }
            TokenKind::Number => {
                self.next();
                self.number(token)
            }
            TokenKind::OpenQuote => {
                self.next();
                self.nested(|parser| parser.quoted(token))
            }
            TokenKind::OpenHeredoc => {
                self.next();
                self.nested(|parser| parser.heredoc(token))
            }
            TokenKind::OpenParen => {
                self.next();
                self.nested(|parser| parser.parenthesised(token))
            }
            TokenKind::OpenBracket => {
                self.next();
                self.nested(|parser| parser.tuple(token))
            }
            TokenKind::OpenBrace => {
                self.next();
                self.nested(|parser| parser.object(token))
            }
            TokenKind::End => self.fail("Missing expression", "Here must be an expression, but the file ends.", span),
            TokenKind::Newline => {
                self.fail("Invalid expression", "Here must be an expression, but the line ends.", span)
            }
            _ => self.fail("Invalid expression", "Here must be an expression, which cannot begin like this.", span),
        }
    }

    fn number(&mut self, token: Token) -> Parsed<Expr> {
        self.height = 1;
        let text = self.slice(token);
        // Up to 18 digits always fit.
        let number = match text.parse::<i64>() {
            Ok(number) if text.len() <= 18 => Some(Number::from(number)),
            _ => Number::parse(text).ok(),
        };
        match number {
            Some(number) => Ok(Expr { kind: ExprKind::Literal(Value::Number(number)), span: self.span(token) }),
            None => self.fail("Invalid number literal", "This number cannot be read.", self.span(token)),
        }
    }

    fn parenthesised(&mut self, open: Token) -> Parsed<Expr> {
        let start = self.span(open);
        let inner = self.lines(true, |parser| {
            let inner = parser.expression()?;
            if parser.accept(TokenKind::CloseParen).is_some() {
                return Ok(inner);
            }
            if parser.peek_kind() == TokenKind::End {
                return parser.fail(
                    "Unbalanced parentheses",
                    "This parenthesis is not closed before the end of the file.",
                    start,
                );
            }
            parser.unexpected("Unbalanced parentheses", "Here must be a closing parenthesis or an operator.")
        })?;
        let span = self.since(start);
        self.grow(self.height, span)?;
        Ok(Expr { kind: ExprKind::Paren(Box::new(inner)), span })
    }
}

// One level of brackets must never be too high for a tree of its own.
const _: () = assert!(MAX_HEIGHT > super::parser::MAX_NESTING);
