//! Calls of functions; `try` and `can`, whose arguments may fail; `convert`, which takes a type.

use crate::diag::{Span, did_you_mean};
use crate::lang::decode::type_constraint;
use crate::lang::functions::{self, Function, FunctionError};
use crate::lang::syntax::ast::{Call, Expr};
use crate::value::{Entries, Marks, Type, Value, convert};

use super::budget;
use super::evaluator::{Evaluated, Evaluator, Failed};

/// The functions that are no others' like, as they do not get all of their arguments evaluated.
const SPECIAL: [&str; 3] = ["try", "can", "convert"];

/// The arguments of a call that are values. The second one of `convert` is a type.
pub(super) fn values(call: &Call) -> &[Expr] {
    match call.name.text.as_str() {
        "convert" | "core::convert" => call.arguments.get(..1).unwrap_or_default(),
        _ => &call.arguments,
    }
}

impl<'a> Evaluator<'a> {
    pub(super) fn call(&mut self, call: &'a Call, span: Span) -> Evaluated {
        let name = call.name.text.as_str();
        match name.strip_prefix("core::").unwrap_or(name) {
            "try" => self.try_call(call, span),
            "can" => self.can_call(call, span),
            "convert" => self.convert_call(call, span),
            bare => match self.named(name, bare) {
                Some(function) => self.plain_call(function, call, span),
                None => Err(self.unknown_function(call)),
            },
        }
    }

