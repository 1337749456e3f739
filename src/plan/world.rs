//! What is known while a segment is planned or applied: the copies of every module, and the value of every node in each.

use std::sync::{Mutex, PoisonError};

use foldhash::HashMap;

use crate::addr::{InstanceKey, ModuleInstance, Name};
use crate::graph::{Graph, ModuleId, NodeId};
use crate::value::{Entries, Type, Value};

/// One copy of a module; an index into [`World::copies`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CopyId(pub u32);

impl CopyId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What `count.index` or `each` are in one copy of a block.
#[derive(Clone, Debug, Default)]
pub enum Repetition {
    /// Neither `count` nor `for_each`.
    #[default]
    None,
    /// The index.
    Count(u64),
    /// The key and its value.
    Each(Name, Value),
    /// One stand-in for copies whose keys are not known yet; shown as `[*]`. The value is that of `each.value`.
    Unknown(Value),
}

impl Repetition {
    /// The key, when it is one of `for_each` whose value is not wholly known.
    pub fn open_key(&self) -> Option<&Name> {
        match self {
            Repetition::Each(key, value) if !value.is_wholly_known() => Some(key),
            Repetition::None | Repetition::Count(_) | Repetition::Each(..) | Repetition::Unknown(_) => None,
        }
    }

    /// The key of the copy.
    pub fn key(&self) -> Option<InstanceKey> {
        match self {
            Repetition::None => None,
            Repetition::Count(index) => Some(InstanceKey::Int(*index)),
            Repetition::Each(key, _) => Some(InstanceKey::Str(key.clone())),
            Repetition::Unknown(_) => Some(InstanceKey::Unknown),
        }
    }
}

/// How the copies of a block are addressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Shaping {
    /// One, without a key.
    #[default]
    Single,
    /// By index.
    Count,
    /// By key.
    Each,
    /// Not known yet.
    Unknown,
}

/// One copy of a module.
#[derive(Debug)]
pub struct ModuleCopy {
    /// Which module.
    pub module: ModuleId,
    /// Its address.
    pub addr: ModuleInstance,
    /// The copy it is called from.
    pub parent: Option<CopyId>,
    /// `count.index` or `each` of its call.
    pub repetition: Repetition,
    slots: Box<[Option<Value>]>,
}

/// Everything known so far.
#[derive(Debug, Default)]
pub struct World {
    copies: Vec<ModuleCopy>,
    by_module: Vec<Vec<CopyId>>,
    children: HashMap<(CopyId, Name), (Shaping, Vec<CopyId>)>,
    /// How many outputs of a module have a value, in all its copies: tells a fresh whole-module value from a stale one.
    outputs: Vec<usize>,
    modules: Mutex<HashMap<(CopyId, Name), (usize, Value)>>,
    /// Why data blocks of checks could not be read, by node and copy of its module.
    unread: HashMap<(NodeId, CopyId), String>,
}

impl World {
    /// The world with the root module of each layer and nothing else.
    pub fn new(graph: &Graph) -> World {
        let mut world = World {
            by_module: vec![Vec::new(); graph.modules.len()],
            outputs: vec![0; graph.modules.len()],
            ..World::default()
        };
        for root in &graph.roots {
            world.add(graph, *root, ModuleInstance::root(), None, Repetition::None);
        }
        world
    }

    fn add(
        &mut self,
        graph: &Graph,
        module: ModuleId,
        addr: ModuleInstance,
        parent: Option<CopyId>,
        repetition: Repetition,
    ) -> CopyId {
        let id = CopyId(self.copies.len() as u32);
        let slots = vec![None; graph.module(module).shape.len() as usize].into_boxed_slice();
        self.copies.push(ModuleCopy { module, addr, parent, repetition, slots });
        self.by_module[module.index()].push(id);
        id
    }

    /// Makes the copies of a module call inside one copy of the caller.
    pub fn expand(&mut self, graph: &Graph, parent: CopyId, call: &Name, shaping: Shaping, copies: Vec<Repetition>) {
        let caller = &self.copies[parent.index()];
        let (caller_addr, module) = (caller.addr.clone(), graph.module(caller.module).children[call]);
        let add = |repetition: Repetition| {
            let addr = caller_addr.child(call.clone(), repetition.key());
            self.add(graph, module, addr, Some(parent), repetition)
        };
        let ids = copies.into_iter().map(add).collect();
        self.children.insert((parent, call.clone()), (shaping, ids));
    }

    /// One copy.
    pub fn copy(&self, id: CopyId) -> &ModuleCopy {
        &self.copies[id.index()]
    }

    /// All copies of a module that exist so far.
    pub fn copies_of(&self, module: ModuleId) -> &[CopyId] {
        &self.by_module[module.index()]
    }

