//! Functions on sets.

use std::collections::HashSet;

use super::arguments::{elements_of, items};
use super::{Context, Function, FunctionError, Param, ParamType, Returns};
use crate::value::{Marks, Type, Value, convert, unify};

const FIRST: &[Param] = &[Param::new("first_set", ParamType::Set)];
const OTHERS: Param = Param::new("other_sets", ParamType::Set);

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("setintersection", FIRST, Returns::NotNull(common_type), |arguments, _| {
        combine(arguments, |item, others| others.iter().all(|other| other.contains(item)))
    })
    .variadic(OTHERS),
    Function::new("setproduct", &[], Returns::NotNull(product_type), product)
        .variadic(Param::any("sets").marked().unknown()),
    Function::new(
        "setsubtract",
        &[Param::new("a", ParamType::Set), Param::new("b", ParamType::Set)],
        Returns::NotNull(common_type),
        |arguments, _| combine(arguments, |item, others| !others.iter().any(|other| other.contains(item))),
    ),
    Function::new("setunion", FIRST, Returns::NotNull(common_type), union).variadic(OTHERS),
];

fn common_type(arguments: &[Value]) -> Type {
    let types: Vec<Type> = arguments.iter().map(Value::ty).collect();
    unify(&types).unwrap_or(Type::Any)
}

/// The arguments as sets of one type, and the type of their elements; `None` while any is not known as `known` has it.
fn unified(arguments: &[Value], known: fn(&Value) -> bool) -> Result<(Type, Option<Vec<Value>>), FunctionError> {
    let incompatible = || FunctionError::failed("given sets must all have compatible element types");
    let types: Vec<Type> = arguments.iter().map(Value::ty).collect();
    let common = unify(&types).ok_or_else(incompatible)?;
    let element = super::collections::element_of(&common).cloned().ok_or_else(incompatible)?;
    if !arguments.iter().all(known) {
        return Ok((element, None));
    }
    let sets: Result<Vec<Value>, _> = arguments.iter().map(|set| convert(set, &common)).collect();
    Ok((element, Some(sets.map_err(|_| incompatible())?)))
}

/// The elements of the first set that `keep` approves of, given the others.
fn combine(arguments: &[Value], keep: fn(&Value, &[HashSet<&Value>]) -> bool) -> Result<Value, FunctionError> {
    let (element, sets) = unified(arguments, Value::is_wholly_known)?;
    let Some(sets) = sets else { return Ok(Value::unknown_not_null(Type::set(element))) };
    let others: Vec<HashSet<&Value>> = (1..sets.len()).map(|index| items(&sets, index).iter().collect()).collect();
    let kept = items(&sets, 0).iter().filter(|item| keep(item, &others)).cloned().collect();
    Ok(Value::set(element, kept))
}

fn union(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    // An element that is not known yet is in it, whatever it turns out to be.
    let (element, sets) = unified(arguments, Value::is_known)?;
    let Some(sets) = sets else { return Ok(Value::unknown_not_null(Type::set(element))) };
    let all = (0..sets.len()).flat_map(|index| items(&sets, index)).cloned().collect();
    Ok(Value::set(element, all))
}

/// The type of a product: a set as soon as one of what it is made of is one.
fn product_type(arguments: &[Value]) -> Type {
    let element = |value: &Value| match value.ty() {
        Type::List(element) | Type::Set(element) => Type::clone(&element),
        Type::Tuple(items) => unify(&items).unwrap_or(Type::Any),
        _ => Type::Any,
    };
    let element = Type::tuple(arguments.iter().map(element));
    let any_set = arguments.iter().any(|value| matches!(value.ty(), Type::Set(_)));
    if any_set { Type::set(element) } else { Type::list(element) }
}

fn product(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    if arguments.len() < 2 {
        return Err(FunctionError::failed("at least two arguments are required"));
    }
    let mut lists = Vec::with_capacity(arguments.len());
    let mut marks = Marks::NONE;
    for (index, argument) in arguments.iter().enumerate() {
        marks = marks | argument.marks();
        if !matches!(argument.ty(), Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_)) || argument.is_null() {
            return Err(FunctionError::argument(index, "a set or a list is required"));
        }
        lists.push(argument.bare().clone());
    }
    let ty = product_type(arguments);
    // How many elements a set has is open while one of several is unknown.
    let is_open = |list: &Value| !convert(list, &Type::list(Type::Any)).as_ref().unwrap_or(list).is_known();
    if lists.iter().any(is_open) {
        return Ok(Value::unknown_not_null(ty).mark(marks));
    }
    let any_set = matches!(ty, Type::Set(_));
    let element = super::collections::element_of(&ty).cloned().unwrap_or(Type::Any);
    let types: Vec<Type> = match &element {
        Type::Tuple(types) => types.to_vec(),
        _ => vec![Type::Any; lists.len()],
    };
    let none = lists.iter().any(|list| list.as_items().is_none_or(<[Value]>::is_empty));
    if !none {
        for (index, (list, ty)) in lists.iter_mut().zip(types).enumerate() {
            let mixed =
                || FunctionError::failed(format!("the elements of argument {} are of several types", index + 1));
            *list = convert(list, &Type::list(Type::Any)).map_err(|_| mixed())?;
            *list = convert(list, &Type::list(ty)).map_err(|_| mixed())?;
        }
    }
    let lengths = || lists.iter().map(|list| list.as_items().map_or(0, <[Value]>::len));
    // One list without elements is enough for none, however long the others are.
    let count = if none { 0 } else { lengths().fold(1, usize::saturating_mul) };
    // Each row is a value with as many values as there are lists.
    elements_of(count.saturating_mul(lists.len() + 1))?;
    let row = |number: usize| {
        let (mut left, mut row) = (number, Vec::with_capacity(lists.len()));
        for index in (0..lists.len()).rev() {
            let items = items(&lists, index);
            row.push(items[left % items.len()].clone());
            left /= items.len();
        }
        row.reverse();
        Value::tuple(row)
    };
    let rows = (0..count).map(row).collect();
    Ok(if any_set { Value::set(element, rows) } else { Value::list(element, rows) }.mark(marks))
}
