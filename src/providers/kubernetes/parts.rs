//! Parts of objects that others made: labels, annotations, environment variables, keys of data, taints. Ours are the fields that we own
//! under server-side apply, with the field manager that the configuration names; all else is left as it is.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::configured::Cluster;
use super::identity::Place;
use super::scalar::{from_json_of, is_zero, to_json_of};
use super::special::{block, text, texts};
use super::table::{Field, Fields, What, table};
use crate::change::Action;
use crate::client::kube::types::{Json, Kind, Type as ApiType, find};
use crate::client::kube::{Apply, KubeError};
use crate::diag::Diagnostic;
use crate::provider::{Applied, ApplyRequest, Now, ReadRequest, ReadResult};
use crate::value::{Entries, Type, Value};

/// The resource type of taints.
pub const NODE_TAINT: &str = "kubernetes_node_taint";

/// What is a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Labels of any object.
    Labels,
    /// Annotations of any object, and of its template.
    Annotations,
    /// Environment variables of a container.
    Env,
    /// Keys of a ConfigMap.
    ConfigMapData,
    /// Keys of a Secret.
    SecretData,
    /// Taints of a node.
    NodeTaint,
}

impl Part {
    /// The part that a resource type is.
    pub fn named(kind: &str) -> Option<Part> {
        match kind {
            "kubernetes_labels" => Some(Part::Labels),
            "kubernetes_annotations" => Some(Part::Annotations),
            "kubernetes_env" => Some(Part::Env),
            "kubernetes_config_map_v1_data" => Some(Part::ConfigMapData),
            "kubernetes_secret_v1_data" => Some(Part::SecretData),
            NODE_TAINT => Some(Part::NodeTaint),
            _ => None,
        }
    }

    /// The `apiVersion` and kind of the object.
    fn object(self, value: &Value) -> (&str, &str) {
        match self {
            Part::Labels | Part::Annotations | Part::Env => (text(value, "api_version"), text(value, "kind")),
            Part::ConfigMapData => ("v1", "ConfigMap"),
            Part::SecretData => ("v1", "Secret"),
            Part::NodeTaint => ("v1", "Node"),
        }
    }

    /// The maps that are ours: the attribute, and where the field is in the object.
    fn maps(self, kind: &str) -> Vec<(&'static str, Vec<&'static str>)> {
        let template = match kind {
            "CronJob" => vec!["spec", "jobTemplate", "spec", "template", "metadata", "annotations"],
            _ => vec!["spec", "template", "metadata", "annotations"],
        };
        match self {
            Part::Labels => vec![("labels", vec!["metadata", "labels"])],
            Part::Annotations => {
                vec![("annotations", vec!["metadata", "annotations"]), ("template_annotations", template)]
            }
            Part::ConfigMapData | Part::SecretData => vec![("data", vec!["data"])],
            Part::Env | Part::NodeTaint => Vec::new(),
        }
    }
}

/// The object that has the part.
struct Owner {
    kind: Arc<Kind>,
    place: Place,
}

async fn owner(cluster: &Cluster, part: Part, value: &Value) -> Result<Option<Owner>, KubeError> {
    let (api_version, kind) = part.object(value);
    let kind = match find(api_version, kind) {
        Some(known) => known.clone(),
        None => cluster.kube.kind(api_version, kind).await?,
    };
    Ok(Place::of_block(value, &kind).map(|place| Owner { kind, place }))
}

/// The body of the apply: what is wanted of the part, or nothing of it.
fn body(part: Part, owner: &Owner, value: &Value, gone: bool) -> Json {
    let mut body = json!({
        "apiVersion": owner.kind.api_version(),
        "kind": owner.kind.kind,
        "metadata": { "name": owner.place.name },
    });
    if let Some(namespace) = &owner.place.namespace {
        body["metadata"]["namespace"] = json!(namespace);
    }
    for (attribute, path) in part.maps(&owner.kind.kind) {
        let Some(written) = value.get(attribute).filter(|map| !map.is_null()) else { continue };
        let mut map = if gone { json!({}) } else { texts(Some(written)) };
        if part == Part::SecretData {
            let encode = |text: &mut Json| *text = json!(STANDARD.encode(text.as_str().unwrap_or_default()));
            map.as_object_mut().into_iter().flat_map(|map| map.values_mut()).for_each(encode);
        }
        put(&mut body, &path, map);
    }
    match part {
        Part::Env => {
            let (field, container) = container(value);
            let env = if gone { json!([]) } else { listed("kubernetes_env", "env", &env_type(), value) };
            put(&mut body, &template_of(&owner.kind.kind), json!({ field: [{ "name": container, "env": env }] }));
        }
        Part::NodeTaint => {
            let taints = if gone { json!([]) } else { listed(NODE_TAINT, "taint", &taint_type(), value) };
            body["spec"] = json!({ "taints": taints });
        }
        Part::Labels | Part::Annotations | Part::ConfigMapData | Part::SecretData => {}
    }
    body
}

