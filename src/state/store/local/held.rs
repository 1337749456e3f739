//! The operating system's lock on a state file, as Terraform takes it: fcntl, exclusive, on the file itself.
//!
//! Such a lock belongs to the process and is dropped when *any* handle of the file is closed. Hence the table of held files:
//! whoever in this process reads or writes a held file does it through the one handle.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use rustix::fs::{FlockOperation, fcntl_lock};

use super::file;

static HELD: LazyLock<Mutex<HashMap<PathBuf, Arc<File>>>> = LazyLock::new(Mutex::default);

/// A locked file. Dropping it gives the lock back.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
}

/// Why a file could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockRefused {
    /// Another process, or another part of this one, holds it.
    #[error("it is locked")]
    Taken,
    /// It could not be opened.
    #[error(transparent)]
    File(#[from] io::Error),
}

impl Held {
    /// Locks a file, which is made (empty) when it is not there.
    ///
    /// # Errors
    /// When it is locked already or cannot be opened.
    pub fn take(path: &Path) -> Result<Held, LockRefused> {
        file::make_folder(path)?;
        let path = absolute(path)?;
        let mut held = table();
        if held.contains_key(&path) {
            return Err(LockRefused::Taken);
        }
        loop {
            let file =
                OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                // The last holder may have removed its empty file between our opening and our locking of it.
                Ok(()) if fs::metadata(&path).map(|data| data.ino()).ok() == Some(file.metadata()?.ino()) => {
                    held.insert(path.clone(), Arc::new(file));
                    return Ok(Held { path });
                }
                Ok(()) => {}
                Err(rustix::io::Errno::ACCESS | rustix::io::Errno::AGAIN) => return Err(LockRefused::Taken),
                Err(error) => return Err(LockRefused::File(error.into())),
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = table();
        if let Some(file) = held.remove(&self.path)
            && file.metadata().is_ok_and(|data| data.len() == 0)
        {
            // Made by the lock and never written: leave no trace, as Terraform does.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a process, this one included, holds the lock of a file.
///
/// # Errors
/// When the file is there and cannot be opened.
pub fn is_locked(path: &Path) -> io::Result<bool> {
    // Held by this process: opening and closing the file would give the lock back.
    let held = table();
    if held.contains_key(&absolute(path)?) {
        return Ok(true);
    }
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    // Asks for the lock that a reader would need: Terraform's and ours forbid it.
    let wanted = rustix::process::Flock::from(rustix::process::FlockType::ReadLock);
    Ok(rustix::process::fcntl_getlk(&file, &wanted)?.is_some())
}

/// The handle of a file that this process has locked.
pub fn file(path: &Path) -> Option<Arc<File>> {
    let held = table();
    if held.is_empty() {
        return None;
    }
    held.get(&absolute(path).ok()?).cloned()
}

fn table() -> MutexGuard<'static, HashMap<PathBuf, Arc<File>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One path for one file: links in the folder's path are followed.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => Ok(folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).join(name)),
        _ => Ok(path),
    }
}
