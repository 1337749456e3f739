//! What names mean in test files: in values and providers of a test, and in its conditions.

use std::collections::BTreeMap;

use crate::addr::{Mode, Name, ResourceAddr};
use crate::diag::{Diagnostic, Span, did_you_mean};
use crate::lang::eval::{Reference, Repeats, Scope};
use crate::lang::functions::Context;
use crate::plan::scope::ModuleScope;
use crate::value::Value;

/// The outputs of the runs of a file, of those that have any.
pub(super) type Outputs = BTreeMap<Name, Value>;

/// The name of a run, when that is what a reference means.
pub(super) fn run_named(reference: &Reference) -> Option<&Name> {
    match reference {
        Reference::Resource(ResourceAddr { mode: Mode::Managed, kind, name }) if *kind == "run" => Some(name),
        _ => None,
    }
}

/// For values that a test gives, and for its provider blocks.
pub(super) struct TestScope<'a> {
    /// Variables that have a value from outside of the configuration.
    pub values: &'a BTreeMap<Name, Value>,
    /// Outputs of runs before.
    pub outputs: &'a Outputs,
    /// Names of all runs of the file.
    pub runs: &'a [Name],
    /// What functions see.
    pub functions: Context<'a>,
}

impl Scope for TestScope<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        let error = |summary: &str, detail: String| Err(Box::new(Diagnostic::error(summary, detail).at(span)));
        if let Some(name) = run_named(reference) {
            return match self.outputs.get(name) {
                Some(outputs) => Ok(outputs.clone()),
                None if self.runs.contains(name) => {
                    let detail =
                        format!("The run {:?} has not been carried out yet: it has no outputs.", name.as_str());
                    error("Reference to unavailable run block", detail)
                }
                None => {
                    let hint = did_you_mean(name, self.runs.iter().map(Name::as_str));
                    error("Reference to unknown run block", format!("This file has no run {:?}.{hint}", name.as_str()))
                }
            };
        }
        match reference {
            Reference::Var(name) => match self.values.get(name) {
                Some(value) => Ok(value.clone()),
                None => {
                    let detail = format!(
                        "Nothing gives {:?} a value here. What a test may use are variables that have one from outside of the \
                         configuration: from the file's own variables block, a file of variables, the command line or the \
                         environment.",
                        name.as_str()
                    );
                    error("Reference to unavailable variable", detail)
                }
            },
            other => {
                let detail = format!("{other} cannot be used here: only var.NAME and run.NAME.OUTPUT can.");
                error("Invalid reference", detail)
            }
        }
    }

    fn functions(&self) -> &Context<'_> {
        &self.functions
    }
}

/// For conditions: everything of the tested module, its outputs, what the test gives, and runs before.
pub(super) struct ConditionScope<'a> {
    /// The root module of the run.
    pub module: ModuleScope<'a>,
    /// What is assigned to variables, declared or not.
    pub values: &'a BTreeMap<Name, Value>,
    /// Outputs of runs before.
    pub outputs: &'a Outputs,
    /// The outputs of this run.
    pub own: &'a Value,
    /// Names of all runs of the file.
    pub runs: &'a [Name],
}

impl ConditionScope<'_> {
    /// The error of a name that the module does not have.
    fn undeclared<'k>(
        &self,
        what: &str,
        shown: &str,
        known: impl Iterator<Item = &'k Name>,
        span: Span,
    ) -> Result<Value, Box<Diagnostic>> {
        let name = shown.rsplit('.').next().unwrap_or(shown);
        let hint = did_you_mean(name, known.map(Name::as_str));
        let detail = format!("The tested module has no {what} {shown}.{hint}");
        Err(Box::new(Diagnostic::error(format!("Reference to undeclared {what}"), detail).at(span)))
    }
}

impl Scope for ConditionScope<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        if let Some(name) = run_named(reference) {
            let (summary, detail) = match self.outputs.get(name) {
                Some(outputs) => return Ok(outputs.clone()),
                None if self.runs.contains(name) => (
                    "Reference to unevaluated run block",
                    format!("The run {:?} has not been carried out yet: it has no outputs.", name.as_str()),
                ),
                None => {
                    let hint = did_you_mean(name, self.runs.iter().map(Name::as_str));
                    let detail = format!("This file has no run {:?}.{hint}", name.as_str());
                    ("Reference to undeclared run block", detail)
                }
            };
            return Err(Box::new(Diagnostic::error(summary, detail).at(span)));
        }
        let around = self.module.around;
        let content = &around.graph.module(around.world.copy(self.module.copy).module).module;
        match reference {
            Reference::Resource(ResourceAddr { mode: Mode::Managed, kind, name }) if *kind == "output" => {
                match self.own.get(name) {
                    Some(value) => Ok(value.clone()),
                    None => self.undeclared("output value", &format!("output.{name}"), content.outputs.keys(), span),
                }
            }
            Reference::Var(name) if !content.variables.contains_key(name) => match self.values.get(name) {
                Some(value) => Ok(value.clone()),
                None => self.undeclared("input variable", &format!("var.{name}"), content.variables.keys(), span),
            },
            Reference::Local(name) if !content.locals.contains_key(name) => {
                self.undeclared("local value", &format!("local.{name}"), content.locals.keys(), span)
            }
            Reference::Resource(addr) if !content.resources.contains_key(addr) => {
                let names = content.resources.keys().map(|known| &known.name);
                self.undeclared("resource", &addr.to_string(), names, span)
            }
            Reference::Module { name, .. } if !content.calls.contains_key(name) => {
                self.undeclared("module", &format!("module.{name}"), content.calls.keys(), span)
            }
            other => self.module.resolve(other, span),
        }
    }

    fn functions(&self) -> &Context<'_> {
        self.module.functions()
    }

    fn repeats(&self, reference: &Reference) -> Option<Repeats> {
        self.module.repeats(reference)
    }
}
