//! Which object of the cluster a resource stands for, by its type and its attributes alone: what is planned, and what state has.
//!
//! Resource types are told by the names that Terraform's provider gives them (`kubernetes_stateful_set_v1`), so that it does not matter
//! who serves them. Not here: objects that something makes later, such as the workloads of a chart ([`makes_others`] names what may).

use std::fmt;

use crate::client::kube::types;
use crate::value::Value;

use super::subject::ObjectName;

/// The object that a resource stands for.
#[derive(Clone, Debug)]
pub struct Made {
    /// Group and kind; `None` for a manifest that is not known yet.
    kind: Option<(String, String)>,
    /// `None` while it is not known.
    namespace: Option<String>,
    /// `None` while it is not known.
    name: Option<String>,
}

/// Whether a resource stands for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It does not.
    No,
    /// That is not known yet.
    Maybe,
    /// It does.
    Yes,
}

impl Made {
    /// The object of a resource; `None` for types that stand for no object of a cluster.
    pub fn of(resource_type: &str, object: &Value) -> Option<Made> {
        let text =
            |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let (kind, object) = if resource_type == "kubernetes_manifest" {
            let manifest = object.get("manifest").filter(|manifest| !manifest.is_null())?;
            let api_version = text(manifest.get("apiVersion"));
            let group = api_version.map(|version| version.split_once('/').map_or("", |(group, _)| group).to_owned());
            (group.zip(text(manifest.get("kind"))), manifest)
        } else {
            (Some(typed_kind(resource_type)?), object)
        };
        let Some(meta) = first(object, &["metadata"]) else {
            return Some(Made { kind, namespace: None, name: None });
        };
        let namespace = match meta.get("namespace") {
            Some(namespace) if !namespace.is_known() => None,
            namespace => Some(text(namespace).unwrap_or_else(|| "default".to_owned())),
        };
        let namespace = if meta.is_known() { namespace } else { None };
        Some(Made { kind, namespace, name: text(meta.get("name")) })
    }

    /// Whether it is this object.
    pub fn fits(&self, wanted: &ObjectName) -> Fit {
        let same = |own: Option<&str>, other: &str| match own {
            Some(own) if own == other => Fit::Yes,
            Some(_) => Fit::No,
            None => Fit::Maybe,
        };
        let kind = match &self.kind {
            Some((group, kind)) if group == wanted.group() && *kind == wanted.kind => Fit::Yes,
            Some(_) => Fit::No,
            None => Fit::Maybe,
        };
        let namespace = match (&wanted.namespace, types::find(&wanted.api_version, &wanted.kind)) {
            (None, Some(_)) => Fit::Yes,
            (namespace, _) => same(self.namespace.as_deref(), namespace.as_deref().unwrap_or("default")),
        };
        kind.min(namespace).min(same(self.name.as_deref(), &wanted.name))
    }

    /// `apps/web`, if it is another object of this kind: what may have been meant.
    pub fn alike(&self, wanted: &ObjectName) -> Option<String> {
        let (group, kind) = self.kind.as_ref()?;
        if group != wanted.group() || *kind != wanted.kind {
            return None;
        }
        Some(
            ObjectName {
                namespace: wanted.namespace.as_ref().and(self.namespace.clone()),
                name: self.name.clone()?,
                ..wanted.clone()
            }
            .place(),
        )
    }

    /// Whether it is a workload in this namespace.
    pub fn is_workload_in(&self, namespace: Option<&str>) -> bool {
        const WORKLOADS: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod"];
        self.kind.as_ref().is_some_and(|(_, kind)| WORKLOADS.contains(&kind.as_str()))
            && self.namespace.as_deref().is_none_or(|own| namespace.is_none_or(|namespace| own == namespace))
    }

    /// Whether nobody but the resource itself makes it: a kind that a definition brought has a program behind it that makes more, and
    /// a job is a program too.
    fn is_all_there_is(&self) -> bool {
        const PROGRAMS: [&str; 3] = ["Job", "CronJob", "CustomResourceDefinition"];
        self.kind.as_ref().is_some_and(|(group, kind)| {
            !PROGRAMS.contains(&kind.as_str())
                && types::builtin().iter().any(|known| known.group == *group && known.kind == *kind)
        })
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.as_ref().map_or("an object", |(_, kind)| kind);
        let name = self.name.as_deref().unwrap_or("(not known yet)");
        match &self.namespace {
            Some(namespace) => write!(f, "{kind} {namespace}/{name}"),
            None => write!(f, "{kind} {name}"),
        }
    }
}

