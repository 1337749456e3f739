//! The cases. Each runs in both worlds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use infra::client::kube::types::find;
use infra::client::kube::{Apply, KubeError, Write};
use infra::provider::{Now, Recovered};
use infra::value::Value;
use serde_json::json;

use super::{Thing, World};

mod manifests;

use manifests::{
    creations_that_were_cut_off, imported_manifests, manifests_of_older_versions, objects_of_any_kind,
    owners_of_manifests, planned_manifests,
};

/// A test in each world for every case.
macro_rules! in_both_worlds {
    ($($case:ident),* $(,)?) => {
        mod sandbox {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(&super::World::sandbox().await).await;
                }
            )*
        }
        mod real {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    let Some(world) = super::World::real().await else { return };
                    super::$case(&world).await;
                    world.finish().await;
                }
            )*
        }
    };
}

pub(super) use in_both_worlds;

in_both_worlds![
    config_maps,
    secrets,
    services,
    deployments,
    stateful_sets,
    kinds_of_the_table,
    manifests,
    definitions_and_their_objects,
    keys_of_others,
    keys_of_others_that_are_left_to_them,
    equal_amounts,
    defaults_of_the_provider,
    refusals,
    replacements,
    recovery,
    objects_on_their_way_out,
    import_and_data,
    namespaces,
    waits_that_fail_explain_themselves,
    tokens,
    owners_of_manifests,
    manifests_of_older_versions,
    planned_manifests,
    imported_manifests,
    creations_that_were_cut_off,
    objects_of_any_kind,
];

impl World {
    /// Leaves nothing behind in a cluster that other tests use too.
    pub(super) async fn finish(&self) {
        let kind = find("v1", "Namespace").unwrap();
        self.kube.delete(kind, None, &self.namespace, None, "Background").await.unwrap();
    }

    /// Somebody else changes an object.
    async fn meddle(&self, version: &str, kind: &str, name: &str, patch: serde_json::Value) {
        let kind = find(version, kind).unwrap();
        self.kube.merge(kind, Some(&self.namespace), name, &patch, &Write::by("meddler")).await.unwrap();
    }
}

fn meta(name: &str) -> String {
    format!("metadata {{\n  name = \"{name}\"\n  namespace = \"NAMESPACE\"\n}}\n")
}

async fn config_maps(world: &World) {
    let kind = "kubernetes_config_map";
    let text = format!("{}data = {{\n a = \"1\"\n b = \"2\"\n}}", meta("c"));
    let thing = world.create(kind, &text).await;
    assert_eq!(thing.at("/id"), json!(format!("{}/c", world.namespace)));
    assert!(thing.at("/metadata/0/uid").is_string());
    world.settled(kind, &thing, &text).await;
    // A key that is left out goes, one that is new comes.
    let text = format!("{}data = {{\n a = \"3\"\n c = \"4\"\n}}", meta("c"));
    let thing = world.update(kind, &thing, &text).await;
    assert_eq!(thing.at("/data"), json!({ "a": "3", "c": "4" }));
    let object = world.kube.get(find("v1", "ConfigMap").unwrap(), Some(&world.namespace), "c").await.unwrap().unwrap();
    assert_eq!(object["data"], json!({ "a": "3", "c": "4" }));
    // Somebody changes one of our keys: that is drift, and is set right.
    world.meddle("v1", "ConfigMap", "c", json!({ "data": { "a": "meddled" } })).await;
    let drifted = world.read(kind, &thing).await.unwrap();
    assert_eq!(drifted.at("/data/a"), json!("meddled"));
    let thing = world.update(kind, &drifted, &text).await;
    assert_eq!(thing.at("/data/a"), json!("3"));
    // Somebody takes one away.
    world.meddle("v1", "ConfigMap", "c", json!({ "data": { "a": null } })).await;
    let drifted = world.read(kind, &thing).await.unwrap();
    assert_eq!(drifted.at("/data"), json!({ "c": "4" }));
    let thing = world.update(kind, &drifted, &text).await;
    world.delete(kind, &thing).await;
    assert!(world.read(kind, &thing).await.is_none());
    world.delete(kind, &thing).await;
}

async fn secrets(world: &World) {
    let kind = "kubernetes_secret";
    let text = format!("{}data = {{\n password = \"geheim\"\n}}\nbinary_data = {{\n key = \"/wD+\"\n}}", meta("s"));
    let thing = world.create(kind, &text).await;
    world.settled(kind, &thing, &text).await;
    assert_eq!(thing.at("/type"), json!("Opaque"));
    let secret = world.kube.get(find("v1", "Secret").unwrap(), Some(&world.namespace), "s").await.unwrap().unwrap();
    assert_eq!(secret["data"], json!({ "password": "Z2VoZWlt", "key": "/wD+" }));
    world.meddle("v1", "Secret", "s", json!({ "data": { "password": "YQ==" } })).await;
    let drifted = world.read(kind, &thing).await.unwrap();
    assert_eq!(drifted.at("/data/password"), json!("a"));
    world.update(kind, &drifted, &text).await;
    let text = format!("{}data = {{\n password = \"neu\"\n}}", meta("s"));
    let thing = world.update(kind, &drifted, &text).await;
    let secret = world.kube.get(find("v1", "Secret").unwrap(), Some(&world.namespace), "s").await.unwrap().unwrap();
    assert_eq!(secret["data"], json!({ "password": "bmV1" }));
    world.delete(kind, &thing).await;
}

async fn services(world: &World) {
    let kind = "kubernetes_service_v1";
    let text = |port: u16| {
        format!(
            "{}spec {{\n selector = {{ app = \"x\" }}\n port {{\n name = \"http\"\n port = {port}\n target_port = \"8080\"\n }}\n port {{\n name = \"named\"\n port = 81\n target_port = \"web\"\n }}\n}}",
            meta("svc")
        )
    };
    let thing = world.create(kind, &text(80)).await;
    world.settled(kind, &thing, &text(80)).await;
    assert!(thing.at("/spec/0/cluster_ip").as_str().unwrap().contains('.'));
    assert_eq!(thing.at("/spec/0/port/1/target_port"), json!("web"));
    let changed = world.update(kind, &thing, &text(8081)).await;
    assert_eq!(thing.at("/spec/0/cluster_ip"), changed.at("/spec/0/cluster_ip"));
    let headless = format!(
        "{}spec {{\n cluster_ip = \"None\"\n selector = {{ app = \"x\" }}\n port {{\n port = 5432\n }}\n}}",
        meta("headless")
    );
    let thing = world.create(kind, &headless).await;
    world.settled(kind, &thing, &headless).await;
    world.delete(kind, &thing).await;
}

