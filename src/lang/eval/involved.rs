//! The values that were involved in an error, described in a few words.

use crate::lang::syntax::ast::Expr;
use crate::value::{Marks, Type, Value};

use super::Scope;
use super::evaluator::Evaluator;
use super::find::{names, traversals};

impl<'a> Evaluator<'a> {
    /// What the traversals in an expression are now, each once and in order: `local.o` and `is object with 2 attributes`.
    pub(super) fn involved(&mut self, expr: &'a Expr) -> Vec<(String, String)> {
        self.involved_for(expr, Blame::default())
    }

    fn involved_for(&mut self, expr: &'a Expr, blame: Blame) -> Vec<(String, String)> {
        let mut described = Vec::new();
        for traversal in traversals(expr) {
            // Of a traversal that fails, the longest part that does not.
            let mut part = traversal;
            let found = loop {
                if let Some(value) = self.silently(part) {
                    break describe(&value, blame).map(|words| (names(part), words));
                }
                match part.source() {
                    Some(source) => part = source,
                    None => break None,
                }
            };
            described.extend(found);
        }
        described.sort();
        described.dedup();
        described
    }

    /// The value, if it can be evaluated; nothing is said.
    pub(super) fn silently(&mut self, expr: &'a Expr) -> Option<Value> {
        let before = self.said.0.len();
        self.quiet += 1;
        let value = self.value(expr);
        self.quiet -= 1;
        self.said.0.truncate(before);
        value.ok()
    }
}

/// What about values is to blame for what is wrong, so that it is worth telling of those that are so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Blame {
    /// Something else.
    #[default]
    Nothing,
    /// That they are not known yet.
    Unknown,
    /// That they are sensitive.
    Sensitive,
    /// That they are ephemeral.
    Ephemeral,
}

/// What the traversals in an expression are, each once and in order: its words and a few about its value, which follow them.
pub fn involved(expr: &Expr, scope: &dyn Scope, blame: Blame) -> Vec<(String, String)> {
    Evaluator::new(scope).involved_for(expr, blame)
}

/// A value in a few words, as the end of a sentence about it: `is "abc"`, `is list of string with 2 elements`. Nothing of a
/// sensitive value is told; `None` where there is nothing to tell.
pub fn describe(value: &Value, blame: Blame) -> Option<String> {
    for (mark, words, to_blame) in [
        (Marks::SENSITIVE, "has a sensitive value", Blame::Sensitive),
        (Marks::EPHEMERAL, "has an ephemeral value", Blame::Ephemeral),
    ] {
        if value.marks().contains(mark) {
            return (blame == to_blame).then(|| words.to_owned());
        }
    }
    match value.bare() {
        Value::Unknown(unknown) => of_unknown(&unknown.ty, blame),
        value => Some(of_known(value)),
    }
}

fn of_unknown(ty: &Type, blame: Blame) -> Option<String> {
    match (blame, ty) {
        (Blame::Unknown, ty) if ty.is_primitive() => Some(format!("is a {}, known only after apply", ty.friendly())),
        (Blame::Unknown, _) => Some("will be known only after apply".to_owned()),
        (_, Type::Any) => None,
        (_, ty) => Some(format!("is a {}", ty.friendly())),
    }
}

fn of_known(value: &Value) -> String {
    let elements = |kind: String, count: usize| match count {
        0 => format!("is empty {kind}"),
        1 => format!("is {kind} with 1 element"),
        _ => format!("is {kind} with {count} elements"),
    };
    match value {
        Value::Null(_) => "is null".into(),
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
        Value::Marked(_) | Value::Unknown(_) => String::new(),
    }
}
