//! `validate -json` beside the real `terraform`, field by field: `validate/NAME.txt` is a folder, `validate/NAME.json` what
//! terraform says of it. Only the words of details are ours. `just conformance` records anew.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

/// Fields of the snippet that are another ones on purpose: case, field, and why.
const KNOWN: &[(&str, &str, &str)] = &[
    ("an_error_over_lines", "code", WHOLE),
    ("an_error_over_lines", "start_line", WHOLE),
    ("an_error_over_lines", "highlight_start_offset", WHOLE),
    ("an_error_over_lines", "highlight_end_offset", WHOLE),
    ("json_with_an_error", "context", "references are checked when it is forgotten that the block was JSON"),
    ("too_many_arguments", "function_call", "the signature of a function is not told"),
    ("too_many_arguments", "range", QUOTES),
    ("too_many_arguments", "highlight_start_offset", QUOTES),
    ("too_many_arguments", "highlight_end_offset", QUOTES),
];

const WHOLE: &str = "terraform shows the whole expression, we show the line";
const QUOTES: &str = "terraform means a text without its quotes";

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/validate");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "txt")).collect();
    cases.sort();
    assert!(cases.len() >= 12);
    cases
}

/// What a program says of the folder of a case.
fn validated(program: &str, case: &Path, installs: bool) -> Json {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    std::fs::write(folder.join("terraformrc"), "").unwrap();
    for part in std::fs::read_to_string(case).unwrap().split("--- file ").skip(1) {
        let (path, text) = part.split_once('\n').unwrap();
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let call = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
        command.env("CHECKPOINT_DISABLE", "1").env("TF_CLI_CONFIG_FILE", folder.join("terraformrc"));
        command.output().unwrap()
    };
    if installs {
        call(&["init"]);
    }
    let output = call(&["validate", "-json"]);
    let said: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.success(), said["valid"] == true);
    said
}

#[test]
fn what_is_wrong_is_said_in_terraforms_fields() {
    let mut failed = Vec::new();
    for path in cases() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let expect: Json = serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
        let got = validated(env!("CARGO_BIN_EXE_infra"), &path, false);
        for field in ["format_version", "valid", "error_count", "warning_count"] {
            compare(&name, field, &got[field], &expect[field], &mut failed);
        }
        let diagnostics = |json: &Json| json["diagnostics"].as_array().unwrap().clone();
        for (got, expect) in diagnostics(&got).iter().zip(&diagnostics(&expect)) {
            for field in ["severity", "summary", "address", "range"] {
                compare(&name, field, &got[field], &expect[field], &mut failed);
            }
            let fields = expect["snippet"].as_object().into_iter().flatten().map(|(field, _)| field.as_str());
            for field in fields.chain(["values"]) {
                compare(&name, field, &got["snippet"][field], &expect["snippet"][field], &mut failed);
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn compare(case: &str, field: &str, got: &Json, expect: &Json, failed: &mut Vec<String>) {
    let known = KNOWN.iter().any(|known| (known.0, known.1) == (case, field));
    if (got == expect) == known {
        failed.push(format!("{case}, {field} (known: {known})\n  terraform: {expect}\n  infra:     {got}"));
    }
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_validations() {
    for path in cases() {
        let said = validated("terraform", &path, true);
        std::fs::write(path.with_extension("json"), serde_json::to_string_pretty(&said).unwrap() + "\n").unwrap();
    }
}
