//! What programs that drive Terraform do: the command sequences of Atlantis and Digger, in a plain folder and in a project, and the lines
//! that tfcmt and the like look for.

use std::os::unix::fs::symlink;
use std::process::Command;

use regex::Regex;

use super::program::{Answer, Program};

const FOLDER: &str = "resource \"terraform_data\" \"a\" {\n  input = terraform.workspace\n}\noutput \"o\" {\n  value = terraform_data.a.output\n}\n";

fn plain() -> Program {
    Program::with(&[("main.tf", FOLDER)]).env("INFRA_COMPAT", "terraform")
}

fn project() -> Program {
    Program::with(&[
        (
            "infra.hcl",
            "project { name = \"p\" }\nlayer \"one\" {\n  source = \"one\"\n}\nenvironment \"dev\" {}\nenvironment \"prod\" {}\n",
        ),
        ("one/main.tf", FOLDER),
        // Beside the project file it is nobody's.
        ("leftover.tf", "output \"leftover\" { value = 1 }\n"),
    ])
    .env("INFRA_COMPAT", "terraform")
}

/// Which workspace is chosen, another one if it is not the wanted one, a new one where it is not there.
fn atlantis_chooses(program: &Program, workspace: &str) {
    if program.ok(&["workspace", "show"]).contains(workspace) {
        return;
    }
    if program.call(&["workspace", "select", workspace]).code != 0 {
        program.ok(&["workspace", "new", workspace]);
    }
}

fn atlantis(program: &Program, workspace: &str) {
    program.ok(&["init", "-input=false", "-upgrade"]);
    atlantis_chooses(program, workspace);
    let file = format!("p-{workspace}.tfplan");
    let plan = program.ok(&["plan", "-input=false", "-refresh", "-out", &file]);
    assert!(plan.contains("\nPlan: 1 to add, 0 to change, 0 to destroy.\n"), "{plan}");
    let shown = program.ok(&["show", "-json", &file]);
    assert!(serde_json::from_str::<serde_json::Value>(&shown).unwrap()["resource_changes"].is_array());
    atlantis_chooses(program, workspace);
    let applied = program.ok(&["apply", "-input=false", &file]);
    assert!(applied.contains("\nApply complete! Resources: 1 added, 0 changed, 0 destroyed.\n"), "{applied}");
    assert!(applied.contains(&format!("\"{workspace}\"")), "{applied}");
}

fn digger(program: &Program, workspace: &str) {
    program.ok(&["init", "-input=false", "-no-color"]);
    let listed = program.ok(&["workspace", "list"]);
    let command = if listed.contains(workspace) { "select" } else { "new" };
    program.ok(&["workspace", command, workspace]);
    let plan = ["plan", "-input=false", "-no-color", "-detailed-exitcode", "-out", "d.tfplan", "-lock-timeout=3m"];
    assert_eq!(program.call(&plan).code, 2);
    program.ok(&["show", "-no-color", "-json", "d.tfplan"]);
    program.ok(&["apply", "-lock-timeout=3m", "-input=false", "-no-color", "-auto-approve", "d.tfplan"]);
    assert_eq!(program.call(&plan).code, 0);
    program.ok(&["workspace", "select", "-or-create", workspace]);
}

#[test]
fn their_steps_need_no_workflow() {
    let program = plain();
    atlantis(&program, "default");
    atlantis(&program, "dev");
    digger(&program, "prod");
    let program = project();
    atlantis(&program, "dev");
    digger(&program, "prod");
    assert_eq!(program.ok(&["workspace", "list"]), "  dev\n* prod\n\n");
}

#[test]
fn a_project_remembers_its_environment() {
    let program = project();
    assert_eq!(program.ok(&["workspace", "show"]), "default\n");
    assert!(program.call(&["plan"]).err.contains("workspace select NAME"));
    assert_eq!(program.ok(&["workspace", "select", "dev"]), "Switched to workspace \"dev\".\n");
    assert_eq!(std::fs::read_to_string(program.path(".terraform/environment")).unwrap(), "dev");
    assert_eq!(program.ok(&["workspace", "show"]), "dev\n");
    assert_eq!(program.ok(&["workspace", "select", "dev"]), "");
    // From the folder of a layer it is the same.
    assert_eq!(program.ok(&["-chdir=one", "workspace", "show"]), "dev\n");
    assert!(program.ok(&["plan"]).contains("+ input  = \"dev\""));
    // What a command says itself goes before it.
    assert!(program.ok(&["plan", "-env=prod"]).contains("+ input  = \"prod\""));
    program.write("prod.tfvars", "");
    assert!(program.ok(&["plan", "-var-file=prod.tfvars"]).contains("+ input  = \"prod\""));
    let program = program.env("TF_WORKSPACE", "prod");
    assert!(program.ok(&["plan"]).contains("+ input  = \"prod\""));
    assert_eq!(program.ok(&["workspace", "show"]), "prod\n");
    assert!(program.call(&["workspace", "select", "dev"]).err.contains("TF_WORKSPACE"));
}

