//! The objects that state knows: decoded once, refreshed, and handed to whoever plans them.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet};

use crate::addr::{
    ConfigResourceAddr, InstanceAddr, InstanceKey, LayerName, Mode, ModuleAddr, ModuleInstance, ProviderConfigAddr,
    ProviderSource, ResourceAddr,
};
use crate::config::Resource;
use crate::diag::{Diagnostic, Outcome};
use crate::graph::{Graph, ModuleId, NodeId};
use crate::provider::{MoveRequest, Provider};
use crate::state::{Object, Slot, State};
use crate::value::{KnownTypes, Marks, Path, Value, to_json_typed};

use super::moves::Moves;

/// One object of state.
pub struct Entry {
    /// Whose.
    pub slot: Slot,
    /// Index of its layer.
    pub layer: usize,
    /// The block that describes it, if it is still written.
    pub node: Option<NodeId>,
    /// Index into the run's providers.
    pub provider: usize,
    /// The object as stored.
    pub stored: Arc<Object>,
    /// The object as it is now. `None` before it is decoded or when it is gone.
    pub now: Option<Known>,
    /// Whether a read found that it is gone.
    pub gone: bool,
    /// Whether reading it changed it: the attributes as stored, for the drift section.
    pub drifted_from: Option<Value>,
    /// Whether an instance of the configuration stands for it.
    pub claimed: bool,
    /// The provider that made it, when a `moved` block has brought it from another resource type.
    pub made_by: Option<ProviderSource>,
    /// The address that state has it under, when the configuration now has it under another one.
    pub moved_from: Option<InstanceAddr>,
    /// Whether it depends on objects that have moved: what is stored of it names their former addresses.
    pub relinked: bool,
}

impl Entry {
    /// The attributes, sensitive where they were when they were stored; `None` before they are decoded, or gone.
    pub fn as_stored(&self) -> Option<Value> {
        let marks: Vec<_> = self.stored.sensitive.iter().map(|path| (path.clone(), Marks::SENSITIVE)).collect();
        Some(self.now.as_ref()?.value.clone().mark_paths(&marks))
    }
}

/// A decoded object.
#[derive(Clone, Debug)]
pub struct Known {
    /// The attributes, without marks.
    pub value: Value,
    /// The provider's notes.
    pub private: Vec<u8>,
}

/// All objects of all layers.
pub struct Objects<'a> {
    /// In the order of layers, then of state.
    pub entries: Vec<Entry>,
    /// The current ones.
    by_addr: HashMap<InstanceAddr, usize>,
    by_block: HashMap<ConfigResourceAddr, Vec<usize>>,
    by_provider: HashMap<usize, Vec<usize>>,
    /// Objects that an interrupted run has put into another layer already: state only has to let go of them.
    pub left_behind: Vec<Slot>,
    /// Objects whose block got or lost its `count`: where they are stored, and where they belong now.
    pub implied: Vec<(InstanceAddr, InstanceAddr)>,
    states: std::marker::PhantomData<&'a State>,
}

/// What a resource of state belongs to.
#[derive(Clone, Copy)]
struct Found {
    layer: usize,
    node: Option<NodeId>,
    provider: usize,
}

/// Provider configurations that only state mentions, after those of the graph.
pub struct Extra {
    /// Their addresses; the index is that of the graph's providers and on.
    pub addrs: Vec<ProviderConfigAddr>,
}

