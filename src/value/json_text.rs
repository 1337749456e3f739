//! JSON text: a pull reader over bytes, and the writing of strings.
//!
//! A reader of its own instead of serde's because numbers must keep every digit, nesting must be bounded, errors must say
//! where they are, and values are built straight from the text.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The bytes that end a run of plain text in a string.
static ENDS_RUN: [bool; 256] = {
    let mut ends = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        ends[byte] = matches!(byte as u8, b'"' | b'\\' | 0..0x20);
        byte += 1;
    }
    ends
};

/// What tells where an array or an object ends.
static BRACKETS: [bool; 256] = {
    let mut brackets = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        brackets[byte] = matches!(byte as u8, b'"' | b'[' | b']' | b'{' | b'}');
        byte += 1;
    }
    brackets
};

/// What the next JSON value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

/// What is wrong with the text, and at which byte.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Malformed {
    pub offset: usize,
    pub message: Cow<'static, str>,
}

/// A position in JSON text.
pub struct Reader<'a> {
    text: &'a [u8],
    /// The same, where all of it is UTF-8: found out once, not for every string in it.
    readable: Option<&'a str>,
    at: usize,
    depth: usize,
    /// How deep it may get: reading recurses, and hostile input must not exhaust the stack.
    deepest: usize,
}

impl<'a> Reader<'a> {
    /// At the start of a text.
    pub fn new(text: &'a [u8]) -> Self {
        Reader { text, readable: std::str::from_utf8(text).ok(), at: 0, depth: 0, deepest: super::MAX_TEXT_DEPTH }
    }

    /// The same, for text that may nest less deep.
    #[must_use]
    pub fn at_most(self, deepest: usize) -> Self {
        Reader { deepest, ..self }
    }

    /// Passes over the next value by its brackets and strings only: where it stands. It has to be read with
    /// [`Reader::again`], which checks it.
    pub fn pass_over(&mut self) -> Result<Range<usize>, Malformed> {
        if !matches!(self.kind()?, Kind::Array | Kind::Object) {
            return self.skip();
        }
        let start = self.at;
        let mut open = 0usize;
        loop {
            let rest = &self.text[self.at..];
            let Some(length) = rest.iter().position(|byte| BRACKETS[usize::from(*byte)]) else {
                self.at = self.text.len();
                return Err(self.unexpected());
            };
            self.at += length;
            match self.text[self.at] {
                b'"' => {
                    self.skip_string()?;
                    continue;
                }
                b'[' | b'{' => open += 1,
                _ => open -= 1,
            }
            self.at += 1;
            if open == 0 {
                return Ok(start..self.at);
            }
        }
    }

    /// Reads, with `f`, a value that was passed over.
    pub fn again<T, E: From<Malformed>>(
        &mut self,
        value: Range<usize>,
        f: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let after = std::mem::replace(&mut self.at, value.start);
        let result = f(self)?;
        if self.at != value.end {
            return Err(self.unexpected().into());
        }
        self.at = after;
        Ok(result)
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    /// Where the reader is, as an offset of the text.
    pub fn place(&self) -> usize {
        self.at
    }

    /// Takes so many bytes, of which the caller knows that they are a whole value.
    pub fn pass(&mut self, count: usize) {
        self.at += count;
    }

    /// An error at this place.
    pub fn malformed(&self, message: impl Into<Cow<'static, str>>) -> Malformed {
        Malformed { offset: self.at, message: message.into() }
    }

    #[inline]
    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn unexpected(&self) -> Malformed {
        match self.text.get(self.at) {
            None => self.malformed("unexpected end of JSON input"),
            Some(byte) if byte.is_ascii_graphic() => {
                self.malformed(format!("invalid character '{}'", char::from(*byte)))
            }
            Some(_) => self.malformed("invalid character"),
        }
    }

    /// What comes next.
    pub fn kind(&mut self) -> Result<Kind, Malformed> {
        self.blanks();
        match self.text.get(self.at) {
            Some(b'n') => Ok(Kind::Null),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b'"') => Ok(Kind::String),
            Some(b'[') => Ok(Kind::Array),
            Some(b'{') => Ok(Kind::Object),
            _ => Err(self.unexpected()),
        }
    }

