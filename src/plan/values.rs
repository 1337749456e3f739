//! Values of variables, locals and outputs in one copy of their module. Used by plan, and by apply for what became known.

use crate::config::{CheckRule, Output, Variable};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::graph::{Node, NodeId};
use crate::lang::eval::{Scope, evaluate};
use crate::value::{Marks, Type, Value, convert};

use super::scope::{ModuleScope, Surroundings};
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
        Node::Resource(..) | Node::Data(..) | Node::ModuleCall(..) | Node::ModuleEnd(..) | Node::Provider(_) => {
            Outcome::ok(Value::NULL)
        }
    }
}

fn variable_value(around: Surroundings<'_>, variable: &Variable, copy: CopyId) -> Outcome<Value> {
    let mut said = Diagnostics::none();
    let this = around.world.copy(copy);
    let given = match this.parent {
        None => {
            let layer = &around.config.layers[around.graph.module(this.module).layer];
            match layer.assigned(variable) {
                None => None,
                Some(outcome) => {
                    let Some(value) = outcome.take(&mut said) else { return Outcome::fail(said) };
                    Some((value, None))
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
                    Some((value, Some(argument.expr.span)))
                }
            }
        }
    };
    let given = given.filter(|(value, _)| variable.nullable || !value.is_null());
    let (value, span) = match given {
        Some(given) => given,
        None => match &variable.default {
            Some(default) => {
                let Some(value) = evaluate(default, &ModuleScope::plain(around, copy)).take(&mut said) else {
                    return Outcome::fail(said);
                };
                (value, Some(default.span))
            }
            None if around.offline => (Value::unknown(variable.ty.clone()), None),
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
    Outcome::with(if output.sensitive { value.sensitive() } else { value }, said)
}

/// The validations of a variable whose value is already known to the scope.
pub fn validate_variable(scope: &ModuleScope<'_>, variable: &Variable) -> Diagnostics {
    let within = format!("variable {:?}", variable.name.as_str());
    let each = |rule: &CheckRule| check(rule, scope, "Invalid value for variable").located(None, Some(&within));
    variable.validations.iter().flat_map(each).collect()
}

/// Evaluates a condition: nothing to say when it holds or is not known yet.
pub fn check(rule: &CheckRule, scope: &dyn Scope, summary: &str) -> Diagnostics {
    let outcome = evaluate(&rule.condition, scope);
    let mut said = outcome.said;
    let Some(value) = outcome.value else { return said };
    match convert(&value, &Type::Bool).as_ref().map(|value| (value.is_known(), value.as_bool())) {
        Ok((false, _)) | Ok((true, Some(true))) => {}
        Ok((true, Some(false))) => {
            let message = evaluate(&rule.error_message, scope);
            said.append(message.said);
            let text = match message.value {
                Some(text) if text.marks_deep().contains(Marks::SENSITIVE) => {
                    "The error message included a sensitive value, so it will not be displayed.".to_owned()
                }
                Some(text) => text.as_str().unwrap_or("The condition does not hold.").to_owned(),
                None => "The condition does not hold.".to_owned(),
            };
            let detail = format!("{text}\n\nThis was checked by the rule at the place shown.");
            let detail = if summary == "Invalid value for variable" { detail } else { text };
            said.push(Diagnostic::error(summary, detail).at(rule.condition.span));
        }
        Ok((true, None)) | Err(_) => said.push(
            Diagnostic::error(
                "Invalid condition result",
                "Condition expression must return either true or false, not null or another kind of value.",
            )
            .at(rule.condition.span),
        ),
    }
    said
}
