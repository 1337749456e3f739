//! Bringing states from one backend to another: one workspace or all of them, with a copy kept of whatever is overwritten.

use std::path::Path;

use crate::addr::LayerName;
use crate::config::{DEFAULT_WORKSPACE, Placement, StateSettings};
use crate::diag::{Diagnostic, Diagnostics};
use crate::state::{Lock, LockRequest, Run, State, StateError, StateHandle, View};

use super::super::session::store_of;
use super::super::workspaces::workspaces_at;
use super::{BackendEvent, Confirmation, Consent, InitialiseHost, InitialiseOptions, keep};

/// One end of a migration.
pub(super) struct Side {
    /// The type of the backend.
    pub kind: String,
    /// Where its states lie.
    pub place: Placement,
}

impl Side {
    /// The names of its workspaces.
    pub async fn names(&self) -> Result<Vec<String>, Diagnostics> {
        workspaces_at(&self.place.0, &self.place.1).await
    }

    fn settings(&self, workspace: &str) -> StateSettings {
        self.place.1.settings(&self.place.0, workspace)
    }

    fn handle(&self, workspace: &str) -> StateHandle {
        let (store, key) = store_of(&self.settings(workspace));
        StateHandle::new(store, key, LayerName::plain())
    }
}

/// A migration.
pub(super) struct Migration<'a> {
    pub options: &'a InitialiseOptions,
    pub host: &'a dyn InitialiseHost,
    /// The folder of the configuration.
    pub dir: &'a Path,
    pub from: Side,
    pub to: Side,
    /// Whether a state leaves its former place.
    pub leaves: bool,
}

