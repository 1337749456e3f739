//! Data sources: objects that others manage.

use super::configured::Cluster;
use super::hidden::Ignored;
use super::identity::Place;
use super::object::Look;
use super::table::{Fields, table};
use super::{lists, object, whole};
use crate::client::kube::types::Kind;
use crate::diag::{Diagnostic, Outcome};
use crate::provider::{DataRequest, unknown_kind};
use crate::schema::{Attribute, Block, NestedBlock, Schema};
use crate::value::{Entries, Type, Value};

/// The schema of `kubernetes_resource`.
pub fn resource_schema() -> Schema {
    let metadata =
        Block::new([("name", Attribute::required(Type::String)), ("namespace", Attribute::optional(Type::String))]);
    let block = Block::new([
        ("api_version", Attribute::required(Type::String)),
        ("kind", Attribute::required(Type::String)),
        ("object", Attribute::optional_computed(Type::Any)),
    ]);
    let block = block.with_blocks([("metadata", NestedBlock::one(metadata, true))]);
    Schema { version: 1, block }
}

/// Reads a data source.
pub async fn read(cluster: &Cluster, request: DataRequest) -> Outcome<Value> {
    if request.kind == "kubernetes_resource" {
        return any(cluster, &request.config).await;
    }
    if lists::KINDS.contains(&request.kind.as_str()) {
        return lists::read(cluster, &request.kind, &request.config).await;
    }
    let Some(resource) = table().data.get(request.kind.as_str()) else { return unknown_kind(&request.kind) };
    let Some(place) = Place::of_block(&request.config, resource.kind) else {
        return Outcome::fail(Diagnostic::error("Missing name", "A data source needs `metadata` with a `name`."));
    };
    match cluster.kube.get(resource.kind, place.namespace.as_deref(), &place.name).await {
        // What the provider's configuration ignores is ignored in resources only.
        Ok(Some(found)) => {
            let value = object::read(resource, &found, &place, Look::Whole(&Ignored::default()));
            Outcome::ok(configured_kept(value, &request.config))
        }
        // The one data source that refuses it.
        Ok(None) if resource.kind.kind == "PersistentVolume" => missing(resource.kind, &place),
        Ok(None) => Outcome::ok(nothing(&resource.fields, &request.config, &place)),
        Err(error) => Outcome::fail(error.diagnostic(&format!("read {}", place.title(resource.kind)))),
    }
}

/// An object that is not there: its id, what is configured, and nothing else.
fn nothing(fields: &Fields, config: &Value, place: &Place) -> Value {
    let Some(entries) = config.as_entries() else { return config.clone() };
    let value = entries.map_values(|name, part| match name.as_str() {
        "id" => Value::string(place.id()),
        "metadata" => with_zeros(part, place),
        _ if fields.entry(name).is_some_and(|entry| entry.is_attribute) => Value::Null(part.ty()),
        _ => part.clone(),
    });
    Value::Object(value)
}

/// The metadata of nothing, with what the provider has where it reads nothing.
fn with_zeros(metadata: &Value, place: &Place) -> Value {
    let Value::List(list) = metadata else { return metadata.clone() };
    let items = list.items.iter().map(|item| {
        let Value::Object(entries) = item else { return item.clone() };
        Value::Object(entries.map_values(|name, part| match (name.as_str(), &place.namespace) {
            _ if !part.is_null() => part.clone(),
            ("annotations" | "labels", _) => Value::map(Type::String, Entries::new()),
            ("generation", _) => Value::int(0),
            ("namespace", Some(namespace)) => Value::string(namespace.as_str()),
            _ => Value::from(""),
        }))
    });
    Value::list(list.element.clone(), items.collect())
}

/// What was configured stays as it was written: Terraform compares the two.
fn configured_kept(value: Value, config: &Value) -> Value {
    let (Value::Object(entries), Some(wanted)) = (&value, config.as_entries()) else { return value };
    let kept = entries.map_values(|name, part| match wanted.get(name) {
        Some(configured) if name.as_str() != "metadata" && !configured.is_null() => configured.clone(),
        _ => part.clone(),
    });
    Value::Object(kept)
}

async fn any(cluster: &Cluster, config: &Value) -> Outcome<Value> {
    let text = |name: &str| config.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = match cluster.kube.kind(text("api_version"), text("kind")).await {
        Ok(kind) => kind,
        Err(error) => return Outcome::fail(error.diagnostic("read an object")),
    };
    let Some(place) = Place::of_block(config, &kind) else {
        return Outcome::fail(Diagnostic::error("Missing name", "A data source needs `metadata` with a `name`."));
    };
    match cluster.kube.get(&kind, place.namespace.as_deref(), &place.name).await {
        Ok(Some(found)) => {
            let object = whole::of_kind(&found, &kind);
            match config.as_entries() {
                Some(entries) => Outcome::ok(Value::Object(entries.clone().with("object", object))),
                None => Outcome::ok(config.clone()),
            }
        }
        Ok(None) => missing(&kind, &place),
        Err(error) => Outcome::fail(error.diagnostic(&format!("read {}", place.title(&kind)))),
    }
}

fn missing(kind: &Kind, place: &Place) -> Outcome<Value> {
    Outcome::fail(Diagnostic::error(
        "Object not found",
        format!("{} does not exist in the cluster.", place.title(kind)),
    ))
}
