//! The graph's parts.

use std::sync::Arc;

use foldhash::HashMap;

use crate::addr::{ActionAddr, ConfigResourceAddr, LayerName, ModuleAddr, Name, ProviderConfigAddr, ResourceAddr};
use crate::config::{Module, ModuleCall, Resource};
use crate::lang::eval::Reference;
use crate::lang::syntax::ast::Expr;

use super::Shape;

/// A node; an index into [`Graph::nodes`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub u32);

/// A module of a layer (a call path, not a copy); an index into [`Graph::modules`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ModuleId(pub u32);

/// A provider configuration; an index into [`Graph::providers`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProviderId(pub u32);

impl NodeId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl ModuleId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl ProviderId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node stands for. Matched exhaustively. Gates are no nodes: they stand between phases, see `apply`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// An input variable of a module.
    Variable(ModuleId, Name),
    /// A local value.
    Local(ModuleId, Name),
    /// An output value.
    Output(ModuleId, Name),
    /// A managed resource block.
    Resource(ModuleId, ResourceAddr),
    /// A data block.
    Data(ModuleId, ResourceAddr),
    /// An ephemeral block.
    Ephemeral(ModuleId, ResourceAddr),
    /// The beginning of a module call: its `count` or `for_each`.
    ModuleCall(ModuleId, Name),
    /// The end of a module call: all that is in it.
    ModuleEnd(ModuleId, Name),
    /// A provider configuration.
    Provider(ProviderId),
}

/// One module of one layer.
#[derive(Debug)]
pub struct ModuleNode {
    /// Index of the layer in `Config::layers`.
    pub layer: usize,
    /// The path of calls.
    pub addr: ModuleAddr,
    /// The content.
    pub module: Arc<Module>,
    /// Where each of its blocks stands among its nodes; shared by all calls of the same folder.
    pub shape: Arc<Shape>,
    /// Its first node; the others follow in the order of the shape.
    pub base: NodeId,
    /// The calling module and the call's name; `None` for a root module.
    pub caller: Option<(ModuleId, Name)>,
    /// The called modules by call name.
    pub children: HashMap<Name, ModuleId>,
}

/// Who wrote a provider block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// The project file.
    Project,
    /// A module.
    Module(ModuleId),
}

/// A resource whose instances use different configurations of a provider block with `for_each`.
#[derive(Debug)]
pub struct Keyed {
    /// The configurations by their keys.
    pub by_key: HashMap<Name, ProviderId>,
    /// Which one an instance uses.
    pub key: Arc<Expr>,
    /// The called module whose call chooses; `None` when the resource block itself does.
    pub call: Option<ModuleId>,
    /// The provider block, for messages.
    pub addr: ProviderConfigAddr,
}

/// A provider configuration that something uses.
#[derive(Debug)]
pub struct ProviderNode {
    /// Its address.
    pub addr: ProviderConfigAddr,
    /// Where its block is, or would be.
    pub owner: Owner,
    /// Index of the block among the owner's provider blocks; `None` when there is none and the configuration is empty.
    pub block: Option<usize>,
    /// Its node.
    pub node: NodeId,
}

/// The whole graph. Edges point from a node to what it needs.
#[derive(Debug, Default)]
pub struct Graph {
    /// All nodes.
    pub nodes: Vec<Node>,
    /// For each node, the nodes it needs directly; sorted, without repetition.
    pub needs: Vec<Vec<NodeId>>,
    /// For each node, the nodes that need it directly.
    pub needed_by: Vec<Vec<NodeId>>,
    /// All nodes, each after those it needs.
    pub order: Vec<NodeId>,
    /// All modules, each after its caller.
    pub modules: Vec<ModuleNode>,
    /// Root module of each layer.
    pub roots: Vec<ModuleId>,
    /// All provider configurations that are written or used.
    pub providers: Vec<ProviderNode>,
    /// For each resource, data and ephemeral node, its provider configuration.
    pub provider_of: HashMap<NodeId, ProviderId>,
    /// The resource and data nodes whose instances use different configurations; `provider_of` has any one of them.
    pub keyed: HashMap<NodeId, Keyed>,
    /// For each node, its phase (index into `Config::phases`); 0 for nodes that are not resources.
    pub phase: Vec<usize>,
    /// Data nodes that read the state of a lower layer, with its index: their value is that layer's outputs.
    pub remote: HashMap<NodeId, usize>,
    /// For each resource node that `import` blocks name: the root module of its layer, and which of that module's blocks.
    pub imports: HashMap<NodeId, Vec<(ModuleId, usize)>>,
    /// Of their needs, those that only the `import` blocks have: an object does not depend on how its id was found.
    pub import_needs: HashMap<NodeId, Vec<NodeId>>,
    /// For each action of each module: the provider that does it, and the nodes that its arguments name.
    pub actions: HashMap<(ModuleId, ActionAddr), (ProviderId, Vec<NodeId>)>,
    /// Those actions whose copies use different configurations of their provider.
    pub keyed_actions: HashMap<(ModuleId, ActionAddr), Keyed>,
    /// For each `check` block, the nodes that its assertions name, and its data block.
    pub check_needs: HashMap<(ModuleId, Name), Vec<NodeId>>,
    /// Names of the layers, in written order.
    pub layers: Vec<LayerName>,
    /// Nodes that name what is not there, and the like: they cannot be evaluated.
    pub broken: Vec<NodeId>,
    /// Whether there were errors, so that nothing can be planned.
    pub faulty: bool,
}

