//! The steps of planning that need nothing but a schema.

use crate::value::{Entries, Marks, Path, Step, Str, Value};

use super::{Attribute, Block, NestedBlock, Nesting};

/// What the object would be if the provider changed nothing but what the configuration says: configured values where
/// there are any, else prior values of computed attributes. `prior` is null for a new object. Both have the block's type.
pub fn proposed(block: &Block, prior: &Value, config: &Value) -> Value {
    let Some(configured) = config.as_entries() else { return config.clone() };
    let of = |value: &Value, name: &Str| value.get(name).cloned().unwrap_or_default();
    let merged: Entries = configured
        .iter()
        .map(|(name, value)| {
            let merged = if let Some(attribute) = block.attribute(name) {
                proposed_attribute(attribute, || of(prior, name), value)
            } else if let Some(nested) = block.nested(name) {
                proposed_nested(nested, &of(prior, name), value)
            } else {
                value.clone()
            };
            (name.clone(), merged)
        })
        .collect();
    Value::Object(merged).mark(config.marks())
}

fn proposed_attribute(attribute: &Attribute, prior: impl FnOnce() -> Value, config: &Value) -> Value {
    if attribute.write_only {
        // The provider finds it in the configuration; no object has it.
        Value::Null(attribute.ty.clone())
    } else if attribute.is_computed() && config.is_null() {
        let prior = prior();
        // A prior null keeps the configuration's typed null.
        if prior.is_null() { config.clone() } else { prior }
    } else {
        config.clone()
    }
}

fn proposed_nested(nested: &NestedBlock, prior: &Value, config: &Value) -> Value {
    if nested.computed && config.as_items().is_some_and(<[Value]>::is_empty) && prior.as_items().is_some() {
        return prior.clone();
    }
    let marks = config.marks();
    let each = |prior: Option<&Value>, config: &Value| match prior {
        Some(prior) => proposed(&nested.block, prior, config),
        None => proposed(&nested.block, &Value::NULL, config),
    };
    let merged = match (nested.nesting, config.bare()) {
        (Nesting::Single | Nesting::Group, Value::Object(_)) => each(Some(prior), config.bare()),
        (Nesting::List, Value::List(sequence)) => {
            let items = sequence.items.iter().enumerate();
            let prior = prior.as_items().unwrap_or_default();
            Value::list(sequence.element.clone(), items.map(|(at, item)| each(prior.get(at), item)).collect())
        }
        (Nesting::List, Value::Tuple(tuple)) => {
            let prior = prior.as_items().unwrap_or_default();
            let items = tuple.iter().enumerate().map(|(at, item)| each(prior.get(at), item));
            Value::tuple(items.collect::<Vec<_>>())
        }
        (Nesting::Map, Value::Map(mapping)) => {
            let entries = mapping.entries.map_values(|key, item| each(prior.get(key), item));
            Value::map(mapping.element.clone(), entries)
        }
        (Nesting::Map, Value::Object(entries)) => {
            Value::Object(entries.map_values(|key, item| each(prior.get(key), item)))
        }
        (Nesting::Set, Value::Set(sequence)) => {
            let mut unused: Vec<&Value> = prior.as_items().unwrap_or_default().iter().collect();
            let items = sequence.items.iter().map(|item| {
                // Elements of a set have no identity: the prior one is the first that agrees in all that is configured.
                let found = unused.iter().position(|prior| agrees(&nested.block, prior, item));
                each(found.map(|at| unused.swap_remove(at)), item)
            });
            Value::set(sequence.element.clone(), items.collect())
        }
        _ => config.bare().clone(),
    };
    merged.mark(marks)
}

/// Whether a prior object equals the configured one in everything that is not left to the provider.
fn agrees(block: &Block, prior: &Value, config: &Value) -> bool {
    proposed(block, prior, config) == *prior
}

