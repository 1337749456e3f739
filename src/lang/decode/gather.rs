//! What the expressions of a body name.

use crate::lang::eval::{Finder, Found};
use crate::lang::syntax::ast::{Block, Body, ExprKind};

/// Everything that the expressions of a body of a module name, those of nested and dynamic blocks included.
pub fn references_in(body: &Body) -> Vec<Found> {
    let mut finder = Finder::new(&|_| false);
    gather(body, &mut finder);
    finder.found
}

/// The same, with rules of its own for names.
pub fn gather(body: &Body, finder: &mut Finder<'_>) {
    let open = || body.json.iter().flat_map(|json| &json.blocks);
    for attribute in &body.attributes {
        // What may be a block is visited as one: a dynamic block in it has names of its own.
        if !open().any(|block| block.kind.text == attribute.name.text) {
            finder.visit(&attribute.expr);
        }
    }
    for block in body.blocks.iter().chain(open()) {
        match (block.kind.text.as_str(), block.labels.as_slice()) {
            ("dynamic", [label]) => gather_dynamic(block, &label.text, finder),
            _ => gather(&block.body, finder),
        }
    }
}

fn gather_dynamic(block: &Block, label: &crate::addr::Name, finder: &mut Finder<'_>) {
    if let Some(attribute) = block.body.attribute("for_each") {
        finder.visit(&attribute.expr);
    }
    let iterator = match block.body.attribute("iterator").map(|attribute| &attribute.expr.kind) {
        Some(ExprKind::Variable(name)) => name,
        _ => label,
    };
    finder.binding(iterator, |finder| {
        if let Some(attribute) = block.body.attribute("labels") {
            finder.visit(&attribute.expr);
        }
        for content in block.body.blocks_of("content") {
            gather(&content.body, finder);
        }
    });
}
