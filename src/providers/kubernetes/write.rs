//! Blocks as objects of the API: a whole new one, or the changes to a live one.
//!
//! A change touches the paths that differ between the object as it is read and the plan, and nothing else: what the schema does not cover,
//! and what reading hides, stays as it is.

use serde_json::{Map, json};

use super::compare::{is_nothing, means_the_same};
use super::hidden::Spot;
use super::scalar::{is_zero, to_json_of};
use super::table::{Entry, Field, Fields, What};
use crate::client::kube::types::{Json, ListKind, ListType, Type as ApiType};
use crate::schema::Presence;
use crate::value::{Type, Value};

/// The object that a configured block describes. Unset attributes that have a default are sent with it, unless the default is what the API
/// takes anyway, or the plan has none.
pub fn to_object(fields: &Fields, config: &Value, planned: Option<&Value>, ty: &ApiType) -> Map<String, Json> {
    let mut object = Map::new();
    for entry in &fields.entries {
        let value = config.get(entry.name).filter(|value| !value.is_null());
        let plan = planned.and_then(|planned| planned.get(entry.name));
        let at = |index: usize| plan.and_then(Value::as_items).and_then(|items| items.get(index));
        match (&entry.field, &entry.what) {
            (None, _) | (Some(Field::Flat), What::Attribute { .. }) => {}
            (Some(Field::Named(name)), What::Attribute { attribute, default, octal }) => {
                let api = ty.child(name);
                let json = match (value, default) {
                    _ if attribute.presence == Presence::Computed || attribute.write_only => continue,
                    (Some(value), _) => to_json_of(value, &api, *octal),
                    (None, Some(_)) if plan.is_some_and(Value::is_null) => continue,
                    (None, Some(default)) => {
                        Some(to_json_of(default, &api, *octal)).filter(|json| !is_zero(json)).unwrap_or_default()
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
        }
    }
    object
}

/// What identifies an element of a list; `None` where its place does.
pub fn element_key(list: &ListType, element: &Json) -> Option<Vec<Json>> {
    let ListKind::Map(keys) = &list.kind else { return None };
    let default = |key: &str| match &list.element {
        ApiType::Struct(structure) => structure.field(key).and_then(|field| field.default.clone()),
        _ => None,
    };
    Some(keys.iter().map(|key| element.get(key).cloned().or_else(|| default(key)).unwrap_or_default()).collect())
}

/// A block as it is and as it shall be.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    /// The block as the live object reads.
    pub before: &'a Value,
    /// The block as it was planned.
    pub planned: &'a Value,
    /// The block as it is configured: says whether a zero is meant.
    pub config: &'a Value,
}

impl<'a> Change<'a> {
    /// The same of an attribute or block inside.
    fn part(self, name: &str) -> Change<'a> {
        let of = |value: &'a Value| value.get(name).unwrap_or(&Value::NULL);
        Change { before: of(self.before), planned: of(self.planned), config: of(self.config) }
    }

    /// The same of an element of a list.
    fn element(self, before: Option<usize>, at: usize) -> Change<'a> {
        let of = |value: &'a Value, at: usize| value.as_items().and_then(|items| items.get(at)).unwrap_or(&Value::NULL);
        Change {
            before: before.map_or(&Value::NULL, |before| of(self.before, before)),
            planned: of(self.planned, at),
            config: of(self.config, at),
        }
    }
}

/// Makes a live object what was planned.
pub fn change_object(fields: &Fields, live: &mut Json, ty: &ApiType, change: Change<'_>, spot: Spot<'_>) {
    for entry in &fields.entries {
        let part = change.part(entry.name);
        match (&entry.field, &entry.what) {
            (None, _) | (Some(Field::Flat), What::Attribute { .. }) => {}
            (Some(Field::Named(name)), What::Attribute { attribute, octal, .. }) => {
                if attribute.presence != Presence::Computed && !attribute.write_only {
                    change_attribute(&mut Leaf { live, name, octal: *octal, api: &ty.child(name) }, part);
                }
            }
            (Some(Field::Flat), What::Block { fields, .. }) => {
                change_object(fields, live, ty, part.element(Some(0), 0), spot.inside(entry.name));
            }
            (Some(Field::Named(name)), What::Block { fields, .. }) => {
                change_block(entry, (name, fields), live, &ty.child(name), part, spot);
            }
        }
    }
}

struct Leaf<'a> {
    live: &'a mut Json,
    name: &'a str,
    octal: bool,
    api: &'a ApiType,
}

fn change_attribute(leaf: &mut Leaf<'_>, change: Change<'_>) {
    let Change { before, planned, config } = change;
    if !planned.is_wholly_known() || means_the_same(before, planned, leaf.api, leaf.octal) {
        return;
    }
    let wanted = to_json_of(planned, leaf.api, leaf.octal);
    if let (Type::Map(_), false) = (planned.ty(), matches!(leaf.api, ApiType::Map(map) if map.atomic)) {
        return change_keys(leaf, before, &wanted);
    }
    if is_nothing(planned) && config.is_null() {
        remove(leaf.live, leaf.name);
    } else {
        leaf.live[leaf.name] = wanted;
    }
}

