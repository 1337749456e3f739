//! Phases of a run: how large they are, when they are over, and what is left of them at the end.

use std::sync::Arc;

use crate::diag::Diagnostics;
use crate::event::Event;
use crate::plan::{Plan, StepKind, Steps};

use super::report::Report;
use super::run::Run;

/// The name of every phase and the number of its calls.
pub(super) fn phase_sizes(plan: &Plan, steps: &Steps) -> Vec<(String, usize)> {
    let mut sizes = vec![0; plan.phases.len()];
    for kind in &steps.kinds {
        if let StepKind::Call(index, _) = kind
            && !plan.changes[*index].work.check
            && let Some(size) = sizes.get_mut(plan.changes[*index].phase)
        {
            *size += 1;
        }
    }
    plan.phases.iter().map(|phase| phase.name.to_string()).zip(sizes).collect()
}

impl Run<'_> {
    /// The phase is over when its gates are.
    pub(super) fn end_phase(&mut self, step: u32, phase: usize) {
        if self.start_gates(step, phase) {
            return;
        }
        self.phase_over(step, phase, false);
    }

    pub(super) fn phase_over(&mut self, step: u32, phase: usize, failed: bool) {
        let report = self.critical.phase_report(phase, step, self.plan, !failed);
        if let Some(report) = report {
            self.inputs.events.emit(Event::PhaseEnded {
                phase: report.name.to_string(),
                elapsed: report.elapsed,
                added: report.counts.add,
                changed: report.counts.change,
                destroyed: report.counts.destroy,
                critical_path: report.critical_path.clone(),
                failed,
            });
            self.report.phases.push(report);
        }
        self.release(step, failed);
    }

    /// Writes outputs, and says what is left.
    pub(super) async fn end(mut self) -> (Report, Diagnostics) {
        drop(std::mem::take(&mut self.running));
        self.report.stopped |= self.inputs.stop.is_asked();
        if !self.fatal {
            let asserted = self.plan.asserts;
            let asserted = asserted.then(|| crate::plan::assertions(self.around(), &|node| self.broken[node.index()]));
            self.write_outputs(asserted.as_ref()).await;
            if let Some(asserted) = asserted.filter(|_| !self.report.stopped) {
                self.said.append(asserted.said(self.around(), false));
            }
        }
        for phase in 0..self.plan.phases.len() {
            if self.critical.has_open_work(phase)
                && let Some(report) = self.critical.phase_report(phase, u32::MAX, self.plan, false)
            {
                self.report.phases.push(report);
            }
        }
        self.report.world = Some(Arc::new(self.world));
        (self.report, self.said)
    }
}
