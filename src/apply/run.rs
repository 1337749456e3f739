//! The loop: steps become ready, calls run, results are folded in, until nothing is left that can be done.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{FuturesUnordered, StreamExt};

use crate::addr::{LayerName, Name};
use crate::change::Counts;
use crate::diag::{Diagnostics, Outcome};
use crate::event::{Event, Events};
use crate::graph::NodeId;
use crate::plan::provider::ProviderSlot;
use crate::plan::scope::Functions;
use crate::plan::world::World;
use crate::plan::{Call, Plan, StepKind, Steps, order};
use crate::state::{Commit, Object, Slot, State};
use crate::value::Value;

use super::call::{Ended, Watch, id_of, make, step_action};
use super::critical::Critical;
use super::gates::{GateContext, GateDone};
use super::record::Dependencies;
use super::stop::Stop;

/// Calls of providers without remote objects that may run at once: their results share appends to the journal.
const LOCAL_IN_FLIGHT: usize = 1024;

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
}

/// What a phase came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseReport {
    /// Its name.
    pub name: Name,
    /// What was done.
    pub counts: Counts,
    /// From its first call to its end.
    pub elapsed: Duration,
    /// The chain of calls that determined its length, longest first: `k3s_server.this 58s`.
    pub critical_path: String,
    /// Whether it ended with all its gates passed.
    pub ended: bool,
}

/// What an apply came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was done.
    pub counts: Counts,
    /// Each phase in which something was done.
    pub phases: Vec<PhaseReport>,
    /// Calls that were made.
    pub calls: usize,
    /// Calls that were not made, because something they need failed, the user stopped, or a later segment makes them.
    pub left: usize,
    /// Whether the user stopped it.
    pub stopped: bool,
    /// Slots that were made or changed: not to be read again in this run.
    pub fresh: HashSet<Slot>,
    /// Root outputs as they are now, by layer.
    pub outputs: Vec<(LayerName, Name, Value)>,
    /// Names of gates that passed, with their phase.
    pub gates_passed: Vec<(Name, Name)>,
    /// Names of phases whose gates are still to pass.
    pub gates_outstanding: Vec<Name>,
}

/// A call in flight. The run is one task; its calls need not move between threads.
pub(super) type Flight<'a> = futures::future::LocalBoxFuture<'a, Done>;

pub(super) enum Done {
    Call(Box<Ended>),
    Gate(GateDone),
    Provider(NodeId, usize, Box<Outcome<ProviderSlot>>),
}

pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) world: World,
    pub(super) providers: Vec<ProviderSlot>,
    pub(super) dependencies: Dependencies<'a>,
    /// Results of calls, by node and copy of its module.
    pub(super) results: HashMap<NodeId, Vec<(usize, Option<Value>)>>,
    /// Where replaced objects were put, by change.
    pub(super) aside: HashMap<usize, (Slot, Arc<Object>)>,
    pub(super) report: Report,
    pub(super) said: Diagnostics,
    pub(super) running: FuturesUnordered<Flight<'a>>,
    steps: Steps,
    /// Name of every phase, and how many calls it has.
    sizes: Vec<(String, usize)>,
    failed: Vec<bool>,
    ready: VecDeque<u32>,
    /// Calls that wait for a place, by provider.
    queued: VecDeque<u32>,
    in_flight: HashMap<usize, usize>,
    watches: HashMap<u32, Arc<Watch>>,
    critical: Critical,
    pub(super) voice: tokio::sync::mpsc::UnboundedSender<Event>,
    fatal: bool,
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
        aside: HashMap::new(),
        report: Report::default(),
        said: Diagnostics::none(),
        running: FuturesUnordered::new(),
        failed: vec![false; count],
        ready: (0..count as u32).filter(|step| steps.waits[*step as usize] == 0).collect(),
        queued: VecDeque::new(),
        in_flight: HashMap::new(),
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
    run.end().await
}

