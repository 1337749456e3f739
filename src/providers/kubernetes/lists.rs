//! Data sources that are no single object: all namespaces, nodes, the objects of a kind, the server's version.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::configured::Cluster;
use super::scalar::from_json_of;
use super::special::{block, text, texts};
use super::whole;
use crate::client::kube::types::{Json, find};
use crate::client::kube::{KubeError, Select};
use crate::diag::Outcome;
use crate::provider::unknown_kind;
use crate::schema::{Attribute, Block, NestedBlock, Schema};
use crate::value::{Entries, Type, Value, type_from_json};

/// The data sources of this file.
pub const KINDS: [&str; 4] =
    ["kubernetes_all_namespaces", "kubernetes_nodes", "kubernetes_resources", "kubernetes_server_version"];

const VERSION: [(&str, &str); 9] = [
    ("build_date", "buildDate"),
    ("compiler", "compiler"),
    ("git_commit", "gitCommit"),
    ("git_tree_state", "gitTreeState"),
    ("git_version", "gitVersion"),
    ("go_version", "goVersion"),
    ("major", "major"),
    ("minor", "minor"),
    ("platform", "platform"),
];

/// What a node is, in the type language of Terraform.
const NODES: &str = r#"["list",["object",{"metadata":["list",["object",{"annotations":["map","string"],"generation":"number","labels":["map","string"],"name":"string","resource_version":"string","uid":"string"}]],"spec":["list",["object",{"pod_cidr":"string","pod_cidrs":["list","string"],"provider_id":"string","taints":["list",["object",{"effect":"string","key":"string","value":"string"}]],"unschedulable":"bool"}]],"status":["list",["object",{"addresses":["list",["object",{"address":"string","type":"string"}]],"allocatable":["map","string"],"capacity":["map","string"],"conditions":["list",["object",{"last_heartbeat_time":"string","last_transition_time":"string","message":"string","reason":"string","status":"string","type":"string"}]],"node_info":["list",["object",{"architecture":"string","boot_id":"string","container_runtime_version":"string","kernel_version":"string","kube_proxy_version":"string","kubelet_version":"string","machine_id":"string","operating_system":"string","os_image":"string","system_uuid":"string"}]]}]]}]]"#;

fn nodes_type() -> Type {
    type_from_json(NODES.as_bytes()).unwrap_or(Type::Any)
}

/// The schema of one of them.
pub fn schema(kind: &str) -> Schema {
    let computed = || Attribute::computed(Type::String);
    let id = ("id", Attribute::optional_computed(Type::String));
    let block = match kind {
        "kubernetes_all_namespaces" => Block::new([id, ("namespaces", Attribute::computed(Type::list(Type::String)))]),
        "kubernetes_nodes" => {
            let metadata = Block::new([("labels", Attribute::required(Type::map(Type::String)))]);
            let block = Block::new([id, ("nodes", Attribute::computed(nodes_type()))]);
            block.with_blocks([("metadata", NestedBlock::one(metadata, false))])
        }
        "kubernetes_resources" => {
            let optional = || Attribute::optional(Type::String);
            Block::new([
                ("api_version", Attribute::required(Type::String)),
                ("field_selector", optional()),
                ("kind", Attribute::required(Type::String)),
                ("label_selector", optional()),
                ("limit", Attribute::optional(Type::Number)),
                ("namespace", optional()),
                ("objects", Attribute::optional_computed(Type::Any)),
            ])
        }
        _ => {
            let parts = VERSION.iter().map(|(name, _)| (*name, computed()));
            Block::new(parts.chain([id, ("version", computed())]))
        }
    };
    // What any object may be in has the second version of its schema.
    Schema { version: u64::from(kind == "kubernetes_resources"), block }
}

/// Reads one of them.
pub async fn read(cluster: &Cluster, kind: &str, config: &Value) -> Outcome<Value> {
    let Value::Object(entries) = config else { return unknown_kind(kind) };
    let read = match kind {
        "kubernetes_all_namespaces" => namespaces(cluster, entries).await,
        "kubernetes_nodes" => nodes(cluster, config, entries).await,
        "kubernetes_resources" => resources(cluster, config, entries).await,
        "kubernetes_server_version" => version(cluster, entries).await,
        other => return unknown_kind(other),
    };
    match read {
        Ok(entries) => Outcome::ok(Value::Object(entries)),
        Err(error) => Outcome::fail(error.diagnostic(&format!("read {kind}"))),
    }
}

