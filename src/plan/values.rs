//! Values of variables, locals and outputs in one copy of their module. Used by plan, and by apply for what became known.

use crate::config::{Output, Variable};
use crate::diag::{Diagnostic, Diagnostics, Outcome, Span};
use crate::graph::{Node, NodeId};
use crate::lang::eval::{Blame, evaluate, involved};
use crate::value::{Marks, Value, convert};

use super::rules::{Truth, check, message, truth};
use super::scope::{ModuleScope, Surroundings, Variables};
use super::world::CopyId;

/// Evaluates a variable, local or output. Other nodes have no value of this kind and give null.
pub fn node_value(around: Surroundings<'_>, node: NodeId, copy: CopyId) -> Outcome<Value> {
    let module = around.graph.module(around.world.copy(copy).module);
    let scope = ModuleScope::plain(around, copy);
    match around.graph.node(node) {
        Node::Variable(_, name) => match module.module.variables.get(name) {
            Some(variable) => variable_value(around, variable, copy),
            None => Outcome::ok(Value::NULL),
        },
        Node::Local(_, name) => match module.module.locals.get(name) {
            Some(local) => evaluate(&local.expr, &scope),
            None => Outcome::ok(Value::NULL),
        },
        Node::Output(_, name) => match module.module.outputs.get(name) {
            Some(output) => output_value(&scope, output, module.addr.is_root()),
            None => Outcome::ok(Value::NULL),
        },
        Node::Resource(..)
        | Node::Data(..)
        | Node::Ephemeral(..)
        | Node::ModuleCall(..)
        | Node::ModuleEnd(..)
        | Node::Provider(_) => Outcome::ok(Value::NULL),
    }
}

fn variable_value(around: Surroundings<'_>, variable: &Variable, copy: CopyId) -> Outcome<Value> {
    let mut said = Diagnostics::none();
    let this = around.world.copy(copy);
    let given = match this.parent {
        None if around.variables == Variables::Open => None,
        None if around.variables == Variables::Unused => {
            let assigned = around.config.layers[around.graph.module(this.module).layer].assigned(variable).is_some();
            if !assigned && variable.default.is_none() {
                return Outcome::fail(missing(around, variable, copy));
            }
            Some((Value::unknown(variable.ty.clone()), None))
        }
        None => {
            let layer = &around.config.layers[around.graph.module(this.module).layer];
            match layer.assigned(variable) {
                None => None,
                Some(outcome) => {
                    let Some(value) = outcome.take(&mut said) else { return Outcome::fail(said) };
                    Some((value, layer.assignments.place(&variable.name)))
                }
            }
        }
        Some(parent) => {
            let Some((_, call)) = around.graph.call(this.module) else { return Outcome::ok(Value::NULL) };
            match call.arguments.iter().find(|argument| argument.name.text == variable.name) {
                None => None,
                Some(argument) => {
                    let mut scope = ModuleScope::plain(around, parent);
                    scope.repetition = &this.repetition;
                    let Some(value) = evaluate(&argument.expr, &scope).take(&mut said) else {
                        return Outcome::fail(said);
                    };
                    if !variable.ephemeral && value.marks_deep().contains(Marks::EPHEMERAL) {
                        let error = Diagnostic::error(
                            "Ephemeral value not allowed",
                            "This input variable is not declared as accepting ephemeral values, so it cannot be set to a \
                             result derived from an ephemeral value.",
                        );
                        let caller = this.addr.steps().last().map(|step| format!("module {:?}", step.name.as_str()));
                        said.push(error.at(argument.expr.span).within(caller.unwrap_or_default()));
                        return Outcome::fail(said);
                    }
                    Some((value, Some(argument.expr.span)))
                }
            }
        }
    };
    let mut null_at = None;
    let given = given.filter(|(value, span)| {
        if variable.nullable || !value.is_null() {
            return true;
        }
        null_at = *span;
        false
    });
    let (value, span) = match given {
        Some(given) => given,
        None => match &variable.default {
            Some(default) => {
                let Some(value) = evaluate(default, &ModuleScope::plain(around, copy)).take(&mut said) else {
                    return Outcome::fail(said);
                };
                (value, Some(default.span))
            }
            None if null_at.is_some() => {
                said.push(null_given(around, variable, null_at));
                return Outcome::fail(said);
            }
            None if around.variables != Variables::Given => (Value::unknown(variable.ty.clone()), None),
            None => {
                said.push(missing(around, variable, copy));
                return Outcome::fail(said);
            }
        },
    };
    match convert(&variable.defaults.apply(&value), &variable.ty) {
        Ok(value) if value.is_null() && !variable.nullable => {
            said.push(
                Diagnostic::error(
                    "Required variable not set",
                    format!(
                        "Unsuitable value for var.{} set from outside of the configuration: required variable may not be \
                         set to null.",
                        variable.name
                    ),
                )
                .at(variable.span),
            );
            Outcome::fail(said)
        }
        Ok(value) => {
            let mut marks = Marks::NONE;
            if variable.sensitive {
                marks = marks | Marks::SENSITIVE;
            }
            if variable.ephemeral {
                marks = marks | Marks::EPHEMERAL;
            }
            Outcome::with(value.mark(marks), said)
        }
        Err(error) => {
            said.push(
                Diagnostic::error(
                    "Invalid value for input variable",
                    format!(
                        "The given value is not suitable for var.{} declared at {}: {error}.",
                        variable.name,
                        place(around, variable)
                    ),
                )
                .at(span.unwrap_or(variable.span)),
            );
            Outcome::fail(said)
        }
    }
}

fn place(around: Surroundings<'_>, variable: &Variable) -> String {
    match around.config.sources.get(variable.span.file) {
        Some(source) => format!("{}:{}", source.path.display(), source.position(variable.span.start).line),
        None => "its declaration".into(),
    }
}

