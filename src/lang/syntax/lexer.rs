//! Text to tokens. Driven by bytes, without allocation for a token; nesting is kept on a stack of its own, so that no
//! input can exhaust the program's.

use super::token::{Token, TokenKind};

/// Splits a text into tokens. With `comments` they are among the tokens (for a formatter); a parser does without.
/// Every byte that is not whitespace belongs to exactly one token; the last token is [`TokenKind::End`].
pub fn lex(text: &str, comments: bool) -> Vec<Token> {
    let mut lexer = Lexer { comments, ..Lexer::code(text) };
    lexer.read(usize::MAX);
    lexer.tokens
}

/// ASCII bytes that can continue a name.
const NAME: u8 = 1;
/// Bytes that mean something in a text.
const SPECIAL: u8 = 2;

static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let c = byte as u8;
        if c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-') {
            classes[byte] |= NAME;
        }
        if matches!(c, b'"' | b'\\' | b'$' | b'%' | b'\n') {
            classes[byte] |= SPECIAL;
        }
        byte += 1;
    }
    classes
};

/// How many of the first bytes are of the class, or are not.
fn run(bytes: &[u8], class: u8, is_in: bool) -> usize {
    let ends = |byte: &u8| (CLASSES[*byte as usize] & class != 0) != is_in;
    bytes.iter().position(ends).unwrap_or(bytes.len())
}

/// What the text at the current place is read as.
#[derive(Clone, Copy)]
enum Mode {
    /// Arguments, blocks and expressions.
    Code,
    /// An interpolation or directive, with the number of braces open inside it.
    Inner(u32),
    /// Between quotes.
    Quoted,
    /// A heredoc, with the range of its marker.
    Heredoc(u32, u32),
    /// A template file.
    Bare,
}

/// Reads tokens, on and on where it left off.
pub(super) struct Lexer<'a> {
    /// What was read and not taken away.
    pub tokens: Vec<Token>,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    comments: bool,
    modes: Vec<Mode>,
    /// With how many tokens reading pauses.
    enough: usize,
    ended: bool,
}

impl<'a> Lexer<'a> {
    /// For arguments, blocks and expressions.
    pub fn code(text: &'a str) -> Self {
        Lexer::new(text, Mode::Code)
    }

    /// For a part of such a text: from an offset at which nothing is open to another one.
    pub fn part(text: &'a str, part: std::ops::Range<usize>) -> Self {
        let at = if part.start == 0 { Lexer::code(text).at } else { part.start };
        Lexer { at, ..Lexer::code(&text[..part.end]) }
    }

    /// For a whole template: the content of a template file.
    pub fn template(text: &'a str) -> Self {
        Lexer::new(text, Mode::Bare)
    }