fn hash(text: &str) -> Value {
    Value::string(Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

async fn namespaces(cluster: &Cluster, entries: &Entries) -> Result<Entries, KubeError> {
    let Some(kind) = find("v1", "Namespace") else { return Ok(entries.clone()) };
    let list = cluster.kube.list(kind, None, &Select::ALL).await?;
    let names: Vec<&str> = list.items.iter().filter_map(|item| item["metadata"]["name"].as_str()).collect();
    let values = names.iter().map(|name| Value::string(*name)).collect();
    Ok(entries.clone().with("namespaces", Value::list(Type::String, values)).with("id", hash(&names.concat())))
}

async fn nodes(cluster: &Cluster, config: &Value, entries: &Entries) -> Result<Entries, KubeError> {
    let Some(kind) = find("v1", "Node") else { return Ok(entries.clone()) };
    let labels = texts(block(config, "metadata").and_then(|meta| meta.get("labels")));
    let pairs = labels.as_object().into_iter().flatten();
    let selector: Vec<String> =
        pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    let selector = selector.join(",");
    let select = Select { labels: (!selector.is_empty()).then_some(&selector), fields: None };
    let list = cluster.kube.list(kind, None, &select).await?;
    let items: Vec<Json> = list.items.iter().map(node).collect();
    let all = Json::Array(items);
    let id = hash(&all.to_string());
    let value = without_nulls(&from_json_of(&all, &nodes_type(), false));
    Ok(entries.clone().with("nodes", value).with("id", id))
}

/// A node with the parts that the data source has, times as Go prints them.
fn node(item: &Json) -> Json {
    let mut status = item["status"].clone();
    for condition in status["conditions"].as_array_mut().into_iter().flatten() {
        for name in ["lastHeartbeatTime", "lastTransitionTime"] {
            if let Some(time) = condition[name].as_str() {
                condition[name] = json!(time.replacen('T', " ", 1).replacen('Z', " +0000 UTC", 1));
            }
        }
    }
    json!({ "metadata": item["metadata"], "spec": item["spec"], "status": status })
}

/// The value with nothing (an empty text, zero, false, no elements) where the API leaves something out.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Null(ty) => match ty {
            Type::String => Value::from(""),
            Type::Number => Value::int(0),
            Type::Bool => Value::Bool(false),
            Type::List(element) => Value::list((**element).clone(), Vec::new()),
            Type::Map(element) => Value::map((**element).clone(), Entries::new()),
            _ => value.clone(),
        },
        Value::List(list) => Value::list(list.element.clone(), list.items.iter().map(without_nulls).collect()),
        Value::Object(entries) => Value::Object(entries.map_values(|_, part| without_nulls(part))),
        _ => value.clone(),
    }
}

async fn resources(cluster: &Cluster, config: &Value, entries: &Entries) -> Result<Entries, KubeError> {
    let kind = cluster.kube.kind(text(config, "api_version"), text(config, "kind")).await?;
    let of = |name: &str| Some(text(config, name)).filter(|text| !text.is_empty());
    let select = Select { labels: of("label_selector"), fields: of("field_selector") };
    let namespace = kind.namespaced.then(|| of("namespace").unwrap_or("default"));
    let list = cluster.kube.list(&kind, namespace, &select).await?;
    let limit = config.get("limit").and_then(Value::as_number).and_then(|limit| limit.as_i64());
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let items = list.items.iter().take(limit.unwrap_or(usize::MAX));
    let objects = items.map(|found| whole::of_kind(found, &kind));
    Ok(entries.clone().with("objects", Value::tuple(objects.collect::<Vec<_>>())))
}

async fn version(cluster: &Cluster, entries: &Entries) -> Result<Entries, KubeError> {
    let found = cluster.kube.version().await?;
    let mut entries = entries.clone();
    for (name, field) in VERSION {
        entries = entries.with(name, Value::string(found[field].as_str().unwrap_or_default()));
    }
    let version = Value::string(found["gitVersion"].as_str().unwrap_or_default().trim_start_matches('v'));
    Ok(entries.with("version", version.clone()).with("id", version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_nothing_that_is_null() {
        let item = json!({
            "metadata": { "name": "a", "labels": { "b": "c" } },
            "status": { "conditions": [{ "type": "Ready", "lastHeartbeatTime": "2026-01-02T03:04:05Z" }] },
        });
        let value = without_nulls(&from_json_of(&json!([node(&item)]), &nodes_type(), false));
        let one = |value: &Value, name: &str| block(value, name).cloned().unwrap_or_default();
        let first = value.as_items().and_then(<[Value]>::first).cloned().unwrap_or_default();
        assert_eq!(text(&one(&first, "metadata"), "name"), "a");
        assert_eq!(one(&first, "metadata").get("annotations"), Some(&Value::map(Type::String, Entries::new())));
        let condition = one(&one(&first, "status"), "conditions");
        assert_eq!(text(&condition, "last_heartbeat_time"), "2026-01-02 03:04:05 +0000 UTC");
        assert_eq!(condition.get("message"), Some(&Value::from("")));
    }
}
