//! Expressions of any text have a value or an error, within bounds of time and memory.

use infra::diag::{Diagnostics, SourceMap};
use infra::lang::eval::{self, describe, references};
use infra::lang::syntax::ast::{Body, Expr};
use infra::lang::syntax::{parse, parse_expr};
use infra::value::{from_json_typed, to_json_typed};
use infra::view::{Style, diagnostics};

use super::scope::Surroundings;

/// A text is one expression, or assignments one after another: each is a local for those behind it.
pub fn evaluate(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let sources = SourceMap::default();
    let file = sources.add("main.tf", &*text);
    let mut surroundings = Surroundings::new();
    let (expr, said) = parse_expr(&sources, file);
    if !said.has_errors() {
        return expression("it", &expr, &mut surroundings, &sources);
    }
    let (tree, _) = parse(&sources, file);
    body_in(&tree.body, &mut surroundings, &sources);
}

/// Evaluates every argument of a body, also of those in it.
pub fn body(body: &Body, sources: &SourceMap) {
    body_in(body, &mut Surroundings::new(), sources);
}

fn body_in(body: &Body, surroundings: &mut Surroundings, sources: &SourceMap) {
    for attribute in &body.attributes {
        expression(&attribute.name.text, &attribute.expr, surroundings, sources);
    }
    for block in &body.blocks {
        body_in(&block.body, surroundings, sources);
    }
}

fn expression(name: &str, expr: &Expr, surroundings: &mut Surroundings, sources: &SourceMap) {
    references(expr);
    let outcome = eval::evaluate(expr, surroundings);
    assert!(outcome.value.is_some() || outcome.has_errors(), "no value and nothing is said");
    let few = Diagnostics(outcome.said.iter().take(20).cloned().collect());
    let drawn = diagnostics(&few, sources, Style::default(), false);
    let Some(value) = outcome.value else { return };
    describe(&value);
    let _shown = drawn + &format!("{value:?}");
    let ty = value.ty();
    let (bare, _) = value.clone().unmark_deep();
    if let Ok(json) = to_json_typed(&bare, &ty) {
        let again = from_json_typed(json.as_bytes(), &ty).unwrap_or_else(|error| panic!("{error}: {json}"));
        assert!(again == bare, "{again:?} was {bare:?}");
    }
    surroundings.locals.insert(name.to_owned(), value);
}