/// The planned value of a new or changed object: `proposed` with every computed attribute that is null made unknown.
/// `config` tells an attribute that the configuration leaves to the provider from one that it sets to null.
pub fn computed_unknown(block: &Block, config: &Value, proposed: &Value) -> Value {
    let Some(entries) = proposed.as_entries() else { return proposed.clone() };
    let marks = proposed.marks();
    let filled = entries.map_values(|name, value| {
        let configured = config.get(name);
        if let Some(attribute) = block.attribute(name) {
            let left_open = configured.is_none_or(Value::is_null);
            if attribute.is_computed() && value.is_null() && left_open {
                return Value::unknown(attribute.ty.clone()).mark(value.marks());
            }
            return value.clone();
        }
        let Some(nested) = block.nested(name) else { return value.clone() };
        if nested.computed && value.as_items().is_none_or(<[Value]>::is_empty) {
            return Value::unknown(nested.ty());
        }
        fill_nested(nested, configured, value)
    });
    Value::Object(filled).mark(marks)
}

fn fill_nested(nested: &NestedBlock, config: Option<&Value>, value: &Value) -> Value {
    let each =
        |config: Option<&Value>, value: &Value| computed_unknown(&nested.block, config.unwrap_or(&Value::NULL), value);
    let config_items = config.and_then(Value::as_items).unwrap_or_default();
    let filled = match value.bare() {
        Value::Object(_) if matches!(nested.nesting, Nesting::Single | Nesting::Group) => each(config, value.bare()),
        Value::List(sequence) => {
            let items = sequence.items.iter().enumerate().map(|(at, item)| each(config_items.get(at), item));
            Value::list(sequence.element.clone(), items.collect())
        }
        Value::Tuple(tuple) => {
            let items = tuple.iter().enumerate().map(|(at, item)| each(config_items.get(at), item));
            Value::tuple(items.collect::<Vec<_>>())
        }
        Value::Map(mapping) => {
            let entries = mapping.entries.map_values(|key, item| each(config.and_then(|c| c.get(key)), item));
            Value::map(mapping.element.clone(), entries)
        }
        Value::Object(entries) => {
            Value::Object(entries.map_values(|key, item| each(config.and_then(|c| c.get(key)), item)))
        }
        Value::Set(sequence) => {
            let items = sequence.items.iter().map(|item| each(None, item));
            Value::set(sequence.element.clone(), items.collect())
        }
        other => other.clone(),
    };
    filled.mark(value.marks())
}

/// Where a value of the block is sensitive by its schema: also where there is nothing, as under Terraform.
pub fn sensitive_paths(block: &Block, value: &Value) -> Vec<(Path, Marks)> {
    let mut found = Vec::new();
    if has_sensitive(block) {
        collect_sensitive(block, value, &mut Path::root(), &mut found);
    }
    found
}

fn has_sensitive(block: &Block) -> bool {
    block.attributes.iter().any(|(_, attribute)| attribute.sensitive)
        || block.blocks.iter().any(|(_, nested)| has_sensitive(&nested.block))
}

fn collect_sensitive(block: &Block, value: &Value, path: &mut Path, found: &mut Vec<(Path, Marks)>) {
    let Some(entries) = value.as_entries() else { return };
    for (name, part) in entries {
        if block.attribute(name).is_some_and(|attribute| attribute.sensitive) {
            found.push((path.child(Step::Attribute(name.clone())), Marks::SENSITIVE));
        } else if let Some(nested) = block.nested(name).filter(|nested| has_sensitive(&nested.block)) {
            path.inside(Step::Attribute(name.clone()), |path| match (nested.nesting, part.bare()) {
                (Nesting::Single | Nesting::Group, _) => collect_sensitive(&nested.block, part, path, found),
                // Elements of a set have no path: the whole set is sensitive.
                (_, Value::Set(sequence)) if !sequence.items.is_empty() => found.push((path.clone(), Marks::SENSITIVE)),
                (_, Value::List(_) | Value::Tuple(_)) => {
                    for (at, item) in part.as_items().unwrap_or_default().iter().enumerate() {
                        path.inside(Step::Index(at), |path| collect_sensitive(&nested.block, item, path, found));
                    }
                }
                (_, Value::Map(_) | Value::Object(_)) => {
                    for (key, item) in part.as_entries().into_iter().flatten() {
                        path.inside(Step::Key(key.clone()), |path| collect_sensitive(&nested.block, item, path, found));
                    }
                }
                _ => {}
            });
        }
    }
}

/// The attribute that a path leads to, or into; `None` where it leads to a nested block.
pub fn attribute_at<'b>(block: &'b Block, path: &Path) -> Option<&'b Attribute> {
    let mut block = block;
    for step in path.steps() {
        // The keys and indexes of nested blocks lead to nothing by themselves.
        let Step::Attribute(name) = step else { continue };
        match block.attribute(name) {
            Some(attribute) => return Some(attribute),
            None => block = &block.nested(name)?.block,
        }
    }
    None
}

