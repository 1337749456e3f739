//! Each server of the lab does the thing that the engine's tests rely on it for.

use std::fs;
use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Node, PersistentVolumeClaim, Pod};
use kube::api::{AttachParams, ListParams, LogParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::host::SCRIPTS_ON_HOST;
use super::kubernetes::{client_for, lead_exec, lead_logs, lead_port, local};

/// What follows from here on within a test.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn minio_keeps_conditions() {
    let Some(minio) = super::minio() else { return };
    let (client, bucket) = (minio.client(), minio.bucket());
    let put = |body: &'static str| {
        client.put_object().bucket(&bucket).key("k").if_none_match("*").body(ByteStream::from_static(body.as_bytes()))
    };
    let etag = put("one").send().await.unwrap().e_tag.unwrap();
    let refused = put("two").send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 412);
    assert_eq!(refused.into_service_error().code(), Some("PreconditionFailed"));
    let replace = client.put_object().bucket(&bucket).key("k").if_match(etag).body(ByteStream::from_static(b"three"));
    replace.send().await.unwrap();
    let read = client.get_object().bucket(&bucket).key("k").send().await.unwrap();
    assert_eq!(read.body.collect().await.unwrap().to_vec(), b"three");
}

#[tokio::test]
async fn a_minio_of_ones_own_can_be_stopped() {
    let Some(minio) = super::minio::own_minio() else { return };
    let client = minio.client();
    client.list_buckets().send().await.unwrap();
    drop(minio);
    assert!(client.list_buckets().send().await.is_err());
}

#[tokio::test]
async fn postgres_answers_on_primary_and_replica() {
    let Some(primary) = super::postgres() else { return };
    let replica = primary.replica();
    for (server, is_replica) in [(primary, false), (&replica, true)] {
        let (client, connection) = tokio_postgres::connect(&server.connection(), tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let row = client.query_one("SELECT 1, pg_is_in_recovery()", &[]).await.unwrap();
        assert_eq!((row.get::<_, i32>(0), row.get::<_, bool>(1)), (1, is_replica));
        drop(client);
        connection.await.unwrap().unwrap();
    }
    let wrong = primary.connection().replace(&primary.password, "wrong");
    assert!(tokio_postgres::connect(&wrong, tokio_postgres::NoTls).await.is_err());
}

#[tokio::test]
async fn redis_answers() {
    let Some(server) = super::redis() else { return };
    let client = ::redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let answer: String = ::redis::cmd("PING").query_async(&mut connection).await.unwrap();
    assert_eq!(answer, "PONG");
}

#[test]
fn a_host_boots_and_lets_root_in() {
    let Some(host) = super::host() else { return };
    assert_eq!(host.run("id -un").1.trim(), "root");
    assert_eq!(host.run("exit 3").0, 3);
    let Some(server) = super::redis() else { return };
    let address = host.reach(server.port);
    let ping = format!("exec 3<>/dev/tcp/{}/{}; printf 'PING\\r\\n' >&3; head -n 1 <&3", address.ip(), address.port());
    // Any answer of Redis shows the way there; without the password it is a refusal.
    let (_, said) = host.run(&format!("bash -c '{}'", ping.replace('\'', "'\\''")));
    assert!(said.contains("NOAUTH"), "{said}");
}

#[tokio::test]
async fn the_k3s_stand_in_installs_serves_and_goes() {
    let Some(host) = super::host() else { return };
    let cache = super::redis();
    if let Some(server) = cache {
        host.lead_port("default", "cache-0", 6379, server.port);
    }
    let install = format!("{SCRIPTS_ON_HOST}/k3s-stand-in/install.sh");
    let (code, said) = host.run(&format!("INSTALL_K3S_VERSION=v1.0.0+k3s1 sh {install}"));
    assert!(code != 0 && said.contains("v1.0.0+k3s1"), "{said}");

    let (code, said) =
        host.run(&format!("INSTALL_K3S_EXEC='server --tls-san x.internal' sh {install} --disable traefik"));
    assert_eq!(code, 0, "{said}\n{}", host.run("journalctl --unit k3s --no-pager | tail -n 40").1);
    assert_eq!(host.run("systemctl is-active k3s").1.trim(), "active");
    assert_eq!(
        host.run("k3s kubectl get --raw /readyz").1,
        "ok",
        "{}",
        host.run("k3s kubectl get --raw '/readyz?verbose'; tail -n 5 /var/lib/rancher/k3s/stand-in/log/*").1
    );
    let version = include_str!("k3s-stand-in/version").trim();
    assert_eq!(host.run("k3s --version").1, format!("k3s version {version} (STAND-IN)\n"));
    let kubernetes = version.split('+').next().unwrap();
    assert!(host.run("k3s kubectl get --raw /version").1.contains(&format!("\"gitVersion\": \"{kubernetes}\"")));
    assert_eq!(host.run("stat -c %a /etc/rancher/k3s/k3s.yaml").1.trim(), "600");

    let kubeconfig = host.run("cat /etc/rancher/k3s/k3s.yaml").1;
    assert!(kubeconfig.contains("server: https://127.0.0.1:6443"));
    let client = client_for(&kubeconfig.replace("127.0.0.1", &host.address.to_string())).await;
    let nodes = Api::<Node>::all(client.clone()).list(&ListParams::default()).await.unwrap();
    assert_eq!(
        nodes.items.iter().map(|node| node.metadata.name.as_deref().unwrap()).collect::<Vec<_>>(),
        ["bare-host"]
    );

    // The way that gates take: to a server of this machine through the API server of that host.
    create_stateful_set(&client, "default", "cache", json!({})).await;
    let sets: Api<StatefulSet> = Api::namespaced(client.clone(), "default");
    until(&sets, "cache", |set| set.status.as_ref().is_some_and(|status| status.ready_replicas == Some(1))).await;
    if cache.is_some() {
        redis_answers_through(&Api::namespaced(client.clone(), "default"), "cache-0").await;
    }

    assert_eq!(host.run("k3s-uninstall.sh").0, 0);
    assert_eq!(
        host.run("systemctl is-active k3s; ls /etc/rancher /usr/local/bin").1.trim(),
        "inactive\n/etc/rancher:\n\n/usr/local/bin:"
    );
}

/// A StatefulSet with one container and a volume claim.
async fn create_stateful_set(client: &Client, namespace: &str, name: &str, annotations: serde_json::Value) {
    let labels = json!({ "app": name });
    let set: StatefulSet = serde_json::from_value(json!({
        "metadata": { "name": name },
        "spec": {
            "replicas": 1,
            "serviceName": name,
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels, "annotations": annotations },
                "spec": { "containers": [{ "name": "main", "image": "lab:1" }] },
            },
            "volumeClaimTemplates": [{
                "metadata": { "name": "data" },
                "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
            }],
        },
    }))
    .unwrap();
    let sets: Api<StatefulSet> = Api::namespaced(client.clone(), namespace);
    sets.create(&PostParams::default(), &set).await.unwrap();
}

