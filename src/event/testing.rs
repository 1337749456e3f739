//! How tests stand, as data.

use std::time::Duration;

use jiff::Timestamp;

use crate::addr::Name;
use crate::diag::Diagnostics;

/// How a run or a file ended, better ones first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum TestStatus {
    /// It was not begun.
    #[default]
    Pending,
    /// It was left out, because of an error or a wish to stop before it.
    Skip,
    /// Everything is as expected.
    Pass,
    /// A condition does not hold.
    Fail,
    /// It could not be carried out, or not be told.
    Error,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// Its name.
    pub name: Name,
    /// How it ended.
    pub status: TestStatus,
    /// What is to be said.
    pub said: Diagnostics,
    /// When it began and how long it took; `None` where it was not begun.
    pub began: Option<(Timestamp, Duration)>,
    /// How many conditions it has.
    pub conditions: usize,
}

/// How a file ended.
#[derive(Clone, Debug)]
pub struct FileResult {
    /// Its path, as messages name it.
    pub path: String,
    /// The worst of its runs, or an error when something could not be destroyed.
    pub status: TestStatus,
    /// Its runs, in written order.
    pub runs: Vec<RunResult>,
}

/// How everything ended.
#[derive(Clone, Debug, Default)]
pub struct TestResults {
    /// The files, in the order they were run.
    pub files: Vec<FileResult>,
}

impl TestResults {
    /// The worst of the files. Without any it is a pass.
    pub fn status(&self) -> TestStatus {
        self.files.iter().map(|file| file.status).max().unwrap_or_default().max(TestStatus::Pass)
    }

    /// How many runs ended in a way.
    pub fn count(&self, status: TestStatus) -> usize {
        self.files.iter().flat_map(|file| &file.runs).filter(|run| run.status == status).count()
    }
}
