//! `ignore_changes`.

use crate::config::IgnoreChanges;
use crate::value::Value;

/// The configuration with stored values in place of those whose changes do not count.
pub fn ignore_changes(rule: &IgnoreChanges, prior: &Value, config: Value) -> Value {
    if prior.is_null() {
        return config;
    }
    match rule {
        IgnoreChanges::None => config,
        IgnoreChanges::All => prior.clone(),
        IgnoreChanges::Paths(paths) => paths.iter().fold(config, |config, path| {
            let stored = path.of(prior).cloned();
            put(config, path.steps(), stored)
        }),
    }
}

fn put(value: Value, steps: &[crate::value::Step], part: Option<Value>) -> Value {
    use crate::value::Step;
    let Some((step, rest)) = steps.split_first() else { return part.unwrap_or(value) };
    match (value, step) {
        (Value::Object(entries), Step::Attribute(name) | Step::Key(name)) => match entries.get(name) {
            Some(inner) => {
                let inner = put(inner.clone(), rest, part);
                Value::Object(entries.with(name.clone(), inner))
            }
            None => Value::Object(entries),
        },
        (Value::Map(mapping), Step::Attribute(name) | Step::Key(name)) => {
            let entries = match (mapping.entries.get(name), rest.is_empty(), part) {
                // A key that only the stored map has stays; one that only the configuration has is left out.
                (_, true, Some(part)) => mapping.entries.clone().with(name.clone(), part),
                (Some(_), true, None) => mapping.entries.iter().filter(|(key, _)| key != name).cloned().collect(),
                (Some(inner), false, part) => {
                    mapping.entries.clone().with(name.clone(), put(inner.clone(), rest, part))
                }
                (None, _, _) => mapping.entries.clone(),
            };
            Value::map(mapping.element.clone(), entries)
        }
        (Value::List(sequence), Step::Index(index)) => {
            let mut items = sequence.items.clone();
            if let Some(item) = items.get_mut(*index) {
                *item = put(std::mem::take(item), rest, part);
            }
            Value::list(sequence.element.clone(), items)
        }
        (Value::Tuple(tuple), Step::Index(index)) => {
            let mut items = tuple.to_vec();
            if let Some(item) = items.get_mut(*index) {
                *item = put(std::mem::take(item), rest, part);
            }
            Value::tuple(items)
        }
        (value, _) => value,
    }
}
