//! Terraform's JSON documents: the plan (`show -json PLANFILE`) and state (`show -json`).
//!
//! In: a [`Plan`] with what it was made from (configuration, graph, values), or objects of state. Out: JSON.
//!
//! Formats: plan 1.2, state 1.0. A project of several layers shows each layer as a module `layer.NAME` below the root; its
//! addresses carry the same prefix. What Terraform's formats do not know (phases, pending objects) stands in further fields.

mod checks;
mod configuration;
mod expression;
mod relevant;
mod tree;

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::addr::{ConfigResourceAddr, InstanceKey, LayerName, Mode, ModuleInstance};
use crate::apply::Dependencies;
use crate::change::{Action, Change, Reason};
use crate::plan::{GateDecision, GatePlan, Invocation, OutputChange, Plan, PlanMode, PlannedChange};
use crate::schema::Schema;
use crate::value::{Marks, Path, Step, Value};
use crate::view::outputs::ShownOutput;
use crate::view::state::ShownObject;
use crate::view::values::{json_of, sensitive_json, unknown_json};

use tree::state_values;

/// The version of Terraform whose formats these are.
pub const TERRAFORM_VERSION: &str = "1.11.4";

/// An action that is to be invoked, in the form that readers of Terraform 1.14's plans know.
fn action_invocation(invocation: &Invocation, plan: &Plan) -> Json {
    // What is ephemeral stands in no document.
    let entries = invocation.config.bare().as_entries().cloned().unwrap_or_default();
    let kept = entries.iter().map(|(name, value)| match value.marks_deep().contains(Marks::EPHEMERAL) {
        true => (name.clone(), Value::NULL),
        false => (name.clone(), value.clone().unmark_deep().0),
    });
    let bare = Value::object(kept);
    let mut json = json!({
        "address": invocation.addr.in_project(plan.prefixes_layers),
        "type": invocation.addr.action.kind.as_str(),
        "name": invocation.addr.action.name.as_str(),
        "config_values": json_of(&bare),
        "config_sensitive": sensitive_json(&invocation.config),
        "config_unknown": unknown_json(&invocation.config),
        "provider_name": plan.segment.as_ref().and_then(|segment| segment.providers.get(invocation.provider)).map(|slot| slot.addr.source.to_string()),
    });
    match &invocation.trigger {
        None => json["invoke_action_trigger"] = json!({}),
        Some(trigger) => {
            json["lifecycle_action_trigger"] = json!({
                "triggering_resource_address": trigger.addr.in_project(plan.prefixes_layers),
                "action_trigger_event": trigger.event.json_name(),
                "action_trigger_block_index": trigger.block,
                "actions_list_index": trigger.position,
            });
        }
    }
    json
}

