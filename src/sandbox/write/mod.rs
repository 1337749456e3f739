//! Changes of objects, as the API server makes them: merged, filled in, checked, owned, stored.
//!
//! In: a verb, a body, who writes. Out: the object as it is now, or a [`Refusal`]. Not here: paths and HTTP (`api`), what controllers do
//! about it (`cluster`).

mod admit;
mod check;
mod defaults;
mod fields;
mod merge;
mod owners;
mod pods;
mod remove;
mod rules;
mod services;
mod typed;

pub use defaults::fill;
pub use owners::Writer;
pub use remove::{Removal, remove, remove_now};

use std::sync::Arc;

use serde_json::json;

use crate::client::kube::types::{Json, Kind, Type};
use crate::sandbox::api::answer::Refusal;
use crate::sandbox::kinds::CRDS;
use crate::sandbox::store::{Key, Object, State, now};

/// How strictly unknown fields are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strictness {
    /// They are dropped.
    Ignore,
    /// They are errors.
    Strict,
}

/// How a call wants to be carried out.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who writes.
    pub writer: Writer,
    /// Answer as if it were done, but do nothing.
    pub dry_run: bool,
    /// What to do about unknown fields.
    pub strictness: Strictness,
    /// Apply only: take fields from other managers.
    pub force: bool,
}

/// What a patch is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PatchKind {
    /// Server-side apply.
    Apply,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own.
    Strategic,
}

/// The object, and whether it is new.
pub type Written = (Arc<Object>, bool);

/// Makes a new object.
///
/// # Errors
/// It exists, its namespace does not, or it breaks rules.
pub fn create(
    state: &mut State,
    kind: &Kind,
    namespace: &str,
    mut body: Json,
    options: &Options,
) -> Result<Written, Refusal> {
    let meta = &mut body["metadata"];
    if !meta.is_object() {
        *meta = json!({});
    }
    if meta["name"].as_str().is_none_or(str::is_empty)
        && let Some(prefix) = meta["generateName"].as_str()
    {
        let random = uuid::Uuid::new_v4().simple().to_string();
        meta["name"] = json!(format!("{prefix}{}", &random[..5]));
    }
    let name = meta["name"].as_str().unwrap_or_default().to_owned();
    let key = key_of(kind, namespace, &name);
    if state.get(&key).is_some() {
        return Err(Refusal::exists(kind, &name));
    }
    commit(state, kind, &key, None, body, options)
}

/// Replaces an object.
///
/// # Errors
/// It does not exist, is another than the caller believes, or breaks rules.
pub fn replace(state: &mut State, kind: &Kind, key: &Key, body: Json, options: &Options) -> Result<Written, Refusal> {
    let live = state.get(key).cloned().ok_or_else(|| Refusal::not_found(kind, &key.name))?;
    commit(state, kind, key, Some(&live), body, options)
}

/// Patches an object; an apply makes it where it is missing.
///
/// # Errors
/// As for the other verbs; conflicts of ownership for an apply.
pub fn patch(
    state: &mut State,
    kind: &Kind,
    key: &Key,
    patch: PatchKind,
    mut body: Json,
    options: &Options,
) -> Result<Written, Refusal> {
    let live = state.get(key).cloned();
    let merged = match (patch, &live) {
        (PatchKind::Apply, live) => {
            typed::applicable(kind, key, &mut body)?;
            if live.is_none() && !options.writer.subresource.is_empty() {
                return Err(Refusal::not_found(kind, &key.name));
            }
            owners::apply(kind, live.as_ref().map(|live| &**live.json()), &body, &options.writer, options.force)?
        }
        (_, None) => return Err(Refusal::not_found(kind, &key.name)),
        (PatchKind::Merge, Some(live)) => {
            let mut merged = (**live.json()).clone();
            merge::json_merge(&mut merged, &body);
            merged
        }
        (PatchKind::Strategic, Some(live)) => {
            let Some(schema) = kind.schema().filter(|_| kind.type_name.is_some()) else {
                let message = "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
                return Err(Refusal::new(415, "UnsupportedMediaType", message));
            };
            let mut merged = (**live.json()).clone();
            merge::strategic(&mut merged, &body, &Type::Struct(schema.clone()));
            merged
        }
    };
    commit(state, kind, key, live.as_ref(), merged, options)
}

