//! The walk over the graph: each node when what it needs is done; calls to providers run concurrently.

use std::collections::VecDeque;
use std::fmt;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use futures::stream::{FuturesUnordered, StreamExt};

use crate::addr::{InstanceAddr, Mode, Pattern, ResourceAddr};
use crate::config::Config;
use crate::diag::{Diagnostics, Outcome, Span};
use crate::event::Events;
use crate::graph::{Graph, Node, NodeId, Selected, Selection};
use crate::provider::{Boxed, Recovered, Registry};
use crate::state::{Slot, State};
use crate::value::Value;

use super::copies::{OPEN_KEYS, Open};
use super::instance::InstanceDone;
use super::model::{PlanMode, PlannedChange};
use super::moves::Moves;
use super::objects::{Extra, Objects};
use super::options::Options;
use super::provider::{ProviderSlot, Status, resolve};
use super::refresh::ProviderDone;
use super::removed::Removals;
use super::scope::{Functions, ModuleScope, Surroundings, Variables};
use super::trigger::Triggers;
use super::waits::Touched;
use super::world::{CopyId, Repetition, Shaping, World};

/// What a walk looks at and never changes.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// Its graph.
    pub graph: &'a Graph,
    /// The state of each layer.
    pub states: &'a [State],
    /// All providers.
    pub registry: &'a Registry,
    /// How to plan.
    pub options: &'a Options,
    /// What functions see.
    pub functions: &'a Functions<'a>,
    /// Who hears what happens.
    pub events: &'a dyn Events,
}

/// A finished call to a provider.
pub(super) enum Done {
    /// A provider is configured and its objects are read.
    Provider(Box<ProviderDone>),
    /// An instance is planned, or a data source read.
    Instance(Box<InstanceDone>),
}

/// The walk and everything it has found out.
pub struct Walk<'a> {
    pub(super) input: Input<'a>,
    pub(super) world: World,
    pub(super) providers: Vec<ProviderSlot>,
    pub(super) objects: Objects<'a>,
    pub(super) moves: Moves,
    pub(super) removals: Removals,
    /// What is to be imported: the instance, its id, and where that is written.
    pub(super) imports: HashMap<InstanceAddr, (String, Option<Span>)>,
    pub(super) changes: Vec<PlannedChange>,
    /// For each node, what it waits for, if it is pending.
    pub(super) pending: Vec<Option<String>>,
    /// For each node, whether anything in it changes.
    pub(super) changed: Vec<bool>,
    /// The same with removals, and with everything behind a node: for data sources.
    pub(super) touched: Touched,
    pub(super) selected: Vec<bool>,
    /// Resources of which only the instances that a target names take part.
    partly: HashSet<NodeId>,
    pub(super) replaces_first: Vec<bool>,
    /// Resources that others name in `replace_triggered_by`, with their changes so far.
    pub(super) triggers: Triggers,
    pub(super) identities: HashMap<String, String>,
    /// What providers could prove about unfinished calls, by nonce.
    pub(super) recovered: Vec<(String, Recovered)>,
    /// With `-destroy -target`: everything that depends on a target, by what state recorded.
    pub(super) doomed: HashSet<Slot>,
    /// What a destroy leaves because something that it is told to leave depends on it.
    pub(super) spared: HashSet<crate::addr::ConfigResourceAddr>,
    /// Ephemeral resources that are open.
    pub(super) held: Vec<super::ephemeral::Held>,
    /// Whether there was nothing to plan with: a root variable without a value, an import that names nothing.
    pub(super) is_unfounded: bool,
    broken: Vec<bool>,
    said: Vec<(NodeId, Diagnostics)>,
    running: FuturesUnordered<Boxed<'a, Done>>,
    pub(super) open: HashMap<NodeId, Open>,
}

/// One instance of a resource node that is to be planned.
pub(super) struct Place {
    pub(super) node: NodeId,
    pub(super) copy: CopyId,
    pub(super) repetition: Repetition,
    /// Index among the node's copies, and among that copy's instances.
    pub(super) at: (usize, usize),
}

