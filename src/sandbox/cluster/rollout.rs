//! Deployments make replica sets, replica sets and daemon sets make pods.

use std::sync::Arc;

use serde_json::json;

use super::shape::{condition, dependents, hash_of, holds, make, owner, random, set_status};
use crate::client::kube::types::Json;
use crate::sandbox::store::{Key, Object, State};
use crate::sandbox::write::{Removal, remove};

const REVISION: &str = "deployment.kubernetes.io/revision";

/// Brings a deployment further: a replica set for the present template, others down to nothing when it is ready.
pub fn deployment(state: &mut State, deployment: &Object) {
    let object = deployment.json().clone();
    if deployment.is_terminating() {
        return;
    }
    let wanted = object["spec"]["replicas"].as_i64().unwrap_or(1);
    let hash = hash_of(&object["spec"]["template"]);
    let name = format!("{}-{hash}", deployment.key.name);
    if object["spec"]["paused"] == true {
        // It rolls out nothing, and says that it was seen.
        let revision = object["metadata"]["annotations"][REVISION].as_str().and_then(|revision| revision.parse().ok());
        return status_of_deployment(state, deployment, &name, wanted, revision.unwrap_or(1));
    }
    let namespace = deployment.key.namespace.to_string();
    let sets = dependents(state, deployment, "replicasets.apps");
    let revision =
        |set: &Object| set.text("/metadata/annotations/deployment.kubernetes.io~1revision").parse::<i64>().unwrap_or(0);
    let latest = sets.iter().map(|set| revision(set)).max().unwrap_or(0);
    let current = sets.iter().find(|set| *set.key.name == *name).cloned();
    let number = match &current {
        Some(set) if revision(set) == latest => latest,
        _ => latest + 1,
    };
    let replicas = |set: &Object| set.json()["spec"]["replicas"].as_i64().unwrap_or(0);
    match &current {
        None => {
            let mut template = object["spec"]["template"].clone();
            template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
            let mut selector = object["spec"]["selector"].clone();
            selector["matchLabels"]["pod-template-hash"] = json!(hash);
            let body = json!({
                "apiVersion": "apps/v1", "kind": "ReplicaSet",
                "metadata": {
                    "labels": template["metadata"]["labels"], "ownerReferences": owner(deployment), "generation": 1,
                    "annotations": { REVISION: number.to_string(), "deployment.kubernetes.io/desired-replicas": wanted.to_string() },
                },
                "spec": { "replicas": wanted, "selector": selector, "template": template },
                "status": { "replicas": 0 },
            });
            make(state, Key::new("replicasets.apps", &namespace, &name), body);
        }
        Some(set) if replicas(set) != wanted || revision(set) != number => {
            let mut body = (**set.json()).clone();
            body["spec"]["replicas"] = json!(wanted);
            body["metadata"]["annotations"][REVISION] = json!(number.to_string());
            body["metadata"]["generation"] = json!(body["metadata"]["generation"].as_i64().unwrap_or(1) + 1);
            state.put(set.key.clone(), body);
        }
        Some(_) => {}
    }
    let ready = |set: &Object| set.json()["status"]["readyReplicas"].as_i64().unwrap_or(0);
    let updated_ready = current.as_ref().map_or(0, |set| ready(set)).min(wanted);
    let recreate = object["spec"]["strategy"]["type"] == "Recreate";
    for set in sets.iter().filter(|set| *set.key.name != *name && replicas(set) > 0) {
        if updated_ready >= wanted || recreate {
            let mut body = (**set.json()).clone();
            body["spec"]["replicas"] = json!(0);
            body["metadata"]["generation"] = json!(body["metadata"]["generation"].as_i64().unwrap_or(1) + 1);
            state.put(set.key.clone(), body);
        }
    }
    status_of_deployment(state, deployment, &name, wanted, number);
}

fn status_of_deployment(state: &mut State, deployment: &Object, current: &str, wanted: i64, revision: i64) {
    let sets = dependents(state, deployment, "replicasets.apps");
    let count = |sets: &[&Arc<Object>], field: &str| -> i64 {
        sets.iter().map(|set| set.json()["status"][field].as_i64().unwrap_or(0)).sum()
    };
    let all: Vec<&Arc<Object>> = sets.iter().collect();
    let new: Vec<&Arc<Object>> = sets.iter().filter(|set| *set.key.name == *current).collect();
    let (total, ready, updated) = (count(&all, "replicas"), count(&all, "readyReplicas"), count(&new, "replicas"));
    let new_ready = count(&new, "readyReplicas");
    let Some(live) = state.get(&deployment.key).cloned() else { return };
    let mut object = (**live.json()).clone();
    if object["metadata"]["annotations"][REVISION] != revision.to_string().as_str() {
        object["metadata"]["annotations"][REVISION] = json!(revision.to_string());
        state.put(deployment.key.clone(), object);
    }
    let generation = live.json()["metadata"]["generation"].clone();
    let available = ready >= wanted;
    let done = new_ready >= wanted && total == updated && updated == wanted;
    set_status(state, &deployment.key, |status| {
        status["observedGeneration"] = generation;
        for (field, value) in [
            ("replicas", total),
            ("updatedReplicas", updated),
            ("readyReplicas", ready),
            ("availableReplicas", ready),
            ("unavailableReplicas", (wanted - ready).max(0)),
        ] {
            status[field] = if value == 0 { Json::Null } else { json!(value) };
        }
        if available {
            condition(status, "Available", true, "MinimumReplicasAvailable", "Deployment has minimum availability.");
        } else {
            let message = "Deployment does not have minimum availability.";
            condition(status, "Available", false, "MinimumReplicasUnavailable", message);
        }
        if done {
            let message = format!("ReplicaSet {current:?} has successfully progressed.");
            condition(status, "Progressing", true, "NewReplicaSetAvailable", &message);
        } else {
            let message = format!("ReplicaSet {current:?} is progressing.");
            condition(status, "Progressing", true, "ReplicaSetUpdated", &message);
        }
    });
}

