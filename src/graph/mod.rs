//! The one dependency graph of a run: every variable, local, output, resource, module call and provider of every layer.
//!
//! In: [`Config`](crate::config::Config). Out: [`Graph`]: nodes with direct edges, in a topological order, each resource in
//! its phase. Not here: instances (`plan` expands nodes), values, schemas. `graph` never calls a provider and evaluates nothing.

mod build;
mod cycle;
mod node;
mod phases;
mod provider;
mod select;
mod shape;

pub use build::build;
pub use node::{Graph, Keyed, ModuleId, ModuleNode, Node, NodeId, Owner, ProviderId, ProviderNode};
pub use select::{Selected, Selection, select};
pub use shape::{Shape, Slot};
