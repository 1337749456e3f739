//! The project file: layers, environments, phases, gates, shared providers, and where state lies.
//!
//! In: the parsed `infra.hcl` and the flags. Out: a [`Config`] of the chosen environment. Not here: order of phases and
//! references between layers (`graph`), what a gate does (`gate`).

mod choose;
mod phase;
mod read;
mod state;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::addr::{LayerName, Name};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::lang::syntax::ast::Body;

use super::assign::{Assignments, Surroundings, deprecated, find_var_file};
use super::block::text_of;
use super::files::{normal, relative};
use super::global::{GLOBAL, GlobalLayer, LayerScope};
use super::load::{Given, LoadOptions, data_folder};
use super::model::{Config, Layer, Phase, ProjectFile, StateSettings};
use super::tree::Tree;
use super::undeclared::undeclared_in_project;
use super::workspace::{environment_file, remembered};
use read::{Blocks, EnvironmentBlock, LayerBlock};
use state::States;

/// The folders of the layers, as far as they are written out.
pub fn sources(body: &Body, dir: &Path) -> Vec<PathBuf> {
    let layers = body.blocks_of("layer").filter_map(|block| block.body.attribute("source"));
    layers.filter_map(|source| text_of(&source.expr)).map(|source| normal(&dir.join(source.as_str()))).collect()
}

/// The layers with their folders, as far as these are written out.
pub fn layers(body: &Body, dir: &Path) -> Vec<(LayerName, PathBuf)> {
    let one = |block: &std::sync::Arc<crate::lang::syntax::ast::Block>| {
        let source = text_of(&block.body.attribute("source")?.expr)?;
        Some((LayerName(block.labels.first()?.text.clone()), normal(&dir.join(source.as_str()))))
    };
    body.blocks_of("layer").filter_map(one).collect()
}

/// The environments that a project declares, and the one that is chosen, if any is.
pub fn environments(
    options: &LoadOptions,
    dir: &Path,
    body: &Body,
    said: &mut Diagnostics,
) -> (Vec<String>, Option<String>) {
    let blocks = read::blocks(options, dir, body, said);
    let names: Vec<String> = blocks.environments.iter().map(|environment| environment.name.to_string()).collect();
    if names.is_empty() {
        return (vec!["default".to_owned()], Some("default".to_owned()));
    }
    // That none is chosen is nothing wrong here, and neither is one that the project has no more.
    let chosen = choose::environment(options, dir, &blocks.environments).value.flatten();
    let chosen = chosen.map(|chosen| chosen.name.to_string());
    (names, chosen.or_else(|| remembered(options, &environment_file(options, dir))))
}

/// Whether the project can be run for an environment of that name.
///
/// # Errors
/// What is wrong with the name.
pub fn has_environment(options: &LoadOptions, dir: &Path, body: &Body, name: &str) -> Result<(), Diagnostic> {
    // What is wrong with the file is said by whoever loads it.
    let blocks = read::blocks(options, dir, body, &mut Diagnostics::none());
    choose::is_environment(name, &blocks.environments)
}

