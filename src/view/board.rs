//! The live block of an apply on a terminal: a row for each phase, what runs in it and what that waits for, and a bar.

use std::time::Duration;

use crate::addr::InstanceAddr;
use crate::change::Action;
use crate::event::Event;

use super::progress::{begins, brief};
use super::style::{Ink, Style};

/// What is known of a running apply. Events go in, lines come out; `now` is the time since the command began.
pub struct Board {
    style: Style,
    prefixes_layers: bool,
    phases: Vec<Phase>,
    running: Vec<Running>,
    note: Option<String>,
    started: Option<Duration>,
}

struct Phase {
    name: String,
    total: usize,
    done: usize,
    failed: usize,
    state: State,
    gates: Vec<String>,
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

/// How many running steps of a phase are drawn; the longest running ones come first.
const ROWS: usize = 6;

impl Board {
    /// An empty board. `prefixes_layers`: addresses with `layer.NAME.`.
    pub fn new(style: Style, prefixes_layers: bool) -> Self {
        Board { style, prefixes_layers, phases: Vec::new(), running: Vec::new(), note: None, started: None }
    }

    /// Whether there is anything to draw.
    pub fn is_empty(&self) -> bool {
        self.phases.is_empty() && self.note.is_none()
    }

    /// Forgets what went on before the apply itself.
    pub fn forget_note(&mut self) {
        self.note = None;
    }

