//! A whole run on the local store: what is acknowledged is there afterwards, whatever happens.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::store::memory_test::{Fault, Memory, Objects};
use super::store::{Condition, LogName, StoreError, Version};
use super::{LockRequest, Object, OpenIntent, Record, Run, Slot, StateHandle};
use crate::addr::{
    InstanceAddr, InstanceKey, LayerName, ModuleInstance, ProviderConfigAddr, ProviderSource, ResourceAddr,
};
use crate::change::{Intent, Step};
use crate::provider::Boxed;
use crate::state::store::{LocalStore, Store};
use crate::state::{OutputState, StateError};
use crate::value::Value;

pub fn layer() -> LayerName {
    LayerName::from("data")
}

pub fn addr(index: u64) -> InstanceAddr {
    ResourceAddr::managed("terraform_data", "a").instance(
        layer(),
        ModuleInstance::root(),
        Some(InstanceKey::Int(index)),
    )
}

pub fn slot(index: u64) -> Slot {
    Slot::current(addr(index))
}

pub fn provider() -> ProviderConfigAddr {
    ProviderConfigAddr {
        layer: Some(layer()),
        module: crate::addr::ModuleAddr::root(),
        source: ProviderSource::builtin(),
        alias: None,
        key: None,
    }
}

pub fn object(id: &str) -> Arc<Object> {
    Arc::new(Object::new(0, format!("{{\"id\":\"{id}\"}}")))
}

pub fn put(index: u64, id: &str) -> Record {
    Record::new().put(slot(index), provider(), object(id))
}

pub fn intent(index: u64, nonce: &str, step: Step) -> OpenIntent {
    OpenIntent {
        intent: Intent {
            addr: addr(index),
            deposed: None,
            step,
            nonce: nonce.into(),
            schema_version: 0,
            object: "{\"input\":null}".into(),
        },
        provider: provider(),
        dependencies: Arc::new([]),
        create_before_destroy: false,
        sensitive: Vec::new(),
    }
}

pub fn run(id: &str) -> Run {
    Run { id: id.into(), who: "me@here".into(), operation: "apply".into(), started: "2026-11-21T14:02:11Z".into() }
}

pub fn ids(state: &super::State) -> Vec<String> {
    state.objects().map(|placed| placed.object.attributes.to_string()).collect()
}

#[tokio::test]
async fn a_run_is_stored_and_read_again() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::TempDir::new()?;
    let store: Arc<dyn Store> = Arc::new(LocalStore::new(folder.path().join("state")));
    let handle = StateHandle::new(store.clone(), "data-dev.tfstate", layer());
    assert!(handle.read().await?.state.is_empty());

    let lock = handle.lock(&LockRequest::new("me@here", "apply")).await?;
    let (commit, view) = handle.begin(Some(&lock), run("r1")).await?;
    assert!(view.recovered.is_none());
    commit.append(Record::new().open(intent(0, "n0", Step::Create))).await?;
    let read = handle.read().await?;
    assert_eq!(read.open, vec![intent(0, "n0", Step::Create)]);
    commit.append(put(0, "zero").close("n0")).await?;
    commit.append(Record::new().output("o", Some(OutputState { value: Value::from("v"), sensitive: true }))).await?;
    let read = handle.read().await?;
    assert_eq!((ids(&read.state), read.open.len()), (vec!["{\"id\":\"zero\"}".to_owned()], 0));
    assert_eq!(*read.state, *commit.state().await?);
    let finished = commit.finish().await?;
    assert!(finished.written);
    assert_eq!((finished.state.serial, finished.state.lineage.len()), (1, 36));
    lock.release().await?;

    let read = handle.read().await?;
    assert_eq!((read.recovered, &read.state), (None, &finished.state));
    let names: Vec<_> =
        std::fs::read_dir(folder.path().join("state"))?.flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["data-dev.tfstate"]);

    // Nothing new: no new snapshot.
    let (commit, _) = handle.begin(None, run("r2")).await?;
    commit.append(put(0, "zero")).await?;
    assert!(!commit.finish().await?.written);
    assert_eq!(handle.read().await?.state.serial, 1);
    Ok(())
}

/// A store whose appends wait until the test lets them go.
struct Held {
    objects: Arc<Memory>,
    gate: Semaphore,
    sizes: Mutex<Vec<usize>>,
}

