//! How to plan.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use jiff::Timestamp;

use crate::addr::{InstanceAddr, Name, Pattern};
use crate::graph::Selection;
use crate::state::{OpenIntent, Slot};

use super::found::Found;
use super::model::PlanMode;

/// How to plan.
#[derive(Clone)]
pub struct Options {
    /// Normal, destroy or refresh only.
    pub mode: PlanMode,
    /// Whether objects are read before they are compared.
    pub refresh: bool,
    /// `-target`, `-exclude`, `-layer`.
    pub selection: Selection,
    /// `-replace`.
    pub replace: Vec<Pattern>,
    /// `-invoke`.
    pub invoke: Vec<Pattern>,
    /// Objects to take over, with their ids, beside those of `import` blocks.
    pub imports: Vec<(InstanceAddr, String)>,
    /// What `timestamp()` gives.
    pub timestamp: Timestamp,
    /// Objects that this run has already seen: an earlier segment made or read them.
    pub fresh: HashSet<Slot>,
    /// What was found when the plan was made that is being carried out: nothing is read again.
    pub found: Option<Arc<Found>>,
    /// Calls of earlier runs that made something and whose end nobody knows: providers are asked for them.
    pub unfinished: Vec<OpenIntent>,
    /// Nobody is asked, and variables without a value are unknown: for `validate`.
    pub offline: bool,
    /// Everything is to be destroyed, and there is nothing: what is written is checked, and no value counts.
    pub idle: bool,
    /// Objects are what state says, nothing is planned and nobody is asked: for the console.
    pub values_only: bool,
    /// The gates that have not passed since something in their phase changed.
    pub outstanding: HashSet<Name>,
    /// Identities of clusters that state was made with, by provider configuration; see `state`'s metadata.
    pub identities: HashMap<String, String>,
}

impl Options {
    /// A plan of everything, with refresh.
    pub fn new(timestamp: Timestamp) -> Self {
        Options {
            mode: PlanMode::Normal,
            refresh: true,
            selection: Selection::default(),
            replace: Vec::new(),
            invoke: Vec::new(),
            imports: Vec::new(),
            timestamp,
            fresh: HashSet::new(),
            found: None,
            unfinished: Vec::new(),
            offline: false,
            idle: false,
            values_only: false,
            outstanding: HashSet::new(),
            identities: HashMap::new(),
        }
    }
}
