//! `kubernetes_manifest`: any object, as its manifest says.

use std::time::Duration;

use base64::Engine as _;
use regex::Regex;
use serde_json::json;

use super::configured::Cluster;
use super::identity::Place;
use super::scalar::{dynamic, is_zero, json_of, same};
use super::{MANAGER, object, typed, waits};
use crate::change::Action;
use crate::client::kube::types::{Json, Kind, ListKind, Type as ApiType};
use crate::client::kube::{Apply, KubeError, Readiness, readiness};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::provider::{
    Applied, ApplyRequest, ImportRequest, Imported, Now, PlanRequest, Planned, Progress, ReadRequest, ReadResult,
};
use crate::schema::{Attribute, Block, NestedBlock, Nesting, Schema};
use crate::value::{Path, Type, Value};
use std::sync::Arc;

/// A kind that a definition has just made is looked for this long.
const DISCOVERY: Duration = Duration::from_secs(10);

/// The schema.
pub fn schema() -> Schema {
    let field_manager =
        Block::new([("name", Attribute::optional(Type::String)), ("force_conflicts", Attribute::optional(Type::Bool))]);
    let timeouts = Block::new(["create", "update", "delete"].map(|name| (name, Attribute::optional(Type::String))));
    let condition = Block::new(["type", "status"].map(|name| (name, Attribute::optional(Type::String))));
    let wait = Block::new([
        ("fields", Attribute::optional(Type::map(Type::String))),
        ("rollout", Attribute::optional(Type::Bool)),
    ])
    .with_blocks([("condition", NestedBlock::new(Nesting::List, condition))]);
    let wait_for = Type::object([("fields", Type::map(Type::String))]);
    let once = |block| NestedBlock { max: 1, ..NestedBlock::new(Nesting::List, block) };
    let block = Block::new([
        ("manifest", Attribute::required(Type::Any)),
        ("object", Attribute::optional_computed(Type::Any)),
        ("computed_fields", Attribute::optional(Type::list(Type::String))),
        ("wait_for", Attribute::optional(wait_for).deprecated("Use the `wait` block.")),
    ]);
    let block =
        block.with_blocks([("field_manager", once(field_manager)), ("timeouts", once(timeouts)), ("wait", once(wait))]);
    Schema { version: 1, block }
}

/// Says what is wrong with a configuration.
pub fn validate(config: &Value) -> Diagnostics {
    let mut said = Diagnostics::none();
    let Some(manifest) = config.get("manifest").filter(|manifest| manifest.is_known()) else { return said };
    for (field, path) in
        [("apiVersion", vec!["apiVersion"]), ("kind", vec!["kind"]), ("metadata.name", vec!["metadata", "name"])]
    {
        let found =
            path.iter().try_fold(manifest, |value, step| if value.is_known() { value.get(step) } else { Some(value) });
        let generated = manifest.get("metadata").is_some_and(|meta| !meta.is_known());
        if found.is_none_or(Value::is_null) && !generated {
            said.error("Incomplete manifest", format!("The manifest has no `{field}`."));
        }
    }
    for field in ["status"] {
        if manifest.get(field).is_some() {
            said.error(
                "Forbidden field in manifest",
                format!("`{field}` belongs to the cluster and cannot be set in a manifest."),
            );
        }
    }
    said
}

/// The planned value of a new object.
pub fn planned_new(config: &Value) -> Value {
    with_object(config, Value::unknown_not_null(Type::Any))
}

fn with_object(value: &Value, object: Value) -> Value {
    match value.bare() {
        Value::Object(entries) => Value::Object(entries.clone().with("object", object)),
        other => other.clone(),
    }
}

