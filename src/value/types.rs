//! Types of values, and the type constraints of variables and schemas.

use std::fmt;
use std::sync::Arc;

use super::Str;

/// A type. `Any` is "not determined": the constraint `any`, and the type of a bare `null`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Type {
    /// Not determined.
    Any,
    /// `bool`.
    Bool,
    /// `number`.
    Number,
    /// `string`.
    String,
    /// `list(T)`.
    List(Arc<Type>),
    /// `set(T)`.
    Set(Arc<Type>),
    /// `map(T)`.
    Map(Arc<Type>),
    /// `tuple([…])`.
    Tuple(Arc<[Type]>),
    /// `object({…})`.
    Object(Arc<ObjectType>),
}

/// The attributes of an object type, sorted by name.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub struct ObjectType(Vec<(Str, AttrType)>);

/// One attribute of an object type.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct AttrType {
    /// Its type.
    pub ty: Type,
    /// Whether conversion may leave it out (it is then null). Only in constraints, never in the type of a value.
    pub optional: bool,
}

impl Type {
    /// How deep its parts lie in each other; 0 without any.
    pub fn depth(&self) -> usize {
        match self {
            Type::Any | Type::Bool | Type::Number | Type::String => 0,
            Type::List(element) | Type::Set(element) | Type::Map(element) => 1 + element.depth(),
            Type::Tuple(items) => 1 + items.iter().map(Type::depth).max().unwrap_or(0),
            Type::Object(object) => 1 + object.iter().map(|(_, attribute)| attribute.ty.depth()).max().unwrap_or(0),
        }
    }

    /// `list(element)`.
    pub fn list(element: Type) -> Type {
        Type::List(Arc::new(element))
    }

    /// `set(element)`.
    pub fn set(element: Type) -> Type {
        Type::Set(Arc::new(element))
    }

    /// `map(element)`.
    pub fn map(element: Type) -> Type {
        Type::Map(Arc::new(element))
    }

    /// `tuple([…])`.
    pub fn tuple(items: impl IntoIterator<Item = Type>) -> Type {
        Type::Tuple(items.into_iter().collect())
    }

    /// `object({…})` with required attributes only.
    pub fn object<K: Into<Str>>(attributes: impl IntoIterator<Item = (K, Type)>) -> Type {
        let attributes = attributes.into_iter().map(|(name, ty)| (name.into(), AttrType { ty, optional: false }));
        Type::Object(Arc::new(ObjectType::new(attributes)))
    }

    /// Whether `Any` occurs nowhere in it.
    pub fn is_determined(&self) -> bool {
        match self {
            Type::Any => false,
            Type::Bool | Type::Number | Type::String => true,
            Type::List(element) | Type::Set(element) | Type::Map(element) => element.is_determined(),
            Type::Tuple(items) => items.iter().all(Type::is_determined),
            Type::Object(object) => object.iter().all(|(_, attribute)| attribute.ty.is_determined()),
        }
    }

    /// Whether it is `bool`, `number` or `string`.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Type::Bool | Type::Number | Type::String)
    }

    /// The kind as messages name it: `list of string`, `object`, …
    pub fn friendly(&self) -> String {
        match self {
            Type::Any => "dynamic".into(),
            Type::Bool => "bool".into(),
            Type::Number => "number".into(),
            Type::String => "string".into(),
            Type::List(element) => format!("list of {}", element.friendly()),
            Type::Set(element) => format!("set of {}", element.friendly()),
            Type::Map(element) => format!("map of {}", element.friendly()),
            Type::Tuple(_) => "tuple".into(),
            Type::Object(_) => "object".into(),
        }
    }

    /// The kind as messages name it when it is a constraint: `any` inside stands for one type to be found.
    pub fn friendly_constraint(&self) -> String {
        match self {
            Type::Any => "any type".into(),
            Type::List(element) => format!("list of {}", element.friendly_single()),
            Type::Set(element) => format!("set of {}", element.friendly_single()),
            Type::Map(element) => format!("map of {}", element.friendly_single()),
            other => other.friendly(),
        }
    }

    fn friendly_single(&self) -> String {
        if *self == Type::Any { "any single type".into() } else { self.friendly_constraint() }
    }
}

impl ObjectType {
    /// From attributes in any order; of a repeated name the last stays.
    pub fn new(attributes: impl IntoIterator<Item = (Str, AttrType)>) -> Self {
        ObjectType(super::entries::sorted(attributes))
    }

    /// An attribute.
    pub fn get(&self, name: &str) -> Option<&AttrType> {
        let at = self.0.binary_search_by(|(key, _)| key.as_str().cmp(name)).ok()?;
        Some(&self.0[at].1)
    }

    /// The place of an attribute among all, looked for at `likely` first.
    pub(super) fn position(&self, name: &str, likely: usize) -> Option<usize> {
        match self.0.get(likely) {
            Some((key, _)) if *key == *name => Some(likely),
            _ => self.0.binary_search_by(|(key, _)| key.as_str().cmp(name)).ok(),
        }
    }

    /// The attributes in order of their names.
    pub(super) fn attributes(&self) -> &[(Str, AttrType)] {
        &self.0
    }

    /// The attributes in order of their names.
    pub fn iter(&self) -> std::slice::Iter<'_, (Str, AttrType)> {
        self.0.iter()
    }

    /// How many attributes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no attributes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Type {
    /// The notation of type constraints: `map(object({ a = string, b = optional(number) }))`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Any => f.write_str("any"),
            Type::Bool => f.write_str("bool"),
            Type::Number => f.write_str("number"),
            Type::String => f.write_str("string"),
            Type::List(element) => write!(f, "list({element})"),
            Type::Set(element) => write!(f, "set({element})"),
            Type::Map(element) => write!(f, "map({element})"),
            Type::Tuple(items) => {
                f.write_str("tuple([")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("])")
            }
            Type::Object(object) => {
                f.write_str("object({")?;
                for (index, (name, attribute)) in object.iter().enumerate() {
                    let comma = if index == 0 { " " } else { ", " };
                    if attribute.optional {
                        write!(f, "{comma}{name} = optional({})", attribute.ty)?;
                    } else {
                        write!(f, "{comma}{name} = {}", attribute.ty)?;
                    }
                }
                f.write_str(if object.is_empty() { "})" } else { " })" })
            }
        }
    }
}
