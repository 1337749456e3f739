//! Whole commands in a folder of configuration without a project file.

use serde_json::Value as Json;

use super::program::{Program, names, without_ids};

const SMALL: &str = r#"
variable "password" {
  default   = "hunter2"
  sensitive = true
}
resource "terraform_data" "a" {
  input = "one"
}
resource "terraform_data" "b" {
  count            = 2
  triggers_replace = terraform_data.a.id
}
output "name" {
  value = terraform_data.a.output
}
output "password" {
  value     = var.password
  sensitive = true
}
"#;

#[test]
fn a_folder_lives_from_plan_to_destroy() {
    let program = Program::with(&[("main.tf", SMALL)]);
    assert!(program.ok(&["init", "-input=false"]).contains("infra has been successfully initialized!"));
    assert!(program.ok(&["validate"]).contains("The configuration is valid."));
    assert_eq!(program.call(&["plan", "-detailed-exitcode", "-out=p"]).code, 2);
    assert!(!program.has("terraform.tfstate"), "planning writes no state");
    let shown = program.ok(&["show", "-no-color", "p"]);
    assert!(shown.contains("Plan: 3 to add, 0 to change, 0 to destroy."), "{shown}");
    let json: Json = serde_json::from_str(&program.ok(&["show", "-json", "p"])).unwrap();
    assert_eq!((&json["format_version"], &json["timestamp"]), (&"1.2".into(), &"2026-01-02T03:04:05Z".into()));
    assert_eq!(json["resource_changes"].as_array().unwrap().len(), 3);

    let applied = program.ok(&["apply", "-input=false", "p"]);
    assert!(applied.contains("Apply complete! Resources: 3 added, 0 changed, 0 destroyed."), "{applied}");
    assert!(applied.contains("\nOutputs:\n\nname = \"one\"\npassword = <sensitive>\n"), "{applied}");
    let stale = program.call(&["apply", "p"]);
    assert_eq!(stale.code, 1);
    assert!(stale.err.contains("Saved plan is stale"), "{}", stale.err);

    let again = program.call(&["plan", "-detailed-exitcode"]);
    assert_eq!(again.code, 0);
    assert!(again.out.contains("No changes. Your infrastructure matches the configuration."), "{}", again.out);
    assert_eq!(program.ok(&["state", "list"]), "terraform_data.a\nterraform_data.b[0]\nterraform_data.b[1]\n");
    assert_eq!(program.ok(&["state", "list", "terraform_data.b"]), "terraform_data.b[0]\nterraform_data.b[1]\n");
    insta::assert_snapshot!(without_ids(&program.ok(&["state", "show", "terraform_data.a"])), @r#"
    # terraform_data.a:
    resource "terraform_data" "a" {
        id     = "00000000-0000-0000-0000-000000000000"
        input  = "one"
        output = "one"
    }
    "#);
    assert_eq!(program.call(&["state", "show", "terraform_data.b"]).code, 1, "two instances");
    assert_eq!(program.ok(&["output", "-raw", "name"]), "one");
    assert_eq!(program.ok(&["output", "-raw", "password"]), "hunter2");
    let outputs: Json = serde_json::from_str(&program.ok(&["output", "-json"])).unwrap();
    assert_eq!(outputs["name"]["value"], "one");
    let state: Json = serde_json::from_str(&program.ok(&["show", "-json"])).unwrap();
    assert_eq!(state["values"]["root_module"]["resources"][2]["index"], 1);
    let pulled: Json = serde_json::from_str(&program.ok(&["state", "pull"])).unwrap();
    assert_eq!((&pulled["version"], &pulled["outputs"]["name"]["value"]), (&4.into(), &"one".into()));

    let gone = program.ok(&["destroy", "-auto-approve"]);
    assert!(gone.contains("Destroy complete! Resources: 3 destroyed."), "{gone}");
    assert_eq!(program.ok(&["state", "list"]), "");
    assert_eq!(program.call(&["plan", "-destroy", "-detailed-exitcode"]).code, 0);
}

#[test]
fn an_apply_shows_its_plan_first_and_asks() {
    let program = Program::with(&[("main.tf", SMALL)]);
    let refused = program.call(&["apply"]);
    assert_eq!(refused.code, 1);
    assert!(refused.out.contains("# terraform_data.a will be created"), "{}", refused.out);
    assert!(refused.err.contains("Pass -auto-approve"), "{}", refused.err);
    assert!(program.call(&["state", "list"]).err.contains("No state file was found!"));
    let applied = program.ok(&["apply", "-auto-approve"]);
    let (plan, done) = (applied.find("Plan: 3 to add"), applied.find("Creating..."));
    assert!(plan.is_some() && plan < done, "{applied}");
    let unchanged = program.ok(&["apply"]);
    assert!(
        unchanged.contains("No changes.") && unchanged.contains("Apply complete! Resources: 0 added"),
        "{unchanged}"
    );
}

#[test]
fn events_are_json_lines_when_asked_for() {
    let program = Program::with(&[("main.tf", SMALL)]);
    let out = program.ok(&["apply", "-json", "-auto-approve"]);
    let lines: Vec<Json> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    let count = |kind: &str| kinds.iter().filter(|known| **known == kind).count();
    assert_eq!(kinds[0], "version");
    assert_eq!((count("planned_change"), count("apply_start"), count("apply_complete")), (3, 3, 3), "{kinds:?}");
    assert_eq!((count("change_summary"), kinds.last()), (2, Some(&"outputs")), "{kinds:?}");
    assert!(!out.contains("hunter2"));
    let refused = program.call(&["plan", "-json", "-var", "nothing=1", "-target=terraform_data.x"]);
    assert!(refused.out.lines().all(|line| serde_json::from_str::<Json>(line).is_ok()), "{}", refused.out);
}

#[test]
fn secrets_are_not_shown() {
    let secret = "s3cr3t-value";
    let text = SMALL
        .replace("hunter2", secret)
        .replace("input = \"one\"", "input = \"one\"\n  triggers_replace = var.password");
    let program = Program::with(&[("main.tf", &text)]);
    let mut seen = program.ok(&["plan"]);
    seen += &program.ok(&["apply", "-auto-approve"]);
    program.write("main.tf", &text.replace(secret, &format!("{secret}-2")));
    seen += &program.ok(&["plan"]);
    seen += &program.ok(&["plan", "-json"]);
    seen += &program.ok(&["apply", "-auto-approve", "-json"]);
    seen += &program.ok(&["output"]);
    seen += &program.ok(&["show"]);
    seen += &program.ok(&["state", "show", "terraform_data.a"]);
    assert!(seen.contains("(sensitive value)") && !seen.contains(secret), "{seen}");
}

#[test]
fn mistakes_in_arguments_end_with_one() {
    let program = Program::with(&[]);
    for (args, hint) in [
        (&["plna"][..], "'plan'"),
        (&["plan", "-targett=x"], "'-target'"),
        (&["plan", "-target=a..b"], "a..b"),
        (&["plan", "-lock-timeout=soon"], "soon"),
        (&["plan", "-var", "x"], "assigns nothing"),
        (&["login"], "Not yet"),
        (&["-chdir=nowhere", "plan"], "nowhere"),
        (&["state", "settle", "a.b"], "-exists"),
        (&["show", "nowhere"], "nowhere"),
    ] {
        let answer = program.call(args);
        assert_eq!(answer.code, 1, "{args:?}");
        assert!(answer.err.contains(hint), "{args:?}: {}", answer.err);
    }
    assert_eq!(program.call(&["plan", "-help"]).code, 0);
}

#[test]
fn mistakes_in_configuration_show_the_place() {
    let program = Program::with(&[("main.tf", "variable \"storage\" {}\noutput \"a\" {\n  value = var.storge\n}\n")]);
    let answer = program.call(&["validate"]);
    assert_eq!(answer.code, 1);
    for part in ["  on main.tf line 3, in output \"a\":\n", "   3:   value = var.storge\n", "^^^^", "storage"] {
        assert!(answer.err.contains(part), "{part:?} in\n{}", answer.err);
    }
    let json: Json = serde_json::from_str(&program.call(&["validate", "-json"]).out).unwrap();
    assert_eq!((&json["valid"], &json["format_version"]), (&false.into(), &"1.0".into()));
    assert_eq!(json["diagnostics"][0]["range"]["start"]["line"], 3);
}

#[test]
fn the_environment_adds_flags_and_names() {
    let program = Program::with(&[("in/main.tf", "variable \"x\" {}\noutput \"x\" {\n  value = var.x\n}\n")])
        .env("TF_CLI_ARGS_apply", "-auto-approve -var 'x=from the flags'")
        .env("TF_VAR_x", "from the environment");
    program.ok(&["-chdir=in", "apply"]);
    assert_eq!(program.ok(&["-chdir=in", "output", "-raw", "x"]), "from the flags");
    assert!(names(&program.path("in")).contains(&"terraform.tfstate".to_owned()));
    assert_eq!(program.ok(&["-chdir=in", "workspace", "show"]), "default\n");
}

#[test]
fn the_version_is_terraforms_when_asked_for() {
    assert!(Program::with(&[]).ok(&["version"]).starts_with("infra v"));
    let compatible = Program::with(&[]).env("INFRA_COMPAT", "terraform");
    assert!(compatible.ok(&["version"]).starts_with("Terraform v1.11.4\n"));
    assert!(compatible.ok(&["--version"]).starts_with("Terraform v1.11.4\n"));
}
