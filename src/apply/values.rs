//! What became known: nodes evaluated again, arguments of changes completed, results folded into the world.

use std::collections::HashMap;
use std::sync::Arc;

use crate::addr::Mode;
use crate::change::Action;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::graph::{Node, NodeId, ProviderId};
use crate::lang::decode::decode;
use crate::plan::provider::{Status, configure, planned_config};
use crate::plan::scope::{ModuleScope, Surroundings};
use crate::plan::world::{CopyId, Repetition, Shaping, resource_value};
use crate::plan::{Call, PlannedChange, ignore_changes, schema_of};
use crate::provider::PlanRequest;
use crate::schema::{proposed, sensitive_paths};
use crate::state::{OutputState, Record, Slot, Status as ObjectStatus};
use crate::value::Value;

use super::call::{Ended, Job, Request, Watch, make, step_action};
use super::record::{deposed_key, object};
use super::run::{Done, Flight, Run};

/// How evaluating a node went.
pub(super) enum Evaluated<'a> {
    /// It is done; whether it worked.
    Done(bool),
    /// A provider is being configured.
    Call(Flight<'a>),
}

/// What a change needs before it can be carried out.
pub(super) enum Prepared<'a> {
    /// It turned out that there is nothing to do.
    Nothing,
    /// It cannot be carried out; that has been said.
    Failed,
    /// It is ready.
    Job(Box<Job<'a>>),
    /// The provider is asked for its final plan first.
    Replan(Flight<'a>),
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
            offline: false,
        }
    }

    /// Evaluates a node whose needs are met.
    pub(super) fn evaluate(&mut self, node: NodeId) -> Evaluated<'a> {
        let graph = &self.plan.segment().graph;
        match graph.node(node) {
            Node::Variable(module, _) | Node::Local(module, _) | Node::Output(module, _) => {
                let mut ok = true;
                for position in 0..self.world.copies_of(*module).len() {
                    let copy = self.world.copies_of(*module)[position];
                    let planned = self.world.value_of(graph, node, copy);
                    if planned.is_none_or(Value::is_wholly_known) {
                        continue;
                    }
                    let outcome = crate::plan::values::node_value(self.around(), node, copy);
                    ok &= !outcome.has_errors();
                    self.said.append(outcome.said);
                    if let Some(value) = outcome.value {
                        self.world.set(graph, node, copy, value);
                    }
                }
                Evaluated::Done(ok)
            }
            Node::Resource(..) | Node::Data(..) => {
                self.fold_results(node);
                Evaluated::Done(true)
            }
            Node::ModuleCall(..) | Node::ModuleEnd(..) => Evaluated::Done(true),
            Node::Provider(id) => self.configure_provider(node, *id),
        }
    }

    /// A provider whose configuration was not known at plan is configured when what it needs is there.
    fn configure_provider(&mut self, node: NodeId, id: ProviderId) -> Evaluated<'a> {
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
                    let outcome = match configure(kind, config).await {
                        Ok((configured, said)) => {
                            slot.status = Status::Ready(configured);
                            Outcome::with(slot, said)
                        }
                        Err(said) => Outcome::fail(said),
                    };
                    Done::Provider(node, id.index(), Box::new(outcome))
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

    /// Completes the arguments of a change and makes a call of it.
    pub(super) fn prepare(&mut self, step: u32, index: usize, call: Call) -> Prepared<'a> {
        let plan = self.plan;
        let planned = &plan.changes[index];
        let Some(commit) = self.commit_of(planned) else {
            self.said.error(
                "State is not open for writing",
                format!("Layer {} is not part of this run.", planned.change.addr.layer),
            );
            return Prepared::Failed;
        };
        let slot = &self.providers[planned.work.provider];
        let configured = slot.ask().cloned();
        let remote = slot.kind.limits().remote;
        let dependencies = match planned.work.node {
            Some(node) => self.dependencies.of(node),
            None => {
                planned.work.stored.as_ref().map(|object| object.dependencies.clone()).unwrap_or_else(|| Arc::new([]))
            }
        };
        let (voice, stop) = (self.voice.clone(), self.inputs.stop.clone());
        let watch = Watch::new(planned.change.addr.clone(), step_action(call), voice, stop);
        let mut job = Job {
            step,
            index,
            call,
            planned,
            configured,
            commit,
            request: Request::Forget,
            dependencies,
            aside: None,
            watch,
        };
        let before = planned.change.before.clone().unmark_deep().0;
        match call {
            Call::Forget => return Prepared::Job(Box::new(job)),
            Call::Delete | Call::DeleteReplaced => {
                if call == Call::DeleteReplaced {
                    // The create of this change has put the old object aside.
                    job.aside = self.aside.get(&index).cloned();
                    if job.aside.is_none() {
                        return Prepared::Nothing;
                    }
                }
                let private = match &planned.work.stored {
                    Some(stored) => stored.private.to_vec(),
                    None => self.stored(planned).map(|object| object.private.to_vec()).unwrap_or_default(),
                };
                let planned = Value::Null(before.ty());
                job.request = Request::Apply { config: planned.clone(), planned, prior: before, private, remote };
                return Prepared::Job(Box::new(job));
            }
            Call::Create | Call::Update | Call::Read => {}
        }
        let config = match self.arguments(planned) {
            Ok(config) => config,
            Err(said) => {
                self.said.append(said);
                return Prepared::Failed;
            }
        };
        if planned.change.addr.resource.mode == Mode::Data {
            job.request = Request::Read { config };
            return Prepared::Job(Box::new(job));
        }
        if call == Call::Create
            && planned.change.action == Action::CreateThenDelete
            && let Some(old) = self.stored(planned)
        {
            let aside = Slot { addr: planned.change.addr.clone(), deposed: Some(deposed_key()) };
            self.aside.insert(index, (aside.clone(), old.clone()));
            job.aside = Some((aside, old));
        }
        let Some(schema) = schema_of(&*planned.provider_type, &planned.change.addr) else { return Prepared::Failed };
        let prior = if call == Call::Create { Value::Null(schema.ty()) } else { before };
        let asked_at_plan = match plan.segment().providers[planned.work.provider].status {
            Status::Ready(_) => true,
            Status::New | Status::Provisional(_) | Status::Pending(_) | Status::Lost(..) | Status::Failed => false,
        };
        if asked_at_plan && planned.work.config.is_wholly_known() {
            job.request = Request::Apply {
                prior,
                planned: planned.work.planned.clone(),
                config,
                private: planned.private.clone(),
                remote,
            };
            return Prepared::Job(Box::new(job));
        }
        self.replan(job, schema, prior, config, remote)
    }

    /// Asks the provider for its final plan with what became known, then carries that out.
    fn replan(
        &mut self,
        mut job: Job<'a>,
        schema: &crate::schema::Schema,
        prior: Value,
        config: Value,
        remote: bool,
    ) -> Prepared<'a> {
        let Some(configured) = job.configured.clone() else {
            let addr = &job.planned.change.addr;
            let detail = format!("The provider of {addr} could not be configured, so that nothing was done with it.");
            self.said.push(Diagnostic::error("Provider not configured", detail).about(addr));
            return Prepared::Failed;
        };
        let request = PlanRequest {
            kind: job.planned.change.addr.resource.kind.to_string(),
            proposed: proposed(&schema.block, &prior, &config),
            prior: prior.clone(),
            config: config.clone(),
            private: if job.call == Call::Create { Vec::new() } else { job.planned.private.clone() },
        };
        Prepared::Replan(Box::pin(async move {
            let started = super::run::now();
            let outcome = configured.plan(request).await;
            let mut said = outcome.said;
            let ended = |job: &Job<'_>, value, said| Ended {
                step: job.step,
                index: job.index,
                call: job.call,
                value,
                said,
                fatal: false,
                elapsed: started.elapsed(),
            };
            let Some(final_plan) = outcome.value.filter(|_| !said.has_errors()) else {
                return Done::Call(Box::new(ended(&job, None, said)));
            };
            if job.call == Call::Update {
                let changed = |path: &&crate::value::Path| path.of(&prior) != path.of(&final_plan.value);
                if let Some(path) = final_plan.replace.iter().find(changed) {
                    said.push(
                        Diagnostic::error(
                            "Final plan differs",
                            format!(
                                "With what became known, {path} of {} can only be changed by replacing the object, which \
                                 the plan did not say. Nothing was done with it. Plan again.",
                                job.planned.change.addr
                            ),
                        )
                        .about(&job.planned.change.addr),
                    );
                    return Done::Call(Box::new(ended(&job, None, said)));
                }
                if final_plan.value == prior {
                    return Done::Call(Box::new(ended(&job, Some(prior), said)));
                }
            }
            job.request =
                Request::Apply { prior, planned: final_plan.value, config, private: final_plan.private, remote };
            let mut done = make(job).await;
            done.said.0.splice(0..0, said);
            Done::Call(Box::new(done))
        }))
    }

    /// The arguments of a change, wholly known, without marks.
    fn arguments(&self, planned: &PlannedChange) -> Result<Value, Diagnostics> {
        if planned.work.config.is_wholly_known() {
            return Ok(planned.work.config.clone());
        }
        let segment = self.plan.segment();
        let missing = |what: &str| {
            Diagnostics::from(Diagnostic::error("Arguments not known", what.to_owned()).about(&planned.change.addr))
        };
        let (Some(node), Some(copy)) = (planned.work.node, planned.work.copy) else {
            return Err(missing("The block is no longer written."));
        };
        let Some((_, resource)) = segment.graph.resource(node) else {
            return Err(missing("The block is no longer written."));
        };
        let Some(schema) = planned.schema() else { return Err(missing("The provider has no such type.")) };
        let scope = ModuleScope { around: self.around(), copy, repetition: &planned.work.repetition, this: None };
        let outcome = decode(&resource.body, &schema.block, &scope);
        let said = outcome.said.located(Some(resource.block.header), None);
        let Some(config) = outcome.value.filter(|_| !said.has_errors()) else { return Err(said) };
        let (config, _) = config.unmark_deep();
        if !config.is_wholly_known() {
            return Err(missing(
                "Some of its arguments are still not known, although everything it refers to has been applied. This is a \
                 defect of the program or of a provider.",
            ));
        }
        let before = planned.change.before.clone().unmark_deep().0;
        let prior = if planned.change.action == Action::Update { before } else { Value::NULL };
        Ok(ignore_changes(&resource.lifecycle.ignore_changes, &prior, config))
    }

    fn stored(&self, planned: &PlannedChange) -> Option<Arc<crate::state::Object>> {
        let layer = self.plan.segment().config.layer_index(&planned.change.addr.layer)?;
        let slot = Slot { addr: planned.change.addr.clone(), deposed: planned.change.deposed.clone() };
        let refreshed = self.plan.segment().refreshed.iter().find(|(refreshed, _, _)| *refreshed == slot);
        match refreshed {
            Some((_, _, object)) => object.clone().map(Arc::new),
            None => self.inputs.states.get(layer)?.at(&slot).cloned(),
        }
    }

    fn commit_of(&self, planned: &PlannedChange) -> Option<crate::state::Commit> {
        let layer = self.plan.segment().config.layer_index(&planned.change.addr.layer)?;
        self.inputs.commits.get(layer)?.clone()
    }

    /// Writes what reading brought to light, and data sources that were read at plan.
    pub(super) async fn write_refreshed(&mut self) {
        let plan = self.plan;
        let mut records: Vec<Record> = self.inputs.commits.iter().map(|_| Record::new()).collect();
        for (slot, provider, object) in &plan.segment().refreshed {
            let Some(layer) = plan.segment().config.layer_index(&slot.addr.layer) else { continue };
            let record = std::mem::take(&mut records[layer]);
            records[layer] = match object {
                Some(object) => {
                    record.put(slot.clone(), plan.segment().providers[*provider].addr.clone(), Arc::new(object.clone()))
                }
                None => record.remove(slot.clone()),
            };
        }
        for planned in &plan.changes {
            let is_read = planned.change.addr.resource.mode == Mode::Data && planned.change.action == Action::NoOp;
            let Some(node) = planned.work.node.filter(|_| is_read && planned.work.planned.is_wholly_known()) else {
                continue;
            };
            let Some(layer) = plan.segment().config.layer_index(&planned.change.addr.layer) else { continue };
            let dependencies = self.dependencies.of(node);
            if let Ok(object) = object(planned, &planned.work.planned, &[], ObjectStatus::Ready, dependencies) {
                let slot = Slot { addr: planned.change.addr.clone(), deposed: None };
                let record = std::mem::take(&mut records[layer]);
                records[layer] = record.put(slot, planned.change.provider.clone(), object);
            }
        }
        self.append(records).await;
    }

    async fn append(&mut self, records: Vec<Record>) {
        for (record, commit) in records.into_iter().zip(self.inputs.commits) {
            let Some(commit) = commit.as_ref().filter(|_| !record.is_empty()) else { continue };
            if let Err(error) = commit.append(record).await {
                self.said.push(error.diagnostic());
            }
        }
    }

    /// Writes the root outputs that are known now, and takes out those that are gone.
    pub(super) async fn write_outputs(&mut self) {
        let plan = self.plan;
        let graph = &plan.segment().graph;
        let mut records: Vec<Record> = self.inputs.commits.iter().map(|_| Record::new()).collect();
        for output in &plan.outputs {
            let Some(layer) = plan.segment().config.layer_index(&output.layer) else { continue };
            let root = graph.roots[layer];
            let copy = self.world.copies_of(root)[0];
            let offset = graph.module(root).shape.output(&output.name);
            let record = std::mem::take(&mut records[layer]);
            if output.action == Action::Delete {
                records[layer] = record.output(output.name.clone(), None);
                continue;
            }
            let value = offset.and_then(|offset| self.world.get(copy, offset)).unwrap_or(&output.after);
            if !value.is_wholly_known() {
                records[layer] = record;
                continue;
            }
            let bare = value.clone().unmark_deep().0;
            let shown = if output.sensitive { bare.clone().sensitive() } else { bare.clone() };
            self.report.outputs.push((output.layer.clone(), output.name.clone(), shown));
            records[layer] = if bare.is_null() {
                record.output(output.name.clone(), None)
            } else {
                record.output(output.name.clone(), Some(OutputState { value: bare, sensitive: output.sensitive }))
            };
        }
        self.append(records).await;
    }
}
