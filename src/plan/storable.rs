//! Whether state can hold what is planned. It is asked while planning: once a provider has made an object whose result cannot be
//! stored, it is too late.

use std::fmt::Display;

use crate::diag::Diagnostic;
use crate::value::{JsonError, Value, check_writable};

/// The error of a value that state cannot hold. `what` is the object or output that it is for.
pub(super) fn refused(what: &dyn Display, value: &Value) -> Option<Diagnostic> {
    let error = check_writable(value).err()?;
    let hint = match &error {
        JsonError::Unwritable { .. } => "Check the calculation that it comes from, for example for a division by zero.",
        JsonError::TooDeep | JsonError::Mismatch { .. } | JsonError::Syntax { .. } => "Make its structure flatter.",
    };
    let detail = format!("State cannot hold the value of {what}: {error}. {hint} Nothing was changed.");
    Some(Diagnostic::error("Value cannot be stored", detail))
}
