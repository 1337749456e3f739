//! The log on the disk: one line an object in one revision, appended and synced before a call answers.
//!
//! `{"r":7,"k":"pods","s":"data","n":"redis-0","u":"<uid>","o":["<uid of owner>"],"p":true}` TAB object NEWLINE; a line without
//! object is a removal. JSON never holds a raw tab or newline, so that lines can be told apart without reading the objects. A last line
//! that was cut off by a crash was never acknowledged and is dropped.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{Key, Object, State};

/// A log below this size is never rewritten.
const SMALL: u64 = 1 << 20;

/// The store's disk did not do as told.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A file or folder could not be used.
    #[error("{}: {cause}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: Arc<std::io::Error>,
    },
    /// Another process has the sandbox open.
    #[error("the sandbox in {} is in use by another process{}", folder.display(), holder.map(|pid| format!(" ({pid})")).unwrap_or_default())]
    InUse {
        /// The sandbox's folder.
        folder: PathBuf,
        /// Its process id, where it is known.
        holder: Option<u32>,
    },
    /// The log holds something else.
    #[error("{}, line {line}: not a line of a sandbox's log ({cause}); remove the folder to start an empty sandbox", path.display())]
    Unreadable {
        /// The log.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        cause: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    r: u64,
    #[serde(borrow)]
    k: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    s: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    n: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    u: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    o: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    p: bool,
}

/// The line of an object.
pub(super) fn line(object: &Object) -> Vec<u8> {
    let mut line = header(&object.key, object.revision, Some(object));
    line.push(b'\t');
    line.extend_from_slice(&object.raw);
    line.push(b'\n');
    line
}

/// The line of a removal.
pub(super) fn gone(key: &Key, revision: u64) -> Vec<u8> {
    let mut line = header(key, revision, None);
    line.push(b'\n');
    line
}

fn header(key: &Key, revision: u64, object: Option<&Object>) -> Vec<u8> {
    let header = Header {
        r: revision,
        k: (&*key.resource).into(),
        s: (&*key.namespace).into(),
        n: (&*key.name).into(),
        u: object.map(|object| object.uid.clone()).unwrap_or_default(),
        o: object.map(|object| object.owners.clone()).unwrap_or_default(),
        p: object.is_some_and(|object| object.unsettled),
    };
    // Serialising texts and numbers cannot fail.
    serde_json::to_vec(&header).unwrap_or_default()
}

#[derive(Default)]
struct Pending {
    lines: Vec<u8>,
    revision: u64,
    /// All objects, when the log is to be rewritten: they include `lines`.
    rewrite: Option<Vec<Arc<Object>>>,
    /// Bytes in the file and on their way to it.
    size: u64,
    closed: bool,
}

struct Shared {
    pending: Mutex<Pending>,
    wake: Condvar,
}

/// The log of an open store.
pub struct Log {
    shared: Arc<Shared>,
    durable: watch::Receiver<Result<u64, StoreError>>,
    writer: Option<std::thread::JoinHandle<()>>,
    /// Holds the lock of the folder as long as the store is open.
    _lock: File,
}

