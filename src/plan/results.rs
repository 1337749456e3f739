//! How the conditions of a layer stand after a run, as state keeps it: Terraform's `check_results`.
//!
//! In: what an apply knows at its end. Out: JSON text. Not here: what a plan shows of conditions (`checks`), writing (`apply`).

use foldhash::HashMap;
use serde_json::{Value as Json, json};

use crate::addr::InstanceAddr;
use crate::config::{CheckRule, Module};
use crate::graph::{ModuleId, NodeId};
use crate::value::Value;

use super::checks::{Assertions, conditioned, has_conditions};
use super::model::{Plan, PlanMode, PlannedChange};
use super::rules::{CheckStatus, judge_all};
use super::scope::{ModuleScope, Surroundings};
use super::world::{CopyId, Repetition};

/// One copy of a block: its address, how it stands, and what was said where it does not hold.
type Stands = (String, CheckStatus, Vec<String>);

/// The results of all blocks of a layer that have conditions; `None` when there are none. `unmet` has what was said of objects
/// while the run went on, `asserted` how `check` blocks stand where that was asked.
pub fn results(
    around: Surroundings<'_>,
    plan: &Plan,
    layer: usize,
    unmet: &HashMap<InstanceAddr, Vec<String>>,
    asserted: Option<&Assertions>,
) -> Option<String> {
    let planned = conditioned(around, &plan.changes);
    let gone = plan.mode == PlanMode::Destroy;
    let mut all = Vec::new();
    for (index, node) in around.graph.modules.iter().enumerate().filter(|(_, node)| node.layer == layer) {
        let of = Of { around, id: ModuleId(index as u32), planned: &planned, unmet, asserted, gone };
        let before = if node.addr.is_root() { String::new() } else { format!("{}.", node.addr) };
        of.blocks(&node.module, &before, &mut all);
    }
    (!all.is_empty()).then(|| Json::Array(all).to_string())
}

/// One module.
struct Of<'a> {
    around: Surroundings<'a>,
    id: ModuleId,
    planned: &'a HashMap<NodeId, Vec<&'a PlannedChange>>,
    unmet: &'a HashMap<InstanceAddr, Vec<String>>,
    asserted: Option<&'a Assertions>,
    /// Whether everything was removed: then nobody can tell any more.
    gone: bool,
}

