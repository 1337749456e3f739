//! `check` blocks: they say what is wrong, and hold nothing up.

use super::program::Program;

const SCOPED: &str = r#"
resource "terraform_data" "a" {
  input = 1
}
check "lower" {
  data "terraform_remote_state" "s" {
    backend = "local"
    config  = { path = "lower.tfstate" }
  }
  assert {
    condition     = data.terraform_remote_state.s.outputs.x == 1
    error_message = "x is ${data.terraform_remote_state.s.outputs.x}."
  }
}
"#;

fn lower(x: u32) -> String {
    format!(
        r#"{{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"l","outputs":{{"x":{{"value":{x},"type":"number"}}}},"resources":[]}}"#
    )
}

#[test]
fn a_check_whose_data_cannot_be_read_warns() {
    let program = Program::with(&[("main.tf", SCOPED)]);
    let applied = program.call(&["apply", "-auto-approve"]);
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert!(applied.out.contains("Apply complete! Resources: 1 added, 0 changed, 0 destroyed."), "{}", applied.out);
    let said = format!("{}{}", applied.out, applied.err);
    assert!(said.contains("Warning: ") && said.contains("check \"lower\"") && !said.contains("Error: "), "{said}");
    assert_eq!(program.call(&["plan", "-detailed-exitcode"]).code, 2, "it is read again by every apply");
}

#[test]
fn a_check_that_does_not_hold_says_so_when_planning_and_applying() {
    let program = Program::with(&[("main.tf", SCOPED), ("lower.tfstate", &lower(2))]);
    for command in [&["plan"][..], &["apply", "-auto-approve"]] {
        let answer = program.call(command);
        assert_eq!(answer.code, 0, "{}", answer.err);
        let said = format!("{}{}", answer.out, answer.err);
        assert!(said.contains("Warning: Check block assertion failed") && said.contains("x is 2."), "{said}");
    }
    program.write("lower.tfstate", &lower(1));
    let answer = program.call(&["plan", "-detailed-exitcode"]);
    assert_eq!(answer.code, 2, "{}{}", answer.out, answer.err);
    assert!(answer.out.contains("(config will be reloaded to verify a check block)"), "{}", answer.out);
    assert!(!format!("{}{}", answer.out, answer.err).contains("Check block"), "{}", answer.err);
}

#[test]
fn an_apply_says_how_checks_stand_after_it_and_only_that() {
    let main = SCOPED.replace("data.terraform_remote_state.s.outputs.x == 1", "terraform_data.a.output == 2");
    let program = Program::with(&[("main.tf", &main), ("lower.tfstate", &lower(2))]);
    let answer = program.call(&["apply", "-auto-approve"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let said = format!("{}{}", answer.out, answer.err);
    assert_eq!(said.matches("Check block assertion").count(), 1, "{said}");
    assert_eq!(said.matches("Check block assertion failed").count(), 1, "{said}");
}

const LAYERS: &[(&str, &str)] = &[
    (
        "infra.hcl",
        r#"
        project { name = "p" }
        layer "one" { source = "one" }
        layer "two" { source = "two" }
        phase "1" { include = [layer.one] }
        phase "2" { include = [layer.two] }
        "#,
    ),
    (
        "one/main.tf",
        r#"
        resource "terraform_data" "a" { input = 1 }
        output "a" { value = terraform_data.a.output }
        check "whole" {
          data "terraform_remote_state" "s" {
            backend = "local"
            config  = { path = "lower.tfstate" }
          }
          assert {
            condition     = data.terraform_remote_state.s.outputs.x == 3
            error_message = "x is ${data.terraform_remote_state.s.outputs.x}."
          }
        }
        "#,
    ),
    (
        "two/main.tf",
        r#"
        resource "terraform_data" "b" {
          input = layer.one.a
          provisioner "local-exec" {
            command = "sed -i s/:2,/:3,/ ../lower.tfstate"
          }
        }
        "#,
    ),
];

#[test]
fn what_a_check_reads_is_read_when_all_phases_are_over() {
    let program = Program::with(LAYERS);
    program.write("lower.tfstate", &lower(2));
    let planned = program.call(&["plan", "-out=p"]);
    assert!(format!("{}{}", planned.out, planned.err).contains("x is 2."), "{}", planned.err);
    // What it reads when the plan is carried out counts, and does not make the plan another one.
    let answer = program.call(&["apply", "p"]);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    assert!(!format!("{}{}", answer.out, answer.err).contains("Check block assertion"), "{}{}", answer.out, answer.err);
    let at = |text: &str| answer.out.find(text).unwrap_or_else(|| panic!("{text}: {}", answer.out));
    let last = answer.out.rfind("data.terraform_remote_state.s: Read complete").unwrap();
    assert!(at("layer.two.terraform_data.b: Creation complete") < last, "{}", answer.out);
}

#[test]
fn what_nobody_reached_is_not_read_for_a_check() {
    let program = Program::with(LAYERS);
    program.write("lower.tfstate", &lower(2));
    program.write(
        "two/main.tf",
        "resource \"terraform_data\" \"b\" {\nprovisioner \"local-exec\" {\ncommand = \"exit 1\"\n}\n}\n",
    );
    let answer = program.call(&["apply", "-auto-approve"]);
    assert_eq!(answer.code, 1, "{}{}", answer.out, answer.err);
    let state = std::fs::read_to_string(program.path("state/one-default.tfstate")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["check_results"][0]["status"], "unknown", "{state}");
}

#[test]
fn nothing_waits_for_what_a_check_reads() {
    let program = Program::with(&[
        ("child/main.tf", SCOPED),
        (
            "main.tf",
            r#"
            module "m" { source = "./child" }
            resource "terraform_data" "after" { depends_on = [module.m] }
            data "terraform_remote_state" "after" {
              backend    = "local"
              config     = { path = "lower.tfstate" }
              depends_on = [module.m]
            }
            "#,
        ),
        ("lower.tfstate", &lower(1)),
    ]);
    // Terraform finds a cycle here.
    program.ok(&["apply", "-auto-approve"]);
    let planned = program.ok(&["plan"]);
    assert!(planned.contains("module.m.data.terraform_remote_state.s will be read"), "{planned}");
    assert!(!planned.contains("# data.terraform_remote_state.after"), "{planned}");
}
