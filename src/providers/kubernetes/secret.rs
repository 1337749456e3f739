//! Secrets: texts that are base64 in the API, binary data that is written so already, and data that is written and never stored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Map;

use super::write::Change;
use crate::client::kube::types::Json;
use crate::value::{Entries, Type, Value};

/// Attributes that become `data` in the API; whether they are written in base64; for those that are never stored, the number that says
/// when they are written again.
const DATA: [(&str, bool, Option<&str>); 4] = [
    ("data", false, None),
    ("binary_data", true, None),
    ("data_wo", false, Some("data_wo_revision")),
    ("binary_data_wo", true, Some("binary_data_wo_revision")),
];

/// Writes the data of a new object.
pub fn encode(object: &mut Json, config: &Value) {
    let all = DATA.iter().flat_map(|(attribute, is_base64, _)| entries(config, attribute, *is_base64));
    let data: Map<String, Json> = all.collect();
    set_data(object, data);
}

/// Changes the data of a live object: the keys that differ, and what is only written where its revision has changed.
pub fn change(object: &mut Json, live: &Json, change: Change<'_>) {
    let mut data = live.as_object().cloned().unwrap_or_default();
    for (attribute, is_base64, revision) in DATA {
        if let Some(revision) = revision {
            if change.before.get(revision) != change.planned.get(revision) {
                data.extend(entries(change.config, attribute, is_base64));
            }
            continue;
        }
        if change.planned.get(attribute).is_some_and(|planned| !planned.is_wholly_known()) {
            continue;
        }
        let before: Map<String, Json> = entries(change.before, attribute, is_base64).collect();
        let planned: Map<String, Json> = entries(change.planned, attribute, is_base64).collect();
        let moved = |key: &str| DATA.iter().take(2).any(|(other, ..)| has(change.planned, other, key));
        for key in before.keys().filter(|key| !moved(key)) {
            data.shift_remove(key);
        }
        data.extend(planned.into_iter().filter(|(key, value)| before.get(key) != Some(value)));
    }
    set_data(object, data);
}

fn has(value: &Value, attribute: &str, key: &str) -> bool {
    value.get(attribute).is_some_and(|map| map.get(key).is_some())
}

fn entries<'a>(value: &'a Value, attribute: &str, is_base64: bool) -> impl Iterator<Item = (String, Json)> + use<'a> {
    let map = value.get(attribute).and_then(Value::as_entries);
    map.into_iter().flatten().map(move |(key, value)| {
        let text = value.as_str().unwrap_or_default();
        (key.to_string(), Json::String(if is_base64 { text.to_owned() } else { STANDARD.encode(text) }))
    })
}

fn set_data(object: &mut Json, data: Map<String, Json>) {
    if let Json::Object(object) = object {
        if data.is_empty() {
            object.shift_remove("data");
        } else {
            object.insert("data".into(), Json::Object(data));
        }
    }
}

/// Whether a value says that data was written that it does not have: none of it is read then.
fn is_written_only(value: &Value) -> bool {
    let mut revisions = DATA.iter().filter_map(|(.., revision)| value.get((*revision)?));
    revisions.any(|revision| revision.as_number().is_some_and(|number| number.as_i64() != Some(0)))
}

fn is_binary(key: &str, text: &str, hint: Option<&Value>) -> bool {
    match hint {
        Some(hint) => has(hint, "binary_data", key),
        None => STANDARD.decode(text).is_ok_and(|bytes| String::from_utf8(bytes).is_err()),
    }
}

/// The object with its texts as they are, and without its binary data.
pub fn decoded(object: &Json, hint: Option<&Value>) -> Json {
    let mut seen = object.clone();
    let Some(Json::Object(data)) = seen.get_mut("data") else { return seen };
    data.retain(|key, text| !is_binary(key, text.as_str().unwrap_or_default(), hint));
    for text in data.values_mut() {
        let bytes = STANDARD.decode(text.as_str().unwrap_or_default()).unwrap_or_default();
        *text = Json::String(String::from_utf8_lossy(&bytes).into_owned());
    }
    seen
}

/// The attributes of a Secret, with its binary data; as they were where data is only written.
pub fn read(read: Entries, object: &Json, hint: Option<&Value>) -> Entries {
    let null = || Value::Null(Type::map(Type::String));
    if let Some(hint) = hint.filter(|hint| is_written_only(hint)) {
        let kept = |name: &str| hint.get(name).filter(|value| value.is_wholly_known()).cloned().unwrap_or_else(null);
        return read.with("data", kept("data")).with("binary_data", kept("binary_data"));
    }
    let data = object["data"].as_object().into_iter().flatten();
    let found: Entries = data
        .filter(|(key, text)| is_binary(key, text.as_str().unwrap_or_default(), hint))
        .map(|(key, text)| (key.as_str().into(), Value::from(text.as_str().unwrap_or_default())))
        .collect();
    let is_wanted = hint.and_then(|hint| hint.get("binary_data")).is_some_and(|binary| !binary.is_null());
    let value = if found.is_empty() && !is_wanted { null() } else { Value::map(Type::String, found) };
    read.with("binary_data", value)
}
