//! What the API server refuses: fields of the wrong type or name, missing fields, and the rules of each kind.

use serde_json::json;

use super::rules;
use crate::client::kube::types::{Json, Kind, Type, quantity};
use crate::sandbox::api::answer::{Cause, Refusal};

/// What is wrong with the form of an object: fields nobody knows, values of the wrong type.
#[derive(Debug, Default)]
pub struct Form {
    /// Paths of unknown fields: `spec.template.foo`.
    pub unknown: Vec<String>,
    /// Path, what was expected, what was found.
    pub mistyped: Vec<(String, &'static str, &'static str)>,
    /// Fields that must be there.
    pub missing: Vec<String>,
}

/// Looks at the form of an object. Unknown fields are removed from it, unless `keep`.
pub fn form(kind: &Kind, object: &mut Json) -> Form {
    let mut form = Form::default();
    if let Some(schema) = kind.schema() {
        walk(object, &Type::Struct(schema.clone()), "", &mut form);
    }
    form
}

fn walk(value: &mut Json, ty: &Type, path: &str, form: &mut Form) {
    let found = name_of(value);
    let expected = match (ty, &*value) {
        (Type::Any, _)
        | (_, Json::Null)
        | (Type::String | Type::Time | Type::Bytes, Json::String(_))
        | (Type::Int | Type::Number, Json::Number(_))
        | (Type::Bool, Json::Bool(_))
        | (Type::Quantity | Type::IntOrString, Json::String(_) | Json::Number(_))
        | (Type::List(_), Json::Array(_))
        | (Type::Map(_) | Type::Struct(_), Json::Object(_)) => None,
        (Type::String | Type::Time | Type::Bytes, _) => Some("string"),
        (Type::Int | Type::Number, _) => Some("numeric (int or float)"),
        (Type::Bool, _) => Some("boolean"),
        (Type::Quantity | Type::IntOrString, _) => Some("string or number"),
        (Type::List(_), _) => Some("list"),
        (Type::Map(_) | Type::Struct(_), _) => Some("map"),
    };
    if let Some(expected) = expected {
        form.mistyped.push((path.to_owned(), expected, found));
        return;
    }
    let inside = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (value, ty) {
        (Json::Object(map), Type::Struct(structure)) => {
            if !structure.open {
                let strangers: Vec<String> =
                    map.keys().filter(|name| structure.field(name).is_none()).cloned().collect();
                for name in strangers {
                    form.unknown.push(inside(&name));
                    map.shift_remove(&name);
                }
            }
            for field in &structure.fields {
                match map.get_mut(&field.name) {
                    Some(value) if !value.is_null() => walk(value, &field.ty, &inside(&field.name), form),
                    _ if field.required && field.default.is_none() => form.missing.push(inside(&field.name)),
                    _ => {}
                }
            }
        }
        (Json::Object(map), Type::Map(inner)) => {
            for (name, value) in map {
                walk(value, &inner.element, &inside(name), form);
            }
        }
        (Json::Array(items), Type::List(list)) => {
            for (at, item) in items.iter_mut().enumerate() {
                walk(item, &list.element, &format!("{path}[{at}]"), form);
            }
        }
        _ => {}
    }
}

fn name_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "list",
        Json::Object(_) => "map",
    }
}

/// Everything wrong with the content of an object of a right form, defaults filled in. `old` is what it replaces.
pub fn content(kind: &Kind, object: &Json, old: Option<&Json>, missing: &[String]) -> Result<(), Refusal> {
    let mut causes = Vec::new();
    metadata(kind, object, &mut causes);
    for path in missing {
        causes.push(Cause::required(path.clone(), ""));
    }
    // Rules that read fields presume that the required ones are there.
    rules::of_kind(kind, object, &mut causes);
    if let Some(old) = old {
        rules::of_change(kind, old, object, &mut causes);
    }
    // A missing field is said once, by the rule that knows more about it.
    let mut seen = std::collections::HashSet::new();
    causes.retain(|cause| seen.insert((cause.field.clone(), cause.reason)));
    if causes.is_empty() {
        return Ok(());
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    Err(Refusal::invalid(kind, name, &causes))
}

fn metadata(kind: &Kind, object: &Json, causes: &mut Vec<Cause>) {
    let meta = &object["metadata"];
    let name = meta["name"].as_str().unwrap_or_default();
    let label_only = matches!(kind.kind.as_str(), "Namespace" | "Service");
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
    } else if kind.group == "rbac.authorization.k8s.io" {
        if name.contains('/') || name == "." || name == ".." {
            causes.push(Cause::invalid("metadata.name", &json!(name), "may not contain '/'"));
        }
    } else if label_only && !is_label(name) {
        causes.push(Cause::invalid("metadata.name", &json!(name), LABEL_RULE));
    } else if !is_subdomain(name) {
        causes.push(Cause::invalid("metadata.name", &json!(name), SUBDOMAIN_RULE));
    }
    for (key, value) in meta["labels"].as_object().into_iter().flatten() {
        label("metadata.labels", key, value, causes);
    }
    for (key, _) in meta["annotations"].as_object().into_iter().flatten() {
        // Annotations are compared without regard to case.
        if !is_qualified(&key.to_lowercase()) {
            causes.push(Cause::invalid("metadata.annotations", &json!(key), QUALIFIED_RULE));
        }
    }
}

/// Checks a label's key and value.
pub fn label(field: &str, key: &str, value: &Json, causes: &mut Vec<Cause>) {
    if !is_qualified(key) {
        causes.push(Cause::invalid(field, &json!(key), QUALIFIED_RULE));
    }
    let text = value.as_str().unwrap_or_default();
    if !text.is_empty() && !is_name(text) {
        causes.push(Cause::invalid(field, value, VALUE_RULE));
    }
}

const LABEL_RULE: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', or '123-abc')";
const SUBDOMAIN_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com')";
const QUALIFIED_RULE: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, with an optional DNS subdomain prefix and '/'";
const VALUE_RULE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/// An RFC 1123 label.
pub fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= 63 && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// An RFC 1123 subdomain.
pub fn is_subdomain(text: &str) -> bool {
    let part = |part: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !part.is_empty() && part.chars().all(inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(part)
}

fn is_name(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.len() <= 63 && text.chars().all(inner) && ends(text.chars().next()) && ends(text.chars().last())
}

fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && is_name(name),
        None => is_name(key),
    }
}

/// Checks a quantity that must not be negative.
pub fn amount(field: &str, value: &Json, causes: &mut Vec<Cause>) {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if quantity::canonical(&text).is_none() {
        let why = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
        causes.push(Cause::invalid(field, value, why));
    } else if !quantity::is_not_negative(&text) {
        causes.push(Cause::invalid(field, value, "must be greater than or equal to 0"));
    }
}
