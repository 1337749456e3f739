//! The state that the real provider wrote, compared with ours and taken over by it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Platform;
use crate::conformance::kubernetes::whole::{assert_nothing_planned, changes_by_itself, differences};

const STATE: &str = include_str!("state.jsonl");

/// The namespace that the state was recorded in.
const NAMESPACE: &str = "platform";

/// What differs although the objects are the same: the rules of an aggregated role are collected in the background, and keys and
/// tokens are made anew.
fn made_anew(object: &str, path: &str) -> bool {
    match object {
        "kubernetes_cluster_role_v1.agg" => path.starts_with("rule"),
        "kubernetes_secret_v1.tls" | "kubernetes_secret_v1.satoken" => path.starts_with("data"),
        // The limit range may be there before the pod, or after it.
        "kubernetes_pod_v1.pod" => path.starts_with("spec[0].container[0].resources"),
        _ => false,
    }
}

/// Where ours is another than the one recorded, and why it stays so. Neither program plans a change of what the other one has written.
const OTHERWISE: [(&str, &str, &str); 4] = [
    (
        "kubernetes_deployment_v1.full",
        "spec[0].template[0].spec[0].init_container[0].restart_policy",
        "an argument of newer versions of the provider",
    ),
    (
        "kubernetes_ingress_class_v1.ingc",
        "spec[0].parameters[0].scope",
        "the real provider does not read it after a creation; its next refresh has the server's default as well",
    ),
    (
        "kubernetes_job_v1.job",
        "spec[0].selector[0].match_expressions",
        "null after a creation, and the empty list after the real provider's next refresh",
    ),
    (
        "kubernetes_stateful_set_v1.sts",
        "spec[0].revision_history_limit",
        "the real provider sends 0 where nothing is configured, and so takes away what a rollback needs",
    ),
];

fn is_otherwise(object: &str, path: &str) -> bool {
    OTHERWISE.iter().any(|(known, start, _)| *known == object && path.starts_with(start))
}

/// One recorded object, with the namespace of this platform.
struct Recorded {
    object: String,
    instance: Value,
}

/// Names that end in the recorded namespace, and the namespace itself: of objects outside of it too (`pv-platform`).
fn renamed(value: &mut Value, namespace: &str) {
    match value {
        Value::String(text) => {
            let parts: Vec<&str> = text.split('/').collect();
            let whole = |part: &str| part == NAMESPACE || part.ends_with(&format!("-{NAMESPACE}"));
            if parts.iter().any(|part| whole(part)) {
                let rename = |part: &&str| {
                    if whole(part) { part.replace(NAMESPACE, namespace) } else { (*part).to_owned() }
                };
                *text = parts.iter().map(rename).collect::<Vec<_>>().join("/");
            } else if text.contains(&format!("namespace={NAMESPACE},")) {
                *text = text.replace(&format!("namespace={NAMESPACE},"), &format!("namespace={namespace},"));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| renamed(item, namespace)),
        Value::Object(parts) => parts.values_mut().for_each(|part| renamed(part, namespace)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn recorded(namespace: &str) -> Vec<Recorded> {
    let read = |line: &str| {
        let mut instance: Value = serde_json::from_str(line).unwrap();
        renamed(&mut instance["attributes"], namespace);
        let object = instance["address"].as_str().unwrap().to_owned();
        instance.as_object_mut().unwrap().remove("address");
        Recorded { object, instance }
    };
    STATE.lines().map(read).collect()
}

fn instance<'a>(state: &'a Value, object: &str) -> &'a Value {
    let resources = state["resources"].as_array().unwrap();
    let name = |resource: &Value| {
        format!("{}.{}", resource["type"].as_str().unwrap_or_default(), resource["name"].as_str().unwrap_or_default())
    };
    &resources.iter().find(|resource| name(resource) == object).unwrap()["instances"][0]
}

/// What stands beside the attributes: the schema's version, private data and sensitive paths, whose order is by chance.
fn beside(instance: &Value) -> (&Value, &Value, BTreeSet<String>) {
    let paths = instance["sensitive_attributes"].as_array().into_iter().flatten();
    (&instance["schema_version"], &instance["private"], paths.map(Value::to_string).collect())
}

/// The state of ours is the real provider's, attribute by attribute.
pub fn assert_state_as_recorded(platform: &Platform<'_>) {
    let state = platform.state();
    let mut wrong = Vec::new();
    for Recorded { object, instance: theirs } in recorded(&platform.namespace) {
        // The real provider keeps a type beside the dynamic value; what it holds is compared.
        let value = |instance: &Value| {
            let mut attributes = instance["attributes"].clone();
            if object.starts_with("kubernetes_manifest.") {
                attributes["object"] = Value::Null;
            }
            attributes
        };
        let ours = instance(&state, &object);
        let found = differences(&value(&theirs), &value(ours));
        let found: Vec<String> =
            found.into_iter().filter(|path| !made_anew(&object, path) && !is_otherwise(&object, path)).collect();
        if !found.is_empty() {
            wrong.push(format!("{object}\n    {}", found.join("\n    ")));
        }
        if beside(&theirs) != beside(ours) {
            wrong.push(format!("{object}\n    {:?}\n    {:?}", beside(&theirs), beside(ours)));
        }
    }
    assert!(wrong.is_empty(), "the state is not the real provider's:\n{}", wrong.join("\n"));
}

/// The recorded state, with what is this cluster's in it, is planned empty: a platform of the real provider is taken over as it is.
pub fn assert_recorded_state_is_taken_over(platform: &Platform<'_>) {
    let state = platform.state();
    let mut resources = Vec::new();
    for Recorded { object, mut instance } in recorded(&platform.namespace) {
        let ours = self::instance(&state, &object);
        fresh(&mut instance["attributes"], &ours["attributes"], "", &object);
        let (kind, name) = object.split_once('.').unwrap();
        let provider = "provider[\"registry.terraform.io/hashicorp/kubernetes\"]";
        resources.push(json!({
            "mode": "managed", "type": kind, "name": name, "provider": provider, "instances": [instance],
        }));
    }
    let theirs = json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 47, "lineage": "ecf8e247-c6aa-c753-6967-0cc2d9fdfebd",
        "outputs": {}, "resources": resources, "check_results": null,
    });
    let other = platform.program.copied();
    other.write("terraform.tfstate", &theirs.to_string());
    assert_nothing_planned(&other, &platform.args(), "the state of the real provider");
}

/// Puts what is the cluster's own in place of what was recorded.
fn fresh(theirs: &mut Value, ours: &Value, path: &str, object: &str) {
    let own = changes_by_itself(path) || made_anew(object, path.trim_start_matches('.'));
    match (theirs, ours) {
        (theirs, Value::Null) if own => drop(theirs.take()),
        (Value::Object(theirs), Value::Object(ours)) if !own => {
            for (name, part) in theirs {
                if let Some(there) = ours.get(name) {
                    fresh(part, there, &format!("{path}.{name}"), object);
                }
            }
        }
        (Value::Array(theirs), Value::Array(ours)) if !own => {
            for (at, (part, there)) in theirs.iter_mut().zip(ours).enumerate() {
                fresh(part, there, &format!("{path}[{at}]"), object);
            }
        }
        (theirs, ours) if own => *theirs = ours.clone(),
        _ => {}
    }
}
