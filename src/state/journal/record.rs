//! What a run records.

use std::sync::Arc;

use crate::addr::{ConfigResourceAddr, Name, ProviderConfigAddr};
use crate::change::{Intent, Step};
use crate::state::model::{Object, OutputState, Slot, State};
use crate::value::Path;

/// One entry of the journal: all of it counts, or nothing.
///
/// Records hold results, not differences: applying one twice is the same as once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Remote calls that are about to start.
    pub opens: Vec<OpenIntent>,
    /// Nonces of the intents whose outcome this record holds.
    pub closes: Vec<String>,
    /// Slots that are empty now. Applied before `puts`.
    pub removes: Vec<Slot>,
    /// Objects as they are now.
    pub puts: Vec<Put>,
    /// Outputs as they are now; `None` for one that is gone.
    pub outputs: Vec<(Name, Option<OutputState>)>,
    /// Results of checks as state keeps them, compact JSON text.
    pub check_results: Option<Arc<str>>,
}

/// An object and where it belongs.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// Where.
    pub slot: Slot,
    /// The provider configuration that made it.
    pub provider: ProviderConfigAddr,
    /// What.
    pub object: Arc<Object>,
}

/// A remote call that was started and of whose end nothing is known (yet).
#[derive(Clone, Debug, PartialEq)]
pub struct OpenIntent {
    /// The call. Its nonce names it.
    pub intent: Intent,
    /// The provider configuration that was asked.
    pub provider: ProviderConfigAddr,
    /// What the object will depend on.
    pub dependencies: Arc<[ConfigResourceAddr]>,
    /// Whether its replacement comes before its removal.
    pub create_before_destroy: bool,
    /// Sensitive parts of the intent's object.
    pub sensitive: Vec<Path>,
}

impl Record {
    /// Nothing yet.
    pub fn new() -> Self {
        Record::default()
    }

    /// Adds a call that is about to start.
    #[must_use]
    pub fn open(mut self, intent: OpenIntent) -> Self {
        self.opens.push(intent);
        self
    }

    /// Adds that a call has ended.
    #[must_use]
    pub fn close(mut self, nonce: impl Into<String>) -> Self {
        self.closes.push(nonce.into());
        self
    }

    /// Adds an object as it is now.
    #[must_use]
    pub fn put(mut self, slot: Slot, provider: ProviderConfigAddr, object: Arc<Object>) -> Self {
        self.puts.push(Put { slot, provider, object });
        self
    }

    /// Adds that a slot is empty now.
    #[must_use]
    pub fn remove(mut self, slot: Slot) -> Self {
        self.removes.push(slot);
        self
    }

    /// Adds the value of an output, or that it is gone.
    #[must_use]
    pub fn output(mut self, name: impl Into<Name>, output: Option<OutputState>) -> Self {
        self.outputs.push((name.into(), output));
        self
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Record::default()
    }

    /// Changes the state and the list of open intents accordingly. Says whether the state is another one now.
    pub fn apply(&self, state: &mut State, open: &mut Vec<OpenIntent>) -> bool {
        let mut changed = false;
        if !self.closes.is_empty() {
            open.retain(|intent| !self.closes.contains(&intent.intent.nonce));
        }
        for intent in &self.opens {
            if !open.iter().any(|there| there.intent.nonce == intent.intent.nonce) {
                open.push(intent.clone());
            }
        }
        // What leaves and comes in one record has moved, with what stood beside its resource.
        let mut moving = Vec::new();
        for slot in &self.removes {
            let foreign = state.foreign_of(slot).cloned();
            let removed = state.remove(slot);
            changed |= removed.is_some();
            moving.extend(removed.zip(foreign));
        }
        for put in &self.puts {
            changed |= state.put(&put.slot, &put.provider, put.object.clone());
            let moved = moving.iter().find(|(object, _)| object.attributes == put.object.attributes);
            if let Some((_, foreign)) = moved {
                state.take_foreign(&put.slot, foreign.clone());
            }
        }
        for (name, output) in &self.outputs {
            changed |= state.set_output(name, output.clone());
        }
        if let Some(results) = &self.check_results {
            let results = Some(results.clone()).filter(|json| **json != *"null");
            changed |= state.check_results != results;
            state.check_results = results;
        }
        changed
    }
}

/// What became of a call of whose end nothing was known.
#[derive(Clone, Debug, PartialEq)]
pub enum Settlement {
    /// The object is there, and this is how.
    Found(Object),
    /// There is no such object.
    Absent,
}

impl OpenIntent {
    /// The record that closes the intent, once somebody knows (a provider that has looked, or the user).
    pub fn settle(&self, settlement: Settlement) -> Record {
        let record = Record::new().close(self.intent.nonce.clone());
        match (settlement, self.intent.step) {
            (Settlement::Found(object), _) => record.put(self.slot(), self.provider.clone(), Arc::new(object)),
            // Nothing was made: its slot is as it was before.
            (Settlement::Absent, Step::Create) => record,
            (Settlement::Absent, Step::Update | Step::Delete) => record.remove(self.slot()),
        }
    }

    /// The slot it is about.
    pub fn slot(&self) -> Slot {
        Slot { addr: self.intent.addr.clone(), deposed: self.intent.deposed.clone() }
    }

    /// The object that a settled creation leaves: what was found, and what the intent knew beside it.
    pub fn object(&self, schema_version: u64, attributes: Arc<str>) -> Object {
        Object {
            dependencies: self.dependencies.clone(),
            create_before_destroy: self.create_before_destroy,
            sensitive: self.sensitive.clone(),
            ..Object::new(schema_version, attributes)
        }
    }
}
