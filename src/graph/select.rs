//! `-target`, `-exclude` and `-layer`: which resource nodes take part in a run.

use foldhash::{HashSet, HashSetExt};

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

/// Which nodes take part.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    /// For each node, whether it takes part.
    pub nodes: Vec<bool>,
    /// Resources that take part only because targets name single instances of them: the others do not.
    pub partly: HashSet<NodeId>,
}

/// Finds out which nodes take part. Values (variables, locals, outputs, calls, providers) take part when everything they need
/// does, or when something that takes part needs them.
pub fn select(graph: &Graph, selection: &Selection) -> Selected {
    let count = graph.nodes.len();
    if selection.is_everything() {
        return Selected { nodes: vec![true; count], partly: HashSet::new() };
    }
    let mut partly = HashSet::new();
    let matches = |patterns: &[Pattern], id: NodeId, only: &dyn Fn(&Pattern) -> bool| {
        let hit = |addr| patterns.iter().any(|pattern| only(pattern) && pattern.may_match(&addr));
        graph.config_addr(id).is_some_and(hit)
    };
    let mut chosen = vec![false; count];
    if selection.targets.is_empty() {
        chosen.fill(true);
    } else {
        // Dependencies of targets, from dependents to dependencies.
        for id in graph.order.iter().rev() {
            let needed = graph.needed_by[id.index()].iter().any(|next| chosen[next.index()]);
            let named = matches(&selection.targets, *id, &|_| true);
            chosen[id.index()] = needed || named;
            // Of what is named itself only the named instances take part, whoever needs it.
            if named && !matches(&selection.targets, *id, &Pattern::is_whole) {
                partly.insert(*id);
            }
        }
    }
    // Excluded nodes and their dependents, from dependencies to dependents.
    let mut left_out = vec![false; count];
    let mut touched = vec![false; count];
    for id in &graph.order {
        let below = graph.needs[id.index()].iter().any(|need| touched[need.index()]);
        left_out[id.index()] = below || matches(&selection.excludes, *id, &Pattern::is_whole);
        // Of a resource with a single instance excluded the others take part, but nothing that needs it.
        touched[id.index()] = left_out[id.index()] || matches(&selection.excludes, *id, &|_| true);
    }
    for (index, chosen) in chosen.iter_mut().enumerate() {
        *chosen &= !left_out[index];
        if let (Some(layer), Some(module)) = (&selection.layer, graph.module_of(NodeId(index as u32))) {
            *chosen &= graph.layers[graph.module(module).layer] == *layer;
        }
    }
    if !selection.targets.is_empty() || !selection.excludes.is_empty() {
        values(graph, selection, &mut chosen, &partly);
    }
    Selected { nodes: chosen, partly }
}

/// Values all of whose needs take part are complete too: outputs of targeted resources among them. Root outputs that come from no
/// resource take no part in what is done with some of them.
fn values(graph: &Graph, selection: &Selection, chosen: &mut [bool], partly: &HashSet<NodeId>) {
    let mut rests = vec![false; graph.nodes.len()];
    for id in &graph.order {
        let own = matches!(graph.node(*id), Node::Resource(..) | Node::Data(..) | Node::Ephemeral(..));
        rests[id.index()] = own || graph.needs[id.index()].iter().any(|need| rests[need.index()]);
    }
    if !selection.targets.is_empty() {
        for id in &graph.order {
            let index = id.index();
            let is_value = match graph.node(*id) {
                Node::Local(..) | Node::Output(..) | Node::Variable(..) => true,
                Node::Resource(..)
                | Node::Data(..)
                | Node::Ephemeral(..)
                | Node::ModuleCall(..)
                | Node::ModuleEnd(..)
                | Node::Provider(_) => false,
            };
            if is_value && !chosen[index] && !graph.needs[index].is_empty() {
                chosen[index] = graph.needs[index].iter().all(|need| chosen[need.index()] && !partly.contains(need));
            }
        }
    }
    for id in &graph.order {
        let of_root = graph.module_of(*id).is_some_and(|module| graph.roots.contains(&module));
        if of_root && !rests[id.index()] && matches!(graph.node(*id), Node::Output(..)) {
            chosen[id.index()] = false;
        }
    }
}
