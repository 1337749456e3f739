//! kubectl against a served sandbox: what a user types to look around. Skipped where there is no kubectl.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use infra::sandbox::{Sandbox, Timing, serve};
use tempfile::TempDir;

const DEPLOYMENT: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: apps, labels: { app: web } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
      - { name: main, image: "nginx:1.27", ports: [{ containerPort: 80 }], env: [{ name: A, value: "1" }] }
"#;

struct Kubectl<'a> {
    config: &'a Path,
    home: &'a Path,
}

impl Kubectl<'_> {
    /// Runs kubectl; `input` goes to its standard input.
    async fn run(&self, args: &str, input: &str) -> Output {
        use std::io::Write as _;
        let mut command = Command::new("kubectl");
        command.args(args.split_whitespace()).env("KUBECONFIG", self.config).env("HOME", self.home);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let input = input.to_owned();
        tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            // kubectl may end without reading.
            let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
            child.wait_with_output().unwrap()
        })
        .await
        .unwrap()
    }

    async fn says(&self, args: &str, input: &str) -> String {
        let output = self.run(args, input).await;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "kubectl {args}: {out}{err}");
        out.into_owned()
    }
}

fn has_kubectl() -> bool {
    Command::new("kubectl").args(["version", "--client"]).output().is_ok_and(|output| output.status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_finds_its_way_around() {
    if !has_kubectl() {
        eprintln!("skipped: there is no kubectl");
        return;
    }
    let folder = TempDir::new().unwrap();
    let sandbox = Sandbox::open(folder.path(), Timing::default()).await.unwrap();
    let server = serve(&sandbox, 0).await.unwrap();
    let home = TempDir::new().unwrap();
    let config = home.path().join("config");
    std::fs::write(&config, server.endpoint.kubeconfig()).unwrap();
    let kubectl = Kubectl { config: &config, home: home.path() };

    let version = kubectl.says("version", "").await;
    assert!(version.contains("Server Version: v1.34.4+sandbox"), "{version}");
    kubectl.says("create -f -", "apiVersion: v1\nkind: Namespace\nmetadata: { name: apps }\n").await;
    let applied = kubectl.says("apply --server-side -f -", DEPLOYMENT).await;
    assert_eq!(applied, "deployment.apps/web serverside-applied\n");
    kubectl.says("rollout status -n apps deployment/web --timeout 20s", "").await;
    let shown = kubectl.says("get ns,pods,deploy,svc -A", "").await;
    assert!(shown.contains("namespace/apps") && shown.contains("Active"), "{shown}");
    assert!(shown.contains("deployment.apps/web") && shown.contains("2/2") && shown.contains("Running"), "{shown}");
    let yaml = kubectl.says("get -n apps deploy web -o yaml --show-managed-fields", "").await;
    assert!(yaml.contains("manager: kubectl") && yaml.contains("operation: Apply"), "{yaml}");
    let described = kubectl.says("describe -n apps deploy web", "").await;
    assert!(described.contains("2 desired | 2 updated | 2 total | 2 available"), "{described}");
    let pods = kubectl.says("get pods -n apps -l app=web -o name", "").await;
    let pod = pods.lines().next().unwrap();
    assert!(kubectl.says(&format!("describe -n apps {pod}"), "").await.contains("Image:          nginx:1.27"));
    assert!(kubectl.says(&format!("logs -n apps {pod}"), "").await.contains("started"));
    // The older ways to change things: client-side apply with its strategic patch, scale, set, patch, delete.
    let second = DEPLOYMENT.replace("name: web", "name: web2").replace("nginx:1.27", "nginx:1.28");
    kubectl.says("apply -f -", &second).await;
    kubectl.says("apply -f -", &second.replace("value: \"1\"", "value: \"2\"")).await;
    let value =
        kubectl.says("get -n apps deploy web2 -o jsonpath={.spec.template.spec.containers[0].env[0].value}", "").await;
    assert_eq!(value, "2");
    kubectl.says("scale -n apps deploy web2 --replicas 1", "").await;
    kubectl.says("set image -n apps deploy/web2 main=nginx:1.29", "").await;
    kubectl.says("rollout status -n apps deployment/web2 --timeout 20s", "").await;
    let shown = kubectl.says("get -n apps deploy web2 -o wide", "").await;
    assert!(shown.contains("1/1") && shown.contains("nginx:1.29"), "{shown}");
    kubectl.says("label -n apps deploy web2 a=b", "").await;
    assert!(kubectl.says("get all -n apps", "").await.contains("replicaset.apps/web2-"));
    assert!(kubectl.says("api-resources", "").await.contains("statefulsets"));
    // A typo is refused, and a conflict explained.
    let typo = kubectl.run("apply --server-side -f -", &DEPLOYMENT.replace("replicas:", "replcas:")).await;
    assert!(String::from_utf8_lossy(&typo.stderr).contains("field not declared in schema"), "{typo:?}");
    let conflict = kubectl
        .run("apply --server-side --field-manager other -f -", &DEPLOYMENT.replace("nginx:1.27", "nginx:2"))
        .await;
    let said = String::from_utf8_lossy(&conflict.stderr).into_owned();
    assert!(said.contains("conflict with \"kubectl\": .spec.template.spec.containers[name=\"main\"].image"), "{said}");
    kubectl.says("delete -n apps deploy web", "").await;
    kubectl.says("delete namespace apps --timeout 20s", "").await;
    let gone = kubectl.run("get namespace apps", "").await;
    assert!(String::from_utf8_lossy(&gone.stderr).contains("namespaces \"apps\" not found"), "{gone:?}");
}
