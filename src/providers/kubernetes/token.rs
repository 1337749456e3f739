//! `kubernetes_token_request_v1`: a token of a service account, asked for when it is opened. It ends by itself.

use serde_json::json;

use super::configured::Cluster;
use super::identity::Place;
use crate::client::kube::types::{Json, find};
use crate::diag::{Diagnostic, Outcome};
use crate::provider::{OpenRequest, Opened, unknown_kind};
use crate::schema::{Attribute, Block, NestedBlock, Schema};
use crate::value::{Type, Value};

/// Its type.
pub const KIND: &str = "kubernetes_token_request_v1";

/// Its schema.
pub fn schema() -> Schema {
    let text = || Attribute::optional(Type::String);
    let metadata = Block::new([("name", text()), ("namespace", text())]);
    let bound = Block::new([("api_version", text()), ("kind", text()), ("name", text()), ("uid", text())]);
    let spec = Block::new([
        ("audiences", Attribute::optional(Type::list(Type::String))),
        ("expiration_seconds", Attribute::optional(Type::Number)),
    ])
    .with_blocks([("bound_object_ref", NestedBlock::one(bound, false))]);
    let block = Block::new([
        ("token", Attribute::computed(Type::String).sensitive()),
        ("expiration_timestamp", Attribute::computed(Type::String)),
    ]);
    Schema::new(
        block.with_blocks([("metadata", NestedBlock::one(metadata, true)), ("spec", NestedBlock::one(spec, false))]),
    )
}

/// Asks for a token.
pub async fn open(cluster: &Cluster, request: OpenRequest) -> Outcome<Opened> {
    let (KIND, Some(kind)) = (request.kind.as_str(), find("v1", "ServiceAccount")) else {
        return unknown_kind(&request.kind);
    };
    let Some(place) = Place::of_block(&request.config, kind) else {
        let detail = "A token is asked for by the name of its service account: metadata { name = … }.";
        return Outcome::fail(Diagnostic::error("Missing name", detail));
    };
    let namespace = place.namespace.as_deref().unwrap_or("default");
    match cluster.kube.request_token(namespace, &place.name, &asked(&request.config)).await {
        Ok(answer) => {
            let status = |name: &str| answer["status"][name].as_str().map_or(Value::Null(Type::String), Value::from);
            let Value::Object(entries) = request.config else { return unknown_kind(KIND) };
            let value =
                entries.with("token", status("token")).with("expiration_timestamp", status("expirationTimestamp"));
            Outcome::ok(Opened { value: Value::Object(value), private: Vec::new() })
        }
        Err(error) => Outcome::fail(error.diagnostic(&format!("request a token of {}", place.title(kind)))),
    }
}

/// The `spec` of the request.
fn asked(config: &Value) -> Json {
    let first = |value: &Value, name: &str| value.get(name).and_then(Value::as_items)?.first().cloned();
    let mut spec = json!({});
    let Some(written) = first(config, "spec") else { return spec };
    if let Some(audiences) = written.get("audiences").and_then(Value::as_items) {
        spec["audiences"] = audiences.iter().filter_map(Value::as_str).collect();
    }
    if let Some(seconds) = written.get("expiration_seconds").and_then(Value::as_number).and_then(|one| one.as_i64()) {
        spec["expirationSeconds"] = json!(seconds);
    }
    if let Some(bound) = first(&written, "bound_object_ref") {
        let names = [("api_version", "apiVersion"), ("kind", "kind"), ("name", "name"), ("uid", "uid")];
        let said = names.iter().filter_map(|(name, field)| Some((*field, bound.get(name)?.as_str()?)));
        spec["boundObjectRef"] = said.map(|(field, text)| (field.to_owned(), json!(text))).collect();
    }
    spec
}
