//! `data "terraform_remote_state"` blocks that mean the state of a lower layer: a configuration from before the layers
//! became one project. They are edges of the one graph, as `layer.NAME.OUTPUT` is.

use std::cell::RefCell;
use std::path::PathBuf;

use crate::addr::{Mode, Name};
use crate::diag::{Diagnostic, Span};
use crate::lang::decode::pure_context;
use crate::lang::eval::{Reference, Scope, evaluate};
use crate::lang::functions::Context;
use crate::schema::Backend;
use crate::value::{Value, convert};

use super::files::normal;
use super::model::{Config, Layer, Resource, StateSettings};

impl Config {
    /// The lower layer whose state a data block of a layer's root module reads. `None`: it reads another state, has copies, or
    /// is written with more than variables and locals.
    pub fn layer_read_by(&self, layer: usize, resource: &Resource) -> Option<usize> {
        let is_remote_state = resource.addr.mode == Mode::Data && resource.addr.kind == "terraform_remote_state";
        if self.is_plain()
            || !is_remote_state
            || resource.count.is_some()
            || resource.for_each.is_some()
            || resource.enabled.is_some()
        {
            return None;
        }
        let scope = Root { config: self, layer: &self.layers[layer], open: RefCell::default() };
        let argument = |name: &str| {
            let attribute = resource.body.attribute(name)?;
            let value = evaluate(&attribute.expr, &scope).into_result().ok()?.0.unmark_deep().0;
            value.is_wholly_known().then_some(value)
        };
        let workspace =
            resource.body.attribute("workspace").is_none() || argument("workspace")?.as_str() == Some("default");
        let (backend, config) = (argument("backend")?, argument("config")?);
        // With an argument that there is not, it is told as what it is: wrong.
        let known = Backend::named(backend.as_str()?).ok()?;
        if !config.as_entries()?.keys().all(|name| known.has(name)) {
            return None;
        }
        let text = |name: &str| config.get(name).and_then(Value::as_str).map(str::to_owned);
        let is_state_of = |lower: &Layer| match (&lower.state, backend.as_str()) {
            (StateSettings::S3(settings), Some("s3")) => {
                text("bucket").as_deref() == Some(&settings.bucket) && text("key").as_deref() == Some(&settings.key)
            }
            (StateSettings::Local { path }, Some("local")) => text("path").is_some_and(|given| {
                let from = |base: &PathBuf| normal(&base.join(&given)) == normal(&self.working_dir.join(path));
                from(&self.layers[layer].dir) || from(&self.working_dir)
            }),
            _ => false,
        };
        self.layers[..layer].iter().position(is_state_of).filter(|_| workspace)
    }
}

/// What is known of a root module before any state is read: variables and locals.
struct Root<'a> {
    config: &'a Config,
    layer: &'a Layer,
    /// Locals that are being evaluated: one that needs itself has no value.
    open: RefCell<Vec<Name>>,
}

impl Root<'_> {
    fn variable(&self, name: &str) -> Option<Value> {
        let variable = self.layer.root.variables.get(name)?;
        let given = match self.layer.assigned(variable) {
            Some(outcome) => outcome.into_result().ok()?.0,
            None => evaluate(variable.default.as_ref()?, self).into_result().ok()?.0,
        };
        convert(&variable.defaults.apply(&given), &variable.ty).ok()
    }

    fn local(&self, name: &Name) -> Option<Value> {
        let local = self.layer.root.locals.get(name)?;
        if self.open.borrow().contains(name) {
            return None;
        }
        self.open.borrow_mut().push(name.clone());
        let value = evaluate(&local.expr, self).into_result();
        self.open.borrow_mut().pop();
        Some(value.ok()?.0)
    }
}

impl Scope for Root<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        let found = match reference {
            Reference::Var(name) => self.variable(name),
            Reference::Local(name) => self.local(name),
            Reference::Terraform(name) if *name == "workspace" => Some(Value::string(self.config.environment.clone())),
            _ => None,
        };
        found.ok_or_else(|| {
            Box::new(
                Diagnostic::error("Not known yet", format!("{reference} is not known before state is read.")).at(span),
            )
        })
    }

    fn functions(&self) -> &Context<'_> {
        pure_context()
    }
}
