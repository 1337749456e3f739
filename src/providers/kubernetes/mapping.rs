//! Blocks to objects and back, by the table alone.
//!
//! Reading follows a *hint*, the value as it was written or last read: what the hint leaves out is not ours and stays out, elements of lists
//! with keys are found by them, and a text that means the same stays as it was written. With [`Rules`], as when objects are looked at again,
//! keys that others have put into maps are read too. Without a hint (import, data sources) everything is read.

use serde_json::{Map, json};

use super::foreign::{Rules, is_atomic};
use super::scalar::{from_json_of, is_zero, same, to_json_of};
use super::table::{Entry, Field, Fields, What};
use crate::client::kube::types::{Json, ListKind, ListType, Type as ApiType};
use crate::schema::{Attribute, Nesting, Presence};
use crate::value::{Entries, Str, Type, Value};

/// The object that a configured block describes. Unset attributes that have a default are sent with it, unless the default is what the API
/// takes anyway, or the plan has none: an object that was made without is left so.
pub fn to_object(fields: &Fields, config: &Value, planned: Option<&Value>, ty: &ApiType) -> Map<String, Json> {
    let mut object = Map::new();
    for entry in &fields.entries {
        let value = config.get(entry.name).filter(|value| !value.is_null());
        let plan = planned.and_then(|planned| planned.get(entry.name));
        let at = |index: usize| plan.and_then(Value::as_items).and_then(|items| items.get(index));
        match (&entry.field, &entry.what) {
            (None, _) => {}
            (Some(Field::Named(name)), What::Attribute { attribute, default, octal }) => {
                let api = ty.child(name);
                let json = match (value, default) {
                    _ if attribute.presence == Presence::Computed || attribute.write_only => continue,
                    (Some(value), _) => to_json_of(value, &api, *octal),
                    (None, Some(_)) if plan.is_some_and(Value::is_null) => continue,
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
                    object.extend(to_object(fields, item, at(0), ty));
                }
            }
            (Some(Field::Named(name)), What::Block { fields, .. }) => {
                let Some(value) = value else { continue };
                let one = [value.clone()];
                let items = value.as_items().unwrap_or(&one);
                match ty.child(name) {
                    ApiType::List(list) if !items.is_empty() => {
                        let items = items.iter().enumerate();
                        let items = items.map(|(index, item)| to_object(fields, item, at(index), &list.element));
                        object.insert(name.clone(), Json::Array(items.map(Json::Object).collect()));
                    }
                    api => {
                        if let Some(item) = items.first() {
                            object.insert(name.clone(), Json::Object(to_object(fields, item, at(0), &api)));
                        }
                    }
                }
            }
            (Some(Field::Flat), What::Attribute { .. }) => {}
        }
    }
    object
}

/// The block that describes an object, as far as `hint` goes, and what `rules` read beyond it; all of it without a hint.
pub fn from_object(
    fields: &Fields,
    object: &Json,
    ty: &ApiType,
    hint: Option<&Value>,
    rules: Option<Rules<'_>>,
) -> Value {
    let parts = fields.entries.iter().map(|entry| {
        let hint = hint.map(|hint| hint.get(entry.name).cloned().unwrap_or_default());
        (Str::from(entry.name), part(entry, object, ty, hint.as_ref(), rules))
    });
    Value::Object(parts.collect())
}

fn part(entry: &Entry, object: &Json, ty: &ApiType, hint: Option<&Value>, rules: Option<Rules<'_>>) -> Value {
    let inside = rules.map(|rules| rules.inside(entry.name));
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
        (Some(Field::Named(field)), What::Attribute { attribute, default, octal }) => {
            let (api, default) = (ty.child(field), default.as_ref());
            Leaf { name: entry.name, attribute, default, octal: *octal, api: &api, rules }.read(object.get(field), hint)
        }
        (Some(Field::Flat), What::Block { fields, nesting, .. }) => {
            let hints = hint.and_then(Value::as_items);
            match hints {
                Some([]) => nothing(fields, *nesting),
                _ => {
                    let one = from_object(fields, object, ty, hints.and_then(<[Value]>::first), inside);
                    several(fields, *nesting, vec![one])
                }
            }
        }
        (Some(Field::Named(name)), What::Block { fields, nesting, computed, .. }) => {
            let shape = Shape { fields, nesting: *nesting, computed: *computed };
            block_of(object.get(name), &ty.child(name), &shape, hint, inside)
        }
    }
}

/// An attribute that is a field of the API.
struct Leaf<'a> {
    name: &'a str,
    attribute: &'a Attribute,
    default: Option<&'a Value>,
    octal: bool,
    api: &'a ApiType,
    rules: Option<Rules<'a>>,
}

