//! What the API server refuses in objects of Kubernetes' own kinds: enums, ranges, formats, and rules that join several fields.
//!
//! In: the table `rules.txt`, an object as JSON. Out: [`FieldError`]s in the words of Kubernetes' field errors. The sandbox refuses by them,
//! and the provider finds them before a server is asked. Not here: rules that need other objects (the sandbox's), and the form of
//! an object (fields nobody knows, values of a wrong type), which the table of types tells.

mod cel;
pub mod formats;
mod joined;
mod limits;
mod network;
mod pods;
mod schema;
mod table;

pub use joined::VOLUME;
pub use schema::validate;

use std::fmt::Write as _;

use super::{Json, Kind};

/// One thing wrong with an object, as a field error of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// `spec.ports[0].port`.
    pub path: String,
    /// `FieldValueInvalid`, `FieldValueRequired`…
    pub reason: &'static str,
    /// `Invalid value: 0: must be between 1 and 65535, inclusive`.
    pub message: String,
}

/// Whether an absent field counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Completeness {
    /// The object is whole: what is absent is missing.
    Whole,
    /// Values that are not known yet are left out, so nothing follows from an absent field.
    Partial,
}

/// Collects problems.
#[derive(Debug)]
pub struct FieldErrors {
    found: Vec<FieldError>,
    completeness: Completeness,
}

/// Everything the table of rules has against an object. Its defaults may be filled in or not.
pub fn problems(kind: &Kind, object: &Json, completeness: Completeness) -> Vec<FieldError> {
    let mut out = FieldErrors::new(completeness);
    for rules in table::of_kind(&kind.group, &kind.kind) {
        table::check(rules, object, "", &mut out);
    }
    out.found
}

/// What the table has against a change: fields that must stay as they are.
pub fn changes(kind: &Kind, old: &Json, new: &Json) -> Vec<FieldError> {
    let mut out = FieldErrors::new(Completeness::Whole);
    for rules in table::of_kind(&kind.group, &kind.kind) {
        table::check_change(rules, old, new, &mut out);
    }
    out.found
}

impl FieldErrors {
    /// None yet.
    pub fn new(completeness: Completeness) -> Self {
        FieldErrors { found: Vec::new(), completeness }
    }

    /// What was found.
    pub fn into_vec(self) -> Vec<FieldError> {
        self.found
    }

    fn push(&mut self, path: impl Into<String>, reason: &'static str, message: String) {
        self.found.push(FieldError { path: path.into(), reason, message });
    }

    fn invalid(&mut self, path: impl Into<String>, value: &Json, why: &str) {
        self.push(path, "FieldValueInvalid", format!("Invalid value: {value}: {why}"));
    }

    fn forbidden(&mut self, path: impl Into<String>, why: &str) {
        self.push(path, "FieldValueForbidden", format!("Forbidden: {why}"));
    }

    fn unsupported(&mut self, path: impl Into<String>, value: &Json, allowed: &[&str]) {
        let mut message = format!("Unsupported value: {value}: supported values: ");
        for (at, one) in allowed.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            // Writing to a text cannot fail.
            let _ = write!(message, "{comma}{one:?}");
        }
        self.push(path, "FieldValueNotSupported", message);
    }

    fn duplicate(&mut self, path: impl Into<String>, value: &Json) {
        self.push(path, "FieldValueDuplicate", format!("Duplicate value: {value}"));
    }

    /// Something absent is needed; nothing is reported for a partial object.
    fn required(&mut self, path: impl Into<String>, why: &str) {
        if self.completeness == Completeness::Whole {
            let message = if why.is_empty() { "Required value".to_owned() } else { format!("Required value: {why}") };
            self.push(path, "FieldValueRequired", message);
        }
    }
}

/// The path of a field: `spec` and `ports` are `spec.ports`.
fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The elements of a list; none where it is absent.
fn items(value: &Json) -> &[Json] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A text; empty where it is absent.
fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whether there is something: not absent, and not an empty text, list or map.
fn is_set(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(map) => !map.is_empty(),
        Json::Bool(_) | Json::Number(_) => true,
    }
}

#[cfg(test)]
mod tests;
