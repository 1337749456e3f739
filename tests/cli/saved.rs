//! Saved plans: what they carry, when they are carried out, and what is said then.

use serde_json::Value as Json;

use super::program::{Answer, Program};

const VARIABLES: &str = r#"
variable "name" {}
variable "size" { default = 1 }
variable "hidden" {
  default   = "h"
  sensitive = true
}
variable "token" {
  ephemeral = true
}
variable "spare" {
  ephemeral = true
  default   = ""
}
resource "terraform_data" "a" {
  input = "${var.name} ${var.size} ${var.hidden}"
  provisioner "local-exec" {
    command     = "printf %s \"$T$S\" > told"
    environment = { T = jsonencode(var.token), S = var.spare }
  }
}
"#;

fn lines(out: &str) -> Vec<Json> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The types of the lines, in their order, and the address that each is about.
fn told(out: &str) -> Vec<String> {
    let one = |line: Json| {
        let resource = [&line["change"]["resource"]["addr"], &line["hook"]["resource"]["addr"]];
        let about: String = resource.iter().filter_map(|addr| addr.as_str()).collect();
        format!("{} {about}", line["type"].as_str().unwrap()).trim_end().to_owned()
    };
    lines(out).into_iter().map(one).collect()
}

fn refused(answer: &Answer, expect: &str) {
    assert!(
        answer.code == 1 && answer.err.contains(expect),
        "{expect}: {}\n{}\n{}",
        answer.code,
        answer.out,
        answer.err
    );
}

#[test]
fn ephemeral_values_are_in_no_plan_whatever_they_came_from() {
    let object = "{\n  first = [\"s3cret-1\"]\n  # s3cret-2\n  second = \"s3cret-3\"\n}";
    let heredoc = "<<X\ns3cret-4\n  s3cret-5\nX";
    let files: [(&str, &str, &[&str]); 7] = [
        ("x.tfvars", "name  = \"n\"\ntoken = \"s3cret\"\n", &["-var-file=x.tfvars"]),
        ("x.tfvars", &format!("token = {object}\nname = \"n\"\n"), &["-var-file=x.tfvars"]),
        ("values", &format!("token = {heredoc}\nname = \"n\"\n"), &["-var-file=values"]),
        ("x.tfvars.json", "{\"token\": {\"a\": \"s3cret\"}, \"name\": \"n\"}", &["-var-file=x.tfvars.json"]),
        ("terraform.tfvars", "token = \"s3cret\"\nname = \"n\"\n", &[]),
        ("more.auto.tfvars", "\u{feff}token = \"s3cret\" # s\nname = \"n\"\n", &[]),
        ("terraform.tfvars.json", "{\"token\": \"s3cret\", \"name\": \"n\"}", &[]),
    ];
    for (path, text, arguments) in files {
        let program = Program::with(&[("main.tf", VARIABLES), (path, text)]);
        program.ok(&[&["plan", "-out=p"], arguments].concat());
        let plan = std::fs::read_to_string(program.path("p")).unwrap();
        let values: Vec<&str> = plan.matches("s3cret").collect();
        assert_eq!(values.len(), 0, "{path}: {plan}");
        // What is given in the same way is there again.
        program.ok(&[&["apply"], arguments, &["p"]].concat());
        assert!(std::fs::read_to_string(program.path("told")).unwrap().contains("s3cret"), "{path}");
    }
    let program = Program::with(&[("main.tf", VARIABLES)]).env("TF_VAR_token", "s3cret");
    program.ok(&["plan", "-out=p", "-var=name=n", "-var=spare=s3cret"]);
    assert!(!std::fs::read_to_string(program.path("p")).unwrap().contains("s3cret"));
    program.ok(&["apply", "-var=spare=more", "p"]);
    assert_eq!(std::fs::read_to_string(program.path("told")).unwrap(), "\"s3cret\"more");
}

