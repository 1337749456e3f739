//! Topological order, or the cycle that forbids it.

use std::collections::VecDeque;

use crate::diag::{Diagnostic, Diagnostics};

use crate::lang::decode::references_in;
use crate::lang::eval::{Found, Reference, references};

use super::{Graph, Node, NodeId};

/// Fills `needed_by` and `order`. On a cycle says its members, in order.
pub fn sort(graph: &mut Graph) -> Diagnostics {
    let count = graph.nodes.len();
    let mut needed_by: Vec<Vec<NodeId>> = vec![Vec::new(); count];
    let mut open: Vec<u32> = vec![0; count];
    for (index, needs) in graph.needs.iter().enumerate() {
        open[index] = needs.len() as u32;
        for need in needs {
            needed_by[need.index()].push(NodeId(index as u32));
        }
    }
    let mut ready: VecDeque<NodeId> = (0..count as u32).map(NodeId).filter(|id| open[id.index()] == 0).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(id) = ready.pop_front() {
        order.push(id);
        for next in &needed_by[id.index()] {
            open[next.index()] -= 1;
            if open[next.index()] == 0 {
                ready.push_back(*next);
            }
        }
    }
    let complete = order.len() == count;
    graph.needed_by = needed_by;
    graph.order = order;
    if complete { Diagnostics::none() } else { describe(graph, &open).into() }
}

/// The error of a block that needs itself.
fn refers_to_itself(graph: &Graph, id: NodeId) -> Diagnostic {
    if let Node::Local(module, name) = graph.node(id) {
        let local = graph.module(*module).module.locals.get(name);
        let own = |found: &Found| matches!(&found.reference, Reference::Local(named) if named == name);
        let span = local.map(|local| references(&local.expr).into_iter().find(own).map_or(local.span, |own| own.span));
        let detail = format!("The value of {} may not need itself.", graph.describe(id));
        return Diagnostic::error("Self-referencing local value", detail).or_at(span);
    }
    let mut span = None;
    if let Some((_, resource)) = graph.resource(id) {
        let own = |found: &Found| found.reference == Reference::Resource(resource.addr.clone());
        let place = references_in(&resource.block.body).into_iter().find(own).map(|found| found.span);
        span = place.or(Some(resource.block.header));
    }
    let detail = format!("Configuration for {} may not refer to itself.", graph.describe(id));
    Diagnostic::error("Self-referential block", detail).or_at(span)
}

/// Follows needs among the nodes that never got ready until one repeats.
fn describe(graph: &Graph, open: &[u32]) -> Diagnostic {
    let stuck = |id: &&NodeId| open[id.index()] > 0;
    let first = (0..open.len() as u32).map(NodeId).find(|id| open[id.index()] > 0).unwrap_or(NodeId(0));
    let mut seen: Vec<Option<usize>> = vec![None; open.len()];
    let mut path = vec![first];
    seen[first.index()] = Some(0);
    let members = loop {
        let last = path[path.len() - 1];
        let Some(next) = graph.needs[last.index()].iter().find(stuck).copied() else { break path };
        if let Some(start) = seen[next.index()] {
            break path.split_off(start);
        }
        seen[next.index()] = Some(path.len());
        path.push(next);
    };
    if let [only] = members[..] {
        return refers_to_itself(graph, only);
    }
    let span = members.iter().find_map(|id| match graph.node(*id) {
        Node::Resource(..) | Node::Data(..) | Node::Ephemeral(..) => {
            graph.resource(*id).map(|(_, resource)| resource.block.header)
        }
        Node::Local(module, name) => graph.module(*module).module.locals.get(name).map(|local| local.span),
        Node::Output(module, name) => graph.module(*module).module.outputs.get(name).map(|output| output.span),
        Node::Variable(..) | Node::ModuleCall(..) | Node::ModuleEnd(..) | Node::Provider(_) => None,
    });
    let names: Vec<String> = members.iter().map(|id| graph.describe(*id)).collect();
    let chain = names.iter().chain(names.first()).map(String::as_str).collect::<Vec<_>>().join("\n  needs ");
    Diagnostic::error(
        format!("Cycle: {}", names.join(", ")),
        format!("Each of these needs the next, so that none can come first:\n  {chain}\nRemove one of the references."),
    )
    .or_at(span)
}
