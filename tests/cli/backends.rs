//! The backend of a folder without a project: initialised, changed, moved from one place to another; beside the real `terraform`
//! where it is installed. Recorded sequences are in `conformance/runs/backends.txt`.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value as Json;

use super::program::{Answer, Program, names};
use crate::conformance::peer::Peer;
use crate::lab;
use crate::lab::minio::Minio;

const RESOURCE: &str = "resource \"terraform_data\" \"a\" {\n  input = terraform.workspace\n}\n";

fn local(path: &str) -> String {
    format!("terraform {{\n  backend \"local\" {{\n    path = {path:?}\n  }}\n}}\n{RESOURCE}")
}

fn s3(minio: &Minio, bucket: &str, key: &str) -> String {
    format!(
        "terraform {{\n  backend \"s3\" {{\n    bucket = {bucket:?}\n    key = {key:?}\n    region = \"us-east-1\"\n    \
         endpoints = {{ s3 = {:?} }}\n    use_path_style = true\n    use_lockfile = true\n    skip_credentials_validation = true\n    \
         skip_requesting_account_id = true\n    skip_metadata_api_check = true\n    skip_region_validation = true\n    \
         skip_s3_checksum = true\n  }}\n}}\n{RESOURCE}",
        minio.endpoint
    )
}

/// A folder with credentials of the lab's bucket.
fn beside(minio: &Minio) -> Program {
    Program::with(&[]).env("AWS_ACCESS_KEY_ID", &minio.access_key).env("AWS_SECRET_ACCESS_KEY", &minio.secret_key)
}

/// Calls the program with something on standard input.
fn answered(program: &Program, args: &[&str], input: &str) -> Answer {
    let mut child =
        program.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn refused(program: &Program, args: &[&str], parts: &[&str]) {
    let answer = program.call(args);
    assert_eq!(answer.code, 1, "{args:?}: {}{}", answer.out, answer.err);
    for part in parts {
        assert!(answer.err.contains(part), "{args:?}: {part:?} is missing in {}", answer.err);
    }
}

fn state(program: &Program, path: &str) -> Json {
    serde_json::from_slice(&std::fs::read(program.path(path)).unwrap()).unwrap()
}

/// The real program, where it is installed.
fn terraform() -> Option<Peer> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).any(|folder| folder.join("terraform").is_file());
    if !found {
        eprintln!("skipped: there is no terraform on the PATH");
    }
    found.then(Peer::terraform)
}

const UNCHANGED: [&str; 2] = ["plan", "-detailed-exitcode"];

#[test]
fn a_backend_that_moved_is_refused_until_init_has_moved_the_state() {
    let program = Program::with(&[("main.tf", &local("one/state.tfstate"))]);
    refused(
        &program,
        &["plan"],
        &[
            "Backend initialization required, please run \"infra init\"",
            "Initial configuration of the requested backend \"local\"",
        ],
    );
    let out = program.ok(&["init", "-input=false"]);
    assert!(out.contains("Successfully configured the backend \"local\"!"), "{out}");
    program.ok(&["apply", "-auto-approve"]);

    program.write("main.tf", &local("two/state.tfstate"));
    let changed =
        ["Backend initialization required: please run \"infra init\"", "Backend configuration block has changed"];
    for command in
        [&["plan"][..], &["apply", "-auto-approve"], &["output"], &["state", "list"], &["show"], &["workspace", "list"]]
    {
        refused(&program, command, &changed);
    }
    refused(&program, &["init"], &["Backend configuration changed", "-migrate-state", "-reconfigure"]);
    refused(&program, &["init", "-migrate-state", "-input=false"], &["interactive input is disabled"]);
    refused(&program, &["init", "-migrate-state"], &["Error asking for confirmation: EOF", "-force-copy"]);
    assert!(!program.has("two/state.tfstate"), "nobody has agreed");
    let answer = answered(&program, &["init", "-migrate-state"], "yes\n");
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(answer.out.contains("Do you want to copy existing state to the new backend?"), "{}", answer.out);
    assert_eq!(state(&program, "one/state.tfstate"), state(&program, "two/state.tfstate"));
    program.ok(&UNCHANGED);

    program.write("main.tf", RESOURCE);
    refused(&program, &["plan"], &["please run \"infra init\"", "Unsetting the previously set backend \"local\""]);
    refused(&program, &["init"], &["Backend configuration changed"]);
    let out = program.ok(&["init", "-force-copy"]);
    assert!(out.contains("Successfully unset the backend \"local\""), "{out}");
    assert_eq!(state(&program, "terraform.tfstate"), state(&program, "two/state.tfstate"));
    program.ok(&UNCHANGED);
}

