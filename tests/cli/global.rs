//! Layers that exist once for all environments: `scope = "global"` and `-global`.

use super::program::Program;
use crate::lab;

const PROJECT: &str = r#"
project { name = "p" }
environment "dev" { var_files = ["envs/dev.tfvars"] }
environment "prod" {}
environment "test" { per = "pull_request" }

provider "kubernetes" {
  host = layer.apps.host
}
layer "net" {
  source    = "net"
  scope     = "global"
  var_files = ["envs/shared.tfvars"]
}
layer "base" {
  source = "base"
  scope  = "global"
}
layer "apps" { source = "apps" }

phase "ground" {
  include = [layer.net, layer.base]
  gate "ground" {
    timeout = "1s"
    command { argv = ["test", layer.base.cluster, "=", "cluster-10.1"] }
  }
}
phase "rest" {
  include = [layer.apps]
  gate "rest" {
    command { argv = ["test", layer.apps.seen, "=", "cluster-10.1 in ${environment.name}"] }
  }
}
"#;

const NET: &str = r#"
variable "range" {}
resource "terraform_data" "net" { input = var.range }
output "range" {
  value = terraform_data.net.output
}
"#;

const BASE: &str = r#"
resource "terraform_data" "cluster" { input = "cluster-${layer.net.range}" }
output "cluster" { value = terraform_data.cluster.output }
output "key" {
  value     = "key-of-${terraform_data.cluster.output}"
  sensitive = true
}
output "run" { value = terraform.workspace }
"#;

const APPS: &str = r#"
variable "size" { default = 1 }
resource "terraform_data" "app" {
  input = "${layer.base.cluster} in ${terraform.workspace}"
}
resource "terraform_data" "with_key" { input = layer.base.key }
output "seen" { value = terraform_data.app.output }
output "host" { value = "https://127.0.0.1:1" }
output "size" { value = var.size }
"#;

fn program(project: &str) -> Program {
    Program::with(&[
        ("infra.hcl", project),
        ("net/main.tf", NET),
        ("base/main.tf", BASE),
        ("apps/main.tf", APPS),
        ("envs/shared.tfvars", "range = \"10.1\"\n"),
        ("envs/dev.tfvars", "size = 3\n"),
    ])
}

#[track_caller]
fn fails(program: &Program, arguments: &[&str], parts: &[&str]) {
    let answer = program.call(&[arguments, &["-no-color"]].concat());
    assert_eq!(answer.code, 1, "{arguments:?}\n{}\n{}", answer.out, answer.err);
    let flat = answer.err.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(flat.contains(part), "{arguments:?}: {part:?} is not in\n{}", answer.err);
    }
}

fn serial(program: &Program, layer: &str) -> String {
    std::fs::read_to_string(program.path(&format!("state/{layer}-global.tfstate"))).unwrap()
}

#[test]
fn global_layers_are_changed_by_global_runs_only_and_read_by_all_environments() {
    let program = program(PROJECT);
    assert!(program.ok(&["validate", "-env", "dev"]).contains("valid"));
    fails(
        &program,
        &["plan", "-env", "dev"],
        &["Global layer without a stored output", "layer.base.cluster", "infra apply -global"],
    );

    let planned = program.ok(&["plan", "-global"]);
    assert!(planned.contains("project p · global layers · state"), "{planned}");
    assert!(planned.contains("layer.net.terraform_data.net") && planned.contains("◇ gate ground"), "{planned}");
    assert!(!planned.contains("apps") && !planned.contains("gate rest"), "{planned}");
    assert!(program.ok(&["apply", "-global", "-auto-approve"]).contains("Resources: 2 added"));
    assert_eq!(program.ok(&["output", "-global", "-raw", "layer.base.run"]), "global");
    let before = [serial(&program, "net"), serial(&program, "base")];

    for (environment, size) in [("dev", "3"), ("prod", "1"), ("test/7", "1")] {
        let applied = program.ok(&["apply", "-env", environment, "-auto-approve"]);
        assert!(applied.contains("Resources: 2 added") && !applied.contains("gate ground"), "{applied}");
        let seen = program.ok(&["output", "-env", environment, "-raw", "layer.apps.seen"]);
        assert_eq!(seen, format!("cluster-10.1 in {environment}"));
        assert_eq!(program.ok(&["output", "-env", environment, "-raw", "layer.apps.size"]), size);
        let listed = program.ok(&["state", "list", "-env", environment]);
        assert_eq!(listed, "layer.apps.terraform_data.app\nlayer.apps.terraform_data.with_key\n");
        assert_eq!(program.call(&["plan", "-env", environment, "-detailed-exitcode"]).code, 0);
    }
    let shown = program.ok(&["state", "show", "-env", "dev", "layer.apps.terraform_data.with_key"]);
    assert!(shown.contains("input  = (sensitive value)"), "{shown}");
    assert_eq!([serial(&program, "net"), serial(&program, "base")], before, "nothing was written there");

    // A change there reaches each environment with its next run, and no sooner.
    program.write("envs/shared.tfvars", "range = \"10.2\"\n");
    assert_eq!(program.call(&["plan", "-env", "dev", "-detailed-exitcode"]).code, 0);
    fails(
        &program,
        &["apply", "-global", "-auto-approve"],
        &["Gate failed: phase ground", "infra gate run ground -global"],
    );
    assert_eq!(program.call(&["gate", "run", "ground", "-global"]).code, 1);
    assert_eq!(program.call(&["plan", "-env", "dev", "-detailed-exitcode"]).code, 2);
}

