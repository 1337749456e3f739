//! The loop: steps become ready, calls run, results are folded in, until nothing is left that can be done.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use futures::stream::{FuturesUnordered, StreamExt};

use crate::addr::InstanceAddr;
use crate::diag::{Diagnostics, Outcome, Severity};
use crate::event::{Event, Events};
use crate::graph::NodeId;
use crate::plan::ephemeral::{Held, close, needed};
use crate::plan::provider::ProviderSlot;
use crate::plan::scope::Functions;
use crate::plan::world::{CopyId, World};
use crate::plan::{Call, Plan, PlannedChange, StepKind, Steps, order};
use crate::state::{Commit, Object, Slot, State};
use crate::value::Value;

use super::Stop;
use super::call::{Ended, Final, Job, Then, Watch, id_of, make, step_action};
use super::critical::Critical;
use super::gates::{GateContext, GateDone};
use super::phases::phase_sizes;
use super::pools::{Called, Pools};
use super::prepare::Prepared;
use super::provision::Provisioned;
use super::record::Dependencies;
use super::report::Report;
use super::values::Evaluated;

/// What an apply works with.
pub struct Inputs<'a> {
    /// The states the plan was made from.
    pub states: &'a [State],
    /// One writer for each layer that may change.
    pub commits: &'a [Option<Commit>],
    /// What functions see: the time of the plan.
    pub functions: &'a Functions<'a>,
    /// Who hears what happens.
    pub events: &'a dyn Events,
    /// The user's wish to stop.
    pub stop: Stop,
    /// Calls in flight at once.
    pub parallelism: usize,
    /// What gates need.
    pub gates: GateContext<'a>,
    /// What provisioners need.
    pub provision: crate::provision::Context,
}

/// A call in flight. The run is one task; its calls need not move between threads.
pub(super) type Flight<'a> = futures::future::LocalBoxFuture<'a, Done<'a>>;

pub(super) enum Done<'a> {
    Call(Box<Ended>),
    Planned(Box<Final<'a>>),
    Provisioned(Box<Provisioned<'a>>),
    /// The step, which action, and what is to be said of it.
    Invoked(u32, usize, Diagnostics),
    Gate(GateDone),
    /// The step that configured a provider, its index, and what came of it.
    Provider(u32, usize, Box<Outcome<ProviderSlot>>),
    /// The step that opened an ephemeral resource, its node, and what came of it.
    Opened(u32, NodeId, Vec<super::ephemeral::OpenCopy>),
}

pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) world: World,
    pub(super) providers: Vec<ProviderSlot>,
    pub(super) dependencies: Dependencies<'a>,
    /// Results of calls, by node and copy of its module.
    pub(super) results: HashMap<NodeId, Vec<(usize, Option<Value>)>>,
    /// Conditions that did not hold: whose, and what was said.
    pub(super) unmet: HashMap<InstanceAddr, Vec<String>>,
    /// Where replaced objects were put, by change.
    pub(super) aside: HashMap<usize, (Slot, Arc<Object>)>,
    /// Values of `for_each` that were not known at plan, by block and copy of its module.
    pub(super) each_values: HashMap<(NodeId, CopyId), Value>,
    /// Ephemeral resources that are open, and which are needed at all.
    pub(super) held: Vec<Held>,
    pub(super) needed: Vec<bool>,
    /// Objects that plan read anew, and those that moved: what is stored of them is no longer true.
    pub(super) refreshed: HashMap<&'a Slot, &'a Option<Object>>,
    pub(super) report: Report,
    pub(super) said: Diagnostics,
    pub(super) running: FuturesUnordered<Flight<'a>>,
    pub(super) steps: Steps,
    /// Name of every phase, and how many calls it has.
    sizes: Vec<(String, usize)>,
    failed: Vec<bool>,
    /// For each node, whether it, or something that it needs, has failed.
    pub(super) broken: Vec<bool>,
    ready: VecDeque<u32>,
    pools: Pools,
    pub(super) watches: HashMap<u32, Arc<Watch>>,
    pub(super) critical: Critical,
    pub(super) voice: tokio::sync::mpsc::UnboundedSender<Event>,
    pub(super) fatal: bool,
    pub(super) open_gates: HashMap<u32, usize>,
    pub(super) failed_gates: HashSet<u32>,
}

