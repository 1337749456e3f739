//! Typed blocks as whole objects, with what single kinds need beyond the table.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, json};

use super::foreign::{Ignored, Rules};
use super::identity::Place;
use super::mapping::{from_object, to_object};
use super::table::Resource;
use super::{INTENT, scalar, write_only};
use crate::client::kube::types::{Json, Type as ApiType};
use crate::value::{Entries, Type, Value};

/// The API type of a resource's objects.
pub fn api_type(resource: &Resource) -> ApiType {
    resource.kind.schema().cloned().map_or(ApiType::Any, ApiType::Struct)
}

/// The object to apply: what is configured, and the defaults that the plan has.
pub fn build(resource: &Resource, config: &Value, planned: &Value, place: &Place, nonce: Option<&str>) -> Json {
    let mut object = Json::Object(to_object(&resource.fields, config, Some(planned), &api_type(resource)));
    object["apiVersion"] = json!(resource.kind.api_version());
    object["kind"] = json!(resource.kind.kind);
    name(&mut object, place, nonce);
    match resource.kind.kind.as_str() {
        "Secret" => encode(&mut object, config),
        "Service" if object["spec"]["type"] != "LoadBalancer" => {
            if let Some(spec) = object["spec"].as_object_mut() {
                spec.shift_remove("allocateLoadBalancerNodePorts");
            }
        }
        _ => {}
    }
    object
}

/// Writes the place and the nonce into an object's metadata.
pub fn name(object: &mut Json, place: &Place, nonce: Option<&str>) {
    let meta = &mut object["metadata"];
    if !meta.is_object() {
        *meta = json!({});
    }
    meta["name"] = json!(place.name);
    if let Some(namespace) = &place.namespace {
        meta["namespace"] = json!(namespace);
    }
    if let Json::Object(meta) = meta
        && place.namespace.is_none()
    {
        meta.shift_remove("namespace");
    }
    if let Some(nonce) = nonce.filter(|nonce| !nonce.is_empty()) {
        if !meta["annotations"].is_object() {
            meta["annotations"] = json!({});
        }
        meta["annotations"][INTENT] = json!(nonce);
    }
}

/// How an object is read.
#[derive(Clone, Copy)]
pub enum Look<'a> {
    /// What this value has of it, as after a change.
    Ours(&'a Value),
    /// The same, and what others have put into maps of ours, as when it is looked at again.
    Shared(&'a Value, &'a Ignored),
    /// All of it.
    Whole(&'a Ignored),
}

impl<'a> Look<'a> {
    fn hint(self) -> Option<&'a Value> {
        match self {
            Look::Ours(hint) | Look::Shared(hint, _) => Some(hint),
            Look::Whole(_) => None,
        }
    }

    fn rules(self, resource: &Resource) -> Option<Rules<'a>> {
        match self {
            Look::Ours(_) | Look::Whole(_) => None,
            // Which keys are written and never stored cannot be told from those of others.
            Look::Shared(hint, _) if resource.kind.kind == "Secret" && write_only::is_used(hint) => None,
            Look::Shared(_, ignored) => Some(Rules::new(ignored)),
        }
    }
}

/// The value of an object.
pub fn read(resource: &Resource, object: &Json, place: &Place, look: Look<'_>) -> Value {
    let hint = look.hint();
    let decoded;
    let seen = if resource.kind.kind == "Secret" {
        decoded = decode(object, hint);
        &decoded
    } else {
        object
    };
    let mut value = from_object(&resource.fields, seen, &api_type(resource), hint, look.rules(resource));
    if let Look::Whole(ignored) = look {
        value = without_foreign_keys(&value, ignored);
    }
    let Value::Object(mut entries) = value else { return value };
    entries = entries.with("id", Value::string(place.id()));
    if let Some(meta) = entries.get("metadata").cloned() {
        entries = entries.with("metadata", stamped(&meta, object));
    }
    if resource.kind.kind == "Secret" {
        entries = binary(entries, object, hint);
    }
    Value::Object(entries)
}

