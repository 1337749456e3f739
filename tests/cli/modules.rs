//! Modules of projects: a mirror named by the project file, sources that depend on variables, data folders of layers.

use super::program::{Program, names, names_if};

const PROJECT: &str = r#"
project {
  name          = "shop"
  module_mirror = "mirror"
}
layer "ground" {
  source = "layers/ground"
}
layer "apps" {
  source = "layers/apps"
}
"#;

fn project() -> Program {
    Program::with(&[
        ("infra.hcl", PROJECT),
        ("layers/ground/main.tf", "module \"net\" {\n  source  = \"acme/net/aws\"\n  version = \"~> 1.0\"\n}\n"),
        (
            "layers/apps/main.tf",
            r#"
variable "flavour" {
  default = "plain"
}
module "app" {
  source = "./${var.flavour}"
  inner  = "sub"
}
"#,
        ),
        ("layers/apps/plain/main.tf", CHOOSES),
        ("layers/apps/rich/main.tf", CHOOSES),
        ("layers/apps/plain/sub/main.tf", "resource \"terraform_data\" \"plain\" {}\n"),
        ("layers/apps/rich/sub/main.tf", "resource \"terraform_data\" \"rich\" {}\n"),
        ("mirror/registry.terraform.io/acme/net/aws/1.0.0/main.tf", "resource \"terraform_data\" \"old\" {}\n"),
        ("mirror/registry.terraform.io/acme/net/aws/1.4.0/main.tf", "resource \"terraform_data\" \"new\" {}\n"),
        ("mirror/registry.terraform.io/acme/net/aws/2.0.0/main.tf", "resource \"terraform_data\" \"next\" {}\n"),
    ])
}

const CHOOSES: &str = r#"
variable "inner" {
  type = string
}
locals {
  inner = "./${var.inner}"
}
module "inner" {
  source = local.inner
}
"#;

#[test]
fn a_project_names_its_mirror_and_installs_for_each_layer() {
    let program = project();
    let refused = program.call(&["plan"]);
    assert!(refused.code == 1 && refused.err.contains("Module not installed"), "{}", refused.err);
    let out = program.ok(&["init"]);
    assert!(out.contains("Downloading registry.terraform.io/acme/net/aws 1.4.0 for net..."), "{out}");
    assert!(out.contains("- net in layers/ground/.terraform/modules/net"), "{out}");
    assert!(names_if(&program.path("layers/apps/.terraform")).is_empty(), "nothing was fetched for this layer");
    let plan = program.ok(&["plan"]);
    assert!(plan.contains("layer.ground.module.net.terraform_data.new will be created"), "{plan}");
    assert!(program.ok(&["get"]).is_empty(), "what is there is not fetched again");
    assert!(program.ok(&["get", "-update"]).contains("Downloading"));
    assert_eq!(names(&program.path("layers/ground/.terraform/modules")), ["modules.json", "net"]);
}

#[test]
fn a_data_folder_of_ones_own_holds_a_folder_for_each_layer() {
    let program = project().env("TF_DATA_DIR", "elsewhere");
    program.ok(&["init"]);
    assert_eq!(names(&program.path("elsewhere")), ["ground"]);
    assert!(program.ok(&["plan"]).contains("terraform_data.new will be created"));
}

#[test]
fn sources_follow_variables_that_are_known_before_planning() {
    let program = project();
    program.ok(&["init"]);
    let plain = program.ok(&["plan"]);
    assert!(plain.contains("module.app.module.inner.terraform_data.plain will be created"), "{plain}");
    let rich = program.ok(&["plan", "-var", "flavour=rich", "-out=p"]);
    assert!(rich.contains("module.app.module.inner.terraform_data.rich will be created"), "{rich}");
    // The plan carries what it was made from, whatever becomes of the folders.
    program.write("layers/apps/rich/sub/main.tf", "");
    std::fs::remove_dir_all(program.path("layers/ground/.terraform")).unwrap();
    let applied = program.ok(&["apply", "p"]);
    assert!(applied.contains("Resources: 2 added"), "{applied}");
}

#[test]
fn sources_name_nothing_that_only_planning_knows() {
    let check = |text: &str, expect: &str| {
        let program = Program::with(&[("main.tf", text)]);
        let answer = program.call(&["init"]);
        assert!(answer.code == 1 && answer.err.contains(expect), "{text}\n{}", answer.err);
    };
    check(
        "resource \"terraform_data\" \"a\" {}\nmodule \"m\" {\n  source = terraform_data.a.id\n}\n",
        "terraform_data.a cannot be used here",
    );
    check("variable \"a\" {}\nmodule \"m\" {\n  source = var.a\n}\n", "Nothing gives the variable \"a\" a value");
    check(
        "variable \"a\" {\n  default = \"./m\"\n  sensitive = true\n}\nmodule \"m\" {\n  source = var.a\n}\n",
        "Sensitive value not allowed",
    );
    check("locals {\n  a = local.b\n  b = local.a\n}\nmodule \"m\" {\n  source = local.a\n}\n", "Cycle: local.a");
    check("module \"m\" {\n  source = \"acme/net/aws\"\n}\n", "INFRA_MODULE_MIRROR");
}

#[test]
fn a_password_in_an_address_is_not_shown() {
    let program =
        Program::with(&[("main.tf", "module \"m\" {\n  source = \"git::http://me:hunter2@127.0.0.1:1/x\"\n}\n")]);
    let answer = program.call(&["init"]);
    assert!(answer.code == 1 && answer.err.contains("Failed to download module"), "{}", answer.err);
    assert!(!answer.err.contains("hunter2") && !answer.out.contains("hunter2"), "{}\n{}", answer.out, answer.err);
}
