//! Archives: unpacked into a folder of their own, and nowhere else.
//!
//! An archive is hostile input. A name that is absolute or climbs up is refused, as is everything that is neither a file, a
//! folder nor a link inside of the package; sizes are counted while unpacking, whatever the archive says of itself.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::copy::bounded;
use super::error::FetchError;

/// Bytes that one package may unpack to.
const MOST_BYTES: u64 = 1 << 30;
/// Bytes of the path that a link holds.
const LONGEST_LINK: u64 = 4096;

/// How files are packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `.zip`
    Zip,
    /// `.tar`
    Tar,
    /// `.tar.gz`, `.tgz`
    TarGz,
}

const FORMATS: [(&str, Format); 4] =
    [("tar.gz", Format::TarGz), ("tgz", Format::TarGz), ("zip", Format::Zip), ("tar", Format::Tar)];
/// Formats that Terraform unpacks and this program does not.
const UNKNOWN: [&str; 8] = ["tar.bz2", "tbz2", "tar.xz", "txz", "tar.zst", "tzst", "bz2", "xz"];

impl Format {
    /// The format that `?archive=` names.
    pub fn named(name: &str) -> Result<Format, FetchError> {
        let found = FORMATS.iter().find(|(known, _)| *known == name);
        found.map(|(_, format)| *format).ok_or_else(|| not_there(name))
    }

    /// The format that the end of a file's name tells; nothing when it tells none.
    pub fn of(path: &str) -> Result<Option<Format>, FetchError> {
        let ends = |name: &&str| path.strip_suffix(*name).is_some_and(|rest| rest.ends_with('.'));
        if let Some((_, format)) = FORMATS.iter().find(|(name, _)| ends(name)) {
            return Ok(Some(*format));
        }
        match UNKNOWN.iter().find(|name| ends(name)) {
            Some(name) => Err(not_there(name)),
            None => Ok(None),
        }
    }
}

fn not_there(name: &str) -> FetchError {
    FetchError::Argument(format!("archives of the kind {name:?} are not supported; zip, tar.gz (tgz) and tar are"))
}

/// Unpacks into the folder `to`, which is made.
pub fn unpack(bytes: &[u8], format: Format, to: &Path) -> Result<(), FetchError> {
    fs::create_dir_all(to).map_err(FetchError::disk(to))?;
    let mut folder = Folder { root: to, left: MOST_BYTES, count: 0, links: Vec::new() };
    match format {
        Format::Zip => unzip(bytes, &mut folder)?,
        Format::Tar => untar(bytes, &mut folder)?,
        Format::TarGz => untar(MultiGzDecoder::new(bytes), &mut folder)?,
    }
    folder.finish()
}

/// The folder that an archive is unpacked into.
struct Folder<'a> {
    root: &'a Path,
    left: u64,
    count: usize,
    /// Links are made last, so that nothing is ever written through one.
    links: Vec<(PathBuf, PathBuf)>,
}

impl Folder<'_> {
    /// Where an entry of this name goes; nothing for the folder itself.
    fn place(&mut self, name: &Path) -> Result<Option<PathBuf>, FetchError> {
        self.count += 1;
        bounded(self.count)?;
        let mut path = PathBuf::new();
        for part in name.components() {
            match part {
                Component::Normal(part) => path.push(part),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err(FetchError::Archive(format!("the name {:?} leads out of it", name.display())));
                }
            }
        }
        Ok((!path.as_os_str().is_empty()).then(|| self.root.join(path)))
    }

    fn folder(&mut self, name: &Path) -> Result<(), FetchError> {
        match self.place(name)? {
            Some(path) => fs::create_dir_all(&path).map_err(FetchError::disk(&path)),
            None => Ok(()),
        }
    }

    fn file(&mut self, name: &Path, content: &mut dyn Read, executable: bool) -> Result<(), FetchError> {
        let Some(path) = self.place(name)? else { return Ok(()) };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(FetchError::disk(parent))?;
        }
        let mut file = File::create(&path).map_err(FetchError::disk(&path))?;
        // One byte more than allowed tells that there is too much.
        let written = io::copy(&mut content.take(self.left + 1), &mut file).map_err(|error| broken(&error))?;
        self.left = self
            .left
            .checked_sub(written)
            .ok_or_else(|| FetchError::Archive(format!("it holds more than {MOST_BYTES} bytes")))?;
        if executable {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::Permissions::from_mode(0o755);
            file.set_permissions(mode).map_err(FetchError::disk(&path))?;
        }
        Ok(())
    }

    fn link(&mut self, name: &Path, target: &Path) -> Result<(), FetchError> {
        if let Some(path) = self.place(name)? {
            self.links.push((path, target.to_owned()));
        }
        Ok(())
    }

    fn finish(self) -> Result<(), FetchError> {
        for (path, target) in self.links {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(FetchError::disk(parent))?;
                // What was made before may be a link that leads elsewhere.
                let real = parent.canonicalize().map_err(FetchError::disk(parent))?;
                let root = self.root.canonicalize().map_err(FetchError::disk(self.root))?;
                if !real.starts_with(&root) {
                    return Err(FetchError::Archive(format!("the link {:?} leads out of it", path.display())));
                }
            }
            std::os::unix::fs::symlink(&target, &path).map_err(FetchError::disk(&path))?;
        }
        // Where they lead is checked for all kinds of packages at once.
        Ok(())
    }
}

