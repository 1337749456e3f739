//! `fmt` beside the real `terraform`: `fmt/NAME.ugly` is a file, `fmt/NAME.tidy` what terraform makes of it. `just conformance`
//! records anew.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/fmt");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "ugly")).collect();
    cases.sort();
    assert!(cases.len() >= 8);
    cases
}

/// What a program makes of a text.
fn formatted(program: &str, text: &[u8]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.args(["fmt", "-no-color", "-"]).current_dir(dir.path()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", dir.path());
    command.env("CHECKPOINT_DISABLE", "1");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(text));
    output.stdout
}

#[test]
fn files_are_formatted_as_by_terraform() {
    for path in cases() {
        let tidy = std::fs::read(path.with_extension("tidy")).unwrap();
        let got = formatted(env!("CARGO_BIN_EXE_infra"), &std::fs::read(&path).unwrap());
        let (got, tidy) = (String::from_utf8(got).unwrap(), String::from_utf8(tidy).unwrap());
        let differs = got.lines().zip(tidy.lines()).find(|(got, tidy)| got != tidy);
        assert!(got == tidy, "{}: {differs:?}", path.display());
    }
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_formats() {
    for path in cases() {
        let tidy = formatted("terraform", &std::fs::read(&path).unwrap());
        std::fs::write(path.with_extension("tidy"), tidy).unwrap();
    }
}
