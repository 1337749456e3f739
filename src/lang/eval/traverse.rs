//! Attributes and indexes of values.

use crate::diag::did_you_mean;
use crate::value::{Type, Value, convert};

/// What is wrong with an operation, in words without its place.
pub(crate) struct Wrong {
    pub summary: &'static str,
    pub detail: String,
}

impl Wrong {
    pub fn new(summary: &'static str, detail: impl Into<String>) -> Self {
        Wrong { summary, detail: detail.into() }
    }
}

const UNSUPPORTED: &str = "Unsupported attribute";
const INVALID: &str = "Invalid index";

/// `value.name`.
pub(crate) fn attribute(value: &Value, name: &str) -> Result<Value, Wrong> {
    match value {
        Value::Marked(marked) => match &marked.value {
            // The names in a sensitive object are no hint to give.
            Value::Object(entries) if !entries.contains_key(name) => Err(no_attribute(name, std::iter::empty())),
            inner => Ok(attribute(inner, name)?.mark(marked.marks)),
        },
        Value::Object(entries) => match entries.get(name) {
            Some(part) => Ok(part.clone()),
            None => Err(no_attribute(name, entries.keys().map(|key| key.as_str()))),
        },
        Value::Map(mapping) => match mapping.entries.get(name) {
            Some(part) => Ok(part.clone()),
            None => Err(Wrong::new(
                "Missing map element",
                format!("This map does not have an element with the key {name:?}."),
            )),
        },
        Value::Null(_) => Err(Wrong::new(
            "Attempt to get attribute from null value",
            "This value is null, so it does not have any attributes.",
        )),
        Value::Unknown(unknown) => match &unknown.ty {
            Type::Any => Ok(Value::unknown(Type::Any)),
            Type::Map(element) => Ok(Value::unknown(Type::clone(element))),
            Type::Object(object) => match object.get(name) {
                Some(found) => Ok(Value::unknown(found.ty.clone())),
                None => Err(no_attribute(name, object.iter().map(|(key, _)| key.as_str()))),
            },
            ty => Err(without_attributes(ty, name)),
        },
        value => Err(without_attributes(&value.ty(), name)),
    }
}

fn no_attribute<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Wrong {
    let hint = did_you_mean(name, known);
    Wrong::new(UNSUPPORTED, format!("This object does not have an attribute named {name:?}.{hint}"))
}

fn without_attributes(ty: &Type, name: &str) -> Wrong {
    let has_it = |ty: &Type| matches!(ty, Type::Object(object) if object.get(name).is_some());
    Wrong::new(
        UNSUPPORTED,
        match ty {
            Type::List(element) | Type::Set(element) if has_it(element) => {
                let kind = if matches!(ty, Type::List(_)) { "list" } else { "set" };
                format!(
                    "Its elements have an attribute {name:?}, the {kind} itself has none. Name one element, as in [0].{name}, or take that of all with [*].{name}."
                )
            }
            Type::Tuple(items) if items.iter().any(has_it) => {
                format!(
                    "Its elements have an attribute {name:?}, the tuple itself has none. Name one element, as in [0].{name}, or take that of all with [*].{name}."
                )
            }
            ty if ty.is_primitive() => {
                format!("Can't access attributes on a primitive-typed value ({}).", ty.friendly())
            }
            _ => "This value does not have any attributes.".to_owned(),
        },
    )
}

