//! What is stored under keys of one form: the states of all instances of an environment, or of all layers.

use std::collections::BTreeMap;

use crate::config::{INSTANCE, S3Settings, StateSettings};
use crate::state::StateError;

use super::session::store_of;

/// The keys that are there, and their form.
pub(super) struct Stored {
    keys: Vec<String>,
    prefix: String,
    suffix: String,
}

impl Stored {
    /// Lists the keys that differ from those of these settings only where [`INSTANCE`] stands. `None` when that is nowhere.
    pub(super) async fn of(settings: &StateSettings) -> Result<Option<Stored>, StateError> {
        let (store, key) = store_of(settings);
        let Some((prefix, suffix)) = key.split_once(INSTANCE) else { return Ok(None) };
        // The rest of the bucket is not walked through, unless a folder of its own stands behind the name.
        let listing = if suffix.contains('/') { store.list(prefix) } else { store.list_level(prefix) };
        let keys = listing.await.map_err(StateError::from)?;
        Ok(Some(Stored { keys, prefix: prefix.to_owned(), suffix: suffix.to_owned() }))
    }

    /// The names that stand there, with the key of the state of each. What lies beside a state counts: a journal may be all
    /// that there is.
    pub(super) fn names(&self) -> BTreeMap<&str, String> {
        let name = |key: &'_ String| {
            let rest = key.strip_prefix(self.prefix.as_str())?;
            let end = if self.suffix.is_empty() { rest.len() } else { rest.find(self.suffix.as_str())? };
            let at = self.prefix.len()..self.prefix.len() + end;
            Some(at).filter(|_| end > 0 && !rest[..end].contains('/'))
        };
        let found = self.keys.iter().filter_map(|key| Some(&key[name(key)?]));
        found.map(|name| (name, format!("{}{name}{}", self.prefix, self.suffix))).collect()
    }
}

/// The settings with a name in the place of [`INSTANCE`].
pub(super) fn with_name(settings: &StateSettings, name: &str) -> StateSettings {
    match settings {
        StateSettings::Local { path } => {
            StateSettings::Local { path: path.to_string_lossy().replace(INSTANCE, name).into() }
        }
        StateSettings::S3(settings) => {
            let key = settings.key.replace(INSTANCE, name);
            StateSettings::S3(Box::new(S3Settings { key, ..(**settings).clone() }))
        }
    }
}
