//! Where the state of each layer lies.

use std::path::{Path, PathBuf};

use crate::addr::{LayerName, Name};
use crate::diag::{Diagnostic, Diagnostics, Outcome, Span};

use super::super::assign::Surroundings;
use super::super::backend::{Arguments, check_distinct, local_path};
use super::super::global::{Above, GLOBAL, INSTANCE, LayerScope, Place, Undeclared};
use super::super::load::LoadOptions;
use super::super::model::StateSettings;
use super::super::scope::{StateScope, context};
use super::read::{Blocks, EnvironmentBlock, LayerBlock};

/// The folder of local state, in the project's folder.
const FOLDER: &str = "state";

/// Where states lie.
pub struct Placed {
    /// Those of the run's layers, and of the global layers below them.
    pub own: Vec<(LayerName, StateSettings)>,
    /// Those of layers that the project does not have.
    pub undeclared: Option<Undeclared>,
}

/// Knows where states lie.
pub struct States<'a> {
    options: &'a LoadOptions,
    blocks: &'a Blocks,
    /// The project's folder.
    dir: &'a Path,
    around: Surroundings,
    /// The run's environment; `None` where it is one of the global layers alone.
    environment: Option<&'a Name>,
    /// Whether the state of the run is local whatever the state block says.
    local: bool,
}

impl<'a> States<'a> {
    /// Those of a run of an environment, or of the global layers.
    pub fn new(options: &'a LoadOptions, dir: &'a Path, blocks: &'a Blocks, environment: Option<&'a Name>) -> Self {
        let around = Surroundings::of(options, blocks.env.clone(), dir);
        let own = environment.map(|name| name.split('/').next().unwrap_or_default());
        let local = blocks.environments.iter().any(|known| Some(known.name.as_str()) == own && known.local_state);
        States { options, blocks, dir, around, environment, local }
    }

    /// Where the state of one layer lies for an environment whose state is of the same kind as the run's.
    fn settings(&self, layer: &LayerBlock, environment: &str) -> Outcome<StateSettings> {
        let environment = match layer.scope {
            LayerScope::Environment => Name::from(environment),
            LayerScope::Global => Name::from(GLOBAL),
        };
        let default = |folder: PathBuf| StateSettings::Local { path: local_path(&folder, &layer.name, &environment) };
        let Some(block) = self.block() else { return Outcome::ok(default(self.dir.join(FOLDER))) };
        let mut said = Diagnostics::none();
        let scope = StateScope {
            environment: &environment,
            layer: &layer.name,
            scope: layer.scope,
            context: context(&self.around),
        };
        let within = super::super::shape::describe(block);
        let arguments = Arguments::read(&block.body, block.header, &within, &scope, &mut said);
        if said.has_errors() {
            return Outcome::fail(said);
        }
        if block.labels[0].text == "s3" {
            let key = format!("{}-{environment}.tfstate", layer.name);
            return arguments.s3(&self.options.process_env, Some(key));
        }
        arguments.local_folder().map(|folder| default(self.dir.join(folder.as_deref().unwrap_or(FOLDER))))
    }

