//! Single rules of the table, and what an incomplete object is spared.

use serde_json::json;

use super::*;
use crate::client::kube::types::find;

fn found(kind: (&str, &str), object: &Json, completeness: Completeness) -> Vec<String> {
    let kind = find(kind.0, kind.1).unwrap_or_else(|| panic!("{kind:?}"));
    problems(kind, object, completeness).into_iter().map(|one| format!("{}: {}", one.path, one.message)).collect()
}

#[test]
fn objects_that_are_not_whole_miss_nothing() {
    let check = |kind: (&str, &str), object: Json, whole: usize| {
        assert_eq!(found(kind, &object, Completeness::Partial), Vec::<String>::new(), "{object}");
        assert_eq!(found(kind, &object, Completeness::Whole).len(), whole, "{object}");
    };
    check(("v1", "Secret"), json!({ "type": "kubernetes.io/tls" }), 2);
    check(("v1", "PersistentVolume"), json!({ "spec": {} }), 4);
    check(("networking.k8s.io/v1", "IngressClass"), json!({ "spec": {} }), 1);
    check(("rbac.authorization.k8s.io/v1", "Role"), json!({ "rules": [{}] }), 3);
    check(("apps/v1", "Deployment"), json!({ "spec": { "template": { "spec": { "dnsPolicy": "None" } } } }), 1);
}

#[test]
fn values_of_fields() {
    let check = |kind: (&str, &str), object: Json, expect: &str| {
        let found = found(kind, &object, Completeness::Partial);
        assert!(matches!(&found[..], [one] if one.starts_with(expect)), "{object}: {found:?}");
    };
    let deployment = ("apps/v1", "Deployment");
    let pod = |spec: Json| json!({ "spec": { "template": { "spec": spec } } });
    check(
        deployment,
        pod(json!({ "volumes": [{ "name": "v", "secret": { "defaultMode": 512 } }] })),
        "spec.template.spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777",
    );
    check(
        deployment,
        pod(json!({ "containers": [{ "imagePullPolicy": "Sometimes" }] })),
        "spec.template.spec.containers[0].imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", ",
    );
    check(
        deployment,
        pod(json!({ "nodeSelector": { "a": "b c" } })),
        "spec.template.spec.nodeSelector: Invalid value: \"b c\": a valid label must be an empty string or consist of",
    );
    check(
        ("batch/v1", "CronJob"),
        json!({ "spec": { "schedule": "61 * * * *" } }),
        "spec.schedule: Invalid value: \"61 * * * *\": end of range (61) above maximum (59): 61",
    );
    check(
        ("v1", "Service"),
        json!({ "spec": { "type": "Foo" } }),
        "spec.type: Unsupported value: \"Foo\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\"",
    );
    check(
        ("networking.k8s.io/v1", "Ingress"),
        json!({ "spec": { "rules": [{ "host": "a.*.b" }] } }),
        "spec.rules[0].host: Invalid value: \"a.*.b\": a wildcard DNS-1123 subdomain must start with '*.'",
    );
}

#[test]
fn schedules() {
    let check = |schedule: &str, good: bool| assert_eq!(limits::cron(schedule).is_none(), good, "{schedule}");
    for good in ["* * * * *", "*/5 0-6 1,15 jan-mar mon", "0 0 31 12 6", "@daily", "@every 1h", "0/15 * ? * *"] {
        check(good, true);
    }
    for bad in
        ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * x", "*/0 * * * *", "@often"]
    {
        check(bad, false);
    }
}

#[test]
fn schemas_of_custom_resources() {
    let check = |schema: Json, value: Json, expect: &[&str]| {
        let schema = json!({ "type": "object", "properties": { "spec": schema } });
        let found = validate(&schema, &json!({ "spec": value }), None);
        let found: Vec<String> = found.into_iter().map(|one| format!("{}: {}", one.path, one.message)).collect();
        assert_eq!(found, expect, "{schema}");
    };
    check(
        json!({ "type": "integer", "minimum": 1, "exclusiveMinimum": true }),
        json!(1),
        &["spec: Invalid value: 1: spec in body should be greater than 1"],
    );
    check(
        json!({ "type": "object", "additionalProperties": { "type": "string", "minLength": 1 } }),
        json!({ "a": "" }),
        &["spec[a]: Invalid value: \"\": spec[a] in body should be at least 1 chars long"],
    );
    check(
        json!({ "type": "object", "oneOf": [{ "required": ["a"] }, { "required": ["b"] }] }),
        json!({ "a": 1, "b": 1 }),
        &[
            "spec: Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found 2 valid alternatives",
        ],
    );
    check(json!({ "type": "string", "format": "date-time" }), json!("2024-01-02T03:04:05Z"), &[]);
    check(
        json!({ "type": "string", "enum": ["a"], "x-kubernetes-validations": [{ "rule": "true" }] }),
        json!("b"),
        &[
            "spec: Unsupported value: \"b\": supported values: \"a\"",
            "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
        ],
    );
}