fn put(object: &mut Json, path: &[&str], value: Json) {
    let place = path.iter().fold(object, |object, step| &mut object[*step]);
    *place = value;
}

fn template_of(kind: &str) -> Vec<&'static str> {
    match kind {
        "CronJob" => vec!["spec", "jobTemplate", "spec", "template", "spec"],
        "Pod" => vec!["spec"],
        _ => vec!["spec", "template", "spec"],
    }
}

/// The list of containers, and the name of the one that is meant.
fn container(value: &Value) -> (&'static str, &str) {
    match text(value, "init_container") {
        "" => ("containers", text(value, "container")),
        name => ("initContainers", name),
    }
}

/// The type of a field of the table, at a path through structs and lists.
fn type_at(kind: &str, path: &[&str]) -> ApiType {
    let ty = find("v1", kind).and_then(|kind| kind.schema()).cloned().map_or(ApiType::Any, ApiType::Struct);
    path.iter().fold(ty, |ty, step| match ty.child(step) {
        ApiType::List(list) => list.element.clone(),
        other => other,
    })
}

fn env_type() -> ApiType {
    type_at("Pod", &["spec", "containers", "env"])
}

fn taint_type() -> ApiType {
    type_at("Node", &["spec", "taints"])
}

/// A list of blocks as the API has it.
fn listed(kind: &str, name: &str, api: &ApiType, value: &Value) -> Json {
    let Some(fields) = fields_of(kind, name) else { return json!([]) };
    let items = value.get(name).and_then(Value::as_items).unwrap_or_default();
    items.iter().map(|item| written(fields, item, api)).collect()
}

fn fields_of(kind: &str, name: &str) -> Option<&'static Arc<Fields>> {
    match &table().special.get(kind)?.fields.entry(name)?.what {
        What::Block { fields, .. } => Some(fields),
        What::Attribute { .. } => None,
    }
}

fn written(fields: &Fields, value: &Value, api: &ApiType) -> Json {
    let mut object = json!({});
    for entry in &fields.entries {
        let (Some(Field::Named(field)), Some(part)) = (&entry.field, value.get(entry.name)) else { continue };
        let api = api.child(field);
        match &entry.what {
            What::Attribute { octal, .. } => {
                let json = to_json_of(part, &api, *octal);
                if !json.is_null() {
                    object[field] = json;
                }
            }
            What::Block { fields, .. } => {
                for item in part.as_items().unwrap_or_default().iter().take(1) {
                    object[field] = written(fields, item, &api);
                }
            }
        }
    }
    object
}

/// A block from the API. What is not there stays as the configuration has it, when that says nothing too.
fn read_block(fields: &Fields, object: &Json, hint: Option<&Value>) -> Value {
    let parts = fields.entries.iter().map(|entry| {
        let hint = hint.and_then(|hint| hint.get(entry.name));
        let found = match &entry.field {
            Some(Field::Named(field)) => &object[field],
            Some(Field::Flat) | None => &Json::Null,
        };
        let value = match &entry.what {
            What::Attribute { attribute, octal, .. } => match hint {
                Some(hint) if found.is_null() && is_zero(&to_json_of(hint, &ApiType::Any, *octal)) => hint.clone(),
                _ => from_json_of(found, &attribute.ty, *octal),
            },
            What::Block { fields, .. } => {
                let hint = hint.and_then(Value::as_items).and_then(<[Value]>::first);
                let one = (!found.is_null()).then(|| read_block(fields, found, hint));
                Value::list(fields.ty(), one.into_iter().collect())
            }
        };
        (entry.name.into(), value)
    });
    Value::Object(parts.collect())
}

