//! Deletion: at once, or in steps where finalizers, grace or dependents ask for it.

use serde_json::json;

use crate::client::kube::types::{Json, Kind};
use crate::sandbox::api::answer::Refusal;
use crate::sandbox::store::{Key, Object, State, now};
use std::sync::Arc;

/// How to delete.
#[derive(Clone, Debug, Default)]
pub struct Removal {
    /// `Background` (the default), `Foreground` or `Orphan`.
    pub propagation: Option<String>,
    /// The uid the object must have.
    pub uid: Option<String>,
    /// The revision the object must have.
    pub revision: Option<String>,
    /// Answer as if it were done, but do nothing.
    pub dry_run: bool,
}

/// Deletes an object, or begins to. Gives the object where it is still there, being deleted.
///
/// # Errors
/// It does not exist, or is another than the caller believes.
pub fn remove(state: &mut State, kind: &Kind, key: &Key, removal: &Removal) -> Result<Option<Arc<Object>>, Refusal> {
    let live = state.get(key).cloned().ok_or_else(|| Refusal::not_found(kind, &key.name))?;
    if let Some(uid) = removal.uid.as_ref().filter(|uid| **uid != live.uid) {
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", live.uid);
        return Err(Refusal::conflict(kind, &key.name, &why));
    }
    if let Some(revision) = removal.revision.as_ref().filter(|revision| **revision != live.revision.to_string()) {
        let why = format!(
            "Precondition failed: ResourceVersion in precondition: {revision}, in object meta: {}",
            live.revision
        );
        return Err(Refusal::conflict(kind, &key.name, &why));
    }
    if removal.dry_run {
        return Ok(None);
    }
    let mut object = (**live.json()).clone();
    match removal.propagation.as_deref() {
        Some("Orphan") => orphan(state, &live.uid),
        Some("Foreground") if !state.owned_by(&live.uid).is_empty() => {
            let finalizers = &mut object["metadata"]["finalizers"];
            match finalizers {
                Json::Array(list) if list.iter().any(|one| one == "foregroundDeletion") => {}
                Json::Array(list) => list.push(json!("foregroundDeletion")),
                other => *other = json!(["foregroundDeletion"]),
            }
        }
        _ => {}
    }
    let held = object["metadata"]["finalizers"].as_array().is_some_and(|list| !list.is_empty());
    // Pods end in their own time, and a namespace after everything in it.
    let lingers = held || matches!(&*key.resource, "namespaces" | "pods");
    if !lingers {
        remove_now(state, key);
        return Ok(None);
    }
    if live.is_terminating() && object == **live.json() {
        return Ok(Some(live));
    }
    if object["metadata"]["deletionTimestamp"].is_null() {
        object["metadata"]["deletionTimestamp"] = json!(now());
        let grace =
            if &*key.resource == "pods" { object["spec"]["terminationGracePeriodSeconds"].clone() } else { json!(0) };
        object["metadata"]["deletionGracePeriodSeconds"] = grace;
        if object["metadata"]["generation"].is_number() {
            let generation = object["metadata"]["generation"].as_i64().unwrap_or_default();
            object["metadata"]["generation"] = json!(generation + 1);
        }
    }
    if &*key.resource == "namespaces" {
        object["status"]["phase"] = json!("Terminating");
    }
    Ok(Some(state.put(key.clone(), object)))
}

/// Removes an object at once; what it owned is left to the collector of garbage.
pub fn remove_now(state: &mut State, key: &Key) {
    let Some(gone) = state.remove(key) else { return };
    for dependent in state.owned_by(&gone.uid) {
        state.stir(dependent);
    }
}

fn orphan(state: &mut State, uid: &str) {
    for key in state.owned_by(uid) {
        let Some(dependent) = state.get(&key) else { continue };
        let mut object = (**dependent.json()).clone();
        if let Some(owners) = object["metadata"]["ownerReferences"].as_array_mut() {
            owners.retain(|owner| owner["uid"] != uid);
        }
        state.put(key, object);
    }
}