/// Only keys that differ: others may be hidden.
fn change_keys(leaf: &mut Leaf<'_>, before: &Value, wanted: &Json) {
    let before = to_json_of(before, leaf.api, leaf.octal);
    let keys = |json: &Json| json.as_object().cloned().unwrap_or_default();
    let (before, wanted) = (keys(&before), keys(wanted));
    let mut map = leaf.live.get(leaf.name).map(keys).unwrap_or_default();
    for key in before.keys().filter(|key| !wanted.contains_key(*key)) {
        map.shift_remove(key);
    }
    for (key, value) in wanted {
        if before.get(&key) != Some(&value) {
            map.insert(key, value);
        }
    }
    if map.is_empty() { remove(leaf.live, leaf.name) } else { leaf.live[leaf.name] = Json::Object(map) }
}

fn change_block(
    entry: &Entry,
    (name, fields): (&str, &Fields),
    live: &mut Json,
    api: &ApiType,
    change: Change<'_>,
    spot: Spot<'_>,
) {
    if !change.planned.is_known() || change.before == change.planned {
        return;
    }
    let planned = change.planned.as_items().unwrap_or_default();
    let inside = spot.inside(entry.name);
    if let ApiType::List(list) = api {
        let elements = changed_elements(fields, live[name].as_array(), list, (change, entry.name), spot);
        if elements.is_empty() {
            remove(live, name)
        } else {
            live[name] = Json::Array(elements)
        }
        return;
    }
    match planned.first() {
        // A block that reading has dropped is left where it is.
        None if change.before.as_items().is_some_and(<[Value]>::is_empty) => {}
        None => remove(live, name),
        Some(_) => {
            let mut object = live.get(name).filter(|object| object.is_object()).cloned().unwrap_or_else(|| json!({}));
            change_object(fields, &mut object, api, change.element(Some(0), 0), inside);
            live[name] = object;
        }
    }
}

/// The elements of a list as planned, each over the live one of its key, else of its place; hidden ones stay at the end.
fn changed_elements(
    fields: &Fields,
    live: Option<&Vec<Json>>,
    list: &ListType,
    (change, block): (Change<'_>, &'static str),
    spot: Spot<'_>,
) -> Vec<Json> {
    let (shown, hidden): (Vec<&Json>, Vec<&Json>) =
        live.into_iter().flatten().partition(|element| spot.shows_element(block, element));
    let keys: Vec<Option<Vec<Json>>> = shown.iter().map(|element| element_key(list, element)).collect();
    let planned = change.planned.as_items().unwrap_or_default();
    let mut elements: Vec<Json> = Vec::with_capacity(planned.len() + hidden.len());
    let mut taken = vec![false; shown.len()];
    for at in 0..planned.len() {
        let new = new_element(fields, change.element(None, at), &list.element);
        let key = element_key(list, &new);
        let is_free = |index: &usize| !taken[*index];
        let found = match &key {
            Some(_) => (0..keys.len()).filter(is_free).find(|index| keys[*index] == key),
            None => Some(at).filter(|at| *at < shown.len()).filter(is_free).filter(|at| {
                // Another kind of object in this place is another element.
                shown[*at].get("kind").is_none_or(|kind| new.get("kind").is_none_or(|new| new == kind))
            }),
        };
        let Some(index) = found else {
            elements.push(new);
            continue;
        };
        taken[index] = true;
        let mut element = shown[index].clone();
        change_object(fields, &mut element, &list.element, change.element(Some(index), at), spot.inside(block));
        elements.push(element);
    }
    elements.extend(hidden.into_iter().cloned());
    elements
}

/// An element that was not there: as configured. One that configuration does not write was read before, zeros and all.
fn new_element(fields: &Fields, change: Change<'_>, api: &ApiType) -> Json {
    if !change.config.is_null() {
        return Json::Object(to_object(fields, change.config, Some(change.planned), api));
    }
    let mut element = to_object(fields, change.planned, None, api);
    element.retain(|_, part| !is_zero(part));
    Json::Object(element)
}

fn remove(object: &mut Json, name: &str) {
    if let Json::Object(map) = object {
        map.shift_remove(name);
    }
}

/// The merge patch (RFC 7396) that makes one object another; `None` when they are equal.
pub fn merge_patch(from: &Json, to: &Json) -> Option<Json> {
    let (Json::Object(old), Json::Object(new)) = (from, to) else { return (from != to).then(|| to.clone()) };
    let mut patch = Map::new();
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Json::Null);
    }
    for (name, value) in new {
        match old.get(name) {
            Some(before) => patch.extend(merge_patch(before, value).map(|part| (name.clone(), part))),
            None => {
                patch.insert(name.clone(), value.clone());
            }
        }
    }
    (!patch.is_empty()).then_some(Json::Object(patch))
}

#[cfg(test)]
#[path = "write_test.rs"]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
