//! In which order a set holds lists, tuples, objects, maps and other sets.
//!
//! Terraform compares such elements by a text that it writes of them (observed beside Terraform 1.11: shorter collections come
//! after longer ones that begin alike, numbers go by their digits). Outputs, plans and everything that is made from a set show
//! that order.

use std::fmt::Write as _;

use unicode_normalization::char::is_combining_mark;

use super::{Number, Value};

/// Digits by which numbers are told apart.
const DIGITS: i64 = 10;

/// Whether values of this kind are sorted by their text rather than by themselves.
pub(super) fn by_text(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Set(_) | Value::Map(_) | Value::Tuple(_) | Value::Object(_))
}

/// What an element is sorted by. Elements that are unknown or null come after all others, in that order.
pub(super) fn key(value: &Value) -> (u8, String) {
    let rank = match value {
        Value::Unknown(_) => 1,
        Value::Null(_) => 2,
        _ => 0,
    };
    let mut out = String::new();
    write(value, &mut out);
    (rank, out)
}

/// The text that such an order compares: Terraform makes its hashes of it, too.
pub(super) fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    let mut sequence = |open: char, items: &mut dyn Iterator<Item = (Option<&str>, &Value)>, close: char| {
        out.push(open);
        for (name, item) in items {
            if let Some(name) = name {
                quote(name, out);
                out.push(':');
            }
            write(item, out);
            out.push(';');
        }
        out.push(close);
    };
    match value {
        Value::Null(_) => out.push('~'),
        Value::Unknown(_) => out.push('?'),
        Value::Bool(value) => out.push(if *value { 'T' } else { 'F' }),
        Value::Number(value) => number(value, out),
        Value::String(text) => quote(text.as_str(), out),
        Value::List(items) | Value::Set(items) => sequence('[', &mut items.items.iter().map(|item| (None, item)), ']'),
        Value::Tuple(items) => sequence('<', &mut items.iter().map(|item| (None, item)), '>'),
        // All objects of a set have the same attributes.
        Value::Object(entries) => sequence('<', &mut entries.values().map(|item| (None, item)), '>'),
        Value::Map(map) => {
            sequence('{', &mut map.entries.iter().map(|(name, item)| (Some(name.as_str()), item)), '}');
        }
        Value::Marked(marked) => write(&marked.value, out),
    }
}

/// As Go writes `%.10g`.
fn number(number: &Number, out: &mut String) {
    let Some(mut decimal) = number.exact_decimal() else {
        let _ = write!(out, "{number}");
        return;
    };
    decimal.round(DIGITS);
    if decimal.negative {
        out.push('-');
    }
    let digits = String::from_utf8_lossy(&decimal.digits).into_owned();
    let exponent = if digits.is_empty() { 0 } else { decimal.point - 1 };
    if (-4..DIGITS).contains(&exponent) {
        let before = usize::try_from(decimal.point).unwrap_or(0);
        match (digits.is_empty(), digits.get(before..)) {
            (true, _) => out.push('0'),
            (false, None) => {
                out.push_str(&digits);
                out.extend(std::iter::repeat_n('0', before - digits.len()));
            }
            (false, Some(_)) if decimal.point <= 0 => {
                out.push_str("0.");
                out.extend(std::iter::repeat_n('0', decimal.point.unsigned_abs() as usize));
                out.push_str(&digits);
            }
            (false, Some(after)) => {
                out.push_str(&digits[..before]);
                if !after.is_empty() {
                    out.push('.');
                    out.push_str(after);
                }
            }
        }
    } else {
        out.push_str(&digits[..1]);
        if digits.len() > 1 {
            out.push('.');
            out.push_str(&digits[1..]);
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "e{sign}{:02}", exponent.abs());
    }
}

/// As Go quotes a string: what cannot be printed is escaped.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            '\u{7}' => write!(out, "\\a"),
            '\u{8}' => write!(out, "\\b"),
            '\u{b}' => write!(out, "\\v"),
            '\u{c}' => write!(out, "\\f"),
            '\0'..' ' | '\u{7f}' => write!(out, "\\x{:02x}", u32::from(c)),
            '\'' => write!(out, "'"),
            _ if c.is_ascii() || is_combining_mark(c) || c.escape_debug().count() == 1 => write!(out, "{c}"),
            '\u{80}'..='\u{ffff}' => write!(out, "\\u{:04x}", u32::from(c)),
            _ => write!(out, "\\U{:08x}", u32::from(c)),
        };
    }
    out.push('"');
}
