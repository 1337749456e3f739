use super::*;
use crate::providers::kubernetes::table::table;
use crate::value::{Type, from_json_typed};

/// A configuration of a resource type, of which only what differs from nothing is written.
fn config(kind: &str, json: &str) -> Value {
    fn whole(fields: &Fields, written: &Json) -> Json {
        let parts = fields.entries.iter().map(|entry| {
            let part = &written[entry.name];
            let value = match (&entry.what, part) {
                (What::Block { fields, .. }, Json::Array(items)) => {
                    items.iter().map(|item| whole(fields, item)).collect()
                }
                (What::Block { nesting: crate::schema::Nesting::Single, .. }, _) => Json::Null,
                (What::Block { .. }, _) => Json::Array(Vec::new()),
                (What::Attribute { .. }, part) => part.clone(),
            };
            (entry.name.to_owned(), value)
        });
        Json::Object(parts.collect())
    }
    let fields = match table().special.get(kind) {
        Some(special) => &special.fields,
        None => &table().resources[kind].fields,
    };
    let written = whole(fields, &serde_json::from_str(json).unwrap());
    from_json_typed(written.to_string().as_bytes(), &fields.ty()).unwrap()
}

/// What is found, with the path of the argument: `spec.0.type: expected …`.
fn found(kind: &str, json: &str) -> Vec<String> {
    let said = match table().special.get(kind) {
        Some(special) => validate_special(special, &config(kind, json)),
        None => validate(&table().resources[kind], &config(kind, json)),
    };
    let line = |one: &Diagnostic| {
        let detail = if one.detail.is_empty() { String::new() } else { format!("; {}", one.detail) };
        format!("{}: {}{detail}", one.argument.as_deref().unwrap_or_default(), one.summary)
    };
    said.iter().map(line).collect()
}

const POD: &str = r#"{"spec":[{"template":[{"spec":[POD]}]}]}"#;

fn pod(spec: &str) -> String {
    POD.replace("POD", spec)
}