/// Says what an object will be.
pub async fn plan(cluster: &Cluster, request: PlanRequest) -> Outcome<Planned> {
    if request.prior.is_null() {
        let value = planned_new(&request.config);
        return Outcome::ok(Planned { value, replace: Vec::new(), private: request.private });
    }
    let manifest = request.config.get("manifest").cloned().unwrap_or_default();
    let prior = request.prior.get("manifest").cloned().unwrap_or_default();
    let same_manifest = manifest.is_wholly_known() && json_of(&manifest) == json_of(&prior);
    let held = same_manifest && {
        let object = json_of(request.prior.get("object").unwrap_or(&Value::NULL));
        let wanted = json_of(&manifest);
        let ty = type_of(cluster, &wanted).await;
        holds(&wanted, &object, &ty, &computed_fields(&request.config))
    };
    if held {
        let object = request.prior.get("object").cloned().unwrap_or_default();
        let value = with_object(&request.proposed, object);
        return Outcome::ok(Planned { value, replace: Vec::new(), private: request.private });
    }
    let value = with_object(&request.proposed, Value::unknown_not_null(Type::Any));
    let mut said = Diagnostics::none();
    let mut replace = Vec::new();
    if manifest.is_wholly_known() {
        let (old, new) = (json_of(&prior), json_of(&manifest));
        let identity = |manifest: &Json| {
            let meta = &manifest["metadata"];
            json!([manifest["apiVersion"], manifest["kind"], meta["name"], meta["namespace"]])
        };
        if identity(&old) == identity(&new) {
            said.append(try_out(cluster, &request, &new).await);
        } else {
            replace.push(Path::attribute("manifest"));
        }
    }
    Outcome { value: Some(Planned { value, replace, private: request.private }), said }
}

/// Asks the server what it thinks of a change, so that a refusal shows in the plan.
async fn try_out(cluster: &Cluster, request: &PlanRequest, manifest: &Json) -> Diagnostics {
    let Ok(kind) = kind_of(cluster, manifest, Duration::ZERO).await else { return Diagnostics::none() };
    let Some(place) = Place::of_manifest(manifest, &kind) else { return Diagnostics::none() };
    let wanted = body(manifest, &place, typed::nonce_of(&request.private).as_deref());
    let (manager, force) = field_manager(&request.config);
    let how = Apply { manager: &manager, force, dry_run: true };
    match cluster.kube.apply(&kind, &wanted, &how).await {
        Err(
            error @ (KubeError::Invalid { .. }
            | KubeError::Forbidden(_)
            | KubeError::Refused { .. }
            | KubeError::Conflict { .. }),
        ) => error.diagnostic(&format!("change {}", place.title(&kind))).into(),
        // Whatever else keeps the server from answering is said when it is asked to do it.
        _ => Diagnostics::none(),
    }
}

/// Looks at an object.
pub async fn read(cluster: &Cluster, request: &ReadRequest) -> ReadResult {
    let manifest = json_of(request.prior.get("manifest").unwrap_or(&Value::NULL));
    let kind = match kind_of(cluster, &manifest, Duration::ZERO).await {
        Ok(kind) => kind,
        // Without the definition of its kind there is no object.
        Err(KubeError::UnknownKind { .. }) => return ReadResult::Absent,
        Err(error) => return super::batch::failed(&error, "a manifest's object"),
    };
    let Some(place) = Place::of_manifest(&manifest, &kind) else { return ReadResult::Absent };
    match cluster.kube.get(&kind, place.namespace.as_deref(), &place.name).await {
        Ok(None) | Err(KubeError::UnknownKind { .. }) => ReadResult::Absent,
        Ok(Some(found)) => {
            let ty = kind.schema().cloned().map_or(ApiType::Any, ApiType::Struct);
            // Fields that are not ours may change as they like: the object in state follows only when ours do.
            let unchanged = holds(&manifest, &found, &ty, &computed_fields(&request.prior));
            let value = if unchanged && request.prior.get("object").is_some_and(|object| !object.is_null()) {
                request.prior.clone()
            } else {
                value_of(&request.prior, &found)
            };
            ReadResult::Found { value, private: request.private.clone() }
        }
        Err(error) => super::batch::failed(&error, &place.title(&kind)),
    }
}

