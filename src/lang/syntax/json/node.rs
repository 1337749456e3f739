//! JSON text to nodes with their places.

use std::borrow::Cow;

use super::super::parser::{MAX_NESTING, Parsed, Stop};
use crate::diag::{Diagnostic, Diagnostics, FileId, Span, did_you_mean};

/// A JSON value where it was written.
pub(super) struct Node<'a> {
    pub kind: Kind<'a>,
    pub span: Span,
}

pub(super) enum Kind<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    String(Text<'a>),
    Array(Vec<Node<'a>>),
    Object(Vec<Property<'a>>),
}

/// A property of an object.
pub(super) struct Property<'a> {
    pub name: Text<'a>,
    pub value: Node<'a>,
}

/// A string: what it stands for, and what stands between its quotes.
pub(super) struct Text<'a> {
    pub value: Cow<'a, str>,
    pub raw: &'a str,
    /// With its quotes.
    pub span: Span,
}

/// Reads one value.
pub(super) struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    file: FileId,
    at: usize,
    depth: u32,
    pub said: Diagnostics,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a str, file: FileId) -> Self {
        Reader { text, bytes: text.as_bytes(), file, at: 0, depth: 0, said: Diagnostics::none() }
    }

    /// The whole text as one value; `None` when it is none.
    pub fn whole(&mut self) -> Option<Node<'a>> {
        let node = self.value().ok()?;
        self.blanks();
        if self.at < self.bytes.len() {
            let span = self.span(self.at);
            self.say("Extraneous data after value", "Extra characters appear after the JSON value.", span);
        }
        Some(node)
    }

    fn span(&self, start: usize) -> Span {
        let end = if start == self.at { self.at + 1 } else { self.at };
        Span { file: self.file, start: start as u32, end: end.min(self.bytes.len()) as u32 }
    }

    fn say(&mut self, summary: &str, detail: impl Into<String>, span: Span) {
        self.said.push(Diagnostic::error(summary, detail).at(span));
    }

    fn fail<T>(&mut self, summary: &str, detail: impl Into<String>, span: Span) -> Parsed<T> {
        self.say(summary, detail, span);
        Err(Stop)
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.at += 1;
        }
    }

    /// Takes a byte if it is the next one that is no blank.
    fn accept(&mut self, byte: u8) -> bool {
        self.blanks();
        let found = self.byte() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self) -> Parsed<Node<'a>> {
        self.blanks();
        let start = self.at;
        let kind = match self.byte() {
            None => return self.fail("Missing value", "The JSON data ends prematurely.", self.span(start)),
            Some(b'{') => self.inside(Self::object)?,
            Some(b'[') => self.inside(Self::array)?,
            Some(b'"') => Kind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.keyword()?,
            // What follows may be good: only the value is missing.
            Some(b'}' | b']' | b',') => {
                self.say("Missing JSON value", "A JSON value is expected here.", self.span(start));
                return Ok(Node { kind: Kind::Null, span: self.span(start) });
            }
            Some(b'\'') => {
                let detail =
                    "A JSON value is expected here. Strings are enclosed in double quotes, not in single ones.";
                return self.fail("Invalid JSON value", detail, self.span(start));
            }
            Some(_) => {
                return self.fail("Invalid start of value", "A JSON value is expected here.", self.span(start));
            }
        };
        Ok(Node { kind, span: self.span(start) })
    }

    fn inside(&mut self, read: fn(&mut Self, usize) -> Parsed<Kind<'a>>) -> Parsed<Kind<'a>> {
        let start = self.at;
        if self.depth >= MAX_NESTING {
            let detail = format!("At most {MAX_NESTING} objects and arrays may enclose each other.");
            return self.fail("Nested too deeply", detail, self.span(start));
        }
        self.depth += 1;
        self.at += 1;
        let result = read(self, start);
        self.depth -= 1;
        result
    }

    fn object(&mut self, open: usize) -> Parsed<Kind<'a>> {
        let mut properties = Vec::new();
        loop {
            if self.accept(b'}') {
                return Ok(Kind::Object(properties));
            }
            let start = self.at;
            let name = match self.byte() {
                Some(b'"') => self.string()?,
                None => return self.unclosed("object", "brace", open),
                Some(_) => {
                    let detail = "The name of a property is a string in double quotes.";
                    return self.fail("Invalid object property name", detail, self.span(start));
                }
            };
            if !self.accept(b':') {
                let detail = "A colon must stand between the name of a property and its value.";
                return self.fail("Missing property value colon", detail, self.span(self.at));
            }
            let value = self.value()?;
            properties.push(Property { name, value });
            if self.accept(b',') {
                let comma = Span { start: self.at as u32 - 1, end: self.at as u32, file: self.file };
                self.blanks();
                if self.byte() == Some(b'}') {
                    let detail = "JSON does not permit a comma behind the last property of an object.";
                    return self.fail("Trailing comma in object", detail, comma);
                }
            } else if self.byte().is_none() {
                return self.unclosed("object", "brace", open);
            } else if self.byte() != Some(b'}') {
                let detail = "A comma must appear between the properties of an object.";
                return self.fail("Missing attribute seperator comma", detail, self.span(self.at));
            }
        }
    }

    fn array(&mut self, open: usize) -> Parsed<Kind<'a>> {
        let mut items = Vec::new();
        loop {
            if self.accept(b']') {
                return Ok(Kind::Array(items));
            }
            if self.byte().is_none() {
                return self.unclosed("array", "bracket", open);
            }
            items.push(self.value()?);
            if self.accept(b',') {
                let comma = Span { start: self.at as u32 - 1, end: self.at as u32, file: self.file };
                self.blanks();
                if self.byte() == Some(b']') {
                    let detail = "JSON does not permit a comma behind the last value of an array.";
                    return self.fail("Trailing comma in array", detail, comma);
                }
            } else if !matches!(self.byte(), None | Some(b']')) {
                let detail = "A comma must appear between each value in an array.";
                return self.fail("Missing attribute seperator comma", detail, self.span(self.at));
            }
        }
    }

    fn unclosed<T>(&mut self, what: &str, bracket: &str, open: usize) -> Parsed<T> {
        let span = Span { file: self.file, start: open as u32, end: open as u32 + 1 };
        self.fail(&format!("Unclosed {what}"), format!("No closing {bracket} was found for this JSON {what}."), span)
    }

    fn keyword(&mut self) -> Parsed<Kind<'a>> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_alphanumeric()) {
            self.at += 1;
        }
        match &self.text[start..self.at] {
            "null" => Ok(Kind::Null),
            "true" => Ok(Kind::Bool(true)),
            "false" => Ok(Kind::Bool(false)),
            word => {
                let hint = did_you_mean(word, ["null", "true", "false"]);
                let detail = format!("{word:?} is not a valid JSON keyword.{hint}");
                self.say("Invalid JSON keyword", detail, self.span(start));
                Ok(Kind::Null)
            }
        }
    }

    fn number(&mut self) -> Parsed<Kind<'a>> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')) {
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        if is_number(text) {
            return Ok(Kind::Number(text));
        }
        let span = self.span(start);
        self.fail("Invalid JSON number", "There is a syntax error in the given JSON number.", span)
    }

    /// A string, which begins here.
    fn string(&mut self) -> Parsed<Text<'a>> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(byte) if byte >= 0x20 => self.at += 1,
                Some(_) | None => {
                    self.at = self.at.min(self.bytes.len());
                    let span = self.span(start);
                    return self.fail("Invalid JSON string", "This string has no closing quote on its line.", span);
                }
            }
        }
        self.at += 1;
        let (raw, span) = (&self.text[start + 1..self.at - 1], self.span(start));
        let value = match unescaped(raw) {
            _ if !raw.contains('\\') => Cow::Borrowed(raw),
            Some((value, _)) => Cow::Owned(value),
            None => {
                let detail = "There is a syntax error in the given JSON string: a backslash may only stand before \" \\ / b f n r t, or u and four digits.";
                return self.fail("Invalid JSON string", detail, span);
            }
        };
        Ok(Text { value, raw, span })
    }
}

