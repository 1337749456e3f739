//! Where the state of each layer lies.

use std::path::{Path, PathBuf};

use crate::addr::Name;
use crate::diag::{Diagnostics, Outcome, Span};

use super::super::assign::Surroundings;
use super::super::backend::{Arguments, check_distinct, local_path};
use super::super::load::LoadOptions;
use super::super::model::{Layer, StateSettings};
use super::super::scope::{StateScope, context};
use super::read::Blocks;

/// The folder of local state, in the project's folder.
const FOLDER: &str = "state";

/// Fills in where the state of every layer of the chosen environment lies. Says when two layers, of this or of different
/// environments, would share a state.
pub fn place(
    options: &LoadOptions,
    dir: &Path,
    blocks: &Blocks,
    environment: &Name,
    layers: &mut [Layer],
    said: &mut Diagnostics,
) {
    // An instance is kept as its environment's block says.
    let block_of = |environment: &Name| environment.split('/').next().unwrap_or_default().to_owned();
    let local = |environment: &Name| {
        let own = block_of(environment);
        blocks.environments.iter().any(|known| known.name == *own && known.local_state)
    };
    let here = if options.needs_state && !local(environment) { blocks.state.as_ref() } else { None };
    let around = Surroundings::of(options, blocks.env.clone(), dir);
    let settings = |environment: &Name, layer: &Name| -> Outcome<StateSettings> {
        let default = |folder: PathBuf| StateSettings::Local { path: local_path(&folder, layer, environment) };
        let Some(block) = here else { return Outcome::ok(default(dir.join(FOLDER))) };
        let mut said = Diagnostics::none();
        let scope = StateScope { environment, layer, context: context(&around) };
        let within = super::super::shape::describe(block);
        let arguments = Arguments::read(&block.body, block.header, &within, &scope, &mut said);
        if said.has_errors() {
            return Outcome::fail(said);
        }
        if block.labels[0].text == "s3" {
            return arguments.s3(&options.process_env, Some(format!("{layer}-{environment}.tfstate")));
        }
        arguments.local_folder().map(|folder| default(dir.join(folder.as_deref().unwrap_or(FOLDER))))
    };
    let mut places: Vec<(String, StateSettings, Option<Span>)> = Vec::new();
    for layer in &mut *layers {
        let before = said.0.len();
        if let Some(found) = settings(environment, &layer.name.0).take(said) {
            layer.state = found;
            let name = format!("layer {} of environment {environment}", layer.name);
            places.push((name, layer.state.clone(), here.map(|block| block.header).or(layer.span)));
        }
        // What is wrong with the block is so for every layer: once is enough.
        if said.0[before..].iter().any(crate::diag::Diagnostic::is_error) {
            return;
        }
    }
    for other in &blocks.environments {
        // An environment with state of its own kind cannot meet this one's; one that cannot be told here is told when it is run.
        if other.name == *block_of(environment) || local(&other.name) != local(environment) {
            continue;
        }
        for layer in &*layers {
            if let Outcome { value: Some(found), .. } = settings(&other.name, &layer.name.0) {
                let name = format!("layer {} of environment {}", layer.name, other.name);
                places.push((name, found, here.map(|block| block.header).or(layer.span)));
            }
        }
    }
    said.append(check_distinct(places.iter().map(|(name, settings, span)| (name.as_str(), settings, *span))));
}
