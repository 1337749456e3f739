//! Modules: where a module call stands in the configuration, and which copy of it is meant.

use std::fmt;
use std::sync::Arc;

use super::{InstanceKey, Name};

/// A module in the configuration, without instance keys: `module.a.module.b`. The empty path is the root module.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ModuleAddr(Arc<[Name]>);

impl ModuleAddr {
    /// The root module of a layer.
    pub fn root() -> Self {
        ModuleAddr::default()
    }

    /// The module called `name` from this one.
    pub fn child(&self, name: &Name) -> Self {
        ModuleAddr(self.0.iter().chain(Some(name)).cloned().collect())
    }

    /// The calling module; the root module has none.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(ModuleAddr(rest.into()))
    }

    /// The names of the calls, outermost first.
    pub fn calls(&self) -> &[Name] {
        &self.0
    }

    /// Whether this is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Name> for ModuleAddr {
    fn from_iter<I: IntoIterator<Item = Name>>(names: I) -> Self {
        ModuleAddr(names.into_iter().collect())
    }
}

impl fmt::Display for ModuleAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            write!(f, "{}module.{name}", if index == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

/// One step of a module instance: the call and, when it has `count` or `for_each`, the copy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ModuleStep {
    /// Name of the `module` block.
    pub name: Name,
    /// Which copy; `None` without `count` and `for_each`.
    pub key: Option<InstanceKey>,
}

/// One copy of a module: `module.a["x"].module.b`. The empty path is the root module.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ModuleInstance(Arc<[ModuleStep]>);

impl ModuleInstance {
    /// The root module of a layer.
    pub fn root() -> Self {
        ModuleInstance::default()
    }

    /// The copy `key` of the module called `name` from this one.
    pub fn child(&self, name: Name, key: Option<InstanceKey>) -> Self {
        ModuleInstance(self.0.iter().cloned().chain(Some(ModuleStep { name, key })).collect())
    }

    /// The calling module's instance; the root module has none.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(ModuleInstance(rest.into()))
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[ModuleStep] {
        &self.0
    }

    /// Whether this is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The module in the configuration that this is a copy of.
    pub fn config(&self) -> ModuleAddr {
        self.0.iter().map(|step| step.name.clone()).collect()
    }
}

impl FromIterator<ModuleStep> for ModuleInstance {
    fn from_iter<I: IntoIterator<Item = ModuleStep>>(steps: I) -> Self {
        ModuleInstance(steps.into_iter().collect())
    }
}

impl fmt::Display for ModuleInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            write!(f, "{}module.{}", if index == 0 { "" } else { "." }, step.name)?;
            if let Some(key) = &step.key {
                write!(f, "{key}")?;
            }
        }
        Ok(())
    }
}