fn is_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}

/// What a string stands for, and for every byte of that, and its end, where in `raw` it comes from.
pub(super) fn unescaped(raw: &str) -> Option<(String, Vec<u32>)> {
    let (mut value, mut places) = (String::with_capacity(raw.len()), Vec::with_capacity(raw.len() + 1));
    let mut at = 0;
    while let Some(c) = raw[at..].chars().next() {
        let (c, taken) = if c == '\\' { escape(&raw[at..])? } else { (c, c.len_utf8()) };
        places.extend(std::iter::repeat_n(at as u32, c.len_utf8()));
        value.push(c);
        at += taken;
    }
    places.push(at as u32);
    Some((value, places))
}

/// The character that the escape at the start of a text stands for, and the length of the escape.
fn escape(text: &str) -> Option<(char, usize)> {
    let simple = match text.as_bytes().get(1)? {
        c @ (b'"' | b'\\' | b'/') => char::from(*c),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(text),
        _ => return None,
    };
    Some((simple, 2))
}

fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let first = unit(2)?;
    if (0xd800..0xdc00).contains(&first)
        && text.get(6..8) == Some("\\u")
        && let Some(second) = unit(8).filter(|second| (0xdc00..0xe000).contains(second))
    {
        let c = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))?;
        return Some((c, 12));
    }
    // Half a pair stands for no character.
    Some((char::from_u32(first).unwrap_or('\u{fffd}'), 6))
}