fn broken(error: &dyn std::error::Error) -> FetchError {
    FetchError::Archive(error.to_string())
}

fn unzip(bytes: &[u8], into: &mut Folder<'_>) -> Result<(), FetchError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| broken(&error))?;
        let name = PathBuf::from(entry.name().map_err(|error| broken(&error))?.into_owned());
        if entry.is_dir() {
            into.folder(&name)?;
        } else if entry.is_symlink() {
            let mut target = String::new();
            entry.by_ref().take(LONGEST_LINK).read_to_string(&mut target).map_err(|error| broken(&error))?;
            into.link(&name, Path::new(&target))?;
        } else {
            let executable = entry.unix_mode().is_some_and(|mode| mode & 0o100 != 0);
            into.file(&name, &mut entry, executable)?;
        }
    }
    Ok(())
}

fn untar(bytes: impl Read, into: &mut Folder<'_>) -> Result<(), FetchError> {
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries().map_err(|error| broken(&error))? {
        let mut entry = entry.map_err(|error| broken(&error))?;
        let name = entry.path().map_err(|error| broken(&error))?.into_owned();
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            into.folder(&name)?;
        } else if kind.is_symlink() {
            let target = entry.link_name().map_err(|error| broken(&error))?.unwrap_or_default().into_owned();
            into.link(&name, &target)?;
        } else if kind.is_file() {
            let executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
            into.file(&name, &mut entry, executable)?;
        } else if !(kind.is_pax_global_extensions() || kind.is_pax_local_extensions()) {
            return Err(FetchError::Archive(format!("{:?} is neither a file, a folder nor a link", name.display())));
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::install::copy::check_links;

    /// A tar with entries of these kinds, names and contents (or targets), written byte by byte: the library refuses to
    /// write what it should refuse to read.
    fn tar(entries: &[(u8, &str, &str)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (kind, name, content) in entries {
            let mut header = [0; 512];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[100..107].copy_from_slice(b"0000644");
            let size = if *kind == b'0' { content.len() } else { 0 };
            header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
            header[156] = *kind;
            if *kind != b'0' {
                header[157..157 + content.len()].copy_from_slice(content.as_bytes());
            }
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
            bytes.extend(header);
            if *kind == b'0' {
                bytes.extend(content.as_bytes());
                bytes.resize(bytes.len().next_multiple_of(512), 0);
            }
        }
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }

    fn check(entries: &[(u8, &str, &str)], expect: Result<(), &str>) {
        let dir = tempfile::tempdir().unwrap();
        let package = dir.path().join("deep/package");
        let got = unpack(&tar(entries), Format::Tar, &package).and_then(|()| check_links(&package));
        match (&got, expect) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            _ => panic!("{entries:?}: {got:?}"),
        }
        assert!(!dir.path().join("deep/evil").exists() && !dir.path().join("evil").exists());
        if expect.is_ok() {
            assert_eq!(fs::read_to_string(package.join("main.tf")).unwrap(), "x");
        }
    }

    #[test]
    fn archives_write_into_their_folder_only() {
        check(&[(b'5', "./", ""), (b'0', "./main.tf", "x"), (b'0', "a/b.tf", "y")], Ok(()));
        check(&[(b'0', "main.tf", "x"), (b'2', "same.tf", "main.tf")], Ok(()));
        check(&[(b'0', "../evil", "x")], Err("leads out of it"));
        check(&[(b'0', "a/../../evil", "x")], Err("leads out of it"));
        check(&[(b'0', "/tmp/evil", "x")], Err("leads out of it"));
        check(&[(b'2', "a", "/etc"), (b'0', "main.tf", "x")], Err("the link a leads out of the package"));
        check(&[(b'2', "a", "../.."), (b'0', "a/evil", "x")], Err(""));
        check(&[(b'2', "a", ".."), (b'2', "a/evil", "x")], Err(""));
        check(&[(b'2', "a", "../missing")], Err("the link a leads out of the package"));
        check(&[(b'1', "a", "/etc/passwd")], Err("neither a file, a folder nor a link"));
        check(&[(b'3', "a", "")], Err("neither a file, a folder nor a link"));
    }

    #[test]
    fn sizes_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = Folder { root: dir.path(), left: 3, count: 0, links: Vec::new() };
        assert!(folder.file(Path::new("a"), &mut &b"abc"[..], false).is_ok());
        assert!(folder.file(Path::new("b"), &mut &b"d"[..], false).is_err());
        folder.count = super::super::copy::MOST_ENTRIES;
        assert!(folder.folder(Path::new("c")).is_err());
    }

    #[test]
    fn damaged_archives_are_told() {
        let dir = tempfile::tempdir().unwrap();
        for format in [Format::Zip, Format::Tar, Format::TarGz] {
            assert!(unpack(&[7; 2000], format, dir.path()).is_err(), "{format:?}");
        }
        assert_eq!(Format::of("/a/b.tar.gz").unwrap(), Some(Format::TarGz));
        assert_eq!(Format::of("/a/b").unwrap(), None);
        assert_eq!(Format::of("/a/zip").unwrap(), None);
        assert!(Format::of("/a/b.tar.xz").is_err() && Format::named("rar").is_err());
    }
}
