//! Environments of which there is one for each pull request.

use super::program::Program;

const PROJECT: &str = r#"
project { name = "p" }
environment "dev" {}
environment "test" {
  var_files = ["envs/test.tfvars"]
  per       = "pull_request"
  ttl       = "72h"
  sandbox   = true
}
layer "one" { source = "one" }
"#;

const MAIN: &str = r#"
variable "prefix" { default = "dev" }
resource "kubernetes_namespace_v1" "n" {
  metadata { name = "${var.prefix}-${replace(terraform.workspace, "/", "-")}" }
}
output "name" { value = kubernetes_namespace_v1.n.metadata[0].name }
"#;

fn project() -> Program {
    let values = "prefix = \"preview\"\n";
    Program::with(&[("infra.hcl", PROJECT), ("one/main.tf", MAIN), ("envs/test.tfvars", values)])
}

#[test]
fn each_instance_is_an_environment_of_its_own() {
    let program = project();
    for (instance, name) in [("test/1", "preview-test-1"), ("test/pr-2", "preview-test-pr-2")] {
        let said = program.ok(&["apply", "-auto-approve", "-env", instance]);
        assert!(said.contains(&format!("environment {instance}")), "{said}");
        assert!(said.contains("1 added"), "{said}");
        assert_eq!(program.ok(&["output", "-raw", "-env", instance, "name"]), name);
    }
    assert!(program.has("state/one-test/1.tfstate") && program.has("state/sandbox-test/pr-2"));
    assert_eq!(program.call(&["plan", "-detailed-exitcode", "-env", "test/1"]).code, 0);
    assert!(program.ok(&["destroy", "-auto-approve", "-env", "test/1"]).contains("1 destroyed"));
    assert_eq!(program.call(&["plan", "-detailed-exitcode", "-env", "test/pr-2"]).code, 0, "the other one stays");
}

#[test]
fn an_instance_is_named_where_there_are_some_and_only_there() {
    let program = project();
    let wrong = [
        (vec!["-env", "test"], "There is one environment test per pull_request. Choose one: -env test/123."),
        (vec!["-var-file", "test.tfvars"], "There is one environment test per pull_request."),
        (vec!["-env", "dev/1"], "Environment dev has no instances"),
        (vec!["-env", "test/../dev"], "cannot name an instance"),
        (vec!["-env", "test/"], "cannot name an instance"),
        (vec!["-env", "tset/1"], "Did you mean \"test\"?"),
    ];
    for (arguments, expect) in wrong {
        let answer = program.call(&[&["plan", "-no-color"], &arguments[..]].concat());
        assert_eq!(answer.code, 1, "{arguments:?}");
        assert!(answer.err.contains(expect), "{arguments:?}: {}", answer.err);
    }
    assert_eq!(program.call(&["plan", "-env", "test/1", "-var-file", "test.tfvars"]).code, 0);
}

#[test]
fn what_an_environment_says_of_its_instances_is_checked() {
    for (lines, expect) in [
        ("ttl = \"72h\"", "Invalid ttl of an environment"),
        ("per = \"pull request\"", "Invalid instances of an environment"),
        ("per = \"pr\"\n  ttl = \"soon\"", "Invalid ttl of an environment"),
    ] {
        let program = project();
        program.write(
            "infra.hcl",
            &PROJECT.replace("environment \"dev\" {}", &format!("environment \"dev\" {{\n  {lines}\n}}")),
        );
        let answer = program.call(&["validate", "-no-color", "-env", "test/1"]);
        assert!(answer.err.contains(expect), "{lines}: {}", answer.err);
    }
}
