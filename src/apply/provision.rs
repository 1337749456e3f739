//! Provisioners in their place: after an object was made and before one is destroyed, one after the other. The arguments of each
//! are evaluated when its turn comes, since they may read what the one before has written.
//!
//! An object is in state, tainted, before its first provisioner runs; it is no longer tainted when the last has ended well.
//! Whatever comes between leaves it to be replaced.

use std::sync::Arc;

use crate::addr::{InstanceKey, ResourceAddr};
use crate::config::{OnFailure, Provision, Provisioner, When};
use crate::diag::{Diagnostic, Diagnostics, Span};
use crate::event::Event;
use crate::graph::ModuleId;
use crate::lang::decode::decode;
use crate::lang::eval::{Reference, Repeats, Scope};
use crate::lang::functions::Context;
use crate::lang::syntax::ast::Body;
use crate::plan::scope::{ModuleScope, ObjectScope};
use crate::plan::world::Repetition;
use crate::plan::{Call, PlannedChange, block_name};
use crate::provision::{self, Job as Work};
use crate::schema::{Block, sensitive_paths};
use crate::state::{Record, Status};
use crate::value::Value;

use super::Stop;
use super::call::{Ended, Job, Watch, make};
use super::run::{Done, Run};

/// A row of provisioners, as far as it has come.
pub(super) struct Row<'a> {
    step: u32,
    index: usize,
    provision: &'a Provision,
    /// The module that the blocks stand in.
    module: ModuleId,
    when: When,
    /// How many have run.
    at: usize,
    watch: Arc<Watch>,
    then: Then<'a>,
}

/// What is to be done when all have run.
enum Then<'a> {
    /// The object was made.
    Made(Box<Ended>),
    /// The object is to be destroyed.
    Remove(Box<Job<'a>>),
}

/// How one of them ended.
pub(super) struct Provisioned<'a> {
    row: Row<'a>,
    result: Result<(), Box<Diagnostic>>,
}

impl<'a> Run<'a> {
    /// The provisioners of a change that run at a time, and the module that they stand in.
    pub(super) fn provision_of(&self, planned: &'a PlannedChange, when: When) -> Option<(&'a Provision, ModuleId)> {
        let graph = &self.plan.segment().graph;
        let (provision, module) = match (planned.work.node, planned.work.removed) {
            (Some(node), _) => graph.resource(node).map(|(module, resource)| (&resource.provision, module))?,
            (None, Some((module, position))) => (&graph.module(module).module.removed.get(position)?.provision, module),
            (None, None) => return None,
        };
        provision.at(when).next().map(|_| (provision, module))
    }

    /// What has to run before an object is destroyed. Nothing for one that is tainted (what made it did not end well), and for
    /// the one that another has replaced already.
    pub(super) fn before_removal(&self, planned: &'a PlannedChange, call: Call) -> Option<(&'a Provision, ModuleId)> {
        if call != Call::Delete || planned.change.deposed.is_some() {
            return None;
        }
        let found = self.provision_of(planned, When::Destroy)?;
        let stored = planned.work.stored.clone().or_else(|| self.stored(planned));
        (!stored.is_some_and(|stored| stored.status == Status::Tainted)).then_some(found)
    }

    /// Begins what runs before an object is destroyed.
    pub(super) fn provision_removal(&mut self, job: Box<Job<'a>>, provision: &'a Provision, module: ModuleId) {
        let (step, index, watch) = (job.step, job.index, job.watch.clone());
        let when = When::Destroy;
        self.next_provisioner(Row { step, index, provision, module, when, at: 0, watch, then: Then::Remove(job) });
    }

    /// Begins what runs after an object was made; gives the end of the call back when there is nothing to run.
    pub(super) fn provision_made(&mut self, ended: Ended) -> Option<Ended> {
        let planned = &self.plan.changes[ended.index];
        if ended.kept.is_none() || ended.said.has_errors() {
            return Some(ended);
        }
        let Some((provision, module)) = self.provision_of(planned, When::Create) else { return Some(ended) };
        let (step, index, watch) = (ended.step, ended.index, ended.watch.clone());
        let (when, then) = (When::Create, Then::Made(Box::new(ended)));
        self.next_provisioner(Row { step, index, provision, module, when, at: 0, watch, then });
        None
    }