#[test]
fn what_is_overwritten_or_leaves_its_place_is_kept() {
    let program = Program::with(&[("main.tf", RESOURCE)]);
    program.ok(&["apply", "-auto-approve"]);
    let first = state(&program, "terraform.tfstate");
    program.write("main.tf", &local("one.tfstate"));
    let no = answered(&program, &["init"], "no\n");
    assert_eq!(no.code, 0, "{}", no.err);
    assert_eq!(state(&program, "terraform.tfstate"), first, "the state that nobody wanted stays where it is");
    program.ok(&["apply", "-auto-approve"]);
    let second = state(&program, "one.tfstate");
    assert_ne!(first["lineage"], second["lineage"]);

    // Over another state: asked with both at hand, kept when it is overwritten.
    program.write("main.tf", RESOURCE);
    let asked = answered(&program, &["init", "-migrate-state"], "no\n");
    assert!(
        asked.out.contains("An existing non-empty state already exists") && asked.out.contains("1-local.tfstate"),
        "{}",
        asked.out
    );
    assert_eq!(state(&program, "terraform.tfstate"), first);
    program.write("main.tf", &local("one.tfstate"));
    refused(&program, &["init", "-reconfigure", "-input=false"], &["interactive input is disabled"]);
    assert_eq!(answered(&program, &["init", "-reconfigure"], "no\n").code, 0);
    assert_eq!((state(&program, "one.tfstate"), state(&program, "terraform.tfstate")), (second.clone(), first.clone()));
    program.write("main.tf", RESOURCE);
    let out = program.ok(&["init", "-force-copy"]);
    assert!(out.contains("A copy of the state of workspace \"default\" is kept in"), "{out}");
    assert_eq!(state(&program, "terraform.tfstate"), second);
    assert_eq!(state(&program, "terraform.tfstate.backup"), first);

    // From beside the configuration the state goes away, and a copy stays.
    program.write("main.tf", &local("three.tfstate"));
    program.ok(&["init", "-force-copy"]);
    assert_eq!(state(&program, "three.tfstate"), second);
    assert!(!program.has("terraform.tfstate"));
    assert_eq!(state(&program, "terraform.tfstate.backup"), first, "the copy that was there stays");
    let stamped = names(&program.path(""))
        .into_iter()
        .find(|name| name.starts_with("terraform.tfstate.") && name != "terraform.tfstate.backup");
    assert_eq!(state(&program, &stamped.unwrap()), second);
}

#[test]
fn the_memory_of_a_folder_is_terraforms_to_the_byte() {
    let Some(terraform) = terraform() else { return };
    let backends = [
        local("one/state.tfstate"),
        local("a<b>&.tfstate"),
        "terraform {\n  backend \"local\" {}\n}\n".to_owned(),
        "terraform {\n  backend \"local\" {\n    workspace_dir = \"wd\"\n  }\n}\n".to_owned(),
    ];
    for backend in backends {
        let (ours, theirs) =
            (Program::with(&[("main.tf", &backend)]), Program::with(&[("main.tf", &backend), ("terraformrc", "")]));
        ours.ok(&["init"]);
        assert!(terraform.run(&theirs.path(""), &["init"]).status.success());
        let read = |program: &Program| std::fs::read_to_string(program.path(".terraform/terraform.tfstate")).unwrap();
        assert_eq!(read(&ours), read(&theirs), "{backend}");
    }
}

