//! The sandbox as its clients see it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use super::{Access, FAIL, LOG, Sandbox, Timing, serve};
use crate::client::kube::types::{Json, find};
use crate::client::kube::{Apply, Kube, KubeError, Select, WaitError, Waiting, readiness};

const QUICK: Timing = Timing { start: Duration::from_millis(2), stop: Duration::from_millis(1) };

async fn open(folder: &Path) -> (Sandbox, Kube) {
    let sandbox = Sandbox::open(folder, QUICK).await.unwrap();
    let kube = Kube::from_service(sandbox.service());
    (sandbox, kube)
}

fn quietly(limit: Duration) -> Waiting<'static> {
    Waiting { limit, since: Json::Null, tell: &|_| {} }
}

const SOON: Duration = Duration::from_secs(20);

fn how(manager: &str) -> Apply<'_> {
    Apply { manager, force: false, dry_run: false }
}

async fn apply(kube: &Kube, object: Json) -> Result<Json, KubeError> {
    let kind = find(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap()).unwrap();
    kube.apply(kind, &object, &how("infra")).await
}

fn config_map(name: &str, data: Json) -> Json {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "namespace": "default", "name": name }, "data": data })
}

fn workload(kind: &str, name: &str, annotations: Json) -> Json {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": { "namespace": "default", "name": name },
        "spec": {
            "replicas": 1, "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name }, "annotations": annotations },
                "spec": { "containers": [{ "name": "main", "image": "redis:7", "ports": [{ "containerPort": 6379 }] }] },
            },
        },
    });
    if kind == "StatefulSet" {
        object["spec"]["serviceName"] = json!(name);
        object["spec"]["volumeClaimTemplates"] = json!([{
            "metadata": { "name": "data" },
            "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
        }]);
    }
    object
}

#[tokio::test]
async fn objects_outlive_the_process() {
    let folder = TempDir::new().unwrap();
    let uid = {
        let (_sandbox, kube) = open(folder.path()).await;
        apply(&kube, config_map("a", json!({ "x": "1" }))).await.unwrap();
        apply(&kube, config_map("b", json!({ "x": "1" }))).await.unwrap();
        let kind = find("v1", "ConfigMap").unwrap();
        kube.delete(kind, Some("default"), "b", None, "Background").await.unwrap();
        kube.identity().await.unwrap()
    };
    let (_sandbox, kube) = open(folder.path()).await;
    let kind = find("v1", "ConfigMap").unwrap();
    assert_eq!(kube.get(kind, Some("default"), "a").await.unwrap().unwrap()["data"], json!({ "x": "1" }));
    assert_eq!(kube.get(kind, Some("default"), "b").await.unwrap(), None);
    assert_eq!(kube.identity().await.unwrap(), uid);
}

#[tokio::test]
async fn a_line_cut_off_by_a_crash_is_dropped_and_other_damage_is_told() {
    let folder = TempDir::new().unwrap();
    {
        let (_sandbox, kube) = open(folder.path()).await;
        apply(&kube, config_map("a", json!({ "x": "1" }))).await.unwrap();
    }
    let log = folder.path().join("objects.log");
    let mut text = std::fs::read(&log).unwrap();
    text.extend_from_slice(b"{\"r\":99,\"k\":\"configmaps\",\"s\":\"default\",\"n\":\"c\"}\t{\"half\":");
    std::fs::write(&log, &text).unwrap();
    {
        let (_sandbox, kube) = open(folder.path()).await;
        let kind = find("v1", "ConfigMap").unwrap();
        assert!(kube.get(kind, Some("default"), "a").await.unwrap().is_some());
        assert!(kube.get(kind, Some("default"), "c").await.unwrap().is_none());
    }
    std::fs::write(&log, "nonsense\n").unwrap();
    let error = Sandbox::open(folder.path(), QUICK).await.err().unwrap();
    assert!(error.to_string().contains("line 1"), "{error}");
}

#[tokio::test]
async fn files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    let (sandbox, _kube) = open(folder.path()).await;
    let _server = serve(&sandbox, 0).await.unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}

