//! Functions that look into collections: size, elements, keys; and those that put maps and objects together.

use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation;

use super::arguments::{items, number, text};
use super::{Context, Function, FunctionError, Param, ParamType, Returns};
use crate::value::{Entries, Marks, Number, Refinement, Str, Type, Unknown, Value, convert};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("contains", &[Param::any("list"), Param::any("value")], Returns::Bool, contains),
    Function::new(
        "element",
        &[Param::any("list").marked(), Param::number("index")],
        Returns::From(element_type),
        element,
    ),
    Function::new("index", &[Param::any("list"), Param::any("value")], Returns::Number, index),
    Function::new("keys", &[Param::any("inputMap").marked().unknown()], Returns::Any, keys),
    Function::new("length", &[Param::any("value").marked().unknown()], Returns::Number, length),
    Function::new(
        "lookup",
        &[Param::any("inputMap").marked(), Param::string("key")],
        Returns::From(lookup_type),
        lookup,
    )
    .variadic(Param::any("default").null().unknown().marked()),
    Function::new("merge", &[], Returns::NotNull(merge_type), merge)
        .variadic(Param::any("maps").null().marked().unknown()),
    Function::new("one", &[Param::any("list").unknown()], Returns::From(one_type), one),
    Function::new("values", &[Param::any("mapping").marked()], Returns::NotNull(values_type), values),
    Function::new(
        "zipmap",
        &[Param::new("keys", ParamType::Strings), Param::any("values").marked()],
        Returns::NotNull(zipmap_type),
        zipmap,
    ),
];

/// The type of the elements of a collection, where they have one.
pub(super) fn element_of(ty: &Type) -> Option<&Type> {
    match ty {
        Type::List(element) | Type::Set(element) | Type::Map(element) => Some(element),
        _ => None,
    }
}

/// Something of a type that is not null, where the type is known.
pub(super) fn unknown_of(ty: Type) -> Value {
    if ty == Type::Any { Value::unknown(ty) } else { Value::unknown_not_null(ty) }
}

fn first_type(arguments: &[Value]) -> Type {
    arguments.first().map_or(Type::Any, Value::ty)
}

fn contains(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let (Some(list), Some(wanted)) = (arguments.first(), arguments.get(1)) else { return Ok(Value::Bool(false)) };
    let Some(items) = list.as_items() else {
        return Err(FunctionError::failed("argument must be list, tuple, or set"));
    };
    Ok(if wanted.is_wholly_known() && items.contains(wanted) {
        Value::Bool(true)
    } else if wanted.is_wholly_known() && list.is_wholly_known() || items.is_empty() {
        Value::Bool(false)
    } else {
        Value::unknown_not_null(Type::Bool)
    })
}

fn element_type(arguments: &[Value]) -> Type {
    match first_type(arguments) {
        Type::List(element) => Type::clone(&element),
        Type::Tuple(items) if !items.is_empty() => match number(arguments, 1).as_i64() {
            Some(at) if arguments.get(1).is_some_and(Value::is_known) => {
                items.get(wrapped(at, items.len())).cloned().unwrap_or(Type::Any)
            }
            _ => Type::Any,
        },
        _ => Type::Any,
    }
}

/// An index that counts round and round.
fn wrapped(index: i64, length: usize) -> usize {
    let length = i64::try_from(length).unwrap_or(i64::MAX).max(1);
    usize::try_from(index.rem_euclid(length)).unwrap_or_default()
}

fn element(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(list) = arguments.first() else { return Ok(Value::NULL) };
    let items = match list.bare() {
        Value::List(_) | Value::Tuple(_) => items(arguments, 0),
        other => {
            return Err(FunctionError::failed(format!("cannot read elements from {}", other.ty().friendly())));
        }
    };
    let at = number(arguments, 1).as_i64().ok_or_else(|| {
        let range = format!("between {} and {}", i64::MIN, i64::MAX);
        FunctionError::failed(format!("invalid index: value must be a whole number, {range}"))
    })?;
    match items.get(wrapped(at, items.len())) {
        Some(item) => Ok(item.clone().mark(list.marks())),
        None => Err(FunctionError::failed("cannot use element function with an empty list")),
    }
}

fn index(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let (Some(list), Some(wanted)) = (arguments.first(), arguments.get(1)) else { return Ok(Value::NULL) };
    if !matches!(list, Value::List(_) | Value::Tuple(_)) {
        return Err(FunctionError::failed("argument must be a list or tuple"));
    }
    let items = items(arguments, 0);
    if items.is_empty() {
        return Err(FunctionError::failed("cannot search an empty list"));
    }
    for (at, item) in items.iter().enumerate() {
        if !item.is_wholly_known() || !wanted.is_wholly_known() {
            return Ok(Value::unknown_not_null(Type::Number));
        }
        if item == wanted {
            return Ok(Value::int(at as i64));
        }
    }
    Err(FunctionError::failed("item not found"))
}

