//! What the API server and its admission plug-ins decide about new and changed objects: addresses, finalizers, first status.

use serde_json::json;

use crate::client::kube::types::{Json, Kind};
use crate::sandbox::api::answer::{Cause, Refusal};
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
        ("", "Service") => service(state, kind, object, old)?,
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

fn service(state: &State, kind: &Kind, object: &mut Json, old: Option<&Json>) -> Result<(), Refusal> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    if old.is_none() {
        object["status"] = json!({ "loadBalancer": {} });
    }
    let spec = match object["spec"].as_object_mut() {
        Some(spec) if spec.get("type").is_some_and(|kind| kind != "ExternalName") => spec,
        _ => return Ok(()),
    };
    let mut causes = Vec::new();
    out_of_reach(spec, &mut causes);
    if !causes.is_empty() {
        return Err(Refusal::invalid(kind, &name, &causes));
    }
    if !spec.contains_key("clusterIP") {
        let before = old.map(|old| old["spec"]["clusterIP"].clone()).filter(|ip| !ip.is_null());
        spec.insert("clusterIP".into(), before.unwrap_or_else(|| json!(free_address(state, &uid))));
    } else if old.is_none() && spec["clusterIP"] != "None" {
        let taken = state.list("services", None).any(|other| other.json()["spec"]["clusterIP"] == spec["clusterIP"]);
        if taken {
            let cause =
                Cause::invalid("spec.clusterIPs", &json!([spec["clusterIP"]]), "provided IP is already allocated");
            return Err(Refusal::invalid(kind, &name, &[cause]));
        }
    }
    let address = spec["clusterIP"].clone();
    spec.entry("clusterIPs").or_insert_with(|| json!([address]));
    if spec["type"] == "NodePort" || spec["type"] == "LoadBalancer" {
        let mut used: Vec<i64> = node_ports(state).collect();
        let ports = spec.get_mut("ports").and_then(Json::as_array_mut).into_iter().flatten();
        for (at, port) in ports.enumerate() {
            if port["nodePort"].as_i64().is_some_and(|port| port != 0) {
                continue;
            }
            let before = old.and_then(|old| old["spec"]["ports"][at]["nodePort"].as_i64()).filter(|port| *port != 0);
            let free = before.or_else(|| (30_000..32_768).find(|port| !used.contains(port)));
            port["nodePort"] = json!(free);
            used.extend(free);
        }
    }
    Ok(())
}

/// What this cluster does not have: other addresses, other ports of nodes, IPv6.
fn out_of_reach(spec: &serde_json::Map<String, Json>, causes: &mut Vec<Cause>) {
    let part = |name: &str| spec.get(name).unwrap_or(&Json::Null);
    for (at, family) in part("ipFamilies").as_array().into_iter().flatten().enumerate() {
        if family == "IPv6" {
            causes.push(Cause::invalid(format!("spec.ipFamilies[{at}]"), family, "not configured on this cluster"));
        }
    }
    let has_node_ports = part("type") != "ClusterIP";
    for (at, port) in part("ports").as_array().into_iter().flatten().enumerate() {
        let number = &port["nodePort"];
        if has_node_ports && number.as_i64().is_some_and(|number| number != 0 && !(30_000..32_768).contains(&number)) {
            let why = "provided port is not in the valid range. The range of valid ports is 30000-32767";
            causes.push(Cause::invalid(format!("spec.ports[{at}].nodePort"), number, why));
        }
    }
    let address = part("clusterIP").as_str().and_then(|ip| ip.parse::<std::net::Ipv4Addr>().ok());
    if let Some(ip) = address.filter(|ip| ip.octets()[..2] != [10, 43]) {
        let why = format!("failed to allocate IP {ip}: the provided network does not match the current range");
        causes.push(Cause::invalid("spec.clusterIPs", &json!([ip.to_string()]), &why));
    }
}

fn node_ports(state: &State) -> impl Iterator<Item = i64> {
    let services = state.list("services", None);
    services.flat_map(|service| {
        let ports = service.json()["spec"]["ports"].as_array().cloned().unwrap_or_default();
        ports.into_iter().filter_map(|port| port["nodePort"].as_i64())
    })
}

/// An address of the service range that nobody has: one that follows from the uid, or the next free one.
fn free_address(state: &State, uid: &str) -> String {
    let taken: std::collections::HashSet<String> = state
        .list("services", None)
        .filter_map(|service| Some(service.json()["spec"]["clusterIP"].as_str()?.to_owned()))
        .collect();
    let seed = uid.bytes().fold(7_u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let addresses = (0..65_000_u32).map(|step| {
        let number = seed.wrapping_add(step) % 65_000 + 20;
        format!("10.43.{}.{}", number / 256, number % 256)
    });
    addresses.into_iter().find(|address| !taken.contains(address)).unwrap_or_default()
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
