//! `import` beyond what state shows: configuration written from what is found, providers, identities.

use super::program::Program;

const IMPORTS: &str = r#"
import {
  to = terraform_data.b
  id = "x"
}
import {
  to = terraform_data.a
  id = "2"
}
"#;

/// What terraform 1.11.4 wrote for the same blocks, in the order of addresses.
const WRITTEN: &str = r#"# __generated__ by Terraform
# Please review these resources and move them into your main configuration files.

# __generated__ by Terraform from "2"
resource "terraform_data" "a" {
  input            = null
  triggers_replace = null
}

# __generated__ by Terraform from "x"
resource "terraform_data" "b" {
  input            = null
  triggers_replace = null
}
"#;

#[test]
fn configuration_is_written_from_what_imports_find() {
    let program = Program::with(&[("main.tf", IMPORTS)]);
    let plan = program.ok(&["plan", "-generate-config-out=generated.tf", "-out=p"]);
    assert!(plan.contains("# terraform_data.a will be imported\n  # (config will be generated)"), "{plan}");
    assert!(plan.contains("Plan: 2 to import, 0 to add, 0 to change, 0 to destroy."), "{plan}");
    assert_eq!(std::fs::read_to_string(program.path("generated.tf")).unwrap(), WRITTEN);
    // The saved plan imports what it was made for, whatever becomes of the file.
    assert!(program.ok(&["apply", "p"]).contains("2 imported"));
    assert!(program.ok(&["plan"]).contains("No changes"));
    let again = program.call(&["plan", "-generate-config-out=generated.tf"]);
    assert!(again.code == 1 && again.err.contains("Target generated file already exists"), "{}", again.err);
    // Nothing to generate: no file.
    program.ok(&["plan", "-generate-config-out=more.tf"]);
    assert!(!program.has("more.tf"));
    let nowhere = program.call(&["plan", "-destroy", "-generate-config-out=more.tf"]);
    assert!(nowhere.code == 1 && nowhere.err.contains("Invalid generate-config-out flag"), "{}", nowhere.err);
}

#[test]
fn secrets_and_what_providers_decide_are_not_written() {
    let program = Program::with(&[(
        "main.tf",
        "import {\n  to       = random_password.p\n  id       = \"hunter2hunter2\"\n  provider = random.other\n}\nprovider \"random\" {\n  alias = \"other\"\n}\n",
    )]);
    program.ok(&["plan", "-generate-config-out=generated.tf"]);
    let written = std::fs::read_to_string(program.path("generated.tf")).unwrap();
    assert!(!written.contains("result") && written.contains("resource \"random_password\" \"p\""), "{written}");
    assert!(written.contains("provider ") && written.contains("= random.other\n"), "{written}");
    // Once there is a block, it says which provider configuration it uses.
    program.write("main.tf", "import {\n  to = random_password.p\n  id = \"hunter2hunter2\"\n}\nprovider \"random\" {\n  alias = \"other\"\n}\n");
    program.ok(&["apply", "-auto-approve"]);
    assert!(program.ok(&["plan"]).contains("No changes"));
}

#[test]
fn imports_that_cannot_be_are_told() {
    let check = |text: &str, expect: &str| {
        let program = Program::with(&[("main.tf", text)]);
        let answer = program.call(&["plan"]);
        assert!(answer.code == 1 && answer.err.contains(expect), "{text}\n{}", answer.err);
    };
    let declared = "resource \"terraform_data\" \"a\" {}\n";
    let import = |rest: &str| format!("{declared}import {{\n  to = terraform_data.a\n{rest}}}\n");
    check(&import("  identity = { id = \"x\" }\n"), "Resource identity not supported");
    check(&import("  id = \"x\"\n  identity = { id = \"x\" }\n"), "Invalid import block");
    check(&import("  id = \"x\"\n  provider = terraform\n"), "Invalid import provider argument");
    check(&import(""), "Missing required argument");
    check(IMPORTS, "infra plan -generate-config-out=FILE");
}

#[test]
fn every_id_that_cannot_be_is_told_at_its_line() {
    let main = r#"variable "empty" { default = "" }
resource "terraform_data" "base" {}
resource "terraform_data" "a" {}
resource "terraform_data" "b" {
  input = terraform_data.a.id
}
resource "terraform_data" "c" {
  for_each = toset(["x", "y"])
  input    = terraform_data.b.id
}
resource "terraform_data" "d" {}
import {
  to = terraform_data.a
  id = var.empty
}
import {
  to = terraform_data.b
  id = terraform_data.base.id
}
import {
  for_each = { x = "", y = "fine" }
  to       = terraform_data.c[each.key]
  id       = each.value
}
import {
  to = terraform_data.d
  id = ["no text"]
}
"#;
    let program = Program::with(&[("main.tf", main)]);
    let answer = program.call(&["plan", "-no-color"]);
    assert_eq!(answer.code, 1, "{}", answer.out);
    for line in [14, 18, 23, 27] {
        assert!(answer.err.contains(&format!("on main.tf line {line}, in import")), "{line}: {}", answer.err);
    }
    assert_eq!(answer.err.matches("Error: ").count(), 4, "{}", answer.err);
    assert_eq!(answer.err.matches("Error: Incorrect value type").count(), 1, "{}", answer.err);
    // What an id is made of has failed: that is told, and nothing of the id.
    let failed = "resource \"terraform_data\" \"a\" {\n  input = tonumber(\"x\")\n}\nresource \"terraform_data\" \"b\" {}\n\
                  import {\n  to = terraform_data.b\n  id = terraform_data.a.input\n}\n";
    let answer = Program::with(&[("main.tf", failed)]).call(&["plan", "-no-color"]);
    assert_eq!(answer.err.matches("Error: ").count(), 1, "{}", answer.err);
}

#[test]
fn an_import_of_what_has_no_block_shows_one() {
    let program = Program::with(&[
        ("main.tf", "resource \"terraform_data\" \"c\" {\n  count = 2\n}\nmodule \"m\" {\n  source = \"./m\"\n}\n"),
        ("m/main.tf", "locals {}\n"),
    ]);
    let of = |address: &str| {
        let answer = program.call(&["import", "-no-color", address, "id"]);
        assert_eq!(answer.code, 1, "{address}: {}", answer.out);
        answer.err
    };
    for (address, place) in [
        ("terraform_data.zz", "in the root module."),
        ("terraform_data.zz[\"a\"]", "in the root module."),
        ("module.m.terraform_data.zz", "in module.m."),
    ] {
        let said = of(address);
        let summary = format!("Error: resource address {address:?} does not exist in the configuration.");
        assert!(said.contains(&summary) && said.contains(place), "{said}");
        assert!(said.contains("resource \"terraform_data\" \"zz\" {\n  # (resource arguments)\n}"), "{said}");
    }
    assert!(of("module.q.terraform_data.c").contains("module.q is not defined in the configuration."));
    for address in ["terraform_data.c", "terraform_data.c[5]"] {
        let said = of(address);
        assert!(said.contains("Configuration for import target does not exist"), "{said}");
        assert!(said.contains("its count or for_each makes other instances"), "{said}");
    }
}
