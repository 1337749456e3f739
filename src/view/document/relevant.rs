//! Where the values of a plan's changes come from: `relevant_attributes` of a JSON plan.
//!
//! Of every change and every output that changes: what its expressions name, followed through locals, variables and outputs of
//! modules down to attributes of objects.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value as Json, json};

use crate::addr::{InstanceKey, Name, ResourceAddr};
use crate::change::Action;
use crate::graph::{Graph, ModuleId};
use crate::lang::eval::{Reference, ingredients};
use crate::lang::syntax::ast::{Body, Expr};
use crate::plan::world::{CopyId, World};
use crate::plan::{Plan, PlanMode, Segment};
use crate::value::Step;

/// An attribute of an object, or of all objects of a block.
type Source = (String, Vec<Step>);

/// The attributes, sorted.
pub(super) fn relevant_attributes(plan: &Plan, segment: &Segment) -> Vec<Json> {
    let mut finder = Finder::new(plan, segment);
    for planned in plan.changes.iter().filter(|planned| planned.change.action != Action::NoOp) {
        let (Some(node), Some(copy)) = (planned.work.node, planned.work.copy) else { continue };
        if matches!(planned.change.action, Action::Delete | Action::Forget) {
            continue;
        }
        if let Some((_, resource)) = segment.graph.resource(node) {
            finder.body(copy, &resource.body);
        }
    }
    for output in plan.outputs.iter().filter(|output| output.action != Action::NoOp) {
        let layer = segment.graph.layers.iter().position(|layer| *layer == output.layer);
        let copy = layer.and_then(|layer| segment.world.copies_of(segment.graph.roots[layer]).first());
        if let Some(copy) = copy {
            finder.output(*copy, &output.name, &[]);
        }
    }
    if plan.mode == PlanMode::Normal {
        finder.outputs_of_modules();
    }
    let json = |(resource, path): &Source| {
        let path: Vec<Json> = path.iter().map(step).collect();
        json!({"resource": resource, "attribute": path})
    };
    finder.found.iter().map(json).collect()
}

fn step(step: &Step) -> Json {
    match step {
        Step::Attribute(name) | Step::Key(name) => json!(name.as_str()),
        Step::Index(at) => json!(at),
    }
}

struct Finder<'a> {
    graph: &'a Graph,
    world: &'a World,
    prefixes_layers: bool,
    found: BTreeSet<Source>,
    seen: HashSet<(CopyId, Reference, Vec<Step>)>,
}

impl<'a> Finder<'a> {
    fn new(plan: &Plan, segment: &'a Segment) -> Self {
        Finder {
            graph: &segment.graph,
            world: &segment.world,
            prefixes_layers: plan.prefixes_layers,
            found: BTreeSet::new(),
            seen: HashSet::new(),
        }
    }

    /// Outputs of called modules: state does not keep them, so that each is a new value in every plan.
    fn outputs_of_modules(&mut self) {
        for index in 0..self.graph.modules.len() {
            let module = ModuleId(index as u32);
            if self.graph.module(module).caller.is_none() {
                continue;
            }
            for copy in self.world.copies_of(module) {
                for name in self.graph.module(module).module.outputs.keys() {
                    self.output(*copy, name, &[]);
                }
            }
        }
    }

    fn body(&mut self, copy: CopyId, body: &'a Body) {
        for attribute in &body.attributes {
            self.expr(copy, &attribute.expr, &[]);
        }
        for block in &body.blocks {
            self.body(copy, &block.body);
        }
    }

    fn output(&mut self, copy: CopyId, name: &Name, rest: &[Step]) {
        let graph = self.graph;
        if let Some(output) = graph.module(self.world.copy(copy).module).module.outputs.get(name) {
            self.expr(copy, &output.value, rest);
        }
    }

    /// Everything that an expression comes from; `rest` is what is used of its value.
    fn expr(&mut self, copy: CopyId, expr: &'a Expr, rest: &[Step]) {
        let through = expr.is_traversal();
        let mut open: Vec<(CopyId, Reference, Vec<Step>)> = Vec::new();
        for mut traversal in ingredients(expr).traversals {
            if through {
                traversal.steps.extend_from_slice(rest);
            }
            open.push((copy, traversal.reference, traversal.steps));
        }
        for (copy, reference, steps) in open {
            if self.seen.insert((copy, reference.clone(), steps.clone())) {
                self.follow(copy, &reference, &steps);
            }
        }
    }

    fn follow(&mut self, copy: CopyId, reference: &Reference, steps: &[Step]) {
        let graph = self.graph;
        let here = self.world.copy(copy);
        let node = graph.module(here.module);
        match reference {
            Reference::Resource(addr) => self.resource(copy, addr, steps),
            Reference::Local(name) => {
                if let Some(local) = node.module.locals.get(name) {
                    self.expr(copy, &local.expr, steps);
                }
            }
            Reference::Var(name) => {
                let call = graph.call(here.module).map(|(_, call)| call);
                let argument = call.and_then(|call| call.arguments.iter().find(|one| one.name.text == *name));
                if let (Some(parent), Some(argument)) = (here.parent, argument) {
                    self.expr(parent, &argument.expr, steps);
                }
            }
            Reference::Module { name, .. } => self.module(copy, name, steps),
            Reference::Layer { layer, output } => {
                let root = graph.layers.iter().position(|known| known == layer).map(|at| graph.roots[at]);
                if let Some(copy) = root.and_then(|root| self.world.copies_of(root).first()) {
                    self.output(*copy, output, steps);
                }
            }
            Reference::EachKey
            | Reference::EachValue
            | Reference::CountIndex
            | Reference::SelfObject
            | Reference::PathModule
            | Reference::PathRoot
            | Reference::PathCwd
            | Reference::Terraform(_)
            | Reference::Bare(_) => {}
        }
    }

    fn module(&mut self, copy: CopyId, name: &Name, steps: &[Step]) {
        let graph = self.graph;
        let Some(child) = graph.module(self.world.copy(copy).module).children.get(name) else { return };
        let (key, steps) = key_of(steps);
        let copies: Vec<CopyId> = self.world.copies_of(*child).to_vec();
        for one in copies {
            let known = self.world.copy(one);
            if known.parent != Some(copy) || (key.is_some() && known.repetition.key() != key) {
                continue;
            }
            match steps {
                [Step::Attribute(output) | Step::Key(output), rest @ ..] => self.output(one, output, rest),
                _ => {
                    for output in graph.module(*child).module.outputs.keys() {
                        self.output(one, output, &[]);
                    }
                }
            }
        }
    }

    fn resource(&mut self, copy: CopyId, addr: &ResourceAddr, steps: &[Step]) {
        let here = self.world.copy(copy);
        let node = self.graph.module(here.module);
        let (key, steps) = key_of(steps);
        let key = key.map_or_else(String::new, |key| key.to_string());
        let mut name = format!("{addr}{key}");
        if !here.addr.is_root() {
            name = format!("{}.{name}", here.addr);
        }
        if self.prefixes_layers {
            name = format!("layer.{}.{name}", self.graph.layers[node.layer]);
        }
        self.found.insert((name, steps.to_vec()));
    }
}

/// The key of a copy that a path begins with, and what comes behind it.
fn key_of(steps: &[Step]) -> (Option<InstanceKey>, &[Step]) {
    match steps {
        [Step::Key(key), rest @ ..] => (Some(InstanceKey::Str(key.clone())), rest),
        [Step::Index(at), rest @ ..] => (Some(InstanceKey::Int(*at as u64)), rest),
        steps => (None, steps),
    }
}