#[test]
fn each_program_goes_on_where_the_other_one_has_initialised() {
    let Some(terraform) = terraform() else { return };
    let program = Program::with(&[("main.tf", &local("one.tfstate")), ("terraformrc", "")]);
    let folder = program.path("");
    let ok = |args: &[&str]| {
        let output = terraform.run(&folder, args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    program.ok(&["init"]);
    ok(&["apply", "-auto-approve"]);
    program.ok(&UNCHANGED);
    program.write("main.tf", &local("two.tfstate"));
    ok(&["init", "-force-copy"]);
    program.ok(&UNCHANGED);
    program.write("main.tf", RESOURCE);
    program.ok(&["init", "-force-copy"]);
    ok(&UNCHANGED);
    // A memory of a newer program, and of one that hashes in another way.
    program.write("main.tf", &local("three.tfstate"));
    program.ok(&["init", "-force-copy"]);
    let memory = program.path(".terraform/terraform.tfstate");
    let mut document: Json = serde_json::from_slice(&std::fs::read(&memory).unwrap()).unwrap();
    (document["terraform_version"], document["backend"]["hash"]) = ("9.9.9".into(), 1.into());
    document["backend"]["config"]["new"] = Json::Null;
    std::fs::write(&memory, document.to_string()).unwrap();
    program.ok(&UNCHANGED);
    std::fs::write(&memory, "{").unwrap();
    refused(&program, &["plan"], &["Initialized backend cannot be read", "-reconfigure"]);
    program.ok(&["init", "-reconfigure"]);
    program.ok(&UNCHANGED);
}

#[test]
fn settings_given_to_init_alone_are_remembered() {
    let program = Program::with(&[
        ("main.tf", &format!("terraform {{\n  backend \"local\" {{}}\n}}\n{RESOURCE}")),
        ("b.hcl", "path = \"b.tfstate\"\n"),
    ]);
    program.ok(&["plan"]);
    program.ok(&["init", "-backend-config=path=a.tfstate"]);
    program.ok(&["apply", "-auto-approve"]);
    assert!(program.has("a.tfstate") && !program.has("terraform.tfstate"));
    program.ok(&["init"]);
    program.ok(&UNCHANGED);
    refused(&program, &["init", "-backend-config=b.hcl"], &["Backend configuration changed"]);
    program.ok(&["init", "-force-copy", "-backend-config=b.hcl"]);
    assert_eq!(state(&program, "a.tfstate"), state(&program, "b.tfstate"));
    program.ok(&UNCHANGED);
    refused(
        &program,
        &["init", "-reconfigure", "-backend-config=pth=c.tfstate"],
        &["Invalid backend configuration argument"],
    );
    program.ok(&UNCHANGED);
}

#[tokio::test(flavor = "multi_thread")]
async fn states_move_between_files_and_buckets() {
    let Some(minio) = lab::minio() else { return };
    let (program, bucket) = (beside(minio), minio.bucket());
    let keys = async || -> Vec<String> {
        let listed = minio.client().list_objects_v2().bucket(&bucket).send().await.unwrap();
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    };
    program.write("main.tf", RESOURCE);
    program.ok(&["apply", "-auto-approve"]);
    program.ok(&["workspace", "new", "w"]);
    program.ok(&["apply", "-auto-approve"]);
    let (first, other) =
        (state(&program, "terraform.tfstate"), state(&program, "terraform.tfstate.d/w/terraform.tfstate"));

    program.write("main.tf", &s3(minio, &bucket, "k/one.tfstate"));
    refused(&program, &["plan"], &["Initial configuration of the requested backend \"s3\""]);
    let no = answered(&program, &["init"], "no\n");
    assert!(no.code == 1 && no.err.contains("Migration aborted by user."), "{}{}", no.out, no.err);
    assert!(keys().await.is_empty());
    let yes = answered(&program, &["init"], "yes\n");
    assert!(
        yes.code == 0 && yes.out.contains("Do you want to migrate all workspaces to \"s3\"?"),
        "{}{}",
        yes.out,
        yes.err
    );
    assert_eq!(keys().await, ["env:/w/k/one.tfstate", "k/one.tfstate"]);
    program.ok(&UNCHANGED);
    assert_eq!(program.ok(&["workspace", "list"]), "  default\n* w\n\n");
    assert!(!program.has("terraform.tfstate"), "it would be taken for the state again");
    assert_eq!(state(&program, "terraform.tfstate.backup"), first);
    assert_eq!(state(&program, "terraform.tfstate.d/w/terraform.tfstate.backup"), other);

    // Another key of the bucket, then away from it.
    program.write("main.tf", &s3(minio, &bucket, "k/two.tfstate"));
    refused(&program, &["plan"], &["Backend configuration block has changed"]);
    program.ok(&["init", "-force-copy"]);
    assert_eq!(keys().await.len(), 4);
    program.ok(&UNCHANGED);
    program.write("main.tf", &local("back.tfstate"));
    refused(&program, &["plan"], &["Backend type changed from \"s3\" to \"local\""]);
    program.ok(&["init", "-force-copy"]);
    program.ok(&UNCHANGED);
    program.ok(&["workspace", "select", "default"]);
    program.ok(&UNCHANGED);
    assert_eq!(state(&program, "back.tfstate"), first);

    // What is overwritten in a bucket is kept in the folder.
    program.ok(&["apply", "-auto-approve", "-replace=terraform_data.a"]);
    program.write("main.tf", &s3(minio, &bucket, "k/one.tfstate"));
    program.ok(&["init", "-force-copy"]);
    let kept = names(&program.path("")).into_iter().filter(|name| name.starts_with("terraform.tfstate.1"));
    assert!(kept.map(|name| state(&program, &name)).any(|kept| kept == first), "{:?}", names(&program.path("")));
    program.ok(&UNCHANGED);
    if let Some(terraform) = terraform() {
        program.write("terraformrc", "");
        let env = [("AWS_ACCESS_KEY_ID", &minio.access_key), ("AWS_SECRET_ACCESS_KEY", &minio.secret_key)];
        let env: Vec<(String, String)> =
            env.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        let output = terraform.run_with(&program.path(""), &UNCHANGED, &env);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_bucket_that_cannot_be_reached_leaves_everything_as_it_was() {
    let program = Program::with(&[("main.tf", &local("one.tfstate"))])
        .env("AWS_ACCESS_KEY_ID", "a")
        .env("AWS_SECRET_ACCESS_KEY", "s");
    program.ok(&["init"]);
    program.ok(&["apply", "-auto-approve"]);
    let memory = std::fs::read(program.path(".terraform/terraform.tfstate")).unwrap();
    let nowhere = "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    key = \"k\"\n    region = \"auto\"\n    endpoints = { s3 = \"http://127.0.0.1:1\" }\n  }\n}\n";
    program.write("main.tf", &format!("{nowhere}{RESOURCE}"));
    for flag in ["-force-copy", "-reconfigure"] {
        assert_eq!(program.call(&["init", flag]).code, 1);
        assert_eq!(std::fs::read(program.path(".terraform/terraform.tfstate")).unwrap(), memory, "{flag}");
    }
    program.write("main.tf", &local("one.tfstate"));
    program.ok(&UNCHANGED);
}