#[test]
fn an_environment_that_is_no_more_can_be_left() {
    let program = project();
    program.write(".terraform/environment", "old\n");
    assert_eq!(program.ok(&["workspace", "show"]), "old\n");
    let plan = program.call(&["plan"]);
    assert!(plan.code == 1 && plan.err.contains("Unknown environment"), "{}", plan.err);
    assert!(plan.err.contains("workspace select NAME"), "{}", plan.err);
    let nowhere = program.call(&["workspace", "select", "prodd"]);
    assert!(nowhere.code == 1 && nowhere.err.contains("Did you mean \"prod\""), "{}", nowhere.err);
    program.ok(&["workspace", "select", "prod"]);
    program.ok(&["plan"]);
    program.ok(&["workspace", "select", "default"]);
    assert_eq!(program.ok(&["workspace", "show"]), "default\n");
}

/// The program under another name.
fn called(program: &Program, name: &str, args: &[&str]) -> Answer {
    let path = program.path(name);
    if !path.exists() {
        symlink(env!("CARGO_BIN_EXE_infra"), &path).unwrap();
    }
    let output = Command::new(path).args(args).current_dir(program.path("")).env_clear().output().unwrap();
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn the_name_it_is_called_by_says_as_which_program_to_speak() {
    let program = Program::with(&[("main.tf", FOLDER)]);
    let own = program.ok(&["plan"]);
    assert!(own.contains("\ninfra will perform the following actions:\n"), "{own}");
    let check = |name: &str, product: &str, version: &str| {
        for args in [&["version"][..], &["-version"], &["--version"], &["-v"]] {
            let answer = called(&program, name, args).out;
            assert!(answer.starts_with(&format!("{product} v{version}\non ")), "{args:?}: {answer}");
        }
        let json = called(&program, name, &["version", "-json"]).out;
        assert!(json.contains(&format!("\"terraform_version\": \"{version}\"")), "{json}");
        let plan = called(&program, name, &["plan"]).out;
        assert!(plan.contains(&format!("\n{product} will perform the following actions:\n")), "{plan}");
        assert!(plan.contains(&format!("\"{} apply\"", product.to_lowercase().replace("opentofu", "tofu"))), "{plan}");
    };
    check("terraform", "Terraform", "1.11.4");
    check("terraform1.11.4", "Terraform", "1.11.4");
    check("tofu", "OpenTofu", "1.12.6");
}

#[test]
fn a_wrong_name_to_speak_as_is_refused() {
    let refused = Program::with(&[("main.tf", FOLDER)]).env("INFRA_COMPAT", "pulumi").call(&["plan"]);
    assert!(refused.code == 1 && refused.err.contains("terraform, tofu or infra"), "{}", refused.err);
    let tofu = Program::with(&[("main.tf", FOLDER)]).env("INFRA_COMPAT", "opentofu").ok(&["validate"]);
    assert_eq!(tofu, "Success! The configuration is valid.\n\n");
}

/// The rules by which tfcmt tells what a plan comes to.
fn tfcmt(text: &str, pattern: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found.get(1).map_or("", |one| one.as_str()).to_owned()).collect()
}

#[test]
fn tfcmt_finds_its_lines() {
    let program = Program::with(&[(
        "main.tf",
        "resource \"time_rotating\" \"r\" {\n  rfc3339        = \"2020-01-01T00:00:00Z\"\n  rotation_years = 1\n}\nresource \
         \"terraform_data\" \"a\" {\n  input = time_rotating.r.id\n}\n",
    )])
    .env("INFRA_COMPAT", "terraform");
    program.ok(&["apply", "-auto-approve", "-no-color"]);
    let plan = program.ok(&["plan", "-no-color"]);
    let lines: Vec<&str> = plan.lines().collect();
    let at = |line: &str| lines.iter().position(|one| *one == line).unwrap_or_else(|| panic!("{line}\n{plan}"));
    let starting =
        |start: &str| lines.iter().position(|one| one.starts_with(start)).unwrap_or_else(|| panic!("{start}\n{plan}"));
    let (outside, unless) = (
        at("Note: Objects have changed outside of Terraform"),
        starting("Unless you have made equivalent changes to your configuration"),
    );
    let (actions, first_rule) = (at("Terraform will perform the following actions:"), starting("─────"));
    assert!(outside < unless && unless < first_rule && first_rule < actions, "{plan}");
    let last_rule = lines.iter().rposition(|line| line.starts_with("─────")).unwrap();
    assert!(actions < last_rule && lines[last_rule + 2].starts_with("Note: You didn't use the -out option"), "{plan}");
    assert_eq!(tfcmt(&plan, r"(?m)^ *# (.*) will be created$"), ["time_rotating.r"]);
    assert_eq!(tfcmt(&plan, r"(?m)^ *# (.*) will be updated in-place$"), ["terraform_data.a"]);
    assert_eq!(tfcmt(&plan, r"(?m)^(Plan: \d|No changes.)"), ["Plan: 1"]);
    program.write("main.tf", "resource \"nope\" {}\n");
    for (args, pattern) in [(&["plan", "-no-color"][..], r"(?m)^(Error: )"), (&["plan"], r"(?m)^[│|] (Error: )")] {
        let failed = program.call(args);
        assert!(failed.code == 1 && !tfcmt(&failed.err, pattern).is_empty(), "{}", failed.err);
    }
}

