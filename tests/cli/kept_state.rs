//! State is never lost to its own reader: deep and odd values, states of newer programs and providers, and arguments that would
//! name another state than the one that is meant.

use serde_json::Value as Json;

use super::bad_input::fails;
use super::program::Program;

/// A value of so many levels, in pieces: no expression of one piece nests as deep.
fn deep(levels: usize) -> String {
    const PIECE: usize = 150;
    let mut text = String::from("locals {\n  l0 = 1\n");
    let mut made = 0;
    let mut count = 0;
    while made < levels {
        let piece = PIECE.min(levels - made);
        text += &format!("  l{} = {}local.l{count}{}\n", count + 1, "[".repeat(piece), "]".repeat(piece));
        made += piece;
        count += 1;
    }
    text + &format!(
        "}}\nresource \"terraform_data\" \"a\" {{\n  input = local.l{count}\n}}\noutput \"o\" {{\n  value = local.l{count}\n}}\n"
    )
}

#[test]
fn deep_values_are_read_again_by_every_command() {
    for levels in [70, 450, 900] {
        let program = Program::with(&[("main.tf", &deep(levels))]);
        program.ok(&["plan", "-out=p"]);
        program.ok(&["apply", "p"]);
        assert_eq!(program.ok(&["state", "list"]), "terraform_data.a\n", "{levels}");
        assert!(program.ok(&["plan"]).contains("No changes."), "{levels}");
        assert!(program.ok(&["output", "-json", "o"]).contains(&"[".repeat(3)), "{levels}");
        assert!(program.ok(&["output", "-json"]).contains("\"tuple\""), "{levels}");
        program.ok(&["show"]);
        program.ok(&["show", "-json"]);
        program.ok(&["state", "mv", "terraform_data.a", "terraform_data.b"]);
        program.ok(&["state", "mv", "terraform_data.b", "terraform_data.a"]);
        program.ok(&["destroy", "-auto-approve"]);
    }
}

#[test]
fn what_could_not_be_read_is_refused_before_anything_is_made() {
    for (what, part) in [
        (deep(1100), "Value nested too deeply"),
        (
            "resource \"terraform_data\" \"a\" {\n  input = 1 / 0\n}\n".to_owned(),
            "terraform_data.a: input: an infinite value",
        ),
        ("output \"o\" {\n  value = [pow(10, 1000000)]\n}\n".to_owned(), "output \"o\": [0]: an infinite value"),
    ] {
        let program = Program::with(&[("main.tf", &what)]);
        fails(&program, &["plan"], &[part]);
        fails(&program, &["apply", "-auto-approve"], &[part]);
        assert!(!program.has("terraform.tfstate"), "{part}");
    }
}

const TWO: &str =
    "resource \"terraform_data\" \"t\" {\n  input = 1\n}\nresource \"terraform_data\" \"u\" {\n  input = 1\n}\n";

/// A state as a newer program and a newer provider leave it.
fn newer() -> Program {
    let program = Program::with(&[("main.tf", TWO)]);
    program.ok(&["apply", "-auto-approve"]);
    edit(&program, |state| {
        state["terraform_version"] = "9.16.2".into();
        state["top"] = serde_json::json!({"a": [1, {"b": null}]});
        for resource in state["resources"].as_array_mut().unwrap() {
            resource["beside"] = 7.into();
            let instance = &mut resource["instances"][0];
            instance["attributes"]["store"] = Json::Null;
            instance["attributes"]["added_later"] = serde_json::json!({"v": [1]});
            instance["unheard"] = "of".into();
            instance["depends_on"] = serde_json::json!(["terraform_data.t"]);
            instance["identity"] = serde_json::json!({"q": 1});
            instance["identity_schema_version"] = 3.into();
        }
    });
    program
}

fn state(program: &Program) -> Json {
    serde_json::from_slice(&std::fs::read(program.path("terraform.tfstate")).unwrap()).unwrap()
}

fn edit(program: &Program, f: impl FnOnce(&mut Json)) {
    let mut state = state(program);
    f(&mut state);
    state["serial"] = (state["serial"].as_u64().unwrap() + 1).into();
    program.write("terraform.tfstate", &state.to_string());
}

