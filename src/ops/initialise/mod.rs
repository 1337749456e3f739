//! Initialising the backend of a folder without a project: what the folder remembers is compared with what the configuration
//! says, states are brought from one place to the other where the user wants that, and the folder remembers the new one.
//!
//! In: the configuration's backends, what the flags say, and a host that is told and asked. Out: a folder that every other
//! command accepts. Not here: modules and providers, and the words of questions (`cli`).

mod keep;
mod migrate;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::config::{Backend, Backends, LoadOptions, Memory, Placement};
use crate::diag::{Diagnostic, Diagnostics};

use super::session::Identity;
use migrate::{Migration, Side};

/// What the flags of `init` say of the backend.
pub struct InitialiseOptions {
    /// `-migrate-state`: states may be brought to another backend.
    pub migrate: bool,
    /// `-reconfigure`: what the folder remembers does not count, and the states of that backend stay where they are.
    pub reconfigure: bool,
    /// `-force-copy`: every question is answered with yes.
    pub force_copy: bool,
    /// `-lock`.
    pub lock: bool,
    /// `-lock-timeout`.
    pub lock_timeout: Duration,
    /// The clock at the beginning.
    pub started: Timestamp,
    /// Who runs this.
    pub identity: Identity,
}

/// What happens to the backend.
#[derive(Debug)]
pub enum BackendEvent<'a> {
    /// It is another one than the folder was initialised with.
    Changed,
    /// The configuration names none any more; the former one was of this type.
    Unsetting(&'a str),
    /// The folder is initialised with a backend of this type.
    Configured(&'a str),
    /// The folder is initialised without one.
    Unset(&'a str),
    /// A copy of a state was kept.
    Kept {
        /// Of which workspace.
        workspace: &'a str,
        /// Where.
        path: &'a Path,
    },
}

/// What the user has to agree to. `from` and `to` are types of backends.
#[derive(Debug)]
pub enum Confirmation<'a> {
    /// All workspaces are copied.
    Workspaces { from: &'a str, to: &'a str },
    /// A state is copied to a place where there is none.
    Copy { from: &'a str, to: &'a str },
    /// A state is copied over another one. Both can be looked at in files until the answer.
    Overwrite { from: &'a str, to: &'a str, previous: PathBuf, present: PathBuf },
}

/// The answer to a [`Confirmation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Yes.
    Given,
    /// No.
    Refused,
    /// The input ended.
    Missing,
    /// Nobody may be asked.
    Disabled,
}

/// Who is told and asked.
pub trait InitialiseHost: Sync {
    /// Something happened.
    fn report(&self, event: &BackendEvent<'_>);

    /// Asks.
    fn confirm(&self, what: &Confirmation<'_>) -> Consent;
}

/// Initialises the backend of a folder without a project. In a project there is nothing to do.
///
/// # Errors
/// When the backend has changed and no flag says what becomes of the states, the user does not agree, or a store fails. States
/// that were copied by then are in both places, and the folder remembers the former backend.
pub async fn initialise(
    load: &LoadOptions,
    options: &InitialiseOptions,
    host: &dyn InitialiseHost,
) -> Result<Diagnostics, Diagnostics> {
    let (found, said) = crate::config::backends(load).into_result()?;
    let Some(found) = found else { return Ok(said) };
    let memory = match &found.memory {
        Ok(memory) => memory.clone(),
        Err(_) if options.reconfigure => Memory::default(),
        Err(wrong) => return Err((**wrong).clone().into()),
    };
    let run = Run { load, options, host, found: &found, memory: &memory };
    let stored = run.compare().await?;
    if let Some(backend) = stored {
        keep::remember(&found.data, &memory.with(backend)).map_err(|wrong| Diagnostics::from(*wrong))?;
        match (&found.written, &memory.backend) {
            (Some(new), _) => host.report(&BackendEvent::Configured(&new.kind)),
            (None, Some(old)) => host.report(&BackendEvent::Unset(&old.kind)),
            (None, None) => {}
        }
    }
    Ok(said)
}

/// One initialisation.
struct Run<'a> {
    load: &'a LoadOptions,
    options: &'a InitialiseOptions,
    host: &'a dyn InitialiseHost,
    found: &'a Backends,
    memory: &'a Memory,
}

impl Run<'_> {
    /// Compares, and moves states where that is wanted. Gives what is to be remembered from now on; `None`: what is remembered
    /// already.
    async fn compare(&self) -> Result<Option<Option<Backend>>, Diagnostics> {
        let options = self.options;
        let (old, new) = (self.memory.backend.as_ref(), self.found.written.as_ref());
        match (old, new) {
            (None, None) => return Ok(None),
            (Some(old), Some(new)) if new.agrees_with(old, self.found.overridden) => {
                return self.touch_hash(old, new).map(|()| None);
            }
            // Its states stay where they are.
            (Some(_), None) if options.reconfigure => {}
            // A folder that has no backend yet may have states beside its configuration; so may one whose backend is left behind.
            (_, Some(_)) if old.is_none() || options.reconfigure => self.migrate(None, new).await?,
            (Some(_), _) if !options.migrate => return Err(changed().into()),
            (Some(old), _) => {
                self.host.report(&new.map_or(BackendEvent::Unsetting(&old.kind), |_| BackendEvent::Changed));
                self.migrate(Some(old), new).await?;
            }
            // Without a former backend there is a new one, which was taken care of.
            (None, Some(_)) => {}
        }
        Ok(Some(new.cloned()))
    }

    /// A block that is written in another way and means the same is remembered by its new hash.
    fn touch_hash(&self, old: &Backend, new: &Backend) -> Result<(), Diagnostics> {
        if old.is_same(new) && old != new {
            let memory = self.memory.with(Some(new.clone()));
            keep::remember(&self.found.data, &memory).map_err(|wrong| Diagnostics::from(*wrong))?;
        }
        Ok(())
    }

    async fn migrate(&self, old: Option<&Backend>, new: Option<&Backend>) -> Result<(), Diagnostics> {
        let (from, to) = (self.side(old)?, self.side(new)?);
        let leaves = old.is_none();
        let migration = Migration {
            options: self.options,
            host: self.host,
            dir: &self.found.dir,
            from,
            to,
            // What lay beside the configuration would be taken for its state again when the backend is gone.
            leaves,
        };
        migration.run().await
    }

    /// Where a backend keeps states; without one, beside the configuration.
    fn side(&self, backend: Option<&Backend>) -> Result<Side, Diagnostics> {
        let (kind, place) = match backend {
            Some(backend) => (backend.kind.clone(), backend.place(self.load).into_result()?.0),
            None => ("local".to_owned(), beside(&self.found.dir)),
        };
        Ok(Side { kind, place })
    }
}

/// Where states lie without a backend.
fn beside(dir: &Path) -> Placement {
    let workspaces = crate::config::Workspaces::Folders(dir.join("terraform.tfstate.d"));
    (crate::config::StateSettings::Local { path: dir.join("terraform.tfstate") }, workspaces)
}

/// What is said when nobody has said what becomes of the states.
fn changed() -> Diagnostic {
    Diagnostic::error(
        "Backend configuration changed",
        "A change in the backend configuration has been detected, which may require migrating existing state.\n\nIf you wish to \
         attempt automatic migration of the state, use \"infra init -migrate-state\".\nIf you wish to store the current \
         configuration with no changes to the state, use \"infra init -reconfigure\".",
    )
}
