//! The front end of all functions: counting and converting arguments, nulls, unknown values and marks.

use std::sync::Arc;

use super::Context;
use crate::value::redact::WITHHELD;
use crate::value::{Marks, Refinement, Type, Unknown, Value, convert};

/// A function.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// The parameter that takes all further arguments.
    pub variadic: Option<Param>,
    /// The type of the result, for when it is unknown.
    pub returns: Returns,
    /// Does the work. Arguments are counted and converted; nulls, unknown values and marks are gone unless the parameter
    /// allows them.
    pub(super) run: Run,
}

pub(super) type Run = fn(&[Value], &Context<'_>) -> Result<Value, FunctionError>;

/// A parameter.
#[derive(Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What arguments are converted to.
    pub ty: ParamType,
    /// Whether null is an argument like others.
    pub allow_null: bool,
    /// Whether the function wants to see unknown arguments.
    pub allow_unknown: bool,
    /// Whether the function sees marks, and puts those of this argument on the result itself.
    pub allow_marked: bool,
}

/// What an argument is converted to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParamType {
    /// Nothing; it is taken as it is.
    Any,
    /// `bool`.
    Bool,
    /// `number`.
    Number,
    /// `string`.
    String,
    /// `list(any)`.
    List,
    /// `list(bool)`.
    Bools,
    /// `list(string)`.
    Strings,
    /// `set(any)`.
    Set,
    /// `map(list(string))`.
    StringListMap,
}

/// The type of a function's result.
#[derive(Clone, Copy)]
pub enum Returns {
    /// Always a truth value, never null.
    Bool,
    /// Always a number, never null.
    Number,
    /// Always a string, never null.
    String,
    /// Anything.
    Any,
    /// Found from the arguments.
    From(fn(&[Value]) -> Type),
    /// Found from the arguments, and never null.
    NotNull(fn(&[Value]) -> Type),
}

/// What the error of an environment variable without a value is called.
pub const UNSET: &str = "Environment variable not set";

/// Why a call failed. The words are Terraform's; they never contain sensitive values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FunctionError {
    /// An argument is missing.
    NotEnough {
        /// The first parameter without an argument.
        missing: &'static str,
    },
    /// There are arguments without a parameter, from this index on.
    TooMany {
        /// The first of them.
        index: usize,
    },
    /// An argument is wrong.
    Argument {
        /// Its index.
        index: usize,
        /// What is wrong with it.
        message: String,
    },
    /// The environment variable that was asked for is not set.
    Unset {
        /// Its name.
        variable: String,
    },
    /// The call as a whole failed.
    Failed {
        /// Why.
        message: String,
    },
}

impl ParamType {
    /// The type.
    pub fn ty(self) -> Type {
        match self {
            ParamType::Any => Type::Any,
            ParamType::Bool => Type::Bool,
            ParamType::Number => Type::Number,
            ParamType::String => Type::String,
            ParamType::List => Type::list(Type::Any),
            ParamType::Bools => Type::list(Type::Bool),
            ParamType::Strings => Type::list(Type::String),
            ParamType::Set => Type::set(Type::Any),
            ParamType::StringListMap => Type::map(Type::list(Type::String)),
        }
    }
}

impl Param {
    pub(super) const fn new(name: &'static str, ty: ParamType) -> Self {
        Param { name, ty, allow_null: false, allow_unknown: false, allow_marked: false }
    }

    pub(super) const fn any(name: &'static str) -> Self {
        Param::new(name, ParamType::Any)
    }

    pub(super) const fn string(name: &'static str) -> Self {
        Param::new(name, ParamType::String)
    }

    pub(super) const fn number(name: &'static str) -> Self {
        Param::new(name, ParamType::Number)
    }

    pub(super) const fn null(self) -> Self {
        Param { allow_null: true, ..self }
    }

    pub(super) const fn unknown(self) -> Self {
        Param { allow_unknown: true, ..self }
    }

