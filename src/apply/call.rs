//! One call to a provider: intent, call, result, each durable before the next.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::addr::{ConfigResourceAddr, InstanceAddr};
use crate::change::{Action, Step};
use crate::diag::{Diagnostic, Diagnostics};
use crate::event::Event;
use crate::plan::{Call, PlannedChange};
use crate::provider::{Applied, ApplyRequest, Configured, DataRequest, Now, Progress};
use crate::state::{Commit, Object, Record, Slot, Status};
use crate::value::Value;

use super::Stop;
use super::record::{intent, nonce, object, partial};

/// A call that is ready to go.
pub(super) struct Job<'a> {
    pub(super) step: u32,
    pub(super) index: usize,
    pub(super) call: Call,
    pub(super) planned: &'a PlannedChange,
    pub(super) configured: Option<Arc<dyn Configured>>,
    pub(super) commit: Commit,
    pub(super) request: Request,
    pub(super) dependencies: Arc<[ConfigResourceAddr]>,
    /// Where the old object is put while the new one is made, or where it was put.
    pub(super) aside: Option<(Slot, Arc<Object>)>,
    pub(super) watch: Arc<Watch>,
    /// Whether provisioners follow, so that a new object is tainted until they have run.
    pub(super) provisions: bool,
}

/// What the provider is asked.
pub(super) enum Request {
    /// A change of an object.
    Apply { prior: Value, planned: Value, config: Value, private: Vec<u8>, remote: bool },
    /// A data source.
    Read { config: Value },
    /// Nothing: state says something else of the same object.
    Keep { value: Value, private: Vec<u8> },
    /// Nothing: the object goes from state.
    Forget,
}

/// How a call ended.
pub(super) struct Ended {
    pub(super) step: u32,
    pub(super) index: usize,
    pub(super) call: Call,
    /// The object as the rest of the configuration sees it now, without marks; `None` when there is none.
    pub(super) value: Option<Value>,
    pub(super) said: Diagnostics,
    /// What cannot be gone on with: the journal cannot be written.
    pub(super) fatal: bool,
    pub(super) elapsed: Duration,
    /// What state holds of a new object whose provisioners have not run yet.
    pub(super) kept: Option<(Slot, Arc<Object>)>,
    /// Nothing was done: the provider's final plan is what was there. Nobody is told of it, and it counts for nothing.
    pub(super) unchanged: bool,
    pub(super) watch: Arc<Watch>,
}

/// What the provider's final plan comes to, with what became known.
pub(super) struct Final<'a> {
    pub(super) job: Job<'a>,
    /// What it said.
    pub(super) said: Diagnostics,
    /// Whether the call is to be made; else how the step ends.
    pub(super) then: Then,
}

/// How a step goes on behind its final plan.
pub(super) enum Then {
    /// The call is made.
    Make,
    /// There is nothing to do: the object is this.
    Unchanged(Value),
    /// It cannot be carried out.
    Failed,
}

impl Job<'_> {
    /// The step is over without a call.
    pub(super) fn over(self, value: Option<Value>, said: Diagnostics, unchanged: bool) -> Ended {
        Ended {
            step: self.step,
            index: self.index,
            call: self.call,
            value,
            said,
            fatal: false,
            elapsed: self.watch.started.elapsed(),
            kept: None,
            unchanged,
            watch: self.watch,
        }
    }
}

/// Hears a running call and tells it when to stop.
pub(super) struct Watch {
    pub(super) addr: InstanceAddr,
    pub(super) started: Instant,
    action: Action,
    reason: Mutex<String>,
    said: tokio::sync::mpsc::UnboundedSender<Event>,
    stop: Stop,
}

impl Watch {
    pub(super) fn new(
        addr: InstanceAddr,
        action: Action,
        said: tokio::sync::mpsc::UnboundedSender<Event>,
        stop: Stop,
    ) -> Arc<Self> {
        Arc::new(Watch { addr, started: Instant::now(), action, reason: Mutex::default(), said, stop })
    }