impl Objects<'_> {
    /// Indexes the objects of all layers, each under the address it has now, and finds the provider configuration of each.
    /// Where a block got or lost its `count`, objects of nodes that are not `selected` stay under their stored address.
    pub fn new<'a>(graph: &Graph, states: &'a [State], selected: &[bool], moves: &Moves) -> (Objects<'a>, Extra) {
        let mut objects = Objects {
            entries: Vec::new(),
            by_addr: HashMap::new(),
            by_block: HashMap::new(),
            by_provider: HashMap::new(),
            left_behind: Vec::new(),
            implied: Vec::new(),
            states: std::marker::PhantomData,
        };
        let mut extra = Extra { addrs: Vec::new() };
        let modules: HashMap<(usize, &ModuleAddr), ModuleId> =
            graph.modules.iter().enumerate().map(|(id, m)| ((m.layer, &m.addr), ModuleId(id as u32))).collect();
        let mut known: HashMap<ProviderConfigAddr, usize> =
            graph.providers.iter().enumerate().map(|(index, provider)| (provider.addr.clone(), index)).collect();
        for state in states {
            // Objects come resource by resource: what belongs to the block is found once for each.
            let mut last: Option<((LayerName, ModuleInstance, ResourceAddr), Found)> = None;
            for placed in state.objects() {
                let stored_addr = placed.addr(&state.layer);
                if moves.is_half_done(&stored_addr) {
                    objects.left_behind.push(Slot { addr: stored_addr, deposed: placed.deposed.cloned() });
                    continue;
                }
                let moved = moves.now(&stored_addr);
                let now = moved.unwrap_or(&stored_addr);
                let found = match &last {
                    Some(((layer, module, resource), found))
                        if (layer, module, resource) == (&now.layer, &now.module, &now.resource) =>
                    {
                        *found
                    }
                    _ => {
                        let Some(layer) = graph.layers.iter().position(|name| *name == now.layer) else { continue };
                        let path = now.module.config();
                        let module = modules.get(&(layer, &path));
                        let node =
                            module.and_then(|id| Some(graph.at(*id, graph.module(*id).shape.resource(&now.resource)?)));
                        let configured = node.and_then(|node| graph.provider_of.get(&node)).map(|id| id.index());
                        let provider = configured
                            .unwrap_or_else(|| stored_provider(graph, placed.provider, &mut known, &mut extra));
                        let found = Found { layer, node, provider };
                        last = Some(((now.layer.clone(), now.module.clone(), now.resource.clone()), found));
                        found
                    }
                };
                let mut found = found;
                if placed.object.provider_key.is_some()
                    || found.node.is_some_and(|node| graph.keyed.contains_key(&node))
                {
                    let own = placed.provider.with_key(placed.object.provider_key.clone());
                    found.provider = stored_provider(graph, &own, &mut known, &mut extra);
                }
                let block = found.node.and_then(|node| graph.resource(node));
                let implied = block.and_then(|(_, resource)| implied_move(&stored_addr, resource, state, moves));
                if let (None, Some(to), Mode::Managed) = (moved, &implied, stored_addr.resource.mode) {
                    objects.implied.push((stored_addr.clone(), to.clone()));
                }
                let implied = implied.filter(|_| found.node.is_some_and(|node| selected[node.index()]));
                let addr = moved.cloned().or(implied).unwrap_or_else(|| stored_addr.clone());
                let moved_from = (addr != stored_addr).then_some(stored_addr);
                let retyped = moved_from.as_ref().is_some_and(|from| from.resource.kind != addr.resource.kind);
                let index = objects.entries.len();
                objects.by_block.entry(addr.config()).or_default().push(index);
                let slot = Slot { addr, deposed: placed.deposed.cloned() };
                if slot.deposed.is_none() {
                    objects.by_addr.insert(slot.addr.clone(), index);
                }
                objects.by_provider.entry(found.provider).or_default().push(index);
                let relinked = moves.relink(placed.object, &slot.addr);
                objects.entries.push(Entry {
                    relinked: relinked.is_some(),
                    slot,
                    layer: found.layer,
                    node: found.node,
                    provider: found.provider,
                    made_by: retyped.then(|| placed.provider.source.clone()),
                    stored: relinked.unwrap_or_else(|| placed.object.clone()),
                    now: None,
                    gone: false,
                    drifted_from: None,
                    claimed: false,
                    moved_from,
                });
            }
        }
        (objects, extra)
    }

    /// The current object of an instance, unless it is gone.
    pub fn current(&self, addr: &InstanceAddr) -> Option<&Entry> {
        self.by_addr.get(addr).map(|index| &self.entries[*index])
    }

    /// The objects of a provider configuration, as indexes of `entries`.
    pub fn of_provider(&self, provider: usize) -> &[usize] {
        self.by_provider.get(&provider).map_or(&[], Vec::as_slice)
    }

    /// Marks the current object of an instance as described by the configuration.
    pub fn claim(&mut self, addr: &InstanceAddr) -> Option<&Entry> {
        let index = *self.by_addr.get(addr)?;
        self.entries[index].claimed = true;
        Some(&self.entries[index])
    }

    /// Marks every object of a block as described, whatever its key.
    pub fn claim_block(&mut self, addr: &ConfigResourceAddr) {
        for index in self.by_block.get(addr).into_iter().flatten() {
            self.entries[*index].claimed = true;
        }
    }

    /// The current objects of a block that no instance of it stands for.
    pub fn left_over(&self, addr: &ConfigResourceAddr) -> impl Iterator<Item = &Entry> {
        let of_block = self.by_block.get(addr).into_iter().flatten().map(|index| &self.entries[*index]);
        of_block.filter(|entry| !entry.claimed && !entry.gone && entry.slot.deposed.is_none())
    }

    /// Objects of these blocks that will not be there any more: the block describes none of its objects, or they were found
    /// to be gone. Removals are proposed at the end of the walk; what depends on such a block has to know before.
    pub fn vanishing(&self, blocks: &HashSet<ConfigResourceAddr>) -> impl Iterator<Item = &InstanceAddr> {
        let of = |block: &ConfigResourceAddr| self.by_block.get(block).into_iter().flatten();
        let current = |index: &&usize| self.entries[**index].slot.deposed.is_none();
        blocks.iter().flat_map(move |block| {
            let kept = of(block).filter(current).any(|index| self.entries[*index].claimed);
            let lost = of(block).filter(current).map(|index| &self.entries[*index]);
            lost.filter(move |entry| entry.gone || !kept)
                .filter(|entry| entry.slot.addr.resource.mode == crate::addr::Mode::Managed)
                .map(|entry| &entry.slot.addr)
        })
    }

    /// The current objects of a block with their values, in order, with the marks they were stored with. Those that are gone
    /// or not decoded are left out.
    pub fn of_block(&self, addr: &ConfigResourceAddr) -> Vec<(InstanceAddr, Value)> {
        let indexes = self.by_block.get(addr).into_iter().flatten();
        let entries = indexes.map(|index| &self.entries[*index]).filter(|entry| entry.slot.deposed.is_none());
        entries.filter_map(|entry| Some((entry.slot.addr.clone(), entry.as_stored()?))).collect()
    }
}

