//! `phase` and `gate` blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::addr::{LayerName, Name};
use crate::diag::{Diagnostic, Diagnostics, SourceMap, Span, did_you_mean};
use crate::lang::eval::{Finder, Reference};
use crate::lang::syntax::ast::{Block, Body, ExprKind};

use super::super::block::pattern_of;
use super::super::global::LayerScope;
use super::super::model::{Gate, Include, Module, Phase};
use super::super::shape::{Shape, check_name, place};
use super::read::LayerBlock;

const PHASE: Shape = Shape { labels: &["name"], arguments: &["include"], blocks: &["gate"], ..Shape::EMPTY };

const CHECKS: &[&str] = &["tcp", "http", "postgresql", "redis", "kubernetes", "exec", "command"];
const TIMING: &[&str] = &["interval", "timeout", "retries"];
const GATE: Shape = Shape {
    labels: &["name"],
    arguments: &["enabled", "for", "interval", "timeout", "retries"],
    blocks: CHECKS,
    later: &["vault"],
    ..Shape::EMPTY
};

/// The layers of the project, as phases and gates see them.
pub struct Scopes<'a> {
    /// All layers.
    pub declared: &'a [LayerBlock],
    /// The root modules of those whose outputs the run can see, as far as they could be loaded.
    pub roots: Vec<(&'a LayerName, &'a Module)>,
    /// Whether the run is one of the global layers.
    pub global: bool,
}

impl Scopes<'_> {
    fn scope_of(&self, layer: &str) -> Option<LayerScope> {
        self.declared.iter().find(|known| known.name == *layer).map(|known| known.scope)
    }

    /// Whether the layer is one of the run's own.
    fn own(&self, layer: &str) -> bool {
        self.scope_of(layer).is_some_and(|scope| self.global == (scope == LayerScope::Global))
    }
}

/// Reads the phases. Those in which nothing of the run's layers can be are left out: a phase without includes belongs to the
/// environments.
pub fn read(blocks: &[Arc<Block>], scopes: &Scopes<'_>, sources: &SourceMap, said: &mut Diagnostics) -> Vec<Phase> {
    let mut reader = Reader { scopes, sources, said, gates: BTreeMap::new() };
    blocks.iter().filter_map(|block| reader.phase(block)).collect()
}

struct Reader<'a> {
    scopes: &'a Scopes<'a>,
    sources: &'a SourceMap,
    said: &'a mut Diagnostics,
    /// Gates seen so far.
    gates: BTreeMap<Name, Span>,
}

