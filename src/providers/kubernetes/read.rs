//! Live objects as the blocks that describe them, by the table alone.
//!
//! Everything that the schema covers is read, so that what others have changed shows. What the API leaves out is the zero of its type
//! (`""`, 0, false, nothing in it), as the provider of Terraform stores it. A *hint*, the value as it was planned or last read, gives what is
//! no field of the object, and keeps the form in which something was written as long as it means the same.

use std::borrow::Cow;

use super::compare::is_nothing;
use super::hidden::Spot;
use super::scalar::{from_json_of, is_zero, same, to_json_of};
use super::table::{Entry, Field, Fields, What};
use super::write::{element_key, to_object};
use crate::client::kube::types::{Json, ListType, Type as ApiType};
use crate::schema::{Attribute, Nesting, Presence};
use crate::value::{Entries, Str, Type, Value};

/// The block that describes an object.
pub fn from_object(fields: &Fields, object: &Json, ty: &ApiType, hint: Option<&Value>, spot: Spot<'_>) -> Value {
    let hint = hint.filter(|hint| hint.as_entries().is_some());
    let parts = fields.entries.iter().map(|entry| {
        let hint = hint.and_then(|hint| hint.get(entry.name));
        (Str::from(entry.name), part(entry, object, ty, hint, spot))
    });
    let entries: Entries = parts.collect();
    let is_empty = |name: &str| entries.get(name).is_some_and(is_nothing);
    if is_empty("match_labels") && is_empty("match_expressions") {
        // A selector of all has no labels, rather than none of them.
        return Value::Object(entries.with("match_labels", Value::Null(Type::map(Type::String))));
    }
    Value::Object(entries)
}

/// An argument of an older version of a kind, which has no field in this one.
fn is_read_as_zero(name: &str) -> bool {
    name == "target_cpu_utilization_percentage"
}

/// What an attribute or block is where the API has nothing.
pub fn zero(ty: &Type) -> Value {
    match ty {
        Type::String => "".into(),
        Type::Number => Value::int(0),
        Type::Bool => Value::Bool(false),
        Type::List(element) => Value::list((**element).clone(), Vec::new()),
        Type::Set(element) => Value::set((**element).clone(), Vec::new()),
        Type::Map(element) => Value::map((**element).clone(), Entries::new()),
        _ => Value::Null(ty.clone()),
    }
}

fn part(entry: &Entry, object: &Json, ty: &ApiType, hint: Option<&Value>, spot: Spot<'_>) -> Value {
    match (&entry.field, &entry.what) {
        // What is no field of the object is known from its configuration alone.
        (None | Some(Field::Flat), What::Attribute { attribute, .. }) => match hint {
            Some(hint) if hint.is_wholly_known() => hint.clone(),
            _ if attribute.presence == Presence::Computed || is_read_as_zero(entry.name) => zero(&attribute.ty),
            _ => Value::Null(attribute.ty.clone()),
        },
        (None, What::Block { fields, nesting, .. }) => match hint {
            Some(hint) if hint.is_wholly_known() => hint.clone(),
            _ => several(fields, *nesting, Vec::new()),
        },
        (Some(Field::Named(field)), What::Attribute { attribute, default, octal }) => {
            let (api, default) = (ty.child(field), default.as_ref());
            let leaf = Leaf { name: entry.name, attribute, default, octal: *octal, api: &api, spot };
            leaf.read(object.get(field), hint)
        }
        (Some(Field::Flat), What::Block { fields, nesting, .. }) => {
            let first = hint.and_then(Value::as_items).and_then(<[Value]>::first);
            several(fields, *nesting, vec![from_object(fields, object, ty, first, spot.inside(entry.name))])
        }
        (Some(Field::Named(name)), What::Block { fields, nesting, .. }) => {
            let hints = hint.and_then(Value::as_items).unwrap_or_default();
            let field = object.get(name).filter(|field| !field.is_null());
            let items = match ty.child(name) {
                ApiType::List(list) => {
                    let shown = field.and_then(Json::as_array).into_iter().flatten();
                    let shown = shown.filter(|element| spot.shows_element(entry.name, element));
                    elements(shown, &list, fields, hints, spot.inside(entry.name))
                }
                api => field
                    .filter(|field| !(spot.drops_empty(entry.name) && is_zero(field) && hints.is_empty()))
                    .map(|field| from_object(fields, field, &api, hints.first(), spot.inside(entry.name)))
                    .into_iter()
                    .collect(),
            };
            several(fields, *nesting, items)
        }
    }
}

