//! Tests on a terminal, as lines for programs, and as a JUnit report.

mod junit;
mod lines;
mod text;

pub use junit::junit;
pub use lines::TestLines;
pub use text::TestText;

use crate::event::TestStatus;

/// How a status reads in lines for programs and in state of a run.
fn word(status: TestStatus) -> &'static str {
    match status {
        TestStatus::Pending => "pending",
        TestStatus::Skip => "skip",
        TestStatus::Pass => "pass",
        TestStatus::Fail => "fail",
        TestStatus::Error => "error",
    }
}