#[tokio::test]
async fn applies_own_fields() {
    let folder = TempDir::new().unwrap();
    let (_sandbox, kube) = open(folder.path()).await;
    let kind = find("v1", "ConfigMap").unwrap();
    let first = apply(&kube, config_map("a", json!({ "x": "1", "y": "1" }))).await.unwrap();
    // The same again changes nothing at all.
    let again = apply(&kube, config_map("a", json!({ "x": "1", "y": "1" }))).await.unwrap();
    assert_eq!(first["metadata"]["resourceVersion"], again["metadata"]["resourceVersion"]);
    // Another manager adds a field of its own, and shares one.
    let other = kube.apply(kind, &config_map("a", json!({ "z": "1", "y": "1" })), &how("other")).await.unwrap();
    assert_eq!(other["data"], json!({ "x": "1", "y": "1", "z": "1" }));
    // What only we owned goes when we leave it out; what is shared or another's stays.
    let fewer = apply(&kube, config_map("a", json!({}))).await.unwrap();
    assert_eq!(fewer["data"], json!({ "y": "1", "z": "1" }));
    // A field of another manager is not taken silently.
    let error = apply(&kube, config_map("a", json!({ "z": "2" }))).await.unwrap_err();
    let KubeError::Conflict { fields, .. } = error else { panic!("{error:?}") };
    assert_eq!(fields[0].field, ".data.z");
    assert_eq!(fields[0].message, "conflict with \"other\"");
    let force = Apply { manager: "infra", force: true, dry_run: false };
    let forced = kube.apply(kind, &config_map("a", json!({ "z": "2" })), &force).await.unwrap();
    assert_eq!(forced["data"]["z"], json!("2"));
    // A dry run answers and does nothing.
    let dry = Apply { manager: "infra", force: true, dry_run: true };
    let shown = kube.apply(kind, &config_map("a", json!({ "z": "3" })), &dry).await.unwrap();
    assert_eq!(shown["data"]["z"], json!("3"));
    assert_eq!(kube.get(kind, Some("default"), "a").await.unwrap().unwrap()["data"]["z"], json!("2"));
}

#[tokio::test]
async fn refusals_name_fields() {
    let folder = TempDir::new().unwrap();
    let (_sandbox, kube) = open(folder.path()).await;
    let check = async |object: Json, expect: &[(&str, &str)]| match apply(&kube, object).await {
        Err(KubeError::Invalid { fields, .. }) => {
            let found: Vec<(&str, &str)> =
                fields.iter().map(|one| (one.field.as_str(), one.message.as_str())).collect();
            for (field, message) in expect {
                assert!(found.iter().any(|(f, m)| f == field && m.contains(message)), "{field} {message} in {found:?}");
            }
        }
        other => panic!("{other:?}"),
    };
    let mut bad = workload("Deployment", "a", json!({}));
    bad["spec"]["selector"] = json!(null);
    bad["spec"]["template"]["spec"]["containers"][0]["image"] = json!("");
    check(bad, &[("spec.selector", "Required value"), ("spec.template.spec.containers[0].image", "Required value")])
        .await;
    let mut bad = workload("Deployment", "a", json!({}));
    bad["spec"]["template"]["metadata"]["labels"] = json!({ "app": "b" });
    check(bad, &[("spec.template.metadata.labels", "`selector` does not match template `labels`")]).await;
    check(config_map("A_b", json!({})), &[("metadata.name", "RFC 1123")]).await;
    check(config_map("a", json!({ "x y": "1" })), &[("data[x y]", "config key")]).await;
    apply(&kube, workload("StatefulSet", "s", json!({}))).await.unwrap();
    let mut changed = workload("StatefulSet", "s", json!({}));
    changed["spec"]["serviceName"] = json!("other");
    check(changed, &[("spec", "updates to statefulset spec")]).await;
    let error = apply(
        &kube,
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "namespace": "no", "name": "a" } }),
    )
    .await;
    assert!(matches!(error, Err(KubeError::NotFound(message)) if message.contains("namespaces \"no\" not found")));
    let mut typo = config_map("a", json!({}));
    typo["dat"] = json!({});
    let error = apply(&kube, typo).await.unwrap_err();
    assert!(error.to_string().contains(".dat: field not declared in schema"), "{error}");
    let error = kube.kind("example.com/v1", "Widget").await.unwrap_err();
    assert!(matches!(error, KubeError::UnknownKind { .. }));
}