#[test]
fn the_answer_may_come_through_a_pipe() {
    let program = plain();
    let answer = |text: &str| {
        let mut child = program
            .command(&["apply", "-no-color"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = answer("no\n");
    assert!(code == Some(1) && text.ends_with("  Enter a value: \nApply cancelled.\n"), "{text}");
    let (code, text) = answer("yes\n");
    let question = "\nDo you want to perform these actions?\n  Terraform will perform the actions described above.\n  Only 'yes' will \
                    be accepted to approve.\n\n  Enter a value: ";
    assert!(code == Some(0) && text.contains(question) && text.contains("Apply complete!"), "{text}");
    let (code, _) = answer("");
    assert_eq!(code, Some(0), "nothing is left to be asked about");
}

#[test]
fn generated_configuration_lands_in_the_layer_that_imports() {
    let import = "import {\n  to = terraform_data.a\n  id = \"x\"\n}\n";
    let program = Program::with(&[
        (
            "infra.hcl",
            "project { name = \"p\" }\nlayer \"a\" {\n  source = \"a\"\n}\nlayer \"b\" {\n  source = \"b\"\n}\n",
        ),
        ("a/main.tf", import),
        ("b/main.tf", "output \"o\" { value = 1 }\n"),
    ]);
    let plan = program.ok(&["plan", "-generate-config-out=gen.tf"]);
    assert!(plan.contains("written it to a/gen.tf"), "{plan}");
    assert!(program.has("a/gen.tf") && !program.has("gen.tf") && !program.has("b/gen.tf"));
    // Several layers have a file each, and an absolute path can be that of one only.
    std::fs::remove_file(program.path("a/gen.tf")).unwrap();
    program.write("b/main.tf", import);
    let one = program.path("all.tf").display().to_string();
    let refused = program.call(&["plan", &format!("-generate-config-out={one}")]);
    assert!(refused.code == 1 && refused.err.contains("Several layers in a generated file"), "{}", refused.err);
    program.write("b/gen.tf", "");
    let refused = program.call(&["plan", "-generate-config-out=gen.tf"]);
    assert!(
        refused.err.contains("Target generated file already exists") && !program.has("a/gen.tf"),
        "{}",
        refused.err
    );
    std::fs::remove_file(program.path("b/gen.tf")).unwrap();
    program.ok(&["plan", "-generate-config-out=gen.tf"]);
    assert!(program.has("a/gen.tf") && program.has("b/gen.tf"));
    program.ok(&["apply", "-auto-approve"]);
}

#[test]
fn a_saved_plan_can_be_drawn() {
    let program = Program::with(&[("main.tf", FOLDER)]);
    program.ok(&["plan", "-out=p"]);
    // What is drawn is what was planned, whatever has become of the files.
    program.write("main.tf", "output \"other\" { value = 1 }\n");
    let drawn = program.ok(&["graph", "-plan=p"]);
    assert!(drawn.contains("[root] terraform_data.a (expand)") && !drawn.contains("other"), "{drawn}");
    assert_eq!(program.ok(&["graph", "-type=apply", "-plan=p"]), drawn);
    assert_eq!(program.call(&["graph", "-plan=nope"]).code, 1);
}

#[test]
fn the_modules_of_a_project_are_told_by_layer() {
    let program = Program::with(&[
        (
            "infra.hcl",
            "project { name = \"p\" }\nlayer \"a\" {\n  source = \"a\"\n}\nlayer \"b\" {\n  source = \"b\"\n}\n",
        ),
        ("a/main.tf", "module \"m\" {\n  source = \"../m\"\n}\n"),
        ("b/main.tf", "output \"o\" { value = 1 }\n"),
        ("m/main.tf", "output \"o\" { value = 1 }\n"),
    ]);
    let json = program.ok(&["modules", "-json"]);
    assert_eq!(
        json,
        "{\"format_version\":\"1.0\",\"modules\":[{\"key\":\"layer.a.m\",\"source\":\"../m\",\"version\":\"\"}]}\n"
    );
    assert!(program.ok(&["modules"]).contains("layer.a\n└── \"m\"[../m]\n"));
}
