//! The local store: files below a folder.
//!
//! A state is written in place, because Terraform's lock hangs on the file itself: a synced copy `NAME.next` comes first and is
//! removed afterwards, so that a torn file is never the only one. Logs are files that are appended to and synced.
//! Files have mode 0600, folders that are made 0700.

mod file;
mod held;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

pub use file::read_whole;
pub use held::{Held, LockRefused, is_locked};

use super::{Condition, LogName, Store, StoreError, Version};
use crate::provider::Boxed;

/// Replaces a small file that nobody reads while it is written.
pub(in crate::state) fn write_small(path: &Path, bytes: &[u8]) -> io::Result<()> {
    file::write_draft(path, bytes).map(drop)
}

/// Keeps keys as files below a folder.
pub struct LocalStore {
    root: PathBuf,
    logs: Arc<Mutex<HashMap<PathBuf, Arc<File>>>>,
}

impl LocalStore {
    /// A store below `root`, which need not exist yet. Keys are paths relative to it.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        LocalStore { root: root.into(), logs: Arc::default() }
    }

    /// The file of a key.
    pub fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    fn journal_folder(&self, key: &str) -> PathBuf {
        self.path(&format!("{key}.journal"))
    }

    fn log_path(&self, log: &LogName) -> PathBuf {
        self.journal_folder(&log.key).join(format!("{:010}-{}", log.serial, log.run))
    }
}

impl LocalStore {
    /// The keys that begin with a prefix; `deep`: those in folders below, too.
    fn keys<'a>(&'a self, prefix: &'a str, deep: bool) -> Boxed<'a, Result<Vec<String>, StoreError>> {
        let root = self.root.clone();
        let prefix = prefix.to_owned();
        blocking(move || {
            let start = prefix.rfind('/').map_or("", |at| &prefix[..=at]);
            let mut keys = Vec::new();
            walk(&root.join(start), start, deep, &mut keys).map_err(at(&root))?;
            keys.retain(|key| key.starts_with(&prefix));
            keys.sort();
            Ok(keys)
        })
    }
}

impl Store for LocalStore {
    fn describe(&self) -> String {
        self.root.display().to_string()
    }

    fn get<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<Option<(Bytes, Version)>, StoreError>> {
        let path = self.path(key);
        blocking(move || {
            let bytes = file::read(&path).map_err(at(&path))?;
            Ok(bytes.filter(|bytes| !bytes.is_empty()).map(|bytes| {
                let version = version_of(&bytes);
                (Bytes::from(bytes), version)
            }))
        })
    }

    fn put<'a>(&'a self, key: &'a str, bytes: Bytes, condition: Condition) -> Boxed<'a, Result<Version, StoreError>> {
        let path = self.path(key);
        let key = key.to_owned();
        blocking(move || {
            let allowed = match &condition {
                Condition::Always => true,
                Condition::Absent => file::read(&path).map_err(at(&path))?.is_none_or(|there| there.is_empty()),
                Condition::Matches(version) => {
                    file::read(&path).map_err(at(&path))?.is_some_and(|there| version_of(&there) == *version)
                }
            };
            if !allowed {
                return Err(StoreError::Precondition { key });
            }
            file::write(&path, &bytes).map_err(at(&path))?;
            Ok(version_of(&bytes))
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Boxed<'a, Result<Vec<String>, StoreError>> {
        self.keys(prefix, true)
    }

    fn list_level<'a>(&'a self, prefix: &'a str) -> Boxed<'a, Result<Vec<String>, StoreError>> {
        self.keys(prefix, false)
    }

    fn delete<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<(), StoreError>> {
        let path = self.path(key);
        blocking(move || file::delete(&path).map_err(at(&path)))
    }

    fn copy<'a>(&'a self, from: &'a str, to: &'a str) -> Boxed<'a, Result<(), StoreError>> {
        let (from, to) = (self.path(from), self.path(to));
        blocking(move || {
            let missing = || io::Error::from(io::ErrorKind::NotFound);
            let bytes = file::read(&from).and_then(|bytes| bytes.ok_or_else(missing)).map_err(at(&from))?;
            file::write(&to, &bytes).map_err(at(&to))
        })
    }