#[test]
fn global_layers_stay_while_an_environment_needs_them() {
    let program = program(PROJECT);
    program.ok(&["apply", "-global", "-auto-approve"]);
    program.ok(&["apply", "-env", "dev", "-auto-approve"]);
    program.ok(&["apply", "-env", "test/7", "-auto-approve"]);
    let parts = ["Global layers are in use", "apps of dev, apps of test/7", "Destroy the environments first"];
    for command in [&["destroy", "-auto-approve"][..], &["plan", "-destroy"], &["apply", "-destroy", "-auto-approve"]] {
        fails(&program, &[command, &["-global"]].concat(), &parts);
    }
    program.ok(&["destroy", "-env", "dev", "-auto-approve"]);
    fails(&program, &["destroy", "-global", "-auto-approve"], &["still have state: apps of test/7."]);
    program.ok(&["destroy", "-env", "test/7", "-auto-approve"]);
    assert!(program.ok(&["destroy", "-global", "-auto-approve"]).contains("2 destroyed"));
}

#[test]
fn a_saved_plan_and_commands_on_state_keep_to_the_global_layers() {
    let program = program(PROJECT);
    program.ok(&["plan", "-global", "-out", "p"]);
    assert!(program.ok(&["apply", "p"]).contains("2 added"));
    assert_eq!(
        program.ok(&["state", "list", "-global"]),
        "layer.net.terraform_data.net\nlayer.base.terraform_data.cluster\n"
    );
    program.ok(&["taint", "-global", "layer.net.terraform_data.net"]);
    let planned = program.ok(&["plan", "-global", "-layer", "net"]);
    assert!(planned.contains("tainted") && !planned.contains("terraform_data.cluster"), "{planned}");
    fails(
        &program,
        &["plan", "-env", "dev", "-layer", "net"],
        &["Layer net exists once for all environments: add -global"],
    );
    fails(&program, &["plan", "-global", "-layer", "apps"], &["Layer apps exists once per environment"]);
}

#[test]
fn an_environment_with_local_state_has_global_layers_of_its_own() {
    let one_line = "environment \"dev\" { var_files = [\"envs/dev.tfvars\"] }";
    let dev = "environment \"dev\" {\n  var_files = [\"envs/dev.tfvars\"]\n  state = \"local\"\n}";
    let local = PROJECT.replace(one_line, dev);
    let program = program(&format!("{local}\nstate \"local\" {{ path = \"shared\" }}\n"));
    program.ok(&["apply", "-global", "-auto-approve"]);
    assert!(program.has("shared/base-global.tfstate") && !program.has("state/base-global.tfstate"));
    fails(&program, &["plan", "-env", "dev"], &["Global layer without a stored output"]);
    program.ok(&["apply", "-global", "-env", "dev", "-auto-approve"]);
    assert!(program.has("state/base-global.tfstate"));
    program.ok(&["apply", "-env", "dev", "-auto-approve"]);
    // What others share does not stay for its sake.
    assert!(program.ok(&["destroy", "-global", "-auto-approve"]).contains("2 destroyed"));
    fails(&program, &["destroy", "-global", "-env", "dev", "-auto-approve"], &["apps of dev"]);
    // Where both lie in the same folder there is but one of them.
    program.write("infra.hcl", &local);
    program.ok(&["apply", "-global", "-auto-approve"]);
    fails(&program, &["destroy", "-global", "-auto-approve"], &["apps of dev"]);
    fails(&program, &["plan", "-global", "-env", "prod"], &["Contradicting environments", "-env prod"]);
    fails(&program, &["plan", "-global", "-var-file", "dev.tfvars"], &["Contradicting environments", "belongs to dev"]);
}

#[test]
fn modules_of_global_layers_are_installed_with_those_of_an_environment() {
    let program = program(&PROJECT.replace("name = \"p\"", "\n  name = \"p\"\n  module_mirror = \"mirror\"\n"));
    program.write("mirror/registry.terraform.io/acme/name/local/1.0.0/main.tf", "output \"o\" { value = \"10.1\" }\n");
    let call = "module \"m\" {\n  source = \"acme/name/local\"\n}\n";
    program.write("net/main.tf", &format!("{call}{}", NET.replace("input = var.range", "input = module.m.o")));
    fails(&program, &["validate", "-env", "prod"], &["Module not installed"]);
    program.ok(&["init", "-env", "prod"]);
    program.ok(&["validate", "-env", "prod"]);
    assert!(program.ok(&["apply", "-global", "-auto-approve"]).contains("2 added"));
}

