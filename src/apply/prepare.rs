//! Calls in the making: arguments completed with what became known, and the provider's final plan where it has to be asked.

use std::sync::Arc;

use crate::addr::Mode;
use crate::change::Action;
use crate::config::When;
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::decode::decode;
use crate::plan::expand::each_values;
use crate::plan::provider::Status;
use crate::plan::rules::check;
use crate::plan::scope::ModuleScope;
use crate::plan::world::Repetition;
use crate::plan::{Call, PlannedChange, block_name, ignore_changes, schema_of};
use crate::provider::{PlanRequest, answering};
use crate::schema::{proposed, sensitive_paths};
use crate::state::Slot;
use crate::value::Value;

use super::Stop;
use super::call::{Final, Job, Request, Then, Watch, step_action};
use super::record::deposed_key;
use super::run::{Done, Flight, Run};

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
        let configured = slot.ask().cloned().map(|asked| answering(asked, &planned.change.addr));
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
            provisions: call == Call::Create && self.provision_of(planned, When::Create).is_some(),
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
        let said = self.conditions(planned, None);
        if said.has_errors() {
            self.said.append(said);
            return Prepared::Failed;
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
        if call == Call::Update && before == planned.work.planned {
            // Only what is sensitive of it changes, which is between the program and its state.
            let private = self.stored(planned).map(|object| object.private.to_vec()).unwrap_or_default();
            job.request = Request::Keep { value: before, private };
            return Prepared::Job(Box::new(job));
        }
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
            let then = |job, said, then| Done::Planned(Box::new(Final { job, said, then }));
            let Some(outcome) = Stop::or(configured.plan(request)).await else {
                let said = Diagnostic::error("Interrupted", "Nothing was done with it.");
                return then(job, said.into(), Then::Failed);
            };
            let mut said = outcome.said;
            let Some(final_plan) = outcome.value.filter(|_| !said.has_errors()) else {
                return then(job, said, Then::Failed);
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
                    return then(job, said, Then::Failed);
                }
                if final_plan.value == prior {
                    return then(job, said, Then::Unchanged(prior));
                }
            }
            job.request =
                Request::Apply { prior, planned: final_plan.value, config, private: final_plan.private, remote };
            then(job, said, Then::Make)
        }))
    }

    /// What `count.index` or `each` are for a change, now that what its `for_each` needs has been applied.
    pub(super) fn repetition(&mut self, planned: &PlannedChange) -> Repetition {
        let segment = self.plan.segment();
        let known = || planned.work.repetition.clone();
        let (Some(key), Some(node), Some(copy)) =
            (planned.work.repetition.open_key(), planned.work.node, planned.work.copy)
        else {
            return known();
        };
        let Some(for_each) = segment.graph.resource(node).and_then(|(_, resource)| resource.for_each.as_ref()) else {
            return known();
        };
        // Once for all instances of the block.
        if !self.each_values.contains_key(&(node, copy)) {
            let outcome = each_values(for_each, &ModuleScope::plain(self.around(), copy));
            self.said.append(outcome.said);
            self.each_values.insert((node, copy), outcome.value.unwrap_or_default());
        }
        let value = self.each_values.get(&(node, copy)).and_then(|values| values.get(key));
        value.map_or_else(known, |value| Repetition::Each(key.clone(), value.clone()))
    }

    /// The arguments of a change, wholly known, without marks.
    fn arguments(&mut self, planned: &PlannedChange) -> Result<Value, Diagnostics> {
        if planned.work.config.is_wholly_known() {
            return Ok(planned.work.config.clone());
        }
        let missing = |what: &str| {
            Diagnostics::from(Diagnostic::error("Arguments not known", what.to_owned()).about(&planned.change.addr))
        };
        let (Some(node), Some(copy)) = (planned.work.node, planned.work.copy) else {
            return Err(missing("The block is no longer written."));
        };
        let Some(schema) = planned.schema() else { return Err(missing("The provider has no such type.")) };
        let repetition = self.repetition(planned);
        let segment = self.plan.segment();
        let Some((_, resource)) = segment.graph.resource(node) else {
            return Err(missing("The block is no longer written."));
        };
        let scope = ModuleScope { around: self.around(), copy, repetition: &repetition, this: None };
        let outcome = decode(&resource.body, &schema.block, &scope);
        let said = outcome.said.located(Some(resource.block.header), Some(&block_name(&resource.addr)));
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

    /// Which preconditions of a block do not hold, now that what they look at is known; with the object that came out of the
    /// call, which postconditions.
    pub(super) fn conditions(&mut self, planned: &PlannedChange, made: Option<&Value>) -> Diagnostics {
        let (Some(node), Some(copy)) = (planned.work.node, planned.work.copy) else { return Diagnostics::none() };
        let graph = &self.plan.segment().graph;
        let Some((_, resource)) = graph.resource(node) else { return Diagnostics::none() };
        let (rules, summary) = match made {
            None => (&resource.lifecycle.preconditions, "Resource precondition failed"),
            Some(_) => (&resource.lifecycle.postconditions, "Resource postcondition failed"),
        };
        if rules.is_empty() {
            return Diagnostics::none();
        }
        let this = made.map(|value| {
            let mut marks = planned.schema().map(|schema| sensitive_paths(&schema.block, value)).unwrap_or_default();
            marks.extend(planned.work.marks.iter().cloned());
            value.clone().mark_paths(&marks)
        });
        let repetition = self.repetition(planned);
        let scope = ModuleScope { around: self.around(), copy, repetition: &repetition, this: this.as_ref() };
        let said: Diagnostics = rules.iter().flat_map(|rule| check(rule, &scope, summary)).collect();
        if said.has_errors() {
            let messages = said.iter().map(|said| said.detail.clone());
            self.unmet.entry(planned.change.addr.clone()).or_default().extend(messages);
        }
        said.located(None, Some(&block_name(&resource.addr))).of_instance(planned.change.addr.key.as_ref())
    }

    pub(super) fn stored(&self, planned: &PlannedChange) -> Option<Arc<crate::state::Object>> {
        let layer = self.plan.segment().config.layer_index(&planned.change.addr.layer)?;
        if planned.change.importing.is_some() {
            return planned.work.stored.clone();
        }
        let slot = Slot { addr: planned.change.addr.clone(), deposed: planned.change.deposed.clone() };
        match self.refreshed.get(&slot) {
            Some(object) => (*object).clone().map(Arc::new),
            None => self.inputs.states.get(layer)?.at(&slot).cloned(),
        }
    }

    pub(super) fn commit_of(&self, planned: &PlannedChange) -> Option<crate::state::Commit> {
        let layer = self.plan.segment().config.layer_index(&planned.change.addr.layer)?;
        self.inputs.commits.get(layer)?.clone()
    }
}
