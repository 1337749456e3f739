//! Resource types that change objects which others made, in both worlds; and data sources that are no single object.

use infra::client::kube::types::{Json, find};
use infra::provider::Now;
use serde_json::json;

use super::cases::in_both_worlds;
use super::{Thing, World};

in_both_worlds![
    labels,
    annotations,
    data_of_others,
    environments,
    taints,
    data_sources,
    default_service_accounts,
    kinds_of_clusters,
];

fn meta(world: &World, name: &str) -> String {
    format!("metadata {{\n name = \"{name}\"\n namespace = \"{}\"\n}}\n", world.namespace)
}

impl World {
    /// An object as the server has it.
    async fn live(&self, kind: (&str, &str), name: &str) -> Json {
        self.kube.get(find(kind.0, kind.1).unwrap(), Some(&self.namespace), name).await.unwrap().unwrap()
    }

    /// Plans, applies, plans again: nothing is left to do.
    async fn made(&self, kind: &str, text: &str) -> Thing {
        let thing = self.create(kind, text).await;
        self.settled(kind, &thing, text).await;
        thing
    }
}

const CONFIG_MAP: (&str, &str) = ("v1", "ConfigMap");

async fn config_map(world: &World, name: &str) {
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": name, "namespace": world.namespace, "labels": { "theirs": "1" } },
        "data": { "theirs": "1" },
    });
    let how = infra::client::kube::Apply { manager: "somebody", force: false, dry_run: false };
    world.kube.apply(find("v1", "ConfigMap").unwrap(), &object, &how).await.unwrap();
}

async fn labels(world: &World) {
    config_map(world, "labelled").await;
    let text = |labels: &str| {
        format!("api_version = \"v1\"\nkind = \"ConfigMap\"\nlabels = {labels}\n{}", meta(world, "labelled"))
    };
    let thing = world.made("kubernetes_labels", &text("{ ours = \"1\", more = \"2\" }")).await;
    let id = format!("apiVersion=v1,kind=ConfigMap,namespace={},name=labelled", world.namespace);
    assert_eq!(thing.at("/id"), id.as_str());
    let live = world.live(CONFIG_MAP, "labelled").await;
    assert_eq!(live["metadata"]["labels"], json!({ "theirs": "1", "ours": "1", "more": "2" }));
    let managers: Vec<_> = live["metadata"]["managedFields"].as_array().unwrap().iter().collect();
    assert!(managers.iter().any(|one| one["manager"] == "Terraform" && one["operation"] == "Apply"), "{managers:?}");
    let thing = world.update("kubernetes_labels", &thing, &text("{ ours = \"2\" }")).await;
    let labels = world.live(CONFIG_MAP, "labelled").await["metadata"]["labels"].clone();
    assert_eq!(labels, json!({ "theirs": "1", "ours": "2" }));
    // A label of somebody else is not taken without force.
    let taken = text("{ theirs = \"2\" }").replace("labels =", "field_manager = \"another\"\nlabels =");
    let refused = world.try_create("kubernetes_labels", &taken, "n").await;
    assert!(matches!(refused.now, Now::Unchanged));
    assert!(refused.said.to_string().contains("Set \"force\" to true to override"), "{}", refused.said);
    world.made("kubernetes_labels", &format!("{taken}force = true")).await;
    // Another object, and another namespace of it, is another resource.
    let (planned, _, _) = world.plan("kubernetes_labels", &thing, &text("{}").replace("labelled", "other")).await;
    assert_eq!(planned.replace.iter().map(ToString::to_string).collect::<Vec<_>>(), ["metadata[0].name"]);
    world.delete("kubernetes_labels", &thing).await;
    assert_eq!(world.live(CONFIG_MAP, "labelled").await["metadata"]["labels"], json!({ "theirs": "2" }));
    let nowhere = text("{ a = \"1\" }").replace("labelled", "nowhere");
    let refused = world.try_create("kubernetes_labels", &nowhere, "n").await;
    assert!(refused.said.to_string().contains("The ConfigMap \"nowhere\" does not exist"), "{}", refused.said);
}

fn deployment(world: &World, name: &str) -> Json {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name, "namespace": world.namespace },
        "spec": {
            "replicas": 0,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name }, "annotations": { "theirs": "1" } },
                "spec": { "containers": [{ "name": "main", "image": "redis:7", "env": [{ "name": "THEIRS", "value": "1" }] }] },
            },
        },
    })
}

const DEPLOYMENT: (&str, &str) = ("apps/v1", "Deployment");

async fn workload(world: &World, name: &str) {
    let how = infra::client::kube::Apply { manager: "somebody", force: false, dry_run: false };
    world.kube.apply(find("apps/v1", "Deployment").unwrap(), &deployment(world, name), &how).await.unwrap();
}

