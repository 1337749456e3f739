//! The parser's place in the tokens, what it says, and how it goes on after an error.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::ast::{Attribute, Expr, ObjectItem};
use super::lexer::Lexer;
use super::token::{Token, TokenKind};
use super::tokens::Tokens;
use crate::addr::Name;
use crate::diag::{Diagnostic, Diagnostics, FileId, Source, Span};

/// How many brackets, blocks, templates and the like may enclose each other.
pub const MAX_NESTING: u32 = 200;
/// How many nodes a tree may have from its root to its deepest leaf.
pub const MAX_HEIGHT: u32 = 1000;

/// Reading failed; a diagnostic has been said. The nearest caller that can go on takes over.
pub(super) struct Stop;
pub(super) type Parsed<T> = Result<T, Stop>;

/// Names that were read lately, so that repeated ones share an allocation. Each text has one place, from which the next text
/// of the same place drives it away: that costs less than a table of all, and names that repeat do so nearby.
struct Names(Box<[Option<Name>; 512]>);

impl Default for Names {
    fn default() -> Self {
        Names(Box::new([const { None }; 512]))
    }
}

impl Names {
    fn get(&mut self, text: &str) -> Name {
        let mut hasher = FxHasher::default();
        hasher.write(text.as_bytes());
        let place = &mut self.0[(hasher.finish() >> 20) as usize % 512];
        match place {
            Some(name) if *name == *text => name.clone(),
            _ => place.insert(Name::from(text)).clone(),
        }
    }
}

pub(super) struct Parser<'a> {
    pub source: &'a Source,
    pub text: &'a str,
    pub file: FileId,
    pub said: Diagnostics,
    /// Whether ends of lines are passed over: inside parentheses, brackets and interpolations.
    pub skip_newlines: bool,
    /// Height of the expression that was read last.
    pub height: u32,
    tokens: Tokens<'a>,
    nesting: u32,
    names: Names,
    /// Where lists grow before they are moved into a list of just their length; each takes its own off again.
    pub exprs: Vec<Expr>,
    pub items: Vec<ObjectItem>,
    pub attributes: Vec<Attribute>,
    /// An unclosed bracket was found by reading to the end of the file once; that is not tried again.
    unbalanced: bool,
    /// Where the last recovery began and ended.
    recovered: Option<(usize, usize)>,
}

impl<'a> Parser<'a> {
    pub fn new(source: &'a Source, file: FileId, lexer: Lexer<'a>) -> Self {
        Parser {
            source,
            text: &source.text,
            file,
            said: Diagnostics::none(),
            skip_newlines: false,
            height: 0,
            tokens: Tokens::new(lexer),
            nesting: 0,
            names: Names::default(),
            exprs: Vec::new(),
            items: Vec::new(),
            attributes: Vec::new(),
            unbalanced: false,
            recovered: None,
        }
    }

    /// The next token.
    #[inline]
    pub fn peek(&mut self) -> Token {
        while self.skip_newlines && self.tokens.next().kind == TokenKind::Newline {
            self.tokens.step();
        }
        self.tokens.next()
    }

    #[inline]
    pub fn peek_kind(&mut self) -> TokenKind {
        self.peek().kind
    }

    /// The kind of the token behind the next one.
    pub fn peek_second(&mut self) -> TokenKind {
        self.peek();
        let mut at = self.tokens.place() + 1;
        while self.skip_newlines && self.tokens.get(at).kind == TokenKind::Newline {
            at += 1;
        }
        self.tokens.get(at).kind
    }

    /// Takes the next token; at the end it stays there.
    #[inline]
    pub fn next(&mut self) -> Token {
        let token = self.peek();
        if token.kind != TokenKind::End {
            self.tokens.step();
        }
        token
    }

    /// Takes the next token if it is of this kind.
    #[inline]
    pub fn accept(&mut self, kind: TokenKind) -> Option<Token> {
        let token = self.peek();
        if token.kind != kind {
            return None;
        }
        self.tokens.step();
        Some(token)
    }

