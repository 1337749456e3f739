//! Configuration written from an object: what an `import` block without a resource block is given to begin with.
//!
//! In: a schema and an object that was read. Out: the arguments that would make it, as a value and as text. Not here: which
//! objects that is done for (`plan`), and the file (`cli`).

use std::fmt::Write as _;
use std::sync::Arc;

use crate::addr::ResourceAddr;
use crate::diag::SourceMap;
use crate::schema::{Attribute, Block, NestedBlock, Nesting, Presence};
use crate::value::{Entries, Str, Value, from_json, to_json};

use super::format::format;

/// The arguments of an object: what configuration may set of it, null for what it must not say.
pub fn arguments(block: &Block, object: &Value) -> Value {
    let Value::Object(values) = object else { return object.clone() };
    let of = |(name, value): &(Str, Value)| {
        let value = match (block.attribute(name), block.nested(name)) {
            (Some(attribute), _) if !is_written(name, attribute) || is_withheld(attribute) => {
                Value::Null(attribute.ty.clone())
            }
            (None, Some(nested)) => nested_arguments(nested, value),
            (Some(_), _) | (None, None) => value.clone(),
        };
        (name.clone(), value)
    };
    Value::Object(values.iter().map(of).collect::<Entries>())
}

fn nested_arguments(nested: &NestedBlock, value: &Value) -> Value {
    let each = |item: &Value| arguments(&nested.block, item);
    match value {
        Value::List(items) => Value::list(nested.block.ty(), items.items.iter().map(each).collect::<Vec<_>>()),
        Value::Set(items) => Value::set(nested.block.ty(), items.items.iter().map(each).collect::<Vec<_>>()),
        Value::Tuple(items) => Value::tuple(items.iter().map(each).collect::<Vec<_>>()),
        Value::Object(_) => each(value),
        other => other.clone(),
    }
}

/// Whether an attribute is an argument worth writing.
fn is_written(name: &str, attribute: &Attribute) -> bool {
    let id = name == "id" && attribute.presence == Presence::OptionalComputed;
    attribute.is_settable() && !id && attribute.deprecated.is_none()
}

/// Whether its value does not belong into a file.
fn is_withheld(attribute: &Attribute) -> bool {
    attribute.sensitive || attribute.write_only
}

/// The resource block that describes an object, in canonical form and without a line's end. `provider` is the configuration
/// that it names.
pub fn resource(addr: &ResourceAddr, provider: Option<&str>, block: &Block, object: &Value) -> String {
    let mut out = format!("resource \"{}\" \"{}\" {{\n", addr.kind, addr.name);
    if let Some(provider) = provider {
        let _ = writeln!(out, "provider = {provider}");
    }
    body(&mut out, block, object);
    out.push('}');
    canonical(out)
}

fn body(out: &mut String, block: &Block, object: &Value) {
    let part = |name: &str| match object {
        Value::Object(values) => values.get(name).cloned().unwrap_or(Value::NULL),
        _ => Value::NULL,
    };
    for (name, attribute) in block.attributes.iter().filter(|(name, attribute)| is_written(name, attribute)) {
        let _ = write!(out, "{name} = ");
        if is_withheld(attribute) {
            out.push_str("null # sensitive");
        } else {
            expression(out, &part(name), Texts::Json);
        }
        out.push('\n');
    }
    for (name, nested) in &block.blocks {
        let value = part(name);
        let items: Vec<(Option<Str>, Value)> = match &value {
            Value::List(items) | Value::Set(items) => items.items.iter().map(|item| (None, item.clone())).collect(),
            Value::Tuple(items) => items.iter().map(|item| (None, item.clone())).collect(),
            Value::Map(map) => map.entries.iter().map(|(key, item)| (Some(key.clone()), item.clone())).collect(),
            Value::Object(values) if nested.nesting == Nesting::Map => {
                values.iter().map(|(key, item)| (Some(key.clone()), item.clone())).collect()
            }
            Value::Object(_) => vec![(None, value.clone())],
            _ => Vec::new(),
        };
        for (label, item) in items {
            let label = label.map(|label| format!(" {}", quoted(&label))).unwrap_or_default();
            let _ = writeln!(out, "{name}{label} {{");
            body(out, &nested.block, &item);
            out.push_str("}\n");
        }
    }
}

/// A value as an expression in canonical form.
pub fn expression_text(value: &Value) -> String {
    let mut out = String::from("x = ");
    expression(&mut out, value, Texts::Quoted);
    let out = canonical(out);
    out.strip_prefix("x = ").map(|text| text.trim_end_matches('\n').to_owned()).unwrap_or(out)
}

/// A file that gives variables these values.
pub fn assignments(values: &Entries) -> String {
    let mut out = String::new();
    for (name, value) in values.iter() {
        let _ = write!(out, "{name} = ");
        expression(&mut out, value, Texts::Quoted);
        out.push('\n');
    }
    canonical(out)
}

