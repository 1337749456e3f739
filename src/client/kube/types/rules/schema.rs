//! Objects of custom resources against the OpenAPI schema of their definition.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::Regex;
use serde_json::json;

use super::super::Json;
use super::{Completeness, FieldError, FieldErrors, cel, formats, items, join};

/// What the schema of a definition refuses in an object whose defaults are filled in, and in its change from `old`. Rules in CEL are
/// evaluated unless other problems keep the API server from it, which is reported as it does.
pub fn validate(schema: &Json, object: &Json, old: Option<&Json>) -> Vec<FieldError> {
    let mut out = FieldErrors::new(Completeness::Whole);
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(part) = object.get(name).filter(|_| name != "metadata") {
            check(inner, part, name, &mut out);
        }
    }
    required(schema, object, "", &mut out);
    let blocks =
        |problem: &FieldError| problem.reason != "FieldValueInvalid" || problem.message.contains(" must be of type ");
    if !out.found.iter().any(blocks) {
        cel::check(schema, object, old, "", &mut out);
    } else if has_rules(schema) {
        let why = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
        out.invalid("<nil>", &Json::Null, why);
    }
    out.into_vec()
}

fn has_rules(schema: &Json) -> bool {
    match schema {
        Json::Object(map) => map.contains_key("x-kubernetes-validations") || map.values().any(has_rules),
        Json::Array(items) => items.iter().any(has_rules),
        _ => false,
    }
}

fn required(schema: &Json, value: &Json, path: &str, out: &mut FieldErrors) {
    for name in items(&schema["required"]).iter().filter_map(Json::as_str) {
        if value.is_object() && value.get(name).is_none() {
            out.required(join(path, name), "");
        }
    }
}

fn check(schema: &Json, value: &Json, path: &str, out: &mut FieldErrors) {
    // Where there is a default, nothing means it.
    if value.is_null() && (schema["nullable"] == true || !schema["default"].is_null()) {
        return;
    }
    if let Some(expected) = mistyped(schema, value) {
        let found = json!(name_of(value));
        return out.invalid(path, &found, &format!("{path} in body must be of type {expected}: {found}"));
    }
    let allowed = items(&schema["enum"]);
    if !allowed.is_empty() && !allowed.contains(value) {
        let texts: Vec<String> =
            allowed.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect();
        out.unsupported(path, value, &texts.iter().map(String::as_str).collect::<Vec<_>>());
    }
    match value {
        Json::Number(_) => number(schema, value, path, out),
        Json::String(text) => string(schema, text, value, path, out),
        Json::Array(list) => {
            if let Some(most) = schema["maxItems"].as_u64().filter(|most| list.len() as u64 > *most) {
                let message = format!("Too many: {}: must have at most {most} items", list.len());
                out.push(path, "FieldValueTooMany", message);
            }
            if let Some(least) = schema["minItems"].as_u64().filter(|least| (list.len() as u64) < *least) {
                let why = format!("{path} in body should have at least {least} items");
                out.invalid(path, &json!(list.len()), &why);
            }
            for (at, item) in list.iter().enumerate() {
                check(&schema["items"], item, &format!("{path}[{at}]"), out);
            }
        }
        Json::Object(map) => {
            required(schema, value, path, out);
            if let Some(most) = schema["maxProperties"].as_u64().filter(|most| map.len() as u64 > *most) {
                let message = format!("Too many: {}: must have at most {most} items", map.len());
                out.push(path, "FieldValueTooMany", message);
            }
            if let Some(least) = schema["minProperties"].as_u64().filter(|least| (map.len() as u64) < *least) {
                out.invalid(path, value, &format!("{path} in body should have at least {least} properties"));
            }
            for (name, inner) in map {
                let known = &schema["properties"][name];
                let (known, inner_path) = match known {
                    Json::Null => (&schema["additionalProperties"], format!("{path}[{name}]")),
                    known => (known, join(path, name)),
                };
                check(known, inner, &inner_path, out);
            }
        }
        Json::Null | Json::Bool(_) => {}
    }
    alternatives(schema, value, path, out);
}

