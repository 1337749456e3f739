//! The live block of an apply on a terminal: a row for each phase, what runs in it and what that waits for, and a bar.

mod draw;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::addr::InstanceAddr;
use crate::change::{Action, Counts};
use crate::event::Event;
use crate::plan::Plan;

use super::progress::{brief, ends};
use super::style::{Ink, Style};

/// What is known of a running apply. Events go in, lines come out; `now` is the time since the command began.
pub struct Board {
    style: Style,
    prefixes_layers: bool,
    phases: Vec<Phase>,
    running: Vec<Running>,
    expected: Vec<(String, Counts, Vec<String>)>,
    note: Option<String>,
    started: Option<Duration>,
}

struct Phase {
    name: String,
    total: usize,
    done: usize,
    /// What failed in it, as lines of their own.
    failures: Vec<String>,
    state: State,
    /// Gates that were asked, and how they answered.
    gates: Vec<String>,
    /// What the plan says of it: what is to be done, and the names of its gates.
    planned: Option<(Counts, Vec<String>)>,
}

enum State {
    Ahead,
    Running,
    Ended { elapsed: Duration, sum: String },
}

struct Running {
    what: What,
    phase: String,
    since: Duration,
    reason: String,
}

#[derive(PartialEq, Eq)]
enum What {
    Step(InstanceAddr, Action),
    Gate(String),
}

impl Board {
    /// An empty board. `prefixes_layers`: addresses with `layer.NAME.`.
    pub fn new(style: Style, prefixes_layers: bool) -> Self {
        Board {
            style,
            prefixes_layers,
            phases: Vec::new(),
            running: Vec::new(),
            expected: Vec::new(),
            note: None,
            started: None,
        }
    }

    /// Whether addresses are shown with their layers.
    pub fn prefixes_layers(&self) -> bool {
        self.prefixes_layers
    }

    /// Whether there is anything to draw.
    pub fn is_empty(&self) -> bool {
        self.phases.is_empty() && self.note.is_none()
    }

    /// Forgets what went on before the apply itself.
    pub fn forget_note(&mut self) {
        self.note = None;
    }

    /// Takes in what is going to be carried out, for the phases that have not begun.
    pub fn expect(&mut self, plan: &Plan) {
        self.expected.clear();
        for (index, phase) in plan.phases.iter().enumerate() {
            let mut counts = Counts::default();
            let here = plan.changes.iter().filter(|planned| planned.phase == index);
            here.for_each(|planned| counts.count(planned.change.action));
            let runs = |gate: &&crate::plan::GatePlan| gate.will_run();
            let gates = phase.gates.iter().filter(runs).map(|gate| gate.name.to_string()).collect();
            self.expected.push((phase.name.to_string(), counts, gates));
        }
    }

