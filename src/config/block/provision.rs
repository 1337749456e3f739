//! `provisioner` and `connection` blocks, of resources and of `removed` blocks.

use crate::diag::{Diagnostic, Diagnostics, SourceMap, Span, did_you_mean};
use crate::lang::decode::references_in;
use crate::lang::eval::Reference;
use crate::lang::syntax::ast::{Block, Body};

use super::super::model::{OnFailure, Provision, Provisioner, When};
use super::super::shape::{Shape, place};
use super::reference::{text_of, word_of};
use super::resource::without;

const LABELS: Shape = Shape { labels: &["type"], ..Shape::EMPTY };

/// The provisioners there are.
const TYPES: &[&str] = &["local-exec", "remote-exec", "file"];

/// Those that Terraform once had.
const GONE: &[&str] = &["chef", "habitat", "puppet", "salt-masterless"];

/// Reads the blocks of a body.
pub fn provision(body: &Body, sources: &SourceMap, said: &mut Diagnostics) -> Provision {
    let connection = connection(body, "resource", sources, said);
    let written = body.blocks_of("provisioner");
    let provisioners = written.filter_map(|block| provisioner(block, connection.as_ref(), sources, said)).collect();
    Provision { connection, provisioners }
}

/// The one `connection` block of a body.
fn connection(body: &Body, owner: &str, sources: &SourceMap, said: &mut Diagnostics) -> Option<Body> {
    let mut blocks = body.blocks_of("connection");
    let first = blocks.next()?;
    Shape::EMPTY.check_labels(first, said);
    for second in blocks {
        let at = place(sources, first.header);
        let detail = format!("This {owner} already has a connection block at {at}.");
        said.push(Diagnostic::error("Duplicate connection block", detail).at(second.header));
    }
    Some(first.body.clone())
}

fn provisioner(
    block: &Block,
    outer: Option<&Body>,
    sources: &SourceMap,
    said: &mut Diagnostics,
) -> Option<Provisioner> {
    if !LABELS.check_labels(block, said) {
        return None;
    }
    let label = &block.labels[0];
    if let Some(diagnostic) = unknown_type(&label.text, block.header) {
        said.push(diagnostic);
        return None;
    }
    let body = &block.body;
    for nested in body.blocks.iter().filter(|nested| matches!(nested.kind.text.as_str(), "lifecycle" | "_")) {
        let kind = nested.kind.text.as_str();
        let detail = format!("Blocks of type {kind:?} mean nothing in a provisioner: the name is kept for later use.");
        said.push(Diagnostic::error("Reserved block type name in provisioner block", detail).at(nested.header));
    }
    let when = match keyword(body, "when", &["create", "destroy"], said) {
        Some("destroy") => When::Destroy,
        _ => When::Create,
    };
    let on_failure = match keyword(body, "on_failure", &["continue", "fail"], said) {
        Some("continue") => OnFailure::Continue,
        _ => OnFailure::Fail,
    };
    let provisioner = Provisioner {
        kind: label.text.clone(),
        when,
        on_failure,
        connection: connection(body, "provisioner", sources, said),
        body: without(body, &["when", "on_failure"], &["connection", "lifecycle", "_"]),
        header: block.header,
    };
    if when == When::Destroy {
        refuse_references(&provisioner, outer, said);
    }
    Some(provisioner)
}

fn unknown_type(kind: &str, at: Span) -> Option<Diagnostic> {
    if TYPES.contains(&kind) {
        return None;
    }
    let diagnostic = if GONE.contains(&kind) {
        let detail = "Terraform dropped it after 0.13. Run the tool through local-exec or remote-exec, or from the image that \
                      the machine boots.";
        Diagnostic::error(format!("The {kind:?} provisioner has been removed"), detail)
    } else {
        let hint = did_you_mean(kind, TYPES.iter().copied());
        let detail = format!(
            "There is no provisioner {kind:?}: there are local-exec, remote-exec and file, and no plugins for others.{hint}"
        );
        Diagnostic::error("Missing required provisioner plugin", detail)
    };
    Some(diagnostic.at(at))
}

/// The word that an argument is, which old configurations have in quotes.
fn keyword<'w>(body: &Body, name: &str, words: &[&'w str], said: &mut Diagnostics) -> Option<&'w str> {
    let expr = &body.attribute(name)?.expr;
    let quoted = text_of(expr).filter(|_| body.json.is_none());
    if quoted.is_some() {
        let detail = "Keywords are written without quotes since Terraform 0.12. Remove the quotes.";
        said.push(Diagnostic::warning("Quoted keywords are deprecated", detail).at(expr.span));
    }
    let written = word_of(expr).or_else(|| text_of(expr));
    let known = words.iter().find(|word| written.is_some_and(|written| written.as_str() == **word));
    if known.is_none() {
        let detail = format!("The {name:?} argument requires one of the following keywords: {}.", words.join(" or "));
        said.push(Diagnostic::error(format!("Invalid {name:?} keyword"), detail).at(expr.span));
    }
    known.copied()
}

/// When the object goes, what it was made from may be gone as well: only the object itself and its key may be named.
fn refuse_references(provisioner: &Provisioner, outer: Option<&Body>, said: &mut Diagnostics) {
    let bodies = [Some(&provisioner.body), provisioner.connection.as_ref(), outer];
    let bodies = bodies.into_iter().flatten();
    let with_place = |body| references_in(body).into_iter().map(move |found| (argument(body, found.span), found));
    for (place, found) in bodies.flat_map(with_place) {
        let allowed = match &found.reference {
            Reference::SelfObject
            | Reference::CountIndex
            | Reference::EachKey
            | Reference::PathModule
            | Reference::PathRoot
            | Reference::PathCwd
            | Reference::Terraform(_) => true,
            Reference::Var(_)
            | Reference::Local(_)
            | Reference::Resource(_)
            | Reference::Module { .. }
            | Reference::Layer { .. }
            | Reference::EachValue
            | Reference::Bare(_) => false,
        };
        if !allowed {
            let detail = "A provisioner that runs before an object is destroyed, and its connection, may only use the object \
                          and its key: self, count.index and each.key. Anything else may be gone by then, or have changed. Keep what is \
                          needed in the object, such as in triggers_replace or input.";
            said.push(Diagnostic::error("Invalid reference from destroy provisioner", detail).at(place));
        }
    }
}

/// The expression of the argument that a place is in.
fn argument(body: &Body, place: Span) -> Span {
    let around = |span: Span| span.file == place.file && span.start <= place.start && place.end <= span.end;
    let own = body.attributes.iter().map(|attribute| attribute.expr.span).find(|span| around(*span));
    let nested = || body.blocks.iter().find(|block| around(block.span)).map(|block| argument(&block.body, place));
    own.or_else(nested).unwrap_or(place)
}
