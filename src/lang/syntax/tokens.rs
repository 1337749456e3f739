//! The parser's place in the tokens. They are read in pieces and forgotten when nothing goes back to them, so that they stay
//! in the processor's caches however long the file is.

use super::lexer::Lexer;
use super::token::{Token, TokenKind};

/// How many tokens are read at once.
const PIECE: usize = 2048;

/// The tokens of a text, and which of them is next.
pub(super) struct Tokens<'a> {
    lexer: Lexer<'a>,
    /// The index, among all tokens of the text, of the first that is still held.
    first: usize,
    /// The index of the next one.
    at: usize,
    next: Token,
}

impl<'a> Tokens<'a> {
    pub fn new(lexer: Lexer<'a>) -> Self {
        let next = Token { kind: TokenKind::End, start: 0, end: 0 };
        let mut tokens = Tokens { lexer, first: 0, at: 0, next };
        tokens.go_to(0);
        tokens
    }

    /// The next token, whatever its kind.
    #[inline]
    pub fn next(&self) -> Token {
        self.next
    }

    /// Its index.
    pub fn place(&self) -> usize {
        self.at
    }

    /// Passes over the next token.
    #[inline]
    pub fn step(&mut self) {
        self.go_to(self.at + 1);
    }

    /// Makes the token of an index the next one.
    #[inline]
    pub fn go_to(&mut self, index: usize) {
        self.at = index;
        self.next = self.get(index);
    }

    /// The token of an index that was not forgotten. Behind the end of the text it is the end again.
    #[inline]
    pub fn get(&mut self, index: usize) -> Token {
        match self.lexer.tokens.get(index - self.first) {
            Some(token) => *token,
            None => self.read(index),
        }
    }

    /// Where the token before the next one ends.
    pub fn end_of_last(&self) -> Option<u32> {
        let last = self.at.checked_sub(self.first + 1)?;
        self.lexer.tokens.get(last).map(|token| token.end)
    }

    #[cold]
    fn read(&mut self, index: usize) -> Token {
        let at = index - self.first;
        self.lexer.read(at.saturating_add(PIECE));
        let last = self.lexer.tokens.len() - 1;
        self.lexer.tokens[at.min(last)]
    }

    /// Says that nothing goes back behind the token before the next one.
    pub fn forget(&mut self) {
        let count = self.at.saturating_sub(self.first + 1);
        if count >= PIECE {
            self.lexer.tokens.drain(..count);
            self.first += count;
        }
    }
}