impl Graph {
    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// A module.
    pub fn module(&self, id: ModuleId) -> &ModuleNode {
        &self.modules[id.index()]
    }

    /// The node of a module at an offset of its shape.
    pub fn at(&self, module: ModuleId, offset: u32) -> NodeId {
        NodeId(self.module(module).base.0 + offset)
    }

    /// The block of a resource, data or ephemeral node.
    pub fn resource(&self, id: NodeId) -> Option<(ModuleId, &Resource)> {
        match self.node(id) {
            Node::Resource(module, _) | Node::Data(module, _) | Node::Ephemeral(module, _) => {
                let node = self.module(*module);
                let block = node.shape.blocks.get((id.0 - node.base.0) as usize)?;
                Some((*module, block.as_deref()?))
            }
            Node::Variable(..)
            | Node::Local(..)
            | Node::Output(..)
            | Node::ModuleCall(..)
            | Node::ModuleEnd(..)
            | Node::Provider(_) => None,
        }
    }

    /// The call that leads to a module.
    pub fn call(&self, module: ModuleId) -> Option<(ModuleId, &ModuleCall)> {
        let (caller, name) = self.module(module).caller.as_ref()?;
        Some((*caller, self.module(*caller).module.calls.get(name)?))
    }

    /// The node that `depends_on` means by a reference in a module; the end of a call stands for the whole module.
    pub fn target(&self, module: ModuleId, reference: &Reference) -> Option<NodeId> {
        let node = self.module(module);
        let offset = match reference {
            Reference::Resource(addr) => node.shape.resource(addr)?,
            Reference::Module { name, output: None } => node.shape.call(name)? + 1,
            Reference::Module { name, output: Some(output) } => {
                let child = *node.children.get(name)?;
                return Some(self.at(child, self.module(child).shape.output(output)?));
            }
            Reference::Var(name) => node.shape.variable(name)?,
            Reference::Local(name) => node.shape.local(name)?,
            Reference::Layer { layer, output } => {
                let root = *self.roots.get(self.layers.iter().position(|name| name == layer)?)?;
                return Some(self.at(root, self.module(root).shape.output(output)?));
            }
            Reference::EachKey
            | Reference::EachValue
            | Reference::CountIndex
            | Reference::SelfObject
            | Reference::PathModule
            | Reference::PathRoot
            | Reference::PathCwd
            | Reference::Terraform(_)
            | Reference::Bare(_) => return None,
        };
        Some(self.at(module, offset))
    }

    /// The address of a resource, data or ephemeral node.
    pub fn config_addr(&self, id: NodeId) -> Option<ConfigResourceAddr> {
        match self.node(id) {
            Node::Resource(module, addr) | Node::Data(module, addr) | Node::Ephemeral(module, addr) => {
                let module = self.module(*module);
                Some(ConfigResourceAddr {
                    layer: self.layers[module.layer].clone(),
                    module: module.addr.clone(),
                    resource: addr.clone(),
                })
            }
            Node::Variable(..)
            | Node::Local(..)
            | Node::Output(..)
            | Node::ModuleCall(..)
            | Node::ModuleEnd(..)
            | Node::Provider(_) => None,
        }
    }

    /// The module a node belongs to; provider blocks of the project file belong to none.
    pub fn module_of(&self, id: NodeId) -> Option<ModuleId> {
        match self.node(id) {
            Node::Variable(module, _)
            | Node::Local(module, _)
            | Node::Output(module, _)
            | Node::Resource(module, _)
            | Node::Data(module, _)
            | Node::Ephemeral(module, _)
            | Node::ModuleCall(module, _)
            | Node::ModuleEnd(module, _) => Some(*module),
            Node::Provider(provider) => match self.providers[provider.index()].owner {
                Owner::Project => None,
                Owner::Module(module) => Some(module),
            },
        }
    }

    /// A node as messages name it, with its layer where the project has several.
    pub fn describe(&self, id: NodeId) -> String {
        let name = match self.node(id) {
            Node::Variable(_, name) => format!("var.{name}"),
            Node::Local(_, name) => format!("local.{name}"),
            Node::Output(_, name) => format!("output.{name}"),
            Node::Resource(_, addr) | Node::Data(_, addr) | Node::Ephemeral(_, addr) => addr.to_string(),
            Node::ModuleCall(_, name) => format!("module.{name}"),
            Node::ModuleEnd(_, name) => format!("module.{name} (close)"),
            Node::Provider(provider) => {
                let addr = &self.providers[provider.index()].addr;
                match &addr.alias {
                    Some(alias) => format!("provider.{}.{alias}", addr.source.kind),
                    None => format!("provider.{}", addr.source.kind),
                }
            }
        };
        let Some(module) = self.module_of(id).map(|module| self.module(module)) else { return name };
        let path = if module.addr.is_root() { name } else { format!("{}.{name}", module.addr) };
        if self.layers.len() > 1 { format!("layer.{}.{path}", self.layers[module.layer]) } else { path }
    }
}
