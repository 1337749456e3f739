//! Which environment a run is for: `-env`, a `-var-file` that belongs to one, or what `workspace select` remembered.

use std::path::Path;

use crate::addr::Name;
use crate::diag::{Diagnostic, Diagnostics, Outcome, did_you_mean};

use super::super::assign::{find_var_file, missing_var_file};
use super::super::files::relative;
use super::super::load::{Given, LoadOptions};
use super::super::workspace::{DEFAULT_WORKSPACE, environment_file, remembered};
use super::read::EnvironmentBlock;

/// The environment of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chosen {
    /// The index of its block.
    pub at: usize,
    /// Its name, with the instance where there are several: `test/123`.
    pub name: Name,
}

/// The chosen environment; `None` inside when the project declares none.
pub fn environment(options: &LoadOptions, dir: &Path, declared: &[EnvironmentBlock]) -> Outcome<Option<Chosen>> {
    let mut said = Diagnostics::none();
    let files = files(options, dir, declared, &mut said);
    if said.has_errors() {
        return Outcome::fail(said);
    }
    let chosen = match &options.environment {
        Some(name) => named(name, declared),
        None if declared.is_empty() => Ok(None),
        None if files.iter().all(|file| file.belongs.is_empty()) => by_memory(options, dir, declared),
        None => by_files(&files, declared).and_then(|at| instance_of(at, None, declared)).map(Some),
    };
    let chosen = match chosen {
        Ok(chosen) => chosen,
        Err(diagnostic) => return diagnostic.into(),
    };
    let name = chosen.as_ref().map_or("default", |chosen| chosen.name.as_str());
    let elsewhere = |file: &&VarFile| {
        let at = chosen.as_ref().map(|chosen| chosen.at);
        at.is_some_and(|at| !file.belongs.is_empty() && !file.belongs.contains(&at))
    };
    if let Some(file) = files.iter().find(elsewhere) {
        let flag = format!("-env {name} chooses {name}");
        return contradiction(&flag, file, declared).into();
    }
    if let Some(workspace) =
        options.process_env.get("TF_WORKSPACE").filter(|workspace| !workspace.is_empty() && *workspace != name)
    {
        let detail = format!(
            "The environment is {name}, but TF_WORKSPACE is {workspace:?}. Unset it, or choose that environment."
        );
        return Diagnostic::error("Contradicting environments", detail).into();
    }
    Outcome::ok(chosen)
}

/// The environment that the global layers are run with: none, unless `-env` names one whose state is local. What has local
/// state is cut off from what others share, and so has global layers of its own.
pub fn beside_global(options: &LoadOptions, dir: &Path, declared: &[EnvironmentBlock]) -> Outcome<Option<Chosen>> {
    let mut said = Diagnostics::none();
    let files = files(options, dir, declared, &mut said);
    if said.has_errors() {
        return Outcome::fail(said);
    }
    let chosen = match options.environment.as_deref().map(|name| named(name, declared)) {
        None => None,
        Some(Ok(chosen)) => chosen,
        Some(Err(diagnostic)) => return diagnostic.into(),
    };
    if let Some(chosen) = chosen.as_ref().filter(|chosen| !declared[chosen.at].local_state) {
        let detail = format!(
            "-global chooses the layers that exist once for all environments, -env {} those of one environment. Leave out one of the \
             two. (Only an environment with state = \"local\" has global layers of its own, for which both are given.)",
            chosen.name
        );
        return Diagnostic::error("Contradicting environments", detail).into();
    }
    let at = chosen.as_ref().map(|chosen| chosen.at);
    let elsewhere = |file: &&VarFile| !file.belongs.is_empty() && !at.is_some_and(|at| file.belongs.contains(&at));
    if let Some(file) = files.iter().find(elsewhere) {
        return contradiction("-global chooses the layers that exist once for all environments", file, declared).into();
    }
    Outcome::ok(chosen)
}

/// A `-var-file` and the environments it belongs to.
struct VarFile {
    shown: String,
    belongs: Vec<usize>,
}

fn files(options: &LoadOptions, dir: &Path, declared: &[EnvironmentBlock], said: &mut Diagnostics) -> Vec<VarFile> {
    let mut files = Vec::new();
    for given in &options.given {
        let Given::File(path) = given else { continue };
        let Some(found) = find_var_file(options, path, Some(dir)) else {
            said.push(missing_var_file(path, Some(dir)));
            continue;
        };
        let stem = found.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stem = stem.trim_end_matches(".json").trim_end_matches(".tfvars");
        let belongs = |environment: &EnvironmentBlock| {
            environment.name == *stem || environment.var_files.iter().any(|(listed, _)| *listed == found)
        };
        let belongs = declared.iter().enumerate().filter(|(_, environment)| belongs(environment)).map(|(at, _)| at);
        files.push(VarFile { shown: path.display().to_string(), belongs: belongs.collect() });
    }
    files
}

/// Whether the project can be asked to run for that environment: one of its own, or none at all under the name `default`.
///
/// # Errors
/// What is wrong with the name.
pub fn is_environment(name: &str, declared: &[EnvironmentBlock]) -> Result<(), Diagnostic> {
    if name == DEFAULT_WORKSPACE { Ok(()) } else { named(name, declared).map(|_| ()) }
}

