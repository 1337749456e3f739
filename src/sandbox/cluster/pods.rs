//! Pods: scheduled when their claims are bound, ready after a moment, failing when an annotation says so.

use serde_json::json;

use super::Waits;
use super::shape::{FAIL, LOG, condition, event, set_status};
use crate::client::kube::types::Json;
use crate::sandbox::store::{Key, Object, State, now};
use crate::sandbox::write::remove_now;

/// What keeps a pod from running.
enum Trouble {
    /// It cannot be placed.
    Unschedulable(String),
    /// A container waits: reason, message; and an event's reason.
    Waiting(&'static str, String, &'static str),
    /// It runs, and ends, again and again.
    Crashing,
    /// It runs and does not answer its probe.
    NotReady,
}

/// Brings a pod further.
pub fn reconcile(state: &mut State, pod: &Object, waits: &mut Waits) {
    let key = &pod.key;
    if pod.is_terminating() {
        let held = pod.json()["metadata"]["finalizers"].as_array().is_some_and(|list| !list.is_empty());
        if !held && waits.over(key, waits.timing.stop) {
            remove_now(state, key);
        }
        return;
    }
    let object = pod.json();
    if matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed")) {
        return;
    }
    let trouble = trouble(state, pod);
    if super::shape::holds(object, "Ready") && trouble.is_none() {
        return;
    }
    match trouble {
        Some(Trouble::Unschedulable(message)) => {
            event(state, pod, "Warning", "FailedScheduling", &message);
            set_status(state, key, |status| {
                status["phase"] = json!("Pending");
                condition(status, "PodScheduled", false, "Unschedulable", &message);
            });
        }
        Some(Trouble::Waiting(reason, message, about)) => {
            event(state, pod, "Warning", about, &message);
            placed(state, key);
            let containers =
                containers(object, |_| json!({ "waiting": { "reason": reason, "message": message } }), false, 0);
            unready(state, key, "Pending", containers);
        }
        Some(Trouble::Crashing) => {
            let message = "Back-off restarting failed container";
            event(state, pod, "Warning", "BackOff", message);
            placed(state, key);
            let mut containers = containers(
                object,
                |name| json!({ "waiting": { "reason": "CrashLoopBackOff", "message": format!("back-off 5m0s restarting failed container={name} pod={}", &*key.name) } }),
                false,
                4,
            );
            for container in containers.as_array_mut().into_iter().flatten() {
                container["lastState"] = json!({ "terminated": { "exitCode": 1, "reason": "Error", "startedAt": pod.json()["metadata"]["creationTimestamp"], "finishedAt": pod.json()["metadata"]["creationTimestamp"] } });
            }
            unready(state, key, "Running", containers);
        }
        Some(Trouble::NotReady) => {
            event(state, pod, "Warning", "Unhealthy", "Readiness probe failed");
            placed(state, key);
            let containers = containers(object, |_| running(object), false, 0);
            unready(state, key, "Running", containers);
        }
        None => {
            if object["spec"]["nodeName"].is_null() {
                placed(state, key);
                let containers =
                    containers(object, |_| json!({ "waiting": { "reason": "ContainerCreating" } }), false, 0);
                unready(state, key, "Pending", containers);
            }
            if waits.over(key, waits.timing.start) {
                start(state, key);
            }
        }
    }
}

/// The last lines of a pod's log.
pub fn log_of(pod: &Json) -> String {
    let annotations = &pod["metadata"]["annotations"];
    if let Some(text) = annotations[LOG].as_str() {
        return format!("{}\n", text.trim_end());
    }
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    match annotations[FAIL].as_str() {
        Some("CrashLoopBackOff") => format!("{name}: starting\n{name}: fatal: told to fail by the annotation {FAIL}\n"),
        _ => format!("{name}: started (sandbox; nothing runs)\n"),
    }
}

