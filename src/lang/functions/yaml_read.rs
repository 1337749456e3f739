//! Values from YAML, with Terraform's idea of what unquoted words mean: `yes` and `y` are true, `017` is 17, `2001-12-14` is a
//! timestamp.
//!
//! Different on purpose: text in blocks (`|`, `>`) is text. Terraform takes it for an unquoted word, and makes `true` of a
//! block that says `yes`.

use std::collections::HashMap;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use jiff::civil;

use crate::value::{Entries, Number, Str, Type, Value, convert, normalised};

/// How many nodes a document may have once aliases stand for their content, so that a few lines cannot mean billions.
const MOST_NODES: usize = 1_000_000;

const CORE: &str = "tag:yaml.org,2002:";

/// The value of the one document in a text.
///
/// # Errors
/// When it is malformed, empty, has several documents, or means something that the language cannot hold.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
    loop {
        match reader.next()? {
            (Event::StreamStart, _) => {}
            (Event::DocumentStart(..), _) => break,
            (_, at) => return Err(located(&at, "missing start of document")),
        }
    }
    let (event, at) = reader.next()?;
    let value = reader.node(event, at)?.value;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(value),
            (Event::DocumentEnd, _) => {}
            (_, at) => return Err(located(&at, "unexpected extra content after value")),
        }
    }
}

fn located(at: &Marker, reason: &str) -> String {
    format!("on line {}, column {}: {reason}", at.line(), at.col() + 1)
}

struct Reader<'t> {
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

/// A value, and how many nodes it stands for.
#[derive(Clone)]
struct Node {
    value: Value,
    nodes: usize,
    /// It is an unquoted `<<`.
    merge: bool,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Marker), String> {
        loop {
            match self.parser.next() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok((event, span))) => return Ok((event, span.start)),
                Some(Err(error)) => return Err(located(error.marker(), &error.info())),
                None => return Ok((Event::StreamEnd, Marker::default())),
            }
        }
    }

    /// The node that starts with an event.
    fn node(&mut self, event: Event<'t>, at: Marker) -> Result<Node, String> {
        let before = self.nodes;
        let (value, anchor, merge) = match event {
            Event::Alias(id) => {
                let node =
                    self.anchors.get(&id).cloned().ok_or_else(|| located(&at, "an alias inside its own anchor"))?;
                self.count(node.nodes, &at)?;
                return Ok(node);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let merge = plain && tag.is_none() && text == "<<";
                let tag = tag.as_deref();
                (scalar(&text, plain, tag).map_err(|reason| located(&at, &reason))?, anchor, merge)
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "seq", "sequence")?;
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, at) => items.push(self.node(event, at)?.value),
                    }
                }
                (Value::tuple(items), anchor, false)
            }
            Event::MappingStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "map", "mapping")?;
                (self.mapping()?, anchor, false)
            }
            _ => return Err(located(&at, "unexpected end of document")),
        };
        self.count(1, &at)?;
        let node = Node { value, nodes: self.nodes - before, merge };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, nodes: usize, at: &Marker) -> Result<(), String> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MOST_NODES { Err(located(at, "the document stands for too many values")) } else { Ok(()) }
    }

    fn mapping(&mut self) -> Result<Value, String> {
        let mut entries: Vec<(Str, Value)> = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                // Of a repeated key the last value stays; merged ones count where they are merged.
                return Ok(Value::Object(Entries::from_iter(entries)));
            }
            let key = self.node(event, at)?;
            let (event, value_at) = self.next()?;
            let part = self.node(event, value_at)?.value;
            if key.merge {
                match &part {
                    Value::Object(merged) => entries.extend(merged.iter().cloned()),
                    Value::Null(_) => {}
                    other => {
                        let kind = other.ty().friendly();
                        return Err(located(&value_at, &format!("cannot merge {kind} into mapping")));
                    }
                }
                continue;
            }
            match convert(&key.value, &Type::String) {
                Ok(Value::String(key)) => entries.push((key, part)),
                Ok(_) => return Err(located(&at, "mapping key cannot be null")),
                Err(_) => return Err(located(&at, "only strings are allowed as mapping keys")),
            }
        }
    }
}

/// The name of a core tag, written short or in full; otherwise the whole tag.
fn tag_name(tag: &Tag) -> Result<String, String> {
    let whole = format!("{}{}", tag.handle(), tag.suffix());
    match whole.strip_prefix(CORE) {
        Some(name) => Ok(name.to_owned()),
        // The lone `!` says that the content is no plain word.
        None if whole == "!" => Ok("!".to_owned()),
        None => Err(whole),
    }
}

