//! Random configurations and random changes by others.

use infra::schema::{Attribute, Block, Nesting, Presence};
use infra::value::Type;
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value as Json, json};

fn one_in(dice: &mut StdRng, n: u32) -> bool {
    dice.random_range(0..n) == 0
}

/// A configuration like this one: with less, with more, and with other values.
pub fn varied(block: &Block, config: &Json, dice: &mut StdRng) -> Json {
    let mut varied = Map::new();
    for (name, attribute) in &block.attributes {
        let value = config.get(&**name).unwrap_or(&Json::Null);
        let named =
            ["id", "name", "namespace", "generate_name"].contains(&&**name) || attribute.presence == Presence::Computed;
        let value =
            if named || attribute.write_only { value.clone() } else { attribute_varied(attribute, value, dice) };
        varied.insert(name.to_string(), value);
    }
    for (name, nested) in &block.blocks {
        let value = config.get(&**name).cloned().unwrap_or_default();
        let value = match value {
            Json::Array(_) if nested.min == 0 && one_in(dice, 7) => json!([]),
            Json::Array(items) => {
                let fewer =
                    if items.len() > 1.max(nested.min) && one_in(dice, 6) { items.len() - 1 } else { items.len() };
                items.iter().take(fewer).map(|item| block_varied(&nested.block, item, dice)).collect()
            }
            Json::Object(_) if nested.nesting == Nesting::Single => block_varied(&nested.block, &value, dice),
            other => other,
        };
        varied.insert(name.to_string(), value);
    }
    Json::Object(varied)
}

fn block_varied(block: &Block, value: &Json, dice: &mut StdRng) -> Json {
    if value.is_null() { Json::Null } else { varied(block, value, dice) }
}

fn attribute_varied(attribute: &Attribute, value: &Json, dice: &mut StdRng) -> Json {
    let optional = attribute.presence != Presence::Required;
    match value {
        Json::Null if optional && attribute.deprecated.is_none() && one_in(dice, 12) => added(&attribute.ty, dice),
        Json::Null => Json::Null,
        _ if optional && one_in(dice, 7) => Json::Null,
        Json::Bool(is) if one_in(dice, 5) => json!(!is),
        Json::Number(number) if one_in(dice, 5) => {
            number.as_i64().map_or_else(|| value.clone(), |number| json!(number + dice.random_range(0..3)))
        }
        Json::Object(parts) if one_in(dice, 4) => {
            let mut parts = parts.clone();
            match parts.keys().next().cloned() {
                Some(first) if parts.len() > 1 && one_in(dice, 2) => drop(parts.remove(&first)),
                Some(_) | None => drop(parts.insert("random".into(), json!("1"))),
            }
            Json::Object(parts)
        }
        Json::Array(items) if items.len() > 1 && one_in(dice, 4) => items[1..].iter().cloned().collect(),
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) | Json::Array(_) => value.clone(),
    }
}

/// A value where there was none: often the one that the API leaves out.
fn added(ty: &Type, dice: &mut StdRng) -> Json {
    match ty {
        Type::Bool => json!(one_in(dice, 2)),
        Type::Number => json!([0, 1, 30][dice.random_range(0..3)]),
        Type::String => json!(""),
        Type::Map(of) if **of == Type::String => [json!({}), json!({ "a": "1" })][dice.random_range(0..2)].clone(),
        Type::List(_) | Type::Set(_) => json!([]),
        Type::Map(_) | Type::Object(_) | Type::Tuple(_) | Type::Any => Json::Null,
    }
}

/// The object with one random change: a leaf has another value, a key is gone, or a map has one more.
pub fn meddled(object: &Json, dice: &mut StdRng) -> Json {
    let mut paths = Vec::new();
    for (name, part) in object.as_object().into_iter().flatten() {
        match name.as_str() {
            "apiVersion" | "kind" | "status" => {}
            "metadata" => {
                for name in ["labels", "annotations"] {
                    if let Some(part) = part.get(name) {
                        places(part, format!("/metadata/{name}"), &mut paths);
                    }
                }
            }
            _ => places(part, format!("/{}", escaped(name)), &mut paths),
        }
    }
    let mut changed = object.clone();
    if paths.is_empty() {
        changed["metadata"]["labels"]["meddled"] = json!("1");
        return changed;
    }
    let path = &paths[dice.random_range(0..paths.len())];
    let (parent, name) = path.rsplit_once('/').unwrap();
    if one_in(dice, 3)
        && let Some(parts) = changed.pointer_mut(parent).and_then(Json::as_object_mut)
    {
        parts.remove(&name.replace("~1", "/").replace("~0", "~"));
        return changed;
    }
    let place = changed.pointer_mut(path).unwrap();
    *place = match &*place {
        Json::Bool(is) => json!(!is),
        Json::Number(number) => number.as_i64().map_or(Json::Null, |number| json!(number + 1)),
        Json::String(text) if text.ends_with('=') => json!("bWVkZGxlZA=="),
        Json::String(text) => json!(format!("{text}x")),
        Json::Object(parts) => {
            let mut parts = parts.clone();
            parts.insert("meddled".into(), json!("1"));
            Json::Object(parts)
        }
        Json::Array(items) => items.iter().skip(1).cloned().collect(),
        Json::Null => Json::Null,
    };
    changed
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Every place in a part of an object.
fn places(part: &Json, path: String, paths: &mut Vec<String>) {
    match part {
        Json::Object(parts) => {
            for (name, part) in parts {
                places(part, format!("{path}/{}", escaped(name)), paths);
            }
        }
        Json::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                places(item, format!("{path}/{at}"), paths);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
    paths.push(path);
}