fn phase_sizes(plan: &Plan, steps: &Steps) -> Vec<(String, usize)> {
    let mut sizes = vec![0; plan.phases.len()];
    for kind in &steps.kinds {
        if let StepKind::Call(index, _) = kind
            && let Some(size) = sizes.get_mut(plan.changes[*index].phase)
        {
            *size += 1;
        }
    }
    plan.phases.iter().map(|phase| phase.name.to_string()).zip(sizes).collect()
}

impl<'a> Run<'a> {
    /// Does everything that is ready, as far as places in flight allow.
    async fn pump(&mut self) {
        loop {
            while let Some(step) = self.ready.pop_front() {
                self.take(step).await;
            }
            let mut waiting = std::mem::take(&mut self.queued);
            while let Some(step) = waiting.pop_front() {
                if !self.start(step).await {
                    self.queued.push_back(step);
                }
            }
            if self.ready.is_empty() {
                break;
            }
        }
    }

    async fn take(&mut self, step: u32) {
        if self.failed[step as usize] || self.fatal {
            if matches!(self.steps.kinds[step as usize], StepKind::Call(..)) {
                self.report.left += 1;
            }
            if let StepKind::PhaseEnd(phase) = self.steps.kinds[step as usize] {
                self.gates_left(phase);
            }
            return self.release(step, true);
        }
        match self.steps.kinds[step as usize] {
            StepKind::Join => self.release(step, false),
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
            StepKind::Value(node) => match self.evaluate(node) {
                super::values::Evaluated::Done(ok) => self.release(step, !ok),
                super::values::Evaluated::Call(job) => {
                    self.running.push(job);
                    self.watches.remove(&step);
                }
            },
            StepKind::Call(..) => {
                if !self.start(step).await {
                    self.queued.push_back(step);
                }
            }
        }
    }

    /// Starts a call if there is a place for it. A call that ends at once is folded in at once.
    async fn start(&mut self, step: u32) -> bool {
        let StepKind::Call(index, call) = self.steps.kinds[step as usize] else { return true };
        if self.inputs.stop.is_asked() {
            self.report.stopped = true;
            self.report.left += 1;
            self.release(step, true);
            return true;
        }
        let planned = &self.plan.changes[index];
        let limits = planned.provider_type.limits();
        let shared = limits.in_flight.is_none() && limits.remote;
        // Providers without a limit of their own share `-parallelism`.
        let pool = if shared { usize::MAX } else { planned.work.provider };
        let limit = match limits.in_flight {
            Some(own) => own.max(self.inputs.parallelism),
            None if limits.remote => self.inputs.parallelism,
            None => LOCAL_IN_FLIGHT,
        };
        let flying = self.in_flight.entry(pool).or_insert(0);
        if *flying >= limit.max(1) {
            return false;
        }
        *flying += 1;
        let prepared = self.prepare(step, index, call);
        if matches!(prepared, super::values::Prepared::Job(_) | super::values::Prepared::Replan(_)) {
            let id = match call {
                Call::Create | Call::Read => None,
                Call::Update | Call::Delete | Call::DeleteReplaced | Call::Forget => id_of(&planned.change.before),
            };
            self.inputs.events.emit(Event::StepStarted {
                addr: planned.change.addr.clone(),
                action: step_action(call),
                phase: self.phase_name(planned.phase),
                id,
            });
            self.critical.started(step);
        }
        match prepared {
            super::values::Prepared::Nothing => {
                self.land(pool);
                self.release(step, false);
            }
            super::values::Prepared::Failed => {
                self.land(pool);
                self.release(step, true);
            }
            super::values::Prepared::Job(job) => {
                let job = *job;
                self.watches.insert(step, job.watch.clone());
                let mut future: Flight<'a> = Box::pin(async move { Done::Call(Box::new(make(job).await)) });
                match futures::poll!(&mut future) {
                    std::task::Poll::Ready(done) => Box::pin(self.finish(done)).await,
                    std::task::Poll::Pending => self.running.push(future),
                }
            }
            super::values::Prepared::Replan(job) => self.running.push(job),
        }
        true
    }

    fn land(&mut self, pool: usize) {
        if let Some(flying) = self.in_flight.get_mut(&pool) {
            *flying -= 1;
        }
    }