#[test]
fn what_cannot_be_is_said() {
    let wrong = [
        (
            PROJECT.replace("environment \"prod\"", "environment \"global\""),
            vec!["-global"],
            "Reserved name of an environment",
        ),
        (PROJECT.replace("scope     = \"global\"", "scope = \"world\""), vec!["-global"], "Invalid scope"),
        (PROJECT.replace("scope     = \"global\"\n", ""), vec!["-env", "prod"], "Unexpected var_files"),
        (
            PROJECT.replace("envs/shared.tfvars", "envs/none.tfvars"),
            vec!["-global"],
            "The file envs/none.tfvars of layer \"net\"",
        ),
        (
            PROJECT.replace("[\"test\", layer.base.cluster", "[\"test\", layer.apps.seen"),
            vec!["-global"],
            "this phase includes global layers",
        ),
        (
            PROJECT.replace("layer.base.cluster", "layer.base.nothing"),
            vec!["-env", "prod"],
            "Layer base has no output named \"nothing\"",
        ),
        (
            PROJECT
                .replace("scope  = \"global\"", "")
                .replace("scope     = \"global\"", "")
                .replace("  var_files = [\"envs/shared.tfvars\"]\n", ""),
            vec!["-global"],
            "No global layers",
        ),
        (
            format!("{PROJECT}state \"local\" {{ path = \"${{layer.scope}}-${{environment.name}}\" }}\n"),
            vec!["-global", "-env", "dev"],
            "Contradicting environments",
        ),
    ];
    for (project, arguments, expect) in wrong {
        fails(&program(&project), &[&["plan"], &arguments[..]].concat(), &[expect]);
    }
    // A global layer sees global layers only, whoever asks.
    let program = program(PROJECT);
    program.write("net/main.tf", &NET.replace("input = var.range", "input = layer.apps.seen"));
    for arguments in [&["plan", "-global"][..], &["validate", "-env", "prod"]] {
        fails(&program, arguments, &["Reference from a global layer", "Layer apps exists once per environment"]);
    }
    let plain = Program::with(&[("main.tf", "")]);
    fails(&plain, &["plan", "-global"], &["No project"]);
}

#[test]
fn global_state_in_a_bucket_is_shared_by_environments() {
    let Some(minio) = lab::minio() else { return };
    let state = format!(
        r#"
        state "s3" {{
          bucket         = "{}"
          key            = layer.scope == "global" ? "k3s/${{layer.name}}.tfstate" : "k3s/${{layer.name}}-${{environment.name}}.tfstate"
          region         = "us-east-1"
          endpoints      = {{ s3 = "{}" }}
          use_path_style = true
        }}
        "#,
        minio.bucket(),
        minio.endpoint
    );
    let program = program(&format!("{PROJECT}{state}"))
        .env("AWS_ACCESS_KEY_ID", &minio.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &minio.secret_key);
    program.ok(&["apply", "-global", "-auto-approve"]);
    for environment in ["prod", "test/9"] {
        assert!(program.ok(&["apply", "-env", environment, "-auto-approve"]).contains("2 added"));
    }
    fails(&program, &["destroy", "-global", "-auto-approve"], &["still have state: apps of prod, apps of test/9."]);
    for environment in ["prod", "test/9"] {
        program.ok(&["destroy", "-env", environment, "-auto-approve"]);
    }
    assert!(program.ok(&["destroy", "-global", "-auto-approve"]).contains("2 destroyed"));
}

/// A project with the layers `a` and `b`, or without `b`.
fn layers(b: bool) -> String {
    let layer = |name: &str| format!("layer \"{name}\" {{ source = \"{name}\" }}\n");
    let own = if b { layer("a") + &layer("b") } else { layer("a") };
    format!("project {{ name = \"p\" }}\nenvironment \"prod\" {{}}\nenvironment \"eu-prod\" {{}}\n{own}")
}

#[test]
fn a_layer_that_is_taken_out_of_the_project_leaves_nothing_behind() {
    let state = "resource \"terraform_data\" \"d\" {}\n";
    let program = Program::with(&[("infra.hcl", &layers(true)), ("a/main.tf", state), ("b/main.tf", state)]);
    // The states of eu-prod look like those of layers a-eu and b-eu of prod.
    for environment in ["prod", "eu-prod"] {
        program.ok(&["apply", "-env", environment, "-auto-approve"]);
    }
    program.ok(&["plan", "-env", "prod"]);
    program.write("infra.hcl", &layers(false));
    let parts = ["b-prod.tfstate holds an object of layer \"b\"", "infra destroy -env prod -layer b"];
    for command in [&["plan"][..], &["apply", "-auto-approve"], &["destroy", "-auto-approve"]] {
        fails(&program, &[command, &["-env", "prod"]].concat(), &parts);
    }
    program.write("infra.hcl", &layers(true));
    for environment in ["prod", "eu-prod"] {
        program.ok(&["destroy", "-env", environment, "-layer", "b", "-auto-approve"]);
    }
    program.write("infra.hcl", &layers(false));
    assert!(program.ok(&["plan", "-env", "prod"]).contains("No changes."));
}
