//! What can go wrong with a store.

use std::path::PathBuf;

use crate::diag::Diagnostic;

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The condition of a write does not hold.
    #[error("{key} has been changed or created by someone else in the meantime")]
    Precondition {
        /// The key.
        key: String,
    },
    /// There is no such bucket.
    #[error("there is no bucket \"{bucket}\" at {endpoint}")]
    BucketMissing {
        /// Its name.
        bucket: String,
        /// Where it was looked for.
        endpoint: String,
    },
    /// The credentials are wrong or not allowed to do this.
    #[error("{endpoint} refuses the credentials ({code}): {message}")]
    Denied {
        /// Who refused.
        endpoint: String,
        /// The error code of the answer.
        code: String,
        /// The text of the answer.
        message: String,
    },
    /// No answer, also after several tries.
    #[error("{endpoint} does not answer: {reason}")]
    Unreachable {
        /// Who was asked.
        endpoint: String,
        /// The chain of causes in words.
        reason: String,
    },
    /// The store cannot do this at all.
    #[error("{endpoint} does not support {what}")]
    Unsupported {
        /// Who was asked.
        endpoint: String,
        /// What it lacks.
        what: String,
    },
    /// Any other refusal.
    #[error("{endpoint} answers {code}: {message}")]
    Refused {
        /// Who refused.
        endpoint: String,
        /// The error code of the answer.
        code: String,
        /// The text of the answer.
        message: String,
    },
    /// Something larger than [`super::MAX_BYTES`].
    #[error("{key} is larger than any state ({bytes} bytes)")]
    TooLarge {
        /// The key.
        key: String,
        /// Its size.
        bytes: u64,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl StoreError {
    /// What the user is told.
    pub fn diagnostic(&self) -> Diagnostic {
        let (summary, hint) = match self {
            StoreError::Precondition { .. } => (
                "State changed outside of this run",
                "Another run, or another program, has written in the meantime. Nothing was overwritten. Plan again.",
            ),
            StoreError::BucketMissing { .. } => {
                ("Bucket missing", "Create the bucket, or correct \"bucket\" and \"endpoints\" in the state block.")
            }
            StoreError::Denied { .. } => (
                "Access to state denied",
                "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or access_key and secret_key in the state block), and what \
                 that key may do with the bucket.",
            ),
            StoreError::Unreachable { .. } => {
                ("State store unreachable", "Check \"endpoints\" and \"region\" in the state block, and the network.")
            }
            StoreError::Unsupported { .. } => (
                "State store not suitable",
                "Two runs could overwrite each other there. Use a store with conditional writes.",
            ),
            StoreError::Refused { .. } => ("State store refuses", ""),
            StoreError::TooLarge { .. } => ("State too large", ""),
            StoreError::File { source, .. } => match source.kind() {
                std::io::ErrorKind::PermissionDenied => ("Access to state denied", "Check the owner of the file."),
                _ => ("State file cannot be used", ""),
            },
        };
        // A sentence begins with a capital; an address, a key or a path stays as it is written.
        let text = self.to_string();
        let mut detail = match text.strip_prefix("there ") {
            Some(rest) => format!("There {rest}."),
            None => format!("{text}."),
        };
        if !hint.is_empty() {
            detail.push('\n');
            detail.push_str(hint);
        }
        Diagnostic::error(summary, detail)
    }
}
