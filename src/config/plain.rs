//! Plain mode: one folder, as Terraform reads it.

use std::path::Path;
use std::sync::Arc;

use crate::addr::{LayerName, Name};
use crate::diag::{Diagnostic, Diagnostics, Outcome};

use super::assign::{Assignments, Surroundings, deprecated};
use super::files::normal;
use super::initialised;
use super::load::{LoadOptions, data_folder};
use super::model::{Config, Layer, Module, Phase, StateSettings, Workspaces};
use super::scope::Env;
use super::tree::{Root, Tree};
use super::undeclared::undeclared_in_folder;

/// Reads the working directory. `project` is the folder of a project above it, whose `envs/` is searched for `-var-file`.
pub fn load(options: &LoadOptions, project: Option<&Path>) -> Outcome<Config> {
    let mut said = Diagnostics::none();
    let dir = &options.working_dir;
    let workspace = super::workspace::chosen_workspace(options);
    if let Some(environment) = options.environment.as_ref().filter(|environment| **environment != workspace) {
        let detail = format!(
            "-env {environment} chooses among the environments of a project, and this folder belongs to none: there is no \
             infra.hcl here or above that has it among its layers. Workspaces of a single folder are chosen with infra \
             workspace select, or TF_WORKSPACE."
        );
        said.push(Diagnostic::error("No project", detail));
    }
    if options.global {
        let detail = "-global chooses the layers of a project that exist once for all environments, and this folder belongs to none.";
        said.push(Diagnostic::error("No project", detail));
    }
    if !options.leaves_workspace && !super::workspace::is_workspace_name(&workspace) {
        said.push(wrong_name(options, &workspace));
    }
    let around = Surroundings::of(options, Env::default(), dir);
    let mut assignments = Assignments::new(Arc::new(around));
    assignments.add_process_env(options);
    let mut of_values = Diagnostics::none();
    assignments.add_folder(&options.reading(), dir, &mut of_values);
    for given in &options.given {
        assignments.add_given(options, given, project, &mut said);
    }
    let data = data_folder(options, dir, None);
    let root = match Tree::new(options).root(dir, &data, &assignments, &mut said) {
        Some(root) => root,
        None if options.may_be_empty || options.only_state => {
            Root { module: Arc::new(Module { dir: dir.clone(), ..Module::default() }), backend: None }
        }
        None => {
            if !said.has_errors() {
                let detail = "This folder has no configuration files (.tf), and there is no infra.hcl here or above. Planning \
                              without a configuration would mark everything for destruction. If that is what you want, run \
                              destroy, which does not require any configuration files.";
                said.push(Diagnostic::error("No configuration files", detail));
            }
            return Outcome::fail(said);
        }
    };
    of_values.append(deprecated(&assignments, &root.module));
    of_values.append(undeclared_in_folder(&assignments, &root.module));
    if options.needs_values && !options.only_state {
        said.append(of_values);
    }
    let (default, workspaces) = match initialised::settings(options, &data, root.backend.as_ref()).take(&mut said) {
        Some(settings) => settings,
        None => {
            let path = dir.join("terraform.tfstate");
            (StateSettings::Local { path }, Workspaces::Folders(dir.join("terraform.tfstate.d")))
        }
    };
    let mut state_from = None;
    let state = match (workspaces.settings(&default, &workspace), &options.state_file) {
        (StateSettings::Local { .. }, Some(path)) => StateSettings::Local { path: normal(&dir.join(path)) },
        (state, _) => state,
    };
    let state = match (state, &options.state_out) {
        (StateSettings::Local { path }, Some(out)) => {
            state_from = Some(path);
            StateSettings::Local { path: normal(&dir.join(out)) }
        }
        (state, _) => state,
    };
    let layer =
        Layer { name: LayerName::plain(), dir: dir.clone(), data, root: root.module, state, assignments, span: None };
    let config = Config {
        sources: options.sources.clone(),
        project: None,
        environment: Name::from(workspace.as_str()),
        sandbox: false,
        sandbox_dir: dir.join("state").join(format!("sandbox-{workspace}")),
        layers: vec![layer],
        phases: vec![Phase { name: Name::from(""), include: Vec::new(), gates: Vec::new(), span: None }],
        shared_providers: Vec::new(),
        env: Env::default(),
        working_dir: dir.clone(),
        workspaces: Some(workspaces),
        global: Vec::new(),
        above: Vec::new(),
        undeclared: None,
        state_from,
    };
    Outcome::with(config, said)
}

/// The chosen workspace cannot be called so: where its name comes from, and how to be rid of it.
fn wrong_name(options: &LoadOptions, workspace: &str) -> Diagnostic {
    let wrong = super::workspace::wrong_workspace_name(workspace);
    if options.process_env.get("TF_WORKSPACE").is_some_and(|name| name == workspace) {
        return Diagnostic::error(
            "Invalid workspace name set using TF_WORKSPACE",
            format!("{wrong} Unset TF_WORKSPACE, or change it."),
        );
    }
    let file = super::workspace::workspace_file(options);
    let detail =
        format!("{wrong} It stands in {}. Choose another one with: infra workspace select default", file.display());
    Diagnostic::error("Invalid workspace name", detail)
}
