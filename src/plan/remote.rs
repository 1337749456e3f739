//! The value of a `data "terraform_remote_state"` that reads a lower layer of the same environment: that layer's outputs as
//! this run has them, not those that were stored before it.

use crate::addr::Name;
use crate::diag::Outcome;
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
    let argument = |name: &'static str| match resource.body.attribute(name) {
        Some(attribute) => evaluate(&attribute.expr, &scope),
        None => Outcome::ok(Value::NULL),
    };
    let object = argument("backend").and_then(|backend| {
        argument("config").and_then(|config| {
            argument("workspace").and_then(|workspace| {
                argument("defaults").map(|defaults| {
                    let below = defaults.as_entries().into_iter().flatten().cloned();
                    let outputs = below.chain(outputs.iter().cloned()).collect();
                    Value::object([
                        ("backend", backend),
                        ("config", config),
                        ("defaults", defaults),
                        ("outputs", Value::Object(outputs)),
                        ("workspace", workspace),
                    ])
                })
            })
        })
    });
    Some(object)
}
