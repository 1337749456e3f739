//! `replace_triggered_by`: an object that is replaced because another one changes.

use foldhash::{HashMap, HashMapExt};

use crate::addr::InstanceKey;
use crate::change::{Action, Change};
use crate::config::{Resource, Trigger};
use crate::diag::{Diagnostic, Diagnostics};
use crate::graph::{Graph, NodeId};
use crate::lang::eval::evaluate;
use crate::value::Value;

use super::model::PlannedChange;
use super::scope::ModuleScope;
use super::walk::{Place, Walk};

/// The resources that some `replace_triggered_by` names, each with the positions of its changes in the walk's list.
pub(super) struct Triggers(HashMap<NodeId, Vec<usize>>);

impl Triggers {
    pub(super) fn of(graph: &Graph) -> Self {
        let mut watched = HashMap::new();
        for index in 0..graph.nodes.len() as u32 {
            let Some((module, resource)) = graph.resource(NodeId(index)) else { continue };
            let triggers = resource.lifecycle.replace_triggered_by.iter();
            let shape = &graph.module(module).shape;
            for offset in triggers.filter_map(|trigger| shape.resource(&trigger.resource)) {
                watched.entry(graph.at(module, offset)).or_insert_with(Vec::new);
            }
        }
        Triggers(watched)
    }

    /// Takes note of where a change of the resource will stand.
    pub(super) fn heard(&mut self, node: NodeId, position: usize) {
        if let Some(positions) = self.0.get_mut(&node) {
            positions.push(position);
        }
    }
}

impl Walk<'_> {
    /// Whether something that the resource names as a trigger is going to change.
    pub(super) fn is_triggered(&self, place: &Place, resource: &Resource, said: &mut Diagnostics) -> bool {
        resource.lifecycle.replace_triggered_by.iter().any(|trigger| self.pulls(place, trigger, said))
    }

    fn pulls(&self, place: &Place, trigger: &Trigger, said: &mut Diagnostics) -> bool {
        let graph = self.input.graph;
        let Some(module) = graph.module_of(place.node) else { return false };
        let Some(offset) = graph.module(module).shape.resource(&trigger.resource) else { return false };
        let positions = self.triggers.0.get(&graph.at(module, offset)).map(Vec::as_slice).unwrap_or_default();
        // The same copy of the module: others do not concern this one.
        let mut changes = positions
            .iter()
            .map(|position| &self.changes[*position])
            .filter(|planned: &&PlannedChange| planned.work.copy == Some(place.copy));
        let Some(key) = &trigger.key else { return changes.any(|planned| counts(&planned.change, trigger)) };
        let scope = ModuleScope { around: self.around(), copy: place.copy, repetition: &place.repetition, this: None };
        let evaluated = evaluate(key, &scope);
        said.append(evaluated.said);
        let Some(key) = evaluated.value.as_ref().and_then(instance_key) else { return false };
        match changes.find(|planned| planned.change.addr.key.as_ref() == Some(&key)) {
            Some(planned) => counts(&planned.change, trigger),
            None => {
                let detail = format!(
                    "{} has no instance {key}, so its change cannot replace this resource. Name an instance that its \
                     count or for_each makes.",
                    trigger.resource
                );
                said.push(Diagnostic::error("Invalid replace_triggered_by expression", detail).at(trigger.expr.span));
                false
            }
        }
    }
}

/// Whether a change is one that a trigger listens to: an update or a replacement, of the attribute where one is named. What
/// is new or removed was never what the dependent object was made with.
fn counts(change: &Change, trigger: &Trigger) -> bool {
    match change.action {
        Action::Update | Action::CreateThenDelete | Action::DeleteThenCreate => {
            let part = |value: &Value| trigger.path.of(&value.clone().unmark_deep().0).cloned().unwrap_or_default();
            part(&change.before) != part(&change.after)
        }
        Action::NoOp | Action::Create | Action::Read | Action::Delete | Action::Forget => false,
    }
}

fn instance_key(value: &Value) -> Option<InstanceKey> {
    match value {
        Value::String(key) => Some(InstanceKey::Str(key.clone())),
        Value::Number(index) => index.as_usize().map(|index| InstanceKey::Int(index as u64)),
        _ => None,
    }
}
