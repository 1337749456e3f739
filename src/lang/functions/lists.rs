//! Functions that make lists from lists.

use std::collections::{BTreeMap, HashSet};

use super::arguments::{items, number};
use super::collections::unknown_of;
use super::{Context, Function, FunctionError, Param, ParamType, Returns};
use crate::value::{Marks, Str, Type, Value, convert, unify};

const LIST: &[Param] = &[Param::new("list", ParamType::List)];
const STRINGS: &[Param] = &[Param::new("list", ParamType::Strings)];
const BOOLS: &[Param] = &[Param::new("list", ParamType::Bools)];

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("alltrue", BOOLS, Returns::Bool, |arguments, _| {
        let list = items(arguments, 0);
        let some_false = list.iter().any(|item| item.is_known() && item.as_bool() != Some(true));
        Ok(decided(some_false.then_some(false), list, true))
    }),
    Function::new("anytrue", BOOLS, Returns::Bool, |arguments, _| {
        let list = items(arguments, 0);
        let some_true = list.iter().any(|item| item.as_bool() == Some(true));
        Ok(decided(some_true.then_some(true), list, false))
    }),
    Function::new(
        "chunklist",
        &[Param::new("list", ParamType::List).marked(), Param::number("size")],
        Returns::NotNull(|arguments| Type::list(first_type(arguments))),
        chunklist,
    ),
    Function::new("coalesce", &[], Returns::From(coalesce_type), coalesce)
        .variadic(Param::any("vals").null().unknown()),
    Function::new("coalescelist", &[], Returns::Any, coalescelist).variadic(Param::any("vals").null().unknown()),
    Function::new("compact", STRINGS, Returns::NotNull(first_type), compact),
    Function::new("concat", &[], Returns::NotNull(concat_type), concat).variadic(Param::any("seqs").marked().unknown()),
    Function::new("distinct", LIST, Returns::NotNull(first_type), distinct),
    Function::new("flatten", &[Param::any("list").marked()], Returns::Any, flatten),
    Function::new(
        "matchkeys",
        &[
            Param::new("values", ParamType::List),
            Param::new("keys", ParamType::List),
            Param::new("searchset", ParamType::List),
        ],
        Returns::NotNull(first_type),
        matchkeys,
    ),
    Function::new("reverse", &[Param::any("list").marked()], Returns::NotNull(reverse_type), reverse),
    Function::new(
        "slice",
        &[
            Param::any("list").marked().unknown(),
            Param::number("start_index").unknown(),
            Param::number("end_index").unknown(),
        ],
        Returns::From(slice_type),
        slice,
    ),
    Function::new("sort", STRINGS, Returns::NotNull(first_type), sort),
    Function::new(
        "transpose",
        &[Param::new("values", ParamType::StringListMap)],
        Returns::NotNull(first_type),
        transpose,
    ),
];

fn first_type(arguments: &[Value]) -> Type {
    arguments.first().map_or(Type::Any, Value::ty)
}

/// What is decided already, else unknown while elements are, else the answer of an undecided list.
fn decided(already: Option<bool>, list: &[Value], otherwise: bool) -> Value {
    match already {
        Some(answer) => Value::Bool(answer),
        None if list.iter().all(Value::is_known) => Value::Bool(otherwise),
        None => Value::unknown_not_null(Type::Bool),
    }
}

fn chunklist(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let size = number(arguments, 1).as_i64().ok_or_else(|| {
        let range = format!("between {} and {}", i64::MIN, i64::MAX);
        FunctionError::failed(format!("invalid size: value must be a whole number, {range}"))
    })?;
    let size = usize::try_from(size).map_err(|_| FunctionError::failed("the size argument must be positive"))?;
    let list = items(arguments, 0);
    let ty = first_type(arguments);
    let element = super::collections::element_of(&ty).cloned().unwrap_or(Type::Any);
    // A size of zero means one chunk with everything.
    let size = if size == 0 { list.len().max(1) } else { size };
    let chunks = list.chunks(size).map(|chunk| Value::list(element.clone(), chunk.to_vec())).collect();
    let marks = arguments.first().map_or(Marks::NONE, Value::marks);
    Ok(Value::list(ty, chunks).mark(marks))
}

