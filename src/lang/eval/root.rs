//! From the names at the start of a traversal to a reference.

use crate::addr::{LayerName, Mode, Name, ResourceAddr};
use crate::diag::{Diagnostic, Span, did_you_mean};
use crate::lang::syntax::ast::{Expr, ExprKind};

use super::Reference;

/// Reads the reference that a traversal starts with: its root name (at `span`) and the steps behind it, outermost last.
/// Gives the reference, how many steps it takes, and its place.
///
/// # Errors
/// When the names do not make a reference, such as `var` alone.
pub(super) fn reference(
    root: &Name,
    span: Span,
    steps: &[&Expr],
    is_bare: &dyn Fn(&str) -> bool,
) -> Result<(Reference, usize, Span), Box<Diagnostic>> {
    if is_bare(root) {
        return Ok((Reference::Bare(root.clone()), 0, span));
    }
    let root_names = Names { root, span, steps };
    let taken = |reference: Reference, count: usize| {
        let place = steps[..count].last().map_or(span, |step| span.to(step.span));
        Ok((reference, count, place))
    };
    match root.as_str() {
        "var" => taken(Reference::Var(root_names.only()?), 1),
        "local" => taken(Reference::Local(root_names.only()?), 1),
        "module" => taken(Reference::Module { name: root_names.only()?, output: None }, 1),
        "each" => match root_names.only()?.as_str() {
            "key" => taken(Reference::EachKey, 1),
            "value" => taken(Reference::EachValue, 1),
            name => root_names.no_attribute(name, &["key", "value"]),
        },
        "count" => match root_names.only()?.as_str() {
            "index" => taken(Reference::CountIndex, 1),
            name => root_names.no_attribute(name, &["index"]),
        },
        "path" => match root_names.only()?.as_str() {
            "module" => taken(Reference::PathModule, 1),
            "root" => taken(Reference::PathRoot, 1),
            "cwd" => taken(Reference::PathCwd, 1),
            name => root_names.no_attribute(name, &["module", "root", "cwd"]),
        },
        "terraform" => taken(Reference::Terraform(root_names.only()?), 1),
        "self" => taken(Reference::SelfObject, 0),
        "layer" => match (root_names.attribute(0), root_names.attribute(1)) {
            (Some(layer), Some(output)) => {
                taken(Reference::Layer { layer: LayerName(layer.clone()), output: output.clone() }, 2)
            }
            _ => root_names.invalid("After \"layer\" must come two names: that of the layer and that of its output.".to_owned()),
        },
        "data" => taken(root_names.resource(Mode::Data, 0, "The \"data\" object must be followed by two names: the type of the data source and its own name.")?, 2),
        "ephemeral" => taken(root_names.resource(Mode::Ephemeral, 0, "The \"ephemeral\" object must be followed by two names: the type of the resource and its own name.")?, 2),
        "resource" => taken(root_names.resource(Mode::Managed, 0, "The \"resource\" object must be followed by two names: the type of the resource and its own name.")?, 2),
        "template" | "lazy" | "arg" => Err(Box::new(
            Diagnostic::error(
                "Reserved symbol name",
                format!("The name \"{root}\" is reserved by the language. A resource type of that name is written as \"resource.{root}\"."),
            )
            .at(span),
        )),
        _ => match (root_names.attribute(0), steps.is_empty()) {
            (Some(name), _) => {
                taken(Reference::Resource(ResourceAddr { mode: Mode::Managed, kind: root.clone(), name: name.clone() }), 1)
            }
            (None, true) => taken(Reference::Bare(root.clone()), 0),
            (None, false) => root_names.invalid("A reference to a resource type must be followed by the name of a resource.".to_owned()),
        },
    }
}

struct Names<'a> {
    root: &'a Name,
    span: Span,
    steps: &'a [&'a Expr],
}

impl<'a> Names<'a> {
    /// The name of a step that is one.
    fn attribute(&self, index: usize) -> Option<&'a Name> {
        match &self.steps.get(index)?.kind {
            ExprKind::Attribute(member) => Some(&member.name.text),
            _ => None,
        }
    }

    /// The one name behind the root.
    fn only(&self) -> Result<Name, Box<Diagnostic>> {
        if let Some(name) = self.attribute(0) {
            return Ok(name.clone());
        }
        let root = self.root;
        self.invalid(match self.steps.first() {
            None => {
                format!("The \"{root}\" object cannot be accessed directly. Instead, access one of its attributes.")
            }
            Some(_) => format!("The \"{root}\" object has attributes only: a dot and a name must follow."),
        })
    }

    fn resource(&self, mode: Mode, from: usize, detail: &str) -> Result<Reference, Box<Diagnostic>> {
        match (self.attribute(from), self.attribute(from + 1)) {
            (Some(kind), Some(name)) => {
                Ok(Reference::Resource(ResourceAddr { mode, kind: kind.clone(), name: name.clone() }))
            }
            _ => self.invalid(detail.to_owned()),
        }
    }

    fn invalid<T>(&self, detail: String) -> Result<T, Box<Diagnostic>> {
        let span = self.steps.first().map_or(self.span, |step| self.span.to(step.span));
        Err(Box::new(Diagnostic::error("Invalid reference", detail).at(span)))
    }

    fn no_attribute<T>(&self, name: &str, known: &[&str]) -> Result<T, Box<Diagnostic>> {
        let root = self.root;
        let hint = did_you_mean(name, known.iter().copied());
        let all: Vec<String> = known.iter().map(|known| format!("{root}.{known}")).collect();
        let detail = format!(
            "The \"{root}\" object does not have an attribute named \"{name}\".{hint} There is {}.",
            all.join(", ")
        );
        let span = self.steps.first().map_or(self.span, |step| self.span.to(step.span));
        Err(Box::new(Diagnostic::error(format!("Invalid \"{root}\" attribute"), detail).at(span)))
    }
}