    fn next_provisioner(&mut self, row: Row<'a>) {
        let Some(provisioner) = row.provision.at(row.when).nth(row.at) else { return self.row_ended(row) };
        if self.inputs.stop.is_asked() {
            let detail = format!("Its {} provisioner was not run.", provisioner.kind);
            let said = Diagnostic::error("Interrupted", detail).at(provisioner.header);
            let said = said.about(&self.plan.changes[row.index].change.addr).into();
            return self.row_failed(row, said);
        }
        let work = match self.provisioner_work(&row, provisioner) {
            Ok(work) => work,
            Err(said) => return self.row_failed(row, said),
        };
        let addr = self.plan.changes[row.index].change.addr.clone();
        let (events, context) = (self.inputs.events, self.inputs.provision.clone());
        let kind = provisioner.kind.to_string();
        events.emit(Event::ProvisionStarted { addr: addr.clone(), provisioner: kind.clone() });
        self.watches.insert(row.step, row.watch.clone());
        self.running.push(Box::pin(async move {
            let hear = |line: &str| {
                let (addr, provisioner, line) = (addr.clone(), kind.clone(), line.to_owned());
                events.emit(Event::ProvisionOutput { addr, provisioner, line });
            };
            // A program of this machine gets time to clean up, and ends by itself then.
            let local = work.kind == "local-exec";
            let interrupted = async { if local { std::future::pending().await } else { Stop::here().await } };
            let result = tokio::select! {
                result = provision::run(&work, &context, &hear) => result,
                () = interrupted => Err(Box::new(Diagnostic::error(
                    format!("{kind} provisioner error"),
                    "It was interrupted. What it has started on the other machine may still run there.",
                ))),
            };
            Done::Provisioned(Box::new(Provisioned { row, result }))
        }));
    }

    /// Takes in how a provisioner ended.
    pub(super) fn provisioned(&mut self, done: Provisioned<'a>) {
        let Provisioned { mut row, result } = done;
        let Some(provisioner) = row.provision.at(row.when).nth(row.at) else { return self.row_ended(row) };
        let planned = &self.plan.changes[row.index];
        self.inputs.events.emit(Event::ProvisionEnded {
            addr: planned.change.addr.clone(),
            provisioner: provisioner.kind.to_string(),
            failed: result.is_err(),
        });
        // What the user ends has not failed by itself: no on_failure makes it good.
        let on_failure = if self.inputs.stop.is_asked() { OnFailure::Fail } else { provisioner.on_failure };
        if let (Err(diagnostic), OnFailure::Fail) = (result, on_failure) {
            let brace = provisioner.body.span.map(|span| Span { end: span.start + 1, ..span });
            let diagnostic = diagnostic.or_at(brace.or(Some(provisioner.header))).about(&planned.change.addr);
            let within = self.within(planned);
            return self.row_failed(row, Diagnostics::from(diagnostic).located(None, Some(&within)));
        }
        row.at += 1;
        self.next_provisioner(row);
    }

    /// All have run: what follows them begins.
    fn row_ended(&mut self, row: Row<'a>) {
        let provider = self.plan.changes[row.index].change.provider.clone();
        match row.then {
            Then::Remove(job) => {
                self.running.push(Box::pin(async move { Done::Call(Box::new(make(*job).await)) }));
            }
            Then::Made(mut ended) => {
                let Some((slot, object)) = ended.kept.take() else { return self.running.push(at_once(ended)) };
                let Some(commit) = self.commit_of(&self.plan.changes[row.index]) else {
                    return self.running.push(at_once(ended));
                };
                let object = crate::state::Object { status: Status::Ready, ..(*object).clone() };
                let record = Record::new().put(slot, provider, Arc::new(object));
                self.running.push(Box::pin(async move {
                    if let Err(error) = commit.append(record).await {
                        ended.said.push(error.diagnostic());
                        ended.fatal = true;
                    }
                    ended.elapsed = ended.watch.started.elapsed();
                    Done::Call(ended)
                }));
            }
        }
    }

    /// One has failed: the others do not run, and neither does what follows.
    fn row_failed(&mut self, row: Row<'a>, said: Diagnostics) {
        let mut ended = match row.then {
            Then::Made(ended) => ended,
            Then::Remove(job) => Box::new(Ended {
                unchanged: false,
                step: row.step,
                index: row.index,
                call: job.call,
                value: None,
                said: Diagnostics::none(),
                fatal: false,
                elapsed: std::time::Duration::ZERO,
                kept: None,
                watch: row.watch.clone(),
            }),
        };
        ended.kept = None;
        ended.elapsed = row.watch.started.elapsed();
        ended.said.append(said);
        self.running.push(at_once(ended));
    }

    fn within(&self, planned: &PlannedChange) -> String {
        match planned.work.node {
            Some(_) => block_name(&planned.change.addr.resource).to_string(),
            None => "removed".to_owned(),
        }
    }

