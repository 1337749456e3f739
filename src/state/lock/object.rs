//! The lock as an object beside the state: `KEY.tflock`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::task::JoinHandle;

use super::info::{LeaseInfo, LockInfo, Locked};
use super::{Kind, Lease, Lock, LockRequest};
use crate::addr::LayerName;
use crate::state::error::StateError;
use crate::state::store::{Condition, Store, StoreError, Version, put_checked};

/// Key of the lock object, as Terraform names it.
pub fn key_of(key: &str) -> String {
    format!("{key}.tflock")
}

/// Takes the lock, or says who holds it.
pub async fn take(
    store: &Arc<dyn Store>,
    key: &str,
    layer: &LayerName,
    request: &LockRequest,
) -> Result<Lock, StateError> {
    let lock_key = key_of(key);
    let place = store.describe();
    let place = place.split_once("://").map_or(place.as_str(), |(_, rest)| rest);
    let lease_info = LeaseInfo {
        renewed: (request.clock)().to_string(),
        seconds: request.lease.as_secs(),
        process: request.process.clone(),
    };
    let info = LockInfo::new(request, format!("{place}/{key}"), Some(lease_info));
    let mut condition = Condition::Absent;
    let mut taken_from = None;
    // Each turn loses a race against somebody who takes or gives back at that very moment.
    for _ in 0..10 {
        let lease = Lease::limited(request.lease);
        match put_checked(&**store, &lock_key, info.encode(), condition).await {
            Ok(version) => {
                let id = info.id.clone();
                let renewed =
                    Renewed::start(store.clone(), lock_key, info, version, lease.clone(), request.clock.clone());
                return Ok(Lock { key: key.to_owned(), id, lease, taken_from, kind: Kind::Object(renewed) });
            }
            Err(StoreError::Precondition { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let Some((bytes, version)) = store.get(&lock_key).await? else {
            condition = Condition::Absent;
            taken_from = None;
            continue;
        };
        let Some(theirs) = LockInfo::decode(&bytes) else {
            return Err(StateError::Locked(Box::new(Locked::new(key, layer, None, false, request))));
        };
        let expired = theirs.is_expired((request.clock)());
        if theirs.is_dead() || (expired && request.take_over_expired) {
            condition = Condition::Matches(version);
            taken_from = Some(theirs);
        } else {
            return Err(StateError::Locked(Box::new(Locked::new(key, layer, Some(theirs), false, request))));
        }
    }
    Err(StateError::Locked(Box::new(Locked::new(key, layer, None, false, request))))
}

/// A lock object that a task keeps alive.
pub struct Renewed {
    store: Arc<dyn Store>,
    lock_key: String,
    last_put: Arc<Mutex<Instant>>,
    task: JoinHandle<()>,
}

impl Renewed {
    fn start(
        store: Arc<dyn Store>,
        lock_key: String,
        info: LockInfo,
        version: Version,
        lease: Lease,
        clock: super::Clock,
    ) -> Self {
        let last_put = Arc::new(Mutex::new(Instant::now()));
        let renewal = Renewal {
            store: store.clone(),
            lock_key: lock_key.clone(),
            info,
            version,
            lease,
            clock,
            last_put: last_put.clone(),
        };
        Renewed { store, lock_key, last_put, task: tokio::spawn(renewal.run()) }
    }

    /// Reads, compares, deletes.
    pub async fn release(&mut self, id: &str) -> Result<(), StateError> {
        self.task.abort();
        // Wait until a renewal on its way has ended: it must not come after the removal.
        let _ = (&mut self.task).await;
        let last = *self.last_put.lock().unwrap_or_else(PoisonError::into_inner);
        tokio::time::sleep(self.store.pause().saturating_sub(last.elapsed())).await;
        if let Some((bytes, _)) = self.store.get(&self.lock_key).await?
            && LockInfo::decode(&bytes).is_some_and(|info| info.id == id)
        {
            self.store.delete(&self.lock_key).await?;
        }
        Ok(())
    }
}

impl Drop for Renewed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Renewal {
    store: Arc<dyn Store>,
    lock_key: String,
    info: LockInfo,
    version: Version,
    lease: Lease,
    clock: super::Clock,
    last_put: Arc<Mutex<Instant>>,
}

impl Renewal {
    /// Renews four times in the time of the lease; after a failure sooner.
    async fn run(mut self) {
        let seconds = self.info.lease.as_ref().map_or(60, |lease| lease.seconds);
        let every = Duration::from_secs(seconds) / 4;
        let again = (every / 4).max(self.store.pause());
        let mut wait = every;
        loop {
            tokio::time::sleep(wait).await;
            match self.renew().await {
                Ok(true) => wait = every,
                Ok(false) => {
                    self.lease.lost();
                    return;
                }
                Err(error) => {
                    tracing::warn!(lock = %self.lock_key, %error, "the lease could not be renewed");
                    self.lease.not_renewed();
                    wait = again;
                }
            }
        }
    }

    /// Puts the lock again under the same ID. `false`: it belongs to somebody else, or is gone.
    async fn renew(&mut self) -> Result<bool, StoreError> {
        let began = (Instant::now(), SystemTime::now());
        if let Some(lease) = &mut self.info.lease {
            lease.renewed = (self.clock)().to_string();
        }
        *self.last_put.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let put =
            put_checked(&*self.store, &self.lock_key, self.info.encode(), Condition::Matches(self.version.clone()));
        match put.await {
            Ok(version) => self.version = version,
            Err(StoreError::Precondition { .. }) => match self.store.get(&self.lock_key).await? {
                // An earlier renewal was written although its answer never came.
                Some((bytes, version)) if LockInfo::decode(&bytes).is_some_and(|info| info.id == self.info.id) => {
                    self.version = version;
                    return Err(StoreError::Precondition { key: self.lock_key.clone() });
                }
                _ => return Ok(false),
            },
            Err(error) => return Err(error),
        }
        self.lease.renewed(began);
        Ok(true)
    }
}