/// Carries out a plan. Everything done is durable, whatever happens; with errors the report says what was done all the same.
pub async fn run(plan: Plan, inputs: Inputs<'_>) -> (Report, Diagnostics) {
    let mut plan = plan;
    let steps = order(&plan);
    let world = plan.segment.as_mut().map(|segment| std::mem::take(&mut segment.world)).unwrap_or_default();
    let providers = plan.segment().providers.clone();
    let graph = plan.segment().graph.clone();
    let (voice, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let count = steps.kinds.len();
    let mut run = Run {
        plan: &plan,
        inputs: &inputs,
        world,
        providers,
        dependencies: Dependencies::new(&graph),
        results: HashMap::new(),
        unmet: HashMap::new(),
        aside: HashMap::new(),
        each_values: HashMap::new(),
        held: Vec::new(),
        needed: needed(&plan),
        refreshed: plan.segment().refreshed.iter().map(|(slot, _, object)| (slot, object)).collect(),
        report: Report::default(),
        said: Diagnostics::none(),
        running: FuturesUnordered::new(),
        failed: vec![false; count],
        broken: vec![false; graph.nodes.len()],
        ready: (0..count as u32).filter(|step| steps.waits[*step as usize] == 0).collect(),
        pools: Pools::new(inputs.parallelism),
        watches: HashMap::new(),
        critical: Critical::new(count, &plan),
        sizes: phase_sizes(&plan, &steps),
        steps,
        voice,
        fatal: false,
        open_gates: HashMap::new(),
        failed_gates: HashSet::new(),
    };
    inputs.events.emit(Event::ApplyStarted { phases: run.sizes.clone() });
    run.write_refreshed().await;
    let mut tick = tokio::time::interval(Duration::from_secs(10));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    tick.tick().await;
    loop {
        run.pump().await;
        if run.running.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            Some(event) = heard.recv() => inputs.events.emit(event),
            Some(done) = run.running.next() => run.finish(done).await,
            _ = tick.tick() => run.tell_waiting(),
            () = inputs.stop.urgent() => {
                // Whatever runs is dropped: its intent stays in the journal.
                run.report.stopped = true;
                break;
            }
        }
    }
    while let Ok(event) = heard.try_recv() {
        inputs.events.emit(event);
    }
    // What was done to its end although the user had asked to stop is no less done.
    run.report.stopped |= inputs.stop.is_asked() && (run.report.left > 0 || run.said.has_errors());
    let said = close(std::mem::take(&mut run.held), inputs.events).await;
    run.said.append(said);
    run.end().await
}

impl<'a> Run<'a> {
    /// Does everything that is ready; a call without a place in its pool waits there until one is left.
    async fn pump(&mut self) {
        while let Some(step) = self.ready.pop_front() {
            self.take(step).await;
        }
    }

    async fn take(&mut self, step: u32) {
        if self.failed[step as usize] || self.fatal {
            match self.steps.kinds[step as usize] {
                StepKind::Call(index, _) => self.report.left += usize::from(!self.plan.changes[index].work.check),
                StepKind::Invoke(_) => self.report.left += 1,
                StepKind::Value(node) => self.broken[node.index()] = true,
                StepKind::Join | StepKind::PhaseStart(_) | StepKind::PhaseEnd(_) | StepKind::Never => {}
            }
            return self.release(step, true);
        }
        match self.steps.kinds[step as usize] {
            StepKind::Join => self.release(step, false),
            StepKind::Invoke(index) => {
                if self.pools.enter(&self.plan.invocations[index], step) {
                    self.invoke(step, index);
                }
            }
            // Left for a later segment: what waits for it stays where it is.
            StepKind::Never => {}
            StepKind::PhaseStart(phase) => {
                self.critical.phase_started(step, phase);
                if let Some((name, 1..)) = self.sizes.get(phase) {
                    self.inputs.events.emit(Event::PhaseStarted { phase: name.clone() });
                }
                self.release(step, false);
            }
            StepKind::PhaseEnd(phase) => self.end_phase(step, phase),
            StepKind::Value(node) => match self.evaluate(step, node) {
                Evaluated::Done(ok) => {
                    self.broken[node.index()] |= !ok;
                    self.release(step, !ok);
                }
                Evaluated::Call(job) => self.running.push(job),
            },
            StepKind::Call(index, call) => {
                if self.pools.enter(&self.plan.changes[index], step) {
                    self.start(step, index, call).await;
                }
            }
        }
    }

