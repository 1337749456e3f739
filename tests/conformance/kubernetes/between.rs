//! What stands between the program and a cluster: a token that expires, and others who write the same objects.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use infra::client::kube::types::find;
use infra::client::kube::{Apply, Kube, Write};
use infra::sandbox::{Sandbox, Timing};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use super::whole::{Cluster, assert_nothing_planned, call, ok};
use crate::cli::program::Program;

/// A sandbox whose every request goes through a rule first.
struct Ruled {
    address: SocketAddr,
    kube: Kube,
    listener: AbortHandle,
    _tasks: JoinSet<()>,
    _folder: TempDir,
}

/// What a rule answers in the server's place.
type Rule = Arc<dyn Fn(&Request) -> Option<Response> + Send + Sync>;

impl Ruled {
    async fn by(rule: Rule) -> Ruled {
        let folder = TempDir::new().unwrap();
        let sandbox = Sandbox::open(folder.path(), Timing::default()).await.unwrap();
        let kube = Kube::from_service(sandbox.service());
        let ruled = from_fn(move |request: Request, next: Next| {
            let rule = rule.clone();
            async move {
                match rule(&request) {
                    Some(refused) => refused,
                    None => next.run(request).await,
                }
            }
        });
        let router: Router = sandbox.service().layer(ruled);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        let listener = tasks.spawn(async move {
            axum::serve(listener, router).await.unwrap();
            drop(sandbox);
        });
        Ruled { address, kube, listener, _tasks: tasks, _folder: folder }
    }

    /// A folder whose provider leads here.
    fn folder(&self, provider: &str, main: &str) -> Program {
        let provider = format!("provider \"kubernetes\" {{\n  host = \"http://{}\"\n{provider}}}\n", self.address);
        Program::with(&[("provider.tf", &provider), ("main.tf", main)])
    }
}

/// A status as an API server answers it.
fn status(code: StatusCode, reason: &str, message: &str) -> Response {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code.as_u16(),
        "reason": reason, "message": message,
    });
    (code, axum::Json(status)).into_response()
}

fn config_maps(count: usize) -> String {
    format!(
        "resource \"kubernetes_config_map_v1\" \"c\" {{\n  count = {count}\n  metadata {{\n    name = \"c-${{count.index}}\"\n  }}\n  \
         data = {{ a = \"1\" }}\n}}\n"
    )
}

const DEPLOYMENT: &str = r#"
resource "kubernetes_deployment_v1" "d" {
  metadata {
    name = "between"
  }
  spec {
    selector {
      match_labels = { app = "between" }
    }
    template {
      metadata {
        labels = { app = "between" }
      }
      spec {
        container {
          name  = "c"
          image = "nginx:1"
          env {
            name  = "A"
            value = "1"
          }
        }
      }
    }
  }
}
"#;