/// The fields that a manager owns, merged from all of its entries.
fn managed<'j>(object: &'j Json, manager: &'j str) -> impl Iterator<Item = &'j Json> {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    entries.filter(move |entry| entry["manager"] == manager).map(|entry| &entry["fieldsV1"])
}

/// The value with the part as the object has it: what we own, and what is configured.
fn seen(part: Part, value: &Value, object: &Json, kind: &str) -> Value {
    let Value::Object(entries) = value else { return value.clone() };
    let manager = text(value, "field_manager");
    let mut entries = entries.clone();
    for (attribute, path) in part.maps(kind) {
        let wanted = value.get(attribute).cloned().unwrap_or_default();
        let found = path.iter().try_fold(object, |object, step| object.get(*step)).and_then(Json::as_object);
        let owns = |key: &str| {
            managed(object, manager).any(|fields| {
                let map = path.iter().try_fold(fields, |fields, step| fields.get(format!("f:{step}")));
                map.is_some_and(|map| map.get(format!("f:{key}")).is_some())
            })
        };
        let ours = found.into_iter().flatten().filter(|(key, _)| wanted.get(key).is_some() || owns(key));
        let read: Entries = ours
            .map(|(key, text)| {
                let text = text.as_str().unwrap_or_default();
                let text = match part {
                    Part::SecretData => {
                        let bytes = STANDARD.decode(text).unwrap_or_default();
                        String::from_utf8_lossy(&bytes).into_owned()
                    }
                    _ => text.to_owned(),
                };
                (key.as_str().into(), Value::string(text))
            })
            .collect();
        let nothing = read.is_empty() && wanted.is_null();
        let map = if nothing { Value::Null(Type::map(Type::String)) } else { Value::map(Type::String, read) };
        entries = entries.with(attribute, map);
    }
    let list = match part {
        Part::Env => listed_env(value, object, kind, manager).map(|list| ("env", list)),
        Part::NodeTaint => {
            let taints = object["spec"]["taints"].as_array().cloned().unwrap_or_default();
            fields_of(NODE_TAINT, "taint").map(|fields| {
                let items = taints.iter().map(|one| read_block(fields, one, None)).map(with_text_value);
                ("taint", Value::list(fields.ty(), items.collect()))
            })
        }
        Part::Labels | Part::Annotations | Part::ConfigMapData | Part::SecretData => None,
    };
    match list {
        Some((name, list)) => Value::Object(entries.with(name, list)),
        None => Value::Object(entries),
    }
}

/// A taint without a value has an empty one in state: the schema asks for one.
fn with_text_value(taint: Value) -> Value {
    match &taint {
        Value::Object(entries) if taint.get("value").is_some_and(Value::is_null) => {
            Value::Object(entries.clone().with("value", Value::from("")))
        }
        _ => taint,
    }
}

fn listed_env(value: &Value, object: &Json, kind: &str, manager: &str) -> Option<Value> {
    let fields = fields_of("kubernetes_env", "env")?;
    let (field, name) = container(value);
    let path = template_of(kind);
    let spec = path.iter().try_fold(object, |object, step| object.get(*step));
    let containers = spec.and_then(|spec| spec[field].as_array()).into_iter().flatten();
    let env = containers.filter(|one| one["name"] == name).flat_map(|one| one["env"].as_array()).flatten();
    let hints = value.get("env").and_then(Value::as_items).unwrap_or_default();
    let hint = |name: &str| hints.iter().find(|hint| text(hint, "name") == name);
    let owns = |variable: &str| {
        let of_container = json!({ "name": name }).to_string();
        let of_variable = json!({ "name": variable }).to_string();
        managed(object, manager).any(|fields| {
            let spec = path.iter().try_fold(fields, |fields, step| fields.get(format!("f:{step}")));
            let env = spec.map(|spec| &spec[format!("f:{field}")][format!("k:{of_container}")]["f:env"]);
            env.is_some_and(|env| env.get(format!("k:{of_variable}")).is_some())
        })
    };
    let ours = env.filter_map(|one| {
        let variable = one["name"].as_str()?;
        let hint = hint(variable);
        (hint.is_some() || owns(variable)).then(|| read_block(fields, one, hint))
    });
    Some(Value::list(fields.ty(), ours.collect()))
}

