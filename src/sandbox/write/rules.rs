//! What each kind needs, what must differ in it, and what a change must leave alone.
//!
//! Not here: the values of fields, which the table of rules tells (`client::kube::types::rules`).

use std::collections::HashSet;

use serde_json::json;

use super::check::amount;
use super::pods;
use crate::client::kube::types::rules::VOLUME;
use crate::client::kube::types::{Json, Kind, quantity};
use crate::sandbox::api::answer::Cause;
use crate::sandbox::api::select::matches_selector;

/// Rules for any version of an object.
pub fn of_kind(kind: &Kind, object: &Json, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pods::check(spec, "spec", false, causes),
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet") => {
            workload(kind, object, causes);
        }
        ("batch", "Job") => job(spec, "spec", causes),
        ("batch", "CronJob") => job(&spec["jobTemplate"]["spec"], "spec.jobTemplate.spec", causes),
        ("", "Service") => service(spec, causes),
        ("", "PersistentVolumeClaim") => claim(spec, "spec", causes),
        ("", "ConfigMap") => data(object, false, causes),
        ("", "Secret") => data(object, true, causes),
        ("networking.k8s.io", "Ingress") => ingress(spec, causes),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object, causes),
        _ => {}
    }
}

/// Rules for a change: what must stay as it is.
pub fn of_change(kind: &Kind, old: &Json, new: &Json, causes: &mut Vec<Cause>) {
    let (before, after) = (&old["spec"], &new["spec"]);
    let mut immutable = |path: &str, old: &Json, new: &Json| {
        if old != new {
            causes.push(Cause::invalid(path, new, "field is immutable"));
        }
    };
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("apps", "Deployment" | "ReplicaSet" | "DaemonSet") => {
            immutable("spec.selector", &before["selector"], &after["selector"]);
        }
        ("apps", "StatefulSet") => {
            let mutable = [
                "replicas",
                "ordinals",
                "template",
                "updateStrategy",
                "revisionHistoryLimit",
                "persistentVolumeClaimRetentionPolicy",
                "minReadySeconds",
            ];
            if without(before, &mutable) != without(after, &mutable) {
                let why = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                           'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                           'minReadySeconds' are forbidden";
                causes.push(Cause::forbidden("spec", why));
            }
        }
        ("batch", "Job") => {
            immutable("spec.template", &before["template"], &after["template"]);
            immutable("spec.selector", &before["selector"], &after["selector"]);
            // An indexed job can grow.
            if after["completionMode"] != "Indexed" {
                immutable("spec.completions", &before["completions"], &after["completions"]);
            }
        }
        ("", "Service") => {
            let (old_ip, new_ip) = (before["clusterIP"].as_str(), after["clusterIP"].as_str());
            if let (Some(old_ip), Some(new_ip)) = (old_ip, new_ip)
                && old_ip != new_ip
                && before["type"] != "ExternalName"
            {
                causes.push(Cause::invalid("spec.clusterIPs[0]", &json!([new_ip]), "may not change once set"));
            }
        }
        ("", "PersistentVolumeClaim") => change_of_claim(before, after, causes),
        ("", "ConfigMap" | "Secret") if old["immutable"] == true => {
            for field in ["data", "binaryData", "immutable"] {
                if old[field] != new[field] {
                    causes.push(Cause::forbidden(field, "field is immutable when `immutable` is set"));
                }
            }
        }
        ("", "Secret") => immutable("type", &old["type"], &new["type"]),
        ("storage.k8s.io", "StorageClass") => {
            immutable("volumeBindingMode", &old["volumeBindingMode"], &new["volumeBindingMode"]);
            for field in ["provisioner", "parameters", "reclaimPolicy"] {
                if old[field] != new[field] {
                    causes.push(Cause::forbidden(field, &format!("updates to {field} are forbidden.")));
                }
            }
        }
        ("", "Pod") => change_of_pod(before, after, causes),
        ("", "PersistentVolume") => change_of_volume(before, after, causes),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") if old["roleRef"] != new["roleRef"] => {
            causes.push(Cause::invalid("roleRef", &new["roleRef"], "cannot change roleRef"));
        }
        _ => {}
    }
}

