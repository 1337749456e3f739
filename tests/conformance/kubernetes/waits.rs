//! Waits of the program as a whole, against a real API server: far away, ended by signals, and with the cause of what does not come.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use infra::client::kube::types::find;
use infra::client::kube::{Kube, Readiness, Waiting, Write, readiness};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::whole::{Cluster, assert_nothing_planned, call, ok};
use crate::cli::program::Program;
use crate::cli::running::Running;

/// A wait may last this much longer than what it waits for.
const AFTER: Duration = Duration::from_secs(3);

/// A way to a server that takes `delay` in each direction.
struct Slow {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Slow {
    async fn to(server: SocketAddr, delay: Duration) -> Slow {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut pipes = JoinSet::new();
            while let Ok((here, _)) = listener.accept().await {
                let Ok(there) = TcpStream::connect(server).await else { continue };
                let ((here_in, here_out), (there_in, there_out)) = (here.into_split(), there.into_split());
                pipes.spawn(pipe(here_in, there_out, delay));
                pipes.spawn(pipe(there_in, here_out, delay));
            }
        });
        Slow { address, _tasks: tasks }
    }
}

/// Passes on what comes, each part as late as it should be, however much is on the way.
async fn pipe(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut receiver) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let reads = async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let _ = sender.send((Instant::now() + delay, buffer[..count].to_vec()));
        }
    };
    let writes = async move {
        while let Some((due, part)) = receiver.recv().await {
            tokio::time::sleep_until(due.into()).await;
            if to.write_all(&part).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(reads, writes);
}

/// A deployment whose pods the lab keeps from turning ready as long as they have the annotation.
fn held(name: &str, namespace: &str, timeouts: &str) -> String {
    format!(
        r#"
resource "kubernetes_deployment_v1" "d" {{
  metadata {{
    name      = "{name}"
    namespace = "{namespace}"
  }}
  {timeouts}
  spec {{
    replicas = 2
    selector {{
      match_labels = {{ app = "{name}" }}
    }}
    template {{
      metadata {{
        labels      = {{ app = "{name}" }}
        annotations = {{ "lab.infra/hold" = "1" }}
      }}
      spec {{
        container {{
          name  = "c"
          image = "nginx:1"
        }}
      }}
    }}
  }}
}}
"#
    )
}

async fn pods(kube: &Kube, namespace: &str) -> Vec<Value> {
    kube.list(find("v1", "Pod").unwrap(), Some(namespace), &Default::default()).await.unwrap().items
}

/// Lets the pods of a namespace turn ready.
async fn release(kube: &Kube, namespace: &str) {
    let free = json!({ "metadata": { "annotations": { "lab.infra/hold": null } } });
    for pod in pods(kube, namespace).await {
        let name = pod["metadata"]["name"].as_str().unwrap();
        kube.merge(find("v1", "Pod").unwrap(), Some(namespace), name, &free, &Write::by("lab")).await.unwrap();
    }
}

fn quietly() -> Waiting<'static> {
    Waiting { limit: Duration::from_secs(60), since: Value::Null, tell: &|_| {} }
}

