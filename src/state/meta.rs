//! What is kept beside a state under `KEY.meta`: whose objects these are, and which gates have passed.
//!
//! Losing it costs nothing but time: gates run again, and identities are asked again.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::StateError;
use super::store::{Condition, Store, Version, put_checked};

/// Notes beside a state.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Meta {
    /// The identity behind each provider configuration (as state names it): the cluster's UID.
    pub identities: BTreeMap<String, String>,
    /// The gates that have passed since something in their phase changed, by name, as far as this layer is concerned.
    pub passed: BTreeMap<String, GatePassed>,
    /// The same by phase, as earlier versions wrote it: every gate of it has passed.
    pub gates: BTreeMap<String, GatePassed>,
}

/// A gate that has passed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GatePassed {
    /// When, RFC 3339.
    pub at: String,
    /// A hash of what it passed on; another one means that it has to run again.
    pub on: String,
}

/// Key of the notes.
pub(super) fn key_of(key: &str) -> String {
    format!("{key}.meta")
}

pub(super) async fn load(store: &dyn Store, key: &str) -> Result<(Meta, Option<Version>), StateError> {
    Ok(match store.get(&key_of(key)).await? {
        None => (Meta::default(), None),
        Some((bytes, version)) => (serde_json::from_slice(&bytes).unwrap_or_default(), Some(version)),
    })
}

pub(super) async fn save(
    store: &dyn Store,
    key: &str,
    meta: &Meta,
    version: Option<&Version>,
) -> Result<Version, StateError> {
    // Texts only: cannot fail.
    let bytes = Bytes::from(serde_json::to_vec_pretty(meta).unwrap_or_default());
    let condition = version.cloned().map_or(Condition::Absent, Condition::Matches);
    Ok(put_checked(store, &key_of(key), bytes, condition).await?)
}