fn deployment(name: &str, image: &str, env: &str, replicas: u8) -> String {
    format!(
        r#"
metadata {{
  name      = "{name}"
  namespace = "NAMESPACE"
  labels    = {{ app = "{name}", tier = "infrastructure" }}
}}
spec {{
  replicas = {replicas}
  selector {{
    match_labels = {{ app = "{name}" }}
  }}
  strategy {{
    type = "RollingUpdate"
    rolling_update {{
      max_surge       = 1
      max_unavailable = "50%"
    }}
  }}
  template {{
    metadata {{
      labels = {{ app = "{name}" }}
    }}
    spec {{
      termination_grace_period_seconds = 5
      security_context {{
        fs_group = 999
      }}
      container {{
        name              = "main"
        image             = "{image}"
        image_pull_policy = "IfNotPresent"
        args              = ["--port", "6379"]
        port {{
          name           = "redis"
          container_port = 6379
        }}
        {env}
        resources {{
          requests = {{ cpu = "0.25", memory = "0.5Gi" }}
          limits   = {{ memory = "1024Mi" }}
        }}
        liveness_probe {{
          tcp_socket {{
            port = "redis"
          }}
          initial_delay_seconds = 5
        }}
        readiness_probe {{
          http_get {{
            path = "/ready"
            port = 6379
          }}
        }}
        volume_mount {{
          name       = "config"
          mount_path = "/etc/config"
          read_only  = true
        }}
        volume_mount {{
          name       = "scratch"
          mount_path = "/scratch"
        }}
      }}
      volume {{
        name = "config"
        config_map {{
          name         = "{name}"
          default_mode = "0444"
        }}
      }}
      volume {{
        name = "scratch"
        empty_dir {{}}
      }}
    }}
  }}
}}
timeouts {{
  create = "60s"
}}
"#
    )
}

async fn deployments(world: &World) {
    let kind = "kubernetes_deployment";
    world.create("kubernetes_config_map", &format!("{}data = {{ a = \"1\" }}", meta("d"))).await;
    let env = "env {\n name = \"A\"\n value = \"1\"\n }\n env {\n name = \"B\"\n value = \"\"\n }";
    let text = deployment("d", "redis:7.2", env, 1);
    let thing = world.create(kind, &text).await;
    world.settled(kind, &thing, &text).await;
    let spec = "/spec/0/template/0/spec/0";
    assert_eq!(thing.at(&format!("{spec}/container/0/resources/0/requests/cpu")), json!("250m"));
    assert_eq!(thing.at(&format!("{spec}/volume/0/config_map/0/default_mode")), json!("0444"));
    assert_eq!(thing.at(&format!("{spec}/dns_policy")), json!("ClusterFirst"));
    let live = |field: &str| {
        let field = field.to_owned();
        async move {
            let found = world.kube.get(find("apps/v1", "Deployment").unwrap(), Some(&world.namespace), "d").await;
            found.unwrap().unwrap().pointer(&field).cloned().unwrap_or_default()
        }
    };
    assert_eq!(live("/status/readyReplicas").await, json!(1));
    assert_eq!(live("/spec/strategy/rollingUpdate/maxSurge").await, json!(1));
    assert_eq!(live("/spec/template/spec/securityContext/fsGroup").await, json!(999));
    // Another image, one variable less, more replicas.
    let text = deployment("d", "redis:7.4", "env {\n name = \"A\"\n value = \"2\"\n }", 2);
    let thing = world.update(kind, &thing, &text).await;
    assert_eq!(live("/spec/template/spec/containers/0/env").await, json!([{ "name": "A", "value": "2" }]));
    assert_eq!(live("/status/updatedReplicas").await, json!(2));
    // Somebody sets another image by hand.
    let patch = json!([{ "name": "main", "image": "redis:8" }]);
    let mut object = live("").await;
    object["spec"]["template"]["spec"]["containers"][0]["image"] = patch[0]["image"].clone();
    world.meddle("apps/v1", "Deployment", "d", json!({ "spec": { "template": { "spec": { "containers": object["spec"]["template"]["spec"]["containers"] } } } })).await;
    let drifted = world.read(kind, &thing).await.unwrap();
    assert_eq!(drifted.at(&format!("{spec}/container/0/image")), json!("redis:8"));
    let thing = world.update(kind, &drifted, &text).await;
    assert_eq!(live("/spec/template/spec/containers/0/image").await, json!("redis:7.4"));
    world.delete(kind, &thing).await;
    let left = world
        .kube
        .list(find("apps/v1", "ReplicaSet").unwrap(), Some(&world.namespace), &infra::client::kube::Select::ALL)
        .await
        .unwrap();
    assert!(left.items.is_empty(), "replica sets outlive their deployment");
}

fn stateful_set(class: &str, image: &str, extra: &str) -> String {
    format!(
        r#"
metadata {{
  name      = "db"
  namespace = "NAMESPACE"
}}
spec {{
  service_name = "db"
  selector {{
    match_labels = {{ app = "db" }}
  }}
  template {{
    metadata {{
      labels = {{ app = "db" }}
    }}
    spec {{
      container {{
        name  = "postgresql"
        image = "{image}"
        port {{
          container_port = 5432
        }}
        volume_mount {{
          name       = "data"
          mount_path = "/var/lib/postgresql"
        }}
        readiness_probe {{
          exec {{
            command = ["pg_isready"]
          }}
        }}
      }}
    }}
  }}
  volume_claim_template {{
    metadata {{
      name = "data"
    }}
    spec {{
      access_modes       = ["ReadWriteOnce"]
      storage_class_name = "{class}"
      resources {{
        requests = {{ storage = "1Gi" }}
      }}
    }}
  }}
}}
{extra}
"#
    )
}

