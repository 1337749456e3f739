//! One file: its runs one after another, then everything they made destroyed, the last first.

use jiff::Timestamp;

use crate::addr::Name;
use crate::config::{Suite, TestFile, TestRun};
use crate::diag::Diagnostics;
use crate::event::{FileResult, RunResult, Silent, TestStatus};
use crate::plan::{Plan, PlanMode};

use super::super::apply::apply;
use super::super::approval::{Answer, Approve, Question};
use super::super::session::RunOptions;
use super::context::FileContext;
use super::results::{TestEvent, TestEvents};
use super::run;
use super::scope::Outputs;
use super::states::{Key, States, managed};
use super::{TestOptions, TestStop};

/// Runs a file.
pub(super) async fn test(
    options: &TestOptions<'_>,
    suite: &Suite,
    file: &TestFile,
    events: &dyn TestEvents,
    stop: &TestStop,
) -> FileResult {
    let path = file.path.display().to_string();
    let names: Vec<Name> = file.runs.iter().map(|run| run.name.clone()).collect();
    let now = options.load.load.now;
    let context = FileContext { options, suite, file, path: &path, runs: &names, now };
    events.tell(TestEvent::FileStarted(&path));
    let mut states = States::default();
    let mut outputs = Outputs::new();
    let mut result = FileResult { path: path.clone(), status: TestStatus::Pass, runs: Vec::new() };
    for (at, test) in file.runs.iter().enumerate() {
        let broken = result.runs.iter().any(|run: &RunResult| run.status == TestStatus::Error);
        if broken || stop.runs.is_asked() {
            let left_out = left_out(test);
            events.tell(TestEvent::RunEnded(&path, &left_out));
            result.runs.push(left_out);
            continue;
        }
        events.tell(TestEvent::RunStarted(&path, &test.name));
        let state = states.get(Key::of(test));
        let carried = run::run(context, test, &outputs, state, stop).await;
        if let Some(session) = carried.changed {
            state.last = Some((at, test.name.clone(), session));
        }
        outputs.extend(carried.outputs.map(|own| (test.name.clone(), own)));
        events.tell(TestEvent::RunEnded(&path, &carried.result));
        if events.is_verbose() {
            run::show(&carried.shown, &path, &test.name, events).await;
        }
        if !carried.result.said.is_empty() {
            events.tell(TestEvent::Said(&path, Some(&test.name), &carried.result.said));
        }
        result.runs.push(carried.result);
    }
    let worst = result.runs.iter().map(|run| run.status).filter(|status| *status != TestStatus::Skip).max();
    result.status = worst.unwrap_or_default().max(TestStatus::Pass);
    events.tell(TestEvent::TearingDown(&path));
    if !tear_down(context, &states, events, stop).await {
        result.status = TestStatus::Error;
    }
    events.tell(TestEvent::FileEnded(&result));
    let unused = context.check_targets();
    if !unused.is_empty() {
        events.tell(TestEvent::Said(&path, None, &unused));
    }
    result
}

fn left_out(run: &TestRun) -> RunResult {
    RunResult {
        name: run.name.clone(),
        status: TestStatus::Skip,
        said: Diagnostics::none(),
        began: None,
        conditions: run.asserts.len(),
    }
}

/// Destroys what is in the states. Whether nothing is left.
async fn tear_down(file: FileContext<'_>, states: &States, events: &dyn TestEvents, stop: &TestStop) -> bool {
    let mut clean = true;
    for (name, session) in states.to_destroy() {
        if managed(&session).await.is_empty() {
            continue;
        }
        events.tell(TestEvent::RunTearingDown(file.path, &name));
        let mut options = RunOptions::new(Timestamp::now());
        options.mode = PlanMode::Destroy;
        options.parallelism = file.options.parallelism;
        options.lock = false;
        options.auto_approve = true;
        options.accept_loss = true;
        let applied = apply(&session, &options, &mut Yes, &Silent, &stop.cleanup).await;
        let objects = managed(&session).await;
        let mut said = applied.said;
        said.0.retain(crate::diag::Diagnostic::is_error);
        if said.is_empty() && objects.is_empty() {
            continue;
        }
        clean = false;
        events.tell(TestEvent::Left { file: file.path, run: &name, said: &said, objects: &objects });
    }
    clean
}

/// Agrees to everything.
struct Yes;

impl Approve for Yes {
    fn ask(&mut self, _question: &Question<'_>) -> Answer {
        Answer::Yes
    }

    fn show(&mut self, _plan: &Plan) {}
}
