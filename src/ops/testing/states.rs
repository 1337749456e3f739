//! The states of a file: in memory, one for each key, until everything in them is destroyed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::addr::Name;
use crate::config::TestRun;
use crate::state::store::MemoryStore;
use crate::state::{Slot, StateHandle};

use super::super::session::Session;

/// Which state a run works on: its own key, else the module's.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Key {
    /// The folder's own module.
    Main,
    /// Another module, by its source.
    Module(String),
    /// `state_key`.
    Given(String),
}

impl Key {
    /// That of a run.
    pub fn of(run: &TestRun) -> Key {
        match (&run.state_key, &run.module) {
            (Some(key), _) => Key::Given(key.clone()),
            (None, Some(module)) => Key::Module(module.source.clone()),
            (None, None) => Key::Main,
        }
    }
}

/// A state. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct TestState(Arc<MemoryStore>);

impl TestState {
    /// The handle of a layer in it.
    pub fn handle(&self, layer: &crate::addr::LayerName) -> StateHandle {
        StateHandle::new(self.0.clone(), format!("{layer}.tfstate"), layer.clone())
    }
}

/// The last run that applied something to a state: its place in the file, its name, and the session that knows its configuration.
type Last = (usize, Name, Arc<Session>);

/// The states of a file by key, each with who changed it last.
#[derive(Default)]
pub(super) struct States(BTreeMap<Key, (TestState, Option<Last>)>);

impl States {
    /// One of them, empty at first.
    pub fn get(&mut self, key: Key) -> TestState {
        self.0.entry(key).or_default().0.clone()
    }

    /// Remembers who changed one last.
    pub fn changed(&mut self, key: Key, at: usize, name: Name, session: Arc<Session>) {
        self.0.entry(key).or_default().1 = Some((at, name, session));
    }

    /// What is to be destroyed: the last change first.
    pub fn to_destroy(&self) -> Vec<(Name, Arc<Session>)> {
        let mut all: Vec<_> = self.0.values().filter_map(|(_, last)| last.clone()).collect();
        all.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        all.into_iter().map(|(_, name, session)| (name, session)).collect()
    }
}

/// The managed objects in the states of a session, as messages name them, each with the key of a deposed one.
pub(super) async fn managed(session: &Session) -> Vec<(String, Option<String>)> {
    let Ok(states) = session.states().await else { return Vec::new() };
    let mut found = Vec::new();
    for state in &states {
        for placed in state.objects().filter(|placed| placed.resource.1.mode == crate::addr::Mode::Managed) {
            let slot = Slot { addr: placed.addr(&state.layer), deposed: placed.deposed.cloned() };
            let addr = slot.addr.in_project(session.config.prefixes_layers());
            found.push((addr.to_string(), slot.deposed.map(|key| key.0.to_string())));
        }
    }
    found
}