fn named(name: &str, declared: &[EnvironmentBlock]) -> Result<Option<Chosen>, Diagnostic> {
    let (block, instance) = match name.split_once('/') {
        Some((block, instance)) => (block, Some(instance)),
        None => (name, None),
    };
    if let Some(at) = declared.iter().position(|environment| environment.name == *block) {
        return instance_of(at, instance, declared).map(Some);
    }
    if declared.is_empty() {
        if name == "default" {
            return Ok(None);
        }
        let detail = format!("The project declares no environments, so that there is only \"default\", not {name:?}.");
        return Err(Diagnostic::error("Unknown environment", detail));
    }
    let hint = did_you_mean(block, declared.iter().map(|environment| environment.name.as_str()));
    let detail = format!(
        "The project declares no environment {block:?}.{hint} There are: {}.",
        list(0..declared.len(), declared, ", ")
    );
    Err(Diagnostic::error("Unknown environment", detail))
}

/// An environment with or without instances, as its block says.
fn instance_of(at: usize, instance: Option<&str>, declared: &[EnvironmentBlock]) -> Result<Chosen, Diagnostic> {
    let EnvironmentBlock { name, per, .. } = &declared[at];
    match (per, instance) {
        (None, None) => Ok(Chosen { at, name: name.clone() }),
        (None, Some(_)) => {
            let detail = format!("Environment {name} has no instances: its block does not say per = \"…\".");
            Err(Diagnostic::error("Unknown environment", detail))
        }
        (Some(per), None) => {
            let detail = format!("There is one environment {name} per {per}. Choose one: -env {name}/123.");
            Err(Diagnostic::error("No environment chosen", detail))
        }
        (Some(_), Some(instance)) if is_instance(instance) => {
            Ok(Chosen { at, name: format!("{name}/{instance}").as_str().into() })
        }
        (Some(_), Some(instance)) => {
            let detail = format!(
                "{instance:?} cannot name an instance of environment {name}: its name becomes part of folders and of the keys of \
                 states. Use letters, digits, dots, dashes and underscores, at most 64, a letter or a digit first."
            );
            Err(Diagnostic::error("Invalid environment name", detail))
        }
    }
}

fn is_instance(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain)
}

/// The environment that `workspace select` chose. `default` is no choice where no environment is called so.
fn by_memory(options: &LoadOptions, dir: &Path, declared: &[EnvironmentBlock]) -> Result<Option<Chosen>, Diagnostic> {
    let file = environment_file(options, dir);
    match remembered(options, &file) {
        Some(name) if name != DEFAULT_WORKSPACE || has(&name, declared) => {
            named(&name, declared).map_err(|mut unknown| {
                let shown = relative(&file, &options.working_dir);
                unknown.detail.push_str(&format!(
                " {name:?} was chosen before and is kept in {}: choose another one with infra workspace select NAME.",
                shown.display()
            ));
                unknown
            })
        }
        Some(_) | None => Err(none_chosen(declared)),
    }
}

fn none_chosen(declared: &[EnvironmentBlock]) -> Diagnostic {
    let detail = format!(
        "This project has the environments {}. Choose one with -env NAME, with a -var-file that belongs to one, or for all \
         commands to come with infra workspace select NAME.",
        list(0..declared.len(), declared, ", ")
    );
    Diagnostic::error("No environment chosen", detail)
}

fn has(name: &str, declared: &[EnvironmentBlock]) -> bool {
    declared.iter().any(|environment| environment.name == *name)
}

/// The one environment that every file with a home belongs to.
fn by_files(files: &[VarFile], declared: &[EnvironmentBlock]) -> Result<usize, Diagnostic> {
    let mut homes = files.iter().filter(|file| !file.belongs.is_empty());
    let Some(first) = homes.next() else { return Err(none_chosen(declared)) };
    let mut left = first.belongs.clone();
    for file in homes {
        let shared: Vec<usize> = left.iter().copied().filter(|at| file.belongs.contains(at)).collect();
        if shared.is_empty() {
            let flag = format!("-var-file {} belongs to {}", first.shown, list(left, declared, " and "));
            return Err(contradiction(&flag, file, declared));
        }
        left = shared;
    }
    match left[..] {
        [at] => Ok(at),
        _ => {
            let detail = format!(
                "-var-file {} belongs to the environments {}. Choose one of them with -env NAME.",
                first.shown,
                list(left, declared, " and ")
            );
            Err(Diagnostic::error("Several environments", detail))
        }
    }
}

fn contradiction(chosen: &str, file: &VarFile, declared: &[EnvironmentBlock]) -> Diagnostic {
    let others = list(file.belongs.iter().copied(), declared, " and ");
    let detail = format!("{chosen}, but -var-file {} belongs to {others}. A run is for one environment.", file.shown);
    Diagnostic::error("Contradicting environments", detail)
}

fn list(indexes: impl IntoIterator<Item = usize>, declared: &[EnvironmentBlock], separator: &str) -> String {
    indexes.into_iter().map(|at| declared[at].name.as_str()).collect::<Vec<_>>().join(separator)
}
