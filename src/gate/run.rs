//! Trying a check until it passes, the time is over, or the user stops.

use std::time::Duration;

use tokio::time::Instant;

use crate::client::kube::Kube;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::event::{Event, Events};
use crate::provider::Boxed;
use crate::text::duration::short;
use crate::value::Value;

use super::Timing;
use super::absent::{Absent, look_for};
use super::check::{Check, Failure};
use super::cluster::{needed, rolled_out, workloads_behind};
use super::explain::explain;
use super::timing::TRY_LIMIT;

/// While something runs, the user's wish to stop is looked at this often.
const LOOK: Duration = Duration::from_millis(100);

/// A gate to be asked.
#[derive(Clone, Copy, Debug)]
pub struct Spec<'a> {
    /// The phase that it closes.
    pub phase: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The kind of check, one of [`super::KINDS`].
    pub kind: &'a str,
    /// The arguments: an object of the kind's schema, wholly known. Marks are of no matter.
    pub arguments: &'a Value,
    /// How often and how long.
    pub timing: Timing,
    /// What it names and nothing in the project makes: unless the cluster has it, the gate fails at once.
    pub absent: &'a [Absent],
}

/// Gives the client of the project's cluster. Asked at most once a gate, and only by gates that need it.
pub trait Cluster: Send + Sync {
    /// The client, or why there is none.
    fn client(&self) -> Boxed<'_, Outcome<Kube>>;
}

/// There is no cluster.
pub struct NoCluster;

impl Cluster for NoCluster {
    fn client(&self) -> Boxed<'_, Outcome<Kube>> {
        let said = "The gate asks the cluster, but the project file has no provider \"kubernetes\".";
        Box::pin(async move { Diagnostic::error("No cluster to ask", said).into() })
    }
}

/// What a gate needs of its surroundings.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The cluster.
    pub cluster: &'a dyn Cluster,
    /// Whether the cluster is the sandbox, in which nothing listens: services are judged by the rollout behind them.
    pub sandbox: bool,
    /// Hears that it starts, waits and ends.
    pub events: &'a dyn Events,
    /// Whether the user wants to stop at once.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// How a gate passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many tries it took.
    pub tries: u32,
    /// Since its start.
    pub elapsed: Duration,
    /// `simulated`, `not checked`, or empty.
    pub note: &'static str,
}

/// Asks until the check passes.
///
/// Fails with an error that names the gate, counts the tries, tells the last answer and explains the state of what it looks at;
/// the caller adds where the gate is written.
pub async fn run(spec: &Spec<'_>, around: &Around<'_>) -> Outcome<Report> {
    around.events.emit(Event::GateStarted { phase: spec.phase.to_owned(), gate: spec.name.to_owned() });
    let began = Instant::now();
    let outcome = decide(spec, around, began).await;
    around.events.emit(Event::GateEnded {
        phase: spec.phase.to_owned(),
        gate: spec.name.to_owned(),
        elapsed: began.elapsed(),
        failed: outcome.has_errors(),
        note: outcome.value.as_ref().map(|report| report.note.to_owned()).unwrap_or_default(),
    });
    outcome
}

async fn decide(spec: &Spec<'_>, around: &Around<'_>, began: Instant) -> Outcome<Report> {
    let check = match Check::read(spec.kind, spec.arguments) {
        Ok(check) => check,
        Err(failure) => {
            let detail =
                format!("The arguments of \"{}\" in gate \"{}\" are wrong: {}.", spec.kind, spec.name, failure.text);
            return Diagnostic::error("Invalid gate", detail).into();
        }
    };
    let simulated = around.sandbox && !matches!(check, Check::Object(_));
    let unchecked = || Report { tries: 0, elapsed: began.elapsed(), note: "not checked" };
    // In the sandbox nothing runs that could be asked; whether a pod is there can be told all the same.
    let has_nothing_to_ask = simulated && check.services().is_empty();
    if has_nothing_to_ask && spec.absent.is_empty() {
        return Outcome::ok(unchecked());
    }
    let mut said = Diagnostics::none();
    let cluster = if check.needs_cluster() {
        match around.cluster.client().await.take(&mut said) {
            Some(cluster) => Some(cluster),
            None => return Outcome::fail(said),
        }
    } else {
        None
    };
    if let Some(cluster) = cluster.as_ref().filter(|_| !spec.absent.is_empty()) {
        let looked = tokio::select! {
            looked = tokio::time::timeout(TRY_LIMIT, look_for(spec.absent, cluster)) => looked,
            () = stopped(around) => Ok(Ok(())),
        };
        if let Ok(Err(failure)) = looked {
            said.error(summary(spec), failure.text);
            return Outcome::fail(said);
        }
    }
    if has_nothing_to_ask {
        return Outcome::with(unchecked(), said);
    }
    let tried = insist(spec, around, &check, cluster.as_ref(), simulated, began).await;
    match tried {
        Ok(tries) => {
            let note = if simulated { "simulated" } else { "" };
            Outcome::with(Report { tries, elapsed: began.elapsed(), note }, said)
        }
        Err(ended) => {
            said.push(failed(spec, &check, cluster.as_ref(), &ended, began.elapsed()).await);
            Outcome::fail(said)
        }
    }
}

