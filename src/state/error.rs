//! What can go wrong with a state.

use std::sync::Arc;

use super::format::FormatError;
use super::journal::JournalError;
use super::lock::Locked;
use super::recover::Conflict;
use super::store::StoreError;
use crate::diag::Diagnostic;

/// Why a state could not be read, locked or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored bytes.
    #[error("{key} cannot be read: {source}")]
    Format {
        /// The key.
        key: String,
        /// Why not.
        source: FormatError,
    },
    /// Somebody else holds the lock.
    #[error("{0}")]
    Locked(Box<Locked>),
    /// The lock has another ID than the one given, or there is none.
    #[error("the lock of {key} cannot be removed: {reason}")]
    NotUnlocked {
        /// The key.
        key: String,
        /// Why not.
        reason: String,
    },
    /// This run has lost its lock, or could not renew it for too long.
    #[error("this run no longer holds the lock of {key}")]
    LeaseLost {
        /// The key.
        key: String,
    },
    /// Results on a snapshot that is gone.
    #[error("{key} has journal entries on a snapshot that is no longer current")]
    Conflict {
        /// The key.
        key: String,
        /// The logs.
        conflicts: Vec<Conflict>,
    },
    /// Something to be recorded could not be encoded: an output that is not wholly known.
    #[error("a record for {key} cannot be encoded: {source}")]
    Encode {
        /// The key.
        key: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The journal of an intent or conflict that was to be settled has no such thing.
    #[error("{key} has no open {what}")]
    NothingOpen {
        /// The key.
        key: String,
        /// What was looked for.
        what: String,
    },
    /// An earlier failure of the same writer; nothing was recorded since.
    #[error("{0}")]
    Earlier(Arc<StateError>),
    /// The writer has ended.
    #[error("the state of {key} is no longer being written")]
    Ended {
        /// The key.
        key: String,
    },
}

impl From<JournalError> for StateError {
    fn from(error: JournalError) -> Self {
        StateError::Store(StoreError::Refused {
            endpoint: "the journal".into(),
            code: "damaged".into(),
            message: error.to_string(),
        })
    }
}

impl StateError {
    /// What the user is told.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            StateError::Store(error) => error.diagnostic(),
            StateError::Earlier(error) => error.diagnostic(),
            StateError::Format { key, source } => {
                let (summary, hint) = match source {
                    FormatError::Newer { .. } => (
                        "State is newer than this program",
                        "Use the program that wrote it, or a newer version of this one. Nothing was changed.",
                    ),
                    FormatError::Older(_) | FormatError::Flat(_) => ("State is too old", "Nothing was changed."),
                    FormatError::Encrypted => {
                        ("State is encrypted", "Let OpenTofu decrypt it first. Nothing was changed.")
                    }
                    _ => (
                        "State cannot be read",
                        "Restore it from a copy, or look at what wrote it last. Nothing was changed.",
                    ),
                };
                Diagnostic::error(summary, format!("{key}: {source}.\n{hint}")).about(key)
            }
            StateError::Locked(locked) => {
                {
                    // Terraform has nothing between the summary and the cause; our own words name the state.
                    Diagnostic::error("Error acquiring the state lock", locked.to_string())
                }
            }
            StateError::NotUnlocked { key, .. } => Diagnostic::error("Lock not removed", format!("{self}.")).about(key),
            StateError::LeaseLost { key } => Diagnostic::error(
                "Lock lost",
                format!(
                    "The lock of {key} could not be renewed, or another run has taken it over. What was done is in the \
                     journal; no snapshot was written. Look at what the other run did, then run again."
                ),
            )
            .about(key),
            StateError::Conflict { key, conflicts } => {
                let mut detail = format!("{key} has results that do not fit the snapshot that is stored:\n");
                for conflict in conflicts {
                    let who = conflict.run.as_ref().map_or_else(String::new, |run| {
                        format!(" by {} (\"{}\", {})", run.who, run.operation, run.started)
                    });
                    detail.push_str(&format!(
                        "  run {}{who}, {} records: {}\n",
                        conflict.log.run,
                        conflict.records.len(),
                        conflict.reason
                    ));
                }
                detail.push_str(
                    "They are kept, and nothing is written until they are settled. infra state uncertain shows what they \
                     hold; infra state settle -keep takes them into state, infra state settle -drop forgets them.",
                );
                if conflicts.iter().any(|conflict| !conflict.readable) {
                    detail.push_str(" What cannot be read can only be dropped.");
                }
                Diagnostic::error("State has conflicting results", detail).about(key)
            }
            StateError::Encode { key, .. } | StateError::NothingOpen { key, .. } | StateError::Ended { key } => {
                Diagnostic::error("State not written", format!("{self}.")).about(key)
            }
        }
    }
}
