//! Stores: places that keep bytes under keys, and logs of pieces that are durable one after the other.
//!
//! In: keys, bytes, conditions. Out: bytes and versions. A store knows nothing of resources: lock, journal and snapshots are
//! written once on top of it. Not here: what the bytes mean (`format`, `journal`, `lock`).

mod error;
pub mod local;
mod memory;
#[cfg(test)]
pub mod memory_test;
mod pieces;
mod s3;

use bytes::Bytes;

pub use error::StoreError;
pub use local::LocalStore;
pub use memory::MemoryStore;
pub use s3::S3Store;

use crate::provider::Boxed;

/// What a store says about the content of a key, to be given back in a [`Condition`]. Means nothing outside of the store.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Version(pub String);

/// When a [`Store::put`] may happen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Always.
    Always,
    /// Only while there is nothing under the key.
    Absent,
    /// Only while the content is still this version.
    Matches(Version),
}

/// Names a log: the journal of one run on one snapshot of one state.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct LogName {
    /// Key of the state.
    pub key: String,
    /// Serial of the snapshot that it extends; 0 before the first.
    pub serial: u64,
    /// The run. Letters, digits and dashes only, beginning with a letter or digit.
    pub run: String,
}

/// The largest object that is read: nobody's state has this size, and memory is finite.
pub const MAX_BYTES: u64 = 1 << 30;

/// Keeps bytes under keys. All methods may be called from any task; every success is durable.
pub trait Store: Send + Sync {
    /// Where it is, as users would write it: `s3://bucket`, a folder.
    fn describe(&self) -> String;

    /// The content of a key and its version; `None` when there is nothing (or nothing but an empty file).
    fn get<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<Option<(Bytes, Version)>, StoreError>>;

    /// Replaces the content of a key. [`StoreError::Precondition`] when the condition does not hold; after a lost answer that
    /// may be the caller's own first try: use [`put_checked`].
    fn put<'a>(&'a self, key: &'a str, bytes: Bytes, condition: Condition) -> Boxed<'a, Result<Version, StoreError>>;

    /// All keys that begin with `prefix`, sorted. Where logs are folders of objects, these are among them.
    fn list<'a>(&'a self, prefix: &'a str) -> Boxed<'a, Result<Vec<String>, StoreError>>;

    /// The keys that begin with `prefix` and have no slash behind it, and the beginnings of all others up to that slash: what a
    /// listing costs then does not depend on what lies in folders beside. Sorted; local folders are left out.
    fn list_level<'a>(&'a self, prefix: &'a str) -> Boxed<'a, Result<Vec<String>, StoreError>> {
        self.list(prefix)
    }

    /// Removes a key. Nothing to remove is no error.
    fn delete<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<(), StoreError>>;

    /// Copies the content of a key to another one, replacing what is there.
    fn copy<'a>(&'a self, from: &'a str, to: &'a str) -> Boxed<'a, Result<(), StoreError>>;

    /// Adds piece number `piece` (counted from 0) to a log. [`StoreError::Precondition`] when a piece of that number exists
    /// with another content.
    fn append<'a>(&'a self, log: &'a LogName, piece: u64, bytes: Bytes) -> Boxed<'a, Result<(), StoreError>> {
        Box::pin(pieces::append(self, log, piece, bytes))
    }

    /// The logs of a state, sorted.
    fn logs<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<Vec<LogName>, StoreError>> {
        Box::pin(pieces::logs(self, key))
    }

    /// The pieces of a log by number. A store may give several pieces as one. Empty when there is no such log.
    fn read_log<'a>(&'a self, log: &'a LogName) -> Boxed<'a, Result<Vec<(u64, Bytes)>, StoreError>> {
        Box::pin(pieces::read_log(self, log))
    }

    /// Removes a log: its last piece goes last, so that what is left half-way still ends with the seal.
    fn delete_log<'a>(&'a self, log: &'a LogName) -> Boxed<'a, Result<(), StoreError>> {
        Box::pin(pieces::delete_log(self, log))
    }

    /// The least time between two writes of one key.
    fn pause(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }

    /// The files behind it, when it is a local one: those are locked by the operating system instead of a lock object.
    fn files(&self) -> Option<&LocalStore> {
        None
    }
}

/// Like [`Store::put`], but a refusal is believed only when the content under the key is not the one that was put: the answer
/// to a first try may have been lost, and the store sees only the second one.
///
/// # Errors
/// As [`Store::put`].
pub async fn put_checked<S: Store + ?Sized>(
    store: &S,
    key: &str,
    bytes: Bytes,
    condition: Condition,
) -> Result<Version, StoreError> {
    match store.put(key, bytes.clone(), condition).await {
        Err(StoreError::Precondition { key: refused }) => match store.get(key).await? {
            Some((there, version)) if there == bytes => Ok(version),
            _ => Err(StoreError::Precondition { key: refused }),
        },
        result => result,
    }
}

/// Finds out whether a store keeps conditions, by writing and removing an object beside `key`.
///
/// # Errors
/// [`StoreError::Unsupported`] when it writes although a condition does not hold: two runs could overwrite each other there.
pub async fn probe(store: &dyn Store, key: &str) -> Result<(), StoreError> {
    let key = format!("{key}.probe-{}", uuid::Uuid::new_v4());
    let first = store.put(&key, Bytes::from_static(b"{\"probe\": 1}\n"), Condition::Absent).await;
    // R2 takes one write a second under one key.
    tokio::time::sleep(store.pause()).await;
    let again = store.put(&key, Bytes::from_static(b"{\"probe\": 2}\n"), Condition::Absent).await;
    tokio::time::sleep(store.pause()).await;
    let stale = Condition::Matches(Version("\"00000000000000000000000000000000\"".into()));
    let other = store.put(&key, Bytes::from_static(b"{\"probe\": 3}\n"), stale).await;
    tokio::time::sleep(store.pause()).await;
    let removed = store.delete(&key).await;
    first?;
    for refused in [again, other] {
        match refused {
            Err(StoreError::Precondition { .. }) => {}
            Err(error) => return Err(error),
            Ok(_) => {
                return Err(StoreError::Unsupported {
                    endpoint: store.describe(),
                    what: "conditional writes (If-None-Match and If-Match)".into(),
                });
            }
        }
    }
    removed
}
