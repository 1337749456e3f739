//! Where configuration is read from: the file system, or what an earlier run has read.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::lang::functions::{self, DirFiles, Files as FunctionFiles, ReadError};

/// Reads files, as functions do, and folders. Paths are absolute.
pub trait Files: FunctionFiles {
    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// When it is missing, or cannot be read.
    fn list(&self, dir: &Path) -> Result<Vec<Entry>, ReadError>;
}

/// A name in a folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// Whether it is a folder.
    pub is_dir: bool,
}

impl Files for DirFiles {
    fn list(&self, dir: &Path) -> Result<Vec<Entry>, ReadError> {
        let read = std::fs::read_dir(dir).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ReadError::Missing,
            _ => ReadError::Other(error),
        })?;
        let mut entries = Vec::new();
        for entry in read {
            let entry = entry?;
            // A name that is no UTF-8 is no name of configuration.
            let Ok(name) = entry.file_name().into_string() else { continue };
            // Follows links: a linked folder is a folder.
            let is_dir = std::fs::metadata(entry.path()).is_ok_and(|meta| meta.is_dir());
            entries.push(Entry { name, is_dir });
        }
        entries.sort();
        Ok(entries)
    }
}

/// Everything that was read: enough to read it again without the file system. A saved plan carries it. The contents may be
/// secret.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Captured {
    /// Contents by absolute path.
    #[serde(with = "contents")]
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// Names by absolute path of the folder.
    pub folders: BTreeMap<PathBuf, Vec<Entry>>,
    /// What `fileexists` was told.
    pub kinds: BTreeMap<PathBuf, Option<bool>>,
    /// What `fileset` was told: names, and whether each is a folder or a regular file.
    pub members: BTreeMap<PathBuf, Vec<(String, bool, bool)>>,
    /// The home folder, if it was asked for.
    pub home: Option<PathBuf>,
}

/// Contents of files as JSON: text where they are text.
mod contents {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize)]
    #[serde(untagged)]
    enum Out<'a> {
        Text(&'a str),
        Bytes(&'a [u8]),
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum In {
        Text(String),
        Bytes(Vec<u8>),
    }

    pub(super) fn serialize<S: Serializer>(files: &BTreeMap<PathBuf, Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        let content = |bytes| std::str::from_utf8(bytes).map_or(Out::Bytes(bytes), Out::Text);
        to.collect_map(files.iter().map(|(path, bytes)| (path, content(bytes.as_slice()))))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<PathBuf, Vec<u8>>, D::Error> {
        let files = BTreeMap::<PathBuf, In>::deserialize(from)?;
        let bytes = |content| match content {
            In::Text(text) => text.into_bytes(),
            In::Bytes(bytes) => bytes,
        };
        Ok(files.into_iter().map(|(path, content)| (path, bytes(content))).collect())
    }
}

impl std::fmt::Debug for Captured {
    /// Paths only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.files.keys()).finish()
    }
}

impl Captured {
    /// A file more, listed in its folders: for configuration that never was on a disk.
    #[must_use]
    pub fn with(mut self, path: impl Into<PathBuf>, content: impl Into<Vec<u8>>) -> Self {
        let path = path.into();
        let mut is_dir = false;
        let mut inner = path.as_path();
        while let (Some(dir), Some(name)) = (inner.parent(), inner.file_name()) {
            let names = self.folders.entry(dir.to_owned()).or_default();
            let entry = Entry { name: name.to_string_lossy().into_owned(), is_dir };
            if let Err(at) = names.binary_search(&entry) {
                names.insert(at, entry);
            }
            is_dir = true;
            inner = dir;
        }
        self.files.insert(path, content.into());
        self
    }
}

impl FunctionFiles for Captured {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        match self.files.get(path) {
            Some(content) => Ok(content.clone()),
            None if self.folders.contains_key(path) => Err(ReadError::Folder),
            None => Err(ReadError::Missing),
        }
    }

    fn is_file(&self, path: &Path) -> Option<bool> {
        match self.kinds.get(path) {
            Some(kind) => *kind,
            None if self.folders.contains_key(path) => None,
            None => Some(self.files.contains_key(path)),
        }
    }

    fn members(&self, folder: &Path) -> Vec<functions::Entry> {
        if let Some(told) = self.members.get(folder) {
            let each = |(name, folder, file): &(String, bool, bool)| functions::Entry {
                name: name.clone(),
                folder: *folder,
                file: *file,
            };
            return told.iter().map(each).collect();
        }
        let listed = self.folders.get(folder).into_iter().flatten();
        listed
            .map(|entry| functions::Entry { name: entry.name.clone(), folder: entry.is_dir, file: !entry.is_dir })
            .collect()
    }

    fn home(&self) -> Option<PathBuf> {
        self.home.clone()
    }
}