    /// The function of a name, which without `core::` in front is `bare`.
    fn named(&self, name: &str, bare: &str) -> Option<&'static Function> {
        if let Some((provider, name)) = name.strip_prefix("provider::").and_then(|name| name.split_once("::")) {
            return self.scope.provided(provider, name);
        }
        functions::lookup(bare).filter(|_| bare == name || name.starts_with("core::"))
    }

    fn plain_call(&mut self, function: &'static Function, call: &'a Call, span: Span) -> Evaluated {
        if let ("templatestring", Some(template)) = (function.name, call.arguments.first())
            && !template.is_traversal()
        {
            let detail = "templatestring renders a template that comes from elsewhere, by a reference to it. One that is \
                          written out here needs no function; one that is put together belongs into a local value first.";
            return Err(self.error("Invalid function argument", detail, template.span, None));
        }
        // How many there are is looked at before what they are.
        if !call.expand_last
            && let Err(error) = function.count(call.arguments.len())
        {
            return Err(self.failed_call(function, &error, call, span));
        }
        let (mut arguments, mut failed) = (Vec::with_capacity(call.arguments.len()), false);
        for argument in &call.arguments {
            match self.value(argument) {
                Ok(value) => arguments.push(value),
                Err(Failed) => failed = true,
            }
        }
        if failed {
            return Err(Failed);
        }
        let mut marks = Marks::NONE;
        if call.expand_last
            && let Some(last) = arguments.pop()
        {
            match self.expand(last, call, &mut arguments)? {
                Some(own) => marks = own,
                // How many arguments there are is not known yet.
                None => return Ok(Value::unknown(Type::Any)),
            }
        }
        for (index, argument) in arguments.iter().enumerate() {
            // A function that looks at marks itself does not go through all of the value.
            if function.param(index).is_some_and(|param| !param.allow_marked) {
                self.charge(argument, span)?;
            }
        }
        self.left = self.left.saturating_sub(function.effort(&arguments));
        if self.left == 0 {
            return Err(self.exhausted(span));
        }
        let context = self.scope.functions();
        let (result, left) = budget::share(self.left, || function.call(&arguments, context));
        self.left = left;
        match result {
            Ok(value) => {
                self.charge_result(&value, span)?;
                Ok(value.mark(marks))
            }
            Err(error) => Err(self.failed_call(function, &error, call, span)),
        }
    }

    /// Counts what a function has made: the bytes of a text, the elements of a collection.
    fn charge_result(&mut self, value: &Value, span: Span) -> Result<(), Failed> {
        if let Some(text) = value.as_str() {
            return self.charge_text(text.len(), span);
        }
        let elements = value.as_items().map_or(0, <[Value]>::len).max(value.as_entries().map_or(0, Entries::len));
        self.left = self.left.saturating_sub(elements as u64);
        Ok(())
    }

    /// Adds the elements of the last argument, which is followed by `...`, and gives its marks.
    fn expand(&mut self, last: Value, call: &'a Call, arguments: &mut Vec<Value>) -> Result<Option<Marks>, Failed> {
        let summary = "Invalid expanding argument value";
        let expr = call.arguments.last();
        let (last, marks) = last.unmark();
        let span = expr.map_or(call.name.span, |expr| expr.span);
        if last.is_null() {
            let detail = "The expanding argument (indicated by ...) must not be null.";
            let failed = self.error(summary, detail, span, expr);
            self.calling(call);
            return Err(failed);
        }
        if let Some(items) = last.as_items() {
            arguments.extend(items.iter().cloned());
            return Ok(Some(marks));
        }
        match &last {
            Value::Unknown(unknown)
                if matches!(unknown.ty, Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_)) =>
            {
                Ok(None)
            }
            _ => {
                let detail = "The expanding argument (indicated by ...) must be of a tuple, list, or set type.";
                let failed = self.error(summary, detail, span, expr);
                self.calling(call);
                Err(failed)
            }
        }
    }

    #[cold]
    fn failed_call(&mut self, function: &Function, error: &FunctionError, call: &'a Call, span: Span) -> Failed {
        let argument = error.index().and_then(|index| call.arguments.get(index).or(call.arguments.last()));
        let place = match (error, argument) {
            // Of what is spread it cannot be told which part is meant.
            (_, Some(argument)) if spread(call, error.index()) => argument.span,
            (_, Some(argument)) => argument.beginning(),
            (FunctionError::NotEnough { .. }, None) => Span { start: span.end.saturating_sub(1), ..span },
            (_, None) => Span { end: call.name.span.end + 1, ..call.name.span },
        };
        let detail = error.detail(function);
        let shown = argument.filter(|_| !spread(call, error.index()));
        let failed = self.error_in(span, error.summary(), detail, place, shown);
        self.calling(call);
        if argument.is_none()
            && self.quiet == 0
            && let Some(last) = self.said.0.len().checked_sub(1)
        {
            let involved: Vec<_> = values(call).iter().flat_map(|argument| self.involved(argument)).collect();
            let values = &mut self.said.0[last].values;
            values.extend(involved);
            values.sort();
            values.dedup();
        }
        failed
    }

    /// Says of the last error which call it happened in.
    fn calling(&mut self, call: &Call) {
        if let Some(last) = self.said.0.last_mut() {
            last.calling = Some(call.name.text.to_string());
        }
    }

    #[cold]
    fn unknown_function(&mut self, call: &Call) -> Failed {
        let name = call.name.text.as_str();
        let (summary, detail) = match name.rsplit_once("::") {
            None if name == "type" && self.scope.is_console() => (
                "Invalid use of type function",
                "type(...) stands alone on a line: what it gives is no value that could be worked with.".to_owned(),
            ),
            None if matches!(name, "list" | "map") => {
                let instead = if name == "list" { "tolist([ ... ])" } else { "tomap({ ... })" };
                let detail = format!(
                    "Call to function {name:?} failed: there is no such function any more since Terraform 0.12; write {instead}."
                );
                ("Error in function call", detail)
            }
            None => {
                let known = functions::names().chain(SPECIAL);
                let hint = did_you_mean(name, known);
                ("Call to unknown function", format!("There is no function named {name:?}.{hint}"))
            }
            Some(("core", bare)) => {
                let hint = did_you_mean(bare, functions::names().chain(SPECIAL));
                ("Unknown provider function", format!("There is no built-in function named {bare:?}.{hint}"))
            }
            Some((namespace, _)) if namespace.starts_with("provider::") => (
                "Unknown provider function",
                format!(
                    "There is no function named {name:?}. The module has to name the provider in its required_providers, and the \
                     provider has to offer such a function."
                ),
            ),
            Some((namespace, _)) => (
                "Unknown provider function",
                format!(
                    "There is no function namespace {namespace:?}. Functions of providers begin with \"provider::\", built-in ones with \"core::\" or nothing."
                ),
            ),
        };
        self.error(summary, detail, call.name.span, None)
    }

    /// The first argument that can be evaluated.
    fn try_call(&mut self, call: &'a Call, span: Span) -> Evaluated {
        if call.arguments.is_empty() {
            let detail = "Call to function \"try\" failed: at least one argument is required.";
            return Err(self.error("Error in function call", detail, span, None));
        }
        if call.expand_last
            && let [only] = &*call.arguments
        {
            // Elements are values already: the first one is taken.
            let last = self.value(only)?;
            let mut elements = Vec::new();
            let Some(marks) = self.expand(last, call, &mut elements)? else { return Ok(Value::unknown(Type::Any)) };
            if let Some(first) = elements.into_iter().next() {
                return Ok(first.mark(marks));
            }
        }
        let mut reasons = Vec::new();
        for argument in &call.arguments {
            let before = self.said.0.len();
            match self.attempt(argument) {
                // Whether it will succeed once everything is known is open, and so is which argument is chosen.
                Ok(value) if !value.is_wholly_known() => {
                    return Ok(Value::unknown_marked(Type::Any, value.marks_deep()));
                }
                Ok(value) => return Ok(value),
                Err(Failed) => {
                    reasons.extend(self.said.0.drain(before..).filter(|_| self.quiet == 0));
                }
            }
        }
        if !reasons.is_empty() && reasons.iter().all(|reason| reason.summary == functions::UNSET) {
            let mut details: Vec<&str> = reasons.iter().map(|reason| reason.detail.as_str()).collect();
            details.dedup();
            let detail = format!("No alternative of \"try\" can be used. {}", details.join(" "));
            return Err(self.error(functions::UNSET, detail, span, None));
        }
        let reasons: String =
            reasons.iter().map(|reason| format!("\n- {}\n  {}", reason.summary, reason.detail)).collect();
        let detail = format!(
            "Call to function \"try\" failed: no expression succeeded:{reasons}\n\nAt least one expression must produce a successful result."
        );
        let failed = self.error("Error in function call", detail, span, None);
        if self.quiet == 0
            && let Some(last) = self.said.0.len().checked_sub(1)
        {
            self.said.0[last].values = call.arguments.iter().flat_map(|argument| self.involved(argument)).collect();
        }
        Err(failed)
    }

    /// Whether the argument can be evaluated.
    fn can_call(&mut self, call: &'a Call, span: Span) -> Evaluated {
        let mut count = call.arguments.len();
        if call.expand_last
            && let Some(last) = call.arguments.last()
        {
            let last = self.value(last)?;
            let mut elements = Vec::new();
            if self.expand(last, call, &mut elements)?.is_none() {
                return Ok(Value::unknown_not_null(Type::Bool));
            }
            count = count - 1 + elements.len();
        }
        let (1, [argument]) = (count, &*call.arguments) else {
            let (summary, detail) = match count {
                0 => (
                    "Not enough function arguments",
                    "Function \"can\" expects 1 argument(s). Missing value for \"expression\".",
                ),
                _ => ("Too many function arguments", "Function \"can\" expects only 1 argument(s)."),
            };
            return Err(self.error(summary, detail, call.arguments.get(1).map_or(span, |extra| extra.span), None));
        };
        let before = self.said.0.len();
        let result = self.attempt(argument);
        self.said.0.truncate(before);
        Ok(match result {
            Ok(value) if !value.is_wholly_known() => Value::unknown_not_null(Type::Bool),
            result => Value::Bool(result.is_ok()),
        })
    }

    /// The first argument as a value of the type that the second one names.
    fn convert_call(&mut self, call: &'a Call, span: Span) -> Evaluated {
        let [argument, constraint] = &*call.arguments else {
            let missing = if call.arguments.is_empty() { "value" } else { "type" };
            let (summary, detail) = match call.arguments.len() {
                0 | 1 => (
                    "Not enough function arguments",
                    format!("Function \"convert\" expects 2 argument(s). Missing value for \"{missing}\"."),
                ),
                _ => ("Too many function arguments", "Function \"convert\" expects only 2 argument(s).".to_owned()),
            };
            return Err(self.error(summary, detail, call.arguments.get(2).map_or(span, |extra| extra.span), None));
        };
        if call.expand_last {
            let detail = "The second argument of \"convert\" is a type, which has no elements to expand.";
            return Err(self.error("Invalid expanding argument value", detail, constraint.span, None));
        }
        let value = self.value(argument);
        if let Ok(value) = &value {
            self.charge(value, argument.span)?;
        }
        let (ty, defaults) = type_constraint(constraint).take(&mut self.said).ok_or(Failed)?;
        convert(&defaults.apply(&value?), &ty).map_err(|error| {
            let detail = format!("Invalid value for \"value\" parameter: {error}.");
            self.error("Invalid function argument", detail, argument.span, Some(argument))
        })
    }

    /// Evaluates an argument without gathering what was involved in errors.
    fn attempt(&mut self, argument: &'a Expr) -> Evaluated {
        self.quiet += 1;
        let result = self.value(argument);
        self.quiet -= 1;
        result
    }
}

/// Whether an argument comes from the last one in writing, whose elements are spread.
fn spread(call: &Call, index: Option<usize>) -> bool {
    call.expand_last && index.is_some_and(|index| index + 1 >= call.arguments.len())
}
