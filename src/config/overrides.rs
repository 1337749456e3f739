//! Override files: their blocks replace parts of blocks of the same names in the primary files.

use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::syntax::ast::{Attribute, Block, Body, ExprKind};

use super::shape::describe;

/// Merges a block of an override file into the block of the same name.
pub(super) fn override_block(bodies: &mut Vec<Body>, block: &Arc<Block>, said: &mut Diagnostics) {
    let kind = block.kind.text.as_str();
    let labels: Vec<&str> = block.labels.iter().map(|label| label.text.as_str()).collect();
    if kind == "locals" {
        for attribute in &block.body.attributes {
            let mut all = bodies.iter_mut().flat_map(|body| &mut body.blocks).filter(|base| base.kind.text == "locals");
            match all.find(|base| base.body.attribute(&attribute.name.text).is_some()) {
                Some(base) => set(&mut Arc::make_mut(base).body.attributes, attribute),
                None => {
                    let name = attribute.name.text.as_str();
                    said.push(
                        missing_base("base local value definition", &format!("local value named {name:?}"))
                            .at(attribute.span),
                    );
                }
            }
        }
        return;
    }
    if refused(block, said) {
        return;
    }
    let alias = |block: &Block| block.body.attribute("alias").map(|alias| format!("{:?}", alias.expr.kind));
    let same = |base: &&mut Arc<Block>| {
        base.kind.text == *kind
            && base.labels.iter().map(|label| label.text.as_str()).eq(labels.iter().copied())
            && (kind != "provider" || alias(base) == alias(block))
    };
    match bodies.iter_mut().flat_map(|body| &mut body.blocks).find(same) {
        Some(base) => merge(Arc::make_mut(base), block),
        // These may appear in override files alone.
        None if kind == "terraform" || kind == "provider" => {
            bodies.push(Body { blocks: vec![block.clone()], ..Body::default() });
        }
        None => said.push(unknown(block).at(block.header)),
    }
}

/// The error of a block that there is none of the same name of.
fn unknown(block: &Block) -> Diagnostic {
    let name = |at: usize| block.labels.get(at).map_or("", |label| label.text.as_str());
    match block.kind.text.as_str() {
        "variable" => missing_base("base variable declaration", &format!("variable named {:?}", name(0))),
        "output" => missing_base("base output definition", &format!("output named {:?}", name(0))),
        "module" => missing_base("module call", &format!("module call named {:?}", name(0))),
        "resource" => missing_base("resource", &format!("{} resource named {:?}", name(0), name(1))),
        "data" => missing_base("data resource", &format!("{} data source named {:?}", name(0), name(1))),
        _ => missing_base("block", &describe(block)),
    }
}

fn missing_base(summary: &str, what: &str) -> Diagnostic {
    let detail = format!(
        "There is no {what} in the primary configuration files. An override file can only override what is defined there."
    );
    Diagnostic::error(format!("Missing {summary} to override"), detail)
}

/// Says what of an override block can override nothing; whether that is all of it.
fn refused(block: &Block, said: &mut Diagnostics) -> bool {
    let kind = block.kind.text.as_str();
    if matches!(kind, "moved" | "import" | "removed") {
        let detail = format!("Blocks of type {kind:?} can appear only in normal files, not in override files.");
        said.push(Diagnostic::error(format!("Cannot override '{kind}' blocks"), detail).at(block.header));
        return true;
    }
    if kind == "check" {
        let detail = "Override files cannot override check blocks.";
        said.push(Diagnostic::error("Can't override check blocks", detail).at(block.header));
        return true;
    }
    let inner = block.body.blocks_of("lifecycle").flat_map(|lifecycle| &lifecycle.body.blocks);
    for rule in block.body.blocks.iter().chain(inner) {
        let kind = rule.kind.text.as_str();
        if matches!(kind, "validation" | "precondition" | "postcondition") {
            let detail = format!("Override files cannot override {kind} blocks. Write them in the primary file.");
            said.push(Diagnostic::error(format!("Can't override {kind} blocks"), detail).at(rule.header));
        }
    }
    if let Some(depends_on) = block.body.attribute("depends_on").filter(|attribute| !is_empty(attribute)) {
        let detail = "The depends_on argument may not be overridden.";
        said.push(Diagnostic::error("Unsupported override", detail).at(depends_on.span));
    }
    false
}

fn is_empty(list: &Attribute) -> bool {
    matches!(&list.expr.kind, ExprKind::Tuple(items) if items.is_empty())
}

fn set(attributes: &mut Vec<Attribute>, attribute: &Attribute) {
    match attributes.iter_mut().find(|known| known.name.text == attribute.name.text) {
        Some(known) => *known = attribute.clone(),
        None => attributes.push(attribute.clone()),
    }
}

/// The type of the blocks that a block is or makes.
fn made(block: &Block) -> &str {
    match block.labels.first() {
        Some(label) if block.kind.text == *"dynamic" => &label.text,
        _ => &block.kind.text,
    }
}

/// Arguments replace arguments; nested blocks of a type replace all of that type, save those that are merged themselves.
fn merge(base: &mut Block, by: &Block) {
    for attribute in &by.body.attributes {
        match attribute.name.text.as_str() {
            // `count` and `for_each` exclude each other; under Terraform `count` counts wherever it is written.
            "count" => base.body.attributes.retain(|known| known.name.text != *"for_each"),
            "for_each" if base.body.attribute("count").is_some() => continue,
            // An empty list takes nothing back, as under Terraform.
            "ignore_changes" | "depends_on" if is_empty(attribute) => continue,
            _ => {}
        }
        set(&mut base.body.attributes, attribute);
    }
    let merged = |kind: &str| matches!(kind, "lifecycle" | "required_providers");
    let open = by.body.json.iter().flat_map(|json| &json.blocks);
    let replaced: Vec<&str> = by.body.blocks.iter().chain(open).map(|b| made(b)).filter(|k| !merged(k)).collect();
    base.body.blocks.retain(|block| !replaced.contains(&made(block)));
    // What looks like an argument in one of the two files may be a block in the other.
    let written: Vec<&str> = by.body.blocks.iter().map(|block| made(block)).collect();
    if base.body.json.is_some() {
        base.body.attributes.retain(|attribute| !written.contains(&attribute.name.text.as_str()));
    }
    if base.body.json.is_some() || by.body.json.is_some() {
        let mut json = base.body.json.as_deref().cloned().unwrap_or_default();
        let by_arguments = |block: &Block| by.body.attribute(&block.kind.text).is_some();
        json.blocks.retain(|block| !replaced.contains(&made(block)) && !by_arguments(block));
        json.blocks.extend(by.body.json.iter().flat_map(|json| &json.blocks).cloned());
        base.body.json = Some(Arc::new(json));
    }
    for block in &by.body.blocks {
        let known = base.body.blocks.iter_mut().find(|known| known.kind.text == block.kind.text);
        match known {
            Some(known) if merged(&block.kind.text) => merge(Arc::make_mut(known), block),
            _ => base.body.blocks.push(block.clone()),
        }
    }
}
