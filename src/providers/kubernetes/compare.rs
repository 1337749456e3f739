//! What a plan says of an object, attribute by attribute: how the value before, the configuration and the defaults of the table make the
//! value to be.
//!
//! The rules are those of Terraform's providers of this generation: a zero (`""`, 0, false, nothing in it) and nothing at all are the same, so
//! that nothing is planned where configuration has nothing and the object a zero; amounts are compared as amounts, modes as numbers;
//! what the server decides stays as it was unless configuration says otherwise.

use super::scalar::{same, to_json_of};
use super::table::{Entry, Field, Fields, What};
use crate::client::kube::types::Type as ApiType;
use crate::schema::{Attribute, Nesting, Presence};
use crate::value::{Entries, Path, Step, Value};

/// Whether a value is null or the zero of its type.
pub fn is_nothing(value: &Value) -> bool {
    match value.bare() {
        Value::Null(_) => true,
        Value::Bool(value) => !value,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::List(_) | Value::Set(_) | Value::Tuple(_) => value.as_items().is_some_and(<[Value]>::is_empty),
        Value::Map(map) => map.entries.is_empty(),
        Value::Object(_) | Value::Unknown(_) | Value::Marked(_) => false,
    }
}

/// Whether two values of an attribute ask for the same.
pub fn means_the_same(one: &Value, other: &Value, api: &ApiType, octal: bool) -> bool {
    if one == other || is_nothing(one) && is_nothing(other) {
        return true;
    }
    if !one.is_wholly_known() || !other.is_wholly_known() || is_nothing(one) || is_nothing(other) {
        return false;
    }
    let is_set = matches!(one.bare(), Value::Set(_));
    let (one, other) = (to_json_of(one, api, octal), to_json_of(other, api, octal));
    match (one.as_array(), other.as_array()) {
        (Some(one), Some(other)) if is_set => {
            one.len() == other.len()
                && one.iter().all(|one| other.iter().any(|other| same(one, Some(other), &ApiType::Any)))
        }
        // A key with an empty value is a key.
        _ => match (one.as_object(), other.as_object()) {
            (Some(one), Some(other)) => {
                one.len() == other.len()
                    && one.iter().all(|(key, one)| {
                        other.get(key).is_some_and(|other| one == other || same(one, Some(other), &api.child(key)))
                    })
            }
            _ => same(&one, Some(&other), api),
        },
    }
}

/// The planned value of a block. `prior` is null where there is none yet.
pub fn planned(fields: &Fields, prior: &Value, config: &Value, api: &ApiType) -> Value {
    let parts = fields.entries.iter().map(|entry| {
        let before = prior.get(entry.name).unwrap_or(&Value::NULL);
        let config = config.get(entry.name).unwrap_or(&Value::NULL);
        let api = match &entry.field {
            Some(Field::Named(field)) => api.child(field),
            Some(Field::Flat) => api.clone(),
            None => ApiType::Any,
        };
        let is_new = prior.is_null();
        let value = match &entry.what {
            What::Attribute { attribute, default, octal } => {
                let rules = Rules { attribute, default: default.as_ref(), octal: *octal, api: &api, is_new };
                rules.planned(before, config)
            }
            What::Block { .. } => planned_block(entry, before, config, &api, is_new),
        };
        (entry.name.into(), value)
    });
    Value::Object(parts.collect::<Entries>())
}

/// How an attribute is planned.
struct Rules<'a> {
    attribute: &'a Attribute,
    default: Option<&'a Value>,
    octal: bool,
    api: &'a ApiType,
    /// Whether the block around it was not there before.
    is_new: bool,
}

impl Rules<'_> {
    fn planned(&self, before: &Value, config: &Value) -> Value {
        let ty = &self.attribute.ty;
        let null = || Value::Null(ty.clone());
        if self.attribute.write_only {
            return null();
        }
        let wanted = if config.is_null() { self.default.unwrap_or(config) } else { config };
        let decided_there =
            self.attribute.is_computed() && wanted.is_null() || self.attribute.presence == Presence::Computed;
        if decided_there {
            return if self.is_new { Value::unknown(ty.clone()) } else { before.clone() };
        }
        if self.is_new {
            return wanted.clone();
        }
        if !wanted.is_known() {
            return wanted.clone();
        }
        if means_the_same(before, wanted, self.api, self.octal) {
            return before.clone();
        }
        self.keys(before, wanted).unwrap_or_else(|| wanted.clone())
    }

    /// A changed map keeps the form of what has not changed in it.
    fn keys(&self, before: &Value, wanted: &Value) -> Option<Value> {
        let (Value::Map(map), Some(before)) = (wanted.bare(), before.as_entries()) else { return None };
        let kept = map.entries.map_values(|key, one| match before.get(key) {
            Some(before) if means_the_same(before, one, &self.api.child(key), self.octal) => before.clone(),
            _ => one.clone(),
        });
        Some(Value::map(map.element.clone(), kept))
    }
}

