//! `infra test`: runs test files against modules, with states in memory that are destroyed afterwards.
//!
//! In: a [`Suite`](crate::config::Suite), where providers come from, who listens. Out: [`TestResults`]. Each run is planned or
//! applied by the same [`plan`](super::plan()) and [`apply`](super::apply()) as everything else; mocks and overrides stand behind
//! the provider contract. Not here: reading test files (`config`), made-up values (`provider`), drawing (`view`).

mod context;
mod expected;
mod file;
mod mocks;
mod outcome;
mod results;
mod run;
mod scope;
mod states;

use std::sync::Arc;

use crate::apply::{Clusters, Stop};
use crate::config::{Config, Suite, TestFile, TestLoad};
use crate::diag::Outcome;
use crate::event::TestResults;
use crate::provider::Registry;

use super::session::Identity;

pub use results::{TestEvent, TestEvents};

/// How to test.
pub struct TestOptions<'a> {
    /// What to load.
    pub load: TestLoad,
    /// Makes the registry of a run.
    pub registry: &'a dyn Fn(&Config) -> Registry,
    /// Makes what gates reach the cluster through; tests have none.
    pub clusters: &'a dyn Fn(&Config) -> Arc<dyn Clusters>,
    /// Who runs this.
    pub identity: Identity,
    /// `-parallelism`.
    pub parallelism: usize,
}

/// The user's wish to stop: first what runs, then what cleans up.
#[derive(Clone, Default)]
pub struct TestStop {
    /// For runs.
    pub runs: Stop,
    /// For what destroys afterwards.
    pub cleanup: Stop,
}

/// Reads the tests of a folder, or of a project's layers.
pub fn load_tests(options: &TestOptions<'_>) -> Outcome<Vec<Suite>> {
    crate::config::load_tests(&options.load)
}

/// Runs them, file after file.
pub async fn test(
    options: &TestOptions<'_>,
    suites: &[Suite],
    events: &dyn TestEvents,
    stop: &TestStop,
) -> TestResults {
    let files: Vec<&TestFile> = suites.iter().flat_map(|suite| &suite.files).collect();
    events.tell(TestEvent::Found(&files));
    let mut results = TestResults::default();
    for suite in suites {
        for file in &suite.files {
            results.files.push(file::test(options, suite, file, events, stop).await);
        }
    }
    events.tell(TestEvent::Ended(&results));
    results
}
