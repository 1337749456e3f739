//! Templates: quoted texts, heredocs, template files, with interpolations and directives.

use std::borrow::Cow;
use std::iter::Peekable;

use super::ast::{Expr, ExprKind, Ident, Part, TemplateFor, TemplateIf};
use super::parser::{Parsed, Parser, Stop};
use super::text::dedent;
use super::token::{Token, TokenKind};
use crate::diag::Span;
use crate::value::{Str, Value};

const UNBALANCED: &str = "The control directives of this template are unbalanced.";

/// A piece of a template before directives are matched with each other.
enum Piece<'a> {
    Text(Cow<'a, str>),
    Interpolation(Expr),
    If(Expr),
    Else,
    EndIf,
    For(Option<Ident>, Ident, Expr),
    EndFor,
}

/// Pieces in order, each with its place.
#[derive(Default)]
struct Pieces<'a> {
    list: Vec<(Piece<'a>, Span)>,
    height: u32,
    failed: bool,
}

type Rest<'a> = Peekable<std::vec::IntoIter<(Piece<'a>, Span)>>;

impl<'a> Parser<'a> {
    /// A quoted template, behind its opening quote.
    pub fn quoted(&mut self, open: Token) -> Parsed<Expr> {
        let start = self.span(open);
        let first = self.tokens_ahead();
        // Nearly all texts are plain ones.
        if let [TokenKind::QuotedText, TokenKind::CloseQuote] = first {
            let token = self.next();
            let raw = self.slice(token);
            let plain = raw.bytes().all(|byte| byte.is_ascii() && !matches!(byte, b'\\' | b'$' | b'%' | b'\n'));
            let text = if plain {
                Ok(self.literal(Cow::Borrowed(raw)))
            } else {
                self.unescape(token).map(|text| self.literal(text))
            };
            self.next();
            let span = self.since(start);
            // An unreadable escape is no reason to read nothing of the rest.
            return Ok(Expr {
                kind: text.map_or(ExprKind::Error, |text| ExprKind::Literal(Value::String(text))),
                span,
            });
        }
        let pieces = self.pieces(start, TokenKind::CloseQuote)?;
        self.assemble(pieces, start)
    }

    /// A heredoc, behind its opening line.
    pub fn heredoc(&mut self, open: Token) -> Parsed<Expr> {
        let start = self.span(open);
        let mut pieces = self.pieces(start, TokenKind::CloseHeredoc)?;
        if self.slice(open).starts_with("<<-") {
            let take = |(piece, _): &mut (Piece<'a>, Span)| match piece {
                Piece::Text(text) => Some(std::mem::take(text).into_owned()),
                _ => None,
            };
            let mut texts: Vec<Option<String>> = pieces.list.iter_mut().map(take).collect();
            dedent(&mut texts);
            for ((piece, _), text) in pieces.list.iter_mut().zip(texts) {
                if let Some(text) = text {
                    *piece = Piece::Text(text.into());
                }
            }
        }
        self.assemble(pieces, start)
    }

    /// A whole template file.
    pub fn whole_template(&mut self) -> Expr {
        let token = self.peek();
        let start = self.span(token);
        let read = self.pieces(start, TokenKind::End).and_then(|pieces| self.assemble(pieces, start));
        read.unwrap_or(Expr { kind: ExprKind::Error, span: start })
    }

    fn tokens_ahead(&mut self) -> [TokenKind; 2] {
        [self.peek_kind(), self.peek_second()]
    }

    fn literal(&mut self, text: Cow<'a, str>) -> Str {
        match text {
            // Short texts repeat often: names, kinds, environments.
            Cow::Borrowed(text) if text.len() <= 32 => self.name(text),
            text => Str::from(text.as_ref()),
        }
    }

