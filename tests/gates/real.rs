//! Real PostgreSQL and Redis, over the network and through a real API server.

use infra::client::Secret;
use infra::client::kube::types::{Json, find};
use infra::client::kube::{Apply, Kube, Settings, connect};
use infra::value::{Type, Value};
use serde_json::json;

use super::{fails, passes};
use crate::lab;
use crate::lab::kubernetes::{client_for, lead_exec, lead_port, local};

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_answers_over_the_network() {
    let Some(server) = lab::postgres() else { return };
    let address = |port: u16| Value::from(format!("127.0.0.1:{port}"));
    let login = |password: &str| {
        vec![
            ("address", address(server.port)),
            ("username", server.user.as_str().into()),
            ("database", server.database.as_str().into()),
            ("password", password.into()),
        ]
    };
    let with = |more: &[(&'static str, Value)]| [login(&server.password), more.to_vec()].concat();
    passes("postgresql", &with(&[]), None, false).await;
    passes("postgresql", &with(&[("query", "SELECT 40 + 2".into()), ("expect", "42".into())]), None, false).await;
    fails("postgresql", &with(&[("expect", "42".into())]), None, false, &["the query answers \"1\", not \"42\""]).await;
    fails(
        "postgresql",
        &with(&[("query", "SELECT nothing".into())]),
        None,
        false,
        &["column \"nothing\" does not exist"],
    )
    .await;
    fails("postgresql", &with(&[("sslmode", "require".into())]), None, false, &["TLS"]).await;

    let said = fails("postgresql", &login("hunter2"), None, false, &["password authentication failed", "28P01"]).await;
    assert!(!said.contains("hunter2"), "{said}");
    let port = lab::free_port();
    let closed = [("address", address(port))];
    let expect = format!("PostgreSQL at 127.0.0.1:{port} did not answer the query within 1.5s (");
    fails("postgresql", &closed, None, false, &["connection refused", &expect]).await;

    let replica = server.replica();
    passes("postgresql", &with(&[("replica_address", address(replica.port))]), None, false).await;
    let primary_twice = with(&[("replica_address", address(server.port))]);
    fails("postgresql", &primary_twice, None, false, &["replica 127.0.0.1", "it is a primary, not a replica"]).await;
    let mut follower = login(&server.password);
    follower[0].1 = address(replica.port);
    follower.push(("role", "primary".into()));
    fails("postgresql", &follower, None, false, &["it is a replica, not the primary"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_answers_over_the_network() {
    let Some(server) = lab::redis() else { return };
    let login =
        |password: &str| [("address", format!("127.0.0.1:{}", server.port).into()), ("password", password.into())];
    passes("redis", &login(&server.password), None, false).await;
    let said = fails("redis", &login("hunter2"), None, false, &["did not answer PING", "refuses the login"]).await;
    assert!(!said.contains("hunter2"), "{said}");
    fails("redis", &login(&server.password)[..1], None, false, &["NOAUTH"]).await;
}

async fn kube(cluster: &lab::kubernetes::Kubernetes) -> Kube {
    let config_raw = Some(Secret::new(&cluster.kubeconfig));
    connect(&Settings { config_raw, ..Settings::default() }).await.unwrap()
}

pub(super) async fn apply(kube: &Kube, namespace: &str, mut object: Json) {
    object["metadata"]["namespace"] = json!(namespace);
    let kind = find(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap()).unwrap();
    kube.apply(kind, &object, &Apply { manager: "test", force: true, dry_run: false }).await.unwrap();
}

pub(super) fn service(name: &str, port: u16) -> Json {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
        "spec": { "selector": { "app": name }, "ports": [{ "port": port, "targetPort": port }] },
    })
}

pub(super) fn stateful_set(name: &str, annotations: Json, storage_class: Json) -> Json {
    let mut claim = json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } });
    if !storage_class.is_null() {
        claim["storageClassName"] = storage_class;
    }
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": name },
        "spec": {
            "replicas": 1, "serviceName": name, "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name }, "annotations": annotations },
                "spec": { "containers": [{ "name": "main", "image": "lab:1" }] },
            },
            "volumeClaimTemplates": [{ "metadata": { "name": "data" }, "spec": claim }],
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_reached_through_the_api_server() {
    let Some(cluster) = lab::kube() else { return };
    let (Some(postgres), Some(redis)) = (lab::postgres(), lab::redis()) else { return };
    let (kube, namespace) = (kube(cluster).await, cluster.namespace());
    let client = client_for(&cluster.kubeconfig).await;
    lead_port(&client, &namespace, "postgresql-0", 5432, local(postgres.port)).await;
    lead_port(&client, &namespace, "redis-0", 6379, local(redis.port)).await;
    lead_exec(&client, &namespace, "redis-0", &[]).await;
    for (name, port) in [("postgresql", 5432), ("redis", 6379)] {
        apply(&kube, &namespace, service(name, port)).await;
        apply(&kube, &namespace, stateful_set(name, json!({}), Json::Null)).await;
    }
    let place = |name: &str| ("service", Value::from(format!("{namespace}/{name}")));
    // The gate waits for the pod itself: nothing here waited for the rollout.
    let login = [("username", postgres.user.as_str().into()), ("password", postgres.password.as_str().into())];
    passes("postgresql", &[&[place("postgresql")], &login[..]].concat(), Some(&kube), false).await;
    passes("redis", &[place("redis:6379"), ("password", redis.password.as_str().into())], Some(&kube), false).await;
    passes("tcp", &[place("redis")], Some(&kube), false).await;
    let command =
        |words: &[&str]| ("command", Value::list(Type::String, words.iter().map(|word| Value::from(*word)).collect()));
    passes("exec", &[place("redis"), command(&["echo", "fine"]), ("contains", "fine".into())], Some(&kube), false)
        .await;
    // The kubelet tells the exit code; kwok tells it in words.
    let failing = command(&["sh", "-c", "exit 3"]);
    fails("exec", &[place("redis"), failing], Some(&kube), false, &["The command sh in a pod of service", "3"]).await;

    let said =
        fails("redis", &[place("redis"), ("password", "hunter2".into())], Some(&kube), false, &["refuses the login"])
            .await;
    assert!(!said.contains("hunter2"), "{said}");
    fails("redis", &[place("missing")], Some(&kube), false, &[&format!("service {namespace}/missing does not exist")])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_that_does_not_come_up_is_explained() {
    let Some(cluster) = lab::kube() else { return };
    let (kube, namespace) = (kube(cluster).await, cluster.namespace());
    apply(&kube, &namespace, service("redis", 6379)).await;
    apply(&kube, &namespace, stateful_set("redis", json!({}), json!("no-such-class"))).await;
    let place = [("service", Value::from(format!("{namespace}/redis")))];
    let parts = [
        &format!("Redis at {namespace}/redis did not answer PING"),
        &format!("service {namespace}/redis has no endpoints: none of its pods is ready"),
        &format!("StatefulSet {namespace}/redis: 0 of 1 pods ready"),
        "pod redis-0: Pending",
        "claim data-redis-0: Pending: StorageClass no-such-class does not exist",
    ];
    fails("redis", &place, Some(&kube), false, &parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_looked_at() {
    let Some(cluster) = lab::kube() else { return };
    let (kube, namespace) = (kube(cluster).await, cluster.namespace());
    passes("kubernetes", &[("ready", true.into())], Some(&kube), false).await;
    let object = |api: &str, kind: &str, name: &str| {
        vec![
            ("api_version", Value::from(api)),
            ("kind", kind.into()),
            ("namespace", namespace.as_str().into()),
            ("name", name.into()),
        ]
    };
    let with = |object: Vec<(&'static str, Value)>, more: (&'static str, Value)| [object, vec![more]].concat();
    let settings = object("v1", "ConfigMap", "settings");
    fails(
        "kubernetes",
        &settings,
        Some(&kube),
        false,
        &[&format!("ConfigMap {namespace}/settings did not come to exist")],
    )
    .await;
    passes("kubernetes", &with(settings.clone(), ("exists", false.into())), Some(&kube), false).await;
    apply(&kube, &namespace, json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings" } }))
        .await;
    passes("kubernetes", &settings, Some(&kube), false).await;
    fails("kubernetes", &with(settings, ("exists", false.into())), Some(&kube), false, &["it still exists"]).await;

    apply(&kube, &namespace, stateful_set("db", json!({}), Json::Null)).await;
    passes("kubernetes", &with(object("apps/v1", "StatefulSet", "db"), ("rollout", true.into())), Some(&kube), false)
        .await;
    passes("kubernetes", &with(object("v1", "Pod", "db-0"), ("condition", "Ready".into())), Some(&kube), false).await;
    let unknown = object("example.com/v1", "Widget", "w");
    fails("kubernetes", &unknown, Some(&kube), false, &["knows no kind Widget in example.com/v1"]).await;
}
