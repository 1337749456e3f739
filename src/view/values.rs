//! Values in Terraform's JSON documents: what is known, and beside it where it is unknown or sensitive.
//!
//! These documents exist to hand values over; like Terraform's they hold sensitive ones too and say where they are.

use serde_json::{Map, Value as Json};

use crate::value::{Marks, Type, Value};

/// The known parts of a value: unknown attributes are left out, unknown elements are null.
pub(super) fn json_of(value: &Value) -> Json {
    match value {
        Value::Marked(marked) => json_of(&marked.value),
        Value::Null(_) | Value::Unknown(_) => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        // The number's own notation: its digits are not to be cut off by a float.
        Value::Number(number) => serde_json::from_str(&number.to_string()).unwrap_or(Json::Null),
        Value::String(text) => Json::String(text.to_string()),
        Value::List(sequence) | Value::Set(sequence) => sequence.items.iter().map(json_of).collect(),
        Value::Tuple(items) => items.iter().map(json_of).collect(),
        Value::Map(mapping) => known(mapping.entries.iter()),
        Value::Object(entries) => known(entries.iter()),
    }
}

fn known<'a>(entries: impl Iterator<Item = &'a (crate::value::Str, Value)>) -> Json {
    let known = entries.filter(|(_, value)| value.is_known());
    Json::Object(known.map(|(name, value)| (name.to_string(), json_of(value))).collect::<Map<_, _>>())
}

/// `true` where a value is unknown, in the shape of the value; attributes without anything unknown are left out.
pub(super) fn unknown_json(value: &Value) -> Json {
    shape(value, &|value| !value.is_known(), &|_| Json::Bool(false))
}

/// `true` where a value is sensitive, in the shape of the value.
pub(super) fn sensitive_json(value: &Value) -> Json {
    let unknown = |ty: &Type| match ty {
        Type::Object(_) | Type::Map(_) => Json::Object(Map::new()),
        Type::List(_) | Type::Set(_) | Type::Tuple(_) => Json::Array(Vec::new()),
        Type::Any | Type::Bool | Type::Number | Type::String => Json::Bool(false),
    };
    shape(value, &|value| value.marks().contains(Marks::SENSITIVE), &unknown)
}

fn shape(value: &Value, is: &dyn Fn(&Value) -> bool, unknown: &dyn Fn(&Type) -> Json) -> Json {
    if is(value) {
        return Json::Bool(true);
    }
    let entries = |entries: &crate::value::Entries| {
        let parts = entries.iter().map(|(name, part)| (name.to_string(), shape(part, is, unknown)));
        Json::Object(parts.filter(|(_, part)| *part != Json::Bool(false)).collect::<Map<_, _>>())
    };
    match value {
        Value::Marked(marked) => shape(&marked.value, is, unknown),
        Value::Unknown(open) => unknown(&open.ty),
        Value::Null(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => Json::Bool(false),
        Value::List(sequence) | Value::Set(sequence) => {
            sequence.items.iter().map(|part| shape(part, is, unknown)).collect()
        }
        Value::Tuple(items) => items.iter().map(|part| shape(part, is, unknown)).collect(),
        Value::Map(mapping) => entries(&mapping.entries),
        Value::Object(object) => entries(object),
    }
}