    /// The arguments of a provisioner and of its connection, now that the object is there.
    fn provisioner_work(&mut self, row: &Row<'a>, provisioner: &Provisioner) -> Result<Work, Diagnostics> {
        let planned = &self.plan.changes[row.index];
        let this = match &row.then {
            Then::Remove(_) => planned.change.before.clone(),
            Then::Made(ended) => made(planned, ended.value.clone().unwrap_or_default()),
        };
        let repetition = match row.when {
            When::Create => self.repetition(planned),
            When::Destroy => repetition_of(planned),
        };
        let around = self.around();
        let mut said = Diagnostics::none();
        let mut value = |body: &Body, block: &Block| {
            let outcome = match (row.when, planned.work.copy) {
                (When::Create, Some(copy)) => {
                    let scope = ModuleScope { around, copy, repetition: &repetition, this: Some(&this) };
                    let own = &planned.change.addr.resource;
                    let value = own_value(&scope, own, &this);
                    decode(body, block, &WithOwn { scope, own, value })
                }
                (When::Create, None) | (When::Destroy, _) => decode(
                    body,
                    block,
                    &ObjectScope { around, module: row.module, repetition: &repetition, this: &this },
                ),
            };
            said.append(outcome.said);
            let (value, marks) = outcome.value.unwrap_or_default().unmark_deep();
            if !value.is_wholly_known() {
                let detail = "Some of its arguments are not known, although everything it refers to has been applied.";
                said.push(Diagnostic::error("Arguments not known", detail));
            }
            (value, marks)
        };
        let block = provision::schema(&provisioner.kind);
        let (config, marks) = block.map(|block| value(&provisioner.body, block)).unwrap_or_default();
        let connection = row.provision.connection_of(provisioner);
        let connection = connection.map(|body| value(&body, provision::connection()).0);
        said.append(provision::validate(&provisioner.kind, &config));
        if said.has_errors() {
            let within = self.within(planned);
            let mut said = said.located(Some(provisioner.header), Some(&within));
            said.0
                .iter_mut()
                .for_each(|one| _ = one.address.get_or_insert_with(|| format!("{:#}", planned.change.addr)));
            return Err(said);
        }
        let segment = self.plan.segment();
        let layer = segment.graph.module(row.module).layer;
        Ok(Work {
            kind: provisioner.kind.to_string(),
            config,
            connection,
            directory: segment.config.working_dir.join(&segment.config.layers[layer].dir),
            marks,
        })
    }
}

fn at_once<'a>(ended: Box<Ended>) -> super::run::Flight<'a> {
    Box::pin(std::future::ready(Done::Call(ended)))
}

/// The object that was made, as the configuration sees it.
fn made(planned: &PlannedChange, value: Value) -> Value {
    let mut marks = planned.schema().map(|schema| sensitive_paths(&schema.block, &value)).unwrap_or_default();
    marks.extend(planned.work.marks.iter().cloned());
    value.mark_paths(&marks)
}

/// What the key of an object says: its block may repeat in another way by now.
fn repetition_of(planned: &PlannedChange) -> Repetition {
    match &planned.change.addr.key {
        Some(InstanceKey::Int(index)) => Repetition::Count(*index),
        Some(InstanceKey::Str(key)) => Repetition::Each(key.clone(), Value::NULL),
        Some(InstanceKey::Unknown) | None => Repetition::None,
    }
}

/// The value of the block itself, with the object that was just made in its place.
fn own_value(scope: &ModuleScope<'_>, own: &ResourceAddr, this: &Value) -> Value {
    let nowhere = Span { file: crate::diag::FileId(0), start: 0, end: 0 };
    let planned = scope.resolve(&Reference::Resource(own.clone()), nowhere).unwrap_or_default();
    match scope.repetition {
        Repetition::None | Repetition::Unknown(_) => this.clone(),
        Repetition::Count(index) => {
            let mut items = planned.as_items().unwrap_or_default().to_vec();
            if let Some(item) = usize::try_from(*index).ok().and_then(|at| items.get_mut(at)) {
                *item = this.clone();
            }
            Value::tuple(items)
        }
        Repetition::Each(key, _) => {
            let others = planned.as_entries().cloned().unwrap_or_default();
            let others = others.iter().map(|(key, value)| (key.clone(), value.clone()));
            Value::object(others.chain([(key.clone(), this.clone())]))
        }
    }
}

/// The names of a module, in which the block itself means the object that was just made.
struct WithOwn<'a> {
    scope: ModuleScope<'a>,
    own: &'a ResourceAddr,
    value: Value,
}

impl Scope for WithOwn<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        match reference {
            Reference::Resource(addr) if addr == self.own => Ok(self.value.clone()),
            other => self.scope.resolve(other, span),
        }
    }

    fn functions(&self) -> &Context<'_> {
        self.scope.functions()
    }

    fn repeats(&self, reference: &Reference) -> Option<Repeats> {
        self.scope.repeats(reference)
    }
}
