//! Terraform's JSON documents: the plan (`show -json PLANFILE`) and state (`show -json`).
//!
//! Formats: plan 1.2, state 1.0. A project of several layers shows each layer as a module `layer.NAME` below the root; its
//! addresses carry the same prefix. What Terraform's formats do not know (phases, pending objects) stands in further fields.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::addr::{InstanceKey, LayerName, Mode, ModuleInstance};
use crate::change::{Action, Change};
use crate::plan::{OutputChange, Plan, PlanMode, PlannedChange};
use crate::schema::Schema;
use crate::value::{Path, Step, Value};

use super::outputs::{ShownOutput, type_json};
use super::state::ShownObject;
use super::values::{json_of, sensitive_json, unknown_json};

/// The version of Terraform whose formats these are.
pub const TERRAFORM_VERSION: &str = "1.11.4";

/// State as `show -json` prints it.
pub fn state_json(objects: &[ShownObject<'_>], outputs: &[ShownOutput], prefixes_layers: bool) -> Json {
    if objects.is_empty() && outputs.is_empty() {
        return json!({"format_version": "1.0"});
    }
    json!({
        "format_version": "1.0",
        "terraform_version": TERRAFORM_VERSION,
        "values": state_values(objects, outputs, prefixes_layers),
    })
}

/// A plan as `show -json PLANFILE` prints it. `errored`: planning ended with errors.
pub fn plan_json(plan: &Plan, errored: bool) -> Json {
    let changes: Vec<Json> =
        plan.changes.iter().filter(|c| !hidden(c, plan)).map(|c| resource_change(c, plan)).collect();
    let drift: Vec<Json> = plan.drift.iter().map(|planned| resource_change(planned, plan)).collect();
    let deferred: Vec<Json> = plan
        .changes
        .iter()
        .filter_map(|planned| Some((planned, planned.pending.as_ref()?)))
        .map(|(planned, pending)| {
            json!({
                "reason": "provider_config_unknown",
                "pending": pending,
                "resource_change": resource_change(planned, plan),
            })
        })
        .collect();
    let output_changes: Map<String, Json> =
        plan.outputs.iter().map(|output| (label(output, plan), output_change(output))).collect();
    let mut json = json!({
        "format_version": "1.2",
        "terraform_version": TERRAFORM_VERSION,
        "planned_values": planned_values(plan),
    });
    if !drift.is_empty() {
        json["resource_drift"] = json!(drift);
    }
    json["resource_changes"] = json!(changes);
    if !deferred.is_empty() {
        json["deferred_changes"] = json!(deferred);
    }
    json["output_changes"] = json!(output_changes);
    json["prior_state"] = prior_state(plan);
    json["timestamp"] = json!(plan.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    json["applyable"] = json!(!errored && !plan.is_empty());
    json["complete"] = json!(plan.complete);
    json["errored"] = json!(errored);
    json["phases"] = plan.phases.iter().map(|phase| json!(phase.name.as_str())).collect();
    json
}

/// Data sources that were read while planning are no changes, and a plan that only refreshes has none; Terraform keeps them
/// out as well.
fn hidden(planned: &PlannedChange, plan: &Plan) -> bool {
    plan.mode == PlanMode::RefreshOnly
        || planned.change.addr.resource.mode == Mode::Data && planned.change.action == Action::NoOp
}

fn label(output: &OutputChange, plan: &Plan) -> String {
    if plan.prefixes_layers { format!("layer.{}.{}", output.layer, output.name) } else { output.name.to_string() }
}

fn module_address(layer: &LayerName, module: &ModuleInstance, prefixes_layers: bool) -> Option<String> {
    match (prefixes_layers, module.is_root()) {
        (false, true) => None,
        (false, false) => Some(module.to_string()),
        (true, true) => Some(format!("layer.{layer}")),
        (true, false) => Some(format!("layer.{layer}.{module}")),
    }
}

fn index(key: &InstanceKey) -> Json {
    match key {
        InstanceKey::Int(index) => json!(index),
        InstanceKey::Str(key) => json!(key.as_str()),
        InstanceKey::Unknown => json!("*"),
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Managed => "managed",
        Mode::Data => "data",
        Mode::Ephemeral => "ephemeral",
    }
}

fn resource_change(planned: &PlannedChange, plan: &Plan) -> Json {
    let change = &planned.change;
    let mut json = json!({"address": change.addr.in_project(plan.prefixes_layers)});
    if let Some(previous) = &change.previous {
        json["previous_address"] = json!(previous.in_project(plan.prefixes_layers));
    }
    if let Some(module) = module_address(&change.addr.layer, &change.addr.module, plan.prefixes_layers) {
        json["module_address"] = json!(module);
    }
    json["mode"] = json!(mode(change.addr.resource.mode));
    json["type"] = json!(change.addr.resource.kind.as_str());
    json["name"] = json!(change.addr.resource.name.as_str());
    if let Some(key) = &change.addr.key {
        json["index"] = index(key);
    }
    json["provider_name"] = json!(change.provider.source.to_string());
    if let Some(key) = &change.deposed {
        json["deposed"] = json!(key.to_string());
    }
    json["change"] = change_json(change);
    if let Some(reason) = change.reason {
        json["action_reason"] = json!(reason.json_name());
    }
    if let Some(phase) = plan.phases.get(planned.phase).filter(|phase| !phase.name.is_empty()) {
        json["phase"] = json!(phase.name.as_str());
    }
    if let Some(pending) = &planned.pending {
        json["pending"] = json!(pending);
    }
    if let Some(lost) = &planned.lost_with {
        json["lost_with"] = json!(lost);
    }
    json
}

fn change_json(change: &Change) -> Json {
    let after = if change.action == Action::Forget { &Value::NULL } else { &change.after };
    let mut json = json!({
        "actions": change.action.json_names(),
        "before": json_of(&change.before),
        "after": json_of(after),
        "after_unknown": if after.is_wholly_known() && (after.is_null() || change.action == Action::NoOp) {
            if after.is_null() && change.action != Action::Delete && change.action != Action::Forget { json!(false) } else { json!({}) }
        } else {
            unknown_json(after)
        },
        "before_sensitive": sensitive_json(&change.before),
        "after_sensitive": sensitive_json(after),
    });
    if !change.replace_paths.is_empty() {
        json["replace_paths"] = change.replace_paths.iter().map(path).collect();
    }
    if let Some(id) = &change.importing {
        json["importing"] = json!({"id": id});
    }
    json
}

fn path(path: &Path) -> Json {
    let step = |step: &Step| match step {
        Step::Attribute(name) | Step::Key(name) => json!(name.as_str()),
        Step::Index(at) => json!(at),
    };
    path.steps().iter().map(step).collect()
}

fn output_change(output: &OutputChange) -> Json {
    let unknown = match unknown_json(&output.after) {
        Json::Bool(unknown) => json!(unknown),
        _ if output.after.is_wholly_known() => json!(false),
        parts => parts,
    };
    json!({
        "actions": output.action.json_names(),
        "before": json_of(&output.before),
        "after": json_of(&output.after),
        "after_unknown": unknown,
        "before_sensitive": output.sensitive,
        "after_sensitive": output.sensitive,
    })
}

fn object_of<'a>(planned: &'a PlannedChange, value: &Value) -> ShownObject<'a> {
    let change = &planned.change;
    let schema: Option<&Schema> = planned.schema();
    ShownObject {
        addr: change.addr.clone(),
        deposed: change.deposed.clone(),
        tainted: false,
        schema,
        schema_version: schema.map_or(0, |schema| schema.version),
        provider: change.provider.source.to_string(),
        depends_on: Vec::new(),
        value: value.clone(),
    }
}

