//! The JSON form of the language: the same tree as from the native syntax.
//!
//! Whether a property is an argument or a block depends on what the object describes. Where the language itself says so
//! (`kinds`), it is decided here. Where a schema does, the property stands in the tree as an argument, and [`ast::Json`] holds
//! the blocks that it may be instead.

mod expr;
mod kinds;
mod node;
mod sections;
#[cfg(test)]
mod tests;

pub(super) use sections::nested_sections;

use std::sync::Arc;

use super::ast::{self, Attribute, Block, Body, File, Ident};
use crate::diag::{Diagnostic, Diagnostics, FileId, SourceMap, Span};
use expr::expression;
use kinds::Kind;
use node::{Kind as NodeKind, Node, Property, Reader, Text};

/// Reads a file of configuration in JSON. A file that is not in the map reads as an empty one.
pub fn parse_json(sources: &SourceMap, file: FileId) -> (File, Diagnostics) {
    read(sources, file, &kinds::ROOT)
}

/// Reads a file of assignments in JSON.
pub fn parse_json_assignments(sources: &SourceMap, file: FileId) -> (File, Diagnostics) {
    read(sources, file, &kinds::ASSIGNMENTS)
}

/// Reads a test file in JSON.
pub fn parse_json_tests(sources: &SourceMap, file: FileId) -> (File, Diagnostics) {
    read(sources, file, &kinds::TESTS)
}

/// Reads a file of mocks in JSON.
pub fn parse_json_mocks(sources: &SourceMap, file: FileId) -> (File, Diagnostics) {
    read(sources, file, &kinds::MOCKS)
}

fn read(sources: &SourceMap, file: FileId, kind: &Kind) -> (File, Diagnostics) {
    let Some(source) = sources.get(file) else { return (File { body: Body::default() }, Diagnostics::none()) };
    let mut reader = Reader::new(&source.text, file);
    let node = reader.whole();
    let mut building = Building { source: &source, said: reader.said };
    let root = node.as_ref().and_then(|node| building.root(node));
    let mut body = Body { json: Some(Arc::default()), ..Body::default() };
    for properties in root.into_iter().flatten() {
        building.fill(&mut body, properties, kind, node.as_ref().map(|node| node.span));
    }
    (File { body }, building.said)
}

struct Building<'s> {
    source: &'s crate::diag::Source,
    said: Diagnostics,
}

