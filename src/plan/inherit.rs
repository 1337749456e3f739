//! `create_before_destroy` and who inherits it: what something that is replaced creation first depends on must be, too, or
//! no order of the two would work.

use crate::graph::{Node, NodeId};
use crate::lang::eval::evaluate;

use super::scope::ModuleScope;
use super::walk::Walk;

/// For each node, whether its objects are replaced creation first. The argument may use variables and locals that do not
/// depend on resources; it is evaluated before the walk.
pub(super) fn create_before_destroy(walk: &Walk<'_>) -> Vec<bool> {
    let graph = walk.input.graph;
    let mut first = vec![false; graph.nodes.len()];
    for id in graph.order.iter().rev() {
        let inherited = graph.needed_by[id.index()].iter().any(|next| first[next.index()]);
        first[id.index()] = match graph.node(*id) {
            Node::Resource(..) => inherited || own(walk, *id),
            // Values carry it from their users to what they come from; a provider is no reason to keep an old object.
            Node::Variable(..) | Node::Local(..) | Node::Output(..) | Node::ModuleCall(..) | Node::ModuleEnd(..) => {
                inherited
            }
            Node::Data(..) | Node::Ephemeral(..) => inherited,
            Node::Provider(_) => false,
        };
    }
    first
}

fn own(walk: &Walk<'_>, node: NodeId) -> bool {
    let Some((module, resource)) = walk.input.graph.resource(node) else { return false };
    let Some(expr) = &resource.lifecycle.create_before_destroy else { return false };
    let value = match walk.world.copies_of(module).first() {
        Some(copy) => evaluate(expr, &ModuleScope::plain(walk.around(), *copy)).value,
        None => super::prior::early_value(walk.around(), &walk.objects, module, expr),
    };
    let known = value.filter(crate::value::Value::is_known);
    let known = known.or_else(|| super::prior::early_value(walk.around(), &walk.objects, module, expr));
    known.and_then(|value| value.as_bool()).unwrap_or(false)
}