impl<'a> Walk<'a> {
    /// A walk that has not begun. Says which providers are not available.
    pub fn new(input: Input<'a>) -> Outcome<Walk<'a>> {
        let mut said = Diagnostics::none();
        let Selected { nodes: selected, partly } = crate::graph::select(input.graph, &input.options.selection);
        let moves = Moves::of(input.graph, input.states);
        said.append(Removals::check(input.graph));
        said.append(moves.check(input.graph, &input.config.sources));
        let (objects, Extra { addrs }) = Objects::new(input.graph, input.states, &selected, &moves);
        let mut providers = Vec::new();
        let graph_providers = input.graph.providers.iter().map(|provider| (&provider.addr, Some(provider.node)));
        for (addr, node) in graph_providers.chain(addrs.iter().map(|addr| (addr, None))) {
            match resolve(input.registry, addr) {
                Ok(kind) => providers.push(ProviderSlot { addr: addr.clone(), kind, status: Status::New }),
                Err(diagnostic) => {
                    let user = node.and_then(|node| {
                        let users = input.graph.needed_by[node.index()].iter();
                        users.filter_map(|user| input.graph.resource(*user)).next()
                    });
                    said.push(diagnostic.or_at(user.map(|(_, resource)| resource.block.header)));
                }
            }
        }
        if said.has_errors() {
            return Outcome::fail(said);
        }
        let count = input.graph.nodes.len();
        let mut broken = vec![false; count];
        input.graph.broken.iter().for_each(|node| broken[node.index()] = true);
        let walk = Walk {
            input,
            world: World::new(input.graph),
            providers,
            objects,
            moves,
            removals: Removals::of(input.graph),
            imports: input.options.imports.iter().map(|(addr, id)| (addr.clone(), (id.clone(), None))).collect(),
            changes: Vec::with_capacity(input.graph.provider_of.len()),
            pending: vec![None; count],
            changed: vec![false; count],
            touched: Touched::of(input.graph),
            selected,
            partly,
            replaces_first: Vec::new(),
            triggers: Triggers::of(input.graph),
            identities: input.options.identities.clone(),
            recovered: Vec::new(),
            doomed: HashSet::new(),
            spared: HashSet::new(),
            held: Vec::new(),
            is_unfounded: false,
            broken,
            said: Vec::new(),
            running: FuturesUnordered::new(),
            open: HashMap::new(),
        };
        Outcome::with(walk, said)
    }

    /// Walks the whole graph. What was said comes in the order of the configuration, whatever ran first.
    pub async fn run(&mut self) -> Diagnostics {
        self.replaces_first = super::inherit::create_before_destroy(self);
        let graph = self.input.graph;
        let mut left: Vec<usize> = graph.needs.iter().map(Vec::len).collect();
        let mut ready: VecDeque<NodeId> =
            (0..graph.nodes.len() as u32).map(NodeId).filter(|id| left[id.index()] == 0).collect();
        loop {
            while let Some(node) = ready.pop_front() {
                if self.visit(node).await {
                    self.note_changes(node);
                    release(graph, node, &mut left, &mut ready);
                }
            }
            let Some(done) = self.running.next().await else { break };
            if let Some(node) = self.finish(done).await {
                self.note_changes(node);
                release(graph, node, &mut left, &mut ready);
            }
        }
        self.said.sort_by_key(|(node, _)| *node);
        let mut said: Diagnostics = self.said.drain(..).flat_map(|(_, said)| said).collect();
        said.append(self.close_ephemerals().await);
        said
    }

    /// What every scope looks at. Borrowed anew for each evaluation, since the world grows between them.
    pub(super) fn around(&self) -> Surroundings<'_> {
        let Input { config, graph, states, functions, options, .. } = self.input;
        let variables = match options {
            Options { idle: true, .. } => Variables::Unused,
            Options { offline: false, .. } => Variables::Given,
            // A project is checked with the values of an environment, a folder alone for any.
            Options { values_only: false, .. } if config.is_plain() => Variables::Open,
            _ => Variables::Optional,
        };
        Surroundings { config, graph, world: &self.world, states, functions, variables }
    }

    /// Makes the value of a module's variable unknown where nothing is to depend on it: not even its validations, as under
    /// `terraform validate`.
    fn open_variable(&mut self, node: NodeId, copy: CopyId) {
        let graph = self.input.graph;
        if self.around().variables == Variables::Open
            && let Node::Variable(module, name) = graph.node(node)
            && let Some(variable) = graph.module(*module).module.variables.get(name)
            && let Some(value) = self.world.value_of(graph, node, copy)
        {
            let open = Value::unknown(variable.ty.clone()).mark(value.marks());
            self.world.set(graph, node, copy, open);
        }
    }