fn coalesce_type(arguments: &[Value]) -> Type {
    let types: Vec<Type> = arguments.iter().map(Value::ty).collect();
    unify(&types).unwrap_or(Type::Any)
}

fn coalesce(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let types: Vec<Type> = arguments.iter().map(Value::ty).collect();
    let common = match unify(&types) {
        Some(common) if !arguments.is_empty() => common,
        _ => return Err(FunctionError::failed("all arguments must have the same type")),
    };
    for (index, argument) in arguments.iter().enumerate() {
        let argument = convert(argument, &common).map_err(|error| FunctionError::argument(index, error.to_string()))?;
        match &argument {
            Value::Null(_) => {}
            Value::String(text) if text.is_empty() => {}
            // It may turn out null or empty, so that a later one counts.
            Value::Unknown(_) => return Ok(Value::unknown_not_null(common)),
            _ => return Ok(argument),
        }
    }
    Err(FunctionError::failed("no non-null, non-empty-string arguments"))
}

fn coalescelist(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    if arguments.is_empty() {
        return Err(FunctionError::failed("at least one argument is required"));
    }
    for argument in arguments {
        match argument {
            Value::Unknown(unknown) if matches!(unknown.ty, Type::Any | Type::List(_) | Type::Tuple(_)) => {
                let same = arguments.iter().all(|other| other.ty() == unknown.ty);
                return Ok(Value::unknown(if same { unknown.ty.clone() } else { Type::Any }));
            }
            Value::List(_) | Value::Tuple(_) => {
                if argument.as_items().is_some_and(|items| !items.is_empty()) {
                    return Ok(argument.clone());
                }
            }
            Value::Null(Type::List(_) | Type::Tuple(_)) => {}
            _ => return Err(FunctionError::failed("coalescelist arguments must be lists or tuples")),
        }
    }
    Err(FunctionError::failed("no non-null arguments"))
}

fn compact(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let list = items(arguments, 0);
    if !list.iter().all(Value::is_known) {
        return Ok(Value::unknown_not_null(Type::list(Type::String)));
    }
    let kept = list.iter().filter(|item| item.as_str().is_some_and(|text| !text.is_empty())).cloned().collect();
    Ok(Value::list(Type::String, kept))
}

fn concat_type(arguments: &[Value]) -> Type {
    let types: Vec<Type> = arguments.iter().map(Value::ty).collect();
    let elements: Option<Vec<Type>> =
        types.iter().map(|ty| if let Type::List(element) = ty { Some(Type::clone(element)) } else { None }).collect();
    if let Some(element) = elements.and_then(|elements| unify(&elements)) {
        return Type::list(element);
    }
    let mut parts = Vec::new();
    for (ty, value) in types.iter().zip(arguments) {
        match (ty, value.as_items()) {
            (Type::Tuple(items), _) => parts.extend(items.iter().cloned()),
            (Type::List(element), Some(items)) => parts.extend(items.iter().map(|_| Type::clone(element))),
            _ => return Type::Any,
        }
    }
    Type::tuple(parts)
}

fn concat(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    if arguments.is_empty() {
        return Err(FunctionError::failed("at least one argument is required"));
    }
    let mut all = Vec::new();
    let (mut marks, mut open) = (Marks::NONE, false);
    for (index, argument) in arguments.iter().enumerate() {
        marks = marks | argument.marks();
        match argument.bare() {
            Value::Unknown(unknown) if matches!(unknown.ty, Type::Any | Type::List(_) | Type::Tuple(_)) => open = true,
            Value::List(_) | Value::Tuple(_) => all.extend_from_slice(items(arguments, index)),
            other => {
                let kind = other.ty().friendly();
                let message = format!("all arguments must be lists or tuples; got {kind}");
                return Err(FunctionError::argument(index, message));
            }
        }
    }
    if open {
        return Ok(unknown_of(concat_type(arguments)).mark(marks));
    }
    let joined = Value::tuple(all);
    match concat_type(arguments) {
        list @ Type::List(_) => {
            convert(&joined.mark(marks), &list).map_err(|error| FunctionError::failed(error.to_string()))
        }
        _ => Ok(joined.mark(marks)),
    }
}

