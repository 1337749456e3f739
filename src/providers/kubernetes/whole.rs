//! Objects of manifests as values: with every field that their kind has, null where nothing is set, so that an expression that refers to such a
//! field gets null and no error, and so that the Terraform provider finds in state what it would have written itself.

use super::scalar::dynamic;
use crate::client::kube::types::{Json, Kind, Struct, Type as ApiType};
use crate::value::{Entries, Number, Str, Type, Value};

/// An object of a kind.
pub fn of_kind(found: &Json, kind: &Kind) -> Value {
    value(Some(found), &kind.schema().cloned().map_or(ApiType::Any, ApiType::Struct))
}

/// A field's value; `None` where the object has none.
pub fn value(found: Option<&Json>, ty: &ApiType) -> Value {
    let Some(found) = found.filter(|found| !found.is_null()) else { return absent(ty) };
    match (ty, found) {
        (ApiType::Struct(structure), Json::Object(map)) if !is_loose(structure) => {
            let known = structure.fields.iter().map(|field| {
                let part = value(map.get(&field.name), &field.ty);
                (Str::from(field.name.as_str()), part)
            });
            let others = map.iter().filter(|(name, _)| structure.field(name).is_none());
            let others = others.map(|(name, part)| (Str::from(name.as_str()), dynamic(part)));
            Value::Object(known.chain(others).collect())
        }
        (ApiType::List(list), Json::Array(items)) => {
            sequence(items.iter().map(|item| value(Some(item), &list.element)).collect(), &type_of(&list.element))
        }
        (ApiType::Map(map), Json::Object(entries)) => {
            let entries =
                entries.iter().map(|(name, part)| (Str::from(name.as_str()), value(Some(part), &map.element)));
            mapping(entries.collect(), &type_of(&map.element))
        }
        (_, Json::String(_) | Json::Number(_) | Json::Bool(_)) => scalar(found, ty),
        _ => dynamic(found),
    }
}

/// The value of a field that is not set: null, in every field of a struct.
fn absent(ty: &ApiType) -> Value {
    match ty {
        ApiType::Struct(structure) if !is_loose(structure) => {
            let parts = structure.fields.iter().map(|field| (Str::from(field.name.as_str()), absent(&field.ty)));
            Value::Object(parts.collect())
        }
        other => Value::Null(type_of(other)),
    }
}

fn scalar(found: &Json, ty: &ApiType) -> Value {
    let text = |found: &Json| found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    match (ty, found) {
        // Of a number or a text, a value of one type is made.
        (
            ApiType::String | ApiType::Quantity | ApiType::IntOrString | ApiType::Time | ApiType::Bytes,
            Json::String(_) | Json::Number(_) | Json::Bool(_),
        ) => Value::string(text(found)),
        (ApiType::Int | ApiType::Number, Json::String(text)) => {
            Number::parse(text).map_or_else(|_| Value::string(text.as_str()), Value::Number)
        }
        (ApiType::Bool, Json::String(text)) if text == "true" || text == "false" => Value::Bool(text == "true"),
        _ => dynamic(found),
    }
}

/// A list where all elements are of one type, else a tuple.
pub fn sequence(items: Vec<Value>, element: &Type) -> Value {
    if is_plain(element) && items.iter().all(|item| item.ty() == *element) {
        Value::list(element.clone(), items)
    } else {
        Value::tuple(items)
    }
}

/// A map where all elements are of one type, else an object.
pub fn mapping(entries: Entries, element: &Type) -> Value {
    if is_plain(element) && entries.values().all(|part| part.ty() == *element) {
        Value::map(element.clone(), entries)
    } else {
        Value::Object(entries)
    }
}

/// The type that values of a field have.
pub fn type_of(ty: &ApiType) -> Type {
    match ty {
        ApiType::String | ApiType::Quantity | ApiType::IntOrString | ApiType::Time | ApiType::Bytes => Type::String,
        ApiType::Int | ApiType::Number => Type::Number,
        ApiType::Bool => Type::Bool,
        ApiType::Any => Type::Any,
        ApiType::List(list) => {
            let element = type_of(&list.element);
            if is_plain(&element) { Type::list(element) } else { Type::tuple([element]) }
        }
        ApiType::Map(map) => {
            let element = type_of(&map.element);
            if is_plain(&element) { Type::map(element) } else { Type::Any }
        }
        ApiType::Struct(structure) if is_loose(structure) => Type::Any,
        ApiType::Struct(structure) => {
            Type::object(structure.fields.iter().map(|field| (field.name.as_str(), type_of(&field.ty))))
        }
    }
}

/// Whether anything may be in it.
pub fn is_loose(structure: &Struct) -> bool {
    structure.open || structure.fields.is_empty()
}

/// Whether all values of a type are alike.
fn is_plain(ty: &Type) -> bool {
    match ty {
        Type::String | Type::Number | Type::Bool => true,
        Type::Any | Type::Tuple(_) => false,
        Type::List(element) | Type::Set(element) | Type::Map(element) => is_plain(element),
        Type::Object(object) => object.iter().all(|(_, attribute)| is_plain(&attribute.ty)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::kube::types::find;
    use crate::providers::kubernetes::scalar::json_of;

    #[test]
    fn every_field_of_a_kind_is_there() {
        let ty = ApiType::Struct(find("v1", "Service").unwrap().schema().unwrap().clone());
        let found = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "a", "labels": { "x": "y" } },
            "spec": { "ports": [{ "port": 80, "targetPort": 8080 }] },
        });
        let whole = value(Some(&found), &ty);
        let json = json_of(&whole);
        for (pointer, expect) in [
            ("/metadata/name", json!("a")),
            ("/metadata/labels", json!({ "x": "y" })),
            ("/metadata/annotations", json!(null)),
            ("/metadata/uid", json!(null)),
            ("/spec/clusterIPs", json!(null)),
            ("/spec/ports/0/targetPort", json!("8080")),
            ("/spec/ports/0/nodePort", json!(null)),
            ("/spec/sessionAffinityConfig", json!({ "clientIP": { "timeoutSeconds": null } })),
        ] {
            assert_eq!(json.pointer(pointer), Some(&expect), "{pointer}");
        }
        let ports = whole.get("spec").unwrap().get("ports").unwrap();
        assert!(matches!(ports.ty(), Type::List(_)), "{ports:?}");
        assert!(matches!(whole.get("metadata").unwrap().get("labels").unwrap().ty(), Type::Map(_)));
        // An owner's record may hold anything.
        assert!(matches!(whole.get("metadata").unwrap().get("managedFields").unwrap().ty(), Type::Tuple(_)));
    }

    #[test]
    fn what_has_no_type_is_taken_as_it_is() {
        let found = json!({ "spec": { "size": 3, "list": [1, "a"] } });
        assert_eq!(value(Some(&found), &ApiType::Any), dynamic(&found));
    }
}
