//! Rules of a pod's spec that join several fields.

use std::collections::HashSet;

use serde_json::json;

use super::super::{Json, quantity};
use super::{FieldErrors, formats, is_set, items, join, limits, text};

/// The spec of a pod.
pub fn pod(spec: &Json, path: &str, out: &mut FieldErrors) {
    if spec["dnsPolicy"] == "None" {
        let config = join(path, "dnsConfig");
        if spec["dnsConfig"].is_null() {
            out.required(config, "must provide `dnsConfig` when `dnsPolicy` is None");
        } else if !is_set(&spec["dnsConfig"]["nameservers"]) {
            let why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            out.required(format!("{config}.nameservers"), why);
        }
    }
    let mut host_ports = HashSet::new();
    for list in ["initContainers", "containers"] {
        for (at, container) in items(&spec[list]).iter().enumerate() {
            for (nr, port) in items(&container["ports"]).iter().enumerate() {
                let field = format!("{}[{at}].ports[{nr}].hostPort", join(path, list));
                let Some(number) = port["hostPort"].as_i64().filter(|number| *number != 0) else { continue };
                if !(1..=65_535).contains(&number) {
                    out.invalid(field, &port["hostPort"], "must be between 1 and 65535, inclusive");
                    continue;
                }
                if spec["hostNetwork"] == true && port["containerPort"].as_i64().is_some_and(|inner| inner != number) {
                    let why = "must match `containerPort` when `hostNetwork` is true";
                    out.invalid(field.clone(), &port["hostPort"], why);
                }
                let protocol = port["protocol"].as_str().unwrap_or("TCP");
                let taken = format!("{protocol}/{}/{number}", text(&port["hostIP"]));
                if list == "containers" && !host_ports.insert(taken.clone()) {
                    out.duplicate(field, &json!(taken));
                }
            }
        }
    }
}

/// A volume of a pod.
pub fn volume(volume: &Json, path: &str, out: &mut FieldErrors) {
    let sources = volume.as_object().into_iter().flatten();
    let sources = sources.filter(|(name, value)| *name != "name" && !value.is_null());
    for (name, _) in sources.skip(1) {
        out.forbidden(join(path, name), "may not specify more than 1 volume type");
    }
    let size = &volume["emptyDir"]["sizeLimit"];
    let amount = size.as_str().map_or_else(|| size.to_string(), str::to_owned);
    if !size.is_null() && !quantity::is_not_negative(&amount) {
        out.forbidden(join(path, "emptyDir.sizeLimit"), "SizeLimit field must be a valid resource quantity");
    }
}

/// A container.
pub fn container(container: &Json, path: &str, out: &mut FieldErrors) {
    let mut names = HashSet::new();
    for (at, port) in items(&container["ports"]).iter().enumerate() {
        let field = format!("{}[{at}]", join(path, "ports"));
        match port["containerPort"].as_i64() {
            Some(0) => out.required(format!("{field}.containerPort"), ""),
            Some(number) if !(1..=65_535).contains(&number) => {
                let why = "must be between 1 and 65535, inclusive";
                out.invalid(format!("{field}.containerPort"), &port["containerPort"], why);
            }
            _ => {}
        }
        if port["name"].as_str().is_some_and(|name| !name.is_empty() && !names.insert(name)) {
            out.duplicate(format!("{field}.name"), &port["name"]);
        }
    }
    environment(container, path, out);
    for mount in items(&container["volumeMounts"]) {
        if let Some(why) = mount["subPath"].as_str().and_then(formats::relative) {
            // The server leaves the place in the list out.
            out.invalid(join(path, "volumeMounts.subPath"), &mount["subPath"], &why);
        }
    }
    let context = &container["securityContext"];
    if context["privileged"] == true && context["allowPrivilegeEscalation"] == false {
        let why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        out.invalid(join(path, "securityContext"), context, why);
    }
}

fn environment(container: &Json, path: &str, out: &mut FieldErrors) {
    for (at, env) in items(&container["env"]).iter().enumerate() {
        if is_set(&env["value"]) && !env["valueFrom"].is_null() {
            let field = format!("{}[{at}].valueFrom", join(path, "env"));
            out.invalid(field, &json!(""), "may not be specified when `value` is not empty");
        }
    }
    for from in items(&container["envFrom"]) {
        let field = join(path, "envFrom");
        match (from["configMapRef"].is_null(), from["secretRef"].is_null()) {
            (false, false) => out.invalid(field, &json!(""), "may not have more than one field specified at a time"),
            (true, true) => {
                if out.completeness == super::Completeness::Whole {
                    out.invalid(field, &json!(""), "must specify one of: `configMapRef` or `secretRef`");
                }
            }
            (true, false) | (false, true) => {}
        }
    }
}