    /// Nothing but blanks is left.
    pub fn end(&mut self) -> Result<(), Malformed> {
        self.blanks();
        if self.at == self.text.len() { Ok(()) } else { Err(self.malformed("extra characters after the JSON value")) }
    }

    fn word(&mut self, word: &str) -> Result<(), Malformed> {
        if self.text[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Reads `null`, which [`Reader::kind`] saw.
    pub fn null(&mut self) -> Result<(), Malformed> {
        self.word("null")
    }

    /// Reads `true` or `false`, which [`Reader::kind`] saw.
    pub fn bool(&mut self) -> Result<bool, Malformed> {
        let value = self.text.get(self.at) == Some(&b't');
        self.word(if value { "true" } else { "false" })?;
        Ok(value)
    }

    /// Reads a number, which [`Reader::kind`] saw: its text.
    pub fn number(&mut self) -> Result<&'a str, Malformed> {
        let start = self.at;
        let digits = |reader: &mut Self| {
            let from = reader.at;
            while let Some(b'0'..=b'9') = reader.text.get(reader.at) {
                reader.at += 1;
            }
            if reader.at == from { Err(reader.unexpected()) } else { Ok(()) }
        };
        if self.text.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.text.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            digits(self)?;
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            digits(self)?;
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            digits(self)?;
        }
        let digits = match self.readable {
            Some(text) => text.get(start..self.at),
            None => std::str::from_utf8(&self.text[start..self.at]).ok(),
        };
        digits.ok_or_else(|| self.unexpected())
    }

