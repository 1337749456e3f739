//! In the sandbox nothing listens: the rollout behind a service stands for it.

use std::time::Duration;

use infra::client::kube::Kube;
use infra::sandbox::{FAIL, LOG, Sandbox, Timing};
use infra::value::Value;
use serde_json::{Value as Json, json};

use super::real::{apply, service, stateful_set};
use super::{fails, passes};

async fn open(folder: &tempfile::TempDir) -> (Sandbox, Kube) {
    let timing = Timing { start: Duration::from_millis(5), stop: Duration::from_millis(1) };
    let sandbox = Sandbox::open(folder.path(), timing).await.unwrap();
    let kube = Kube::from_service(sandbox.service());
    (sandbox, kube)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_stands_for_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let (_sandbox, kube) = open(&folder).await;
    let place = [("service", Value::from("default/redis"))];
    fails("redis", &place, Some(&kube), true, &["service default/redis does not exist"]).await;
    apply(&kube, "default", service("redis", 6379)).await;
    fails("redis", &place, Some(&kube), true, &["no workload's pods match its selector"]).await;
    apply(&kube, "default", stateful_set("redis", json!({}), Json::Null)).await;
    for kind in ["redis", "postgresql", "tcp", "http"] {
        assert_eq!(passes(kind, &place, Some(&kube), true).await.note, "simulated", "{kind}");
    }
    let object = [("ready", true.into()), ("kind", "Service".into()), ("name", "redis".into())];
    assert_eq!(passes("kubernetes", &object, Some(&kube), true).await.note, "");
    let page = [("url", Value::from("https://example.invalid/"))];
    assert_eq!(passes("http", &page, Some(&kube), true).await.note, "not checked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashing_workload_is_explained_with_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let (_sandbox, kube) = open(&folder).await;
    let annotations =
        json!({ FAIL: "CrashLoopBackOff", LOG: "starting\nFatal error loading the DB: Permission denied. Exiting." });
    apply(&kube, "default", service("redis", 6379)).await;
    apply(&kube, "default", stateful_set("redis", annotations, Json::Null)).await;
    let parts = [
        "Redis at default/redis did not answer PING",
        "pod redis-0: CrashLoopBackOff",
        "its log ends with:\n    | starting\n    | Fatal error loading the DB: Permission denied. Exiting.",
        "claim data-redis-0: Bound",
    ];
    fails("redis", &[("service", "default/redis".into())], Some(&kube), true, &parts).await;
}