/// State as `show -json` prints it.
pub fn state_json(
    objects: &[ShownObject<'_>],
    outputs: &[ShownOutput],
    checks: &[(LayerName, Arc<str>)],
    prefixes_layers: bool,
) -> Json {
    if objects.is_empty() && outputs.is_empty() {
        return json!({"format_version": "1.0"});
    }
    let mut json = json!({
        "format_version": "1.0",
        "terraform_version": TERRAFORM_VERSION,
        "values": state_values(objects, outputs, prefixes_layers, false),
    });
    let checks: Vec<Json> =
        checks.iter().flat_map(|(layer, results)| checks::stored(results, layer, prefixes_layers)).collect();
    if !checks.is_empty() {
        json["checks"] = json!(checks);
    }
    json
}

/// A plan as `show -json PLANFILE` prints it.
pub fn plan_json(plan: &Plan) -> Json {
    let changes: Vec<Json> = listed(plan).map(|planned| resource_change(planned, plan)).collect();
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
    let outputs = outputs_of(plan);
    let output_changes: Map<String, Json> =
        outputs.iter().map(|output| (label(output, plan), output_change(output))).collect();
    let mut json = json!({
        "format_version": "1.2",
        "terraform_version": TERRAFORM_VERSION,
    });
    let segment = plan.segment.as_deref();
    let variables = segment.map(|segment| configuration::variables(plan, segment)).unwrap_or_default();
    if !variables.is_empty() {
        json["variables"] = Json::Object(variables);
    }
    json["planned_values"] = planned_values(plan, &outputs);
    if !drift.is_empty() {
        json["resource_drift"] = json!(drift);
    }
    // Where there are no objects there is no list of them either, as under Terraform.
    if plan.mode != PlanMode::RefreshOnly && !changes.is_empty() {
        json["resource_changes"] = json!(changes);
    }
    if !plan.invocations.is_empty() {
        json["action_invocations"] =
            plan.invocations.iter().map(|invocation| action_invocation(invocation, plan)).collect();
    }
    if !deferred.is_empty() {
        json["deferred_changes"] = json!(deferred);
    }
    if !output_changes.is_empty() {
        json["output_changes"] = json!(output_changes);
    }
    if let Some(state) = prior_state(plan) {
        json["prior_state"] = state;
    }
    if let Some(segment) = segment {
        json["configuration"] = configuration::configuration(plan, segment);
        let relevant = relevant::relevant_attributes(plan, segment);
        if !relevant.is_empty() {
            json["relevant_attributes"] = json!(relevant);
        }
    }
    let checks = checks::checks(&plan.checks, plan.prefixes_layers, plan.mode != PlanMode::Destroy);
    if !checks.is_empty() {
        json["checks"] = json!(checks);
    }
    json["timestamp"] = json!(plan.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    json["applyable"] = json!(!plan.errored && !plan.is_empty());
    json["complete"] = json!(plan.complete);
    json["errored"] = json!(plan.errored);
    let named = plan.phases.iter().filter(|phase| !phase.name.is_empty());
    let phases: Vec<&str> = named.map(|phase| phase.name.as_str()).collect();
    if !phases.is_empty() {
        json["phases"] = json!(phases);
    }
    let gates: Vec<Json> =
        plan.phases.iter().flat_map(|phase| phase.gates.iter().map(|gate| gate_json(&phase.name, gate))).collect();
    if !gates.is_empty() {
        json["gates"] = json!(gates);
    }
    json
}

/// A gate: what it checks, and what becomes of it.
fn gate_json(phase: &str, gate: &GatePlan) -> Json {
    let mut json = json!({
        "phase": phase,
        "name": gate.name.as_str(),
        "check": gate.about,
        "timeout_seconds": gate.timeout,
    });
    match &gate.decision {
        GateDecision::NotDue => json["status"] = json!("not_due"),
        GateDecision::LeftOut { reason, .. } => {
            json["status"] = json!("not_checked");
            json["reason"] = json!(reason);
        }
        GateDecision::Runs { absent } => {
            json["status"] = json!("will_run");
            if !absent.is_empty() {
                json["absent"] = absent.iter().map(|absent| absent.object.to_string()).collect();
            }
        }
    }
    json
}

/// The changes that the document lists: a plan that only refreshes has none.
fn listed(plan: &Plan) -> impl Iterator<Item = &PlannedChange> {
    plan.changes.iter().filter(|planned| !hidden(planned) && plan.mode != PlanMode::RefreshOnly)
}

/// Data sources that were read while planning are no changes; Terraform keeps them out as well.
fn hidden(planned: &PlannedChange) -> bool {
    planned.change.addr.resource.mode == Mode::Data && planned.change.action == Action::NoOp
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
    // That an object is deposed is said above, and is no reason of its own in this format.
    if let Some(reason) = change.reason.filter(|reason| *reason != Reason::DeleteDeposed) {
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
    // What changes may be no more than what is sensitive of it.
    let same = || {
        let bare = |value: &Value| value.clone().unmark_deep().0;
        change.action == Action::NoOp || (change.action == Action::Update && bare(&change.before) == bare(after))
    };
    let mut json = json!({
        "actions": change.action.json_names(),
        "before": json_of(&change.before),
        "after": json_of(after),
        "after_unknown": if after.is_wholly_known() && (after.is_null() || same()) {
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
    if let Some(text) = &change.generated {
        json["generated_config"] = json!(&**text);
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
    let mut json = json!({"actions": output.action.json_names(), "before": json_of(&output.before)});
    if output.after.is_known() {
        json["after"] = json_of(&output.after);
    }
    json["after_unknown"] = unknown;
    json["before_sensitive"] = json!(output.sensitive);
    json["after_sensitive"] = json!(output.sensitive);
    json
}

/// The outputs of a plan, and those that are null before and after: state does not know them, Terraform's document does.
fn outputs_of(plan: &Plan) -> Vec<OutputChange> {
    let mut outputs = plan.outputs.clone();
    let Some(segment) = plan.segment.as_deref().filter(|_| plan.mode == PlanMode::Normal) else { return outputs };
    for root in &segment.graph.roots {
        let node = segment.graph.module(*root);
        let layer = &segment.graph.layers[node.layer];
        let Some(copy) = segment.world.copies_of(*root).first() else { continue };
        for (name, output) in &node.module.outputs {
            let value = node.shape.output(name).and_then(|offset| segment.world.get(*copy, offset));
            if value.is_some_and(Value::is_null) && !outputs.iter().any(|one| one.layer == *layer && one.name == *name)
            {
                outputs.push(OutputChange {
                    layer: layer.clone(),
                    name: name.clone(),
                    action: Action::NoOp,
                    before: Value::NULL,
                    after: Value::NULL,
                    sensitive: output.sensitive,
                });
            }
        }
    }
    outputs
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

fn planned_values(plan: &Plan, outputs: &[OutputChange]) -> Json {
    let stays = |planned: &&PlannedChange| match planned.change.action {
        Action::Delete | Action::Forget => false,
        Action::NoOp
        | Action::Create
        | Action::Read
        | Action::Update
        | Action::DeleteThenCreate
        | Action::CreateThenDelete => planned.change.deposed.is_none(),
    };
    let objects: Vec<_> = listed(plan).filter(stays).map(|planned| object_of(planned, &planned.change.after)).collect();
    let kept = outputs.iter().filter(|output| output.action != Action::Delete);
    let outputs: Vec<_> = kept.map(|output| shown(output, &output.after)).collect();
    state_values(&objects, &outputs, plan.prefixes_layers, true)
}

/// What was there before, as this plan has read it: objects as found, and outputs as far as they are known by that.
fn prior_state(plan: &Plan) -> Option<Json> {
    let mut dependencies = plan.segment.as_deref().map(|segment| Dependencies::new(&segment.graph));
    let mut objects = Vec::new();
    for planned in &plan.changes {
        let read = hidden(planned) || planned.change.reason == Some(Reason::ReadBecauseCheckNested);
        let before = if read { &planned.change.after } else { &planned.change.before };
        if before.is_null() {
            continue;
        }
        let mut object = object_of(planned, before);
        object.tainted = planned.change.reason == Some(Reason::ReplaceBecauseTainted)
            || planned.work.stored.as_ref().is_some_and(|stored| stored.status == crate::state::Status::Tainted);
        let stored = planned.work.stored.as_ref().map(|stored| stored.dependencies.clone());
        let written = planned.work.node.zip(dependencies.as_mut()).map(|(node, all)| all.of(node));
        let here = |addr: &&ConfigResourceAddr| addr.layer == planned.change.addr.layer;
        let name = |addr: &ConfigResourceAddr| match plan.prefixes_layers {
            true => format!("layer.{}.{addr}", addr.layer),
            false => addr.to_string(),
        };
        if let Some(found) = written.or(stored) {
            object.depends_on = found.iter().filter(here).map(name).collect();
        }
        objects.push(object);
    }
    let value = |output: &OutputChange| {
        if output.action != Action::Delete && output.after.is_wholly_known() {
            return Some(output.after.clone());
        }
        Some(output.before.clone()).filter(|_| output.action != Action::Create)
    };
    let outputs: Vec<_> = plan.outputs.iter().filter_map(|output| Some(shown(output, &value(output)?))).collect();
    if objects.is_empty() && outputs.is_empty() {
        return None;
    }
    Some(state_json(&objects, &outputs, &[], plan.prefixes_layers))
}

fn shown(output: &OutputChange, value: &Value) -> ShownOutput {
    ShownOutput {
        layer: output.layer.clone(),
        name: output.name.clone(),
        value: value.clone(),
        sensitive: output.sensitive,
    }
}
