//! `ignore_changes`.

use crate::config::{IgnoreChanges, Resource};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::lang::syntax::ast::ExprKind;
use crate::schema::{Presence, Schema};
use crate::value::{Step, Value};

/// Whether every attribute that `ignore_changes` names is one of the resource, and one that configuration can set.
pub fn check_ignored(resource: &Resource, schema: &Schema) -> Diagnostics {
    let mut said = Diagnostics::none();
    let IgnoreChanges::Paths(paths) = &resource.lifecycle.ignore_changes else { return said };
    let lifecycle = resource.block.body.blocks_of("lifecycle").find_map(|block| block.body.attribute("ignore_changes"));
    let items = match lifecycle.map(|attribute| &attribute.expr.kind) {
        Some(ExprKind::Tuple(items)) => &**items,
        _ => &[],
    };
    let block = &schema.block;
    for (index, path) in paths.iter().enumerate() {
        let Some(Step::Attribute(name)) = path.steps().first() else { continue };
        let span = items.get(index).map_or(resource.block.header, |item| item.span);
        match block.attributes.iter().find(|(known, _)| known == name) {
            Some((_, attribute)) if attribute.presence == Presence::Computed && path.steps().len() == 1 => {
                let detail = format!(
                    "The attribute {name} is decided by the provider alone: no configured value exists that could be \
                     ignored. Remove it from ignore_changes."
                );
                let place = resource.block.labels.first().map_or(resource.block.header, |kind| kind.span);
                said.push(Diagnostic::warning("Redundant ignore_changes element", detail).at(place));
            }
            Some(_) => {}
            None if block.blocks.iter().any(|(known, _)| known == name) => {}
            None => {
                let names =
                    block.attributes.iter().map(|(name, _)| name).chain(block.blocks.iter().map(|(name, _)| name));
                let hint = did_you_mean(name, names.map(|name| name.as_str()));
                let detail = format!("{} has no argument, block or attribute named {name:?}.{hint}", resource.addr);
                said.push(Diagnostic::error("Unsupported attribute", detail).at(span));
            }
        }
    }
    said
}

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

fn put(value: Value, steps: &[Step], part: Option<Value>) -> Value {
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
