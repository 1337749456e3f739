//! Attributes to fields and back: the few ways in which one value is written in two forms.

use crate::client::kube::types::{Json, Type as ApiType, quantity};
use crate::value::{Entries, Number, Str, Type, Value, from_json, to_json};

/// A known attribute's value as the API takes it.
pub fn to_json_of(value: &Value, ty: &ApiType, octal: bool) -> Json {
    match (value.bare(), ty) {
        (Value::String(text), ApiType::Int) => {
            let number = if octal { i64::from_str_radix(text, 8).ok() } else { text.parse::<i64>().ok() };
            number.map_or_else(|| Json::String(text.to_string()), Json::from)
        }
        (Value::String(text), ApiType::IntOrString) => {
            text.parse::<i64>().map_or_else(|_| Json::String(text.to_string()), Json::from)
        }
        (Value::String(text), _) => Json::String(text.to_string()),
        (Value::Bool(value), _) => Json::Bool(*value),
        (Value::Number(number), ApiType::String | ApiType::Quantity) => Json::String(number.to_string()),
        (Value::Number(number), _) => match number.as_i64() {
            Some(number) => Json::from(number),
            None => serde_json::from_str(&number.to_string()).unwrap_or_default(),
        },
        (Value::List(_) | Value::Set(_) | Value::Tuple(_), _) => {
            let element = match ty {
                ApiType::List(list) => list.element.clone(),
                _ => ApiType::Any,
            };
            let items = value.as_items().unwrap_or_default().iter();
            Json::Array(items.filter(|item| !item.is_null()).map(|item| to_json_of(item, &element, octal)).collect())
        }
        (Value::Map(_) | Value::Object(_), _) => {
            let entries = value.as_entries().into_iter().flatten();
            let entries = entries.filter(|(_, part)| !part.is_null());
            Json::Object(
                entries.map(|(name, part)| (name.to_string(), to_json_of(part, &ty.child(name), octal))).collect(),
            )
        }
        (Value::Null(_) | Value::Unknown(_) | Value::Marked(_), _) => Json::Null,
    }
}

/// A field as a value of an attribute's type.
pub fn from_json_of(field: &Json, ty: &Type, octal: bool) -> Value {
    match (field, ty) {
        (Json::Null, _) => Value::Null(ty.clone()),
        (Json::String(text), Type::String) => Value::string(text.as_str()),
        (Json::String(text), Type::Number) => {
            Number::parse(text).map_or_else(|_| Value::Null(ty.clone()), Value::Number)
        }
        (Json::String(text), Type::Bool) => Value::Bool(text == "true"),
        (Json::Number(number), Type::String) if octal => {
            Value::string(number.as_i64().map_or_else(|| number.to_string(), |mode| format!("{mode:04o}")))
        }
        (Json::Number(number), Type::String) => Value::string(number.to_string()),
        (Json::Number(number), Type::Number) => {
            Number::parse(&number.to_string()).map_or_else(|_| Value::Null(ty.clone()), Value::Number)
        }
        (Json::Bool(value), Type::Bool) => Value::Bool(*value),
        (Json::Bool(value), Type::String) => Value::string(value.to_string()),
        (Json::Array(items), Type::List(element)) => {
            Value::list((**element).clone(), items.iter().map(|item| from_json_of(item, element, octal)).collect())
        }
        (Json::Array(items), Type::Set(element)) => {
            Value::set((**element).clone(), items.iter().map(|item| from_json_of(item, element, octal)).collect())
        }
        // A struct of the API is a list of one object here.
        (Json::Object(_), Type::List(element)) => {
            Value::list((**element).clone(), vec![from_json_of(field, element, octal)])
        }
        (Json::Object(map), Type::Map(element)) => {
            let entries: Entries =
                map.iter().map(|(name, part)| (Str::from(name.as_str()), from_json_of(part, element, octal))).collect();
            Value::map((**element).clone(), entries)
        }
        (Json::Object(map), Type::Object(object)) => {
            let parts = object.iter().map(|(name, attribute)| {
                let wanted = name.replace('_', "").to_lowercase();
                let found = map.iter().find(|(field, _)| field.to_lowercase() == wanted).map(|(_, part)| part);
                let part = from_json_of(found.unwrap_or(&Json::Null), &attribute.ty, octal);
                // What the API leaves out is the zero of its type, as everywhere.
                (name.clone(), if part.is_null() { super::read::zero(&attribute.ty) } else { part })
            });
            Value::Object(parts.collect())
        }
        (other, Type::Any) => dynamic(other),
        _ => Value::Null(ty.clone()),
    }
}