/// A volume of the test's own: in a real cluster nothing makes any.
async fn volume(world: &World) -> Thing {
    let text = r#"
metadata {
  name = "NAMESPACE"
}
spec {
  capacity           = { storage = "2Gi" }
  access_modes       = ["ReadWriteOnce"]
  storage_class_name = "NAMESPACE"
  persistent_volume_reclaim_policy = "Retain"
  persistent_volume_source {
    host_path {
      path = "/tmp/nowhere"
    }
  }
}
"#;
    let thing = world.create("kubernetes_persistent_volume", text).await;
    world.settled("kubernetes_persistent_volume", &thing, text).await;
    thing
}

async fn stateful_sets(world: &World) {
    let kind = "kubernetes_stateful_set";
    let volume = volume(world).await;
    let text = stateful_set("NAMESPACE", "postgres:16", "");
    let thing = world.create(kind, &text).await;
    world.settled(kind, &thing, &text).await;
    let claims = find("v1", "PersistentVolumeClaim").unwrap();
    let claim = world.kube.get(claims, Some(&world.namespace), "data-db-0").await.unwrap().unwrap();
    assert_eq!(claim["status"]["phase"], json!("Bound"));
    let text = stateful_set("NAMESPACE", "postgres:17", "");
    let thing = world.update(kind, &thing, &text).await;
    let pod = world.kube.get(find("v1", "Pod").unwrap(), Some(&world.namespace), "db-0").await.unwrap().unwrap();
    assert_eq!(pod["spec"]["containers"][0]["image"], json!("postgres:17"));
    world.delete(kind, &thing).await;
    // Claims outlive their set.
    assert!(world.kube.get(claims, Some(&world.namespace), "data-db-0").await.unwrap().is_some());
    world.kube.delete(claims, Some(&world.namespace), "data-db-0", None, "Background").await.unwrap();
    world.delete("kubernetes_persistent_volume", &volume).await;
}

/// Objects of every kind of the table, each made, found unchanged, and deleted.
async fn kinds_of_the_table(world: &World) {
    let pod = "container {\n name = \"c\"\n image = \"busybox:1\"\n command = [\"true\"]\n }";
    let template = format!("template {{\n metadata {{\n labels = {{ app = \"x\" }}\n }}\n spec {{\n {pod}\n }}\n }}");
    let once = format!("template {{\n metadata {{}}\n spec {{\n restart_policy = \"Never\"\n {pod}\n }}\n }}");
    let cluster = "metadata {\n name = \"NAMESPACE\"\n}\n";
    let cases: Vec<(&str, String)> = vec![
        ("kubernetes_service_account", meta("sa")),
        (
            "kubernetes_role",
            format!(
                "{}rule {{\n api_groups = [\"\"]\n resources = [\"pods\", \"configmaps\"]\n verbs = [\"get\", \"list\"]\n}}",
                meta("r")
            ),
        ),
        (
            "kubernetes_role_binding",
            format!(
                "{}role_ref {{\n api_group = \"rbac.authorization.k8s.io\"\n kind = \"Role\"\n name = \"r\"\n}}\nsubject {{\n kind = \"ServiceAccount\"\n name = \"sa\"\n namespace = \"NAMESPACE\"\n}}\nsubject {{\n kind = \"User\"\n name = \"u\"\n api_group = \"rbac.authorization.k8s.io\"\n}}",
                meta("rb")
            ),
        ),
        (
            "kubernetes_cluster_role",
            format!(
                "{cluster}rule {{\n api_groups = [\"apps\"]\n resources = [\"deployments\"]\n verbs = [\"get\"]\n}}"
            ),
        ),
        (
            "kubernetes_cluster_role_binding",
            format!(
                "{cluster}role_ref {{\n api_group = \"rbac.authorization.k8s.io\"\n kind = \"ClusterRole\"\n name = \"NAMESPACE\"\n}}\nsubject {{\n kind = \"Group\"\n name = \"g\"\n api_group = \"rbac.authorization.k8s.io\"\n}}"
            ),
        ),
        (
            "kubernetes_persistent_volume_claim",
            format!(
                "{}spec {{\n access_modes = [\"ReadWriteOnce\"]\n storage_class_name = \"none-such\"\n resources {{\n requests = {{ storage = \"1024Mi\" }}\n }}\n}}\nwait_until_bound = false",
                meta("pvc")
            ),
        ),
        (
            "kubernetes_ingress_v1",
            format!(
                "{}spec {{\n rule {{\n host = \"a.example.com\"\n http {{\n path {{\n path = \"/\"\n path_type = \"Prefix\"\n backend {{\n service {{\n name = \"svc\"\n port {{\n number = 80\n }}\n }}\n }}\n }}\n }}\n }}\n tls {{\n hosts = [\"a.example.com\"]\n secret_name = \"tls\"\n }}\n}}",
                meta("ing")
            ),
        ),
        (
            "kubernetes_network_policy",
            format!(
                "{}spec {{\n pod_selector {{\n match_labels = {{ app = \"x\" }}\n }}\n ingress {{\n ports {{\n port = \"http\"\n protocol = \"TCP\"\n }}\n from {{\n namespace_selector {{}}\n }}\n }}\n policy_types = [\"Ingress\"]\n}}",
                meta("np")
            ),
        ),
        (
            "kubernetes_daemonset",
            format!(
                "{}spec {{\n selector {{\n match_labels = {{ app = \"x\" }}\n }}\n {template}\n}}\nwait_for_rollout = false",
                meta("ds")
            ),
        ),
        (
            "kubernetes_job",
            format!("{}spec {{\n backoff_limit = 2\n {once}\n}}\nwait_for_completion = false", meta("job")),
        ),
        (
            "kubernetes_cron_job_v1",
            format!(
                "{}spec {{\n schedule = \"0 3 * * *\"\n job_template {{\n metadata {{}}\n spec {{\n {once}\n }}\n }}\n}}",
                meta("cj")
            ),
        ),
        (
            "kubernetes_storage_class",
            format!("{cluster}storage_provisioner = \"example.com/none\"\nparameters = {{ a = \"b\" }}"),
        ),
        (
            "kubernetes_pod_disruption_budget_v1",
            format!(
                "{}spec {{\n max_unavailable = \"20%\"\n selector {{\n match_labels = {{ app = \"x\" }}\n }}\n}}",
                meta("pdb")
            ),
        ),
        (
            "kubernetes_horizontal_pod_autoscaler_v2",
            format!(
                "{}spec {{\n max_replicas = 3\n scale_target_ref {{\n api_version = \"apps/v1\"\n kind = \"Deployment\"\n name = \"x\"\n }}\n}}",
                meta("hpa")
            ),
        ),
        ("kubernetes_priority_class", format!("{cluster}value = 100")),
        (
            "kubernetes_limit_range",
            format!(
                "{}spec {{\n limit {{\n type = \"Container\"\n default = {{ cpu = \"500m\" }}\n }}\n}}",
                meta("lr")
            ),
        ),
        ("kubernetes_resource_quota", format!("{}spec {{\n hard = {{ pods = \"100\" }}\n}}", meta("rq"))),
    ];
    let mut made = Vec::new();
    for (kind, text) in &cases {
        let thing = world.create(kind, text).await;
        world.settled(kind, &thing, text).await;
        made.push((*kind, thing));
    }
    // All at once they read the same as one by one.
    let read = world.read_all(made.clone()).await;
    assert!(read.iter().all(Option::is_some));
    for (kind, thing) in made.iter().rev() {
        world.delete(kind, thing).await;
        assert!(world.read(kind, thing).await.is_none(), "{kind}");
    }
}