fn change_of_pod(before: &Json, after: &Json, causes: &mut Vec<Cause>) {
    let strip = |spec: &Json| {
        let mut rest = without(spec, &["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"]);
        for list in ["containers", "initContainers"] {
            for container in rest.get_mut(list).and_then(Json::as_array_mut).into_iter().flatten() {
                if let Json::Object(container) = container {
                    container.shift_remove("image");
                }
            }
        }
        rest
    };
    if strip(before) != strip(after) {
        let why = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        causes.push(Cause::forbidden("spec", why));
    }
}

fn change_of_volume(before: &Json, after: &Json, causes: &mut Vec<Cause>) {
    if without(before, &VOLUME) != without(after, &VOLUME) {
        let why = "spec.persistentvolumesource is immutable after creation";
        causes.push(Cause::forbidden("spec.persistentvolumesource", why));
    }
}

fn without(spec: &Json, fields: &[&str]) -> Json {
    let mut rest = spec.clone();
    if let Json::Object(map) = &mut rest {
        map.retain(|name, _| !fields.contains(&name.as_str()));
        for claim in map.get_mut("volumeClaimTemplates").and_then(Json::as_array_mut).into_iter().flatten() {
            if let Json::Object(claim) = claim {
                claim.shift_remove("status");
            }
        }
    }
    rest
}

fn workload(kind: &Kind, object: &Json, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    let selector = &spec["selector"];
    let is_empty = |part: &Json| part.as_object().is_none_or(serde_json::Map::is_empty);
    let selects_all =
        is_empty(&selector["matchLabels"]) && selector["matchExpressions"].as_array().is_none_or(Vec::is_empty);
    if !selector.is_null() && selects_all {
        let why = format!("empty selector is invalid for {}", kind.kind.to_lowercase());
        causes.push(Cause::invalid("spec.selector", selector, &why));
    } else if selector.is_null() || !matches_selector(selector, &spec["template"]["metadata"]["labels"]) {
        let labels = &spec["template"]["metadata"]["labels"];
        let why = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels, why));
    }
    // A template without a spec is a template without containers.
    pods::check(&spec["template"]["spec"], "spec.template.spec", kind.kind == "StatefulSet", causes);
    let claims = spec["volumeClaimTemplates"].as_array().into_iter().flatten();
    for (at, one) in claims.enumerate() {
        claim(&one["spec"], &format!("spec.volumeClaimTemplates[{at}].spec"), causes);
    }
}

fn job(spec: &Json, path: &str, causes: &mut Vec<Cause>) {
    pods::check(&spec["template"]["spec"], &format!("{path}.template.spec"), false, causes);
    if spec["template"]["spec"]["restartPolicy"].is_null() {
        let field = format!("{path}.template.spec.restartPolicy");
        causes.push(Cause::required(field, "valid values: \"OnFailure\", \"Never\""));
    }
    let labels = spec["selector"]["matchLabels"].as_object();
    let generated = "batch.kubernetes.io/controller-uid";
    if spec["manualSelector"] != true && labels.is_some_and(|labels| labels.keys().any(|key| key != generated)) {
        causes.push(Cause::invalid(format!("{path}.selector"), &spec["selector"], "`selector` not auto-generated"));
    }
}

fn service(spec: &Json, causes: &mut Vec<Cause>) {
    if spec["type"] == "ExternalName" {
        if spec["externalName"].as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required("spec.externalName", ""));
        }
        return;
    }
    let ports = spec["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
    if ports.is_empty() && spec["clusterIP"] != "None" {
        causes.push(Cause::required("spec.ports", ""));
    }
    let (mut names, mut numbers) = (HashSet::new(), HashSet::new());
    for (at, port) in ports.iter().enumerate() {
        let path = format!("spec.ports[{at}]");
        match port["name"].as_str() {
            None | Some("") if ports.len() > 1 => causes.push(Cause::required(format!("{path}.name"), "")),
            Some(name) if !name.is_empty() && !names.insert(name) => {
                causes.push(Cause::duplicate(format!("{path}.name"), &json!(name)));
            }
            _ => {}
        }
        if !numbers.insert((port["port"].to_string(), port["protocol"].to_string())) {
            let both = json!({ "port": port["port"], "protocol": port["protocol"] });
            causes.push(Cause::duplicate(path.clone(), &both));
        }
    }
}

