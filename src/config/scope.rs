//! What names mean in the project file, in backend blocks and in tfvars.

use std::collections::BTreeMap;

use crate::addr::Name;
use crate::diag::{Diagnostic, Span};
use crate::lang::eval::{Reference, Scope, TEMPLATES};
use crate::lang::functions::{Context, NoVariable};
use crate::value::Value;

use super::assign::Surroundings;
use super::global::LayerScope;

/// What `env("X")` may read, and its values.
#[derive(Clone, Default)]
pub struct Env(BTreeMap<String, Option<String>>);

impl std::fmt::Debug for Env {
    /// Names only: a value may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Env {
    /// The listed variables of the process.
    pub fn new(listed: impl IntoIterator<Item = String>, process: &BTreeMap<String, String>) -> Self {
        Env(listed.into_iter().map(|name| (name.clone(), process.get(&name).cloned())).collect())
    }

    /// Whether the project lists it.
    pub fn lists(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names that are listed.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Its value.
    ///
    /// # Errors
    /// Why there is none: it is not listed, or not set.
    pub fn get(&self, name: &str) -> Result<&str, NoVariable> {
        match self.0.get(name) {
            Some(Some(value)) => Ok(value),
            Some(None) => Err(NoVariable::Unset),
            None => Err(NoVariable::Unlisted),
        }
    }
}

/// For expressions that may name nothing.
pub struct Nothing<'a>(pub Context<'a>);

impl Scope for Nothing<'_> {
    fn resolve(&self, _reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        Err(Box::new(Diagnostic::error("Variables not allowed", "Variables may not be used here.").at(span)))
    }

    fn functions(&self) -> &Context<'_> {
        &self.0
    }
}

/// For the arguments of a state block.
pub struct StateScope<'a> {
    /// The run's environment.
    pub environment: &'a Name,
    /// The layer whose state is looked for.
    pub layer: &'a Name,
    /// How often that layer exists.
    pub scope: LayerScope,
    /// What functions see.
    pub context: Context<'a>,
}

impl Scope for StateScope<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        match reference {
            Reference::Bare(name) if *name == "environment" => {
                Ok(Value::object([("name", Value::string(self.environment.clone()))]))
            }
            Reference::Bare(name) if *name == "layer" => {
                let scope = Value::from(self.scope.to_string());
                Ok(Value::object([("name", Value::string(self.layer.clone())), ("scope", scope)]))
            }
            other => {
                let detail = format!(
                    "{other} cannot be used here: a state block sees env(\"NAME\"), environment.name, layer.name and \
                     layer.scope. Nobody knows values of variables or outputs before state is read."
                );
                Err(Box::new(Diagnostic::error("Invalid reference in a state block", detail).at(span)))
            }
        }
    }

    fn functions(&self) -> &Context<'_> {
        &self.context
    }

    fn is_bare(&self, name: &str) -> bool {
        matches!(name, "environment" | "layer")
    }
}

/// What functions see in the project file, in backends and in tfvars.
pub fn context(around: &Surroundings) -> Context<'_> {
    Context {
        base: &around.base,
        files: &*around.files,
        // These are evaluated before and after a plan was saved: a moving clock would make two configurations of one.
        plan_time: Some(around.now),
        now: Some(around.now),
        env: Some(&*around.env_function),
        templates: Some(&TEMPLATES),
    }
}
