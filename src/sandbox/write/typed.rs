//! Bodies as they are read: what makes an apply or a strict write fail before any rule is looked at.

use serde_json::json;

use super::check::Form;
use super::fields::{element_step, shown};
use super::{Options, Strictness};
use crate::client::kube::types::{Json, Kind, ListKind, Type};
use crate::sandbox::api::answer::Refusal;
use crate::sandbox::store::Key;

/// Checks that a body can be applied: it says what it is, carries no owners, its fields are known and its list elements differ.
pub fn applicable(kind: &Kind, key: &Key, body: &mut Json) -> Result<(), Refusal> {
    if !body.is_object() {
        return Err(Refusal::bad_request("the body of an apply must be an object"));
    }
    if !body["metadata"].is_object() {
        body["metadata"] = json!({});
    }
    if !body["metadata"]["managedFields"].is_null() {
        return Err(Refusal::bad_request("metadata.managedFields must be nil"));
    }
    let namespace = body["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
    body["metadata"]["name"] = json!(&*key.name);
    if kind.namespaced {
        body["metadata"]["namespace"] = json!(&*key.namespace);
    }
    let mut said = Vec::new();
    if let Some(schema) = kind.schema() {
        typed(body, &Type::Struct(schema.clone()), "", &mut said);
    }
    if said.is_empty() {
        return Ok(());
    }
    let message = format!(
        "failed to create typed patch object ({}): {}",
        place(kind, &namespace, &key.name),
        match &said[..] {
            [one] => one.clone(),
            many => format!("errors:\n  {}", many.join("\n  ")),
        },
    );
    Err(Refusal::new(500, "", message))
}

/// An object as the messages of an apply name it.
fn place(kind: &Kind, namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}; {}/{}, Kind={}", kind.group, kind.version, kind.kind)
}

/// Fields nobody knows, values of a wrong type, and elements that are there twice.
fn typed(value: &Json, ty: &Type, path: &str, said: &mut Vec<String>) {
    let wrong = match (ty, value) {
        (_, Json::Null) => None,
        (Type::String | Type::Time | Type::Bytes, value) if !value.is_string() => {
            Some(format!("string, got &value.valueUnstructured{{Value:{value}}}"))
        }
        (Type::Int | Type::Number, value) if !value.is_number() => {
            Some(format!("numeric (int or float), got {}", go_type(value)))
        }
        (Type::Bool, value) if !value.is_boolean() => Some(format!("boolean, got &{{{value}}}")),
        (Type::List(_), value) if !value.is_array() => Some(format!("list, got &{{{value}}}")),
        (Type::Map(_) | Type::Struct(_), value) if !value.is_object() => Some(format!("map, got &{{{value}}}")),
        _ => None,
    };
    if let Some(wrong) = wrong {
        said.push(format!("{path}: expected {wrong}"));
        return;
    }
    match (value, ty) {
        (Json::Object(map), Type::Struct(structure)) => {
            for (name, inner) in map {
                match structure.field(name) {
                    Some(field) => typed(inner, &field.ty, &format!("{path}.{name}"), said),
                    None if structure.open => {}
                    None => said.push(format!("{path}.{name}: field not declared in schema")),
                }
            }
        }
        (Json::Object(map), Type::Map(inner)) => {
            for (name, value) in map {
                typed(value, &inner.element, &format!("{path}.{name}"), said);
            }
        }
        (Json::Array(items), Type::List(list)) => {
            let mut seen = std::collections::HashSet::new();
            for (at, item) in items.iter().enumerate() {
                let is_keyed = |keys: &[String]| keys.iter().any(|key| !item[key].is_null());
                let step = match &list.kind {
                    ListKind::Atomic => None,
                    ListKind::Set => element_step(item, list),
                    ListKind::Map(keys) => element_step(item, list).filter(|_| is_keyed(keys)),
                };
                let step = step.map_or_else(|| format!("[{at}]"), |step| shown(&step));
                if !seen.insert(step.clone()) {
                    said.push(format!("{path}: duplicate entries for key {step}"));
                }
                typed(item, &list.element, &format!("{path}{step}"), said);
            }
        }
        _ => {}
    }
}

/// The type that Go reads a JSON value into.
fn go_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "nil",
        Json::Bool(_) => "bool",
        Json::Number(_) => "int64",
        Json::String(_) => "string",
        Json::Array(_) => "[]interface {}",
        Json::Object(_) => "map[string]interface {}",
    }
}

/// Refuses a body that cannot be read as an object of its kind.
pub fn refuse_form(kind: &Kind, key: &Key, form: &Form, options: &Options) -> Result<(), Refusal> {
    let cannot = format!("{} in version {:?} cannot be handled as a {}", kind.kind, kind.version, kind.kind);
    if let Some((path, expected, found)) = form.mistyped.first() {
        let why = format!("json: cannot unmarshal {found} into field {path} of type {expected}");
        return Err(Refusal::bad_request(format!("{cannot}: {why}")));
    }
    if let Some(why) = &form.unreadable {
        if !options.writer.applies {
            return Err(Refusal::bad_request(format!("{cannot}: {why}")));
        }
        let message = format!(
            "failed to convert new object ({}) to proper version: unable to convert unstructured object to {}/{}, Kind={}: {why}",
            place(kind, &key.namespace, &key.name),
            kind.group,
            kind.version,
            kind.kind,
        );
        return Err(Refusal::new(500, "", message));
    }
    if options.strictness == Strictness::Strict && !form.unknown.is_empty() {
        let said: Vec<String> = form.unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
        return Err(Refusal::bad_request(format!("{cannot}: strict decoding error: {}", said.join(", "))));
    }
    Ok(())
}
