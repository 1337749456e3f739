//! Ctrl-C and SIGTERM: everything that waits ends at the first of them. And failures that stop only what depends on them. What the
//! second signal does is in `cancelled`.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc;

use rustix::process::Signal;
use serde_json::Value as Json;

use super::program::Program;
use super::running::{Ended, Running, SOON};
use crate::ssh::sshd::{Sshd, user};

pub const APPLY: &[&str] = &["apply", "-auto-approve"];
pub const BOTH: [Signal; 2] = [Signal::INT, Signal::TERM];

/// Starts a call, sends a signal at a line, and waits for the end, which has to come soon and with 1.
#[track_caller]
pub fn stopped(program: &Program, args: &[&str], at: &str, signal: Signal) -> Ended {
    let mut running = Running::start(program, args);
    running.until(at).signal(signal);
    soon(running)
}

#[track_caller]
pub fn soon(running: Running) -> Ended {
    let ended = running.end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.after < SOON, "{ended:?}");
    assert!(ended.out.contains("Interrupt received."), "{ended:?}");
    ended
}

/// The status of an object in state.
pub fn status(program: &Program, kind: &str) -> Option<String> {
    let state: Json = serde_json::from_str(&program.ok(&["state", "pull"])).unwrap();
    let found = state["resources"].as_array().unwrap().iter().find(|resource| resource["type"] == kind)?;
    Some(found["instances"][0]["status"].as_str().unwrap_or("ready").to_owned())
}

/// The lock is given back, and the next run replaces what was tainted and goes on.
#[track_caller]
pub fn goes_on(program: &Program, counts: &str) {
    assert!(program.has("terraform.tfstate") && !program.has(".terraform.tfstate.lock.info"));
    let rest = program.ok(APPLY);
    assert!(rest.contains(counts), "{rest}");
    let nothing = program.call(&["plan", "-detailed-exitcode"]);
    assert_eq!(nothing.code, 0, "{}", nothing.out);
}

fn sleeping(create: &str, destroy: &str) -> String {
    format!(
        r#"
        resource "terraform_data" "first" {{ input = 1 }}
        resource "time_sleep" "slow" {{
          create_duration  = "{create}"
          destroy_duration = "{destroy}"
          triggers         = {{ first = terraform_data.first.id }}
        }}
        resource "terraform_data" "last" {{ input = time_sleep.slow.id }}
        "#
    )
}

#[test]
fn the_first_signal_ends_a_sleep_and_keeps_its_object_tainted() {
    for signal in BOTH {
        let program = Program::with(&[("main.tf", &sleeping("1h", "0s"))]);
        let ended = stopped(&program, APPLY, "time_sleep.slow: Creating", signal);
        assert!(ended.err.contains("Error: Interrupted") && ended.err.contains("time_sleep.slow"), "{ended:?}");
        assert!(
            ended.out.contains("Gracefully shutting down...") && !ended.out.contains("last: Creating"),
            "{ended:?}"
        );
        assert_eq!(program.ok(&["state", "list"]), "terraform_data.first\ntime_sleep.slow\n");
        assert_eq!(status(&program, "time_sleep").as_deref(), Some("tainted"));
        program.write("main.tf", &sleeping("0s", "0s"));
        goes_on(&program, "Resources: 2 added, 0 changed, 1 destroyed.");
    }
}

#[test]
fn the_first_signal_ends_the_wait_before_a_removal_and_keeps_the_object() {
    for signal in BOTH {
        let program = Program::with(&[("main.tf", &sleeping("0s", "1h"))]);
        program.ok(APPLY);
        stopped(&program, &["destroy", "-auto-approve"], "time_sleep.slow: Destroying", signal);
        assert_eq!(status(&program, "time_sleep").as_deref(), Some("ready"));
        assert_eq!(program.ok(&["state", "list"]), "terraform_data.first\ntime_sleep.slow\n");
        goes_on(&program, "Resources: 1 added, 0 changed, 0 destroyed.");
    }
}

/// An object with two provisioners; the first of them is to be interrupted.
pub fn provisioned(first: &str) -> String {
    format!(
        r#"
        resource "terraform_data" "a" {{
          {first}
          provisioner "local-exec" {{ command = "echo last > last" }}
        }}
        resource "terraform_data" "b" {{ input = terraform_data.a.id }}
        "#
    )
}

#[test]
fn the_first_signal_ends_programs_of_this_machine_whatever_they_ignore() {
    let scripts = [
        "echo waiting; sleep 1000",
        "trap '' INT TERM; echo waiting; sleep 1000",
        // What it has started in the background holds its output open.
        "trap '' INT; sleep 1000 & echo waiting; wait",
    ];
    for (script, more) in scripts.iter().zip(["", "", "on_failure = continue"]) {
        for signal in BOTH {
            let block = format!("provisioner \"local-exec\" {{\n command = {script:?}\n {more}\n}}");
            let program = Program::with(&[("main.tf", &provisioned(&block))]);
            let ended = stopped(&program, APPLY, "(local-exec): waiting", signal);
            assert!(ended.err.contains("Error: local-exec provisioner error"), "{ended:?}");
            assert_eq!(status(&program, "terraform_data").as_deref(), Some("tainted"));
            assert_eq!(program.ok(&["state", "list"]), "terraform_data.a\n");
            assert!(!program.has("last"), "{ended:?}");
            program.write("main.tf", &provisioned(""));
            goes_on(&program, "Resources: 2 added, 0 changed, 1 destroyed.");
            assert!(program.has("last"));
        }
    }
}

