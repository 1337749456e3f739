//! What a folder on this machine holds, as it is to be uploaded.

use std::io;
use std::path::{Path, PathBuf};

/// Deepest folder that is followed: symbolic links may lead in circles.
const DEPTH: usize = 64;

/// Folders and files below a folder, named from it with slashes; parents come before what is in them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tree {
    pub folders: Vec<String>,
    pub files: Vec<(String, PathBuf)>,
}

/// Reads a folder. Symbolic links count as what they lead to.
pub(super) fn read(folder: &Path) -> io::Result<Tree> {
    let mut tree = Tree::default();
    gather(folder, "", 0, &mut tree)?;
    Ok(tree)
}

fn gather(folder: &Path, prefix: &str, depth: usize, tree: &mut Tree) -> io::Result<()> {
    if depth == DEPTH {
        return Err(io::Error::other(format!("{} lies too deep: symbolic links lead in a circle", folder.display())));
    }
    let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(io::Error::other(format!("{} is no UTF-8", entry.path().display())));
        };
        let (path, named) = (entry.path(), format!("{prefix}{name}"));
        if std::fs::metadata(&path)?.is_dir() {
            tree.folders.push(named.clone());
            gather(&path, &format!("{named}/"), depth + 1, tree)?;
        } else {
            tree.files.push((named, path));
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn folders_come_before_what_is_in_them_and_links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("b/c")).unwrap();
        std::fs::write(root.join("b/c/x"), "").unwrap();
        std::os::unix::fs::symlink("b", root.join("d")).unwrap();
        let tree = read(root).unwrap();
        assert_eq!(tree.folders, ["b", "b/c", "d", "d/c"]);
        assert_eq!(tree.files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["b/c/x", "d/c/x"]);
        std::os::unix::fs::symlink(".", root.join("e")).unwrap();
        assert!(read(root).is_err());
    }
}