fn keys(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(map) = arguments.first() else { return Ok(Value::NULL) };
    let keys = match map.bare() {
        Value::Map(map) => Value::list(Type::String, map.entries.keys().cloned().map(Value::String).collect()),
        Value::Object(object) => Value::tuple(object.keys().cloned().map(Value::String).collect::<Vec<_>>()),
        Value::Unknown(unknown) => match &unknown.ty {
            Type::Object(object) => {
                Value::tuple(object.iter().map(|(name, _)| Value::String(name.clone())).collect::<Vec<_>>())
            }
            Type::Map(_) => Value::unknown_not_null(Type::list(Type::String)),
            Type::Any => Value::unknown(Type::Any),
            _ => return Err(FunctionError::argument(0, "must have map or object type")),
        },
        _ => return Err(FunctionError::argument(0, "must have map or object type")),
    };
    Ok(keys.mark(map.marks()))
}

fn length(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(value) = arguments.first() else { return Ok(Value::NULL) };
    let known = |count: usize| Value::int(i64::try_from(count).unwrap_or(i64::MAX));
    let length = match value.bare() {
        Value::String(text) => known(text.graphemes(true).count()),
        Value::Set(set) if set.items.len() > 1 && !value.is_wholly_known() => {
            // Elements that are not known may turn out to be equal.
            between(Some(1), Some(set.items.len()))
        }
        Value::List(sequence) | Value::Set(sequence) => known(sequence.items.len()),
        Value::Tuple(items) => known(items.len()),
        Value::Map(map) => known(map.entries.len()),
        Value::Object(object) => known(object.len()),
        Value::Unknown(unknown) => match &unknown.ty {
            Type::Tuple(items) => known(items.len()),
            Type::Object(object) => known(object.len()),
            Type::List(_) | Type::Set(_) | Type::Map(_) => {
                between(unknown.refinement.min_len, unknown.refinement.max_len)
            }
            Type::Any | Type::String => between(None, None),
            Type::Bool | Type::Number => return Err(unsized_value()),
        },
        _ => return Err(unsized_value()),
    };
    Ok(length.mark(value.marks()))
}

fn unsized_value() -> FunctionError {
    FunctionError::failed("argument must be a string, a collection type, or a structural type")
}

/// A length of which the limits are known.
fn between(min: Option<usize>, max: Option<usize>) -> Value {
    let number = |count: usize| Number::from(i64::try_from(count).unwrap_or(i64::MAX));
    if min.is_some() && min == max {
        return min.map(|count| Value::Number(number(count))).unwrap_or_default();
    }
    let refinement = Refinement {
        not_null: true,
        min: Some(number(min.unwrap_or(0))),
        max: max.map(number),
        ..Refinement::default()
    };
    Value::Unknown(Arc::new(Unknown { ty: Type::Number, refinement }))
}

fn lookup_type(arguments: &[Value]) -> Type {
    match first_type(arguments) {
        Type::Map(element) => Type::clone(&element),
        Type::Object(object) if arguments.get(1).is_some_and(Value::is_known) => {
            let default = arguments.get(2).map_or(Type::Any, Value::ty);
            object.get(text(arguments, 1)).map_or(default, |attribute| attribute.ty.clone())
        }
        _ => Type::Any,
    }
}

fn lookup(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(map) = arguments.first() else { return Ok(Value::NULL) };
    if arguments.len() > 3 {
        let message = format!("lookup() takes two or three arguments, got {}", arguments.len());
        return Err(FunctionError::failed(message));
    }
    let key = text(arguments, 1);
    let (found, default) = match (map.bare(), arguments.get(2)) {
        (Value::Map(map), Some(default)) => {
            let default = convert(default, &map.element).map_err(|_| {
                FunctionError::argument(2, "the default value must have the same type as the map elements")
            })?;
            (map.entries.get(key), Some(default))
        }
        (Value::Map(map), None) => (map.entries.get(key), None),
        (Value::Object(object), default) => (object.get(key), default.cloned()),
        _ => return Err(FunctionError::argument(0, "lookup() requires a map as the first argument")),
    };
    match (found.cloned().or(default), map.bare()) {
        (Some(value), _) => Ok(value.mark(map.marks())),
        (None, Value::Object(_)) => {
            Err(FunctionError::argument(0, format!("the given object has no attribute {key:?}")))
        }
        (None, _) => Err(FunctionError::failed(format!("lookup failed to find key {key:?}"))),
    }
}

fn merge_type(arguments: &[Value]) -> Type {
    let mut attributes = Vec::new();
    // A null that is of no type makes an object of maps.
    let untyped = |value: &&Value| matches!(value.bare(), Value::Null(Type::Any));
    let some_untyped = arguments.iter().any(|value| untyped(&value));
    let types: Vec<Type> = arguments.iter().filter(|value| !value.is_null()).map(Value::ty).collect();
    if !some_untyped
        && let Some(first) = types.first()
        && matches!(first, Type::Map(_))
        && types.iter().all(|ty| ty == first)
    {
        return first.clone();
    }
    for ty in &types {
        match ty {
            Type::Object(object) => {
                attributes.extend(object.iter().map(|(name, attribute)| (name.clone(), attribute.ty.clone())));
            }
            _ => return Type::Any,
        }
    }
    Type::object(attributes)
}

