//! How the kubernetes provider finds its cluster, and what is said when it does not get in: on the lab's API server.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use super::program::{Answer, Program};
use crate::lab;
use crate::lab::kubernetes::Kubernetes;

const APPLY: [&str; 3] = ["apply", "-auto-approve", "-no-color"];
const DESTROY: [&str; 3] = ["destroy", "-auto-approve", "-no-color"];

fn config_map(namespace: &str) -> String {
    format!(
        "resource \"kubernetes_config_map_v1\" \"x\" {{\n  metadata {{\n    name      = \"found\"\n    namespace = {namespace:?}\n  }}\n}}\n"
    )
}

/// A folder with an object in the lab's cluster, whose provider has these arguments.
fn folder(cluster: &Kubernetes, arguments: &str) -> Program {
    let provider = format!("provider \"kubernetes\" {{\n{arguments}}}\n");
    Program::with(&[
        ("main.tf", &config_map(&cluster.namespace())),
        ("provider.tf", &provider),
        ("kubeconfig.yaml", &cluster.kubeconfig),
        ("ca.pem", &cluster.authority),
    ])
}

/// A program in the folder, which counts its calls.
fn plugin(program: &Program, script: &str) {
    let path = program.path("plugin");
    fs::write(&path, format!("#!/bin/sh\necho call >>calls\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn calls(program: &Program) -> usize {
    fs::read_to_string(program.path("calls")).unwrap_or_default().lines().count()
}

#[test]
fn variables_of_the_environment_lead_to_the_cluster() {
    let Some(cluster) = lab::kube() else { return };
    let arguments: [&[(&str, &str)]; 3] = [
        &[("KUBE_CONFIG_PATH", "kubeconfig.yaml")],
        &[("KUBE_CONFIG_PATHS", "kubeconfig.yaml:absent.yaml"), ("KUBE_CONFIG_PATH", "kubeconfig.yaml")],
        &[
            ("KUBE_HOST", &cluster.server),
            ("KUBE_TOKEN", &cluster.token),
            ("KUBE_CLUSTER_CA_CERT_DATA", &cluster.authority),
        ],
    ];
    for variables in arguments {
        let mut program = folder(cluster, "");
        for (name, value) in variables {
            program = program.env(name, value);
        }
        program.ok(&APPLY);
        program.ok(&DESTROY);
    }
    // What the configuration says is stronger.
    let program = folder(cluster, "  config_path = \"kubeconfig.yaml\"\n").env("KUBE_CONFIG_PATH", "absent.yaml");
    program.ok(&APPLY);
    program.ok(&DESTROY);
    // Without any of them, nothing is guessed.
    refused(&folder(cluster, ""), &["no cluster is named", "KUBE_CONFIG_PATH"]);
}

/// An apply that fails with these words, and names no firewall.
fn refused(program: &Program, parts: &[&str]) -> Answer {
    let answer = program.call(&APPLY);
    assert_eq!(answer.code, 1, "{}", answer.out);
    for part in parts {
        assert!(answer.err.contains(part), "{part:?} in {}", answer.err);
    }
    assert!(!answer.err.contains("firewall"), "{}", answer.err);
    answer
}

#[test]
fn certificates_that_are_not_accepted_are_told_as_such() {
    let Some(cluster) = lab::kube() else { return };
    let arguments = |rest: &str| format!("  host = {:?}\n  token = {:?}\n{rest}", cluster.server, cluster.token);
    let program = folder(cluster, &arguments("  cluster_ca_certificate = file(\"other.pem\")\n"));
    let other = program.path("other.pem");
    let key = program.path("other.key");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other"])
        .args(["-days", "10", "-keyout"])
        .args([&key, &PathBuf::from("-out"), &other])
        .output();
    assert!(made.unwrap().status.success());
    let title = "Error: Certificate of the cluster not accepted";
    refused(&program, &[title, "signed by an authority that is not trusted here", "Set `cluster_ca_certificate`"]);
    let named = "  cluster_ca_certificate = file(\"ca.pem\")\n  tls_server_name = \"elsewhere.example\"\n";
    refused(&folder(cluster, &arguments(named)), &[title, "it is for other names", "set `tls_server_name`"]);
}

#[test]
fn a_program_that_gives_credentials_is_called_once_and_named_when_it_fails() {
    let Some(cluster) = lab::kube() else { return };
    let exec = format!(
        "  host = {:?}\n  cluster_ca_certificate = file(\"ca.pem\")\n  exec {{\n    api_version = \"client.authentication.k8s.io/v1\"\n    \
         command = \"./plugin\"\n    args = [\"--password\", \"hush\"]\n    env = {{ SECRET = \"hush\" }}\n  }}\n",
        cluster.server
    );
    let program = folder(cluster, &exec);
    let title = "Error: No credentials for the cluster";
    refused(&program, &[title, "./plugin, which gives credentials (`exec`), was not found"]);
    plugin(&program, "echo a token: hush\necho it went wrong >&2\nexit 3");
    let answer = refused(&program, &[title, "./plugin", "failed with exit code 3 and said:\n  it went wrong"]);
    assert!(!answer.err.contains("hush"), "{}", answer.err);
    assert_eq!(calls(&program), 1, "a failure is not tried again for each object");
    fs::remove_file(program.path("calls")).unwrap();
    let credential = format!(
        "echo '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"{}\"}}}}'",
        cluster.token
    );
    plugin(&program, &credential);
    program.ok(&APPLY);
    assert_eq!(calls(&program), 1, "one call serves the whole run");
    program.ok(&DESTROY);
}

#[test]
fn time_outs_that_cannot_be_read_are_errors() {
    let map = "resource \"kubernetes_persistent_volume_claim_v1\" \"p\" {\n  metadata {\n    name = \"p\"\n  }\n  timeouts {\n    create = \"10 minutes\"\n  }\n  \
               spec {\n    access_modes = [\"ReadWriteOnce\"]\n    resources {\n      requests = { storage = \"1Gi\" }\n    }\n  }\n}\n";
    let answer = Program::with(&[("main.tf", map)]).call(&["validate", "-no-color"]);
    assert_eq!(answer.code, 1, "{}", answer.out);
    let expect = "Error: Error parsing \"create\" timeout: time: unknown unit \" minutes\" in duration \"10 minutes\"";
    assert!(answer.err.contains(expect), "{}", answer.err);
}
