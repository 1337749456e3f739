//! What became known: nodes evaluated again, arguments of changes completed, results folded into the world.

use foldhash::{HashMap, HashMapExt};

use crate::addr::Name;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::graph::{ModuleId, Node, NodeId, ProviderId};
use crate::plan::PlannedChange;
use crate::plan::expand::each_values;
use crate::plan::provider::{Status, configure, planned_config};
use crate::plan::remote::remote_value;
use crate::plan::scope::{ModuleScope, Surroundings, Variables};
use crate::plan::values::validate_variable;
use crate::plan::world::{CopyId, Repetition, Shaping, resource_value};
use crate::schema::sensitive_paths;
use crate::value::Value;

use super::Stop;
use super::run::{Done, Flight, Run};

/// How evaluating a node went.
pub(super) enum Evaluated<'a> {
    /// It is done; whether it worked.
    Done(bool),
    /// A provider is being configured.
    Call(Flight<'a>),
}

impl<'a> Run<'a> {
    pub(super) fn around(&self) -> Surroundings<'_> {
        let segment = self.plan.segment();
        Surroundings {
            config: &segment.config,
            graph: &segment.graph,
            world: &self.world,
            states: self.inputs.states,
            functions: self.inputs.functions,
            variables: Variables::Given,
        }
    }

    /// Evaluates a node whose needs are met; `step` is the one that does so.
    pub(super) fn evaluate(&mut self, step: u32, node: NodeId) -> Evaluated<'a> {
        let graph = &self.plan.segment().graph;
        match graph.node(node) {
            Node::Variable(module, _) | Node::Local(module, _) | Node::Output(module, _) => {
                let mut ok = true;
                for position in 0..self.world.copies_of(*module).len() {
                    let copy = self.world.copies_of(*module)[position];
                    let planned = self.world.value_of(graph, node, copy);
                    if planned.is_none() {
                        continue;
                    }
                    if !planned.is_some_and(Value::is_wholly_known) {
                        let outcome = crate::plan::values::node_value(self.around(), node, copy);
                        // What does not take part may no longer fit what is stored, as while planning.
                        if outcome.has_errors() && !self.plan.segment().selected[node.index()] {
                            continue;
                        }
                        ok &= !outcome.has_errors();
                        self.said.append(outcome.said);
                        let Some(value) = outcome.value else { continue };
                        self.world.set(graph, node, copy, value);
                    }
                    let said = self.validate(node, copy);
                    ok &= !said.has_errors();
                    self.said.append(said);
                }
                Evaluated::Done(ok)
            }
            Node::Data(module, _) if graph.remote.contains_key(&node) => {
                let copy = self.world.copies_of(*module)[0];
                let outcome = remote_value(self.around(), node).unwrap_or_else(|| Outcome::ok(Value::NULL));
                let ok = !outcome.has_errors();
                self.said.append(outcome.said);
                if let Some(value) = outcome.value {
                    self.world.set(graph, node, copy, value);
                }
                Evaluated::Done(ok)
            }
            Node::Resource(..) | Node::Data(..) => {
                self.fold_results(node);
                Evaluated::Done(true)
            }
            Node::Ephemeral(module, addr) => self.open_ephemeral(step, node, *module, addr),
            Node::ModuleCall(module, name) => Evaluated::Done(self.complete_copies(*module, name)),
            Node::ModuleEnd(..) => Evaluated::Done(true),
            Node::Provider(id) => self.configure_provider(step, node, *id),
        }
    }

    /// The validations of a variable, now that what they look at is known.
    fn validate(&self, node: NodeId, copy: CopyId) -> Diagnostics {
        let graph = &self.plan.segment().graph;
        let Node::Variable(module, name) = graph.node(node) else { return Diagnostics::none() };
        match graph.module(*module).module.variables.get(name) {
            Some(variable) => validate_variable(&ModuleScope::plain(self.around(), copy), variable),
            None => Diagnostics::none(),
        }
    }

    /// Gives the copies of a module call the values of `for_each` that plan did not know.
    fn complete_copies(&mut self, module: ModuleId, name: &Name) -> bool {
        let graph = &self.plan.segment().graph;
        let Some(for_each) = &graph.module(module).module.calls[name].for_each else { return true };
        let mut ok = true;
        for parent in self.world.copies_of(module).to_vec() {
            let copies = self.world.copies_of_call(parent, name);
            if copies.iter().all(|copy| self.world.copy(*copy).repetition.open_key().is_none()) {
                continue;
            }
            let outcome = each_values(for_each, &ModuleScope::plain(self.around(), parent));
            ok &= !outcome.has_errors();
            self.said.append(outcome.said);
            let values = outcome.value.unwrap_or_default();
            for copy in copies {
                let key = self.world.copy(copy).repetition.open_key();
                if let Some(value) = key.and_then(|key| values.get(key)).cloned() {
                    self.world.set_each_value(copy, value);
                }
            }
        }
        ok
    }

    /// A provider whose configuration was not known at plan is configured when what it needs is there.
    fn configure_provider(&mut self, step: u32, node: NodeId, id: ProviderId) -> Evaluated<'a> {
        let slot = &self.providers[id.index()];
        let waits = match &slot.status {
            Status::Provisional(_) | Status::Pending(_) => true,
            Status::New | Status::Ready(_) | Status::Lost(..) | Status::Failed => false,
        };
        if !waits || !self.plan.segment().selected[node.index()] {
            return Evaluated::Done(true);
        }
        let kind = slot.kind.clone();
        let outcome = planned_config(self.around(), id, &*kind);
        let failed = outcome.has_errors();
        self.said.append(outcome.said);
        match outcome.value.filter(|_| !failed) {
            None => Evaluated::Done(false),
            // In a project a later segment goes on from here.
            Some(config) if !config.is_wholly_known() => Evaluated::Done(true),
            Some(config) => {
                let mut slot = slot.clone();
                Evaluated::Call(Box::pin(async move {
                    let configured = Stop::or(configure(kind, config)).await.unwrap_or_else(|| {
                        Err(Diagnostic::error("Interrupted", "The provider was not configured.").into())
                    });
                    let outcome = match configured {
                        Ok((configured, said)) => {
                            slot.status = Status::Ready(configured);
                            Outcome::with(slot, said)
                        }
                        Err(said) => Outcome::fail(said),
                    };
                    Done::Provider(step, id.index(), Box::new(outcome))
                }))
            }
        }
    }

    /// Puts results of calls into the value of their resource.
    fn fold_results(&mut self, node: NodeId) {
        let Some(results) = self.results.remove(&node) else { return };
        let graph = &self.plan.segment().graph;
        let mut by_copy: HashMap<CopyId, Vec<(&PlannedChange, Value)>> = HashMap::new();
        for (index, value) in results {
            let planned = &self.plan.changes[index];
            let (Some(copy), Some(value)) = (planned.work.copy, value) else { continue };
            let mut marks = planned.schema().map(|schema| sensitive_paths(&schema.block, &value)).unwrap_or_default();
            marks.extend(planned.work.marks.iter().cloned());
            by_copy.entry(copy).or_default().push((planned, value.mark_paths(&marks)));
        }
        for (copy, results) in by_copy {
            let before = self.world.value_of(graph, node, copy).cloned().unwrap_or_default();
            let value = match results.first().map(|(planned, _)| &planned.work.repetition) {
                None => continue,
                Some(Repetition::None) => results.into_iter().next().map(|(_, value)| value).unwrap_or_default(),
                Some(Repetition::Count(_)) => {
                    let mut items = before.as_items().unwrap_or_default().to_vec();
                    for (planned, value) in results {
                        if let Repetition::Count(at) = planned.work.repetition
                            && let Some(item) = usize::try_from(at).ok().and_then(|at| items.get_mut(at))
                        {
                            *item = value;
                        }
                    }
                    Value::tuple(items)
                }
                Some(Repetition::Each(..)) => {
                    let old = before.as_entries().cloned().unwrap_or_default();
                    let keyed = old.iter().map(|(key, value)| (key.clone(), value.clone()));
                    let new = results.into_iter().filter_map(|(planned, value)| match &planned.work.repetition {
                        Repetition::Each(key, _) => Some((key.clone(), value)),
                        Repetition::None | Repetition::Count(_) | Repetition::Unknown(_) => None,
                    });
                    // Of a repeated key the last value stays: the new one.
                    Value::object(keyed.chain(new))
                }
                Some(Repetition::Unknown(_)) => resource_value(Shaping::Unknown, Vec::new()),
            };
            self.world.set(graph, node, copy, value);
        }
    }
}
