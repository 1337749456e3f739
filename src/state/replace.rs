//! A state that is brought from elsewhere takes the place of another one, or leaves its own: `state push` and the move from one
//! backend to another.

use bytes::Bytes;

use super::error::StateError;
use super::format;
use super::meta;
use super::model::State;
use super::store::{Condition, Store, Version, put_checked};

/// Writes the state as it is, with its serial and lineage, where `version` was read.
///
/// # Errors
/// When the store fails, or somebody else has written in the meantime.
pub(super) async fn put(
    store: &dyn Store,
    key: &str,
    state: &State,
    version: Option<Version>,
) -> Result<(), StateError> {
    let mut bytes = Vec::new();
    format::write(state, &mut bytes).map_err(|source| StateError::Encode { key: key.to_owned(), source })?;
    let condition = version.map_or(Condition::Absent, Condition::Matches);
    put_checked(store, key, Bytes::from(bytes), condition).await?;
    // The notes are about the objects of the former state.
    Ok(store.delete(&meta::key_of(key)).await?)
}

/// Removes the state and what lies beside it.
///
/// # Errors
/// When the store fails.
pub(super) async fn remove(store: &dyn Store, key: &str) -> Result<(), StateError> {
    store.delete(&meta::key_of(key)).await?;
    Ok(store.delete(key).await?)
}
