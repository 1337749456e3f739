//! Runs the cases in `cases/`, which were recorded from `terraform console` 1.11.4.
//!
//! A line is `name ARGUMENTS => RESULT : TYPE` or `name ARGUMENTS !! MESSAGE`, with arguments and results as JSON. In arguments
//! `{"!set":[…]}`, `{"!list":[…]}` and `{"!map":{…}}` are values of those types; plain arrays and objects are tuples and
//! objects. `cases/deviations.txt` holds what is different here on purpose.

use std::path::Path;

use super::*;
use crate::value::{Type, Value, convert, from_json, to_json};

const CASES: &[(&str, &str)] = &[
    ("deviations", include_str!("cases/deviations.txt")),
    ("charsets", include_str!("cases/charsets.txt")),
    ("collections", include_str!("cases/collections.txt")),
    ("dates", include_str!("cases/dates.txt")),
    ("encoding", include_str!("cases/encoding.txt")),
    ("format", include_str!("cases/format.txt")),
    ("gzip", include_str!("cases/gzip.txt")),
    ("numbers", include_str!("cases/numbers.txt")),
    ("rsa", include_str!("cases/rsa.txt")),
    ("strings", include_str!("cases/strings.txt")),
    ("yaml", include_str!("cases/yaml.txt")),
];

fn context() -> Context<'static> {
    Context { base: Path::new("/nowhere"), files: &DirFiles, plan_time: None, now: None, env: None, templates: None }
}

/// Turns the wrappers of typed collections into such collections.
fn typed(value: &Value) -> Value {
    match value {
        Value::Tuple(items) => Value::tuple(items.iter().map(typed).collect::<Vec<_>>()),
        Value::Object(entries) => {
            if let Some((key, inner)) = entries.iter().next()
                && let Some(kind) = key.strip_prefix('!')
            {
                let ty = match kind {
                    "set" => Type::set(Type::Any),
                    "list" => Type::list(Type::Any),
                    _ => Type::map(Type::Any),
                };
                return convert(&typed(inner), &ty).unwrap_or_default();
            }
            Value::Object(entries.map_values(|_, value| typed(value)))
        }
        other => other.clone(),
    }
}

/// A type as `type()` of the console prints it, without blanks.
fn type_text(ty: &Type) -> String {
    let joined = |parts: Vec<String>| parts.join(",");
    match ty {
        Type::Any => "dynamic".into(),
        Type::List(element) => format!("list({})", type_text(element)),
        Type::Set(element) => format!("set({})", type_text(element)),
        Type::Map(element) => format!("map({})", type_text(element)),
        Type::Tuple(items) => format!("tuple([{}])", joined(items.iter().map(type_text).collect())),
        Type::Object(object) => {
            let attribute = |(name, attribute): &(crate::value::Str, crate::value::AttrType)| {
                format!("{name}:{}", type_text(&attribute.ty))
            };
            format!("object({{{}}})", joined(object.iter().map(attribute).collect()))
        }
        primitive => primitive.to_string(),
    }
}

fn outcome(name: &str, arguments: &str) -> String {
    let Some(function) = lookup(name) else { return format!("there is no function {name}") };
    let arguments = from_json(arguments.as_bytes()).map(|arguments| typed(&arguments)).unwrap_or_default();
    match function.call(arguments.as_items().unwrap_or_default(), &context()) {
        Ok(value) => {
            let (bare, _) = value.unmark_deep();
            let json = to_json(&bare).unwrap_or_else(|error| error.to_string());
            format!("=> {json} : {}", type_text(&bare.ty()))
        }
        Err(error) => format!("!! {}: {}", error.summary(), error.detail(function)),
    }
}

#[test]
fn answers_as_terraform() {
    let mut wrong = Vec::new();
    for (topic, cases) in CASES {
        for line in cases.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
            let mut json = serde_json::Deserializer::from_str(rest).into_iter::<serde::de::IgnoredAny>();
            json.next();
            let (arguments, expect) = rest.split_at(json.byte_offset());
            let got = outcome(name, arguments);
            // The console breaks lines, so that the number of blanks in its messages means nothing.
            let blanks = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let same = if got.starts_with("!!") { blanks(&got) == blanks(expect) } else { got == expect.trim_start() };
            if !same {
                wrong.push(format!("{topic}: {name} {arguments}\n  expect {}\n  got    {got}", expect.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
