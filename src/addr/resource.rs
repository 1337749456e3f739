//! Resources: blocks in a module, before they become instances.

use std::fmt;

use super::{InstanceAddr, InstanceKey, LayerName, ModuleAddr, ModuleInstance, Name};

/// Which kind of block declares a resource. What is only read sorts first, as in Terraform's state files and lists.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mode {
    /// `data`: read only.
    Data,
    /// `resource`: created, updated and deleted.
    Managed,
    /// `ephemeral`: opened and closed within one run.
    Ephemeral,
}

impl Mode {
    /// The word before the type in an address; managed resources have none.
    pub fn prefix(self) -> &'static str {
        match self {
            Mode::Managed => "",
            Mode::Data => "data.",
            Mode::Ephemeral => "ephemeral.",
        }
    }
}

/// A resource inside one module: `data.http.page`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ResourceAddr {
    /// Managed, data or ephemeral.
    pub mode: Mode,
    /// The resource type, such as `terraform_data`.
    pub kind: Name,
    /// The block's name.
    pub name: Name,
}

impl ResourceAddr {
    /// A managed resource.
    pub fn managed(kind: impl Into<Name>, name: impl Into<Name>) -> Self {
        ResourceAddr { mode: Mode::Managed, kind: kind.into(), name: name.into() }
    }

    /// This resource's copy `key` in a module instance of a layer.
    pub fn instance(&self, layer: LayerName, module: ModuleInstance, key: Option<InstanceKey>) -> InstanceAddr {
        InstanceAddr { layer, module, resource: self.clone(), key }
    }
}

impl fmt::Display for ResourceAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}.{}", self.mode.prefix(), self.kind, self.name)
    }
}

/// A resource block in the configuration of a layer, without any instance keys: what `dependencies` in state hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConfigResourceAddr {
    /// The layer the block belongs to.
    pub layer: LayerName,
    /// The module that holds the block.
    pub module: ModuleAddr,
    /// The block.
    pub resource: ResourceAddr,
}

impl fmt::Display for ConfigResourceAddr {
    /// Without the layer, as state files and single-layer projects show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}", self.resource)
    }
}