    /// Takes in an event.
    pub fn take(&mut self, event: &Event, now: Duration) {
        match event {
            Event::RefreshStarted { objects: 0 } | Event::Said(_) | Event::Recovered(_) => {}
            Event::RefreshStarted { objects } => self.note = Some(format!("refreshing {objects} objects")),
            Event::DataRead { addr } => self.note = Some(format!("reading {}", addr.in_project(self.prefixes_layers))),
            Event::LockWaiting { key, holder } => {
                self.note = Some(format!("waiting for the lock of {key}, held by {holder}"));
            }
            Event::ApplyStarted { phases } => {
                self.note = None;
                self.started.get_or_insert(now);
                for (name, total) in phases {
                    match self.phases.iter_mut().find(|phase| phase.name == *name) {
                        // A later segment brings more of a phase that an earlier one had begun.
                        Some(phase) => phase.total = phase.done + total,
                        None => self.phases.push(Phase {
                            name: name.clone(),
                            total: *total,
                            done: 0,
                            failed: 0,
                            state: State::Ahead,
                            gates: Vec::new(),
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
            Event::StepWaiting { addr, reason, .. } => {
                let running = self.running.iter_mut();
                for one in running.filter(|one| matches!(&one.what, What::Step(known, _) if known == addr)) {
                    one.reason.clone_from(reason);
                }
            }
            Event::StepEnded { addr, action, phase, failed, .. } => {
                self.running.retain(|one| one.what != What::Step(addr.clone(), *action));
                let failed = usize::from(*failed);
                if let Some(phase) = self.phase(phase) {
                    phase.done += 1;
                    phase.failed += failed;
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
                    phase.gates.push(text);
                }
            }
        }
    }

    fn phase(&mut self, name: &str) -> Option<&mut Phase> {
        self.phases.iter_mut().find(|phase| phase.name == name)
    }

    /// The block as it looks now, at most `width` columns wide.
    pub fn lines(&self, now: Duration, width: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let wide = self.phases.iter().map(|phase| phase.name.chars().count()).max().unwrap_or(0);
        for phase in &self.phases {
            if phase.total == 0 && matches!(phase.state, State::Ahead) {
                continue;
            }
            let name = &phase.name;
            let lead = if wide == 0 { "  ".to_owned() } else { format!("  {name:<wide$} ") };
            match &phase.state {
                State::Ended { elapsed, sum } => {
                    let mark = if phase.failed > 0 {
                        self.style.paint(Ink::Red, "✘")
                    } else {
                        self.style.paint(Ink::Green, "✔")
                    };
                    let gates =
                        if phase.gates.is_empty() { String::new() } else { format!("   {}", phase.gates.join("   ")) };
                    let sum = if sum.is_empty() { "nothing to do".to_owned() } else { sum.clone() };
                    lines.push(format!("{lead}{mark} {sum}   {}{gates}", brief(*elapsed)));
                }
                State::Ahead => lines.push(format!("{lead}·  {} to go", phase.total)),
                State::Running => {
                    let mark = self.style.paint(Ink::Cyan, "▶");
                    lines.push(format!("{lead}{mark} {}/{}", phase.done, phase.total));
                    self.rows(phase, now, wide, &mut lines);
                }
            }
        }
        if let Some(note) = &self.note {
            lines.push(format!("  {note}"));
        }
        let (done, total) =
            self.phases.iter().fold((0, 0), |(done, all), phase| (done + phase.done, all + phase.total));
        let bar = 24;
        if let Some(filled) = (bar * done.min(total)).checked_div(total) {
            let (full, empty) = ("━".repeat(filled), "─".repeat(bar - filled));
            let elapsed = brief(now.saturating_sub(self.started.unwrap_or_default()));
            lines.push(format!(
                "  {}{empty}  {done} of {total}   elapsed {elapsed}",
                self.style.paint(Ink::Green, &full)
            ));
        }
        lines.into_iter().map(|line| cut(&line, width)).collect()
    }

    fn rows(&self, phase: &Phase, now: Duration, wide: usize, lines: &mut Vec<String>) {
        let mut here: Vec<&Running> = self.running.iter().filter(|one| one.phase == phase.name).collect();
        here.sort_by_key(|one| one.since);
        for one in here.iter().take(ROWS) {
            let what = match &one.what {
                What::Step(addr, action) => {
                    format!("{}  {}", addr.in_project(self.prefixes_layers), begins(*action).to_lowercase())
                }
                What::Gate(gate) => format!("gate {gate}"),
            };
            let waiting = if one.reason.is_empty() { String::new() } else { format!("  waiting: {}", one.reason) };
            let elapsed = brief(now.saturating_sub(one.since));
            lines.push(format!("{:1$}{what}  {elapsed}{waiting}", "", wide + 6));
        }
        if here.len() > ROWS {
            lines.push(format!("{:1$}and {2} more", "", wide + 6, here.len() - ROWS));
        }
    }
}

/// A line cut to a width; escape sequences take no room.
fn cut(line: &str, width: usize) -> String {
    let mut out = String::with_capacity(line.len());
    let (mut column, mut escape, mut painted) = (0, false, false);
    for c in line.chars() {
        if c == '\x1b' {
            (escape, painted) = (true, true);
        }
        if !escape {
            if column + 1 >= width && width > 0 {
                out.push('…');
                if painted {
                    out.push_str("\x1b[0m");
                }
                return out;
            }
            column += 1;
        }
        if escape && c == 'm' {
            escape = false;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::{LayerName, parse_instance};

    #[test]
    fn shows_phases_and_what_they_wait_for() {
        let mut board = Board::new(Style::PLAIN, false);
        let addr = |text: &str| parse_instance(&LayerName::plain(), text).unwrap_or_else(|error| panic!("{error}"));
        let secs = Duration::from_secs;
        let p = |name: &str| name.to_owned();
        board.take(&Event::ApplyStarted { phases: vec![(p("0.1"), 1), (p("0.2"), 2), (p("999"), 14)] }, secs(0));
        board.take(&Event::PhaseStarted { phase: p("0.1") }, secs(0));
        let step = |name: &str, phase: &str| Event::StepStarted {
            addr: addr(name),
            action: Action::Create,
            phase: p(phase),
            id: None,
        };
        board.take(&step("k3s_server.this", "0.1"), secs(0));
        let ended = |name: &str, phase: &str| Event::StepEnded {
            addr: addr(name),
            action: Action::Create,
            phase: p(phase),
            elapsed: secs(58),
            id: None,
            failed: false,
        };
        board.take(&ended("k3s_server.this", "0.1"), secs(58));
        board.take(&Event::GateStarted { phase: p("0.1"), gate: p("kubernetes_api") }, secs(58));
        board.take(
            &Event::GateEnded {
                phase: p("0.1"),
                gate: p("kubernetes_api"),
                elapsed: secs(3),
                failed: false,
                note: p("simulated"),
            },
            secs(61),
        );
        board.take(
            &Event::PhaseEnded {
                phase: p("0.1"),
                elapsed: secs(64),
                added: 1,
                changed: 0,
                destroyed: 0,
                critical_path: p(""),
            },
            secs(64),
        );
        board.take(&Event::PhaseStarted { phase: p("0.2") }, secs(64));
        board.take(&step("kubernetes_stateful_set.this", "0.2"), secs(64));
        let reason = "0 of 1 pods ready — claim unbound".to_owned();
        board.take(
            &Event::StepWaiting { addr: addr("kubernetes_stateful_set.this"), reason, elapsed: secs(41) },
            secs(105),
        );
        insta::assert_snapshot!(board.lines(secs(105), 200).join("\n"), @"
          0.1 ✔ 1 added   1m04s   gate kubernetes_api ✔ 3.0s (simulated)
          0.2 ▶ 0/2
                 kubernetes_stateful_set.this  creating  41s  waiting: 0 of 1 pods ready — claim unbound
          999 ·  14 to go
          ━───────────────────────  1 of 17   elapsed 1m45s
        ");
        assert_eq!(board.lines(secs(105), 12)[2], "         ku…");
    }
}
