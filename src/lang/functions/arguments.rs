//! Typed access to arguments that the front end has converted and checked.

use super::FunctionError;

/// How large a text may be that a function makes, in bytes. A short expression can ask for far more than there is memory.
pub(super) const MOST_TEXT: usize = 64 << 20;

/// How many elements a function may make.
pub(super) const MOST_ELEMENTS: usize = 1 << 22;

/// Refuses to make a text of so many bytes if that is too many.
pub(super) fn text_of(bytes: usize) -> Result<(), FunctionError> {
    if bytes <= MOST_TEXT {
        return Ok(());
    }
    Err(FunctionError::failed(format!("the resulting text would be larger than {} MiB", MOST_TEXT >> 20)))
}

/// Refuses to make so many elements if that is too many.
pub(super) fn elements_of(count: usize) -> Result<(), FunctionError> {
    if count <= MOST_ELEMENTS {
        return Ok(());
    }
    Err(FunctionError::failed(format!("the result would have more than {MOST_ELEMENTS} elements")))
}
use crate::value::{Number, Value};

/// The text of a string argument.
pub(super) fn text(arguments: &[Value], index: usize) -> &str {
    arguments.get(index).and_then(Value::as_str).unwrap_or_default()
}

/// A number argument.
pub(super) fn number(arguments: &[Value], index: usize) -> &Number {
    arguments.get(index).and_then(Value::as_number).unwrap_or(&Number::ZERO)
}

/// A number argument that must be whole and fit 64 bits.
pub(super) fn whole(arguments: &[Value], index: usize) -> Result<i64, FunctionError> {
    number(arguments, index).as_i64().ok_or_else(|| {
        FunctionError::failed(format!("value must be a whole number, between {} and {}", i64::MIN, i64::MAX))
    })
}

/// The elements of an argument that is a list, set or tuple.
pub(super) fn items(arguments: &[Value], index: usize) -> &[Value] {
    arguments.get(index).and_then(Value::as_items).unwrap_or_default()
}

/// A text from outside the language, brought into its normal form.
pub(super) fn from_outside(text: impl Into<String>) -> Value {
    Value::string(crate::value::normalised(std::borrow::Cow::Owned(text.into())).into_owned())
}
