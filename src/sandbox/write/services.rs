//! Services: addresses and ports that the server gives them, and takes back when their type changes.

use std::collections::BTreeSet;

use serde_json::{Map, json};

use crate::client::kube::types::{Json, Kind};
use crate::sandbox::api::answer::{Cause, Refusal};
use crate::sandbox::store::State;

/// Gives a service what the server allocates: addresses and ports of nodes.
///
/// # Errors
/// What is asked for is taken, or not to be had here.
pub(super) fn admit(state: &State, kind: &Kind, object: &mut Json, old: Option<&Json>) -> Result<(), Refusal> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    if old.is_none() {
        object["status"] = json!({ "loadBalancer": {} });
    }
    if let (Some(spec), Some(old)) = (object["spec"].as_object_mut(), old) {
        drop_what_its_type_had(spec, &old["spec"]);
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
fn out_of_reach(spec: &Map<String, Json>, causes: &mut Vec<Cause>) {
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

/// A service that becomes one of another type loses what only the former type had, unless the change touches that too.
fn drop_what_its_type_had(spec: &mut Map<String, Json>, old: &Json) {
    let kind = |spec: &Json| spec.as_str().unwrap_or("ClusterIP").to_owned();
    let (before, now) = (kind(&old["type"]), kind(spec.get("type").unwrap_or(&Json::Null)));
    let external = |kind: &str| matches!(kind, "NodePort" | "LoadBalancer");
    let lost = |has: &dyn Fn(&str) -> bool| has(&before) && !has(&now);
    let mut fields: Vec<&str> = Vec::new();
    if lost(&|kind| kind != "ExternalName") {
        fields.extend(["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"]);
    }
    if lost(&external) {
        fields.push("externalTrafficPolicy");
        if ports_of_nodes(&old["ports"]) == ports_of_nodes(spec.get("ports").unwrap_or(&Json::Null)) {
            for port in spec.get_mut("ports").and_then(Json::as_array_mut).into_iter().flatten() {
                port.as_object_mut().map(|port| port.shift_remove("nodePort"));
            }
        }
    }
    if lost(&|kind| kind == "LoadBalancer") {
        fields.extend(["healthCheckNodePort", "allocateLoadBalancerNodePorts", "loadBalancerClass"]);
    }
    for field in fields {
        if spec.get(field) == old.get(field) {
            spec.shift_remove(field);
        }
    }
}

fn ports_of_nodes(ports: &Json) -> BTreeSet<i64> {
    ports.as_array().into_iter().flatten().filter_map(|port| port["nodePort"].as_i64()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_former_type_had_goes() {
        let port = |node: i64| json!([{ "port": 80, "nodePort": node }]);
        for (old, new, expect) in [
            (
                json!({ "type": "NodePort", "ports": port(30_001), "externalTrafficPolicy": "Local", "clusterIP": "10.43.0.9" }),
                json!({ "type": "ClusterIP", "ports": port(30_001), "externalTrafficPolicy": "Local", "clusterIP": "10.43.0.9" }),
                json!({ "type": "ClusterIP", "ports": [{ "port": 80 }], "clusterIP": "10.43.0.9" }),
            ),
            // What the change sets itself is not ours to take away: the check refuses it.
            (
                json!({ "type": "NodePort", "ports": port(30_001), "externalTrafficPolicy": "Cluster" }),
                json!({ "type": "ClusterIP", "ports": port(30_002), "externalTrafficPolicy": "Local" }),
                json!({ "type": "ClusterIP", "ports": port(30_002), "externalTrafficPolicy": "Local" }),
            ),
            (
                json!({ "type": "LoadBalancer", "healthCheckNodePort": 30_003, "loadBalancerClass": "c" }),
                json!({ "type": "NodePort", "healthCheckNodePort": 30_003, "loadBalancerClass": "c" }),
                json!({ "type": "NodePort" }),
            ),
            (
                json!({ "clusterIP": "10.43.0.9", "clusterIPs": ["10.43.0.9"] }),
                json!({ "type": "ExternalName", "clusterIP": "10.43.0.9", "clusterIPs": ["10.43.0.9"] }),
                json!({ "type": "ExternalName" }),
            ),
        ] {
            let mut spec = new.as_object().cloned().unwrap_or_default();
            drop_what_its_type_had(&mut spec, &old);
            assert_eq!(Json::Object(spec), expect);
        }
    }
}