/// Reads the project in `dir` for the environment that the flags choose.
pub fn load(options: &LoadOptions, dir: &Path, body: &Body) -> Outcome<Config> {
    let mut said = Diagnostics::none();
    let blocks = read::blocks(options, dir, body, &mut said);
    if !options.backend_config.is_empty() {
        let detail = "-backend-config belongs to a single folder. Where a project's state lies is told by its state block, \
                      which can read the environment with env(\"NAME\").";
        said.push(Diagnostic::error("Unexpected -backend-config", detail));
    }
    let run = match run(options, dir, &blocks).take(&mut said) {
        Some(run) if !said.has_errors() => run,
        Some(_) | None => return Outcome::fail(said),
    };
    let around = Arc::new(Surroundings::of(options, blocks.env.clone(), dir));
    let mut tree = Tree::new(options);
    let own = || blocks.layers.iter().filter(|block| run.has(block.scope));
    let below = blocks.layers.iter().filter(|block| !run.has(block.scope) && block.scope == LayerScope::Global);
    let mut layers = Vec::new();
    for block in own() {
        layers.extend(layer(options, dir, block, &run, &around, &mut tree, &mut said));
    }
    if layers.len() == own().count() && !options.only_state {
        said.append(undeclared_in_project(&layers));
    }
    let mut global: Vec<GlobalLayer> =
        below.filter_map(|block| outputs(options, block, &mut tree, &mut said)).collect();
    let states = States::new(options, dir, &blocks, run.environment.as_ref());
    let placed = states.place(&mut said);
    for (name, settings) in placed.own {
        if let Some(layer) = layers.iter_mut().find(|layer| layer.name == name) {
            layer.state = settings;
        } else if let Some(layer) = global.iter_mut().find(|layer| layer.name == name) {
            layer.state = settings;
        }
    }
    let above = if run.global { states.above() } else { Vec::new() };
    let phases = phases(&blocks, &layers, &global, &run, options, &mut said);
    let environment = run.environment.clone().unwrap_or_else(|| Name::from(GLOBAL));
    let config = Config {
        sources: options.sources.clone(),
        project: Some(ProjectFile {
            name: blocks.name.clone(),
            dir: dir.to_owned(),
            environments: blocks.environments.iter().map(|environment| environment.name.clone()).collect(),
            layers: blocks.layers.iter().map(|block| (LayerName(block.name.clone()), block.scope)).collect(),
            global: run.global,
            flags: run.flags(),
        }),
        sandbox: run.block.is_some_and(|environment| environment.sandbox),
        sandbox_dir: dir.join("state").join(format!("sandbox-{environment}")),
        environment,
        layers,
        phases,
        shared_providers: blocks.providers,
        env: blocks.env,
        working_dir: options.working_dir.clone(),
        workspaces: None,
        global,
        above,
        undeclared: placed.undeclared,
        state_from: None,
    };
    if said.has_errors() { Outcome { value: None, said } } else { Outcome::with(config, said) }
}

/// What a run is about: an environment, or the layers that exist once for all of them.
struct Run<'a> {
    global: bool,
    /// The environment; `None` where the global layers are run by themselves.
    environment: Option<Name>,
    /// Its block, if the project declares any.
    block: Option<&'a EnvironmentBlock>,
}

impl Run<'_> {
    /// Whether layers that exist that often are the run's own.
    fn has(&self, scope: LayerScope) -> bool {
        self.global == (scope == LayerScope::Global)
    }

    fn flags(&self) -> String {
        let mut flags = Vec::new();
        if self.global {
            flags.push("-global".to_owned());
        }
        if let (Some(_), Some(environment)) = (self.block, &self.environment) {
            flags.push(format!("-env {environment}"));
        }
        flags.join(" ")
    }
}

fn run<'a>(options: &LoadOptions, dir: &Path, blocks: &'a Blocks) -> Outcome<Run<'a>> {
    let global = options.global;
    let any = blocks.layers.iter().any(|layer| layer.scope == LayerScope::Global);
    if global && !any {
        let detail = "Every layer of this project exists once per environment. Choose an environment with -env NAME; a layer that is to \
                      exist once for all of them says scope = \"global\".";
        return Diagnostic::error("No global layers", detail).into();
    }
    if any && blocks.environments.iter().any(|environment| environment.name == GLOBAL) {
        let detail = "An environment cannot be called \"global\" where there are global layers: that name stands in the keys of their \
                      states. Give it another name.";
        return Diagnostic::error("Reserved name of an environment", detail).into();
    }
    let chosen = match global {
        true => choose::beside_global(options, dir, &blocks.environments),
        false => choose::environment(options, dir, &blocks.environments),
    };
    chosen.map(|chosen| {
        let block = chosen.as_ref().map(|chosen| &blocks.environments[chosen.at]);
        let environment = chosen.map(|chosen| chosen.name).or_else(|| (!global).then(|| Name::from("default")));
        Run { global, environment, block }
    })
}

