//! One file: its runs one after another, then everything they made destroyed, the last first.

use jiff::Timestamp;

use crate::addr::Name;
use crate::config::{Suite, TestFile, TestRun};
use crate::diag::Diagnostics;
use crate::event::{FileResult, RunResult, Silent, TestStatus};
use crate::lang::decode::references_in;
use crate::lang::eval::{Reference, references};
use crate::plan::{Plan, PlanMode};

use super::super::apply::apply;
use super::super::approval::{Answer, Approve, Question};
use super::super::session::RunOptions;
use super::context::FileContext;
use super::results::{TestEvent, TestEvents};
use super::run;
use super::scope::{Outputs, run_named};
use super::states::{Key, States, TestState, managed};
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
    let mut at = 0;
    while at < file.runs.len() {
        let group = &file.runs[at..at + together(file, at)];
        let broken = result.runs.iter().any(|run: &RunResult| run.status == TestStatus::Error);
        if broken || stop.runs.is_asked() {
            let left_out = left_out(&group[0]);
            events.tell(TestEvent::RunEnded(&path, &left_out));
            result.runs.push(left_out);
            at += 1;
            continue;
        }
        for test in group {
            events.tell(TestEvent::RunStarted(&path, &test.name));
        }
        let in_states: Vec<TestState> = group.iter().map(|test| states.get(Key::of(test))).collect();
        let running = group.iter().zip(&in_states).map(|(test, state)| run::run(context, test, &outputs, state, stop));
        for (test, carried) in group.iter().zip(futures::future::join_all(running).await) {
            if let Some(session) = carried.changed {
                states.changed(Key::of(test), at, test.name.clone(), session);
            }
            at += 1;
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

/// How many runs go together from one on: those that may run in parallel, each on a state of its own, of which none needs
/// another.
fn together(file: &TestFile, from: usize) -> usize {
    if !file.runs[from].parallel {
        return 1;
    }
    let mut keys = vec![Key::of(&file.runs[from])];
    let mut names = vec![&file.runs[from].name];
    for run in &file.runs[from + 1..] {
        let key = Key::of(run);
        if !run.parallel || keys.contains(&key) || needs(file, run).iter().any(|name| names.contains(&name)) {
            break;
        }
        keys.push(key);
        names.push(&run.name);
    }
    names.len()
}

/// The runs that a run names, or that a provider of the file does.
fn needs(file: &TestFile, run: &TestRun) -> Vec<Name> {
    let mut found = Vec::new();
    let values = run.variables.iter().chain(&file.variables).map(|attribute| &attribute.expr);
    let rules = run.asserts.iter().flat_map(|rule| [&rule.condition, &rule.error_message]);
    for expr in values.chain(rules) {
        found.extend(references(expr));
    }
    for provider in &file.providers {
        found.extend(references_in(&provider.body));
    }
    let named = |reference: &Reference| run_named(reference).cloned();
    found.iter().filter_map(|found| named(&found.reference)).collect()
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
