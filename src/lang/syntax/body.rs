//! Files, blocks and arguments.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};

use super::ast::{Attribute, Block, Body, Expr, ExprKind, Ident};
use super::parser::{Parsed, Parser, Stop};
use super::token::{Token, TokenKind};
use crate::addr::Name;
use crate::diag::Span;

/// Above this number of arguments in a body, or of items in an object, repeated ones are found through a table.
pub(super) const MANY: usize = 16;

/// A body on the way. Its arguments are the parser's from `bottom` on.
struct Growing {
    bottom: usize,
    blocks: Vec<Arc<Block>>,
    /// Places of the names, once there are many.
    names: HashMap<Name, Span>,
}

impl<'a> Parser<'a> {
    /// A whole file.
    pub fn file(&mut self) -> Body {
        let start = self.peek();
        let mut body = self.items(None);
        let end = self.peek();
        body.span = Some(self.span(start).to(self.span(end)));
        body
    }

    /// Arguments and blocks up to the brace that closes the block with the given opening one, or to the end of the file.
    fn items(&mut self, block: Option<Span>) -> Body {
        let mut growing = Growing { bottom: self.attributes.len(), blocks: Vec::new(), names: HashMap::new() };
        loop {
            if block.is_none() {
                self.settle();
            }
            let token = self.peek();
            match token.kind {
                TokenKind::Newline => {
                    self.next();
                }
                TokenKind::End => {
                    if let Some(open) = block {
                        self.say(
                            "Unclosed configuration block",
                            "This block has no closing brace before the end of the file. A brace may be missing in a block inside it, too.",
                            open,
                        );
                    }
                    break;
                }
                TokenKind::CloseBrace if block.is_some() => break,
                _ => {
                    let (place, said) = (self.place(), self.said.0.len());
                    if self.item(&mut growing).is_err() {
                        self.recover(place);
                        if block.is_none() && self.peek_kind() == TokenKind::CloseBrace {
                            self.next();
                        }
                    }
                    if block.is_none() && self.said.0.len() > said {
                        self.name_block(token, said);
                    }
                }
            }
        }
        let attributes = self.attributes.split_off(growing.bottom);
        Body { attributes, blocks: growing.blocks, span: None, json: None }
    }

    /// Gives diagnostics the header of the outermost block they are in.
    fn name_block(&mut self, start: Token, said: usize) {
        let line = self.source.line(self.source.position(start.start).line);
        let Some((header, _)) = line.split_once('{') else { return };
        if header.contains('=') {
            return;
        }
        for diagnostic in &mut self.said.0[said..] {
            diagnostic.within.get_or_insert_with(|| header.trim().to_owned());
        }
    }

    fn item(&mut self, growing: &mut Growing) -> Parsed<()> {
        let token = self.next();
        if token.kind != TokenKind::Ident {
            return self.not_an_item(token);
        }
        let name = self.ident(token);
        match self.peek_kind() {
            TokenKind::Assign => {
                let place = self.place();
                let attribute = self.attribute(name);
                self.keep(growing, attribute);
                self.end_of_argument(place)
            }
            TokenKind::OpenQuote | TokenKind::OpenBrace | TokenKind::Ident => {
                let block = self.nested(|parser| parser.block(name))?;
                growing.blocks.push(Arc::new(block));
                match self.peek_kind() {
                    TokenKind::Newline | TokenKind::End => Ok(()),
                    _ => self.unexpected("Missing newline after block definition", "A block must end with its line."),
                }
            }
            _ => self.fail(
                "Argument or block definition required",
                "Here must be an argument or a block. An argument is set with an equals sign \"=\" before its value.",
                name.span,
            ),
        }
    }

    fn not_an_item(&mut self, token: Token) -> Parsed<()> {
        let span = self.span(token);
        match token.kind {
            TokenKind::OpenQuote => {
                let quoted = self.quoted_raw();
                let span = self.since(span);
                if quoted.is_ok() && self.peek_kind() == TokenKind::Assign {
                    return self.fail("Invalid argument name", "Names of arguments are not quoted.", span);
                }
                self.fail(
                    "Invalid block definition",
                    "A block begins with its type, a name without quotes, before any quoted labels.",
                    span,
                )
            }
            TokenKind::Invalid => {
                self.step_back();
                self.unexpected("Argument or block definition required", "")
            }
            TokenKind::CloseBrace => {
                // Consumed: what follows the line may be good.
                self.fail(
                    "Argument or block definition required",
                    "Here must be an argument or a block. This closing brace closes nothing.",
                    span,
                )
            }
            _ => self.fail("Argument or block definition required", "Here must be an argument or a block.", span),
        }
    }

    /// Adds an argument, unless it was set before.
    fn keep(&mut self, growing: &mut Growing, attribute: Attribute) {
        let own = &self.attributes[growing.bottom..];
        let name = &attribute.name;
        let earlier = if growing.names.is_empty() {
            own.iter().find(|attribute| attribute.name.text == name.text).map(|attribute| attribute.name.span)
        } else {
            growing.names.get(&name.text).copied()
        };
        if let Some(earlier) = earlier {
            let place = self.source.position(earlier.start);
            let detail = format!(
                "The argument \"{}\" was set before, in line {}, column {}. Each argument can be set only once.",
                name.text, place.line, place.column
            );
            return self.say("Attribute redefined", detail, attribute.name.span);
        }
        if !growing.names.is_empty() {
            growing.names.insert(name.text.clone(), name.span);
        } else if own.len() == MANY {
            let all = own.iter().chain([&attribute]);
            growing.names = all.map(|attribute| (attribute.name.text.clone(), attribute.name.span)).collect();
        }
        self.attributes.push(attribute);
    }

