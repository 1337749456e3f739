//! Terraform's workspaces in a folder without a project, beside the real `terraform`: commands one after the other, how each ends, what
//! those that answer print, and which files there are then. `workspaces.json` is what terraform did; `just conformance` records anew.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

const MAIN: &str =
    "resource \"terraform_data\" \"a\" { input = terraform.workspace }\noutput \"o\" { value = terraform.workspace }\n";

/// Environment variables, and a command.
const STEPS: &[(&[(&str, &str)], &[&str])] = &[
    (&[], &["workspace", "show"]),
    (&[], &["workspace", "list"]),
    (&[], &["workspace", "new", "one"]),
    (&[], &["workspace", "show"]),
    (&[], &["workspace", "list"]),
    (&[], &["apply", "-auto-approve"]),
    (&[], &["output", "o"]),
    (&[], &["state", "list"]),
    (&[], &["workspace", "new", "one"]),
    (&[], &["workspace", "new", "a/b"]),
    (&[], &["workspace", "delete", "one"]),
    (&[], &["workspace", "select", "nope"]),
    (&[], &["workspace", "select", "default"]),
    (&[], &["apply", "-auto-approve"]),
    (&[], &["output", "-raw", "o"]),
    (&[("TF_WORKSPACE", "one")], &["workspace", "show"]),
    (&[("TF_WORKSPACE", "one")], &["workspace", "list"]),
    (&[("TF_WORKSPACE", "one")], &["output", "-raw", "o"]),
    (&[("TF_WORKSPACE", "one")], &["workspace", "select", "default"]),
    (&[("TF_WORKSPACE", "one")], &["workspace", "new", "two"]),
    (&[], &["workspace", "select", "-or-create", "three"]),
    (&[], &["workspace", "select", "-or-create", "one"]),
    (&[], &["workspace", "show"]),
    (&[], &["workspace", "delete", "three"]),
    (&[], &["workspace", "list"]),
    (&[], &["workspace", "delete", "one"]),
    (&[], &["workspace", "delete", "default"]),
    (&[], &["workspace", "select", "default"]),
    (&[], &["workspace", "delete", "one"]),
    (&[], &["workspace", "delete", "nope"]),
    (&[], &["workspace", "delete", "-force", "one"]),
    (&[], &["workspace", "list"]),
    (&[("TF_DATA_DIR", "elsewhere")], &["workspace", "new", "four"]),
    (&[("TF_DATA_DIR", "elsewhere")], &["workspace", "show"]),
    (&[], &["workspace", "show"]),
];

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/workspaces.json")
}

fn play(program: &str, installs: bool) -> Vec<Json> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    std::fs::write(folder.join("terraformrc"), "").unwrap();
    std::fs::write(folder.join("main.tf"), MAIN).unwrap();
    let call = |env: &[(&str, &str)], arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null()).envs(env.iter().copied());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
        command.env("CHECKPOINT_DISABLE", "1").env("TF_CLI_CONFIG_FILE", folder.join("terraformrc"));
        command.output().unwrap()
    };
    if installs {
        call(&[], &["init"]);
        call(&[("TF_DATA_DIR", "elsewhere")], &["init"]);
    }
    let steps = STEPS.iter().map(|(env, arguments)| {
        let output = call(env, arguments);
        let answers = matches!(arguments[1], "show" | "list" | "o" | "-raw");
        let text = String::from_utf8(output.stdout).unwrap();
        json!({
            "command": arguments.join(" "),
            "code": output.status.code(),
            "out": if answers && output.status.success() { text } else { String::new() },
            "files": files(folder),
        })
    });
    steps.collect()
}

/// States, and what remembers the chosen workspace.
fn files(folder: &Path) -> Json {
    let mut found = Vec::new();
    if folder.join("terraform.tfstate").exists() {
        found.push("terraform.tfstate".to_owned());
    }
    let entries = std::fs::read_dir(folder.join("terraform.tfstate.d")).into_iter().flatten().flatten();
    for entry in entries {
        let state = entry.path().join("terraform.tfstate").exists();
        found.push(format!("{}{}", entry.file_name().to_string_lossy(), if state { " with a state" } else { "" }));
    }
    found.sort();
    for data in [".terraform", "elsewhere"] {
        found.extend(
            std::fs::read_to_string(folder.join(data).join("environment")).ok().map(|name| format!("{data}: {name}")),
        );
    }
    found.into()
}

#[test]
fn workspaces_of_a_folder_are_terraforms() {
    let expect: Vec<Json> = serde_json::from_slice(&std::fs::read(recorded()).unwrap()).unwrap();
    let got = play(env!("CARGO_BIN_EXE_infra"), false);
    let differ: Vec<String> = got
        .iter()
        .zip(&expect)
        .filter(|(got, expect)| got != expect)
        .map(|(got, expect)| format!("terraform: {expect}\ninfra:     {got}"))
        .collect();
    assert!(differ.is_empty() && got.len() == expect.len(), "{}", differ.join("\n"));
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_workspaces() {
    let text = serde_json::to_string_pretty(&play("terraform", true)).unwrap() + "\n";
    std::fs::write(recorded(), text).unwrap();
}
