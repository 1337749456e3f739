//! Small pieces of objects that several controllers write.

use serde_json::json;

use crate::client::kube::types::Json;
use crate::sandbox::store::{Key, Object, State, now};

/// Annotation of a pod (template) that makes it fail: `CrashLoopBackOff`, `ImagePullBackOff`, `Unschedulable` or `NotReady`.
pub const FAIL: &str = "sandbox.infra/fail";

/// Annotation of a pod (template): what the log of its containers says.
pub const LOG: &str = "sandbox.infra/log";

/// Changes the status of an object; stores it only when that makes a difference.
pub fn set_status(state: &mut State, key: &Key, change: impl FnOnce(&mut Json)) {
    let Some(live) = state.get(key) else { return };
    let mut object = (**live.json()).clone();
    if !object["status"].is_object() {
        object["status"] = json!({});
    }
    change(&mut object["status"]);
    if let Json::Object(status) = &mut object["status"] {
        status.retain(|_, value| !value.is_null());
    }
    if object != **live.json() {
        state.put(key.clone(), object);
    }
}

/// Sets a condition of a status; its transition time moves only with its truth.
pub fn condition(status: &mut Json, kind: &str, truth: bool, reason: &str, message: &str) {
    let word = if truth { "True" } else { "False" };
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    let Some(list) = status["conditions"].as_array_mut() else { return };
    let at = match list.iter().position(|one| one["type"] == kind) {
        Some(at) => at,
        None => {
            list.push(json!({ "type": kind }));
            list.len() - 1
        }
    };
    let one = &mut list[at];
    if one["status"] != word {
        one["status"] = json!(word);
        one["lastTransitionTime"] = json!(now());
    }
    let Json::Object(one) = one else { return };
    for (field, text) in [("reason", reason), ("message", message)] {
        if text.is_empty() {
            one.shift_remove(field);
        } else {
            one.insert(field.into(), json!(text));
        }
    }
}

/// Whether a condition of an object holds.
pub fn holds(object: &Json, kind: &str) -> bool {
    let list = object["status"]["conditions"].as_array().into_iter().flatten();
    list.into_iter().any(|one| one["type"] == kind && one["status"] == "True")
}

/// The reference by which a dependent names its controller.
pub fn owner(of: &Object) -> Json {
    let object = of.json();
    json!([{
        "apiVersion": object["apiVersion"], "kind": object["kind"], "name": &*of.key.name, "uid": of.uid,
        "controller": true, "blockOwnerDeletion": true,
    }])
}

/// The objects of a resource that name this object as their owner.
pub fn dependents(state: &State, of: &Object, resource: &str) -> Vec<std::sync::Arc<Object>> {
    let keys = state.owned_by(&of.uid).into_iter();
    keys.filter(|key| &*key.resource == resource).filter_map(|key| state.get(&key).cloned()).collect()
}

/// A short text that follows from a value: the same value, the same text.
pub fn hash_of(value: &Json) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(value.to_string().as_bytes());
    // The letters Kubernetes uses for such texts, which make no words.
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    digest.iter().take(10).map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

/// A short random text.
pub fn random() -> String {
    hash_of(&json!(uuid::Uuid::new_v4().to_string()))[..5].to_owned()
}

/// Puts a new object with its first metadata.
pub fn make(state: &mut State, key: Key, mut object: Json) {
    let meta = &mut object["metadata"];
    meta["name"] = json!(&*key.name);
    if !key.namespace.is_empty() {
        meta["namespace"] = json!(&*key.namespace);
    }
    meta["uid"] = json!(uuid::Uuid::new_v4().to_string());
    meta["creationTimestamp"] = json!(now());
    if let Some(kind) = state.kinds.by_resource(&key.resource) {
        crate::sandbox::write::fill(&kind, &mut object);
    }
    state.put(key, object);
}

/// Records an event about an object, unless the same one is there.
pub fn event(state: &mut State, about: &Object, kind: &str, reason: &str, message: &str) {
    let object = about.json();
    let namespace = if about.key.namespace.is_empty() { "default" } else { &about.key.namespace };
    let known = state.list("events", Some(namespace)).any(|event| {
        let event = event.json();
        event["involvedObject"]["uid"] == about.uid.as_str() && event["reason"] == reason && event["message"] == message
    });
    if known {
        return;
    }
    let stamp = uuid::Uuid::new_v4().simple().to_string();
    let key = Key::new("events", namespace, &format!("{}.{}", about.key.name, &stamp[..16]));
    let at = now();
    let body = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {}, "type": kind, "reason": reason, "message": message,
        "involvedObject": {
            "apiVersion": object["apiVersion"], "kind": object["kind"], "name": &*about.key.name,
            "namespace": namespace, "uid": about.uid, "resourceVersion": about.revision.to_string(),
        },
        "firstTimestamp": at, "lastTimestamp": at, "count": 1, "source": { "component": "sandbox" },
        "reportingComponent": "sandbox", "reportingInstance": "",
    });
    make(state, key, body);
}