#[tokio::test]
async fn workloads_turn_ready() {
    let folder = TempDir::new().unwrap();
    let (_sandbox, kube) = open(folder.path()).await;
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "namespace": "default", "name": "d" },
        "spec": { "selector": { "app": "d" }, "ports": [{ "port": 80, "targetPort": 6379 }] },
    });
    apply(&kube, service).await.unwrap();
    for (kind, name) in [("Deployment", "d"), ("StatefulSet", "s")] {
        apply(&kube, workload(kind, name, json!({}))).await.unwrap();
        let kind = find("apps/v1", kind).unwrap();
        kube.wait_until(kind, Some("default"), name, quietly(SOON), &readiness).await.unwrap();
    }
    let claim = find("v1", "PersistentVolumeClaim").unwrap();
    let claim = kube.get(claim, Some("default"), "data-s-0").await.unwrap().unwrap();
    assert_eq!(claim["status"]["phase"], json!("Bound"));
    let endpoints = kube.get(find("v1", "Endpoints").unwrap(), Some("default"), "d").await.unwrap().unwrap();
    assert_eq!(endpoints["subsets"][0]["ports"][0]["port"], json!(6379));
    assert_eq!(endpoints["subsets"][0]["addresses"].as_array().unwrap().len(), 1);
    // A new template replaces the pods.
    let mut changed = workload("Deployment", "d", json!({ "v": "2" }));
    changed["spec"]["replicas"] = json!(2);
    apply(&kube, changed).await.unwrap();
    let kind = find("apps/v1", "Deployment").unwrap();
    kube.wait_until(kind, Some("default"), "d", quietly(SOON), &readiness).await.unwrap();
    // One that is paused is seen all the same, so that nobody waits for it.
    let mut paused = workload("Deployment", "d", json!({ "v": "2" }));
    paused["spec"]["replicas"] = json!(2);
    paused["spec"]["paused"] = json!(true);
    apply(&kube, paused).await.unwrap();
    kube.wait_until(kind, Some("default"), "d", quietly(SOON), &readiness).await.unwrap();
    let mut changed = workload("StatefulSet", "s", json!({ "v": "2" }));
    changed["spec"]["replicas"] = json!(3);
    apply(&kube, changed).await.unwrap();
    let kind = find("apps/v1", "StatefulSet").unwrap();
    let set = kube.wait_until(kind, Some("default"), "s", quietly(SOON), &readiness).await.unwrap();
    assert_eq!(set["status"]["updatedReplicas"], json!(3));
}

#[tokio::test]
async fn failures_are_explained() {
    let folder = TempDir::new().unwrap();
    let (_sandbox, kube) = open(folder.path()).await;
    let check = async |object: Json, expect: &str, log: &[&str]| {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let kind = find("apps/v1", object["kind"].as_str().unwrap()).unwrap();
        apply(&kube, object).await.unwrap();
        let error = kube
            .wait_until(kind, Some("default"), &name, quietly(Duration::from_millis(150)), &readiness)
            .await
            .unwrap_err();
        let WaitError::TimedOut { explanation, .. } = error else { panic!("{error:?}") };
        let headline = explanation.headline();
        assert!(headline.starts_with("pod ") && headline.contains(expect), "{headline}");
        assert_eq!(explanation.pods[0].log, log);
    };
    check(
        workload("Deployment", "pull", json!({ FAIL: "ImagePullBackOff" })),
        "ImagePullBackOff: Back-off pulling image \"redis:7\"",
        &[],
    )
    .await;
    let crash =
        json!({ FAIL: "CrashLoopBackOff", LOG: "loading\nFatal error loading the DB: Permission denied. Exiting." });
    let lines = ["loading", "Fatal error loading the DB: Permission denied. Exiting."];
    check(workload("Deployment", "crash", crash), "CrashLoopBackOff", &lines).await;
    check(workload("Deployment", "place", json!({ FAIL: "Unschedulable" })), "Pending: 0/1 nodes are available", &[])
        .await;
    let mut claim = workload("StatefulSet", "claim", json!({}));
    claim["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] = json!("nowhere");
    check(claim, "pod claim-0 Pending: claim data-claim-0 unbound: StorageClass nowhere does not exist", &[]).await;
}

#[tokio::test]
async fn deletions_cascade() {
    let folder = TempDir::new().unwrap();
    let (_sandbox, kube) = open(folder.path()).await;
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "data" } });
    apply(&kube, namespace).await.unwrap();
    let mut deployment = workload("Deployment", "d", json!({}));
    deployment["metadata"]["namespace"] = json!("data");
    apply(&kube, deployment).await.unwrap();
    let mut set = workload("StatefulSet", "s", json!({}));
    set["metadata"]["namespace"] = json!("data");
    apply(&kube, set).await.unwrap();
    let kind = find("apps/v1", "Deployment").unwrap();
    kube.wait_until(kind, Some("data"), "d", quietly(SOON), &readiness).await.unwrap();
    kube.wait_until(find("apps/v1", "StatefulSet").unwrap(), Some("data"), "s", quietly(SOON), &readiness)
        .await
        .unwrap();
    let pods = find("v1", "Pod").unwrap();
    let select = Select { labels: Some("app=d"), fields: None };
    assert_eq!(kube.list(pods, Some("data"), &select).await.unwrap().items.len(), 1);
    kube.delete(kind, Some("data"), "d", None, "Foreground").await.unwrap();
    kube.wait_gone(kind, Some("data"), "d", quietly(SOON)).await.unwrap();
    assert_eq!(
        kube.list(find("apps/v1", "ReplicaSet").unwrap(), Some("data"), &Select::ALL).await.unwrap().items.len(),
        0
    );
    let namespaces = find("v1", "Namespace").unwrap();
    kube.delete(namespaces, None, "data", None, "Background").await.unwrap();
    kube.wait_gone(namespaces, None, "data", quietly(SOON)).await.unwrap();
    for (version, kind) in
        [("v1", "Pod"), ("v1", "PersistentVolumeClaim"), ("apps/v1", "StatefulSet"), ("v1", "ConfigMap")]
    {
        let left = kube.list(find(version, kind).unwrap(), Some("data"), &Select::ALL).await.unwrap().items;
        assert_eq!(left.len(), 0, "{kind}");
    }
}

