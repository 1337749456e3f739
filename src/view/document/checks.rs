//! Conditions in a JSON plan.

use serde_json::{Map, Value as Json, json};

use crate::addr::{InstanceKey, LayerName, ModuleInstance};
use crate::plan::{CheckStatus, Checkable, Checked};

/// All of them, in Terraform's order: by the text of their addresses.
pub(super) fn checks(checks: &[Checked], prefixes_layers: bool) -> Vec<Json> {
    let mut all: Vec<(String, Json)> = checks.iter().map(|one| block(one, prefixes_layers)).collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all.into_iter().map(|(_, json)| json).collect()
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
    let mut address = Map::new();
    address.insert("kind".into(), json!(kind));
    if let Checkable::Resource(addr) = &checked.what {
        address.insert("mode".into(), json!(super::mode(addr.mode)));
        address.insert("type".into(), json!(addr.kind.as_str()));
    }
    if !module.is_empty() {
        address.insert("module".into(), json!(module));
    }
    address.insert("name".into(), json!(name.as_str()));
    address.insert("to_display".into(), json!(shown));
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
    let mut address = json!({"to_display": display(&checked.what, &module, key.as_ref())});
    if !module.is_empty() {
        address["module"] = json!(module);
    }
    if let Some(key) = key {
        address["instance_key"] = super::index(key);
    }
    json!({"address": address, "status": status.json_name()})
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
