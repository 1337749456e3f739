//! Which phase each resource runs in.

use crate::addr::{Name, Pattern};
use crate::config::{Config, Include};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};

use super::{Graph, ModuleNode, Node, NodeId};

/// Fills `phase`. What a phase includes runs there; anything else in the earliest phase that needs it, else in the last
/// phase that includes anything of its layer, else in the project's last; never before what it depends on. Says includes
/// that match nothing, resources that two phases include, and edges against the phases.
pub fn assign(config: &Config, graph: &mut Graph) -> Diagnostics {
    let mut said = Diagnostics::none();
    let count = graph.nodes.len();
    graph.phase = vec![0; count];
    said.append(gates(config, graph));
    if config.phases.len() <= 1 && config.phases.iter().all(|phase| phase.include.is_empty()) {
        return said;
    }
    let included = match_includes(config, graph, &mut said);
    let last = config.phases.len() - 1;
    let fallback = last_phase_of_layers(graph, &included, last);

    // Earliest phase that needs a node, from dependents to dependencies.
    let mut phase: Vec<Option<usize>> = vec![None; count];
    for id in graph.order.iter().rev() {
        let index = id.index();
        let needed = graph.needed_by[index].iter().filter_map(|next| phase[next.index()]).min();
        phase[index] = match graph.node(*id) {
            Node::Resource(module, _) | Node::Data(module, _) => {
                let own = graph.module(*module).layer;
                Some(included[index].or(needed).unwrap_or(fallback[own]))
            }
            Node::Variable(..)
            | Node::Ephemeral(..)
            | Node::Local(..)
            | Node::Output(..)
            | Node::ModuleCall(..)
            | Node::ModuleEnd(..)
            | Node::Provider(_) => needed,
        };
    }
    // Never before what it depends on, from dependencies to dependents; `floor` is the latest phase below and where it comes from.
    let mut floor: Vec<Option<(usize, NodeId)>> = vec![None; count];
    for id in &graph.order {
        let index = id.index();
        let below = graph.needs[index].iter().filter_map(|need| floor[need.index()]).max();
        floor[index] = match graph.node(*id) {
            Node::Resource(..) | Node::Data(..) => {
                let own = phase[index].unwrap_or(last);
                match below {
                    Some((later, witness)) if later > own => {
                        if included[index].is_some() {
                            said.push(against(config, graph, *id, own, witness, later));
                        }
                        phase[index] = Some(later);
                        Some((later, witness))
                    }
                    Some(_) | None => Some((own, *id)),
                }
            }
            Node::Variable(..)
            | Node::Ephemeral(..)
            | Node::Local(..)
            | Node::Output(..)
            | Node::ModuleCall(..)
            | Node::ModuleEnd(..)
            | Node::Provider(_) => below,
        };
    }
    graph.phase = phase.into_iter().map(|phase| phase.unwrap_or(0)).collect();
    said
}

fn match_includes(config: &Config, graph: &Graph, said: &mut Diagnostics) -> Vec<Option<usize>> {
    let mut included: Vec<Option<usize>> = vec![None; graph.nodes.len()];
    let resources: Vec<_> =
        (0..graph.nodes.len() as u32).map(NodeId).filter_map(|id| Some((id, graph.config_addr(id)?))).collect();
    for (index, phase) in config.phases.iter().enumerate() {
        for include in &phase.include {
            let within = format!("phase {:?}", phase.name.as_str());
            if let Some(hint) = missing(graph, &include.pattern) {
                let detail = format!("{} names no block of the project.{hint}", include.pattern);
                said.push(Diagnostic::error("Phase includes nothing", detail).at(include.span).within(&within));
            }
            for (id, addr) in &resources {
                if !include.pattern.may_match(addr) {
                    continue;
                }
                match included[id.index()] {
                    Some(other) if other != index => said.push(
                        Diagnostic::error(
                            "Resource in two phases",
                            format!(
                                "{} is included by phase {:?} and by phase {:?}. A resource runs in one phase.",
                                graph.describe(*id),
                                config.phases[other].name.as_str(),
                                phase.name.as_str()
                            ),
                        )
                        .at(include.span)
                        .within(&within),
                    ),
                    Some(_) => {}
                    None => included[id.index()] = Some(index),
                }
            }
        }
    }
    included
}

