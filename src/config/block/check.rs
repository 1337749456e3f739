//! `check` blocks: assertions about the whole, which warn and hold nothing up.

use std::sync::Arc;

use crate::addr::Mode;
use crate::diag::{Diagnostic, Span};
use crate::lang::syntax::ast::Block;

use super::super::model::Check;
use super::super::shape::Shape;
use super::Reader;
use super::lifecycle::rule;

const SHAPE: Shape = Shape { labels: &["name"], blocks: &["assert", "data"], ..Shape::EMPTY };

impl Reader<'_> {
    pub(super) fn check(&mut self, block: &Arc<Block>) {
        let Some(name) = self.name(&SHAPE, block) else { return };
        if let Some(first) = self.unlinked.module.checks.iter().find(|check| check.name == name) {
            let spans: (Span, Span) = (first.span, block.header);
            let rule = "Check names must be unique within a module.";
            self.duplicate(
                &format!("Duplicate check {:?} configuration", name.as_str()),
                "A check block",
                &name,
                "declared",
                spans,
                rule,
            );
            return;
        }
        let asserts: Vec<_> = block.body.blocks_of("assert").filter_map(|block| rule(block, self.said)).collect();
        if block.body.blocks_of("assert").next().is_none() {
            let detail = "Check blocks must have at least one assert block.";
            self.said.push(Diagnostic::error("Zero assert blocks", detail).at(block.header));
        }
        for (index, nested) in block.body.blocks.iter().filter(|nested| nested.kind.text == "data").enumerate() {
            if index > 0 {
                let detail = "A check block holds one data block at most. Write a check of its own for the other one.";
                self.said.push(Diagnostic::error("Multiple data resource blocks", detail).at(nested.header));
                break;
            }
            self.resource(nested, Mode::Data, Some(&name));
        }
        self.unlinked.module.checks.push(Check { name, asserts, span: block.header });
    }
}
