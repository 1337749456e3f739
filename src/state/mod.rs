//! State: what the program remembers of every object between runs.
//!
//! In: a [`store`], a key, a layer. Out: the recovered [`View`] for readers, and for a writer a [`Lock`] and a [`Commit`], the
//! only thing that writes. A run looks like this: [`StateHandle::lock`], [`StateHandle::begin`] (which also gives what a former
//! run has left behind), [`Commit::append`] before and after each remote call, [`Commit::finish`], [`Lock::release`].
//!
//! Not here: what objects mean (providers), whether something should be done (`plan`), asking providers what became of an open
//! intent (`apply`).

mod commit;
#[cfg(test)]
mod commit_test;
#[cfg(test)]
mod crash_test;
mod error;
pub mod format;
mod handle;
mod journal;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod limits_test;
mod lock;
mod meta;
mod model;
mod recover;
mod replace;
pub mod store;

pub use commit::{Commit, Finished};
pub use error::StateError;
pub use handle::StateHandle;
pub use journal::{JournalError, Line, OpenIntent, Put, Record, Run, Settlement, encode_record, frame, read_pieces};
pub use lock::{Clock, Lease, LeaseInfo, LeaseState, Lock, LockInfo, LockRequest, Locked, Process};
pub use meta::{GatePassed, Meta};
pub use model::{
    ForeignFields, InstanceState, Object, OutputState, Placed, ResourceKey, ResourceState, Slot, State, Status,
};
pub use recover::{Conflict, Recovered, View};
