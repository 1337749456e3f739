//! Unknown values and what is known about them all the same.

use super::{Number, Str, Type};

/// A value that is not known yet.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Unknown {
    /// The type it will have; `Any` when even that is open.
    pub ty: Type,
    /// What is known about it.
    pub refinement: Refinement,
}

/// Limits that a value will keep to, whatever it turns out to be.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Refinement {
    /// It will not be null.
    pub not_null: bool,
    /// A text it will start with.
    pub prefix: Option<Str>,
    /// It will be at least this number.
    pub min: Option<Number>,
    /// It will be at most this number.
    pub max: Option<Number>,
    /// A collection will have at least this many elements.
    pub min_len: Option<usize>,
    /// A collection will have at most this many elements.
    pub max_len: Option<usize>,
}
