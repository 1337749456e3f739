//! A store in memory: states that live as long as a run, such as those of tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{Condition, Store, StoreError, Version};
use crate::provider::Boxed;

/// Objects by key, each with the number of the write that made it.
#[derive(Default)]
pub struct MemoryStore(Mutex<(u64, BTreeMap<String, (Bytes, u64)>)>);

impl MemoryStore {
    fn content(&self) -> MutexGuard<'_, (u64, BTreeMap<String, (Bytes, u64)>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, key: &str, bytes: Bytes, condition: &Condition) -> Result<Version, StoreError> {
        let mut content = self.content();
        let (last, objects) = &mut *content;
        let there = objects.get(key);
        let allowed = match condition {
            Condition::Always => true,
            Condition::Absent => there.is_none(),
            Condition::Matches(version) => there.is_some_and(|(_, number)| number.to_string() == version.0),
        };
        if !allowed {
            return Err(StoreError::Precondition { key: key.to_owned() });
        }
        *last += 1;
        objects.insert(key.to_owned(), (bytes, *last));
        Ok(Version(last.to_string()))
    }
}

impl Store for MemoryStore {
    fn describe(&self) -> String {
        "memory".into()
    }

    fn get<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<Option<(Bytes, Version)>, StoreError>> {
        let found = self.content().1.get(key).map(|(bytes, number)| (bytes.clone(), Version(number.to_string())));
        Box::pin(async move { Ok(found) })
    }

    fn put<'a>(&'a self, key: &'a str, bytes: Bytes, condition: Condition) -> Boxed<'a, Result<Version, StoreError>> {
        let written = self.write(key, bytes, &condition);
        Box::pin(async move { written })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Boxed<'a, Result<Vec<String>, StoreError>> {
        let found = self.content().1.keys().filter(|key| key.starts_with(prefix)).cloned().collect();
        Box::pin(async move { Ok(found) })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<(), StoreError>> {
        self.content().1.remove(key);
        Box::pin(async { Ok(()) })
    }

    fn copy<'a>(&'a self, from: &'a str, to: &'a str) -> Boxed<'a, Result<(), StoreError>> {
        let found = self.content().1.get(from).map(|(bytes, _)| bytes.clone());
        let copied = match found {
            Some(bytes) => self.write(to, bytes, &Condition::Always).map(|_| ()),
            None => Ok(()),
        };
        Box::pin(async move { copied })
    }
}