fn start(state: &mut State, key: &Key) {
    let Some(pod) = state.get(key).cloned() else { return };
    let object = pod.json();
    let is_job = object["metadata"]["labels"]["batch.kubernetes.io/job-name"].is_string();
    if is_job {
        let at = now();
        let done = json!({ "terminated": { "exitCode": 0, "reason": "Completed", "startedAt": at, "finishedAt": at } });
        let containers = containers(object, |_| done.clone(), false, 0);
        set_status(state, key, |status| {
            status["phase"] = json!("Succeeded");
            status["containerStatuses"] = containers;
            condition(status, "Ready", false, "PodCompleted", "");
            condition(status, "ContainersReady", false, "PodCompleted", "");
        });
        return;
    }
    let containers = containers(object, |_| running(object), true, 0);
    // Addresses follow from the uid, so that they stay the same.
    let seed = pod.uid.bytes().fold(11_u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let address = format!("10.42.{}.{}", seed / 256 % 250, seed % 250 + 2);
    set_status(state, key, |status| {
        status["phase"] = json!("Running");
        status["hostIP"] = json!("127.0.0.1");
        status["podIP"] = json!(address);
        status["podIPs"] = json!([{ "ip": address }]);
        status["startTime"] = json!(now());
        status["containerStatuses"] = containers;
        for kind in ["Initialized", "Ready", "ContainersReady", "PodScheduled"] {
            condition(status, kind, true, "", "");
        }
    });
}

fn running(pod: &Json) -> Json {
    let since = pod["status"]["startTime"].as_str().map_or_else(now, str::to_owned);
    json!({ "running": { "startedAt": since } })
}

/// Binds the pod to the sandbox's one node.
fn placed(state: &mut State, key: &Key) {
    let Some(pod) = state.get(key) else { return };
    if pod.json()["spec"]["nodeName"].is_string() {
        return;
    }
    let mut object = (**pod.json()).clone();
    object["spec"]["nodeName"] = json!("sandbox");
    condition(&mut object["status"], "PodScheduled", true, "", "");
    state.put(key.clone(), object);
}

fn unready(state: &mut State, key: &Key, phase: &str, containers: Json) {
    let names: Vec<String> = containers
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    let message = format!("containers with unready status: [{}]", names.join(" "));
    set_status(state, key, |status| {
        status["phase"] = json!(phase);
        if status["startTime"].is_null() {
            status["startTime"] = json!(now());
        }
        status["containerStatuses"] = containers;
        condition(status, "Initialized", true, "", "");
        condition(status, "Ready", false, "ContainersNotReady", &message);
        condition(status, "ContainersReady", false, "ContainersNotReady", &message);
    });
}

fn containers(pod: &Json, state: impl Fn(&str) -> Json, ready: bool, restarts: u32) -> Json {
    let list = pod["spec"]["containers"].as_array().into_iter().flatten();
    let list = list.map(|container| {
        let name = container["name"].as_str().unwrap_or_default();
        json!({
            "name": name, "image": container["image"], "imageID": "", "ready": ready, "started": ready,
            "restartCount": restarts, "state": state(name), "lastState": {},
        })
    });
    Json::Array(list.collect())
}

fn trouble(state: &State, pod: &Object) -> Option<Trouble> {
    let object = pod.json();
    let image = object["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
    let told = object["metadata"]["annotations"][FAIL].as_str().unwrap_or_default();
    match told {
        "Unschedulable" => {
            let message = "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
            return Some(Trouble::Unschedulable(message.into()));
        }
        "ImagePullBackOff" => {
            return Some(Trouble::Waiting("ImagePullBackOff", format!("Back-off pulling image {image:?}"), "Failed"));
        }
        "CrashLoopBackOff" => return Some(Trouble::Crashing),
        "NotReady" => return Some(Trouble::NotReady),
        _ => {}
    }
    for volume in object["spec"]["volumes"].as_array().into_iter().flatten() {
        if let Some(claim) = volume["persistentVolumeClaim"]["claimName"].as_str() {
            let message = match state.find("persistentvolumeclaims", &pod.key.namespace, claim) {
                None => format!("0/1 nodes are available: persistentvolumeclaim {claim:?} not found."),
                Some(found) if found.json()["status"]["phase"] != "Bound" => {
                    "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.".to_owned()
                }
                Some(_) => continue,
            };
            return Some(Trouble::Unschedulable(message));
        }
    }
    missing(state, pod)
}

/// A config map or secret that the pod needs and that is not there.
fn missing(state: &State, pod: &Object) -> Option<Trouble> {
    let object = pod.json();
    let gone = |resource: &str, source: &Json, field: &str| {
        let name = source[field].as_str()?;
        let optional = source["optional"] == true;
        let there = state.find(resource, &pod.key.namespace, name).is_some();
        (!optional && !there).then(|| format!("{} {name:?} not found", resource.trim_end_matches('s')))
    };
    for volume in object["spec"]["volumes"].as_array().into_iter().flatten() {
        let config = gone("configmaps", &volume["configMap"], "name");
        if let Some(what) = config.or_else(|| gone("secrets", &volume["secret"], "secretName")) {
            let name = volume["name"].as_str().unwrap_or_default();
            let message = format!("MountVolume.SetUp failed for volume {name:?} : {what}");
            return Some(Trouble::Waiting("ContainerCreating", message, "FailedMount"));
        }
    }
    for container in object["spec"]["containers"].as_array().into_iter().flatten() {
        let from = container["envFrom"].as_array().into_iter().flatten();
        let from = from.map(|one| (&one["configMapRef"], &one["secretRef"]));
        let keys = container["env"].as_array().into_iter().flatten();
        let keys = keys.map(|one| (&one["valueFrom"]["configMapKeyRef"], &one["valueFrom"]["secretKeyRef"]));
        for (config, secret) in from.chain(keys) {
            if let Some(what) = gone("configmaps", config, "name").or_else(|| gone("secrets", secret, "name")) {
                return Some(Trouble::Waiting("CreateContainerConfigError", what, "Failed"));
            }
        }
    }
    None
}