/// The last steps of every change: what only the server writes, defaults, checks, owners, store.
fn commit(
    state: &mut State,
    kind: &Kind,
    key: &Key,
    live: Option<&Arc<Object>>,
    mut object: Json,
    options: &Options,
) -> Result<Written, Refusal> {
    let old = live.map(|live| live.json().clone());
    let old = old.as_deref();
    named(kind, key, &mut object, live)?;
    if live.is_none() {
        housed(state, kind, key)?;
    }
    let form = check::form(kind, &mut object);
    typed::refuse_form(kind, key, &form, options)?;
    let through_status = options.writer.subresource == "status";
    keep_status(kind, &mut object, old, through_status);
    server_metadata(&mut object, old);
    defaults::fill(kind, &mut object);
    admit::admit(state, kind, &mut object, old)?;
    check::content(kind, &object, old, &form.missing, custom_schema(state, kind).as_ref())?;
    if !options.writer.applies {
        // Who changes the record of owners itself is taken at its word; who leaves it out changes nothing of it.
        if object["metadata"]["managedFields"].as_array().is_none_or(Vec::is_empty) {
            let managed = old.map(|old| old["metadata"]["managedFields"].clone()).unwrap_or_default();
            object["metadata"]["managedFields"] = managed;
        }
        owners::updated(kind, old, &mut object, &options.writer);
    }
    generation(kind, &mut object, old);
    if let (Some(old), Some(live)) = (old, live)
        && same(old, &object)
    {
        return Ok((live.clone(), false));
    }
    if options.dry_run {
        return Ok((Arc::new(Object::new(key.clone(), state.revision(), object, false)), live.is_none()));
    }
    let terminating = object["metadata"]["deletionTimestamp"].is_string();
    let finalizers = object["metadata"]["finalizers"].as_array().is_some_and(|list| !list.is_empty());
    let stored = state.put(key.clone(), object);
    if terminating && !finalizers && &*key.resource != "namespaces" && &*key.resource != "pods" {
        state.remove(key);
    }
    Ok((stored, live.is_none()))
}

/// The OpenAPI schema of a kind that a definition made.
fn custom_schema(state: &State, kind: &Kind) -> Option<Json> {
    if kind.type_name.is_some() {
        return None;
    }
    let definition = state.find(CRDS, "", &kind.resource())?.json().clone();
    let version = definition["spec"]["versions"].as_array()?.iter().find(|version| version["name"] == kind.version)?;
    Some(version["schema"]["openAPIV3Schema"].clone())
}

/// The key of an object of a kind.
pub fn key_of(kind: &Kind, namespace: &str, name: &str) -> Key {
    Key::new(&kind.resource(), if kind.namespaced { namespace } else { "" }, name)
}

/// The body must be the object the path names, and the version of it that the caller knows.
fn named(kind: &Kind, key: &Key, object: &mut Json, live: Option<&Arc<Object>>) -> Result<(), Refusal> {
    if !object.is_object() {
        return Err(Refusal::bad_request("the body must be an object"));
    }
    for (field, expected) in [("apiVersion", kind.api_version()), ("kind", kind.kind.clone())] {
        match object[field].as_str() {
            None | Some("") => object[field] = json!(expected),
            Some(found) if found == expected => {}
            Some(found) => {
                let message =
                    format!("the {field} in the data ({found}) does not match the expected {field} ({expected})");
                return Err(Refusal::bad_request(message));
            }
        }
    }
    let meta = &mut object["metadata"];
    if !meta.is_object() {
        *meta = json!({});
    }
    match meta["namespace"].as_str() {
        Some(found) if kind.namespaced && found != &*key.namespace => {
            let message = format!(
                "the namespace of the provided object does not match the namespace sent on the request ({found:?} != {:?})",
                &*key.namespace
            );
            return Err(Refusal::bad_request(message));
        }
        _ if kind.namespaced => meta["namespace"] = json!(&*key.namespace),
        _ => {
            if let Json::Object(meta) = meta {
                meta.shift_remove("namespace");
            }
        }
    }
    if live.is_some() && meta["name"].as_str().is_some_and(|name| name != &*key.name) {
        let message =
            format!("the name of the object ({}) does not match the name on the URL ({})", meta["name"], &*key.name);
        return Err(Refusal::bad_request(message));
    }
    meta["name"] = json!(&*key.name);
    let Some(live) = live else { return Ok(()) };
    let revision = meta["resourceVersion"].as_str().unwrap_or_default();
    if !revision.is_empty() && revision != "0" && revision != live.revision.to_string() {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        return Err(Refusal::conflict(kind, &key.name, why));
    }
    let uid = meta["uid"].as_str().unwrap_or_default();
    if !uid.is_empty() && uid != live.uid {
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", live.uid);
        return Err(Refusal::conflict(kind, &key.name, &why));
    }
    Ok(())
}