    fn block(&self) -> Option<&'a std::sync::Arc<crate::lang::syntax::ast::Block>> {
        if self.options.needs_state && !self.local { self.blocks.state.as_ref() } else { None }
    }

    /// The environments whose state lies where the run's does.
    fn alike(&self) -> impl Iterator<Item = &'a EnvironmentBlock> {
        let local = self.local;
        self.blocks.environments.iter().filter(move |environment| environment.local_state == local)
    }

    fn layers(&self, scope: LayerScope) -> impl Iterator<Item = &'a LayerBlock> {
        self.blocks.layers.iter().filter(move |layer| layer.scope == scope)
    }

    /// Where the states of the run's layers lie, and of the global layers below them. Says when two layers, of this or of
    /// different environments, would share a state.
    pub fn place(&self, said: &mut Diagnostics) -> Placed {
        let mut placed = Placed { own: Vec::new(), undeclared: None };
        let mut places: Vec<(String, StateSettings, Option<Span>)> = Vec::new();
        let at = |layer: &LayerBlock| self.block().map_or(layer.span, |block| block.header);
        let own = self.environment.map_or("", |name| name.as_str());
        for layer in &self.blocks.layers {
            if layer.scope == LayerScope::Environment && self.options.global {
                continue;
            }
            let before = said.0.len();
            if let Some(settings) = self.settings(layer, own).take(said) {
                places.push((name_of(layer, own), settings.clone(), Some(at(layer))));
                placed.own.push((LayerName(layer.name.clone()), settings));
            }
            // What is wrong with the block is so for every layer: once is enough.
            if said.0[before..].iter().any(Diagnostic::is_error) {
                return placed;
            }
        }
        // An environment with state of its own kind cannot meet this one's; one that cannot be told here is told when it is run.
        let own = own.split('/').next().unwrap_or_default();
        for other in self.alike().filter(|other| self.options.global || other.name != *own) {
            for layer in self.layers(LayerScope::Environment) {
                if let Outcome { value: Some(settings), .. } = self.settings(layer, &other.name) {
                    places.push((name_of(layer, &other.name), settings, Some(at(layer))));
                }
            }
        }
        said.append(check_distinct(places.iter().map(|(name, settings, span)| (name.as_str(), settings, *span))));
        placed.undeclared = self.undeclared(places.into_iter().map(|(_, settings, _)| settings).collect());
        placed
    }

    /// Where a layer would lie that the project does not have. Without a word of what is wrong: that has been said.
    fn undeclared(&self, known: Vec<StateSettings>) -> Option<Undeclared> {
        let any = LayerBlock {
            name: Name::from(INSTANCE),
            scope: if self.options.global { LayerScope::Global } else { LayerScope::Environment },
            ..self.blocks.layers.first()?.clone()
        };
        let settings = self.settings(&any, self.environment.map_or("", |name| name.as_str())).value?;
        let mut elsewhere = Vec::new();
        if self.options.global {
            let any = LayerBlock { scope: LayerScope::Environment, ..any };
            elsewhere.extend(self.alike().filter_map(|other| self.settings(&any, &other.name).value));
        }
        Some(Undeclared { settings, known, elsewhere })
    }

    /// The same for an environment with local state, or for one without.
    fn with(&self, local: bool) -> States<'a> {
        let around = Surroundings::of(self.options, self.blocks.env.clone(), self.dir);
        States { around, local, ..*self }
    }

    /// The states of all environments that read the outputs of these global layers: those that look for them in the same place.
    pub fn above(&self) -> Vec<Above> {
        let Some(global) = self.layers(LayerScope::Global).next() else { return Vec::new() };
        let place = |states: &States<'_>| states.settings(global, GLOBAL).value;
        let default = EnvironmentBlock::undeclared();
        let declared = &self.blocks.environments;
        let all = if declared.is_empty() { std::slice::from_ref(&default) } else { declared };
        let mut above = Vec::new();
        for environment in all {
            let theirs = self.with(environment.local_state);
            if environment.local_state != self.local && place(&theirs) != place(self) {
                continue;
            }
            for layer in self.layers(LayerScope::Environment) {
                let state = match environment.per {
                    None => theirs.settings(layer, &environment.name).map(Place::One),
                    Some(_) => {
                        theirs.settings(layer, &format!("{}/{INSTANCE}", environment.name)).map(Place::Instances)
                    }
                };
                let layer = LayerName(layer.name.clone());
                above.push(Above { environment: environment.name.clone(), layer, state });
            }
        }
        above
    }
}

fn name_of(layer: &LayerBlock, environment: &str) -> String {
    match layer.scope {
        LayerScope::Environment => format!("layer {} of environment {environment}", layer.name),
        LayerScope::Global => format!("the global layer {}", layer.name),
    }
}
