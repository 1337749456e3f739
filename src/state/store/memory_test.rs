//! A store in memory that behaves as an object store, and can be made to fail at any write.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{Condition, Store, StoreError, Version};
use crate::provider::Boxed;

/// Objects by key, with a number that grows with each write.
pub type Objects = Arc<Mutex<BTreeMap<String, (Bytes, u64)>>>;

/// What happens at a write that fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The process ends before it.
    KilledBefore,
    /// The process ends after it, before the answer.
    KilledAfter,
    /// The write takes place, the answer is lost, the process goes on.
    AnswerLost,
    /// The write does not take place, the process goes on.
    Refused,
}

/// One process's view of the objects.
pub struct Memory {
    objects: Objects,
    state: Mutex<Faults>,
}

struct Faults {
    writes: u64,
    at: Option<(u64, Fault)>,
    killed: bool,
}

impl Memory {
    /// Without faults.
    pub fn new(objects: &Objects) -> Arc<Self> {
        Memory::failing(objects, None)
    }

    /// With a fault at the write of that number, counted from 0.
    pub fn failing(objects: &Objects, at: Option<(u64, Fault)>) -> Arc<Self> {
        let state = Mutex::new(Faults { writes: 0, at, killed: false });
        Arc::new(Memory { objects: objects.clone(), state })
    }

    /// How many writes there were.
    pub fn writes(&self) -> u64 {
        self.faults().writes
    }

    /// Whether the process has ended.
    pub fn is_killed(&self) -> bool {
        self.faults().killed
    }

    /// Ends the process: nothing works from now on.
    pub fn kill(&self) {
        self.faults().killed = true;
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, (Bytes, u64)>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gone() -> StoreError {
        StoreError::Unreachable { endpoint: "memory".into(), reason: "made to fail".into() }
    }

    fn read<T>(&self, read: impl FnOnce(&BTreeMap<String, (Bytes, u64)>) -> T) -> Result<T, StoreError> {
        if self.is_killed() { Err(Memory::gone()) } else { Ok(read(&self.objects())) }
    }

    fn write<T>(
        &self,
        write: impl FnOnce(&mut BTreeMap<String, (Bytes, u64)>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let fault = {
            let mut faults = self.faults();
            if faults.killed {
                return Err(Memory::gone());
            }
            let number = faults.writes;
            faults.writes += 1;
            let fault = faults.at.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
            faults.killed = matches!(fault, Some(Fault::KilledBefore | Fault::KilledAfter));
            fault
        };
        match fault {
            None => write(&mut self.objects()),
            Some(Fault::KilledBefore | Fault::Refused) => Err(Memory::gone()),
            Some(Fault::KilledAfter | Fault::AnswerLost) => {
                write(&mut self.objects())?;
                Err(Memory::gone())
            }
        }
    }
}

impl Store for Memory {
    fn describe(&self) -> String {
        "memory://here".into()
    }

    fn get<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<Option<(Bytes, Version)>, StoreError>> {
        Box::pin(async move {
            self.read(|objects| objects.get(key).map(|(bytes, n)| (bytes.clone(), Version(n.to_string()))))
        })
    }

    fn put<'a>(&'a self, key: &'a str, bytes: Bytes, condition: Condition) -> Boxed<'a, Result<Version, StoreError>> {
        Box::pin(async move {
            // Others run while a write is on its way.
            tokio::task::yield_now().await;
            self.write(|objects| {
                let there = objects.get(key);
                let allowed = match &condition {
                    Condition::Always => true,
                    Condition::Absent => there.is_none(),
                    Condition::Matches(version) => there.is_some_and(|(_, n)| n.to_string() == version.0),
                };
                if !allowed {
                    return Err(StoreError::Precondition { key: key.to_owned() });
                }
                let number = objects.values().map(|(_, n)| n + 1).max().unwrap_or(0);
                objects.insert(key.to_owned(), (bytes, number));
                Ok(Version(number.to_string()))
            })
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Boxed<'a, Result<Vec<String>, StoreError>> {
        Box::pin(
            async move { self.read(|objects| objects.keys().filter(|key| key.starts_with(prefix)).cloned().collect()) },
        )
    }

    fn delete<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<(), StoreError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.write(|objects| {
                objects.remove(key);
                Ok(())
            })
        })
    }

    fn copy<'a>(&'a self, from: &'a str, to: &'a str) -> Boxed<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.write(|objects| {
                if let Some(there) = objects.get(from).cloned() {
                    objects.insert(to.to_owned(), there);
                }
                Ok(())
            })
        })
    }
}