/// `value[key]`.
pub(crate) fn index(value: &Value, key: &Value) -> Result<Value, Wrong> {
    if let (Value::Marked(_), _) | (_, Value::Marked(_)) = (value, key) {
        let marks = value.marks() | key.marks();
        return Ok(index(value.bare(), key.bare())?.mark(marks));
    }
    if value.is_null() {
        return Err(Wrong::new("Attempt to index null value", "This value is null, so it does not have any indices."));
    }
    if key.is_null() {
        return Err(Wrong::new(INVALID, "Can't use a null value as an indexing key."));
    }
    match value {
        Value::List(sequence) => {
            let at = position(key, Some(sequence.items.len()))?;
            Ok(at.map_or_else(|| Value::unknown(sequence.element.clone()), |at| sequence.items[at].clone()))
        }
        Value::Tuple(items) => {
            let at = position(key, Some(items.len()))?;
            Ok(at.map_or_else(|| Value::unknown(Type::Any), |at| items[at].clone()))
        }
        Value::Map(mapping) => {
            let found = with_text(key, |name| mapping.entries.get(name).cloned().ok_or_else(|| no_element("")))?;
            Ok(found.unwrap_or_else(|| Value::unknown(mapping.element.clone())))
        }
        Value::Object(entries) => {
            let hint = if matches!(key, Value::Number(_)) {
                " An object has attributes, which are looked up by name and not by number."
            } else {
                ""
            };
            let found = with_text(key, |name| entries.get(name).cloned().ok_or_else(|| no_element(hint)))?;
            Ok(found.unwrap_or_else(|| Value::unknown(Type::Any)))
        }
        Value::Unknown(unknown) => match &unknown.ty {
            Type::Any => Ok(Value::unknown(Type::Any)),
            // Any number is taken: whether there is such an element will be seen.
            Type::List(element) => match key {
                Value::Number(_) => Ok(Value::unknown(Type::clone(element))),
                key => position(key, None).map(|_| Value::unknown(Type::clone(element))),
            },
            Type::Tuple(items) => {
                let at = position(key, Some(items.len()))?;
                Ok(Value::unknown(at.map_or(Type::Any, |at| items[at].clone())))
            }
            Type::Map(element) => with_text(key, |_| Ok(())).map(|_| Value::unknown(Type::clone(element))),
            Type::Object(object) => {
                let ty = with_text(key, |name| {
                    object.get(name).map(|found| found.ty.clone()).ok_or_else(|| no_element(""))
                })?;
                Ok(Value::unknown(ty.unwrap_or(Type::Any)))
            }
            ty => Err(without_indexes(ty)),
        },
        value => Err(without_indexes(&value.ty())),
    }
}

fn without_indexes(ty: &Type) -> Wrong {
    Wrong::new(
        INVALID,
        match ty {
            Type::Set(_) => {
                "Elements of a set are identified by their value alone; there is no index or key to select one with. A for expression visits all of them."
            }
            _ => "This value does not have any indices.",
        },
    )
}

fn no_element(hint: &str) -> Wrong {
    Wrong::new(INVALID, format!("The given key does not identify an element in this collection value.{hint}"))
}

fn wrong_key(reason: &str) -> Wrong {
    Wrong::new(INVALID, format!("The given key does not identify an element in this collection value: {reason}."))
}

/// The key as a position in a sequence; `None` while it is unknown.
fn position(key: &Value, length: Option<usize>) -> Result<Option<usize>, Wrong> {
    let converted = match key {
        Value::Number(_) => None,
        key => Some(convert(key, &Type::Number).map_err(|error| wrong_key(&error.to_string()))?),
    };
    let Value::Number(number) = converted.as_ref().unwrap_or(key) else { return Ok(None) };
    if number.is_negative() {
        return Err(wrong_key("a negative number is not a valid index for a sequence"));
    }
    if !number.is_integer() {
        return Err(wrong_key(
            "indexing a sequence requires a whole number, but the given index has a fractional part",
        ));
    }
    match (number.as_usize(), length) {
        (Some(at), Some(length)) if at < length => Ok(Some(at)),
        (_, None) => Ok(None),
        (_, Some(_)) => Err(wrong_key("the given index is greater than or equal to the length of the collection")),
    }
}

/// Calls `f` with the key as a text; `None` while it is unknown.
fn with_text<T>(key: &Value, f: impl FnOnce(&str) -> Result<T, Wrong>) -> Result<Option<T>, Wrong> {
    if let Value::String(text) = key {
        return f(text).map(Some);
    }
    let converted = convert(key, &Type::String).map_err(|error| wrong_key(&error.to_string()))?;
    match converted.as_str() {
        Some(text) => f(text).map(Some),
        None => Ok(None),
    }
}
