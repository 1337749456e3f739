//! Gates in a plan: how they are shown, what they read, and what is wrong with them long before they run.

use crate::config::Gate;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::gate;
use crate::graph::{Graph, Node, NodeId};
use crate::lang::decode::{decode, references_in};
use crate::lang::eval::{Found, Reference, Scope, references};
use crate::lang::syntax::ast::Body;
use crate::value::Value;

use super::model::{GatePlan, PlanMode, PlannedChange};
use super::scope::ProjectScope;
use super::walk::Walk;

/// The arguments of a gate's check and those of its timing, as far as they are known.
pub fn gate_arguments(gate: &Gate, scope: &dyn Scope) -> Outcome<(Value, Value)> {
    let within = format!("gate {:?}", gate.name.as_str());
    let kind = &gate.check.kind.text;
    let Some(schema) = gate::schema(kind) else {
        let hint = crate::diag::did_you_mean(kind, gate::KINDS.iter().copied());
        let detail = format!("There is no check of type {:?}.{hint}", kind.as_str());
        return Diagnostic::error("Unsupported check", detail).at(gate.check.header).within(within).into();
    };
    let arguments = decode(&gate.check.body, schema, scope);
    let mut said = arguments.said.located(Some(gate.check.header), Some(&within));
    let timing_body = Body { attributes: gate.timing.clone(), ..Body::default() };
    let timing = decode(&timing_body, gate::timing_schema(), scope);
    said.append(timing.said.located(Some(gate.span), Some(&within)));
    match (arguments.value, timing.value) {
        (Some(arguments), Some(timing)) if !said.has_errors() => Outcome::with((arguments, timing), said),
        _ => Outcome::fail(said),
    }
}

/// Everything that a gate names.
pub(super) fn gate_references(gate: &Gate) -> Vec<Found> {
    let timing = gate.timing.iter().map(|attribute| &attribute.expr);
    let others = gate.enabled.iter().chain(timing).flat_map(|expr| references(expr));
    references_in(&gate.check.body).into_iter().chain(others).collect()
}

/// For each node, the latest phase of any resource that its value comes from.
pub(super) fn latest_phases(graph: &Graph) -> Vec<usize> {
    let mut latest = vec![0; graph.nodes.len()];
    for id in &graph.order {
        let index = id.index();
        let below = graph.needs[index].iter().map(|need| latest[need.index()]).max().unwrap_or(0);
        latest[index] = match graph.node(*id) {
            Node::Resource(..) | Node::Data(..) => below.max(graph.phase[index]),
            Node::Variable(..)
            | Node::Ephemeral(..)
            | Node::Local(..)
            | Node::Output(..)
            | Node::ModuleCall(..)
            | Node::ModuleEnd(..)
            | Node::Provider(_) => below,
        };
    }
    latest
}

/// The node of `layer.NAME.OUTPUT`.
pub(super) fn output_node(graph: &Graph, found: &Found) -> Option<NodeId> {
    let Reference::Layer { layer, output } = &found.reference else { return None };
    let root = graph.roots[graph.layers.iter().position(|name| name == layer)?];
    Some(graph.at(root, graph.module(root).shape.output(output)?))
}

impl Walk<'_> {
    /// What is wrong with gates, as far as that can be told before they run: their arguments, and outputs that will not be
    /// there when they do.
    pub(super) fn check_gates(&self) -> Diagnostics {
        let mut said = Diagnostics::none();
        let phases = &self.input.config.phases;
        if self.input.options.mode != PlanMode::Normal || phases.iter().all(|phase| phase.gates.is_empty()) {
            return said;
        }
        let graph = self.input.graph;
        let scope = ProjectScope { around: self.around() };
        let latest = latest_phases(graph);
        for (index, phase) in phases.iter().enumerate() {
            for gate in &phase.gates {
                said.append(gate_arguments(gate, &scope).said);
                for found in gate_references(gate) {
                    let Some(node) = output_node(graph, &found) else { continue };
                    if latest[node.index()] > index {
                        let later = &phases[latest[node.index()]].name;
                        let detail = format!(
                            "The gate runs at the end of phase {}, and {} is known only when phase {later} is done. Move \
                             the gate into that phase, or what the output comes from into an earlier one.",
                            phase.name, found.reference
                        );
                        let within = format!("gate {:?}", gate.name.as_str());
                        said.push(Diagnostic::error("Gate reads a later phase", detail).at(found.span).within(within));
                    }
                }
            }
        }
        said
    }

    /// The gates of a phase, those that are switched off left out.
    pub(super) fn gates(&self, phase: usize, changes: &[PlannedChange]) -> Vec<GatePlan> {
        let scope = ProjectScope { around: self.around() };
        let changes = changes.iter().any(|planned| planned.phase == phase && planned.is_work());
        let outstanding = self.input.options.outstanding.get(phase).copied().unwrap_or(false);
        let is_on = |gate: &&Gate| match &gate.enabled {
            None => true,
            Some(expr) => {
                crate::lang::eval::evaluate(expr, &scope).value.and_then(|value| value.as_bool()).unwrap_or(true)
            }
        };
        let text = |expr: &crate::lang::syntax::ast::Expr| {
            let value = crate::lang::eval::evaluate(expr, &scope).value?;
            if value.marks_deep().is_none() { value.as_str().map(str::to_owned) } else { None }
        };
        let about = |gate: &Gate| {
            let check = &gate.check.body;
            let named = ["service", "address", "url", "name"].iter().find_map(|name| check.attribute(name));
            let of = named.and_then(|attribute| text(&attribute.expr));
            format!("{} {}", gate.check.kind.text, of.unwrap_or_default()).trim_end().to_owned()
        };
        let timeout = |gate: &Gate| {
            let written = gate.timing.iter().find(|attribute| attribute.name.text == "timeout");
            let text = written.and_then(|attribute| text(&attribute.expr));
            text.and_then(|text| crate::client::duration::parse(&text)).map_or(300, |duration| duration.as_secs())
        };
        let gates = self.input.config.phases[phase].gates.iter().filter(is_on);
        let plan = |gate: &Gate| GatePlan {
            name: gate.name.clone(),
            about: about(gate),
            timeout: timeout(gate),
            will_run: (changes || outstanding) && self.input.options.mode == PlanMode::Normal,
        };
        gates.map(plan).collect()
    }
}
