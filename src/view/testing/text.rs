//! Tests as text.

use crate::diag::{Diagnostics, SourceMap};
use crate::event::{TestResults, TestStatus};

use super::super::diagnostics::diagnostics;
use super::super::style::{Ink, Style};

/// Writes how tests stand, a line for each step.
#[derive(Clone, Copy, Debug)]
pub struct TestText(pub Style);

impl TestText {
    /// A file is begun.
    pub fn file_started(self, path: &str) -> String {
        format!("{path}... {}\n", self.0.paint(Ink::Dim, "in progress"))
    }

    /// A run has ended.
    pub fn run(self, name: &str, status: TestStatus) -> String {
        format!("  run {name:?}... {}\n", self.status(status))
    }

    /// What a file made is being destroyed.
    pub fn tearing_down(self, path: &str) -> String {
        format!("{path}... {}\n", self.0.paint(Ink::Dim, "tearing down"))
    }

    /// A file has ended.
    pub fn file(self, path: &str, status: TestStatus) -> String {
        format!("{path}... {}\n", self.status(status))
    }

    /// The last line.
    pub fn summary(self, results: &TestResults) -> String {
        let (word, ink) = match results.status() {
            TestStatus::Pass | TestStatus::Skip | TestStatus::Pending => ("Success!", Ink::Green),
            TestStatus::Fail | TestStatus::Error => ("Failure!", Ink::Red),
        };
        format!("\n{} {}\n", self.0.paint(ink, &self.0.bold(word)), counts(results))
    }

    /// What could not be destroyed, and why.
    pub fn left(
        self,
        of: &str,
        said: &Diagnostics,
        objects: &[(String, Option<String>)],
        sources: &SourceMap,
    ) -> String {
        let mut out = String::new();
        if said.has_errors() {
            out.push_str(&format!("\nNot everything that {of} made could be destroyed.\n"));
            out.push_str(&diagnostics(said, sources, self.0, false));
        }
        if !objects.is_empty() {
            out.push_str(&format!(
                "\nThese objects of {of} are left. Their state was kept in memory only, so that they have to be removed by hand:\n"
            ));
            for (address, deposed) in objects {
                let deposed = deposed.as_ref().map_or_else(String::new, |key| format!(" (deposed object {key})"));
                out.push_str(&format!("  - {address}{deposed}\n"));
            }
        }
        out
    }

    fn status(self, status: TestStatus) -> String {
        match status {
            TestStatus::Pass => self.0.paint(Ink::Green, "pass"),
            TestStatus::Fail | TestStatus::Error => self.0.paint(Ink::Red, "fail"),
            TestStatus::Skip => self.0.paint(Ink::Dim, "skip"),
            TestStatus::Pending => self.0.paint(Ink::Dim, "pending"),
        }
    }
}

/// `2 passed, 1 failed, 1 skipped.`
pub(super) fn counts(results: &TestResults) -> String {
    let failed = results.count(TestStatus::Fail) + results.count(TestStatus::Error);
    let skipped = results.count(TestStatus::Skip);
    let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    format!("{} passed, {failed} failed{skipped}.", results.count(TestStatus::Pass))
}
