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
    Function::new("setproduct", &[], Returns::Any, product).variadic(Param::any("sets").marked()),
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

/// The arguments as sets of one type, and the type of their elements; `None` while any is not wholly known.
fn unified(arguments: &[Value]) -> Result<(Type, Option<Vec<Value>>), FunctionError> {
    let incompatible = || FunctionError::failed("given sets must all have compatible element types");
    let types: Vec<Type> = arguments.iter().map(Value::ty).collect();
    let common = unify(&types).ok_or_else(incompatible)?;
    let element = super::collections::element_of(&common).cloned().ok_or_else(incompatible)?;
    if !arguments.iter().all(Value::is_wholly_known) {
        return Ok((element, None));
    }
    let sets: Result<Vec<Value>, _> = arguments.iter().map(|set| convert(set, &common)).collect();
    Ok((element, Some(sets.map_err(|_| incompatible())?)))
}

/// The elements of the first set that `keep` approves of, given the others.
fn combine(arguments: &[Value], keep: fn(&Value, &[HashSet<&Value>]) -> bool) -> Result<Value, FunctionError> {
    let (element, sets) = unified(arguments)?;
    let Some(sets) = sets else { return Ok(Value::unknown_not_null(Type::set(element))) };
    let others: Vec<HashSet<&Value>> = (1..sets.len()).map(|index| items(&sets, index).iter().collect()).collect();
    let kept = items(&sets, 0).iter().filter(|item| keep(item, &others)).cloned().collect();
    Ok(Value::set(element, kept))
}

fn union(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let (element, sets) = unified(arguments)?;
    let Some(sets) = sets else { return Ok(Value::unknown_not_null(Type::set(element))) };
    let all = (0..sets.len()).flat_map(|index| items(&sets, index)).cloned().collect();
    Ok(Value::set(element, all))
}

fn product(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    if arguments.len() < 2 {
        return Err(FunctionError::failed("at least two arguments are required"));
    }
    let mut lists = Vec::with_capacity(arguments.len());
    let mut marks = Marks::NONE;
    let mut any_set = false;
    for (index, argument) in arguments.iter().enumerate() {
        marks = marks | argument.marks();
        any_set |= matches!(argument.bare(), Value::Set(_));
        if argument.as_items().is_none() {
            return Err(FunctionError::argument(index, "a set or a list is required"));
        }
        let list = convert(argument.bare(), &Type::list(Type::Any))
            .map_err(|_| FunctionError::argument(index, "all elements must be of the same type"))?;
        lists.push(list);
    }
    let elements = lists.iter().map(|list| match list.ty() {
        Type::List(element) => Type::clone(&element),
        _ => Type::Any,
    });
    let element = Type::tuple(elements);
    let lengths = || lists.iter().map(|list| list.as_items().map_or(0, <[Value]>::len));
    // One list without elements is enough for none, however long the others are.
    let count = if lengths().any(|length| length == 0) { 0 } else { lengths().fold(1, usize::saturating_mul) };
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