fn alternatives(schema: &Json, value: &Json, path: &str, out: &mut FieldErrors) {
    let fits = |schema: &Json| {
        let mut inner = FieldErrors::new(Completeness::Whole);
        check(schema, value, path, &mut inner);
        inner.found.is_empty()
    };
    for one in items(&schema["allOf"]) {
        check(one, value, path, out);
    }
    let shown = json!("");
    let any = items(&schema["anyOf"]);
    if !any.is_empty() && !any.iter().any(fits) {
        out.invalid(path, &shown, &format!("{path:?} must validate at least one schema (anyOf)"));
    }
    let one = items(&schema["oneOf"]);
    if !one.is_empty() {
        let found = one.iter().filter(|schema| fits(schema)).count();
        if found != 1 {
            let found =
                if found == 0 { "Found none valid".to_owned() } else { format!("Found {found} valid alternatives") };
            let why = format!("{path:?} must validate one and only one schema (oneOf). {found}");
            out.invalid(path, &shown, &why);
        }
    }
    if schema["not"].is_object() && fits(&schema["not"]) {
        out.invalid(path, &shown, &format!("{path:?} must not validate the schema (not)"));
    }
}

fn number(schema: &Json, value: &Json, path: &str, out: &mut FieldErrors) {
    let Some(number) = value.as_f64() else { return };
    let shown = |bound: &Json| bound.to_string();
    let (least, most) = (&schema["minimum"], &schema["maximum"]);
    if let Some(bound) = least.as_f64() {
        let strict = schema["exclusiveMinimum"] == true;
        if number < bound || strict && number <= bound {
            let words = if strict { "greater than" } else { "greater than or equal to" };
            out.invalid(path, value, &format!("{path} in body should be {words} {}", shown(least)));
        }
    }
    if let Some(bound) = most.as_f64() {
        let strict = schema["exclusiveMaximum"] == true;
        if number > bound || strict && number >= bound {
            let words = if strict { "less than" } else { "less than or equal to" };
            out.invalid(path, value, &format!("{path} in body should be {words} {}", shown(most)));
        }
    }
    if let Some(step) = schema["multipleOf"].as_f64().filter(|step| *step > 0.0) {
        let share = number / step;
        if (share - share.round()).abs() > 1e-9 {
            let step = shown(&schema["multipleOf"]);
            out.invalid(path, value, &format!("{path} in body should be a multiple of {step}"));
        }
    }
}

fn string(schema: &Json, text: &str, value: &Json, path: &str, out: &mut FieldErrors) {
    let length = text.chars().count() as u64;
    if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
        out.push(path, "FieldValueTooLong", format!("Too long: may not be more than {most} bytes"));
    }
    if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
        out.invalid(path, value, &format!("{path} in body should be at least {least} chars long"));
    }
    if let Some(pattern) = schema["pattern"].as_str()
        && compiled(pattern).is_some_and(|compiled| !compiled.is_match(text))
    {
        out.invalid(path, value, &format!("{path} in body should match '{pattern}'"));
    }
    if let Some(format) = schema["format"].as_str()
        && !has_format(format, text)
    {
        out.invalid(path, value, &format!("{path} in body must be of type {format}: {value}"));
    }
}

/// A pattern, compiled once. Patterns that cannot be read here refuse nothing.
fn compiled(pattern: &str) -> Option<Arc<Regex>> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Option<Arc<Regex>>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(compiled) = known.get(pattern) {
        return compiled.clone();
    }
    let compiled = Regex::new(pattern).ok().map(Arc::new);
    known.insert(pattern.to_owned(), compiled.clone());
    compiled
}

/// Whether a text has a format. Formats that are not known here refuse nothing.
fn has_format(format: &str, text: &str) -> bool {
    match format {
        "date-time" | "datetime" => text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.parse::<jiff::civil::Date>().is_ok(),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "cidr" => formats::range_of(text).is_some(),
        "uuid" => uuid::Uuid::parse_str(text).is_ok(),
        "byte" => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).is_ok()
        }
        _ => true,
    }
}

fn name_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.is_f64() => "number",
        Json::Number(_) => "integer",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

/// The type a value should have, where it has another.
fn mistyped(schema: &Json, value: &Json) -> Option<String> {
    if schema["x-kubernetes-int-or-string"] == true {
        let good = value.is_string() || value.is_i64() || value.is_u64();
        return (!good).then(|| "integer,string".to_owned());
    }
    let expected = schema["type"].as_str()?;
    let is_whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
    let good = match (expected, value) {
        ("number", Json::Number(_)) => true,
        ("integer", Json::Number(_)) => is_whole,
        (_, value) => name_of(value) == expected,
    };
    (!good).then(|| expected.to_owned())
}
