//! `module` blocks.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Span};
use crate::lang::syntax::ast::{Attribute, Block, Expr, ExprKind};

use super::super::model::{DependsOn, ProviderRef};
use super::super::shape::{Shape, missing_argument};
use super::Reader;
use super::reference::{depends_on, provider_ref};
use super::resource::{Repetition, repetition};

/// A `module` block whose source is not followed yet.
pub struct Call {
    /// Where the module is.
    pub source: Arc<Expr>,
    /// Which versions of it will do, for a registry's module.
    pub version: Option<Arc<Expr>>,
    /// Arguments for the module's variables.
    pub arguments: Vec<Attribute>,
    /// `count`.
    pub count: Option<Arc<Expr>>,
    /// `for_each`.
    pub for_each: Option<Arc<Expr>>,
    /// `lifecycle { enabled }`.
    pub enabled: Option<Arc<Expr>>,
    /// `depends_on`.
    pub depends_on: Vec<DependsOn>,
    /// `providers`: child to parent.
    pub providers: Vec<(ProviderRef, ProviderRef)>,
    /// Where an argument would be that is missing.
    pub missing: Span,
    /// Whether it is written in JSON.
    pub is_json: bool,
    /// The block's header.
    pub span: Span,
}

const SHAPE: Shape = Shape { labels: &["name"], ..Shape::EMPTY };
/// The one thing that the lifecycle block of a module says.
const LIFECYCLE: Shape = Shape { arguments: &["enabled"], ..Shape::EMPTY };
const META: &[&str] = &["source", "version", "count", "for_each", "depends_on", "providers"];

impl Reader<'_> {
    pub(super) fn module(&mut self, block: &Arc<Block>) {
        if !SHAPE.check_labels(block, self.said) {
            return;
        }
        let label = &block.labels[0];
        if !super::check_name("module instance", &label.text, label.span, self.said) {
            return;
        }
        let body = &block.body;
        for nested in &body.blocks {
            let kind = nested.kind.text.as_str();
            if kind == "lifecycle" {
                LIFECYCLE.check(nested, self.said);
                continue;
            }
            let detail = format!(
                "Blocks of type {kind:?} are not expected here: a module takes arguments only, as in {kind} = {{ … }}."
            );
            self.said.push(Diagnostic::error("Unsupported block type", detail).at(nested.kind.span));
        }
        let Some(source) = body.attribute("source") else {
            self.said.push(missing_argument("source").at(body.missing().unwrap_or(block.header)));
            return;
        };
        let Repetition { count, for_each, enabled } = repetition(body, "resources", self.said);
        let depends_on = match body.attribute("depends_on") {
            Some(attribute) => depends_on(&attribute.expr, self.said),
            None => Vec::new(),
        };
        let providers = match body.attribute("providers") {
            Some(attribute) => passed_providers(&attribute.expr, self.said),
            None => Vec::new(),
        };
        let call = Call {
            source: source.expr.clone(),
            version: body.attribute("version").map(|attribute| attribute.expr.clone()),
            arguments: body.attributes.iter().filter(|a| !META.contains(&a.name.text.as_str())).cloned().collect(),
            count,
            for_each,
            enabled,
            depends_on,
            providers,
            missing: body.missing().unwrap_or(block.header),
            is_json: body.json.is_some(),
            span: block.header,
        };
        match self.unlinked.calls.entry(label.text.clone()) {
            Entry::Vacant(vacant) => {
                vacant.insert(call);
            }
            Entry::Occupied(first) => {
                let at = super::place(self.sources, first.get().span);
                let detail = format!(
                    "A module call named {:?} was already defined at {at}. Module calls must have unique names within a module.",
                    label.text.as_str()
                );
                self.said.push(Diagnostic::error("Duplicate module call", detail).at(block.header));
            }
        }
    }
}

/// The pairs of a `providers` argument: the name inside, the name outside.
pub fn passed_providers(expr: &Expr, said: &mut Diagnostics) -> Vec<(ProviderRef, ProviderRef)> {
    let ExprKind::Object(items) = &expr.kind else {
        let detail = "The providers argument requires a map such as { aws = aws.east }.";
        said.push(Diagnostic::error("Invalid expression", detail).at(expr.span));
        return Vec::new();
    };
    let mut pairs: Vec<(ProviderRef, ProviderRef)> = Vec::new();
    for item in items {
        // A bare key has become a text already; `aws.east` stays an expression.
        let key = match &item.key.kind {
            ExprKind::Paren(inner) => provider_ref(inner),
            _ => provider_ref(&item.key),
        };
        match (key, provider_ref(&item.value)) {
            (Ok(child), Ok(parent)) => {
                if pairs.iter().any(|(known, _)| known.local == child.local && known.alias == child.alias) {
                    let detail = "A provider configuration can be passed to a module under one name only once.";
                    said.push(Diagnostic::error("Duplicate provider address", detail).at(item.key.span));
                } else {
                    pairs.push((child, parent));
                }
            }
            (child, parent) => said.append(child.err().into_iter().chain(parent.err())),
        }
    }
    pairs
}
