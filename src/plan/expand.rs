//! `count` and `for_each`: how many copies a block has.

use std::sync::Arc;

use crate::config::Resource;
use crate::diag::{Diagnostic, Outcome};
use crate::lang::eval::{Blame, Scope, evaluate, involved};
use crate::lang::syntax::ast::Expr;
use crate::value::{Marks, Type, Value, convert};

use super::world::{Repetition, Shaping};

/// The copies of a block, in order.
pub type Copies = (Shaping, Vec<Repetition>);

/// What a block says of its copies.
#[derive(Clone, Copy, Default)]
pub struct Repeated<'a> {
    /// `count`.
    pub count: Option<&'a Arc<Expr>>,
    /// `for_each`.
    pub for_each: Option<&'a Arc<Expr>>,
    /// `lifecycle { enabled }`.
    pub enabled: Option<&'a Arc<Expr>>,
}

impl<'a> Repeated<'a> {
    /// What a resource block says.
    pub fn of(resource: &'a Resource) -> Self {
        let Resource { count, for_each, enabled, .. } = resource;
        Repeated { count: count.as_ref(), for_each: for_each.as_ref(), enabled: enabled.as_ref() }
    }
}

/// Evaluates the repetition of a block. `open` says whether keys that are not known yet make one `[*]` (a project's pending
/// segment) or are an error (plain mode, as in Terraform).
pub fn copies(repeated: Repeated<'_>, scope: &dyn Scope, open: bool) -> Outcome<Copies> {
    match (repeated.count, repeated.for_each, repeated.enabled) {
        (None, None, None) => Outcome::ok((Shaping::Single, vec![Repetition::None])),
        (Some(count), _, _) => by_count(count, scope, open),
        (None, Some(for_each), _) => by_key(for_each, scope, open),
        (None, None, Some(enabled)) => by_switch(enabled, scope, open),
    }
}

/// One copy or none; the value of a block without its copy is null.
fn by_switch(expr: &Arc<Expr>, scope: &dyn Scope, open: bool) -> Outcome<Copies> {
    evaluate(expr, scope).and_then(|value| {
        let fail = |detail: &str| Outcome::fail(Diagnostic::error("Invalid enabled argument", detail).at(expr.span));
        let (value, marks) = value.unmark();
        if marks.contains(Marks::SENSITIVE) {
            return fail(
                "The value is sensitive, or derived from a sensitive one. Whether there is an instance is shown by every plan, \
                 and would give it away.",
            );
        }
        if marks.contains(Marks::EPHEMERAL) {
            return fail("The value is derived from an ephemeral value, which cannot be kept between plan and apply.");
        }
        if !value.is_known() {
            if open {
                return Outcome::ok((Shaping::Unknown, vec![Repetition::Unknown(Value::unknown(Type::Any))]));
            }
            return fail(
                "The value depends on what only apply will tell, so that it cannot be said whether there is an instance. First \
                 apply what it depends on, with -target.",
            );
        }
        if value.is_null() {
            return fail("The given \"enabled\" argument value is unsuitable: the given value is null.");
        }
        match convert(&value, &Type::Bool) {
            Ok(Value::Bool(true)) => Outcome::ok((Shaping::Single, vec![Repetition::None])),
            Ok(Value::Bool(false)) => Outcome::ok((Shaping::Single, Vec::new())),
            Ok(_) | Err(_) => fail("The given \"enabled\" argument value is unsuitable: a bool is required."),
        }
    })
}

/// The value of `for_each` that `each.value` comes from, evaluated anew: when plan made the copies, only its keys had to be
/// known.
pub fn each_values(for_each: &Arc<Expr>, scope: &dyn Scope) -> Outcome<Value> {
    evaluate(for_each, scope).and_then(|value| Outcome::ok(value.unmark().0))
}

fn by_count(expr: &Arc<Expr>, scope: &dyn Scope, open: bool) -> Outcome<Copies> {
    evaluate(expr, scope).and_then(|value| {
        let fail = |summary: &str, detail: &str| Outcome::fail(Diagnostic::error(summary, detail).at(expr.span));
        // How many copies there are is shown by every plan, sensitive or not: Terraform accepts that as well.
        let (value, marks) = value.unmark();
        if marks.contains(Marks::EPHEMERAL) {
            return fail(
                "Invalid count argument",
                "The given \"count\" is derived from an ephemeral value, which cannot be kept between plan and apply. Use \
                 only non-ephemeral values to specify the number of resource instances.",
            );
        }
        if !value.is_known() {
            if open {
                return Outcome::ok((Shaping::Unknown, vec![Repetition::Unknown(Value::unknown(Type::Any))]));
            }
            return fail(
                "Invalid count argument",
                "The \"count\" value depends on resource attributes that cannot be determined until apply, so it cannot be \
                 predicted how many instances will be created. To work around this, use the -target argument to first \
                 apply only the resources that the count depends on.",
            );
        }
        if value.is_null() {
            return fail(
                "Invalid count argument",
                "The given \"count\" argument value is null. An integer is required.",
            );
        }
        let number = convert(&value, &Type::Number);
        let count = number.as_ref().ok().and_then(Value::as_number).and_then(|number| number.as_u64());
        match count {
            Some(count) => Outcome::ok((Shaping::Count, (0..count).map(Repetition::Count).collect())),
            None => match number {
                Ok(_) => fail(
                    "Invalid count argument",
                    "The given \"count\" argument value is unsuitable: must be a whole number greater than or equal to zero.",
                ),
                Err(error) => fail("Incorrect value type", &format!("Invalid \"count\" value: {error}.")),
            },
        }
    })
}

