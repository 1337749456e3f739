//! `random_string` and `random_password`.

use rand::RngExt;
use rand::seq::SliceRandom;

use crate::diag::{Diagnostic, Diagnostics};
use crate::value::{Entries, Number, Value};

use super::{Set, text_of, usize_of};

/// Special characters when `override_special` names none.
const SPECIAL: &str = "!@#$%&*()-_=+[]{}<>:?";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const NUMERIC: &str = "0123456789";

/// bcrypt looks at no more bytes of a password than these.
const BCRYPT_BYTES: usize = 72;
const BCRYPT_COST: u32 = 10;

const LEAST: [&str; 4] = ["min_lower", "min_numeric", "min_special", "min_upper"];

/// Whether the length holds what is asked for.
pub fn validate(config: &Value) -> Diagnostics {
    let number = |name: &str| config.get(name).and_then(Value::as_number).and_then(Number::as_i64);
    let mut said = Diagnostics::none();
    let invalid = |text: String| Diagnostic::error("Invalid Attribute Value", text);
    let least: i64 = LEAST.iter().filter_map(|name| number(name)).sum();
    if let Some(length) = number("length") {
        if length < 1 {
            said.push(invalid(format!("Attribute length value must be at least 1, got: {length}")));
        } else if length < least {
            let sum = "sum of min_upper + min_lower + min_numeric + min_special";
            said.push(invalid(format!("Attribute length value must be at least {sum}, got: {length}")));
        }
    }
    let switch = |name: &str| config.get(name).and_then(Value::as_bool);
    if let (Some(number), Some(numeric)) = (switch("number"), switch("numeric"))
        && number != numeric
    {
        let text = format!(
            "Attributes number and numeric are the same switch under two names, got: {number} and {numeric}. Leave out number, which is deprecated."
        );
        said.push(Diagnostic::error("Invalid Attribute Combination", text));
    }
    let off = |name: &str| config.get(name).is_some_and(|value| value.as_bool() == Some(false));
    if off("lower") && off("upper") && off("special") && (off("numeric") || off("number")) {
        said.push(invalid("At least one of the attributes special, upper, lower, numeric must be true.".into()));
    }
    said
}

/// The computed attributes of a new object.
pub fn make(kind: &str, planned: &Entries) -> Set {
    let given = text_of(planned, "override_special");
    let special = if given.is_empty() { SPECIAL } else { &given };
    let classes = [(LOWER, "lower"), (NUMERIC, "numeric"), (special, "special"), (UPPER, "upper")];
    let mut rng = rand::rng();
    let mut pick = |from: &[char]| from[rng.random_range(0..from.len())];
    let mut all: Vec<char> = Vec::new();
    let mut result: Vec<char> = Vec::new();
    for (characters, class) in classes {
        let characters: Vec<char> = characters.chars().collect();
        result.extend((0..usize_of(planned, &format!("min_{class}"))).map(|_| pick(&characters)));
        if planned.get(class).and_then(Value::as_bool).unwrap_or(true) {
            all.extend(characters);
        }
    }
    let rest = usize_of(planned, "length").saturating_sub(result.len());
    result.extend((0..rest).map(|_| pick(&all)));
    result.shuffle(&mut rand::rng());
    let result: String = result.into_iter().collect();
    computed(kind, &result)
}

fn computed(kind: &str, result: &str) -> Set {
    if kind == "random_password" {
        vec![("id", "none".into()), ("result", result.into()), ("bcrypt_hash", bcrypt(result))]
    } else {
        vec![("id", result.into()), ("result", result.into())]
    }
}

fn hashed(text: &str) -> &[u8] {
    &text.as_bytes()[..text.len().min(BCRYPT_BYTES)]
}

/// Whether a hash is of this text.
fn fits(text: &str, hash: &str) -> bool {
    bcrypt::verify(hashed(text), hash).unwrap_or(false)
}

fn bcrypt(text: &str) -> Value {
    match bcrypt::hash(hashed(text), BCRYPT_COST) {
        Ok(hash) => hash.into(),
        // Only a NUL byte in the text has no hash.
        Err(_) => Value::Null(crate::value::Type::String),
    }
}

/// The object whose result is known.
pub fn imported(kind: &str, result: &str) -> Set {
    let mut set = computed(kind, result);
    set.push(("length", Value::int(result.chars().count() as i64)));
    set.extend(["lower", "number", "numeric", "special", "upper"].map(|name| (name, Value::Bool(true))));
    set.extend(LEAST.map(|name| (name, Value::int(0))));
    set
}

/// Older versions had `number` for `numeric`, no minimums, no `bcrypt_hash`, and of an imported object the result alone.
pub fn upgrade(kind: &str, object: &mut serde_json::Map<String, serde_json::Value>) {
    use serde_json::Value as Json;
    let missing = |object: &serde_json::Map<String, Json>, name: &str| object.get(name).is_none_or(Json::is_null);
    if missing(object, "numeric") {
        let number = object.get("number").cloned().filter(|number| !number.is_null());
        object.insert("numeric".into(), number.unwrap_or(Json::Bool(true)));
    }
    for name in LEAST {
        if missing(object, name) {
            object.insert(name.into(), 0.into());
        }
    }
    for name in ["lower", "number", "special", "upper"] {
        if missing(object, name) {
            object.insert(name.into(), true.into());
        }
    }
    let result = object.get("result").and_then(Json::as_str).unwrap_or_default().to_owned();
    if missing(object, "length") {
        object.insert("length".into(), result.chars().count().into());
    }
    if kind == "random_password"
        && !object.get("bcrypt_hash").and_then(Json::as_str).is_some_and(|hash| fits(&result, hash))
    {
        // Some versions made the hash of a wrong text, the first ones made none.
        object.insert("bcrypt_hash".into(), bcrypt(&result).as_str().into());
    }
}