impl Leaf<'_> {
    fn read(&self, field: Option<&Json>, hint: Option<&Value>) -> Value {
        let ty = &self.attribute.ty;
        let absent = || Value::Null(ty.clone());
        let read = |field: &Json| from_json_of(field, ty, self.octal);
        let Some(hint) = hint else {
            // Everything is read; what the API leaves out is the default.
            return field.map(read).or_else(|| self.default.cloned()).unwrap_or_else(absent);
        };
        if !hint.is_wholly_known() || hint.is_null() {
            return if self.attribute.is_computed() {
                field.map_or_else(absent, read)
            } else {
                self.added(&Map::new(), field).filter(|_| hint.is_null()).unwrap_or_else(absent)
            };
        }
        if self.attribute.presence == Presence::Computed {
            return field.map_or_else(absent, read);
        }
        let wanted = to_json_of(hint, self.api, self.octal);
        if let (Type::Map(_), Json::Object(wanted), false) = (ty, &wanted, is_atomic(self.api)) {
            return self.keys(wanted, field, hint);
        }
        let equal = match (ty, &wanted, field) {
            (Type::Set(_), Json::Array(wanted), Some(Json::Array(found))) => {
                wanted.len() == found.len()
                    && wanted.iter().all(|one| found.iter().any(|other| same(one, Some(other), &ApiType::Any)))
            }
            // What the API leaves out is the default.
            (_, _, None) if self.default == Some(hint) => true,
            _ => same(&wanted, field, self.api),
        };
        if equal { hint.clone() } else { field.map_or_else(absent, read) }
    }

    /// A map: our keys, and those that others have added.
    fn keys(&self, wanted: &Map<String, Json>, field: Option<&Json>, hint: &Value) -> Value {
        let Type::Map(element) = &self.attribute.ty else { return hint.clone() };
        let ours = wanted.iter().filter_map(|(key, one)| {
            let found = field.and_then(|field| field.get(key));
            let value = if same(one, found, &self.api.child(key)) {
                hint.get(key).cloned().unwrap_or_default()
            } else {
                from_json_of(found?, element, self.octal)
            };
            Some((Str::from(key.as_str()), value))
        });
        let mut entries: Entries = ours.collect();
        if let Some(Value::Map(added)) = self.added(wanted, field) {
            entries = added.entries.iter().fold(entries, |all, (key, value)| all.with(key.clone(), value.clone()));
        }
        Value::map((**element).clone(), entries)
    }

    /// What others have added to a map; `None` when that is nothing.
    fn added(&self, ours: &Map<String, Json>, field: Option<&Json>) -> Option<Value> {
        let (Type::Map(element), Some(rules), false) = (&self.attribute.ty, self.rules, is_atomic(self.api)) else {
            return None;
        };
        let found = field.and_then(Json::as_object)?.iter();
        let foreign = found.filter(|(key, _)| !ours.contains_key(*key) && rules.shows(self.name, key));
        let read = |(key, one): (&String, &Json)| (Str::from(key.as_str()), from_json_of(one, element, self.octal));
        let entries: Entries = foreign.map(read).collect();
        (!entries.is_empty()).then(|| Value::map((**element).clone(), entries))
    }
}

/// What a block becomes.
struct Shape<'a> {
    fields: &'a Fields,
    nesting: Nesting,
    computed: bool,
}

fn block_of(
    field: Option<&Json>,
    api: &ApiType,
    shape: &Shape<'_>,
    hint: Option<&Value>,
    rules: Option<Rules<'_>>,
) -> Value {
    let Shape { fields, nesting, computed } = *shape;
    let field = field.filter(|field| !field.is_null());
    let hints = hint.map(|hint| hint.as_items().unwrap_or_default());
    if hints.is_some_and(<[Value]>::is_empty) && !(computed && hint.is_some_and(|hint| !hint.is_known())) {
        return nothing(fields, nesting);
    }
    let hints = hints.filter(|_| hint.is_some_and(Value::is_known));
    if let ApiType::List(list) = api {
        let found = field.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let Some(hints) = hints else {
            let all = found.iter().map(|item| from_object(fields, item, &list.element, None, None));
            return several(fields, nesting, all.collect());
        };
        return several(fields, nesting, elements(found, list, fields, hints));
    }
    let first = hints.and_then(<[Value]>::first);
    match (field, first) {
        (Some(object), hint) => several(fields, nesting, vec![from_object(fields, object, api, hint, rules)]),
        // An empty block and no block are the same to the API.
        (None, Some(hint)) if is_zero(&Json::Object(to_object(fields, hint, None, api))) => {
            several(fields, nesting, vec![from_object(fields, &json!({}), api, Some(hint), None)])
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
            .map(|(at, item)| from_object(fields, item, &list.element, hints.get(at), None))
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
        let wanted = key_of(&Json::Object(to_object(fields, hint, None, &list.element)));
        let item = found.iter().find(|item| key_of(item) == wanted)?;
        Some(from_object(fields, item, &list.element, Some(hint), None))
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
