//! Ephemeral resources and write-only arguments: a password that is made anew whenever it is opened, written into a Secret and
//! stored nowhere.

use super::program::Program;

const PROJECT: &str = r#"
project { name = "p" }
environment "dev" {
  state   = "local"
  sandbox = true
}
layer "one" { source = "one" }
"#;

const MAIN: &str = r#"
variable "revision" { default = 1 }
variable "label" { default = "a" }
ephemeral "random_password" "p" {
  count  = 2
  length = 20 + count.index
  lifecycle {
    postcondition {
      condition     = length(self.result) == 20 + count.index
      error_message = "too short"
    }
  }
}
locals {
  login = { user = "app", password = ephemeral.random_password.p[1].result }
}
module "secret" {
  source   = "./secret"
  data     = { password = local.login.password }
  revision = var.revision
  label    = var.label
}
output "read" { value = module.secret.read }
output "user" { value = ephemeralasnull(local.login.user) }
output "password" { value = nonsensitive(ephemeralasnull(local.login.password) == null) }
"#;

const MODULE: &str = r#"
variable "data" { ephemeral = true }
variable "revision" {}
variable "label" {}
resource "kubernetes_secret_v1" "s" {
  metadata {
    name   = "s"
    labels = { label = var.label }
  }
  data_wo          = var.data
  data_wo_revision = var.revision
}
data "kubernetes_secret_v1" "s" {
  metadata { name = kubernetes_secret_v1.s.metadata[0].name }
  depends_on = [kubernetes_secret_v1.s]
}
output "read" { value = nonsensitive(data.kubernetes_secret_v1.s.data.password) }
"#;

fn project() -> Program {
    Program::with(&[("infra.hcl", PROJECT), ("one/main.tf", MAIN), ("one/secret/main.tf", MODULE)])
        .env("TF_WORKSPACE", "dev")
}

fn password(program: &Program) -> String {
    program.ok(&["output", "-raw", "read"])
}

