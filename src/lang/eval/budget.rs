//! How much one evaluation may do, so that a few lines cannot keep the program busy for hours or eat all memory: loops in
//! loops, and values that hold a value twice that holds a value twice, and so on.
//!
//! What counts is deterministic: nodes that are evaluated, elements that are gone through, bytes of text that functions make.

use std::cell::Cell;

use crate::value::Value;

/// How much one evaluation may do: seconds, and less than a gigabyte. Builds that are several times slower give up sooner.
pub const MOST_WORK: u64 = if cfg!(debug_assertions) { 1 << 22 } else { 1 << 25 };

/// Deeper values would use up the stack of whoever goes through one.
pub const MOST_DEPTH: u32 = crate::value::MAX_DEPTH as u32;

thread_local! {
    /// What is left for the templates that a function renders; zero while none is called.
    static LEFT: Cell<u64> = const { Cell::new(0) };
}

/// What an evaluation may do that begins now: all, or within another one what is left of that.
pub(super) fn begin() -> u64 {
    match LEFT.get() {
        0 => MOST_WORK,
        left => left,
    }
}

/// Says what is left after an evaluation within another one.
pub(super) fn end(left: u64) {
    if LEFT.get() != 0 {
        LEFT.set(left.max(1));
    }
}

/// Runs `f`, which may evaluate something itself, with what is left; gives the rest.
pub(super) fn share<T>(left: u64, f: impl FnOnce() -> T) -> (T, u64) {
    // A template may render a template: what is left goes back to the one around it.
    let around = LEFT.replace(left.max(1));
    let result = f();
    (result, LEFT.replace(around))
}

/// Why a value is not gone through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TooMuch {
    /// It has too many parts.
    Large,
    /// Its parts are in each other too often.
    Deep,
}

/// Counts the parts of a value, with `per_byte` bytes of text as one, off what is left.
pub(super) fn count(value: &Value, left: &mut u64, per_unit: u64) -> Result<(), TooMuch> {
    parts(value, left, per_unit, MOST_DEPTH)
}

fn parts(value: &Value, left: &mut u64, per_unit: u64, depth: u32) -> Result<(), TooMuch> {
    let own = match value {
        Value::String(text) => 1 + text.len() as u64 / per_unit,
        _ => 1,
    };
    *left = left.checked_sub(own).ok_or(TooMuch::Large)?;
    let deeper = depth.checked_sub(1).ok_or(TooMuch::Deep)?;
    match value {
        Value::Null(_) | Value::Unknown(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        Value::List(sequence) | Value::Set(sequence) => each(sequence.items.iter(), left, per_unit, deeper),
        Value::Tuple(items) => each(items.iter(), left, per_unit, deeper),
        Value::Map(mapping) => each(mapping.entries.values(), left, per_unit, deeper),
        Value::Object(entries) => each(entries.values(), left, per_unit, deeper),
        Value::Marked(marked) => parts(&marked.value, left, per_unit, deeper),
    }
}

fn each<'v>(
    mut items: impl Iterator<Item = &'v Value>,
    left: &mut u64,
    per_unit: u64,
    depth: u32,
) -> Result<(), TooMuch> {
    items.try_for_each(|item| parts(item, left, per_unit, depth))
}