/// What this program does not know is still there.
#[track_caller]
fn is_kept(program: &Program, resources: usize) {
    let state = state(program);
    assert_eq!(state["top"], serde_json::json!({"a": [1, {"b": null}]}));
    let all = state["resources"].as_array().unwrap();
    assert_eq!(all.len(), resources);
    for resource in all {
        assert_eq!(resource["beside"], 7, "{resource}");
        let instance = &resource["instances"][0];
        assert_eq!(instance["unheard"], "of", "{instance}");
        assert_eq!(instance["depends_on"], serde_json::json!(["terraform_data.t"]), "{instance}");
        assert_eq!(instance["identity"], serde_json::json!({"q": 1}), "{instance}");
        assert_eq!(instance["identity_schema_version"], 3, "{instance}");
    }
}

#[test]
fn states_of_newer_programs_open_and_keep_what_is_not_known() {
    let program = newer();
    assert!(program.ok(&["plan"]).contains("No changes."));
    program.ok(&["show"]);
    program.ok(&["state", "show", "terraform_data.t"]);
    program.ok(&["apply", "-auto-approve"]);
    is_kept(&program, 2);
    program.write("main.tf", &TWO.replace('1', "2"));
    assert!(program.ok(&["apply", "-auto-approve"]).contains("2 changed"));
    is_kept(&program, 2);
    program.ok(&["refresh"]);
    program.ok(&["taint", "terraform_data.u"]);
    program.ok(&["untaint", "terraform_data.u"]);
    is_kept(&program, 2);
    program.ok(&["state", "mv", "terraform_data.u", "terraform_data.v"]);
    is_kept(&program, 2);
    program.ok(&["state", "rm", "terraform_data.v"]);
    is_kept(&program, 1);
    program.ok(&["import", "terraform_data.u", "x"]);
    let state = state(&program);
    assert_eq!(state["resources"][0]["beside"], 7);
    assert_eq!(state["resources"][1]["instances"][0].get("unheard"), None);
}

#[test]
fn an_object_of_a_newer_schema_names_what_to_upgrade() {
    let program = newer();
    edit(&program, |state| state["resources"][0]["instances"][0]["schema_version"] = 5.into());
    let parts = [
        "Error: Resource instance managed by newer provider version",
        "The current state of terraform_data.t was created by",
    ];
    let before = std::fs::read(program.path("terraform.tfstate")).unwrap();
    fails(&program, &["plan"], &parts);
    fails(&program, &["apply", "-auto-approve"], &["Upgrade the terraform provider"]);
    assert_eq!(std::fs::read(program.path("terraform.tfstate")).unwrap(), before);
}

#[test]
fn arguments_that_a_backend_lacks_are_refused() {
    let check = |kind: &str, argument: &str, parts: &[&str]| {
        let text = format!("terraform {{\n  backend \"{kind}\" {{\n    {argument}\n  }}\n}}\n");
        fails(&Program::with(&[("main.tf", &text)]), &["plan"], parts);
    };
    let missing = |name: &str| format!("An argument named \"{name}\" is not expected here.");
    check("local", "pathh = \"x\"", &["Error: Unsupported argument", "Did you mean \"path\"?"]);
    check("s3", "buckt = \"x\"", &["Error: Unsupported argument", "Did you mean \"bucket\"?"]);
    for kind in ["azurerm", "consul", "cos", "gcs", "http", "inmem", "kubernetes", "oss", "pg", "remote"] {
        check(kind, "zzz = \"x\"", &["Error: Unsupported argument", &missing("zzz")]);
    }
    check("gcs", "buckt = \"x\"", &["Did you mean \"bucket\"?"]);
    check("gcs", "bucket = \"x\"", &["Error: Not supported yet", "\"gcs\""]);
    check("remote", "workspaces { name = \"x\" }", &["Error: Not supported yet", "\"remote\""]);
    check("nosuch", "", &["Error: Unsupported backend type", "There is no backend type named \"nosuch\"."]);
    check("etcd", "", &["The \"etcd\" backend is not supported in Terraform v1.3 or later."]);
    check("cloud", "", &["declare a 'cloud' block instead"]);

    let program =
        Program::with(&[("main.tf", "terraform {\n  backend \"local\" {}\n}\n"), ("b.tfbackend", "pathh = \"x\"\n")]);
    let parts = [
        "Error: Invalid backend configuration argument",
        "\"pathh\" given on the command line",
        "Did you mean \"path\"?",
    ];
    fails(&program, &["init", "-backend-config=pathh=x"], &parts);
    fails(
        &program,
        &["init", "-backend-config=b.tfbackend"],
        &["Error: Unsupported argument", "Did you mean \"path\"?"],
    );
}

