//! `lifecycle` blocks, and the rules that stand in them and elsewhere.

use std::sync::Arc;

use crate::addr::{Mode, ResourceAddr};
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::eval::{Reference, references};
use crate::lang::syntax::ast::{Block, Expr, ExprKind};

use crate::value::Step;

use super::super::model::{CheckRule, IgnoreChanges, Lifecycle, Trigger};
use super::super::shape::Shape;
use super::action::action_trigger;
use super::reference::{path_of, quoted_reference, step_of, text_of, word_of};

const RULE: Shape =
    Shape { arguments: &["condition", "error_message"], required: &["condition", "error_message"], ..Shape::EMPTY };

/// A `validation`, `precondition` or `postcondition` block.
pub fn rule(block: &Block, said: &mut Diagnostics) -> Option<CheckRule> {
    RULE.check(block, said);
    let condition = block.body.attribute("condition")?.expr.clone();
    if references(&condition).is_empty() && !matches!(condition.kind, ExprKind::Error) {
        let summary = format!("Invalid {} expression", block.kind.text);
        let detail = "The condition names nothing, so that it would check nothing: it has to look at some value of the \
                      configuration.";
        said.push(Diagnostic::error(summary, detail).at(condition.span));
        if block.kind.text == "assert" {
            return None;
        }
    }
    let error_message = block.body.attribute("error_message")?.expr.clone();
    Some(CheckRule { condition, error_message, span: block.header })
}

const MANAGED: Shape = Shape {
    arguments: &["create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by", "enabled"],
    blocks: &["precondition", "postcondition", "action_trigger"],
    later: &["destroy"],
    ..Shape::EMPTY
};

const DATA: Shape = Shape { arguments: &["enabled"], blocks: &["precondition", "postcondition"], ..Shape::EMPTY };

/// The `lifecycle` block of a resource.
pub fn lifecycle(block: &Block, mode: Mode, said: &mut Diagnostics) -> Lifecycle {
    let shape = if mode == Mode::Managed { &MANAGED } else { &DATA };
    if mode != Mode::Managed {
        let what = if mode == Mode::Data { "data" } else { "ephemeral" };
        for name in MANAGED.arguments.iter().filter(|name| **name != "enabled") {
            if let Some(attribute) = block.body.attribute(name) {
                let detail = format!(
                    "The lifecycle argument {name:?} is defined only for managed resources (\"resource\" blocks), and is \
                     not valid for {what} resources."
                );
                let summary = format!("Invalid {what} resource lifecycle argument");
                said.push(Diagnostic::error(summary, detail).at(attribute.name.span));
            }
        }
        shape.check_labels(block, said);
        let body = crate::lang::syntax::ast::Body {
            attributes: block
                .body
                .attributes
                .iter()
                .filter(|a| a.name.text == "enabled" || !MANAGED.arguments.contains(&a.name.text.as_str()))
                .cloned()
                .collect(),
            ..block.body.clone()
        };
        shape.check_body(&body, block.header, "lifecycle", said);
    } else {
        shape.check(block, said);
    }
    let mut lifecycle = Lifecycle::default();
    let expr = |name: &str| block.body.attribute(name).map(|attribute| attribute.expr.clone());
    for name in ["create_before_destroy", "prevent_destroy"] {
        if let Some(attribute) = block.body.attribute(name).filter(|given| references(&given.expr).is_empty()) {
            super::values::truth(&block.body, &attribute.name.text, said);
        }
    }
    if mode == Mode::Managed {
        lifecycle.create_before_destroy = expr("create_before_destroy");
        lifecycle.prevent_destroy = expr("prevent_destroy");
        if let Some(changes) = expr("ignore_changes") {
            lifecycle.ignore_changes = ignore_changes(&changes, said);
        }
        if let Some(triggers) = expr("replace_triggered_by") {
            lifecycle.replace_triggered_by = triggered_by(&triggers, said);
        }
    }
    if mode == Mode::Managed {
        let triggers = block.body.blocks_of("action_trigger");
        lifecycle.action_triggers = triggers.filter_map(|block| action_trigger(block, said)).collect();
    }
    lifecycle.preconditions = block.body.blocks_of("precondition").filter_map(|block| rule(block, said)).collect();
    lifecycle.postconditions = block.body.blocks_of("postcondition").filter_map(|block| rule(block, said)).collect();
    lifecycle
}

