//! Provider blocks with `for_each`: which configuration an object is made with, and how state keeps it.

use serde_json::Value as Json;

use super::program::Program;

const KEYED: &str = r#"
variable "all" {
  type    = set(string)
  default = ["a", "b"]
}
variable "used" {
  type    = set(string)
  default = ["a", "b"]
}
provider "http" {
  alias    = "by"
  for_each = var.all
}
provider "terraform" {
  alias    = "by"
  for_each = var.all
}
resource "terraform_data" "r" {
  for_each = var.used
  provider = terraform.by[each.key]
}
"#;

/// As OpenTofu 1.12.6 writes it: no provider beside the resource, one beside each instance.
#[test]
fn state_names_the_configuration_of_each_instance() {
    let program = Program::with(&[("main.tf", KEYED)]);
    program.ok(&["apply", "-auto-approve"]);
    let state: Json =
        serde_json::from_str(&std::fs::read_to_string(program.path("terraform.tfstate")).unwrap()).unwrap();
    let resource = &state["resources"][0];
    assert!(resource["provider"].is_null(), "{resource}");
    let providers: Vec<&str> =
        resource["instances"].as_array().unwrap().iter().map(|one| one["provider"].as_str().unwrap()).collect();
    let expect = ["a", "b"].map(|key| format!("provider[\"terraform.io/builtin/terraform\"].by[\"{key}\"]"));
    assert_eq!(providers, expect);
    assert!(program.ok(&["plan"]).contains("No changes"));
    program.ok(&["taint", "terraform_data.r[\"a\"]"]);
    assert!(program.ok(&["plan"]).contains("1 to add, 0 to change, 1 to destroy"));
}

#[test]
fn a_configuration_outlives_its_objects() {
    let program = Program::with(&[("main.tf", KEYED)]);
    program.ok(&["apply", "-auto-approve"]);
    let both = ["plan", "-var", "used=[\"a\"]", "-var", "all=[\"a\"]"];
    let refused = program.call(&both);
    assert!(refused.code == 1 && refused.err.contains("Provider instance not present"), "{}", refused.err);
    assert!(refused.err.contains("terraform_data.r[\"b\"] needs the provider configuration"), "{}", refused.err);
    assert!(program.ok(&["apply", "-auto-approve", "-var", "used=[\"a\"]"]).contains("1 destroyed"));
    assert!(program.ok(&both).contains("No changes"));
}

#[test]
fn each_stands_in_the_block_of_the_provider() {
    let text = r#"
provider "random" {
  alias    = "by"
  for_each = { a = each.key }
}
"#;
    let answer = Program::with(&[("main.tf", text)]).call(&["plan"]);
    assert!(answer.code == 1 && answer.err.contains("each.key cannot be used here"), "{}", answer.err);
    let text = r#"
provider "kubernetes" {
  alias       = "by"
  for_each    = { a = "nowhere" }
  config_path = "${each.value}-${each.key}"
}
resource "kubernetes_namespace_v1" "n" {
  provider = kubernetes.by["a"]
  metadata {
    name = "n"
  }
}
"#;
    let answer = Program::with(&[("main.tf", text)]).call(&["plan"]);
    assert!(answer.code == 1 && answer.err.contains("nowhere-a"), "{}", answer.err);
}
