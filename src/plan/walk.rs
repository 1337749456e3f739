//! The walk over the graph: each node when what it needs is done; calls to providers run concurrently.

use std::collections::{HashMap, HashSet, VecDeque};

use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;

use crate::addr::Pattern;
use crate::config::Config;
use crate::diag::{Diagnostics, Outcome};
use crate::event::Events;
use crate::graph::{Graph, Node, NodeId, Selection};
use crate::provider::{Boxed, Recovered, Registry};
use crate::state::{OpenIntent, Slot, State};
use crate::value::Value;

use super::instance::InstanceDone;
use super::model::{PlanMode, PlannedChange};
use super::objects::{Extra, Objects};
use super::provider::{ProviderSlot, Status, resolve};
use super::refresh::ProviderDone;
use super::scope::{Functions, ModuleScope, Surroundings};
use super::world::{CopyId, Repetition, Shaping, World};

/// How to plan.
#[derive(Clone)]
pub struct Options {
    /// Normal, destroy or refresh only.
    pub mode: PlanMode,
    /// Whether objects are read before they are compared.
    pub refresh: bool,
    /// `-target`, `-exclude`, `-layer`.
    pub selection: Selection,
    /// `-replace`.
    pub replace: Vec<Pattern>,
    /// What `timestamp()` gives.
    pub timestamp: Timestamp,
    /// Objects that this run has already seen: an earlier segment made or read them.
    pub fresh: HashSet<Slot>,
    /// Calls of earlier runs that made something and whose end nobody knows: providers are asked for them.
    pub unfinished: Vec<OpenIntent>,
    /// Nobody is asked, and variables without a value are unknown: for `validate`.
    pub offline: bool,
    /// Phases whose gates have not passed since something in them changed.
    pub outstanding: Vec<bool>,
    /// Identities of clusters that state was made with, by provider configuration; see `state`'s metadata.
    pub identities: HashMap<String, String>,
}

impl Options {
    /// A plan of everything, with refresh.
    pub fn new(timestamp: Timestamp) -> Self {
        Options {
            mode: PlanMode::Normal,
            refresh: true,
            selection: Selection::default(),
            replace: Vec::new(),
            timestamp,
            fresh: HashSet::new(),
            unfinished: Vec::new(),
            offline: false,
            outstanding: Vec::new(),
            identities: HashMap::new(),
        }
    }
}

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
    pub(super) changes: Vec<PlannedChange>,
    /// For each node, what it waits for, if it is pending.
    pub(super) pending: Vec<Option<String>>,
    /// For each node, whether anything in it changes.
    pub(super) changed: Vec<bool>,
    pub(super) selected: Vec<bool>,
    pub(super) replaces_first: Vec<bool>,
    pub(super) identities: HashMap<String, String>,
    /// What providers could prove about unfinished calls, by nonce.
    pub(super) recovered: Vec<(String, Recovered)>,
    /// With `-destroy -target`: everything that depends on a target, by what state recorded.
    pub(super) doomed: HashSet<Slot>,
    broken: Vec<bool>,
    said: Vec<(NodeId, Diagnostics)>,
    running: FuturesUnordered<Boxed<'a, Done>>,
    open: HashMap<NodeId, Open>,
}

/// A resource node some of whose instances are still being planned.
struct Open {
    left: usize,
    copies: Vec<OpenCopy>,
}

