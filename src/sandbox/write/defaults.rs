//! What the API server fills in: the defaults of the table, and those that depend on other fields.

use serde_json::{Map, json};

use crate::client::kube::types::{Json, Kind, Type, quantity};

/// Drops nulls (the API does not know them), sets defaults and brings quantities to their canonical form.
pub fn fill(kind: &Kind, object: &mut Json) {
    drop_nulls(object);
    if let Some(schema) = kind.schema() {
        by_table(object, &Type::Struct(schema.clone()));
    }
    if matches!((kind.group.as_str(), kind.kind.as_str()), ("", "Secret")) {
        secret(object);
    }
    if let Some(template) = object.pointer_mut("/spec/template/spec") {
        pod_spec(template);
    }
    if let Some(template) = object.pointer_mut("/spec/jobTemplate/spec/template/spec") {
        pod_spec(template);
    }
    subjects(object);
    let Some(spec) = object.get_mut("spec").filter(|spec| spec.is_object()) else { return };
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod(spec),
        ("", "Service") => service(spec),
        ("apps", "Deployment") => rolling(spec, "strategy", &json!({ "maxSurge": "25%", "maxUnavailable": "25%" })),
        ("apps", "DaemonSet") => rolling(spec, "updateStrategy", &json!({ "maxSurge": 0, "maxUnavailable": 1 })),
        ("apps", "StatefulSet") => stateful(spec),
        ("batch", "Job") => job(spec),
        ("networking.k8s.io", "NetworkPolicy") => network_policy(spec),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(spec),
        _ => {}
    }
    // Looking a field up for writing leaves a null where there was none.
    drop_nulls(spec);
}

fn drop_nulls(value: &mut Json) {
    match value {
        Json::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Json::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn by_table(value: &mut Json, ty: &Type) {
    match (value, ty) {
        (Json::Object(map), Type::Struct(structure)) => {
            for field in &structure.fields {
                if let Some(default) = &field.default
                    && !map.contains_key(&field.name)
                {
                    map.insert(field.name.clone(), default.clone());
                }
                if let Some(value) = map.get_mut(&field.name) {
                    by_table(value, &field.ty);
                }
            }
        }
        (Json::Object(map), Type::Map(inner)) => map.values_mut().for_each(|value| by_table(value, &inner.element)),
        (Json::Array(items), Type::List(list)) => items.iter_mut().for_each(|item| by_table(item, &list.element)),
        (value @ (Json::String(_) | Json::Number(_)), Type::Quantity) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if let Some(canonical) = quantity::canonical(&text) {
                *value = Json::String(canonical);
            }
        }
        _ => {}
    }
}

fn set(object: &mut Json, name: &str, value: Json) {
    if let Json::Object(map) = object
        && !map.contains_key(name)
    {
        map.insert(name.to_owned(), value);
    }
}

fn rolling(spec: &mut Json, field: &str, defaults: &Json) {
    let Some(strategy) = spec.get_mut(field).filter(|strategy| strategy["type"] == "RollingUpdate") else { return };
    set(strategy, "rollingUpdate", json!({}));
    for (name, value) in defaults.as_object().into_iter().flatten() {
        set(&mut strategy["rollingUpdate"], name, value.clone());
    }
}

fn stateful(spec: &mut Json) {
    rolling(spec, "updateStrategy", &json!({ "partition": 0 }));
    for claim in items(spec, "volumeClaimTemplates") {
        set(claim, "apiVersion", json!("v1"));
        set(claim, "kind", json!("PersistentVolumeClaim"));
        set(claim, "status", json!({ "phase": "Pending" }));
    }
}

fn items<'a>(object: &'a mut Json, name: &str) -> impl Iterator<Item = &'a mut Json> {
    object.get_mut(name).and_then(Json::as_array_mut).into_iter().flatten()
}

fn job(spec: &mut Json) {
    if spec.get("completions").is_none() && spec.get("parallelism").is_none() {
        set(spec, "completions", json!(1));
    }
    set(spec, "parallelism", json!(1));
}

fn secret(object: &mut Json) {
    use base64::Engine as _;
    let Json::Object(map) = object else { return };
    let Some(Json::Object(texts)) = map.shift_remove("stringData") else { return };
    let data = map.entry("data").or_insert_with(|| Json::Object(Map::new()));
    for (name, text) in texts {
        let text = text.as_str().unwrap_or_default();
        data[name] = Json::String(base64::engine::general_purpose::STANDARD.encode(text));
    }
}