fn distinct(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let list = items(arguments, 0);
    let ty = first_type(arguments);
    if !list.iter().all(Value::is_wholly_known) {
        return Ok(Value::unknown_not_null(ty));
    }
    let mut seen = HashSet::with_capacity(list.len());
    let kept = list.iter().filter(|item| seen.insert(*item)).cloned().collect();
    Ok(Value::list(super::collections::element_of(&ty).cloned().unwrap_or(Type::Any), kept))
}

fn flatten(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(list) = arguments.first() else { return Ok(Value::NULL) };
    // How many elements a set has is open while one of them is unknown.
    if matches!(list.bare(), Value::Set(_)) && !list.is_wholly_known() {
        return Ok(Value::unknown(Type::Any).mark(list.marks()));
    }
    if list.as_items().is_none() {
        return Err(FunctionError::failed("can only flatten lists, sets and tuples"));
    }
    let mut flat = Vec::new();
    let mut marks = Marks::NONE;
    let known = flatten_into(list, &mut flat, &mut marks);
    Ok(if known { Value::tuple(flat) } else { Value::unknown(Type::Any) }.mark(marks))
}

/// Says whether all sequences in it were known; an unknown one may have any number of elements.
fn flatten_into(value: &Value, flat: &mut Vec<Value>, marks: &mut Marks) -> bool {
    match (value.bare(), value.as_items()) {
        (_, Some(items)) => {
            *marks = *marks | value.marks();
            let mut known = !matches!(value.bare(), Value::Set(_)) || value.is_wholly_known();
            for item in items {
                known &= flatten_into(item, flat, marks);
            }
            known
        }
        (Value::Unknown(unknown), None)
            if matches!(unknown.ty, Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_)) =>
        {
            *marks = *marks | value.marks();
            false
        }
        _ => {
            flat.push(value.clone());
            true
        }
    }
}

fn matchkeys(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let types: Vec<Type> = arguments.iter().skip(1).map(Value::ty).collect();
    let Some(common) = unify(&types) else {
        return Err(FunctionError::failed("keys and searchset must be of the same type"));
    };
    let (values, keys, searched) = (items(arguments, 0), items(arguments, 1), items(arguments, 2));
    if values.len() != keys.len() {
        return Err(FunctionError::failed("length of keys and values should be equal"));
    }
    let ty = first_type(arguments);
    if !arguments.iter().all(Value::is_wholly_known) {
        return Ok(Value::unknown_not_null(ty));
    }
    let element = super::collections::element_of(&common).cloned().unwrap_or(Type::Any);
    let same = |value: &Value| {
        convert(value, &element).map_err(|_| FunctionError::failed("keys and searchset must be of the same type"))
    };
    let wanted: HashSet<Value> = searched.iter().map(same).collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for (value, key) in values.iter().zip(keys) {
        if wanted.contains(&same(key)?) {
            found.push(value.clone());
        }
    }
    Ok(Value::list(super::collections::element_of(&ty).cloned().unwrap_or(Type::Any), found))
}

fn reverse_type(arguments: &[Value]) -> Type {
    match first_type(arguments) {
        Type::Tuple(items) => Type::tuple(items.iter().rev().cloned()),
        Type::List(element) | Type::Set(element) => Type::List(element),
        _ => Type::Any,
    }
}

