//! `phase` and `gate` blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::addr::{LayerName, Name};
use crate::diag::{Diagnostic, Diagnostics, SourceMap, Span, did_you_mean};
use crate::lang::eval::{Finder, Reference};
use crate::lang::syntax::ast::{Block, Body, ExprKind};

use super::super::block::pattern_of;
use super::super::model::{Gate, Include, Layer, Phase};
use super::super::shape::{Shape, check_name, place};
use super::read::LayerBlock;

const PHASE: Shape = Shape { labels: &["name"], arguments: &["include"], blocks: &["gate"], ..Shape::EMPTY };

const CHECKS: &[&str] = &["tcp", "http", "postgresql", "redis", "kubernetes", "exec", "command"];
const TIMING: &[&str] = &["interval", "timeout", "retries"];
const GATE: Shape = Shape {
    labels: &["name"],
    arguments: &["enabled", "interval", "timeout", "retries"],
    blocks: CHECKS,
    later: &["vault"],
    ..Shape::EMPTY
};

/// Reads the phases; `layers` are those that could be loaded.
pub fn read(
    blocks: &[Arc<Block>],
    declared: &[LayerBlock],
    layers: &[Layer],
    sources: &SourceMap,
    said: &mut Diagnostics,
) -> Vec<Phase> {
    let mut reader = Reader { declared, layers, sources, said, gates: BTreeMap::new() };
    blocks.iter().filter_map(|block| reader.phase(block)).collect()
}

struct Reader<'a> {
    declared: &'a [LayerBlock],
    layers: &'a [Layer],
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
        let include = self.include(block);
        let gates = block.body.blocks_of("gate").filter_map(|gate| self.gate(gate)).collect();
        let within = super::super::shape::describe(block);
        for diagnostic in &mut self.said.0[before..] {
            diagnostic.within.get_or_insert_with(|| within.clone());
        }
        Some(Phase { name, include, gates, span: Some(block.header) })
    }

    fn include(&mut self, block: &Block) -> Vec<Include> {
        let Some(attribute) = block.body.attribute("include") else { return Vec::new() };
        let ExprKind::Tuple(items) = &attribute.expr.kind else {
            let detail = "A list of addresses is required, such as [layer.data.module.redis].";
            self.said.push(Diagnostic::error("Invalid include", detail).at(attribute.expr.span));
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
                self.said.push(Diagnostic::error("Invalid include", detail).at(item.span));
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
        if self.declared.iter().any(|layer| layer.name == *name) {
            return None;
        }
        let hint = did_you_mean(name, self.declared.iter().map(|layer| layer.name.as_str()));
        let detail = format!("The project has no layer named {name:?}.{hint}");
        Some(Diagnostic::error("Reference to undeclared layer", detail).at(span))
    }

    fn gate(&mut self, block: &Block) -> Option<Gate> {
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
        self.outputs(block);
        Some(Gate {
            name: label.text.clone(),
            enabled: block.body.attribute("enabled").map(|attribute| attribute.expr.clone()),
            check: check.clone(),
            timing: timing.cloned().collect(),
            span: block.header,
        })
    }

    /// Says which outputs that a gate names do not exist, and which other names it uses.
    fn outputs(&mut self, gate: &Block) {
        let mut finder = Finder::new(&|name| name == "environment");
        visit(&gate.body, &mut finder);
        for found in finder.found {
            let diagnostic = match &found.reference {
                Reference::Bare(name) if *name == "environment" => None,
                Reference::Layer { layer, output } => self
                    .undeclared_layer(layer.as_str(), found.span)
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

    fn undeclared_output(&self, layer: &LayerName, output: &Name, span: Span) -> Option<Diagnostic> {
        let root = &self.layers.iter().find(|known| known.name == *layer)?.root;
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