fn planned_block(entry: &Entry, before: &Value, config: &Value, api: &ApiType, is_new: bool) -> Value {
    let What::Block { fields, nesting, computed, .. } = &entry.what else { return config.clone() };
    let element_api = match api {
        ApiType::List(list) => &list.element,
        other => other,
    };
    if matches!(nesting, Nesting::Single | Nesting::Group) || !config.is_known() {
        return if config.is_null() && !before.is_null() && is_nothing(before) {
            before.clone()
        } else {
            config.clone()
        };
    }
    let items = config.as_items().unwrap_or_default();
    let olds = before.as_items().unwrap_or_default();
    let list = |items: Vec<Value>| match nesting {
        Nesting::Set => Value::set(fields.ty(), items),
        _ => Value::list(fields.ty(), items),
    };
    if items.is_empty() {
        return match (computed, is_new) {
            (true, true) => Value::unknown(list(Vec::new()).ty()),
            (true, false) => list(olds.to_vec()),
            (false, _) => list(Vec::new()),
        };
    }
    if *nesting == Nesting::Set {
        // Elements of a set have no place: each is the one before that it leaves as it is, else a new one.
        let planned_item = |item: &Value| {
            let same = olds.iter().find(|old| planned(fields, old, item, element_api) == **old);
            same.cloned().unwrap_or_else(|| planned(fields, &Value::NULL, item, element_api))
        };
        return list(items.iter().map(planned_item).collect());
    }
    let planned_item = |(at, item): (usize, &Value)| {
        let old = olds.get(at).filter(|old| !is_of_another_kind(old, item)).unwrap_or(&Value::NULL);
        planned(fields, old, item, element_api)
    };
    list(items.iter().enumerate().map(planned_item).collect())
}

/// Whether two elements in one place refer to objects of different kinds: what the server has decided for the one is nothing to the other.
fn is_of_another_kind(old: &Value, item: &Value) -> bool {
    let kind = |value: &Value| value.get("kind").and_then(Value::as_str).map(str::to_owned);
    kind(old).is_some_and(|old| kind(item).is_some_and(|new| new != old))
}

/// The value as it was, where the new one differs from it in nothing but zeros: objects of older states have null where the API has nothing.
pub fn with_prior_zeros(prior: &Value, value: &Value) -> Value {
    match (prior.bare(), value) {
        (before, value) if is_nothing(before) && is_nothing(value) => before.clone(),
        (Value::Object(before), Value::Object(entries)) => {
            Value::Object(entries.map_values(|name, part| match before.get(name.as_str()) {
                Some(before) => with_prior_zeros(before, part),
                None => part.clone(),
            }))
        }
        (Value::List(before), Value::List(list)) if before.items.len() == list.items.len() => {
            let items = before.items.iter().zip(list.items.iter()).map(|(before, item)| with_prior_zeros(before, item));
            Value::list(list.element.clone(), items.collect())
        }
        _ => value.clone(),
    }
}

/// The value of an object that was just written, with null for what was planned null and is an empty collection: so the provider of
/// Terraform writes it until the object is read again.
pub fn with_planned_nulls(planned: &Value, value: &Value) -> Value {
    match (planned.bare(), value) {
        (Value::Null(_), Value::List(_) | Value::Set(_) | Value::Map(_)) if is_nothing(value) => planned.bare().clone(),
        (Value::Object(planned), Value::Object(entries)) => {
            Value::Object(entries.map_values(|name, part| match planned.get(name.as_str()) {
                Some(planned) => with_planned_nulls(planned, part),
                None => part.clone(),
            }))
        }
        (Value::List(planned), Value::List(list)) => {
            let items = list.items.iter().enumerate().map(|(at, item)| match planned.items.get(at) {
                Some(planned) => with_planned_nulls(planned, item),
                None => item.clone(),
            });
            Value::list(list.element.clone(), items.collect())
        }
        _ => value.clone(),
    }
}

/// Paths at which a change needs a new object.
pub fn replaced(fields: &Fields, prior: &Value, planned: &Value, path: &mut Path, found: &mut Vec<Path>) {
    for entry in &fields.entries {
        let of = |value: &Value| value.get(entry.name).cloned().unwrap_or_default();
        let (old, new) = (of(prior), of(planned));
        if old == new || is_nothing(&old) && is_nothing(&new) {
            continue;
        }
        path.inside(Step::Attribute(entry.name.into()), |path| match &entry.what {
            // What only the server decides does not need a new object.
            What::Attribute { attribute, .. } => {
                if entry.replace && !(attribute.is_computed() && !new.is_known() && is_nothing(&old)) {
                    found.push(path.clone());
                }
            }
            What::Block { fields, .. } => {
                let (olds, news) = (old.as_items().unwrap_or_default(), new.as_items().unwrap_or_default());
                if entry.replace && (olds.len() != news.len() || !new.is_known()) {
                    return found.push(path.clone());
                }
                for at in 0..olds.len().max(news.len()) {
                    let side = |items: &[Value]| items.get(at).cloned().unwrap_or_default();
                    path.inside(Step::Index(at), |path| replaced(fields, &side(olds), &side(news), path, found));
                }
            }
        });
    }
}

#[cfg(test)]
#[path = "compare_test.rs"]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
