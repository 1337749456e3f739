//! A world that does not play along: buckets, hosts, clusters and gates that refuse. Each refusal is told with its cause and a
//! next step, ends with 1, and what was applied before it is in state.

use std::net::TcpListener;

use super::bad_input::fails;
use super::program::{Answer, Program};
use crate::lab;
use crate::ssh::sshd::{Sshd, user};

/// A resource of no matter, beside the one that fails: what was done stays in state.
const DONE: &str = "resource \"terraform_data\" \"done\" {\n  input = 1\n}\n";

/// A port of this machine that nobody listens on.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The apply fails with all of this; the object that was made stays in state, and only that one.
#[track_caller]
fn stops_half_way(program: &Program, parts: &[&str]) -> Answer {
    let answer = fails(program, &["apply", "-auto-approve"], parts);
    assert!(answer.out.contains("Done so far and in state: 1 added"), "{}", answer.out);
    let listed = program.ok(&["state", "list"]);
    assert!(listed.ends_with("terraform_data.done\n") && listed.lines().count() == 1, "{listed}");
    answer
}

fn bucket(endpoint: &str, bucket: &str) -> String {
    format!(
        r#"
        project {{ name = "bad" }}
        state "s3" {{
          bucket         = "{bucket}"
          region         = "us-east-1"
          endpoints      = {{ s3 = "{endpoint}" }}
          use_path_style = true
        }}
        layer "only" {{ source = "only" }}
        "#
    )
}

fn with_bucket(endpoint: &str, name: &str, access: &str, secret: &str) -> Program {
    Program::with(&[("infra.hcl", &bucket(endpoint, name)), ("only/main.tf", DONE)])
        .env("AWS_ACCESS_KEY_ID", access)
        .env("AWS_SECRET_ACCESS_KEY", secret)
}

#[test]
fn a_bucket_that_is_missing_and_credentials_that_are_wrong_are_told_apart() {
    let Some(minio) = lab::minio() else { return };
    let bucket = minio.bucket();
    let (access, secret) = (minio.access_key.as_str(), minio.secret_key.as_str());
    let commands: &[&[&str]] = &[&["init"], &["plan"], &["apply", "-auto-approve"], &["state", "list"]];
    let cases: &[(&str, &str, &str, &[&str])] = &[
        (
            "no-such-bucket",
            access,
            secret,
            &["Error: Bucket missing", "\"no-such-bucket\"", &minio.endpoint, "Create the bucket"],
        ),
        (
            &bucket,
            access,
            "not-the-secret",
            &["Error: Access to state denied", &minio.endpoint, "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"],
        ),
        (
            &bucket,
            "nobody",
            secret,
            &["Error: Access to state denied", &minio.endpoint, "InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"],
        ),
    ];
    for (name, access, secret, parts) in cases {
        let program = with_bucket(&minio.endpoint, name, access, secret);
        for command in commands {
            let answer = fails(&program, command, parts);
            assert!(!format!("{}{}", answer.out, answer.err).contains(secret), "the secret is shown");
        }
    }
    // The same with what is right: nothing of the refused runs is left there.
    let program = with_bucket(&minio.endpoint, &bucket, access, secret);
    assert!(program.call(&["state", "list"]).err.contains("No state file was found!"));
    program.ok(&["apply", "-auto-approve"]);
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.done\n");
}

#[test]
fn a_store_that_nobody_answers_at_is_told() {
    let endpoint = format!("http://127.0.0.1:{}", closed_port());
    let program = with_bucket(&endpoint, "any", "a", "b");
    fails(&program, &["apply", "-auto-approve"], &["Error: State store unreachable", &endpoint, "\"endpoints\""]);
}

