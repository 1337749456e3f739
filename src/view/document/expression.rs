//! Expressions in the configuration part of a JSON plan: their constant value, or what they name.

use serde_json::{Map, Value as Json, json};

use crate::config::DependsOn;
use crate::lang::decode::constant;
use crate::lang::eval::{Traversal, ingredients};
use crate::lang::syntax::ast::{Attribute, Body, Expr};
use crate::schema::{Block, Nesting};
use crate::view::values::json_of;

/// An expression: `constant_value` when its text alone says it, else `references`. Neither when it calls functions on
/// constants only: Terraform evaluates no functions here.
pub(super) fn expression(expr: &Expr) -> Json {
    let found = ingredients(expr);
    if !found.traversals.is_empty() {
        return json!({"references": found.traversals.iter().flat_map(Traversal::prefixes).collect::<Vec<_>>()});
    }
    match constant(expr).value.filter(|_| !found.calls) {
        Some(value) => json!({"constant_value": json_of(&value)}),
        None => json!({}),
    }
}

/// What a block writes, by its schema. Blocks made by `dynamic` are left out: their number is not in the text.
pub(super) fn body(body: &Body, block: &Block) -> Map<String, Json> {
    let mut out = attributes(
        body.attributes
            .iter()
            .filter(|attribute| block.attributes.iter().any(|(name, _)| *name == attribute.name.text)),
    );
    for (name, nested) in &block.blocks {
        let written = || body.nested_of(name);
        if written().next().is_none() {
            continue;
        }
        let content = |block: &std::sync::Arc<crate::lang::syntax::ast::Block>| {
            Json::Object(self::body(&block.body, &nested.block))
        };
        let json = match nested.nesting {
            Nesting::Single | Nesting::Group => written().map(content).next().unwrap_or_default(),
            Nesting::List | Nesting::Set => written().map(content).collect(),
            Nesting::Map => Json::Object(
                written()
                    .filter_map(|block| Some((block.labels.first()?.text.to_string(), content(block))))
                    .collect::<Map<_, _>>(),
            ),
        };
        out.insert(name.to_string(), json);
    }
    out
}

/// Arguments by name.
pub(super) fn attributes<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> Map<String, Json> {
    attributes.map(|attribute| (attribute.name.text.to_string(), expression(&attribute.expr))).collect()
}

/// `count` or `for_each`, under its name in the document.
pub(super) fn repetition(json: &mut Map<String, Json>, name: &str, expr: Option<&Expr>) {
    if let Some(expr) = expr.map(expression)
        && expr.as_object().is_some_and(|expr| !expr.is_empty())
    {
        json.insert(name.into(), expr);
    }
}

/// `depends_on`.
pub(super) fn depends_on(json: &mut Map<String, Json>, targets: &[DependsOn]) {
    if !targets.is_empty() {
        let names: Vec<String> = targets.iter().map(|one| one.target.to_string()).collect();
        json.insert("depends_on".into(), json!(names));
    }
}