/// The id in state.
fn id(part: Part, owner: &Owner, value: &Value) -> String {
    match part {
        Part::ConfigMapData | Part::SecretData => owner.place.id(),
        Part::NodeTaint => {
            let taints = value.get("taint").and_then(Value::as_items).unwrap_or_default().iter();
            let taints =
                taints.map(|one| format!(",{}={}:{}", text(one, "key"), text(one, "value"), text(one, "effect")));
            owner.place.name.clone() + &taints.collect::<String>()
        }
        Part::Labels | Part::Annotations | Part::Env => {
            let (api_version, kind) = part.object(value);
            let meta = block(value, "metadata");
            let namespace = meta.map(|meta| text(meta, "namespace")).filter(|text| !text.is_empty());
            let namespace = namespace.map(|namespace| format!("namespace={namespace},")).unwrap_or_default();
            format!("apiVersion={api_version},kind={kind},{namespace}name={}", owner.place.name)
        }
    }
}

/// Looks at a part.
pub async fn read(cluster: &Cluster, part: Part, request: &ReadRequest) -> ReadResult {
    let as_it_was = || ReadResult::Found { value: request.prior.clone(), private: request.private.clone() };
    let owner = match owner(cluster, part, &request.prior).await {
        Ok(Some(owner)) => owner,
        Ok(None) | Err(KubeError::UnknownKind { .. }) => return as_it_was(),
        Err(error) => return super::batch::failed(&error, "an object"),
    };
    match cluster.kube.get(&owner.kind, owner.place.namespace.as_deref(), &owner.place.name).await {
        Ok(Some(found)) => {
            let value = seen(part, &request.prior, &found, &owner.kind.kind);
            let no_taints =
                part == Part::NodeTaint && value.get("taint").and_then(Value::as_items).is_none_or(<[Value]>::is_empty);
            if no_taints {
                return ReadResult::Absent;
            }
            ReadResult::Found { value, private: request.private.clone() }
        }
        // The part comes back with the object, and goes with its block: it is not made by itself.
        Ok(None) | Err(KubeError::UnknownKind { .. }) => as_it_was(),
        Err(error) => super::batch::failed(&error, &owner.place.title(&owner.kind)),
    }
}

/// Writes a part, or takes it out.
pub async fn apply(cluster: &Cluster, part: Part, request: ApplyRequest) -> Applied {
    let gone = request.action == Action::Delete;
    let value = if gone { &request.prior } else { &request.planned };
    let owner = match owner(cluster, part, value).await {
        Ok(Some(owner)) => owner,
        Ok(None) | Err(KubeError::UnknownKind { .. }) if gone => return Applied::gone(),
        Ok(None) => return Applied::failed(Diagnostic::error("Missing name", "`metadata` needs a `name`.")),
        Err(error) => return Applied::failed(error.diagnostic("find the kind of the object")),
    };
    let title = owner.place.title(&owner.kind);
    match cluster.kube.get(&owner.kind, owner.place.namespace.as_deref(), &owner.place.name).await {
        Ok(Some(_)) => {}
        // It went with the object.
        Ok(None) if gone => return Applied::gone(),
        Ok(None) => {
            let summary = format!("The {} {:?} does not exist", owner.kind.kind, owner.place.name);
            let detail = format!("{} changes an object that is there. Create {title} first.", request.kind);
            return Applied::failed(Diagnostic::error(summary, detail));
        }
        Err(error) => return Applied::failed(error.diagnostic(&format!("read {title}"))),
    }
    let manager = text(value, "field_manager");
    let force = value.get("force").and_then(Value::as_bool).unwrap_or(false);
    let how = Apply { manager, force, dry_run: false };
    match cluster.kube.apply(&owner.kind, &body(part, &owner, value, gone), &how).await {
        Ok(_) if gone => Applied::gone(),
        Ok(live) => {
            let read = match seen(part, value, &live, &owner.kind.kind) {
                Value::Object(entries) => {
                    let id = id(part, &owner, value);
                    Value::Object(entries.with("id", Value::string(id)))
                }
                other => other,
            };
            Applied::is(read)
        }
        Err(KubeError::Conflict { message, .. }) => {
            let detail = format!(
                "Another client is managing a field Terraform tried to update. Set \"force\" to true to override: {message}"
            );
            Applied::failed(Diagnostic::error("Field manager conflict", detail))
        }
        Err(error) => {
            let now = if error.is_unreachable() { Now::Unclear } else { Now::Unchanged };
            Applied { now, said: error.diagnostic(&format!("change {title}")).into() }
        }
    }
}