fn claim(spec: &Json, path: &str, causes: &mut Vec<Cause>) {
    if spec["accessModes"].as_array().is_none_or(Vec::is_empty) {
        causes.push(Cause::required(format!("{path}.accessModes"), "at least 1 access mode is required"));
    }
    match &spec["resources"]["requests"]["storage"] {
        Json::Null => causes.push(Cause::required(format!("{path}.resources[storage]"), "")),
        storage => amount(&format!("{path}.resources[storage]"), storage, causes),
    }
}

fn change_of_claim(before: &Json, after: &Json, causes: &mut Vec<Cause>) {
    let strip = |spec: &Json| {
        let mut rest = spec.clone();
        rest["resources"] = Json::Null;
        if rest["volumeName"].is_null() || before["volumeName"].is_null() {
            rest["volumeName"] = Json::Null;
        }
        if before["storageClassName"].is_null() {
            rest["storageClassName"] = Json::Null;
        }
        rest
    };
    if strip(before) != strip(after) {
        let why =
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        causes.push(Cause::forbidden("spec", why));
    }
    let size = |spec: &Json| spec["resources"]["requests"]["storage"].as_str().map(str::to_owned);
    if let (Some(old), Some(new)) = (size(before), size(after))
        && quantity::compare(&new, &old) == Some(std::cmp::Ordering::Less)
    {
        causes.push(Cause::forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
    }
}

fn data(object: &Json, encoded: bool, causes: &mut Vec<Cause>) {
    let mut size = 0;
    for field in ["data", "binaryData"] {
        for (key, value) in object[field].as_object().into_iter().flatten() {
            let text = value.as_str().unwrap_or_default();
            size += text.len();
            let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if key.is_empty() || key.len() > 253 || !key.chars().all(good) || key == "." || key.starts_with("..") {
                let why = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
                causes.push(Cause::invalid(format!("{field}[{key}]"), &json!(key), why));
            }
        }
    }
    if size > 1 << 20 {
        causes.push(Cause {
            reason: "FieldValueTooLong",
            field: if encoded { "data".into() } else { String::new() },
            message: "Too long: may not be more than 1048576 bytes".into(),
        });
    }
}

fn ingress(spec: &Json, causes: &mut Vec<Cause>) {
    if spec["rules"].as_array().is_none_or(Vec::is_empty) && spec["defaultBackend"].is_null() {
        let why = "either `defaultBackend` or `rules` must be specified";
        causes.push(Cause::invalid("spec", &Json::Null, why));
    }
    for (at, rule) in spec["rules"].as_array().into_iter().flatten().enumerate() {
        for (nr, path) in rule["http"]["paths"].as_array().into_iter().flatten().enumerate() {
            let field = format!("spec.rules[{at}].http.paths[{nr}]");
            if path["pathType"].is_null() {
                causes.push(Cause::required(format!("{field}.pathType"), "pathType must be specified"));
            } else if matches!(path["pathType"].as_str(), Some("Exact" | "Prefix"))
                && !path["path"].as_str().unwrap_or_default().starts_with('/')
            {
                causes.push(Cause::invalid(format!("{field}.path"), &path["path"], "must be an absolute path"));
            }
            if path["backend"].as_object().is_none_or(serde_json::Map::is_empty) {
                causes.push(Cause::required(format!("{field}.backend"), "must specify a service or resource backend"));
            }
        }
    }
}

fn definition(object: &Json, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let expected = format!("{}.{}", text(&spec["names"]["plural"]), text(&spec["group"]));
    if object["metadata"]["name"] != expected.as_str() {
        let why = format!("must be spec.names.plural+\".\"+spec.group, that is {expected:?}");
        causes.push(Cause::invalid("metadata.name", &object["metadata"]["name"], &why));
    }
    let versions = spec["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        let why = "must have exactly one version marked as storage version";
        causes.push(Cause::invalid("spec.versions", &json!(versions.len()), why));
    }
    for (at, version) in versions.iter().enumerate() {
        if version["schema"]["openAPIV3Schema"].is_null() {
            let field = format!("spec.versions[{at}].schema.openAPIV3Schema");
            causes.push(Cause::required(field, "schemas are required"));
        }
    }
}
