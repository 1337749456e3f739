//! Single expressions, evaluated against configuration, variables and state.

use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Outcome, Span};
use crate::event::Events;
use crate::graph::{Graph, is_declared, undeclared};
use crate::lang::eval::{Found, Reference, Repeats, Scope, evaluate};
use crate::lang::functions::Context;
use crate::lang::syntax::ast::{Expr, ExprKind, Part};
use crate::lang::syntax::parse_expr;
use crate::plan::scope::{ModuleScope, ProjectScope, Surroundings, Variables};
use crate::plan::world::{CopyId, World};
use crate::state::State;
use crate::value::{Type, Value};

use super::session::{RunOptions, Session};

/// What lines of the console are evaluated against.
pub struct Console<'a> {
    session: &'a Session,
    graph: Arc<Graph>,
    world: World,
    states: Vec<State>,
    options: RunOptions,
    /// The layer whose names are used directly.
    layer: Option<usize>,
}

/// What a line gives.
#[derive(Clone, Debug)]
pub enum Evaluated {
    /// A value.
    Value(Value),
    /// The type of a value: `type(…)`.
    Type(Type),
    /// The type of a type, which has no name of its own: `type(type(…))`.
    TypeOfType,
}

/// Makes a console. Objects are what state has; with `planned`, what a plan would make of them. What is wrong in the
/// configuration is said, and what does not depend on it can be evaluated all the same.
pub async fn console<'a>(
    session: &'a Session,
    options: &RunOptions,
    planned: bool,
    events: &dyn Events,
) -> Outcome<Console<'a>> {
    let mut said = Diagnostics::none();
    let states = match session.states().await {
        Ok(states) => states,
        Err(errors) => return Outcome::fail(errors),
    };
    let Some(graph) = session.graph().take(&mut said) else { return Outcome::fail(said) };
    let world = if planned {
        let outcome = super::plan::plan(session, options, events).await;
        let Some(plan) = outcome.take(&mut said) else { return Outcome::fail(said) };
        plan.segment.map(|segment| segment.world).unwrap_or_else(|| World::new(&graph))
    } else {
        let env = session.env();
        let functions = session.functions(options.timestamp, true, &env);
        let plan_options = crate::plan::Options::new(options.timestamp);
        let (config, registry) = (&session.config, &session.registry);
        let outcome = crate::plan::evaluate(config, &graph, &states, registry, &plan_options, &functions).await;
        let Some(world) = outcome.take(&mut said) else { return Outcome::fail(said) };
        world
    };
    let layer = match (&options.layer, session.config.layers.len()) {
        (Some(name), _) => session.config.layer_index(name),
        (None, 1) => Some(0),
        (None, _) => None,
    };
    let said = super::plan::addressed(session, said);
    Outcome::with(Console { session, graph, world, states, options: options.clone(), layer }, said)
}

impl Console<'_> {
    /// The value of one expression.
    pub fn evaluate(&self, text: &str) -> Outcome<Evaluated> {
        let sources = &self.session.config.sources;
        let file = sources.add("<console-input>", text);
        let (expr, mut said) = parse_expr(sources, file);
        if said.has_errors() {
            return Outcome::fail(said);
        }
        said.0.retain(|one| !one.advice);
        let (types, expr) = without_type(&expr);
        let env = self.session.env();
        let functions = self.session.functions(self.options.timestamp, true, &env);
        let around = Surroundings {
            config: &self.session.config,
            graph: &self.graph,
            world: &self.world,
            states: &self.states,
            functions: &functions,
            variables: Variables::Optional,
        };
        let value = match self.layer {
            Some(layer) => {
                let copy = self.world.copies_of(self.graph.roots[layer])[0];
                evaluate(expr, &InLayer { inner: ModuleScope::plain(around, copy), copy }).take(&mut said)
            }
            None => evaluate(expr, &InProject { inner: ProjectScope { around } }).take(&mut said),
        };
        let Some(value) = value.filter(|_| !said.has_errors()) else { return Outcome::fail(said) };
        let answer = match types {
            0 => Evaluated::Value(value),
            1 => Evaluated::Type(value.ty()),
            _ => Evaluated::TypeOfType,
        };
        Outcome::with(answer, said)
    }
}

/// An expression without the calls of `type` around it, and how many there are.
fn without_type(expr: &Expr) -> (usize, &Expr) {
    match &expr.kind {
        ExprKind::Paren(inner) => match without_type(inner) {
            (0, _) => (0, expr),
            found => found,
        },
        ExprKind::Template(parts) => match &parts[..] {
            [Part::Interpolation(inner)] => match without_type(inner) {
                (0, _) => (0, expr),
                found => found,
            },
            _ => (0, expr),
        },
        ExprKind::Call(call) if call.name.text == "type" && !call.expand_last => match &call.arguments[..] {
            [argument] => {
                let (inner, expr) = without_type(argument);
                (inner + 1, expr)
            }
            _ => (0, expr),
        },
        _ => (0, expr),
    }
}

/// Names of a layer, as its root module has them.
struct InLayer<'a> {
    inner: ModuleScope<'a>,
    copy: CopyId,
}

impl Scope for InLayer<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        let around = self.inner.around;
        let module = around.world.copy(self.copy).module;
        if !is_declared(around.graph, module, reference) {
            let found = Found { reference: reference.clone(), span };
            return Err(Box::new(undeclared(around.config, around.graph, module, &found)));
        }
        self.inner.resolve(reference, span)
    }

    fn functions(&self) -> &Context<'_> {
        self.inner.functions()
    }

    fn repeats(&self, reference: &Reference) -> Option<Repeats> {
        self.inner.repeats(reference)
    }

    fn is_console(&self) -> bool {
        true
    }
}

/// Names of the project file: outputs of layers, and the environment.
struct InProject<'a> {
    inner: ProjectScope<'a>,
}

impl Scope for InProject<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        match reference {
            Reference::Layer { .. } => self.inner.resolve(reference, span),
            Reference::Bare(name) if *name == "environment" => self.inner.resolve(reference, span),
            Reference::Terraform(name) if *name == "workspace" => {
                Ok(Value::string(self.inner.around.config.environment.clone()))
            }
            other => {
                let names: Vec<&str> =
                    self.inner.around.config.layers.iter().map(|layer| layer.name.as_str()).collect();
                let detail = format!(
                    "{other} belongs to one of several layers, and this console stands above them: it knows their outputs, \
                     such as layer.{}.NAME. Open it with -layer=NAME to use the names of one layer ({}).",
                    names.first().unwrap_or(&"LAYER"),
                    names.join(", ")
                );
                Err(Box::new(Diagnostic::error("Which layer?", detail).at(span)))
            }
        }
    }

    fn functions(&self) -> &Context<'_> {
        self.inner.functions()
    }

    fn is_bare(&self, name: &str) -> bool {
        self.inner.is_bare(name)
    }

    fn is_console(&self) -> bool {
        true
    }
}