#[tokio::test]
async fn definitions_make_kinds() {
    let folder = TempDir::new().unwrap();
    let (_sandbox, kube) = open(folder.path()).await;
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "widgets.example.com" },
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": { "kind": "Widget", "plural": "widgets" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": {
                "type": "object", "properties": { "spec": { "type": "object", "required": ["size"], "properties": {
                    "size": { "type": "integer" }, "color": { "type": "string", "default": "red" } } } } } } }],
        },
    });
    apply(&kube, definition).await.unwrap();
    let kind = kube.kind_within("example.com/v1", "Widget", SOON).await.unwrap();
    let widget = |spec: Json| json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "namespace": "default", "name": "a" }, "spec": spec });
    let made = kube.apply(&kind, &widget(json!({ "size": 1 })), &how("infra")).await.unwrap();
    assert_eq!(made["spec"], json!({ "size": 1, "color": "red" }));
    let error = kube.apply(&kind, &widget(json!({ "size": 1, "weight": 1 })), &how("infra")).await.unwrap_err();
    assert!(error.to_string().contains(".spec.weight: field not declared in schema"), "{error}");
    let error = kube.apply(&kind, &widget(json!({ "color": "blue" })), &how("infra")).await;
    assert!(matches!(error, Err(KubeError::Invalid { .. })), "{error:?}");
}

#[tokio::test]
async fn a_served_sandbox_is_found_by_others() {
    let folder = TempDir::new().unwrap();
    let (sandbox, kube) = open(folder.path()).await;
    let server = serve(&sandbox, 0).await.unwrap();
    let Access::Served(endpoint) = Sandbox::reach(folder.path()).await.unwrap() else { panic!("opened twice") };
    assert_eq!(endpoint.url, server.endpoint.url);
    let settings = crate::client::kube::Settings {
        config_raw: Some(crate::client::Secret::new(endpoint.kubeconfig())),
        ..crate::client::kube::Settings::default()
    };
    let through = crate::client::kube::connect(&settings).await.unwrap();
    assert_eq!(through.identity().await.unwrap(), kube.identity().await.unwrap());
    // Without the secret part of the address nobody is let in.
    let bare = endpoint.url.rsplit_once('/').unwrap().0.to_owned();
    let settings = crate::client::kube::Settings { host: Some(bare), ..crate::client::kube::Settings::default() };
    let stranger = crate::client::kube::connect(&settings).await.unwrap();
    assert!(stranger.identity().await.is_err());
}

#[tokio::test]
async fn a_hundred_objects_are_quick() {
    let folder = TempDir::new().unwrap();
    let (sandbox, kube) = open(folder.path()).await;
    let began = Instant::now();
    for at in 0..100 {
        apply(&kube, config_map(&format!("c-{at}"), json!({ "x": "1" }))).await.unwrap();
    }
    let applied = began.elapsed();
    let began = Instant::now();
    let listed = kube.list(find("v1", "ConfigMap").unwrap(), Some("default"), &Select::ALL).await.unwrap().items.len();
    let read = began.elapsed();
    assert_eq!(listed, 101);
    drop((sandbox, kube));
    let began = Instant::now();
    let _again = open(folder.path()).await;
    eprintln!("100 applies {applied:?}, list {read:?}, open {:?}", began.elapsed());
    // Generous: a debug build on a busy machine. Each apply is on the disk before it answers.
    assert!(applied < Duration::from_secs(3), "{applied:?}");
}