fn check_tag(tag: Option<&Tag>, name: &str, kind: &str) -> Result<(), String> {
    match tag.map(tag_name) {
        None => Ok(()),
        Some(Ok(found)) if found == name || found == "!" => Ok(()),
        Some(Ok(found)) => Err(format!("can't interpret {kind} as {CORE}{found}")),
        Some(Err(found)) => Err(format!("can't interpret {kind} as {found}")),
    }
}

fn scalar(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Value, String> {
    let string = || Value::string(normalised(text.into()).into_owned());
    let Some(tag) = tag else { return if plain { resolve(text) } else { Ok(string()) } };
    let name = tag_name(tag).map_err(|whole| format!("unsupported tag {whole:?}"))?;
    match name.as_str() {
        "str" | "binary" | "!" => Ok(string()),
        "null" | "bool" | "int" | "float" | "timestamp" if !plain => Ok(string()),
        "null" | "bool" | "int" | "float" | "timestamp" => {
            let value = resolve(text)?;
            let fits = match (&value, name.as_str()) {
                (Value::Null(_), "null") | (Value::Bool(_), "bool") | (Value::Number(_), "float") => true,
                (Value::Number(number), "int") => number.is_integer(),
                (Value::String(_), "timestamp") => timestamp(text).is_some(),
                _ => false,
            };
            if fits { Ok(value) } else { Err(format!("cannot parse {text:?} as {CORE}{name}")) }
        }
        _ => Err(format!("unsupported tag \"!!{name}\"")),
    }
}

/// What an unquoted word means.
fn resolve(text: &str) -> Result<Value, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::NULL,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => infinite("+Inf")?,
        "-.inf" | "-.Inf" | "-.INF" => infinite("-Inf")?,
        ".nan" | ".NaN" | ".NAN" => return Err("floating point NaN is not supported".into()),
        _ => match number(text).or_else(|| timestamp(text)) {
            Some(value) => value,
            None => Value::string(normalised(text.into()).into_owned()),
        },
    })
}

fn infinite(text: &str) -> Result<Value, String> {
    Number::parse(text).map(Value::Number).map_err(|error| error.to_string())
}

fn number(text: &str) -> Option<Value> {
    let radix = |digits: &str, radix: u32| -> Option<Value> {
        let digits = dashu_int::IBig::from_str_radix(digits, radix).ok()?;
        Some(Value::Number(Number::from(digits)))
    };
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(digits) = text.strip_prefix("0x").filter(|digits| plain(digits)) {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o").filter(|digits| plain(digits)) {
        return radix(digits, 8);
    }
    // Digits with at most a sign, a point and an exponent; words such as `inf` and `1p3` are words.
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let decimal = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if decimal { Number::parse(text).ok().map(Value::Number) } else { None }
}

/// A date, or a date with a time, in the form of timestamps of the language, without fractions of seconds.
fn timestamp(text: &str) -> Option<Value> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some((&text[at + 1..], text.as_bytes()[at] == b' '))),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let date =
        civil::Date::new(small(year)?, i8::try_from(small(month)?).ok()?, i8::try_from(small(day)?).ok()?).ok()?;
    let Some((time, blank)) = time else { return Some(Value::string(format!("{date}T00:00:00Z"))) };
    // With a `T` the offset must be said; with a blank it must not.
    let (clock, offset) = match (time.find(['Z', '+', '-']), blank) {
        (None, true) => (time, "Z"),
        (Some(at), false) => time.split_at(at),
        _ => return None,
    };
    if offset != "Z" {
        let (hours, minutes) = offset[1..].split_once(':')?;
        if hours.len() != 2 || minutes.len() != 2 || small(hours)? > 23 || small(minutes)? > 59 {
            return None;
        }
    }
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut parts = clock.split(':');
    let (hour, minute, second) = (small(parts.next()?)?, small(parts.next()?)?, small(parts.next()?)?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(Value::string(format!("{date}T{hour:02}:{minute:02}:{second:02}{offset}")))
}

/// A number of one to four digits.
fn small(digits: &str) -> Option<i16> {
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_what_aliases_stand_for() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..20 {
            let previous = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{previous}]\n"));
        }
        assert!(read(&bomb).is_err_and(|error| error.ends_with("the document stands for too many values")));
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read("a: &a [*a]\n").is_err());
    }
}