    pub(super) const fn marked(self) -> Self {
        Param { allow_marked: true, ..self }
    }
}

impl FunctionError {
    /// The call failed.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        FunctionError::Failed { message: message.into() }
    }

    /// An argument is wrong.
    pub(super) fn argument(index: usize, message: impl Into<String>) -> Self {
        FunctionError::Argument { index, message: message.into() }
    }

    /// The error with everything withheld that its message quotes from sensitive arguments.
    fn without_secrets(self, arguments: &[Value]) -> Self {
        let mut secrets = Vec::new();
        arguments.iter().for_each(|argument| collect_secrets(argument, false, &mut secrets));
        if secrets.is_empty() {
            return self;
        }
        let withhold = |message: String| {
            // Parts of a secret may be quoted alone: the bad word of a timestamp, the name of a column.
            let mut out = String::new();
            for (index, part) in message.split('"').enumerate() {
                let secret = secrets.iter().any(|secret| !part.is_empty() && secret.contains(part));
                match (index % 2 == 1, secret) {
                    (true, true) => out.push_str(WITHHELD),
                    (true, false) => out.extend(["\"", part, "\""]),
                    (false, _) => out.push_str(part),
                }
            }
            let long = secrets.iter().filter(|secret| secret.chars().count() > 3);
            long.fold(out, |message, secret| message.replace(secret, WITHHELD))
        };
        match self {
            FunctionError::Argument { index, message } => FunctionError::Argument { index, message: withhold(message) },
            FunctionError::Failed { message } => FunctionError::Failed { message: withhold(message) },
            counted => counted,
        }
    }

    /// The summary of the diagnostic.
    pub fn summary(&self) -> &'static str {
        match self {
            FunctionError::NotEnough { .. } => "Not enough function arguments",
            FunctionError::TooMany { .. } => "Too many function arguments",
            FunctionError::Argument { .. } => "Invalid function argument",
            FunctionError::Unset { .. } => UNSET,
            FunctionError::Failed { .. } => "Error in function call",
        }
    }

    /// The detail of the diagnostic, a sentence.
    pub fn detail(&self, function: &Function) -> String {
        let name = function.name;
        let count = function.params.len();
        match self {
            FunctionError::NotEnough { missing } => {
                let least = if function.variadic.is_some() { "at least " } else { "" };
                format!("Function \"{name}\" expects {least}{count} argument(s). Missing value for \"{missing}\".")
            }
            FunctionError::TooMany { .. } => format!("Function \"{name}\" expects only {count} argument(s)."),
            FunctionError::Argument { index, message } => {
                let param = function.param(*index).map_or("", |param| param.name);
                format!("Invalid value for \"{param}\" parameter: {message}.")
            }
            FunctionError::Unset { variable } => format!("The environment variable {variable} is not set."),
            FunctionError::Failed { message } => format!("Call to function \"{name}\" failed: {message}."),
        }
    }

    /// The index of the argument to underline.
    pub fn index(&self) -> Option<usize> {
        match self {
            FunctionError::TooMany { index } | FunctionError::Argument { index, .. } => Some(*index),
            FunctionError::NotEnough { .. } | FunctionError::Unset { .. } | FunctionError::Failed { .. } => None,
        }
    }
}

/// The texts in a value that sensitive marks cover.
fn collect_secrets<'v>(value: &'v Value, covered: bool, found: &mut Vec<&'v str>) {
    let covered = covered || value.marks().contains(Marks::SENSITIVE);
    if let Some(text) = value.as_str().filter(|_| covered) {
        found.push(text);
    }
    if let Some(items) = value.as_items() {
        items.iter().for_each(|item| collect_secrets(item, covered, found));
    } else if let Some(entries) = value.as_entries() {
        entries.values().for_each(|part| collect_secrets(part, covered, found));
    }
}

impl Function {
    pub(super) const fn new(name: &'static str, params: &'static [Param], returns: Returns, run: Run) -> Self {
        Function { name, params, variadic: None, returns, run }
    }