    fn append<'a>(&'a self, log: &'a LogName, piece: u64, bytes: Bytes) -> Boxed<'a, Result<(), StoreError>> {
        let path = self.log_path(log);
        let logs = self.logs.clone();
        let key = log.key.clone();
        blocking(move || {
            let open = open_logs(&logs).get(&path).cloned();
            let file = match open {
                Some(file) => file,
                None => {
                    let file = match file::create_new_log(&path, piece > 0) {
                        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                            return Err(StoreError::Precondition { key });
                        }
                        file => Arc::new(file.map_err(at(&path))?),
                    };
                    open_logs(&logs).insert(path.clone(), file.clone());
                    file
                }
            };
            // One write and one sync a piece: a torn piece was never reported, and its checksums show the tear.
            (&*file).write_all(&bytes).and_then(|()| file.sync_data()).map_err(at(&path))
        })
    }

    fn logs<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<Vec<LogName>, StoreError>> {
        let folder = self.journal_folder(key);
        let key = key.to_owned();
        blocking(move || {
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries.map_err(at(&folder))?,
            };
            let mut logs = Vec::new();
            for entry in entries {
                let name = entry.map_err(at(&folder))?.file_name();
                let parts = name.to_str().and_then(|name| name.split_once('-'));
                if let Some((Ok(serial), run)) = parts.map(|(serial, run)| (serial.parse(), run)) {
                    logs.push(LogName { key: key.clone(), serial, run: run.to_owned() });
                }
            }
            logs.sort();
            Ok(logs)
        })
    }

    fn read_log<'a>(&'a self, log: &'a LogName) -> Boxed<'a, Result<Vec<(u64, Bytes)>, StoreError>> {
        let path = self.log_path(log);
        blocking(move || match read_whole(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            bytes => Ok(vec![(0, Bytes::from(bytes.map_err(at(&path))?))]),
        })
    }

    fn delete_log<'a>(&'a self, log: &'a LogName) -> Boxed<'a, Result<(), StoreError>> {
        let path = self.log_path(log);
        let logs = self.logs.clone();
        blocking(move || {
            open_logs(&logs).remove(&path);
            file::delete_synced(&path).map_err(at(&path))?;
            // Only an empty folder can be removed, and whether that works does not matter.
            let _ = path.parent().map(fs::remove_dir);
            Ok(())
        })
    }

    fn files(&self) -> Option<&LocalStore> {
        Some(self)
    }
}

type OpenLogs = HashMap<PathBuf, Arc<File>>;

fn open_logs(logs: &Mutex<OpenLogs>) -> MutexGuard<'_, OpenLogs> {
    logs.lock().unwrap_or_else(PoisonError::into_inner)
}

fn at(path: &Path) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::File { path: path.to_owned(), source }
}

/// Runs file work where it may block.
fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Boxed<'static, Result<T, StoreError>> {
    Box::pin(async move {
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => Err(StoreError::File { path: PathBuf::new(), source: io::Error::other(error.to_string()) }),
        }
    })
}

/// A version says what the content is: its length and a hash that is quick, not one that withstands an attacker.
fn version_of(bytes: &[u8]) -> Version {
    use std::hash::Hasher;
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(bytes);
    Version(format!("{:x}-{:016x}", bytes.len(), hasher.finish()))
}

fn walk(folder: &Path, prefix: &str, deep: bool, keys: &mut Vec<String>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let own = name.starts_with('.') || name.ends_with(file::NEXT) || name.ends_with(file::NEXT_DRAFT);
        if entry.file_type()?.is_dir() {
            if deep && !name.ends_with(".journal") {
                walk(&entry.path(), &format!("{prefix}{name}/"), deep, keys)?;
            }
        } else if !own && entry.metadata()?.len() > 0 {
            keys.push(format!("{prefix}{name}"));
        }
    }
    Ok(())
}
