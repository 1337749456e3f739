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
    assert_eq!(program.call(&["plan", "-detailed-exitcode"]).code, 0);
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
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
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
