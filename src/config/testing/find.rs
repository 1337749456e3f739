//! Which files are tests, and of what.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::addr::LayerName;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::lang::eval::Reference;

use super::super::assign::{Assignments, Surroundings};
use super::super::files::{normal, relative};
use super::super::load::{LoadOptions, PROJECT_FILE, data_folder, find_project};
use super::super::model::Module;
use super::super::project::layers;
use super::super::scope::Env;
use super::super::tree::Tree;
use super::model::{Expected, Folder, Suite};
use super::read;

/// What decides which tests are loaded.
pub struct TestLoad {
    /// The working directory, and what is assigned to variables.
    pub load: LoadOptions,
    /// `-layer`: of a project, only the tests of this one.
    pub layer: Option<String>,
    /// `-test-directory`; `tests` by default.
    pub directory: Option<PathBuf>,
    /// `-filter`: only these files, as seen from the working directory.
    pub filters: Vec<PathBuf>,
}

/// The folder of tests without a word of the user.
const DIRECTORY: &str = "tests";

/// How names of test files end.
const ENDS: &[&str] = &[".tftest.hcl", ".tftest.json", ".tofutest.hcl", ".tofutest.json"];

/// Reads the tests of the working directory: of one folder, or in a project of the folder of each layer.
pub fn load_tests(options: &TestLoad) -> Outcome<Vec<Suite>> {
    let mut said = Diagnostics::none();
    let mut load = options.load.clone();
    load.working_dir = normal(&load.working_dir);
    let directory = options.directory.clone().unwrap_or_else(|| PathBuf::from(DIRECTORY));
    if directory.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        let detail = format!(
            "The folder of tests has to be in the tested folder or below it, and {} is not.",
            directory.display()
        );
        said.push(Diagnostic::error("Invalid testing directory", detail));
        return Outcome::fail(said);
    }
    let Some(folders) = folders(&load, options.layer.as_deref()).take(&mut said) else { return Outcome::fail(said) };
    let mut wanted: Vec<(PathBuf, bool)> =
        options.filters.iter().map(|filter| (normal(&load.working_dir.join(filter)), false)).collect();
    let mut suites = Vec::new();
    for (layer, dir) in &folders {
        suites.push(suite(&load, layer, dir, &directory, &mut wanted, &mut said));
    }
    for (filter, _) in options.filters.iter().zip(&wanted).filter(|(_, (_, met))| !met) {
        let detail =
            format!("-filter={} names no test file of what is tested here: nothing is run for it.", filter.display());
        said.push(Diagnostic::warning("No such test file", detail));
    }
    let missing = |(_, dir): &(LayerName, PathBuf)| load.files.list(&normal(&dir.join(&directory))).is_err();
    if options.directory.is_some() && folders.iter().all(missing) {
        let detail = format!("There is no folder {}, so that no tests come from there.", directory.display());
        said.push(Diagnostic::warning("Test directory does not exist", detail));
    }
    if said.has_errors() { Outcome::fail(said) } else { Outcome::with(suites, said) }
}

/// Says what is wrong with test files, and nothing of the modules that they test.
pub fn check_tests(options: &TestLoad) -> Diagnostics {
    let mut said = Diagnostics::none();
    let mut load = options.load.clone();
    load.working_dir = normal(&load.working_dir);
    let directory = options.directory.clone().unwrap_or_else(|| PathBuf::from(DIRECTORY));
    let Some(folders) = folders(&load, options.layer.as_deref()).take(&mut said) else { return said };
    let mut expected = Diagnostics::none();
    for (_, dir) in folders {
        let given = Assignments::new(Arc::new(Surroundings::of(&load, Env::default(), &dir)));
        let folder = Folder { reading: load.reading(), load: &load, dir: &dir, given: &given };
        let mut tree = Tree::new(&load);
        for (path, in_tests) in paths(&load, &dir, &normal(&dir.join(&directory)), &mut []) {
            let Some(file) = read::file(&path, in_tests, &folder, &mut tree, &mut said) else { continue };
            for run in &file.runs {
                let within = format!("run {:?}", run.name.as_str());
                expected.append(check_expected(&run.expect_failures).located(None, Some(&within)));
            }
        }
    }
    // Of files that cannot be read nobody asks what they expect.
    if !said.has_errors() {
        said.append(expected);
    }
    said
}

