//! Conversion of values to types, as Terraform converts arguments, variables and elements.
//!
//! A conversion is decided by types first and by content second: a list can never be a string, and the message says so
//! before it says that some element of it is no number.

use std::fmt;
use std::sync::Arc;

use super::unify::{mismatch, resolve, unify};
use super::{Entries, Number, ObjectType, Path, Refinement, Step, Type, Unknown, Value};

/// Why a value does not convert, and which part of it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct ConvertError {
    /// The part; the root when the types alone do not fit.
    pub path: Path,
    /// The reason in Terraform's words, such as `a number is required`. Never contains content of the value.
    pub message: String,
}

impl fmt::Display for ConvertError {
    /// `.a[0]["k"]: a number is required`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.path.steps() {
            match step {
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Key(key) => write!(f, "[{:?}]", key.as_str())?,
                Step::Index(at) => write!(f, "[{at}]")?,
            }
        }
        if !self.path.steps().is_empty() {
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

/// Converts a value to a type constraint. `Any` inside the constraint becomes the type the content asks for; attributes that
/// are optional and missing become null; nulls become nulls and unknown values unknown values of the type; marks stay on the
/// parts they are on, but those on elements of a set move to the set.
///
/// # Errors
/// When the types do not fit, or a text is not the number or truth value it should be.
pub fn convert(value: &Value, to: &Type) -> Result<Value, ConvertError> {
    if conforms(value, to) {
        return Ok(value.clone());
    }
    convert_part(value, to, &mut Path::root()).map_err(|error| match mismatch(&value.ty(), to) {
        Some(message) => ConvertError { path: Path::root(), message },
        None => error,
    })
}

/// Whether conversion would give the same value again. Costs no allocation; may say no where the answer is yes.
fn conforms(value: &Value, to: &Type) -> bool {
    match (value, to) {
        (_, Type::Any) => true,
        (Value::Bool(_), Type::Bool) | (Value::Number(_), Type::Number) | (Value::String(_), Type::String) => true,
        (Value::Marked(marked), _) => conforms(&marked.value, to),
        (Value::Null(ty), _) => ty == to,
        (Value::Unknown(unknown), _) => unknown.ty == *to,
        (Value::List(sequence), Type::List(element)) | (Value::Set(sequence), Type::Set(element)) => {
            **element == Type::Any || sequence.element == **element
        }
        (Value::Map(mapping), Type::Map(element)) => **element == Type::Any || mapping.element == **element,
        (Value::Tuple(items), Type::Tuple(types)) => {
            items.len() == types.len() && items.iter().zip(types.iter()).all(|(item, ty)| conforms(item, ty))
        }
        (Value::Object(entries), Type::Object(object)) => {
            entries.len() == object.len()
                && entries
                    .iter()
                    .zip(object.iter())
                    .all(|((key, part), (name, attribute))| key == name && conforms(part, &attribute.ty))
        }
        _ => false,
    }
}

fn fail(path: &Path, message: impl Into<String>) -> ConvertError {
    ConvertError { path: path.clone(), message: message.into() }
}

fn convert_part(value: &Value, to: &Type, path: &mut Path) -> Result<Value, ConvertError> {
    match (value, to) {
        (_, Type::Any) => Ok(value.clone()),
        (Value::Marked(marked), _) => Ok(convert_part(&marked.value, to, path)?.mark(marked.marks)),
        (Value::Null(from), _) => match mismatch(from, to) {
            Some(message) => Err(fail(path, message)),
            None => Ok(Value::Null(resolve(from, to))),
        },
        (Value::Unknown(unknown), _) => match mismatch(&unknown.ty, to) {
            Some(message) => Err(fail(path, message)),
            None => Ok(convert_unknown(unknown, to)),
        },
        (_, Type::Bool | Type::Number | Type::String) => convert_primitive(value, to, path),
        (Value::Tuple(items), Type::Tuple(types)) if items.len() == types.len() => {
            let items: Result<Vec<Value>, ConvertError> = items
                .iter()
                .zip(types.iter())
                .enumerate()
                .map(|(index, (item, ty))| path.inside(Step::Index(index), |path| convert_part(item, ty, path)))
                .collect();
            Ok(Value::tuple(items?))
        }
        // Elements that are not known yet may turn out to be equal: then there are fewer.
        (Value::Set(sequence), Type::List(element)) if sequence.items.len() > 1 && !value.is_wholly_known() => {
            let (element, _) = convert_items(value, &sequence.items, element, path)?;
            let refinement = Refinement {
                not_null: true,
                min_len: Some(1),
                max_len: Some(sequence.items.len()),
                ..Refinement::default()
            };
            Ok(Value::Unknown(Arc::new(Unknown { ty: Type::list(element), refinement })))
        }
        (Value::List(_) | Value::Set(_) | Value::Tuple(_), Type::List(element) | Type::Set(element)) => {
            let items = value.as_items().unwrap_or_default();
            let (element, items) = convert_items(value, items, element, path)?;
            Ok(if matches!(to, Type::List(_)) { Value::list(element, items) } else { Value::set(element, items) })
        }
        (Value::Map(_) | Value::Object(_), Type::Map(element)) => convert_map(value, element, path),
        (Value::Object(entries), Type::Object(object)) => convert_object(entries, object, path),
        (Value::Map(mapping), Type::Object(object)) => {
            if mismatch(&Type::map(mapping.element.clone()), to).is_some() {
                return Err(fail(path, "object required"));
            }
            convert_map_to_object(&mapping.entries, object, path)
        }
        _ => Err(fail(path, super::unify::required(to))),
    }
}

fn convert_primitive(value: &Value, to: &Type, path: &Path) -> Result<Value, ConvertError> {
    match (value, to) {
        (Value::Bool(_), Type::Bool) | (Value::Number(_), Type::Number) | (Value::String(_), Type::String) => {
            Ok(value.clone())
        }
        (Value::Bool(value), Type::String) => Ok(Value::string(if *value { "true" } else { "false" })),
        (Value::Number(number), Type::String) => Ok(Value::string(number.to_string())),
        (Value::String(text), Type::Number) => match Number::parse(text) {
            Ok(number) => Ok(Value::Number(number)),
            Err(_) => Err(fail(path, "a number is required")),
        },
        (Value::String(text), Type::Bool) => match text.as_str() {
            "true" | "1" => Ok(Value::Bool(true)),
            "false" | "0" => Ok(Value::Bool(false)),
            "True" | "TRUE" => Err(fail(path, "a bool is required; to convert from string, use lowercase \"true\"")),
            "False" | "FALSE" => Err(fail(path, "a bool is required; to convert from string, use lowercase \"false\"")),
            _ => Err(fail(path, "a bool is required")),
        },
        _ => Err(fail(path, super::unify::required(to))),
    }
}

/// The items as values of the element type; with `Any` in the element type, of the type they have in common.
fn convert_items(
    value: &Value,
    items: &[Value],
    element: &Type,
    path: &mut Path,
) -> Result<(Type, Vec<Value>), ConvertError> {
    if items.is_empty() {
        return match value {
            Value::List(sequence) | Value::Set(sequence) => match mismatch(&sequence.element, element) {
                Some(message) => Err(fail(path, message)),
                None => Ok((resolve(&sequence.element, element), Vec::new())),
            },
            _ => Ok((resolve(&Type::Any, element), Vec::new())),
        };
    }
    let each = |items: &[Value], element: &Type, path: &mut Path| -> Result<Vec<Value>, ConvertError> {
        let part =
            |(index, item): (usize, &Value)| path.inside(Step::Index(index), |path| convert_part(item, element, path));
        items.iter().enumerate().map(part).collect()
    };
    let items = each(items, element, path)?;
    if element.is_determined() {
        return Ok((resolve(&Type::Any, element), items));
    }
    let types: Vec<Type> = items.iter().map(Value::ty).collect();
    let common = unify(&types).ok_or_else(|| fail(path, "cannot find a common base type for all elements"))?;
    let items = if types.iter().all(|ty| *ty == common) { items } else { each(&items, &common, path)? };
    Ok((common, items))
}

fn convert_map(value: &Value, element: &Type, path: &mut Path) -> Result<Value, ConvertError> {
    let Some(entries) = value.as_entries() else { return Err(fail(path, super::unify::required(element))) };
    if entries.is_empty() {
        let from = match value {
            Value::Map(mapping) => &mapping.element,
            _ => &Type::Any,
        };
        return match mismatch(from, element) {
            Some(message) => Err(fail(path, message)),
            None => Ok(Value::map(resolve(from, element), Entries::new())),
        };
    }
    let each = |entries: &Entries, element: &Type, path: &mut Path| -> Result<Entries, ConvertError> {
        let part = |(key, part): &(super::Str, Value)| {
            let part = path.inside(Step::Key(key.clone()), |path| convert_part(part, element, path))?;
            Ok((key.clone(), part))
        };
        entries.iter().map(part).collect()
    };
    let entries = each(entries, element, path)?;
    if element.is_determined() {
        return Ok(Value::map(resolve(&Type::Any, element), entries));
    }
    let types: Vec<Type> = entries.values().map(Value::ty).collect();
    let common = unify(&types).ok_or_else(|| fail(path, "cannot find a common base type for all elements"))?;
    let entries = if types.iter().all(|ty| *ty == common) { entries } else { each(&entries, &common, path)? };
    Ok(Value::map(common, entries))
}

fn convert_object(entries: &Entries, object: &ObjectType, path: &mut Path) -> Result<Value, ConvertError> {
    let mut attributes = Vec::with_capacity(object.len());
    for (name, attribute) in object.iter() {
        let part = match entries.get(name) {
            Some(part) => path.inside(Step::Attribute(name.clone()), |path| convert_part(part, &attribute.ty, path))?,
            None if attribute.optional => Value::Null(resolve(&Type::Any, &attribute.ty)),
            None => return Err(fail(path, format!("attribute {:?} is required", name.as_str()))),
        };
        attributes.push((name.clone(), part));
    }
    Ok(Value::Object(attributes.into_iter().collect()))
}

fn convert_map_to_object(entries: &Entries, object: &ObjectType, path: &mut Path) -> Result<Value, ConvertError> {
    let mut attributes = Vec::with_capacity(object.len());
    for (name, attribute) in object.iter() {
        let part = match entries.get(name) {
            Some(part) => path.inside(Step::Key(name.clone()), |path| convert_part(part, &attribute.ty, path))?,
            None if attribute.optional => Value::Null(resolve(&Type::Any, &attribute.ty)),
            None => {
                return Err(fail(path, format!("map has no element for required attribute {:?}", name.as_str())));
            }
        };
        attributes.push((name.clone(), part));
    }
    Ok(Value::Object(attributes.into_iter().collect()))
}

/// What is known about an unknown value that still holds once it is converted.
fn convert_unknown(unknown: &Unknown, to: &Type) -> Value {
    let known = &unknown.refinement;
    let mut refinement = Refinement { not_null: known.not_null, ..Refinement::default() };
    let same_kind = matches!((&unknown.ty, to), (Type::String, Type::String) | (Type::Number, Type::Number));
    if same_kind {
        refinement = known.clone();
    }
    let (min, max) = match &unknown.ty {
        // The length of a value of these types is part of the type, unless the value is null.
        Type::Tuple(items) => (Some(items.len()), Some(items.len())),
        Type::Object(object) => (Some(object.len()), Some(object.len())),
        _ => (known.min_len, known.max_len),
    };
    match to {
        Type::List(_) | Type::Map(_) => (refinement.min_len, refinement.max_len) = (min, max),
        // Equal elements of a list become one element of the set.
        Type::Set(_) if !matches!(unknown.ty, Type::Set(_)) => {
            (refinement.min_len, refinement.max_len) = (min.map(|min| min.min(1)), max);
        }
        Type::Set(_) => (refinement.min_len, refinement.max_len) = (min, max),
        Type::Any | Type::Bool | Type::Number | Type::String | Type::Tuple(_) | Type::Object(_) => {}
    }
    Value::Unknown(Arc::new(Unknown { ty: resolve(&unknown.ty, to), refinement }))
}

#[cfg(test)]
#[path = "convert_test.rs"]
mod tests;
