//! The schemas of the time kinds, and the forms of their import ids.

use std::collections::BTreeMap;

use crate::provider::ProviderSchema;
use crate::schema::{Attribute, Block, Schema};
use crate::value::{Number, Type, Value};

/// Arguments of `time_offset`, one of which is needed.
pub const OFFSETS: &[&str] =
    &["offset_years", "offset_months", "offset_days", "offset_hours", "offset_minutes", "offset_seconds"];
/// Arguments of `time_rotating`, one of which is needed.
pub const ROTATIONS: &[&str] =
    &["rotation_years", "rotation_months", "rotation_days", "rotation_hours", "rotation_minutes", "rotation_rfc3339"];

/// All of them.
pub fn all() -> ProviderSchema {
    let number = || Attribute::optional(Type::Number);
    let replaced = || Attribute::optional_computed(Type::String).replace();
    let offsets = OFFSETS.iter().map(|name| (*name, number()));
    let rotations = ROTATIONS[..5].iter().map(|name| (*name, number()));
    let sleep = ["create_duration", "destroy_duration"].map(|name| (name, Attribute::optional(Type::String)));
    let resources = BTreeMap::from([
        ("time_static", kind(true, [("rfc3339", replaced())])),
        (
            "time_offset",
            kind(
                true,
                offsets.chain([
                    ("base_rfc3339", Attribute::optional_computed(Type::String)),
                    ("rfc3339", Attribute::computed(Type::String)),
                ]),
            ),
        ),
        (
            "time_rotating",
            kind(
                true,
                rotations
                    .chain([("rfc3339", replaced()), ("rotation_rfc3339", Attribute::optional_computed(Type::String))]),
            ),
        ),
        ("time_sleep", kind(false, sleep)),
    ]);
    ProviderSchema { resources, ..ProviderSchema::default() }
}

fn kind(parts: bool, attributes: impl IntoIterator<Item = (&'static str, Attribute)>) -> Schema {
    let triggers = ("triggers", Attribute::optional(Type::map(Type::String)).replace());
    let id = ("id", Attribute::computed(Type::String));
    let parts = super::PARTS.map(|name| (name, Attribute::computed(Type::Number))).into_iter().filter(|_| parts);
    Schema::new(Block::new(attributes.into_iter().chain([id, triggers]).chain(parts)))
}

/// The arguments that an import id stands for.
pub fn import_fields(kind: &str, id: &str) -> Result<Vec<(&'static str, Value)>, String> {
    let fields: Vec<&str> = id.split(',').collect();
    let wrong = |form: &str| Err(format!("{id:?} must have the form {form}."));
    let units = |names: &[&'static str]| {
        let pairs = names.iter().zip(&fields[1..]).filter(|(_, text)| !text.is_empty());
        let read = |(name, text): (&&'static str, &&str)| match Number::parse(text) {
            Ok(number) => Ok((*name, Value::Number(number))),
            Err(_) => Err(format!("{text:?} in {id:?} is not a number.")),
        };
        pairs.map(read).collect::<Result<Vec<_>, _>>()
    };
    let text = |name: &'static str, at: usize| (name, Value::from(fields[at]));
    match (kind, fields.len()) {
        ("time_static", 1) => Ok(vec![text("rfc3339", 0)]),
        ("time_static", _) => wrong("RFC3339"),
        ("time_offset", 7) => Ok([vec![text("base_rfc3339", 0)], units(OFFSETS)?].concat()),
        ("time_offset", _) => wrong("BASETIMESTAMP,YEARS,MONTHS,DAYS,HOURS,MINUTES,SECONDS"),
        ("time_rotating", 6) => Ok([vec![text("rfc3339", 0)], units(&ROTATIONS[..5])?].concat()),
        ("time_rotating", 2) => Ok(vec![text("rfc3339", 0), text("rotation_rfc3339", 1)]),
        ("time_rotating", _) => {
            wrong("BASETIMESTAMP,YEARS,MONTHS,DAYS,HOURS,MINUTES or BASETIMESTAMP,ROTATIONTIMESTAMP")
        }
        (_, 2) => {
            let given = |(at, name): (usize, &'static str)| {
                (name, if fields[at].is_empty() { Value::Null(Type::String) } else { Value::from(fields[at]) })
            };
            Ok(["create_duration", "destroy_duration"].into_iter().enumerate().map(given).collect())
        }
        _ => wrong("CREATEDURATION,DESTROYDURATION"),
    }
}
