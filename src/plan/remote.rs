//! The value of a `data "terraform_remote_state"` that reads a lower layer of the same environment: that layer's outputs as
//! this run has them, not those that were stored before it.

use crate::addr::Name;
use crate::config::Resource;
use crate::diag::{Diagnostics, Outcome};
use crate::graph::NodeId;
use crate::lang::eval::{Reference, Scope, evaluate};
use crate::value::{Entries, Value};

use super::scope::{ModuleScope, Surroundings};

/// The object of such a node, whose layer the graph knows; `None` for any other node.
pub fn remote_value(around: Surroundings<'_>, node: NodeId) -> Option<Outcome<Value>> {
    let lower = *around.graph.remote.get(&node)?;
    let (module, resource) = around.graph.resource(node)?;
    let scope = ModuleScope::plain(around, around.world.copies_of(module)[0]);
    let root = around.graph.module(around.graph.roots[lower]);
    let layer = &around.graph.layers[lower];
    let read = |name: &Name| {
        let reference = Reference::Layer { layer: layer.clone(), output: name.clone() };
        let value = scope.resolve(&reference, resource.block.header).ok()?;
        (!value.is_null()).then(|| (name.clone(), value))
    };
    let outputs: Entries = root.module.outputs.keys().filter_map(read).collect();
    let mut said = Diagnostics::none();
    let value = object(resource, &scope, outputs, &mut said);
    Some(Outcome { value, said })
}

/// The arguments of the block with the outputs, over those that it gives as defaults. `None`: an argument cannot be evaluated.
fn object(resource: &Resource, scope: &dyn Scope, outputs: Entries, said: &mut Diagnostics) -> Option<Value> {
    let mut argument = |name: &str| match resource.body.attribute(name) {
        Some(attribute) => evaluate(&attribute.expr, scope).take(said),
        None => Some(Value::NULL),
    };
    let (backend, config) = (argument("backend")?, argument("config")?);
    let (workspace, defaults) = (argument("workspace")?, argument("defaults")?);
    let below = defaults.as_entries().into_iter().flatten().cloned();
    let outputs = below.chain(outputs.iter().cloned()).collect();
    Some(Value::object([
        ("backend", backend),
        ("config", config),
        ("defaults", defaults),
        ("outputs", Value::Object(outputs)),
        ("workspace", workspace),
    ]))
}