    #[inline]
    pub fn slice(&self, token: Token) -> &'a str {
        &self.text[token.start as usize..token.end as usize]
    }

    #[inline]
    pub fn span(&self, token: Token) -> Span {
        Span { file: self.file, start: token.start, end: token.end }
    }

    /// From the start of a span to the end of the token that was taken last.
    pub fn since(&self, start: Span) -> Span {
        let end = self.tokens.end_of_last().unwrap_or(start.end);
        Span { file: self.file, start: start.start, end: end.max(start.start) }
    }

    /// Where the parser is, for [`Parser::recover`].
    pub fn place(&self) -> usize {
        self.tokens.place()
    }

    /// Gives back the token that was taken last.
    pub fn step_back(&mut self) {
        self.tokens.go_to(self.place().saturating_sub(1));
    }

    /// Says that nothing goes back behind the next token.
    pub fn settle(&mut self) {
        self.tokens.forget();
    }

    /// Goes back to a [`Parser::place`].
    pub fn go_back(&mut self, place: usize) {
        self.tokens.go_to(place);
    }

    /// Whether the parser has come to where it is by recovering from an error behind `start`.
    pub fn recovered_to(&self, start: usize) -> bool {
        self.recovered.is_some_and(|(from, to)| from >= start && to == self.place())
    }

    /// The shared name for a text of the source.
    pub fn name(&mut self, text: &'a str) -> Name {
        self.names.get(text)
    }

    /// Runs `f` with ends of lines passed over or not.
    #[inline]
    pub fn lines<T>(&mut self, skip_newlines: bool, f: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.skip_newlines, skip_newlines);
        let result = f(self);
        self.skip_newlines = outer;
        result
    }

    /// Runs `f` one level deeper, unless that is too deep.
    #[inline]
    pub fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= MAX_NESTING {
            let at = self.peek();
            let detail = format!("At most {MAX_NESTING} brackets, blocks and templates may enclose each other.");
            return self.fail("Nested too deeply", detail, self.span(at));
        }
        self.nesting += 1;
        let result = f(self);
        self.nesting -= 1;
        result
    }

    /// Notes that the expression just read stands on parts of this height.
    #[inline]
    pub fn grow(&mut self, parts: u32, span: Span) -> Parsed<()> {
        self.height = parts + 1;
        if self.height < MAX_HEIGHT { Ok(()) } else { self.too_high(span) }
    }

    #[cold]
    fn too_high(&mut self, span: Span) -> Parsed<()> {
        let detail = format!(
            "An expression may be a chain of at most {MAX_HEIGHT} operators and attributes. Split it with local values."
        );
        self.height = 0;
        self.fail("Expression too long", detail, span)
    }

    /// Says an error.
    pub fn say(&mut self, summary: &str, detail: impl Into<String>, span: Span) {
        self.said.push(Diagnostic::error(summary, detail).at(span));
    }

    /// Says an error and stops. A character that no token can start with is the error instead, if one stands there.
    pub fn fail<T>(&mut self, summary: &str, detail: impl Into<String>, span: Span) -> Parsed<T> {
        let token = self.peek();
        if token.kind == TokenKind::Invalid {
            self.invalid(token);
        } else {
            self.say(summary, detail, span);
        }
        Err(Stop)
    }

    /// Says that something else was expected where the next token stands, and stops.
    pub fn unexpected<T>(&mut self, summary: &str, detail: impl Into<String>) -> Parsed<T> {
        let token = self.peek();
        self.fail(summary, detail, self.span(token))
    }

    fn invalid(&mut self, token: Token) {
        let text = self.slice(token);
        let mut span = self.span(token);
        match text {
            "&" => self.say("Unsupported operator", "There are no bitwise operators. Did you mean boolean AND (\"&&\")?", span),
            "|" => self.say("Unsupported operator", "There are no bitwise operators. Did you mean boolean OR (\"||\")?", span),
            "^" | "~" => self.say("Unsupported operator", "There are no bitwise operators. A power is written as pow(2, 3).", span),
            "'" => self.say("Invalid character", "Texts are enclosed in double quotes (\"), not in single ones.", span),
            "`" => self.say(
                "Invalid character",
                "The \"`\" character means nothing here. For a text of several lines use the \"heredoc\" syntax, like \"<<EOT\".",
                span,
            ),
            ";" => self.say(
                "Invalid character",
                "The \";\" character means nothing here. Arguments and blocks end with their line, items of collections with a comma.",
                span,
            ),
            _ if text.starts_with("/*") => {
                span.end = span.start + 2;
                self.say("Unterminated comment", "The comment that begins here is not closed with \"*/\" before the end of the file.", span);
            }
            _ => self.say("Invalid character", "This character is not used within the language.", span),
        }
    }

    /// After an error in an item that began at token `start`: goes to the end of the line on which all of the item's
    /// brackets are closed, or to the brace that closes the enclosing block.
    pub fn recover(&mut self, start: usize) {
        let failed = self.place();
        let mut open = Vec::new();
        let mut at = start;
        loop {
            use TokenKind as T;
            let kind = self.tokens.get(at).kind;
            match kind {
                T::Newline if open.is_empty() && at >= failed => break,
                T::OpenBrace | T::OpenBracket | T::OpenParen | T::OpenInterpolation | T::OpenDirective => {
                    open.push(kind)
                }
                T::CloseBrace if open.is_empty() => break,
                T::CloseBrace => {
                    // Brackets that were never closed end with the braces around them.
                    while open.pop_if(|kind| *kind != T::OpenBrace).is_some() {}
                    if open.pop().is_none() {
                        break;
                    }
                }
                T::CloseBracket | T::CloseParen | T::CloseTemplate => {
                    let opener = match kind {
                        T::CloseBracket => T::OpenBracket,
                        T::CloseParen => T::OpenParen,
                        _ => *open.last().unwrap_or(&T::OpenInterpolation),
                    };
                    if open.last() == Some(&opener) {
                        open.pop();
                    }
                }
                T::MissingQuote => open.retain(|kind| !matches!(kind, T::OpenInterpolation | T::OpenDirective)),
                T::End if open.is_empty() || at <= failed => break,
                T::End => {
                    self.unbalanced = true;
                    break;
                }
                _ => {}
            }
            if self.unbalanced && kind == T::Newline && at >= failed {
                break;
            }
            at += 1;
        }
        if self.unbalanced && self.tokens.get(at).kind == TokenKind::End {
            at = failed;
            while !matches!(self.tokens.get(at).kind, TokenKind::Newline | TokenKind::End) {
                at += 1;
            }
        }
        self.tokens.go_to(at.max(failed));
        self.recovered = Some((start, self.place()));
    }

    /// After an error inside an interpolation or a directive: goes behind its end. False when it has none on the way.
    pub fn recover_template(&mut self) -> bool {
        let mut open = 0;
        let mut at = self.place();
        loop {
            match self.tokens.get(at).kind {
                TokenKind::OpenInterpolation | TokenKind::OpenDirective => open += 1,
                TokenKind::CloseTemplate if open == 0 => {
                    self.tokens.go_to(at + 1);
                    return true;
                }
                TokenKind::CloseTemplate => open -= 1,
                TokenKind::MissingQuote | TokenKind::End => return false,
                _ => {}
            }
            at += 1;
        }
    }
}