struct OpenCopy {
    copy: CopyId,
    shaping: Shaping,
    instances: Vec<(Repetition, Option<Value>)>,
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
        let (objects, Extra { addrs }) = Objects::new(input.graph, input.states);
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
        let walk = Walk {
            input,
            world: World::new(input.graph),
            providers,
            objects,
            changes: Vec::new(),
            pending: vec![None; count],
            changed: vec![false; count],
            selected: crate::graph::select(input.graph, &input.options.selection),
            replaces_first: Vec::new(),
            identities: input.options.identities.clone(),
            recovered: Vec::new(),
            doomed: HashSet::new(),
            broken: vec![false; count],
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
                    release(graph, node, &mut left, &mut ready);
                }
            }
            let Some(done) = self.running.next().await else { break };
            if let Some(node) = self.finish(done).await {
                release(graph, node, &mut left, &mut ready);
            }
        }
        self.said.sort_by_key(|(node, _)| *node);
        self.said.drain(..).flat_map(|(_, said)| said).collect()
    }

    /// What every scope looks at. Borrowed anew for each evaluation, since the world grows between them.
    pub(super) fn around(&self) -> Surroundings<'_> {
        let Input { config, graph, states, functions, options, .. } = self.input;
        Surroundings { config, graph, world: &self.world, states, functions, offline: options.offline }
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

    /// Whether something that a node needs has failed.
    fn is_blocked(&self, node: NodeId) -> bool {
        self.input.graph.needs[node.index()].iter().any(|need| self.broken[need.index()])
    }

    /// Does a node. False when calls of it are still running.
    async fn visit(&mut self, node: NodeId) -> bool {
        let graph = self.input.graph;
        let index = node.index();
        if self.is_blocked(node) {
            self.broken[index] = true;
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
                    let open = !self.input.config.is_plain() || self.is_destroy();
                    let outcome = super::expand::copies(call.count.as_ref(), call.for_each.as_ref(), &scope, open);
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
            Node::Resource(module, _) | Node::Data(module, _) => {
                if !self.selected[index] || self.is_destroy() {
                    self.take_stored(node);
                    return true;
                }
                let places = self.expand_resource(node, *module);
                let mut jobs = Vec::with_capacity(places.len());
                for place in places {
                    match self.plan_instance(place) {
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

    pub(super) fn is_destroy(&self) -> bool {
        self.input.options.mode == PlanMode::Destroy
    }

    fn evaluate(&mut self, node: NodeId, copy: CopyId) {
        let graph = self.input.graph;
        let outcome = super::values::node_value(self.around(), node, copy);
        let mut said = outcome.said;
        match outcome.value {
            Some(value) if !said.has_errors() => {
                self.world.set(graph, node, copy, value);
                if let Node::Variable(module, name) = graph.node(node)
                    && let Some(variable) = graph.module(*module).module.variables.get(name)
                    && !variable.validations.is_empty()
                {
                    said.append(super::values::validate_variable(&ModuleScope::plain(self.around(), copy), variable));
                }
            }
            // Removing everything must not fail because a value can no longer be computed from what is left.
            Some(_) | None if self.is_destroy() && !matches!(graph.node(node), Node::Variable(..)) => {
                said = Diagnostics::none();
                self.world.set(graph, node, copy, Value::unknown(crate::value::Type::Any));
            }
            Some(_) | None => {}
        }
        self.say(node, said);
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

    /// Evaluates how many instances a resource has in each copy of its module, and opens the node.
    fn expand_resource(&mut self, node: NodeId, module: crate::graph::ModuleId) -> Vec<Place> {
        let graph = self.input.graph;
        let Some((_, resource)) = graph.resource(node) else { return Vec::new() };
        let within = block_name(&resource.addr);
        let open_keys = !self.input.config.is_plain();
        let mut open = Open { left: 0, copies: Vec::new() };
        let mut places = Vec::new();
        for position in 0..self.world.copies_of(module).len() {
            let copy = self.world.copies_of(module)[position];
            let scope = ModuleScope::plain(self.around(), copy);
            let outcome = super::expand::copies(resource.count.as_ref(), resource.for_each.as_ref(), &scope, open_keys);
            let Some((shaping, copies)) = outcome.value else {
                self.say(node, outcome.said.located(None, Some(&within)));
                continue;
            };
            let open_module = self.world.copy(copy).addr.steps().iter().any(|step| is_open(step.key.as_ref()));
            if (shaping == Shaping::Unknown || open_module)
                && let Some(addr) = graph.config_addr(node)
            {
                // Which of the stored objects stay will be seen when the keys are known.
                self.objects.claim_block(&addr);
                self.pending[node.index()].get_or_insert_with(|| OPEN_KEYS.to_owned());
            }
            let at = open.copies.len();
            let instances: Vec<_> = copies.iter().map(|repetition| (repetition.clone(), None)).collect();
            open.left += instances.len();
            open.copies.push(OpenCopy { copy, shaping, instances });
            let each = copies.into_iter().enumerate();
            places.extend(each.map(|(index, repetition)| Place { node, copy, repetition, at: (at, index) }));
        }
        if open.left == 0 {
            self.close(node, open);
        } else {
            self.open.insert(node, open);
        }
        places
    }

    /// Takes in a planned instance. True when it was the node's last.
    pub(super) fn instance_done(&mut self, done: super::instance::Finished) -> bool {
        let node = done.place.node;
        self.say(node, done.said);
        if let Some(planned) = done.planned {
            self.changed[node.index()] |= !planned.change.is_noop();
            self.changes.push(*planned);
        }
        let Some(open) = self.open.get_mut(&node) else { return true };
        let (copy, instance) = done.place.at;
        open.copies[copy].instances[instance].1 = Some(done.value);
        open.left -= 1;
        if open.left > 0 {
            return false;
        }
        if let Some(open) = self.open.remove(&node) {
            self.close(node, open);
        }
        true
    }

    fn close(&mut self, node: NodeId, open: Open) {
        for OpenCopy { copy, shaping, instances } in open.copies {
            let instances =
                instances.into_iter().map(|(repetition, value)| (repetition, value.unwrap_or_default())).collect();
            let value = super::world::resource_value(shaping, instances);
            self.world.set(self.input.graph, node, copy, value);
        }
    }

    /// Gives a resource that is not planned the value of its stored objects.
    fn take_stored(&mut self, node: NodeId) {
        let graph = self.input.graph;
        let (Some(addr), Some(module)) = (graph.config_addr(node), graph.module_of(node)) else { return };
        if !self.is_destroy() {
            self.objects.claim_block(&addr);
        }
        let stored = self.objects.of_block(&addr);
        for position in 0..self.world.copies_of(module).len() {
            let copy = self.world.copies_of(module)[position];
            let own = &self.world.copy(copy).addr;
            let mut shaping = Shaping::Single;
            let mut instances = Vec::new();
            for (instance, value) in stored.iter().filter(|(instance, _)| instance.module == *own) {
                let repetition = match &instance.key {
                    None | Some(crate::addr::InstanceKey::Unknown) => Repetition::None,
                    Some(crate::addr::InstanceKey::Int(index)) => {
                        shaping = Shaping::Count;
                        Repetition::Count(*index)
                    }
                    Some(crate::addr::InstanceKey::Str(key)) => {
                        shaping = Shaping::Each;
                        Repetition::Each(key.clone(), Value::NULL)
                    }
                };
                let marks = self.schema_marks(node, value);
                instances.push((repetition, value.clone().mark_paths(&marks)));
            }
            let value = if instances.is_empty() {
                Value::unknown(crate::value::Type::Any)
            } else {
                super::world::resource_value(shaping, instances)
            };
            self.world.set(graph, node, copy, value);
        }
    }
}

/// What a block waits for whose copies are not known yet.
const OPEN_KEYS: &str = "keys that are not known yet";

fn is_open(key: Option<&crate::addr::InstanceKey>) -> bool {
    key == Some(&crate::addr::InstanceKey::Unknown)
}

/// `resource "TYPE" "NAME"`, as messages name a block.
pub(super) fn block_name(addr: &crate::addr::ResourceAddr) -> String {
    let word = match addr.mode {
        crate::addr::Mode::Managed => "resource",
        crate::addr::Mode::Data => "data",
        crate::addr::Mode::Ephemeral => "ephemeral",
    };
    format!("{word} {:?} {:?}", addr.kind.as_str(), addr.name.as_str())
}

fn release(graph: &Graph, node: NodeId, left: &mut [usize], ready: &mut VecDeque<NodeId>) {
    for next in &graph.needed_by[node.index()] {
        left[next.index()] -= 1;
        if left[next.index()] == 0 {
            ready.push_back(*next);
        }
    }
}