/// Carries out a create or update.
pub async fn apply(cluster: &Cluster, request: ApplyRequest, progress: &dyn Progress) -> Applied {
    let creates = request.action == Action::Create;
    let manifest = json_of(request.config.get("manifest").unwrap_or(&Value::NULL));
    let doing = if creates { "create" } else { "change" };
    let kind = match kind_of(cluster, &manifest, DISCOVERY).await {
        Ok(kind) => kind,
        Err(error) => return Applied::failed(error.diagnostic(&format!("{doing} an object"))),
    };
    let Some(place) = Place::of_manifest(&manifest, &kind) else {
        return Applied::failed(Diagnostic::error("Incomplete manifest", "The manifest has no `metadata.name`."));
    };
    let title = place.title(&kind);
    let nonce = if creates { Some(request.nonce.clone()) } else { typed::nonce_of(&request.private) };
    if creates {
        match cluster.kube.get(&kind, place.namespace.as_deref(), &place.name).await {
            Ok(None) => {}
            Ok(Some(found)) if nonce.as_deref().is_some_and(|nonce| typed::is_marked(&found, nonce)) => {}
            Ok(Some(_)) => {
                let exists = KubeError::Exists(format!("{title} is there already"));
                return Applied::failed(exists.diagnostic(&format!("create {title}")));
            }
            Err(error) => return Applied::failed(error.diagnostic(&format!("create {title}"))),
        }
    }
    let wanted = body(&manifest, &place, nonce.as_deref());
    let (manager, force) = field_manager(&request.config);
    let how = Apply { manager: &manager, force, dry_run: false };
    let live = match cluster.kube.apply(&kind, &wanted, &how).await {
        Ok(live) => live,
        Err(error) => {
            let now = if error.is_unreachable() { Now::Unclear } else { Now::Unchanged };
            return Applied { now, said: error.diagnostic(&format!("{doing} {title}")).into() };
        }
    };
    let test = match Awaited::of(&request.config, &kind) {
        Ok(test) => test,
        Err(said) => {
            return Applied {
                now: Now::Is { value: value_of(&request.planned, &live), private: typed::noted(nonce.as_deref()) },
                said: said.into(),
            };
        }
    };
    let limit =
        waits::timeout(&request.planned, if creates { "create" } else { "update" }).unwrap_or(Duration::from_secs(600));
    let waited = waits::until(cluster, &kind, &place, live, limit, progress, &|object| test.judge(object)).await;
    let value = value_of(&request.planned, &waited.object);
    Applied { now: Now::Is { value, private: typed::noted(nonce.as_deref()) }, said: waited.said }
}

/// Deletes the object.
pub async fn delete(cluster: &Cluster, request: ApplyRequest, progress: &dyn Progress) -> Applied {
    let manifest = json_of(request.prior.get("manifest").unwrap_or(&Value::NULL));
    let kind = match kind_of(cluster, &manifest, Duration::ZERO).await {
        Ok(kind) => kind,
        Err(KubeError::UnknownKind { .. }) => return Applied::gone(),
        Err(error) => return Applied::failed(error.diagnostic("delete an object")),
    };
    let Some(place) = Place::of_manifest(&manifest, &kind) else { return Applied::gone() };
    cluster.delete(&kind, &place, None, waits::timeout(&request.prior, "delete"), progress).await
}

/// Finds an object by `apiVersion=v1,kind=ConfigMap,namespace=a,name=b`.
pub async fn import(cluster: &Cluster, request: ImportRequest) -> Outcome<Vec<Imported>> {
    let part = |name: &str| {
        let parts = request.id.split(',').filter_map(|part| part.split_once('='));
        parts.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
    };
    let (Some(api_version), Some(kind), Some(name)) = (part("apiVersion"), part("kind"), part("name")) else {
        let form = "The id to import is `apiVersion=…,kind=…,namespace=…,name=…`.";
        return Outcome::fail(Diagnostic::error("Invalid import id", form));
    };
    let mut manifest = json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name } });
    if let Some(namespace) = part("namespace") {
        manifest["metadata"]["namespace"] = json!(namespace);
    }
    let planned = Value::object([("manifest", dynamic(&manifest))]);
    match find(cluster, &planned).await {
        Err(error) => Outcome::fail(error.diagnostic("import an object")),
        Ok(None) => Outcome::fail(Diagnostic::error(
            "Cannot import what does not exist",
            format!("{} does not exist.", request.id),
        )),
        Ok(Some((found, _))) => {
            let empty = schema().block.ty();
            let blank = crate::value::from_json_typed(br#"{"field_manager":[],"timeouts":[],"wait":[]}"#, &empty)
                .unwrap_or_default();
            let value = match &blank {
                Value::Object(entries) => Value::Object(entries.clone().with("manifest", dynamic(&stripped(&found)))),
                other => other.clone(),
            };
            Outcome::ok(vec![Imported { kind: request.kind, value: value_of(&value, &found), private: Vec::new() }])
        }
    }
}