    fn new(text: &'a str, mode: Mode) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Lexer {
            tokens: Vec::new(),
            text,
            bytes: text.as_bytes(),
            at,
            comments: false,
            modes: vec![mode],
            enough: 0,
            ended: false,
        }
    }

    /// Reads until there are about `enough` tokens, or all.
    pub fn read(&mut self, enough: usize) {
        self.enough = enough;
        while self.is_going_on() {
            match self.modes.last() {
                None | Some(Mode::Code | Mode::Inner(_)) => self.in_code(),
                Some(Mode::Quoted) => self.quoted(),
                Some(Mode::Heredoc(start, end)) => self.heredoc(*start as usize, *end as usize),
                Some(Mode::Bare) => self.lines(None),
            }
        }
        if self.at >= self.bytes.len() && !self.ended {
            self.ended = true;
            if let Some(Mode::Quoted) = self.modes.last() {
                self.push(TokenKind::MissingQuote, self.at);
            }
            self.push(TokenKind::End, self.at);
        }
    }

    fn is_going_on(&self) -> bool {
        self.at < self.bytes.len() && self.tokens.len() < self.enough
    }

    /// Adds a token from `start` to the current place.
    fn push(&mut self, kind: TokenKind, start: usize) {
        self.tokens.push(Token { kind, start: start as u32, end: self.at as u32 });
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Takes `width` bytes as one token.
    fn take(&mut self, kind: TokenKind, width: usize) {
        let start = self.at;
        self.at += width;
        self.push(kind, start);
    }

    /// Reads code until the mode changes, or to the end of a line.
    fn in_code(&mut self) {
        use TokenKind as T;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' => {
                    let blank = |byte: &u8| !matches!(byte, b' ' | b'\t');
                    self.at += self.bytes[self.at..].iter().position(blank).unwrap_or(self.bytes.len() - self.at);
                }
                b'\n' => return self.take(T::Newline, 1),
                b'\r' if self.byte(1) == b'\n' => return self.take(T::Newline, 2),
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.ident(),
                b'0'..=b'9' => self.number(),
                b'"' => {
                    self.take(T::OpenQuote, 1);
                    return self.modes.push(Mode::Quoted);
                }
                b'=' => self.pair(b'=', T::Equal, b'>', T::Arrow, T::Assign),
                b'{' => {
                    if let Some(Mode::Inner(open)) = self.modes.last_mut() {
                        *open += 1;
                    }
                    self.take(T::OpenBrace, 1);
                }
                b'}' if matches!(self.modes.last(), Some(Mode::Inner(0))) => return self.close_template(1),
                b'}' => {
                    if let Some(Mode::Inner(open)) = self.modes.last_mut() {
                        *open -= 1;
                    }
                    self.take(T::CloseBrace, 1);
                }
                b'[' => self.take(T::OpenBracket, 1),
                b']' => self.take(T::CloseBracket, 1),
                b'(' => self.take(T::OpenParen, 1),
                b')' => self.take(T::CloseParen, 1),
                b',' => self.take(T::Comma, 1),
                b'.' if self.byte(1) == b'.' && self.byte(2) == b'.' => self.take(T::Ellipsis, 3),
                b'.' => self.take(T::Dot, 1),
                b'#' => self.line_comment(),
                b'/' => match self.byte(1) {
                    b'/' => self.line_comment(),
                    b'*' => self.block_comment(),
                    _ => self.take(T::Slash, 1),
                },
                b':' => self.pair(b':', T::DoubleColon, 0, T::Colon, T::Colon),
                b'?' => self.take(T::Question, 1),
                b'+' => self.take(T::Plus, 1),
                b'-' => self.take(T::Minus, 1),
                b'*' => self.take(T::Star, 1),
                b'%' => self.take(T::Percent, 1),
                b'!' => self.pair(b'=', T::NotEqual, 0, T::Bang, T::Bang),
                b'>' => self.pair(b'=', T::GreaterOrEqual, 0, T::Greater, T::Greater),
                b'<' if self.byte(1) == b'<' && self.open_heredoc() => return,
                b'<' => self.pair(b'=', T::LessOrEqual, 0, T::Less, T::Less),
                b'&' => self.pair(b'&', T::And, 0, T::Invalid, T::Invalid),
                b'|' => self.pair(b'|', T::Or, 0, T::Invalid, T::Invalid),
                b'~' if self.byte(1) == b'}' && matches!(self.modes.last(), Some(Mode::Inner(0))) => {
                    return self.close_template(2);
                }
                0x80.. if self.char().is_some_and(starts_name) => self.ident(),
                _ => {
                    let width = self.char().map_or(1, char::len_utf8);
                    self.take(T::Invalid, width);
                }
            }
        }
    }

    /// One of two tokens of two bytes, or else the one of the first byte alone.
    fn pair(&mut self, second: u8, kind: TokenKind, other: u8, other_kind: TokenKind, single: TokenKind) {
        match self.byte(1) {
            0 => self.take(single, 1),
            byte if byte == second => self.take(kind, 2),
            byte if byte == other => self.take(other_kind, 2),
            _ => self.take(single, 1),
        }
    }

    fn char(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn ident(&mut self) {
        let start = self.at;
        self.at = name_end(self.text, self.at);
        self.push(TokenKind::Ident, start);
    }

    /// Digits, a fraction and an exponent. A dot without a digit behind it does not belong to the number.
    fn number(&mut self) {
        let start = self.at;
        let digits = |lexer: &mut Self| {
            while lexer.byte(0).is_ascii_digit() {
                lexer.at += 1;
            }
        };
        digits(self);
        if self.byte(0) == b'.' && self.byte(1).is_ascii_digit() {
            self.at += 1;
            digits(self);
        }
        let sign = usize::from(matches!(self.byte(1), b'+' | b'-'));
        if matches!(self.byte(0), b'e' | b'E') && self.byte(1 + sign).is_ascii_digit() {
            self.at += 1 + sign;
            digits(self);
        }
        self.push(TokenKind::Number, start);
    }

    fn line_comment(&mut self) {
        let start = self.at;
        self.at = self.line_end(self.at);
        if self.bytes[self.at - 1] == b'\r' {
            self.at -= 1;
        }
        if self.comments {
            self.push(TokenKind::Comment, start);
        }
    }

    fn block_comment(&mut self) {
        let start = self.at;
        match self.text[self.at + 2..].find("*/") {
            Some(length) => self.at += 2 + length + 2,
            None => return self.take(TokenKind::Invalid, self.bytes.len() - self.at),
        }
        if self.comments {
            self.push(TokenKind::Comment, start);
        }
    }

    fn close_template(&mut self, width: usize) {
        self.take(TokenKind::CloseTemplate, width);
        self.modes.pop();
    }

    /// Reads `<<NAME` or `<<-NAME` and the end of the line. False when that is not what stands here.
    fn open_heredoc(&mut self) -> bool {
        let marker = self.at + 2 + usize::from(self.byte(2) == b'-');
        if !self.text.get(marker..).and_then(|rest| rest.chars().next()).is_some_and(starts_name) {
            return false;
        }
        let end = name_end(self.text, marker);
        let after = match &self.bytes[end..] {
            [b'\n', ..] => end + 1,
            [b'\r', b'\n', ..] => end + 2,
            _ => return false,
        };
        self.take(TokenKind::OpenHeredoc, after - self.at);
        self.modes.push(Mode::Heredoc(marker as u32, end as u32));
        true
    }

    /// Where the line ends: the offset of its `\n`, or the end of the text.
    fn line_end(&self, from: usize) -> usize {
        self.bytes[from..].iter().position(|byte| *byte == b'\n').map_or(self.bytes.len(), |length| from + length)
    }

    fn heredoc(&mut self, start: usize, end: usize) {
        self.lines(Some(&self.text[start..end]));
    }

    /// Reads lines of text until the mode changes. A line that is the marker alone ends a heredoc.
    fn lines(&mut self, marker: Option<&str>) {
        while self.is_going_on() {
            let at_line_start = self.at == 0 || self.bytes[self.at - 1] == b'\n';
            if let Some(marker) = marker.filter(|_| at_line_start) {
                let end = self.line_end(self.at);
                if end < self.bytes.len() && self.text[self.at..end].trim() == marker {
                    // The end of the line stays outside: it ends the argument too.
                    let carriage = usize::from(self.bytes[end - 1] == b'\r');
                    self.take(TokenKind::CloseHeredoc, end - carriage - self.at);
                    self.modes.pop();
                    return;
                }
            }
            let start = self.at;
            loop {
                self.at += run(&self.bytes[self.at..], SPECIAL, false);
                match self.byte(0) {
                    b'\n' => {
                        self.at += 1;
                        break self.push(TokenKind::LineText, start);
                    }
                    byte @ (b'$' | b'%') if self.byte(1) == byte && self.byte(2) == b'{' => self.at += 3,
                    b'$' | b'%' if self.byte(1) == b'{' => {
                        if self.at > start {
                            self.push(TokenKind::LineText, start);
                        }
                        return self.open_template();
                    }
                    0 if self.at >= self.bytes.len() => break self.push(TokenKind::LineText, start),
                    _ => self.at += 1,
                }
            }
        }
    }

    /// Takes `${`, `%{` and a strip marker.
    fn open_template(&mut self) {
        let kind = if self.byte(0) == b'$' { TokenKind::OpenInterpolation } else { TokenKind::OpenDirective };
        let strip = usize::from(self.byte(2) == b'~');
        self.take(kind, 2 + strip);
        self.modes.push(Mode::Inner(0));
    }

    /// Reads text between quotes until the mode changes.
    fn quoted(&mut self) {
        let start = self.at;
        loop {
            self.at += run(&self.bytes[self.at..], SPECIAL, false);
            match self.byte(0) {
                b'"' => {
                    self.quoted_text(start);
                    self.take(TokenKind::CloseQuote, 1);
                    self.modes.pop();
                    return;
                }
                b'\\' if self.byte(1) == b'\n' || (self.byte(1) == b'\r' && self.byte(2) == b'\n') => self.at += 1,
                b'\\' if self.at + 1 < self.bytes.len() => {
                    self.at += 1;
                    self.at += self.char().map_or(1, char::len_utf8);
                }
                byte @ (b'$' | b'%') if self.byte(1) == byte && self.byte(2) == b'{' => self.at += 3,
                b'$' | b'%' if self.byte(1) == b'{' => {
                    self.quoted_text(start);
                    self.open_template();
                    return;
                }
                b'\n' if self.is_code_after_line() => {
                    if self.at > start && self.bytes[self.at - 1] == b'\r' {
                        self.at -= 1;
                    }
                    self.quoted_text(start);
                    self.push(TokenKind::MissingQuote, self.at);
                    // What encloses this text on the line is broken as well.
                    self.modes.pop();
                    while self.modes.len() > 1 && matches!(self.modes.last(), Some(Mode::Inner(_) | Mode::Quoted)) {
                        self.modes.pop();
                    }
                    return;
                }
                0 if self.at >= self.bytes.len() => return self.quoted_text(start),
                _ => self.at += 1,
            }
        }
    }

    fn quoted_text(&mut self, start: usize) {
        if self.at > start {
            self.push(TokenKind::QuotedText, start);
        }
    }

    /// A quoted text goes on behind the end of its line, which is an error either way. Whether the quote was forgotten
    /// (the next line reads like configuration) or the text is meant to go on decides where reading resumes.
    fn is_code_after_line(&self) -> bool {
        let end = self.line_end(self.at + 1);
        let line = self.text[self.at + 1..end].trim();
        let name = name_end(line, 0);
        let after = line[name..].trim_start();
        line.is_empty()
            || line.starts_with(['}', ']', ')', '#', ','])
            || line.starts_with("//")
            || line.starts_with("/*")
            || (name > 0 && after.starts_with(['=', '{']))
            || (name > 0 && after.starts_with('"') && after.ends_with('{'))
    }
}

