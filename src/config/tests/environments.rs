//! Which environment a run is for, and which mode a folder is read in.

use super::*;

const LAYER: &str = "variable \"who\" {\n  type = string\n}\n";

fn two(given: Vec<Given>, environment: Option<&str>) -> LoadOptions {
    let infra = project(
        "environment \"dev\" {\n  var_files = [\"envs/common.tfvars\", \"envs/dev.tfvars\"]\n}\nenvironment \"staging\" {\n  var_files = [\"envs/common.tfvars\", \"other.tfvars\"]\n}\n",
    );
    let mut options = options(&[
        ("infra.hcl", &infra),
        ("a/main.tf", LAYER),
        ("envs/common.tfvars", "who = \"common\"\n"),
        ("envs/dev.tfvars", "who = \"dev\"\n"),
        ("envs/staging.tfvars", "who = \"staging\"\n"),
        ("other.tfvars", "who = \"other\"\n"),
        ("extra.tfvars", "who = \"extra\"\n"),
    ]);
    options.given = given;
    options.environment = environment.map(str::to_owned);
    options
}

#[test]
fn a_flag_or_a_file_chooses() {
    let check = |given: Vec<Given>, environment: Option<&str>, expect: (&str, &str)| {
        let (config, _) = loaded(&two(given, environment));
        let who = value(&config, "who").unwrap().unwrap();
        assert_eq!((config.environment.as_str(), who.as_str().unwrap()), expect);
    };
    check(vec![], Some("dev"), ("dev", "dev"));
    check(vec![var_file("dev.tfvars")], None, ("dev", "dev"));
    check(vec![var_file("envs/dev.tfvars")], None, ("dev", "dev"));
    check(vec![var_file("other.tfvars")], None, ("staging", "other"));
    // Not listed, but it bears the name; as a file of the command line it is stronger than those that are listed.
    check(vec![var_file("staging.tfvars")], None, ("staging", "staging"));
    check(vec![var_file("common.tfvars"), var_file("dev.tfvars")], None, ("dev", "dev"));
    check(vec![var_file("extra.tfvars")], Some("staging"), ("staging", "extra"));
    check(vec![var("who", "me"), var_file("dev.tfvars")], None, ("dev", "me"));
}

#[test]
fn no_choice_and_contradictions_are_errors() {
    check(
        &two(vec![], None),
        "
Error: No environment chosen
This project has the environments dev, staging. Choose one with -env NAME, with a -var-file that belongs to one, or for all commands to come with infra workspace select NAME.
",
    );
    check(
        &two(vec![var_file("extra.tfvars")], None),
        "
Error: No environment chosen
This project has the environments dev, staging. Choose one with -env NAME, with a -var-file that belongs to one, or for all commands to come with infra workspace select NAME.
",
    );
    check(
        &two(vec![var_file("common.tfvars")], None),
        "
Error: Several environments
-var-file common.tfvars belongs to the environments dev and staging. Choose one of them with -env NAME.
",
    );
    check(
        &two(vec![var_file("dev.tfvars"), var_file("other.tfvars")], None),
        "
Error: Contradicting environments
-var-file dev.tfvars belongs to dev, but -var-file other.tfvars belongs to staging. A run is for one environment.
",
    );
    check(
        &two(vec![var_file("dev.tfvars")], Some("staging")),
        "
Error: Contradicting environments
-env staging chooses staging, but -var-file dev.tfvars belongs to dev. A run is for one environment.
",
    );
    check(
        &two(vec![], Some("stagign")),
        "
Error: Unknown environment
The project declares no environment \"stagign\". Did you mean \"staging\"? There are: dev, staging.
",
    );
    check(
        &two(vec![], Some("test/123")),
        "
Error: Unknown environment
The project declares no environment \"test\". There are: dev, staging.
",
    );
    check(
        &two(vec![var_file("nowhere.tfvars")], None),
        "
Error: Failed to read variables file
Given variables file nowhere.tfvars does not exist: it is not in the working directory or in envs/ of the project.
",
    );
    let mut workspace = two(vec![], Some("dev"));
    workspace.process_env.insert("TF_WORKSPACE".into(), "prod".into());
    check(
        &workspace,
        "
Error: Contradicting environments
The environment is dev, but TF_WORKSPACE is \"prod\". Unset it, or choose that environment.
",
    );
}

#[test]
fn without_environments_there_is_one() {
    let infra = project("");
    let (config, _) = loaded(&options(&[("infra.hcl", &infra), ("a/main.tf", LAYER)]));
    assert_eq!(config.environment.as_str(), "default");
    let mut named = options(&[("infra.hcl", &infra), ("a/main.tf", LAYER)]);
    named.environment = Some("dev".into());
    check(
        &named,
        "
Error: Unknown environment
The project declares no environments, so that there is only \"default\", not \"dev\".
",
    );
}

#[test]
fn the_folder_decides_between_project_and_plain_mode() {
    let infra = project("");
    let files = [
        ("infra.hcl", infra.as_str()),
        ("a/main.tf", LAYER),
        ("a/modules/m/main.tf", LAYER),
        ("elsewhere/main.tf", LAYER),
        ("docs/readme.md", ""),
    ];
    for (dir, plain) in
        [("/p", false), ("/p/a", false), ("/p/a/modules/m", false), ("/p/docs", false), ("/p/elsewhere", true)]
    {
        let mut options = options(&files);
        options.working_dir = dir.into();
        let (config, _) = loaded(&options);
        assert_eq!(config.is_plain(), plain, "{dir}");
        assert_eq!(config.working_dir, std::path::Path::new(dir));
    }
    let mut plain = options(&files);
    plain.working_dir = "/p/elsewhere".into();
    plain.environment = Some("dev".into());
    check(
        &plain,
        "
Error: No project
-env dev chooses among the environments of a project, and this folder belongs to none: there is no infra.hcl here or above that has it among its layers. Workspaces of a single folder are chosen with infra workspace select, or TF_WORKSPACE.
",
    );
}
