//! Logs in stores that keep objects: a folder a log, an object a piece: `KEY.journal/SERIAL/RUN/PIECE`, numbers zero-padded.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use super::{Condition, LogName, Store, StoreError, put_checked};

/// How many pieces are read or removed at once.
const IN_FLIGHT: usize = 16;

fn journal(key: &str) -> String {
    format!("{key}.journal/")
}

fn folder(log: &LogName) -> String {
    format!("{}{:010}/{}/", journal(&log.key), log.serial, log.run)
}

/// See [`Store::append`].
pub(super) async fn append<S: Store + ?Sized>(
    store: &S,
    log: &LogName,
    piece: u64,
    bytes: Bytes,
) -> Result<(), StoreError> {
    let key = format!("{}{piece:010}", folder(log));
    put_checked(store, &key, bytes, Condition::Absent).await.map(drop)
}

/// See [`Store::logs`].
pub(super) async fn logs<S: Store + ?Sized>(store: &S, key: &str) -> Result<Vec<LogName>, StoreError> {
    let journal = journal(key);
    let pieces = store.list(&journal).await?;
    let mut logs: Vec<LogName> = pieces
        .iter()
        .filter_map(|piece| {
            let mut parts = piece[journal.len()..].split('/');
            let (serial, run) = (parts.next()?.parse().ok()?, parts.next()?);
            Some(LogName { key: key.to_owned(), serial, run: run.to_owned() })
        })
        .collect();
    logs.sort();
    logs.dedup();
    Ok(logs)
}

async fn pieces<S: Store + ?Sized>(store: &S, log: &LogName) -> Result<Vec<(u64, String)>, StoreError> {
    let folder = folder(log);
    let keys = store.list(&folder).await?;
    let mut pieces: Vec<_> =
        keys.into_iter().filter_map(|key| Some((key[folder.len()..].parse().ok()?, key))).collect();
    pieces.sort();
    Ok(pieces)
}

/// See [`Store::read_log`].
pub(super) async fn read_log<S: Store + ?Sized>(store: &S, log: &LogName) -> Result<Vec<(u64, Bytes)>, StoreError> {
    let pieces = pieces(store, log).await?;
    let read = futures::stream::iter(pieces).map(|(number, key)| async move {
        // A piece that has gone since the listing is part of a log that is being removed.
        Ok::<_, StoreError>(store.get(&key).await?.map(|(bytes, _)| (number, bytes)))
    });
    let pieces: Vec<_> = read.buffered(IN_FLIGHT).try_collect().await?;
    Ok(pieces.into_iter().flatten().collect())
}

/// See [`Store::delete_log`].
pub(super) async fn delete_log<S: Store + ?Sized>(store: &S, log: &LogName) -> Result<(), StoreError> {
    let mut pieces = pieces(store, log).await?;
    let last = pieces.pop();
    let rest = futures::stream::iter(pieces).map(|(_, key)| async move { store.delete(&key).await });
    rest.buffer_unordered(IN_FLIGHT).try_collect::<()>().await?;
    match last {
        Some((_, key)) => store.delete(&key).await,
        None => Ok(()),
    }
}
