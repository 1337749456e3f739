//! The front of the room: one state of one layer in one store.

use std::sync::Arc;

use super::commit::{self, Commit, Finished, Outgrown};
use super::error::StateError;
use super::journal::Run;
use super::lock::{self, Lease, Lock, LockInfo, LockRequest};
use super::meta::{self, Meta};
use super::model::State;
use super::recover::{self, View};
use super::replace;
use super::store::{Store, Version};
use crate::addr::LayerName;

/// One state. Cheap to clone.
#[derive(Clone)]
pub struct StateHandle {
    store: Arc<dyn Store>,
    key: Arc<str>,
    layer: LayerName,
}

impl StateHandle {
    /// The state of a layer under a key of a store. Touches nothing.
    pub fn new(store: Arc<dyn Store>, key: impl Into<Arc<str>>, layer: LayerName) -> Self {
        StateHandle { store, key: key.into(), layer }
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The layer.
    pub fn layer(&self) -> &LayerName {
        &self.layer
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Reads the recovered view. Takes no lock and writes nothing.
    ///
    /// # Errors
    /// When the store fails or what it holds cannot be read.
    pub async fn read(&self) -> Result<View, StateError> {
        recover::load(&*self.store, &self.key, &self.layer).await
    }

    /// Takes the lock.
    ///
    /// # Errors
    /// [`StateError::Locked`] when somebody else holds it.
    pub async fn lock(&self, request: &LockRequest) -> Result<Lock, StateError> {
        lock::take(&self.store, &self.key, &self.layer, request).await
    }

    /// Who holds the lock.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn holder(&self) -> Result<Option<LockInfo>, StateError> {
        lock::holder(&*self.store, &self.key).await
    }

    /// Waits until nobody holds the lock, for as long as the request says, and takes nothing. Gives a holder that has ended
    /// without giving it back.
    ///
    /// # Errors
    /// [`StateError::Locked`] when somebody still holds it then.
    pub async fn until_free(&self, request: &LockRequest) -> Result<Option<LockInfo>, StateError> {
        lock::until_free(&*self.store, &self.key, &self.layer, request).await
    }

    /// Removes the lock with that ID, and gives what it said.
    ///
    /// # Errors
    /// When there is no lock, or one with another ID, or its holder is a living process of this machine.
    pub async fn force_unlock(&self, id: &str) -> Result<LockInfo, StateError> {
        lock::force(&*self.store, &self.key, id).await
    }

    /// Starts to write under a lock (`None`: the user has said `-lock=false`). Reads the state again, takes over what former
    /// runs have left in the journal, and gives the view beside the writer: its open intents are to be settled first.
    ///
    /// # Errors
    /// [`StateError::Conflict`] when results are there that fit no snapshot.
    pub async fn begin(&self, lock: Option<&Lock>, run: Run) -> Result<(Commit, View), StateError> {
        let view = self.read().await?;
        let lease = lock.map_or_else(Lease::unlimited, |lock| lock.lease().clone());
        let commit = commit::begin(self.store.clone(), &self.key, view.clone(), run, lease, Outgrown::USUAL).await?;
        Ok((commit, view))
    }

    /// Settles conflicts under a lock: folds their results into the state (`keep`), or drops them. Writes a snapshot if that
    /// changes anything.
    ///
    /// # Errors
    /// When the store fails; doing it again goes on where it stopped. [`StateError::Conflict`] when results are to be kept
    /// that cannot be read.
    pub async fn settle_conflicts(&self, lock: &Lock, run: Run, keep: bool) -> Result<Finished, StateError> {
        let mut view = self.read().await?;
        if keep {
            if view.conflicts.iter().any(|conflict| !conflict.readable) {
                return Err(StateError::Conflict { key: self.key.to_string(), conflicts: view.conflicts });
            }
            view.accept_conflicts();
        } else {
            for conflict in std::mem::take(&mut view.conflicts) {
                self.store.delete_log(&conflict.log).await?;
            }
        }
        commit::begin(self.store.clone(), &self.key, view, run, lock.lease().clone(), Outgrown::USUAL)
            .await?
            .finish()
            .await
    }

    /// Puts a state that was brought from elsewhere in the place of the one that `there` shows, with its own serial and lineage.
    ///
    /// # Errors
    /// When somebody else has written in the meantime, or the store fails.
    pub async fn replace(&self, state: &State, there: &View) -> Result<(), StateError> {
        replace::put(&*self.store, &self.key, state, there.version.clone()).await
    }

    /// Removes the state, which was brought elsewhere.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self) -> Result<(), StateError> {
        replace::remove(&*self.store, &self.key).await
    }

    /// Reads what is kept beside the state; what cannot be read counts as empty.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn meta(&self) -> Result<(Meta, Option<Version>), StateError> {
        meta::load(&*self.store, &self.key).await
    }

    /// Writes what is kept beside the state, unless somebody else has in the meantime. Gives the new version.
    ///
    /// # Errors
    /// When the store fails or the version is not the present one.
    pub async fn save_meta(&self, meta: &Meta, version: Option<&Version>) -> Result<Version, StateError> {
        meta::save(&*self.store, &self.key, meta, version).await
    }
}