impl Reader<'_> {
    fn phase(&mut self, block: &Block) -> Option<Phase> {
        let before = self.said.0.len();
        if !PHASE.check(block, self.said) {
            return None;
        }
        let name = block.labels[0].text.clone();
        let mut include = self.addresses(block, "include");
        let everything = include.is_empty() && !self.scopes.global;
        include.retain(|include| include.pattern.layer.as_ref().is_some_and(|layer| self.scopes.own(layer.as_str())));
        let own = everything || !include.is_empty();
        let gates = block.body.blocks_of("gate").filter_map(|gate| self.gate(gate, own)).collect();
        let within = super::super::shape::describe(block);
        for diagnostic in &mut self.said.0[before..] {
            diagnostic.within.get_or_insert_with(|| within.clone());
        }
        own.then_some(Phase { name, include, gates, span: Some(block.header) })
    }

    /// The addresses that an argument lists: `include` of a phase, `for` of a gate.
    fn addresses(&mut self, block: &Block, argument: &str) -> Vec<Include> {
        let Some(attribute) = block.body.attribute(argument) else { return Vec::new() };
        let invalid = format!("Invalid {argument}");
        let ExprKind::Tuple(items) = &attribute.expr.kind else {
            let detail = "A list of addresses is required, such as [layer.data.module.redis].";
            self.said.push(Diagnostic::error(invalid, detail).at(attribute.expr.span));
            return Vec::new();
        };
        let mut include = Vec::new();
        for item in items {
            let pattern = match pattern_of(item, self.sources) {
                Ok(pattern) => pattern,
                Err(diagnostic) => {
                    self.said.push(diagnostic);
                    continue;
                }
            };
            let Some(layer) = &pattern.layer else {
                let detail = format!("{pattern} does not say in which layer it is: write layer.NAME.{pattern}.");
                self.said.push(Diagnostic::error(&invalid, detail).at(item.span));
                continue;
            };
            if let Some(diagnostic) = self.undeclared_layer(layer.as_str(), item.span) {
                self.said.push(diagnostic);
                continue;
            }
            include.push(Include { pattern, span: item.span });
        }
        include
    }

    fn undeclared_layer(&self, name: &str, span: Span) -> Option<Diagnostic> {
        if self.scopes.scope_of(name).is_some() {
            return None;
        }
        let hint = did_you_mean(name, self.scopes.declared.iter().map(|layer| layer.name.as_str()));
        let detail = format!("The project has no layer named {name:?}.{hint}");
        Some(Diagnostic::error("Reference to undeclared layer", detail).at(span))
    }

    fn gate(&mut self, block: &Block, own: bool) -> Option<Gate> {
        if !GATE.check(block, self.said) {
            return None;
        }
        let label = &block.labels[0];
        if !check_name("gate", &label.text, label.span, self.said) {
            return None;
        }
        if let Some(first) = self.gates.get(&label.text) {
            let at = place(self.sources, *first);
            let detail = format!(
                "A gate named {:?} was already written at {at}. Names of gates are unique in a project.",
                label.text.as_str()
            );
            self.said.push(Diagnostic::error("Duplicate gate", detail).at(block.header));
            return None;
        }
        self.gates.insert(label.text.clone(), block.header);
        let mut checks = block.body.blocks.iter().filter(|check| CHECKS.contains(&check.kind.text.as_str()));
        let Some(check) = checks.next() else {
            // One that is refused for now has been said already.
            if block.body.blocks.is_empty() {
                let detail = format!("A gate holds one block that says what is checked: {}.", CHECKS.join(", "));
                self.said.push(Diagnostic::error("Gate without a check", detail).at(block.header));
            }
            return None;
        };
        if let Some(second) = checks.next() {
            let detail = "A gate holds one check. Write a gate for each.";
            self.said.push(Diagnostic::error("Gate with several checks", detail).at(second.header));
        }
        let timing = block.body.attributes.iter().filter(|attribute| TIMING.contains(&attribute.name.text.as_str()));
        self.outputs(block, own);
        let looks_at = self.looks_at(block);
        Some(Gate {
            name: label.text.clone(),
            enabled: block.body.attribute("enabled").map(|attribute| attribute.expr.clone()),
            looks_at,
            check: check.clone(),
            timing: timing.cloned().collect(),
            span: block.header,
        })
    }

    /// What a gate is `for`. An empty list would be a gate that belongs to nothing.
    fn looks_at(&mut self, gate: &Block) -> Vec<Include> {
        if let Some(attribute) = gate.body.attribute("for")
            && matches!(&attribute.expr.kind, ExprKind::Tuple(items) if items.is_empty())
        {
            let detail = "At least one address is required, such as [layer.data.module.redis]. Without the argument the gate is for what its \
                          check names.";
            self.said.push(Diagnostic::error("Invalid for", detail).at(attribute.expr.span));
        }
        self.addresses(gate, "for")
    }

    /// Says which outputs that a gate names do not exist, and which other names it uses. `own`: whether the run has the gate.
    fn outputs(&mut self, gate: &Block, own: bool) {
        let mut finder = Finder::new(&|name| name == "environment");
        // Addresses name blocks, not values.
        let values = gate.body.attributes.iter().filter(|attribute| attribute.name.text != "for");
        values.for_each(|attribute| finder.visit(&attribute.expr));
        gate.body.blocks.iter().for_each(|block| visit(&block.body, &mut finder));
        for found in finder.found {
            let diagnostic = match &found.reference {
                Reference::Bare(name) if *name == "environment" => None,
                Reference::Layer { layer, output } => self
                    .undeclared_layer(layer.as_str(), found.span)
                    .or_else(|| self.out_of_sight(layer, found.span).filter(|_| own))
                    .or_else(|| self.undeclared_output(layer, output, found.span)),
                other => {
                    let detail = format!(
                        "{other} cannot be used here: a gate sees env(\"NAME\"), environment.name and the outputs of layers, \
                         such as layer.NAME.OUTPUT."
                    );
                    Some(Diagnostic::error("Invalid reference in the project file", detail).at(found.span))
                }
            };
            self.said.append(diagnostic);
        }
    }

    /// A run of the global layers sees nothing of what exists once per environment.
    fn out_of_sight(&self, layer: &LayerName, span: Span) -> Option<Diagnostic> {
        if !self.scopes.global || self.scopes.scope_of(layer.as_str()) == Some(LayerScope::Global) {
            return None;
        }
        let detail = format!(
            "Layer {layer} exists once per environment, and this phase includes global layers, whose run sees the outputs of global \
             layers only. Put the gate into a phase of its own."
        );
        Some(Diagnostic::error("Reference from a global layer", detail).at(span))
    }

    fn undeclared_output(&self, layer: &LayerName, output: &Name, span: Span) -> Option<Diagnostic> {
        let (_, root) = self.scopes.roots.iter().find(|(known, _)| *known == layer)?;
        if root.outputs.contains_key(output) {
            return None;
        }
        let hint = did_you_mean(output, root.outputs.keys().map(Name::as_str));
        let detail = format!("Layer {layer} has no output named {:?}.{hint}", output.as_str());
        Some(Diagnostic::error("Reference to undeclared output value", detail).at(span))
    }
}

fn visit(body: &Body, finder: &mut Finder<'_>) {
    for attribute in &body.attributes {
        finder.visit(&attribute.expr);
    }
    for block in &body.blocks {
        visit(&block.body, finder);
    }
}