impl Files for Captured {
    fn list(&self, dir: &Path) -> Result<Vec<Entry>, ReadError> {
        self.folders.get(dir).cloned().ok_or(ReadError::Missing)
    }
}

/// Reads through to other files and remembers all that was read.
pub struct Capture {
    inner: Arc<dyn Files>,
    seen: Mutex<Captured>,
}

impl Capture {
    /// Nothing read yet.
    pub fn new(inner: Arc<dyn Files>) -> Self {
        Capture { inner, seen: Mutex::default() }
    }

    /// What was read so far.
    pub fn captured(&self) -> Captured {
        self.seen().clone()
    }

    fn seen(&self) -> MutexGuard<'_, Captured> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FunctionFiles for Capture {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        let content = self.inner.read(path)?;
        self.seen().files.insert(path.to_owned(), content.clone());
        Ok(content)
    }

    fn is_file(&self, path: &Path) -> Option<bool> {
        let kind = self.inner.is_file(path);
        self.seen().kinds.insert(path.to_owned(), kind);
        kind
    }

    fn members(&self, folder: &Path) -> Vec<functions::Entry> {
        let members = self.inner.members(folder);
        let told = members.iter().map(|entry| (entry.name.clone(), entry.folder, entry.file)).collect();
        self.seen().members.insert(folder.to_owned(), told);
        members
    }

    fn home(&self) -> Option<PathBuf> {
        let home = self.inner.home();
        self.seen().home.clone_from(&home);
        home
    }
}

impl Files for Capture {
    fn list(&self, dir: &Path) -> Result<Vec<Entry>, ReadError> {
        let entries = self.inner.list(dir)?;
        self.seen().folders.insert(dir.to_owned(), entries.clone());
        Ok(entries)
    }
}

/// The path without `.` and `..`, without asking the file system: `a/../b` is `b`.
pub fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

/// The path as seen from a folder: `../../infra.hcl`. Both are absolute and normal.
pub fn relative(path: &Path, from: &Path) -> PathBuf {
    let shared = path.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    // Two paths that share nothing but the root have nothing to do with each other.
    if shared <= 1 && from.components().count() > 1 && path.components().count() > 1 {
        return path.to_owned();
    }
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let relative: PathBuf = up.chain(path.components().skip(shared)).collect();
    if relative.as_os_str().is_empty() { PathBuf::from(".") } else { relative }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_as_seen_from_a_folder() {
        for (path, from, expect) in [
            ("/p/infra.hcl", "/p", "infra.hcl"),
            ("/p/infra.hcl", "/p/layers/data", "../../infra.hcl"),
            ("/p/layers/data/a.tf", "/p", "layers/data/a.tf"),
            ("/p", "/p", "."),
            ("/etc/x.tf", "/p/q", "/etc/x.tf"),
        ] {
            assert_eq!(relative(Path::new(path), Path::new(from)), Path::new(expect));
        }
    }

    #[test]
    fn what_was_read_can_be_read_again_and_nothing_else() {
        let disk = Captured::default().with("/a/b/c.tf", "x").with("/a/d.tf", "y");
        let capture = Capture::new(Arc::new(disk));
        assert!(capture.read(Path::new("/a/b/c.tf")).is_ok() && capture.list(Path::new("/a")).is_ok());
        let again = capture.captured();
        assert_eq!(again.read(Path::new("/a/b/c.tf")).ok(), Some(b"x".to_vec()));
        let names =
            again.list(Path::new("/a")).map(|entries| entries.into_iter().map(|e| (e.name, e.is_dir)).collect());
        assert_eq!(names.ok(), Some(vec![("b".to_owned(), true), ("d.tf".to_owned(), false)]));
        assert!(again.read(Path::new("/a/d.tf")).is_err() && again.list(Path::new("/a/b")).is_err());
    }
}
