//! Equality and the total order of values: exact, by type and content, marks included.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::Value;

/// Rank of a kind in the total order. Terraform sorts sets of strings by bytes and of numbers by value; mixed kinds
/// never share a set; what is unknown comes after everything known, and null last, as Terraform has it.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Null(_) => 10,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::List(_) => 4,
        Value::Set(_) => 5,
        Value::Map(_) => 6,
        Value::Tuple(_) => 7,
        Value::Object(_) => 8,
        Value::Unknown(_) => 9,
        Value::Marked(_) => 11,
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Value::Null(a), Value::Null(b)) => a.cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Number(a), Value::Number(b)) => a.cmp(b),
            (Value::String(a), Value::String(b)) => a.cmp(b),
            // What is shared is equal to itself, however large it is.
            (Value::List(a), Value::List(b)) | (Value::Set(a), Value::Set(b)) if Arc::ptr_eq(a, b) => Ordering::Equal,
            (Value::Tuple(a), Value::Tuple(b)) if Arc::ptr_eq(a, b) => Ordering::Equal,
            (Value::Map(a), Value::Map(b)) if Arc::ptr_eq(a, b) => Ordering::Equal,
            (Value::Object(a), Value::Object(b)) if a.is_shared_with(b) => Ordering::Equal,
            (Value::List(a), Value::List(b)) | (Value::Set(a), Value::Set(b)) => {
                a.items.cmp(&b.items).then_with(|| a.element.cmp(&b.element))
            }
            (Value::Tuple(a), Value::Tuple(b)) => a.cmp(b),
            (Value::Map(a), Value::Map(b)) => {
                a.entries.iter().cmp(b.entries.iter()).then_with(|| a.element.cmp(&b.element))
            }
            (Value::Object(a), Value::Object(b)) => a.iter().cmp(b.iter()),
            (Value::Unknown(a), Value::Unknown(b)) => a.cmp(b),
            (Value::Marked(a), Value::Marked(b)) => a.value.cmp(&b.value).then_with(|| a.marks.cmp(&b.marks)),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(rank(self));
        match self {
            Value::Null(ty) => ty.hash(state),
            Value::Bool(value) => value.hash(state),
            Value::Number(number) => number.hash(state),
            Value::String(text) => text.hash(state),
            Value::List(sequence) | Value::Set(sequence) => sequence.items.hash(state),
            Value::Tuple(items) => items.hash(state),
            Value::Map(mapping) => mapping.entries.iter().for_each(|entry| entry.hash(state)),
            Value::Object(entries) => entries.iter().for_each(|entry| entry.hash(state)),
            Value::Unknown(unknown) => unknown.hash(state),
            Value::Marked(marked) => marked.value.hash(state),
        }
    }
}
