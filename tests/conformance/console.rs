//! `console` beside the real `terraform`: `console/folder.txt` is a folder, `console/lines.txt` what is typed,
//! `console/answers.json` what terraform prints, how its errors are called and how it ends. `just conformance` records anew.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/console").join(name)
}

/// Runs a program in a folder that is its home as well, with a text on its standard input: how it ends, and both streams.
fn run(program: &str, folder: &Path, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
    command.env("CHECKPOINT_DISABLE", "1").env("TF_CLI_CONFIG_FILE", folder.join("terraformrc"));
    command.env("TF_VAR_given", "7");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that ends before it has read everything closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn answers(program: &str, installs: bool) -> Vec<Json> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    std::fs::write(folder.join("terraformrc"), "").unwrap();
    for part in std::fs::read_to_string(file("folder.txt")).unwrap().split("--- file ").skip(1) {
        let (path, text) = part.split_once('\n').unwrap();
        std::fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        std::fs::write(folder.join(path), text).unwrap();
    }
    if installs {
        run(program, folder, &["init"], "");
    }
    let mut flags: Vec<&str> = Vec::new();
    let mut answers = Vec::new();
    let lines = std::fs::read_to_string(file("lines.txt")).unwrap();
    for line in lines.lines().filter(|line| !line.starts_with("# Lines")) {
        if let Some(part) = line.strip_prefix("== ") {
            flags = part.split(' ').filter(|word| word.starts_with('-')).collect();
            if part == "after an apply" {
                let (code, _, said) = run(program, folder, &["apply", "-auto-approve"], "");
                assert_eq!(code, Some(0), "{said}");
            }
            continue;
        }
        let mut arguments = vec!["console", "-no-color"];
        arguments.extend(&flags);
        let (code, out, said) = run(program, folder, &arguments, &format!("{}\n", line.replace('⏎', "\n")));
        let errors: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("Error: ")).collect();
        answers.push(json!({ "line": line, "code": code, "out": out, "errors": errors }));
    }
    answers
}

#[test]
fn the_console_prints_what_terraforms_prints() {
    let expect: Vec<Json> = serde_json::from_slice(&std::fs::read(file("answers.json")).unwrap()).unwrap();
    let got = answers(env!("CARGO_BIN_EXE_infra"), false);
    assert_eq!(got.len(), expect.len(), "lines were added: just conformance");
    let mut failed = Vec::new();
    for (got, expect) in got.iter().zip(&expect) {
        if got != expect {
            failed.push(format!("terraform: {expect}\n  infra:     {got}"));
        }
    }
    assert!(failed.is_empty(), "{} differ:\n{}", failed.len(), failed.join("\n"));
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_console_lines() {
    let answers = answers("terraform", true);
    std::fs::write(file("answers.json"), serde_json::to_string_pretty(&answers).unwrap() + "\n").unwrap();
}