/// The text in canonical form; what cannot be read again is left as it is, so that whoever sees it sees what is wrong.
fn canonical(text: String) -> String {
    let sources = SourceMap::default();
    let file = sources.add("generated.tf", text.as_str());
    format(&sources, file).unwrap_or(text)
}

/// How texts are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Texts {
    Quoted,
    /// Those that hold JSON as calls of `jsonencode`.
    Json,
}

fn expression(out: &mut String, value: &Value, texts: Texts) {
    match value {
        Value::Marked(marked) => expression(out, &marked.value, texts),
        Value::Null(_) | Value::Unknown(_) => out.push_str("null"),
        Value::Bool(value) => {
            let _ = write!(out, "{value}");
        }
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::String(text) => match json(text).filter(|_| texts == Texts::Json) {
            Some(inner) => {
                out.push_str("jsonencode(");
                expression(out, &inner, texts);
                out.push(')');
            }
            None => out.push_str(&quoted(text)),
        },
        Value::List(items) | Value::Set(items) => sequence(out, &items.items, texts),
        Value::Tuple(items) => sequence(out, items, texts),
        Value::Map(map) => entries(out, &map.entries, texts),
        Value::Object(values) => entries(out, values, texts),
    }
}

fn sequence(out: &mut String, items: &[Value], texts: Texts) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { ", " });
        expression(out, item, texts);
    }
    out.push(']');
}

fn entries(out: &mut String, values: &Entries, texts: Texts) {
    out.push('{');
    for (index, (name, value)) in values.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { "" });
        let key = if super::syntax::is_name(name) { name.to_string() } else { quoted(name) };
        let _ = write!(out, "{key} = ");
        expression(out, value, texts);
        out.push('\n');
    }
    out.push('}');
}

/// What a text holds that `jsonencode` would write just so; only objects and lists are worth it.
fn json(text: &str) -> Option<Value> {
    let looks = text.starts_with('{') || text.starts_with('[');
    let value = looks.then(|| from_json(text.as_bytes()).ok()).flatten()?;
    (to_json(&value).ok()? == text).then_some(value)
}

/// A text in quotes that means itself: nothing in it is a template.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The text of a file with generated blocks, each with the id that it was imported by.
pub fn file(blocks: &[(String, Arc<str>)]) -> String {
    let mut out = String::from(
        "# __generated__ by Terraform\n# Please review these resources and move them into your main configuration files.\n",
    );
    for (id, text) in blocks {
        let _ = write!(out, "\n# __generated__ by Terraform from {}\n{text}\n", quoted(id));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Type;

    #[test]
    fn objects_become_blocks() {
        let inner =
            Block::new([("size", Attribute::required(Type::Number)), ("made", Attribute::computed(Type::String))]);
        let block = Block::new([
            ("id", Attribute::optional_computed(Type::String)),
            ("name", Attribute::required(Type::String)),
            ("policy", Attribute::optional(Type::String)),
            ("secret", Attribute::optional(Type::String).sensitive()),
            ("tags", Attribute::optional(Type::map(Type::String))),
            ("ports", Attribute::optional(Type::list(Type::Number))),
            ("arn", Attribute::computed(Type::String)),
            ("old", Attribute::optional(Type::String).deprecated("gone")),
        ])
        .with_blocks([("disk", NestedBlock::new(Nesting::List, inner))]);
        let disk = Value::object([("size", Value::int(5)), ("made", Value::from("today"))]);
        let object = Value::object([
            ("id", Value::from("i-1")),
            ("name", Value::from("a ${b} \"c\"\n")),
            ("policy", Value::from("{\"a\":[1,true],\"b c\":null}")),
            ("secret", Value::from("hunter2")),
            ("tags", Value::map(Type::String, [("k".into(), Value::from("v"))].into_iter().collect::<Entries>())),
            ("ports", Value::list(Type::Number, vec![Value::int(1), Value::int(2)])),
            ("arn", Value::from("x")),
            ("old", Value::from("y")),
            ("disk", Value::list(disk.ty(), vec![disk.clone()])),
        ]);
        let addr = ResourceAddr::managed("t", "n");
        let expect = r#"resource "t" "n" {
  provider = aws.east
  name     = "a $${b} \"c\"\n"
  policy = jsonencode({
    a     = [1, true]
    "b c" = null
  })
  ports  = [1, 2]
  secret = null # sensitive
  tags = {
    k = "v"
  }
  disk {
    size = 5
  }
}"#;
        assert_eq!(resource(&addr, Some("aws.east"), &block, &object), expect);
        let Value::Object(values) = arguments(&block, &object) else { panic!("no object") };
        let of = |name: &str| values.get(name).is_some_and(Value::is_null);
        assert!(of("id") && of("secret") && of("arn") && of("old") && !of("name"));
    }
}
