//! `import` blocks: objects that exist already and are to be taken over.

use crate::addr::{Name, ResourceAddr};
use crate::diag::Diagnostic;
use crate::lang::syntax::ast::{Block, Expr, ExprKind};

use super::super::model::{Import, ImportTarget};
use super::super::shape::{Shape, missing_argument};
use super::Reader;
use super::reference::provider_ref;

const SHAPE: Shape =
    Shape { arguments: &["to", "id", "identity", "for_each", "provider"], required: &["to"], ..Shape::EMPTY };

impl Reader<'_> {
    pub(super) fn import(&mut self, block: &Block) {
        SHAPE.check(block, self.said);
        let Some(to) = block.body.attribute("to") else { return };
        let (id, identity) = (block.body.attribute("id"), block.body.attribute("identity"));
        match (id, identity) {
            (None, None) => {
                self.said.push(missing_argument("id").at(block.body.missing().unwrap_or(block.header)));
                return;
            }
            (Some(_), Some(identity)) => {
                let detail =
                    "An object is found either by its id or by its identity: only one of the two may be written.";
                self.said.push(Diagnostic::error("Invalid import block", detail).at(identity.name.span));
                return;
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
        let provider = match block.body.attribute("provider").map(|attribute| provider_ref(&attribute.expr)) {
            Some(Ok(provider)) => Some(provider),
            Some(Err(diagnostic)) => {
                self.said.push(diagnostic);
                return;
            }
            None => None,
        };
        let target = match target(&to.expr) {
            Ok(target) => target,
            Err(why) => {
                self.said.push(Diagnostic::error("Invalid import address", why).at(to.span));
                return;
            }
        };
        let for_each = block.body.attribute("for_each").map(|attribute| attribute.expr.clone());
        self.unlinked.module.imports.push(Import {
            to: target,
            to_span: to.expr.span,
            id: id.map(|id| id.expr.clone()),
            identity: identity.map(|identity| identity.expr.clone()),
            provider,
            for_each,
            span: block.header,
        });
    }
}

/// One part of an address.
enum Part<'e> {
    Name(&'e Name),
    Key(&'e Expr),
}

/// `[module.NAME[KEY].]…[resource.]TYPE.NAME[KEY]`; the keys are any expressions.
fn target(expr: &Expr) -> Result<ImportTarget, &'static str> {
    const FORM: &str = "An address of one object is required: TYPE.NAME, with a key in brackets where the resource has count or \
                        for_each, and module.NAME before it where it stands in a module.";
    let mut parts = Vec::new();
    let mut at = expr;
    loop {
        match &at.kind {
            ExprKind::Variable(name) => {
                parts.push(Part::Name(name));
                break;
            }
            ExprKind::Attribute(member) => {
                parts.push(Part::Name(&member.name.text));
                at = &member.object;
            }
            ExprKind::Index(index) => {
                parts.push(Part::Key(&index.key));
                at = &index.collection;
            }
            _ => return Err(FORM),
        }
    }
    let mut parts = parts.into_iter().rev().peekable();
    let name = |parts: &mut std::iter::Peekable<_>| match parts.next() {
        Some(Part::Name(name)) => Ok(name.clone()),
        Some(Part::Key(_)) | None => Err(FORM),
    };
    let mut modules = Vec::new();
    let mut word: Name = name(&mut parts)?;
    while word == "module" {
        let call = name(&mut parts)?;
        modules.push((call, key(&mut parts)));
        word = name(&mut parts)?;
    }
    if word == "data" || word == "ephemeral" {
        return Err("Only managed resources can be imported.");
    }
    if word == "resource" {
        word = name(&mut parts)?;
    }
    let resource = ResourceAddr::managed(word, name(&mut parts)?);
    let key = key(&mut parts);
    if parts.next().is_some() { Err(FORM) } else { Ok(ImportTarget { modules, resource, key }) }
}

fn key<'e>(parts: &mut std::iter::Peekable<impl Iterator<Item = Part<'e>>>) -> Option<Expr> {
    match parts.next_if(|part| matches!(part, Part::Key(_)))? {
        Part::Key(key) => Some(key.clone()),
        Part::Name(_) => None,
    }
}