    pub(super) const fn variadic(self, param: Param) -> Self {
        Function { variadic: Some(param), ..self }
    }

    /// The parameter an argument belongs to.
    pub fn param(&self, index: usize) -> Option<&Param> {
        self.params.get(index).or(self.variadic.as_ref())
    }

    /// How much more than an ordinary function it does, in steps of an evaluation: keys are stretched on purpose, and
    /// patterns compiled before anything is matched.
    pub fn effort(&self, arguments: &[Value]) -> u64 {
        match self.name {
            "bcrypt" => {
                let cost = arguments.get(1).and_then(Value::as_number).and_then(crate::value::Number::as_i64);
                // 2^14 rounds take about a second.
                1 << (cost.unwrap_or(10).clamp(10, 31) + 7)
            }
            "rsadecrypt" => 1 << 12,
            "regex" | "regexall" | "replace" => 1 << 6,
            _ => 0,
        }
    }

    /// Calls the function.
    ///
    /// # Errors
    /// When the number or the types of the arguments are wrong, or the function cannot do what is asked.
    pub fn call(&self, arguments: &[Value], context: &Context<'_>) -> Result<Value, FunctionError> {
        self.count(arguments.len())?;
        let mut marks = Marks::NONE;
        let mut ready = Vec::with_capacity(arguments.len());
        for (index, argument) in arguments.iter().enumerate() {
            let Some(param) = self.param(index) else { return Err(FunctionError::TooMany { index }) };
            let mut value = match param.ty {
                ParamType::Any => argument.clone(),
                ty => convert(argument, &ty.ty()).map_err(|error| FunctionError::argument(index, error.message))?,
            };
            if !param.allow_null && value.is_null() {
                return Err(FunctionError::argument(index, "argument must not be null"));
            }
            if !param.allow_marked {
                let (bare, own) = value.unmark_deep();
                (value, marks) = (bare, marks | own);
            }
            ready.push(value);
        }
        let waits = |(index, value): (usize, &Value)| {
            !value.is_known() && self.param(index).is_some_and(|param| !param.allow_unknown)
        };
        if ready.iter().enumerate().any(waits) {
            // Marks that the function would have looked at itself count too, as it cannot look.
            let seen = ready.iter().fold(Marks::NONE, |marks, value| marks | value.marks());
            return Ok(self.unknown(&ready).mark(marks | seen));
        }
        match (self.run)(&ready, context) {
            Ok(value) => Ok(value.mark(marks)),
            Err(error) => Err(error.without_secrets(arguments)),
        }
    }

    /// Whether it can be called with so many arguments.
    ///
    /// # Errors
    /// When there are too few or too many.
    pub fn count(&self, arguments: usize) -> Result<(), FunctionError> {
        if let Some(param) = self.params.get(arguments) {
            return Err(FunctionError::NotEnough { missing: param.name });
        }
        if self.variadic.is_none() && arguments > self.params.len() {
            return Err(FunctionError::TooMany { index: self.params.len() });
        }
        Ok(())
    }

    /// The type of its result when nothing is known of its arguments but what they are converted to.
    pub fn declared(&self) -> Type {
        let params = self.params.iter().chain(&self.variadic);
        self.unknown(&params.map(|param| Value::unknown(param.ty.ty())).collect::<Vec<_>>()).ty()
    }

    /// The unknown result of a call with these arguments.
    pub(super) fn unknown(&self, arguments: &[Value]) -> Value {
        let (ty, not_null) = match self.returns {
            Returns::Bool => (Type::Bool, true),
            Returns::Number => (Type::Number, true),
            Returns::String => (Type::String, true),
            Returns::Any => (Type::Any, false),
            Returns::From(find) => (find(arguments), false),
            Returns::NotNull(find) => (find(arguments), true),
        };
        let refinement = Refinement { not_null: not_null && ty != Type::Any, ..Refinement::default() };
        Value::Unknown(Arc::new(Unknown { ty, refinement }))
    }
}
