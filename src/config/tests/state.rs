//! Where state lies.

use super::*;
use crate::config::StateSettings;

const S3: &str = r#"
state "s3" {
  bucket         = env("BUCKET")
  key            = layer.scope == "global" ? "k3s/${layer.name}.tfstate" : "k3s/${layer.name}-${environment.name}.tfstate"
  region         = "auto"
  endpoints      = { s3 = try(env("UNSET"), "https://${env("BUCKET")}.example.com") }
  use_path_style = true
}
environment "dev" {
  state = "local"
}
environment "prod" {
}
"#;

fn in_bucket(lines: &str, environment: &str) -> LoadOptions {
    let infra = project(lines);
    let mut options = options(&[("infra.hcl", &infra), ("a/main.tf", "")]);
    options.environment = Some(environment.into());
    options.process_env.extend([
        ("BUCKET".into(), "b".into()),
        ("AWS_ACCESS_KEY_ID".into(), "id".into()),
        ("AWS_SECRET_ACCESS_KEY".into(), "secret".into()),
    ]);
    options
}

#[test]
fn a_bucket_is_described_by_the_state_block() {
    let (config, _) = loaded(&in_bucket(S3, "prod"));
    let StateSettings::S3(s3) = &config.layers[0].state else { panic!("{:?}", config.layers[0].state) };
    assert_eq!((s3.bucket.as_str(), s3.key.as_str(), s3.region.as_str()), ("b", "k3s/a-prod.tfstate", "auto"));
    assert_eq!((s3.endpoint.as_deref(), s3.use_path_style), (Some("https://b.example.com"), true));
    assert_eq!((s3.access_key.as_str(), s3.secret_key.as_str(), &s3.session_token), ("id", "secret", &None));
    assert!(!format!("{config:?}").contains("secret"));
}

#[test]
fn an_environment_with_local_state_needs_nothing_of_the_bucket() {
    let mut options = in_bucket(S3, "dev");
    options.process_env.clear();
    let (config, _) = loaded(&options);
    assert_eq!(config.layers[0].state, StateSettings::Local { path: "/p/state/a-dev.tfstate".into() });
    // And a command that needs no state asks for no credentials.
    options.environment = Some("prod".into());
    options.needs_state = false;
    loaded(&options);
}

#[test]
fn local_state_has_a_folder() {
    let (config, _) =
        loaded(&in_bucket("state \"local\" {\n  path = \"somewhere\"\n}\nenvironment \"dev\" {\n}\n", "dev"));
    assert_eq!(config.layers[0].state, StateSettings::Local { path: "/p/somewhere/a-dev.tfstate".into() });
}

#[test]
fn what_is_missing_is_said_once() {
    let mut options =
        in_bucket("state \"s3\" {\n  key = \"k/${layer.name}\"\n}\nlayer \"b\" {\n  source = \"b\"\n}\n", "default");
    options.files = Arc::new(
        Captured::default()
            .with("/p/infra.hcl", project("state \"s3\" {\n}\nlayer \"b\" {\n  source = \"b\"\n}\n"))
            .with("/p/a/m.tf", "")
            .with("/p/b/m.tf", ""),
    );
    options.process_env.clear();
    check(
        &options,
        "
Error: Missing required argument
  on infra.hcl line 8, in state \"s3\":
  8: state \"s3\" {  [state \"s3\"]
The argument \"bucket\" is required, but no definition was found.
Error: Missing region value
  on infra.hcl line 8, in state \"s3\":
  8: state \"s3\" {  [state \"s3\"]
The \"region\" attribute or the \"AWS_REGION\" or \"AWS_DEFAULT_REGION\" environment variables must be set.
Error: No credentials for the state bucket
  on infra.hcl line 8, in state \"s3\":
  8: state \"s3\" {  [state \"s3\"]
The bucket asks for credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, or give access_key and secret_key.
",
    );
}

#[test]
fn two_states_cannot_share_a_key() {
    check(
        &in_bucket("state \"s3\" {\n  bucket = \"b\"\n  region = \"auto\"\n  key    = \"k/${layer.name}\"\n}\nenvironment \"x\" {\n}\nenvironment \"y\" {\n}\n", "x"),
        "
Error: Two states with one key
  on infra.hcl line 8:
  8: state \"s3\" {  [state \"s3\"]
The states of layer a of environment x and layer a of environment y would both lie at s3://b/k/a. Every layer of every environment needs a key of its own: let the key contain layer.name and environment.name.
",
    );
}