/// The value with every write-only attribute null: the form that plan and state may hold.
pub fn write_only_null(block: &Block, value: &Value) -> Value {
    fn has(block: &Block) -> bool {
        block.attributes.iter().any(|(_, attribute)| attribute.write_only)
            || block.blocks.iter().any(|(_, nested)| has(&nested.block))
    }
    fn strip(block: &Block, value: &Value) -> Value {
        let Some(entries) = value.as_entries() else { return value.clone() };
        let stripped = entries.map_values(|name, part| {
            if let Some(attribute) = block.attribute(name) {
                return if attribute.write_only { Value::Null(attribute.ty.clone()) } else { part.clone() };
            }
            let Some(nested) = block.nested(name).filter(|nested| has(&nested.block)) else { return part.clone() };
            let each = |item: &Value| strip(&nested.block, item);
            let inner = match part.bare() {
                Value::Object(_) if matches!(nested.nesting, Nesting::Single | Nesting::Group) => each(part.bare()),
                Value::List(s) => Value::list(s.element.clone(), s.items.iter().map(each).collect()),
                Value::Set(s) => Value::set(s.element.clone(), s.items.iter().map(each).collect()),
                Value::Tuple(items) => Value::tuple(items.iter().map(each).collect::<Vec<_>>()),
                Value::Map(m) => Value::map(m.element.clone(), m.entries.map_values(|_, item| each(item))),
                Value::Object(entries) => Value::Object(entries.map_values(|_, item| each(item))),
                other => other.clone(),
            };
            inner.mark(part.marks())
        });
        Value::Object(stripped).mark(value.marks())
    }
    if has(block) { strip(block, value) } else { value.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;
    use crate::value::Type;

    fn schema() -> Schema {
        let port =
            Block::new([("number", Attribute::required(Type::Number)), ("id", Attribute::computed(Type::String))]);
        Schema::new(
            Block::new([
                ("id", Attribute::computed(Type::String)),
                ("name", Attribute::required(Type::String)),
                ("size", Attribute::optional_computed(Type::Number)),
                ("secret", Attribute::optional(Type::String).sensitive()),
            ])
            .with_blocks([("port", NestedBlock::new(Nesting::List, port))]),
        )
    }

    fn port(number: i64, id: Value) -> Value {
        Value::object([("number", Value::int(number)), ("id", id)])
    }

    fn object(id: Value, name: &str, size: Value, ports: Vec<Value>) -> Value {
        let element = Type::object([("number", Type::Number), ("id", Type::String)]);
        Value::object([
            ("id", id),
            ("name", Value::from(name)),
            ("size", size),
            ("secret", Value::from("s")),
            ("port", Value::list(element, ports)),
        ])
    }

    #[test]
    fn computed_values_are_kept_and_new_ones_are_unknown() {
        let schema = schema();
        let null = Value::Null(Type::String);
        let config = object(null.clone(), "b", Value::Null(Type::Number), vec![port(1, null.clone()), port(2, null)]);
        let prior = object("x".into(), "a", Value::int(3), vec![port(1, "p".into())]);
        let merged = proposed(&schema.block, &prior, &config);
        let planned = computed_unknown(&schema.block, &config, &merged);
        assert_eq!(planned.get("id"), Some(&Value::from("x")));
        assert_eq!(planned.get("name"), Some(&Value::from("b")));
        assert_eq!(planned.get("size"), Some(&Value::int(3)));
        let ports = planned.get("port").and_then(Value::as_items).unwrap_or_default();
        assert_eq!(ports[0], port(1, "p".into()));
        assert_eq!(ports[1], port(2, Value::unknown(Type::String)));
    }

    #[test]
    fn sensitive_attributes_are_found() {
        let value = object("x".into(), "a", Value::int(3), vec![]);
        let found = sensitive_paths(&schema().block, &value);
        assert_eq!(found.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>(), ["secret"]);
        let nothing = Value::object([("secret", Value::Null(Type::String))]);
        assert_eq!(sensitive_paths(&schema().block, &nothing).len(), 1);
    }
}
