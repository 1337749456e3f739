//! The schemas of the time kinds.

use std::collections::BTreeMap;

use crate::provider::ProviderSchema;
use crate::schema::{Attribute, Block, Schema};
use crate::value::Type;

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
