//! Files on the host, moved by `sh` over the same channels as commands, so that they work as another user through sudo and on
//! hosts without SFTP.
//!
//! A file is written beside its place, checked for its length, given mode and owner, synced and renamed: a reader, and a host
//! that loses power, see the former file or the new one. The check matters: a connection that breaks looks to the host like the
//! end of the content.

use std::time::Duration;

use super::quote::quote;
use super::{Client, Exec, SshError};

/// A file on the host.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// What it holds.
    pub content: Vec<u8>,
    /// Permission bits, such as `0o644`.
    pub mode: u32,
    /// Name (or number) of its owner.
    pub owner: String,
    /// Name (or number) of its group.
    pub group: String,
}

/// A file to write.
#[derive(Clone)]
pub struct Upload {
    /// Absolute path on the host.
    pub path: String,
    /// What it shall hold.
    pub content: Vec<u8>,
    /// Permission bits, such as `0o644`.
    pub mode: u32,
    /// `user` or `user:group`, when it shall not belong to whoever logs in.
    pub owner: Option<String>,
    /// Whether missing directories above it are made.
    pub make_directories: bool,
    /// Whether root does it.
    pub sudo: bool,
    /// Time for all of it.
    pub timeout: Duration,
}

/// Why a file was not read, written or removed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The host could not be worked on.
    #[error(transparent)]
    Ssh(#[from] SshError),
    /// There is a directory in its place.
    #[error("{path} is a directory")]
    Directory {
        /// The path.
        path: String,
    },
    /// The file is larger than the caller wants to read.
    #[error("{path} is larger than {limit} bytes")]
    TooLarge {
        /// The path.
        path: String,
        /// The caller's limit.
        limit: usize,
    },
    /// The host refuses.
    #[error("{path}: {said}")]
    Refused {
        /// The path.
        path: String,
        /// What the programs on the host said.
        said: String,
    },
}

/// Exit codes of the scripts below that mean something; chosen where neither shells nor coreutils end.
const ABSENT: i32 = 44;
const IS_DIRECTORY: i32 = 45;

impl Client {
    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// When the host cannot be worked on or refuses.
    pub async fn upload(&self, upload: &Upload) -> Result<(), FileError> {
        let output = self.run(upload.exec()).await?;
        match output.code {
            0 => Ok(()),
            IS_DIRECTORY => Err(FileError::Directory { path: upload.path.clone() }),
            _ => Err(FileError::Refused { path: upload.path.clone(), said: output.tail(3) }),
        }
    }

    /// Reads a file; `None` when there is none.
    ///
    /// # Errors
    /// When the host cannot be worked on or refuses, or the file is larger than `limit` bytes.
    pub async fn download(&self, path: &str, limit: usize, sudo: bool) -> Result<Option<RemoteFile>, FileError> {
        let script = format!(
            "p={path}\n\
             [ -d \"$p\" ] && exit {IS_DIRECTORY}\n\
             if [ ! -e \"$p\" ]; then\n\
             d=$p\n\
             while d=${{d%/*}} && [ -n \"$d\" ]; do\n\
             [ -d \"$d\" ] || continue\n\
             [ -x \"$d\" ] || {{ echo \"permission denied below $d\" >&2; exit 1; }}\n\
             break\n\
             done\n\
             exit {ABSENT}\n\
             fi\n\
             stat -L -c '%a %U %G' -- \"$p\" && cat -- \"$p\"",
            path = quote(path)
        );
        // The first line holds mode, owner and group; one byte more than wanted tells that there is more.
        let header_room = 256;
        let output = self.run(Exec::script(script).sudo(sudo).limit(limit.saturating_add(header_room))).await?;
        match output.code {
            0 => {}
            ABSENT => return Ok(None),
            IS_DIRECTORY => return Err(FileError::Directory { path: path.to_owned() }),
            _ => return Err(FileError::Refused { path: path.to_owned(), said: output.tail(3) }),
        }
        let odd = || FileError::Refused { path: path.to_owned(), said: "stat printed something unexpected".to_owned() };
        let end = output.stdout.iter().position(|byte| *byte == b'\n').ok_or_else(odd)?;
        let header = String::from_utf8_lossy(&output.stdout[..end]).into_owned();
        let [mode, owner, group] = header.split(' ').collect::<Vec<_>>()[..] else { return Err(odd()) };
        let content = output.stdout[end + 1..].to_vec();
        if output.truncated || content.len() > limit {
            return Err(FileError::TooLarge { path: path.to_owned(), limit });
        }
        let mode = u32::from_str_radix(mode, 8).map_err(|_| odd())?;
        Ok(Some(RemoteFile { content, mode, owner: owner.to_owned(), group: group.to_owned() }))
    }

    /// Removes a file; none is fine.
    ///
    /// # Errors
    /// When the host cannot be worked on or refuses.
    pub async fn remove(&self, path: &str, sudo: bool) -> Result<(), FileError> {
        let script = format!("p={}\n[ -d \"$p\" ] && exit {IS_DIRECTORY}\nrm -f -- \"$p\"", quote(path));
        let output = self.run(Exec::script(script).sudo(sudo)).await?;
        match output.code {
            0 => Ok(()),
            IS_DIRECTORY => Err(FileError::Directory { path: path.to_owned() }),
            _ => Err(FileError::Refused { path: path.to_owned(), said: output.tail(3) }),
        }
    }
}

impl Upload {
    fn exec(&self) -> Exec {
        let make = if self.make_directories { "mkdir -p -- \"$d\"\n" } else { "" };
        let own = match &self.owner {
            Some(owner) => format!("chown -- {} \"$t\"\n", quote(owner)),
            None => String::new(),
        };
        let script = format!(
            "set -eu\n\
             p={path}; d=${{p%/*}}; d=${{d:-/}}\n\
             [ ! -d \"$p\" ] || exit {IS_DIRECTORY}\n\
             {make}\
             umask 077\n\
             t=$(mktemp \"$d/.infra-XXXXXX\")\n\
             trap 'rm -f -- \"$t\"' EXIT\n\
             cat > \"$t\"\n\
             n=$(wc -c < \"$t\")\n\
             [ \"$n\" -eq {length} ] || {{ echo \"only $n of {length} bytes arrived\" >&2; exit 1; }}\n\
             {own}\
             chmod {mode:o} \"$t\"\n\
             sync \"$t\" 2>/dev/null || sync\n\
             mv -f -- \"$t\" \"$p\"\n\
             trap - EXIT\n\
             sync \"$d\" 2>/dev/null || sync\n",
            path = quote(&self.path),
            length = self.content.len(),
            mode = self.mode,
        );
        Exec::script(script).stdin(self.content.clone()).sudo(self.sudo).timeout(self.timeout)
    }
}
