//! Expressions of any text have a value or an error, within bounds of time and memory.

use std::time::{Duration, Instant};

use infra::diag::{Diagnostics, SourceMap};
use infra::lang::eval::{self, Blame, describe, references};
use infra::lang::syntax::ast::{Body, Expr};
use infra::lang::syntax::{parse, parse_expr};
use infra::value::{Value, from_json_typed, to_json_typed};
use infra::view::{Style, diagnostics};

use super::scope::Surroundings;

/// How long all expressions of one input may take; of a long list of bombs the first ones tell enough.
const ENOUGH: Duration = Duration::from_secs(3);

/// Values with more parts are not written and read again: that takes longer than everything else.
const SMALL: usize = 20_000;

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
    body_in(&tree.body, &mut surroundings, &sources, Instant::now());
}

/// Evaluates every argument of a body, also of those in it.
pub fn body(body: &Body, sources: &SourceMap) {
    body_in(body, &mut Surroundings::new(), sources, Instant::now());
}

fn body_in(body: &Body, surroundings: &mut Surroundings, sources: &SourceMap, began: Instant) {
    for attribute in &body.attributes {
        if began.elapsed() > ENOUGH {
            return;
        }
        expression(&attribute.name.text, &attribute.expr, surroundings, sources);
    }
    for block in &body.blocks {
        body_in(&block.body, surroundings, sources, began);
    }
}

fn expression(name: &str, expr: &Expr, surroundings: &mut Surroundings, sources: &SourceMap) {
    references(expr);
    let outcome = eval::evaluate(expr, surroundings);
    assert!(outcome.value.is_some() || outcome.has_errors(), "no value and nothing is said");
    let few = Diagnostics(outcome.said.iter().take(20).cloned().collect());
    let drawn = diagnostics(&few, sources, Style::default(), false);
    let Some(value) = outcome.value else { return };
    let _words = describe(&value, Blame::Unknown);
    if is_small(&value, &mut SMALL.clone()) {
        written(&value, drawn);
    }
    surroundings.locals.insert(name.to_owned(), value);
}

fn is_small(value: &Value, left: &mut usize) -> bool {
    let own = 1 + value.as_str().map_or(0, |text| text.len() / 16);
    let Some(rest) = left.checked_sub(own) else { return false };
    *left = rest;
    value.as_items().into_iter().flatten().all(|item| is_small(item, left))
        && value.as_entries().into_iter().flatten().all(|(_, part)| is_small(part, left))
}

/// What is written is read again as it was.
fn written(value: &Value, drawn: String) {
    let _shown = drawn + &format!("{value:?}");
    let ty = value.ty();
    let (bare, _) = value.clone().unmark_deep();
    if let Ok(json) = to_json_typed(&bare, &ty) {
        let again = from_json_typed(json.as_bytes(), &ty).unwrap_or_else(|error| panic!("{error}: {json}"));
        assert!(again == bare, "{again:?} was {bare:?}");
    }
}
