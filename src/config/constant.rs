//! What can be known of a module before anything is planned: for the source and the version of the modules it calls.
//!
//! In: a module's blocks and the arguments it was called with. Out: values of variables and locals, as far as they name
//! nothing else. Not here: values that need objects or other modules (`plan`).

use std::cell::RefCell;

use crate::addr::Name;
use crate::diag::{Diagnostic, Diagnostics, Outcome, Span};
use crate::lang::eval::{Reference, Scope, TEMPLATES, evaluate, references};
use crate::lang::functions::Context;
use crate::lang::syntax::ast::{Attribute, Expr};
use crate::value::{Marks, Type, Value, convert};

use super::assign::Assignments;
use super::block::text_of;
use super::load::LoadOptions;
use super::model::{Module, Variable};

/// Where the values of a module's variables come from.
pub enum Given<'a> {
    /// From outside, for a root module.
    Root(&'a Assignments),
    /// From the block that calls it.
    Call {
        /// Its arguments.
        arguments: &'a [Attribute],
        /// What they may name.
        caller: &'a Constants<'a>,
    },
}

/// Names in expressions that have to be known before anything is planned.
pub struct Constants<'a> {
    module: &'a Module,
    given: &'a Given<'a>,
    context: Context<'a>,
    /// The locals that are being evaluated, outermost first.
    open: RefCell<Vec<Name>>,
}

impl<'a> Constants<'a> {
    /// Those of a module.
    pub fn new(module: &'a Module, given: &'a Given<'a>, options: &'a LoadOptions) -> Self {
        let context = Context {
            base: &module.dir,
            files: &*options.files,
            plan_time: None,
            now: None,
            env: None,
            templates: Some(&TEMPLATES),
        };
        Constants { module, given, context, open: RefCell::default() }
    }

    /// The text of an argument such as `source`. `None` when it cannot be known, which is said.
    pub fn text(&self, argument: &str, expr: &Expr, said: &mut Diagnostics) -> Option<String> {
        if let Some(text) = text_of(expr) {
            return Some(text.to_string());
        }
        if references(expr).is_empty() && argument == "source" {
            let detail = "The source of a module is a text that is known before anything is planned.";
            let wrong = Diagnostic::error("Invalid module source", detail).at(expr.span);
            return self.evaluated(expr, wrong, said);
        }
        let detail = format!(
            "The argument {argument:?} of a module is a text that is known before anything is planned, not sensitive and not null."
        );
        let wrong = Diagnostic::error("Unsuitable value type", detail).at(expr.span);
        self.evaluated(expr, wrong, said)
    }

    fn evaluated(&self, expr: &Expr, wrong: Diagnostic, said: &mut Diagnostics) -> Option<String> {
        let value = evaluate(expr, self).take(said)?;
        if value.marks_deep().contains(Marks::SENSITIVE) {
            let detail =
                "Where a module comes from is shown to everybody, so that sensitive values cannot be part of it.";
            said.push(Diagnostic::error("Sensitive value not allowed", detail).at(expr.span));
            return None;
        }
        let text = match convert(&value, &Type::String) {
            Ok(Value::String(text)) => Some(text.to_string()),
            _ => None,
        };
        if text.is_none() {
            said.push(wrong);
        }
        text
    }

    /// Keys and values of a `for_each` that is known before planning. `None` when it is not, which is said.
    pub fn keys(&self, expr: &Expr, said: &mut Diagnostics) -> Option<Vec<(Name, Value)>> {
        let value = evaluate(expr, self).take(said)?;
        let mut fail = |detail: String| {
            said.push(Diagnostic::error("Invalid for_each argument", detail).at(expr.span));
            None
        };
        let (value, marks) = value.unmark();
        if marks.contains(Marks::SENSITIVE) {
            return fail("Sensitive values cannot be used: every plan shows the keys.".to_owned());
        }
        match &value {
            Value::Null(_) => fail("The given \"for_each\" argument value is null.".to_owned()),
            Value::Map(map) => Some(map.entries.iter().cloned().collect()),
            Value::Object(entries) => Some(entries.iter().cloned().collect()),
            Value::Set(set) if set.items.iter().all(|item| item.as_str().is_some()) => {
                Some(set.items.iter().filter_map(|item| Some((Name::from(item.as_str()?), item.clone()))).collect())
            }
            other => fail(format!(
                "The given \"for_each\" argument value is unsuitable: a map or a set of texts is needed, known before planning, and \
                 this is {}.",
                other.ty().friendly()
            )),
        }
    }

    /// The value of a variable, if something gives it one before planning.
    fn variable(&self, variable: &Variable) -> Option<Outcome<Value>> {
        let given = match self.given {
            Given::Root(assigned) => assigned.value(variable),
            Given::Call { arguments, caller } => {
                let argument = arguments.iter().find(|argument| argument.name.text == variable.name);
                argument.map(|argument| evaluate(&argument.expr, *caller))
            }
        };
        let null = |given: &Outcome<Value>| matches!(given.value, Some(Value::Null(_)));
        match given {
            Some(given) if !null(&given) || (variable.nullable && variable.default.is_none()) => Some(given),
            _ => variable.default.as_ref().map(|default| evaluate(default, self)),
        }
    }

    fn local(&self, name: &Name, span: Span) -> Result<Value, Box<Diagnostic>> {
        let Some(local) = self.module.locals.get(name) else {
            let detail = format!("There is no local value named {:?} in this module.", name.as_str());
            return Err(Box::new(Diagnostic::error("Reference to undeclared local value", detail).at(span)));
        };
        if self.open.borrow().contains(name) {
            return Err(Box::new(
                Diagnostic::error(format!("Cycle: local.{name}"), "This value needs itself.").at(span),
            ));
        }
        self.open.borrow_mut().push(name.clone());
        let outcome = evaluate(&local.expr, self);
        self.open.borrow_mut().pop();
        first_error(outcome, span)
    }
}

/// The value, or the first of the errors.
fn first_error(outcome: Outcome<Value>, span: Span) -> Result<Value, Box<Diagnostic>> {
    outcome.into_result().map(|(value, _)| value).map_err(|said| {
        let first = said.into_iter().find(Diagnostic::is_error);
        Box::new(first.unwrap_or_else(|| Diagnostic::error("Unsuitable value", "").at(span)))
    })
}

impl Scope for Constants<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        match reference {
            Reference::Var(name) => {
                let Some(variable) = self.module.variables.get(name) else {
                    let detail = format!("There is no variable named {:?} in this module.", name.as_str());
                    return Err(Box::new(Diagnostic::error("Reference to undeclared input variable", detail).at(span)));
                };
                let Some(given) = self.variable(variable) else {
                    let detail = format!(
                        "Nothing gives the variable {:?} a value before planning, and it has no default.",
                        name.as_str()
                    );
                    return Err(Box::new(Diagnostic::error("No value for required variable", detail).at(span)));
                };
                let value = convert(&first_error(given, span)?, &variable.ty).map_err(|error| {
                    Box::new(Diagnostic::error("Invalid value for variable", error.to_string()).at(span))
                })?;
                Ok(if variable.sensitive { value.sensitive() } else { value })
            }
            Reference::Local(name) => self.local(name, span),
            other => {
                let detail = format!(
                    "{other} cannot be used here: which modules there are is known before anything is planned. Variables and \
                     local values may be used that name nothing else."
                );
                Err(Box::new(Diagnostic::error("Variables not allowed", detail).at(span)))
            }
        }
    }

    fn functions(&self) -> &Context<'_> {
        &self.context
    }
}