impl Migration<'_> {
    pub async fn run(&self) -> Result<(), Diagnostics> {
        // Both have to be reachable before anything is asked.
        let names = self.from.names().await?;
        self.to.names().await?;
        if self.from.place == self.to.place {
            return Ok(());
        }
        if names.iter().all(|name| name == DEFAULT_WORKSPACE) {
            return self.copy(DEFAULT_WORKSPACE, true).await;
        }
        let (from, to) = (self.from.kind.as_str(), self.to.kind.as_str());
        if !self.agreed(&Confirmation::Workspaces { from, to })? {
            let detail = "Nothing was copied, and the folder is initialised as it was before.";
            return Err(Diagnostic::error("Migration aborted by user.", detail).into());
        }
        for name in names {
            self.copy(&name, false).await?;
        }
        Ok(())
    }

    /// Whether the user agrees.
    fn agreed(&self, what: &Confirmation<'_>) -> Result<bool, Diagnostics> {
        if self.options.force_copy {
            return Ok(true);
        }
        let hint = "\"infra init -force-copy\" copies without asking, \"infra init -reconfigure\" leaves the states where they are.";
        match (self.host.confirm(what), what) {
            (Consent::Given, _) => Ok(true),
            (Consent::Refused, _) => Ok(false),
            (Consent::Disabled, Confirmation::Workspaces { .. }) => {
                Err(Diagnostic::error("Error asking for state migration action: input is disabled", hint).into())
            }
            (Consent::Disabled, Confirmation::Copy { .. } | Confirmation::Overwrite { .. }) => {
                let summary = "Can't ask approval for state migration when interactive input is disabled.";
                let detail = format!("Please remove the \"-input=false\" option and try again. Otherwise, {hint}");
                Err(Diagnostic::error(summary, detail).into())
            }
            (Consent::Missing, _) => {
                let summary = "Error asking for state migration action: Error asking for confirmation: EOF";
                Err(Diagnostic::error(summary, hint).into())
            }
        }
    }

    /// Copies the state of one workspace, both ends under their locks.
    async fn copy(&self, workspace: &str, asks: bool) -> Result<(), Diagnostics> {
        if self.from.settings(workspace) == self.to.settings(workspace) {
            return Ok(());
        }
        let (from, to) = (self.from.handle(workspace), self.to.handle(workspace));
        let mut locks = Vec::new();
        let mut result = Ok(());
        for handle in [&from, &to].into_iter().filter(|_| self.options.lock) {
            match self.lock(handle).await {
                Ok(lock) => locks.push(lock),
                Err(error) => {
                    result = Err(Diagnostics::from(error.diagnostic()));
                    break;
                }
            }
        }
        if result.is_ok() {
            result = self.copy_locked(workspace, asks, (&from, &to), &locks).await;
        }
        for lock in locks {
            if let Err(error) = lock.release().await {
                result = result.and(Err(error.diagnostic().into()));
            }
        }
        result
    }

    async fn lock(&self, handle: &StateHandle) -> Result<Lock, StateError> {
        let mut request = LockRequest::new(self.options.identity.who.clone(), "init");
        request.timeout = self.options.lock_timeout;
        request.version.clone_from(&self.options.identity.version);
        handle.lock(&request).await
    }

    async fn copy_locked(
        &self,
        workspace: &str,
        asks: bool,
        (from, to): (&StateHandle, &StateHandle),
        locks: &[Lock],
    ) -> Result<(), Diagnostics> {
        let failed = |error: StateError| Diagnostics::from(error.diagnostic());
        let source = self.settled(from, locks.first()).await?;
        let there = self.settled(to, locks.get(1)).await?;
        let missing = |view: &View| view.version.is_none() && view.state.is_empty();
        if missing(&source) {
            return self.make(workspace, to, &there).await;
        }
        if source.state == there.state || (asks && source.state.is_empty()) {
            return Ok(());
        }
        if asks && !self.consented(&source.state, &there)? {
            return Ok(());
        }
        if !there.state.is_empty() {
            self.keep(workspace, &self.to.settings(workspace), &there.state)?;
        }
        if self.leaves {
            self.keep(workspace, &self.from.settings(workspace), &source.state)?;
        }
        to.replace(&source.state, &there).await.map_err(failed)?;
        // What is taken away from one place has to be readable in the other one.
        let arrived = to.read().await.map_err(failed)?;
        if arrived.state != source.state {
            let detail = format!(
                "What was written for workspace {workspace:?} reads back as something else. The former state is untouched."
            );
            return Err(Diagnostic::error("State not migrated", detail).into());
        }
        if self.leaves { from.remove().await.map_err(failed) } else { Ok(()) }
    }

    fn consented(&self, source: &State, there: &View) -> Result<bool, Diagnostics> {
        let (from, to) = (self.from.kind.as_str(), self.to.kind.as_str());
        if there.state.is_empty() {
            return self.agreed(&Confirmation::Copy { from, to });
        }
        if self.options.force_copy {
            return Ok(true);
        }
        let failed = |error: std::io::Error| {
            Diagnostics::from(Diagnostic::error("Error creating temporary files", format!("{error}.")))
        };
        let folder = tempfile::Builder::new().prefix("infra").tempdir().map_err(failed)?;
        let file = |number: u8, kind: &str, state: &State| {
            let path = folder.path().join(format!("{number}-{kind}.tfstate"));
            keep::text(state).and_then(|bytes| std::fs::write(&path, bytes)).map(|()| path)
        };
        let previous = file(1, from, source).map_err(failed)?;
        let present = file(2, to, &there.state).map_err(failed)?;
        self.agreed(&Confirmation::Overwrite { from, to, previous, present })
    }

    fn keep(&self, workspace: &str, place: &StateSettings, state: &State) -> Result<(), Diagnostics> {
        let path =
            keep::copy(self.dir, place, state, self.options.started).map_err(|wrong| Diagnostics::from(*wrong))?;
        self.host.report(&BackendEvent::Kept { workspace, path: &path });
        Ok(())
    }

    /// A workspace without a state is there on the other side, too.
    async fn make(&self, workspace: &str, to: &StateHandle, there: &View) -> Result<(), Diagnostics> {
        if workspace == DEFAULT_WORKSPACE || there.version.is_some() {
            return Ok(());
        }
        match self.to.settings(workspace) {
            StateSettings::Local { path } => {
                let folder = path.parent().unwrap_or(&path);
                std::fs::create_dir_all(folder).map_err(|error| {
                    let detail = format!("{} cannot be made: {error}.", folder.display());
                    Diagnostics::from(Diagnostic::error("Workspace not made", detail))
                })
            }
            StateSettings::S3(_) => {
                let mut state = State::empty(LayerName::plain());
                state.lineage = uuid::Uuid::new_v4().to_string();
                to.replace(&state, there).await.map_err(|error| error.diagnostic().into())
            }
        }
    }

    /// The state with what a former run has left in the journal. What is still open belongs to the former backend.
    async fn settled(&self, handle: &StateHandle, lock: Option<&Lock>) -> Result<View, Diagnostics> {
        let failed = |error: StateError| Diagnostics::from(error.diagnostic());
        let mut view = handle.read().await.map_err(failed)?;
        if view.recovered.is_some() || !view.conflicts.is_empty() {
            let run = Run {
                id: format!("r{}", uuid::Uuid::new_v4()),
                who: self.options.identity.who.clone(),
                operation: "init".to_owned(),
                started: self.options.started.to_string(),
            };
            let (commit, _) = handle.begin(lock, run).await.map_err(failed)?;
            commit.finish().await.map_err(failed)?;
            view = handle.read().await.map_err(failed)?;
        }
        if !view.open.is_empty() {
            let detail = format!(
                "A run on {} has ended without a word of what became of {} of its calls. Go back to the former backend \
                 configuration and run infra state uncertain there: a state moves when it is settled.",
                handle.key(),
                view.open.len()
            );
            return Err(Diagnostic::error("State is not settled", detail).into());
        }
        Ok(view)
    }
}
