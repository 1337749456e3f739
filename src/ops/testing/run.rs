//! One run: plan or apply, sift what failed, look at the conditions.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use crate::addr::Name;
use crate::config::{TestCommand, TestMode, TestRun, check_expected};
use crate::diag::{Diagnostic, Diagnostics};
use crate::event::{RunResult, Silent, TestStatus};
use crate::plan::scope::{ModuleScope, Surroundings, Variables};
use crate::plan::world::World;
use crate::plan::{Plan, PlanMode};
use crate::value::Value;

use super::super::apply::{Ended, apply};
use super::super::approval::{Answer, Approve, Question};
use super::super::plan::plan;
use super::super::session::{RunOptions, Session};
use super::TestStop;
use super::context::{FileContext, Ready, check_targets};
use super::expected::{any_expected, sift};
use super::outcome::{conditions, outputs};
use super::results::{TestEvent, TestEvents};
use super::scope::{ConditionScope, Outputs};
use super::states::TestState;

/// A run that was carried out.
pub(super) struct Carried {
    pub result: RunResult,
    /// Its outputs, if it came so far that it has any.
    pub outputs: Option<Value>,
    /// The session of a run that may have changed its state.
    pub changed: Option<Arc<Session>>,
    /// What is shown with `-verbose`.
    pub shown: Shown,
}

/// What a run shows when asked for more.
pub(super) enum Shown {
    Nothing,
    Plan(Box<Plan>),
    State(Arc<Session>),
}

/// Carries out a run on its state.
pub(super) async fn run(
    file: FileContext<'_>,
    run: &TestRun,
    known: &Outputs,
    state: &TestState,
    stop: &TestStop,
) -> Carried {
    let (began, timer) = (Timestamp::now(), Instant::now());
    let mut said = check_targets(run, file.module(run));
    let (status, outputs, changed, shown) = match file.prepare(run, known, state) {
        Err(errors) => {
            said.append(errors);
            (TestStatus::Error, None, None, Shown::Nothing)
        }
        Ok(ready) => carry_out(file, run, known, ready, stop, &mut said).await,
    };
    let result = RunResult {
        name: run.name.clone(),
        status,
        said,
        began: Some((began, timer.elapsed())),
        conditions: run.asserts.len(),
    };
    Carried { result, outputs, changed, shown }
}

type Came = (TestStatus, Option<Value>, Option<Arc<Session>>, Shown);

async fn carry_out(
    file: FileContext<'_>,
    run: &TestRun,
    known: &Outputs,
    ready: Ready,
    stop: &TestStop,
    said: &mut Diagnostics,
) -> Came {
    let Ready { session, values } = ready;
    said.append(check_expected(&run.expect_failures));
    if said.has_errors() {
        return (TestStatus::Error, None, None, Shown::Nothing);
    }
    let options = options(file, run);
    let (failures, planned, world, changed, shown) = match run.command {
        TestCommand::Plan => {
            let mut outcome = stop.runs.scope(plan(&session, &options, &Silent)).await;
            if outcome.has_errors() {
                outcome.value = None;
            }
            let world = outcome.value.as_ref().and_then(|plan| plan.segment.as_deref()).is_some();
            let shown = match outcome.value {
                Some(plan) if world => Shown::Plan(Box::new(plan)),
                _ => Shown::Nothing,
            };
            (outcome.said, true, None, None, shown)
        }
        TestCommand::Apply => {
            let mut auto = Auto { planned: false };
            let mut applied = apply(&session, &options, &mut auto, &Silent, &stop.runs).await;
            if applied.ended == Ended::Stopped {
                applied
                    .said
                    .error("Interrupted", "The run was stopped before it was done. What it made is destroyed now.");
            }
            let shown = Shown::State(session.clone());
            (applied.said, auto.planned, applied.report.world, Some(session.clone()), shown)
        }
    };
    let module = &session.config.layers[session.config.layers.len() - 1].root;
    if !planned && failures.has_errors() {
        let met = any_expected(module, &run.expect_failures, &failures);
        said.append(failures);
        if !met.is_empty() {
            let detail = "What is expected to fail failed when planning, so that nothing could be applied. Take command = plan \
                          for this run.";
            said.push(Diagnostic::warning("Expected failure while planning", detail));
        }
        return (TestStatus::Error, None, None, Shown::Nothing);
    }
    said.append(sift(module, &run.expect_failures, failures));
    let world: Option<&World> = match &shown {
        Shown::Plan(plan) => Some(&plan.segment().world),
        Shown::State(_) | Shown::Nothing => world.as_deref(),
    };
    let Some(world) = world else {
        let status = if said.has_errors() { TestStatus::Error } else { TestStatus::Pass };
        return (status, None, changed, shown);
    };
    let Some(graph) = session.graph().value else { return (TestStatus::Error, None, changed, shown) };
    let own = outputs(&graph, world);
    let failed = said.has_errors();
    let mut status = if failed { TestStatus::Error } else { TestStatus::Pass };
    if !failed {
        let states = session.states().await.unwrap_or_default();
        let env = session.env();
        let functions = session.functions(file.now, true, &env);
        let around = Surroundings {
            config: &session.config,
            graph: &graph,
            world,
            states: &states,
            functions: &functions,
            variables: Variables::Given,
        };
        if let Some(copy) = graph.roots.last().and_then(|root| world.copies_of(*root).first()) {
            let module = ModuleScope::plain(around, *copy);
            let scope = ConditionScope { module, values: &values, outputs: known, own: &own, runs: file.runs };
            status = conditions(run, &scope, said);
        }
    }
    (status, Some(own), changed, shown)
}

fn options(file: FileContext<'_>, run: &TestRun) -> RunOptions {
    let mut options = RunOptions::new(file.now);
    options.mode = match run.mode {
        TestMode::Normal => PlanMode::Normal,
        TestMode::RefreshOnly => PlanMode::RefreshOnly,
    };
    options.refresh = run.refresh;
    options.targets.clone_from(&run.targets);
    options.replace.clone_from(&run.replace);
    options.parallelism = file.options.parallelism;
    options.lock = false;
    options.auto_approve = true;
    options.accept_loss = true;
    options
}

/// Agrees to everything, and remembers that there was a plan to agree to.
struct Auto {
    planned: bool,
}

impl Approve for Auto {
    fn ask(&mut self, _question: &Question<'_>) -> Answer {
        self.planned = true;
        Answer::Yes
    }

    fn show(&mut self, _plan: &Plan) {
        self.planned = true;
    }
}

/// Tells what a run shows when asked for more.
pub(super) async fn show(shown: &Shown, file: &str, run: &Name, events: &dyn TestEvents) {
    match shown {
        Shown::Nothing => {}
        Shown::Plan(plan) => events.tell(TestEvent::Planned { file, run, plan }),
        Shown::State(session) => {
            if let Some(state) = session.states().await.ok().and_then(|mut states| states.pop()) {
                events.tell(TestEvent::Applied { file, run, session, state: &state });
            }
        }
    }
}