impl Store for Held {
    fn describe(&self) -> String {
        self.objects.describe()
    }
    fn get<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<Option<(Bytes, Version)>, StoreError>> {
        self.objects.get(key)
    }
    fn put<'a>(&'a self, key: &'a str, bytes: Bytes, when: Condition) -> Boxed<'a, Result<Version, StoreError>> {
        self.objects.put(key, bytes, when)
    }
    fn list<'a>(&'a self, prefix: &'a str) -> Boxed<'a, Result<Vec<String>, StoreError>> {
        self.objects.list(prefix)
    }
    fn delete<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<(), StoreError>> {
        self.objects.delete(key)
    }
    fn copy<'a>(&'a self, from: &'a str, to: &'a str) -> Boxed<'a, Result<(), StoreError>> {
        self.objects.copy(from, to)
    }
    fn append<'a>(&'a self, log: &'a LogName, piece: u64, bytes: Bytes) -> Boxed<'a, Result<(), StoreError>> {
        Box::pin(async move {
            if let Ok(permit) = self.gate.acquire().await {
                permit.forget();
            }
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
            self.sizes.lock().unwrap_or_else(PoisonError::into_inner).push(lines);
            self.objects.append(log, piece, bytes).await
        })
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_durable_and_what_gathers_goes_together()
-> Result<(), Box<dyn std::error::Error>> {
    let objects = Objects::default();
    let held = Arc::new(Held { objects: Memory::new(&objects), gate: Semaphore::new(0), sizes: Mutex::default() });
    let handle = StateHandle::new(held.clone() as Arc<dyn Store>, "s.tfstate", layer());
    let (commit, _) = handle.begin(None, run("r1")).await?;
    let mut first = Box::pin(commit.append(put(0, "a")));
    for _ in 0..50 {
        tokio::task::yield_now().await;
        assert!(futures::poll!(&mut first).is_pending(), "acknowledged although its append is still on its way");
    }
    let mut rest: Vec<_> = (1..100).map(|index| Box::pin(commit.append(put(index, "b")))).collect();
    held.gate.add_permits(1);
    first.await?;
    for _ in 0..50 {
        tokio::task::yield_now().await;
        for later in &mut rest {
            assert!(futures::poll!(later).is_pending());
        }
    }
    held.gate.add_permits(1);
    futures::future::try_join_all(rest).await?;
    // The head and the first record, then the other ninety-nine at once.
    assert_eq!(*held.sizes.lock().unwrap_or_else(PoisonError::into_inner), [2, 99]);
    Ok(())
}

#[tokio::test]
async fn a_journal_that_cannot_be_written_says_so_to_everybody() -> Result<(), Box<dyn std::error::Error>> {
    let objects = Objects::default();
    let store = Memory::failing(&objects, Some((1, Fault::Refused)));
    let handle = StateHandle::new(store as Arc<dyn Store>, "s.tfstate", layer());
    let (commit, _) = handle.begin(None, run("r1")).await?;
    commit.append(put(0, "a")).await?;
    assert!(commit.append(put(1, "b")).await.is_err());
    assert!(commit.append(put(2, "c")).await.is_err(), "nothing is recorded behind a gap");
    let error = commit.finish().await.map(drop);
    assert!(error.is_err_and(|error| error.diagnostic().summary == "State store unreachable"));
    assert_eq!(ids(&handle.read().await?.state), ["{\"id\":\"a\"}"]);
    Ok(())
}

#[tokio::test]
async fn a_damaged_journal_blocks_until_the_user_drops_it() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::TempDir::new()?;
    let handle = StateHandle::new(Arc::new(LocalStore::new(folder.path())), "s.tfstate", layer());
    let (commit, _) = handle.begin(None, run("r1")).await?;
    commit.append(put(0, "a")).await?;
    commit.append(put(1, "b")).await?;
    drop(commit);
    let path = folder.path().join("s.tfstate.journal/0000000000-r1");
    let mut bytes = std::fs::read(&path)?;
    bytes[100] ^= 1;
    std::fs::write(&path, &bytes)?;
    assert!(matches!(handle.begin(None, run("r2")).await, Err(StateError::Conflict { .. })));
    let lock = handle.lock(&LockRequest::new("me@here", "state settle")).await?;
    let kept = handle.settle_conflicts(&lock, run("r3"), true).await;
    assert!(matches!(kept, Err(StateError::Conflict { .. })), "what cannot be read cannot be kept");
    assert_eq!(std::fs::read(&path)?, bytes);
    assert!(!handle.settle_conflicts(&lock, run("r4"), false).await?.written);
    assert!(handle.read().await?.conflicts.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_results_are_durable_quickly() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::TempDir::new()?;
    let handle = StateHandle::new(Arc::new(LocalStore::new(folder.path())), "s.tfstate", layer());
    let (commit, _) = handle.begin(None, run("r1")).await?;
    let began = std::time::Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..10_000 {
        let commit = commit.clone();
        tasks.spawn(async move { commit.append(put(index, "0123456789")).await });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    eprintln!("10,000 results in {:?}", began.elapsed());
    assert_eq!(handle.read().await?.state.object_count(), 10_000);
    assert_eq!(commit.finish().await?.state.object_count(), 10_000);
    eprintln!("with snapshot {:?}", began.elapsed());
    Ok(())
}