#[test]
fn a_lock_in_a_bucket_says_how_it_is_released() {
    let Some(minio) = lab::minio() else { return };
    let bucket = minio.bucket();
    let program = with_bucket(&minio.endpoint, &bucket, &minio.access_key, &minio.secret_key);
    program.ok(&["apply", "-auto-approve"]);
    // As Terraform leaves it behind: without a lease, so that nobody can tell whether it is alive.
    let lock = r#"{"ID":"6f0ac0dd-7f5c-4e2e-b1a0-b6a7a7b0b0b0","Operation":"OperationTypeApply","Info":"","Who":"ci@runner-7","Version":"1.11.4","Created":"2026-01-02T03:04:05.123456789Z","Path":"x"}"#;
    let put = |body: &'static str| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let call = minio.client().put_object().bucket(&bucket).key("only-default.tfstate.tflock");
            call.body(body.as_bytes().to_vec().into()).send().await.unwrap();
        });
    };
    put(lock);
    let parts = [
        "Error: Error acquiring the state lock\n",
        "Lock Info:\n  ID:        6f0ac0dd-7f5c-4e2e-b1a0-b6a7a7b0b0b0\n  Path:      x\n  Operation: OperationTypeApply\n",
        "  Who:       ci@runner-7\n  Version:   1.11.4\n  Created:   2026-01-02 03:04:05.123456789 +0000 UTC\n  Info:      \n",
        "only-default.tfstate is held by ci@runner-7 for \"apply\" since 2026-01-02 03:04:05 UTC",
        "-lock-timeout=10m",
        "infra force-unlock -layer only 6f0ac0dd-7f5c-4e2e-b1a0-b6a7a7b0b0b0",
    ];
    program.write("only/main.tf", &DONE.replace('1', "2"));
    fails(&program, &["apply", "-auto-approve"], &parts);
    fails(&program, &["plan", "-lock-timeout=1s"], &parts);
    assert!(program.ok(&["plan", "-lock=false"]).contains("A run is in progress"));
    // What it says works.
    program.ok(&["force-unlock", "-force", "-layer", "only", "6f0ac0dd-7f5c-4e2e-b1a0-b6a7a7b0b0b0"]);
    assert!(program.ok(&["apply", "-auto-approve"]).contains("1 changed"));
}

fn host(port: u16, key: &str, host_key: &str) -> String {
    format!(
        "provider \"ssh\" {{\n  host = \"127.0.0.1\"\n  port = {port}\n  user = {:?}\n  sudo = false\n  connect_timeout = \"2s\"\n  \
         private_key = <<-EOT\n{key}EOT\n{host_key}}}\nresource \"ssh_file\" \"f\" {{\n  path       = \"/tmp/never-made-by-a-test\"\n  \
         content    = \"x\"\n  depends_on = [terraform_data.done]\n}}\n{DONE}",
        user()
    )
}

#[test]
fn a_host_that_cannot_be_reached_or_is_not_known_gets_nothing() {
    let Some(sshd) = Sshd::start() else { return };
    let right = sshd.text("user");
    let line = |name: &str| format!("  host_key = {:?}\n", sshd.text(&format!("{name}.pub")).trim());
    let place = format!("127.0.0.1:{}", sshd.port);
    // Accepts connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let closed = closed_port();
    let cases: &[(String, Vec<String>)] = &[
        (
            host(closed, &right, &line("host_ed25519")),
            vec!["Error: Host refuses SSH connections".into(), format!("127.0.0.1:{closed}"), "Check the port".into()],
        ),
        (
            host(silent_port, &right, &line("host_ed25519")),
            vec!["Error: Host does not answer".into(), format!("127.0.0.1:{silent_port}"), "connect_timeout".into()],
        ),
        (
            host(sshd.port, &right, ""),
            vec![
                "Error: Host key unknown".into(),
                place.clone(),
                "SHA256:".into(),
                format!("ssh-keyscan -p {} 127.0.0.1", sshd.port),
            ],
        ),
        (
            host(sshd.port, &right, &line("stranger")),
            vec!["Error: Host key changed".into(), place.clone(), "known: ".into(), "Nothing was sent".into()],
        ),
        (
            host(sshd.port, &sshd.text("stranger"), &line("host_ed25519")),
            vec!["Error: SSH login refused".into(), place.clone(), "authorized_keys".into(), "publickey".into()],
        ),
    ];
    for (text, parts) in cases {
        let program = Program::with(&[("main.tf", text)]);
        let parts: Vec<&str> = parts.iter().map(String::as_str).chain(["on main.tf line ", "ssh_file"]).collect();
        stops_half_way(&program, &parts);
    }
    // The same host with the key that is its own: nothing else was wrong.
    let path = sshd.path("made");
    let text = host(sshd.port, &right, &line("host_ed25519"));
    let text = text.replace("/tmp/never-made-by-a-test", path.to_str().unwrap());
    let program = Program::with(&[("main.tf", &text)]);
    assert!(program.ok(&["apply", "-auto-approve"]).contains("2 added"));
    assert_eq!(std::fs::read_to_string(path).unwrap(), "x");
}