#[test]
fn wrong_values_are_found_in_the_words_of_the_provider() {
    let service = "kubernetes_service_v1";
    let deployment = "kubernetes_deployment_v1";
    let container = |rest: &str| pod(&format!(r#"{{"container":[{{"name":"a",{rest}}}]}}"#));
    let path = "spec.0.template.0.spec.0";
    let cases: Vec<(&str, String, String)> = vec![
        (
            service,
            r#"{"spec":[{"type":"Foo"}]}"#.into(),
            r#"spec.0.type: expected spec.0.type to be one of ["ClusterIP" "ExternalName" "NodePort" "LoadBalancer"], got Foo"#.into(),
        ),
        (
            service,
            r#"{"spec":[{"ip_families":["IPv4","IPv5"]}]}"#.into(),
            r#"spec.0.ip_families: expected spec.0.ip_families.1 to be one of ["IPv4" "IPv6"], got IPv5"#.into(),
        ),
        (
            service,
            r#"{"spec":[{"session_affinity_config":[{"client_ip":[{"timeout_seconds":0}]}]}]}"#.into(),
            "spec.0.session_affinity_config.0.client_ip.0.timeout_seconds: expected spec.0.session_affinity_config.0.client_ip.0.timeout_seconds to be in the range (1 - 86400), got 0".into(),
        ),
        (
            service,
            r#"{"spec":[{"port":[{"port":70000}]}]}"#.into(),
            r#"spec.0.port.0.port: expected "spec.0.port.0.port" to be a valid port number, got: 70000"#.into(),
        ),
        (
            deployment,
            r#"{"spec":[{"strategy":[{"rolling_update":[{"max_surge":"a"}]}]}]}"#.into(),
            r#"spec.0.strategy.0.rolling_update.0.max_surge: expected value of spec.0.strategy.0.rolling_update.0.max_surge to match regular expression "^([0-9]+|[0-9]+%|)$", got a"#.into(),
        ),
        (
            deployment,
            pod(r#"{"restart_policy":"Sometimes"}"#),
            format!(r#"{path}.restart_policy: expected {path}.restart_policy to be one of ["Always"], got Sometimes"#),
        ),
        (
            deployment,
            container(r#""image_pull_policy":"Never","liveness_probe":[{"period_seconds":0}]"#),
            format!("{path}.container.0.liveness_probe.0.period_seconds: {path}.container.0.liveness_probe.0.period_seconds must be greater than 0"),
        ),
        (
            deployment,
            container(r#""resources":[{"limits":{"cpu":"1q"}}]"#),
            format!(
                "{path}.container.0.resources.0.limits: {path}.container.0.resources.0.limits.cpu (\"1q\"): quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            ),
        ),
        (
            "kubernetes_cron_job_v1",
            r#"{"spec":[{"schedule":"daily"}]}"#.into(),
            r#"spec.0.schedule: "spec.0.schedule" should be an valid Cron expression"#.into(),
        ),
        (
            "kubernetes_role_binding_v1",
            r#"{"subject":[{"kind":"Robot","name":"a"}]}"#.into(),
            r#"subject.0.kind: expected subject.0.kind to be one of ["User" "Group" "ServiceAccount"], got Robot"#.into(),
        ),
        (
            "kubernetes_secret_v1",
            r#"{"data":{"a":"b"},"data_wo":{"a":"b"}}"#.into(),
            r#"data_wo: Conflicting configuration arguments; "data_wo": conflicts with data"#.into(),
        ),
        (
            "kubernetes_secret_v1",
            r#"{"data_wo_revision":1}"#.into(),
            r#"data_wo_revision: Missing required argument; "data_wo_revision": all of `data_wo,data_wo_revision` must be specified"#.into(),
        ),
    ];
    for (kind, json, expect) in cases {
        assert_eq!(found(kind, &json), [expect], "{kind} {json}");
    }
}

#[test]
fn what_is_right_or_not_known_is_left_alone() {
    let right = [
        ("kubernetes_config_map_v1", r#"{"metadata":[{"name":"a.b","labels":{"example.com/a":""}}],"data":{"A":"b"}}"#),
        (
            "kubernetes_service_v1",
            r#"{"spec":[{"type":"ClusterIP","cluster_ip":"None","port":[{"port":80,"node_port":0}]}]}"#,
        ),
        ("kubernetes_cluster_role_v1", r#"{"metadata":[{"name":"system:a"}]}"#),
    ];
    for (kind, json) in right {
        assert_eq!(found(kind, json), Vec::<String>::new(), "{kind} {json}");
    }
    let resource = &table().resources["kubernetes_config_map_v1"];
    let unknown = Value::unknown(resource.fields.ty());
    assert!(validate(resource, &unknown).is_empty());
    let Value::Object(entries) = config("kubernetes_secret_v1", r#"{"data_wo":{"a":"b"}}"#) else { panic!() };
    let entries = entries.with("data", Value::unknown(Type::map(Type::String)));
    assert!(validate(&table().resources["kubernetes_secret_v1"], &Value::Object(entries)).is_empty());
}

#[test]
fn what_is_there_twice_is_told() {
    let twice = |rest: &str| found("kubernetes_pod_v1", &format!(r#"{{"spec":[{{{rest}}}]}}"#));
    let env = twice(r#""container":[{"name":"a","env":[{"name":"A","value":"1"},{"name":"B"},{"name":"A"}]}]"#);
    assert_eq!(env.len(), 1);
    assert!(env[0].contains("env.2 has the same name \"A\" as an element before it"), "{env:?}");
    let ports =
        r#"[{"container_port":80},{"container_port":80,"protocol":"TCP"},{"container_port":80,"protocol":"UDP"}]"#;
    assert_eq!(twice(&format!(r#""container":[{{"name":"a","port":{ports}}}]"#)).len(), 1);
    assert_eq!(twice(r#""host_aliases":[{"ip":"10.0.0.1"},{"ip":"10.0.0.1"}]"#).len(), 1);
    assert_eq!(twice(r#""container":[{"name":"a","env":[{"name":"A"},{"name":"B"}]}]"#), Vec::<String>::new());
}

#[test]
fn parts_need_what_they_are_part_of() {
    let env = |json: &str| found("kubernetes_env", json);
    assert_eq!(env(r#"{"kind":"deployment","container":"a","env":[{"name":"A"}]}"#), Vec::<String>::new());
    assert_eq!(
        env(r#"{"kind":"Deployment"}"#),
        [
            r#"container: Invalid combination of arguments; "container": one of `container,init_container` must be specified"#,
            r#"init_container: Invalid combination of arguments; "init_container": one of `container,init_container` must be specified"#,
        ]
    );
    let annotations = |json: &str| found("kubernetes_annotations", json);
    assert_eq!(annotations(r#"{"annotations":{"a":"b"}}"#), Vec::<String>::new());
    assert_eq!(
        annotations(r#"{"annotations":{"a":"b"},"field_manager":" "}"#),
        [r#"field_manager: expected "field_manager" to not be an empty string or whitespace"#]
    );
    assert_eq!(annotations("{}").len(), 2);
}

#[test]
fn blocks_of_another_version_are_refused() {
    let found = found("kubernetes_horizontal_pod_autoscaler", r#"{"spec":[{"metric":[{"type":"Resource"}]}]}"#);
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with("use the resource type kubernetes_horizontal_pod_autoscaler_v2."), "{found:?}");
}

#[test]
fn every_rule_of_the_table_is_one() {
    let words = [
        "enum=",
        "anycase=",
        "exactly=",
        "some=",
        "between=",
        "least=",
        "floor=",
        "pattern=",
        "check=",
        "conflicts=",
        "with=",
    ];
    for word in include_str!("kinds.txt").lines().filter(|line| line.starts_with(' ')).flat_map(|line| line.split(' '))
    {
        if words.iter().any(|rule| word.starts_with(rule)) {
            let rule = Rule::parse(word);
            assert!(rule.is_some(), "{word}");
            if let Some(Rule::Pattern(pattern)) = rule {
                assert!(Regex::new(pattern).is_ok(), "{pattern}");
            }
        }
    }
}
