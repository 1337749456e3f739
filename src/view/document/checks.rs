//! Conditions in a JSON plan.

use serde_json::{Map, Value as Json, json};

use crate::addr::{InstanceKey, LayerName, ModuleInstance};
use crate::plan::{CheckStatus, Checkable, Checked};

/// All of them, in Terraform's order: by the text of their addresses. A plan that destroys everything judges none.
pub(super) fn checks(checks: &[Checked], prefixes_layers: bool, judged: bool) -> Vec<Json> {
    let mut all: Vec<(String, Json)> = checks.iter().map(|one| block(one, prefixes_layers)).collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    let shown = |(_, mut json): (String, Json)| {
        if !judged {
            json = json!({"address": json["address"], "status": CheckStatus::Unknown.json_name()});
        }
        json
    };
    all.into_iter().map(shown).collect()
}

fn block(checked: &Checked, prefixes_layers: bool) -> (String, Json) {
    let (kind, name) = match &checked.what {
        Checkable::Output(name) => ("output_value", name),
        Checkable::Resource(addr) => ("resource", &addr.name),
        Checkable::Variable(name) => ("var", name),
        Checkable::Check(name) => ("check", name),
    };
    let module = if checked.module.is_root() { String::new() } else { checked.module.to_string() };
    let module = with_layer(&checked.layer, module, prefixes_layers);
    let shown = display(&checked.what, &module, None);
    // Terraform's addresses have their fields in the order of the names.
    let mut address = Map::new();
    address.insert("kind".into(), json!(kind));
    if let Checkable::Resource(addr) = &checked.what {
        address.insert("mode".into(), json!(super::mode(addr.mode)));
    }
    if !module.is_empty() {
        address.insert("module".into(), json!(module));
    }
    address.insert("name".into(), json!(name.as_str()));
    address.insert("to_display".into(), json!(shown));
    if let Checkable::Resource(addr) = &checked.what {
        address.insert("type".into(), json!(addr.kind.as_str()));
    }
    let mut json = json!({"address": address, "status": checked.status().json_name()});
    if !checked.copies.is_empty() {
        let mut copies: Vec<Json> = checked.copies.iter().map(|one| copy(checked, one, prefixes_layers)).collect();
        for (copy, problems) in copies.iter_mut().zip(&checked.problems).filter(|(_, problems)| !problems.is_empty()) {
            copy["problems"] = problems.iter().map(|message| json!({"message": message})).collect();
        }
        json["instances"] = json!(copies);
    }
    (shown, json)
}

fn copy(
    checked: &Checked,
    (module, key, status): &(ModuleInstance, Option<InstanceKey>, CheckStatus),
    prefixes_layers: bool,
) -> Json {
    let module = with_layer(&checked.layer, module.to_string(), prefixes_layers);
    let mut address = Map::new();
    if let Some(key) = key {
        address.insert("instance_key".into(), super::index(key));
    }
    let shown = display(&checked.what, &module, key.as_ref());
    if !module.is_empty() {
        address.insert("module".into(), json!(module));
    }
    address.insert("to_display".into(), json!(shown));
    json!({"address": address, "status": status.json_name()})
}

/// The results of conditions that a state keeps, which are JSON already, in the same form.
pub(super) fn stored(results: &str, layer: &LayerName, prefixes_layers: bool) -> Vec<Json> {
    let Ok(Json::Array(results)) = serde_json::from_str(results) else { return Vec::new() };
    let mut all: Vec<(String, Json)> =
        results.iter().filter_map(|result| stored_block(result, layer, prefixes_layers)).collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all.into_iter().map(|(_, json)| json).collect()
}

fn stored_block(result: &Json, layer: &LayerName, prefixes_layers: bool) -> Option<(String, Json)> {
    let (module, name, _) = parts(result["config_addr"].as_str()?);
    let module = with_layer(layer, module, prefixes_layers);
    let shown = joined(&module, &name);
    let words: Vec<&str> = name.split('.').collect();
    let kind = result["object_kind"].as_str()?;
    let mut address = Map::new();
    address.insert("kind".into(), json!(if kind == "output" { "output_value" } else { kind }));
    if kind == "resource" {
        address.insert("mode".into(), json!(if words.len() == 3 { "data" } else { "managed" }));
    }
    if !module.is_empty() {
        address.insert("module".into(), json!(module));
    }
    address.insert("name".into(), json!(words.last()));
    address.insert("to_display".into(), json!(shown));
    if kind == "resource" {
        address.insert("type".into(), json!(words.get(words.len().checked_sub(2)?)));
    }
    let mut json = json!({"address": address, "status": result["status"]});
    let copies: Vec<Json> = result["objects"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| {
            let (module, name, key) = parts(one["object_addr"].as_str()?);
            let module = with_layer(layer, module, prefixes_layers);
            let mut address = Map::new();
            let key_text = key.as_ref().map_or_else(String::new, ToString::to_string);
            if let Some(key) = &key {
                address.insert("instance_key".into(), super::index(key));
            }
            if !module.is_empty() {
                address.insert("module".into(), json!(module));
            }
            address.insert("to_display".into(), json!(format!("{}{key_text}", joined(&module, &name))));
            let mut copy = json!({"address": address, "status": one["status"]});
            if let Some(messages) = one["failure_messages"].as_array().filter(|messages| !messages.is_empty()) {
                copy["problems"] = messages.iter().map(|message| json!({"message": message})).collect();
            }
            Some(copy)
        })
        .collect();
    if !copies.is_empty() {
        json["instances"] = json!(copies);
    }
    Some((shown, json))
}

fn joined(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}.{name}") }
}

/// The module of a stored address, the name in it, and the key of the instance.
fn parts(address: &str) -> (String, String, Option<InstanceKey>) {
    let mut rest = address;
    while let Some(call) = rest.strip_prefix("module.") {
        // A key in quotes may hold dots and brackets.
        let (mut quoted, mut escaped) = (false, false);
        let end = call.char_indices().find(|(_, c)| {
            let ends = *c == '.' && !quoted;
            quoted ^= *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        let Some((end, _)) = end else { break };
        rest = &call[end + 1..];
    }
    let module = address[..address.len() - rest.len()].trim_end_matches('.').to_owned();
    let (name, key) = match rest.split_once('[') {
        Some((name, key)) => (name, key.strip_suffix(']')),
        None => (rest, None),
    };
    let key = key.and_then(|key| match key.parse() {
        Ok(index) => Some(InstanceKey::Int(index)),
        Err(_) => serde_json::from_str::<String>(key).ok().map(|key| InstanceKey::Str(key.into())),
    });
    (module, name.to_owned(), key)
}

fn with_layer(layer: &LayerName, module: String, prefixes_layers: bool) -> String {
    match (prefixes_layers, module.is_empty()) {
        (false, _) => module,
        (true, true) => format!("layer.{layer}"),
        (true, false) => format!("layer.{layer}.{module}"),
    }
}

fn display(what: &Checkable, module: &str, key: Option<&InstanceKey>) -> String {
    let name = match what {
        Checkable::Output(name) => format!("output.{name}"),
        Checkable::Resource(addr) => addr.to_string(),
        Checkable::Variable(name) => format!("var.{name}"),
        Checkable::Check(name) => format!("check.{name}"),
    };
    let key = key.map_or_else(String::new, ToString::to_string);
    if module.is_empty() { format!("{name}{key}") } else { format!("{module}.{name}{key}") }
}
