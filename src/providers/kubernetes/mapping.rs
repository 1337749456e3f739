//! Blocks to objects and back, by the table alone.
//!
//! Reading follows a *hint*, the value as it was written or last read: what the hint leaves out is not ours and stays out, elements of lists
//! with keys are found by them, and a text that means the same stays as it was written. Without a hint (import, data sources)
//! everything is read.

use serde_json::{Map, json};

use super::scalar::{from_json_of, is_zero, same, to_json_of};
use super::table::{Entry, Field, Fields, What};
use crate::client::kube::types::{Json, ListKind, ListType, Type as ApiType};
use crate::schema::{Nesting, Presence};
use crate::value::{Entries, Str, Type, Value};

/// The object that a configured block describes. Unset attributes that have a default are sent with it, unless the default is what the API
/// takes anyway.
pub fn to_object(fields: &Fields, config: &Value, ty: &ApiType) -> Map<String, Json> {
    let mut object = Map::new();
    for entry in &fields.entries {
        let value = config.get(entry.name).filter(|value| !value.is_null());
        match (&entry.field, &entry.what) {
            (None, _) => {}
            (Some(Field::Named(name)), What::Attribute { attribute, default, octal }) => {
                let api = ty.child(name);
                let json = match (value, default) {
                    _ if attribute.presence == Presence::Computed || attribute.write_only => continue,
                    (Some(value), _) => to_json_of(value, &api, *octal),
                    (None, Some(default)) => {
                        let json = to_json_of(default, &api, *octal);
                        if is_zero(&json) {
                            continue;
                        }
                        json
                    }
                    (None, None) => continue,
                };
                if !json.is_null() {
                    object.insert(name.clone(), json);
                }
            }
            (Some(Field::Flat), What::Block { fields, .. }) => {
                for item in value.and_then(Value::as_items).unwrap_or_default().iter().take(1) {
                    object.extend(to_object(fields, item, ty));
                }
            }
            (Some(Field::Named(name)), What::Block { fields, .. }) => {
                let Some(value) = value else { continue };
                let one = [value.clone()];
                let items = value.as_items().unwrap_or(&one);
                match ty.child(name) {
                    ApiType::List(list) if !items.is_empty() => {
                        let items = items.iter().map(|item| Json::Object(to_object(fields, item, &list.element)));
                        object.insert(name.clone(), Json::Array(items.collect()));
                    }
                    api => {
                        if let Some(item) = items.first() {
                            object.insert(name.clone(), Json::Object(to_object(fields, item, &api)));
                        }
                    }
                }
            }
            (Some(Field::Flat), What::Attribute { .. }) => {}
        }
    }
    object
}

/// The block that describes an object, as far as `hint` goes; all of it without one.
pub fn from_object(fields: &Fields, object: &Json, ty: &ApiType, hint: Option<&Value>) -> Value {
    let parts = fields.entries.iter().map(|entry| {
        let hint = hint.map(|hint| hint.get(entry.name).cloned().unwrap_or_default());
        (Str::from(entry.name), part(entry, object, ty, hint.as_ref()))
    });
    Value::Object(parts.collect())
}

