//! Sorted entries of maps and objects: one allocation, found by binary search, iterated in order.

use std::fmt;
use std::sync::Arc;

use super::{Str, Value};

/// Keys and values, sorted by key (by bytes, as Terraform sorts), without repetition. Cloning shares them.
#[derive(Clone, Default)]
pub struct Entries(Arc<Vec<(Str, Value)>>);

impl Entries {
    /// No entries.
    pub fn new() -> Self {
        Entries::default()
    }

    /// Of entries that are sorted by key already, without repetition.
    pub(super) fn from_sorted(entries: Vec<(Str, Value)>) -> Self {
        debug_assert!(entries.is_sorted_by(|a, b| a.0 < b.0));
        Entries(Arc::new(entries))
    }

    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let at = self.0.binary_search_by(|(name, _)| name.as_str().cmp(key)).ok()?;
        Some(&self.0[at].1)
    }

    /// Whether there is such a key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Keys and values in the order of the keys.
    pub fn iter(&self) -> std::slice::Iter<'_, (Str, Value)> {
        self.0.iter()
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Str> {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.iter().map(|(_, value)| value)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether these are copies of each other.
    pub(super) fn is_shared_with(&self, other: &Entries) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same entries with `key` set to `value`. Copies when the entries are shared.
    #[must_use]
    pub fn with(mut self, key: impl Into<Str>, value: Value) -> Self {
        let key = key.into();
        let entries = Arc::make_mut(&mut self.0);
        match entries.binary_search_by(|(name, _)| name.cmp(&key)) {
            Ok(at) => entries[at].1 = value,
            Err(at) => entries.insert(at, (key, value)),
        }
        self
    }

    /// Every value passed through `f`, which sees the key too.
    #[must_use]
    pub fn map_values(&self, mut f: impl FnMut(&Str, &Value) -> Value) -> Self {
        Entries(Arc::new(self.0.iter().map(|(key, value)| (key.clone(), f(key, value))).collect()))
    }
}

impl FromIterator<(Str, Value)> for Entries {
    /// Of a repeated key the last value stays.
    fn from_iter<I: IntoIterator<Item = (Str, Value)>>(iter: I) -> Self {
        Entries(Arc::new(sorted(iter)))
    }
}

/// Pairs sorted by key; of a repeated key the last one stays. Costs one comparison a pair where they are sorted already.
pub(super) fn sorted<T>(pairs: impl IntoIterator<Item = (Str, T)>) -> Vec<(Str, T)> {
    let mut pairs: Vec<(Str, T)> = pairs.into_iter().collect();
    if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        // Stable sort: the last of equal keys is the one written last.
        pairs.reverse();
        pairs.dedup_by(|a, b| a.0 == b.0);
        pairs.reverse();
    }
    pairs
}

impl<'a> IntoIterator for &'a Entries {
    type Item = &'a (Str, Value);
    type IntoIter = std::slice::Iter<'a, (Str, Value)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(key, value)| (key, value))).finish()
    }
}