/// Says which addresses in a gate's `for` name no block. Those of layers that are not in this run are for another one to check.
fn gates(config: &Config, graph: &Graph) -> Diagnostics {
    let mut said = Diagnostics::none();
    for gate in config.phases.iter().flat_map(|phase| &phase.gates) {
        for Include { pattern, span } in &gate.looks_at {
            let in_run = pattern.layer.as_ref().is_some_and(|layer| graph.layers.contains(layer));
            if let Some(hint) = missing(graph, pattern).filter(|_| in_run) {
                let detail = format!("{pattern} names no block of the project.{hint}");
                let within = format!("gate {:?}", gate.name.as_str());
                said.push(Diagnostic::error("Gate is for nothing", detail).at(*span).within(within));
            }
        }
    }
    said
}

/// What may have been meant by an address that names no block, or an empty text. `None`: a block of that address is written, be it
/// one without resources or instances.
fn missing(graph: &Graph, pattern: &Pattern) -> Option<String> {
    let in_layer =
        |module: &&ModuleNode| pattern.layer.as_ref().is_none_or(|layer| *layer == graph.layers[module.layer]);
    let calls: Vec<_> = pattern.module.steps().iter().map(|step| &step.name).collect();
    for (depth, call) in calls.iter().enumerate() {
        let mut around = graph
            .modules
            .iter()
            .filter(in_layer)
            .filter(|module| module.addr.calls().iter().eq(calls[..depth].iter().copied()));
        if around.clone().all(|module| !module.module.calls.contains_key(*call)) {
            let known = around.next().map(|module| module.module.calls.keys().map(Name::as_str));
            return Some(did_you_mean(call, known.into_iter().flatten()));
        }
    }
    let mut inside =
        graph.modules.iter().filter(in_layer).filter(|module| module.addr.calls().iter().eq(calls.iter().copied()));
    match &pattern.resource {
        None => inside.next().is_none().then(String::new),
        Some(addr) if inside.clone().any(|module| module.module.resources.contains_key(addr)) => None,
        Some(addr) => {
            let known: Vec<String> =
                inside.flat_map(|module| module.module.resources.keys().map(ToString::to_string)).collect();
            Some(did_you_mean(&addr.to_string(), known.iter().map(String::as_str)))
        }
    }
}

fn last_phase_of_layers(graph: &Graph, included: &[Option<usize>], last: usize) -> Vec<usize> {
    let mut found: Vec<Option<usize>> = vec![None; graph.layers.len()];
    for (index, phase) in included.iter().enumerate() {
        if let (Some(phase), Some(module)) = (phase, graph.module_of(NodeId(index as u32))) {
            let layer = graph.module(module).layer;
            found[layer] = found[layer].max(Some(*phase));
        }
    }
    found.into_iter().map(|phase| phase.unwrap_or(last)).collect()
}

fn against(config: &Config, graph: &Graph, id: NodeId, own: usize, witness: NodeId, later: usize) -> Diagnostic {
    let name = |phase: usize| config.phases[phase].name.clone();
    let (from, to) = (graph.describe(id), graph.describe(witness));
    let diagnostic = Diagnostic::error(
        "Dependency against the phases",
        format!(
            "{from} runs in phase {:?} but depends on {to}, which runs in phase {:?}, later. Move {to} to phase {:?} or an \
             earlier one, or {from} to phase {:?} or a later one.",
            name(own).as_str(),
            name(later).as_str(),
            name(own).as_str(),
            name(later).as_str(),
        ),
    );
    let span = graph.resource(id).map(|(_, resource)| resource.block.header);
    diagnostic.or_at(span)
}
