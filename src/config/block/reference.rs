//! Things that are named rather than evaluated: providers, dependencies, paths to attributes, addresses.

use crate::addr::{Name, Pattern, parse_pattern};
use crate::diag::{Diagnostic, Diagnostics, SourceMap, Span};
use crate::lang::eval::{Reference, references};
use crate::lang::syntax::ast::{Expr, ExprKind};
use crate::value::{Path, Step, Value};

use super::super::model::{DependsOn, ProviderRef};

/// A quoted text without templates.
pub fn text_of(expr: &Expr) -> Option<&Name> {
    match &expr.kind {
        ExprKind::Literal(Value::String(text)) => Some(text),
        ExprKind::Paren(inner) => text_of(inner),
        _ => None,
    }
}

/// A bare word.
pub fn word_of(expr: &Expr) -> Option<&Name> {
    match &expr.kind {
        ExprKind::Variable(name) => Some(name),
        _ => None,
    }
}

/// `aws` or `aws.east`; also quoted, as old configurations have it.
pub fn provider_ref(expr: &Expr) -> Result<ProviderRef, Diagnostic> {
    let span = Some(expr.span);
    let parts = match &expr.kind {
        ExprKind::Variable(local) => Some((local.clone(), None)),
        ExprKind::Attribute(member) => {
            word_of(&member.object).map(|local| (local.clone(), Some(member.name.text.clone())))
        }
        ExprKind::Literal(Value::String(text)) => {
            let (local, alias) = match text.split_once('.') {
                Some((local, alias)) => (local, Some(alias)),
                None => (text.as_str(), None),
            };
            let valid = crate::lang::syntax::is_name(local) && alias.is_none_or(crate::lang::syntax::is_name);
            valid.then(|| (Name::from(local), alias.map(Name::from)))
        }
        _ => None,
    };
    match parts {
        Some((local, alias)) => Ok(ProviderRef { local, alias, span }),
        None => Err(Diagnostic::error(
            "Invalid provider reference",
            "A provider is named by its local name, optionally followed by a dot and the alias of a configuration: \
             aws or aws.east.",
        )
        .at(expr.span)),
    }
}

/// The list of a `depends_on` argument.
pub fn depends_on(expr: &Expr, said: &mut Diagnostics) -> Vec<DependsOn> {
    let ExprKind::Tuple(items) = &expr.kind else {
        let detail = "A list of references is required, such as [terraform_data.a, module.b].";
        said.push(Diagnostic::error("Invalid expression", detail).at(expr.span));
        return Vec::new();
    };
    let mut targets = Vec::new();
    for item in items {
        let found = if item.is_traversal() { references(item).into_iter().next() } else { None };
        let target = found.map(|found| found.reference).filter(|target| {
            let named = matches!(
                target,
                Reference::Resource(_)
                    | Reference::Module { .. }
                    | Reference::Var(_)
                    | Reference::Local(_)
                    | Reference::Layer { .. }
            );
            named
        });
        match target {
            // The whole call is meant, whichever of its outputs is named.
            Some(Reference::Module { name, .. }) => {
                targets.push(DependsOn { target: Reference::Module { name, output: None }, span: item.span });
            }
            Some(target) => targets.push(DependsOn { target, span: item.span }),
            None => {
                let detail = "References in depends_on must name a whole resource, module or other object, such as \
                              terraform_data.a or module.b.";
                said.push(Diagnostic::error("Invalid depends_on reference", detail).at(item.span));
            }
        }
    }
    targets
}

/// A key or an index that is written out.
pub fn step_of(index: &Expr) -> Option<Step> {
    match &index.kind {
        ExprKind::Literal(Value::String(key)) => Some(Step::Key(key.clone())),
        ExprKind::Literal(Value::Number(number)) => number.as_usize().map(Step::Index),
        _ => None,
    }
}

/// A path to an attribute of the object itself: `input`, `tags["a"]`, `spec[0].replicas`.
pub fn path_of(expr: &Expr) -> Option<Path> {
    fn steps(expr: &Expr, into: &mut Vec<Step>) -> Option<()> {
        match &expr.kind {
            ExprKind::Variable(name) => into.push(Step::Attribute(name.clone())),
            ExprKind::Attribute(member) => {
                steps(&member.object, into)?;
                into.push(Step::Attribute(member.name.text.clone()));
            }
            ExprKind::Index(index) => {
                steps(&index.collection, into)?;
                into.push(step_of(&index.key)?);
            }
            _ => return None,
        }
        Some(())
    }
    let mut found = Vec::new();
    steps(expr, &mut found)?;
    Some(found.into_iter().collect())
}

/// An address that is written as an expression, such as an entry of `include`: read from its very text.
pub fn pattern_of(expr: &Expr, sources: &SourceMap) -> Result<Pattern, Diagnostic> {
    let text = slice(sources, expr.span);
    parse_pattern(&text).map_err(|error| {
        let detail =
            format!("{} is not an address such as layer.data.module.postgresql: {}.", text.trim(), error.reason);
        Diagnostic::error("Invalid address", detail).at(expr.span)
    })
}

fn slice(sources: &SourceMap, span: Span) -> String {
    sources.get(span.file).map(|source| source.slice(span).to_owned()).unwrap_or_default()
}
