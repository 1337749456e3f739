//! What others change in the platform is shown, and put right; what is not ours is left alone.

use infra::client::kube::Write;
use infra::client::kube::types::find;
use serde_json::{Value, json};

use super::Platform;
use crate::conformance::kubernetes::whole::{lines, merge_patch, plan, planned};

/// Somebody's change of one object.
struct Drift {
    what: &'static str,
    version: &'static str,
    kind: &'static str,
    name: &'static str,
    /// Where the object stands in the configuration.
    object: &'static str,
    /// The change, as kubectl edit makes it.
    change: fn(&mut Value),
    /// Whether the metadata is somebody else's and stays.
    stays: bool,
}

const NEW_ENV: fn(&mut Value) = |object| {
    let containers = object["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap();
    containers[0]["env"] = json!([{ "name": "EVIL", "value": "1" }]);
};

/// `what, version, kind, name, object, change` in the order of [`Drift`].
const fn drift(
    what: &'static str,
    of: (&'static str, &'static str, &'static str),
    object: &'static str,
    change: fn(&mut Value),
) -> Drift {
    Drift { what, version: of.0, kind: of.1, name: of.2, object, change, stays: false }
}

const MIN: (&str, &str, &str) = ("apps/v1", "Deployment", "min");

const DRIFTS: [Drift; 12] = [
    drift("a new key", ("v1", "ConfigMap", "cm"), "kubernetes_config_map_v1.cm", |object| {
        object["data"]["zzz"] = json!("X");
    }),
    drift("another value", ("v1", "Secret", "s-opaque"), "kubernetes_secret_v1.opaque", |object| {
        object["data"]["user"] = json!("bWVkZGxlZA==");
    }),
    drift("a sidecar", MIN, "kubernetes_deployment_v1.min", |object| {
        let containers = object["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap();
        containers.push(json!({ "name": "side", "image": "busybox" }));
    }),
    drift("a new variable", MIN, "kubernetes_deployment_v1.min", NEW_ENV),
    drift("a label of the template", MIN, "kubernetes_deployment_v1.min", |object| {
        object["spec"]["template"]["metadata"]["labels"]["evil"] = json!("1");
    }),
    drift("a label taken away", ("v1", "ConfigMap", "cm"), "kubernetes_config_map_v1.cm", |object| {
        object["metadata"]["labels"] = json!({});
    }),
    drift("a new port", ("v1", "Service", "svc"), "kubernetes_service_v1.clusterip", |object| {
        object["spec"]["ports"].as_array_mut().unwrap().push(json!({ "name": "evil", "port": 666, "targetPort": 666 }));
    }),
    drift("more rights", ("rbac.authorization.k8s.io/v1", "Role", "role"), "kubernetes_role_v1.role", |object| {
        let rule = json!({ "apiGroups": [""], "resources": ["secrets"], "verbs": ["*"] });
        object["rules"].as_array_mut().unwrap().push(rule);
    }),
    drift(
        "a rule taken away",
        ("networking.k8s.io/v1", "NetworkPolicy", "np"),
        "kubernetes_network_policy_v1.np",
        |object| {
            object["spec"]["ingress"] = json!([]);
        },
    ),
    drift("a higher quota", ("v1", "ResourceQuota", "rq"), "kubernetes_resource_quota_v1.rq", |object| {
        object["spec"]["hard"]["pods"] = json!("5000");
    }),
    drift("a suspended job", ("batch/v1", "CronJob", "cron"), "kubernetes_cron_job_v1.cron", |object| {
        object["spec"]["suspend"] = json!(true);
    }),
    Drift {
        what: "an annotation of a controller",
        version: "apps/v1",
        kind: "Deployment",
        name: "full",
        object: "kubernetes_deployment_v1.full",
        change: |object| object["metadata"]["annotations"]["controller.kubernetes.io/note"] = json!("mine"),
        stays: true,
    },
];

impl Platform<'_> {
    /// Each drift by itself: the plan shows that object alone, and afterwards the live object is as before.
    pub async fn drifts(&self) {
        for drift in &DRIFTS {
            let before = self.live(drift.version, drift.kind, drift.name).await;
            let mut changed = before.clone();
            (drift.change)(&mut changed);
            assert_ne!(changed, before, "{}", drift.what);
            self.meddle(drift, &before, &changed).await;
            let changes = planned(&plan(&self.program, &self.args()));
            let objects: Vec<&str> = changes.iter().map(|change| change.object.as_str()).collect();
            if drift.stays {
                assert!(objects.is_empty(), "{}: {}", drift.what, lines(&changes));
                continue;
            }
            assert_eq!(objects, [drift.object], "{}: {}", drift.what, lines(&changes));
            assert_eq!(changes[0].action, "update", "{}: {}", drift.what, lines(&changes));
            self.apply();
            self.assert_nothing_planned(drift.what);
            let after = self.live(drift.version, drift.kind, drift.name).await;
            assert_eq!(owned(&after), owned(&before), "{}", drift.what);
        }
    }

    /// Writes the parts that differ, whole: a merge patch would keep keys that are gone.
    async fn meddle(&self, drift: &Drift, before: &Value, changed: &Value) {
        let patch = merge_patch(before, changed).unwrap();
        let kind = find(drift.version, drift.kind).unwrap();
        self.cluster.kube.merge(kind, Some(&self.namespace), drift.name, &patch, &Write::by("meddler")).await.unwrap();
    }
}

/// An object without what the server and its controllers keep in it.
fn owned(object: &Value) -> Value {
    let mut object = object.clone();
    object["status"] = Value::Null;
    for name in ["resourceVersion", "generation", "managedFields"] {
        object["metadata"][name] = Value::Null;
    }
    if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
        annotations.remove("deployment.kubernetes.io/revision");
    }
    object
}
