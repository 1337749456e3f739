//! Folders on this machine: copied, and looked over for links that lead out of them.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::FetchError;

/// Files and folders that one package may have.
pub const MOST_ENTRIES: usize = 100_000;

/// Copies what is in `from` into the folder `to`, which is made. Links stay links.
pub fn copy(from: &Path, to: &Path) -> Result<(), FetchError> {
    let mut count = 0;
    copy_folder(from, to, &mut count)
}

/// The same without what is hidden: that belongs to the folder that it lies in.
pub fn copy_visible(from: &Path, to: &Path) -> Result<(), FetchError> {
    let mut count = 0;
    for entry in fs::read_dir(from).map_err(FetchError::disk(from))? {
        let entry = entry.map_err(FetchError::disk(from))?;
        let (path, name) = (entry.path(), entry.file_name());
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            copy_folder(&path, &to.join(&name), &mut count)?;
        } else {
            fs::copy(&path, to.join(&name)).map_err(FetchError::disk(&path))?;
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path, count: &mut usize) -> Result<(), FetchError> {
    fs::create_dir_all(to).map_err(FetchError::disk(to))?;
    for entry in fs::read_dir(from).map_err(FetchError::disk(from))? {
        let entry = entry.map_err(FetchError::disk(from))?;
        *count += 1;
        bounded(*count)?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(FetchError::disk(&path))?;
        if kind.is_dir() {
            copy_folder(&path, &target, count)?;
        } else if kind.is_symlink() {
            let leads = fs::read_link(&path).map_err(FetchError::disk(&path))?;
            std::os::unix::fs::symlink(leads, &target).map_err(FetchError::disk(&target))?;
        } else if kind.is_file() {
            fs::copy(&path, &target).map_err(FetchError::disk(&target))?;
        }
    }
    Ok(())
}

/// Whether every link in a package stays in it.
pub fn check_links(package: &Path) -> Result<(), FetchError> {
    let package = package.canonicalize().map_err(FetchError::disk(package))?;
    let mut open: Vec<PathBuf> = vec![package.clone()];
    let mut count = 0;
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(FetchError::disk(&folder))? {
            let entry = entry.map_err(FetchError::disk(&folder))?;
            count += 1;
            bounded(count)?;
            let path = entry.path();
            let kind = entry.file_type().map_err(FetchError::disk(&path))?;
            // A link that leads nowhere cannot be followed, now or later, unless somebody makes what it names.
            let leads_out =
                || path.canonicalize().map_or_else(|_| !names_inside(&path), |real| !real.starts_with(&package));
            if kind.is_symlink() && leads_out() {
                let shown = path.strip_prefix(&package).unwrap_or(&path);
                let detail = format!("the link {} leads out of the package, which no module may do", shown.display());
                return Err(FetchError::Unsafe(detail));
            }
            if kind.is_dir() {
                open.push(path);
            }
        }
    }
    Ok(())
}

/// Whether a link that leads nowhere at least names something beside it.
fn names_inside(link: &Path) -> bool {
    fs::read_link(link)
        .is_ok_and(|target| target.components().all(|part| matches!(part, std::path::Component::Normal(_))))
}

/// Whether a package may have that many entries.
pub fn bounded(count: usize) -> Result<(), FetchError> {
    if count <= MOST_ENTRIES {
        return Ok(());
    }
    Err(FetchError::Unsafe(format!("there are more than {MOST_ENTRIES} files and folders in it")))
}