#[test]
fn arguments_of_remote_state_are_looked_at_before_it_is_read() {
    let check = |arguments: &str, parts: &[&str]| {
        let text = format!(
            "output \"own\" {{ value = \"mine\" }}\ndata \"terraform_remote_state\" \"r\" {{\n{arguments}\n}}\n"
        );
        let program = Program::with(&[("main.tf", &text)]);
        let parts = [&["Error: Invalid backend configuration", "terraform_remote_state"], parts].concat();
        fails(&program, &["validate"], &parts);
        fails(&program, &["plan"], &parts);
    };
    let local = "The given configuration is not valid for backend \"local\": ";
    check(
        "backend = \"local\"\nconfig = { pathh = \"x\" }",
        &[local, "unexpected attribute \"pathh\". Did you mean \"path\"?"],
    );
    check("backend = \"local\"\nconfig = { path = [\"x\"] }", &[local, ".path: string required."]);
    check("backend = \"local\"\nconfig = \"x\"", &[local, "an object is required."]);
    check("backend = \"s3\"\nconfig = { bukket = \"x\", key = \"k\" }", &["Did you mean \"bucket\"?"]);
    check("backend = \"gcs\"\nconfig = { bukket = \"x\" }", &["Did you mean \"bucket\"?"]);
    check("backend = \"nosuch\"", &["There is no backend type named \"nosuch\"."]);
}

#[test]
fn the_case_of_a_source_address_does_not_matter() {
    let text = "terraform {\n  required_providers {\n    random = { source = \"HashiCorp/Random\" }\n  }\n}\nresource \"random_pet\" \"p\" {}\n";
    let program = Program::with(&[("main.tf", text)]);
    program.ok(&["apply", "-auto-approve"]);
    let provider = || state(&program)["resources"][0]["provider"].as_str().unwrap().to_owned();
    assert_eq!(provider(), "provider[\"registry.terraform.io/hashicorp/random\"]");
    edit(&program, |state| {
        state["resources"][0]["provider"] = "provider[\"registry.terraform.io/HashiCorp/Random\"]".into();
    });
    assert!(program.ok(&["plan"]).contains("No changes."));
    let moved = program.ok(&[
        "state",
        "replace-provider",
        "-auto-approve",
        "HASHICORP/random",
        "registry.opentofu.org/Hashicorp/RANDOM",
    ]);
    assert!(moved.contains("Successfully replaced provider for 1 resources."), "{moved}");
    assert_eq!(provider(), "provider[\"registry.opentofu.org/hashicorp/random\"]");
}

#[test]
fn a_wrong_workspace_can_be_left() {
    let program = Program::with(&[("main.tf", TWO), (".terraform/environment", "a/b")]);
    let parts = ["Error: Invalid workspace name", "\"a/b\" is not allowed", "infra workspace select default"];
    fails(&program, &["plan"], &parts);
    assert_eq!(program.ok(&["workspace", "show"]), "a/b\n");
    program.ok(&["workspace", "list"]);
    fails(&program, &["workspace", "new", "a,b"], &["The workspace name \"a,b\" is not allowed."]);
    assert!(program.ok(&["workspace", "select", "default"]).contains("Switched to workspace \"default\"."));
    program.ok(&["plan"]);
    program.ok(&["workspace", "new", "a$b"]);
    program.ok(&["workspace", "select", "default"]);
    let program = program.env("TF_WORKSPACE", "a/b");
    fails(&program, &["plan"], &["Error: Invalid workspace name set using TF_WORKSPACE"]);
}