async fn manifests(world: &World) {
    let kind = "kubernetes_manifest";
    let text = |image: &str, replicas: u8| {
        format!(
            r#"manifest = {{
  apiVersion = "apps/v1"
  kind       = "Deployment"
  metadata   = {{ name = "m", namespace = "NAMESPACE", labels = {{ app = "m" }} }}
  spec = {{
    replicas = {replicas}
    selector = {{ matchLabels = {{ app = "m" }} }}
    template = {{
      metadata = {{ labels = {{ app = "m" }} }}
      spec     = {{ containers = [{{ name = "a", image = "{image}", ports = [{{ containerPort = 80 }}], resources = {{ requests = {{ cpu = "0.5" }} }} }}] }}
    }}
  }}
}}
wait {{
  rollout = true
}}"#
        )
    };
    let thing = world.create(kind, &text("a:1", 1)).await;
    world.settled(kind, &thing, &text("a:1", 1)).await;
    assert_eq!(thing.at("/object/spec/template/spec/containers/0/imagePullPolicy"), json!("IfNotPresent"));
    assert!(thing.at("/object/status").is_null());
    let thing = world.update(kind, &thing, &text("a:2", 2)).await;
    world.settled(kind, &thing, &text("a:2", 2)).await;
    // What others own stays theirs unless it is asked for.
    world.meddle("apps/v1", "Deployment", "m", json!({ "spec": { "replicas": 5 } })).await;
    let drifted = world.read(kind, &thing).await.unwrap();
    assert_eq!(drifted.at("/object/spec/replicas"), json!(5));
    let (_, said, _) = world.plan(kind, &drifted, &text("a:2", 2)).await;
    assert!(said.to_string().contains(".spec.replicas: conflict with \"meddler\""), "{said}");
    let forced = format!("{}\nfield_manager {{\n force_conflicts = true\n}}", text("a:2", 2));
    let thing = world.update(kind, &drifted, &forced).await;
    assert_eq!(thing.at("/object/spec/replicas"), json!(2));
    world.delete(kind, &thing).await;
    assert!(world.read(kind, &thing).await.is_none());
    let secret = r#"manifest = {
  apiVersion = "v1"
  kind       = "Secret"
  metadata   = { name = "ms", namespace = "NAMESPACE" }
  stringData = { a = "b" }
}"#;
    let thing = world.create(kind, secret).await;
    world.settled(kind, &thing, secret).await;
}

async fn definitions_and_their_objects(world: &World) {
    let kind = "kubernetes_manifest";
    let group = format!("{}.example.com", world.namespace);
    let definition = format!(
        r#"manifest = {{
  apiVersion = "apiextensions.k8s.io/v1"
  kind       = "CustomResourceDefinition"
  metadata   = {{ name = "widgets.{group}" }}
  spec = {{
    group    = "{group}"
    scope    = "Namespaced"
    names    = {{ kind = "Widget", plural = "widgets", singular = "widget" }}
    versions = [{{
      name    = "v1"
      served  = true
      storage = true
      schema  = {{ openAPIV3Schema = {{ type = "object", properties = {{ spec = {{ type = "object", properties = {{
        size = {{ type = "integer" }}, color = {{ type = "string", default = "red" }}
      }} }} }} }} }}
    }}]
  }}
}}"#
    );
    let widget = |size: u8| {
        format!(
            "manifest = {{\n apiVersion = \"{group}/v1\"\n kind = \"Widget\"\n metadata = {{ name = \"w\", namespace = \"NAMESPACE\" }}\n spec = {{ size = {size} }}\n}}"
        )
    };
    let definition_thing = world.create(kind, &definition).await;
    world.settled(kind, &definition_thing, &definition).await;
    let thing = world.create(kind, &widget(1)).await;
    world.settled(kind, &thing, &widget(1)).await;
    assert_eq!(thing.at("/object/spec"), json!({ "size": 1, "color": "red" }));
    let thing = world.update(kind, &thing, &widget(2)).await;
    // With the definition go its objects.
    world.delete(kind, &definition_thing).await;
    assert!(world.read(kind, &thing).await.is_none());
    world.delete(kind, &thing).await;
}

