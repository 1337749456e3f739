//! The objects of a sandbox: kept in memory, every change in an append-only log before a call answers.
//!
//! In: JSON objects under [`Key`]s. Out: [`Object`]s, lists, and what changed since a revision. Not here: what a legal object is
//! (`write`), who may change it (`api`), what follows from a change (`cluster`).

mod log;
mod object;
mod state;

pub use log::StoreError;
pub use object::{Key, Object, now};
pub use state::{Change, ChangeKind, State};

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use log::Log;

/// The store of one sandbox.
pub struct Store {
    state: Mutex<State>,
    log: Log,
    /// The latest revision, for watches.
    revision: watch::Sender<u64>,
    /// Tells the controllers that something changed.
    pub(super) stirred: Arc<Notify>,
}

impl Store {
    /// Opens the store in a folder, which is made when it is missing. `fresh` tells whether it was empty.
    ///
    /// # Errors
    /// The folder cannot be read or written, is in use, or holds something else than a sandbox's log.
    pub fn open(folder: &Path) -> Result<(Arc<Store>, bool), StoreError> {
        let (log, objects, revision) = Log::open(folder)?;
        let fresh = objects.is_empty();
        let state = State::new(objects, revision);
        let (sender, _) = watch::channel(revision);
        let store = Store { state: Mutex::new(state), log, revision: sender, stirred: Arc::default() };
        Ok((Arc::new(store), fresh))
    }

    /// Reads.
    pub fn read<T>(&self, f: impl FnOnce(&State) -> T) -> T {
        f(&self.lock())
    }

    /// Changes objects; everything `f` put or removed is on its way to the disk when this returns, in order. Gives the
    /// revision to wait for with [`Store::durable`].
    pub fn write<T>(&self, f: impl FnOnce(&mut State) -> T) -> (T, u64) {
        let mut state = self.lock();
        let result = f(&mut state);
        let revision = state.revision();
        let lines = state.take_lines();
        if !lines.is_empty() {
            // Still under the lock, so that lines reach the log in the order of their revisions.
            self.log.append(lines, revision, &state);
            self.revision.send_replace(revision);
        }
        if state.has_dirty() {
            self.stirred.notify_one();
        }
        (result, revision)
    }

    /// Resolves when everything up to a revision is on the disk.
    ///
    /// # Errors
    /// It could not be written.
    pub async fn durable(&self, revision: u64) -> Result<(), StoreError> {
        self.log.durable(revision).await
    }

    /// The latest revision, as it changes.
    pub fn revisions(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
