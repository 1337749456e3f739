//! What of a run is named rather than evaluated: options of its plan, and what it expects to fail.

use crate::addr::{InstanceKey, Pattern};
use crate::diag::{Diagnostic, Diagnostics, SourceMap};
use crate::lang::eval::references;
use crate::lang::syntax::ast::{Block, Expr, ExprKind};
use crate::value::{Step, Value};

use super::super::block::{pattern_of, quoted_reference, quoted_target, step_of, text_of, truth, word_of};
use super::super::shape::Shape;
use super::model::{Expected, TestMode, TestRun};

const OPTIONS: Shape = Shape { arguments: &["mode", "refresh", "replace", "target"], ..Shape::EMPTY };

/// Takes a `plan_options` block into its run.
pub(super) fn plan_options(run: &mut TestRun, block: &Block, sources: &SourceMap, said: &mut Diagnostics) {
    OPTIONS.check(block, said);
    let body = &block.body;
    if let Some(attribute) = body.attribute("mode") {
        match word_of(&attribute.expr).map(|word| word.as_str()) {
            Some("normal") => run.mode = TestMode::Normal,
            Some("refresh-only") => run.mode = TestMode::RefreshOnly,
            _ => {
                let detail = "The mode of a plan is either normal or refresh-only, without quotes.";
                said.push(Diagnostic::error("Invalid \"mode\" keyword", detail).at(attribute.expr.span));
            }
        }
    }
    run.refresh = truth(body, "refresh", said).unwrap_or(true);
    if let (false, TestMode::RefreshOnly, Some(attribute)) = (run.refresh, run.mode, body.attribute("refresh")) {
        let detail = "A plan that only refreshes cannot go without refreshing. Take one of the two away.";
        said.push(Diagnostic::error("Incompatible plan options", detail).at(attribute.span));
    }
    let mut patterns = |name: &str| match body.attribute(name) {
        Some(attribute) => patterns(&attribute.expr, sources, said),
        None => Vec::new(),
    };
    run.replace = patterns("replace");
    run.targets = patterns("target");
}

fn items<'e>(expr: &'e Expr, said: &mut Diagnostics) -> &'e [Expr] {
    match &expr.kind {
        ExprKind::Tuple(items) => items,
        _ => {
            let detail = "A list of references is required, such as [terraform_data.a, module.b].";
            said.push(Diagnostic::error("Invalid expression", detail).at(expr.span));
            &[]
        }
    }
}

fn patterns(expr: &Expr, sources: &SourceMap, said: &mut Diagnostics) -> Vec<Pattern> {
    let mut found = Vec::new();
    for item in items(expr, said) {
        let pattern = match text_of(item) {
            Some(text) => {
                said.push(quoted_reference(item));
                crate::addr::parse_pattern(text)
                    .map_err(|error| Diagnostic::error("Invalid address", error.to_string()).at(item.span))
            }
            None => pattern_of(item, sources),
        };
        match pattern {
            Ok(pattern) => found.push(pattern),
            Err(diagnostic) => said.push(diagnostic),
        }
    }
    found
}

/// The list of `expect_failures`.
pub(super) fn expect_failures(expr: &Expr, said: &mut Diagnostics) -> Vec<Expected> {
    let mut found = Vec::new();
    for item in items(expr, said) {
        if let Some(target) = text_of(item).and_then(|text| quoted_target(text, item.span)) {
            said.push(quoted_reference(item));
            found.push(Expected { target: target.target, key: None, span: item.span });
            continue;
        }
        let named = references(item).into_iter().next().filter(|_| item.is_traversal());
        let Some(named) = named else {
            let detail = "A reference is required, such as var.size, check.health or aws_instance.web[0].";
            said.push(Diagnostic::error("Invalid expression", detail).at(item.span));
            continue;
        };
        let key = match &item.kind {
            ExprKind::Index(index) => key_of(&index.key),
            _ => None,
        };
        found.push(Expected { target: named.reference, key, span: item.span });
    }
    found
}

fn key_of(key: &Expr) -> Option<InstanceKey> {
    match (step_of(key)?, &key.kind) {
        (Step::Key(text), _) => Some(InstanceKey::Str(text)),
        (_, ExprKind::Literal(Value::Number(number))) => number.as_u64().map(InstanceKey::Int),
        _ => None,
    }
}
