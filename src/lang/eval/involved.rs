//! The values that were involved in an error, described in a few words.

use crate::lang::syntax::ast::Expr;
use crate::value::{Marks, Value};

use super::Scope;
use super::evaluator::Evaluator;
use super::find::{names, traversals};

impl<'a> Evaluator<'a> {
    /// What the traversals in an expression are now, each once: `local.o` and `is object with 2 attributes`.
    pub(super) fn involved(&mut self, expr: &'a Expr) -> Vec<(String, String)> {
        let mut described = Vec::new();
        for traversal in traversals(expr) {
            // Of a traversal that fails, the longest part that does not.
            let mut part = traversal;
            let found = loop {
                if let Some(value) = self.silently(part) {
                    break Some((names(part), describe(&value)));
                }
                match part.source() {
                    Some(source) => part = source,
                    None => break None,
                }
            };
            if let Some(found) = found.filter(|found| !described.contains(found)) {
                described.push(found);
            }
        }
        described
    }

    /// Whether the value of anything an expression names is not wholly known.
    pub(super) fn depends_on_unknown(&mut self, expr: &'a Expr) -> bool {
        traversals(expr).into_iter().any(|part| self.silently(part).is_some_and(|value| !value.is_wholly_known()))
    }

    /// The value, if it can be evaluated; nothing is said.
    fn silently(&mut self, expr: &'a Expr) -> Option<Value> {
        let before = self.said.0.len();
        self.quiet += 1;
        let value = self.value(expr);
        self.quiet -= 1;
        self.said.0.truncate(before);
        value.ok()
    }
}

/// What the traversals in an expression are, each once: its words and a few about its value, which follow them.
pub fn involved(expr: &Expr, scope: &dyn Scope) -> Vec<(String, String)> {
    Evaluator::new(scope).involved(expr)
}

/// A value in a few words, as the end of a sentence about it: `is "abc"`, `is list of string with 2 elements`. Nothing of a
/// sensitive value is told.
pub fn describe(value: &Value) -> String {
    if value.marks().contains(Marks::SENSITIVE) {
        return "has a sensitive value".into();
    }
    if value.marks().contains(Marks::EPHEMERAL) {
        return "has an ephemeral value".into();
    }
    let elements = |kind: String, count: usize| match count {
        0 => format!("is empty {kind}"),
        1 => format!("is {kind} with 1 element"),
        _ => format!("is {kind} with {count} elements"),
    };
    match value.bare() {
        Value::Null(_) => "is null".into(),
        Value::Unknown(unknown) if !unknown.ty.is_primitive() => "will be known only after apply".into(),
        Value::Unknown(unknown) => format!("is a {}, known only after apply", unknown.ty.friendly()),
        Value::Bool(value) => format!("is {value}"),
        Value::Number(number) => format!("is {number}"),
        Value::String(text) if text.chars().count() > 100 => {
            format!(
                "is a text of {} characters that begins with {:?}",
                text.chars().count(),
                text.chars().take(60).collect::<String>()
            )
        }
        Value::String(text) => format!("is {:?}", text.as_str()),
        Value::List(sequence) | Value::Set(sequence) => elements(value.ty().friendly(), sequence.items.len()),
        Value::Tuple(items) => elements("tuple".into(), items.len()),
        Value::Map(mapping) => elements(value.ty().friendly(), mapping.entries.len()),
        Value::Object(entries) => match entries.len() {
            0 => "is object with no attributes".into(),
            1 => {
                let name = entries.keys().next().map_or("", |name| name.as_str());
                format!("is object with 1 attribute {name:?}")
            }
            count => format!("is object with {count} attributes"),
        },
        Value::Marked(_) => String::new(),
    }
}
