//! References: what an expression names outside of itself.

use std::fmt;

use crate::addr::{LayerName, Mode, Name, ResourceAddr};
use crate::diag::Span;

/// One name an expression needs. Its place in the expression is kept beside it, see [`Found`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reference {
    /// `var.NAME`.
    Var(Name),
    /// `local.NAME`.
    Local(Name),
    /// `TYPE.NAME`, `data.TYPE.NAME`, `ephemeral.TYPE.NAME`: the whole resource, an object or, with `count` or `for_each`,
    /// a tuple or an object of them.
    Resource(ResourceAddr),
    /// `module.NAME`: the outputs of a module call, or of its copies.
    Module {
        /// The call.
        name: Name,
        /// The one output that is used, where static analysis can tell: `module.a.x`, `module.a["k"].x`, `module.a[*].x`.
        /// Always `None` when the evaluator asks.
        output: Option<Name>,
    },
    /// `layer.NAME.OUTPUT` in a project.
    Layer {
        /// The layer.
        layer: LayerName,
        /// The output.
        output: Name,
    },
    /// `each.key`.
    EachKey,
    /// `each.value`.
    EachValue,
    /// `count.index`.
    CountIndex,
    /// `self`.
    SelfObject,
    /// `path.module`.
    PathModule,
    /// `path.root`.
    PathRoot,
    /// `path.cwd`.
    PathCwd,
    /// `terraform.NAME`, such as `terraform.workspace`.
    Terraform(Name),
    /// Another name: an assignment of the same variable set in tfvars, `environment` in the project file. An error elsewhere.
    Bare(Name),
}

/// A reference and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// What is named.
    pub reference: Reference,
    /// The names that were consumed.
    pub span: Span,
}

impl fmt::Display for Reference {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Var(name) => write!(f, "var.{name}"),
            Reference::Local(name) => write!(f, "local.{name}"),
            Reference::Resource(ResourceAddr { mode: Mode::Managed, kind, name }) => write!(f, "{kind}.{name}"),
            Reference::Resource(addr) => write!(f, "{addr}"),
            Reference::Module { name, output: None } => write!(f, "module.{name}"),
            Reference::Module { name, output: Some(output) } => write!(f, "module.{name}.{output}"),
            Reference::Layer { layer, output } => write!(f, "layer.{layer}.{output}"),
            Reference::EachKey => f.write_str("each.key"),
            Reference::EachValue => f.write_str("each.value"),
            Reference::CountIndex => f.write_str("count.index"),
            Reference::SelfObject => f.write_str("self"),
            Reference::PathModule => f.write_str("path.module"),
            Reference::PathRoot => f.write_str("path.root"),
            Reference::PathCwd => f.write_str("path.cwd"),
            Reference::Terraform(name) => write!(f, "terraform.{name}"),
            Reference::Bare(name) => write!(f, "{name}"),
        }
    }
}