const APPLY: [&str; 3] = ["apply", "-auto-approve", "-no-color"];
const DESTROY: [&str; 3] = ["destroy", "-auto-approve", "-no-color"];

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_in_mid_run_leaves_a_state_to_go_on_from() {
    let written = Arc::new(AtomicUsize::new(0));
    let counted = written.clone();
    let ruled = Ruled::by(Arc::new(move |request: &Request| {
        let token = request
            .headers()
            .get(http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let writes =
            request.method() != http::Method::GET && !request.uri().query().unwrap_or_default().contains("dryRun");
        // The first token is good for five writes.
        let expired = match token {
            "Bearer first" if writes => counted.fetch_add(1, Ordering::SeqCst) >= 5,
            "Bearer first" => counted.load(Ordering::SeqCst) >= 5,
            "Bearer second" => false,
            _ => true,
        };
        expired.then(|| status(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized"))
    }))
    .await;
    let program = ruled.folder("  token = \"first\"\n", &config_maps(20));
    let answer = call(&program, &APPLY);
    assert_eq!(answer.code, 1, "{}", answer.out);
    let provider =
        format!("provider \"kubernetes\" {{\n  host = \"http://{}\"\n  token = \"second\"\n}}\n", ruled.address);
    program.write("provider.tf", &provider);
    ok(&program, &APPLY);
    assert_nothing_planned(&program, &[], "with a new token");
    let list = ruled.kube.list(find("v1", "ConfigMap").unwrap(), Some("default"), &Default::default()).await.unwrap();
    let made =
        list.items.iter().filter(|item| item["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("c-")));
    assert_eq!(made.count(), 20);
    ok(&program, &DESTROY);
}

/// The live deployment's containers and the first one's variables.
async fn containers(kube: &Kube, namespace: &str) -> (Vec<String>, Vec<String>) {
    let kind = find("apps/v1", "Deployment").unwrap();
    let live = kube.get(kind, Some(namespace), "between").await.unwrap().unwrap();
    let names = |list: &serde_json::Value| {
        let items = list.as_array().into_iter().flatten();
        items.map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let containers = &live["spec"]["template"]["spec"]["containers"];
    (names(containers), names(&containers[0]["env"]))
}

/// An object that others made is refused to a creation, and all of it is ours after an import.
async fn made_by_others(cluster: &Cluster, namespace: &str) {
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "between", "namespace": namespace },
        "spec": {
            "selector": { "matchLabels": { "app": "between" } },
            "template": { "metadata": { "labels": { "app": "between" } }, "spec": { "containers": [
                { "name": "c", "image": "nginx:1", "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }] },
                { "name": "side", "image": "busybox" },
            ] } },
        },
    });
    let kind = find("apps/v1", "Deployment").unwrap();
    let how = Apply { manager: "kubectl", force: false, dry_run: false };
    cluster.kube.apply(kind, &object, &how).await.unwrap();
    let named = format!("name      = \"between\"\n    namespace = \"{namespace}\"");
    let program = cluster.folder(&DEPLOYMENT.replace("name = \"between\"", &named));
    let answer = call(&program, &APPLY);
    assert_eq!(answer.code, 1, "{}", answer.out);
    assert!(answer.err.contains("already exists"), "{}", answer.err);
    ok(&program, &["import", "-no-color", "kubernetes_deployment_v1.d", &format!("{namespace}/between")]);
    ok(&program, &APPLY);
    assert_eq!(containers(&cluster.kube, namespace).await, (vec!["c".to_owned()], vec!["A".to_owned()]));
    assert_nothing_planned(&program, &[], "taken over");
    // Two who manage it: what the other one adds is taken away again, and its annotations of controllers stay.
    let patch = json!({
        "metadata": { "annotations": { "controller.kubernetes.io/seen": "1" } },
        "spec": { "template": { "spec": { "containers": [
            { "name": "c", "image": "nginx:1", "env": [{ "name": "A", "value": "1" }, { "name": "EVIL", "value": "1" }] },
        ] } } },
    });
    cluster.kube.merge(kind, Some(namespace), "between", &patch, &Write::by("meddler")).await.unwrap();
    ok(&program, &APPLY);
    assert_eq!(containers(&cluster.kube, namespace).await, (vec!["c".to_owned()], vec!["A".to_owned()]));
    let live = cluster.kube.get(kind, Some(namespace), "between").await.unwrap().unwrap();
    assert_eq!(live["metadata"]["annotations"]["controller.kubernetes.io/seen"], json!("1"));
    assert_nothing_planned(&program, &[], "put right");
    ok(&program, &DESTROY);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_made_is_taken_over_whole() {
    made_by_others(&Cluster::sandbox().await, "default").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_made_is_taken_over_whole_on_a_real_server() {
    let Some(cluster) = Cluster::real().await else { return };
    let namespace = crate::lab::kube().unwrap().namespace();
    made_by_others(&cluster, &namespace).await;
}

/// A server with too much to do says when to come again. Nobody comes sooner, and nothing fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_busy_server_is_given_its_time() {
    let (began, refused, early) = (Instant::now(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, hasty) = (refused.clone(), early.clone());
    let last: Mutex<Option<Instant>> = Mutex::default();
    let ruled = Ruled::by(Arc::new(move |request: &Request| {
        if request.method() != http::Method::POST || began.elapsed() > Duration::from_secs(5) {
            return None;
        }
        let before = last.lock().unwrap().replace(Instant::now());
        if before.is_some_and(|before| before.elapsed() < Duration::from_millis(900)) {
            hasty.fetch_add(1, Ordering::SeqCst);
        }
        counted.fetch_add(1, Ordering::SeqCst);
        let mut busy = status(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "too many requests, try again");
        busy.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("1"));
        Some(busy)
    }))
    .await;
    let program = ruled.folder("", &config_maps(1));
    ok(&program, &APPLY);
    assert!(
        (2..=6).contains(&refused.load(Ordering::SeqCst)),
        "{refused:?} answers for a single creation in five seconds"
    );
    assert_eq!(early.load(Ordering::SeqCst), 0, "asked again before it was time");
    assert_nothing_planned(&program, &[], "after the rush");
}

/// A cluster that does not answer is one error, however many objects it has, and is not asked for each of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_gone_is_told_once() {
    let (leaves, listener) = (Arc::new(AtomicBool::new(false)), Arc::new(OnceLock::<AbortHandle>::new()));
    let (leaving, ends) = (leaves.clone(), listener.clone());
    let ruled = Ruled::by(Arc::new(move |_: &Request| {
        if !leaving.load(Ordering::SeqCst) {
            return None;
        }
        // It says who it is, and is gone.
        ends.get().unwrap().abort();
        let kube_system = json!({ "metadata": { "name": "kube-system", "uid": "of-the-sandbox" } });
        Some(([(http::header::CONNECTION, "close")], axum::Json(kube_system)).into_response())
    }))
    .await;
    listener.set(ruled.listener.clone()).unwrap();
    // In many namespaces, so that there is more than one list.
    let main = "resource \"kubernetes_namespace_v1\" \"n\" {\n  count = 20\n  metadata {\n    name = \"gone-${count.index}\"\n  }\n}\n\
                resource \"kubernetes_config_map_v1\" \"c\" {\n  count = 20\n  metadata {\n    name = \"c\"\n    \
                namespace = kubernetes_namespace_v1.n[count.index].metadata[0].name\n  }\n  data = { a = \"1\" }\n}\n";
    let program = ruled.folder("", main);
    ok(&program, &APPLY);
    leaves.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let answer = call(&program, &["plan", "-no-color"]);
    assert_eq!(answer.code, 1, "{}", answer.out);
    assert_eq!(answer.err.matches("Error: Cluster unreachable").count(), 1, "{}", answer.err);
    assert!(answer.err.contains("(and 39 more similar errors elsewhere)"), "{}", answer.err);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