/// Objects that are never changed in place have no generation in the API; Terraform's state has 0 then.
fn stamped(meta: &Value, object: &Json) -> Value {
    let Value::List(list) = meta else { return meta.clone() };
    let items = list.items.iter().map(|item| match item {
        Value::Object(entries) => {
            let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
            Value::Object(entries.clone().with("generation", Value::int(generation)))
        }
        other => other.clone(),
    });
    Value::list(list.element.clone(), items.collect())
}

/// Labels and annotations that the cluster sets for itself are not taken over by import.
fn without_foreign_keys(value: &Value, ignored: &Ignored) -> Value {
    let Some(Value::List(list)) = value.get("metadata") else { return value.clone() };
    let rules = Rules::new(ignored).inside("metadata");
    let items = list.items.iter().map(|item| {
        let Value::Object(entries) = item else { return item.clone() };
        Value::Object(entries.map_values(|name, part| match part {
            Value::Map(map) if matches!(name.as_str(), "labels" | "annotations") => {
                let own = map.entries.iter().filter(|(key, _)| rules.shows(name, key));
                let kept: Entries = own.cloned().collect();
                if kept.is_empty() { Value::Null(Type::map(Type::String)) } else { Value::map(Type::String, kept) }
            }
            _ => part.clone(),
        }))
    });
    let metadata = Value::list(list.element.clone(), items.collect());
    match value {
        Value::Object(entries) => Value::Object(entries.clone().with("metadata", metadata)),
        _ => value.clone(),
    }
}

/// A Secret's texts are base64 in the API; binary ones are written so already.
fn encode(object: &mut Json, config: &Value) {
    let mut data = Map::new();
    for (attribute, encoded) in [("data", false), ("data_wo", false), ("binary_data", true), ("binary_data_wo", true)] {
        for (key, value) in config.get(attribute).and_then(Value::as_entries).into_iter().flatten() {
            let text = value.as_str().unwrap_or_default();
            let text = if encoded { text.to_owned() } else { STANDARD.encode(text) };
            data.insert(key.to_string(), Json::String(text));
        }
    }
    if let Json::Object(object) = object {
        object.shift_remove("data");
        if !data.is_empty() {
            object.insert("data".into(), Json::Object(data));
        }
    }
}

fn is_binary(key: &str, text: &str, hint: Option<&Value>) -> bool {
    match hint {
        Some(hint) => hint.get("binary_data").and_then(|binary| binary.get(key)).is_some(),
        None => STANDARD.decode(text).is_ok_and(|bytes| String::from_utf8(bytes).is_err()),
    }
}

fn decode(object: &Json, hint: Option<&Value>) -> Json {
    let mut seen = object.clone();
    let Some(Json::Object(data)) = seen.get_mut("data") else { return seen };
    data.retain(|key, text| !is_binary(key, text.as_str().unwrap_or_default(), hint));
    for text in data.values_mut() {
        let bytes = STANDARD.decode(text.as_str().unwrap_or_default()).unwrap_or_default();
        *text = Json::String(String::from_utf8_lossy(&bytes).into_owned());
    }
    // Data that is all binary or write-only is no data.
    if let Some(hint) = hint
        && hint.get("data").is_some_and(Value::is_null)
    {
        data.clear();
    }
    seen
}

fn binary(entries: Entries, object: &Json, hint: Option<&Value>) -> Entries {
    let data = object["data"].as_object().into_iter().flatten();
    let found: Entries = data
        .filter(|(key, text)| is_binary(key, text.as_str().unwrap_or_default(), hint))
        .map(|(key, text)| (key.as_str().into(), scalar::from_json_of(text, &Type::String, false)))
        .collect();
    let ty = Type::map(Type::String);
    let wanted = hint.and_then(|hint| hint.get("binary_data")).is_some_and(|binary| !binary.is_null());
    let value = if found.is_empty() && !wanted { Value::Null(ty) } else { Value::map(Type::String, found) };
    entries.with("binary_data", value)
}