async fn annotations(world: &World) {
    workload(world, "noted").await;
    let text =
        |rest: &str| format!("api_version = \"apps/v1\"\nkind = \"Deployment\"\n{rest}\n{}", meta(world, "noted"));
    let both = text("annotations = { ours = \"1\" }\ntemplate_annotations = { ours = \"2\" }");
    let thing = world.made("kubernetes_annotations", &both).await;
    let live = world.live(DEPLOYMENT, "noted").await;
    assert_eq!(live["metadata"]["annotations"]["ours"], "1");
    let template = |live: &Json| live["spec"]["template"]["metadata"]["annotations"].clone();
    assert_eq!(template(&live), json!({ "theirs": "1", "ours": "2" }));
    world.delete("kubernetes_annotations", &thing).await;
    let live = world.live(DEPLOYMENT, "noted").await;
    assert_eq!(template(&live), json!({ "theirs": "1" }));
    assert_eq!(live["metadata"]["annotations"]["ours"], Json::Null);
    let _ = live;
}

async fn data_of_others(world: &World) {
    config_map(world, "shared").await;
    let text = |data: &str| format!("data = {data}\n{}", meta(world, "shared"));
    let thing = world.made("kubernetes_config_map_v1_data", &text("{ ours = \"1\" }")).await;
    assert_eq!(thing.at("/id"), format!("{}/shared", world.namespace).as_str());
    assert_eq!(world.live(CONFIG_MAP, "shared").await["data"], json!({ "theirs": "1", "ours": "1" }));
    let thing = world.update("kubernetes_config_map_v1_data", &thing, &text("{ more = \"1\" }")).await;
    world.delete("kubernetes_config_map_v1_data", &thing).await;
    assert_eq!(world.live(CONFIG_MAP, "shared").await["data"], json!({ "theirs": "1" }));

    let secret = format!("{}data = {{ theirs = \"1\" }}", meta(world, "secret"));
    world.create("kubernetes_secret_v1", &secret).await;
    let text = format!("data = {{ ours = \"ü\" }}\n{}", meta(world, "secret"));
    let thing = world.made("kubernetes_secret_v1_data", &text).await;
    let data = world.live(("v1", "Secret"), "secret").await["data"].clone();
    assert_eq!(data, json!({ "theirs": "MQ==", "ours": "w7w=" }));
    world.delete("kubernetes_secret_v1_data", &thing).await;
    let data = world.live(("v1", "Secret"), "secret").await["data"].clone();
    assert_eq!(data, json!({ "theirs": "MQ==" }));
}

async fn environments(world: &World) {
    workload(world, "served").await;
    let text = |env: &str| {
        format!(
            "api_version = \"apps/v1\"\nkind = \"Deployment\"\ncontainer = \"main\"\n{env}\n{}",
            meta(world, "served")
        )
    };
    let from = "env {\n name = \"NODE\"\n value_from {\n field_ref {\n field_path = \"spec.nodeName\"\n}\n}\n}";
    let both = text(&format!("env {{\n name = \"OURS\"\n value = \"1\"\n}}\n{from}"));
    let thing = world.made("kubernetes_env", &both).await;
    let names = |live: &Json| -> Vec<String> {
        let env = live["spec"]["template"]["spec"]["containers"][0]["env"].as_array().cloned().unwrap_or_default();
        let mut names: Vec<_> = env.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&world.live(DEPLOYMENT, "served").await), ["NODE", "OURS", "THEIRS"]);
    let one = text("env {\n name = \"OURS\"\n value = \"2\"\n}");
    let thing = world.update("kubernetes_env", &thing, &one).await;
    assert_eq!(names(&world.live(DEPLOYMENT, "served").await), ["OURS", "THEIRS"]);
    world.delete("kubernetes_env", &thing).await;
    assert_eq!(names(&world.live(DEPLOYMENT, "served").await), ["THEIRS"]);
}

async fn taints(world: &World) {
    // A node of the test's own, on which nothing runs.
    let node = world.namespace.clone();
    let kind = find("v1", "Node").unwrap();
    let how = infra::client::kube::Apply { manager: "somebody", force: false, dry_run: false };
    let object = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": node } });
    world.kube.apply(kind, &object, &how).await.unwrap();
    let text = |value: &str| {
        format!(
            "metadata {{\n name = \"{node}\"\n}}\nforce = true\ntaint {{\n key = \"a\"\n value = \"{value}\"\n effect = \"PreferNoSchedule\"\n}}"
        )
    };
    let thing = world.create("kubernetes_node_taint", &text("1")).await;
    assert_eq!(thing.at("/id"), format!("{node},a=1:PreferNoSchedule").as_str());
    let thing = world.update("kubernetes_node_taint", &thing, &text("2")).await;
    assert_eq!(thing.at("/id"), format!("{node},a=2:PreferNoSchedule").as_str());
    world.delete("kubernetes_node_taint", &thing).await;
    let live = world.kube.get(kind, None, &node).await.unwrap().unwrap();
    let left = live["spec"]["taints"].as_array().cloned().unwrap_or_default();
    assert!(left.iter().all(|taint| taint["key"] != "a"), "{left:?}");
    world.kube.delete(kind, None, &node, None, "Background").await.unwrap();
}