/// The other side of the next test: puts objects and says so, until it is killed. Does nothing unless it is told a folder.
#[tokio::test]
async fn putting_until_killed() {
    use std::io::Write as _;
    let Ok(folder) = std::env::var("INFRA_TEST_SANDBOX") else { return };
    let (_sandbox, kube) = open(Path::new(&folder)).await;
    for at in 0.. {
        apply(&kube, config_map(&format!("c-{at}"), json!({ "x": "1" }))).await.unwrap();
        println!("put c-{at}.");
        std::io::stdout().flush().unwrap();
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let folder = TempDir::new().unwrap();
    let mut seen = 0;
    for round in 1..4_usize {
        let path = folder.path().to_owned();
        // Later rounds put what is there already, so that the log is also reopened and appended to.
        let lines = seen + 7 * round;
        // On a thread of its own, so that what the last round opened can end meanwhile.
        seen = seen.max(tokio::task::spawn_blocking(move || put_and_be_killed(&path, lines)).await.unwrap());
        let (_sandbox, kube) = open(folder.path()).await;
        let kind = find("v1", "ConfigMap").unwrap();
        for at in 0..seen {
            assert!(kube.get(kind, Some("default"), &format!("c-{at}")).await.unwrap().is_some(), "c-{at} of {seen}");
        }
    }
    assert!(seen > 20);
}

/// Lets another process put objects until it has said so often that one is put; gives how many different ones.
fn put_and_be_killed(folder: &Path, lines: usize) -> usize {
    use std::io::{BufRead as _, BufReader};
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sandbox::tests::putting_until_killed", "--nocapture", "--test-threads", "1"])
        .env("INFRA_TEST_SANDBOX", folder)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = said.map_while(Result::ok).filter(|line| line.contains("put c-")).take(lines);
    let last = said.map(|line| line.rsplit('-').next().unwrap().trim_end_matches('.').parse::<usize>().unwrap()).max();
    child.kill().unwrap();
    child.wait().unwrap();
    last.map_or(0, |last| last + 1)
}

#[tokio::test]
async fn a_log_that_grew_is_written_anew() {
    let folder = TempDir::new().unwrap();
    let big = "x".repeat(20_000);
    {
        let (_sandbox, kube) = open(folder.path()).await;
        for at in 0..200 {
            apply(&kube, config_map("a", json!({ "x": format!("{big}{at}") }))).await.unwrap();
        }
    }
    let size = std::fs::metadata(folder.path().join("objects.log")).unwrap().len();
    assert!(size < 2_000_000, "{size}");
    let (_sandbox, kube) = open(folder.path()).await;
    let found = kube.get(find("v1", "ConfigMap").unwrap(), Some("default"), "a").await.unwrap().unwrap();
    assert_eq!(found["data"]["x"], json!(format!("{big}199")));
}

#[tokio::test]
async fn a_second_opener_waits_for_the_first() {
    let folder = TempDir::new().unwrap();
    let (sandbox, kube) = open(folder.path()).await;
    let path = folder.path().to_owned();
    let second = tokio::spawn(async move { Sandbox::open(&path, QUICK).await.map(|_| ()) });
    tokio::task::yield_now().await;
    assert!(!second.is_finished());
    drop((sandbox, kube));
    second.await.unwrap().unwrap();
}

#[tokio::test]
async fn watches_tell_what_happens() {
    use crate::client::kube::Event;
    let folder = TempDir::new().unwrap();
    let (_sandbox, kube) = open(folder.path()).await;
    let kind = find("v1", "ConfigMap").unwrap();
    let list = kube.list(kind, Some("default"), &Select::ALL).await.unwrap();
    let select = Select { labels: Some("app=a"), fields: None };
    let mut watch = kube.watch(kind, Some("default"), &select, &list.revision).await.unwrap();
    let labelled = |label: &str, x: &str| {
        let mut object = config_map("a", json!({ "x": x }));
        object["metadata"]["labels"] = json!({ "app": label });
        object
    };
    apply(&kube, config_map("other", json!({}))).await.unwrap();
    apply(&kube, labelled("a", "1")).await.unwrap();
    apply(&kube, labelled("a", "2")).await.unwrap();
    // To somebody who watches by label, an object that loses it is gone.
    apply(&kube, labelled("b", "3")).await.unwrap();
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard.push(match watch.next().await.unwrap().unwrap() {
            Event::Is(object) => object["data"]["x"].as_str().unwrap().to_owned(),
            Event::Gone(_) => "gone".to_owned(),
        });
    }
    assert_eq!(heard, ["1", "2", "gone"]);
}