/// The phases in which something of the run's layers can be, without what belongs to others.
fn phases(
    blocks: &Blocks,
    layers: &[Layer],
    global: &[GlobalLayer],
    run: &Run<'_>,
    options: &LoadOptions,
    said: &mut Diagnostics,
) -> Vec<Phase> {
    let roots = layers.iter().map(|layer| (&layer.name, &*layer.root));
    let roots = roots.chain(global.iter().map(|layer| (&layer.name, &*layer.root))).collect();
    let scopes = phase::Scopes { declared: &blocks.layers, roots, global: run.global };
    let phases = phase::read(&blocks.phases, &scopes, &options.sources, said);
    if phases.is_empty() {
        return vec![Phase { name: Name::from(""), include: Vec::new(), gates: Vec::new(), span: None }];
    }
    phases
}

/// A global layer as far as a run of an environment needs it.
fn outputs(
    options: &LoadOptions,
    block: &LayerBlock,
    tree: &mut Tree<'_>,
    said: &mut Diagnostics,
) -> Option<GlobalLayer> {
    let Some(root) = tree.outputs(&block.dir, said) else {
        without_configuration(options, block, said);
        return None;
    };
    Some(GlobalLayer {
        name: LayerName(block.name.clone()),
        root: Arc::new(root),
        state: StateSettings::Local { path: PathBuf::new() },
        stored: OnceLock::new(),
        span: block.span,
    })
}

fn without_configuration(options: &LoadOptions, block: &LayerBlock, said: &mut Diagnostics) {
    let shown = relative(&block.dir, &options.working_dir);
    let detail =
        format!("The folder {} of layer {:?} has no configuration files (.tf).", shown.display(), block.name.as_str());
    said.push(Diagnostic::error("Layer without configuration", detail).at(block.source));
}

/// Loads a layer's modules and gathers what is assigned to its variables. Where its state lies is filled in later.
fn layer(
    options: &LoadOptions,
    project: &Path,
    block: &LayerBlock,
    run: &Run<'_>,
    around: &Arc<Surroundings>,
    tree: &mut Tree<'_>,
    said: &mut Diagnostics,
) -> Option<Layer> {
    let mut assignments = Assignments::new(around.clone());
    let reading = options.reading();
    assignments.add_process_env(options);
    assignments.add_folder(&reading, &block.dir, said);
    let listed = || block.var_files.iter().chain(run.block.iter().flat_map(|environment| &environment.var_files));
    for (path, _) in listed() {
        assignments.add_file(&reading, path, said);
    }
    for given in &options.given {
        // The file that chose the environment is one of its own: naming it is no second assignment.
        let own = match given {
            Given::File(path) => find_var_file(options, path, Some(project)),
            Given::Var { .. } => None,
        };
        if own.is_none_or(|own| !listed().any(|(path, _)| *path == own)) {
            assignments.add_given(options, given, Some(project), said);
        }
    }
    let before = said.0.len();
    let data = data_folder(options, &block.dir, Some(&block.name));
    let Some(root) = tree.root(&block.dir, &data, &assignments, said) else {
        if said.0.len() == before {
            without_configuration(options, block, said);
        }
        return None;
    };
    if let Some(backend) = &root.backend {
        let detail = "Where the state of a layer lies is told by the project's state block. The layer's own backend has no effect here.";
        said.push(Diagnostic::warning("Backend configuration ignored", detail).at(backend.span));
    }
    said.append(deprecated(&assignments, &root.module));
    Some(Layer {
        name: LayerName(block.name.clone()),
        dir: block.dir.clone(),
        data,
        root: root.module,
        state: StateSettings::Local { path: PathBuf::new() },
        assignments,
        span: Some(block.span),
    })
}