fn reverse(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(list) = arguments.first() else { return Ok(Value::NULL) };
    let reversed: Vec<Value> = items(arguments, 0).iter().rev().cloned().collect();
    let reversed = match list.bare() {
        Value::Tuple(_) => Value::tuple(reversed),
        Value::List(sequence) | Value::Set(sequence) => Value::list(sequence.element.clone(), reversed),
        other => {
            let kind = other.ty().friendly();
            return Err(FunctionError::argument(0, format!("can only reverse list or tuple values, not {kind}")));
        }
    };
    Ok(reversed.mark(list.marks()))
}

fn slice_type(arguments: &[Value]) -> Type {
    match first_type(arguments) {
        list @ Type::List(_) => list,
        _ => Type::Any,
    }
}

fn slice(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let Some(list) = arguments.first() else { return Ok(Value::NULL) };
    match list.ty() {
        Type::List(_) | Type::Tuple(_) | Type::Any => {}
        Type::Set(_) => {
            let message = "cannot slice a set, because its elements do not have indices; explicitly convert to a list if the ordering of the result is not important";
            return Err(FunctionError::argument(0, message));
        }
        _ => return Err(FunctionError::argument(0, "must be a list or tuple value")),
    }
    let length = list.as_items().map(<[Value]>::len);
    let start = slice_index(arguments, 1, "start", length)?;
    let end = slice_index(arguments, 2, "end", length)?;
    let (Some(_), Some(start), Some(end)) = (length, start, end) else {
        return Ok(Value::unknown(slice_type(arguments)).mark(list.marks()));
    };
    let items = items(arguments, 0);
    if start > end {
        return Err(FunctionError::argument(1, "start index must not be greater than end index"));
    }
    let part = items[start..end].to_vec();
    let part = match list.bare() {
        Value::List(sequence) => Value::list(sequence.element.clone(), part),
        _ => Value::tuple(part),
    };
    Ok(part.mark(list.marks()))
}

/// An index of `slice`; `None` while it is unknown.
fn slice_index(
    arguments: &[Value],
    index: usize,
    name: &str,
    length: Option<usize>,
) -> Result<Option<usize>, FunctionError> {
    let wrong = |message: String| Err(FunctionError::argument(index, message));
    if !arguments.get(index).is_some_and(Value::is_known) {
        return Ok(None);
    }
    match number(arguments, index).as_i64() {
        None => {
            let range = format!("between {} and {}", i64::MIN, i64::MAX);
            wrong(format!("invalid {name} index: value must be a whole number, {range}"))
        }
        Some(at) => match usize::try_from(at) {
            Err(_) => wrong(format!("{name} index must not be less than zero")),
            Ok(at) if length.is_some_and(|length| at > length) => {
                wrong(format!("{name} index must not be greater than the length of the list"))
            }
            Ok(at) => Ok(Some(at)),
        },
    }
}

fn sort(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let mut list = items(arguments, 0).to_vec();
    if let Some(at) = list.iter().position(Value::is_null) {
        return Err(FunctionError::failed(format!("given list element {at} is null; a null string cannot be sorted")));
    }
    if !list.iter().all(Value::is_known) {
        return Ok(Value::unknown_not_null(Type::list(Type::String)));
    }
    list.sort();
    Ok(Value::list(Type::String, list))
}

fn transpose(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    if !arguments.iter().all(Value::is_wholly_known) {
        return Ok(Value::unknown_not_null(first_type(arguments)));
    }
    let mut turned: BTreeMap<Str, Vec<Value>> = BTreeMap::new();
    for (key, list) in arguments.first().and_then(Value::as_entries).into_iter().flatten() {
        let Some(items) = list.as_items() else {
            return Err(FunctionError::failed("input must not contain null list"));
        };
        for item in items {
            let Some(text) = item.as_str() else {
                return Err(FunctionError::failed("input must not contain null string"));
            };
            turned.entry(Str::from(text)).or_default().push(Value::String(key.clone()));
        }
    }
    let entries = turned.into_iter().map(|(key, keys)| (key, Value::list(Type::String, keys))).collect();
    Ok(Value::map(Type::list(Type::String), entries))
}
