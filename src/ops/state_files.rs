//! The files of a local state in a folder without a project: `-state`, `-state-out`, and the copy of what was there before.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::addr::LayerName;
use crate::config::StateSettings;
use crate::diag::{Diagnostic, Diagnostics};
use crate::state::{LockRequest, StateHandle, format};

use super::session::{Session, store_of};

/// Where the former state is kept when a command has changed it.
#[derive(Clone, Debug)]
pub enum Backup {
    /// Beside the state: `NAME.backup`.
    Beside,
    /// Beside the state, with the time in its name: one for each command.
    Stamped(Timestamp),
    /// In this file.
    At(PathBuf),
    /// Nowhere.
    None,
}

/// The files of one command.
pub struct StateFiles {
    to: PathBuf,
    backup: Option<PathBuf>,
    /// What the command begins with.
    before: Vec<u8>,
    /// What was in the file of `-state-out`, and the copy of it; `None` where that file is the state itself.
    former: Option<Former>,
}

/// What a file of `-state-out` held before.
struct Former {
    bytes: Vec<u8>,
    /// Where it is kept from before the first write on: a run that is killed must not be the end of it.
    copy: PathBuf,
    /// Whether the copy goes when all went well, because the user wants none.
    goes: bool,
}

impl StateFiles {
    /// Looks at the state before a command changes it, and puts it where `-state-out` wants it. `None`: the state is no file, or
    /// one of a project.
    ///
    /// # Errors
    /// When a file cannot be read or written, or somebody else writes the one of `-state-out`.
    pub async fn begin(session: &Session, backup: &Backup) -> Result<Option<StateFiles>, Diagnostics> {
        let (true, Some(layer)) = (session.config.is_plain(), session.config.layers.first()) else { return Ok(None) };
        let StateSettings::Local { path: to } = &layer.state else { return Ok(None) };
        let mut files = StateFiles { to: to.clone(), backup: None, before: Vec::new(), former: None };
        files.backup = match backup {
            Backup::Beside => Some(files.named(".backup")),
            Backup::Stamped(now) => Some(files.named(&format!(".{}.backup", now.as_second()))),
            Backup::At(path) => Some(session.config.working_dir.join(path)),
            Backup::None => None,
        };
        match session.config.state_from.as_ref().filter(|from| !is_same_file(from, to)) {
            None => files.before = read(to)?,
            Some(from) => files.put(from, &session.identity.who).await?,
        }
        Ok(Some(files))
    }

    /// Puts the state of one file where `-state-out` wants it. What is there may be anything: it has to be free and readable,
    /// and is kept first.
    async fn put(&mut self, from: &Path, who: &str) -> Result<(), Diagnostics> {
        let there = handle_of(&self.to);
        there.until_free(&LockRequest::new(who.to_owned(), "read")).await.map_err(|error| error.diagnostic())?;
        there.read().await.map_err(|error| error.diagnostic())?;
        let bytes = read(&self.to)?;
        self.before = recovered(from).await?;
        let (copy, goes) = match &self.backup {
            Some(path) => (path.clone(), false),
            None => (self.named(".former"), true),
        };
        if !bytes.is_empty() {
            write(&copy, &bytes)?;
        }
        self.former = Some(Former { bytes, copy, goes });
        write(&self.to, &self.before)
    }

    /// Keeps a copy of the former state, if the command has changed it. A file of `-state-out` that a command has not come to
    /// use is what it was before.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn end(self, done: bool) -> Result<(), Diagnostics> {
        let changed = read(&self.to)? != self.before;
        if let Some(former) = self.former.as_ref().filter(|former| !former.bytes.is_empty()) {
            if !changed && !done {
                write(&self.to, &former.bytes)?;
            }
            return if former.goes { write(&former.copy, &[]) } else { Ok(()) };
        }
        if !changed {
            // A file that was not there is not left behind by a command that did nothing.
            return if self.former.is_some() && !done { write(&self.to, &[]) } else { Ok(()) };
        }
        match &self.backup {
            Some(path) if !self.before.is_empty() => write(path, &self.before),
            Some(_) | None => Ok(()),
        }
    }

    fn named(&self, end: &str) -> PathBuf {
        let mut name = self.to.clone().into_os_string();
        name.push(end);
        name.into()
    }
}

/// Whether two paths lead to one file, however they are spelled.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    let resolved = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| crate::config::normal(path));
    resolved(one) == resolved(other)
}

/// The state in a file of a folder without a project.
pub(super) fn handle_of(path: &Path) -> StateHandle {
    let (store, key) = store_of(&StateSettings::Local { path: path.to_owned() });
    StateHandle::new(store, key, LayerName::plain())
}

/// The state of a file with what a journal beside it adds.
async fn recovered(path: &Path) -> Result<Vec<u8>, Diagnostics> {
    let view = handle_of(path).read().await.map_err(|error| error.diagnostic())?;
    let mut bytes = Vec::new();
    if view.version.is_some() || !view.state.is_empty() {
        format::write(&view.state, &mut bytes).map_err(|error| failed(path, &error))?;
    }
    Ok(bytes)
}

fn read(path: &Path) -> Result<Vec<u8>, Diagnostics> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(path, &error)),
    }
}

/// Beside its place and renamed, only for this user; nothing means that there is no file.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Diagnostics> {
    let put = || {
        if bytes.is_empty() {
            return match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut draft, bytes)?;
        draft.persist(path).map(drop).map_err(|error| error.error)
    };
    put().map_err(|error: std::io::Error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Diagnostics {
    Diagnostic::error("State file not usable", format!("{}: {error}.", path.display())).into()
}
