//! What the API server and its admission plug-ins decide about new and changed objects: addresses, finalizers, first status.

use serde_json::json;

use crate::client::kube::types::{Json, Kind};
use crate::sandbox::api::answer::Refusal;
use crate::sandbox::cluster::default_class;
use crate::sandbox::store::State;

/// Fills in what the server decides. `old` is the object before.
///
/// # Errors
/// What was asked for is taken.
pub fn admit(state: &State, kind: &Kind, object: &mut Json, old: Option<&Json>) -> Result<(), Refusal> {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") => {
            let name = object["metadata"]["name"].clone();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
            if old.is_none() {
                object["spec"]["finalizers"] = json!(["kubernetes"]);
                object["status"] = json!({ "phase": "Active" });
            }
        }
        ("", "Service") => super::services::admit(state, kind, object, old)?,
        ("", "PersistentVolumeClaim") if old.is_none() => {
            finalizer(object, "kubernetes.io/pvc-protection");
            if object["spec"]["storageClassName"].is_null()
                && let Some(name) = default_class(state)
            {
                object["spec"]["storageClassName"] = json!(name);
            }
            object["status"] = json!({ "phase": "Pending" });
        }
        ("", "PersistentVolume") if old.is_none() => {
            finalizer(object, "kubernetes.io/pv-protection");
            object["status"] = json!({ "phase": "Available" });
        }
        ("", "Pod") if old.is_none() => {
            pod(state, kind, object)?;
            object["status"] = json!({ "phase": "Pending", "qosClass": quality(&object["spec"]) });
        }
        ("batch", "Job") if old.is_none() && object["spec"]["manualSelector"] != true => job(object),
        ("apps", "Deployment" | "StatefulSet" | "ReplicaSet" | "DaemonSet") if old.is_none() => {
            object["status"] = json!({});
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") if old.is_none() => {
            let versions = object["spec"]["versions"].as_array().into_iter().flatten();
            let stored: Vec<Json> =
                versions.filter(|version| version["storage"] == true).map(|version| version["name"].clone()).collect();
            finalizer(object, "customresourcecleanup.apiextensions.k8s.io");
            object["status"] =
                json!({ "conditions": [], "acceptedNames": { "plural": "", "kind": "" }, "storedVersions": stored });
        }
        _ => {}
    }
    Ok(())
}

/// Refuses a pod that refers to what is not there.
fn pod(state: &State, kind: &Kind, object: &Json) -> Result<(), Refusal> {
    let (spec, meta) = (&object["spec"], &object["metadata"]);
    let namespace = meta["namespace"].as_str().unwrap_or_default();
    let forbidden = |why: String| {
        let name = meta["name"].as_str().unwrap_or_default();
        let mut refusal = Refusal::new(403, "Forbidden", format!("{} {name:?} is forbidden: {why}", kind.resource()));
        refusal.details = json!({ "name": name, "group": kind.group, "kind": kind.plural });
        refusal
    };
    let named = |field: &str| spec[field].as_str().filter(|name| !name.is_empty());
    // The account `default` comes with its namespace, and may come a moment later.
    if let Some(name) = named("serviceAccountName").filter(|name| *name != "default")
        && state.find("serviceaccounts", namespace, name).is_none()
    {
        let why = format!("error looking up service account {namespace}/{name}: serviceaccount {name:?} not found");
        return Err(forbidden(why));
    }
    if let Some(name) = named("priorityClassName").filter(|name| !name.starts_with("system-"))
        && state.find("priorityclasses.scheduling.k8s.io", "", name).is_none()
    {
        return Err(forbidden(format!("no PriorityClass with name {name} was found")));
    }
    if let Some(name) = named("runtimeClassName")
        && state.find("runtimeclasses.node.k8s.io", "", name).is_none()
    {
        return Err(forbidden(format!("pod rejected: RuntimeClass {name:?} not found")));
    }
    Ok(())
}

fn finalizer(object: &mut Json, name: &str) {
    let list = &mut object["metadata"]["finalizers"];
    match list {
        Json::Array(list) if list.iter().any(|one| one == name) => {}
        Json::Array(list) => list.push(json!(name)),
        other => *other = json!([name]),
    }
}

fn job(object: &mut Json) {
    let uid = object["metadata"]["uid"].clone();
    let name = object["metadata"]["name"].clone();
    let spec = &mut object["spec"];
    // A selector that somebody chose stays to be refused.
    spec["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"] = uid.clone();
    let labels = &mut spec["template"]["metadata"]["labels"];
    for prefix in ["", "batch.kubernetes.io/"] {
        labels[format!("{prefix}controller-uid")] = uid.clone();
        labels[format!("{prefix}job-name")] = name.clone();
    }
}

/// The class of service a pod gets from its requests and limits.
fn quality(spec: &Json) -> &'static str {
    let containers = spec["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let limited = |container: &Json| {
        let resources = &container["resources"];
        let limits = resources["limits"].as_object();
        limits.is_some_and(|limits| limits.contains_key("cpu") && limits.contains_key("memory"))
            && (resources["requests"].is_null() || resources["requests"] == resources["limits"])
    };
    let any =
        |container: &Json| !container["resources"]["limits"].is_null() || !container["resources"]["requests"].is_null();
    if !containers.is_empty() && containers.iter().all(limited) {
        "Guaranteed"
    } else if containers.iter().any(any) {
        "Burstable"
    } else {
        "BestEffort"
    }
}
