//! `action` blocks, and the `action_trigger` blocks that invoke them.

use std::collections::btree_map::Entry;

use crate::addr::ActionAddr;
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::syntax::ast::{Block, Body, Expr, ExprKind};

use super::super::model::{ActionBlock, ActionRef, ActionTrigger, TriggerEvent};
use super::super::shape::{Shape, check_name, place};
use super::Reader;
use super::reference::{provider_ref, word_of};
use super::resource::{Repetition, implied, repetition};

const SHAPE: Shape = Shape {
    labels: &["type", "name"],
    arguments: &["count", "for_each", "provider"],
    blocks: &["config"],
    ..Shape::EMPTY
};

const TRIGGER: Shape =
    Shape { arguments: &["events", "condition", "actions"], required: &["events", "actions"], ..Shape::EMPTY };

impl Reader<'_> {
    pub(super) fn action(&mut self, block: &Block) {
        if !SHAPE.check(block, self.said) {
            return;
        }
        let (kind, name) = (&block.labels[0], &block.labels[1]);
        let valid = check_name("action type", &kind.text, kind.span, self.said)
            & check_name("action", &name.text, name.span, self.said);
        if !valid {
            return;
        }
        let body = &block.body;
        let mut configs = body.blocks_of("config");
        let config = configs.next().map(|config| config.body.clone());
        for second in configs {
            let detail = "An action has one config block.";
            self.said.push(Diagnostic::error("Duplicate config block", detail).at(second.header));
        }
        let Repetition { count, for_each, .. } = repetition(body, "actions", self.said);
        let provider = match body.attribute("provider").map(|attribute| provider_ref(&attribute.expr)) {
            Some(Ok(provider)) => provider,
            Some(Err(diagnostic)) => {
                self.said.push(diagnostic);
                implied(&kind.text)
            }
            None => implied(&kind.text),
        };
        let addr = ActionAddr { kind: kind.text.clone(), name: name.text.clone() };
        let nothing = || Body { span: body.span, ..Body::default() };
        let config = config.unwrap_or_else(nothing);
        let action = ActionBlock { addr: addr.clone(), config, count, for_each, provider, span: block.header };
        match self.unlinked.module.actions.entry(addr) {
            Entry::Vacant(vacant) => {
                vacant.insert(action);
            }
            Entry::Occupied(first) => {
                let at = place(self.sources, first.get().span);
                let (kind, name) = (kind.text.as_str(), name.text.as_str());
                let detail = format!("A {kind} action named {name:?} was already declared at {at}.");
                let summary = format!("Duplicate action {kind:?} configuration");
                self.said.push(Diagnostic::error(summary, detail).at(block.header));
            }
        }
    }
}

/// An `action_trigger` block.
pub fn action_trigger(block: &Block, said: &mut Diagnostics) -> Option<ActionTrigger> {
    TRIGGER.check(block, said);
    let events = items(&block.body, "events", said)?.iter().filter_map(|item| event(item, said)).collect();
    let actions = items(&block.body, "actions", said)?.iter().filter_map(|item| action_ref(item, said)).collect();
    let condition = block.body.attribute("condition").map(|attribute| attribute.expr.clone());
    Some(ActionTrigger { events, condition, actions })
}

fn items<'b>(body: &'b Body, name: &str, said: &mut Diagnostics) -> Option<&'b [Expr]> {
    let expr = &body.attribute(name)?.expr;
    match &expr.kind {
        ExprKind::Tuple(items) if !items.is_empty() => Some(items),
        _ => {
            let detail = format!("{name} is a list that is written out and not empty.");
            said.push(Diagnostic::error("Invalid action_trigger", detail).at(expr.span));
            None
        }
    }
}

fn event(item: &Expr, said: &mut Diagnostics) -> Option<TriggerEvent> {
    let found = match word_of(item).map(|word| word.as_str()) {
        Some("before_create") => TriggerEvent::BeforeCreate,
        Some("after_create") => TriggerEvent::AfterCreate,
        Some("before_update") => TriggerEvent::BeforeUpdate,
        Some("after_update") => TriggerEvent::AfterUpdate,
        _ => {
            let detail = "The events are before_create, after_create, before_update and after_update, without quotes.";
            said.push(Diagnostic::error("Invalid \"event\" value", detail).at(item.span));
            return None;
        }
    };
    Some(found)
}

/// `action.TYPE.NAME`, with an optional key.
fn action_ref(item: &Expr, said: &mut Diagnostics) -> Option<ActionRef> {
    let (named, key) = match &item.kind {
        ExprKind::Index(index) => (&index.collection, Some(index.key.clone())),
        _ => (item, None),
    };
    let addr = match &named.kind {
        ExprKind::Attribute(name) => match &name.object.kind {
            ExprKind::Attribute(kind) if word_of(&kind.object).is_some_and(|word| *word == "action") => {
                Some(ActionAddr { kind: kind.name.text.clone(), name: name.name.text.clone() })
            }
            _ => None,
        },
        _ => None,
    };
    if addr.is_none() {
        let detail = "An action is named like action.local_command.example, or action.local_command.example[each.key].";
        said.push(Diagnostic::error("Invalid action reference", detail).at(item.span));
    }
    Some(ActionRef { addr: addr?, key, span: item.span })
}
