//! What a pod's spec needs, and how its parts refer to each other.

use std::collections::HashSet;

use super::check::amount;
use crate::client::kube::types::Json;
use crate::client::kube::types::rules::formats;
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
        if name.is_empty() {
            causes.push(Cause::required(format!("{path}.volumes[{at}].name"), ""));
        } else if let Some(why) = formats::label(name) {
            causes.push(Cause::invalid(format!("{path}.volumes[{at}].name"), &volume["name"], &why));
        } else if !volumes.insert(name) {
            causes.push(Cause::duplicate(format!("{path}.volumes[{at}].name"), &volume["name"]));
        }
    }
    let mut names = HashSet::new();
    for list in ["containers", "initContainers"] {
        for (at, container) in spec[list].as_array().into_iter().flatten().enumerate() {
            let path = format!("{path}.{list}[{at}]");
            let name = container["name"].as_str().unwrap_or_default();
            if name.is_empty() {
                causes.push(Cause::required(format!("{path}.name"), ""));
            } else if let Some(why) = formats::label(name) {
                causes.push(Cause::invalid(format!("{path}.name"), &container["name"], &why));
            } else if !names.insert(name) {
                causes.push(Cause::duplicate(format!("{path}.name"), &container["name"]));
            }
            check_container(container, &path, (!claimed).then_some(&volumes), causes);
        }
    }
}

fn check_container(container: &Json, path: &str, volumes: Option<&HashSet<&str>>, causes: &mut Vec<Cause>) {
    if container["image"].as_str().is_none_or(|image| image.trim().is_empty()) {
        causes.push(Cause::required(format!("{path}.image"), ""));
    }
    for (at, env) in container["env"].as_array().into_iter().flatten().enumerate() {
        if env["name"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(format!("{path}.env[{at}].name"), ""));
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
        let kinds = ["exec", "httpGet", "tcpSocket", "grpc"];
        let given: Vec<&str> = kinds.into_iter().filter(|one| map.contains_key(*one)).collect();
        let field = format!("{path}.{probe}");
        if given.is_empty() {
            causes.push(Cause::required(field.clone(), "must specify a handler type"));
        }
        for kind in given.iter().skip(1) {
            causes.push(Cause::forbidden(format!("{field}.{kind}"), "may not specify more than 1 handler type"));
        }
    }
}

fn resources(resources: &Json, path: &str, causes: &mut Vec<Cause>) {
    for part in ["limits", "requests"] {
        for (name, value) in resources[part].as_object().into_iter().flatten() {
            amount(&format!("{path}.{part}[{name}]"), value, causes);
        }
    }
}
