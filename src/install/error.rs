//! Why a package could not be fetched.

use std::path::Path;

use crate::client::http::HttpError;
use crate::client::process::ProcessError;

/// Why a package could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Nothing is known of such sources.
    #[error("sources of the kind {0:?} are not supported; git, http, https and folders of this machine are")]
    Scheme(String),
    /// An argument of the address cannot be used.
    #[error("{0}")]
    Argument(String),
    /// A program did not run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Git ran and failed.
    #[error("git {what} ended with {code}: {said}")]
    Git {
        /// What it was to do.
        what: &'static str,
        /// Its exit code.
        code: i32,
        /// The end of what it said.
        said: String,
    },
    /// The server could not be asked.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The server refused.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The answer does not lead to a package.
    #[error("{0}")]
    Answer(String),
    /// The archive cannot be unpacked, or must not be.
    #[error("the archive cannot be unpacked: {0}")]
    Archive(String),
    /// What was fetched must not be used.
    #[error("{0}")]
    Unsafe(String),
    /// The file system refused.
    #[error("{path}: {source}")]
    Disk {
        /// What was to be read or written.
        path: String,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
}

impl FetchError {
    /// The file system's answer about a path.
    pub(super) fn disk(path: &Path) -> impl Fn(std::io::Error) -> FetchError + '_ {
        |source| FetchError::Disk { path: path.display().to_string(), source }
    }
}