/// Where an object is when its block got a `count`, or lost it: the only copy and the first one of several are the same, as
/// under Terraform, unless state has both.
fn implied_move(addr: &InstanceAddr, resource: &Resource, state: &State, moves: &Moves) -> Option<InstanceAddr> {
    let key = match (&addr.key, &resource.count, &resource.for_each) {
        (None, Some(_), _) => Some(InstanceKey::Int(0)),
        (Some(InstanceKey::Int(0)), None, None) => None,
        _ => return None,
    };
    let moved = InstanceAddr { key, ..addr.clone() };
    let taken = state.at(&Slot { addr: moved.clone(), deposed: None }).is_some();
    (!taken && !moves.lead_to(&moved)).then_some(moved)
}

/// The provider configuration that state names: the same address in the configuration, else the project's, else an extra one.
fn stored_provider(
    graph: &Graph,
    addr: &ProviderConfigAddr,
    known: &mut HashMap<ProviderConfigAddr, usize>,
    extra: &mut Extra,
) -> usize {
    if let Some(index) = known.get(addr) {
        return *index;
    }
    let same = graph.providers.iter().position(|provider| {
        provider.addr.source.is_same(&addr.source)
            && provider.addr.alias == addr.alias
            && provider.addr.key == addr.key
            && (provider.addr.layer.is_none()
                || (provider.addr.layer == addr.layer && provider.addr.module == addr.module))
    });
    let index = same.unwrap_or_else(|| {
        extra.addrs.push(addr.clone());
        graph.providers.len() + extra.addrs.len() - 1
    });
    known.insert(addr.clone(), index);
    index
}