    /// Takes in an event.
    pub fn take(&mut self, event: &Event, now: Duration) {
        match event {
            Event::RefreshStarted { objects: 0 }
            | Event::ReadStarted { .. }
            | Event::ReadEnded { .. }
            | Event::DataReadEnded { .. }
            | Event::EphemeralStarted { .. }
            | Event::EphemeralEnded { .. }
            | Event::ProvisionEnded { .. }
            | Event::ImportPreparing { .. }
            | Event::ImportStarted { .. }
            | Event::ImportEnded { .. }
            | Event::ActionStarted { .. }
            | Event::ActionProgress { .. }
            | Event::ActionEnded { .. }
            | Event::Said(_)
            | Event::Recovered(_) => {}
            Event::RefreshStarted { objects } => self.note = Some(format!("refreshing {objects} objects")),
            Event::DataRead { addr } => self.note = Some(format!("reading {}", addr.in_project(self.prefixes_layers))),
            Event::LockWaiting { key, holder } => {
                self.note = Some(format!("waiting for the lock of {key}, held by {holder}"));
            }
            Event::ApplyStarted { phases } => {
                self.note = None;
                self.started.get_or_insert(now);
                for (name, total) in phases {
                    let expected = self.expected.iter().find(|(phase, ..)| phase == name);
                    let planned = expected.map(|(_, counts, gates)| (*counts, gates.clone()));
                    match self.phases.iter_mut().find(|phase| phase.name == *name) {
                        // A later segment brings more of a phase that an earlier one had begun.
                        Some(phase) => {
                            phase.total = phase.done + total;
                            phase.planned = planned;
                        }
                        None => self.phases.push(Phase {
                            name: name.clone(),
                            total: *total,
                            done: 0,
                            failures: Vec::new(),
                            state: State::Ahead,
                            gates: Vec::new(),
                            planned,
                        }),
                    }
                }
            }
            Event::PhaseStarted { phase } => {
                if let Some(phase) = self.phase(phase) {
                    phase.state = State::Running;
                }
            }
            Event::PhaseEnded { phase, elapsed, added, changed, destroyed, .. } => {
                let parts = [(*added, "added"), (*changed, "changed"), (*destroyed, "destroyed")];
                let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
                let sum = parts.collect::<Vec<_>>().join(", ");
                let elapsed = *elapsed;
                if let Some(phase) = self.phase(phase) {
                    phase.state = State::Ended { elapsed, sum };
                }
            }
            Event::StepStarted { addr, action, phase, .. } => {
                self.running.push(Running {
                    what: What::Step(addr.clone(), *action),
                    phase: phase.clone(),
                    since: now,
                    reason: String::new(),
                });
                // Removals follow edges and may run before their phase does.
                if let Some(phase) = self.phase(phase)
                    && matches!(phase.state, State::Ahead)
                {
                    phase.state = State::Running;
                }
            }
            Event::StepWaiting { addr, reason, .. } => self.reason_of(addr, reason.clone()),
            Event::ProvisionStarted { addr, provisioner } => self.reason_of(addr, provisioner.clone()),
            Event::ProvisionOutput { addr, provisioner, line } => {
                self.reason_of(addr, format!("{provisioner}: {line}"));
            }
            Event::StepEnded { addr, action, phase, elapsed, failed, .. } => {
                self.running.retain(|one| one.what != What::Step(addr.clone(), *action));
                let what = ends(*action).to_lowercase();
                let line =
                    format!("{}  {what} failed after {}", addr.in_project(self.prefixes_layers), brief(*elapsed));
                if let Some(phase) = self.phase(phase) {
                    match failed {
                        true => phase.failures.push(line),
                        false => phase.done += 1,
                    }
                }
            }
            Event::GateStarted { phase, gate } => self.running.push(Running {
                what: What::Gate(gate.clone()),
                phase: phase.clone(),
                since: now,
                reason: String::new(),
            }),
            Event::GateWaiting { gate, reason } => {
                for one in self.running.iter_mut().filter(|one| one.what == What::Gate(gate.clone())) {
                    one.reason.clone_from(reason);
                }
            }
            Event::GateEnded { phase, gate, elapsed, failed, note } => {
                self.running.retain(|one| one.what != What::Gate(gate.clone()));
                let (mark, ink) = if *failed { ("✘", Ink::Red) } else { ("✔", Ink::Green) };
                let mark = self.style.paint(ink, mark);
                let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
                let text = format!("gate {gate} {mark} {}{note}", brief(*elapsed));
                if let Some(phase) = self.phase(phase) {
                    if *failed {
                        phase.failures.push(format!("gate {gate}  failed after {}", brief(*elapsed)));
                    } else {
                        phase.gates.push(text);
                    }
                }
            }
        }
    }

    /// What the step of an object is busy with.
    fn reason_of(&mut self, addr: &InstanceAddr, reason: String) {
        let of_object = |one: &&mut Running| matches!(&one.what, What::Step(known, _) if known == addr);
        if let Some(one) = self.running.iter_mut().find(of_object) {
            one.reason = reason;
        }
    }

    fn phase(&mut self, name: &str) -> Option<&mut Phase> {
        self.phases.iter_mut().find(|phase| phase.name == name)
    }
}