fn service(spec: &mut Json) {
    for port in items(spec, "ports") {
        if let Some(number) = port.get("port").cloned() {
            set(port, "targetPort", number);
        }
    }
    let kind = spec["type"].as_str().unwrap_or_default().to_owned();
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        set(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    if kind == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
    if spec["sessionAffinity"] == "ClientIP" {
        set(spec, "sessionAffinityConfig", json!({ "clientIP": { "timeoutSeconds": 10800 } }));
    }
    if kind == "ExternalName" {
        spec["internalTrafficPolicy"] = Json::Null;
    } else {
        set(spec, "ipFamilies", json!(["IPv4"]));
        set(spec, "ipFamilyPolicy", json!("SingleStack"));
    }
}

fn network_policy(spec: &mut Json) {
    let types = if spec.get("egress").is_some() { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    set(spec, "policyTypes", types);
}

fn subjects(binding: &mut Json) {
    for subject in items(binding, "subjects") {
        if matches!(subject["kind"].as_str(), Some("User" | "Group")) {
            set(subject, "apiGroup", json!("rbac.authorization.k8s.io"));
        }
    }
}

fn definition(spec: &mut Json) {
    let Some(names) = spec.get_mut("names") else { return };
    let kind = names["kind"].as_str().unwrap_or_default().to_owned();
    set(names, "singular", json!(kind.to_lowercase()));
    set(names, "listKind", json!(format!("{kind}List")));
}

/// A pod is filled in further than a pod template.
fn pod(spec: &mut Json) {
    pod_spec(spec);
    set(spec, "enableServiceLinks", json!(true));
    set(spec, "serviceAccountName", json!("default"));
    let account = spec["serviceAccountName"].clone();
    set(spec, "serviceAccount", account);
    for container in items(spec, "containers") {
        let Some(limits) = container.pointer("/resources/limits").and_then(Json::as_object).cloned() else { continue };
        let Some(resources) = container.get_mut("resources") else { continue };
        set(resources, "requests", json!({}));
        for (name, amount) in limits {
            set(&mut resources["requests"], &name, amount);
        }
    }
}

fn pod_spec(spec: &mut Json) {
    if let Some(account) = spec.get("serviceAccountName").or_else(|| spec.get("serviceAccount")).cloned() {
        set(spec, "serviceAccountName", account.clone());
        set(spec, "serviceAccount", account);
    }
    for list in ["containers", "initContainers"] {
        for container in items(spec, list) {
            let pull = pull_policy(container.get("image").and_then(Json::as_str).unwrap_or_default());
            set(container, "imagePullPolicy", json!(pull));
        }
    }
    for volume in items(spec, "volumes") {
        if volume.as_object().is_some_and(|map| map.len() == 1 && map.contains_key("name")) {
            set(volume, "emptyDir", json!({}));
        }
    }
}

/// Without a tag, or with `latest`, an image is always pulled.
fn pull_policy(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or(image);
    match name.rsplit_once(':') {
        _ if image.contains('@') => "IfNotPresent",
        Some((_, tag)) if tag != "latest" => "IfNotPresent",
        _ => "Always",
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::client::kube::types::find;

    #[test]
    fn fills_in() {
        let check = |kind: (&str, &str), mut object: Json, pointer: &str, expect: Json| {
            fill(find(kind.0, kind.1).unwrap(), &mut object);
            assert_eq!(object.pointer(pointer), Some(&expect), "{pointer} of {object:#}");
        };
        let deployment = json!({ "spec": { "template": { "spec": { "containers": [
            { "name": "a", "image": "redis:7", "ports": [{ "containerPort": 1 }], "resources": { "limits": { "cpu": 0.5 } } }] } } } });
        let deploy = ("apps/v1", "Deployment");
        check(
            deploy,
            deployment.clone(),
            "/spec/strategy",
            json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" } }),
        );
        check(deploy, deployment.clone(), "/spec/template/spec/containers/0/imagePullPolicy", json!("IfNotPresent"));
        check(deploy, deployment.clone(), "/spec/template/spec/containers/0/ports/0/protocol", json!("TCP"));
        check(deploy, deployment, "/spec/template/spec/containers/0/resources/limits/cpu", json!("500m"));
        check(
            ("v1", "Service"),
            json!({ "spec": { "ports": [{ "port": 80 }] } }),
            "/spec/ports/0/targetPort",
            json!(80),
        );
        check(("v1", "Secret"), json!({ "stringData": { "a": "b" } }), "/data/a", json!("Yg=="));
        check(("v1", "ConfigMap"), json!({ "data": { "a": null } }), "/data", json!({}));
    }

    #[test]
    fn pull_policies() {
        let check = |image: &str, expect: &str| assert_eq!(pull_policy(image), expect, "{image}");
        check("redis", "Always");
        check("redis:latest", "Always");
        check("redis:7", "IfNotPresent");
        check("host:5000/redis", "Always");
        check("redis@sha256:0", "IfNotPresent");
    }
}
