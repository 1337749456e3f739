//! Addresses: names of modules, resources, instances, providers and layers, as users write and read them.
//!
//! In: parts, or the text of an address. Out: ordered, hashable, cheaply cloned names with Terraform's notation.
//! Not here: whether what is named exists (`config`, `state`), or references inside expressions (`lang`).

mod action;
mod instance;
mod module;
mod name;
mod parse;
mod provider;
mod resource;
mod source;
mod version;

pub use action::{ActionAddr, ActionInstance, parse_action};
pub use instance::{DeposedKey, InstanceAddr, InstanceKey};
pub use module::{ModuleAddr, ModuleInstance, ModuleStep};
pub use name::{LayerName, Name};
pub use parse::{AddrError, Pattern, parse_instance, parse_module_instance, parse_pattern, parse_resource_instance};
pub use provider::{DEFAULT_HOST, DEFAULT_HOST_OPENTOFU, ProviderConfigAddr, ProviderSource};
pub use resource::{ConfigResourceAddr, Mode, ResourceAddr};
pub use source::{ModuleSource, Package, RegistryModule, SourceError};
pub use version::{Constraints, Version};