#[test]
fn a_write_only_argument_takes_an_ephemeral_value_that_nobody_keeps() {
    let program = project();
    let said = program.ok(&["apply", "-auto-approve", "-no-color"]);
    for line in
        ["ephemeral.random_password.p[0]: Opening...", "ephemeral.random_password.p[1]: Closing complete after 0s"]
    {
        assert_eq!(said.matches(line).count(), 2, "once for the plan, once for the apply: {said}");
    }
    let first = password(&program);
    assert_eq!(first.len(), 21);
    assert_eq!(program.ok(&["output", "-raw", "password"]), "true");
    let state = std::fs::read_to_string(program.path("state/one-dev.tfstate")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let resources = state["resources"].as_array().unwrap();
    let managed = resources.iter().find(|resource| resource["mode"] == "managed").unwrap();
    let secret = &managed["instances"][0]["attributes"];
    assert!(secret["data_wo"].is_null(), "{secret}");
    assert!(!secret.to_string().contains(&first), "{secret}");
    assert_eq!(program.call(&["plan", "-detailed-exitcode"]).code, 0, "another password is no change");
    assert!(
        !program
            .ok(&["apply", "-auto-approve"])
            .contains("Opening complete after 0s\nephemeral.random_password.p[0]: Opening")
    );
    assert_eq!(password(&program), first);
}

#[test]
fn what_is_only_written_is_written_again_with_a_new_revision_only() {
    let program = project();
    program.ok(&["apply", "-auto-approve"]);
    let first = password(&program);
    let said = program.ok(&["apply", "-auto-approve", "-var", "label=b"]);
    assert!(said.contains("0 added, 1 changed, 0 destroyed"), "{said}");
    assert_eq!(password(&program), first, "another label leaves the password alone");
    program.ok(&["apply", "-auto-approve", "-var", "label=b", "-var", "revision=2"]);
    assert_ne!(password(&program), first);
    program.ok(&["destroy", "-auto-approve"]);
}

#[test]
fn a_saved_plan_holds_no_ephemeral_value_and_opens_again() {
    let program = project();
    program.ok(&["plan", "-out=plan"]);
    program.ok(&["apply", "plan"]);
    assert_eq!(password(&program).len(), 21);
    let saved = std::fs::read_to_string(program.path("plan")).unwrap();
    assert!(!saved.contains(&password(&program)));
}

#[test]
fn an_ephemeral_value_where_something_would_be_stored_is_refused() {
    let wrong = [
        (
            "resource \"terraform_data\" \"a\" { input = ephemeral.random_password.p[0].result }",
            "Invalid use of ephemeral value",
        ),
        ("output \"o\" { value = ephemeral.random_password.p[0].result }", "Ephemeral value not allowed"),
        (
            "output \"o\" {\n  value = ephemeral.random_password.p\n  ephemeral = true\n}",
            "Ephemeral output not allowed",
        ),
        (
            "resource \"terraform_data\" \"a\" { count = ephemeral.random_password.p[0].length }",
            "Invalid count argument",
        ),
        ("ephemeral \"random_string\" \"a\" {}", "Invalid ephemeral resource"),
        ("ephemeral \"random_password\" \"a\" {}", "Missing required argument"),
        ("output \"o\" { value = ephemeral.random_password.q }", "Reference to undeclared resource"),
    ];
    for (text, summary) in wrong {
        let main = "ephemeral \"random_password\" \"p\" {\n  count  = 1\n  length = 8\n}\n";
        let program = Program::with(&[("main.tf", &format!("{main}{text}\n"))]);
        let answer = program.call(&["plan", "-no-color"]);
        assert_eq!(answer.code, 1, "{text}: {}", answer.out);
        assert!(answer.err.contains(&format!("Error: {summary}")), "{text}: {}", answer.err);
    }
}

#[test]
fn a_saved_plan_carries_no_value_of_an_ephemeral_variable() {
    let main = "variable \"token\" {\n  type      = string\n  ephemeral = true\n}\nvariable \"size\" { default = 1 }\n\
                resource \"terraform_data\" \"a\" {\n  input = var.size\n  lifecycle {\n    precondition {\n      \
                condition     = length(var.token) > 3\n      error_message = \"short\"\n    }\n  }\n}\n";
    let program = Program::with(&[("main.tf", main)]);
    program.ok(&["plan", "-out=p", "-var", "token=very-secret"]);
    assert!(!std::fs::read_to_string(program.path("p")).unwrap().contains("very-secret"));
    for (arguments, expect) in [
        (vec!["apply", "p"], "The ephemeral input variable \"token\" was set during the plan phase"),
        (
            vec!["apply", "-var", "token=another", "-var", "size=2", "p"],
            "Can't change variable when applying a saved plan",
        ),
        (vec!["apply", "-var", "token=no", "p"], "Resource precondition failed"),
    ] {
        let answer = program.call(&[&arguments[..], &["-no-color"]].concat());
        assert!(answer.code == 1 && answer.err.contains(expect), "{arguments:?}: {}", answer.err);
    }
    assert!(program.ok(&["apply", "-var", "token=another", "p"]).contains("1 added"));
}

const ASSERTED: &str = r#"
ephemeral "random_password" "p" {
  length = 20
}
resource "terraform_data" "a" { input = 1 }
check "long" {
  assert {
    condition     = length(ephemeral.random_password.p.result) == 20
    error_message = "too short"
  }
}
check "longer" {
  assert {
    condition     = length(ephemeral.random_password.p.result) == 21
    error_message = "not long enough"
  }
}
output "o" {
  value = 1
  precondition {
    condition     = length(ephemeral.random_password.p.result) == 20
    error_message = "too short"
  }
}
"#;

/// The status of each block with conditions.
fn statuses(checks: &serde_json::Value, name: &str) -> Vec<String> {
    let all = checks.as_array().unwrap().iter();
    let mut all: Vec<_> = all.map(|one| format!("{} {}", one.pointer(name).unwrap(), one["status"])).collect();
    all.sort();
    all
}

#[test]
fn conditions_see_what_was_opened_when_planning_and_when_applying() {
    let program = Program::with(&[("main.tf", ASSERTED)]);
    let expect = ["\"check.long\" \"pass\"", "\"check.longer\" \"fail\"", "\"output.o\" \"pass\""];
    for changes in [true, false] {
        let said = program.call(&["plan", "-out=p"]);
        let warned = format!("{}{}", said.out, said.err);
        assert!(warned.contains("not long enough") && !warned.contains("known after apply\n\n"), "{warned}");
        let plan: serde_json::Value = serde_json::from_str(&program.ok(&["show", "-json", "p"])).unwrap();
        assert_eq!(statuses(&plan["checks"], "/address/to_display"), expect, "{changes}: {plan}");
        let applied = program.call(&["apply", "p"]);
        assert_eq!(applied.code, 0, "{}", applied.err);
        let state = std::fs::read_to_string(program.path("terraform.tfstate")).unwrap();
        let state: serde_json::Value = serde_json::from_str(&state).unwrap();
        assert_eq!(statuses(&state["check_results"], "/config_addr"), expect, "{changes}: {state}");
    }
}

#[test]
fn each_instance_is_opened_with_the_provider_configuration_of_its_key() {
    let text = r#"
    variable "all" {
      type    = set(string)
      default = ["a", "b"]
    }
    provider "random" {
      alias    = "by"
      for_each = var.all
    }
    ephemeral "random_password" "p" {
      for_each = toset(["a", "b"])
      provider = random.by[each.key]
      length   = each.key == "a" ? 20 : 30
    }
    output "read" {
      value = 1
      precondition {
        condition     = [for one in ephemeral.random_password.p : length(one.result)] == [20, 30]
        error_message = "other lengths"
      }
    }
    "#;
    let program = Program::with(&[("main.tf", text)]);
    let said = program.ok(&["apply", "-auto-approve", "-no-color"]);
    for key in ["a", "b"] {
        let line = format!("ephemeral.random_password.p[\"{key}\"]: Opening...");
        assert_eq!(said.matches(&line).count(), 2, "{said}");
    }
    assert_eq!(program.call(&["validate"]).code, 0);
    let refused = program.call(&["plan", "-var=all=[\"a\"]"]);
    assert!(refused.code == 1 && refused.err.contains("Provider instance not present"), "{}", refused.err);
}