    pub(super) fn phase_name(&self, phase: usize) -> String {
        self.plan.phases.get(phase).map(|phase| phase.name.to_string()).unwrap_or_default()
    }

    /// Folds in what ended.
    async fn finish(&mut self, done: Done) {
        match done {
            Done::Call(ended) => self.call_ended(*ended),
            Done::Gate(done) => self.gate_ended(done),
            Done::Provider(node, index, outcome) => {
                let Outcome { value, said } = *outcome;
                let failed = said.has_errors();
                self.said.append(said);
                if let Some(slot) = value {
                    self.providers[index] = slot;
                }
                let step = self.value_step(node);
                self.release(step, failed);
            }
        }
    }

    /// The step that evaluates a node.
    fn value_step(&self, node: NodeId) -> u32 {
        // Providers are few; their steps are found by looking.
        let found = self.steps.kinds.iter().position(|kind| *kind == StepKind::Value(node));
        found.unwrap_or(0) as u32
    }

    fn call_ended(&mut self, ended: Ended) {
        let planned = &self.plan.changes[ended.index];
        let limits = planned.provider_type.limits();
        let shared = limits.in_flight.is_none() && limits.remote;
        self.land(if shared { usize::MAX } else { planned.work.provider });
        self.watches.remove(&ended.step);
        self.fatal |= ended.fatal;
        let failed = ended.said.has_errors();
        let addr = planned.change.addr.clone();
        let slot = Slot { addr: addr.clone(), deposed: planned.change.deposed.clone() };
        self.report.calls += 1;
        self.report.fresh.insert(slot);
        self.inputs.events.emit(Event::StepEnded {
            addr: addr.clone(),
            action: step_action(ended.call),
            phase: self.phase_name(planned.phase),
            elapsed: ended.elapsed,
            id: ended.value.as_ref().and_then(id_of),
            failed,
        });
        for diagnostic in ended.said.iter() {
            self.inputs.events.emit(Event::Said(diagnostic.clone()));
        }
        let span = planned.work.node.and_then(|node| self.plan.segment().graph.resource(node));
        let located = ended.said.located(span.map(|(_, resource)| resource.block.header), None);
        self.said.append(located);
        if !failed {
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

    /// The phase is over when its gates are.
    fn end_phase(&mut self, step: u32, phase: usize) {
        if self.start_gates(step, phase) {
            return;
        }
        self.phase_over(step, phase, false);
    }

    pub(super) fn phase_over(&mut self, step: u32, phase: usize, failed: bool) {
        let report = self.critical.phase_report(phase, step, self.plan, !failed);
        if let Some(report) = report {
            self.inputs.events.emit(Event::PhaseEnded {
                phase: report.name.to_string(),
                elapsed: report.elapsed,
                added: report.counts.add,
                changed: report.counts.change,
                destroyed: report.counts.destroy,
                critical_path: report.critical_path.clone(),
                failed,
            });
            self.report.phases.push(report);
        }
        self.release(step, failed);
    }

    /// Writes outputs, and says what is left.
    async fn end(mut self) -> (Report, Diagnostics) {
        drop(std::mem::take(&mut self.running));
        self.report.stopped |= self.inputs.stop.is_asked();
        if !self.fatal {
            self.write_outputs().await;
        }
        for phase in 0..self.plan.phases.len() {
            if self.critical.has_open_work(phase) {
                let name = self.plan.phases[phase].name.clone();
                if let Some(report) = self.critical.phase_report(phase, u32::MAX, self.plan, false) {
                    self.report.phases.push(report);
                }
                self.report.gates_outstanding.push(name);
            }
        }
        (self.report, self.said)
    }

    /// Whether anything was done in a phase so far.
    pub(super) fn phase_has_work(&self, phase: usize) -> bool {
        self.critical.has_work(phase)
    }

    fn gates_left(&mut self, phase: usize) {
        if self.critical.has_work(phase)
            && let Some(phase) = self.plan.phases.get(phase)
        {
            self.report.gates_outstanding.push(phase.name.clone());
        }
    }
}

/// When a run began; for durations that include everything.
pub(super) fn now() -> Instant {
    Instant::now()
}
