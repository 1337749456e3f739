//! Values as literals of the language, in the two notations users know: the one of plans (`"x"`, bare keys) and the one of
//! outputs and the console (`tolist([…])`, quoted keys).

use std::fmt::Write as _;

use crate::value::{Marks, Type, Value};

/// What stands for a value that must not be shown.
pub const SENSITIVE: &str = "(sensitive value)";
/// What stands for a value that only the apply will tell.
pub const UNKNOWN: &str = "(known after apply)";

/// A text in quotes, control characters escaped. Template markers stay as they are: this is for reading.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x80 && c.is_control() => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            // Terminals act on control characters and on those that turn the direction of writing.
            c if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') =>
            {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key of an object: bare when it is an identifier, else quoted.
pub fn key(name: &str) -> String {
    let mut chars = name.chars();
    let starts = chars.next().is_some_and(|c| c == '_' || c.is_alphabetic());
    if starts && chars.all(|c| c == '_' || c == '-' || c.is_alphanumeric()) { name.to_owned() } else { quoted(name) }
}

/// A value without parts in one line: `"x"`, `1.5`, `true`, `null`. Collections give only their kind.
pub fn scalar(value: &Value) -> String {
    match value {
        Value::Marked(marked) if marked.marks.contains(Marks::SENSITIVE) => SENSITIVE.into(),
        Value::Marked(marked) => scalar(&marked.value),
        Value::Null(_) => "null".into(),
        Value::Unknown(_) => UNKNOWN.into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::List(_) | Value::Set(_) | Value::Tuple(_) => "[…]".into(),
        Value::Map(_) | Value::Object(_) => "{…}".into(),
    }
}

/// A value as `output` and `console` show it.
pub fn console(value: &Value) -> String {
    let mut out = String::new();
    write_console(&mut out, value, 0);
    out
}

fn write_console(out: &mut String, value: &Value, indent: usize) {
    match value {
        // That it is not known yet tells nothing about it.
        Value::Marked(marked) if !marked.value.is_known() => out.push_str(UNKNOWN),
        Value::Marked(marked) if marked.marks.contains(Marks::SENSITIVE) => out.push_str(SENSITIVE),
        Value::Marked(marked) if marked.marks.contains(Marks::EPHEMERAL) => out.push_str("(ephemeral value)"),
        Value::Marked(marked) => write_console(out, &marked.value, indent),
        Value::Null(ty) => out.push_str(&null(ty)),
        Value::Unknown(_) => out.push_str(UNKNOWN),
        Value::Bool(_) | Value::Number(_) => out.push_str(&scalar(value)),
        Value::String(text) => heredoc_or_quoted(out, text, indent),
        Value::List(sequence) => items(out, "tolist(", ")", &sequence.items, indent),
        Value::Set(sequence) => items(out, "toset(", ")", &sequence.items, indent),
        Value::Tuple(parts) => items(out, "", "", parts, indent),
        Value::Map(mapping) => entries(out, "tomap(", ")", mapping.entries.iter(), indent),
        Value::Object(attributes) => entries(out, "", "", attributes.iter(), indent),
    }
}

fn null(ty: &Type) -> String {
    match ty {
        Type::Any => "null".into(),
        Type::Bool => "tobool(null)".into(),
        Type::Number => "tonumber(null)".into(),
        Type::String => "tostring(null)".into(),
        Type::List(element) => format!("tolist(null) /* of {} */", element.friendly()),
        Type::Set(element) => format!("toset(null) /* of {} */", element.friendly()),
        Type::Map(element) => format!("tomap(null) /* of {} */", element.friendly()),
        Type::Tuple(_) => "null /* tuple */".into(),
        Type::Object(_) => "null /* object */".into(),
    }
}

fn heredoc_or_quoted(out: &mut String, text: &str, indent: usize) {
    if !text.contains('\n') {
        out.push_str(&quoted(text));
        return;
    }
    let mut delimiter = String::from("EOT");
    while text.lines().any(|line| line.trim() == delimiter) {
        delimiter.push('_');
    }
    let (marker, pad) = if indent > 0 { ("<<-", " ".repeat(indent)) } else { ("<<", String::new()) };
    let _ = writeln!(out, "{marker}{delimiter}");
    for line in text.split('\n') {
        let _ = writeln!(out, "{pad}{}", line.strip_suffix('\r').unwrap_or(line));
    }
    let _ = write!(out, "{pad}{delimiter}");
}

fn items(out: &mut String, open: &str, close: &str, items: &[Value], indent: usize) {
    if items.is_empty() {
        let _ = write!(out, "{open}[]{close}");
        return;
    }
    let _ = writeln!(out, "{open}[");
    for item in items {
        let _ = write!(out, "{:1$}", "", indent + 2);
        write_console(out, item, indent + 2);
        out.push_str(",\n");
    }
    let _ = write!(out, "{:indent$}]{close}", "");
}

fn entries<'a>(
    out: &mut String,
    open: &str,
    close: &str,
    entries: impl ExactSizeIterator<Item = &'a (crate::value::Str, Value)>,
    indent: usize,
) {
    if entries.len() == 0 {
        let _ = write!(out, "{open}{{}}{close}");
        return;
    }
    let _ = writeln!(out, "{open}{{");
    for (name, value) in entries {
        let _ = write!(out, "{:1$}", "", indent + 2);
        heredoc_or_quoted(out, name, indent + 2);
        out.push_str(" = ");
        write_console(out, value, indent + 2);
        out.push('\n');
    }
    let _ = write!(out, "{:indent$}}}{close}", "");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Entries;

    #[test]
    fn shows_values_like_the_console() {
        let check = |value: Value, expect: &str| assert_eq!(console(&value), expect);
        check(Value::from("${x} \t\" \\ ü \u{1}"), "\"${x} \\t\\\" \\\\ ü \\x01\"");
        check(Value::from("x\n\n"), "<<EOT\nx\n\n\nEOT");
        check(Value::from("x\nEOT\n"), "<<EOT_\nx\nEOT\n\nEOT_");
        check(Value::list(Type::String, vec![]), "tolist([])");
        check(Value::set(Type::Number, vec![Value::int(1)]), "toset([\n  1,\n])");
        check(
            Value::map(Type::String, [("a".into(), Value::from("1"))].into_iter().collect::<Entries>()),
            "tomap({\n  \"a\" = \"1\"\n})",
        );
        check(
            Value::object([("a b", Value::tuple([Value::from("x\ny")]))]),
            "{\n  \"a b\" = [\n    <<-EOT\n    x\n    y\n    EOT,\n  ]\n}",
        );
        check(Value::Null(Type::String), "tostring(null)");
        check(Value::Null(Type::list(Type::Bool)), "tolist(null) /* of bool */");
        check(Value::tuple([Value::NULL, Value::from("s").sensitive()]), "[\n  null,\n  (sensitive value),\n]");
        check(Value::unknown(Type::String), "(known after apply)");
    }

    #[test]
    fn quotes_keys_that_are_no_identifiers() {
        let check = |name: &str, expect: &str| assert_eq!(key(name), expect);
        check("a-b_1", "a-b_1");
        check("1a", "\"1a\"");
        check("a.b", "\"a.b\"");
        check("", "\"\"");
    }
}
