//! Stateful sets: pods with numbers, one after another, each with its claims.

use std::sync::Arc;

use serde_json::json;

use super::rollout::{delete_pod, living, new_pod};
use super::shape::{dependents, hash_of, holds, make, set_status};
use crate::client::kube::types::Json;
use crate::sandbox::store::{Key, Object, State};

const HASH: &str = "controller-revision-hash";

/// Brings a stateful set further.
pub fn reconcile(state: &mut State, set: &Object) {
    if set.is_terminating() {
        return;
    }
    let object = set.json().clone();
    let spec = &object["spec"];
    let wanted = spec["replicas"].as_i64().unwrap_or(1).max(0);
    let revision = format!("{}-{}", set.key.name, hash_of(&spec["template"]));
    let parallel = spec["podManagementPolicy"] == "Parallel";
    for number in 0..wanted {
        let name = format!("{}-{number}", set.key.name);
        claims(state, set, number);
        let Some(pod) = state.find("pods", &set.key.namespace, &name).cloned() else {
            let template = template_of(set, &name, number, &revision);
            new_pod(state, set, &template, Key::new("pods", &set.key.namespace, &name));
            if parallel { continue } else { break }
        };
        if !parallel && (pod.is_terminating() || !holds(pod.json(), "Ready")) {
            break;
        }
    }
    shrink(state, set, wanted);
    if spec["updateStrategy"]["type"] != "OnDelete" {
        update(state, set, &revision);
    }
    status(state, set, wanted, &revision);
}

/// Deletes the pods above the wanted number, the highest first.
fn shrink(state: &mut State, set: &Object, wanted: i64) {
    let mut pods = living(state, set);
    pods.retain(|pod| number_of(pod).is_some_and(|number| number >= wanted));
    for pod in pods {
        delete_pod(state, &pod.key);
    }
}

/// Replaces the pod with the highest number that is of an older revision, once the others are ready.
fn update(state: &mut State, set: &Object, revision: &str) {
    let mut pods = dependents(state, set, "pods");
    pods.sort_by_key(|pod| std::cmp::Reverse(number_of(pod)));
    for pod in pods {
        if pod.is_terminating() {
            return;
        }
        if label(&pod) != revision {
            // A pod that never became ready must not hold up its own cure.
            delete_pod(state, &pod.key);
            return;
        }
        if !holds(pod.json(), "Ready") {
            return;
        }
    }
}

fn status(state: &mut State, set: &Object, wanted: i64, revision: &str) {
    let pods = living(state, set);
    let count = |test: &dyn Fn(&Arc<Object>) -> bool| pods.iter().filter(|pod| test(pod)).count();
    let ready = count(&|pod| holds(pod.json(), "Ready"));
    let updated = count(&|pod| label(pod) == revision);
    let generation = set.json()["metadata"]["generation"].clone();
    let complete = updated as i64 == wanted && ready as i64 == wanted;
    set_status(state, &set.key, |status| {
        status["observedGeneration"] = generation;
        status["replicas"] = json!(pods.len());
        status["availableReplicas"] = json!(ready);
        for (field, value) in [("readyReplicas", ready), ("updatedReplicas", updated)] {
            status[field] = if value == 0 { Json::Null } else { json!(value) };
        }
        status["updateRevision"] = json!(revision);
        if complete || status["currentRevision"].is_null() {
            status["currentRevision"] = json!(revision);
        }
        let current = if status["currentRevision"] == revision { updated } else { pods.len() - updated };
        status["currentReplicas"] = if current == 0 { Json::Null } else { json!(current) };
        status["collisionCount"] = json!(0);
    });
}

fn label(pod: &Object) -> &str {
    pod.text("/metadata/labels/controller-revision-hash")
}

fn number_of(pod: &Object) -> Option<i64> {
    pod.key.name.rsplit('-').next()?.parse().ok()
}

fn claim_name(set: &Object, claim: &str, number: i64) -> String {
    format!("{claim}-{}-{number}", set.key.name)
}

/// Makes the claims of a pod that are not there. They outlive it.
fn claims(state: &mut State, set: &Object, number: i64) {
    let object = set.json().clone();
    for template in object["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten() {
        let name = claim_name(set, template["metadata"]["name"].as_str().unwrap_or_default(), number);
        let key = Key::new("persistentvolumeclaims", &set.key.namespace, &name);
        if state.get(&key).is_some() {
            continue;
        }
        let labels = object["spec"]["selector"]["matchLabels"].as_object().cloned().unwrap_or_default();
        let mut meta = json!({ "labels": labels, "finalizers": ["kubernetes.io/pvc-protection"] });
        if template["metadata"]["annotations"].is_object() {
            meta["annotations"] = template["metadata"]["annotations"].clone();
        }
        let mut spec = template["spec"].clone();
        if spec["storageClassName"].is_null()
            && let Some(class) = super::claims::default_class(state)
        {
            spec["storageClassName"] = json!(class);
        }
        let body = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec, "status": { "phase": "Pending" },
        });
        make(state, key, body);
    }
}

fn template_of(set: &Object, name: &str, number: i64, revision: &str) -> Json {
    let spec = &set.json()["spec"];
    let mut template = spec["template"].clone();
    let labels = &mut template["metadata"]["labels"];
    labels[HASH] = json!(revision);
    labels["statefulset.kubernetes.io/pod-name"] = json!(name);
    labels["apps.kubernetes.io/pod-index"] = json!(number.to_string());
    let pod = &mut template["spec"];
    pod["hostname"] = json!(name);
    if spec["serviceName"].is_string() {
        pod["subdomain"] = spec["serviceName"].clone();
    }
    let claims = spec["volumeClaimTemplates"].as_array().into_iter().flatten();
    let claims: Vec<Json> = claims
        .map(|claim| {
            let volume = claim["metadata"]["name"].as_str().unwrap_or_default();
            json!({ "name": volume, "persistentVolumeClaim": { "claimName": claim_name(set, volume, number) } })
        })
        .collect();
    if !claims.is_empty() {
        let mut volumes = pod["volumes"].as_array().cloned().unwrap_or_default();
        // A claim takes the place of a volume of its name.
        volumes.retain(|volume| !claims.iter().any(|claim| claim["name"] == volume["name"]));
        volumes.extend(claims);
        pod["volumes"] = Json::Array(volumes);
    }
    template
}