impl Log {
    /// Opens the log of a folder: gives its objects and the last revision.
    pub(super) fn open(folder: &Path) -> Result<(Log, BTreeMap<Key, Arc<Object>>, u64), StoreError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| StoreError::Io { path, cause: Arc::new(cause) }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        let lock = lock(folder)?;
        let path = folder.join("objects.log");
        let mut text = Vec::new();
        let mut file = private().read(true).append(true).create(true).open(&path).map_err(failed(&path))?;
        file.read_to_end(&mut text).map_err(failed(&path))?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < text.len() {
            // A line cut off by a crash: nobody was told that it is safe.
            file.set_len(whole as u64).map_err(failed(&path))?;
            text.truncate(whole);
        }
        let (objects, revision) = read(&path, Bytes::from(text))?;
        let shared = Arc::new(Shared {
            pending: Mutex::new(Pending { revision, size: whole as u64, ..Pending::default() }),
            wake: Condvar::new(),
        });
        let (sender, durable) = watch::channel(Ok(revision));
        let writer = std::thread::Builder::new()
            .name("sandbox-log".into())
            .spawn({
                let (shared, path) = (shared.clone(), path.clone());
                move || write_until_closed(&shared, file, &path, &sender)
            })
            .map_err(failed(&path))?;
        Ok((Log { shared, durable, writer: Some(writer), _lock: lock }, objects, revision))
    }

    /// Hands lines to the writer. `state` is what they lead to.
    pub(super) fn append(&self, lines: Vec<u8>, revision: u64, state: &State) {
        let mut pending = self.shared.lock();
        pending.size += lines.len() as u64;
        pending.revision = revision;
        if pending.size > SMALL {
            let live: u64 = state.all().map(|object| object.raw.len() as u64 + 200).sum();
            if pending.size > 4 * live.max(SMALL / 4) {
                pending.rewrite = Some(state.all().cloned().collect());
                pending.lines.clear();
                pending.size = live;
            }
        }
        match &mut pending.rewrite {
            // The objects to be rewritten were taken before these lines: take them anew.
            Some(objects) => *objects = state.all().cloned().collect(),
            None => pending.lines.extend_from_slice(&lines),
        }
        self.shared.wake.notify_one();
    }

    /// Resolves when everything up to a revision is synced.
    pub(super) async fn durable(&self, revision: u64) -> Result<(), StoreError> {
        let mut durable = self.durable.clone();
        let reached = durable.wait_for(|state| state.as_ref().map_or(true, |done| *done >= revision)).await;
        match reached {
            Ok(state) => state.as_ref().map(|_| ()).map_err(Clone::clone),
            // The writer ends only after the store is closed, when nobody can call this.
            Err(_) => Ok(()),
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what gathers while the last write was synced (a group commit without a timer), until the store is closed.
fn write_until_closed(shared: &Shared, mut file: File, path: &Path, durable: &watch::Sender<Result<u64, StoreError>>) {
    loop {
        let mut pending = shared.lock();
        while pending.lines.is_empty() && pending.rewrite.is_none() && !pending.closed {
            pending = shared.wake.wait(pending).unwrap_or_else(PoisonError::into_inner);
        }
        let (lines, rewrite) = (std::mem::take(&mut pending.lines), pending.rewrite.take());
        let (revision, closed) = (pending.revision, pending.closed);
        drop(pending);
        let written = match rewrite {
            Some(objects) => rewritten(path, &objects, revision).map(|fresh| file = fresh),
            None if lines.is_empty() => Ok(()),
            None => file.write_all(&lines).and_then(|()| file.sync_data()),
        };
        let reached = match written {
            Ok(()) => Ok(revision),
            Err(cause) => Err(StoreError::Io { path: path.to_owned(), cause: Arc::new(cause) }),
        };
        let _before = durable.send_replace(reached);
        if closed {
            return;
        }
    }
}

/// Writes the log anew beside the old one and puts it in its place.
fn rewritten(path: &Path, objects: &[Arc<Object>], revision: u64) -> std::io::Result<File> {
    let aside = path.with_extension("new");
    let mut file = private().write(true).create(true).truncate(true).open(&aside)?;
    let mut lines = Vec::new();
    let mut ordered: Vec<&Arc<Object>> = objects.iter().collect();
    ordered.sort_by_key(|object| object.revision);
    for object in ordered {
        lines.extend_from_slice(&line(object));
    }
    // Revisions never go back, also when the last change was a removal that needs no line any more.
    lines.extend_from_slice(&gone(&Key::new("", "", ""), revision));
    file.write_all(&lines)?;
    file.sync_all()?;
    std::fs::rename(&aside, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    private().append(true).open(path)
}

fn read(path: &Path, text: Bytes) -> Result<(BTreeMap<Key, Arc<Object>>, u64), StoreError> {
    let (mut objects, mut revision) = (BTreeMap::new(), 0);
    let mut start = 0;
    let mut number = 0;
    while start < text.len() {
        let length = text[start..].iter().position(|byte| *byte == b'\n').unwrap_or(text.len() - start);
        let line = text.slice(start..start + length);
        start += length + 1;
        number += 1;
        let unreadable = |cause: String| StoreError::Unreadable { path: path.to_owned(), line: number, cause };
        let tab = line.iter().position(|byte| *byte == b'\t');
        let header: Header<'_> = serde_json::from_slice(&line[..tab.unwrap_or(line.len())])
            .map_err(|cause| unreadable(cause.to_string()))?;
        let key = Key::new(&header.k, &header.s, &header.n);
        revision = revision.max(header.r);
        match tab {
            None => {
                objects.remove(&key);
            }
            Some(tab) if line[tab + 1..].starts_with(b"{") && line.ends_with(b"}") => {
                let raw = line.slice(tab + 1..);
                let object = Object::stored(key.clone(), header.r, header.u, header.o, header.p, raw);
                objects.insert(key, Arc::new(object));
            }
            Some(_) => return Err(unreadable("the object is not one".into())),
        }
    }
    Ok((objects, revision))
}

/// Takes the folder's lock, which ends with the process.
fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join("lock");
    let failed = |cause| StoreError::Io { path: path.clone(), cause: Arc::new(cause) };
    let mut file = private().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            file.set_len(0).map_err(failed)?;
            write!(file, "{}", std::process::id()).map_err(failed)?;
            Ok(file)
        }
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut holder = String::new();
            // Who holds it is only a courtesy.
            let _ = file.read_to_string(&mut holder);
            Err(StoreError::InUse { folder: folder.to_owned(), holder: holder.trim().parse().ok() })
        }
        Err(cause) => Err(failed(cause.into())),
    }
}

/// Options for files that nobody else may read: they hold the sandbox's Secrets.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}
