//! Rules in CEL of the definitions of custom resources (`x-kubernetes-validations`).
//!
//! A rule that cannot be read, needs a function that is not there (some of Kubernetes' own library), or would take too long refuses nothing.

use std::collections::HashMap;
use std::panic::catch_unwind;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use cel::objects::{Key, Map};
use cel::{Context, Program, Value};
use serde_json::json;

use super::super::Json;
use super::{FieldErrors, items, join, text};

/// The API server takes no longer rules.
const LONGEST: usize = 8 * 1024;

/// A rule that goes over its values more often is left out: the API server does not take it either.
const STEPS: f64 = 1_000_000.0;

/// What the rules of a schema have against a value that has the schema's form, and against its change from an old one.
pub(super) fn check(schema: &Json, value: &Json, old: Option<&Json>, path: &str, out: &mut FieldErrors) {
    for rule in items(&schema["x-kubernetes-validations"]) {
        apply(rule, &Node { schema, value, old }, path, out);
    }
    match value {
        Json::Object(map) => {
            for (name, part) in map.iter().filter(|(name, _)| !(path.is_empty() && *name == "metadata")) {
                let old = old.and_then(|old| old.get(name));
                match &schema["properties"][name] {
                    Json::Null => check(&schema["additionalProperties"], part, old, &format!("{path}[{name}]"), out),
                    known => check(known, part, old, &join(path, name), out),
                }
            }
        }
        Json::Array(list) => {
            let keys: Vec<&str> =
                items(&schema["x-kubernetes-list-map-keys"]).iter().filter_map(Json::as_str).collect();
            for (at, item) in list.iter().enumerate() {
                let old = old.and_then(|old| counterpart(item, old, &keys));
                check(&schema["items"], item, old, &format!("{path}[{at}]"), out);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// The element of an old list that has the same keys; lists without keys have none.
fn counterpart<'a>(item: &Json, old: &'a Json, keys: &[&str]) -> Option<&'a Json> {
    let same = |one: &&Json| keys.iter().all(|key| one[*key] == item[*key]);
    items(old).iter().find(same).filter(|_| !keys.is_empty())
}

/// A place in an object.
struct Node<'a> {
    schema: &'a Json,
    value: &'a Json,
    old: Option<&'a Json>,
}

fn apply(rule: &Json, node: &Node<'_>, path: &str, out: &mut FieldErrors) {
    let written = text(&rule["rule"]);
    let Some(program) = compiled(written) else { return };
    let is_transition = program.references().has_variable("oldSelf");
    if (is_transition && node.old.is_none()) || rule["optionalOldSelf"] == true || is_endless(written, node.value) {
        return;
    }
    let context = context(node);
    if !matches!(program.execute(&context), Ok(Value::Bool(false))) {
        return;
    }
    let path = match text(&rule["fieldPath"]) {
        "" if path.is_empty() => "<nil>".to_owned(),
        "" => path.to_owned(),
        field => join(path, field.trim_start_matches('.')),
    };
    let why = message(rule, &context, written);
    let kind = json!(text(&node.schema["type"]));
    match text(&rule["reason"]) {
        "FieldValueForbidden" => out.forbidden(path, &why),
        "FieldValueRequired" => out.required(path, &why),
        "FieldValueDuplicate" => out.duplicate(path, &kind),
        _ => out.invalid(path, &kind, &why),
    }
}

/// What a rule says when it is broken.
fn message(rule: &Json, context: &Context<'_, '_>, written: &str) -> String {
    let computed = compiled(text(&rule["messageExpression"])).and_then(|program| match program.execute(context) {
        Ok(Value::String(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        _ => None,
    });
    let plain = Some(text(&rule["message"]).trim()).filter(|text| !text.is_empty()).map(str::to_owned);
    computed.or(plain).unwrap_or_else(|| format!("failed rule: {}", written.trim()))
}

fn context(node: &Node<'_>) -> Context<'static, 'static> {
    let mut context = Context::default();
    context.add_variable_from_value("self", converted(node.schema, node.value));
    if let Some(old) = node.old {
        context.add_variable_from_value("oldSelf", converted(node.schema, old));
    }
    context
}

/// A value with the types that the schema gives its numbers.
fn converted(schema: &Json, value: &Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64().filter(|_| schema["type"] != "number") {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::String(Arc::new(text.clone())),
        Json::Array(list) => Value::List(Arc::new(list.iter().map(|item| converted(&schema["items"], item)).collect())),
        Json::Object(map) => {
            let part = |(name, part): (&String, &Json)| {
                let known = &schema["properties"][name];
                let inner = if known.is_null() { &schema["additionalProperties"] } else { known };
                (Key::String(Arc::new(name.clone())), converted(inner, part))
            };
            Value::Map(Map { map: Arc::new(map.iter().map(part).collect()) })
        }
    }
}

/// Whether a rule whose macros go over the value inside of one another takes too long.
fn is_endless(rule: &str, value: &Json) -> bool {
    let macros = [".all(", ".exists(", ".exists_one(", ".map(", ".filter("];
    let depth: usize = macros.iter().map(|name| rule.matches(name).count()).sum();
    (count(value) as f64).powi(i32::try_from(depth).unwrap_or(i32::MAX)) > STEPS
}

fn count(value: &Json) -> usize {
    match value {
        Json::Array(list) => 1 + list.iter().map(count).sum::<usize>(),
        Json::Object(map) => 1 + map.values().map(count).sum::<usize>(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => 1,
    }
}

/// An expression, compiled once; `None` where it cannot be.
fn compiled(written: &str) -> Option<Arc<Program>> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Option<Arc<Program>>>>> = LazyLock::new(Mutex::default);
    if written.is_empty() || written.len() > LONGEST {
        return None;
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(compiled) = known.get(written) {
        return compiled.clone();
    }
    // The parser is not ours: what it does not expect shall not end the sandbox.
    let compiled = catch_unwind(|| Program::compile(written).ok()).ok().flatten().map(Arc::new);
    known.insert(written.to_owned(), compiled.clone());
    compiled
}

#[cfg(test)]
mod tests {
    use super::super::Completeness;
    use super::*;

    fn found(schema: &Json, value: &Json, old: Option<&Json>) -> Vec<String> {
        let mut out = FieldErrors::new(Completeness::Whole);
        check(schema, value, old, "spec", &mut out);
        out.into_vec().iter().map(|one| format!("{}: {}", one.path, one.message)).collect()
    }

    #[test]
    fn rules_and_transitions() {
        let rule = |rule: &str| json!({ "type": "object", "x-kubernetes-validations": [{ "rule": rule }] });
        let size = json!({ "size": 3, "names": ["a", "bb"] });
        for (text, holds) in [
            ("self.size <= 5", true),
            ("self.size < 3", false),
            ("!has(self.other) || self.other > 1", true),
            ("self.names.all(name, size(name) < 3)", true),
            ("self.names.exists(name, name.startsWith('c'))", false),
            ("self.names.all(name, name.matches('^[a-z]+$'))", true),
            ("self.size == oldSelf.size", true),
            ("this is none", true),
            ("quantity(self.size).isGreaterThan(quantity('9'))", true),
        ] {
            assert_eq!(found(&rule(text), &size, None).is_empty(), holds, "{text}");
        }
        let fixed = rule("self.size == oldSelf.size");
        assert!(found(&fixed, &size, Some(&size)).is_empty());
        assert_eq!(
            found(&fixed, &size, Some(&json!({ "size": 1 }))),
            ["spec: Invalid value: \"object\": failed rule: self.size == oldSelf.size"]
        );
    }

    #[test]
    fn what_a_broken_rule_says() {
        let one = |rule: Json| {
            let schema = json!({ "type": "object", "properties": { "a": { "type": "integer", "x-kubernetes-validations": [rule] } } });
            found(&schema, &json!({ "a": 7 }), None)
        };
        let (rule, message) = ("self < 5", "a is too much");
        assert_eq!(
            one(json!({ "rule": rule, "message": message })),
            ["spec.a: Invalid value: \"integer\": a is too much"]
        );
        let computed = json!({ "rule": rule, "message": message, "messageExpression": "'a is ' + string(self)" });
        assert_eq!(one(computed), ["spec.a: Invalid value: \"integer\": a is 7"]);
        let forbidden = json!({ "rule": rule, "message": message, "reason": "FieldValueForbidden", "fieldPath": ".b" });
        assert_eq!(one(forbidden), ["spec.a.b: Forbidden: a is too much"]);
    }

    #[test]
    fn elements_are_compared_by_their_keys() {
        let schema = json!({
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": { "type": "object", "x-kubernetes-validations": [{ "rule": "self.v >= oldSelf.v", "message": "it grows" }] },
        });
        let (old, new) = (json!([{ "name": "a", "v": 1 }, { "name": "b", "v": 5 }]), json!([{ "name": "b", "v": 4 }]));
        assert_eq!(found(&schema, &new, Some(&old)), ["spec[0]: Invalid value: \"object\": it grows"]);
    }

    #[test]
    fn rules_that_would_take_too_long_are_left_out() {
        let list = Json::Array((0..2000).map(|at| json!(at)).collect());
        assert!(!is_endless("self.all(a, a >= 0)", &list));
        assert!(is_endless("self.all(a, self.all(b, self.all(c, a + b >= c)))", &list));
    }
}
