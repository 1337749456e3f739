//! What lost all its owners goes; what waits for its dependents goes after them.

use crate::client::kube::types::{self, Json};
use crate::sandbox::store::{Object, State};
use crate::sandbox::write::{Removal, remove, remove_now};

/// Removes an object whose owners are all gone, and ends a deletion that waited for dependents. Whether it dealt with the object.
pub fn collect(state: &mut State, object: &Object) -> bool {
    if orphaned(state, object) {
        begin(state, object);
        return true;
    }
    let json = object.json();
    let waits = |json: &Json| {
        let list = json["metadata"]["finalizers"].as_array().into_iter().flatten();
        list.into_iter().any(|one| one == "foregroundDeletion")
    };
    if !object.is_terminating() || !waits(json) {
        return false;
    }
    let dependents = state.owned_by(&object.uid);
    if dependents.is_empty() {
        let mut object_without = (**json).clone();
        if let Some(list) = object_without["metadata"]["finalizers"].as_array_mut() {
            list.retain(|one| one != "foregroundDeletion");
        }
        if object_without["metadata"]["finalizers"].as_array().is_some_and(Vec::is_empty) {
            remove_now(state, &object.key);
        } else {
            state.put(object.key.clone(), object_without);
        }
        return true;
    }
    for key in dependents {
        let Some(dependent) = state.get(&key).cloned() else { continue };
        if !dependent.is_terminating() {
            begin(state, &dependent);
        }
    }
    true
}

fn begin(state: &mut State, object: &Object) {
    if object.is_terminating() {
        return;
    }
    if let Some(kind) = state.kinds.by_resource(&object.key.resource) {
        // The object is there: it was just read under the same lock.
        let _ = remove(state, &kind, &object.key, &Removal::default());
    }
}

fn orphaned(state: &State, object: &Object) -> bool {
    if object.owners.is_empty() || object.is_terminating() {
        return false;
    }
    let json = object.json();
    let mut owners = json["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    owners.all(|owner| {
        let text = |field: &str| owner[field].as_str().unwrap_or_default();
        let known = types::find(text("apiVersion"), text("kind")).cloned();
        let Some(kind) = known.or_else(|| state.kinds.of(text("apiVersion"), text("kind"))) else { return false };
        let namespace = if kind.namespaced { &*object.key.namespace } else { "" };
        state.find(&kind.resource(), namespace, text("name")).is_none_or(|found| found.uid != text("uid"))
    })
}
