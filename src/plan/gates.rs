//! Gates in a plan: how they are shown, what they read, and what is wrong with them long before they run.

use std::borrow::Cow;

use foldhash::{HashSet, HashSetExt};

use crate::addr::{ConfigResourceAddr, InstanceAddr, LayerName, Mode};
use crate::change::Action;
use crate::config::Gate;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::gate::{self, Absent, KnownFrom, Others};
use crate::graph::{Graph, Node, NodeId};
use crate::lang::decode::{decode, references_in};
use crate::lang::eval::{Found, Reference, Scope, evaluate, references};
use crate::lang::syntax::ast::{Body, Expr};
use crate::state::State;
use crate::value::{Value, from_json};

use super::copies::OPEN_KEYS;
use super::model::{GateDecision, GatePlan, PhasePlan, PlanMode, PlannedChange};
use super::objects::Entry;
use super::scope::ProjectScope;
use super::subjects::Facts;
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

/// What a gate names although no object in state is that one, for a gate that is asked by itself. Unknown arguments name nothing.
pub fn absent_from_state(gate: &Gate, arguments: &Value, graph: &Graph, states: &[State]) -> Vec<Absent> {
    if !gate.looks_at.is_empty() {
        return Vec::new();
    }
    let mut facts = Facts::new(false, KnownFrom::State);
    for placed in states.iter().flat_map(State::objects).filter(|placed| placed.deposed.is_none()) {
        let (_, resource) = placed.resource;
        if resource.mode == Mode::Managed {
            let object = from_json(placed.object.attributes.as_bytes()).unwrap_or_default();
            facts.add(&resource.kind, Cow::Owned(object), true, true);
        }
    }
    facts.add_configuration(graph, &|_| true);
    match facts.decide(&gate::subjects(&gate.check.kind.text, arguments)) {
        Some(GateDecision::Runs { absent }) => absent,
        Some(GateDecision::NotDue | GateDecision::LeftOut { .. }) | None => Vec::new(),
    }
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

    /// Every phase with its gates, those that are switched off left out. Says which gates are for something that is not there.
    pub(super) fn phases(&self, changes: &[PlannedChange]) -> Outcome<Vec<PhasePlan>> {
        let mut said = Diagnostics::none();
        let phases = &self.input.config.phases;
        let normal = self.input.options.mode == PlanMode::Normal;
        let facts = phases.iter().any(|phase| !phase.gates.is_empty() && normal).then(|| self.facts(changes));
        let mut plans = Vec::with_capacity(phases.len());
        for (index, phase) in phases.iter().enumerate() {
            let works = changes.iter().any(|planned| planned.phase == index && planned.is_work());
            let mut gates = Vec::new();
            for gate in phase.gates.iter().filter(|gate| self.is_on(gate)) {
                let due = works || self.input.options.outstanding.contains(&gate.name);
                let decision = match facts.as_ref().filter(|_| due) {
                    None => GateDecision::NotDue,
                    Some(facts) => match self.decide_gate(gate, index, works, (changes, facts)) {
                        Ok(decision) => decision,
                        Err(diagnostic) => {
                            said.push(*diagnostic);
                            continue;
                        }
                    },
                };
                let (about, timeout) = (self.about(gate), self.timeout(gate));
                gates.push(GatePlan { name: gate.name.clone(), about, timeout, decision });
            }
            plans.push(PhasePlan { name: phase.name.clone(), gates });
        }
        if said.has_errors() { Outcome::fail(said) } else { Outcome::ok(plans) }
    }

    /// What becomes of a gate that is due. `works`: whether anything changes in its phase.
    fn decide_gate(
        &self,
        gate: &Gate,
        phase: usize,
        works: bool,
        (changes, facts): (&[PlannedChange], &Facts<'_>),
    ) -> Result<GateDecision, Box<Diagnostic>> {
        let decision = self.decide_by_subject(gate, phase, works, (changes, facts))?;
        let runs = matches!(decision, GateDecision::Runs { .. }) && facts.partial;
        Ok(match self.lacks_output(gate).filter(|_| runs) {
            Some(reason) => GateDecision::LeftOut { reason, touched: true },
            None => decision,
        })
    }

    /// The same by what the gate looks at, else by its phase.
    fn decide_by_subject(
        &self,
        gate: &Gate,
        phase: usize,
        works: bool,
        (changes, facts): (&[PlannedChange], &Facts<'_>),
    ) -> Result<GateDecision, Box<Diagnostic>> {
        if !gate.looks_at.is_empty() {
            return self.decide_by_addresses(gate, changes);
        }
        let scope = ProjectScope { around: self.around() };
        let arguments = gate_arguments(gate, &scope).value.map(|(arguments, _)| arguments.unmark_deep().0);
        let subjects = arguments.map(|arguments| gate::subjects(&gate.check.kind.text, &arguments));
        if let Some(decision) = subjects.and_then(|subjects| facts.decide(&subjects)) {
            return Ok(decision);
        }
        if !facts.partial || works || self.phase_takes_part(phase) {
            return Ok(GateDecision::Runs { absent: Vec::new() });
        }
        let reason = format!("nothing in phase {} takes part in this plan", self.input.config.phases[phase].name);
        Ok(GateDecision::LeftOut { reason, touched: false })
    }

    /// Where a part is planned: an output that the gate needs and that is not known, since what it comes from is left out.
    fn lacks_output(&self, gate: &Gate) -> Option<String> {
        let scope = ProjectScope { around: self.around() };
        let lacking = gate_references(gate).into_iter().find(|found| {
            let Some(node) = output_node(self.input.graph, found) else { return false };
            let value = scope.resolve(&found.reference, found.span);
            !self.selected[node.index()] && value.is_ok_and(|value| !value.is_wholly_known())
        })?;
        Some(format!("{} is not known, since what it comes from takes no part in this plan", lacking.reference))
    }

    /// What becomes of a gate that is written `for` something.
    fn decide_by_addresses(&self, gate: &Gate, changes: &[PlannedChange]) -> Result<GateDecision, Box<Diagnostic>> {
        let named = |addr: &InstanceAddr| gate.looks_at.iter().any(|include| include.pattern.matches(addr));
        let current = |planned: &&PlannedChange| planned.change.deposed.is_none() && named(&planned.change.addr);
        let planned: HashSet<&InstanceAddr> =
            changes.iter().filter(current).map(|planned| &planned.change.addr).collect();
        let makes = changes.iter().filter(current).any(|planned| planned.change.action != Action::Delete);
        let stored = |entry: &&Entry| !entry.gone && named(&entry.slot.addr) && !planned.contains(&entry.slot.addr);
        let has = self.objects.entries.iter().any(|entry| stored(&entry));
        let addresses: Vec<String> = gate.looks_at.iter().map(|include| include.pattern.to_string()).collect();
        let addresses = addresses.join(", ");
        if self.selection_is_whole() {
            let foreign = |layer: &LayerName| !self.input.graph.layers.contains(layer);
            let elsewhere = gate.looks_at.iter().any(|include| include.pattern.layer.as_ref().is_some_and(foreign));
            if makes || has || elsewhere || self.has_open_keys() {
                return Ok(GateDecision::Runs { absent: Vec::new() });
            }
            let detail = format!(
                "The gate is for {addresses}, of which nothing exists and nothing is planned. Where it is switched off, \
                 switch the gate off as well: enabled = layer.NAME.OUTPUT"
            );
            let within = format!("gate {:?}", gate.name.as_str());
            return Err(Box::new(Diagnostic::error("Gate is for nothing", detail).at(gate.span).within(within)));
        }
        if planned.is_empty() {
            let reason = format!("{addresses} takes no part in this plan");
            return Ok(GateDecision::LeftOut { reason, touched: false });
        }
        // What is left out and has no object yet; where some objects that take no part exist, the others are not wanted.
        let missing =
            self.left_out_blocks().find(|addr| gate.looks_at.iter().any(|include| include.pattern.may_match(addr)));
        Ok(match missing.filter(|_| !has) {
            Some(addr) => {
                let reason = format!("{addr} is not there yet and takes no part in this plan");
                GateDecision::LeftOut { reason, touched: true }
            }
            None => GateDecision::Runs { absent: Vec::new() },
        })
    }

    /// Managed resources that take no part in this run.
    fn left_out_blocks(&self) -> impl Iterator<Item = ConfigResourceAddr> {
        let graph = self.input.graph;
        let nodes = (0..graph.nodes.len() as u32).map(NodeId).filter(|id| !self.selected[id.index()]);
        nodes
            .filter(move |id| matches!(graph.node(*id), Node::Resource(..)))
            .filter_map(move |id| graph.config_addr(id))
    }

    /// Whether a selection leaves anything of a phase.
    fn phase_takes_part(&self, phase: usize) -> bool {
        let graph = self.input.graph;
        let in_phase = |(index, at): (usize, &usize)| {
            *at == phase && self.selected[index] && graph.provider_of.contains_key(&NodeId(index as u32))
        };
        graph.phase.iter().enumerate().any(in_phase)
    }

    /// Whether it cannot be told yet how many objects there will be.
    fn has_open_keys(&self) -> bool {
        self.pending.iter().any(|pending| pending.as_deref() == Some(OPEN_KEYS))
    }

    /// What the plan makes and state has, as far as gates may look at it.
    fn facts<'a>(&'a self, changes: &'a [PlannedChange]) -> Facts<'a> {
        let mut facts = Facts::new(!self.selection_is_whole(), KnownFrom::Plan);
        let mut planned: HashSet<&InstanceAddr> = HashSet::new();
        let current = |planned: &&PlannedChange| planned.change.deposed.is_none();
        for PlannedChange { change, .. } in changes.iter().filter(current) {
            if change.addr.resource.mode != Mode::Managed {
                continue;
            }
            planned.insert(&change.addr);
            let object = if change.after.is_null() { &change.before } else { &change.after };
            facts.add(&change.addr.resource.kind, Cow::Borrowed(object), change.action != Action::Delete, true);
        }
        for entry in self.objects.entries.iter().filter(|entry| !entry.gone && entry.slot.deposed.is_none()) {
            let addr = &entry.slot.addr;
            if addr.resource.mode != Mode::Managed || planned.contains(addr) {
                continue;
            }
            let object = match &entry.now {
                Some(known) => Cow::Borrowed(&known.value),
                None => Cow::Owned(from_json(entry.stored.attributes.as_bytes()).unwrap_or_default()),
            };
            facts.add(&addr.resource.kind, object, true, false);
        }
        facts.add_configuration(self.input.graph, &|index| self.selected[index]);
        if self.has_open_keys() {
            facts.others.push((Others::Anywhere, true));
        }
        facts
    }

    fn is_on(&self, gate: &Gate) -> bool {
        let scope = ProjectScope { around: self.around() };
        match &gate.enabled {
            None => true,
            Some(expr) => evaluate(expr, &scope).value.and_then(|value| value.as_bool()).unwrap_or(true),
        }
    }

    /// The text of an argument that may be shown.
    fn shown(&self, expr: &Expr) -> Option<String> {
        let value = evaluate(expr, &ProjectScope { around: self.around() }).value?;
        if value.marks_deep().is_none() { value.as_str().map(str::to_owned) } else { None }
    }

    fn about(&self, gate: &Gate) -> String {
        let check = &gate.check.body;
        let named = ["service", "address", "url", "name"].iter().find_map(|name| check.attribute(name));
        let of = named.and_then(|attribute| self.shown(&attribute.expr));
        format!("{} {}", gate.check.kind.text, of.unwrap_or_default()).trim_end().to_owned()
    }

    fn timeout(&self, gate: &Gate) -> u64 {
        let written = gate.timing.iter().find(|attribute| attribute.name.text == "timeout");
        let text = written.and_then(|attribute| self.shown(&attribute.expr));
        text.and_then(|text| crate::text::duration::parse(&text)).map_or(300, |duration| duration.as_secs())
    }
}
