//! Files that are left behind: what the folder remembers, and copies of states that were overwritten or brought away.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::config::{Memory, StateSettings};
use crate::diag::Diagnostic;
use crate::state::{State, format};

/// Writes what the folder remembers.
pub(super) fn remember(data: &Path, memory: &Memory) -> Result<(), Box<Diagnostic>> {
    let path = Memory::path(data);
    write(&path, memory.text().as_bytes())
        .map_err(|error| failed("Error saving the backend configuration", &path, &error))
}

/// The text of a state file.
pub(super) fn text(state: &State) -> Result<Vec<u8>, std::io::Error> {
    let mut bytes = Vec::new();
    format::write(state, &mut bytes)?;
    Ok(bytes)
}

/// Keeps a copy of a state that is about to leave its place: beside its file, or in the folder of the configuration. A copy
/// that is there already stays.
pub(super) fn copy(
    dir: &Path,
    place: &StateSettings,
    state: &State,
    now: Timestamp,
) -> Result<PathBuf, Box<Diagnostic>> {
    let stem = match place {
        StateSettings::Local { path } => path.clone(),
        StateSettings::S3(_) => dir.join("terraform.tfstate"),
    };
    let named = |end: &str| {
        let mut name = stem.clone().into_os_string();
        name.push(end);
        PathBuf::from(name)
    };
    let bytes = text(state).map_err(|error| failed("Error saving a copy of the state", &stem, &error))?;
    let plain = matches!(place, StateSettings::Local { .. }).then(|| named(".backup"));
    let numbered = (0..).map(|number| match number {
        0 => named(&format!(".{}.backup", now.as_second())),
        number => named(&format!(".{}-{number}.backup", now.as_second())),
    });
    let free = |path: &PathBuf| !path.exists() || std::fs::read(path).is_ok_and(|there| there == bytes);
    let Some(path) = plain.into_iter().chain(numbered).find(free) else { return Ok(stem) };
    write(&path, &bytes).map_err(|error| failed("Error saving a copy of the state", &path, &error))?;
    Ok(path)
}

/// Writes a file beside its place and renames it: a reader sees the old one or the new one. Only for this user.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)?;
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    draft.write_all(bytes)?;
    draft.as_file().sync_all()?;
    draft.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn failed(summary: &str, path: &Path, error: &std::io::Error) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(summary, format!("{} cannot be written: {error}.", path.display())))
}
