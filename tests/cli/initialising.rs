//! `init` and what it leaves behind; `version`, which tells of that.

use serde_json::Value as Json;

use super::program::Program;

const PROVIDERS: &str = "terraform {\n  required_providers {\n    random = {\n      source  = \"hashicorp/random\"\n      version = \">= 3.5, < 4\"\n    }\n  }\n}\nresource \"random_id\" \"a\" { byte_length = 2 }\nresource \"null_resource\" \"b\" {}\n";

const LOCKED: &str = "# This file is maintained automatically by \"terraform init\".\n# Manual edits may be lost in future updates.\n\nprovider \"registry.terraform.io/hashicorp/null\" {\n  version = \"3.2.4\"\n}\n\nprovider \"registry.terraform.io/hashicorp/random\" {\n  version     = \"3.7.2\"\n  constraints = \">= 3.5.0, < 4.0.0\"\n}\n";

fn text(program: &Program, path: &str) -> String {
    std::fs::read_to_string(program.path(path)).unwrap()
}

#[test]
fn init_leaves_a_lock_file_and_a_data_folder() {
    let program = Program::with(&[("main.tf", PROVIDERS)]);
    let first = program.ok(&["init"]);
    assert!(first.contains("has created a lock file .terraform.lock.hcl"), "{first}");
    assert!(
        first.contains("infra has been successfully initialized!") && first.contains("Try running \"infra plan\""),
        "{first}"
    );
    assert_eq!(text(&program, ".terraform.lock.hcl"), LOCKED);
    assert!(program.path(".terraform").is_dir());
    assert!(!program.ok(&["init"]).contains("lock file"), "there is nothing new");
    let version = program.ok(&["version"]);
    assert!(version.ends_with("\n+ provider registry.terraform.io/hashicorp/null v3.2.4\n+ provider registry.terraform.io/hashicorp/random v3.7.2\n"), "{version}");
    let json: Json = serde_json::from_str(&program.ok(&["version", "-json"])).unwrap();
    assert_eq!(json["provider_selections"]["registry.terraform.io/hashicorp/random"], "3.7.2");
    let quiet = Program::with(&[("main.tf", PROVIDERS)]).env("TF_IN_AUTOMATION", "1");
    assert!(!quiet.ok(&["init"]).contains("Try running"));
}

#[test]
fn what_a_lock_file_holds_is_kept() {
    let there = "# ours\nprovider \"registry.terraform.io/hashicorp/random\" {\n  version = \"3.6.0\"\n  hashes = [\n    \"h1:abc=\",\n  ]\n}\n";
    let program = Program::with(&[("main.tf", PROVIDERS), (".terraform.lock.hcl", there)]);
    let refused = program.call(&["init", "-lockfile=readonly"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("Provider dependency changes detected"), "{}", refused.err);
    assert_eq!(text(&program, ".terraform.lock.hcl"), there);
    let changed = program.ok(&["init", "-upgrade"]);
    assert!(changed.contains("has made some changes to the provider dependency selections"), "{changed}");
    let now = text(&program, ".terraform.lock.hcl");
    assert!(
        now.starts_with(there)
            && now.ends_with("\nprovider \"registry.terraform.io/hashicorp/null\" {\n  version = \"3.2.4\"\n}\n"),
        "{now}"
    );
    program.ok(&["init", "-lockfile=readonly"]);
    program.write(".terraform.lock.hcl", "provider \"x\" {\n");
    assert_eq!(program.call(&["init"]).code, 1);
}

#[test]
fn a_folder_begins_with_a_copy_of_a_module() {
    let program = Program::with(&[
        ("m/main.tf", "module \"s\" {\n  source = \"./sub\"\n}\n"),
        ("m/sub/main.tf", "output \"x\" { value = 1 }\n"),
        ("m/.hidden", "x"),
        ("new/.terraform/kept", ""),
        ("full/main.tf", ""),
    ]);
    let out = program.ok(&["-chdir=new", "init", "-from-module=../m"]);
    assert!(out.starts_with("Copying configuration from \"../m\"...\n"), "{out}");
    assert!(program.has("new/sub/main.tf") && program.has("new/main.tf") && !program.has("new/.hidden"));
    program.ok(&["-chdir=new", "plan"]);
    let full = program.call(&["-chdir=full", "init", "-from-module=../m"]);
    assert!(full.code == 1 && full.err.contains("The working directory already contains files"), "{}", full.err);
    let none = program.call(&["-chdir=new/sub/..", "init", "-from-module=../none"]);
    assert_eq!(none.code, 1);
}

#[test]
fn events_of_init_are_terraforms() {
    let program =
        Program::with(&[("main.tf", "terraform {\n  backend \"local\" {\n    path = \"a.tfstate\"\n  }\n}\n")]);
    let lines: Vec<Json> =
        program.ok(&["init", "-json"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["type"], "version");
    let codes: Vec<&str> = lines.iter().filter_map(|line| line["message_code"].as_str()).collect();
    let expect = [
        "initializing_backend_message",
        "backend_configured_success_message",
        "initializing_modules_message",
        "initializing_provider_plugin_message",
        "output_init_success_message",
        "output_init_success_cli_message",
    ];
    assert_eq!(codes, expect);
    program.write("main.tf", "terraform {\n  backend \"local\" {\n    path = \"b.tfstate\"\n  }\n}\n");
    let failed = program.call(&["init", "-json"]);
    assert!(failed.code == 1 && failed.out.contains("\"summary\":\"Backend configuration changed\""), "{}", failed.out);
    assert_eq!(program.call(&["init", "-json", "-migrate-state"]).code, 1);
}

#[test]
fn flags_of_init_are_taken() {
    let program = Program::with(&[("main.tf", "terraform {\n  backend \"s3\" {}\n}\n")]);
    program.ok(&[
        "init",
        "-backend=false",
        "-get=false",
        "-lock=false",
        "-lock-timeout=3s",
        "-test-directory=t",
        "-ignore-remote-version",
        "-plugin-dir=x",
        "-input=true",
    ]);
    assert!(!program.has(".terraform/terraform.tfstate"));
    program.ok(&["validate"]);
    assert_eq!(program.call(&["init", "-migrate-state", "-reconfigure"]).code, 1);
}

#[test]
fn a_project_is_initialised_as_ever() {
    let program = Program::with(&[
        ("infra.hcl", "project { name = \"p\" }\nlayer \"one\" {\n  source = \"one\"\n}\n"),
        ("one/main.tf", PROVIDERS),
    ]);
    let out = program.ok(&["init"]);
    assert!(
        out.contains("Project p · environment default · 1 layers") && out.contains("State can be reached."),
        "{out}"
    );
    assert!(program.has(".terraform.lock.hcl") && program.path(".terraform").is_dir());
    program.ok(&["plan"]);
}
