//! Where a package is fetched to before it is put into its place: whoever reads sees the old one or the new one, whole.

use std::fs;
use std::path::{Path, PathBuf};

use super::copy::copy;
use super::error::FetchError;

/// A folder for a package that is on its way; removed when it is dropped.
pub struct Draft {
    /// Where the package is to be put; not there yet.
    pub package: PathBuf,
    _folder: tempfile::TempDir,
}

impl Draft {
    /// Beside the modules of a data folder, so that it can be renamed into its place.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(data: &Path) -> Result<Draft, FetchError> {
        let modules = data.join("modules");
        fs::create_dir_all(&modules).map_err(FetchError::disk(&modules))?;
        let made = tempfile::Builder::new().prefix(".fetching-").tempdir_in(&modules);
        let folder = made.map_err(FetchError::disk(&modules))?;
        Ok(Draft { package: folder.path().join("package"), _folder: folder })
    }

    /// Puts it into its places, in the stead of what is there.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put(self, places: &[PathBuf]) -> Result<(), FetchError> {
        let Some((last, others)) = places.split_last() else { return Ok(()) };
        for place in others {
            clear(place)?;
            copy(&self.package, place)?;
        }
        clear(last)?;
        fs::rename(&self.package, last).map_err(FetchError::disk(last))
    }
}

/// Removes what is at a place; a link is removed itself.
fn clear(place: &Path) -> Result<(), FetchError> {
    let removed = match fs::symlink_metadata(place) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(place),
        Ok(_) => fs::remove_file(place),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.map_err(FetchError::disk(place))
}
