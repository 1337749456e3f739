//! `replace_triggered_by`, as `terraform` 1.11.4 answers for the same configuration.

use serde_json::Value as Json;

use super::program::Program;

const WATCHED: &str = r#"
variable "v" { default = 1 }
resource "terraform_data" "a" {
  count = 2
  input = "x${count.index == 0 ? var.v : 0}"
}
"#;

const WATCHING: &str = r#"
resource "terraform_data" "attribute" {
  lifecycle { replace_triggered_by = [terraform_data.a[0].output] }
}
resource "terraform_data" "both" {
  triggers_replace = var.v
  lifecycle { replace_triggered_by = [terraform_data.a] }
}
resource "terraform_data" "each" {
  count = 2
  lifecycle { replace_triggered_by = [terraform_data.a[count.index].input] }
}
resource "terraform_data" "id" {
  lifecycle { replace_triggered_by = [terraform_data.a[0].id] }
}
"#;

/// The actions and reasons of a plan, by address.
fn planned(program: &Program, arguments: &[&str]) -> Vec<String> {
    program.ok(&[&["plan", "-out=p"], arguments].concat());
    let json: Json = serde_json::from_str(&program.ok(&["show", "-json", "p"])).unwrap();
    let changes = json["resource_changes"].as_array().unwrap().iter();
    let text = |change: &Json| {
        let actions: Vec<_> = change["change"]["actions"].as_array().unwrap().iter().flat_map(Json::as_str).collect();
        let reason = change["action_reason"].as_str().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{}: {}{reason}", change["address"].as_str().unwrap(), actions.join(", "))
    };
    changes.map(text).collect()
}

#[test]
fn an_object_is_replaced_when_what_it_names_changes() {
    let program = Program::with(&[("watched.tf", WATCHED), ("watching.tf", WATCHING)]);
    program.ok(&["apply", "-auto-approve"]);
    let changed = planned(&program, &["-var", "v=2"]);
    let expect = [
        "terraform_data.a[0]: update",
        "terraform_data.a[1]: no-op",
        "terraform_data.attribute: delete, create (replace_by_triggers)",
        "terraform_data.both: delete, create (replace_by_triggers)",
        "terraform_data.each[0]: delete, create (replace_by_triggers)",
        "terraform_data.each[1]: no-op",
        "terraform_data.id: no-op",
    ];
    assert_eq!(changed, expect);
    let said = program.ok(&["apply", "-auto-approve", "-var", "v=2"]);
    assert!(said.contains("will be replaced due to changes in replace_triggered_by"), "{said}");
    assert!(said.contains("Apply complete! Resources: 3 added, 1 changed, 3 destroyed."), "{said}");
    assert_eq!(program.call(&["plan", "-var", "v=2", "-detailed-exitcode"]).code, 0);
}

#[test]
fn what_is_new_or_gone_replaces_nothing() {
    let program = Program::with(&[("watched.tf", WATCHED), ("watching.tf", WATCHING)]);
    program.ok(&["apply", "-auto-approve"]);
    let more = WATCHED.replace("count = 2", "count = 3");
    program.write("watched.tf", &more);
    let changed = planned(&program, &[]);
    assert_eq!(
        changed.iter().filter(|line| !line.ends_with("no-op")).collect::<Vec<_>>(),
        ["terraform_data.a[2]: create"]
    );
}

#[test]
fn a_trigger_that_is_no_resource_is_refused() {
    for (trigger, summary) in [
        ("var.v", "Invalid reference in replace_triggered_by expression"),
        ("terraform_data.a[var.v]", "Invalid reference in replace_triggered_by expression"),
        ("\"x\"", "Invalid replace_triggered_by expression"),
        ("self.id", "Invalid reference in replace_triggered_by expression"),
        ("terraform_data.a[*].id", "Invalid replace_triggered_by expression"),
        ("terraform_data.none", "Reference to undeclared resource"),
    ] {
        let bad = format!(
            "resource \"terraform_data\" \"bad\" {{\n  lifecycle {{ replace_triggered_by = [{trigger}] }}\n}}\n"
        );
        let program = Program::with(&[("watched.tf", WATCHED), ("bad.tf", &bad)]);
        let answer = program.call(&["plan"]);
        assert_eq!(answer.code, 1, "{trigger}: {}", answer.out);
        assert!(answer.err.contains(summary) && answer.err.contains("bad.tf line 2"), "{trigger}: {}", answer.err);
    }
}
