//! Reading and writing one file so that a crash at any instant leaves a whole one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::held;
use crate::state::store::MAX_BYTES;

/// Ends the name of the synced copy.
pub const NEXT: &str = ".next";
/// Ends the name of that copy before it is whole.
pub const NEXT_DRAFT: &str = ".next-draft";

/// The whole content of a file that may be locked by this process; `None` when there is no such file. While (or after) somebody
/// was writing it, the last whole content.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let next = beside(path, NEXT);
    let mut last = None;
    // A writer needs a few milliseconds; each turn reads the whole file, so that this is ample.
    for _ in 0..100 {
        let before = stamp(path)?;
        let bytes = match read_held(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            bytes => Some(bytes?),
        };
        let copy = match read_whole(&next) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            copy => Some(copy?),
        };
        let quiet = before == stamp(path)?;
        match (bytes, copy) {
            (bytes, None) if quiet && !fs::exists(&next)? => return Ok(bytes),
            // Whole, although a copy is there: it was written by another program, or not touched yet.
            (Some(bytes), Some(copy)) if quiet && !copy.starts_with(&bytes) && is_json(&bytes) => {
                return Ok(Some(bytes));
            }
            (_, Some(copy)) => return Ok(Some(copy)),
            (bytes, None) => last = bytes,
        }
    }
    Ok(last)
}

/// A torn file is a beginning of the new content, or has zeros in it.
fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

/// Length, time of change and inode; `None` when there is no file.
fn stamp(path: &Path) -> io::Result<Option<(u64, i64, i64, u64)>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        data => data.map(|data| Some((data.len(), data.mtime(), data.mtime_nsec(), data.ino()))),
    }
}

/// Replaces the content in place, behind a synced copy. The content is JSON or at least never the beginning of itself.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    make_folder(path)?;
    let (draft, next) = (beside(path, NEXT_DRAFT), beside(path, NEXT));
    write_draft(&draft, bytes)?.sync_all()?;
    let file = match held::file(path) {
        Some(file) => file,
        None => Arc::new(OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?),
    };
    fs::rename(&draft, &next)?;
    sync_folder(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    // Emptied first: what a crash leaves is then a beginning of the new content, never a mixture that happens to be JSON.
    file.set_len(0)?;
    file.write_all_at(bytes, 0)?;
    file.sync_all()?;
    fs::remove_file(&next)
}

/// A file with this content, not synced.
pub fn write_draft(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// Removes a file; one that is locked by this process is emptied instead, which counts as gone.
pub fn delete(path: &Path) -> io::Result<()> {
    if let Some(file) = held::file(path) {
        file.set_len(0)?;
        return file.sync_all();
    }
    delete_synced(path)
}

/// Removes a file so that it does not come back after a power failure.
pub fn delete_synced(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.and_then(|()| sync_folder(path)),
    }
}

/// A new log file, or with `go_on` an existing one to be appended to. Its name is durable when this returns.
pub fn create_new_log(path: &Path, go_on: bool) -> io::Result<File> {
    make_folder(path)?;
    let mut options = OpenOptions::new();
    options.append(true).mode(0o600);
    let file = if go_on { options.open(path)? } else { options.create_new(true).open(path)? };
    sync_folder(path)?;
    Ok(file)
}

/// The content of a file of bounded size.
pub fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = Vec::with_capacity(bounded(&file)?);
    (&file).take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read_held(path: &Path) -> io::Result<Vec<u8>> {
    // Closing any other handle of the file would drop this process's lock on it.
    let Some(file) = held::file(path) else { return read_whole(path) };
    let mut bytes = vec![0; bounded(&file)?];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], filled as u64)? {
            0 => break,
            more => filled += more,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn bounded(file: &File) -> io::Result<usize> {
    let len = file.metadata()?.len();
    if len > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{len} bytes are too many for a state")));
    }
    Ok(usize::try_from(len).unwrap_or(0))
}

/// Makes the folder that a file stands in, for this user only.
pub fn make_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            // The new folder's own name must survive too.
            sync_folder(folder)
        }
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// The path with something added to its name.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