/// A rollout and a deletion from far away end soon after they are over, by the clock of who is near.
async fn ends_soon_after(delay: Duration) {
    let Some(cluster) = Cluster::real().await else { return };
    let lab = crate::lab::kube().unwrap();
    let namespace = lab.namespace();
    let server = lab.server.strip_prefix("https://").unwrap();
    let slow = Slow::to(server.parse().unwrap(), delay).await;
    let program = cluster.folder(&held("far", &namespace, ""));
    program.write("kubeconfig.yaml", &cluster.kubeconfig.replace(server, &slow.address.to_string()));
    let kind = find("apps/v1", "Deployment").unwrap();

    let mut apply = Running::start(&program, &["apply", "-auto-approve", "-no-color"]);
    let apply = tokio::task::spawn_blocking(move || {
        // By then it waits, and has said why.
        apply.until("Still creating");
        apply
    });
    let apply = apply.await.unwrap();
    release(&cluster.kube, &namespace).await;
    cluster.kube.wait_until(kind, Some(&namespace), "far", quietly(), &readiness).await.unwrap();
    let ready = Instant::now();
    let ended = tokio::task::spawn_blocking(|| apply.end()).await.unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ready.elapsed() < AFTER, "{delay:?}: the rollout ended {:?} after it was ready", ready.elapsed());

    let mut destroy = Running::start(&program, &["destroy", "-auto-approve", "-no-color"]);
    let destroy = tokio::task::spawn_blocking(move || {
        destroy.until("Destroying...");
        destroy
    });
    let destroy = destroy.await.unwrap();
    cluster.kube.wait_gone(kind, Some(&namespace), "far", quietly()).await.unwrap();
    let gone = Instant::now();
    let ended = tokio::task::spawn_blocking(|| destroy.end()).await.unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(gone.elapsed() < AFTER, "{delay:?}: the deletion ended {:?} after it was gone", gone.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_end_at_a_latency_of_200_milliseconds() {
    ends_soon_after(Duration::from_millis(200)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_end_at_a_latency_of_a_second() {
    ends_soon_after(Duration::from_secs(1)).await;
}

/// What was made by a run that was killed while it waited is not taken for whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_while_it_waited_leaves_no_object_that_looks_whole() {
    let Some(cluster) = Cluster::real().await else { return };
    let namespace = crate::lab::kube().unwrap().namespace();
    for (name, signals) in [("killed", vec![Signal::KILL]), ("twice", vec![Signal::INT, Signal::INT])] {
        let program = cluster.folder(&held(name, &namespace, ""));
        let mut apply = Running::start(&program, &["apply", "-auto-approve", "-no-color"]);
        let apply = tokio::task::spawn_blocking(move || {
            apply.until("Creating...");
            apply
        });
        let mut apply = apply.await.unwrap();
        let kind = find("apps/v1", "Deployment").unwrap();
        cluster.kube.wait_until(kind, Some(&namespace), name, quietly(), &|_| Readiness::Ready).await.unwrap();
        for signal in signals {
            apply.signal(signal);
        }
        tokio::task::spawn_blocking(|| apply.end()).await.unwrap();
        // The next run makes another one, and waits for that.
        let mut again = Running::start(&program, &["apply", "-auto-approve", "-no-color"]);
        let again = tokio::task::spawn_blocking(move || {
            again.until("is tainted, so must be replaced").until("Creating...");
            again
        });
        let again = again.await.unwrap();
        while pods(&cluster.kube, &namespace).await.iter().filter(|pod| is_held(pod, name)).count() < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        release(&cluster.kube, &namespace).await;
        let ended = tokio::task::spawn_blocking(|| again.end()).await.unwrap();
        assert_eq!(ended.code, Some(0), "{name}: {ended:?}");
        assert_nothing_planned(&program, &[], name);
    }
}

/// Whether it is a pod of this workload that the lab holds, and that is to stay.
fn is_held(pod: &Value, app: &str) -> bool {
    let meta = &pod["metadata"];
    meta["labels"]["app"] == app
        && meta["annotations"]["lab.infra/hold"].is_string()
        && meta["deletionTimestamp"].is_null()
}

/// Each cause is said where the wait is told of, and in the error.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_is_explained() {
    let Some(cluster) = Cluster::real().await else { return };
    let namespace = crate::lab::kube().unwrap().namespace();
    let program = cluster.folder(&include_str!("waits.tf").replace("NAMESPACE", &namespace));
    let answer = call(&program, &["apply", "-auto-approve", "-no-color"]);
    assert_eq!(answer.code, 1, "{}", answer.out);
    for (object, cause) in [
        ("big", "Pending: 0/1 nodes are available: 1 Insufficient cpu"),
        ("db", "StorageClass nosuch does not exist"),
        ("quota", "failed quota: q: must specify requests.memory"),
        ("nosa", "serviceaccount \"missing\" not found"),
        ("nosaset", "serviceaccount \"missing\" not found"),
        ("unbound", "StorageClass nosuch does not exist"),
        ("lb", "the load balancer has no address"),
        ("fail", "0 of 1 pods completed"),
    ] {
        let said = answer
            .err
            .split("\nError: ")
            .find(|part| part.contains(&format!("/{object} is not ready")))
            .unwrap_or_default();
        assert!(said.contains(cause), "{object}: {said}\n{}", answer.err);
    }
    let told =
        answer.out.lines().find(|line| line.contains("deployment_v1.big: Still creating") && line.contains(" — "));
    if let Some(told) = told {
        assert!(told.ends_with("1 Insufficient cpu"), "the scheduler's first sentence is enough: {told}");
    }
    ok(&program, &["destroy", "-auto-approve", "-no-color"]);
}

/// An account that may do what it has to in one namespace, and neither list nor watch.
#[tokio::test(flavor = "multi_thread")]
async fn rights_in_one_namespace_are_enough() {
    let Some(cluster) = Cluster::real().await else { return };
    let lab = crate::lab::kube().unwrap();
    let namespace = lab.namespace();
    let token = account(&cluster.kube, &namespace).await;
    let main = r#"
resource "kubernetes_config_map_v1" "a" {
  metadata {
    name      = "auth-a"
    namespace = "NAMESPACE"
  }
  data = { a = "1" }
}
resource "kubernetes_config_map_v1" "b" {
  count = 5
  metadata {
    name      = "auth-b-${count.index}"
    namespace = "NAMESPACE"
  }
}
"#
    .replace("NAMESPACE", &namespace);
    let provider = format!(
        "provider \"kubernetes\" {{\n  host = \"{}\"\n  token = \"{token}\"\n  cluster_ca_certificate = file(\"ca.pem\")\n}}\n",
        lab.server
    );
    let program = Program::with(&[("provider.tf", &provider), ("ca.pem", &lab.authority), ("main.tf", &main)]);
    ok(&program, &["apply", "-auto-approve", "-no-color"]);
    assert_nothing_planned(&program, &[], "by the account");
    program.write("main.tf", &main.replace("a = \"1\"", "a = \"2\""));
    ok(&program, &["apply", "-auto-approve", "-no-color"]);
    ok(&program, &["destroy", "-auto-approve", "-no-color"]);
}

/// Makes an account with few rights, and gives a token of it.
async fn account(kube: &Kube, namespace: &str) -> String {
    let meta = json!({ "name": "dev", "namespace": namespace });
    let objects = [
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta,
            "rules": [{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "patch", "delete"] }],
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": meta,
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "dev" },
            "subjects": [{ "kind": "ServiceAccount", "name": "dev", "namespace": namespace }],
        }),
    ];
    for object in &objects {
        let kind = find(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap()).unwrap();
        kube.create(kind, Some(namespace), object, &Write::by("lab")).await.unwrap();
    }
    let granted = kube.request_token(namespace, "dev", &json!({ "expirationSeconds": 3600 })).await.unwrap();
    granted["status"]["token"].as_str().unwrap().to_owned()
}
