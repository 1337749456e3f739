//! Volume claims are bound where a class or a free volume allows it; bound ones go when no pod uses them.

use serde_json::json;

use super::shape::{event, make, set_status};
use crate::client::kube::types::{Json, quantity};
use crate::sandbox::store::{Key, Object, State};
use crate::sandbox::write::remove_now;

/// Brings a claim further.
pub fn reconcile(state: &mut State, claim: &Object) {
    let object = claim.json();
    if claim.is_terminating() {
        let used = state.list("pods", Some(&claim.key.namespace)).any(|pod| uses(pod.json(), &claim.key.name));
        if !used {
            release(state, claim);
        }
        return;
    }
    if object["status"]["phase"] == "Bound" {
        expand(state, claim);
        return;
    }
    let Some(volume) = free_volume(state, object).or_else(|| provision(state, claim)) else { return };
    let Some(found) = state.find("persistentvolumes", "", &volume).cloned() else { return };
    let mut bound = (**found.json()).clone();
    bound["spec"]["claimRef"] = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": &*claim.key.name,
        "namespace": &*claim.key.namespace, "uid": claim.uid,
    });
    bound["status"]["phase"] = json!("Bound");
    let capacity = bound["spec"]["capacity"].clone();
    state.put(found.key.clone(), bound);
    let mut mine = (**object).clone();
    mine["spec"]["volumeName"] = json!(volume);
    mine["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] = json!("yes");
    mine["metadata"]["annotations"]["pv.kubernetes.io/bound-by-controller"] = json!("yes");
    mine["status"] = json!({ "phase": "Bound", "accessModes": mine["spec"]["accessModes"], "capacity": capacity });
    state.put(claim.key.clone(), mine);
}

/// Ends the deletion of a volume that nothing uses, and frees one whose claim is gone.
pub fn volume(state: &mut State, volume: &Object) {
    let object = volume.json();
    let reference = &object["spec"]["claimRef"];
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let claim = state.find("persistentvolumeclaims", text("namespace"), text("name"));
    let bound = reference.is_object() && claim.is_some_and(|claim| claim.uid == text("uid"));
    if bound {
        return;
    }
    let was_bound = object["status"]["phase"] == "Bound";
    if volume.is_terminating() || (was_bound && object["spec"]["persistentVolumeReclaimPolicy"] == "Delete") {
        remove_now(state, &volume.key);
    } else if was_bound {
        set_status(state, &volume.key, |status| status["phase"] = json!("Released"));
    }
}

/// A bound claim may ask for more.
fn expand(state: &mut State, claim: &Object) {
    let wanted = claim.json()["spec"]["resources"]["requests"]["storage"].clone();
    let has = claim.json()["status"]["capacity"]["storage"].clone();
    let (Some(wanted_text), Some(has_text)) = (wanted.as_str(), has.as_str()) else { return };
    if quantity::compare(wanted_text, has_text) == Some(std::cmp::Ordering::Greater) {
        set_status(state, &claim.key, |status| status["capacity"]["storage"] = wanted);
    }
}

fn uses(pod: &Json, claim: &str) -> bool {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    volumes.into_iter().any(|volume| volume["persistentVolumeClaim"]["claimName"] == claim)
}

fn release(state: &mut State, claim: &Object) {
    let mut object = (**claim.json()).clone();
    let list = object["metadata"]["finalizers"].as_array_mut();
    if let Some(list) = list {
        list.retain(|one| one != "kubernetes.io/pvc-protection");
        if !list.is_empty() {
            if object != **claim.json() {
                state.put(claim.key.clone(), object);
            }
            return;
        }
    }
    remove_now(state, &claim.key);
    if let Some(volume) = claim.json()["spec"]["volumeName"].as_str() {
        state.stir(Key::new("persistentvolumes", "", volume));
    }
}

/// A volume that is free and fits: class, size, access modes.
fn free_volume(state: &State, claim: &Json) -> Option<String> {
    let spec = &claim["spec"];
    let class = spec["storageClassName"].as_str().unwrap_or_default();
    let wanted = spec["resources"]["requests"]["storage"].as_str().unwrap_or("0");
    let fits = |volume: &Json| {
        let offered = &volume["spec"];
        let modes = spec["accessModes"].as_array().into_iter().flatten();
        volume["status"]["phase"] == "Available"
            && offered["claimRef"].is_null()
            && offered["storageClassName"].as_str().unwrap_or_default() == class
            && offered["capacity"]["storage"]
                .as_str()
                .is_some_and(|size| quantity::compare(size, wanted).is_some_and(std::cmp::Ordering::is_ge))
            && modes.into_iter().all(|mode| offered["accessModes"].as_array().is_some_and(|list| list.contains(mode)))
    };
    let by_name = spec["volumeName"].as_str();
    let mut volumes = state.list("persistentvolumes", None);
    let found = volumes.find(|volume| by_name.is_none_or(|name| name == &*volume.key.name) && fits(volume.json()))?;
    Some(found.key.name.to_string())
}

/// Makes a volume where the claim's class has a provisioner; says what is missing where it has none.
fn provision(state: &mut State, claim: &Object) -> Option<String> {
    let spec = claim.json()["spec"].clone();
    let class = spec["storageClassName"].as_str().unwrap_or_default().to_owned();
    if class.is_empty() {
        let message = "no persistent volumes available for this claim and no storage class is set";
        event(state, claim, "Normal", "FailedBinding", message);
        return None;
    }
    let Some(found) = state.find("storageclasses.storage.k8s.io", "", &class).cloned() else {
        let message = format!("storageclass.storage.k8s.io {class:?} not found");
        event(state, claim, "Warning", "ProvisioningFailed", &message);
        return None;
    };
    let rules = found.json();
    if rules["provisioner"] == "kubernetes.io/no-provisioner" {
        return None;
    }
    let waits = rules["volumeBindingMode"] == "WaitForFirstConsumer";
    if waits && !state.list("pods", Some(&claim.key.namespace)).any(|pod| uses(pod.json(), &claim.key.name)) {
        let message = "waiting for first consumer to be created before binding";
        event(state, claim, "Normal", "WaitForFirstConsumer", message);
        return None;
    }
    let name = format!("pvc-{}", claim.uid);
    let body = json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": { "annotations": { "pv.kubernetes.io/provisioned-by": rules["provisioner"] }, "finalizers": ["kubernetes.io/pv-protection"] },
        "spec": {
            "accessModes": spec["accessModes"], "capacity": { "storage": spec["resources"]["requests"]["storage"] },
            "hostPath": { "path": format!("/sandbox/{name}"), "type": "DirectoryOrCreate" },
            "persistentVolumeReclaimPolicy": rules["reclaimPolicy"], "storageClassName": class, "volumeMode": spec["volumeMode"],
        },
        "status": { "phase": "Available" },
    });
    make(state, Key::new("persistentvolumes", "", &name), body);
    Some(name)
}

/// The class that claims without one get.
pub fn default_class(state: &State) -> Option<String> {
    let marked =
        |class: &Json| class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true";
    let class = state.list("storageclasses.storage.k8s.io", None).find(|class| marked(class.json()))?;
    Some(class.key.name.to_string())
}