/// The elements of a list in their order, each with the hint of the same key, else of the same place.
fn elements<'a>(
    found: impl Iterator<Item = &'a Json>,
    list: &ListType,
    fields: &Fields,
    hints: &[Value],
    spot: Spot<'_>,
) -> Vec<Value> {
    let keys: Vec<Option<Vec<Json>>> = hints
        .iter()
        .map(|hint| element_key(list, &Json::Object(to_object(fields, hint, None, &list.element))))
        .collect();
    let read = |(at, item): (usize, &Json)| {
        let key = element_key(list, item);
        let by_key = key.as_ref().and_then(|key| keys.iter().position(|one| one.as_ref() == Some(key)));
        let hint = if key.is_some() { by_key.and_then(|at| hints.get(at)) } else { hints.get(at) };
        from_object(fields, item, &list.element, hint, spot)
    };
    found.enumerate().map(read).collect()
}

/// An attribute that is a field of the API.
struct Leaf<'a> {
    name: &'a str,
    attribute: &'a Attribute,
    default: Option<&'a Value>,
    octal: bool,
    api: &'a ApiType,
    spot: Spot<'a>,
}

impl Leaf<'_> {
    fn read(&self, field: Option<&Json>, hint: Option<&Value>) -> Value {
        let field = self.shown(field, hint);
        let ty = &self.attribute.ty;
        let hint = hint.filter(|hint| self.spot.keeps_form() && hint.is_wholly_known() && !hint.is_null());
        let Some(hint) = hint else { return self.plain(field.as_deref()) };
        let wanted = to_json_of(hint, self.api, self.octal);
        if let (Type::Map(element), Json::Object(wanted), Some(Json::Object(found))) = (ty, &wanted, field.as_deref()) {
            let entries = found.iter().map(|(key, one)| {
                let ours = wanted.get(key).filter(|ours| same(ours, Some(one), &self.api.child(key)));
                let value = ours.and_then(|_| hint.get(key)).cloned();
                (Str::from(key.as_str()), value.unwrap_or_else(|| from_json_of(one, element, self.octal)))
            });
            return Value::map((**element).clone(), entries.collect());
        }
        let equal = match (ty, &wanted, field.as_deref()) {
            (Type::Set(_), Json::Array(wanted), Some(Json::Array(found))) => {
                wanted.len() == found.len()
                    && wanted.iter().all(|one| found.iter().any(|other| same(one, Some(other), &ApiType::Any)))
            }
            (_, _, field) => same(&wanted, field, self.api),
        };
        if equal { hint.clone() } else { self.plain(field.as_deref()) }
    }

    /// The field without the keys that are hidden, unless the hint has them.
    fn shown<'j>(&self, field: Option<&'j Json>, hint: Option<&Value>) -> Option<Cow<'j, Json>> {
        let field = field.filter(|field| !field.is_null())?;
        let (Type::Map(_), Json::Object(found)) = (&self.attribute.ty, field) else {
            return Some(Cow::Borrowed(field));
        };
        let is_ours = |key: &str| hint.is_some_and(|hint| hint.get(key).is_some());
        let shows = |key: &str| is_ours(key) || self.spot.shows_key(self.name, key);
        if found.keys().all(|key| shows(key)) {
            return Some(Cow::Borrowed(field));
        }
        let kept = found.iter().filter(|(key, _)| shows(key)).map(|(key, one)| (key.clone(), one.clone()));
        Some(Cow::Owned(Json::Object(kept.collect())))
    }

    fn plain(&self, field: Option<&Json>) -> Value {
        let value = field.map(|field| from_json_of(field, &self.attribute.ty, self.octal));
        // What the API leaves out is its default, and that of the table is the same.
        let absent = || self.default.cloned().unwrap_or_else(|| zero(&self.attribute.ty));
        value.filter(|value| !value.is_null()).unwrap_or_else(absent)
    }
}

fn several(fields: &Fields, nesting: Nesting, items: Vec<Value>) -> Value {
    let element = fields.ty();
    match nesting {
        Nesting::Set => Value::set(element, items),
        Nesting::Single | Nesting::Group => items.into_iter().next().unwrap_or(Value::Null(element)),
        Nesting::List | Nesting::Map => Value::list(element, items),
    }
}