/// In which namespaces a resource may make objects that no resource stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// It makes none.
    None,
    /// In one of the cluster's own.
    System,
    /// Anywhere.
    Anywhere,
}

/// What a resource of this type may make beside what it stands for: a chart its workloads, an operator what it is told to.
pub fn makes_others(resource_type: &str, made: Option<&Made>) -> Others {
    const HARMLESS: [&str; 9] =
        ["random_", "time_", "tls_", "local_", "null_", "archive_", "terraform_data", "cloudflare_", "dns_"];
    match made {
        Some(made) if made.is_all_there_is() => Others::None,
        Some(_) => Others::Anywhere,
        None if HARMLESS.iter().any(|start| resource_type.starts_with(start)) => Others::None,
        // Labels, annotations, the data of one object: changes of what is there.
        None if resource_type.starts_with("kubernetes_") => Others::None,
        None if resource_type == "k3s_server" => Others::System,
        None => Others::Anywhere,
    }
}

/// Whether a workload's pods carry the labels that a service selects; `None` when the service selects by none that are known.
pub fn is_behind(service: &Value, workload: &Value) -> Option<bool> {
    let selector =
        first(service, &["spec", "selector"]).and_then(Value::as_entries).filter(|entries| !entries.is_empty())?;
    let labels = first(workload, &["spec", "template", "metadata", "labels"])
        .or_else(|| first(workload, &["metadata", "labels"]));
    let Some(labels) = labels.filter(|labels| labels.is_known()) else { return Some(labels.is_some()) };
    Some(selector.iter().all(|(name, value)| {
        labels.get(name).is_some_and(|label| !label.is_known() || !value.is_known() || label.as_str() == value.as_str())
    }))
}

/// What stands at a path, in a block (of which the first counts) or in an object; a manifest is looked into.
fn first<'v>(object: &'v Value, path: &[&str]) -> Option<&'v Value> {
    let mut at = object.get("manifest").filter(|manifest| !manifest.is_null()).unwrap_or(object);
    for step in path {
        at = at.get(step)?;
        if let Some(items) = at.as_items() {
            at = items.first()?;
        }
    }
    Some(at)
}

/// Whether objects of a resource type may be this one, whatever their attributes.
pub fn stands_for(resource_type: &str, object: &ObjectName) -> bool {
    resource_type == "kubernetes_manifest"
        || typed_kind(resource_type).is_some_and(|(group, kind)| group == object.group() && kind == object.kind)
}

