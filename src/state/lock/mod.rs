//! The lock on a state: Terraform's, plus a lease.
//!
//! On files it is the operating system's lock with `.NAME.lock.info` beside it; elsewhere an object `KEY.tflock` that is created
//! only where there is none. Ours says in a field of its own until when it counts, and is renewed under the same ID; Terraform
//! ignores that field. In: who wants it, and how long they wait. Out: the [`Lock`], whose [`Lease`] says whether it still
//! counts. Not here: what is written under it.

mod info;
mod lease;
mod object;
mod process;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use info::{LeaseInfo, LockInfo, Locked};
pub use lease::{Lease, LeaseState};
pub use process::Process;

use super::error::StateError;
use super::store::{Store, StoreError, local};
use crate::addr::LayerName;
use crate::event::Stop;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// What a lock is asked for with.
#[derive(Clone)]
pub struct LockRequest {
    /// `user@host`, shown to others.
    pub who: String,
    /// The command: `apply`.
    pub operation: String,
    /// Version of this program.
    pub version: String,
    /// How long to wait for another holder.
    pub timeout: Duration,
    /// Whether an expired lease of a process that cannot be seen from here may be taken over: the user has said so.
    pub take_over_expired: bool,
    /// How long the lease counts without being renewed.
    pub lease: Duration,
    /// This process.
    pub process: Process,
    /// The time.
    pub clock: Clock,
}

/// A held lock. Give it back with [`Lock::release`]; dropping it leaves a lock object to its lease.
pub struct Lock {
    key: String,
    id: String,
    lease: Lease,
    taken_from: Option<LockInfo>,
    kind: Kind,
}

enum Kind {
    File { held: Option<local::Held>, info: PathBuf },
    Object(object::Renewed),
}

impl LockRequest {
    /// A request of this process with a lease of a minute, without waiting.
    pub fn new(who: impl Into<String>, operation: impl Into<String>) -> Self {
        LockRequest {
            who: who.into(),
            operation: operation.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            timeout: Duration::ZERO,
            take_over_expired: false,
            lease: Duration::from_secs(60),
            process: Process::this(),
            clock: Arc::new(jiff::Timestamp::now),
        }
    }
}

impl Lock {
    /// Its ID, as `force-unlock` takes it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether it still counts.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Whose lock was taken over.
    pub fn taken_from(&self) -> Option<&LockInfo> {
        self.taken_from.as_ref()
    }

    /// Gives it back.
    ///
    /// # Errors
    /// When the store fails. A lock that is no longer ours is left alone and is no error: the lease has said so.
    pub async fn release(mut self) -> Result<(), StateError> {
        match &mut self.kind {
            Kind::File { .. } => Ok(()),
            Kind::Object(renewed) => renewed.release(&self.id).await,
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Kind::File { held, info } = &mut self.kind {
            // Nothing can be done about a file that does not go; it holds no lock.
            let _ = std::fs::remove_file(&*info);
            held.take();
        }
    }
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lock").field("key", &self.key).field("id", &self.id).finish_non_exhaustive()
    }
}

/// Takes the lock of a state.
pub(super) async fn take(
    store: &Arc<dyn Store>,
    key: &str,
    layer: &LayerName,
    request: &LockRequest,
) -> Result<Lock, StateError> {
    let deadline = tokio::time::Instant::now() + request.timeout;
    loop {
        let taken = match store.files() {
            Some(files) => take_file(files, key, layer, request),
            None => object::take(store, key, layer, request).await,
        };
        match taken {
            Err(StateError::Locked(locked)) => {
                let left = deadline.saturating_duration_since(tokio::time::Instant::now());
                // Whoever stops waiting is told who holds it, as at the end of the time.
                if left.is_zero() || !Stop::pause(left.min(Duration::from_secs(1))).await {
                    return Err(StateError::Locked(locked));
                }
            }
            result => return result,
        }
    }
}