/// Names that look like types of resources and are not.
const LANGUAGE: &[&str] =
    &["var", "local", "module", "data", "ephemeral", "each", "count", "path", "terraform", "self"];

/// The list of a `replace_triggered_by` argument.
fn triggered_by(expr: &Expr, said: &mut Diagnostics) -> Vec<Trigger> {
    let ExprKind::Tuple(items) = &expr.kind else {
        let detail = "A list of references to managed resources is required, such as [terraform_data.a].";
        said.push(Diagnostic::error("Invalid expression", detail).at(expr.span));
        return Vec::new();
    };
    let mut triggers = Vec::with_capacity(items.len());
    for item in items {
        if word_of(item).is_some() {
            let detail = "The type of a resource must be followed by a dot and the name of the resource.";
            said.push(Diagnostic::error("Invalid reference", detail).at(item.span));
            continue;
        }
        match trigger(item).filter(|trigger| !LANGUAGE.contains(&trigger.resource.kind.as_str())) {
            Some(trigger) => triggers.push(trigger),
            None => {
                let detail = "A trigger is a managed resource, one of its instances, or an attribute of one: \
                              terraform_data.a, terraform_data.a[each.key] or terraform_data.a.output.";
                said.push(Diagnostic::error("Invalid replace_triggered_by expression", detail).at(item.span));
            }
        }
        for found in references(item) {
            let allowed = match &found.reference {
                Reference::Resource(addr) => addr.mode == Mode::Managed,
                Reference::CountIndex | Reference::EachKey => true,
                _ => false,
            };
            if !allowed {
                let detail = "Only resources, count.index, and each.key may be used in replace_triggered_by.";
                let summary = match &found.reference {
                    Reference::EachValue => "Invalid each reference in replace_triggered_by expression",
                    _ => "Invalid reference in replace_triggered_by expression",
                };
                said.push(Diagnostic::error(summary, detail).at(found.span));
            }
        }
    }
    triggers
}

/// `TYPE.NAME`, an optional key, and a path to an attribute of the instance.
fn trigger(expr: &Expr) -> Option<Trigger> {
    let mut key = None;
    let mut steps = Vec::new();
    let mut at = expr;
    let addr = loop {
        match &at.kind {
            ExprKind::Attribute(member) => match &member.object.kind {
                ExprKind::Variable(kind) => break ResourceAddr::managed(kind.clone(), member.name.text.clone()),
                _ => {
                    steps.push(Step::Attribute(member.name.text.clone()));
                    at = &member.object;
                }
            },
            ExprKind::Index(index) => {
                if names_resource(&index.collection) {
                    key = Some(index.key.clone());
                } else {
                    steps.push(step_of(&index.key)?);
                }
                at = &index.collection;
            }
            _ => return None,
        }
    };
    steps.reverse();
    Some(Trigger { resource: addr, key, path: steps.into_iter().collect(), expr: Arc::new(expr.clone()) })
}

/// Whether an expression is `TYPE.NAME` and no more.
fn names_resource(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Attribute(member) if word_of(&member.object).is_some())
}

fn ignore_changes(expr: &Expr, said: &mut Diagnostics) -> IgnoreChanges {
    if word_of(expr).is_some_and(|word| *word == "all") {
        return IgnoreChanges::All;
    }
    let invalid = |expr: &Expr| {
        let detail =
            "A list of attributes of the resource is required, such as [tags, spec[0].replicas], or the word all.";
        Diagnostic::error("Invalid expression", detail).at(expr.span)
    };
    let ExprKind::Tuple(items) = &expr.kind else {
        said.push(invalid(expr));
        return IgnoreChanges::None;
    };
    let mut paths = Vec::new();
    for item in items {
        if text_of(item).is_some_and(|text| *text == "*") {
            let detail = "There is no wildcard in a list. Write ignore_changes = all to ignore every attribute.";
            said.push(Diagnostic::error("Invalid ignore_changes wildcard", detail).at(item.span));
            continue;
        }
        let path = match text_of(item) {
            Some(text) => {
                said.push(quoted_reference(item));
                Some(crate::value::Path::attribute(text.clone()))
            }
            None => path_of(item),
        };
        match path {
            Some(path) => paths.push(path),
            None => said.push(invalid(item)),
        }
    }
    IgnoreChanges::Paths(paths)
}
