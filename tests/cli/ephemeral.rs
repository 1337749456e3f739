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
        (vec!["apply", "p"], "The ephemeral input variable \"token\" was set when planning"),
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
