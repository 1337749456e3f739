//! The project file: layers, environments, phases, gates, shared providers, and where state lies.
//!
//! In: the parsed `infra.hcl` and the flags. Out: a [`Config`] of the chosen environment. Not here: order of phases and
//! references between layers (`graph`), what a gate does (`gate`).

mod choose;
mod phase;
mod read;
mod state;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::addr::{LayerName, Name};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::lang::syntax::ast::Body;

use super::assign::{Assignments, Surroundings, deprecated, find_var_file, undeclared_in_project};
use super::block::text_of;
use super::files::{normal, relative};
use super::load::{Given, LoadOptions, data_folder};
use super::model::{Config, Layer, Phase, ProjectFile};
use super::tree::Tree;
use read::{Blocks, EnvironmentBlock, LayerBlock};

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
    // That none is chosen is nothing wrong here.
    let chosen = choose::environment(options, dir, &blocks.environments).value.flatten();
    (names, chosen.map(|chosen| chosen.name.to_string()))
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
    let Some(chosen) = choose::environment(options, dir, &blocks.environments).take(&mut said) else {
        return Outcome::fail(said);
    };
    let environment = chosen.as_ref().map_or_else(|| Name::from("default"), |chosen| chosen.name.clone());
    let chosen = chosen.map(|chosen| &blocks.environments[chosen.at]);
    let around = Arc::new(Surroundings::of(options, blocks.env.clone(), dir));
    let mut tree = Tree::new(options);
    let mut layers = Vec::new();
    for block in &blocks.layers {
        layers.extend(layer(options, dir, block, chosen, &around, &mut tree, &mut said));
    }
    if layers.len() == blocks.layers.len() {
        said.append(undeclared_in_project(&layers));
    }
    state::place(options, dir, &blocks, &environment, &mut layers, &mut said);
    let phases = phases(&blocks, &layers, options, &mut said);
    let config = Config {
        sources: options.sources.clone(),
        project: Some(ProjectFile {
            name: blocks.name.clone(),
            dir: dir.to_owned(),
            environments: blocks.environments.iter().map(|environment| environment.name.clone()).collect(),
        }),
        sandbox: chosen.is_some_and(|environment| environment.sandbox),
        sandbox_dir: dir.join("state").join(format!("sandbox-{environment}")),
        environment,
        layers,
        phases,
        shared_providers: blocks.providers,
        env: blocks.env,
        working_dir: options.working_dir.clone(),
        workspaces: None,
    };
    if said.has_errors() { Outcome { value: None, said } } else { Outcome::with(config, said) }
}

fn phases(blocks: &Blocks, layers: &[Layer], options: &LoadOptions, said: &mut Diagnostics) -> Vec<Phase> {
    let phases = phase::read(&blocks.phases, &blocks.layers, layers, &options.sources, said);
    if phases.is_empty() {
        return vec![Phase { name: Name::from(""), include: Vec::new(), gates: Vec::new(), span: None }];
    }
    phases
}

/// Loads a layer's modules and gathers what is assigned to its variables. Where its state lies is filled in later.
fn layer(
    options: &LoadOptions,
    project: &Path,
    block: &LayerBlock,
    chosen: Option<&EnvironmentBlock>,
    around: &Arc<Surroundings>,
    tree: &mut Tree<'_>,
    said: &mut Diagnostics,
) -> Option<Layer> {
    let mut assignments = Assignments::new(around.clone());
    let reading = options.reading();
    assignments.add_process_env(options);
    assignments.add_folder(&reading, &block.dir, said);
    let listed = chosen.map_or(&[][..], |environment| &environment.var_files);
    for (path, _) in listed {
        assignments.add_file(&reading, path, said);
    }
    for given in &options.given {
        // The file that chose the environment is one of its own: naming it is no second assignment.
        let own = match given {
            Given::File(path) => find_var_file(options, path, Some(project)),
            Given::Var { .. } => None,
        };
        if own.is_none_or(|own| !listed.iter().any(|(path, _)| *path == own)) {
            assignments.add_given(options, given, Some(project), said);
        }
    }
    let before = said.0.len();
    let data = data_folder(options, &block.dir, Some(&block.name));
    let Some(root) = tree.root(&block.dir, &data, &assignments, said) else {
        if said.0.len() == before {
            let shown = relative(&block.dir, &options.working_dir);
            let detail = format!(
                "The folder {} of layer {:?} has no configuration files (.tf).",
                shown.display(),
                block.name.as_str()
            );
            said.push(Diagnostic::error("Layer without configuration", detail).at(block.source));
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
        state: super::model::StateSettings::Local { path: PathBuf::new() },
        assignments,
        span: Some(block.span),
    })
}