impl Building<'_> {
    fn say(&mut self, summary: &str, detail: impl Into<String>, span: Span) {
        self.said.push(Diagnostic::error(summary, detail).at(span));
    }

    /// The objects at the top of a file: one, or those of an array.
    fn root<'n, 'a>(&mut self, node: &'n Node<'a>) -> Option<Vec<&'n [Property<'a>]>> {
        let items = match &node.kind {
            NodeKind::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let object = |node: &'n Node<'a>| match &node.kind {
            NodeKind::Object(properties) => Some(properties.as_slice()),
            _ => None,
        };
        if matches!(node.kind, NodeKind::Array(_)) {
            for item in items.iter().filter(|item| object(item).is_none()) {
                let detail = "A JSON object is required here, to define arguments and child blocks.";
                self.say("Incorrect JSON value type", detail, item.span);
            }
            return Some(items.iter().filter_map(object).collect());
        }
        let objects: Option<Vec<_>> = items.iter().map(object).collect();
        if objects.is_none() {
            let detail =
                "The root value in a JSON-based configuration must be either a JSON object or a JSON array of objects.";
            self.say("Root value must be object", detail, node.span);
        }
        objects
    }

    /// Adds the properties of an object to a body.
    fn fill(&mut self, body: &mut Body, properties: &[Property<'_>], kind: &Kind, span: Option<Span>) {
        let mut alternatives = body.json.as_deref().map(|json| json.blocks.clone()).unwrap_or_default();
        for property in properties {
            let name = &*property.name.value;
            if name == "//" {
                continue;
            }
            let nested = kind.blocks.iter().find(|nested| nested.name == name);
            let dynamic = (kind.open && name == "dynamic").then_some(&kinds::DYNAMIC);
            if let Some(nested) = nested.or(dynamic) {
                self.blocks(&mut body.blocks, nested, &property.name, &mut Vec::new(), &property.value);
                continue;
            }
            if kind.only_blocks {
                let hint = crate::diag::did_you_mean(name, kind.blocks.iter().map(|nested| nested.name));
                let detail = format!("No argument or block type is named {name:?}.{hint}");
                self.say("Extraneous JSON object property", detail, property.name.span);
                continue;
            }
            if kind.open {
                self.alternatives(&mut alternatives, property);
            }
            self.argument(body, property, kind);
        }
        body.span = body.span.or(span);
        body.json = Some(Arc::new(ast::Json { blocks: alternatives }));
    }

    fn argument(&mut self, body: &mut Body, property: &Property<'_>, kind: &Kind) {
        let name = ident(&property.name);
        let span = property.name.span.to(property.value.span);
        if let Some(first) = body.attribute(&name.text) {
            let (start, end) = (self.source.position(first.span.start), self.source.position(first.span.end));
            let detail = format!(
                "The argument {:?} was already set at {}:{},{}-{}.",
                name.text.as_str(),
                self.source.path.display(),
                start.line,
                start.column,
                end.column
            );
            // Terraform calls it otherwise where any argument may stand.
            let any = kind.blocks.is_empty() && kind.special.is_empty() && !kind.open;
            let summary = if any { "Duplicate attribute definition" } else { "Duplicate argument" };
            return self.say(summary, detail, name.span);
        }
        let special = kind.special.iter().find(|(special, _)| *special == name.text.as_str());
        let strings = special.map_or(kind.strings, |(_, strings)| *strings);
        let expr = Arc::new(expression(&property.value, strings, &mut self.said));
        body.attributes.push(Attribute { name, expr, span });
    }

    /// Adds the blocks that a property may be, if a schema says so: an object, or an array of objects.
    fn alternatives(&mut self, blocks: &mut Vec<Arc<Block>>, property: &Property<'_>) {
        let items = match &property.value.kind {
            NodeKind::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(&property.value),
        };
        let is_body = |node: &Node<'_>| match &node.kind {
            NodeKind::Object(properties) => properties.iter().all(|property| is_plain(&property.name.value)),
            _ => false,
        };
        if items.is_empty() || !items.iter().all(is_body) {
            return;
        }
        // What is wrong in it is said of the argument, too.
        let said = self.said.0.len();
        self.blocks(blocks, &kinds::OPEN, &property.name, &mut Vec::new(), &property.value);
        self.said.0.truncate(said);
    }

    /// Adds the blocks of a property: label by label, with one body for each object at the end.
    fn blocks(
        &mut self,
        blocks: &mut Vec<Arc<Block>>,
        kind: &Kind,
        name: &Text<'_>,
        labels: &mut Vec<Ident>,
        node: &Node<'_>,
    ) {
        let missing = kind.labels.get(labels.len());
        match &node.kind {
            NodeKind::Array(items) => {
                for item in items {
                    match &item.kind {
                        NodeKind::Object(properties) => self.block(blocks, kind, name, labels, properties, item.span),
                        NodeKind::Null => {}
                        _ => {
                            let detail = match missing {
                                Some(_) => "A JSON object is required here, to specify labels for this block.",
                                None => "A JSON object is required here, setting the arguments for this block.",
                            };
                            self.say("Incorrect JSON value type", detail, item.span);
                        }
                    }
                }
                if let (Some(label), true) = (missing, items.is_empty()) {
                    self.missing_label(kind, label, Span { end: node.span.start + 1, ..node.span });
                }
            }
            NodeKind::Object(properties) => self.block(blocks, kind, name, labels, properties, node.span),
            NodeKind::Null => {}
            _ => {
                let detail = match missing {
                    Some(label) => format!(
                        "Either a JSON object or JSON array of objects is required here, to specify {label} labels for this block."
                    ),
                    None => format!(
                        "Either a JSON object or a JSON array is required, representing the contents of one or more {:?} blocks.",
                        &*name.value
                    ),
                };
                self.say("Incorrect JSON value type", detail, node.span);
            }
        }
    }

    fn missing_label(&mut self, kind: &Kind, label: &str, span: Span) {
        let detail = format!(
            "At least one object property is required, whose name represents the {} block's {label}.",
            kind.name
        );
        self.say("Missing block label", detail, span);
    }

    /// The block of an object, or those of the labels that its properties are.
    fn block(
        &mut self,
        blocks: &mut Vec<Arc<Block>>,
        kind: &Kind,
        name: &Text<'_>,
        labels: &mut Vec<Ident>,
        properties: &[Property<'_>],
        span: Span,
    ) {
        if let Some(label) = kind.labels.get(labels.len()) {
            if properties.is_empty() {
                return self.missing_label(kind, label, span);
            }
            for property in properties {
                labels.push(ident(&property.name));
                self.blocks(blocks, kind, name, labels, &property.value);
                labels.pop();
            }
            return;
        }
        let mut body = Body::default();
        self.fill(&mut body, properties, kind, Some(span));
        let header = Span { end: span.start + 1, ..span };
        let written = labels.last().map_or(name.span, |label| label.span).to(span);
        let block = Block { kind: ident(name), labels: labels.clone(), body, header, span: written };
        blocks.push(Arc::new(block));
    }
}

fn ident(text: &Text<'_>) -> Ident {
    Ident { text: (&*text.value).into(), span: text.span }
}

/// Whether the name of a property is no template.
fn is_plain(name: &str) -> bool {
    !name.contains("${") && !name.contains("%{")
}
