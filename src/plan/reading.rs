//! Reading the objects of one configured provider: asking for all of them at once, or taking what was found before.

use std::sync::{Arc, Mutex, PoisonError};

use crate::addr::InstanceAddr;
use crate::diag::Diagnostics;
use crate::event::{Event, Events};
use crate::provider::{Configured, Provider, ReadRequest, ReadResult};
use crate::state::Slot;
use crate::value::Value;

use super::found::Found;
use super::provider::Status;
use super::refresh::ProviderDone;

/// How the objects of one provider are read.
pub(super) struct Reading<'a> {
    /// Who is to answer for the objects.
    pub(super) known: Option<String>,
    /// What was found before: then nobody is asked.
    pub(super) found: Option<Arc<Found>>,
    pub(super) events: &'a dyn Events,
}

/// An object to be read.
pub(super) struct ToRead {
    /// Its entry.
    pub(super) position: usize,
    pub(super) slot: Slot,
    pub(super) request: ReadRequest,
    /// Whether its id may be shown.
    pub(super) shows_id: bool,
}

/// An object that is being read.
struct Asked {
    position: usize,
    addr: InstanceAddr,
    shows_id: bool,
}

/// The id of an object, for whoever watches.
fn id_of(value: &Value, shows: bool) -> Option<String> {
    value.get("id").filter(|_| shows)?.as_str().map(str::to_owned)
}

impl Reading<'_> {
    /// Reads a batch: the status of the provider, its identity and the answers go into `result`.
    pub(super) async fn read(
        self,
        result: &mut ProviderDone,
        configured: &dyn Configured,
        kind: &dyn Provider,
        batch: Vec<ToRead>,
        said: &mut Diagnostics,
    ) {
        let identity = configured.identity().await;
        said.append(identity.said);
        let Some(identity) = identity.value else {
            result.status = Status::Failed;
            return;
        };
        let (others, own): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|one| configured.standing_in(&one.slot.addr).is_some());
        if let (Some(known), Some(now)) = (&self.known, &identity)
            && known != now
        {
            let elsewhere = |one: ToRead| (one.position, ReadResult::Elsewhere(now.clone()));
            result.reads = own.into_iter().map(elsewhere).collect();
            return;
        }
        // Who may not ask leaves what was known.
        result.identity = identity.or_else(|| self.known.clone());
        result.reads = match &self.found {
            Some(found) => taken(found, kind, own.into_iter().chain(others), said),
            None => self.ask(configured, own, others, said).await,
        };
        result.reads.sort_by_key(|(position, _)| *position);
        if said.has_errors() {
            result.status = Status::Failed;
        }
    }

    async fn ask(
        &self,
        configured: &dyn Configured,
        own: Vec<ToRead>,
        others: Vec<ToRead>,
        said: &mut Diagnostics,
    ) -> Vec<(usize, ReadResult)> {
        let answers: Mutex<Vec<(usize, ReadResult)>> = Mutex::default();
        let answered = |one: &Asked, answer: ReadResult| {
            let id = match &answer {
                ReadResult::Found { value, .. } => id_of(value, one.shows_id),
                ReadResult::Absent | ReadResult::Elsewhere(_) | ReadResult::Unreachable(_) => None,
            };
            self.events.emit(Event::ReadEnded { addr: one.addr.clone(), id });
            answers.lock().unwrap_or_else(PoisonError::into_inner).push((one.position, answer));
        };
        let begin = |one: ToRead| {
            let id = id_of(&one.request.prior, one.shows_id);
            self.events.emit(Event::ReadStarted { addr: one.slot.addr.clone(), id });
            (Asked { position: one.position, addr: one.slot.addr, shows_id: one.shows_id }, one.request)
        };
        let (asked, requests): (Vec<Asked>, Vec<ReadRequest>) = own.into_iter().map(&begin).unzip();
        let out = |at: usize, answer: ReadResult| {
            if let Some(one) = asked.get(at) {
                answered(one, answer);
            }
        };
        said.append(configured.read(requests, &out).await);
        for one in others {
            let Some(other) = configured.standing_in(&one.slot.addr) else { continue };
            let (asked, request) = begin(one);
            let out = |_: usize, answer| answered(&asked, answer);
            said.append(other.read(vec![request], &out).await);
        }
        answers.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answers that were given when the plan was made.
fn taken(
    found: &Found,
    kind: &dyn Provider,
    batch: impl Iterator<Item = ToRead>,
    said: &mut Diagnostics,
) -> Vec<(usize, ReadResult)> {
    let of = |one: ToRead| Some((one.position, found.read(kind, &one.slot)?.take(said)?));
    batch.filter_map(of).collect()
}