    /// Starts a call that has its place. One that ends at once is folded in at once.
    async fn start(&mut self, step: u32, index: usize, call: Call) {
        let planned = &self.plan.changes[index];
        if self.inputs.stop.is_asked() {
            self.report.stopped = true;
            self.report.left += 1;
            self.leave(planned);
            return self.release(step, true);
        }
        let prepared = self.prepare(step, index, call);
        match prepared {
            Prepared::Job(_) => {
                self.announce(planned, call);
                self.critical.started(step);
            }
            // Whether anything is done only the final plan tells.
            Prepared::Replan(_) => self.critical.started(step),
            Prepared::Nothing | Prepared::Failed => {}
        }
        match prepared {
            Prepared::Nothing => {
                self.leave(planned);
                self.release(step, false);
            }
            Prepared::Failed => {
                self.leave(planned);
                self.release(step, true);
            }
            Prepared::Job(job) => {
                let job = *job;
                self.watches.insert(step, job.watch.clone());
                if let Some((provision, module)) = self.before_removal(planned, call) {
                    return self.provision_removal(Box::new(job), provision, module);
                }
                self.fly(job, Diagnostics::none()).await;
            }
            Prepared::Replan(job) => self.running.push(job),
        }
    }

    /// Says that a call begins.
    fn announce(&self, planned: &PlannedChange, call: Call) {
        let id = match call {
            Call::Create | Call::Read => None,
            Call::Update | Call::Delete | Call::DeleteReplaced | Call::Forget => id_of(&planned.change.before),
        };
        self.inputs.events.emit(Event::StepStarted {
            addr: planned.change.addr.clone(),
            deposed: planned.change.deposed.clone(),
            action: step_action(call),
            phase: self.phase_name(planned.phase),
            id,
        });
    }

