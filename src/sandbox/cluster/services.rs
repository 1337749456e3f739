//! Services get endpoints from the pods they select; balancers and ingresses get an address.

use serde_json::json;

use super::shape::{holds, make, owner, set_status};
use crate::client::kube::types::Json;
use crate::sandbox::api::select::matches_selector;
use crate::sandbox::store::{Key, Object, State};

/// Brings a service further.
pub fn reconcile(state: &mut State, service: &Object) {
    let object = service.json().clone();
    if service.is_terminating() {
        return;
    }
    if object["spec"]["type"] == "LoadBalancer" {
        set_status(state, &service.key, |status| status["loadBalancer"] = address());
    }
    if !object["spec"]["selector"].is_object() {
        return;
    }
    let selector = json!({ "matchLabels": object["spec"]["selector"] });
    let mut pods = Vec::new();
    for pod in state.list("pods", Some(&service.key.namespace)) {
        let pod_object = pod.json();
        if matches_selector(&selector, &pod_object["metadata"]["labels"]) && pod_object["status"]["podIP"].is_string() {
            let publish = object["spec"]["publishNotReadyAddresses"] == true;
            pods.push((pod.clone(), !pod.is_terminating() && (publish || holds(pod_object, "Ready"))));
        }
    }
    let target = |pod: &Object| json!({ "kind": "Pod", "name": &*pod.key.name, "namespace": &*pod.key.namespace, "uid": pod.uid });
    let addresses = |ready: bool| -> Vec<Json> {
        let chosen = pods.iter().filter(|(_, is_ready)| *is_ready == ready);
        chosen.map(|(pod, _)| json!({ "ip": pod.json()["status"]["podIP"], "nodeName": "sandbox", "targetRef": target(pod) })).collect()
    };
    let ports = ports(&object, pods.first().map(|(pod, _)| &**pod.json()));
    let mut subset = json!({ "ports": ports });
    for (field, list) in [("addresses", addresses(true)), ("notReadyAddresses", addresses(false))] {
        if !list.is_empty() {
            subset[field] = Json::Array(list);
        }
    }
    let subsets = if pods.is_empty() { json!([]) } else { json!([subset]) };
    let key = Key::new("endpoints", &service.key.namespace, &service.key.name);
    let labels = object["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    let body = json!({ "apiVersion": "v1", "kind": "Endpoints", "metadata": { "labels": labels }, "subsets": subsets });
    upsert(state, key, body, "subsets");
    let endpoints: Vec<Json> = pods
        .iter()
        .map(|(pod, ready)| {
            json!({
                "addresses": [pod.json()["status"]["podIP"]], "nodeName": "sandbox", "targetRef": target(pod),
                "conditions": { "ready": ready, "serving": ready, "terminating": pod.is_terminating() },
            })
        })
        .collect();
    let body = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "labels": { "kubernetes.io/service-name": &*service.key.name, "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io" },
            "ownerReferences": owner(service),
        },
        "endpoints": endpoints, "ports": ports,
    });
    let key =
        Key::new("endpointslices.discovery.k8s.io", &service.key.namespace, &format!("{}-sbox", service.key.name));
    upsert(state, key, body, "endpoints");
}

/// Gives an ingress its address.
pub fn ingress(state: &mut State, ingress: &Object) {
    if !ingress.is_terminating() {
        set_status(state, &ingress.key, |status| status["loadBalancer"] = address());
    }
}

fn address() -> Json {
    json!({ "ingress": [{ "ip": "127.0.0.1" }] })
}

/// The ports of the endpoints: numbers, names of container ports looked up in a pod.
fn ports(service: &Json, pod: Option<&Json>) -> Json {
    let named = |name: &str| {
        let containers = pod.map(|pod| &pod["spec"]["containers"]).and_then(Json::as_array).into_iter().flatten();
        let mut ports = containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
        ports.find(|port| port["name"] == name).map(|port| port["containerPort"].clone())
    };
    let list = service["spec"]["ports"].as_array().into_iter().flatten();
    let list = list.map(|port| {
        let number = match &port["targetPort"] {
            Json::String(name) => named(name).unwrap_or_else(|| port["port"].clone()),
            Json::Null => port["port"].clone(),
            number => number.clone(),
        };
        let mut one = json!({ "port": number, "protocol": port["protocol"] });
        if port["name"].is_string() {
            one["name"] = port["name"].clone();
        }
        one
    });
    Json::Array(list.collect())
}

fn upsert(state: &mut State, key: Key, body: Json, field: &str) {
    let Some(live) = state.get(&key).cloned() else {
        make(state, key, body);
        return;
    };
    let mut object = (**live.json()).clone();
    object[field] = body[field].clone();
    if body["ports"].is_array() {
        object["ports"] = body["ports"].clone();
    }
    if object != **live.json() {
        state.put(key, object);
    }
}