    /// The value at an offset of a copy's module, once there is one.
    pub fn get(&self, copy: CopyId, offset: u32) -> Option<&Value> {
        self.copies[copy.index()].slots[offset as usize].as_ref()
    }

    /// The value of a node in a copy of its module.
    pub fn value_of(&self, graph: &Graph, node: NodeId, copy: CopyId) -> Option<&Value> {
        let module = self.copies[copy.index()].module;
        self.get(copy, node.0 - graph.module(module).base.0)
    }

    /// Sets the value of a node in a copy of its module.
    pub fn set(&mut self, graph: &Graph, node: NodeId, copy: CopyId, value: Value) {
        let module = self.copies[copy.index()].module;
        if matches!(graph.node(node), crate::graph::Node::Output(..)) {
            self.outputs[module.index()] += 1;
        }
        let offset = node.0 - graph.module(module).base.0;
        self.copies[copy.index()].slots[offset as usize] = Some(value);
    }

    /// Remembers why the data block of a check could not be read, or that it could.
    pub fn set_unread(&mut self, node: NodeId, copy: CopyId, why: Option<String>) {
        match why {
            Some(why) => _ = self.unread.insert((node, copy), why),
            None => _ = self.unread.remove(&(node, copy)),
        }
    }

    /// Why the data block of a check could not be read.
    pub fn unread(&self, node: NodeId, copy: CopyId) -> Option<&str> {
        self.unread.get(&(node, copy)).map(String::as_str)
    }

    /// The copies of a module call that were made inside one copy of the caller.
    pub fn copies_of_call(&self, parent: CopyId, call: &Name) -> Vec<CopyId> {
        self.children.get(&(parent, call.clone())).map(|(_, ids)| ids.clone()).unwrap_or_default()
    }

    /// Sets `each.value` of a copy to what has become known.
    pub fn set_each_value(&mut self, copy: CopyId, value: Value) {
        if let Repetition::Each(_, old) = &mut self.copies[copy.index()].repetition {
            *old = value;
        }
    }

    /// Forgets what is ephemeral in `each.value` of a copy.
    pub fn forget_each_value(&mut self, copy: CopyId) {
        if let Repetition::Each(_, value) = &mut self.copies[copy.index()].repetition {
            *value = super::ephemeral::forgotten(value);
        }
    }

    /// `module.NAME` as seen from a copy: an object of outputs, or a tuple or object of such objects. Outputs without a
    /// value yet are left out. `None` before the call is expanded.
    pub fn module_value(&self, graph: &Graph, copy: CopyId, call: &Name) -> Option<Value> {
        let (shaping, ids) = self.children.get(&(copy, call.clone()))?;
        let child = graph.module(self.copies[copy.index()].module).children[call];
        let done = self.outputs[child.index()];
        let mut cache = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (copy, call.clone());
        if let Some((at, value)) = cache.get(&key)
            && *at == done
        {
            return Some(value.clone());
        }
        let node = graph.module(child);
        let names = node.module.outputs.keys();
        let offsets: Vec<(Name, u32)> =
            names.filter_map(|name| Some((name.clone(), node.shape.output(name)?))).collect();
        let object = |id: &CopyId| {
            let entries = offsets.iter().filter_map(|(name, at)| Some((name.clone(), self.get(*id, *at)?.clone())));
            Value::Object(entries.collect::<Entries>())
        };
        let value = match shaping {
            // A call that is switched off.
            Shaping::Single => ids.first().map(object).unwrap_or_default(),
            Shaping::Count => Value::tuple(ids.iter().map(object).collect::<Vec<_>>()),
            Shaping::Each => Value::object(ids.iter().filter_map(|id| match &self.copy(*id).repetition {
                Repetition::Each(key, _) => Some((key.clone(), object(id))),
                Repetition::None | Repetition::Count(_) | Repetition::Unknown(_) => None,
            })),
            Shaping::Unknown => Value::unknown(Type::Any),
        };
        cache.insert(key, (done, value.clone()));
        Some(value)
    }
}

/// The value of a whole resource from the values of its instances, in order.
pub fn resource_value(shaping: Shaping, instances: Vec<(Repetition, Value)>) -> Value {
    match shaping {
        Shaping::Single => instances.into_iter().next().map(|(_, value)| value).unwrap_or_default(),
        Shaping::Count => Value::tuple(instances.into_iter().map(|(_, value)| value).collect::<Vec<_>>()),
        Shaping::Each => Value::object(instances.into_iter().filter_map(|(repetition, value)| match repetition {
            Repetition::Each(key, _) => Some((key, value)),
            Repetition::None | Repetition::Count(_) | Repetition::Unknown(_) => None,
        })),
        Shaping::Unknown => Value::unknown(Type::Any),
    }
}
