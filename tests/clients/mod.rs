//! Programs that drive Terraform, driving infra: terraform-exec, the Go library behind many of them.
//!
//! `tests/lab/tools/terraform-exec` holds a program of ours that goes through the library, and brings the library's own
//! end-to-end suite. Both run against the program that this build made, under `INFRA_COMPAT=terraform`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::lab;

/// Scenarios that the driver must at least report on, so that one that silently lost its content is seen.
const SCENARIOS: usize = 21;

/// Tests that the library's suite must at least run.
const SUITE: usize = 85;

/// Tests of the library's suite that fail, each with the reason.
const FAIL: &[(&str, &str)] = &[
    ("TestLockedState", "needs the inmem backend, which exists for Terraform's own tests"),
    ("TestForceUnlock", "needs the inmem backend"),
    ("TestProvidersMirror", "asks the registry for the provider"),
];

fn client(program: &Path) -> (Command, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder.path());
    command.env("USER", "tester").env("TMPDIR", folder.path()).env("INFRA_COMPAT", "terraform");
    (command, folder)
}

fn run(mut command: Command) -> (bool, String) {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

#[test]
fn terraform_exec_drives_folders_and_projects() {
    let Some(tools) = lab::terraform_exec() else { return };
    let (mut command, folder) = client(&tools.driver);
    command.arg(env!("CARGO_BIN_EXE_infra")).arg(folder.path());
    let (passed, text) = run(command);
    assert!(passed, "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("ok ")).count(), SCENARIOS, "{text}");
}

#[test]
fn the_suite_of_terraform_exec_passes() {
    let Some(tools) = lab::terraform_exec() else { return };
    let (mut command, _folder) = client(&tools.suite);
    command.current_dir(&tools.suite_folder).arg("-test.v");
    command.env("TFEXEC_E2ETEST_TERRAFORM_PATH", env!("CARGO_BIN_EXE_infra"));
    let (_, text) = run(command);
    let ended = |how: &str| -> BTreeSet<&str> {
        let lines = text.lines().filter_map(|line| line.strip_prefix("--- ")?.strip_prefix(how)?.strip_prefix(": "));
        lines.filter_map(|line| line.split(' ').next()).collect()
    };
    let (passed, failed) = (ended("PASS"), ended("FAIL"));
    assert!(passed.len() + failed.len() >= SUITE, "only {} tests ran\n{text}", passed.len() + failed.len());
    let known: BTreeSet<&str> = FAIL.iter().map(|(name, _)| *name).collect();
    let new: Vec<_> = failed.difference(&known).collect();
    assert!(new.is_empty(), "these failed: {new:?}\n{text}");
    let mended: Vec<_> = known.intersection(&passed).collect();
    assert!(mended.is_empty(), "these pass now and can leave the table: {mended:?}");
}