/// Takes over an object that comes from another resource type: how it is, and how state is to have it.
pub fn retype(kind: &dyn Provider, entry: &Entry, made_by: &ProviderSource) -> Outcome<(Known, Arc<Object>)> {
    let resource = &entry.slot.addr.resource;
    let from = entry.moved_from.as_ref().map_or("", |from| from.resource.kind.as_str());
    let request = MoveRequest {
        kind: resource.kind.as_str(),
        source: made_by,
        from,
        version: entry.stored.schema_version,
        attributes: &entry.stored.attributes,
        sensitive: &entry.stored.sensitive,
    };
    let refused = || {
        let detail = format!(
            "The provider of {} takes over no objects of type {from:?} from {made_by}. Take the moved block out, and write a \
             removed block for the old one and an import block for the new one instead.",
            resource.kind
        );
        Outcome::fail(Diagnostic::error("Unsupported `moved` across resource types", detail).about(&entry.slot))
    };
    let (Some(taken), Some(schema)) = (kind.move_state(&request), kind.schema().resources.get(resource.kind.as_str()))
    else {
        return refused();
    };
    taken.and_then(|moved| match to_json_typed(&moved.value, &schema.ty()) {
        Ok(attributes) => {
            let stored = Object {
                sensitive: moved.sensitive,
                private: Default::default(),
                schema_version: schema.version,
                attributes: attributes.into(),
                identity: None,
                identity_schema_version: None,
                ..(*entry.stored).clone()
            };
            Outcome::ok((Known { value: moved.value, private: Vec::new() }, Arc::new(stored)))
        }
        Err(_) => refused(),
    })
}

/// Decodes a stored object by its schema, upgrading it when it is older.
pub fn decode_object(kind: &dyn Provider, slot: &Slot, object: &Object, types: &mut KnownTypes) -> Outcome<Known> {
    let resource = slot.addr.resource.kind.as_str();
    let schema = match slot.addr.resource.mode {
        crate::addr::Mode::Managed => kind.schema().resources.get(resource),
        crate::addr::Mode::Data => kind.schema().data.get(resource),
        crate::addr::Mode::Ephemeral => None,
    };
    let Some(schema) = schema else {
        return Outcome::fail(
            Diagnostic::error(
                "Invalid resource type",
                format!("State holds an object of type {resource:?}, which its provider does not have."),
            )
            .about(slot),
        );
    };
    let private = object.private.to_vec();
    let value = if object.schema_version < schema.version {
        let upgraded = kind.upgrade(resource, object.schema_version, &object.attributes);
        return Outcome { value: upgraded.value.map(|value| Known { value, private }), said: upgraded.said };
    } else if object.schema_version > schema.version {
        return Outcome::fail(
            Diagnostic::error(
                "Resource instance managed by newer provider version",
                format!(
                    "The current state of {slot} was created by a newer provider version than is currently selected: it has \
                     version {} of the schema of {resource:?}, and this provider knows version {}. Upgrade the {} provider to \
                     work with this state.",
                    object.schema_version,
                    schema.version,
                    resource.split('_').next().unwrap_or(resource)
                ),
            )
            .about(slot),
        );
    } else {
        types.read_stored(object.attributes.as_bytes(), &schema.ty())
    };
    match value {
        Ok((value, dropped)) => {
            if !dropped.is_empty() {
                // As after an upgrade of the provider that took attributes away, or a downgrade to one without them yet.
                tracing::info!(%slot, attributes = ?dropped, "left out attributes of a stored object that its schema lacks");
            }
            Outcome::ok(Known { value, private })
        }
        Err(error) => Outcome::fail(
            Diagnostic::error(
                "Stored object cannot be read",
                format!("Its attributes in state do not fit the schema of {resource:?}: {error}."),
            )
            .about(slot),
        ),
    }
}

/// Where a stored object is sensitive: by its schema and by what was sensitive when it was written.
pub fn stored_marks(schema: &crate::schema::Schema, object: &Object, value: &Value) -> Vec<(Path, Marks)> {
    let mut marks = crate::schema::sensitive_paths(&schema.block, value);
    marks.extend(object.sensitive.iter().map(|path| (path.clone(), Marks::SENSITIVE)));
    marks
}