/// Watches until an object of that name satisfies a condition.
async fn until<K>(api: &Api<K>, name: &str, condition: impl Fn(&K) -> bool) -> K
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned + kube::Resource,
{
    let only = WatchParams::default().fields(&format!("metadata.name={name}")).timeout(LIMIT.as_secs() as u32);
    let mut events = api.watch(&only, "0").await.unwrap().boxed();
    let mut last = None;
    while let Some(event) = events.try_next().await.unwrap() {
        if let WatchEvent::Added(object) | WatchEvent::Modified(object) = event {
            if condition(&object) {
                return object;
            }
            last = Some(object);
        }
    }
    panic!("{name} did not get there within {LIMIT:?}: {last:#?}");
}

#[tokio::test]
async fn kubernetes_runs_workloads_whose_pods_lead_somewhere() {
    let Some(cluster) = super::kube() else { return };
    let client = cluster.client().await;
    let namespace = cluster.namespace();
    create_stateful_set(&client, &namespace, "db", json!({})).await;
    let sets: Api<StatefulSet> = Api::namespaced(client.clone(), &namespace);
    until(&sets, "db", |set| set.status.as_ref().is_some_and(|status| status.ready_replicas == Some(1))).await;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), &namespace);
    let claim = claims.get("data-db-0").await.unwrap();
    assert_eq!(claim.status.unwrap().phase.as_deref(), Some("Bound"));

    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    lead_exec(&client, &namespace, "db-0", &[("LED", "here")]).await;
    let exec = async || {
        let capture = AttachParams::default().stdout(true).stderr(false);
        let mut process = pods.exec("db-0", ["sh", "-c", "echo led $LED"], &capture).await.unwrap();
        let mut said = String::new();
        process.stdout().unwrap().read_to_string(&mut said).await.unwrap();
        process.join().await.unwrap();
        said
    };
    // kwok learns of a new rule by a watch of its own.
    let led = async { while exec().await != "led here\n" {} };
    tokio::time::timeout(LIMIT, led).await.unwrap();

    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, "2026-01-01T00:00:00.000000000Z stdout F the last words\n").unwrap();
    lead_logs(&client, &namespace, "db-0", file.path()).await;
    let log = async || pods.logs("db-0", &LogParams::default()).await.unwrap_or_default();
    let logged = async { while !log().await.contains("the last words") {} };
    tokio::time::timeout(LIMIT, logged).await.unwrap();

    let Some(server) = super::redis() else { return };
    lead_port(&client, &namespace, "db-0", 6379, local(server.port)).await;
    redis_answers_through(&pods, "db-0").await;
}

/// A Redis that wants a password says so to whoever comes through the pod's port.
async fn redis_answers_through(pods: &Api<Pod>, pod: &str) {
    let ask = async || {
        let mut forward = pods.portforward(pod, &[6379]).await.ok()?;
        let mut stream = forward.take_stream(6379)?;
        stream.write_all(b"PING\r\n").await.ok()?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).await.ok()?;
        Some(answer)
    };
    let asked = async { while ask().await.as_ref() != Some(b"-NOAUTH") {} };
    tokio::time::timeout(LIMIT, asked).await.unwrap();
}

#[tokio::test]
async fn a_held_pod_stays_as_the_test_says() {
    let Some(cluster) = super::kube() else { return };
    // By token this time: both ways in have every right.
    let header = format!("Bearer {}", cluster.token);
    let authority = reqwest::Certificate::from_pem(cluster.authority.as_bytes()).unwrap();
    rustls::crypto::ring::default_provider().install_default().ok();
    let http = reqwest::Client::builder().tls_certs_only([authority]).build().unwrap();
    let answer = http.get(format!("{}/readyz", cluster.server)).header("Authorization", header).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);

    let client = client_for(&cluster.kubeconfig).await;
    let namespace = cluster.namespace();
    create_stateful_set(&client, &namespace, "held", json!({ "lab.infra/hold": "yes" })).await;
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    let scheduled = |pod: &Pod| pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
    until(&pods, "held-0", scheduled).await;
    let waiting = json!({ "reason": "ImagePullBackOff", "message": "no such image" });
    let container = json!({
        "name": "main", "image": "lab:1", "imageID": "", "ready": false, "restartCount": 0, "state": { "waiting": waiting },
    });
    let status = json!({ "status": { "containerStatuses": [container] } });
    pods.patch_status("held-0", &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
    let pod = pods.get("held-0").await.unwrap();
    assert_eq!(pod.status.unwrap().phase.as_deref(), Some("Pending"));
}
