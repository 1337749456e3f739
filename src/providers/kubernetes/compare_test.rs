use super::*;
use crate::providers::kubernetes::object::api_type;
use crate::providers::kubernetes::table::table;
use crate::value::{Entries, Str, Type};

/// A block that has one thing in it: `spec.resources.requests`, with `[]` where the path goes on in a list of the API.
fn of(fields: &Fields, path: &[&str], leaf: &Value) -> Value {
    let Some((name, rest)) = path.split_first() else { return leaf.clone() };
    let parts = fields.entries.iter().map(|entry| {
        let value = match &entry.what {
            What::Attribute { .. } if entry.name == *name => leaf.clone(),
            What::Attribute { attribute, .. } => Value::Null(attribute.ty.clone()),
            What::Block { fields, .. } if entry.name == *name => Value::list(fields.ty(), vec![of(fields, rest, leaf)]),
            What::Block { fields, .. } => Value::list(fields.ty(), vec![]),
        };
        (Str::from(entry.name), value)
    });
    Value::Object(parts.collect())
}

/// What is at the end of a path, through the first of each block.
fn leaf(value: &Value, path: &[&str]) -> Value {
    let at = path.iter().try_fold(value.clone(), |value, step| match value.as_items() {
        Some(items) => items.first()?.get(step).cloned(),
        None => value.get(step).cloned(),
    });
    at.unwrap()
}

/// The type of an attribute.
fn type_at(fields: &Fields, path: &[&str]) -> Type {
    match (&fields.entry(path[0]).unwrap().what, &path[1..]) {
        (What::Attribute { attribute, .. }, []) => attribute.ty.clone(),
        (What::Block { fields, .. }, rest) => type_at(fields, rest),
        (What::Attribute { .. }, _) => panic!("{path:?}"),
    }
}

fn amounts(text: &str) -> Value {
    Value::map(Type::String, Entries::from_iter([(Str::from("memory"), Value::from(text))]))
}

const POD: &str = "spec.template.spec";

#[test]
fn equal_amounts_are_no_change_wherever_the_api_has_quantities() {
    let workload = |rest: &str| format!("{POD}.{rest}");
    let places: Vec<(&str, String, bool)> = vec![
        ("kubernetes_deployment_v1", workload("container.resources.limits"), true),
        ("kubernetes_deployment_v1", workload("container.resources.requests"), true),
        ("kubernetes_stateful_set_v1", workload("init_container.resources.limits"), true),
        ("kubernetes_daemon_set_v1", workload("volume.empty_dir.size_limit"), false),
        ("kubernetes_daemon_set_v1", workload("container.env.value_from.resource_field_ref.divisor"), false),
        ("kubernetes_deployment_v1", workload("volume.downward_api.items.resource_field_ref.divisor"), false),
        (
            "kubernetes_deployment_v1",
            workload("volume.projected.sources.downward_api.items.resource_field_ref.divisor"),
            false,
        ),
        ("kubernetes_deployment_v1", workload("volume.ephemeral.volume_claim_template.spec.resources.requests"), true),
        ("kubernetes_stateful_set_v1", "spec.volume_claim_template.spec.resources.requests".into(), true),
        ("kubernetes_stateful_set_v1", "spec.volume_claim_template.spec.resources.limits".into(), true),
        ("kubernetes_job_v1", workload("container.resources.limits"), true),
        ("kubernetes_cron_job_v1", "spec.job_template.spec.template.spec.container.resources.limits".into(), true),
        ("kubernetes_pod_v1", "spec.container.resources.requests".into(), true),
        ("kubernetes_persistent_volume_claim_v1", "spec.resources.requests".into(), true),
        ("kubernetes_persistent_volume_claim_v1", "spec.resources.limits".into(), true),
        ("kubernetes_persistent_volume_v1", "spec.capacity".into(), true),
        ("kubernetes_resource_quota_v1", "spec.hard".into(), true),
        ("kubernetes_limit_range_v1", "spec.limit.default".into(), true),
        ("kubernetes_limit_range_v1", "spec.limit.default_request".into(), true),
        ("kubernetes_limit_range_v1", "spec.limit.max".into(), true),
        ("kubernetes_limit_range_v1", "spec.limit.min".into(), true),
        ("kubernetes_limit_range_v1", "spec.limit.max_limit_request_ratio".into(), true),
        ("kubernetes_horizontal_pod_autoscaler_v2", "spec.metric.resource.target.average_value".into(), false),
        ("kubernetes_horizontal_pod_autoscaler_v2", "spec.metric.external.target.value".into(), false),
        ("kubernetes_horizontal_pod_autoscaler_v2", "spec.metric.pods.target.average_value".into(), false),
        ("kubernetes_horizontal_pod_autoscaler_v2", "spec.metric.object.target.value".into(), false),
        ("kubernetes_horizontal_pod_autoscaler_v2", "spec.metric.container_resource.target.value".into(), false),
    ];
    for (kind, path, is_map) in places {
        let resource = &table().resources[kind];
        let steps: Vec<&str> = path.split('.').collect();
        let block = |text: &str| {
            let leaf = if is_map { amounts(text) } else { Value::from(text) };
            of(&resource.fields, &steps, &leaf)
        };
        for (state, written, equal) in [
            ("1024Mi", "1Gi", true),
            ("1Gi", "1073741824", true),
            ("1", "1000m", true),
            ("500m", "0.5", true),
            ("1k", "1e3", true),
            ("1000", "1E3", true),
            ("0", "0Gi", true),
            ("1Gi", "1G", false),
            ("1", "1001m", false),
            ("much", "more", false),
        ] {
            let (prior, value) = (block(state), block(written));
            let settled = planned(&resource.fields, &prior, &value, &api_type(resource));
            assert_eq!(
                leaf(&settled, &steps),
                leaf(if equal { &prior } else { &value }, &steps),
                "{kind} {path}: {written} for {state}"
            );
        }
    }
}

