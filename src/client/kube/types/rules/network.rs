//! Rules of services, ingresses, network policies and role bindings.

use serde_json::json;

use super::super::Json;
use super::{FieldErrors, formats, is_set, items, join, text};

/// The spec of a service.
pub fn service(spec: &Json, path: &str, out: &mut FieldErrors) {
    let kind = text(&spec["type"]);
    if kind == "ExternalName"
        && let Some(why) = spec["externalName"]
            .as_str()
            .filter(|name| !name.is_empty())
            .and_then(|name| formats::subdomain(name.strip_suffix('.').unwrap_or(name)))
    {
        out.invalid(join(path, "externalName"), &spec["externalName"], &why);
    }
    for (at, port) in items(&spec["ports"]).iter().enumerate() {
        if kind == "ClusterIP" && port["nodePort"].as_i64().is_some_and(|number| number != 0) {
            let field = format!("{}[{at}].nodePort", join(path, "ports"));
            out.forbidden(field, "may not be used when `type` is 'ClusterIP'");
        }
    }
    let first = join(path, "clusterIPs[0]");
    match spec["clusterIP"].as_str() {
        None | Some("") => {}
        Some("None") => {
            if matches!(kind, "LoadBalancer" | "NodePort") {
                out.invalid(first, &spec["clusterIP"], &format!("may not be set to 'None' for {kind} services"));
            }
        }
        Some(address) => {
            if let Some(why) = formats::ip(address) {
                out.invalid(first, &spec["clusterIP"], &why);
            }
        }
    }
    let policy = &spec["externalTrafficPolicy"];
    if is_set(policy) && matches!(kind, "ClusterIP" | "ExternalName") && !is_set(&spec["externalIPs"]) {
        let why = "may only be set for externally-accessible services";
        out.invalid(join(path, "externalTrafficPolicy"), policy, why);
    }
    for (at, range) in items(&spec["loadBalancerSourceRanges"]).iter().enumerate() {
        if let Some(why) = range.as_str().and_then(|range| formats::cidr(range.trim())) {
            // The server spells the field so.
            out.invalid(format!("{}[{at}]", join(path, "LoadBalancerSourceRanges")), range, &why);
        }
    }
    if is_set(&spec["loadBalancerClass"]) && !matches!(kind, "LoadBalancer" | "") {
        out.forbidden(join(path, "loadBalancerClass"), "may only be used when `type` is 'LoadBalancer'");
    }
}

/// A backend of an ingress.
pub fn backend(backend: &Json, path: &str, out: &mut FieldErrors) {
    let service = &backend["service"];
    if !service.is_null() && !backend["resource"].is_null() {
        out.invalid(path, &json!(""), "cannot set both resource and service backends");
    }
    if service.is_null() {
        return;
    }
    match (is_set(&service["port"]["name"]), service["port"]["number"].as_i64().unwrap_or(0)) {
        (true, number) if number != 0 => out.invalid(path, &json!(""), "cannot set both port name & port number"),
        (false, 0) => out.required(path, "port name or number is required"),
        (true, _) => {
            if let Some(why) = service["port"]["name"].as_str().and_then(formats::port_name) {
                out.invalid(join(path, "service.port.name"), &service["port"]["name"], &why);
            }
        }
        (false, number) => {
            if !(1..=65_535).contains(&number) {
                let why = "must be between 1 and 65535, inclusive";
                out.invalid(join(path, "service.port.number"), &service["port"]["number"], why);
            }
        }
    }
}

/// One peer of a network policy.
pub fn peer(peer: &Json, path: &str, out: &mut FieldErrors) {
    let block = &peer["ipBlock"];
    if block.is_null() {
        return;
    }
    if !peer["podSelector"].is_null() || !peer["namespaceSelector"].is_null() {
        out.forbidden(path, "may not specify both ipBlock and another peer");
    }
    let Some((address, length)) = formats::range_of(text(&block["cidr"])) else { return };
    for (at, except) in items(&block["except"]).iter().enumerate() {
        let Some((inner, inner_length)) = formats::range_of(text(except)) else { continue };
        let is_inside = prefix(address, length).is_some_and(|outer| prefix(inner, length) == Some(outer));
        if !is_inside || inner_length <= length {
            out.invalid(format!("{}[{at}]", join(path, "ipBlock.except")), except, "must be a strict subset of `cidr`");
        }
    }
}

/// The family of an address, and its first bits.
fn prefix(address: std::net::IpAddr, length: u8) -> Option<(bool, u128)> {
    let (bits, width) = match address {
        std::net::IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        std::net::IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let dropped = u32::from(width - length.min(width));
    Some((address.is_ipv4(), bits.checked_shr(dropped).unwrap_or(0)))
}

/// One port of a network policy.
pub fn policy_port(port: &Json, path: &str, out: &mut FieldErrors) {
    let end = &port["endPort"];
    if end.is_null() {
        return;
    }
    match &port["port"] {
        Json::Null => out.required(join(path, "port"), "must be specified when `endPort` is specified"),
        Json::Number(first) => {
            if first.as_i64() > end.as_i64() {
                // The server shows the port here, and not its end.
                out.invalid(join(path, "endPort"), &port["port"], "must be greater than or equal to `port`");
            }
        }
        _ => {
            let why = "may not be specified when `port` is non-numeric";
            out.invalid(join(path, "endPort"), end, why);
        }
    }
}

/// One rule of a role.
pub fn rule(rule: &Json, path: &str, out: &mut FieldErrors) {
    if !is_set(&rule["verbs"]) {
        out.required(join(path, "verbs"), "verbs must contain at least one value");
    }
    if is_set(&rule["nonResourceURLs"]) {
        if is_set(&rule["apiGroups"]) || is_set(&rule["resources"]) {
            let why = "rules cannot apply to both regular resources and non-resource URLs";
            out.invalid(join(path, "nonResourceURLs"), &rule["nonResourceURLs"], why);
        }
        return;
    }
    if !is_set(&rule["apiGroups"]) {
        out.required(join(path, "apiGroups"), "resource rules must supply at least one api group");
    }
    if !is_set(&rule["resources"]) {
        out.required(join(path, "resources"), "resource rules must supply at least one resource");
    }
}

/// One subject of a binding.
#[expect(clippy::collapsible_match, reason = "the last arm is for what no other names, not for what is right")]
pub fn subject(subject: &Json, path: &str, out: &mut FieldErrors) {
    let group = &subject["apiGroup"];
    match text(&subject["kind"]) {
        "ServiceAccount" => {
            if is_set(group) {
                out.unsupported(join(path, "apiGroup"), group, &[""]);
            }
        }
        "User" | "Group" => {
            if is_set(group) && group != "rbac.authorization.k8s.io" {
                out.unsupported(join(path, "apiGroup"), group, &["rbac.authorization.k8s.io"]);
            }
        }
        _ => {}
    }
}

/// One subject of a binding in the whole cluster: an account needs its namespace, which a RoleBinding has.
pub fn cluster_subject(one: &Json, path: &str, out: &mut FieldErrors) {
    subject(one, path, out);
    if one["kind"] == "ServiceAccount" && !is_set(&one["namespace"]) {
        out.required(join(path, "namespace"), "");
    }
}