#[test]
fn values_that_are_given_again_are_the_planned_ones_or_refused() {
    let program = Program::with(&[
        ("main.tf", VARIABLES),
        ("x.tfvars", "name  = \"n\"\ntoken = \"abc\"\n"),
        ("token.tfvars", "token = \"abc\"\n"),
        ("other.tfvars", "token = \"abc\"\nname = \"other\"\n"),
        ("more.tfvars", "token = \"abc\"\nzzz = 1\n"),
    ]);
    program.ok(&["plan", "-out=p", "-var-file=x.tfvars"]);
    let apply = |arguments: &[&str]| program.call(&[&["apply", "-no-color"], arguments, &["p"]].concat());
    refused(&apply(&[]), "The ephemeral input variable \"token\" was set during the plan phase, and so must");
    refused(&apply(&["-var-file=other.tfvars"]), "Can't change variable when applying a saved plan");
    let by_file = apply(&["-var-file=other.tfvars"]).err;
    assert!(by_file.contains("specifies \"n\"") && by_file.contains("on other.tfvars line 2"), "{by_file}");
    let changed = "Can't change variable when applying a saved plan";
    for value in ["name=other", "size=2", "hidden=no"] {
        let answer = apply(&["-var=token=abc", &format!("-var={value}")]);
        refused(&answer, changed);
        assert!(answer.err.contains("was set by a CLI argument") && !answer.err.contains("\"no\""), "{}", answer.err);
    }
    refused(&apply(&["-var=token=abc", "-var=zzz=1"]), "Value for undeclared variable");
    refused(&apply(&["-var=token=abc", "-var=spare=x"]), "Ephemeral variable was not set during planning");
    refused(&apply(&["-var-file=none.tfvars"]), "Failed to read variables file");
    // Each of these would do: the last one does.
    for good in [
        &["-var-file=x.tfvars"][..],
        &["-var-file=token.tfvars"],
        &["-var=token=new"],
        &["-var=token=new", "-var=name=n", "-var=size=1", "-var=hidden=h"],
    ] {
        std::fs::remove_file(program.path("terraform.tfstate")).unwrap_or_default();
        let answer = apply(good);
        assert!(answer.code == 0 && !answer.out.contains("Warning"), "{good:?}: {}\n{}", answer.out, answer.err);
    }
    std::fs::remove_file(program.path("terraform.tfstate")).unwrap();
    let answer = apply(&["-var-file=more.tfvars"]);
    assert!(answer.code == 0 && answer.out.contains("Value for undeclared variable"), "{}", answer.out);
    std::fs::remove_file(program.path("terraform.tfstate")).unwrap();
    let program = program.env("TF_VAR_name", "other");
    let answer = program.call(&["apply", "-no-color", "-var=token=new", "p"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(answer.out.contains("Warning: Ignoring variable when applying a saved plan"), "{}", answer.out);
    assert!(program.ok(&["state", "pull"]).contains("\"n 1 h\""));
}

#[test]
fn a_plan_that_fails_is_saved_and_never_applied() {
    let protected = "variable \"t\" { default = \"a\" }\nresource \"terraform_data\" \"keep\" {\n  triggers_replace = var.t\n  \
                     lifecycle {\n    prevent_destroy = true\n  }\n}\nresource \"terraform_data\" \"other\" { input = var.t }\n\
                     output \"o\" { value = var.t }\n";
    let program = Program::with(&[("main.tf", protected)]);
    program.ok(&["apply", "-auto-approve"]);
    let answer = program.call(&["plan", "-no-color", "-out=p", "-var=t=b"]);
    refused(&answer, "Instance cannot be destroyed");
    assert!(answer.out.contains("but then encountered a problem:"), "{}", answer.out);
    assert!(answer.out.contains("Plan: 1 to add, 1 to change, 1 to destroy."), "{}", answer.out);
    assert!(!answer.out.contains("To perform exactly these actions"), "{}", answer.out);
    let document: Json = serde_json::from_str(&program.ok(&["show", "-json", "p"])).unwrap();
    let flags = ["errored", "applyable", "complete"].map(|name| document[name].as_bool().unwrap());
    assert_eq!(flags, [true, false, false]);
    let actions = |document: &Json| -> Vec<String> {
        let changes = document["resource_changes"].as_array().into_iter().flatten();
        changes.map(|change| format!("{} {}", change["address"], change["change"]["actions"])).collect()
    };
    assert_eq!(
        actions(&document),
        ["\"terraform_data.keep\" [\"delete\",\"create\"]", "\"terraform_data.other\" [\"update\"]"]
    );
    assert!(program.ok(&["show", "-no-color", "p"]).contains("but then encountered a problem:"));
    refused(&program.call(&["apply", "p"]), "Cannot apply incomplete plan");
    assert!(program.ok(&["show"]).contains("\"a\""), "nothing was done");
    let stream = program.call(&["plan", "-json", "-var=t=b"]).out;
    let expect = ["planned_change terraform_data.keep", "planned_change terraform_data.other", "change_summary"];
    let told = told(&stream);
    assert!(expect.iter().all(|line| told.iter().any(|told| told == line)), "{told:?}");
    assert_eq!(told.last().unwrap(), "diagnostic");
    refused(&program.call(&["plan", "-destroy", "-out=d"]), "Instance cannot be destroyed");
    refused(&program.call(&["apply", "d"]), "Cannot apply incomplete plan");
}

#[test]
fn what_could_be_planned_beside_an_error_is_what_terraform_keeps() {
    let variable = "variable \"t\" { default = \"b\" }\n";
    let rule = |kind: &str, condition: &str| {
        format!("lifecycle {{\n{kind} {{\ncondition = {condition}\nerror_message = \"no\"\n}}\n}}")
    };
    let of = |inner: &str| {
        format!(
            "{variable}resource \"terraform_data\" \"a\" {{}}\nresource \"terraform_data\" \"b\" {{\ninput = var.t\n{inner}\n}}\n"
        )
    };
    let saved: [(&str, &[&str]); 5] = [
        (&of(&rule("precondition", "var.t == \"a\"")), &["terraform_data.a"]),
        (&of(&rule("postcondition", "self.input == \"a\"")), &["terraform_data.a", "terraform_data.b"]),
        (&of("triggers_replace = tonumber(var.t)"), &["terraform_data.a"]),
        (
            "resource \"terraform_data\" \"a\" {}\ndata \"terraform_remote_state\" \"x\" {\nbackend = \"local\"\nconfig = { path = \"none\" }\n}\n",
            &["terraform_data.a"],
        ),
        (
            "variable \"t\" {\ndefault = \"b\"\nvalidation {\ncondition = var.t == \"a\"\nerror_message = \"no\"\n}\n}\nresource \"terraform_data\" \"a\" {}\n",
            &["terraform_data.a"],
        ),
    ];
    for (text, expect) in saved {
        let program = Program::with(&[("main.tf", text)]);
        assert_eq!(program.call(&["plan", "-out=p"]).code, 1, "{text}");
        let document: Json = serde_json::from_str(&program.ok(&["show", "-json", "p"])).unwrap();
        let changes = document["resource_changes"].as_array().into_iter().flatten();
        let addresses: Vec<&str> = changes.map(|change| change["address"].as_str().unwrap()).collect();
        assert_eq!(addresses, expect, "{text}");
        assert_eq!(document["errored"], true, "{text}");
    }
    // What is wrong before anything is planned leaves no file.
    for text in [
        "resource \"terraform_data\" \"a\" {\n  zzz = 1\n}\n",
        "resource \"terraform_data\" \"a\" {\n  input = nope.x\n}\n",
        "variable \"t\" {}\nresource \"terraform_data\" \"a\" {\n  input = var.t\n}\n",
        "import {\n  to = terraform_data.a\n  id = \"\"\n}\nresource \"terraform_data\" \"a\" {}\n",
    ] {
        let program = Program::with(&[("main.tf", text)]);
        let answer = program.call(&["plan", "-out=p"]);
        assert!(answer.code == 1 && answer.out.trim().is_empty(), "{text}: {}", answer.out);
        assert!(!program.has("p"), "{text}");
    }
}

#[test]
fn carrying_out_a_saved_plan_reads_nothing_again() {
    let main = "resource \"local_file\" \"f\" {\n  filename = \"f.txt\"\n  content  = \"one\"\n}\n\
                resource \"local_file\" \"g\" {\n  filename = \"g.txt\"\n  content  = \"one\"\n}\n\
                data \"terraform_remote_state\" \"d\" {\n  backend = \"local\"\n  config  = { path = \"s.tfstate\" }\n}\n\
                resource \"terraform_data\" \"uses\" { input = data.terraform_remote_state.d.outputs.v }\n";
    let outputs = |value: &str| {
        format!(
            "{{\"version\":4,\"terraform_version\":\"1.11.4\",\"serial\":1,\"lineage\":\"l\",\"outputs\":{{\"v\":{{\"value\":\"{value}\",\
             \"type\":\"string\",\"sensitive\":true}}}},\"resources\":[],\"check_results\":null}}"
        )
    };
    let program = Program::with(&[("main.tf", main), ("s.tfstate", &outputs("first"))]);
    program.ok(&["apply", "-auto-approve"]);
    // One object is gone when the plan is made and back when it is applied; the other way round with the other one.
    std::fs::remove_file(program.path("f.txt")).unwrap();
    program.write("s.tfstate", &outputs("second"));
    let plan = program.ok(&["plan", "-no-color", "-out=p"]);
    assert!(plan.contains("Plan: 1 to add, 1 to change, 0 to destroy."), "{plan}");
    program.write("f.txt", "one");
    std::fs::remove_file(program.path("g.txt")).unwrap();
    program.write("s.tfstate", &outputs("third"));
    let out = program.ok(&["apply", "-no-color", "p"]);
    assert!(out.contains("Apply complete! Resources: 1 added, 1 changed, 0 destroyed."), "{out}");
    assert!(!out.contains("Refreshing state") && !out.contains("Reading..."), "{out}");
    let state: Json = serde_json::from_str(&program.ok(&["state", "pull"])).unwrap();
    let input = |name: &str| {
        let all = state["resources"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap()["instances"][0].clone()
    };
    assert_eq!(input("uses")["attributes"]["input"]["value"], "second");
    assert_eq!(input("d")["attributes"]["outputs"]["value"]["v"], "second");
    assert!(program.ok(&["plan"]).contains("1 to add, 1 to change"), "what came later is seen by the next plan");
}

#[test]
fn a_saved_plan_tells_machines_what_it_does_and_a_refresh_what_it_reads() {
    let main = "variable \"t\" { default = \"a\" }\nresource \"terraform_data\" \"a\" { input = var.t }\n\
                resource \"terraform_data\" \"b\" { input = 1 }\noutput \"o\" { value = var.t }\n";
    let program = Program::with(&[("main.tf", main)]);
    program.ok(&["apply", "-auto-approve"]);
    program.ok(&["plan", "-out=p", "-var=t=b"]);
    // The lines of terraform 1.11.4 for the same folder.
    assert_eq!(
        told(&program.ok(&["apply", "-json", "p"])),
        [
            "version",
            "planned_change terraform_data.a",
            "apply_start terraform_data.a",
            "apply_complete terraform_data.a",
            "change_summary",
            "outputs"
        ]
    );
    program.ok(&["plan", "-out=p", "-var=t=b"]);
    assert_eq!(told(&program.ok(&["apply", "-json", "p"])), ["version", "change_summary", "outputs"]);
    for command in [&["refresh", "-json"][..], &["plan", "-json"], &["apply", "-json", "-auto-approve"]] {
        let out = program.ok(command);
        let told = told(&out);
        for addr in ["terraform_data.a", "terraform_data.b"] {
            for kind in ["refresh_start", "refresh_complete"] {
                assert!(told.contains(&format!("{kind} {addr}")), "{command:?}: {told:?}");
            }
        }
        let line = lines(&out).into_iter().find(|line| line["type"] == "refresh_start").unwrap();
        let id = line["hook"]["id_value"].as_str().unwrap();
        assert_eq!(line["@message"], format!("terraform_data.a: Refreshing state... [id={id}]"));
        assert_eq!(line["hook"]["id_key"], "id");
    }
    assert!(!program.ok(&["plan", "-json", "-refresh=false"]).contains("refresh_start"));
}

#[test]
fn ids_that_are_secret_are_not_told() {
    let main = "resource \"terraform_data\" \"a\" {}\n";
    let program = Program::with(&[("main.tf", main)]);
    program.ok(&["apply", "-auto-approve"]);
    let state = program.ok(&["state", "pull"]);
    let id: Json = serde_json::from_str(&state).unwrap();
    let id = id["resources"][0]["instances"][0]["attributes"]["id"].as_str().unwrap().to_owned();
    let hidden = "\"sensitive_attributes\":[[{\"type\":\"get_attr\",\"value\":\"id\"}]]";
    let state: Json = serde_json::from_str(&state).unwrap();
    program.write("terraform.tfstate", &state.to_string().replace("\"sensitive_attributes\":[]", hidden));
    let out = program.ok(&["refresh", "-json"]);
    assert!(out.contains("refresh_start") && !out.contains(&id), "{out}");
}

#[test]
fn a_saved_plan_belongs_to_its_workspace() {
    let program = Program::with(&[("main.tf", "resource \"terraform_data\" \"a\" {}\n")]);
    program.ok(&["workspace", "new", "blue"]);
    program.ok(&["plan", "-out=p"]);
    program.ok(&["workspace", "select", "default"]);
    let answer = program.call(&["apply", "-no-color", "p"]);
    refused(&answer, "Saved plan belongs to another workspace");
    assert!(answer.err.contains("infra workspace select blue"), "{}", answer.err);
    program.ok(&["plan", "-out=q"]);
    program.ok(&["workspace", "select", "blue"]);
    refused(&program.call(&["apply", "q"]), "Saved plan belongs to another workspace");
    program.ok(&["apply", "p"]);
    assert!(program.has("terraform.tfstate.d/blue/terraform.tfstate") && !program.has("terraform.tfstate"));
}

#[test]
fn a_saved_plan_belongs_to_its_environment() {
    let project = "project { name = \"p\" }\nenvironment \"dev\" {\n  state = \"local\"\n}\nenvironment \"test\" {\n  state = \"local\"\n}\nlayer \"a\" {\n  source = \"./a\"\n}\n";
    let program = Program::with(&[("infra.hcl", project), ("a/main.tf", "resource \"terraform_data\" \"a\" {}\n")]);
    program.ok(&["plan", "-env", "dev", "-out=p"]);
    refused(&program.call(&["apply", "-env", "test", "p"]), "Saved plan belongs to another environment");
    let other = program.env("TF_WORKSPACE", "test");
    refused(&other.call(&["apply", "p"]), "Saved plan belongs to another environment");
    let same = other.env("TF_WORKSPACE", "dev");
    same.ok(&["apply", "-env", "dev", "p"]);
}

#[test]
fn objects_that_are_forgotten_are_told_by_the_plan_alone() {
    let program = Program::with(&[("main.tf", "resource \"terraform_data\" \"a\" {}\n")]);
    program.ok(&["apply", "-auto-approve"]);
    program.write("main.tf", "removed {\n  from = terraform_data.a\n  lifecycle {\n    destroy = false\n  }\n}\n");
    let warning = "will no longer be managed by infra";
    let plan = program.call(&["plan", "-out=p"]);
    assert!(plan.err.contains(warning) || plan.out.contains(warning), "{}", plan.err);
    let answer = program.call(&["apply", "p"]);
    assert!(answer.code == 0 && !answer.err.contains(warning) && !answer.out.contains(warning), "{}", answer.err);
}

#[test]
fn an_output_that_stays_unknown_is_no_change_of_a_refresh() {
    let program = Program::with(&[("main.tf", "resource \"terraform_data\" \"a\" {}\noutput \"x\" { value = 1 }\n")]);
    program.ok(&["apply", "-auto-approve"]);
    program.write(
        "main.tf",
        "resource \"terraform_data\" \"a\" {}\nresource \"terraform_data\" \"b\" {}\noutput \"o\" { value = terraform_data.b.id }\n\
         output \"l\" { value = [terraform_data.b.id, 1] }\noutput \"x\" { value = 1 }\n",
    );
    let plan = |more: &[&str]| program.call(&[&["plan", "-detailed-exitcode"], more].concat()).code;
    assert_eq!(plan(&["-refresh-only"]), 0);
    program.ok(&["plan", "-refresh-only", "-out=p"]);
    let document: Json = serde_json::from_str(&program.ok(&["show", "-json", "p"])).unwrap();
    assert_eq!(document["applyable"], false);
    assert_eq!(plan(&[]), 2);
    program.write("main.tf", "resource \"terraform_data\" \"a\" {}\noutput \"x\" { value = 2 }\n");
    assert_eq!(plan(&["-refresh-only"]), 2, "one that is known is one");
}