/// Says what of `expect_failures` cannot fail at all.
pub fn check_expected(expected: &[Expected]) -> Diagnostics {
    let wrong = expected.iter().filter(|one| !matches!(one.target, Reference::Var(_) | Reference::Resource(_)));
    let say = |one: &Expected| {
        let detail = format!(
            "{} cannot be expected to fail: variables, outputs, resources, data sources and checks of the tested module can.",
            one.target
        );
        Diagnostic::error("Invalid `expect_failures` reference", detail).at(one.span)
    };
    wrong.map(say).collect()
}

/// What is tested: the folders of a project's layers, the layer that the working directory is, or the working directory.
fn folders(load: &LoadOptions, layer: Option<&str>) -> Outcome<Vec<(LayerName, PathBuf)>> {
    let dir = &load.working_dir;
    let mut said = Diagnostics::none();
    let project = find_project(load, &mut said);
    let body = project.as_ref().and_then(|project| load.reading().body(&project.join(PROJECT_FILE), &mut said));
    if said.has_errors() {
        return Outcome::fail(said);
    }
    let layers = match (&project, &body) {
        (Some(project), Some(body)) => layers(body, project),
        _ => Vec::new(),
    };
    if let Some(wanted) = layer {
        let found: Vec<_> = layers.iter().filter(|(name, _)| name.as_str() == wanted).cloned().collect();
        if found.is_empty() {
            let names: Vec<&str> = layers.iter().map(|(name, _)| name.as_str()).collect();
            let detail = format!("There is no layer {wanted:?}. The layers are: {}.", names.join(", "));
            said.push(Diagnostic::error("No such layer", detail));
            return Outcome::fail(said);
        }
        return Outcome::ok(found);
    }
    if let Some(own) = layers.iter().find(|(_, layer)| layer == dir) {
        return Outcome::ok(vec![own.clone()]);
    }
    if project.as_ref() != Some(dir) || layers.is_empty() {
        return Outcome::ok(vec![(LayerName::plain(), dir.clone())]);
    }
    Outcome::ok(layers)
}

/// Reads one folder with its test files.
fn suite(
    load: &LoadOptions,
    layer: &LayerName,
    dir: &Path,
    directory: &Path,
    wanted: &mut [(PathBuf, bool)],
    said: &mut Diagnostics,
) -> Suite {
    let tests = normal(&dir.join(directory));
    let mut given = Assignments::new(Arc::new(Surroundings::of(load, Env::default(), dir)));
    given.add_process_env(load);
    given.add_folder(&load.reading(), dir, said);
    for one in &load.given {
        given.add_given(load, one, None, said);
    }
    let mut given_in_tests = given.clone();
    if tests != dir {
        given_in_tests.add_folder(&load.reading(), &tests, said);
    }
    let mut tree = Tree::new(load);
    let named = (*layer != LayerName::plain()).then_some(layer.as_str());
    let data = data_folder(load, dir, named);
    let root = match tree.root(dir, &data, &given, said) {
        Some(root) => root.module,
        // A folder of tests alone: their runs bring modules of their own.
        None => Arc::new(Module { dir: dir.to_owned(), ..Module::default() }),
    };
    let folder = Folder { reading: load.reading(), load, dir, given: &given };
    let mut files = Vec::new();
    for (path, in_tests) in paths(load, dir, &tests, wanted) {
        files.extend(read::file(&path, in_tests, &folder, &mut tree, said));
    }
    Suite { dir: dir.to_owned(), data, layer: layer.clone(), root, files, given, given_in_tests }
}

/// The test files, each with whether it lies in the folder of tests; sorted as they are shown.
fn paths(load: &LoadOptions, dir: &Path, tests: &Path, wanted: &mut [(PathBuf, bool)]) -> Vec<(PathBuf, bool)> {
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
    if !wanted.is_empty() {
        found.retain(|(path, _)| {
            let filter = wanted.iter_mut().find(|(wanted, _)| wanted == path);
            filter.is_some_and(|(_, met)| {
                *met = true;
                true
            })
        });
    }
    found.sort_by_key(|(path, _)| relative(path, &load.working_dir));
    found
}
