//! Namespaces begin with a service account and end when they are empty; definitions of custom resources become established.

use serde_json::json;

use super::shape::{condition, make, set_status};
use crate::sandbox::store::{Key, Object, State};
use crate::sandbox::write::{Removal, remove, remove_now};

/// Brings a namespace further.
pub fn reconcile(state: &mut State, namespace: &Object) {
    let name = namespace.key.name.clone();
    if !namespace.is_terminating() {
        begin(state, &name);
        return;
    }
    let inside: Vec<Key> =
        state.all().filter(|object| object.key.namespace == name).map(|object| object.key.clone()).collect();
    // What others wait for goes last: pods hold their claims.
    for key in &inside {
        let terminating = state.get(key).is_none_or(|object| object.is_terminating());
        if let Some(kind) = state.kinds.by_resource(&key.resource).filter(|_| !terminating) {
            let _ = remove(state, &kind, key, &Removal::default());
        } else if state.kinds.by_resource(&key.resource).is_none() {
            remove_now(state, key);
        }
    }
    let finalizers = namespace.json()["metadata"]["finalizers"].as_array().is_some_and(|list| !list.is_empty());
    if state.all().any(|object| object.key.namespace == name) || finalizers {
        return;
    }
    remove_now(state, &namespace.key);
}

fn begin(state: &mut State, name: &str) {
    if state.find("serviceaccounts", name, "default").is_none() {
        make(
            state,
            Key::new("serviceaccounts", name, "default"),
            json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {} }),
        );
    }
    if state.find("configmaps", name, "kube-root-ca.crt").is_none() {
        let body = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "annotations": { "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver; the sandbox has none." } },
            "data": { "ca.crt": "" },
        });
        make(state, Key::new("configmaps", name, "kube-root-ca.crt"), body);
    }
}

/// Brings a definition of custom resources further; once established, its kinds are served. With the definition go its objects.
pub fn definition(state: &mut State, definition: &Object) {
    if definition.is_terminating() {
        return undefine(state, definition);
    }
    let names = definition.json()["spec"]["names"].clone();
    set_status(state, &definition.key, |status| {
        condition(status, "NamesAccepted", true, "NoConflicts", "no conflicts found");
        condition(status, "Established", true, "InitialNamesAccepted", "the initial names have been accepted");
        status["acceptedNames"] = names;
    });
}

fn undefine(state: &mut State, definition: &Object) {
    let resource = definition.key.name.to_string();
    let objects: Vec<Key> = state.list(&resource, None).map(|object| object.key.clone()).collect();
    let Some(kind) = state.kinds.by_resource(&resource).filter(|_| !objects.is_empty()) else {
        remove_now(state, &definition.key);
        return;
    };
    for key in objects {
        if state.get(&key).is_some_and(|object| !object.is_terminating()) {
            let _ = remove(state, &kind, &key, &Removal::default());
        }
    }
    if state.list(&resource, None).next().is_none() {
        remove_now(state, &definition.key);
    }
}
