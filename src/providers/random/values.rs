//! `random_id`, `random_bytes`, `random_integer`, `random_uuid`, `random_shuffle`.

use std::hash::{Hash, Hasher};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::diag::{Diagnostic, Diagnostics};
use crate::value::{Entries, Number, Type, Value};

use super::{Set, number_of, text_of};

/// Random bytes.
pub fn bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    rand::rng().fill(&mut bytes[..]);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `random_id` of these bytes: its id has no prefix, its other forms have.
pub fn id(prefix: &str, bytes: &[u8]) -> Set {
    let with = |text: String| Value::string(format!("{prefix}{text}"));
    let decimal = dashu_int::UBig::from_be_bytes(bytes).to_string();
    let url = URL_SAFE_NO_PAD.encode(bytes);
    vec![
        ("id", url.clone().into()),
        ("b64_url", with(url)),
        ("b64_std", with(STANDARD.encode(bytes))),
        ("hex", with(hex(bytes))),
        ("dec", with(decimal)),
    ]
}

/// Reads `[prefix,]base64url`.
pub fn imported_id(text: &str) -> Result<Set, String> {
    let (prefix, encoded) = text.rsplit_once(',').unwrap_or(("", text));
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|error| format!("{encoded:?} is not base64url: {error}."))?;
    let mut set = id(prefix, &bytes);
    set.push(("byte_length", Value::int(bytes.len() as i64)));
    if !prefix.is_empty() {
        set.push(("prefix", prefix.into()));
    }
    Ok(set)
}

/// `random_bytes` of these bytes.
pub fn bytes_object(bytes: &[u8]) -> Set {
    vec![("base64", STANDARD.encode(bytes).into()), ("hex", hex(bytes).into())]
}

/// Reads base64.
pub fn imported_bytes(text: &str) -> Result<Set, String> {
    // The text is a secret: the reason must do without it.
    let bytes = STANDARD.decode(text).map_err(|_| "The id is not base64.".to_owned())?;
    let mut set = bytes_object(&bytes);
    set.push(("length", Value::int(bytes.len() as i64)));
    Ok(set)
}

/// Whether the range holds anything.
pub fn validate_integer(config: &Value) -> Diagnostics {
    let number = |name: &str| config.get(name).and_then(Value::as_number).and_then(Number::as_i64);
    match (number("min"), number("max")) {
        (Some(min), Some(max)) if min > max => Diagnostic::error(
            "Invalid Attribute Value",
            format!("The minimum (min) value needs to be smaller than or equal to maximum (max) value: {min} > {max}."),
        )
        .into(),
        _ => Diagnostics::none(),
    }
}

fn generator(entries: &Entries) -> StdRng {
    let seed = text_of(entries, "seed");
    if seed.is_empty() {
        return StdRng::from_rng(&mut rand::rng());
    }
    let mut hasher = rustc_hash::FxHasher::default();
    seed.hash(&mut hasher);
    StdRng::seed_from_u64(hasher.finish())
}

/// A number of the range, both ends included.
pub fn integer(entries: &Entries) -> Set {
    let (min, max) = (number_of(entries, "min").unwrap_or_default(), number_of(entries, "max").unwrap_or_default());
    let number = generator(entries).random_range(min..=max.max(min));
    vec![("id", number.to_string().into()), ("result", Value::int(number))]
}

/// Reads `result,min,max[,seed]`.
pub fn imported_integer(text: &str) -> Result<Set, String> {
    let wrong = || format!("{text:?} must have the form RESULT,MIN,MAX or RESULT,MIN,MAX,SEED.");
    let (numbers, seed) = match text.split(',').collect::<Vec<_>>()[..] {
        [result, min, max] => ([result, min, max], None),
        [result, min, max, seed] => ([result, min, max], Some(seed)),
        _ => return Err(wrong()),
    };
    let mut parsed = [0; 3];
    for (number, text) in parsed.iter_mut().zip(numbers) {
        *number = text.trim().parse::<i64>().map_err(|_| wrong())?;
    }
    let [result, min, max] = parsed;
    let mut set = vec![
        ("id", result.to_string().into()),
        ("result", Value::int(result)),
        ("min", Value::int(min)),
        ("max", Value::int(max)),
    ];
    set.extend(seed.map(|seed| ("seed", seed.into())));
    Ok(set)
}

/// `random_uuid` of this one.
pub fn uuid(uuid: &uuid::Uuid) -> Set {
    let text = uuid.to_string();
    vec![("id", text.clone().into()), ("result", text.into())]
}

/// Reads a UUID.
pub fn imported_uuid(text: &str) -> Result<Set, String> {
    let parsed = uuid::Uuid::parse_str(text).map_err(|error| format!("{text:?} is not a UUID: {error}."))?;
    Ok(uuid(&parsed))
}

/// The input in another order; with a `result_count` that exceeds it, the input is taken over and over.
pub fn shuffle(entries: &Entries) -> Set {
    let input = entries.get("input").and_then(Value::as_items).unwrap_or_default();
    let count = number_of(entries, "result_count").and_then(|count| usize::try_from(count).ok());
    let count = count.unwrap_or(input.len());
    let mut rng = generator(entries);
    let mut result: Vec<Value> = Vec::with_capacity(count);
    while result.len() < count && !input.is_empty() {
        let mut round = input.to_vec();
        round.shuffle(&mut rng);
        round.truncate(count - result.len());
        result.extend(round);
    }
    vec![("id", "-".into()), ("result", Value::list(Type::String, result))]
}