#[test]
fn wrong_state_blocks_are_refused() {
    check(
        &in_bucket("state \"s3\" {\n  bucket = \"b\"\n  region = \"auto\"\n  encryption {\n    passphrase = \"x\"\n  }\n}\n", "default"),
        "
Error: Not supported yet
  on infra.hcl line 11, in state \"s3\":
  11:   encryption {  [encryption]
Encryption of stored state is not part of this version. Nothing was read or written: leave the block out to store state unencrypted.
",
    );
    check(
        &in_bucket(
            "state \"s3\" {\n  bucket  = \"b\"\n  region  = \"auto\"\n  buckett = \"b\"\n  profile = \"p\"\n}\n",
            "default",
        ),
        "
Error: Unsupported argument
  on infra.hcl line 11, in state \"s3\":
  11:   buckett = \"b\"  [\"b\"]
An argument named \"buckett\" is not expected here. Did you mean \"bucket\"?
Error: Not supported yet
  on infra.hcl line 12, in state \"s3\":
  12:   profile = \"p\"  [\"p\"]
The argument \"profile\" is part of the language, but this version cannot do it yet.
",
    );
    check(
        &in_bucket("state \"s3\" {\n  bucket = var.x\n  region = \"auto\"\n}\n", "default"),
        "
Error: Invalid reference in a state block
  on infra.hcl line 9:
  9:   bucket = var.x  [var.x]
var.x cannot be used here: a state block sees env(\"NAME\"), environment.name, layer.name and layer.scope. Nobody knows values of variables or outputs before state is read.
",
    );
    check(
        &in_bucket("state \"etcd\" {\n}\n", "default"),
        "
Error: Unknown kind of state
  on infra.hcl line 8, in state \"etcd\":
  8: state \"etcd\" {  [\"etcd\"]
There are the kinds of state \"local\" and \"s3\", not \"etcd\".
",
    );
}

#[test]
fn plain_mode_honours_its_backend() {
    let local = options(&[("main.tf", "terraform {\n  backend \"local\" {\n    path = \"x/y.tfstate\"\n  }\n}\n")]);
    let (config, _) = loaded(&local);
    assert_eq!(config.layers[0].state, StateSettings::Local { path: "/p/x/y.tfstate".into() });

    let s3 = "terraform {\n  backend \"s3\" {\n    region       = \"auto\"\n    use_lockfile = true\n  }\n}\n";
    let mut s3 = options(&[("main.tf", s3), ("r2.tfbackend", "key = \"k/x.tfstate\"\n")]);
    s3.backend_config = ["bucket=b", "endpoints={s3=\"https://e\"}", "access_key=i", "secret_key=s", "r2.tfbackend"]
        .map(str::to_owned)
        .to_vec();
    let (config, _) = loaded(&s3);
    let StateSettings::S3(s3) = &config.layers[0].state else { panic!("{:?}", config.layers[0].state) };
    assert_eq!((s3.bucket.as_str(), s3.key.as_str(), s3.endpoint.as_deref()), ("b", "k/x.tfstate", Some("https://e")));

    check(
        &options(&[("main.tf", "terraform {\n  backend \"gcs\" {\n  }\n}\n")]),
        "
Error: Not supported yet
  on main.tf line 2:
  2:   backend \"gcs\" {  [backend \"gcs\"]
The backend type \"gcs\" is not part of this version: there are \"local\" and \"s3\". Keep the state in one of these.
",
    );
    check(
        &options(&[("main.tf", "variable \"p\" {\n}\nterraform {\n  backend \"local\" {\n    path = var.p\n  }\n}\n")]),
        "
Error: Variables not allowed
  on main.tf line 5:
  5:     path = var.p  [var.p]
Variables may not be used here.
",
    );
}

#[test]
fn environment_variables_are_listed_and_set() {
    let state = |name: &str| format!("state \"s3\" {{\n  bucket = env(\"{name}\")\n  region = \"auto\"\n}}\n");
    check(
        &in_bucket(&state("UNSET"), "default"),
        "
Error: Environment variable not set
  on infra.hcl line 9:
  9:   bucket = env(\"UNSET\")  [env(]
The environment variable UNSET is not set.
",
    );
    check(
        &in_bucket(&state("HOME"), "default"),
        "
Error: Error in function call
  on infra.hcl line 9:
  9:   bucket = env(\"HOME\")  [env(]
Call to function \"env\" failed: the environment variable HOME is not listed in the project file; add it to project { env = […] }.
",
    );
    let tried = state("UNSET").replace("env(\"UNSET\")", "try(env(\"UNSET\"), \"x-${env(\"UNSET\")}\")");
    check(
        &in_bucket(&tried, "default"),
        "
Error: Environment variable not set
  on infra.hcl line 9:
  9:   bucket = try(env(\"UNSET\"), \"x-${env(\"UNSET\")}\")  [try(env(\"UNSET\"), \"x-${env(\"UNSET\")}\")]
No alternative of \"try\" can be used. The environment variable UNSET is not set.
",
    );
}