fn take_file(
    files: &local::LocalStore,
    key: &str,
    layer: &LayerName,
    request: &LockRequest,
) -> Result<Lock, StateError> {
    let path = files.path(key);
    let info_path = info_path(files, key);
    let info = LockInfo::new(request, path.display().to_string(), None);
    match local::Held::take(&path) {
        Ok(held) => {
            let id = info.id.clone();
            local::write_small(&info_path, &info.encode())
                .map_err(|source| StoreError::File { path: info_path.clone(), source })?;
            Ok(Lock {
                key: key.to_owned(),
                id,
                lease: Lease::unlimited(),
                taken_from: None,
                kind: Kind::File { held: Some(held), info: info_path },
            })
        }
        Err(local::LockRefused::Taken) => {
            let info = std::fs::read(&info_path).ok().and_then(|bytes| LockInfo::decode(&bytes));
            Err(StateError::Locked(Box::new(Locked::new(key, layer, info, true, request))))
        }
        Err(local::LockRefused::File(source)) => Err(StoreError::File { path, source }.into()),
    }
}

/// `.NAME.lock.info` beside the state, as Terraform names it.
fn info_path(files: &local::LocalStore, key: &str) -> PathBuf {
    let path = files.path(key);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.lock.info"))
}

/// Who holds the lock of a state; `None` when nobody does.
pub(super) async fn holder(store: &dyn Store, key: &str) -> Result<Option<LockInfo>, StateError> {
    match store.files() {
        Some(files) => {
            let path = files.path(key);
            let locked = local::is_locked(&path).map_err(|source| StoreError::File { path, source })?;
            let info = || std::fs::read(info_path(files, key)).ok().and_then(|bytes| LockInfo::decode(&bytes));
            Ok(if locked { Some(info().unwrap_or_default()) } else { None })
        }
        None => {
            let there = store.get(&object::key_of(key)).await?;
            Ok(there.map(|(bytes, _)| LockInfo::decode(&bytes).unwrap_or_default()))
        }
    }
}

/// Waits until nobody holds the lock of a state, for as long as the request says, and takes nothing. Gives a holder that has
/// ended without giving it back: what it did is in the journal.
pub(super) async fn until_free(
    store: &dyn Store,
    key: &str,
    layer: &LayerName,
    request: &LockRequest,
) -> Result<Option<LockInfo>, StateError> {
    let deadline = tokio::time::Instant::now() + request.timeout;
    loop {
        let Some(info) = holder(store, key).await? else { return Ok(None) };
        if info.is_dead() || (request.take_over_expired && info.is_expired((request.clock)())) {
            return Ok(Some(info));
        }
        let now = tokio::time::Instant::now();
        if now >= deadline {
            let file = store.files().is_some();
            return Err(StateError::Locked(Box::new(Locked::new(key, layer, Some(info), file, request))));
        }
        tokio::time::sleep_until(deadline.min(now + Duration::from_secs(1))).await;
    }
}

/// Removes the lock of that ID, whoever holds it.
pub(super) async fn force(store: &dyn Store, key: &str, id: &str) -> Result<LockInfo, StateError> {
    let refuse = |reason: String| Err(StateError::NotUnlocked { key: key.to_owned(), reason });
    let lock_key = object::key_of(key);
    let bytes: Option<Bytes> = match store.files() {
        Some(files) => std::fs::read(info_path(files, key)).ok().map(Bytes::from),
        None => store.get(&lock_key).await?.map(|(bytes, _)| bytes),
    };
    let Some(info) = bytes.and_then(|bytes| LockInfo::decode(&bytes)) else {
        return refuse("it is not locked".into());
    };
    if info.id != id {
        return refuse(format!("its ID is {}, not {id}", info.id));
    }
    match store.files() {
        Some(files) => {
            let path = files.path(key);
            if local::is_locked(&path).map_err(|source| StoreError::File { path, source })? {
                return refuse(format!(
                    "the process of {} is alive and holds the file; end that process instead",
                    info.who
                ));
            }
            let path = info_path(files, key);
            std::fs::remove_file(&path).map_err(|source| StoreError::File { path, source })?;
        }
        None => store.delete(&lock_key).await?,
    }
    Ok(info)
}
