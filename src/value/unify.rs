//! Which types convert to which, why not, and the type that several types have in common.
//!
//! In: types only. The wording of the reasons is Terraform's, because users search for it.

use super::{AttrType, ObjectType, Type};

/// The type that values of all these types convert to: that of the elements of a list written from them, or of a
/// conditional's two results. `Any` puts no demand on it; of no types at all it is `Any`.
///
/// Objects with the same attributes unify attribute by attribute, others become maps; tuples of one length unify element by
/// element, others become lists; a string stands for numbers and truth values beside strings.
pub fn unify(types: &[Type]) -> Option<Type> {
    let mut distinct: Vec<&Type> = Vec::new();
    for ty in types {
        if *ty != Type::Any && distinct.last() != Some(&ty) && !distinct.contains(&ty) {
            distinct.push(ty);
        }
    }
    match distinct.as_slice() {
        [] => Some(Type::Any),
        [only] => Some((*only).clone()),
        several => unify_distinct(several),
    }
}

fn unify_distinct(types: &[&Type]) -> Option<Type> {
    if types.iter().all(|ty| ty.is_primitive()) {
        // Numbers and truth values do not convert to each other, only to strings.
        return types.contains(&&Type::String).then_some(Type::String);
    }
    if types.iter().all(|ty| matches!(ty, Type::Object(_))) {
        return unify_objects(types);
    }
    if types.iter().all(|ty| matches!(ty, Type::Tuple(_))) {
        return unify_tuples(types);
    }
    if types.iter().all(|ty| matches!(ty, Type::Map(_) | Type::Object(_))) {
        return unify(&parts(types)).map(Type::map);
    }
    if types.iter().all(|ty| matches!(ty, Type::List(_) | Type::Set(_) | Type::Tuple(_))) {
        let element = unify(&parts(types))?;
        let any_list = types.iter().any(|ty| matches!(ty, Type::List(_)));
        return Some(if any_list { Type::list(element) } else { Type::set(element) });
    }
    None
}

/// The types of all elements and attributes of these types, in order.
fn parts(types: &[&Type]) -> Vec<Type> {
    let mut parts = Vec::new();
    for ty in types {
        match ty {
            Type::List(element) | Type::Set(element) | Type::Map(element) => parts.push(Type::clone(element)),
            Type::Tuple(items) => parts.extend(items.iter().cloned()),
            Type::Object(object) => parts.extend(object.iter().map(|(_, attribute)| attribute.ty.clone())),
            Type::Any | Type::Bool | Type::Number | Type::String => {}
        }
    }
    parts
}

fn unify_objects(types: &[&Type]) -> Option<Type> {
    let objects: Vec<&ObjectType> =
        types.iter().filter_map(|ty| if let Type::Object(object) = ty { Some(&**object) } else { None }).collect();
    let (first, rest) = objects.split_first()?;
    let same_names = rest
        .iter()
        .all(|other| other.len() == first.len() && first.iter().zip(other.iter()).all(|((a, _), (b, _))| a == b));
    if !same_names {
        return unify(&parts(types)).map(Type::map);
    }
    let mut attributes = Vec::with_capacity(first.len());
    for (name, _) in first.iter() {
        let column: Vec<Type> = objects.iter().filter_map(|object| Some(object.get(name)?.ty.clone())).collect();
        attributes.push((name.clone(), unify(&column)?));
    }
    Some(Type::object(attributes))
}

fn unify_tuples(types: &[&Type]) -> Option<Type> {
    let tuples: Vec<&[Type]> =
        types.iter().filter_map(|ty| if let Type::Tuple(items) = ty { Some(&**items) } else { None }).collect();
    let (first, rest) = tuples.split_first()?;
    if rest.iter().any(|other| other.len() != first.len()) {
        return unify(&parts(types)).map(Type::list);
    }
    let mut items = Vec::with_capacity(first.len());
    for index in 0..first.len() {
        let column: Vec<Type> = tuples.iter().map(|tuple| tuple[index].clone()).collect();
        items.push(unify(&column)?);
    }
    Some(Type::tuple(items))
}

