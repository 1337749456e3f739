//! Objects and outputs as a tree of modules: the `values` of JSON state, the `planned_values` of a JSON plan.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::addr::ModuleInstance;
use crate::view::outputs::{ShownOutput, type_json};
use crate::view::state::ShownObject;
use crate::view::values::{json_of, sensitive_json};

use super::{index, mode, module_address};

/// The outputs, and the objects by module.
pub(super) fn state_values(
    objects: &[ShownObject<'_>],
    outputs: &[ShownOutput],
    prefixes_layers: bool,
    planned: bool,
) -> Json {
    let mut values = Map::new();
    if !outputs.is_empty() {
        let entries = outputs.iter().map(|output| {
            let mut entry = json!({"sensitive": output.sensitive});
            if output.value.is_wholly_known() {
                // Of what is planned the type stands first, as under Terraform.
                let mut fields = [("value", json_of(&output.value)), ("type", type_json(&output.value))];
                if planned {
                    fields.reverse();
                }
                for (name, field) in fields {
                    entry[name] = field;
                }
            }
            (output.label(prefixes_layers), entry)
        });
        values.insert("outputs".into(), Json::Object(entries.collect()));
    }
    let mut root = Folder::default();
    for object in objects {
        let mut folder = &mut root;
        if prefixes_layers {
            folder = folder.children.entry(format!("layer.{}", object.addr.layer)).or_default();
        }
        let mut module = ModuleInstance::root();
        for step in object.addr.module.steps() {
            module = module.child(step.name.clone(), step.key.clone());
            let address = module_address(&object.addr.layer, &module, prefixes_layers).unwrap_or_default();
            folder = folder.children.entry(address).or_default();
        }
        folder.resources.push(resource(object, prefixes_layers));
    }
    values.insert("root_module".into(), root.json(None));
    Json::Object(values)
}

/// A module on the way to JSON.
#[derive(Default)]
struct Folder {
    resources: Vec<Json>,
    children: BTreeMap<String, Folder>,
}

impl Folder {
    fn json(self, address: Option<&str>) -> Json {
        let mut json = Map::new();
        if !self.resources.is_empty() {
            json.insert("resources".into(), Json::Array(self.resources));
        }
        if let Some(address) = address {
            json.insert("address".into(), json!(address));
        }
        if !self.children.is_empty() {
            let children = self.children.into_iter().map(|(address, child)| child.json(Some(&address)));
            json.insert("child_modules".into(), children.collect());
        }
        Json::Object(json)
    }
}

fn resource(object: &ShownObject<'_>, prefixes_layers: bool) -> Json {
    let addr = &object.addr;
    let mut json = json!({
        "address": addr.in_project(prefixes_layers),
        "mode": mode(addr.resource.mode),
        "type": addr.resource.kind.as_str(),
        "name": addr.resource.name.as_str(),
    });
    if let Some(key) = &addr.key {
        json["index"] = index(key);
    }
    json["provider_name"] = json!(object.provider);
    json["schema_version"] = json!(object.schema_version);
    json["values"] = json_of(&object.value);
    json["sensitive_values"] = sensitive_json(&object.value);
    if !object.depends_on.is_empty() {
        json["depends_on"] = json!(object.depends_on);
    }
    if object.tainted {
        json["tainted"] = json!(true);
    }
    if let Some(key) = &object.deposed {
        json["deposed_key"] = json!(key.to_string());
    }
    json
}