fn by_key(expr: &Arc<Expr>, scope: &dyn Scope, open: bool) -> Outcome<Copies> {
    evaluate(expr, scope).and_then(|value| {
        let refuse = |summary: &str, detail: &str| {
            let mut error = Diagnostic::error(summary, detail).at(expr.span);
            error.values = involved(expr, scope, Blame::Nothing);
            Outcome::fail(error)
        };
        let fail = |detail: &str| refuse("Invalid for_each argument", detail);
        let blame = |blame: Blame, detail: &str| {
            let mut error = Diagnostic::error("Invalid for_each argument", detail).at(expr.span);
            error.values = involved(expr, scope, blame);
            Outcome::fail(error)
        };
        let wrong_set = |detail: &str| refuse("Invalid for_each set argument", detail);
        let (value, marks) = value.unmark();
        if marks.contains(Marks::SENSITIVE) {
            return blame(
                Blame::Sensitive,
                "Sensitive values, or values derived from sensitive values, cannot be used as for_each arguments. If used, \
                 the sensitive value could be disclosed as a resource instance key.",
            );
        }
        if marks.contains(Marks::EPHEMERAL) {
            return blame(
                Blame::Ephemeral,
                "The given \"for_each\" value is derived from an ephemeral value, which cannot be kept between plan and \
                 apply. Use only non-ephemeral values to specify a resource's instance keys.",
            );
        }
        let not_known = |each_value: Value| {
            if open {
                return Outcome::ok((Shaping::Unknown, vec![Repetition::Unknown(each_value)]));
            }
            blame(
                Blame::Unknown,
                "The \"for_each\" map includes keys derived from resource attributes that cannot be determined until apply, \
                 so the full set of keys that will identify the instances of this resource cannot be determined. When \
                 working with unknown values in for_each, it's better to define the map keys statically in your \
                 configuration and place apply-time results only in the map values.",
            )
        };
        match &value {
            Value::Unknown(unknown) => match &unknown.ty {
                Type::Map(element) => not_known(Value::unknown((**element).clone())),
                Type::Set(_) => not_known(Value::unknown_not_null(Type::String)),
                Type::Any | Type::Object(_) => not_known(Value::unknown(Type::Any)),
                Type::Bool | Type::Number | Type::String | Type::List(_) | Type::Tuple(_) => wrong_type(&value, expr, involved(expr, scope, Blame::Unknown)),
            },
            Value::Null(_) => fail(
                "The given \"for_each\" argument value is null. A map, or set of strings is allowed.",
            ),
            Value::Map(mapping) => each(mapping.entries.iter().cloned()),
            Value::Object(entries) => each(entries.iter().cloned()),
            Value::Set(set) => {
                if set.items.iter().any(|item| !item.is_known()) {
                    return not_known(Value::unknown_not_null(Type::String));
                }
                let keys = set.items.iter().map(|item| item.as_str().map(|key| (key.into(), item.clone())));
                match keys.collect::<Option<Vec<_>>>() {
                    Some(keys) => each(keys.into_iter()),
                    None if set.items.iter().any(Value::is_null) => {
                        wrong_set("The given \"for_each\" argument value is unsuitable: \"for_each\" sets must not contain null values.")
                    }
                    None => wrong_set(&format!(
                        "The given \"for_each\" argument value is unsuitable: \"for_each\" supports maps and sets of \
                         strings, but you have provided a set containing type {}.",
                        set.element.friendly()
                    )),
                }
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::List(_) | Value::Tuple(_) | Value::Marked(_) => {
                wrong_type(&value, expr, involved(expr, scope, Blame::Nothing))
            }
        }
    })
}

fn each(entries: impl Iterator<Item = (crate::value::Str, Value)>) -> Outcome<Copies> {
    Outcome::ok((Shaping::Each, entries.map(|(key, value)| Repetition::Each(key, value)).collect()))
}

fn wrong_type(value: &Value, expr: &Arc<Expr>, values: Vec<(String, String)>) -> Outcome<Copies> {
    Outcome::fail(Diagnostic {
        values,
        ..Diagnostic::error(
            "Invalid for_each argument",
            format!(
                "The given \"for_each\" argument value is unsuitable: the \"for_each\" argument must be a map, or set of \
                 strings, and you have provided a value of type {}.",
                value.ty().friendly()
            ),
        )
        .at(expr.span)
    })
}
