//! The order of a plan's steps: a graph of calls to providers, evaluations in between, and phases.
//!
//! Creates and updates follow the configuration's edges and the phases. Removals follow edges only, backwards: those that
//! state recorded, and those of the configuration. Only direct edges; everything is linear in nodes, edges and changes.

use foldhash::{HashMap, HashMapExt};

use crate::addr::ConfigResourceAddr;
use crate::change::Action;
use crate::graph::{Graph, Node, NodeId};
use crate::lang::decode::references_in;

use super::gates::{gate_references, latest_phases, output_node};
use super::model::{Plan, PlannedChange};

/// A call to a provider, or a step on state alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// Make the new object.
    Create,
    /// Change the object.
    Update,
    /// Remove the object: the current one, or the one it names.
    Delete,
    /// Remove the object that the create of the same change has replaced.
    DeleteReplaced,
    /// Read the data source.
    Read,
    /// Take the object out of state.
    Forget,
}

/// What a step does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepKind {
    /// A call for a change: index into [`Plan::changes`].
    Call(usize, Call),
    /// An action is invoked: index into [`Plan::invocations`].
    Invoke(usize),
    /// A node has everything it needs: evaluate it (for a provider: configure it).
    Value(NodeId),
    /// Nothing by itself; joins edges.
    Join,
    /// A phase may begin.
    PhaseStart(usize),
    /// All of a phase is done: its gates run.
    PhaseEnd(usize),
    /// Something that only a later segment can do: never becomes ready.
    Never,
}

/// Steps and direct edges.
#[derive(Debug, Default)]
pub struct Steps {
    /// All steps.
    pub kinds: Vec<StepKind>,
    /// For each step, the steps that wait for it.
    pub next: Vec<Vec<u32>>,
    /// For each step, for how many others it waits.
    pub waits: Vec<u32>,
}

impl Steps {
    fn add(&mut self, kind: StepKind) -> u32 {
        self.kinds.push(kind);
        self.next.push(Vec::new());
        self.waits.push(0);
        self.kinds.len() as u32 - 1
    }

    fn edge(&mut self, from: u32, to: u32) {
        self.next[from as usize].push(to);
        self.waits[to as usize] += 1;
    }

    /// Whether every step can be reached: no cycle. Steps that never become ready do not count.
    fn is_sound(&self) -> bool {
        let mut waits = self.waits.clone();
        let mut ready: Vec<u32> = (0..waits.len() as u32).filter(|step| waits[*step as usize] == 0).collect();
        let mut done = 0;
        while let Some(step) = ready.pop() {
            done += 1;
            for next in &self.next[step as usize] {
                waits[*next as usize] -= 1;
                if waits[*next as usize] == 0 {
                    ready.push(*next);
                }
            }
        }
        done == self.kinds.len()
    }
}

/// Orders the steps of a plan.
pub fn order(plan: &Plan) -> Steps {
    let both = build(plan, true);
    // The configuration may order two objects the other way round than when they were made; what was recorded then is
    // what their removal has to follow.
    if both.is_sound() { both } else { build(plan, false) }
}

struct Builder<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    steps: Steps,
    enter: Vec<u32>,
    value: Vec<u32>,
}

fn build(plan: &Plan, by_configuration: bool) -> Steps {
    let graph = &*plan.segment().graph;
    let mut builder = Builder { graph, plan, steps: Steps::default(), enter: Vec::new(), value: Vec::new() };
    let phases = builder.phases();
    builder.values();
    builder.gates(&phases);
    let mut removals = Vec::new();
    let mut last = Vec::new();
    let mut creates: HashMap<usize, u32> = HashMap::new();
    let mut forward: HashMap<usize, u32> = HashMap::new();
    for (index, planned) in plan.changes.iter().enumerate() {
        if planned.pending.is_some() && planned.lost_with.is_none() {
            builder.blocked(planned, &phases);
            continue;
        }
        let call = |call| StepKind::Call(index, call);
        match planned.change.action {
            Action::NoOp => {}
            Action::Create => {
                forward.insert(index, builder.forward(call(Call::Create), planned, &phases));
            }
            Action::Update => {
                forward.insert(index, builder.forward(call(Call::Update), planned, &phases));
            }
            Action::Read if planned.work.check => last.push(builder.inside(call(Call::Read), planned)),
            Action::Read => _ = builder.forward(call(Call::Read), planned, &phases),
            Action::Forget => {
                builder.forget(call(Call::Forget), planned);
                if planned.lost_with.is_some() {
                    // It is made again in a later segment: its phase does not end in this one.
                    builder.blocked(planned, &phases);
                }
            }
            Action::Delete => {
                let step = builder.steps.add(call(Call::Delete));
                removals.push((index, step));
            }
            Action::DeleteThenCreate => {
                let create = builder.forward(call(Call::Create), planned, &phases);
                forward.insert(index, create);
                let delete = builder.steps.add(call(Call::Delete));
                builder.steps.edge(delete, create);
                removals.push((index, delete));
            }
            Action::CreateThenDelete => {
                let create = builder.forward(call(Call::Create), planned, &phases);
                let delete = builder.steps.add(call(Call::DeleteReplaced));
                builder.steps.edge(create, delete);
                creates.insert(index, create);
                forward.insert(index, create);
                removals.push((index, delete));
            }
        }
    }
    builder.invocations(&forward, &phases);
    if let Some((_, end)) = phases.last() {
        // What checks read is read when everything else is as it shall be.
        last.into_iter().for_each(|step| builder.steps.edge(*end, step));
    }
    if !removals.is_empty() {
        builder.removals(&removals, by_configuration);
        if !creates.is_empty() {
            builder.after_dependents(&removals, &creates);
        }
    }
    builder.steps
}

