//! What a plan says of attributes that are not written, and of those that are written in another form.

use super::scalar::{same, to_json_of};
use super::table::{Field, Fields, What};
use crate::client::kube::types::Type as ApiType;
use crate::value::Value;

/// The value with the defaults of the table where nothing is configured. An object that was made without one, before the table had it,
/// stays without: many fields cannot be changed any more.
pub fn with_defaults(fields: &Fields, value: &Value, prior: Option<&Value>) -> Value {
    let Some(entries) = value.as_entries() else { return value.clone() };
    let filled = entries.map_values(|name, part| {
        let Some(entry) = fields.entry(name) else { return part.clone() };
        let before = prior.and_then(|prior| prior.get(name));
        match &entry.what {
            What::Attribute { default: Some(default), .. } if part.is_null() => {
                let made_without = entry.field.is_some() && before.is_some_and(Value::is_null);
                if made_without { part.clone() } else { default.clone() }
            }
            What::Block { fields, .. } => each(part, before, |item, before| with_defaults(fields, item, before)),
            What::Attribute { .. } => part.clone(),
        }
    });
    Value::Object(filled)
}

/// The value with quantities as state has them, where it has the same amounts: `1Gi` is `1024Mi`.
pub fn with_prior_quantities(fields: &Fields, api: &ApiType, value: &Value, prior: &Value) -> Value {
    let (Some(entries), false) = (value.as_entries(), prior.is_null()) else { return value.clone() };
    let settled = entries.map_values(|name, part| {
        let (Some(entry), Some(before)) = (fields.entry(name), prior.get(name)) else { return part.clone() };
        let api = match &entry.field {
            None => return part.clone(),
            Some(Field::Flat) => api.clone(),
            Some(Field::Named(field)) => api.child(field),
        };
        match &entry.what {
            What::Attribute { .. } => quantity(part, before, &api),
            What::Block { fields, .. } => {
                let element = match &api {
                    ApiType::List(list) => &list.element,
                    other => other,
                };
                each(part, Some(before), |item, before| match before {
                    Some(before) => with_prior_quantities(fields, element, item, before),
                    None => item.clone(),
                })
            }
        }
    });
    Value::Object(settled)
}

/// A quantity, or a map of quantities.
fn quantity(value: &Value, before: &Value, api: &ApiType) -> Value {
    match (value.bare(), api) {
        (Value::Map(map), ApiType::Map(_)) => {
            let kept = map.entries.map_values(|key, one| match before.get(key) {
                Some(before) => quantity(one, before, &api.child(key)),
                None => one.clone(),
            });
            Value::map(map.element.clone(), kept).mark(value.marks())
        }
        (Value::String(_) | Value::Number(_), ApiType::Quantity) if !before.is_null() && before.is_known() => {
            let form = |value: &Value| to_json_of(value, api, false);
            if same(&form(value), Some(&form(before)), api) {
                before.bare().clone().mark(value.marks())
            } else {
                value.clone()
            }
        }
        _ => value.clone(),
    }
}

/// The blocks of a list or set, each with the one that was in its place. Elements of a set have no place.
fn each(value: &Value, before: Option<&Value>, change: impl Fn(&Value, Option<&Value>) -> Value) -> Value {
    match value.bare() {
        Value::List(list) => {
            let before = before.and_then(Value::as_items).unwrap_or_default();
            let items = list.items.iter().enumerate().map(|(at, item)| change(item, before.get(at)));
            Value::list(list.element.clone(), items.collect())
        }
        Value::Set(set) => Value::set(set.element.clone(), set.items.iter().map(|item| change(item, None)).collect()),
        Value::Object(_) => change(value, before.filter(|before| !before.is_null())),
        _ => value.clone(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
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
                What::Block { fields, .. } if entry.name == *name => {
                    Value::list(fields.ty(), vec![of(fields, rest, leaf)])
                }
                What::Block { fields, .. } => Value::list(fields.ty(), vec![]),
            };
            (Str::from(entry.name), value)
        });
        Value::Object(parts.collect())
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
            (
                "kubernetes_deployment_v1",
                workload("volume.ephemeral.volume_claim_template.spec.resources.requests"),
                true,
            ),
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
                let settled = with_prior_quantities(&resource.fields, &api_type(resource), &value, &prior);
                assert_eq!(settled, if equal { prior } else { value }, "{kind} {path}: {written} for {state}");
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
        assert_eq!(with_prior_quantities(&resource.fields, &api_type(resource), &value, &prior), expect);
        // What is no quantity is compared as text.
        let labels = |text: &str| {
            let map = Value::map(Type::String, Entries::from_iter([(Str::from("a"), Value::from(text))]));
            of(&resource.fields, &["metadata", "labels"], &map)
        };
        let (prior, value) = (labels("1Gi"), labels("1024Mi"));
        assert_eq!(with_prior_quantities(&resource.fields, &api_type(resource), &value, &prior), value);
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
            let fields = &table().resources[kind].fields;
            let steps: Vec<&str> = path.split('.').collect();
            let written = of(fields, &steps, &Value::Null(type_at(fields, &steps)));
            let leaf = |value: &Value| {
                let at = steps.iter().try_fold(value.clone(), |value, step| match value.as_items() {
                    Some(items) => items.first()?.get(step).cloned(),
                    None => value.get(step).cloned(),
                });
                format!("{:?}", at.unwrap())
            };
            assert_eq!(leaf(&with_defaults(fields, &written, None)), default, "{kind} {path}");
            // An object that was made before the default was known keeps what it has; a new block of it does not.
            assert_eq!(leaf(&with_defaults(fields, &written, Some(&written))), leaf(&written), "{kind} {path}");
            if steps.len() > 1 {
                let before = of(fields, &["nothing"], &Value::NULL);
                assert_eq!(leaf(&with_defaults(fields, &written, Some(&before))), default, "{kind} {path}");
            }
        }
    }
}
