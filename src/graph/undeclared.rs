//! What is to be said about a name that nothing was declared with.

use crate::addr::Name;
use crate::config::Config;
use crate::diag::Diagnostic;
use crate::lang::eval::{Found, Reference};

use super::{Graph, ModuleId};

/// Whether a module declares what a reference names. References that are none to the module's own blocks count as declared.
pub fn is_declared(graph: &Graph, module: ModuleId, reference: &Reference) -> bool {
    let shape = &graph.module(module).shape;
    match reference {
        Reference::Var(name) => shape.variable(name).is_some(),
        Reference::Local(name) => shape.local(name).is_some(),
        Reference::Module { name, .. } => shape.call(name).is_some(),
        Reference::Resource(addr) => shape.resource(addr).is_some(),
        Reference::Bare(_) => false,
        Reference::Layer { .. }
        | Reference::EachKey
        | Reference::EachValue
        | Reference::CountIndex
        | Reference::SelfObject
        | Reference::PathModule
        | Reference::PathRoot
        | Reference::PathCwd
        | Reference::Terraform(_) => true,
    }
}

/// The error of a name that a module does not declare, with what may have been meant.
pub fn undeclared(config: &Config, graph: &Graph, module: ModuleId, found: &Found) -> Diagnostic {
    let node = graph.module(module);
    let place = if node.addr.is_root() {
        if config.is_plain() { "the root module".into() } else { format!("layer {}", graph.layers[node.layer]) }
    } else {
        node.addr.to_string()
    };
    let module = &node.module;
    let hint = |name: &str, names: &mut dyn Iterator<Item = &str>| crate::diag::did_you_mean(name, names);
    let (summary, detail) = match &found.reference {
        Reference::Var(name) => (
            "Reference to undeclared input variable",
            format!(
                "An input variable with the name {:?} has not been declared in {place}.{}",
                name.as_str(),
                match hint(name, &mut module.variables.keys().map(Name::as_str)) {
                    none if none.is_empty() => {
                        format!(" This variable can be declared with a variable {:?} {{}} block.", name.as_str())
                    }
                    found => found,
                }
            ),
        ),
        Reference::Local(name) => (
            "Reference to undeclared local value",
            format!(
                "A local value with the name {:?} has not been declared in {place}.{}",
                name.as_str(),
                hint(name, &mut module.locals.keys().map(Name::as_str))
            ),
        ),
        Reference::Module { name, .. } => (
            "Reference to undeclared module",
            format!(
                "No module call named {:?} is declared in {place}.{}",
                name.as_str(),
                hint(name, &mut module.calls.keys().map(Name::as_str))
            ),
        ),
        Reference::Resource(addr) => {
            let kind = match addr.mode {
                crate::addr::Mode::Managed => "managed",
                crate::addr::Mode::Data => "data",
                crate::addr::Mode::Ephemeral => "ephemeral",
            };
            let names: Vec<String> =
                module.resources.keys().filter(|known| known.mode == addr.mode).map(ToString::to_string).collect();
            (
                "Reference to undeclared resource",
                format!(
                    "A {kind} resource {:?} {:?} has not been declared in {place}.{}",
                    addr.kind.as_str(),
                    addr.name.as_str(),
                    hint(&addr.to_string(), &mut names.iter().map(String::as_str))
                ),
            )
        }
        other => (
            "Invalid reference",
            format!(
                "A reference to a resource type must be followed by at least one attribute access, specifying the \
                 resource name; \"{other}\" names nothing."
            ),
        ),
    };
    Diagnostic::error(summary, detail).at(found.span)
}