#[test]
fn a_program_that_is_ended_may_clean_up() {
    let block = r#"provisioner "local-exec" { command = "trap 'echo cleaned > cleaned; kill $!; exit 1' INT; sleep 1000 & echo waiting; wait" }"#;
    let program = Program::with(&[("main.tf", &provisioned(block))]);
    stopped(&program, APPLY, "(local-exec): waiting", Signal::TERM);
    assert!(program.has("cleaned"));
}

#[test]
fn the_first_signal_ends_what_runs_on_another_machine() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = format!(
        "connection {{\nhost = \"127.0.0.1\"\nport = {}\nuser = {:?}\nprivate_key = file({:?})\nhost_key = file({:?})\n}}",
        sshd.port,
        user(),
        sshd.path("user"),
        sshd.path("host_ed25519.pub")
    );
    for signal in BOTH {
        let program = Program::with(&[]);
        let go = program.path("go");
        // It ends with the test, which removes the folder that it looks at.
        let script = format!(
            "echo waiting; while [ -d {} ] && [ ! -e {} ]; do sleep 0.1; done",
            program.path("").display(),
            go.display()
        );
        let block = format!("{connection}\nprovisioner \"remote-exec\" {{ inline = [{script:?}] }}");
        program.write("main.tf", &provisioned(&block));
        let ended = stopped(&program, APPLY, "(remote-exec): waiting", signal);
        assert!(ended.err.contains("Error: remote-exec provisioner error"), "{ended:?}");
        assert_eq!(status(&program, "terraform_data").as_deref(), Some("tainted"));
        program.write("go", "");
        goes_on(&program, "Resources: 2 added, 0 changed, 1 destroyed.");
    }
}

/// A port at which requests are heard, and never answered. What is sent there is told.
fn silent() -> (u16, mpsc::Receiver<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heard) = mpsc::channel();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming().flatten() {
            // Kept: a connection that closes is an answer.
            open.push(stream);
            sender.send(()).ok();
        }
    });
    (port, heard)
}

/// A port at which every request is answered with 503.
fn busy() -> (u16, mpsc::Receiver<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heard) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).ok();
            sender.send(()).ok();
        }
    });
    (port, heard)
}

#[test]
fn the_first_signal_ends_attempts_to_connect() {
    let (port, heard) = silent();
    for signal in BOTH {
        let connection =
            format!("connection {{\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"u\"\npassword = \"p\"\n}}");
        let block = format!("{connection}\nprovisioner \"remote-exec\" {{ inline = [\"true\"] }}");
        let program = Program::with(&[("main.tf", &provisioned(&block))]);
        let mut running = Running::start(&program, APPLY);
        running.until("(remote-exec): Connecting to remote host via SSH...");
        heard.recv().unwrap();
        running.signal(signal);
        soon(running);
        assert_eq!(status(&program, "terraform_data").as_deref(), Some("tainted"));
        program.write("main.tf", &provisioned(""));
        goes_on(&program, "Resources: 2 added, 0 changed, 1 destroyed.");
    }
}

#[test]
fn the_first_signal_ends_reads_and_pauses_between_tries() {
    let retry = "retry {\n attempts = 50\n min_delay_ms = 3600000\n max_delay_ms = 3600000\n}";
    for ((port, heard), retry) in [(silent(), ""), (busy(), retry)] {
        let data = format!("data \"http\" \"d\" {{\n url = \"http://127.0.0.1:{port}/\"\n {retry}\n");
        let planned = format!("{data}}}");
        let applied = format!("resource \"terraform_data\" \"a\" {{}}\n{data}\n depends_on = [terraform_data.a]\n}}");
        for (text, args, made) in [
            (&planned, &["plan"][..], false),
            (&planned, APPLY, false),
            (&planned, &["refresh"], false),
            (&applied, APPLY, true),
        ] {
            for signal in BOTH {
                let program = Program::with(&[("main.tf", text)]);
                let mut running = Running::start(&program, args);
                heard.recv().unwrap();
                running.signal(signal);
                let ended = soon(running);
                assert!(ended.err.contains("Error: Interrupted"), "{ended:?}");
                assert!(!program.has(".terraform.tfstate.lock.info"), "{ended:?}");
                assert_eq!(program.has("terraform.tfstate"), made, "{ended:?}");
            }
        }
    }
}