/// The object that a value's manifest names.
///
/// # Errors
/// The server did not answer, or refused.
pub async fn find(cluster: &Cluster, value: &Value) -> Result<Option<(Json, Place)>, KubeError> {
    let manifest = json_of(value.get("manifest").unwrap_or(&Value::NULL));
    let kind = match kind_of(cluster, &manifest, Duration::ZERO).await {
        Err(KubeError::UnknownKind { .. }) => return Ok(None),
        other => other?,
    };
    let Some(place) = Place::of_manifest(&manifest, &kind) else { return Ok(None) };
    let found = cluster.kube.get(&kind, place.namespace.as_deref(), &place.name).await?;
    Ok(found.map(|found| (found, place)))
}

/// The value with the object as it is.
pub fn value_of(value: &Value, found: &Json) -> Value {
    with_object(value, dynamic(&stripped(found)))
}

/// An object without what only the server writes.
fn stripped(found: &Json) -> Json {
    let mut object = found.clone();
    if let Json::Object(map) = &mut object {
        map.shift_remove("status");
        if let Some(Json::Object(meta)) = map.get_mut("metadata") {
            for field in ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"] {
                meta.shift_remove(field);
            }
            if let Some(Json::Object(annotations)) = meta.get_mut("annotations") {
                annotations.shift_remove(super::INTENT);
                if annotations.is_empty() {
                    meta.shift_remove("annotations");
                }
            }
        }
    }
    object
}

fn body(manifest: &Json, place: &Place, nonce: Option<&str>) -> Json {
    let mut body = manifest.clone();
    object::name(&mut body, place, nonce);
    body
}

async fn kind_of(cluster: &Cluster, manifest: &Json, limit: Duration) -> Result<Arc<Kind>, KubeError> {
    let text = |field: &str| manifest[field].as_str().unwrap_or_default();
    cluster.kube.kind_within(text("apiVersion"), text("kind"), limit).await
}

async fn type_of(cluster: &Cluster, manifest: &Json) -> ApiType {
    let kind = kind_of(cluster, manifest, Duration::ZERO).await;
    kind.ok().and_then(|kind| kind.schema().cloned()).map_or(ApiType::Any, ApiType::Struct)
}

fn field_manager(config: &Value) -> (String, bool) {
    let block = config.get("field_manager").and_then(Value::as_items).and_then(<[Value]>::first);
    let name = block.and_then(|block| block.get("name")).and_then(Value::as_str).filter(|name| !name.is_empty());
    let force = block.and_then(|block| block.get("force_conflicts")).and_then(Value::as_bool).unwrap_or(false);
    (name.unwrap_or(MANAGER).to_owned(), force)
}

/// Fields whose values the cluster may change at will: their differences are no drift.
fn computed_fields(config: &Value) -> Vec<String> {
    let items = config.get("computed_fields").and_then(Value::as_items).unwrap_or_default().iter();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Whether an object holds everything that a manifest asks for.
fn holds(manifest: &Json, found: &Json, ty: &ApiType, computed: &[String]) -> bool {
    let mut wanted = manifest.clone();
    if let Json::Object(map) = &mut wanted {
        // A Secret's texts come back as base64 data.
        if let Some(Json::Object(texts)) = map.shift_remove("stringData") {
            let data = map.entry("data").or_insert_with(|| json!({}));
            for (name, text) in texts {
                data[name] = json!(base64::engine::general_purpose::STANDARD.encode(text.as_str().unwrap_or_default()));
            }
        }
    }
    for path in computed {
        let steps: Vec<&str> = path.split('.').collect();
        if let Some((last, parents)) = steps.split_last() {
            let parent = parents.iter().try_fold(&mut wanted, |value, step| value.get_mut(*step));
            if let Some(Json::Object(parent)) = parent {
                parent.shift_remove(*last);
            }
        }
    }
    contains(&wanted, Some(found), ty)
}

fn contains(wanted: &Json, found: Option<&Json>, ty: &ApiType) -> bool {
    match (wanted, found, ty) {
        (Json::Null, ..) => true,
        (_, None, _) => is_zero(wanted),
        (Json::Object(wanted), Some(Json::Object(found)), _) => {
            wanted.iter().all(|(name, part)| contains(part, found.get(name), &ty.child(name)))
        }
        (Json::Array(wanted), Some(Json::Array(found)), ApiType::List(list)) => match &list.kind {
            ListKind::Map(keys) => {
                let key_of = |item: &Json| -> Vec<Json> {
                    let default = |key: &str| match &list.element {
                        ApiType::Struct(structure) => structure.field(key).and_then(|field| field.default.clone()),
                        _ => None,
                    };
                    keys.iter().map(|key| item.get(key).cloned().or_else(|| default(key)).unwrap_or_default()).collect()
                };
                wanted.iter().all(|item| {
                    let key = key_of(item);
                    contains(item, found.iter().find(|other| key_of(other) == key), &list.element)
                })
            }
            ListKind::Set => wanted.iter().all(|item| found.contains(item)),
            ListKind::Atomic => {
                wanted.len() == found.len()
                    && wanted.iter().zip(found).all(|(a, b)| contains(a, Some(b), &list.element))
            }
        },
        (Json::Array(wanted), Some(Json::Array(found)), _) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(a, b)| contains(a, Some(b), &ApiType::Any))
        }
        (wanted, found, _) => same(wanted, found, ty),
    }
}