impl Builder<'_> {
    /// Start and end of each phase, one after the other.
    fn phases(&mut self) -> Vec<(u32, u32)> {
        let mut phases: Vec<(u32, u32)> = Vec::new();
        for index in 0..self.plan.phases.len().max(1) {
            let start = self.steps.add(StepKind::PhaseStart(index));
            let end = self.steps.add(StepKind::PhaseEnd(index));
            self.steps.edge(start, end);
            if let Some((_, before)) = phases.last() {
                self.steps.edge(*before, start);
            }
            phases.push((start, end));
        }
        phases
    }

    /// A step for every node, after those it needs. Resources have one before and one after their calls.
    fn values(&mut self) {
        for (index, node) in self.graph.nodes.iter().enumerate() {
            let value = self.steps.add(StepKind::Value(NodeId(index as u32)));
            let enter = match node {
                Node::Resource(..) | Node::Data(..) => {
                    let enter = self.steps.add(StepKind::Join);
                    self.steps.edge(enter, value);
                    enter
                }
                Node::Variable(..)
                | Node::Ephemeral(..)
                | Node::Local(..)
                | Node::Output(..)
                | Node::ModuleCall(..)
                | Node::ModuleEnd(..)
                | Node::Provider(_) => value,
            };
            self.enter.push(enter);
            self.value.push(value);
        }
        for (index, needs) in self.graph.needs.iter().enumerate() {
            for need in needs {
                self.steps.edge(self.value[need.index()], self.enter[index]);
            }
        }
    }

    /// Gates run at the end of their phase and see the outputs that they, or the cluster they ask, are written with. An
    /// output that belongs to a later phase cannot be waited for; the gate says so.
    fn gates(&mut self, phases: &[(u32, u32)]) {
        let config = &self.plan.segment().config;
        if config.phases.iter().all(|phase| phase.gates.is_empty()) {
            return;
        }
        let latest = latest_phases(self.graph);
        let of_cluster = config.shared_providers.iter().flat_map(|provider| references_in(&provider.body));
        let of_cluster: Vec<NodeId> = of_cluster.filter_map(|found| output_node(self.graph, &found)).collect();
        for (index, (phase, (_, end))) in config.phases.iter().zip(phases).enumerate() {
            let own = phase.gates.iter().flat_map(gate_references);
            let mut outputs: Vec<NodeId> = own.filter_map(|found| output_node(self.graph, &found)).collect();
            if !phase.gates.is_empty() {
                outputs.extend(&of_cluster);
            }
            outputs.sort_unstable();
            outputs.dedup();
            for output in outputs.into_iter().filter(|output| latest[output.index()] <= index) {
                self.steps.edge(self.value[output.index()], *end);
            }
        }
    }

    /// A step inside its node.
    fn inside(&mut self, kind: StepKind, planned: &PlannedChange) -> u32 {
        let step = self.steps.add(kind);
        if let Some(node) = planned.work.node {
            self.steps.edge(self.enter[node.index()], step);
            self.steps.edge(step, self.value[node.index()]);
        }
        step
    }

    /// A create, update or read: inside its node and its phase.
    fn forward(&mut self, kind: StepKind, planned: &PlannedChange, phases: &[(u32, u32)]) -> u32 {
        let step = self.inside(kind, planned);
        let (start, end) = phases[planned.phase.min(phases.len() - 1)];
        self.steps.edge(start, step);
        self.steps.edge(step, end);
        step
    }

    /// Actions stand before or after the call that invokes them, one after the other, in its phase; nothing but the end of the
    /// phase waits for those after it.
    fn invocations(&mut self, forward: &HashMap<usize, u32>, phases: &[(u32, u32)]) {
        let mut last: Option<(usize, bool, u32)> = None;
        for (index, invocation) in self.plan.invocations.iter().enumerate() {
            let step = self.steps.add(StepKind::Invoke(index));
            for need in &invocation.needs {
                self.steps.edge(self.value[need.index()], step);
            }
            let (start, end) = phases[invocation.phase.min(phases.len() - 1)];
            self.steps.edge(start, step);
            self.steps.edge(step, end);
            let Some(trigger) = &invocation.trigger else { continue };
            let before = trigger.event.is_before();
            if let Some((_, _, former)) = last.filter(|(change, side, _)| (*change, *side) == (trigger.change, before))
            {
                self.steps.edge(former, step);
            }
            last = Some((trigger.change, before, step));
            match forward.get(&trigger.change) {
                Some(call) if before => self.steps.edge(step, *call),
                Some(call) => self.steps.edge(*call, step),
                None => {}
            }
        }
    }

    /// What a later segment will do holds up its node and the end of its phase.
    fn blocked(&mut self, planned: &PlannedChange, phases: &[(u32, u32)]) {
        let never = self.forward(StepKind::Never, planned, phases);
        debug_assert_eq!(self.steps.kinds[never as usize], StepKind::Never);
    }

    /// An object that goes with its source is forgotten when the source has been dealt with.
    fn forget(&mut self, kind: StepKind, planned: &PlannedChange) {
        let step = self.steps.add(kind);
        let provider = self.graph.providers.get(planned.work.provider);
        if let (Some(provider), true) = (provider, planned.lost_with.is_some()) {
            self.steps.edge(self.value[provider.node.index()], step);
        }
    }

    /// Removals in the reverse order of dependencies. For each block an "in" step, after which its objects may go, and an
    /// "out" step, when they are gone.
    fn removals(&mut self, removals: &[(usize, u32)], by_configuration: bool) {
        let mut blocks: HashMap<ConfigResourceAddr, (u32, u32)> = HashMap::new();
        for index in 0..self.graph.nodes.len() {
            let inn = self.steps.add(StepKind::Join);
            let out = self.steps.add(StepKind::Join);
            self.steps.edge(inn, out);
            if let Some(addr) = self.graph.config_addr(NodeId(index as u32)) {
                blocks.insert(addr, (inn, out));
            }
            // Steps of nodes are consecutive: the first pair tells all the others.
            debug_assert!(out == inn + 1);
        }
        let first = self.steps.kinds.len() as u32 - 2 * self.graph.nodes.len() as u32;
        if by_configuration {
            for (index, needs) in self.graph.needs.iter().enumerate() {
                for need in needs {
                    self.steps.edge(first + 2 * index as u32 + 1, first + 2 * need.0);
                }
            }
        }
        // Blocks that are no longer written: higher layers first.
        let layers: Vec<u32> = self.graph.layers.iter().map(|_| self.steps.add(StepKind::Join)).collect();
        for pair in layers.windows(2) {
            self.steps.edge(pair[1], pair[0]);
        }
        for (index, step) in removals {
            let addr = self.plan.changes[*index].change.addr.config();
            let layer = self.graph.layers.iter().position(|name| *name == addr.layer);
            let steps = &mut self.steps;
            let (inn, out) = *blocks.entry(addr).or_insert_with(|| {
                let (inn, out) = (steps.add(StepKind::Join), steps.add(StepKind::Join));
                steps.edge(inn, out);
                if let Some(layer) = layer {
                    // Waits for the layers above; the layers below wait for it.
                    if let Some(above) = layers.get(layer + 1) {
                        steps.edge(*above, inn);
                    }
                    steps.edge(out, layers[layer]);
                }
                (inn, out)
            });
            self.steps.edge(inn, *step);
            self.steps.edge(*step, out);
        }
        for (index, step) in removals {
            let planned = &self.plan.changes[*index];
            let own = planned.change.addr.config();
            let dependencies = planned.work.stored.as_ref().map(|object| object.dependencies.clone());
            for dependency in dependencies.iter().flat_map(|list| list.iter()) {
                if *dependency != own
                    && let Some((inn, _)) = blocks.get(dependency)
                {
                    self.steps.edge(*step, *inn);
                }
            }
        }
    }

    /// The old object of a creation-first replacement goes after everything that used it has been updated.
    fn after_dependents(&mut self, removals: &[(usize, u32)], creates: &HashMap<usize, u32>) {
        // For each node a step that is reached when all resources that use it directly, or through values, are done.
        let count = self.graph.nodes.len();
        let first = self.steps.kinds.len() as u32;
        for _ in 0..count {
            self.steps.add(StepKind::Join);
        }
        for index in 0..count {
            for user in &self.graph.needed_by[index] {
                let from = match self.graph.node(*user) {
                    Node::Resource(..) | Node::Data(..) => self.value[user.index()],
                    Node::Variable(..)
                    | Node::Ephemeral(..)
                    | Node::Local(..)
                    | Node::Output(..)
                    | Node::ModuleCall(..)
                    | Node::ModuleEnd(..)
                    | Node::Provider(_) => first + user.0,
                };
                self.steps.edge(from, first + index as u32);
            }
        }
        for (index, step) in removals {
            if creates.contains_key(index)
                && let Some(node) = self.plan.changes[*index].work.node
            {
                self.steps.edge(first + node.0, *step);
            }
        }
    }
}