    /// Remembers what is to be said about a node; an error stops everything that needs it.
    pub(super) fn say(&mut self, node: NodeId, said: Diagnostics) {
        if said.has_errors() {
            self.broken[node.index()] = true;
        }
        if !said.is_empty() {
            self.said.push((node, said));
        }
    }

    /// Whether a node, or something that it needs, has failed.
    pub(super) fn is_broken(&self, node: NodeId) -> bool {
        self.broken[node.index()]
    }

    /// Whether something that a node needs has failed.
    fn is_blocked(&self, node: NodeId) -> bool {
        self.input.graph.needs[node.index()].iter().any(|need| self.broken[need.index()])
    }

    /// Does a node. False when calls of it are still running.
    async fn visit(&mut self, node: NodeId) -> bool {
        let graph = self.input.graph;
        let index = node.index();
        if self.broken[index] || self.is_blocked(node) {
            self.broken[index] = true;
            if self.selected[index] && !self.is_destroy() && !self.input.options.values_only {
                // What is wrong with the ids of imports is told all the same: nothing else would.
                self.evaluate_imports(node);
            }
            return true;
        }
        if !self.input.config.is_plain() {
            self.pending[index] = graph.needs[index].iter().find_map(|need| self.pending[need.index()].clone());
        }
        match graph.node(node) {
            Node::Variable(module, _) | Node::Local(module, _) | Node::Output(module, _) => {
                for position in 0..self.world.copies_of(*module).len() {
                    self.evaluate(node, self.world.copies_of(*module)[position]);
                }
                true
            }
            Node::ModuleCall(module, name) => {
                for position in 0..self.world.copies_of(*module).len() {
                    let parent = self.world.copies_of(*module)[position];
                    let call = &graph.module(*module).module.calls[name];
                    let scope = ModuleScope::plain(self.around(), parent);
                    let open = !self.input.config.is_plain() || self.is_destroy() || self.input.options.offline;
                    let repeated = super::expand::Repeated {
                        count: call.count.as_ref(),
                        for_each: call.for_each.as_ref(),
                        enabled: call.enabled.as_ref(),
                    };
                    let outcome = super::expand::copies(repeated, &scope, open);
                    let within = format!("module {:?}", name.as_str());
                    if let Some((shaping, copies)) = outcome.value {
                        if shaping == Shaping::Unknown && !self.input.config.is_plain() {
                            self.pending[index].get_or_insert_with(|| OPEN_KEYS.to_owned());
                        }
                        self.world.expand(graph, parent, name, shaping, copies);
                    }
                    self.say(node, outcome.said.located(Some(call.span), Some(&within)));
                }
                true
            }
            Node::ModuleEnd(..) => {
                self.changed[index] = graph.needs[index].iter().any(|need| self.changed[need.index()]);
                true
            }
            Node::Provider(provider) => {
                let job = self.start_provider(node, *provider);
                self.run_inline(job).await
            }
            Node::Data(..) if graph.remote.contains_key(&node) => {
                self.take_remote(node);
                true
            }
            Node::Resource(module, _) | Node::Data(module, _) | Node::Ephemeral(module, _) => {
                let removed = self.is_destroy() && !matches!(graph.node(node), Node::Ephemeral(..));
                if !self.selected[index] || removed || self.input.options.values_only {
                    self.take_stored(node);
                    return true;
                }
                self.evaluate_imports(node);
                let places = self.expand_resource(node, *module);
                let mut jobs = Vec::with_capacity(places.len());
                for place in places {
                    let start = if self.aims_at_place(&place) {
                        self.plan_instance(place)
                    } else {
                        super::instance::Start::Done(Box::new(self.leave_as_stored(place)))
                    };
                    match start {
                        super::instance::Start::Done(done) => {
                            if self.instance_done(*done) {
                                return true;
                            }
                        }
                        super::instance::Start::Call(job) => jobs.push(job),
                    }
                }
                let mut finished = !self.open.contains_key(&node);
                for job in jobs {
                    finished |= self.run_inline(job).await;
                }
                finished
            }
        }
    }