fn merge(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let mut merged: Vec<(Str, Value)> = Vec::new();
    let (mut marks, mut open) = (Marks::NONE, false);
    for argument in arguments {
        marks = marks | argument.marks();
        match argument.bare() {
            Value::Null(_) => {}
            Value::Unknown(unknown) if matches!(unknown.ty, Type::Any | Type::Map(_) | Type::Object(_)) => open = true,
            Value::Map(_) | Value::Object(_) => {
                merged.extend(argument.as_entries().into_iter().flatten().cloned());
            }
            other => {
                let kind = other.ty().friendly();
                return Err(FunctionError::failed(format!("arguments must be maps or objects, got {kind:?}")));
            }
        }
    }
    if open {
        return Ok(unknown_of(merge_type(arguments)).mark(marks));
    }
    let entries = Entries::from_iter(merged);
    // Types cost more than the merging; objects alone always make an object.
    let any_map = arguments.iter().any(|argument| matches!(argument.bare(), Value::Map(_)));
    let merged = match any_map.then(|| merge_type(arguments)) {
        Some(Type::Map(element)) => Value::map(Type::clone(&element), entries),
        _ => Value::Object(entries),
    };
    Ok(merged.mark(marks))
}

fn one_type(arguments: &[Value]) -> Type {
    match first_type(arguments) {
        Type::List(element) | Type::Set(element) => Type::clone(&element),
        Type::Tuple(items) if items.len() == 1 => items[0].clone(),
        _ => Type::Any,
    }
}

fn one(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(list) = arguments.first() else { return Ok(Value::NULL) };
    match (list.bare(), list.as_items()) {
        (Value::Unknown(unknown), _)
            if matches!(unknown.ty, Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_)) =>
        {
            Ok(Value::unknown(one_type(arguments)))
        }
        (Value::Set(_), Some(several)) if several.len() > 1 && !list.is_wholly_known() => {
            Ok(Value::unknown(one_type(arguments)).mark(list.marks()))
        }
        (_, Some([])) => {
            let ty = element_of(&list.ty()).cloned().unwrap_or(Type::Any);
            Ok(Value::Null(ty).mark(list.marks()))
        }
        (_, Some([only])) => Ok(only.clone().mark(list.marks())),
        _ => {
            let message = "must be a list, set, or tuple value with either zero or one elements";
            Err(FunctionError::argument(0, message))
        }
    }
}

fn values_type(arguments: &[Value]) -> Type {
    match first_type(arguments) {
        Type::Map(element) => Type::List(element),
        Type::Object(object) => Type::tuple(object.iter().map(|(_, attribute)| attribute.ty.clone())),
        _ => Type::Any,
    }
}

fn values(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(map) = arguments.first() else { return Ok(Value::NULL) };
    let values = match map.bare() {
        Value::Map(map) => Value::list(map.element.clone(), map.entries.values().cloned().collect()),
        Value::Object(object) => Value::tuple(object.values().cloned().collect::<Vec<_>>()),
        _ => return Err(FunctionError::failed("values() requires a map as the first argument")),
    };
    Ok(values.mark(map.marks()))
}

fn zipmap_type(arguments: &[Value]) -> Type {
    match arguments.get(1).map(Value::ty) {
        Some(Type::List(element)) => Type::Map(element),
        Some(Type::Tuple(items)) if arguments.first().is_some_and(Value::is_wholly_known) => {
            let names = items_text(arguments);
            Type::object(names.zip(items.iter().cloned()))
        }
        _ => Type::Any,
    }
}

fn items_text(arguments: &[Value]) -> impl Iterator<Item = &str> {
    items(arguments, 0).iter().filter_map(Value::as_str)
}

fn zipmap(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let (Some(keys), Some(values)) = (arguments.first(), arguments.get(1)) else { return Ok(Value::NULL) };
    if !matches!(values.bare(), Value::List(_) | Value::Tuple(_)) {
        return Err(FunctionError::failed("values argument must be a list or tuple value"));
    }
    if !keys.is_wholly_known() {
        return Ok(Value::unknown(zipmap_type(arguments)).mark(values.marks()));
    }
    let (names, parts) = (items(arguments, 0), items(arguments, 1));
    if names.len() != parts.len() {
        let (keys, values) = (names.len(), parts.len());
        let message = format!("number of keys ({keys}) does not match number of values ({values})");
        return Err(FunctionError::failed(message));
    }
    let mut entries = Vec::with_capacity(names.len());
    for (at, (name, part)) in names.iter().zip(parts).enumerate() {
        match name.as_str() {
            Some(name) => entries.push((Str::from(name), part.clone())),
            None => return Err(FunctionError::failed(format!("keys list has null value at index {at}"))),
        }
    }
    let entries = Entries::from_iter(entries);
    let zipped = match values.bare() {
        Value::List(list) => Value::map(list.element.clone(), entries),
        _ => Value::Object(entries),
    };
    Ok(zipped.mark(values.marks()))
}
