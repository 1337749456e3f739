//! What the API server refuses: fields of the wrong type or name, missing fields, and the rules of each kind.

use serde_json::json;

use super::rules;
use crate::client::kube::types::rules::{Completeness, formats};
use crate::client::kube::types::{self, Json, Kind, Type, quantity};
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
    /// Why a text cannot be read as what it stands for: a quantity, or base64.
    pub unreadable: Option<String>,
}

/// Looks at the form of an object. Unknown fields are removed from it, unless `keep`.
pub fn form(kind: &Kind, object: &mut Json) -> Form {
    let mut form = Form::default();
    if let Some(schema) = kind.schema() {
        walk(object, &Type::Struct(schema.clone()), "", &mut form);
        // What a custom resource may hold is told by the schema of its definition.
        if kind.type_name.is_none() {
            form.mistyped.retain(|(_, expected, _)| *expected != EITHER);
        }
    }
    form
}

const EITHER: &str = "string or number";

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
        (Type::Quantity | Type::IntOrString, _) => Some(EITHER),
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
        (Json::String(text), Type::Quantity) if quantity::canonical(text).is_none() => {
            form.unreadable.get_or_insert_with(|| QUANTITY.to_owned());
        }
        (Json::String(text), Type::Bytes) => {
            if let Some(at) = not_base64(text) {
                let why = format!("error decoding from json: illegal base64 data at input byte {at}");
                form.unreadable.get_or_insert(why);
            }
        }
        _ => {}
    }
}

const QUANTITY: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// Where a text stops being base64.
fn not_base64(text: &str) -> Option<usize> {
    use base64::Engine as _;
    match base64::engine::general_purpose::STANDARD.decode(text) {
        Ok(_) => None,
        Err(base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _)) => Some(at),
        Err(base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding) => Some(text.len()),
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

/// Everything wrong with the content of an object of a right form, defaults filled in. `old` is what it replaces, `schema` that of a
/// custom resource.
pub fn content(
    kind: &Kind,
    object: &Json,
    old: Option<&Json>,
    missing: &[String],
    schema: Option<&Json>,
) -> Result<(), Refusal> {
    let mut causes = Vec::new();
    metadata(kind, object, &mut causes);
    let found = match schema {
        Some(schema) => types::rules::validate(schema, object, old),
        None => types::rules::problems(kind, object, Completeness::Whole),
    };
    for path in missing {
        causes.push(Cause::required(path.clone(), ""));
    }
    // Rules that read fields presume that the required ones are there.
    rules::of_kind(kind, object, &mut causes);
    causes.extend(found.into_iter().map(Cause::from));
    if let Some(old) = old {
        causes.extend(types::rules::changes(kind, old, object).into_iter().map(Cause::from));
        rules::of_change(kind, old, object, &mut causes);
    }
    let causes = once(causes);
    if causes.is_empty() {
        return Ok(());
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    Err(Refusal::invalid(kind, name, &causes))
}

/// Each problem once. What is required may be reported twice: the rule that knows more about it counts.
fn once(causes: Vec<Cause>) -> Vec<Cause> {
    let mut kept: Vec<Cause> = Vec::new();
    for cause in causes {
        let required = |one: &Cause| one.reason == "FieldValueRequired";
        let same = |one: &&mut Cause| {
            one.field == cause.field && (one.message == cause.message || required(one) && required(&cause))
        };
        match kept.iter_mut().find(same) {
            Some(one) if one.message.len() < cause.message.len() => *one = cause,
            Some(_) => {}
            None => kept.push(cause),
        }
    }
    kept
}

fn metadata(kind: &Kind, object: &Json, causes: &mut Vec<Cause>) {
    let meta = &object["metadata"];
    let name = meta["name"].as_str().unwrap_or_default();
    let format = match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") => formats::label,
        ("", "Service") => formats::label_1035,
        ("rbac.authorization.k8s.io", _) => no_slash,
        ("batch", "CronJob") => cron_job,
        _ => formats::subdomain,
    };
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
    } else if let Some(why) = format(name) {
        causes.push(Cause::invalid("metadata.name", &json!(name), &why));
    }
    labels("metadata.labels", &meta["labels"], causes);
    for (key, _) in meta["annotations"].as_object().into_iter().flatten() {
        // Annotations are compared without regard to case.
        if let Some(why) = formats::qualified(&key.to_lowercase()) {
            causes.push(Cause::invalid("metadata.annotations", &json!(key), &why));
        }
    }
    let standard = ["kubernetes", "orphan", "foregroundDeletion"];
    for (at, finalizer) in meta["finalizers"].as_array().into_iter().flatten().enumerate() {
        let text = finalizer.as_str().unwrap_or_default();
        let field = format!("metadata.finalizers[{at}]");
        if let Some(why) = formats::qualified(text) {
            causes.push(Cause::invalid(field, finalizer, &why));
        } else if !text.contains('/') && !standard.contains(&text) && kind.group != "apiextensions.k8s.io" {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            causes.push(Cause::invalid(field, finalizer, why));
        }
    }
}

fn no_slash(name: &str) -> Option<String> {
    match name {
        "." | ".." => Some(format!("may not be '{name}'")),
        _ => ['/', '%'].iter().find(|c| name.contains(**c)).map(|c| format!("may not contain '{c}'")),
    }
}

/// The jobs that a schedule makes have names of their own, which are eleven characters longer.
fn cron_job(name: &str) -> Option<String> {
    formats::subdomain(name).or_else(|| (name.len() > 52).then(|| "must be no more than 52 characters".to_owned()))
}

/// Checks the keys and values of labels.
pub fn labels(field: &str, labels: &Json, causes: &mut Vec<Cause>) {
    for (key, value) in labels.as_object().into_iter().flatten() {
        if let Some(why) = formats::qualified(key) {
            causes.push(Cause::invalid(field, &json!(key), &why));
        }
        if let Some(why) = value.as_str().and_then(formats::label_value) {
            causes.push(Cause::invalid(field, value, &why));
        }
    }
}

/// Checks a quantity that must not be negative.
pub fn amount(field: &str, value: &Json, causes: &mut Vec<Cause>) {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if quantity::canonical(&text).is_none() {
        causes.push(Cause::invalid(field, value, QUANTITY));
    } else if !quantity::is_not_negative(&text) {
        causes.push(Cause::invalid(field, value, "must be greater than or equal to 0"));
    }
}