    /// `= expression`, behind the name. An expression that cannot be read becomes [`ExprKind::Error`].
    fn attribute(&mut self, name: Ident) -> Attribute {
        let place = self.place();
        self.next();
        let (exprs, items) = (self.exprs.len(), self.items.len());
        let expr = match self.lines(false, Self::expression) {
            Ok(expr) => expr,
            Err(Stop) => {
                self.exprs.truncate(exprs);
                self.items.truncate(items);
                let start = self.peek();
                self.recover(place);
                Expr { kind: ExprKind::Error, span: self.span(start) }
            }
        };
        let span = name.span.to(expr.span);
        Attribute { name, expr: Arc::new(expr), span }
    }

    fn end_of_argument(&mut self, place: usize) -> Parsed<()> {
        match self.peek_kind() {
            TokenKind::Newline | TokenKind::End => Ok(()),
            // Recovery has stopped here because of this brace and said why.
            TokenKind::CloseBrace if self.recovered_to(place) => Ok(()),
            _ => self.unexpected("Missing newline after argument", "An argument must end with its line."),
        }
    }

    pub fn ident(&mut self, token: Token) -> Ident {
        let text = self.slice(token);
        Ident { text: self.name(text), span: self.span(token) }
    }

    /// Labels and body of a block, behind its type.
    fn block(&mut self, kind: Ident) -> Parsed<Block> {
        let mut labels = Vec::with_capacity(2);
        loop {
            let token = self.peek();
            match token.kind {
                TokenKind::Ident => {
                    self.next();
                    let label = self.ident(token);
                    labels.push(label);
                }
                TokenKind::OpenQuote => {
                    self.next();
                    let start = self.span(token);
                    let text = self.quoted_raw()?;
                    labels.push(Ident { text, span: self.since(start) });
                }
                TokenKind::OpenBrace => break,
                TokenKind::Assign => {
                    return self.unexpected(
                        "Invalid block definition",
                        "The equals sign \"=\" sets an argument and has no place in the header of a block.",
                    );
                }
                _ => {
                    return self.unexpected(
                        "Invalid block definition",
                        "The content of a block stands between \"{\" and \"}\", the first of which is on the line of the header.",
                    );
                }
            }
        }
        let header = self.since(kind.span);
        let open = self.next();
        let mut body = match self.peek_kind() {
            TokenKind::Newline | TokenKind::End => self.items(Some(self.span(open))),
            TokenKind::CloseBrace => Body::default(),
            _ => self.single_line()?,
        };
        if self.peek_kind() == TokenKind::CloseBrace {
            self.next();
        }
        body.span = Some(self.since(self.span(open)));
        let span = self.since(kind.span);
        Ok(Block { kind, labels, body, header, span })
    }

    /// The one argument of a block on one line.
    fn single_line(&mut self) -> Parsed<Body> {
        let token = self.next();
        if token.kind != TokenKind::Ident {
            self.step_back();
            return self.unexpected("Argument or block definition required", "Here must be an argument or a block.");
        }
        let name = self.ident(token);
        if self.peek_kind() != TokenKind::Assign {
            let detail = format!(
                "A block on one line can hold one argument and nothing else. If the argument \"{}\" was meant, it needs an equals sign before its value; a block inside this one must stand on lines of its own.",
                name.text
            );
            return self.unexpected("Argument definition required", detail);
        }
        self.next();
        let (exprs, items) = (self.exprs.len(), self.items.len());
        let expr = self.lines(false, Self::expression);
        self.exprs.truncate(exprs);
        self.items.truncate(items);
        let expr = expr?;
        match self.peek_kind() {
            TokenKind::CloseBrace => {}
            TokenKind::Comma => {
                return self.unexpected(
                    "Invalid single-argument block definition",
                    "A block on one line can hold one argument only. Give each argument a line of its own.",
                );
            }
            _ => {
                return self.unexpected(
                    "Invalid single-argument block definition",
                    "A block whose first argument is on the line of its header must be closed on that line too. Put the closing brace behind the argument, or the argument on a line of its own.",
                );
            }
        }
        let span = name.span.to(expr.span);
        Ok(Body { attributes: vec![Attribute { name, expr: Arc::new(expr), span }], ..Body::default() })
    }

    /// The text of a quoted label or name, without templates; the opening quote is taken already.
    fn quoted_raw(&mut self) -> Parsed<Name> {
        let mut text = None;
        loop {
            let token = self.next();
            match token.kind {
                TokenKind::CloseQuote => return Ok(text.unwrap_or_else(|| Name::from(""))),
                TokenKind::QuotedText => {
                    let raw = self.slice(token);
                    text = Some(if raw.is_ascii() && !raw.contains(['\\', '$', '%', '\n']) {
                        self.name(raw)
                    } else {
                        Name::from(&*self.unescape(token)?)
                    });
                }
                TokenKind::MissingQuote => {
                    return self.fail(
                        "Unterminated string",
                        "The text has no closing quote on its line.",
                        self.span(token),
                    );
                }
                _ => {
                    return self.fail(
                        "Invalid string literal",
                        "Templates are not allowed here. A literal \"${\" is written as \"$${\".",
                        self.span(token),
                    );
                }
            }
        }
    }
}
