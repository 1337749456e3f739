//! Whole commands over several layers: the shipped platform in its sandbox, pending segments, a run that is killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value as Json;

use super::program::{Program, copy_folder};

/// The platform of this repository, as a checkout has it.
pub fn platform() -> Program {
    let program = Program::with(&[]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in ["infra.hcl", "envs", "layers"] {
        copy_folder(&root.join(part), &program.path(part));
    }
    program
}

#[test]
fn the_shipped_platform_lives_in_its_sandbox() {
    let program = platform();
    let planned = program.ok(&["plan", "-env", "dev"]);
    for phase in ["phase 0.2", "phase 1", "phase 2", "phase 3", "phase 999"] {
        assert!(planned.contains(phase), "{phase} is not in the plan");
    }
    assert_eq!(planned.matches("◇ gate").count(), 12, "{planned}");
    assert!(!program.has("state/data-dev.tfstate"), "planning writes no state");

    let applied = program.ok(&["apply", "-env", "dev", "-auto-approve"]);
    assert!(applied.contains("Apply complete! Resources: 85 added, 0 changed, 0 destroyed."), "{applied}");
    assert!(applied.contains("(simulated)"), "{applied}");
    assert_eq!(program.ok(&["state", "list", "-env", "dev"]).lines().count(), 85);

    // The same under another name of the environment, and nothing to do.
    let again = program.call(&["plan", "-var-file", "dev.tfvars", "-detailed-exitcode"]);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    assert!(again.out.contains("No changes. Your infrastructure matches the configuration."), "{}", again.out);

    // One value edited: a plan of what it means.
    let edited = program.call(&["plan", "-env", "dev", "-var", "enable_postgres_replica=false", "-detailed-exitcode"]);
    assert_eq!(edited.code, 2, "{}{}", edited.out, edited.err);
    assert!(edited.out.contains(" to destroy."), "{}", edited.out);
    assert!(!edited.out.contains("Plan: 85"), "{}", edited.out);

    let targeted = program.ok(&["plan", "-env", "dev", "-destroy", "-target", "layer.apps.module.relay"]);
    assert!(targeted.contains("layer.apps.module.relay"), "{targeted}");
    assert!(!targeted.contains("# layer.data."), "{targeted}");

    let gate = program.ok(&["gate", "run", "redis_answers", "-env", "dev"]);
    assert!(gate.contains("redis_answers"), "{gate}");

    let gone = program.ok(&["destroy", "-env", "dev", "-auto-approve"]);
    assert!(gone.contains("Destroy complete! Resources: 85 destroyed."), "{gone}");
    assert_eq!(program.ok(&["state", "list", "-env", "dev"]), "");
}

const PENDING: &[(&str, &str)] = &[
    (
        "infra.hcl",
        r#"
        project { name = "two" }
        provider "ssh" {
          host        = layer.a.host
          user        = "root"
          port        = 1
          private_key = "none"
          host_key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIWO1q1p2q3r4s5t6u7v8w9x0y1z2A3B4C5D6E7F8G9H"
        }
        layer "a" { source = "a" }
        layer "b" { source = "b" }
        phase "1" { include = [layer.a.terraform_data.host] }
        phase "2" { include = [layer.b.ssh_file.f] }
        "#,
    ),
    (
        "a/main.tf",
        r#"
        resource "terraform_data" "host" { input = "127.0.0.1" }
        output "host" { value = terraform_data.host.output }
        "#,
    ),
    (
        "b/main.tf",
        r#"
        resource "ssh_file" "f" {
          path    = "/tmp/x"
          content = "hello"
        }
        resource "terraform_data" "after" { input = ssh_file.f.path }
        "#,
    ),
];

#[test]
fn what_waits_for_a_provider_is_pending_and_the_same_apply_goes_on() {
    let program = Program::with(PENDING);
    let planned = program.ok(&["plan"]);
    assert!(planned.contains("phase 2 · pending layer.a.host"), "{planned}");
    assert!(planned.contains("2 of them pending on layer.a.host"), "{planned}");
    program.ok(&["plan", "-out=p"]);
    let json: Json = serde_json::from_str(&program.ok(&["show", "-json", "p"])).unwrap();
    assert_eq!(json["complete"], false);
    assert_eq!(json["deferred_changes"].as_array().unwrap().len(), 2);

    // Nothing listens there: the second segment fails, the first is safe.
    let applied = program.call(&["apply", "-auto-approve"]);
    assert_eq!(applied.code, 1);
    assert!(applied.out.contains("With what became known, the rest is planned"), "{}", applied.out);
    assert!(applied.err.contains("127.0.0.1:1 refuses connections"), "{}", applied.err);
    assert_eq!(program.ok(&["state", "list"]), "layer.a.terraform_data.host\n");

    let rest = program.ok(&["plan"]);
    assert!(rest.contains("Plan: 2 to add, 0 to change, 0 to destroy."), "{rest}");
    assert!(!rest.contains("pending"), "{rest}");
}

#[test]
fn edges_upwards_and_against_the_phases_explain_themselves() {
    for (path, text, summary) in [
        ("a/up.tf", "output \"up\" { value = layer.b.x }", "Upward layer reference"),
        ("a/against.tf", "resource \"terraform_data\" \"late\" { input = 1 }", "Dependency against the phases"),
    ] {
        let program = Program::with(PENDING);
        program.write("b/out.tf", "output \"x\" { value = 1 }");
        program.write(path, text);
        if summary.starts_with("Dependency") {
            program.write("a/main.tf", "resource \"terraform_data\" \"host\" { input = terraform_data.late.id }\noutput \"host\" { value = 1 }");
            let file = std::fs::read_to_string(program.path("infra.hcl")).unwrap();
            let file = file.replace("[layer.b.ssh_file.f]", "[layer.b.ssh_file.f, layer.a.terraform_data.late]");
            program.write("infra.hcl", &file);
        }
        let answer = program.call(&["plan"]);
        assert_eq!(answer.code, 1, "{}", answer.out);
        assert!(answer.err.contains(summary), "{}", answer.err);
    }
}

#[test]
fn a_run_that_is_killed_loses_nothing_and_doubles_nothing() {
    let program = Program::with(&[(
        "main.tf",
        r#"
        resource "terraform_data" "first" {
          count = 20
          input = count.index
        }
        resource "time_sleep" "middle" {
          create_duration = "60s"
          triggers        = { first = terraform_data.first[19].id }
        }
        resource "terraform_data" "last" {
          input = time_sleep.middle.id
        }
        "#,
    )]);
    let mut child = program.command(&["apply", "-auto-approve"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut complete = Vec::new();
    for line in lines {
        if let Some((addr, _)) = line.split_once(": Creation complete after") {
            complete.push(addr.to_owned());
        }
        if complete.len() == 20 {
            break;
        }
    }
    // What was reported is durable from that moment on.
    child.kill().unwrap();
    child.wait().unwrap();
    let snapshot = std::fs::metadata(program.path("terraform.tfstate")).map_or(0, |file| file.len());
    assert_eq!(snapshot, 0, "no snapshot was written yet");
    let listed = program.ok(&["state", "list"]);
    let mut reported = complete.clone();
    reported.sort();
    let mut recovered: Vec<&str> = listed.lines().collect();
    recovered.sort_unstable();
    assert_eq!(recovered, reported);

    program.write("main.tf", "resource \"terraform_data\" \"first\" {\n  count = 20\n  input = count.index\n}\n");
    let again = program.call(&["apply", "-auto-approve"]);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    assert!((again.out.clone() + &again.err).contains("Recovered 20 results"), "{}{}", again.out, again.err);
    assert_eq!(program.ok(&["state", "list"]).lines().count(), 20);
    let json: Json =
        serde_json::from_str(&std::fs::read_to_string(program.path("terraform.tfstate")).unwrap()).unwrap();
    assert_eq!(json["resources"][0]["instances"].as_array().unwrap().len(), 20);
}

/// Two folders from before they became one project: the upper one reads the state of the lower one.
const REMOTE: &[(&str, &str)] = &[
    (
        "infra.hcl",
        "project { name = \"two\" }\nlayer \"low\" { source = \"low\" }\nlayer \"high\" { source = \"high\" }\n",
    ),
    (
        "low/main.tf",
        r#"
        variable "v" { default = "one" }
        resource "terraform_data" "host" { input = var.v }
        output "host" { value = terraform_data.host.output }
        output "none" { value = null }
        output "secret" {
          value     = "s-${terraform_data.host.id}"
          sensitive = true
        }
        "#,
    ),
    (
        "high/main.tf",
        r#"
        variable "name" { default = "low" }
        locals { file = "../state/${var.name}-default.tfstate" }
        data "terraform_remote_state" "low" {
          backend = "local"
          config  = { path = local.file }
        }
        resource "terraform_data" "uses" { input = data.terraform_remote_state.low.outputs.host }
        output "has" { value = keys(data.terraform_remote_state.low.outputs) }
        "#,
    ),
];

#[test]
fn the_state_of_a_lower_layer_is_an_edge() {
    let program = Program::with(REMOTE);
    // In one run, although the state that the block names does not exist yet.
    let applied = program.ok(&["apply", "-auto-approve"]);
    assert!(applied.contains("Resources: 2 added"), "{applied}");
    let changed = program.ok(&["apply", "-auto-approve", "-var", "v=two"]);
    assert!(changed.contains("Resources: 0 added, 2 changed"), "{changed}");
    let outputs: Json = serde_json::from_str(&program.ok(&["output", "-json"])).unwrap();
    assert_eq!(outputs["layer.high.has"]["value"], serde_json::json!(["host", "secret"]), "{outputs}");
    assert_eq!(program.call(&["plan", "-var", "v=two", "-detailed-exitcode"]).code, 0);
    program.ok(&["destroy", "-auto-approve"]);
}

#[test]
fn errors_name_the_layer_and_reading_is_told_once() {
    let layer = |name: &str| format!("layer {name:?} {{\n  source = {name:?}\n}}\n");
    let two = format!("project {{\n  name = \"x\"\n}}\n{}{}", layer("a"), layer("b"));
    let file = |path: &str| {
        format!(
            "resource \"local_file\" \"f\" {{\n  filename = {path:?}\n  content  = \"x\"\n}}\nresource \"random_id\" \"r\" {{\n  byte_length = 4\n}}\n"
        )
    };
    let wrong = file("/proc/nowhere/f");
    let files = [
        ("infra.hcl", two.as_str()),
        ("a/main.tf", "module \"m\" {\n  source = \"./m\"\n}\n"),
        ("a/m/main.tf", wrong.as_str()),
        ("b/main.tf", "resource \"terraform_data\" \"y\" {}\n"),
    ];
    let program = Program::with(&files);
    let failed = program.call(&["apply", "-auto-approve"]);
    assert!(failed.err.contains("\n  with layer.a.module.m.local_file.f,\n"), "{}", failed.err);

    // Three providers have something to read; it is said in one line, and again by destroy.
    program.write("a/m/main.tf", &file("f.txt"));
    program.ok(&["apply", "-auto-approve"]);
    let destroyed = program.ok(&["destroy", "-auto-approve"]);
    assert_eq!(destroyed.matches("Refreshing state of").count(), 1, "{destroyed}");
    assert!(destroyed.contains("Refreshing state of 3 objects..."), "{destroyed}");

    // One layer needs no name.
    let one = format!("project {{\n  name = \"x\"\n}}\n{}", layer("a"));
    let program = Program::with(&[("infra.hcl", one.as_str()), files[1], files[2]]);
    let failed = program.call(&["apply", "-auto-approve"]);
    assert!(failed.err.contains("\n  with module.m.local_file.f,\n"), "{}", failed.err);
}