/// JSON as a value of the type it implies.
pub fn dynamic(json: &Json) -> Value {
    // What was JSON a moment ago is still JSON.
    from_json(json.to_string().as_bytes()).unwrap_or_default()
}

/// A known value as JSON, by what it is.
pub fn json_of(value: &Value) -> Json {
    let (bare, _) = value.clone().unmark_deep();
    to_json(&bare).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Whether a field holds what was asked for: quantities by amount, empty as absent.
pub fn same(wanted: &Json, found: Option<&Json>, ty: &ApiType) -> bool {
    let Some(found) = found else { return is_zero(wanted) };
    match (wanted, found, ty) {
        (_, _, ApiType::Quantity) => {
            let text = |json: &Json| json.as_str().map_or_else(|| json.to_string(), str::to_owned);
            quantity::same(&text(wanted), &text(found))
        }
        (Json::Object(wanted), Json::Object(found), _) => {
            wanted.iter().all(|(name, part)| same(part, found.get(name), &ty.child(name)))
                && found.iter().all(|(name, part)| wanted.contains_key(name) || is_zero(part))
        }
        (Json::Array(wanted), Json::Array(found), _) => {
            let element = match ty {
                ApiType::List(list) => list.element.clone(),
                _ => ApiType::Any,
            };
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(a, b)| same(a, Some(b), &element))
        }
        (Json::Number(a), Json::Number(b), _) => a == b || a.as_f64() == b.as_f64(),
        _ => wanted == found,
    }
}

/// Whether a value is what the API leaves out: nothing, false, zero, empty.
pub fn is_zero(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Bool(value) => !value,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.values().all(is_zero),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forms() {
        let check =
            |value: Value, ty: ApiType, octal: bool, expect: Json| assert_eq!(to_json_of(&value, &ty, octal), expect);
        check(Value::from("3"), ApiType::Int, false, json!(3));
        check(Value::from("0644"), ApiType::Int, true, json!(420));
        check(Value::from("80"), ApiType::IntOrString, false, json!(80));
        check(Value::from("25%"), ApiType::IntOrString, false, json!("25%"));
        check(Value::int(5), ApiType::Int, false, json!(5));
        let back =
            |field: Json, ty: Type, octal: bool, expect: Value| assert_eq!(from_json_of(&field, &ty, octal), expect);
        back(json!(420), Type::String, true, Value::from("0644"));
        back(json!(3), Type::String, false, Value::from("3"));
        back(
            json!({ "a": "b" }),
            Type::map(Type::String),
            false,
            Value::map(Type::String, Entries::new().with("a", "b".into())),
        );
    }

    #[test]
    fn equality() {
        let check = |wanted: Json, found: Option<Json>, ty: ApiType, expect: bool| {
            assert_eq!(same(&wanted, found.as_ref(), &ty), expect, "{wanted} {found:?}");
        };
        check(json!("0.5"), Some(json!("500m")), ApiType::Quantity, true);
        check(json!(""), None, ApiType::String, true);
        check(json!("a"), None, ApiType::String, false);
        check(json!({ "a": 1 }), Some(json!({ "a": 1, "b": 2 })), ApiType::Any, false);
        check(json!([1, 2]), Some(json!([1, 2])), ApiType::Any, true);
    }
}
