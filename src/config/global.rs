//! Layers that exist once for all environments.
//!
//! A run of an environment reads the stored outputs of global layers and changes nothing of them; a run of the global layers
//! (`-global`) has only these.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::addr::{LayerName, Name};
use crate::diag::{Outcome, Span};
use crate::value::Value;

use super::model::{Module, StateSettings};

/// What stands for the environment's name where the state of a global layer lies.
pub const GLOBAL: &str = "global";

/// An instance that no environment has, and a layer that no project has: where this stands in a key, the key of any other one
/// has its name.
pub const INSTANCE: &str = "infra0any0instance";

/// How often a layer exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LayerScope {
    /// Once for each environment.
    #[default]
    Environment,
    /// Once for all of them.
    Global,
}

impl std::fmt::Display for LayerScope {
    /// As `layer.scope` says it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            LayerScope::Environment => "environment",
            LayerScope::Global => GLOBAL,
        })
    }
}

/// A global layer as a run of an environment sees it.
#[derive(Debug)]
pub struct GlobalLayer {
    /// Its name.
    pub name: LayerName,
    /// Its root module without what that calls: which outputs there are.
    pub root: Arc<Module>,
    /// Where its state lies.
    pub state: StateSettings,
    /// The stored outputs, once somebody has read them: a configuration that is only checked does without.
    pub stored: OnceLock<BTreeMap<Name, Value>>,
    /// The block of the project file.
    pub span: Span,
}

/// A state above the global layers: they cannot go while there is something in it.
#[derive(Debug)]
pub struct Above {
    /// The environment.
    pub environment: Name,
    /// The layer.
    pub layer: LayerName,
    /// Where it lies; an error where that cannot be told, such as credentials that are not set.
    pub state: Outcome<Place>,
}

/// Where states of layers would lie that the project does not have, or not any more.
#[derive(Clone, Debug)]
pub struct Undeclared {
    /// The settings of the layer [`INSTANCE`].
    pub settings: StateSettings,
    /// States that belong to layers of the project, of any environment.
    pub known: Vec<StateSettings>,
    /// In a run of the global layers: the settings of the layer [`INSTANCE`] in each environment, where states are none of the
    /// run's business.
    pub elsewhere: Vec<StateSettings>,
}

/// Where a state lies, or the states of all instances of an environment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// One state.
    One(StateSettings),
    /// One for each instance: these are the settings of the instance [`INSTANCE`].
    Instances(StateSettings),
}