/// What a container asks for, and its limits.
pub fn resources(resources: &Json, path: &str, out: &mut FieldErrors) {
    let is_extended = |name: &str| name.contains('/') && !name.contains("kubernetes.io/");
    for part in ["limits", "requests"] {
        for (name, value) in resources[part].as_object().into_iter().flatten() {
            let field = format!("{}[{name}]", join(path, part));
            limits::resource(name, &field, &limits::OF_CONTAINERS, out);
            if formats::qualified(name).is_none()
                && !name.contains('/')
                && !limits::OF_CONTAINERS.contains(&name.as_str())
                && !name.starts_with("hugepages-")
            {
                out.invalid(field.clone(), &json!(name), "must be a standard resource for containers");
            }
            if is_extended(name) && !limits::is_whole(value) {
                out.invalid(field, value, "must be an integer");
            }
        }
    }
    for (name, request) in resources["requests"].as_object().into_iter().flatten() {
        let limit = &resources["limits"][name];
        let (amount, most) = (text(request), text(limit));
        if is_extended(name) && limit.is_null() {
            out.required(join(path, "limits"), "Limit must be set for non overcommitable resources");
        } else if is_extended(name) && !quantity::same(amount, most) {
            out.invalid(join(path, "requests"), request, &format!("must be equal to {name} limit of {most}"));
        } else if quantity::compare(amount, most) == Some(std::cmp::Ordering::Greater) {
            out.invalid(
                join(path, "requests"),
                request,
                &format!("must be less than or equal to {name} limit of {most}"),
            );
        }
    }
}

/// What runs when a container starts or stops.
pub fn handler(handler: &Json, path: &str, out: &mut FieldErrors) {
    let kinds = ["exec", "httpGet", "tcpSocket", "sleep"];
    let mut given = kinds.iter().filter(|kind| !handler[**kind].is_null());
    if given.next().is_none() {
        return out.required(path, "must specify a handler type");
    }
    for kind in given {
        out.forbidden(join(path, kind), "may not specify more than 1 handler type");
    }
}

/// The headers of a probe.
pub fn headers(get: &Json, path: &str, out: &mut FieldErrors) {
    for header in items(&get["httpHeaders"]) {
        let name = text(&header["name"]);
        if name.is_empty() || !name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-') {
            let why = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
            out.invalid(join(path, "httpHeaders"), &header["name"], why);
        }
    }
}

/// A profile of system calls.
pub fn seccomp(profile: &Json, path: &str, out: &mut FieldErrors) {
    let file = &profile["localhostProfile"];
    if profile["type"] == "Localhost" {
        if !is_set(file) {
            out.required(join(path, "localhostProfile"), "must be set when seccomp type is Localhost");
        }
    } else if is_set(file) && !profile["type"].is_null() {
        out.invalid(join(path, "localhostProfile"), file, "can only be set when seccomp type is Localhost");
    }
}

/// A toleration.
pub fn toleration(toleration: &Json, path: &str, out: &mut FieldErrors) {
    let operator = text(&toleration["operator"]);
    let path_of_operator = join(path, "operator");
    if let Some(why) = toleration["key"].as_str().filter(|key| !key.is_empty()).and_then(formats::qualified) {
        out.invalid(join(path, "key"), &toleration["key"], &why);
    }
    if operator != "Exists" && !is_set(&toleration["key"]) && out.completeness == super::Completeness::Whole {
        let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        out.invalid(path_of_operator.clone(), &json!(operator), why);
    }
    if operator == "Exists" && is_set(&toleration["value"]) {
        out.invalid(path_of_operator, &toleration["value"], "value must be empty when `operator` is 'Exists'");
    }
    let effect = &toleration["effect"];
    if !toleration["tolerationSeconds"].is_null() && effect != "NoExecute" && !effect.is_null() {
        out.invalid(join(path, "effect"), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
    }
}

/// What a term asks of a node's labels.
#[expect(clippy::collapsible_match, reason = "the last arm is for what no other names, not for what is right")]
pub fn node_requirement(requirement: &Json, path: &str, out: &mut FieldErrors) {
    let values = items(&requirement["values"]);
    let path_of_values = join(path, "values");
    match requirement["operator"].as_str() {
        None => {}
        Some("In" | "NotIn") => {
            if values.is_empty() {
                out.required(path_of_values, "must be specified when `operator` is 'In' or 'NotIn'");
            }
        }
        Some("Exists" | "DoesNotExist") => {
            if !values.is_empty() {
                out.forbidden(path_of_values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
            }
        }
        Some("Gt" | "Lt") => {
            if values.len() != 1 {
                out.required(path_of_values, "must be specified single value when `operator` is 'Lt' or 'Gt'");
            }
        }
        Some(_) => out.invalid(join(path, "operator"), &requirement["operator"], "not a valid selector operator"),
    }
}