fn part(entry: &Entry, object: &Json, ty: &ApiType, hint: Option<&Value>) -> Value {
    match (&entry.field, &entry.what) {
        (None | Some(Field::Flat), What::Attribute { attribute, default, .. }) => match hint {
            Some(hint) if hint.is_known() && !hint.is_null() => hint.clone(),
            Some(_) => Value::Null(attribute.ty.clone()),
            None => default.clone().unwrap_or_else(|| Value::Null(attribute.ty.clone())),
        },
        (None, What::Block { fields, nesting, .. }) => match hint {
            Some(hint) if hint.is_wholly_known() => hint.clone(),
            _ => nothing(fields, *nesting),
        },
        (Some(Field::Named(name)), What::Attribute { attribute, default, octal }) => {
            let known = hint.filter(|hint| hint.is_wholly_known());
            attribute_of(
                object.get(name),
                &ty.child(name),
                attribute.presence,
                &attribute.ty,
                *octal,
                hint.is_some(),
                known,
                default,
            )
        }
        (Some(Field::Flat), What::Block { fields, nesting, .. }) => {
            let hints = hint.and_then(Value::as_items);
            match hints {
                Some([]) => nothing(fields, *nesting),
                _ => several(fields, *nesting, vec![from_object(fields, object, ty, hints.and_then(<[Value]>::first))]),
            }
        }
        (Some(Field::Named(name)), What::Block { fields, nesting, computed, .. }) => {
            block_of(object.get(name), &ty.child(name), fields, *nesting, *computed, hint)
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "one rule that weighs all of them")]
fn attribute_of(
    field: Option<&Json>,
    api: &ApiType,
    presence: Presence,
    ty: &Type,
    octal: bool,
    hinted: bool,
    hint: Option<&Value>,
    default: &Option<Value>,
) -> Value {
    let absent = || Value::Null(ty.clone());
    let read = |field: &Json| from_json_of(field, ty, octal);
    let decided = matches!(presence, Presence::Computed | Presence::OptionalComputed);
    if !hinted {
        // Everything is read; what the API leaves out is the default.
        return field.map(read).or_else(|| default.clone()).unwrap_or_else(absent);
    }
    let Some(hint) = hint.filter(|hint| !hint.is_null()) else {
        return if decided { field.map_or_else(absent, read) } else { absent() };
    };
    if presence == Presence::Computed {
        return field.map_or_else(absent, read);
    }
    let wanted = to_json_of(hint, api, octal);
    if let (Type::Map(element), Json::Object(wanted), false) = (ty, &wanted, is_atomic(api)) {
        // Keys that others have set are theirs.
        let kept: Entries = wanted
            .iter()
            .filter_map(|(key, one)| {
                let found = field.and_then(|field| field.get(key));
                let value = if same(one, found, &api.child(key)) {
                    hint.get(key).cloned().unwrap_or_default()
                } else {
                    from_json_of(found?, element, octal)
                };
                Some((Str::from(key.as_str()), value))
            })
            .collect();
        return Value::map((**element).clone(), kept);
    }
    let equal = match (ty, &wanted, field) {
        (Type::Set(_), Json::Array(wanted), Some(Json::Array(found))) => {
            wanted.len() == found.len()
                && wanted.iter().all(|one| found.iter().any(|other| same(one, Some(other), &ApiType::Any)))
        }
        // What the API leaves out is the default.
        (_, _, None) if default.as_ref() == Some(hint) => true,
        _ => same(&wanted, field, api),
    };
    if equal { hint.clone() } else { field.map_or_else(absent, read) }
}

fn is_atomic(api: &ApiType) -> bool {
    matches!(api, ApiType::Map(map) if map.atomic)
}

fn block_of(
    field: Option<&Json>,
    api: &ApiType,
    fields: &Fields,
    nesting: Nesting,
    computed: bool,
    hint: Option<&Value>,
) -> Value {
    let field = field.filter(|field| !field.is_null());
    let hints = hint.map(|hint| hint.as_items().unwrap_or_default());
    if hints.is_some_and(<[Value]>::is_empty) && !(computed && hint.is_some_and(|hint| !hint.is_known())) {
        return nothing(fields, nesting);
    }
    let hints = hints.filter(|_| hint.is_some_and(Value::is_known));
    if let ApiType::List(list) = api {
        let found = field.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let Some(hints) = hints else {
            return several(
                fields,
                nesting,
                found.iter().map(|item| from_object(fields, item, &list.element, None)).collect(),
            );
        };
        return several(fields, nesting, elements(found, list, fields, hints));
    }
    let first = hints.and_then(<[Value]>::first);
    match (field, first) {
        (Some(object), hint) => several(fields, nesting, vec![from_object(fields, object, api, hint)]),
        // An empty block and no block are the same to the API.
        (None, Some(hint)) if is_zero(&Json::Object(to_object(fields, hint, api))) => {
            several(fields, nesting, vec![from_object(fields, &json!({}), api, Some(hint))])
        }
        (None, _) => nothing(fields, nesting),
    }
}

/// The elements of a list: by key those of the hint, in its order; by place where there are no keys.
fn elements(found: &[Json], list: &ListType, fields: &Fields, hints: &[Value]) -> Vec<Value> {
    let ListKind::Map(keys) = &list.kind else {
        return found
            .iter()
            .enumerate()
            .map(|(at, item)| from_object(fields, item, &list.element, hints.get(at)))
            .collect();
    };
    let key_of = |item: &Json| -> Vec<Json> {
        let default = |key: &str| match &list.element {
            ApiType::Struct(structure) => structure.field(key).and_then(|field| field.default.clone()),
            _ => None,
        };
        keys.iter().map(|key| item.get(key).cloned().or_else(|| default(key)).unwrap_or_default()).collect()
    };
    let hints = hints.iter().filter_map(|hint| {
        let wanted = key_of(&Json::Object(to_object(fields, hint, &list.element)));
        let item = found.iter().find(|item| key_of(item) == wanted)?;
        Some(from_object(fields, item, &list.element, Some(hint)))
    });
    hints.collect()
}

fn several(fields: &Fields, nesting: Nesting, items: Vec<Value>) -> Value {
    let element = fields.ty();
    match nesting {
        Nesting::Set => Value::set(element, items),
        Nesting::Single | Nesting::Group => items.into_iter().next().unwrap_or(Value::Null(element)),
        Nesting::List | Nesting::Map => Value::list(element, items),
    }
}

fn nothing(fields: &Fields, nesting: Nesting) -> Value {
    several(fields, nesting, Vec::new())
}

/// The value with the defaults of the table where nothing is configured.
pub fn with_defaults(fields: &Fields, value: &Value) -> Value {
    let Some(entries) = value.as_entries() else { return value.clone() };
    let filled = entries.map_values(|name, part| match fields.entry(name).map(|entry| &entry.what) {
        Some(What::Attribute { default: Some(default), .. }) if part.is_null() => default.clone(),
        Some(What::Block { fields, .. }) => match part.bare() {
            Value::List(list) => {
                let items = list.items.iter().map(|item| with_defaults(fields, item)).collect();
                Value::list(list.element.clone(), items)
            }
            Value::Set(set) => {
                let items = set.items.iter().map(|item| with_defaults(fields, item)).collect();
                Value::set(set.element.clone(), items)
            }
            Value::Object(_) => with_defaults(fields, part),
            _ => part.clone(),
        },
        _ => part.clone(),
    });
    Value::Object(filled)
}