fn planned_values(plan: &Plan) -> Json {
    let stays = |planned: &&PlannedChange| match planned.change.action {
        Action::Delete | Action::Forget => false,
        Action::NoOp
        | Action::Create
        | Action::Read
        | Action::Update
        | Action::DeleteThenCreate
        | Action::CreateThenDelete => planned.change.deposed.is_none(),
    };
    let objects: Vec<_> =
        plan.changes.iter().filter(stays).map(|planned| object_of(planned, &planned.change.after)).collect();
    let kept = plan.outputs.iter().filter(|output| output.action != Action::Delete);
    let outputs: Vec<_> = kept.map(|output| shown(output, &output.after)).collect();
    state_values(&objects, &outputs, plan.prefixes_layers)
}

fn prior_state(plan: &Plan) -> Json {
    let was = plan.changes.iter().filter(|planned| !planned.change.before.is_null());
    let objects: Vec<_> = was.map(|planned| object_of(planned, &planned.change.before)).collect();
    let was = plan.outputs.iter().filter(|output| output.action != Action::Create);
    let outputs: Vec<_> = was.map(|output| shown(output, &output.before)).collect();
    state_json(&objects, &outputs, plan.prefixes_layers)
}

fn shown(output: &OutputChange, value: &Value) -> ShownOutput {
    ShownOutput {
        layer: output.layer.clone(),
        name: output.name.clone(),
        value: value.clone(),
        sensitive: output.sensitive,
    }
}

fn state_values(objects: &[ShownObject<'_>], outputs: &[ShownOutput], prefixes_layers: bool) -> Json {
    let mut values = Map::new();
    if !outputs.is_empty() {
        let entries = outputs.iter().map(|output| {
            let mut entry = json!({"sensitive": output.sensitive});
            if output.value.is_known() {
                entry["type"] = type_json(&output.value);
                entry["value"] = json_of(&output.value);
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
