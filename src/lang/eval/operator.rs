//! What operators do with plain values.

use crate::lang::syntax::ast::BinaryOp;
use crate::value::{Number, NumberError, Type, Value};

/// The type of an operator's result.
pub(super) fn result_type(op: BinaryOp) -> Type {
    match op {
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => Type::Number,
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessOrEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterOrEqual
        | BinaryOp::And
        | BinaryOp::Or => Type::Bool,
    }
}

/// An operator of two numbers.
pub(super) fn numbers(op: BinaryOp, left: &Number, right: &Number) -> Result<Value, &'static str> {
    let undefined = |reason: &'static str| move |_: NumberError| reason;
    Ok(match op {
        BinaryOp::Add => Value::Number(left.add(right).map_err(undefined("can't compute sum of opposing infinities"))?),
        BinaryOp::Subtract => Value::Number(left.sub(right).map_err(undefined("can't subtract infinity from itself"))?),
        BinaryOp::Multiply => Value::Number(left.mul(right).map_err(undefined("can't multiply zero by infinity"))?),
        BinaryOp::Divide => {
            Value::Number(left.div(right).map_err(undefined("can't divide zero by zero or infinity by infinity"))?)
        }
        BinaryOp::Modulo => {
            Value::Number(left.rem(right).map_err(undefined("can't use modulo with zero and infinity"))?)
        }
        BinaryOp::Less => Value::Bool(left < right),
        BinaryOp::LessOrEqual => Value::Bool(left <= right),
        BinaryOp::Greater => Value::Bool(left > right),
        BinaryOp::GreaterOrEqual => Value::Bool(left >= right),
        BinaryOp::Equal => Value::Bool(left == right),
        BinaryOp::NotEqual => Value::Bool(left != right),
        // Never with numbers: the caller has other operands for these.
        BinaryOp::And | BinaryOp::Or => Value::unknown_not_null(Type::Bool),
    })
}

/// Whether no value of one type is one of the other, whatever is in them.
fn different_kinds(a: &Type, b: &Type) -> bool {
    *a != Type::Any && *b != Type::Any && std::mem::discriminant(a) != std::mem::discriminant(b)
}

/// Whether two values without marks are equal, as `==` sees it: nulls of all types are equal to each other, values of
/// different types are not. `None` while that depends on something unknown.
pub(super) fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Null(_), Value::Null(_)) => Some(true),
        (Value::Unknown(unknown), Value::Null(_)) | (Value::Null(_), Value::Unknown(unknown)) => {
            unknown.refinement.not_null.then_some(false)
        }
        _ => same(left, right),
    }
}

/// The same within a value: there the type of a null is a part of the whole value's type.
fn same(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Unknown(_), Value::Unknown(_)) => None,
        (Value::Unknown(unknown), Value::Null(ty)) | (Value::Null(ty), Value::Unknown(unknown)) => {
            let apart = unknown.ty.is_determined() && unknown.ty != *ty;
            (apart || unknown.refinement.not_null).then_some(false)
        }
        (Value::Unknown(unknown), known) | (known, Value::Unknown(unknown)) => {
            let ty = known.ty();
            let determined = unknown.ty.is_determined() && ty.is_determined();
            let apart = (determined && unknown.ty != ty) || different_kinds(&unknown.ty, &ty);
            let prefix = unknown.refinement.prefix.as_ref().zip(known.as_str());
            (apart || prefix.is_some_and(|(prefix, text)| !text.starts_with(prefix.as_str()))).then_some(false)
        }
        (Value::Null(a), Value::Null(b)) => Some(a == b),
        (Value::Null(_), _) | (_, Value::Null(_)) => Some(false),
        (Value::String(a), Value::String(b)) => Some(a == b),
        (Value::Number(a), Value::Number(b)) => Some(a == b),
        (Value::Bool(a), Value::Bool(b)) => Some(a == b),
        (Value::List(a), Value::List(b)) => {
            all_same(a.element == b.element && a.items.len() == b.items.len(), a.items.iter().zip(&b.items))
        }
        (Value::Tuple(a), Value::Tuple(b)) => all_same(a.len() == b.len(), a.iter().zip(b.iter())),
        (Value::Set(a), Value::Set(b)) => {
            if a.element != b.element {
                return Some(false);
            }
            // Which elements fall together is open while one is unknown.
            (left.is_wholly_known() && right.is_wholly_known()).then(|| a.items == b.items)
        }
        (Value::Map(a), Value::Map(b)) => {
            let keys = a.entries.len() == b.entries.len() && a.entries.keys().eq(b.entries.keys());
            all_same(keys && a.element == b.element, a.entries.values().zip(b.entries.values()))
        }
        (Value::Object(a), Value::Object(b)) => {
            all_same(a.len() == b.len() && a.keys().eq(b.keys()), a.values().zip(b.values()))
        }
        _ => Some(false),
    }
}

/// The same in all pairs; a pair that differs decides over one that is open.
fn all_same<'a>(comparable: bool, pairs: impl Iterator<Item = (&'a Value, &'a Value)>) -> Option<bool> {
    if !comparable {
        return Some(false);
    }
    let mut result = Some(true);
    for (a, b) in pairs {
        match same(a, b) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => result = None,
        }
    }
    result
}
