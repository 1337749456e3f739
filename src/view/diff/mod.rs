//! The difference between two values as a tree, and its drawing in the notation of plans.
//!
//! In: a value before and one after, with the schema (or type) they follow. Out: [`Diff`] and [`BlockDiff`], drawn by
//! [`Drawing`]. What is marked sensitive never enters the tree. Not here: headings, phases, the summary (`super::plan`).

mod block;
mod compute;
mod draw;
mod sequence;

pub(super) use block::{BlockDiff, block};
pub(super) use compute::{Compare, value};
pub(super) use draw::Drawing;

use crate::change::Action;
use crate::value::{Str, Value};

/// How one value differs from another. `action` is `NoOp`, `Create`, `Update` or `Delete`.
#[derive(Clone, Debug)]
pub(super) struct Diff {
    /// What happens to the value.
    pub action: Action,
    /// Whether this very difference needs a new object.
    pub replace: bool,
    /// Its content.
    pub kind: Kind,
}

/// The content of a [`Diff`]. An absent side is `None`.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Values that stand in one line.
    Scalar { before: Option<Value>, after: Option<Value> },
    /// Texts of several lines.
    Lines { before: Option<Str>, after: Option<Str> },
    /// Texts that hold JSON objects or arrays. `layout`: they differ in white space only.
    Json { inner: Box<Diff>, layout: bool },
    /// An object or a map.
    Entries { entries: Vec<(Str, Diff)>, notation: Notation },
    /// A list, tuple or set; the elements of a set stand without their unchanged neighbours.
    Items { items: Vec<Diff>, set: bool },
    /// A value of another kind than before.
    Replaced { before: Box<Diff>, after: Box<Diff> },
    /// A value that only the apply will tell.
    Unknown { before: Option<Box<Diff>> },
    /// A value that must not be shown.
    Sensitive { unknown: bool, note: Option<SensitiveNote> },
}

/// How entries are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Notation {
    /// A map: keys in quotes, removed entries end with `-> null`.
    Map,
    /// An object of a declared type: bare keys, removed entries end with `-> null`.
    Object,
    /// Content of open type: bare keys.
    Open,
}

/// What changes about a value's being shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SensitiveNote {
    /// It was shown and no longer will be; whether the value stays the same.
    Becomes { same: bool },
    /// It was not shown and will be.
    Ends { same: bool },
}

impl Diff {
    fn new(action: Action, kind: Kind) -> Self {
        Diff { action, replace: false, kind }
    }
}

/// What the actions of parts make of the whole.
fn overall(actions: impl Iterator<Item = Action>, before: bool, after: bool) -> Action {
    match (before, after) {
        (false, true) => Action::Create,
        (true, false) => Action::Delete,
        _ if actions.into_iter().any(|action| action != Action::NoOp) => Action::Update,
        _ => Action::NoOp,
    }
}

#[cfg(test)]
mod tests;
