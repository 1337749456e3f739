//! Which files are tests, and of what.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Outcome};

use super::super::assign::{Assignments, Surroundings};
use super::super::files::{normal, relative};
use super::super::load::LoadOptions;
use super::super::model::Module;
use super::super::scope::Env;
use super::super::tree::{Root, Tree};
use super::model::Suite;
use super::read;

/// What decides which tests are loaded.
pub struct TestLoad {
    /// The folder, and what is assigned to its variables.
    pub load: LoadOptions,
    /// `-test-directory`; `tests` by default.
    pub directory: Option<PathBuf>,
    /// `-filter`: only these files, as seen from the working directory.
    pub filters: Vec<PathBuf>,
}

/// The folder of tests without a word of the user.
const DIRECTORY: &str = "tests";

/// How names of test files end.
const ENDS: &[&str] = &[".tftest.hcl", ".tftest.json", ".tofutest.hcl", ".tofutest.json"];

/// Reads a folder with its test files.
pub fn load_tests(options: &TestLoad) -> Outcome<Suite> {
    let mut said = Diagnostics::none();
    let mut load = options.load.clone();
    load.working_dir = normal(&load.working_dir);
    let dir = load.working_dir.clone();
    let directory = options.directory.clone().unwrap_or_else(|| PathBuf::from(DIRECTORY));
    if directory.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        let detail = format!(
            "The folder of tests has to be in the working directory or below, and {} is not.",
            directory.display()
        );
        said.push(Diagnostic::error("Invalid testing directory", detail));
        return Outcome::fail(said);
    }
    let tests = normal(&dir.join(&directory));
    if options.directory.is_some() && load.files.list(&tests).is_err() {
        let detail = format!("There is no folder {}, so that no tests come from there.", directory.display());
        said.push(Diagnostic::warning("Test directory does not exist", detail));
    }
    let mut tree = Tree::new(load.reading());
    let Root { module, backend } = match tree.root(&dir, &mut said) {
        Some(root) => root,
        // A folder of tests alone: their runs bring modules of their own.
        None => Root { module: Arc::new(Module { dir: dir.clone(), ..Module::default() }), backend: None },
    };
    let mut files = Vec::new();
    for (path, in_tests) in paths(&load, &dir, &tests, &options.filters, &mut said) {
        files.extend(read::file(&path, in_tests, &load.reading(), &mut tree, &mut said));
    }
    let mut given = Assignments::new(Arc::new(Surroundings::of(&load, Env::default(), &dir)));
    given.add_process_env(&load);
    given.add_folder(&load.reading(), &dir, &mut said);
    for one in &load.given {
        given.add_given(&load, one, None, &mut said);
    }
    let mut given_in_tests = given.clone();
    if tests != dir {
        given_in_tests.add_folder(&load.reading(), &tests, &mut said);
    }
    if said.has_errors() {
        return Outcome::fail(said);
    }
    Outcome::with(Suite { root: module, backend, files, given, given_in_tests }, said)
}

/// The test files, each with whether it lies in the folder of tests; sorted as they are shown.
fn paths(
    load: &LoadOptions,
    dir: &Path,
    tests: &Path,
    filters: &[PathBuf],
    said: &mut Diagnostics,
) -> Vec<(PathBuf, bool)> {
    let in_folder = |folder: &Path, in_tests: bool| -> Vec<(PathBuf, bool)> {
        let entries = load.files.list(folder).unwrap_or_default();
        let tests = entries.into_iter().filter(|entry| {
            let hidden = entry.name.starts_with('.') || entry.name.ends_with('~');
            !entry.is_dir && !hidden && ENDS.iter().any(|end| entry.name.ends_with(end))
        });
        tests.map(|entry| (folder.join(entry.name), in_tests)).collect()
    };
    let mut found = in_folder(dir, tests == dir);
    if tests != dir {
        found.extend(in_folder(tests, true));
    }
    if !filters.is_empty() {
        let wanted: Vec<PathBuf> = filters.iter().map(|filter| normal(&dir.join(filter))).collect();
        for (filter, path) in filters.iter().zip(&wanted) {
            if !found.iter().any(|(known, _)| known == path) {
                let detail = format!(
                    "-filter={} names no test file of the working directory or its folder of tests: nothing is run for it.",
                    filter.display()
                );
                said.push(Diagnostic::warning("No such test file", detail));
            }
        }
        found.retain(|(path, _)| wanted.contains(path));
    }
    found.sort_by_key(|(path, _)| relative(path, dir));
    found
}
