//! When a data source has to wait for the apply: something that it depends on has changes.
//!
//! Which dependencies count is Terraform's rule, found out by asking it (`tests/conformance/sequences/data_waits_*`). A managed object
//! that the block names itself counts with its own changes only, whatever lies behind it; a value, an output or a whole module that
//! `depends_on` names, and all that a module call around the block names there, count with everything behind them. What an argument
//! reaches through a local value, a variable or an output does not count: there the value alone decides.

use crate::addr::Mode;
use crate::config::Resource;
use crate::graph::{Graph, ModuleId, Node, NodeId};
use crate::lang::eval::Reference;

use super::walk::Walk;

/// Which nodes have changes, known as soon as each is done.
pub(super) struct Touched {
    /// The block's own objects are made, changed or removed.
    here: Vec<bool>,
    /// The same of anything that the node needs, however indirectly.
    behind: Vec<bool>,
}

impl Touched {
    pub(super) fn of(graph: &Graph) -> Self {
        let nothing = vec![false; graph.nodes.len()];
        Touched { here: nothing.clone(), behind: nothing }
    }
}

impl Walk<'_> {
    /// Notes whether a node that is done has changes.
    pub(super) fn note_changes(&mut self, node: NodeId) {
        let graph = self.input.graph;
        let index = node.index();
        let managed = matches!(graph.node(node), Node::Resource(..));
        let here = managed && (self.changed[index] || self.loses_objects(node));
        let behind = graph.needs[index].iter().any(|need| self.touched.behind[need.index()]);
        (self.touched.here[index], self.touched.behind[index]) = (here, here || behind);
    }

    /// Whether a block no longer describes one of its objects. Removals are proposed at the end of the walk only.
    fn loses_objects(&self, node: NodeId) -> bool {
        if self.is_destroy() || self.is_refresh_only() || self.input.options.values_only {
            return false;
        }
        let Some(addr) = self.input.graph.config_addr(node) else { return false };
        self.objects.left_over(&addr).any(|entry| self.takes_part(entry))
    }

    /// Whether a data source depends on something that has changes.
    pub(super) fn data_waits(&self, node: NodeId, resource: &Resource) -> bool {
        let graph = self.input.graph;
        let Some(module) = graph.module_of(node) else { return false };
        let shape = &graph.module(module).shape;
        let found = &shape.references[(node.0 - graph.module(module).base.0) as usize];
        let mut named = found.iter().filter_map(|found| match &found.reference {
            Reference::Resource(addr) if addr.mode == Mode::Managed => shape.resource(addr),
            _ => None,
        });
        let mut depends_on = resource.depends_on.iter().filter_map(|one| graph.target(module, &one.target));
        named.any(|offset| self.touched.here[graph.at(module, offset).index()])
            || depends_on.any(|target| self.target_waits(target))
            || self.calls_wait(module)
    }

    /// What the block's own `depends_on` names.
    fn target_waits(&self, target: NodeId) -> bool {
        match self.input.graph.node(target) {
            Node::Resource(..) => self.touched.here[target.index()],
            // Reading has no effects: what another data source waits for is no reason to read later than it.
            Node::Data(..) => false,
            Node::Variable(..)
            | Node::Local(..)
            | Node::Output(..)
            | Node::Ephemeral(..)
            | Node::ModuleCall(..)
            | Node::ModuleEnd(..)
            | Node::Provider(_) => self.touched.behind[target.index()],
        }
    }

    /// What the `depends_on` of the calls around a module name.
    fn calls_wait(&self, module: ModuleId) -> bool {
        let graph = self.input.graph;
        let Some((caller, call)) = graph.call(module) else { return false };
        let mut targets = call.depends_on.iter().filter_map(|one| graph.target(caller, &one.target));
        targets.any(|target| self.touched.behind[target.index()]) || self.calls_wait(caller)
    }
}