/// The kind behind a resource type: `kubernetes_stateful_set_v1` is a StatefulSet.
fn typed_kind(resource_type: &str) -> Option<(String, String)> {
    let plain = resource_type.strip_prefix("kubernetes_")?;
    let plain = match plain.rsplit_once("_v") {
        Some((plain, version))
            if version.starts_with(|first: char| first.is_ascii_digit()) && !version.contains('_') =>
        {
            plain
        }
        Some(_) | None => plain,
    };
    let plain = plain.replace('_', "");
    let kind = types::builtin().iter().find(|kind| kind.kind.eq_ignore_ascii_case(&plain))?;
    Some((kind.group.clone(), kind.kind.clone()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::value::from_json;

    fn value(json: &str) -> Value {
        from_json(json.as_bytes()).unwrap()
    }

    #[test]
    fn resources_stand_for_objects() {
        let named = r#"{"metadata": [{"name": "web", "namespace": "apps"}]}"#;
        let manifest = |api: &str, kind: &str| {
            format!(
                r#"{{"manifest": {{"apiVersion": "{api}", "kind": "{kind}", "metadata": {{"name": "web", "namespace": "apps"}}}}}}"#
            )
        };
        for (resource_type, object, api_version, kind, fit) in [
            ("kubernetes_deployment", named, "apps/v1", "Deployment", Fit::Yes),
            ("kubernetes_deployment_v1", named, "apps/v1", "Deployment", Fit::Yes),
            ("kubernetes_stateful_set_v1", named, "apps/v1", "StatefulSet", Fit::Yes),
            ("kubernetes_daemonset", named, "apps/v1", "DaemonSet", Fit::Yes),
            ("kubernetes_horizontal_pod_autoscaler_v2", named, "autoscaling/v2", "HorizontalPodAutoscaler", Fit::Yes),
            ("kubernetes_ingress_v1", named, "networking.k8s.io/v1", "Ingress", Fit::Yes),
            ("kubernetes_namespace", r#"{"metadata": [{"name": "web"}]}"#, "v1", "Namespace", Fit::Yes),
            ("kubernetes_service", named, "apps/v1", "Deployment", Fit::No),
            ("kubernetes_service", named, "serving.knative.dev/v1", "Service", Fit::No),
            ("kubernetes_service", r#"{"metadata": [{"name": "web"}]}"#, "v1", "Service", Fit::No),
            (
                "kubernetes_service",
                r#"{"metadata": [{"generate_name": "w", "namespace": "apps"}]}"#,
                "v1",
                "Service",
                Fit::Maybe,
            ),
            (
                "kubernetes_service",
                r#"{"metadata": [{"name": "other", "namespace": "apps"}]}"#,
                "v1",
                "Service",
                Fit::No,
            ),
            ("kubernetes_manifest", &manifest("v1", "Service"), "v1", "Service", Fit::Yes),
            ("kubernetes_manifest", &manifest("a.b/v1", "Thing"), "a.b/v2", "Thing", Fit::Yes),
            ("kubernetes_manifest", &manifest("a.b/v1", "Thing"), "v1", "Service", Fit::No),
        ] {
            let made = Made::of(resource_type, &value(object)).unwrap();
            let wanted = ObjectName::new(api_version, kind, Some("apps"), "web");
            assert_eq!(made.fits(&wanted), fit, "{resource_type} {object}");
        }
        let unknown = Value::object([("manifest", Value::unknown(crate::value::Type::Any))]);
        let wanted = ObjectName::new("v1", "Service", Some("apps"), "web");
        assert_eq!(Made::of("kubernetes_manifest", &unknown).unwrap().fits(&wanted), Fit::Maybe);
        for other in ["kubernetes_labels", "kubernetes_config_map_v1_data", "helm_release", "random_pet"] {
            assert!(Made::of(other, &value(named)).is_none(), "{other}");
        }
    }

    #[test]
    fn charts_operators_and_programs_make_more_than_themselves() {
        let manifest = |api: &str, kind: &str| {
            value(&format!(
                r#"{{"manifest": {{"apiVersion": "{api}", "kind": "{kind}", "metadata": {{"name": "a"}}}}}}"#
            ))
        };
        for (resource_type, object, others) in [
            ("kubernetes_deployment", value(r#"{"metadata": [{"name": "a"}]}"#), Others::None),
            ("kubernetes_job_v1", value(r#"{"metadata": [{"name": "a"}]}"#), Others::Anywhere),
            ("kubernetes_manifest", manifest("v1", "ConfigMap"), Others::None),
            ("kubernetes_manifest", manifest("postgresql.cnpg.io/v1", "Cluster"), Others::Anywhere),
            ("kubernetes_labels", value("{}"), Others::None),
            ("helm_release", value("{}"), Others::Anywhere),
            ("ssh_exec", value("{}"), Others::Anywhere),
            ("k3s_server", value("{}"), Others::System),
            ("random_password", value("{}"), Others::None),
            ("terraform_data", value("{}"), Others::None),
        ] {
            let made = Made::of(resource_type, &object);
            assert_eq!(makes_others(resource_type, made.as_ref()), others, "{resource_type}");
        }
    }

    #[test]
    fn a_service_has_the_workload_that_it_selects() {
        let service = value(r#"{"spec": [{"selector": {"app": "web"}}]}"#);
        let workload = |labels: &str| {
            value(&format!(r#"{{"spec": [{{"template": [{{"metadata": [{{"labels": {labels}}}]}}]}}]}}"#))
        };
        assert_eq!(is_behind(&service, &workload(r#"{"app": "web", "tier": "x"}"#)), Some(true));
        assert_eq!(is_behind(&service, &workload(r#"{"app": "db"}"#)), Some(false));
        assert_eq!(is_behind(&service, &value(r#"{"metadata": [{"labels": {"app": "web"}}]}"#)), Some(true));
        assert_eq!(is_behind(&service, &value("{}")), Some(false));
        assert_eq!(is_behind(&value(r#"{"spec": [{}]}"#), &workload(r#"{"app": "web"}"#)), None);
        let manifest = value(r#"{"manifest": {"spec": {"selector": {"app": "web"}}}}"#);
        assert_eq!(is_behind(&manifest, &workload(r#"{"app": "web"}"#)), Some(true));
    }
}