    /// Whether an instance of a node takes part: with `-target` and `-exclude` of single instances not all of them do.
    pub(super) fn aims_at(&self, node: NodeId, addr: &InstanceAddr) -> bool {
        let Selection { targets, excludes, .. } = &self.input.options.selection;
        let hit = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(addr));
        self.selected[node.index()] && (!self.partly.contains(&node) || hit(targets)) && !hit(excludes)
    }

    fn aims_at_place(&self, place: &Place) -> bool {
        if self.input.options.selection.is_everything() {
            return true;
        }
        self.addr_of(place).is_none_or(|addr| self.aims_at(place.node, &addr))
    }

    /// The address of an instance; `None` for nodes that have none.
    pub(super) fn addr_of(&self, place: &Place) -> Option<InstanceAddr> {
        let graph = self.input.graph;
        let (module, resource) = graph.resource(place.node)?;
        let layer = graph.layers[graph.module(module).layer].clone();
        let module = self.world.copy(place.copy).addr.clone();
        Some(resource.addr.instance(layer, module, place.repetition.key()))
    }

    pub(super) fn is_destroy(&self) -> bool {
        self.input.options.mode == PlanMode::Destroy
    }

    fn take_remote(&mut self, node: NodeId) {
        let graph = self.input.graph;
        let (Some(module), Some(outcome)) = (graph.module_of(node), super::remote::remote_value(self.around(), node))
        else {
            return;
        };
        if let Some(value) = outcome.value {
            self.world.set(graph, node, self.world.copies_of(module)[0], value);
        }
        self.say(node, outcome.said);
    }

    fn evaluate(&mut self, node: NodeId, copy: CopyId) {
        let graph = self.input.graph;
        let outcome = super::values::node_value(self.around(), node, copy);
        let mut said = outcome.said;
        match outcome.value {
            Some(value) if !said.has_errors() => {
                self.world.set(graph, node, copy, value);
                self.open_variable(node, copy);
                if let Node::Variable(module, name) = graph.node(node)
                    && let Some(variable) = graph.module(*module).module.variables.get(name)
                    && !variable.validations.is_empty()
                {
                    said.append(super::values::validate_variable(&ModuleScope::plain(self.around(), copy), variable));
                }
            }
            // Removing everything must not fail because a value can no longer be computed from what is left, and a part not
            // because the value of something else no longer fits what is stored.
            Some(_) | None
                if (self.is_destroy() || !self.selected[node.index()])
                    && !matches!(graph.node(node), Node::Variable(..)) =>
            {
                said = Diagnostics::none();
                self.world.set(graph, node, copy, Value::unknown(crate::value::Type::Any));
            }
            Some(_) => {}
            None => self.is_unfounded |= self.is_root_variable(node),
        }
        self.say(node, said);
    }

    fn evaluate_imports(&mut self, node: NodeId) {
        let said = self.find_imports(node);
        self.is_unfounded |= said.has_errors();
        self.say(node, said);
    }

    fn is_root_variable(&self, node: NodeId) -> bool {
        let graph = self.input.graph;
        matches!(graph.node(node), Node::Variable(module, _) if graph.module(*module).caller.is_none())
    }

    /// Polls a call once: most native providers answer at once. True when that ended its node.
    async fn run_inline(&mut self, mut job: Boxed<'a, Done>) -> bool {
        match futures::poll!(&mut job) {
            std::task::Poll::Ready(done) => self.finish(done).await.is_some(),
            std::task::Poll::Pending => {
                self.running.push(job);
                false
            }
        }
    }

    /// Takes in a finished call. The node, when that was the last thing it waited for.
    async fn finish(&mut self, done: Done) -> Option<NodeId> {
        match done {
            Done::Provider(done) => Some(self.provider_done(*done)),
            Done::Instance(done) => {
                let node = done.place.node;
                match self.judge(*done) {
                    super::instance::Judged::Done(done) => self.instance_done(*done).then_some(node),
                    super::instance::Judged::Again(job) => {
                        // A replacement is planned a second time, as a new object.
                        let ended = Box::pin(self.run_inline(job)).await;
                        ended.then_some(node)
                    }
                }
            }
        }
    }
}

/// `resource "TYPE" "NAME"`, as messages name a block. Written out only where something is said.
pub fn block_name(addr: &ResourceAddr) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        let word = match addr.mode {
            Mode::Managed => "resource",
            Mode::Data => "data",
            Mode::Ephemeral => "ephemeral",
        };
        write!(f, "{word} {:?} {:?}", addr.kind.as_str(), addr.name.as_str())
    })
}

fn release(graph: &Graph, node: NodeId, left: &mut [usize], ready: &mut VecDeque<NodeId>) {
    for next in &graph.needed_by[node.index()] {
        left[next.index()] -= 1;
        if left[next.index()] == 0 {
            ready.push_back(*next);
        }
    }
}