/// What others put into maps of ours is shown, and goes with the next change; fields that we have never named stay.
async fn keys_of_others(world: &World) {
    let meddled = json!({
        "metadata": { "labels": { "who": "else" }, "annotations": { "note": "x", "tool.kubernetes.io/note": "y" } },
        "data": { "z": "OQ==" },
    });
    for (kind, api, name, labels) in [
        ("kubernetes_config_map", "ConfigMap", "f", ""),
        ("kubernetes_config_map_v1", "ConfigMap", "g", "labels = { a = \"1\" }"),
        ("kubernetes_secret_v1", "Secret", "f", ""),
        ("kubernetes_secret", "Secret", "g", "labels = { a = \"1\" }"),
    ] {
        let text = format!(
            "metadata {{\n name = \"{name}\"\n namespace = \"NAMESPACE\"\n {labels}\n}}\ndata = {{\n a = \"1\"\n}}"
        );
        let thing = world.create(kind, &text).await;
        world.settled(kind, &thing, &text).await;
        world.meddle("v1", api, name, meddled.clone()).await;
        let drifted = world.read(kind, &thing).await.unwrap();
        let seen = if api == "Secret" { "9" } else { "OQ==" };
        assert_eq!(drifted.at("/data"), json!({ "a": "1", "z": seen }), "{kind}");
        assert_eq!(drifted.at("/metadata/0/labels/who"), json!("else"), "{kind}");
        assert_eq!(drifted.at("/metadata/0/annotations"), json!({ "note": "x" }), "{kind}");
        let settled = world.update(kind, &drifted, &text).await;
        assert_eq!(settled.at("/data"), json!({ "a": "1" }), "{kind}");
        let live = world.kube.get(find("v1", api).unwrap(), Some(&world.namespace), name).await.unwrap().unwrap();
        assert_eq!(live["data"].as_object().unwrap().len(), 1, "{kind}: {live}");
        assert_eq!(live["metadata"]["labels"]["who"], json!(null), "{kind}");
        // Kubernetes' own keys stay.
        assert_eq!(live["metadata"]["annotations"]["tool.kubernetes.io/note"], json!("y"), "{kind}");
        assert_eq!(live["metadata"]["annotations"]["note"], json!(null), "{kind}");
        world.delete(kind, &settled).await;
    }
    // Where nothing is written there is nothing of others either; a template is ours in all of its metadata.
    let kind = "kubernetes_config_map";
    let text = format!("{}data = {{ a = \"1\" }}", meta("b"));
    let thing = world.create(kind, &text).await;
    world.meddle("v1", "ConfigMap", "b", json!({ "binaryData": { "k": "/wD+" } })).await;
    let drifted = world.read(kind, &thing).await.unwrap();
    assert_eq!(drifted.at("/binary_data"), json!({ "k": "/wD+" }));
    let thing = world.update(kind, &drifted, &text).await;
    world.delete(kind, &thing).await;
    let kind = "kubernetes_deployment_v1";
    let text = deployment("d", "redis:7", "", 0);
    let thing = world.create(kind, &text).await;
    let labels = json!({ "spec": { "template": { "metadata": { "labels": { "who": "else" }, "annotations": { "kubectl.kubernetes.io/restartedAt": "now" } } } } });
    world.meddle("apps/v1", "Deployment", "d", labels).await;
    let drifted = world.read(kind, &thing).await.unwrap();
    assert_eq!(drifted.at("/spec/0/template/0/metadata/0/labels"), json!({ "app": "d", "who": "else" }));
    let restarted = json!({ "kubectl.kubernetes.io/restartedAt": "now" });
    assert_eq!(drifted.at("/spec/0/template/0/metadata/0/annotations"), restarted);
    let thing = world.update(kind, &drifted, &text).await;
    let live = world.kube.get(find("apps/v1", "Deployment").unwrap(), Some(&world.namespace), "d").await;
    let template = live.unwrap().unwrap()["spec"]["template"]["metadata"].clone();
    assert_eq!(template["labels"], json!({ "app": "d" }));
    assert_eq!(template["annotations"], json!(null));
    world.delete(kind, &thing).await;
}

/// What the provider's configuration leaves to others, and data that state does not have.
async fn keys_of_others_that_are_left_to_them(world: &World) {
    let world = world
        .configured_with(
            r#"
        ignore_labels      = ["^team$"]
        ignore_annotations = ["cattle\\.io/"]
    "#,
        )
        .await;
    let kind = "kubernetes_config_map";
    let text = format!("{}data = {{ a = \"1\" }}", meta("i"));
    let thing = world.create(kind, &text).await;
    let meddled =
        json!({ "metadata": { "labels": { "team": "x" }, "annotations": { "field.cattle.io/projectId": "p" } } });
    world.meddle("v1", "ConfigMap", "i", meddled).await;
    world.settled(kind, &thing, &text).await;
    world.delete(kind, &thing).await;
    let kind = "kubernetes_secret_v1";
    let text = format!("{}data_wo = {{ a = \"1\" }}\ndata_wo_revision = 1", meta("w"));
    let thing = world.create(kind, &text).await;
    world.settled(kind, &thing, &text).await;
    world.delete(kind, &thing).await;
}

/// The server writes amounts in a form of its own, and people write them in others.
async fn equal_amounts(world: &World) {
    let set = |cpu: &str, memory: &str, storage: &str| {
        let extra = format!("wait_for_rollout = false\n# {storage}");
        stateful_set("standard", "pg:16", &extra)
            .replace("requests = { storage = \"1Gi\" }", &format!("requests = {{ storage = \"{storage}\" }}"))
            .replace(
                "volume_mount {",
                &format!("resources {{\n limits = {{ cpu = \"{cpu}\", memory = \"{memory}\" }}\n }}\n volume_mount {{"),
            )
    };
    let quota = |cpu: &str, memory: &str| {
        format!("{}spec {{\n hard = {{ \"limits.cpu\" = \"{cpu}\", \"limits.memory\" = \"{memory}\" }}\n}}", meta("q"))
    };
    let range = |cpu: &str, memory: &str| {
        format!(
            "{}spec {{\n limit {{\n type = \"Container\"\n max = {{ cpu = \"{cpu}\" }}\n default = {{ cpu = \"{cpu}\", memory = \"{memory}\" }}\n default_request = {{ cpu = \"1\", memory = \"0.5Gi\" }}\n }}\n}}",
            meta("r")
        )
    };
    for (kind, written, other, changed) in [
        (
            "kubernetes_stateful_set_v1",
            set("1", "1024Mi", "1024Mi"),
            set("1000m", "1Gi", "1Gi"),
            set("1000m", "2Gi", "1Gi"),
        ),
        ("kubernetes_resource_quota_v1", quota("0.5", "1e3"), quota("500m", "1k"), quota("500m", "2k")),
        ("kubernetes_limit_range_v1", range("2000m", "1Gi"), range("2", "1024Mi"), range("2", "2048Mi")),
    ] {
        let thing = world.create(kind, &written).await;
        world.settled(kind, &thing, &written).await;
        // The same in another form is no change, and no reason for a new object; state keeps the form that it has.
        let read = world.read(kind, &thing).await.unwrap();
        let (planned, said, _) = world.plan(kind, &read, &other).await;
        assert!(!said.has_errors(), "{said}");
        assert_eq!((&planned.value, planned.replace.as_slice()), (&read.value, [].as_slice()), "{kind}");
        // Another amount is one.
        let thing = world.update(kind, &read, &changed).await;
        world.settled(kind, &thing, &changed).await;
        world.delete(kind, &thing).await;
    }
}