/// Brings a replica set further: as many pods as it wants.
pub fn replica_set(state: &mut State, set: &Object) {
    if set.is_terminating() {
        return;
    }
    let object = set.json();
    let wanted = object["spec"]["replicas"].as_i64().unwrap_or(1).max(0);
    let mut pods = living(state, set);
    while (pods.len() as i64) < wanted {
        let key = Key::new("pods", &set.key.namespace, &format!("{}-{}", set.key.name, random()));
        new_pod(state, set, &object["spec"]["template"], key.clone());
        pods.extend(state.get(&key).cloned());
    }
    // Pods that are not ready go first.
    pods.sort_by_key(|pod| !holds(pod.json(), "Ready"));
    for pod in pods.iter().skip(usize::try_from(wanted).unwrap_or(0)) {
        delete_pod(state, &pod.key);
    }
    let pods = living(state, set);
    let ready = pods.iter().filter(|pod| holds(pod.json(), "Ready")).count();
    let generation = object["metadata"]["generation"].clone();
    set_status(state, &set.key, |status| {
        status["observedGeneration"] = generation;
        status["replicas"] = json!(pods.len());
        status["fullyLabeledReplicas"] = if pods.is_empty() { Json::Null } else { json!(pods.len()) };
        for field in ["readyReplicas", "availableReplicas"] {
            status[field] = if ready == 0 { Json::Null } else { json!(ready) };
        }
    });
}

/// Brings a daemon set further: one pod on the sandbox's one node.
pub fn daemon_set(state: &mut State, set: &Object) {
    if set.is_terminating() {
        return;
    }
    let object = set.json();
    let hash = hash_of(&object["spec"]["template"]);
    let mut template = object["spec"]["template"].clone();
    template["metadata"]["labels"]["controller-revision-hash"] = json!(hash);
    let is_current = |pod: &Object| pod.text("/metadata/labels/controller-revision-hash") == hash;
    for pod in living(state, set).iter().filter(|pod| !is_current(pod)) {
        delete_pod(state, &pod.key);
    }
    if living(state, set).is_empty() {
        new_pod(state, set, &template, Key::new("pods", &set.key.namespace, &format!("{}-{}", set.key.name, random())));
    }
    let ready = living(state, set).iter().filter(|pod| holds(pod.json(), "Ready")).count();
    let generation = object["metadata"]["generation"].clone();
    set_status(state, &set.key, |status| {
        status["observedGeneration"] = generation;
        for (field, value) in [
            ("currentNumberScheduled", 1),
            ("desiredNumberScheduled", 1),
            ("numberMisscheduled", 0),
            ("updatedNumberScheduled", 1),
        ] {
            status[field] = json!(value);
        }
        status["numberReady"] = json!(ready);
        status["numberAvailable"] = if ready == 0 { Json::Null } else { json!(ready) };
        status["numberUnavailable"] = if ready == 0 { json!(1) } else { Json::Null };
    });
}

/// The pods of a workload that are not being deleted.
pub fn living(state: &State, of: &Object) -> Vec<Arc<Object>> {
    dependents(state, of, "pods").into_iter().filter(|pod| !pod.is_terminating()).collect()
}

/// Makes a pod from a template.
pub fn new_pod(state: &mut State, of: &Object, template: &Json, key: Key) {
    let mut meta = template["metadata"].clone();
    if !meta.is_object() {
        meta = json!({});
    }
    meta["ownerReferences"] = owner(of);
    meta["generateName"] = json!(format!("{}-", of.key.name));
    meta["generation"] = json!(1);
    let body = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"], "status": { "phase": "Pending", "qosClass": "Burstable" },
    });
    make(state, key, body);
}

/// Deletes a pod of a workload.
pub fn delete_pod(state: &mut State, key: &Key) {
    if let Some(kind) = state.kinds.by_resource("pods") {
        // The pod was just read under the same lock.
        let _ = remove(state, &kind, key, &Removal::default());
    }
}