    /// Everything up to the token that ends the template, which is taken too.
    fn pieces(&mut self, start: Span, end: TokenKind) -> Parsed<Pieces<'a>> {
        let mut pieces = Pieces::default();
        let mut strip_next = false;
        loop {
            let token = self.next();
            let span = self.span(token);
            match token.kind {
                kind if kind == end => break,
                TokenKind::QuotedText | TokenKind::LineText => match self.unescape(token) {
                    Ok(mut text) => {
                        if strip_next {
                            text = text.trim_start().to_owned().into();
                        }
                        strip_next = false;
                        pieces.list.push((Piece::Text(text), span));
                    }
                    Err(Stop) => pieces.failed = true,
                },
                TokenKind::OpenInterpolation | TokenKind::OpenDirective => {
                    if let Some((Piece::Text(text), _)) =
                        pieces.list.last_mut().filter(|_| self.slice(token).ends_with('~'))
                    {
                        *text = text.trim_end().to_owned().into();
                    }
                    let is_directive = token.kind == TokenKind::OpenDirective;
                    let (exprs, items) = (self.exprs.len(), self.items.len());
                    match self.lines(true, |parser| parser.nested(|parser| parser.sequence(token, is_directive))) {
                        Ok((piece, strip)) => {
                            pieces.height = pieces.height.max(self.height);
                            pieces.list.push((piece, self.since(span)));
                            strip_next = strip;
                        }
                        Err(Stop) if self.recover_template() => {
                            self.exprs.truncate(exprs);
                            self.items.truncate(items);
                            pieces.failed = true;
                        }
                        Err(Stop) => return Err(Stop),
                    }
                }
                TokenKind::MissingQuote => {
                    let span = Span { end: start.start + 1, ..start };
                    return self.fail(
                        "Unterminated template string",
                        "The text that begins here has no closing quote.",
                        span,
                    );
                }
                _ => {
                    let what = if end == TokenKind::CloseHeredoc {
                        "line with the closing marker alone"
                    } else {
                        "closing quote"
                    };
                    return self.fail(
                        "Unterminated template string",
                        format!("The text that begins here has no {what}."),
                        start,
                    );
                }
            }
        }
        Ok(pieces)
    }

    /// The inside of `${…}` or `%{…}` with its end, and whether whitespace behind it is to be stripped.
    fn sequence(&mut self, open: Token, is_directive: bool) -> Parsed<(Piece<'a>, bool)> {
        self.height = 0;
        let piece = if is_directive { self.directive()? } else { Piece::Interpolation(self.expression()?) };
        match self.accept(TokenKind::CloseTemplate) {
            Some(token) => Ok((piece, self.slice(token).starts_with('~'))),
            None if self.is_unclosed() => {
                let span = self.span(open);
                self.fail(
                    "Unclosed template interpolation sequence",
                    "This sequence has no closing brace. A brace, bracket or quote inside it may be missing instead.",
                    span,
                )
            }
            None if is_directive => self.unexpected("Extra characters in template control sequence", "The directive is complete; a closing brace was expected here."),
            None => self.unexpected(
                "Extra characters after interpolation expression",
                "An expression was read, but more follows it before the closing brace. If this is text for another language, such as a shell script, write \"$${\" instead of \"${\".",
            ),
        }
    }

    /// Whether what stands here is the quote of the enclosing text, read as one that opens another.
    fn is_unclosed(&mut self) -> bool {
        let at = self.place();
        match self.peek_kind() {
            TokenKind::End | TokenKind::MissingQuote => true,
            TokenKind::OpenQuote => {
                self.next();
                self.accept(TokenKind::QuotedText);
                let unclosed = self.peek_kind() == TokenKind::MissingQuote;
                self.go_back(at);
                unclosed
            }
            _ => false,
        }
    }

    fn directive(&mut self) -> Parsed<Piece<'a>> {
        let token = self.peek();
        if token.kind != TokenKind::Ident {
            return self.unexpected(
                "Invalid template directive",
                "After \"%{\" must come one of the words if, else, endif, for, endfor.",
            );
        }
        self.next();
        Ok(match self.slice(token) {
            "if" => Piece::If(self.expression()?),
            "else" => Piece::Else,
            "endif" => Piece::EndIf,
            "for" => {
                let (key_name, value_name) = self.loop_names("Invalid 'for' directive")?;
                Piece::For(key_name, value_name, self.expression()?)
            }
            "endfor" => Piece::EndFor,
            word => {
                let detail =
                    format!("\"{word}\" is no directive of templates; these are if, else, endif, for and endfor.");
                return self.fail("Invalid template control keyword", detail, self.span(token));
            }
        })
    }

    /// Matches directives with each other and makes the expression.
    fn assemble(&mut self, pieces: Pieces<'a>, start: Span) -> Parsed<Expr> {
        let span = self.since(start);
        let Pieces { list, height, mut failed } = pieces;
        self.grow(height, span)?;
        if !failed && list.iter().all(|(piece, _)| matches!(piece, Piece::Text(_))) {
            let mut texts = list.into_iter().map(|(piece, _)| match piece {
                Piece::Text(text) => text,
                _ => Cow::Borrowed(""),
            });
            let first = texts.next().unwrap_or_default();
            let text = match texts.next() {
                None => first,
                Some(second) => {
                    let mut all = first.into_owned();
                    all.push_str(&second);
                    texts.for_each(|text| all.push_str(&text));
                    all.into()
                }
            };
            return Ok(Expr { kind: ExprKind::Literal(Value::String(self.literal(text))), span });
        }
        let mut parts = Vec::with_capacity(list.len());
        let mut rest = list.into_iter().peekable();
        loop {
            failed |= self.parts(&mut rest, &mut parts).is_err();
            // What is left over closes nothing.
            match rest.next() {
                None => break,
                Some((piece, place)) => {
                    let word = match piece {
                        Piece::Else => "else",
                        Piece::EndIf => "endif",
                        _ => "endfor",
                    };
                    self.say(&format!("Unexpected {word} directive"), UNBALANCED, place);
                    failed = true;
                }
            }
        }
        Ok(Expr { kind: if failed { ExprKind::Error } else { ExprKind::Template(parts.into()) }, span })
    }

    /// Parts up to a directive that ends or splits the enclosing one.
    fn parts(&mut self, rest: &mut Rest<'a>, out: &mut Vec<Part>) -> Parsed<()> {
        let mut text: Option<Cow<'a, str>> = None;
        let mut result = Ok(());
        loop {
            if let Some((Piece::Text(more), _)) = rest.next_if(|(piece, _)| matches!(piece, Piece::Text(_))) {
                text = Some(match text {
                    None => more,
                    Some(mut text) => {
                        text.to_mut().push_str(&more);
                        text
                    }
                });
                continue;
            }
            // Text that was stripped to nothing still makes a text of an interpolation beside it.
            if let Some(text) = text.take() {
                out.push(Part::Text(self.literal(text)));
            }
            let opens = |(piece, _): &(Piece<'a>, Span)| {
                matches!(piece, Piece::Interpolation(_) | Piece::If(_) | Piece::For(..))
            };
            let Some((piece, span)) = rest.next_if(opens) else { return result };
            let part = match piece {
                Piece::If(condition) => self.nested(|parser| parser.if_parts(rest, condition, span)),
                Piece::For(key_name, value_name, source) => self.nested(|parser| {
                    let mut body = Vec::new();
                    parser.parts(rest, &mut body)?;
                    match parser.closing(rest, "for", span)? {
                        (Piece::EndFor, end) => Ok(Part::For(Box::new(TemplateFor {
                            key_name,
                            value_name,
                            source,
                            body,
                            span: span.to(end),
                        }))),
                        (_, end) => parser.fail_directive("Unexpected endif directive", "for", "endfor", end),
                    }
                }),
                Piece::Interpolation(expr) => Ok(Part::Interpolation(expr)),
                // Nothing else opens.
                _ => continue,
            };
            match part {
                Ok(part) => out.push(part),
                Err(Stop) => result = Err(Stop),
            }
        }
    }

    fn if_parts(&mut self, rest: &mut Rest<'a>, condition: Expr, span: Span) -> Parsed<Part> {
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        self.parts(rest, &mut yes)?;
        let mut closing = self.closing(rest, "if", span)?;
        if matches!(closing.0, Piece::Else) {
            self.parts(rest, &mut no)?;
            closing = self.closing(rest, "if", span)?;
        }
        match closing {
            (Piece::EndIf, end) => Ok(Part::If(Box::new(TemplateIf { condition, yes, no, span: span.to(end) }))),
            (Piece::Else, end) => {
                self.say("Unexpected else directive", "The if directive has an else part already.", end);
                // The rest up to its endif is read, so that only this is said.
                let mut more = Vec::new();
                self.parts(rest, &mut more)?;
                let _ends = rest.next_if(|(piece, _)| matches!(piece, Piece::EndIf));
                Err(Stop)
            }
            (_, end) => self.fail_directive("Unexpected endfor directive", "if", "endif", end),
        }
    }

    /// The directive that ends or splits the one at `span`.
    fn closing(&mut self, rest: &mut Rest<'a>, word: &str, span: Span) -> Parsed<(Piece<'a>, Span)> {
        let splits = |piece: &Piece<'a>| matches!(piece, Piece::Else) && word == "if";
        match rest.next_if(|(piece, _)| splits(piece) || matches!(piece, Piece::EndIf | Piece::EndFor)) {
            Some(found) => Ok(found),
            None => {
                let end = self.quote_before().unwrap_or(span);
                let detail = format!("The {word} directive {:?} has no end{word} directive.", self.source.slice(span));
                self.say("Unexpected end of template", detail, end);
                Err(Stop)
            }
        }
    }

    /// The quote that ended the template just read.
    fn quote_before(&mut self) -> Option<Span> {
        let at = self.place();
        self.step_back();
        let token = self.peek();
        self.go_back(at);
        (token.kind == TokenKind::CloseQuote).then(|| self.span(token))
    }

    fn fail_directive<T>(&mut self, summary: &str, open: &str, needed: &str, span: Span) -> Parsed<T> {
        self.say(summary, format!("The enclosing {open} directive must be closed first, with {needed}."), span);
        Err(Stop)
    }
}