/// A new object needs a namespace that is there to stay.
fn housed(state: &State, kind: &Kind, key: &Key) -> Result<(), Refusal> {
    if !kind.namespaced {
        return Ok(());
    }
    let namespace = state.find("namespaces", "", &key.namespace).ok_or_else(|| {
        let mut refusal = Refusal::new(404, "NotFound", format!("namespaces {:?} not found", &*key.namespace));
        refusal.details = json!({ "name": &*key.namespace, "kind": "namespaces" });
        refusal
    })?;
    if namespace.is_terminating() {
        let (name, namespace) = (&*key.name, &*key.namespace);
        let resource = kind.resource();
        let message = format!(
            "{resource} {name:?} is forbidden: unable to create new content in namespace {namespace} because it is being terminated"
        );
        let mut refusal = Refusal::new(403, "Forbidden", message);
        refusal.details = json!({ "name": name, "kind": kind.plural, "causes": [{
            "reason": "NamespaceTerminating", "message": format!("namespace {namespace} is being terminated"),
            "field": "metadata.namespace" }] });
        return Err(refusal);
    }
    Ok(())
}

/// Where status is a subresource, the object itself cannot change it, and the subresource nothing else.
fn keep_status(kind: &Kind, object: &mut Json, old: Option<&Json>, through_status: bool) {
    if !kind.has("status") {
        return;
    }
    let Json::Object(map) = object else { return };
    if through_status {
        let Some(Json::Object(old)) = old else { return };
        let status = map.shift_remove("status");
        let managed = map.get("metadata").map(|meta| meta["managedFields"].clone()).unwrap_or_default();
        *map = old.clone();
        if !managed.is_null() {
            map["metadata"]["managedFields"] = managed;
        }
        if let Some(status) = status {
            map.insert("status".into(), status);
        }
    } else {
        match old.and_then(|old| old.get("status")) {
            Some(status) => map.insert("status".into(), status.clone()),
            None => map.shift_remove("status"),
        };
    }
}

fn server_metadata(object: &mut Json, old: Option<&Json>) {
    let meta = &mut object["metadata"];
    match old.map(|old| &old["metadata"]) {
        Some(old) => {
            let kept = ["uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"];
            for field in kept.into_iter().chain(["resourceVersion"]) {
                meta[field] = old[field].clone();
            }
        }
        None => {
            for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion", "selfLink"] {
                meta[field] = Json::Null;
            }
            meta["uid"] = json!(uuid::Uuid::new_v4().to_string());
            meta["creationTimestamp"] = json!(now());
            meta["generation"] = Json::Null;
        }
    }
}

/// `metadata.generation` counts the versions of what is wanted.
fn generation(kind: &Kind, object: &mut Json, old: Option<&Json>) {
    let counted = match kind.group.as_str() {
        "" => kind.kind == "Pod" || kind.kind == "ReplicationController",
        "rbac.authorization.k8s.io" | "storage.k8s.io" | "autoscaling" | "coordination.k8s.io" => false,
        "apps" => kind.kind != "ControllerRevision",
        _ => true,
    };
    if !counted {
        return;
    }
    let wanted = |object: &Json| {
        let fields = object.as_object().into_iter().flatten();
        let fields = fields.filter(|(name, _)| !matches!(name.as_str(), "metadata" | "status"));
        fields.map(|(name, value)| (name.clone(), value.clone())).collect::<std::collections::BTreeMap<_, _>>()
    };
    let next = match old {
        None => 1,
        Some(old) => {
            let last = old["metadata"]["generation"].as_i64().unwrap_or(1);
            if wanted(old) == wanted(object) { last } else { last + 1 }
        }
    };
    object["metadata"]["generation"] = json!(next);
}

/// Whether nothing changed but the times at which managers say they wrote.
fn same(old: &Json, new: &Json) -> bool {
    let strip = |object: &Json| {
        let mut object = object.clone();
        for entry in object["metadata"]["managedFields"].as_array_mut().into_iter().flatten() {
            entry["time"] = Json::Null;
        }
        object
    };
    old == new || strip(old) == strip(new)
}
