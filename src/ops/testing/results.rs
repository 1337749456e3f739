//! What happens while tests run.

use crate::config::TestFile;
use crate::diag::Diagnostics;
use crate::event::{FileResult, RunResult, TestResults};
use crate::plan::Plan;
use crate::state::State;

use super::super::session::Session;

/// What happens while tests run.
pub enum TestEvent<'a> {
    /// These are the files that are going to be run.
    Found(&'a [&'a TestFile]),
    /// A file is begun.
    FileStarted(&'a str),
    /// A run is begun: its file, its name.
    RunStarted(&'a str, &'a str),
    /// A run has ended, or was left out.
    RunEnded(&'a str, &'a RunResult),
    /// What a run planned.
    Planned {
        /// Its file.
        file: &'a str,
        /// Its name.
        run: &'a str,
        /// The plan.
        plan: &'a Plan,
    },
    /// What a run left in its state.
    Applied {
        /// Its file.
        file: &'a str,
        /// Its name.
        run: &'a str,
        /// The run's own session, for schemas.
        session: &'a Session,
        /// The state.
        state: &'a State,
    },
    /// What is to be said of a file, or of a run.
    Said(&'a str, Option<&'a str>, &'a Diagnostics),
    /// What a file made is being destroyed.
    TearingDown(&'a str),
    /// What a run made last is being destroyed.
    RunTearingDown(&'a str, &'a str),
    /// Objects are left that could not be destroyed.
    Left {
        /// The file.
        file: &'a str,
        /// The run that made them last.
        run: &'a str,
        /// Why.
        said: &'a Diagnostics,
        /// Their addresses, each with the key of a deposed object.
        objects: &'a [(String, Option<String>)],
    },
    /// A file has ended.
    FileEnded(&'a FileResult),
    /// Everything has ended.
    Ended(&'a TestResults),
}

/// Hears what happens while tests run.
pub trait TestEvents: Send + Sync {
    /// Something happened.
    fn tell(&self, event: TestEvent<'_>);

    /// Whether plans and states are wanted.
    fn is_verbose(&self) -> bool;
}
