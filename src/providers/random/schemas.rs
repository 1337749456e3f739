//! The schemas of all random kinds, and the defaults of what is not written.

use std::collections::BTreeMap;

use crate::provider::ProviderSchema;
use crate::schema::{Attribute, Block, Schema};
use crate::value::{Type, Value};

/// All of them.
pub fn all() -> ProviderSchema {
    let resources = BTreeMap::from([
        ("random_string", text(2, false)),
        ("random_password", text(3, true)),
        ("random_id", id()),
        ("random_bytes", bytes()),
        ("random_integer", integer()),
        ("random_pet", pet()),
        ("random_uuid", kind([("id", computed()), ("result", computed())])),
        ("random_shuffle", shuffle()),
    ]);
    let ephemeral = BTreeMap::from([("random_password", opened_password())]);
    ProviderSchema { resources, ephemeral, ..ProviderSchema::default() }
}

/// What an attribute is when the configuration leaves it out.
pub fn defaults(kind: &str, config: &Value) -> Vec<(&'static str, Value)> {
    match kind {
        "random_string" | "random_password" => {
            // `number` is the old name of `numeric`: each follows the other.
            let written = |name| config.get(name).filter(|value| !value.is_null()).cloned();
            let numeric = written("numeric").or_else(|| written("number")).unwrap_or(Value::Bool(true));
            let switches = ["lower", "special", "upper"].map(|name| (name, Value::Bool(true)));
            let least = ["min_lower", "min_numeric", "min_special", "min_upper"].map(|name| (name, Value::int(0)));
            let numbers = ["number", "numeric"].map(|name| (name, numeric.clone()));
            switches.into_iter().chain(least).chain(numbers).collect()
        }
        "random_pet" => vec![("length", Value::int(2)), ("separator", "-".into())],
        _ => Vec::new(),
    }
}

fn kind<const N: usize>(attributes: [(&'static str, Attribute); N]) -> Schema {
    let keepers = ("keepers", Attribute::optional(Type::map(Type::String)).replace());
    Schema::new(Block::new(attributes.into_iter().chain([keepers])))
}

fn computed() -> Attribute {
    Attribute::computed(Type::String)
}

fn required(ty: Type) -> Attribute {
    Attribute::required(ty).replace()
}

fn optional(ty: Type) -> Attribute {
    Attribute::optional(ty).replace()
}

fn defaulted(ty: Type) -> Attribute {
    Attribute::optional_computed(ty).replace()
}

fn text(version: u64, secret: bool) -> Schema {
    let hidden = |attribute: Attribute| if secret { attribute.sensitive() } else { attribute };
    let mut attributes = vec![
        ("id", computed()),
        ("keepers", optional(Type::map(Type::String))),
        ("length", required(Type::Number)),
        ("override_special", optional(Type::String)),
        ("result", hidden(computed())),
        ("number", defaulted(Type::Bool).deprecated("Use numeric instead.")),
    ];
    attributes.extend(["lower", "numeric", "special", "upper"].map(|name| (name, defaulted(Type::Bool))));
    let least = ["min_lower", "min_numeric", "min_special", "min_upper"];
    attributes.extend(least.map(|name| (name, defaulted(Type::Number))));
    if secret {
        attributes.push(("bcrypt_hash", computed().sensitive()));
    }
    Schema { version, block: Block::new(attributes) }
}

/// The password that is made anew whenever it is opened.
fn opened_password() -> Schema {
    let Schema { block, .. } = text(0, true);
    let kept = ["id", "keepers", "number"];
    Schema::new(Block::new(block.attributes.into_iter().filter(|(name, _)| !kept.contains(&name.as_str()))))
}

fn id() -> Schema {
    kind([
        ("b64_std", computed()),
        ("b64_url", computed()),
        ("byte_length", required(Type::Number)),
        ("dec", computed()),
        ("hex", computed()),
        ("id", computed()),
        ("prefix", optional(Type::String)),
    ])
}

fn bytes() -> Schema {
    kind([("base64", computed().sensitive()), ("hex", computed().sensitive()), ("length", required(Type::Number))])
}

fn integer() -> Schema {
    kind([
        ("id", computed()),
        ("max", required(Type::Number)),
        ("min", required(Type::Number)),
        ("result", Attribute::computed(Type::Number)),
        ("seed", optional(Type::String)),
    ])
}

fn pet() -> Schema {
    kind([
        ("id", computed()),
        ("length", defaulted(Type::Number)),
        ("prefix", optional(Type::String)),
        ("separator", defaulted(Type::String)),
    ])
}

fn shuffle() -> Schema {
    let texts = Type::list(Type::String);
    kind([
        ("id", computed()),
        ("input", required(texts.clone())),
        ("result", Attribute::computed(texts)),
        ("result_count", optional(Type::Number)),
        ("seed", optional(Type::String)),
    ])
}
