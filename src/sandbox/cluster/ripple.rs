//! Which controllers a change concerns, and which objects are at rest.

use super::accounts::{is_token, names_account};
use crate::client::kube::types::{self, Json};
use crate::sandbox::api::select::matches_selector;
use crate::sandbox::store::{Change, ChangeKind, Key, State};

/// Resources with a controller of their own.
const CONTROLLED: [&str; 12] = [
    "namespaces",
    "pods",
    "deployments.apps",
    "replicasets.apps",
    "daemonsets.apps",
    "statefulsets.apps",
    "jobs.batch",
    "persistentvolumeclaims",
    "persistentvolumes",
    "services",
    "ingresses.networking.k8s.io",
    crate::sandbox::kinds::CRDS,
];

/// Marks the objects whose controllers have to look, after a change.
pub fn ripple(state: &mut State, change: &Change) {
    let key = &change.object.key;
    let object = change.object.json();
    let mut stirred: Vec<Key> = Vec::new();
    if change.kind == ChangeKind::Deleted {
        stirred.extend(state.owned_by(&change.object.uid));
        if !key.namespace.is_empty() {
            stirred.push(Key::new("namespaces", "", &key.namespace));
        }
    } else if CONTROLLED.contains(&&*key.resource) || object["metadata"]["deletionTimestamp"].is_string() {
        stirred.push(key.clone());
    }
    for owner in object["metadata"]["ownerReferences"].as_array().into_iter().flatten() {
        let text = |field: &str| owner[field].as_str().unwrap_or_default();
        if let Some(kind) = types::find(text("apiVersion"), text("kind")) {
            let namespace = if kind.namespaced { &*key.namespace } else { "" };
            stirred.push(Key::new(&kind.resource(), namespace, text("name")));
        }
    }
    match &*key.resource {
        "pods" => {
            let labels = &object["metadata"]["labels"];
            for service in state.list("services", Some(&key.namespace)) {
                let selector = &service.json()["spec"]["selector"];
                let all = serde_json::json!({ "matchLabels": selector });
                if selector.is_object() && matches_selector(&all, labels) {
                    stirred.push(service.key.clone());
                }
            }
            // A claim that waits to be deleted goes when its last pod is gone.
            for volume in object["spec"]["volumes"].as_array().into_iter().flatten() {
                if let Some(claim) = volume["persistentVolumeClaim"]["claimName"].as_str() {
                    stirred.push(Key::new("persistentvolumeclaims", &key.namespace, claim));
                }
            }
        }
        "serviceaccounts" => {
            let secrets = state.list("secrets", Some(&key.namespace));
            stirred.extend(
                secrets.filter(|secret| names_account(secret.json(), &key.name)).map(|secret| secret.key.clone()),
            );
        }
        "persistentvolumeclaims" | "configmaps" | "secrets" => {
            if change.kind != ChangeKind::Deleted && is_token(object) {
                stirred.push(key.clone());
            }
            let pending = state.list("pods", Some(&key.namespace)).filter(|pod| pod.unsettled);
            stirred.extend(pending.map(|pod| pod.key.clone()));
            if let Some(volume) = object["spec"]["volumeName"].as_str() {
                stirred.push(Key::new("persistentvolumes", "", volume));
            }
        }
        "persistentvolumes" | "storageclasses.storage.k8s.io" => {
            let pending = state.list("persistentvolumeclaims", None).filter(|claim| claim.unsettled);
            stirred.extend(pending.map(|claim| claim.key.clone()));
        }
        resource if change.kind == ChangeKind::Deleted && resource.contains('.') => {
            // A definition that is going waits for its last object.
            stirred.push(Key::new(crate::sandbox::kinds::CRDS, "", resource));
        }
        _ => {}
    }
    for key in stirred {
        state.stir(key);
    }
}

/// Whether nothing is left to do about an object, so that opening the store need not look at it.
pub fn settled(key: &Key, object: &Json) -> bool {
    if object["metadata"]["deletionTimestamp"].is_string() {
        return false;
    }
    let (spec, status) = (&object["spec"], &object["status"]);
    let observed = status["observedGeneration"] == object["metadata"]["generation"];
    let number = |value: &Json| value.as_i64().unwrap_or(0);
    match &*key.resource {
        "namespaces" => false,
        "pods" => super::shape::holds(object, "Ready") || status["phase"] == "Succeeded",
        "deployments.apps" => {
            let wanted = spec["replicas"].as_i64().unwrap_or(1);
            observed
                && number(&status["updatedReplicas"]) == wanted
                && number(&status["availableReplicas"]) == wanted
                && number(&status["replicas"]) == wanted
        }
        "replicasets.apps" => observed && number(&status["readyReplicas"]) == number(&spec["replicas"]),
        "statefulsets.apps" => {
            let wanted = spec["replicas"].as_i64().unwrap_or(1);
            observed
                && number(&status["readyReplicas"]) == wanted
                && number(&status["replicas"]) == wanted
                && status["currentRevision"] == status["updateRevision"]
        }
        "daemonsets.apps" => observed && number(&status["numberReady"]) == number(&status["desiredNumberScheduled"]),
        "jobs.batch" => super::shape::holds(object, "Complete") || super::shape::holds(object, "Failed"),
        "persistentvolumeclaims" => status["phase"] == "Bound",
        crate::sandbox::kinds::CRDS => super::shape::holds(object, "Established"),
        _ => true,
    }
}
