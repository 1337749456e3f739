//! Values of the language: what expressions evaluate to, what providers exchange, what state holds.
//!
//! In: parts, JSON. Out: cheaply cloned, immutable [`Value`]s that carry unknowns (with refinements) and marks inside.
//! Not here: expressions (`lang`), which attributes a resource has (`schema`), drawing of values (`view`).
//!
//! Invariants: elements of a list, set or map share its element type (the type [`Type::Any`] only when empty or untyped);
//! sets are sorted by [`Value`]'s total order and hold no duplicates and no marked elements (marks move to the set);
//! entries are sorted by key without repetition; `Debug` never prints what a sensitive mark covers.

mod convert;
mod entries;
mod json;
mod json_text;
mod json_type;
mod marks;
mod number;
mod number_pow;
mod number_text;
mod order;
mod path;
pub mod redact;
mod set_order;
mod types;
mod unify;
mod unknown;
mod writable;

use std::fmt;
use std::sync::Arc;

pub use convert::{ConvertError, convert};
pub use entries::Entries;
pub use json::{
    JsonError, from_json, from_json_stored, from_json_typed, to_json, to_json_typed, type_of_json, write_json,
    write_json_typed,
};
pub use json_text::normalised;
pub use json_type::{KnownTypes, type_from_json, type_to_json};
pub use marks::{Marked, Marks};
pub use number::{Number, NumberError};
pub use number_text::Decimal;
pub use path::{Path, Step};
pub use types::{AttrType, ObjectType, Type};
pub use unify::unify;
pub use unknown::{Refinement, Unknown};
pub use writable::{check_writable, writable};

/// How deep the parts of a value may lie in each other. Whoever goes through a value recurses, so that without a bound a few
/// lines of input could use up the stack. Expressions make no deeper ones; attributes and blocks around them add some levels,
/// for which there is [`MAX_WRITTEN_DEPTH`].
pub const MAX_DEPTH: usize = 1000;

/// How deep the parts of a value may lie in each other that is written as JSON. What is written can be read again: see
/// [`MAX_TEXT_DEPTH`].
pub const MAX_WRITTEN_DEPTH: usize = MAX_DEPTH + 64;

/// How deep arrays and objects may nest in JSON that is read. The deepest value that is written takes a level for each of its
/// own; in the text of its type (`["tuple",[…]]`, `["object",{…}]`) it takes two, and a few stand around both.
pub const MAX_TEXT_DEPTH: usize = 2 * MAX_WRITTEN_DEPTH + 64;

/// A shared immutable text.
pub type Str = crate::addr::Name;

/// A value. Cloning costs at most one reference count.
#[derive(Clone)]
pub enum Value {
    /// Null of a type ([`Type::Any`] for the literal `null`).
    Null(Type),
    /// Not known yet: its type and what is known about it.
    Unknown(Arc<Unknown>),
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text, normalised to NFC when it came from configuration.
    String(Str),
    /// An ordered sequence of values of one type.
    List(Arc<Sequence>),
    /// Distinct values of one type, in total order.
    Set(Arc<Sequence>),
    /// Keys to values of one type.
    Map(Arc<Mapping>),
    /// A sequence whose elements have types of their own.
    Tuple(Arc<[Value]>),
    /// Named attributes with types of their own.
    Object(Entries),
    /// A value and the marks on it. Never nested directly; made by [`Value::mark`] only.
    Marked(Arc<Marked>),
}

/// The content of a list or a set.
#[derive(Clone)]
pub struct Sequence {
    /// Type of every element.
    pub element: Type,
    /// The elements; for a set sorted and distinct.
    pub items: Vec<Value>,
}

/// The content of a map.
#[derive(Clone)]
pub struct Mapping {
    /// Type of every element.
    pub element: Type,
    /// The entries.
    pub entries: Entries,
}

/// The text by which Terraform tells values apart: sets are ordered by it, and backends hashed.
pub fn distinct_text(value: &Value) -> String {
    set_order::text(value)
}

impl Value {
    /// The literal `null`, of no particular type.
    pub const NULL: Value = Value::Null(Type::Any);

    /// A text.
    pub fn string(text: impl Into<Str>) -> Value {
        Value::String(text.into())
    }

    /// A whole number.
    pub fn int(number: i64) -> Value {
        Value::Number(Number::from(number))
    }

    /// An unknown value of a type, of which nothing more is known.
    pub fn unknown(ty: Type) -> Value {
        Value::Unknown(Arc::new(Unknown { ty, refinement: Refinement::default() }))
    }

    /// An unknown value of a type that is known not to be null.
    pub fn unknown_not_null(ty: Type) -> Value {
        let refinement = Refinement { not_null: true, ..Refinement::default() };
        Value::Unknown(Arc::new(Unknown { ty, refinement }))
    }

