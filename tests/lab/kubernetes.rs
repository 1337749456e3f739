//! A real Kubernetes control plane with one kwok node; `kubernetes.sh` beside this file says how it is set up.
//!
//! Its pods turn ready without a container behind them. `lead_exec`, `lead_port` and `lead_logs` say where exec,
//! port-forward and logs of a pod lead: to real processes and files of the machine that kwok runs on.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client, Config};
use serde_json::{Value, json};

use super::link::Link;
use super::process::{Program, Running, folder, start_on_free_ports};
use super::{Need, apart, free_port, shared, tools};

pub struct Kubernetes {
    /// `https://127.0.0.1:PORT`
    pub server: String,
    /// A kubeconfig whose user has a client certificate and every right.
    pub kubeconfig: String,
    /// The authority of the server's certificate, PEM.
    pub authority: String,
    /// A bearer token with every right.
    pub token: String,
    _control_plane: Running,
    _link: Link,
}

/// The cluster that all tests share; each test works in namespaces of its own.
pub fn kube() -> Option<&'static Kubernetes> {
    static SHARED: OnceLock<Result<Kubernetes, String>> = OnceLock::new();
    let needs = [
        Need::Tool("etcd"),
        Need::Tool("kube-apiserver"),
        Need::Tool("kube-controller-manager"),
        Need::Tool("kube-scheduler"),
        Need::Tool("kwok"),
        Need::Program("openssl"),
        Need::Program("curl"),
        Need::Program("ip"),
        Need::Root,
    ];
    shared(&SHARED, "Kubernetes", &needs, Kubernetes::start)
}

impl Kubernetes {
    fn start() -> Self {
        start_on_free_ports(|| {
            let folder = folder("kubernetes");
            let link = Link::new();
            let api_port = free_port();
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/kubernetes.sh");
            let mut control_plane = Program::new(script)
                .args([&folder])
                .env("LAB_TOOLS", tools().unwrap())
                .env("LAB_NODE_IP", link.here.to_string())
                .env("LAB_API_PORT", api_port.to_string())
                .env("LAB_ETCD_PORT", free_port().to_string())
                .env("LAB_PEER_PORT", free_port().to_string())
                .env("LAB_KWOK_PORT", free_port().to_string())
                .start(folder.join("control-plane.log"));
            let ready = folder.join("ready");
            if !control_plane.wait_until(Duration::from_secs(120), || ready.exists()) {
                return Err(control_plane.said());
            }
            let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
            Ok(Self {
                server: format!("https://127.0.0.1:{api_port}"),
                kubeconfig: read("kubeconfig.yaml"),
                authority: read("pki/ca.crt"),
                token: read("token").trim().to_owned(),
                _control_plane: control_plane,
                _link: link,
            })
        })
    }

    /// A client for the calling test; it belongs to that test's runtime.
    pub async fn client(&self) -> Client {
        client_for(&self.kubeconfig).await
    }

    /// Makes a namespace that no other test uses, and says its name.
    pub fn namespace(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("lab-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
        apart(async {
            Api::all(self.client().await).create(&PostParams::default(), &namespace).await.unwrap();
        });
        name
    }
}

/// A client from the text of a kubeconfig.
pub async fn client_for(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// Makes `port` of the pod lead to `target`; the pod and its namespace need not exist yet.
pub async fn lead_port(client: &Client, namespace: &str, pod: &str, port: u16, target: SocketAddr) {
    apply(client, None, &port_rule(namespace, Some(pod), port, target)).await;
}

/// The object of kwok that makes `port` of the pod lead to `target`; without a pod, that port of every pod in the namespace
/// (for the pods of a Deployment, whose names nobody knows beforehand).
pub fn port_rule(namespace: &str, pod: Option<&str>, port: u16, target: SocketAddr) -> Value {
    let target = json!({ "address": target.ip().to_string(), "port": target.port() });
    let spec = json!({
        "selector": { "matchNamespaces": [namespace], "matchNames": Vec::from_iter(pod) },
        "forwards": [{ "ports": [port], "target": target }],
    });
    rule("ClusterPortForward", &format!("{namespace}-{}-{port}", pod.unwrap_or("all")), spec)
}

/// Makes commands of the pod run where kwok runs, with these variables besides its own. Without such a rule they run
/// there just as they are.
pub async fn lead_exec(client: &Client, namespace: &str, pod: &str, environment: &[(&str, &str)]) {
    let envs: Vec<Value> = environment.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let spec = json!({ "execs": [{ "local": { "envs": envs } }] });
    apply(client, Some(namespace), &rule("Exec", pod, spec)).await;
}

/// Makes the log of the pod's containers the content of `file` (lines as a container runtime writes them) where kwok runs.
pub async fn lead_logs(client: &Client, namespace: &str, pod: &str, file: &Path) {
    apply(client, Some(namespace), &rule("Logs", pod, json!({ "logs": [{ "logsFile": file }] }))).await;
}

fn rule(kind: &str, name: &str, spec: Value) -> Value {
    json!({ "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": kind, "metadata": { "name": name }, "spec": spec })
}

/// Creates or replaces one of kwok's rules.
async fn apply(client: &Client, namespace: Option<&str>, rule: &Value) {
    let (kind, name) = (rule["kind"].as_str().unwrap(), rule["metadata"]["name"].as_str().unwrap());
    let plural = format!("{}s", kind.to_lowercase().trim_end_matches('s'));
    let kind = GroupVersionKind::gvk("kwok.x-k8s.io", "v1alpha1", kind);
    let resource = ApiResource::from_gvk_with_plural(&kind, &plural);
    let rules: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    rules.patch(name, &PatchParams::apply("lab").force(), &Patch::Apply(rule)).await.unwrap();
}

/// A server of this machine, as a kwok sees it that runs on this machine as well.
pub fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
