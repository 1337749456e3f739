//! How long phases took, and why: the chain of calls that each waited for the one before.

use std::time::{Duration, Instant};

use foldhash::{HashMap, HashMapExt};

use crate::addr::InstanceAddr;
use crate::change::{Action, Counts};
use crate::plan::Plan;

use super::report::PhaseReport;

/// How many calls of the chain are named.
const NAMED: usize = 2;

/// Follows a run.
pub(super) struct Critical {
    /// For each step, the one whose end made it ready.
    released_by: Vec<u32>,
    began: HashMap<u32, Instant>,
    calls: HashMap<u32, (String, Duration)>,
    phases: Vec<Phase>,
}

#[derive(Default)]
struct Phase {
    started: Option<Instant>,
    counts: Counts,
    calls: usize,
    reported: bool,
}

impl Critical {
    pub(super) fn new(steps: usize, plan: &Plan) -> Self {
        Critical {
            released_by: vec![u32::MAX; steps],
            began: HashMap::new(),
            calls: HashMap::new(),
            phases: plan.phases.iter().map(|_| Phase::default()).collect(),
        }
    }

    pub(super) fn phase_started(&mut self, step: u32, phase: usize) {
        // The chain of a phase begins with it.
        self.released_by[step as usize] = u32::MAX;
        if let Some(phase) = self.phases.get_mut(phase) {
            phase.started = Some(Instant::now());
        }
    }

    pub(super) fn started(&mut self, step: u32) {
        self.began.insert(step, Instant::now());
    }

    pub(super) fn released(&mut self, step: u32, by: u32) {
        self.released_by[step as usize] = by;
    }

    pub(super) fn ended(&mut self, step: u32, addr: &InstanceAddr, elapsed: Duration, prefix: bool) {
        let name = addr.in_project(prefix);
        self.calls.insert(step, (name, elapsed));
    }

    pub(super) fn count(&mut self, phase: usize, action: Action) {
        if let Some(phase) = self.phases.get_mut(phase) {
            phase.counts.count(action);
            phase.calls += 1;
        }
    }

    /// A call of a phase failed: nothing to count, but the phase has begun.
    pub(super) fn begun(&mut self, phase: usize) {
        if let Some(phase) = self.phases.get_mut(phase) {
            phase.calls += 1;
        }
    }

    pub(super) fn has_open_work(&self, phase: usize) -> bool {
        self.phases.get(phase).is_some_and(|phase| phase.calls > 0 && !phase.reported)
    }

    /// The report of a phase that is over at `step`; `None` when nothing was done in it.
    pub(super) fn phase_report(&mut self, index: usize, step: u32, plan: &Plan, ended: bool) -> Option<PhaseReport> {
        let chain = self.chain(step);
        let phase = self.phases.get_mut(index)?;
        if phase.calls == 0 || phase.reported {
            return None;
        }
        phase.reported = true;
        let elapsed = phase.started.map(|at| at.elapsed()).unwrap_or_default();
        let name = plan.phases.get(index)?.name.clone();
        Some(PhaseReport { name, counts: phase.counts, elapsed, critical_path: chain, ended })
    }

    /// The longest calls of the chain that led to a step.
    fn chain(&self, step: u32) -> String {
        let mut calls = Vec::new();
        let mut at = step;
        while let Some(by) = self.released_by.get(at as usize).copied() {
            if by == u32::MAX {
                break;
            }
            calls.extend(self.calls.get(&by));
            at = by;
        }
        calls.sort_by_key(|(_, elapsed)| std::cmp::Reverse(*elapsed));
        let named = calls.iter().take(NAMED).map(|(name, elapsed)| format!("{name} {}", show(*elapsed)));
        named.collect::<Vec<_>>().join(", ")
    }
}

/// `58s`, `1m04s`, `0.2s`.
pub(super) fn show(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0..=9 => format!("{:.1}s", elapsed.as_secs_f64()),
        10..=59 => format!("{seconds}s"),
        _ => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}