/// What nobody has written is what the provider's documentation says, and the server takes it.
async fn defaults_of_the_provider(world: &World) {
    let container = "container {\n name = \"c\"\n image = \"busybox\"\n }";
    let pod = format!("spec {{\n {container}\n toleration {{\n key = \"k\"\n value = \"v\"\n }}\n }}");
    let job =
        format!("wait_for_completion = false\n{}spec {{\n template {{\n metadata {{}}\n {pod}\n }}\n}}", meta("j"));
    let cron = format!(
        "{}spec {{\n schedule = \"0 0 1 1 *\"\n job_template {{\n metadata {{}}\n spec {{\n template {{\n metadata {{}}\n {pod}\n }}\n }}\n }}\n}}",
        meta("c")
    );
    let ingress = format!(
        "{}spec {{\n rule {{\n http {{\n path {{\n path = \"/app/*\"\n backend {{\n service {{\n name = \"web\"\n port {{\n number = 80\n }}\n }}\n }}\n }}\n }}\n }}\n}}",
        meta("i")
    );
    let policy = format!(
        "{}spec {{\n policy_types = [\"Ingress\"]\n pod_selector {{}}\n ingress {{\n ports {{\n port = \"80\"\n }}\n }}\n}}",
        meta("n")
    );
    let set = stateful_set("standard", "pg:16", "wait_for_rollout = false")
        .replace("volume_claim_template {", "persistent_volume_claim_retention_policy {}\n volume_claim_template {");
    let class = "metadata {\n name = \"NAMESPACE\"\n}\nvalue = 7".to_owned();
    let job_pod = "/spec/0/template/0/spec/0";
    let cron_pod = "/spec/0/job_template/0/spec/0/template/0/spec/0";
    for (kind, text, expect) in [
        (
            "kubernetes_ingress_v1",
            ingress,
            vec![("/spec/0/rule/0/http/0/path/0/path_type".to_owned(), json!("ImplementationSpecific"))],
        ),
        (
            "kubernetes_job_v1",
            job,
            vec![
                (format!("{job_pod}/restart_policy"), json!("Never")),
                (format!("{job_pod}/toleration/0/operator"), json!("Equal")),
                (format!("{job_pod}/share_process_namespace"), json!(false)),
            ],
        ),
        (
            "kubernetes_cron_job_v1",
            cron,
            vec![
                (format!("{cron_pod}/restart_policy"), json!("Never")),
                ("/spec/0/starting_deadline_seconds".to_owned(), json!(0)),
            ],
        ),
        ("kubernetes_network_policy_v1", policy, vec![("/spec/0/ingress/0/ports/0/protocol".to_owned(), json!("TCP"))]),
        (
            "kubernetes_stateful_set_v1",
            set,
            vec![
                ("/spec/0/volume_claim_template/0/metadata/0/namespace".to_owned(), json!("default")),
                ("/spec/0/persistent_volume_claim_retention_policy/0/when_scaled".to_owned(), json!("Retain")),
            ],
        ),
        (
            "kubernetes_priority_class_v1",
            class,
            vec![
                ("/preemption_policy".to_owned(), json!("PreemptLowerPriority")),
                ("/global_default".to_owned(), json!(false)),
                ("/description".to_owned(), json!("")),
            ],
        ),
    ] {
        let thing = world.create(kind, &text).await;
        for (path, value) in expect {
            assert_eq!(thing.at(&path), value, "{kind} {path}");
        }
        world.settled(kind, &thing, &text).await;
        world.delete(kind, &thing).await;
    }
}

async fn refusals(world: &World) {
    let said = |applied: infra::provider::Applied| {
        assert!(matches!(applied.now, Now::Unchanged), "{:?}", applied.now);
        applied.said.to_string()
    };
    let text = format!("{}data = {{ a = \"1\" }}", meta("taken"));
    world.create("kubernetes_config_map", &text).await;
    let again = said(world.try_create("kubernetes_config_map", &text, "another").await);
    assert!(again.contains("Object exists already") && again.contains("ConfigMap"), "{again}");
    let bad = format!("{}data = {{ \"bad key\" = \"1\" }}", meta("bad"));
    let refused = said(world.try_create("kubernetes_config_map", &bad, "n").await);
    assert!(refused.contains("data[bad key]: Invalid value: \"bad key\""), "{refused}");
    let nowhere = "metadata {\n name = \"a\"\n namespace = \"no-such-namespace\"\n}";
    let refused = said(world.try_create("kubernetes_config_map", nowhere, "n").await);
    assert!(refused.contains("namespaces \"no-such-namespace\" not found"), "{refused}");
    let unmounted = deployment("u", "redis:7", "", 1)
        .replace("name = \"scratch\"\n        empty_dir", "name = \"other\"\n        empty_dir");
    // The plan has asked the server already.
    let (_, said_of_plan, _) = world.plan("kubernetes_deployment", &Thing::none(), &unmounted).await;
    let refused = said_of_plan.to_string();
    assert!(
        refused.contains("spec.template.spec.containers[0].volumeMounts[1].name: Not found: \"scratch\""),
        "{refused}"
    );
    let typo = "manifest = {\n apiVersion = \"v1\"\n kind = \"ConfigMap\"\n metadata = { name = \"t\", namespace = \"NAMESPACE\" }\n dta = {}\n}";
    let refused = said(world.try_create("kubernetes_manifest", typo, "n").await);
    assert!(refused.contains(".dta: field not declared in schema"), "{refused}");
    let mistyped = "manifest = {\n apiVersion = \"v1\"\n kind = \"ConfigMap\"\n metadata = { name = \"t\", namespace = \"NAMESPACE\" }\n data = { a = 1 }\n}";
    let refused = said(world.try_create("kubernetes_manifest", mistyped, "n").await);
    assert!(refused.contains(".data.a: expected string, got"), "{refused}");
}

