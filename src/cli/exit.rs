//! Exit codes, all of them.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done; with `-detailed-exitcode`: and nothing is to be changed.
    Done,
    /// It did not work, or the user said no.
    Failed,
    /// `plan -detailed-exitcode`: there are changes.
    Changes,
    /// An apply stopped, because what is left differs from what was approved. What was done is in state.
    Differs,
    /// `fmt`: a file could not be read.
    Unreadable,
    /// `fmt -check`: a file is not in its form.
    Unformatted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Changes | Exit::Unreadable => 2,
            Exit::Differs | Exit::Unformatted => 3,
        })
    }
}