#[test]
fn a_changed_map_keeps_the_form_of_what_has_not_changed() {
    let resource = &table().resources["kubernetes_resource_quota_v1"];
    let hard = |entries: &[(&str, &str)]| {
        let entries = entries.iter().map(|(key, value)| (Str::from(*key), Value::from(*value)));
        of(&resource.fields, &["spec", "hard"], &Value::map(Type::String, Entries::from_iter(entries)))
    };
    let prior = hard(&[("memory", "1024Mi"), ("pods", "3")]);
    let value = hard(&[("memory", "1Gi"), ("pods", "4"), ("cpu", "1000m")]);
    let expect = hard(&[("memory", "1024Mi"), ("pods", "4"), ("cpu", "1000m")]);
    let path = ["spec", "hard"];
    assert_eq!(leaf(&planned(&resource.fields, &prior, &value, &api_type(resource)), &path), leaf(&expect, &path));
    // What is no quantity is compared as text.
    let labels = |text: &str| {
        let map = Value::map(Type::String, Entries::from_iter([(Str::from("a"), Value::from(text))]));
        of(&resource.fields, &["metadata", "labels"], &map)
    };
    let (prior, value) = (labels("1Gi"), labels("1024Mi"));
    let path = ["metadata", "labels"];
    assert_eq!(leaf(&planned(&resource.fields, &prior, &value, &api_type(resource)), &path), leaf(&value, &path));
}

#[test]
fn what_is_not_written_has_the_default_of_the_provider() {
    for (kind, path, default) in [
        ("kubernetes_ingress_v1", "spec.rule.http.path.path_type", "\"ImplementationSpecific\""),
        ("kubernetes_job_v1", "spec.template.spec.restart_policy", "\"Never\""),
        ("kubernetes_cron_job_v1", "spec.job_template.spec.template.spec.restart_policy", "\"Never\""),
        ("kubernetes_deployment_v1", "spec.template.spec.restart_policy", "\"Always\""),
        ("kubernetes_pod_v1", "spec.restart_policy", "\"Always\""),
        ("kubernetes_job_v1", "spec.pod_failure_policy.rule.on_pod_condition.status", "\"True\""),
        (
            "kubernetes_cron_job_v1",
            "spec.job_template.spec.pod_failure_policy.rule.on_pod_condition.status",
            "\"True\"",
        ),
        ("kubernetes_deployment_v1", "spec.template.spec.share_process_namespace", "false"),
        ("kubernetes_stateful_set_v1", "spec.template.spec.toleration.operator", "\"Equal\""),
        ("kubernetes_job_v1", "spec.template.spec.toleration.operator", "\"Equal\""),
        ("kubernetes_persistent_volume_v1", "spec.volume_mode", "\"Filesystem\""),
        ("kubernetes_persistent_volume_v1", "spec.claim_ref.namespace", "\"default\""),
        ("kubernetes_persistent_volume_v1", "spec.persistent_volume_source.iscsi.iscsi_interface", "\"default\""),
        ("kubernetes_persistent_volume_v1", "spec.persistent_volume_source.rbd.rados_user", "\"admin\""),
        ("kubernetes_persistent_volume_v1", "spec.persistent_volume_source.rbd.rbd_pool", "\"rbd\""),
        ("kubernetes_pod_v1", "spec.volume.iscsi.iscsi_interface", "\"default\""),
        ("kubernetes_pod_v1", "spec.volume.rbd.rados_user", "\"admin\""),
        ("kubernetes_pod_v1", "spec.volume.rbd.rbd_pool", "\"rbd\""),
        ("kubernetes_priority_class_v1", "preemption_policy", "\"PreemptLowerPriority\""),
        ("kubernetes_priority_class_v1", "global_default", "false"),
        ("kubernetes_priority_class_v1", "description", "\"\""),
        ("kubernetes_stateful_set_v1", "spec.volume_claim_template.metadata.namespace", "\"default\""),
        ("kubernetes_stateful_set_v1", "spec.persistent_volume_claim_retention_policy.when_deleted", "\"Retain\""),
        ("kubernetes_stateful_set_v1", "spec.persistent_volume_claim_retention_policy.when_scaled", "\"Retain\""),
        ("kubernetes_cron_job_v1", "spec.starting_deadline_seconds", "0"),
        ("kubernetes_daemon_set_v1", "spec.strategy.rolling_update.max_surge", "\"0\""),
        ("kubernetes_daemon_set_v1", "spec.strategy.rolling_update.max_unavailable", "\"1\""),
        ("kubernetes_deployment_v1", "spec.strategy.rolling_update.max_surge", "\"25%\""),
        ("kubernetes_horizontal_pod_autoscaler_v2", "spec.min_replicas", "1"),
        ("kubernetes_horizontal_pod_autoscaler_v2", "spec.behavior.scale_up.select_policy", "\"Max\""),
        ("kubernetes_network_policy_v1", "spec.ingress.ports.protocol", "\"TCP\""),
        ("kubernetes_network_policy_v1", "spec.egress.ports.protocol", "\"TCP\""),
        ("kubernetes_role_binding_v1", "subject.namespace", "\"default\""),
        ("kubernetes_service_v1", "spec.port.protocol", "\"TCP\""),
    ] {
        let resource = &table().resources[kind];
        let fields = &resource.fields;
        let steps: Vec<&str> = path.split('.').collect();
        let written = of(fields, &steps, &Value::Null(type_at(fields, &steps)));
        let made =
            |prior: &Value| format!("{:?}", leaf(&planned(fields, prior, &written, &api_type(resource)), &steps));
        assert_eq!(made(&Value::NULL), default, "{kind} {path}");
    }
}

