//! Values that nobody computed: those a test gives, else the least of each type, and random texts.

use crate::schema::{Block, NestedBlock, Nesting};
use crate::value::{Entries, Number, Type, Value, convert};

/// The object with everything unknown replaced: by what `given` says for an attribute of that name, else by a value of the
/// attribute's type. What is given for a nested block counts in each of its blocks. An attribute that `config` sets is left as it
/// is: what is not known of it yet is somebody else's.
///
/// # Errors
/// Why something that is given does not fit.
pub(super) fn fill(block: &Block, object: &Value, config: &Value, given: &Value) -> Result<Value, String> {
    let Some(entries) = object.as_entries() else { return Ok(object.clone()) };
    let mut filled = Vec::with_capacity(entries.len());
    for (name, value) in entries.iter() {
        let own = given.get(name);
        let value = if let Some(nested) = block.nested(name) {
            let own = own.unwrap_or(&Value::NULL);
            if !own.is_null() && own.as_entries().is_none() {
                return Err(format!("{name} is a block: what is given for it is an object of its attributes"));
            }
            nested_block(nested, value, own)?
        } else if value.is_wholly_known() || config.get(name).is_some_and(|config| !config.is_null()) {
            value.clone()
        } else {
            let ty = block.attribute(name).map_or(Type::Any, |attribute| attribute.ty.clone());
            match own {
                Some(own) => convert(own, &ty).map_err(|error| format!("{name}: {error}"))?,
                None => made_up(&ty),
            }
        };
        filled.push((name.clone(), value));
    }
    Ok(Value::object(filled))
}

fn nested_block(nested: &NestedBlock, value: &Value, given: &Value) -> Result<Value, String> {
    let each = |item: &Value| fill(&nested.block, item, &Value::NULL, given);
    Ok(match value.bare() {
        Value::Unknown(_) => made_up(&nested.ty()),
        Value::List(sequence) => {
            Value::list(sequence.element.clone(), sequence.items.iter().map(each).collect::<Result<_, _>>()?)
        }
        Value::Set(sequence) => {
            Value::set(sequence.element.clone(), sequence.items.iter().map(each).collect::<Result<_, _>>()?)
        }
        Value::Tuple(items) => Value::tuple(items.iter().map(each).collect::<Result<Vec<_>, _>>()?),
        Value::Map(mapping) => {
            let entries: Result<Entries, String> =
                mapping.entries.iter().map(|(key, item)| Ok((key.clone(), each(item)?))).collect();
            Value::map(mapping.element.clone(), entries?)
        }
        Value::Object(entries) if matches!(nested.nesting, Nesting::Map) => {
            let all: Result<Vec<_>, String> =
                entries.iter().map(|(key, item)| Ok((key.clone(), each(item)?))).collect();
            Value::object(all?)
        }
        Value::Object(_) => each(value)?,
        _ => value.clone(),
    })
}

/// The value of a type that nobody says anything about: eight random letters and digits, zero, false, nothing in it.
fn made_up(ty: &Type) -> Value {
    match ty {
        Type::Any => Value::NULL,
        Type::Bool => Value::Bool(false),
        Type::Number => Value::Number(Number::from(0_u64)),
        Type::String => Value::string(random()),
        Type::List(element) => Value::list((**element).clone(), Vec::new()),
        Type::Set(element) => Value::set((**element).clone(), Vec::new()),
        Type::Map(element) => Value::map((**element).clone(), Entries::default()),
        Type::Tuple(items) => Value::tuple(items.iter().map(made_up).collect::<Vec<_>>()),
        Type::Object(object) => {
            Value::object(object.iter().map(|(name, attribute)| (name.clone(), made_up(&attribute.ty))))
        }
    }
}

fn random() -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let bytes = uuid::Uuid::new_v4().into_bytes();
    // The bytes with fixed bits are left out.
    let free = bytes.iter().enumerate().filter(|(at, _)| !matches!(at, 6 | 8)).map(|(_, byte)| byte);
    free.take(8).map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Attribute, computed_unknown};

    fn block() -> Block {
        let inner = Block::new([
            ("name", Attribute::required(Type::String)),
            ("uid", Attribute::computed(Type::String)),
            ("size", Attribute::computed(Type::Number)),
        ]);
        Block::new([
            ("id", Attribute::computed(Type::String)),
            ("on", Attribute::computed(Type::Bool)),
            ("tags", Attribute::computed(Type::map(Type::String))),
            ("zone", Attribute::optional_computed(Type::String)),
            ("any", Attribute::computed(Type::Any)),
        ])
        .with_blocks([("part", NestedBlock::new(Nesting::List, inner))])
    }

    fn object(zone: Value) -> Value {
        let part = Value::object([
            ("name", Value::from("p")),
            ("uid", Value::Null(Type::String)),
            ("size", Value::Null(Type::Number)),
        ]);
        Value::object([
            ("any", Value::NULL),
            ("id", Value::Null(Type::String)),
            ("on", Value::Null(Type::Bool)),
            ("part", Value::list(part.ty(), vec![part.clone(), part])),
            ("tags", Value::Null(Type::map(Type::String))),
            ("zone", zone),
        ])
    }

    fn filled(config: &Value, given: &Value) -> Result<Value, String> {
        fill(&block(), &computed_unknown(&block(), config, config), config, given)
    }

    #[test]
    fn what_nobody_gives_is_the_least_of_its_type() {
        let value = filled(&object(Value::Null(Type::String)), &Value::NULL).unwrap_or_default();
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        assert_eq!((text("id").len(), text("zone").len()), (8, 8));
        assert!(text("id").chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
        assert_eq!(value.get("on"), Some(&Value::Bool(false)));
        assert_eq!(value.get("tags"), Some(&Value::map(Type::String, Entries::default())));
        assert_eq!(value.get("any"), Some(&Value::NULL));
        assert!(value.is_wholly_known());
    }

    #[test]
    fn what_is_given_for_a_block_counts_in_each_of_them_and_what_is_configured_stays() {
        let given = Value::object([
            ("zone", Value::from("given")),
            ("part", Value::object([("uid", Value::from("u")), ("name", Value::from("other"))])),
        ]);
        let value = filled(&object("here".into()), &given).unwrap_or_default();
        assert_eq!(value.get("zone"), Some(&Value::from("here")));
        let parts = value.get("part").and_then(Value::as_items).unwrap_or_default();
        assert_eq!(parts.len(), 2);
        for part in parts {
            assert_eq!((part.get("uid"), part.get("name")), (Some(&Value::from("u")), Some(&Value::from("p"))));
            assert_eq!(part.get("size"), Some(&Value::int(0)));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let given = Value::object([("on", Value::from("maybe"))]);
        assert!(filled(&object(Value::Null(Type::String)), &given).is_err());
        let given = Value::object([("part", Value::from("x"))]);
        assert!(filled(&object(Value::Null(Type::String)), &given).is_err());
    }
}