fn namespace(provider: &str, name: &str) -> String {
    format!(
        "{provider}\nresource \"kubernetes_namespace\" \"n\" {{\n  metadata {{\n    name = {name:?}\n  }}\n  depends_on = \
         [terraform_data.done]\n}}\n{DONE}"
    )
}

#[test]
fn a_cluster_that_cannot_be_reached_is_told() {
    let port = closed_port();
    let provider = format!(
        "provider \"kubernetes\" {{\n  host     = \"https://127.0.0.1:{port}\"\n  token    = \"t\"\n  insecure = true\n}}"
    );
    let program = Program::with(&[("main.tf", &namespace(&provider, "a"))]);
    let place = format!("https://127.0.0.1:{port}");
    let parts = ["Error: Cluster unreachable", &place, "on main.tf line ", "Check that the host is up"];
    stops_half_way(&program, &parts);
}

#[test]
fn an_object_that_the_api_refuses_is_told_in_the_servers_words() {
    let Some(cluster) = lab::kube() else { return };
    let provider = format!("provider \"kubernetes\" {{\n  config_raw = <<-EOT\n{}EOT\n}}", cluster.kubeconfig);
    // Right in form, and refused by the server: the key is of the wrong letters.
    let program = Program::with(&[("main.tf", &format!("{provider}\n{}\n{DONE}", config_map("Not A Key")))]);
    let parts = [
        "Error: Object refused by the API server",
        "data[Not A Key]: Invalid value",
        "resource \"kubernetes_config_map\" \"c\"",
        "on main.tf line ",
    ];
    stops_half_way(&program, &parts);

    // The credentials are refused by the same server.
    let provider = format!(
        "provider \"kubernetes\" {{\n  host     = {:?}\n  token    = \"wrong-token\"\n  insecure = true\n}}",
        cluster.server
    );
    let program = Program::with(&[("main.tf", &namespace(&provider, "any"))]);
    let parts = ["Error: Credentials refused by the cluster", &cluster.server, "Check the token"];
    let answer = stops_half_way(&program, &parts);
    assert!(!answer.err.contains("wrong-token"));
}

/// A ConfigMap with one key, behind what is done first.
fn config_map(key: &str) -> String {
    format!(
        r#"
        resource "kubernetes_config_map" "c" {{
          metadata {{
            name = "refused"
          }}
          data       = {{ {key:?} = "1" }}
          depends_on = [terraform_data.done]
        }}
        "#
    )
}

/// A project whose cluster is the sandbox: an object, a gate behind it, and a phase that must wait for the gate.
fn sandbox(object: &str, gate: &str) -> Program {
    let file = format!(
        r#"
        project {{ name = "bad" }}
        environment "dev" {{
          sandbox = true
        }}
        provider "kubernetes" {{}}
        layer "only" {{ source = "only" }}
        phase "1" {{
          include = [layer.only.terraform_data.done]
          {gate}
        }}
        phase "2" {{ include = [layer.only.terraform_data.later] }}
        "#
    );
    let later = "resource \"terraform_data\" \"later\" {\n  input = 2\n}\n";
    Program::with(&[("infra.hcl", &file), ("only/main.tf", &format!("{DONE}{later}")), ("only/object.tf", object)])
}

#[test]
fn an_object_that_the_sandbox_refuses_is_told_like_the_real_ones() {
    let program = sandbox(&config_map("Not A Key"), "");
    let parts =
        ["Error: Object refused by the API server", "data[Not A Key]: Invalid value", "on only/object.tf line 2"];
    fails(&program, &["apply", "-env", "dev", "-auto-approve"], &parts);
    // What did not need it is done, and in state.
    assert_eq!(program.ok(&["state", "list", "-env", "dev"]), "terraform_data.done\nterraform_data.later\n");
}