    /// Reads a string, which [`Reader::kind`] saw. Bytes that are no text, and halves of surrogate pairs, become U+FFFD.
    pub fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.at += 1;
        let start = self.at;
        let (plain, is_ascii) = self.plain_run();
        if self.text.get(self.at) == Some(&b'"') {
            self.at += 1;
            return Ok(match self.readable.and_then(|text| text.get(start..self.at - 1)) {
                Some(text) if is_ascii => Cow::Borrowed(text),
                Some(text) => normalised(Cow::Borrowed(text)),
                None => normalised(String::from_utf8_lossy(plain)),
            });
        }
        let mut bytes = self.text[start..self.at].to_vec();
        loop {
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    return Ok(normalised(Cow::Owned(text)));
                }
                Some(b'\\') => {
                    self.at += 1;
                    let char = self.escape()?;
                    bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(0..0x20) => return Err(self.malformed("control character in a string")),
                _ => return Err(self.malformed("unexpected end of JSON input")),
            }
            bytes.extend_from_slice(self.plain_run().0);
        }
    }

    /// Reads past a string, checking what [`Reader::string`] checks.
    fn skip_string(&mut self) -> Result<(), Malformed> {
        self.at += 1;
        loop {
            self.plain_run();
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                Some(0..0x20) => return Err(self.malformed("control character in a string")),
                _ => return Err(self.malformed("unexpected end of JSON input")),
            }
        }
    }

    /// The bytes up to the next quote, backslash or control character, and whether they are ASCII.
    #[inline]
    fn plain_run(&mut self) -> (&'a [u8], bool) {
        let rest = &self.text[self.at..];
        let mut seen = 0;
        let ends = |byte: &u8| {
            let ends = ENDS_RUN[usize::from(*byte)];
            seen |= *byte;
            ends
        };
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        self.at += length;
        // What ends a run is ASCII itself.
        (&rest[..length], seen < 0x80)
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        let Some(byte) = self.text.get(self.at) else { return Err(self.unexpected()) };
        let char = match byte {
            b'"' | b'\\' | b'/' => char::from(*byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                let first = self.hex()?;
                if (0xD800..0xDC00).contains(&first) && self.text[self.at..].starts_with(b"\\u") {
                    let before = self.at;
                    self.at += 2;
                    let second = self.hex()?;
                    if (0xDC00..0xE000).contains(&second) {
                        let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = before;
                }
                return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            _ => return Err(self.malformed("invalid escape in a string")),
        };
        self.at += 1;
        Ok(char)
    }

    fn hex(&mut self) -> Result<u32, Malformed> {
        let digits = self.text.get(self.at..self.at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            Some(digits) => {
                self.at += 4;
                u32::from_str_radix(digits, 16).map_err(|_| self.unexpected())
            }
            None => Err(self.malformed("invalid \\u escape in a string")),
        }
    }

    /// Reads an array, which [`Reader::kind`] saw: calls `item` before each element, which it must read.
    pub fn array<E: From<Malformed>>(
        &mut self,
        mut item: impl FnMut(&mut Self, usize) -> Result<(), E>,
    ) -> Result<(), E> {
        self.open()?;
        let mut index = 0;
        loop {
            if self.close(b']', index == 0)? {
                return Ok(());
            }
            item(self, index)?;
            index += 1;
        }
    }

    /// Reads an object, which [`Reader::kind`] saw: calls `member` with each key; it must read the value.
    pub fn object<E: From<Malformed>>(
        &mut self,
        member: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.members(Self::string, member)
    }

    fn members<K, E: From<Malformed>>(
        &mut self,
        key: impl Fn(&mut Self) -> Result<K, Malformed>,
        mut member: impl FnMut(&mut Self, K) -> Result<(), E>,
    ) -> Result<(), E> {
        self.open()?;
        let mut first = true;
        loop {
            if self.close(b'}', first)? {
                return Ok(());
            }
            first = false;
            self.blanks();
            if self.text.get(self.at) != Some(&b'"') {
                return Err(self.unexpected().into());
            }
            let key = key(self)?;
            self.blanks();
            if self.text.get(self.at) != Some(&b':') {
                return Err(self.unexpected().into());
            }
            self.at += 1;
            member(self, key)?;
        }
    }

    fn open(&mut self) -> Result<(), Malformed> {
        self.at += 1;
        self.depth += 1;
        if self.depth > self.deepest { Err(self.malformed("exceeded max depth")) } else { Ok(()) }
    }

    /// Reads the end of an array or object, or the comma before the next part.
    fn close(&mut self, end: u8, first: bool) -> Result<bool, Malformed> {
        self.blanks();
        match self.text.get(self.at) {
            Some(byte) if *byte == end => {
                self.at += 1;
                self.depth -= 1;
                Ok(true)
            }
            Some(_) if first => Ok(false),
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Reads past the next value, whatever it is, checking it: where it stands.
    pub fn skip(&mut self) -> Result<Range<usize>, Malformed> {
        let kind = self.kind()?;
        let start = self.at;
        match kind {
            Kind::Null => self.null()?,
            Kind::Bool => drop(self.bool()?),
            Kind::Number => drop(self.number()?),
            Kind::String => self.skip_string()?,
            Kind::Array => self.array(|reader, _| reader.skip().map(drop))?,
            Kind::Object => self.members(Self::skip_string, |reader, ()| reader.skip().map(drop))?,
        }
        Ok(start..self.at)
    }
}

/// The text in normal form C, as every text of the language is.
pub fn normalised(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(&text) { text } else { Cow::Owned(text.nfc().collect()) }
}

/// Writes a string with its quotes. Angle brackets, ampersands and line separators are escaped, because Terraform's
/// `jsonencode` and its files have them so.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escape = match byte {
            b'"' | b'\\' => *byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0..0x20 | b'<' | b'>' | b'&' => b'u',
            // U+2028 and U+2029 are E2 80 A8 and E2 80 A9.
            0xE2 if matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xA8 | 0xA9])) => 0,
            _ => continue,
        };
        out.extend_from_slice(&bytes[start..at]);
        start = at + 1;
        match escape {
            0 => {
                out.extend_from_slice(if bytes[at + 2] == 0xA8 { b"\\u2028" } else { b"\\u2029" });
                start = at + 3;
            }
            b'u' => {
                out.extend_from_slice(b"\\u00");
                out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            escape => out.extend([b'\\', escape]),
        }
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}