    /// What the call said last, for those who ask every ten seconds.
    pub(super) fn waiting_event(&self) -> Event {
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Event::StepWaiting { addr: self.addr.clone(), action: self.action, reason, elapsed: self.started.elapsed() }
    }
}

impl Progress for Watch {
    fn waiting(&self, reason: &str) {
        let mut last = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == reason {
            return;
        }
        reason.clone_into(&mut last);
        drop(last);
        // Nobody listens any more once the run has ended.
        let _ = self.said.send(self.waiting_event());
    }

    fn stopped(&self) -> bool {
        self.stop.is_asked()
    }
}

/// Makes the call.
pub(super) async fn make(mut job: Job<'_>) -> Ended {
    let request = std::mem::replace(&mut job.request, Request::Forget);
    let Outcome { value, said, fatal, kept } = match request {
        Request::Forget => forget(&job).await,
        Request::Keep { value, private } => keep(&job, value, &private, Diagnostics::none()).await,
        Request::Read { config } => read(&job, config).await,
        Request::Apply { prior, planned, config, private, remote } => {
            let request = ApplyRequest {
                kind: job.planned.change.addr.resource.kind.to_string(),
                action: match job.call {
                    Call::Create => Action::Create,
                    Call::Update => Action::Update,
                    Call::Delete | Call::DeleteReplaced => Action::Delete,
                    Call::Read | Call::Forget => Action::NoOp,
                },
                prior,
                planned,
                config,
                private,
                nonce: nonce(),
            };
            apply(&job, request, remote).await
        }
    };
    let (elapsed, watch) = (job.watch.started.elapsed(), job.watch);
    Ended {
        step: job.step,
        index: job.index,
        call: job.call,
        value,
        said,
        fatal,
        elapsed,
        kept,
        unchanged: false,
        watch,
    }
}

struct Outcome {
    value: Option<Value>,
    said: Diagnostics,
    fatal: bool,
    kept: Option<(Slot, Arc<Object>)>,
}

impl Outcome {
    fn new(value: Option<Value>, said: Diagnostics, fatal: bool) -> Self {
        Outcome { value, said, fatal, kept: None }
    }
}

fn slot_of(job: &Job<'_>) -> Slot {
    match (&job.call, &job.aside) {
        (Call::DeleteReplaced, Some((slot, _))) => slot.clone(),
        _ => Slot { addr: job.planned.change.addr.clone(), deposed: job.planned.change.deposed.clone() },
    }
}

async fn write(job: &Job<'_>, record: Record, said: &mut Diagnostics) -> bool {
    if record.is_empty() {
        return true;
    }
    match job.commit.append(record).await {
        Ok(()) => true,
        Err(error) => {
            said.push(error.diagnostic());
            false
        }
    }
}

async fn forget(job: &Job<'_>) -> Outcome {
    let mut said = Diagnostics::none();
    let written = write(job, Record::new().remove(slot_of(job)), &mut said).await;
    Outcome::new(None, said, !written)
}

/// Writes an object as it is now.
async fn keep(job: &Job<'_>, value: Value, private: &[u8], mut said: Diagnostics) -> Outcome {
    match object(job.planned, &value, private, Status::Ready, job.dependencies.clone()) {
        Ok(stored) => {
            let record = Record::new().put(slot_of(job), job.planned.change.provider.clone(), stored);
            let written = write(job, record, &mut said).await;
            Outcome::new(Some(value), said, !written)
        }
        Err(diagnostic) => {
            said.push(*diagnostic);
            Outcome::new(None, said, false)
        }
    }
}

async fn read(job: &Job<'_>, config: Value) -> Outcome {
    let Some(configured) = &job.configured else { return not_configured(job) };
    let kind = job.planned.change.addr.resource.kind.to_string();
    // A read changes nothing, so that nothing is lost with it.
    let Some(outcome) = Stop::or(configured.read_data(DataRequest { kind, config })).await else {
        let said = Diagnostic::error("Interrupted", "It was not read to its end.");
        return Outcome::new(None, said.about(&job.planned.change.addr).into(), false);
    };
    let said = about(outcome.said, &job.planned.change.addr);
    match outcome.value.filter(|_| !said.has_errors()) {
        Some(value) => keep(job, value, &[], said).await,
        None => Outcome::new(None, said, false),
    }
}

