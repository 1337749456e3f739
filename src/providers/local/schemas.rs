//! Schemas under the names of the Terraform provider (hashicorp/local 2.x, schema version 0).

use std::collections::BTreeMap;

use crate::provider::ProviderSchema;
use crate::schema::{Attribute, Block, Schema};
use crate::value::Type;

/// The computed hashes, in every resource and data source.
pub(super) const HASHES: [&str; 6] =
    ["content_md5", "content_sha1", "content_sha256", "content_base64sha256", "content_sha512", "content_base64sha512"];

/// All of them.
pub(super) fn all() -> ProviderSchema {
    let text = || Attribute::optional(Type::String);
    let plain = resource(vec![
        ("content", text().replace()),
        ("content_base64", text().replace()),
        ("sensitive_content", text().sensitive().replace().deprecated("Use local_sensitive_file instead.")),
    ]);
    let sensitive =
        resource(vec![("content", text().sensitive().replace()), ("content_base64", text().sensitive().replace())]);
    let schemas = ProviderSchema {
        resources: BTreeMap::from([("local_file", plain), ("local_sensitive_file", sensitive)]),
        data: BTreeMap::from([("local_file", data(false)), ("local_sensitive_file", data(true))]),
        actions: BTreeMap::from([("local_command", super::command::schema())]),
        ..ProviderSchema::default()
    };
    super::super::prose::described("local", schemas)
}

fn resource(content: Vec<(&'static str, Attribute)>) -> Schema {
    let mut attributes = content;
    attributes.extend([
        ("filename", Attribute::required(Type::String).replace()),
        ("source", Attribute::optional(Type::String).replace()),
        ("file_permission", Attribute::optional_computed(Type::String).replace()),
        ("directory_permission", Attribute::optional_computed(Type::String).replace()),
        ("id", Attribute::computed(Type::String)),
    ]);
    attributes.extend(HASHES.map(|name| (name, Attribute::computed(Type::String))));
    Schema::new(Block::new(attributes))
}

fn data(sensitive: bool) -> Schema {
    let content =
        || if sensitive { Attribute::computed(Type::String).sensitive() } else { Attribute::computed(Type::String) };
    let mut attributes = vec![
        ("filename", Attribute::required(Type::String)),
        ("content", content()),
        ("content_base64", content()),
        ("id", Attribute::computed(Type::String)),
    ];
    attributes.extend(HASHES.map(|name| (name, Attribute::computed(Type::String))));
    Schema::new(Block::new(attributes))
}
