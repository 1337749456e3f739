//! `-target`, `-exclude` and `-layer`: which resource nodes take part in a run.

use crate::addr::{LayerName, Pattern};

use super::{Graph, Node, NodeId};

/// What the user selected.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `-target`: only these and what they depend on. Empty: everything.
    pub targets: Vec<Pattern>,
    /// `-exclude`: all but these and what depends on them.
    pub excludes: Vec<Pattern>,
    /// `-layer`: only this layer; what it needs of others comes from their stored outputs.
    pub layer: Option<LayerName>,
}

impl Selection {
    /// Whether it leaves anything out.
    pub fn is_everything(&self) -> bool {
        self.targets.is_empty() && self.excludes.is_empty() && self.layer.is_none()
    }
}

/// For each node, whether it takes part. Values (variables, locals, outputs, calls, providers) take part when everything
/// they need does, or when something that takes part needs them.
pub fn select(graph: &Graph, selection: &Selection) -> Vec<bool> {
    let count = graph.nodes.len();
    if selection.is_everything() {
        return vec![true; count];
    }
    let matches = |patterns: &[Pattern], id: NodeId| {
        graph.config_addr(id).is_some_and(|addr| patterns.iter().any(|pattern| pattern.may_match(&addr)))
    };
    let mut chosen = vec![false; count];
    if selection.targets.is_empty() {
        chosen.fill(true);
    } else {
        // Dependencies of targets, from dependents to dependencies.
        for id in graph.order.iter().rev() {
            let needed = graph.needed_by[id.index()].iter().any(|next| chosen[next.index()]);
            chosen[id.index()] = needed || matches(&selection.targets, *id);
        }
    }
    // Excluded nodes and their dependents, from dependencies to dependents.
    let mut left_out = vec![false; count];
    for id in &graph.order {
        let below = graph.needs[id.index()].iter().any(|need| left_out[need.index()]);
        left_out[id.index()] = below || matches(&selection.excludes, *id);
    }
    for (index, chosen) in chosen.iter_mut().enumerate() {
        *chosen &= !left_out[index];
        if let (Some(layer), Some(module)) = (&selection.layer, graph.module_of(NodeId(index as u32))) {
            *chosen &= graph.layers[graph.module(module).layer] == *layer;
        }
    }
    // Values all of whose needs take part are complete too: outputs of targeted resources among them.
    if !selection.targets.is_empty() {
        for id in &graph.order {
            let index = id.index();
            let is_value = match graph.node(*id) {
                Node::Local(..) | Node::Output(..) | Node::Variable(..) => true,
                Node::Resource(..)
                | Node::Data(..)
                | Node::ModuleCall(..)
                | Node::ModuleEnd(..)
                | Node::Provider(_) => false,
            };
            if is_value && !chosen[index] && !graph.needs[index].is_empty() {
                chosen[index] = graph.needs[index].iter().all(|need| chosen[need.index()]);
            }
        }
    }
    chosen
}