/// The end of the name that starts at `start`; `start` itself when none does.
fn name_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    if matches!(bytes.get(start), None | Some(b'0'..=b'9' | b'-')) {
        return start;
    }
    let mut at = start;
    loop {
        at += run(&bytes[at..], NAME, true);
        match bytes.get(at) {
            Some(0x80..) => match text[at..].chars().next() {
                Some(c) if if at == start { starts_name(c) } else { continues_name(c) } => at += c.len_utf8(),
                _ => return at,
            },
            _ => return at,
        }
    }
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-' || unicode_normalization::char::is_combining_mark(c)
}

/// Whether a text is a name as the language writes them.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && name_end(text, 0) == text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kinds and texts of all tokens, and that nothing but whitespace lies between them.
    fn check(text: &str, expect: &[(TokenKind, &str)]) {
        let tokens = lex(text, true);
        let found: Vec<_> =
            tokens.iter().map(|token| (token.kind, &text[token.start as usize..token.end as usize])).collect();
        assert_eq!(found, expect, "{text}");
        let mut end = 0;
        for token in tokens {
            let gap = &text[end..token.start as usize];
            assert!(gap.trim_matches([' ', '\t', '\u{feff}']).is_empty(), "{text}: {gap:?} is lost");
            end = token.end as usize;
        }
        assert_eq!(end, text.len());
    }

    #[test]
    fn tokens() {
        use TokenKind as T;
        check("", &[(T::End, "")]);
        check(
            "\u{feff}a-b = 1.5e3 # c\r\n",
            &[
                (T::Ident, "a-b"),
                (T::Assign, "="),
                (T::Number, "1.5e3"),
                (T::Comment, "# c"),
                (T::Newline, "\r\n"),
                (T::End, ""),
            ],
        );
        check(
            "x.0.é==y[*]...",
            &[
                (T::Ident, "x"),
                (T::Dot, "."),
                (T::Number, "0"),
                (T::Dot, "."),
                (T::Ident, "é"),
                (T::Equal, "=="),
                (T::Ident, "y"),
                (T::OpenBracket, "["),
                (T::Star, "*"),
                (T::CloseBracket, "]"),
                (T::Ellipsis, "..."),
                (T::End, ""),
            ],
        );
        check("/* a\n*/b // c", &[(T::Comment, "/* a\n*/"), (T::Ident, "b"), (T::Comment, "// c"), (T::End, "")]);
        check("`é&", &[(T::Invalid, "`"), (T::Ident, "é"), (T::Invalid, "&"), (T::End, "")]);
    }

    #[test]
    fn templates() {
        use TokenKind as T;
        check(
            "\"a\\\"$${b}${~ {\"k\"=1} ~}%{if}\"",
            &[
                (T::OpenQuote, "\""),
                (T::QuotedText, "a\\\"$${b}"),
                (T::OpenInterpolation, "${~"),
                (T::OpenBrace, "{"),
                (T::OpenQuote, "\""),
                (T::QuotedText, "k"),
                (T::CloseQuote, "\""),
                (T::Assign, "="),
                (T::Number, "1"),
                (T::CloseBrace, "}"),
                (T::CloseTemplate, "~}"),
                (T::OpenDirective, "%{"),
                (T::Ident, "if"),
                (T::CloseTemplate, "}"),
                (T::CloseQuote, "\""),
                (T::End, ""),
            ],
        );
        check(
            "<<-E\n a${x}\n  E \n",
            &[
                (T::OpenHeredoc, "<<-E\n"),
                (T::LineText, " a"),
                (T::OpenInterpolation, "${"),
                (T::Ident, "x"),
                (T::CloseTemplate, "}"),
                (T::LineText, "\n"),
                (T::CloseHeredoc, "  E "),
                (T::Newline, "\n"),
                (T::End, ""),
            ],
        );
        check(
            "\"a\nb = 1",
            &[
                (T::OpenQuote, "\""),
                (T::QuotedText, "a"),
                (T::MissingQuote, ""),
                (T::Newline, "\n"),
                (T::Ident, "b"),
                (T::Assign, "="),
                (T::Number, "1"),
                (T::End, ""),
            ],
        );
    }
}