async fn data_sources(world: &World) {
    let json =
        |value: &infra::value::Value| -> Json { serde_json::from_str(&infra::value::to_json(value).unwrap()).unwrap() };
    let all = json(&world.data("kubernetes_all_namespaces", "").await);
    assert!(all["namespaces"].as_array().unwrap().iter().any(|name| *name == world.namespace.as_str()));
    let version = json(&world.data("kubernetes_server_version", "").await);
    assert_eq!(version["git_version"], format!("v{}", version["version"].as_str().unwrap()));
    assert!(json(&world.data("kubernetes_nodes", "").await)["nodes"].is_array());
    config_map(world, "found").await;
    let text = format!(
        "api_version = \"v1\"\nkind = \"ConfigMap\"\nnamespace = \"{}\"\nlabel_selector = \"theirs=1\"",
        world.namespace
    );
    let found = json(&world.data("kubernetes_resources", &text).await);
    assert_eq!(found["objects"][0]["metadata"]["name"], "found");
    assert_eq!(found["objects"].as_array().unwrap().len(), 1);
    // What is not there is empty, and no error.
    for kind in [
        "kubernetes_config_map",
        "kubernetes_secret",
        "kubernetes_service",
        "kubernetes_pod_v1",
        "kubernetes_endpoints_v1",
    ] {
        let nothing = json(&world.data(kind, &meta(world, "nowhere")).await);
        assert_eq!(nothing["id"], format!("{}/nowhere", world.namespace).as_str(), "{kind}");
        assert_eq!(nothing["metadata"][0]["uid"], "", "{kind}");
        assert!(nothing["data"].is_null() && nothing["spec"].is_null(), "{kind} {nothing}");
    }
    let service = format!("{}spec {{\n port {{\n port = 80\n}}\n}}", meta(world, "here"));
    world.create("kubernetes_service", &service).await;
    let found = json(&world.data("kubernetes_service", &meta(world, "here")).await);
    assert_eq!(found["spec"][0]["port"][0]["port"], 80, "{found}");
}

async fn default_service_accounts(world: &World) {
    let text =
        format!("metadata {{\n namespace = \"{}\"\n}}\nautomount_service_account_token = false", world.namespace);
    let thing = world.create("kubernetes_default_service_account_v1", &text).await;
    assert_eq!(thing.at("/id"), format!("{}/default", world.namespace).as_str());
    assert_eq!(world.live(("v1", "ServiceAccount"), "default").await["automountServiceAccountToken"], false);
    world.settled("kubernetes_default_service_account_v1", &thing, &text).await;
}

async fn kinds_of_clusters(world: &World) {
    let named = |suffix: &str| format!("metadata {{\n name = \"{}{suffix}\"\n}}\n", world.namespace);
    let webhook = format!(
        "{}webhook {{\n name = \"a.example.com\"\n admission_review_versions = [\"v1\"]\n side_effects = \"None\"\n failure_policy = \"Ignore\"\n client_config {{\n url = \"https://a.example.com\"\n}}\n rule {{\n api_groups = [\"conformance.example.com\"]\n api_versions = [\"v1\"]\n operations = [\"CREATE\"]\n resources = [\"nothings\"]\n}}\n}}",
        named("")
    );
    let endpoints = format!(
        "{}subset {{\n address {{\n ip = \"10.0.0.1\"\n}}\n port {{\n port = 80\n}}\n}}",
        meta(world, "endpoints")
    );
    let slice = format!(
        "{}address_type = \"IPv4\"\nendpoint {{\n addresses = [\"10.0.0.2\"]\n condition {{\n ready = true\n}}\n}}\nport {{\n port = \"80\"\n app_protocol = \"http\"\n}}",
        meta(world, "slice")
    );
    let driver = format!(
        "{}spec {{\n attach_required = false\n pod_info_on_mount = true\n volume_lifecycle_modes = [\"Ephemeral\"]\n}}",
        named(".example.com")
    );
    for (kind, text) in [
        ("kubernetes_validating_webhook_configuration_v1", webhook.clone()),
        ("kubernetes_mutating_webhook_configuration_v1", webhook),
        ("kubernetes_endpoints_v1", endpoints),
        ("kubernetes_endpoint_slice_v1", slice),
        ("kubernetes_csi_driver_v1", driver),
        ("kubernetes_runtime_class_v1", format!("{}handler = \"runc\"", named(""))),
    ] {
        let thing = world.made(kind, &text).await;
        world.delete(kind, &thing).await;
        assert!(world.read(kind, &thing).await.is_none(), "{kind}");
    }
}