/// Why no value of the type `from` converts to `to`, in Terraform's words; `None` when some do (a string to a number, say,
/// which depends on the string).
pub(super) fn mismatch(from: &Type, to: &Type) -> Option<String> {
    if from == to {
        return None;
    }
    match (from, to) {
        (Type::Any, _) | (_, Type::Any) => None,
        (Type::Number | Type::Bool, Type::String) | (Type::String, Type::Number | Type::Bool) => None,
        (Type::Object(from), Type::Object(to)) => mismatch_objects(from, to),
        (Type::Map(element), Type::Object(object)) => {
            let fits = object.iter().all(|(_, attribute)| mismatch(element, &attribute.ty).is_none());
            (!fits).then(|| required(to))
        }
        (Type::Tuple(from), Type::Tuple(items)) => {
            let fits =
                from.len() == items.len() && from.iter().zip(items.iter()).all(|(a, b)| mismatch(a, b).is_none());
            (!fits).then(|| required(to))
        }
        (Type::Tuple(items), Type::List(element) | Type::Set(element)) => {
            if **element == Type::Any {
                let kind = if matches!(to, Type::List(_)) { "list" } else { "set" };
                return unify(items).is_none().then(|| format!("all {kind} elements must have the same type"));
            }
            items
                .iter()
                .enumerate()
                .find_map(|(index, item)| Some(format!("element {index}: {}", mismatch(item, element)?)))
        }
        (Type::Object(object), Type::Map(element)) => {
            if **element == Type::Any {
                let types: Vec<Type> = object.iter().map(|(_, attribute)| attribute.ty.clone()).collect();
                return unify(&types).is_none().then(|| "all map elements must have the same type".to_owned());
            }
            object.iter().find_map(|(name, attribute)| {
                Some(format!("element {:?}: {}", name.as_str(), mismatch(&attribute.ty, element)?))
            })
        }
        (Type::List(from) | Type::Set(from), Type::List(element) | Type::Set(element))
        | (Type::Map(from), Type::Map(element)) => {
            let kind = match to {
                Type::List(_) => "list",
                Type::Set(_) => "set",
                _ => "map",
            };
            Some(format!("incorrect {kind} element type: {}", mismatch(from, element)?))
        }
        _ => Some(required(to)),
    }
}

fn mismatch_objects(from: &ObjectType, to: &ObjectType) -> Option<String> {
    let missing: Vec<String> = to
        .iter()
        .filter(|(name, attribute)| !attribute.optional && from.get(name).is_none())
        .map(|(name, _)| format!("{:?}", name.as_str()))
        .collect();
    match missing.as_slice() {
        [] => {}
        [one] => return Some(format!("attribute {one} is required")),
        [one, other] => return Some(format!("attributes {one} and {other} are required")),
        [many @ .., last] => return Some(format!("attributes {}, and {last} are required", many.join(", "))),
    }
    to.iter().find_map(|(name, wanted)| {
        let reason = mismatch(&from.get(name)?.ty, &wanted.ty)?;
        Some(format!("attribute {:?}: {reason}", name.as_str()))
    })
}

/// `string required`, `list of any single type required`.
pub(super) fn required(ty: &Type) -> String {
    format!("{} required", ty.friendly_constraint())
}

/// The type that a value of type `from` has after conversion to the constraint `to`: `Any` filled in as far as `from` tells,
/// nothing optional.
pub(super) fn resolve(from: &Type, to: &Type) -> Type {
    let elements = |element: &Type| -> Type {
        if element.is_determined() {
            return required_only(element);
        }
        let types: Vec<Type> = match from {
            Type::List(element) | Type::Set(element) | Type::Map(element) => vec![Type::clone(element)],
            Type::Tuple(items) => items.to_vec(),
            Type::Object(object) => object.iter().map(|(_, attribute)| attribute.ty.clone()).collect(),
            _ => Vec::new(),
        };
        if types.is_empty() {
            return required_only(element);
        }
        let types: Vec<Type> = types.iter().map(|ty| resolve(ty, element)).collect();
        unify(&types).unwrap_or(Type::Any)
    };
    match to {
        Type::Any => from.clone(),
        Type::Bool | Type::Number | Type::String => to.clone(),
        Type::List(element) => Type::list(elements(element)),
        Type::Set(element) => Type::set(elements(element)),
        Type::Map(element) => Type::map(elements(element)),
        Type::Tuple(items) => match from {
            Type::Tuple(from) if from.len() == items.len() => {
                Type::tuple(from.iter().zip(items.iter()).map(|(from, to)| resolve(from, to)))
            }
            _ => Type::tuple(items.iter().map(required_only)),
        },
        Type::Object(object) => Type::object(object.iter().map(|(name, attribute)| {
            let from = match from {
                Type::Object(from) => from.get(name).map(|attribute| &attribute.ty),
                Type::Map(element) => Some(&**element),
                _ => None,
            };
            (name.clone(), from.map_or_else(|| required_only(&attribute.ty), |from| resolve(from, &attribute.ty)))
        })),
    }
}

/// The type with no attribute optional, as types of values are.
fn required_only(ty: &Type) -> Type {
    match ty {
        Type::Any | Type::Bool | Type::Number | Type::String => ty.clone(),
        Type::List(element) => Type::list(required_only(element)),
        Type::Set(element) => Type::set(required_only(element)),
        Type::Map(element) => Type::map(required_only(element)),
        Type::Tuple(items) => Type::tuple(items.iter().map(required_only)),
        Type::Object(object) => {
            Type::object(object.iter().map(|(name, AttrType { ty, .. })| (name.clone(), required_only(ty))))
        }
    }
}
