//! `kubernetes_token_request_v1`: a token of a service account, asked for when it is opened, or made once and kept in state. It ends by
//! itself.

use serde_json::json;

use super::configured::Cluster;
use super::scalar::from_json_of;
use super::special::{block, text};
use crate::client::kube::types::Json;
use crate::diag::{Diagnostic, Outcome};
use crate::provider::{Applied, ApplyRequest, OpenRequest, Opened, unknown_kind};
use crate::schema::{Attribute, Block, NestedBlock, Nesting, Schema};
use crate::value::{Type, Value};

/// Its type.
pub const KIND: &str = "kubernetes_token_request_v1";

/// The schema of the ephemeral resource.
pub fn schema() -> Schema {
    let text = || Attribute::optional(Type::String);
    let metadata =
        Block::new([("name", Attribute::required(Type::String)), ("namespace", Attribute::required(Type::String))]);
    let bound = Block::new([("api_version", text()), ("kind", text()), ("name", text()), ("uid", text())]);
    let single = |block| NestedBlock::new(Nesting::Single, block);
    let spec = Block::new([
        ("audiences", Attribute::optional_computed(Type::list(Type::String))),
        ("expiration_seconds", Attribute::optional_computed(Type::Number)),
    ])
    .with_blocks([("bound_object_ref", single(bound))]);
    let block = Block::new([
        ("token", Attribute::optional_computed(Type::String).sensitive()),
        ("expiration_timestamp", Attribute::optional_computed(Type::String)),
    ]);
    Schema::new(block.with_blocks([("metadata", single(metadata)), ("spec", single(spec))]))
}

/// The service account that a block names.
fn account(config: &Value) -> Option<(String, String)> {
    let meta = block(config, "metadata")?;
    let namespace = Some(text(meta, "namespace")).filter(|text| !text.is_empty()).unwrap_or("default");
    let name = Some(text(meta, "name")).filter(|text| !text.is_empty())?;
    Some((namespace.to_owned(), name.to_owned()))
}

fn missing_name() -> Diagnostic {
    let detail = "A token is asked for by the name of its service account: metadata { name = … }.";
    Diagnostic::error("Missing name", detail)
}

/// Makes a token and keeps it in state.
pub async fn create(cluster: &Cluster, request: ApplyRequest) -> Applied {
    let Some((namespace, name)) = account(&request.planned) else { return Applied::failed(missing_name()) };
    match cluster.kube.request_token(&namespace, &name, &asked(&request.planned)).await {
        Ok(answer) => {
            let Value::Object(entries) = &request.planned else { return Applied::is(request.planned) };
            let token = answer["status"]["token"].as_str().unwrap_or_default();
            let entries = entries.map_values(|part, value| match part.as_str() {
                "id" => Value::string(format!("{namespace}/{name}")),
                "token" => Value::string(token),
                "metadata" => answered(value, &answer["metadata"]),
                "spec" => spec_of(value, &answer["spec"]),
                _ => value.clone(),
            });
            Applied::is(Value::Object(entries))
        }
        Err(error) => {
            Applied::failed(error.diagnostic(&format!("request a token of ServiceAccount {namespace}/{name}")))
        }
    }
}

/// The answer where the plan left it open.
fn answered(planned: &Value, answer: &Json) -> Value {
    let Value::List(list) = planned else { return planned.clone() };
    let items = list.items.iter().map(|item| {
        let Value::Object(entries) = item else { return item.clone() };
        Value::Object(entries.map_values(|name, part| match name.as_str() {
            _ if part.is_known() => part.clone(),
            "generation" => Value::int(answer["generation"].as_i64().unwrap_or(0)),
            "resource_version" => Value::string(answer["resourceVersion"].as_str().unwrap_or_default()),
            name => Value::string(answer[name].as_str().unwrap_or_default()),
        }))
    });
    Value::list(list.element.clone(), items.collect())
}

/// The block as the server has filled it in.
fn spec_of(planned: &Value, answer: &Json) -> Value {
    let ty = planned.ty();
    let Type::List(element) = &ty else { return planned.clone() };
    let written = planned.as_items().and_then(<[Value]>::first);
    let read = from_json_of(answer, element, false);
    let Value::Object(entries) = read else { return planned.clone() };
    let filled = entries.map_values(|name, part| match written.and_then(|written| written.get(name)) {
        Some(known) if known.is_wholly_known() && !known.is_null() => known.clone(),
        // A list of nothing, as blocks are.
        _ if part.is_null() && name.as_str() == "bound_object_ref" => match part.ty() {
            Type::List(element) => Value::list((*element).clone(), Vec::new()),
            _ => part.clone(),
        },
        _ => part.clone(),
    });
    Value::list((**element).clone(), vec![Value::Object(filled)])
}

/// Asks for a token.
pub async fn open(cluster: &Cluster, request: OpenRequest) -> Outcome<Opened> {
    let Some((namespace, name)) = account(&request.config) else { return Outcome::fail(missing_name()) };
    match cluster.kube.request_token(&namespace, &name, &asked(&request.config)).await {
        Ok(answer) => {
            let status = |name: &str| answer["status"][name].as_str().map_or(Value::Null(Type::String), Value::from);
            let Value::Object(entries) = request.config else { return unknown_kind(KIND) };
            let value =
                entries.with("token", status("token")).with("expiration_timestamp", status("expirationTimestamp"));
            Outcome::ok(Opened { value: Value::Object(value), private: Vec::new() })
        }
        Err(error) => Outcome::fail(error.diagnostic(&format!("request a token of ServiceAccount {namespace}/{name}"))),
    }
}

/// The `spec` of the request.
fn asked(config: &Value) -> Json {
    let mut spec = json!({});
    let Some(written) = block(config, "spec") else { return spec };
    if let Some(audiences) = written.get("audiences").and_then(Value::as_items) {
        spec["audiences"] = audiences.iter().filter_map(Value::as_str).collect();
    }
    if let Some(seconds) = written.get("expiration_seconds").and_then(Value::as_number).and_then(|one| one.as_i64()) {
        spec["expirationSeconds"] = json!(seconds);
    }
    if let Some(bound) = block(written, "bound_object_ref") {
        let names = [("api_version", "apiVersion"), ("kind", "kind"), ("name", "name"), ("uid", "uid")];
        let said = names.iter().filter_map(|(name, field)| Some((*field, bound.get(name)?.as_str()?)));
        spec["boundObjectRef"] = said.map(|(field, text)| (field.to_owned(), json!(text))).collect();
    }
    spec
}
