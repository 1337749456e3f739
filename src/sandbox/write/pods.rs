//! The rules of a pod's spec.

use std::collections::HashSet;

use serde_json::json;

use super::check::{amount, is_label};
use crate::client::kube::types::{Json, quantity};
use crate::sandbox::api::answer::Cause;

/// Checks a pod's spec at `path`. Mounts are compared with the volumes, unless `claimed`: the claims of a StatefulSet become
/// volumes only when its pods are made.
pub fn check(spec: &Json, path: &str, claimed: bool, causes: &mut Vec<Cause>) {
    let containers = spec["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    if containers.is_empty() {
        causes.push(Cause::required(format!("{path}.containers"), ""));
    }
    let mut volumes = HashSet::new();
    for (at, volume) in spec["volumes"].as_array().into_iter().flatten().enumerate() {
        let name = volume["name"].as_str().unwrap_or_default();
        if !is_label(name) {
            let field = format!("{path}.volumes[{at}].name");
            causes.push(Cause::invalid(field, &volume["name"], "a lowercase RFC 1123 label is needed"));
        } else if !volumes.insert(name) {
            causes.push(Cause::duplicate(format!("{path}.volumes[{at}].name"), &volume["name"]));
        }
        if volume.as_object().is_some_and(|map| map.len() > 2) {
            let field = format!("{path}.volumes[{at}]");
            causes.push(Cause::forbidden(field, "may not specify more than 1 volume type"));
        }
    }
    let mut names = HashSet::new();
    for list in ["initContainers", "containers"] {
        for (at, container) in spec[list].as_array().into_iter().flatten().enumerate() {
            let path = format!("{path}.{list}[{at}]");
            let name = container["name"].as_str().unwrap_or_default();
            if name.is_empty() {
                causes.push(Cause::required(format!("{path}.name"), ""));
            } else if !is_label(name) {
                let why = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', or '123-abc')";
                causes.push(Cause::invalid(format!("{path}.name"), &container["name"], why));
            } else if !names.insert(name) {
                causes.push(Cause::duplicate(format!("{path}.name"), &container["name"]));
            }
            check_container(container, &path, (!claimed).then_some(&volumes), causes);
        }
    }
    let policies = ["Always", "OnFailure", "Never"];
    if !containers.is_empty() && !policies.iter().any(|one| spec["restartPolicy"] == *one) {
        causes.push(Cause::unsupported(format!("{path}.restartPolicy"), &spec["restartPolicy"], &policies));
    }
}

fn check_container(container: &Json, path: &str, volumes: Option<&HashSet<&str>>, causes: &mut Vec<Cause>) {
    if container["image"].as_str().is_none_or(|image| image.trim().is_empty()) {
        causes.push(Cause::required(format!("{path}.image"), ""));
    }
    let policies = ["Always", "IfNotPresent", "Never"];
    if !policies.iter().any(|one| container["imagePullPolicy"] == *one) {
        causes.push(Cause::unsupported(format!("{path}.imagePullPolicy"), &container["imagePullPolicy"], &policies));
    }
    for (at, one) in container["ports"].as_array().into_iter().flatten().enumerate() {
        port(&format!("{path}.ports[{at}].containerPort"), &one["containerPort"], causes);
    }
    for (at, env) in container["env"].as_array().into_iter().flatten().enumerate() {
        if env["name"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("{path}.env[{at}].name"), ""));
        }
        if env["value"].as_str().is_some_and(|value| !value.is_empty()) && !env["valueFrom"].is_null() {
            let why = "may not be specified when `value` is not empty";
            causes.push(Cause::invalid(format!("{path}.env[{at}].valueFrom"), &json!(""), why));
        }
    }
    let mut mounted = HashSet::new();
    for (at, mount) in container["volumeMounts"].as_array().into_iter().flatten().enumerate() {
        let field = format!("{path}.volumeMounts[{at}]");
        let name = mount["name"].as_str().unwrap_or_default();
        if volumes.is_some_and(|volumes| !volumes.contains(name)) {
            causes.push(Cause::not_found(format!("{field}.name"), &mount["name"]));
        }
        match mount["mountPath"].as_str() {
            None | Some("") => causes.push(Cause::required(format!("{field}.mountPath"), "")),
            Some(at) if !mounted.insert(at) => {
                causes.push(Cause::invalid(format!("{field}.mountPath"), &mount["mountPath"], "must be unique"));
            }
            Some(_) => {}
        }
    }
    resources(&container["resources"], &format!("{path}.resources"), causes);
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(map) = container[probe].as_object() else { continue };
        let handlers = ["exec", "httpGet", "tcpSocket", "grpc"].iter().filter(|one| map.contains_key(**one)).count();
        let field = format!("{path}.{probe}");
        match handlers {
            0 => causes.push(Cause::required(field, "must specify a handler type")),
            1 => {}
            _ => causes.push(Cause::forbidden(field, "may not specify more than 1 handler type")),
        }
        if let Some(number) = map.get("httpGet").map(|get| &get["port"]).filter(|port| port.is_number()) {
            port(&format!("{path}.{probe}.httpGet.port"), number, causes);
        }
    }
}

fn resources(resources: &Json, path: &str, causes: &mut Vec<Cause>) {
    for part in ["limits", "requests"] {
        for (name, value) in resources[part].as_object().into_iter().flatten() {
            amount(&format!("{path}.{part}[{name}]"), value, causes);
        }
    }
    for (name, request) in resources["requests"].as_object().into_iter().flatten() {
        let (request, limit) = (request.as_str(), resources["limits"][name].as_str());
        if let (Some(request), Some(limit)) = (request, limit)
            && quantity::compare(request, limit) == Some(std::cmp::Ordering::Greater)
        {
            let why = format!("must be less than or equal to {name} limit of {limit}");
            causes.push(Cause::invalid(format!("{path}.requests"), &json!(request), &why));
        }
    }
}

/// Checks a port's number.
pub fn port(field: &str, number: &Json, causes: &mut Vec<Cause>) {
    if !number.as_i64().is_some_and(|number| (1..=65_535).contains(&number)) {
        causes.push(Cause::invalid(field, number, "must be between 1 and 65535, inclusive"));
    }
}