async fn replacements(world: &World) {
    let check = async |kind: &str, prior: &str, text: &str, expect: &[&str]| {
        let thing = world.create(kind, prior).await;
        let (planned, _, _) = world.plan(kind, &thing, text).await;
        let paths: Vec<String> = planned.replace.iter().map(ToString::to_string).collect();
        assert_eq!(paths, expect);
        world.delete(kind, &thing).await;
    };
    check("kubernetes_config_map", &meta("a"), &meta("b"), &["metadata[0].name"]).await;
    let prior = stateful_set("none", "a:1", "wait_for_rollout = false");
    check(
        "kubernetes_stateful_set",
        &prior,
        &prior.replace("service_name = \"db\"", "service_name = \"other\""),
        &["spec[0].service_name"],
    )
    .await;
    // That claims of a template cannot grow is for the server to say, which names no more than this.
    check("kubernetes_stateful_set", &prior, &prior.replace("1Gi", "2Gi"), &["spec"]).await;
    let manifest = |name: &str| {
        format!(
            "manifest = {{\n apiVersion = \"v1\"\n kind = \"ConfigMap\"\n metadata = {{ name = \"{name}\", namespace = \"NAMESPACE\" }}\n}}"
        )
    };
    check("kubernetes_manifest", &manifest("a"), &manifest("b"), &["manifest.metadata.name"]).await;
    // A claim that shrinks is another claim.
    let claim = |size: &str| {
        format!(
            "{}spec {{\n access_modes = [\"ReadWriteOnce\"]\n storage_class_name = \"none\"\n resources {{\n requests = {{ storage = \"{size}\" }}\n }}\n}}\nwait_until_bound = false",
            meta("p")
        )
    };
    let path = ["spec[0].resources[0].requests"];
    check("kubernetes_persistent_volume_claim", &claim("2Gi"), &claim("1Gi"), &path).await;
    // One that is to grow never is, whatever the server says.
    let thing = world.create("kubernetes_persistent_volume_claim", &claim("1Gi")).await;
    let (planned, ..) = world.plan("kubernetes_persistent_volume_claim", &thing, &claim("2Gi")).await;
    assert_eq!(planned.replace, []);
}

async fn recovery(world: &World) {
    let kind = "kubernetes_config_map";
    let text = format!("{}data = {{ a = \"1\" }}", meta("lost"));
    let (planned, _, _) = world.plan(kind, &Thing::none(), &text).await;
    assert!(matches!(world.recover(kind, planned.value.clone(), "nonce-1").await, Recovered::Absent));
    // The call came through, its answer did not.
    Thing::of(world.try_create(kind, &text, "nonce-1").await);
    let Recovered::Found { value, private, .. } = world.recover(kind, planned.value.clone(), "nonce-1").await else {
        panic!()
    };
    world.settled(kind, &Thing { value, private }, &text).await;
    assert!(matches!(world.recover(kind, planned.value, "nonce-2").await, Recovered::CannotTell(_)));
    // The same call made again finds what it had made.
    Thing::of(world.try_create(kind, &text, "nonce-1").await);
    // Names that are made up can be found again.
    let generated = "metadata {\n generate_name = \"gen-\"\n namespace = \"NAMESPACE\"\n}";
    let (planned, _, _) = world.plan(kind, &Thing::none(), generated).await;
    let made = Thing::of(world.try_create(kind, generated, "abcd1234-nonce").await);
    assert_eq!(made.at("/metadata/0/name"), json!("gen-abcd1234"));
    world.settled(kind, &made, generated).await;
    assert!(matches!(world.recover(kind, planned.value, "abcd1234-nonce").await, Recovered::Found { .. }));
    let manifest = "manifest = {\n apiVersion = \"v1\"\n kind = \"ConfigMap\"\n metadata = { name = \"lost-m\", namespace = \"NAMESPACE\" }\n data = { a = \"1\" }\n}";
    let (planned, _, _) = world.plan("kubernetes_manifest", &Thing::none(), manifest).await;
    assert!(matches!(world.recover("kubernetes_manifest", planned.value.clone(), "nonce-3").await, Recovered::Absent));
    let body = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "lost-m", "namespace": world.namespace }, "data": { "a": "1" } });
    let how = Apply { manager: "infra-nonce-3", force: false, dry_run: false };
    world.kube.apply(find("v1", "ConfigMap").unwrap(), &body, &how).await.unwrap();
    assert!(matches!(world.recover("kubernetes_manifest", planned.value, "nonce-3").await, Recovered::Found { .. }));
}

/// What is being deleted when it is looked at is waited for, so that nothing is planned for it.
async fn objects_on_their_way_out(world: &World) {
    let kind = "kubernetes_config_map";
    let thing = world.create(kind, &format!("{}data = {{ a = \"1\" }}", meta("going"))).await;
    world.meddle("v1", "ConfigMap", "going", json!({ "metadata": { "finalizers": ["example.com/held"] } })).await;
    let maps = find("v1", "ConfigMap").unwrap();
    let left = world.kube.delete(maps, Some(&world.namespace), "going", None, "Background").await.unwrap();
    assert!(left.is_some(), "the finalizer holds it");
    let freed = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        world.meddle("v1", "ConfigMap", "going", json!({ "metadata": { "finalizers": null } })).await;
    };
    let (read, ()) = tokio::join!(world.read(kind, &thing), freed);
    assert!(read.is_none(), "it was gone in a moment");
}

