//! `check` blocks: assertions about the whole, which warn and hold nothing up.

use std::sync::Arc;

use crate::addr::{Mode, Name, ResourceAddr};
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
        if asserts.is_empty() {
            let detail = "Check blocks must have at least one assert block.";
            self.said.push(Diagnostic::error("Zero assert blocks", detail).at(block.header));
        }
        let mut data = None;
        for (index, nested) in block.body.blocks.iter().filter(|nested| nested.kind.text == "data").enumerate() {
            if index > 0 {
                let detail = "A check block holds one data block at most. Write a check of its own for the other one.";
                self.said.push(Diagnostic::error("Multiple data resource blocks", detail).at(nested.header));
                break;
            }
            self.scoped(nested, &name);
            if let [kind, name] = nested.labels.as_slice() {
                data = Some(ResourceAddr { mode: Mode::Data, kind: kind.text.clone(), name: name.text.clone() });
            }
        }
        self.unlinked.module.checks.push(Check { name, asserts, data, span: block.header });
    }

    /// The data block of a check: there is one of it, and what may be expected of it is for the assertions to say.
    fn scoped(&mut self, nested: &Arc<Block>, name: &Name) {
        let within = format!("check {:?}", name.as_str());
        for name in ["count", "for_each"] {
            if let Some(attribute) = nested.body.attribute(name) {
                let detail = "The data block of a check has neither \"count\" nor \"for_each\". Where several objects are to be \
                              looked at, write a data block outside of the check.";
                let error = Diagnostic::error(format!("Invalid {name:?} attribute"), detail);
                self.said.push(error.at(attribute.name.span).within(&within));
            }
        }
        if let Some(lifecycle) = nested.body.blocks_of("lifecycle").next() {
            let detail = "The data block of a check has no \"lifecycle\" block: what is expected of it is what the check asserts.";
            self.said.push(Diagnostic::error("Invalid lifecycle block", detail).at(lifecycle.header).within(&within));
        }
        self.resource(nested, Mode::Data, Some(name));
    }
}