    /// A tuple.
    pub fn tuple(items: impl Into<Arc<[Value]>>) -> Value {
        Value::Tuple(items.into())
    }

    /// A list; the caller guarantees that the items have the element type.
    pub fn list(element: Type, items: Vec<Value>) -> Value {
        Value::List(Arc::new(Sequence { element, items }))
    }

    /// A set: sorts, drops duplicates, lifts marks of elements to the set. The caller guarantees the element type.
    pub fn set(element: Type, items: Vec<Value>) -> Value {
        let mut marks = Marks::NONE;
        let mut items: Vec<Value> = items
            .into_iter()
            .map(|item| {
                let (item, inner) = item.unmark_deep();
                marks = marks | inner;
                item
            })
            .collect();
        items.sort();
        // Two unknown elements may turn out to be different ones.
        items.dedup_by(|a, b| a == b && a.is_wholly_known());
        if items.iter().any(set_order::by_text) {
            items.sort_by_cached_key(set_order::key);
        }
        Value::Set(Arc::new(Sequence { element, items })).mark(marks)
    }

    /// A map; the caller guarantees that the entries have the element type.
    pub fn map(element: Type, entries: Entries) -> Value {
        Value::Map(Arc::new(Mapping { element, entries }))
    }

    /// An object.
    pub fn object<K: Into<Str>>(attributes: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Object(attributes.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// The value without the marks on its outside.
    pub fn bare(&self) -> &Value {
        match self {
            Value::Marked(marked) => &marked.value,
            other => other,
        }
    }

    /// Whether it is null, marks aside.
    pub fn is_null(&self) -> bool {
        matches!(self.bare(), Value::Null(_))
    }

    /// Whether the value itself is known (parts of it may be unknown), marks aside.
    pub fn is_known(&self) -> bool {
        !matches!(self.bare(), Value::Unknown(_))
    }

    /// Whether nothing in it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Value::Unknown(_) => false,
            Value::Null(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
            Value::List(sequence) | Value::Set(sequence) => sequence.items.iter().all(Value::is_wholly_known),
            Value::Tuple(items) => items.iter().all(Value::is_wholly_known),
            Value::Map(mapping) => mapping.entries.values().all(Value::is_wholly_known),
            Value::Object(entries) => entries.values().all(Value::is_wholly_known),
            Value::Marked(marked) => marked.value.is_wholly_known(),
        }
    }

    /// The text, if it is a known one, marks aside.
    pub fn as_str(&self) -> Option<&str> {
        match self.bare() {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is a known one, marks aside.
    pub fn as_bool(&self) -> Option<bool> {
        match self.bare() {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if it is a known one, marks aside.
    pub fn as_number(&self) -> Option<&Number> {
        match self.bare() {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The elements of a known list, set or tuple, marks aside.
    pub fn as_items(&self) -> Option<&[Value]> {
        match self.bare() {
            Value::List(sequence) | Value::Set(sequence) => Some(&sequence.items),
            Value::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a known object or map, marks aside.
    pub fn as_entries(&self) -> Option<&Entries> {
        match self.bare() {
            Value::Object(entries) => Some(entries),
            Value::Map(mapping) => Some(&mapping.entries),
            _ => None,
        }
    }

    /// An attribute of a known object or an element of a known map, marks of the whole aside.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_entries()?.get(name)
    }

    /// Its type. Costs an allocation for objects and tuples.
    pub fn ty(&self) -> Type {
        match self {
            Value::Null(ty) => ty.clone(),
            Value::Unknown(unknown) => unknown.ty.clone(),
            Value::Bool(_) => Type::Bool,
            Value::Number(_) => Type::Number,
            Value::String(_) => Type::String,
            Value::List(sequence) => Type::list(sequence.element.clone()),
            Value::Set(sequence) => Type::set(sequence.element.clone()),
            Value::Map(mapping) => Type::map(mapping.element.clone()),
            Value::Tuple(items) => Type::Tuple(items.iter().map(Value::ty).collect()),
            Value::Object(entries) => Type::object(entries.iter().map(|(name, value)| (name.clone(), value.ty()))),
            Value::Marked(marked) => marked.value.ty(),
        }
    }
}

impl Default for Value {
    fn default() -> Self {
        Value::NULL
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::string(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::int(number)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null(_) => f.write_str("null"),
            Value::Unknown(unknown) => write!(f, "(unknown {})", unknown.ty),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::String(text) => write!(f, "{text:?}"),
            Value::List(sequence) => f.debug_list().entries(&sequence.items).finish(),
            Value::Set(sequence) => f.debug_set().entries(&sequence.items).finish(),
            Value::Tuple(items) => f.debug_list().entries(items.iter()).finish(),
            Value::Map(mapping) => mapping.entries.fmt(f),
            Value::Object(entries) => entries.fmt(f),
            Value::Marked(marked) => marked.fmt(f),
        }
    }
}