async fn import_and_data(world: &World) {
    let text = format!("{}data = {{ a = \"1\" }}", meta("i"));
    let made = world.create("kubernetes_config_map", &text).await;
    let request =
        infra::provider::ImportRequest { kind: "kubernetes_config_map".into(), id: format!("{}/i", world.namespace) };
    let imported = world.configured.import(request).await.value.unwrap().remove(0);
    let thing = Thing { value: imported.value, private: imported.private };
    assert_eq!(thing.at("/data"), made.at("/data"));
    world.settled("kubernetes_config_map", &thing, &text).await;
    let request = infra::provider::ImportRequest { kind: "kubernetes_config_map".into(), id: "default/no-such".into() };
    assert!(world.configured.import(request).await.has_errors());
    let data = world.data("kubernetes_config_map", &meta("i")).await;
    assert_eq!(data.get("data").and_then(|data| data.get("a")).and_then(Value::as_str), Some("1"));
    let data =
        world.data("kubernetes_resource", &format!("api_version = \"v1\"\nkind = \"ConfigMap\"\n{}", meta("i"))).await;
    let object = data.get("object").unwrap();
    assert_eq!(object.get("data").and_then(|data| data.get("a")).and_then(Value::as_str), Some("1"));
    let service = format!("{}spec {{\n selector = {{ app = \"x\" }}\n port {{\n port = 80\n }}\n}}", meta("si"));
    world.create("kubernetes_service", &service).await;
    let data = world.data("kubernetes_service", &meta("si")).await;
    let spec = data.get("spec").unwrap().as_items().unwrap()[0].clone();
    assert!(spec.get("cluster_ip").unwrap().as_str().is_some());
    let identity = world.configured.identity().await.value.unwrap().unwrap();
    assert_eq!(identity, world.kube.identity().await.unwrap());
}

async fn namespaces(world: &World) {
    let kind = "kubernetes_namespace";
    let name = format!("{}-b", world.namespace);
    let text = format!(
        "metadata {{\n name = \"{name}\"\n labels = {{ team = \"a\" }}\n}}\nwait_for_default_service_account = true"
    );
    let thing = world.create(kind, &text).await;
    assert_eq!(thing.at("/id"), json!(name));
    world.settled(kind, &thing, &text).await;
    let text = text.replace("team = \"a\"", "team = \"b\"");
    let thing = world.update(kind, &thing, &text).await;
    let inside = format!("metadata {{\n name = \"inside\"\n namespace = \"{name}\"\n}}\ndata = {{ a = \"1\" }}");
    let map = world.create("kubernetes_config_map", &inside).await;
    world.delete(kind, &thing).await;
    assert!(world.read("kubernetes_config_map", &map).await.is_none());
    assert!(world.read(kind, &thing).await.is_none());
}

async fn waits_that_fail_explain_themselves(world: &World) {
    let text = stateful_set("no-such-class", "postgres:16", "timeouts {\n create = \"3s\"\n}");
    let applied = world.try_create("kubernetes_stateful_set", &text, "n").await;
    let said = applied.said.to_string();
    assert!(matches!(applied.now, Now::Is { .. }), "what was made is kept");
    assert!(said.contains("is not ready after 3s: 0 of 1 pods ready"), "{said}");
    assert!(said.contains("pod db-0: Pending"), "{said}");
    assert!(said.contains("claim data-db-0: Pending: StorageClass no-such-class does not exist"), "{said}");
    // Another manager's field is taken only by force.
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "k", "namespace": world.namespace }, "data": { "a": "1" } });
    let kind = find("v1", "ConfigMap").unwrap();
    let how = |manager| Apply { manager, force: false, dry_run: false };
    world.kube.apply(kind, &map, &how("one")).await.unwrap();
    let mut other = map.clone();
    other["data"]["a"] = json!("2");
    let error = world.kube.apply(kind, &other, &how("two")).await.unwrap_err();
    let KubeError::Conflict { fields, .. } = error else { panic!("{error:?}") };
    assert_eq!((fields[0].field.as_str(), fields[0].message.as_str()), (".data.a", "conflict with \"one\""));
}

async fn tokens(world: &World) {
    world.create("kubernetes_service_account_v1", &meta("reader")).await;
    world.create("kubernetes_secret_v1", &meta("bound")).await;
    // A secret for a token is there when its token is.
    let annotated =
        meta("held").replacen('\n', "\n  annotations = { \"kubernetes.io/service-account.name\" = \"reader\" }\n", 1);
    let text = format!("{annotated}type = \"kubernetes.io/service-account-token\"");
    let secret = world.create("kubernetes_secret_v1", &text).await;
    let data = secret.at("/data");
    assert_eq!(data["namespace"], world.namespace.as_str());
    assert!(data["token"].as_str().is_some_and(|token| token.split('.').count() == 3), "{data}");
    world.settled("kubernetes_secret_v1", &secret, &text).await;
    let config = |name: &str, spec: &str| format!("{}spec {{\n{spec}\n}}\n", meta(name));
    let claims = |opened: &Value| -> serde_json::Value {
        let token = opened.get("token").and_then(Value::as_str).unwrap().to_owned();
        let part = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let opened = world.open("kubernetes_token_request_v1", &meta("reader")).await.unwrap();
    let said = claims(&opened);
    assert_eq!(said["sub"], format!("system:serviceaccount:{}:reader", world.namespace));
    assert_eq!(said["aud"], json!(["https://kubernetes.default.svc"]));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 3600);
    let ends: jiff::Timestamp = opened.get("expiration_timestamp").and_then(Value::as_str).unwrap().parse().unwrap();
    assert_eq!(ends.as_second(), said["exp"].as_i64().unwrap());
    let spec = "audiences = [\"api\", \"vault\"]\nexpiration_seconds = 7200\nbound_object_ref {\napi_version = \"v1\"\n\
                kind = \"Secret\"\nname = \"bound\"\n}";
    let said = claims(&world.open("kubernetes_token_request_v1", &config("reader", spec)).await.unwrap());
    assert_eq!(said["aud"], json!(["api", "vault"]));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 7200);
    assert_eq!(said["kubernetes.io"]["secret"]["name"], "bound");
    let other = |kind: &str, name: &str, uid: &str| {
        format!("bound_object_ref {{\napi_version = \"v1\"\nkind = \"{kind}\"\nname = \"{name}\"\nuid = \"{uid}\"\n}}")
    };
    for (account, spec, expect) in [
        ("nobody", String::new(), "serviceaccounts \"nobody\" not found"),
        ("reader", "expiration_seconds = 60".to_owned(), "may not specify a duration less than 10 minutes"),
        ("reader", other("Secret", "absent", ""), "secrets \"absent\" not found"),
        ("reader", other("Secret", "bound", "another"), "does not match the UID"),
        ("reader", other("Node", "absent", ""), "nodes \"absent\" not found"),
        ("reader", other("ConfigMap", "bound", ""), "cannot bind token"),
    ] {
        let said = world.open("kubernetes_token_request_v1", &config(account, &spec)).await.unwrap_err().to_string();
        assert!(said.contains(expect), "{account} {spec}: {said}");
    }
}