/// How the tries came to an end without success.
struct Ended {
    tries: u32,
    last: Failure,
    stopped: bool,
}

async fn insist(
    spec: &Spec<'_>,
    around: &Around<'_>,
    check: &Check,
    cluster: Option<&Kube>,
    simulated: bool,
    began: Instant,
) -> Result<u32, Ended> {
    let deadline = began + spec.timing.timeout;
    let mut tries = 0;
    let mut told: Option<Failure> = None;
    loop {
        tries += 1;
        let limit = TRY_LIMIT.min(deadline.saturating_duration_since(Instant::now()));
        let attempt = async {
            match simulated {
                true => simulate(check, cluster).await,
                false => check.attempt(cluster, limit).await,
            }
        };
        let tried = tokio::select! {
            tried = tokio::time::timeout(limit, attempt) => Some(tried),
            () = stopped(around) => None,
        };
        let last = match tried {
            Some(Ok(Ok(()))) => return Ok(tries),
            Some(Ok(Err(failure))) => failure,
            // A last try that had little time left says less than the one before.
            Some(Err(_)) => match &told {
                Some(told) if limit < TRY_LIMIT => told.clone(),
                _ => Failure::passing(format!("no answer within {}", short(limit))),
            },
            None => return Err(Ended { tries, last: Failure::passing("stopped"), stopped: true }),
        };
        let used_up = spec.timing.retries.is_some_and(|retries| tries > retries);
        // A pause that would end after the deadline leads to no further try.
        let too_late = Instant::now() + spec.timing.interval >= deadline;
        if last.fatal || used_up || too_late {
            return Err(Ended { tries, last, stopped: false });
        }
        if told.as_ref() != Some(&last) {
            around.events.emit(Event::GateWaiting { gate: spec.name.to_owned(), reason: last.text.clone() });
            told = Some(last.clone());
        }
        tokio::select! {
            () = tokio::time::sleep(spec.timing.interval) => {}
            () = stopped(around) => return Err(Ended { tries, last, stopped: true }),
        }
    }
}

async fn stopped(around: &Around<'_>) {
    while !(around.stop)() {
        tokio::time::sleep(LOOK).await;
    }
}

/// In the sandbox nothing listens behind a service: the workloads behind it stand for it.
async fn simulate(check: &Check, cluster: Option<&Kube>) -> Result<(), Failure> {
    let cluster = needed(cluster)?;
    for service in check.services() {
        let behind = workloads_behind(cluster, service).await?;
        if behind.is_empty() {
            return Err(Failure::passing(format!(
                "service {service} has no endpoints: no workload's pods match its selector"
            )));
        }
        for workload in &behind {
            rolled_out(workload)?;
        }
    }
    Ok(())
}

fn summary(spec: &Spec<'_>) -> String {
    match spec.phase {
        "" => format!("Gate failed: \"{}\"", spec.name),
        phase => format!("Gate failed: phase {phase} \"{}\"", spec.name),
    }
}

async fn failed(
    spec: &Spec<'_>,
    check: &Check,
    cluster: Option<&Kube>,
    ended: &Ended,
    elapsed: Duration,
) -> Diagnostic {
    let summary = summary(spec);
    if ended.stopped {
        return Diagnostic::error(summary, format!("It was stopped after {}; it had not passed yet.", short(elapsed)));
    }
    let tries = match ended.tries {
        1 => "1 try".to_owned(),
        tries => format!("{tries} tries; the last"),
    };
    let time = if ended.last.fatal || spec.timing.retries.is_some() { elapsed } else { spec.timing.timeout };
    let first = format!("{} within {} ({tries}: {}).", check.unmet(), short(time), ended.last.text);
    Diagnostic::error(summary, format!("{first}{}", explain(check, cluster).await))
}