    /// Makes a call; one that is over at once is folded in at once. `said` stands before what the call says.
    async fn fly(&mut self, job: Job<'a>, said: Diagnostics) {
        let mut future: Flight<'a> = Box::pin(async move {
            let mut ended = make(job).await;
            ended.said.0.splice(0..0, said);
            Done::Call(Box::new(ended))
        });
        match futures::poll!(&mut future) {
            std::task::Poll::Ready(done) => Box::pin(self.finish(done)).await,
            std::task::Poll::Pending => self.running.push(future),
        }
    }

    /// Goes on behind the provider's final plan.
    async fn planned_at_last(&mut self, last: Final<'a>) {
        let Final { job, said, then } = last;
        match then {
            Then::Make => {
                self.announce(job.planned, job.call);
                self.watches.insert(job.step, job.watch.clone());
                self.fly(job, said).await;
            }
            Then::Unchanged(value) => self.call_ended(job.over(Some(value), said, true)),
            Then::Failed => {
                self.announce(job.planned, job.call);
                self.call_ended(job.over(None, said, false));
            }
        }
    }

    /// Gives up the place of a call; the next one that waits for it is ready again.
    pub(super) fn leave<'c>(&mut self, called: impl Into<Called<'c>>) {
        self.ready.extend(self.pools.leave(called));
    }

    pub(super) fn phase_name(&self, phase: usize) -> String {
        self.plan.phases.get(phase).map(|phase| phase.name.to_string()).unwrap_or_default()
    }

    /// Folds in what ended.
    async fn finish(&mut self, done: Done<'a>) {
        match done {
            Done::Provisioned(done) => self.provisioned(*done),
            Done::Invoked(step, index, said) => self.invoked(step, index, said),
            Done::Planned(last) => self.planned_at_last(*last).await,
            Done::Call(ended) => {
                if let Some(ended) = self.provision_made(*ended) {
                    self.call_ended(ended);
                }
            }
            Done::Gate(done) => self.gate_ended(done),
            Done::Opened(step, node, copies) => self.opened(step, node, copies),
            Done::Provider(step, index, outcome) => {
                let Outcome { value, said } = *outcome;
                let failed = said.has_errors();
                self.said.append(said);
                if let Some(slot) = value {
                    self.providers[index] = slot;
                }
                self.release(step, failed);
            }
        }
    }

    fn call_ended(&mut self, mut ended: Ended) {
        let planned = &self.plan.changes[ended.index];
        // The object is what it is; what depends on it must not build on it.
        if let Some(value) = ended.value.as_ref().filter(|_| !ended.said.has_errors()) {
            ended.said.append(self.conditions(planned, Some(value)));
        }
        let of_check = planned.work.check;
        let unread = ended.said.has_errors();
        if of_check {
            // That a check cannot be made holds nothing up.
            self.read_for_check(planned, &mut ended.said);
        }
        self.leave(planned);
        self.watches.remove(&ended.step);
        self.fatal |= ended.fatal;
        let failed = ended.said.has_errors();
        let addr = planned.change.addr.clone();
        let slot = Slot { addr: addr.clone(), deposed: planned.change.deposed.clone() };
        self.report.calls += 1;
        self.report.fresh.insert(slot);
        if !ended.unchanged {
            self.inputs.events.emit(Event::StepEnded {
                addr: addr.clone(),
                action: step_action(ended.call),
                phase: self.phase_name(planned.phase),
                elapsed: ended.elapsed,
                id: ended.value.as_ref().and_then(id_of),
                failed: unread,
            });
        }
        for diagnostic in ended.said.iter() {
            self.inputs.events.emit(Event::Said(diagnostic.clone()));
        }
        let span = planned.work.node.and_then(|node| self.plan.segment().graph.resource(node));
        let located = ended.said.located(span.map(|(_, resource)| resource.block.header), None);
        self.said.append(located);
        if of_check {
            // It belongs to no phase.
        } else if !failed && !ended.unchanged {
            self.report.counts.count(step_action(ended.call));
            self.critical.count(planned.phase, step_action(ended.call));
        } else {
            self.critical.begun(planned.phase);
        }
        self.critical.ended(ended.step, &addr, ended.elapsed, self.plan.prefixes_layers);
        match ended.call {
            Call::Create | Call::Update | Call::Read => {
                if let Some(node) = planned.work.node {
                    self.results.entry(node).or_default().push((ended.index, ended.value));
                }
            }
            Call::Delete | Call::DeleteReplaced | Call::Forget => {}
        }
        self.release(ended.step, failed);
    }

    /// What could not be read for a check is a warning, and what its assertions would have looked at.
    fn read_for_check(&mut self, planned: &PlannedChange, said: &mut Diagnostics) {
        let (Some(node), Some(copy)) = (planned.work.node, planned.work.copy) else { return };
        let check = self.plan.segment().graph.resource(node).and_then(|(_, resource)| resource.check.clone());
        let why = said.iter().filter(|one| one.severity == Severity::Error);
        let why = why.map(|one| format!("{}: {}", one.summary, one.detail)).next();
        self.world.set_unread(node, copy, why);
        for diagnostic in &mut said.0 {
            diagnostic.severity = Severity::Warning;
            diagnostic.within = check.as_ref().map(|check| format!("check {:?}", check.as_str()));
        }
    }

    /// Tells those that wait for a step that it is over. What waits for a failed one is not done.
    pub(super) fn release(&mut self, step: u32, failed: bool) {
        for next in std::mem::take(&mut self.steps.next[step as usize]) {
            let index = next as usize;
            self.failed[index] |= failed;
            self.steps.waits[index] -= 1;
            if self.steps.waits[index] == 0 {
                self.critical.released(next, step);
                self.ready.push_back(next);
            }
        }
    }

    fn tell_waiting(&self) {
        let mut steps: Vec<_> = self.watches.iter().collect();
        steps.sort_by_key(|(step, _)| **step);
        for (_, watch) in steps {
            if watch.started.elapsed() >= Duration::from_secs(9) {
                self.inputs.events.emit(watch.waiting_event());
            }
        }
    }
}