#[test]
fn nothing_and_zero_are_the_same_and_what_the_server_decides_stays() {
    let (none, text) = (|| Value::Null(Type::String), |text: &str| Value::from(text));
    let service = &table().resources["kubernetes_service_v1"];
    let config_map = &table().resources["kubernetes_config_map_v1"];
    for (resource, path, prior, config, expect) in [
        // Optional: `external_name`; optional and computed: `cluster_ip`.
        (service, "spec.external_name", text(""), none(), text("")),
        (service, "spec.external_name", none(), text(""), none()),
        (service, "spec.external_name", text("a"), none(), none()),
        (service, "spec.external_name", text("a"), text("b"), text("b")),
        (service, "spec.cluster_ip", text("10.0.0.1"), none(), text("10.0.0.1")),
        (service, "spec.cluster_ip", text("10.0.0.1"), text("None"), text("None")),
        (service, "spec.type", text("ClusterIP"), none(), text("ClusterIP")),
        (service, "spec.type", text("NodePort"), none(), text("ClusterIP")),
        (config_map, "immutable", Value::Bool(false), Value::Null(Type::Bool), Value::Bool(false)),
        (config_map, "immutable", Value::Null(Type::Bool), Value::Bool(false), Value::Null(Type::Bool)),
        (config_map, "immutable", Value::Bool(true), Value::Null(Type::Bool), Value::Null(Type::Bool)),
        (config_map, "data", amounts(""), amounts(""), amounts("")),
        (config_map, "metadata.generate_name", text(""), none(), text("")),
    ] {
        let steps: Vec<&str> = path.split('.').collect();
        let (before, wanted) = (of(&resource.fields, &steps, &prior), of(&resource.fields, &steps, &config));
        let value = planned(&resource.fields, &before, &wanted, &api_type(resource));
        assert_eq!(leaf(&value, &steps), expect, "{path}: {prior:?} and {config:?}");
    }
    // A new object waits for the server to decide.
    let new =
        planned(&service.fields, &Value::NULL, &of(&service.fields, &["spec", "type"], &none()), &api_type(service));
    assert!(!leaf(&new, &["spec", "cluster_ip"]).is_known());
}

#[test]
fn a_null_of_an_older_state_stays_where_the_api_has_nothing() {
    let map = |text: &str| Value::map(Type::String, Entries::from_iter([(Str::from("a"), Value::from(text))]));
    let object = |name: Value, labels: Value| {
        let meta = Value::object([("labels", labels), ("name", name)]);
        Value::object([("metadata", Value::list(meta.ty(), vec![meta]))])
    };
    let (null, empty) = (Value::Null(Type::map(Type::String)), Value::map(Type::String, Entries::new()));
    let prior = object(Value::Null(Type::String), null.clone());
    assert_eq!(with_prior_zeros(&prior, &object("".into(), empty.clone())), prior);
    assert_eq!(with_prior_zeros(&prior, &object("x".into(), map("1"))), object("x".into(), map("1")));
    // What was written is empty where null was planned; single values are the zeros that were read.
    assert_eq!(with_planned_nulls(&prior, &object("".into(), empty)), object("".into(), null));
}
