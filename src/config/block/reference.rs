//! Things that are named rather than evaluated: providers, dependencies, paths to attributes, addresses.

use std::sync::Arc;

use crate::addr::{Mode, Name, Pattern, ResourceAddr, parse_pattern};
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

/// What is said of a reference in quotes, which old configurations have.
pub fn quoted_reference(expr: &Expr) -> Diagnostic {
    let detail = "References are written without quotes since Terraform 0.12. Remove the quotes.";
    Diagnostic::warning("Quoted references are deprecated", detail).at(expr.span)
}

/// `aws` or `aws.east`; also quoted, as old configurations have it.
pub fn provider_ref(expr: &Expr) -> Result<ProviderRef, Diagnostic> {
    let span = Some(expr.span);
    if let ExprKind::Index(index) = &expr.kind
        && matches!(index.collection.kind, ExprKind::Attribute(_))
    {
        let block = provider_ref(&index.collection)?;
        return Ok(ProviderRef { key: Some(Arc::new(index.key.clone())), span, ..block });
    }
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
        Some((local, alias)) => Ok(ProviderRef { local, alias, key: None, span }),
        None => Err(Diagnostic::error(
            "Invalid provider configuration reference",
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
        if let Some(name) = text_of(item) {
            match quoted_target(name, item.span) {
                Some(target) => {
                    said.push(quoted_reference(item));
                    targets.push(target);
                }
                None => said.push(not_named(item.span)),
            }
            continue;
        }
        if !item.is_traversal() {
            let detail = "A name is required here, such as terraform_data.a or module.b: nothing that is calculated.";
            said.push(Diagnostic::error("Invalid expression", detail).at(item.span));
            continue;
        }
        let found = references(item).into_iter().next().filter(|found| is_whole(&found.reference, found.span, item));
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
            Some(target) => targets.push(DependsOn { target, span: item.span }),
            None => said.push(not_named(item.span)),
        }
    }
    targets
}

/// Whether an item names an object and nothing inside of it; one instance of a resource and one output of a module count as
/// the whole.
fn is_whole(reference: &Reference, span: Span, item: &Expr) -> bool {
    match &item.kind {
        ExprKind::Index(index) => index.collection.span == span,
        _ => span == item.span || matches!(reference, Reference::Module { .. }),
    }
}

fn not_named(span: Span) -> Diagnostic {
    let detail = "References in depends_on must name a whole resource, module or other object, such as terraform_data.a or \
                  module.b, and not an attribute of one.";
    Diagnostic::error("Invalid depends_on reference", detail).at(span)
}

/// A quoted name of old configurations: `"aws_instance.a"`, `"module.b"`.
pub fn quoted_target(name: &Name, span: Span) -> Option<DependsOn> {
    let words: Vec<&str> = name.split('.').collect();
    if !words.iter().all(|word| crate::lang::syntax::is_name(word)) {
        return None;
    }
    let resource =
        |mode, kind: &str, name: &str| Reference::Resource(ResourceAddr { mode, kind: kind.into(), name: name.into() });
    let target = match words.as_slice() {
        ["module", name] => Reference::Module { name: Name::from(*name), output: None },
        ["data", kind, name] => resource(Mode::Data, kind, name),
        ["ephemeral", kind, name] => resource(Mode::Ephemeral, kind, name),
        ["resource", kind, name] | [kind, name] => resource(Mode::Managed, kind, name),
        _ => return None,
    };
    Some(DependsOn { target, span })
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
