//! What came of a run: its outputs, and whether its conditions hold.

use crate::addr::Name;
use crate::config::{CheckRule, TestRun};
use crate::diag::{Diagnostic, Diagnostics};
use crate::event::TestStatus;
use crate::graph::Graph;
use crate::lang::eval::{Blame, Scope, evaluate, involved};
use crate::plan::world::World;
use crate::value::{Marks, Type, Value, convert};

/// The outputs of the tested module, as an object.
pub(super) fn outputs(graph: &Graph, world: &World) -> Value {
    let Some(root) = graph.roots.last() else { return Value::NULL };
    let module = graph.module(*root);
    let Some(copy) = world.copies_of(*root).first() else { return Value::NULL };
    let one = |name: &Name| {
        let known = module.shape.output(name).and_then(|offset| world.get(*copy, offset)).cloned();
        (name.clone(), known.unwrap_or_else(|| Value::unknown(Type::Any)))
    };
    Value::object(module.module.outputs.keys().map(one))
}

/// Evaluates the conditions of a run.
pub(super) fn conditions(run: &TestRun, scope: &dyn Scope, said: &mut Diagnostics) -> TestStatus {
    let mut status = TestStatus::Pass;
    for rule in &run.asserts {
        let mut found = Diagnostics::none();
        status = status.max(condition(rule, scope, &mut found));
        said.append(found.located(None, Some(&format!("run {:?}", run.name.as_str()))));
    }
    status
}

fn condition(rule: &CheckRule, scope: &dyn Scope, said: &mut Diagnostics) -> TestStatus {
    let span = rule.condition.span;
    let outcome = evaluate(&rule.condition, scope);
    let failed = outcome.has_errors();
    said.append(outcome.said);
    let message = evaluate(&rule.error_message, scope);
    let message_failed = message.has_errors();
    let value = outcome.value.filter(|_| !failed);
    let Some(value) = value.filter(|_| !message_failed) else {
        said.append(message.said);
        return TestStatus::Error;
    };
    let mut wrong = |summary: &str, detail: &str| {
        let mut error = Diagnostic::error(summary, detail).at(span);
        error.values = involved(&rule.condition, scope, Blame::Nothing);
        said.push(error);
        TestStatus::Error
    };
    match convert(&value, &Type::Bool) {
        Ok(value) if !value.is_known() => wrong(
            "Unknown condition value",
            "The condition looks at something that only apply can tell. Take command = apply for this run, or look at what the \
             configuration says alone.",
        ),
        Ok(value) => match value.as_bool() {
            Some(true) => TestStatus::Pass,
            Some(false) => {
                let Some(text) = text(rule, message.value, said) else { return TestStatus::Error };
                let mut error = Diagnostic::error("Test assertion failed", text).at(span);
                error.values = involved(&rule.condition, scope, Blame::Nothing);
                said.push(error);
                TestStatus::Fail
            }
            None => wrong("Invalid condition run", "A condition is either true or false, and this one is null."),
        },
        Err(error) => wrong("Invalid condition run", &format!("A condition is either true or false: {error}.")),
    }
}

/// The words of a condition that does not hold.
fn text(rule: &CheckRule, message: Option<Value>, said: &mut Diagnostics) -> Option<String> {
    let value = message?;
    let span = rule.error_message.span;
    if value.marks_deep().contains(Marks::SENSITIVE) {
        let detail =
            "It is not shown. Name no sensitive values in it, or use nonsensitive() where it gives nothing away.";
        said.push(Diagnostic::warning("Error message refers to sensitive values", detail).at(span));
        return Some("The error message included a sensitive value, so it will not be displayed.".to_owned());
    }
    if value.marks_deep().contains(Marks::EPHEMERAL) {
        let detail = "It is not shown. Name no ephemeral values in it, or use ephemeralasnull() on them.";
        said.push(Diagnostic::warning("Error message refers to ephemeral values", detail).at(span));
        return Some("The error message included an ephemeral value, so it will not be displayed.".to_owned());
    }
    let wrong = match convert(&value, &Type::String) {
        Ok(text) if !text.is_known() => "it is known only after apply".to_owned(),
        Ok(text) if !text.is_null() => return text.as_str().map(|text| text.trim().to_owned()),
        Ok(_) => "it is null".to_owned(),
        Err(error) => error.to_string(),
    };
    said.push(Diagnostic::error("Invalid error message", format!("It has to be a text: {wrong}.")).at(span));
    None
}