/// A deployment behind a service; its pods fail when they are told to.
fn web(fail: bool) -> String {
    let annotation = if fail {
        r#"annotations = { "sandbox.infra/fail" = "CrashLoopBackOff", "sandbox.infra/log" = "no disk" }"#
    } else {
        ""
    };
    format!(
        r#"
        resource "kubernetes_service" "web" {{
          metadata {{
            name = "web"
          }}
          spec {{
            selector = {{ app = "web" }}
            port {{ port = 80 }}
          }}
        }}
        resource "kubernetes_deployment" "web" {{
          metadata {{
            name = "web"
          }}
          wait_for_rollout = false
          spec {{
            selector {{
              match_labels = {{ app = "web" }}
            }}
            template {{
              metadata {{
                labels = {{ app = "web" }}
                {annotation}
              }}
              spec {{
                container {{
                  name  = "web"
                  image = "web:1"
                }}
              }}
            }}
          }}
        }}
        "#
    )
}

#[test]
fn a_gate_that_never_passes_holds_up_the_next_phase_and_explains_itself() {
    let gate = r#"gate "web_answers" {
            timeout  = "1s"
            interval = "100ms"
            http { service = "default/web" }
          }"#;
    let program = sandbox(&web(true), gate);
    let file = std::fs::read_to_string(program.path("infra.hcl")).unwrap();
    let file =
        file.replace("done]\n", "done, layer.only.kubernetes_service.web, layer.only.kubernetes_deployment.web]\n");
    program.write("infra.hcl", &file);
    let parts = [
        "Error: Gate failed: phase 1 \"web_answers\"",
        "on infra.hcl line ",
        "gate \"web_answers\" {",
        "within 1s (",
        "tries; the last: ",
        "CrashLoopBackOff",
        "| no disk",
        "Phase 2 was not started.",
        "infra apply -env dev",
        "infra gate run web_answers -env dev",
    ];
    let apply = ["apply", "-env", "dev", "-auto-approve"];
    let answer = fails(&program, &apply, &parts);
    assert!(answer.out.contains("3 added"), "{}", answer.out);
    let listed = program.ok(&["state", "list", "-env", "dev"]);
    assert!(listed.contains("terraform_data.done") && !listed.contains("terraform_data.later"), "{listed}");
    fails(&program, &["gate", "run", "web_answers", "-env", "dev"], &parts[..6]);
    // Without anything changed the gate is asked again, and phase 2 still waits.
    fails(&program, &apply, &parts[..6]);
    assert!(!program.ok(&["state", "list", "-env", "dev"]).contains("terraform_data.later"));
    // Put right, the same command goes on.
    program.write("only/object.tf", &web(false));
    program.ok(&apply);
    assert!(program.ok(&["state", "list", "-env", "dev"]).contains("terraform_data.later"));
}

#[test]
fn gates_on_real_ports_say_what_they_met() {
    let closed = closed_port();
    // Answers everything with the wrong status.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let web = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            use std::io::{Read as _, Write as _};
            let mut stream = stream;
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\nConnection: close\r\n\r\nstarting\n",
            );
        }
    });
    let cases = [
        (format!("tcp {{ address = \"127.0.0.1:{closed}\" }}"), vec![format!("127.0.0.1:{closed}"), "refused".into()]),
        (format!("http {{ url = \"http://127.0.0.1:{web}/health\" }}"), vec![format!("127.0.0.1:{web}"), "503".into()]),
    ];
    for (check, parts) in cases {
        let gate = format!("gate \"answers\" {{\n timeout = \"1s\"\n interval = \"100ms\"\n {check}\n}}");
        let program = sandbox("", &gate);
        let file = std::fs::read_to_string(program.path("infra.hcl")).unwrap();
        program.write("infra.hcl", &file.replace("sandbox = true", "").replace("provider \"kubernetes\" {}", ""));
        let mut parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        parts.extend(["Error: Gate failed: phase 1 \"answers\"", "on infra.hcl line ", "Phase 2 was not started."]);
        stops_half_way_in(&program, &parts);
    }
}

/// As `stops_half_way`, in the environment `dev`.
#[track_caller]
fn stops_half_way_in(program: &Program, parts: &[&str]) {
    let answer = fails(program, &["apply", "-env", "dev", "-auto-approve"], parts);
    assert!(answer.out.contains("Done so far and in state: 1 added"), "{}", answer.out);
    let listed = program.ok(&["state", "list", "-env", "dev"]);
    assert!(listed.ends_with("terraform_data.done\n") && listed.lines().count() == 1, "{listed}");
}
