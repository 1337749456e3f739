//! What a plan has read, kept so that carrying it out later reads nothing again.
//!
//! In: a finished walk. Out: [`Found`], which a saved plan carries and [`Options`](super::Options) take. Not here: its stored form
//! (`ops::saved`).

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};

use crate::addr::{InstanceAddr, Mode, ProviderConfigAddr};
use crate::change::{Action, Reason};
use crate::diag::Outcome;
use crate::provider::{Provider, ReadResult};
use crate::state::{Object, Slot};
use crate::value::{KnownTypes, Marks, Value, from_json_typed, to_json_typed};

use super::instance::schema_of;
use super::model::PlannedChange;
use super::objects::{Entry, Known, decode_object};
use super::walk::Walk;

/// What was found where it is not what state says.
#[derive(Clone, Default)]
pub struct Found {
    /// Objects that had changed since they were stored, objects taken over by an import, and what data sources gave.
    pub objects: HashMap<Slot, (ProviderConfigAddr, Arc<Object>)>,
    /// Objects that were gone.
    pub absent: HashMap<Slot, ProviderConfigAddr>,
}

impl Found {
    /// The answer to reading an object of state; `None`: it is as stored.
    pub(super) fn read(&self, kind: &dyn Provider, slot: &Slot) -> Option<Outcome<ReadResult>> {
        if self.absent.contains_key(slot) {
            return Some(Outcome::ok(ReadResult::Absent));
        }
        let known = self.known(kind, slot)?;
        Some(known.map(|Known { value, private }| ReadResult::Found { value, private }))
    }

    /// An object as it was found.
    pub(super) fn known(&self, kind: &dyn Provider, slot: &Slot) -> Option<Outcome<Known>> {
        let (_, object) = self.objects.get(slot)?;
        Some(decode_object(kind, slot, object, &mut KnownTypes::default()))
    }

    /// What a data source gave, marks inside.
    pub(super) fn data(&self, kind: &dyn Provider, addr: &InstanceAddr) -> Option<Value> {
        let (_, object) = self.objects.get(&Slot::current(addr.clone()))?;
        let schema = schema_of(kind, addr)?;
        let value = from_json_typed(object.attributes.as_bytes(), &schema.ty()).ok()?;
        let marks: Vec<_> = object.sensitive.iter().map(|path| (path.clone(), Marks::SENSITIVE)).collect();
        Some(value.mark_paths(&marks))
    }
}

impl Walk<'_> {
    /// What this walk has read.
    pub(super) fn found(&self, changes: &[PlannedChange]) -> Found {
        let mut found = Found { objects: HashMap::new(), absent: HashMap::new() };
        for entry in self.objects.entries.iter().filter(|entry| entry.drifted_from.is_some()) {
            let provider = self.providers[entry.provider].addr.clone();
            if entry.now.is_none() {
                found.absent.insert(entry.slot.clone(), provider);
            } else if let Some(object) = self.drifted(entry) {
                found.objects.insert(entry.slot.clone(), (provider, Arc::new(object)));
            }
        }
        for planned in changes {
            let object = match planned.change.addr.resource.mode {
                Mode::Managed if planned.change.importing.is_some() => planned.work.stored.clone(),
                Mode::Data if was_read(planned) => data_object(planned),
                Mode::Managed | Mode::Data | Mode::Ephemeral => None,
            };
            if let Some(object) = object {
                let slot = Slot::current(planned.change.addr.clone());
                found.objects.insert(slot, (planned.change.provider.clone(), object));
            }
        }
        found
    }

    /// An object that is not what state says, as state will have it.
    pub(super) fn drifted(&self, entry: &Entry) -> Option<Object> {
        let known = entry.now.as_ref()?;
        let kind = &self.providers[entry.provider].kind;
        let schema = schema_of(&**kind, &entry.slot.addr)?;
        let mut object = (*entry.stored).clone();
        object.schema_version = schema.version;
        object.attributes = to_json_typed(&known.value, &schema.ty()).ok()?.into();
        object.private = known.private.clone().into();
        Some(object)
    }
}

/// Whether a data source was read while planning.
fn was_read(planned: &PlannedChange) -> bool {
    let again = planned.change.reason == Some(Reason::ReadBecauseCheckNested);
    (planned.change.action == Action::NoOp || again) && planned.work.planned.is_wholly_known()
}

fn data_object(planned: &PlannedChange) -> Option<Arc<Object>> {
    let schema = planned.schema()?;
    let (value, marks) = planned.change.after.clone().unmark_paths();
    let attributes = to_json_typed(&value, &schema.ty()).ok()?;
    let sensitive = marks.into_iter().filter(|(_, marks)| marks.contains(Marks::SENSITIVE)).map(|(path, _)| path);
    Some(Arc::new(Object { sensitive: sensitive.collect(), ..Object::new(schema.version, attributes) }))
}
