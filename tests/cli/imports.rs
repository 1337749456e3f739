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
