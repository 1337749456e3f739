//! Instances: one copy of a resource, the unit of every change.

use std::fmt;

use super::{ConfigResourceAddr, LayerName, ModuleInstance, Name, ResourceAddr};

/// Which copy: a `count` index or a `for_each` key. Numbers sort before texts, numbers by value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum InstanceKey {
    /// From `count`.
    Int(u64),
    /// From `for_each`.
    Str(Name),
    /// One stand-in for copies whose keys are not known yet. Only in plans, never in state.
    Unknown,
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InstanceKey::Int(index) => write!(f, "[{index}]"),
            InstanceKey::Unknown => f.write_str("[*]"),
            InstanceKey::Str(key) => {
                f.write_str("[\"")?;
                // The escapes of a quoted template, so that the printed address can be pasted back.
                let mut chars = key.chars().peekable();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => f.write_str("\\\"")?,
                        '\\' => f.write_str("\\\\")?,
                        '\n' => f.write_str("\\n")?,
                        '\r' => f.write_str("\\r")?,
                        '\t' => f.write_str("\\t")?,
                        '$' | '%' if chars.peek() == Some(&'{') => write!(f, "{c}{c}")?,
                        c if c.is_control() => write!(f, "\\u{:04x}", c as u32)?,
                        c => write!(f, "{c}")?,
                    }
                }
                f.write_str("\"]")
            }
        }
    }
}

/// One copy of a resource in one layer. `Display` is Terraform's notation, without the layer; `{:#}` puts
/// `layer.NAME.` before it in a project. See also [`InstanceAddr::in_project`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InstanceAddr {
    /// The layer whose state holds it.
    pub layer: LayerName,
    /// The copy of the module it stands in.
    pub module: ModuleInstance,
    /// The resource it is a copy of.
    pub resource: ResourceAddr,
    /// Which copy; `None` without `count` and `for_each`.
    pub key: Option<InstanceKey>,
}

impl InstanceAddr {
    /// The block in the configuration.
    pub fn config(&self) -> ConfigResourceAddr {
        ConfigResourceAddr { layer: self.layer.clone(), module: self.module.config(), resource: self.resource.clone() }
    }

    /// The address as a project with several layers prints it: `layer.NAME.` first. With `prefix` false, as `Display`.
    pub fn in_project(&self, prefix: bool) -> String {
        if prefix { format!("layer.{}.{self}", self.layer) } else { self.to_string() }
    }
}

impl fmt::Display for InstanceAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() && self.layer != LayerName::plain() {
            write!(f, "layer.{}.", self.layer)?;
        }
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}", self.resource)?;
        match &self.key {
            Some(key) => write!(f, "{key}"),
            None => Ok(()),
        }
    }
}

/// Names a deposed object of an instance: eight hexadecimal digits, as Terraform writes them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DeposedKey(pub Name);

impl fmt::Display for DeposedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