/// What a `wait` block waits for.
struct Awaited {
    rollout: bool,
    conditions: Vec<(String, String)>,
    fields: Vec<(String, Option<Regex>)>,
}

impl Awaited {
    fn of(config: &Value, kind: &Kind) -> Result<Awaited, Diagnostic> {
        let block = config.get("wait").and_then(Value::as_items).and_then(<[Value]>::first);
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let conditions =
            block.and_then(|block| block.get("condition")).and_then(Value::as_items).unwrap_or_default().iter();
        let conditions = conditions.map(|one| (text(one.get("type")), text(one.get("status")))).collect();
        let older = config.get("wait_for").and_then(|wait| wait.get("fields"));
        let fields = block.and_then(|block| block.get("fields")).filter(|fields| !fields.is_null()).or(older);
        let mut wanted = Vec::new();
        for (path, pattern) in fields.and_then(Value::as_entries).into_iter().flatten() {
            let pattern = pattern.as_str().unwrap_or("*");
            let regex = if pattern == "*" {
                None
            } else {
                let regex = Regex::new(pattern).map_err(|error| {
                    Diagnostic::error(
                        "Invalid pattern",
                        format!("The pattern of `wait` for {path:?} cannot be read: {error}."),
                    )
                })?;
                Some(regex)
            };
            wanted.push((path.to_string(), regex));
        }
        // What a definition makes can be used only when it is established.
        let defines = kind.kind == "CustomResourceDefinition";
        let rollout = block.and_then(|block| block.get("rollout")).and_then(Value::as_bool).unwrap_or(false) || defines;
        Ok(Awaited { rollout, conditions, fields: wanted })
    }

    fn judge(&self, object: &Json) -> Readiness {
        if self.rollout {
            match readiness(object) {
                Readiness::Ready => {}
                other => return other,
            }
        }
        let list = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (kind, status) in &self.conditions {
            if !list.iter().any(|one| one["type"] == kind.as_str() && one["status"] == status.as_str()) {
                return Readiness::Waiting(format!("condition {kind} is not {status}"));
            }
        }
        for (path, pattern) in &self.fields {
            let found = at(object, path).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            let met = match (found, pattern) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(text), Some(pattern)) => pattern.is_match(&text),
            };
            if !met {
                return Readiness::Waiting(format!("field {path} is not as awaited"));
            }
        }
        Readiness::Ready
    }
}

/// `status.loadBalancer.ingress[0].ip`.
fn at<'a>(object: &'a Json, path: &str) -> Option<&'a Json> {
    let mut value = object;
    for part in path.split('.') {
        let (name, indexes) = part.split_once('[').unwrap_or((part, ""));
        if !name.is_empty() {
            value = value.get(name)?;
        }
        for index in indexes.split('[').filter(|index| !index.is_empty()) {
            let index = index.trim_end_matches(']').trim_matches(['"', '\'']);
            value = match index.parse::<usize>() {
                Ok(index) => value.get(index)?,
                Err(_) => value.get(index)?,
            };
        }
    }
    (!value.is_null()).then_some(value)
}