impl Of<'_> {
    fn blocks(&self, content: &Module, before: &str, all: &mut Vec<Json>) {
        for resource in content.resources.values().filter(|resource| has_conditions(resource)) {
            let lifecycle = &resource.lifecycle;
            let node = self.around.graph.module(self.id);
            let Some(offset) = node.shape.resource(&resource.addr) else { continue };
            let planned = self.planned.get(&self.around.graph.at(self.id, offset)).into_iter().flatten();
            let rules = [lifecycle.preconditions.as_slice(), lifecycle.postconditions.as_slice()];
            let copies = planned.map(|planned| self.instance(planned, rules)).collect();
            all.push(self.block("resource", format!("{before}{}", resource.addr), copies));
        }
        for output in content.outputs.values().filter(|output| !output.preconditions.is_empty()) {
            let name = format!("output.{}", output.name);
            let title = format!("{before}{name}");
            if self.gone && before.is_empty() {
                all.push(json_of("output", title, vec![(name, CheckStatus::Unknown, Vec::new())]));
                continue;
            }
            let offset = self.around.graph.module(self.id).shape.output(&output.name);
            // What never got a value was not judged either.
            let judge = |scope: &ModuleScope<'_>| match offset.and_then(|at| self.around.world.get(scope.copy, at)) {
                Some(value) if value.is_wholly_known() => judge_all(&output.preconditions, scope),
                Some(_) | None => (CheckStatus::Unknown, Vec::new()),
            };
            all.push(self.block("output", title, self.each_copy(&name, &judge)));
        }
        for check in &content.checks {
            let name = format!("check.{}", check.name);
            let title = format!("{before}{name}");
            let Some(asserted) = self.asserted else {
                all.push(untold("check", title));
                continue;
            };
            let copies = asserted.of(self.id, check).map(|(copy, judged)| {
                let module = &self.around.world.copy(copy).addr;
                (within(module, &name), judged.status, judged.messages.clone())
            });
            all.push(self.block("check", title, copies.collect()));
        }
        for variable in content.variables.values().filter(|variable| !variable.validations.is_empty()) {
            let name = format!("var.{}", variable.name);
            let copies = self.each_copy(&name, &|scope| judge_all(&variable.validations, scope));
            all.push(self.block("var", format!("{before}{name}"), copies));
        }
    }

    fn block(&self, kind: &str, name: String, copies: Vec<Stands>) -> Json {
        if self.gone { untold(kind, name) } else { json_of(kind, name, copies) }
    }

    fn each_copy(&self, name: &str, judge: &dyn Fn(&ModuleScope<'_>) -> (CheckStatus, Vec<String>)) -> Vec<Stands> {
        let copies = self.around.world.copies_of(self.id).iter();
        let of = |copy: &CopyId| {
            let module = &self.around.world.copy(*copy).addr;
            let (status, messages) = judge(&ModuleScope::plain(self.around, *copy));
            (within(module, name), status, messages)
        };
        copies.map(of).collect()
    }

    fn instance(&self, planned: &PlannedChange, rules: [&[CheckRule]; 2]) -> Stands {
        let addr = planned.change.addr.to_string();
        let unknown = |addr| (addr, CheckStatus::Unknown, Vec::new());
        let (Some(node), Some(copy)) = (planned.work.node, planned.work.copy.filter(|_| planned.pending.is_none()))
        else {
            return unknown(addr);
        };
        if let Some(messages) = self.unmet.get(&planned.change.addr) {
            return (addr, CheckStatus::Fail, messages.clone());
        }
        let value = self.around.world.value_of(self.around.graph, node, copy);
        let this = value.and_then(|value| one_of(value, &planned.work.repetition));
        let repetition = &planned.work.repetition;
        let mut scope = ModuleScope { around: self.around, copy, repetition, this: None };
        let (before, mut messages) = judge_all(rules[0], &scope);
        let Some(this) = this else { return unknown(addr) };
        scope.this = Some(&this);
        let (after, more) = judge_all(rules[1], &scope);
        messages.extend(more);
        (addr, before.max(after), messages)
    }
}

fn within(module: &crate::addr::ModuleInstance, name: &str) -> String {
    if module.is_root() { name.to_owned() } else { format!("{module}.{name}") }
}

/// The value of one copy in that of the whole block.
fn one_of(value: &Value, repetition: &Repetition) -> Option<Value> {
    match (repetition, value) {
        (Repetition::None, value) => Some(value.clone()),
        (Repetition::Count(index), Value::Tuple(items)) => items.get(usize::try_from(*index).ok()?).cloned(),
        (Repetition::Each(key, _), Value::Object(entries)) => entries.get(key).cloned(),
        (Repetition::Count(_) | Repetition::Each(..) | Repetition::Unknown(_), _) => None,
    }
}

fn json_of(kind: &str, name: String, copies: Vec<Stands>) -> Json {
    let worst = copies.iter().map(|(_, status, _)| *status).max().unwrap_or(CheckStatus::Pass);
    let object = |(addr, status, messages): Stands| {
        let mut object = json!({ "object_addr": addr, "status": status.json_name() });
        if !messages.is_empty() {
            object["failure_messages"] = json!(messages);
        }
        object
    };
    let objects: Vec<Json> = copies.into_iter().map(object).collect();
    let objects = if objects.is_empty() { Json::Null } else { Json::Array(objects) };
    json!({ "object_kind": kind, "config_addr": name, "status": worst.json_name(), "objects": objects })
}

/// A block that was not looked at.
fn untold(kind: &str, name: String) -> Json {
    json!({ "object_kind": kind, "config_addr": name, "status": CheckStatus::Unknown.json_name(), "objects": null })
}
