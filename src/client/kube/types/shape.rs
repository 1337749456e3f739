//! Shapes of objects: structs, fields and the kinds of lists that server-side apply tells apart.

use std::sync::Arc;

use super::Json;

/// The type of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// A text.
    String,
    /// A whole number.
    Int,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// A quantity such as `10Gi`: a text, or a number.
    Quantity,
    /// A number, or a text such as `25%` or a port's name.
    IntOrString,
    /// RFC 3339.
    Time,
    /// Base64.
    Bytes,
    /// Anything; maps in it are merged by key, lists replaced as a whole.
    Any,
    /// A sequence.
    List(Arc<ListType>),
    /// Any keys to values of one type.
    Map(Arc<MapType>),
    /// Named fields.
    Struct(Arc<Struct>),
}

/// A list's element type, and what identifies an element.
#[derive(Debug, PartialEq)]
pub struct ListType {
    /// Type of each element.
    pub element: Type,
    /// How server-side apply merges it.
    pub kind: ListKind,
    /// How a strategic merge patch merges it: not at all (replace), by value (empty key), or by this key.
    pub strategic: Option<String>,
}

/// How a list is merged and owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// As a whole.
    Atomic,
    /// By the elements' values.
    Set,
    /// By these fields of the elements.
    Map(Vec<String>),
}

/// A map's element type.
#[derive(Debug, PartialEq)]
pub struct MapType {
    /// Type of each element.
    pub element: Type,
    /// Whether it is owned as a whole.
    pub atomic: bool,
}

/// Named fields.
#[derive(Debug, PartialEq, Default)]
pub struct Struct {
    /// Its name, for messages; empty where it has none.
    pub name: String,
    /// Whether it is owned as a whole.
    pub atomic: bool,
    /// Whether fields that are not listed are kept.
    pub open: bool,
    /// The fields, sorted by name.
    pub fields: Vec<Field>,
}

/// A field of a struct.
#[derive(Debug, PartialEq)]
pub struct Field {
    /// Its name in JSON.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether an object without it is refused.
    pub required: bool,
    /// What the server sets where it is absent.
    pub default: Option<Json>,
}

impl Struct {
    /// A field by its name in JSON.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let at = self.fields.binary_search_by(|field| field.name.as_str().cmp(name)).ok()?;
        Some(&self.fields[at])
    }

    /// A struct of these fields.
    pub fn new(name: &str, mut fields: Vec<Field>) -> Self {
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        Struct { name: name.to_owned(), atomic: false, open: false, fields }
    }
}

impl Type {
    /// The type of what lies under `key` in a value of this type; `Any` where nothing is known.
    pub fn child(&self, key: &str) -> Type {
        match self {
            Type::Struct(structure) => structure.field(key).map_or(Type::Any, |field| field.ty.clone()),
            Type::Map(map) => map.element.clone(),
            _ => Type::Any,
        }
    }
}