#[test]
fn the_first_signal_ends_the_wait_for_a_lock() {
    let block = "provisioner \"local-exec\" { command = \"echo waiting; until [ -e go ]; do sleep 0.05; done\" }";
    let program = Program::with(&[("main.tf", &provisioned(block))]);
    let mut holder = Running::start(&program, APPLY);
    holder.until("(local-exec): waiting");
    for signal in BOTH {
        let ended =
            stopped(&program, &["apply", "-auto-approve", "-lock-timeout=1h"], "Waiting for the lock of", signal);
        assert!(ended.err.contains("lock"), "{ended:?}");
        for args in [
            &["state", "rm", "-lock-timeout=1h", "terraform_data.a"][..],
            &["taint", "-lock-timeout=1h", "terraform_data.a"],
        ] {
            let mut running = Running::start(&program, args);
            running.until_it_hears_signals().signal(signal);
            soon(running);
        }
    }
    program.write("go", "");
    assert_eq!(holder.end().code, Some(0));
    goes_on(&program, "Resources: 0 added, 0 changed, 0 destroyed.");
}

/// A project in the sandbox whose deployment never gets ready, with a gate behind it that never passes.
fn sandbox(waits: bool) -> Program {
    let file = r#"
        project { name = "stop" }
        environment "dev" { sandbox = true }
        provider "kubernetes" {}
        layer "only" { source = "only" }
        phase "1" {
          include = [layer.only.kubernetes_service.web, layer.only.kubernetes_deployment.web]
          gate "web_answers" {
            timeout  = "1h"
            interval = "30m"
            http { service = "default/web" }
          }
        }
    "#;
    let objects = format!(
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
          wait_for_rollout = {waits}
          spec {{
            selector {{
              match_labels = {{ app = "web" }}
            }}
            template {{
              metadata {{
                labels      = {{ app = "web" }}
                annotations = {{ "sandbox.infra/fail" = "ImagePullBackOff" }}
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
    );
    Program::with(&[("infra.hcl", file), ("only/main.tf", &objects)])
}

#[test]
fn the_first_signal_ends_rollouts_and_gates() {
    let apply = &["apply", "-env", "dev", "-auto-approve"];
    for signal in BOTH {
        let program = sandbox(true);
        let ended = stopped(&program, apply, "kubernetes_deployment.web: Creating", signal);
        assert!(ended.err.contains("Error: Interrupted"), "{ended:?}");
        assert!(program.ok(&["state", "show", "-env", "dev", "kubernetes_deployment.web"]).contains("(tainted)"));

        let program = sandbox(false);
        for args in [&apply[..], &["gate", "run", "web_answers", "-env", "dev"]] {
            let ended = stopped(&program, args, "gate web_answers: Checking", signal);
            assert!(
                ended.err.contains("Gate failed: phase 1") && ended.err.contains("It was stopped after"),
                "{ended:?}"
            );
        }
    }
}

#[test]
fn tests_destroy_what_they_made_when_they_are_stopped() {
    let program =
        Program::with(&[("main.tf", &sleeping("1h", "0s")), ("a.tftest.hcl", "run \"slow\" {}\nrun \"never\" {}\n")]);
    for signal in BOTH {
        let mut running = Running::start(&program, &["test", "-json"]);
        running.until("\"@testrun\":\"slow\"").signal(signal);
        let ended = soon(running);
        assert!(ended.out.contains("what was made is destroyed"), "{ended:?}");
        assert!(ended.out.contains("teardown") && !ended.out.contains("test_cleanup"), "{ended:?}");
    }
}

#[test]
fn machines_read_that_a_run_is_stopped() {
    let program = Program::with(&[("main.tf", &sleeping("1h", "0s"))]).env("INFRA_COMPAT", "terraform");
    let ended = stopped(&program, &["apply", "-auto-approve", "-json"], "time_sleep.slow: Creating", Signal::INT);
    let lines: Vec<Json> = ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let logs: Vec<&str> =
        lines.iter().filter(|line| line["type"] == "log").map(|line| line["@message"].as_str().unwrap()).collect();
    // Recorded from terraform.
    let received = "\nInterrupt received.\nPlease wait for Terraform to exit or data loss may occur.\nGracefully shutting down...\n";
    assert_eq!(logs, [received, "Stopping operation..."]);
    let kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"apply_errored") && kinds.contains(&"diagnostic"), "{kinds:?}");
}

#[test]
fn a_failure_stops_its_dependents_and_nothing_else() {
    let program = Program::with(&[
        ("not-a-folder", ""),
        (
            "main.tf",
            r#"
            resource "terraform_data" "before" { input = 1 }
            resource "local_file" "fails" {
              filename = "${path.module}/not-a-folder/file"
              content  = terraform_data.before.id
            }
            resource "terraform_data" "dependent" { input = local_file.fails.id }
            resource "time_sleep" "beside" { create_duration = "300ms" }
            resource "terraform_data" "beside" { input = time_sleep.beside.id }
            "#,
        ),
    ]);
    let answer = program.call(&["apply", "-auto-approve"]);
    assert_eq!(answer.code, 1, "{}", answer.out);
    assert!(answer.err.contains("not-a-folder") && answer.err.contains("local_file.fails"), "{}", answer.err);
    let listed = program.ok(&["state", "list"]);
    assert_eq!(listed, "terraform_data.before\nterraform_data.beside\ntime_sleep.beside\n");
}