fn not_configured(job: &Job<'_>) -> Outcome {
    let detail = format!(
        "{} could not be configured, so that nothing was done with {}.",
        job.planned.change.provider, job.planned.change.addr
    );
    let said = Diagnostic::error("Provider not configured", detail).about(&job.planned.change.addr).into();
    Outcome::new(None, said, false)
}

async fn apply(job: &Job<'_>, request: ApplyRequest, remote: bool) -> Outcome {
    let Some(configured) = &job.configured else { return not_configured(job) };
    let mut said = Diagnostics::none();
    let slot = slot_of(job);
    let provider = &job.planned.change.provider;
    let nonce = request.nonce.clone();
    let step = match job.call {
        Call::Create => Step::Create,
        Call::Update | Call::Read => Step::Update,
        Call::Delete | Call::DeleteReplaced | Call::Forget => Step::Delete,
    };
    // The old object is put aside before the new one is asked for: a crash in between must not lose either.
    let mut before = Record::new();
    if let (Call::Create, Some((aside, old))) = (&job.call, &job.aside) {
        before = before.remove(slot.clone()).put(aside.clone(), provider.clone(), old.clone());
    }
    if remote {
        let about = if job.call == Call::Create { &request.planned } else { &request.prior };
        let open = intent(job.planned, &slot, step, &nonce, about, job.dependencies.clone());
        before = before.open(open);
    }
    if !write(job, before, &mut said).await {
        return Outcome::new(None, said, true);
    }
    let applied: Applied = configured.apply(request, &*job.watch).await;
    said.append(about(applied.said, &job.planned.change.addr));
    let failed = said.has_errors();
    let mut record = Record::new();
    let (mut value, mut kept) = (None, None);
    match applied.now {
        Now::Unclear => return Outcome::new(None, said, false),
        Now::Unchanged => {
            if let (Call::Create, Some((aside, old))) = (&job.call, &job.aside) {
                // Nothing was made: the old object is in use again.
                record = record.remove(aside.clone()).put(slot, provider.clone(), old.clone());
            }
        }
        Now::Gone => record = record.remove(slot),
        Now::Is { value: now, private } => {
            let tainted = job.call == Call::Create && (failed || job.provisions);
            let status = if tainted { Status::Tainted } else { Status::Ready };
            match object(job.planned, &now, &private, status, job.dependencies.clone()) {
                Ok(stored) => {
                    kept = job.provisions.then(|| (slot.clone(), stored.clone()));
                    record = record.put(slot, provider.clone(), stored);
                }
                Err(diagnostic) => {
                    said.push(*diagnostic);
                    // An object that was made is to be replaced; one that was changed is still the same object.
                    let status = if job.call == Call::Create { Status::Tainted } else { status };
                    if let Some(stored) = partial(job.planned, &now, &private, status, job.dependencies.clone()) {
                        record = record.put(slot, provider.clone(), stored);
                    }
                }
            }
            value = Some(now);
        }
    }
    if remote {
        record = record.close(nonce);
    }
    let written = write(job, record, &mut said).await;
    Outcome { value, said, fatal: !written, kept }
}

fn about(mut said: Diagnostics, addr: &InstanceAddr) -> Diagnostics {
    for diagnostic in &mut said.0 {
        diagnostic.address.get_or_insert_with(|| format!("{addr:#}"));
    }
    said
}

/// Tells that a step begins or ends.
pub(super) fn step_action(call: Call) -> Action {
    match call {
        Call::Create => Action::Create,
        Call::Update => Action::Update,
        Call::Delete | Call::DeleteReplaced => Action::Delete,
        Call::Read => Action::Read,
        Call::Forget => Action::Forget,
    }
}

/// The id of an object, where it has one that is not sensitive.
pub(super) fn id_of(value: &Value) -> Option<String> {
    let id = value.get("id")?;
    if id.marks_deep().is_none() { id.as_str().map(str::to_owned) } else { None }
}