/// The error of null for a variable that needs a value and has no default.
fn null_given(around: Surroundings<'_>, variable: &Variable, span: Option<Span>) -> Diagnostic {
    let detail = format!(
        "The given value is not suitable for var.{} declared at {}: it is required and may not be null.",
        variable.name,
        place(around, variable)
    );
    Diagnostic::error("Required variable not set", detail).at(span.unwrap_or(variable.span))
}

fn missing(around: Surroundings<'_>, variable: &Variable, copy: CopyId) -> Diagnostic {
    let layer = &around.config.layers[around.graph.module(around.world.copy(copy).module).layer];
    let place = if around.config.is_plain() { "The root module".into() } else { format!("Layer {}", layer.name) };
    Diagnostic::error(
        "No value for required variable",
        format!(
            "{place} input variable {:?} is not set, and has no default value. Use a -var or -var-file command line \
             argument to provide a value for this variable.",
            variable.name.as_str()
        ),
    )
    .at(variable.span)
}

fn output_value(scope: &ModuleScope<'_>, output: &Output, root: bool) -> Outcome<Value> {
    let within = format!("output {:?}", output.name.as_str());
    let mut said = Diagnostics::none();
    for rule in &output.preconditions {
        said.append(check(rule, scope, "Module output value precondition failed").located(None, Some(&within)));
    }
    if said.has_errors() {
        return Outcome::fail(said);
    }
    let outcome = evaluate(&output.value, scope);
    said.append(outcome.said.located(None, Some(&within)));
    let Some(value) = outcome.value else { return Outcome::fail(said) };
    if let Some(error) = misplaced_ephemeral(output, &value, root) {
        said.push(error.within(within));
        return Outcome::fail(said);
    }
    if root && !output.sensitive && value.marks_deep().contains(Marks::SENSITIVE) {
        said.push(
            Diagnostic::error(
                "Output refers to sensitive values",
                "To reduce the risk of accidentally exporting sensitive data that was intended to be only internal, \
                 Terraform's language requires that any root module output containing sensitive data be explicitly marked \
                 as sensitive, to confirm your intent.\n\nIf you do intend to export this data, annotate the output value \
                 as sensitive by adding the following argument:\n    sensitive = true",
            )
            .at(output.span)
            .within(within),
        );
        return Outcome::fail(said);
    }
    let value = if output.ephemeral { value.mark(Marks::EPHEMERAL) } else { value };
    Outcome::with(if output.sensitive { value.sensitive() } else { value }, said)
}

/// Ephemeral values go through ephemeral outputs only, and those of a root module would have to be stored.
fn misplaced_ephemeral(output: &Output, value: &Value, root: bool) -> Option<Diagnostic> {
    let is_ephemeral = value.marks_deep().contains(Marks::EPHEMERAL);
    if output.ephemeral && root {
        let detail = "Ephemeral outputs are not allowed in context of a root module";
        return Some(Diagnostic::error("Ephemeral output not allowed", detail).at(output.span));
    }
    let (summary, detail) = match (output.ephemeral, is_ephemeral) {
        (false, true) => (
            "Ephemeral value not allowed",
            "This output value is not declared as returning an ephemeral value, so it cannot be set to a result derived \
             from an ephemeral value.",
        ),
        (true, false) if value.is_wholly_known() => (
            "Value not allowed in ephemeral output",
            "This output value is declared as returning an ephemeral value, so it can only be set to an ephemeral value.",
        ),
        (true, _) | (false, false) => return None,
    };
    Some(Diagnostic::error(summary, detail).at(output.value.span))
}

/// The validations of a variable whose value is already known to the scope.
pub fn validate_variable(scope: &ModuleScope<'_>, variable: &Variable) -> Diagnostics {
    let within = format!("variable {:?}", variable.name.as_str());
    let around = scope.around;
    // What is wrong is the value: it is shown where it comes from, the rule is named.
    let given = around.graph.call(around.world.copy(scope.copy).module).and_then(|(_, call)| {
        call.arguments.iter().find(|argument| argument.name.text == variable.name).map(|argument| argument.expr.span)
    });
    let module = around.graph.module(around.world.copy(scope.copy).module);
    let root = module.caller.is_none();
    let given = given.or_else(|| around.config.layers[module.layer].assignments.place(&variable.name).filter(|_| root));
    let mut said = Diagnostics::none();
    for rule in &variable.validations {
        let outcome = evaluate(&rule.condition, scope);
        let mut found = outcome.said;
        match outcome.value.map(|value| truth(&value)) {
            Some(Truth::Yes | Truth::Open) | None => {}
            Some(Truth::Neither) => {
                let detail = "A validation is either true or false, and not null or another kind of value.";
                found.push(Diagnostic::error("Invalid variable validation result", detail).at(rule.condition.span));
            }
            Some(Truth::No) => {
                let text = match message(rule, scope, &mut found) {
                    Some(Ok(text)) => text,
                    Some(Err(None)) | None => "The condition does not hold.".to_owned(),
                    Some(Err(Some(hidden))) => {
                        found.push(hidden.of_validation().at(rule.error_message.span));
                        hidden.instead().to_owned()
                    }
                };
                let (span, condition) = (rule.span, &rule.condition);
                let rule = crate::config::place(&around.config.sources, span);
                let detail = format!("{text}\n\nThis was checked by the validation rule at {rule}.");
                let mut error = Diagnostic::error("Invalid value for variable", detail);
                error.values = involved(condition, scope, Blame::Nothing);
                found.push(error.at(given.unwrap_or(variable.span)).of_rule(span));
            }
        }
        said.append(found.located(None, Some(&within)));
    }
    said
}
