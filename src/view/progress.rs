//! Events as lines, where there is no terminal: one per start, one per ten seconds of waiting, one per end.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::addr::{ActionInstance, InstanceAddr};
use crate::change::{Action, Counts};
use crate::event::Event;
use crate::plan::PlanMode;

use super::style::{Ink, Style};

/// Turns events into lines. Keeps what runs, to know when it last said so.
pub struct Lines {
    style: Style,
    prefixes_layers: bool,
    running: HashMap<String, Running>,
}

/// A step or gate that has not ended: since when it runs, and when that was last told.
struct Running {
    action: Action,
    /// The id of an object that is there already.
    id: Option<String>,
    since: Duration,
    said: Duration,
}

/// How often a waiting step may say so.
const EVERY: Duration = Duration::from_secs(10);

impl Lines {
    /// A teller of lines. `prefixes_layers`: addresses with `layer.NAME.`.
    pub fn new(style: Style, prefixes_layers: bool) -> Self {
        Lines { style, prefixes_layers, running: HashMap::new() }
    }

    /// The line of an event, with its line break; nothing where there is nothing new to say. `now` is the time since the
    /// command began. Diagnostics ([`Event::Said`]) are drawn by [`super::diagnostic`].
    pub fn line(&mut self, event: &Event, now: Duration) -> Option<String> {
        let style = self.style;
        let bold = |text: &str| style.bold(text);
        Some(match event {
            Event::RefreshStarted { objects: 0 }
            | Event::ReadEnded { .. }
            | Event::Said(_)
            | Event::ApplyStarted { .. } => return None,
            // Terraform has a line for each object instead.
            Event::RefreshStarted { .. } if style.product.is_compatible() => return None,
            Event::ReadStarted { addr, id } if style.product.is_compatible() => {
                let id = id.as_deref().map_or_else(String::new, |id| format!(" [id={id}]"));
                format!("{}\n", bold(&format!("{}: Refreshing state...{id}", self.address(addr))))
            }
            Event::ReadStarted { .. } => return None,
            Event::RefreshStarted { objects } => {
                format!("Refreshing state of {objects} object{}...\n", if *objects == 1 { "" } else { "s" })
            }
            Event::DataRead { addr } => format!("{}\n", bold(&format!("{}: Reading...", self.address(addr)))),
            Event::DataReadEnded { addr, elapsed, failed } => {
                let (word, ink) = if *failed { ("errored", Ink::Red) } else { ("complete", Ink::Bold) };
                let line = format!("{}: Read {word} after {}", self.address(addr), seconds(*elapsed));
                format!("{}\n", style.paint(ink, &line))
            }
            Event::ImportPreparing { addr, id } => {
                format!("{}\n", bold(&format!("{}: Preparing import... [id={id}]", self.address(addr))))
            }
            Event::ImportStarted { addr, id } => {
                format!("{}\n", bold(&format!("{}: Importing... [id={id}]", self.address(addr))))
            }
            Event::ImportEnded { addr, id } => {
                format!("{}\n", bold(&format!("{}: Import complete [id={id}]", self.address(addr))))
            }
            Event::EphemeralStarted { addr, closes } => {
                let word = if *closes { "Closing" } else { "Opening" };
                format!("{}\n", bold(&format!("{}: {word}...", self.address(addr))))
            }
            Event::EphemeralEnded { addr, closes, elapsed, failed } => {
                let word = if *closes { "Closing" } else { "Opening" };
                let (end, ink) = if *failed { ("errored", Ink::Red) } else { ("complete", Ink::Bold) };
                let line = format!("{}: {word} {end} after {}", self.address(addr), seconds(*elapsed));
                format!("{}\n", style.paint(ink, &line))
            }
            Event::PhaseStarted { phase } if phase.is_empty() => return None,
            Event::PhaseStarted { phase } => format!("{}\n", bold(&format!("phase {phase}"))),
            Event::PhaseEnded { phase, .. } if phase.is_empty() => return None,
            Event::PhaseEnded { phase, elapsed, added, changed, destroyed, failed, .. } => {
                let (word, ink) = if *failed { ("failed", Ink::Red) } else { ("complete", Ink::Bold) };
                let counts = format!("{added} added, {changed} changed, {destroyed} destroyed");
                let line = format!("phase {phase} {word} after {}: {counts}", seconds(*elapsed));
                format!("{}\n", style.paint(ink, &line))
            }
            // Terraform forgets without a word, and lets the error speak for what failed.
            Event::StepStarted { action: Action::Forget, .. } | Event::StepEnded { action: Action::Forget, .. }
                if style.product.is_compatible() =>
            {
                return None;
            }
            Event::StepEnded { addr, failed: true, .. } if style.product.is_compatible() => {
                self.running.remove(&self.address(addr));
                return None;
            }
            Event::StepStarted { addr, deposed, action, id, .. } => {
                let mut address = self.address(addr);
                self.begin(address.clone(), *action, id.clone(), now);
                if let Some(key) = deposed {
                    address.push_str(&format!(" (deposed object {key})"));
                }
                let id = id.as_deref().map_or_else(String::new, |id| format!(" [id={id}]"));
                format!("{}\n", self.style.bold(&format!("{address}: {}...{id}", begins(*action))))
            }
            Event::StepWaiting { addr, reason, elapsed, .. } => {
                let address = self.address(addr);
                let (action, id) = self.due(&address, *elapsed)?;
                // Terraform knows no reasons.
                let silent = reason.is_empty() || style.product.is_compatible();
                let reason = if silent { String::new() } else { format!(" {reason}") };
                let id = id.map_or_else(String::new, |id| format!("id={id}, "));
                let word = begins(action).to_lowercase();
                let still = format!("{address}: Still {word}... [{id}{} elapsed]", so_far(*elapsed));
                format!("{}{reason}\n", style.bold(&still))
            }
            Event::StepEnded { addr, action, elapsed, id, failed, .. } => {
                let address = self.address(addr);
                self.running.remove(&address);
                let id = match id {
                    Some(id) if *action != Action::Delete && !failed => format!(" [id={id}]"),
                    _ => String::new(),
                };
                let word = if *failed { "errored" } else { "complete" };
                let line = format!("{address}: {} {word} after {}{id}", ends(*action), seconds(*elapsed));
                let ink = if *failed { Ink::Red } else { Ink::Bold };
                format!("{}\n", self.style.paint(ink, &line))
            }
            Event::ProvisionStarted { addr, provisioner } => {
                format!("{}\n", bold(&format!("{}: Provisioning with '{provisioner}'...", self.address(addr))))
            }
            Event::ProvisionOutput { addr, provisioner, line } => {
                format!("{} {line}\n", bold(&format!("{} ({provisioner}):", self.address(addr))))
            }
            Event::ProvisionEnded { .. } => return None,
            Event::ActionStarted { action, trigger } => {
                format!("{}\n", bold(&format!("Action started: {}", self.action(action, trigger.as_ref()))))
            }
            Event::ActionProgress { action, trigger, text } => {
                format!("{}: {text}\n", bold(&format!("Action {}", self.action(action, trigger.as_ref()))))
            }
            Event::ActionEnded { action, trigger, failed } => {
                let (word, ink) = if *failed { ("failed", Ink::Red) } else { ("complete", Ink::Bold) };
                format!("{}\n", style.paint(ink, &format!("Action {word}: {}", self.action(action, trigger.as_ref()))))
            }
            Event::GateStarted { gate, .. } => {
                self.begin(format!("gate {gate}"), Action::NoOp, None, now);
                format!("{}\n", bold(&format!("gate {gate}: Checking...")))
            }
            Event::GateWaiting { gate, reason } => {
                let key = format!("gate {gate}");
                let elapsed = now.saturating_sub(self.running.get(&key)?.since);
                self.due(&key, elapsed)?;
                let still = format!("gate {gate}: Still checking... [{} elapsed]", so_far(elapsed));
                format!("{} {reason}\n", self.style.bold(&still))
            }
            Event::GateEnded { gate, elapsed, failed, note, .. } => {
                self.running.remove(&format!("gate {gate}"));
                let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
                let word = if *failed { "Failed" } else { "Passed" };
                let line = format!("gate {gate}: {word} after {}{note}", seconds(*elapsed));
                let ink = if *failed { Ink::Red } else { Ink::Bold };
                format!("{}\n", self.style.paint(ink, &line))
            }
            Event::Recovered(recovery) => super::recovered(recovery, style),
            Event::LockWaiting { key, holder } => format!("Waiting for the lock of {key}, held by {holder}...\n"),
        })
    }

    fn address(&self, addr: &InstanceAddr) -> String {
        addr.in_project(self.prefixes_layers)
    }

    fn action(&self, action: &ActionInstance, trigger: Option<&InstanceAddr>) -> String {
        let by = trigger.map_or_else(String::new, |addr| format!(" (triggered by {})", self.address(addr)));
        format!("{}{by}", action.in_project(self.prefixes_layers))
    }

    fn begin(&mut self, key: String, action: Action, id: Option<String>, now: Duration) {
        self.running.insert(key, Running { action, id, since: now, said: Duration::ZERO });
    }

    /// The action and the id of something that has run for `elapsed`, when it is time to tell that it still runs.
    fn due(&mut self, key: &str, elapsed: Duration) -> Option<(Action, Option<String>)> {
        let running = self.running.get_mut(key)?;
        if elapsed.saturating_sub(running.said) < EVERY {
            return None;
        }
        // Counted in whole tens, so that a late tick does not push back the next one.
        running.said = Duration::from_secs(elapsed.as_secs() / EVERY.as_secs() * EVERY.as_secs());
        Some((running.action, running.id.clone()))
    }
}

/// Terraform's word for a running step.
pub(super) fn begins(action: Action) -> &'static str {
    match action {
        Action::NoOp => "Checking",
        Action::Create => "Creating",
        Action::Read => "Reading",
        Action::Update => "Modifying",
        Action::Delete => "Destroying",
        Action::DeleteThenCreate | Action::CreateThenDelete => "Replacing",
        Action::Forget => "Removing from state",
    }
}

/// Terraform's word for an ended step.
pub(super) fn ends(action: Action) -> &'static str {
    match action {
        Action::NoOp => "Check",
        Action::Create => "Creation",
        Action::Read => "Read",
        Action::Update => "Modifications",
        Action::Delete => "Destruction",
        Action::DeleteThenCreate | Action::CreateThenDelete => "Replacement",
        Action::Forget => "Removal from state",
    }
}

/// A rounded length of time as Terraform writes it: `0s`, `1m4s`, `1h0m3s`.
pub(super) fn seconds(elapsed: Duration) -> String {
    let all = (elapsed.as_millis() as u64 + 500) / 1000;
    match (all / 3600, all / 60 % 60, all % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, m, s) => format!("{h}h{m}m{s}s"),
    }
}

/// The same, cut off: what is running has not run longer than it says.
pub(super) fn so_far(elapsed: Duration) -> String {
    seconds(Duration::from_secs(elapsed.as_secs()))
}

/// A short length of time for tables: `0.1s`, `41s`, `1m04s`, `1h02m`.
pub(super) fn brief(elapsed: Duration) -> String {
    let all = elapsed.as_secs();
    match (all / 3600, all / 60 % 60, all % 60) {
        (0, 0, s) if s < 10 => format!("{:.1}s", elapsed.as_secs_f64()),
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s:02}s"),
        (h, m, _) => format!("{h}h{m:02}m"),
    }
}

/// How a phase went, for the table at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseSummary {
    /// Its name.
    pub phase: String,
    /// Objects made.
    pub added: usize,
    /// Objects changed.
    pub changed: usize,
    /// Objects removed.
    pub destroyed: usize,
    /// How long it took.
    pub elapsed: Duration,
    /// What determined that.
    pub critical_path: String,
    /// How far it came.
    pub end: PhaseEnd,
}

/// How far a phase came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseEnd {
    /// To its end, its gates passed.
    Complete,
    /// Not to its end: something failed, or the user stopped it.
    Unfinished,
    /// It was not started, and has this many changes to make.
    NotStarted(usize),
}

/// The last line of an apply: `Apply complete! Resources: 2 added, 1 changed, 0 destroyed.`
pub fn applied(mode: PlanMode, counts: Counts, style: Style) -> String {
    let import = if counts.import > 0 { format!("{} imported, ", counts.import) } else { String::new() };
    let invoked = if counts.invoke > 0 { format!(" Actions: {} invoked.", counts.invoke) } else { String::new() };
    let text = match mode {
        PlanMode::Normal | PlanMode::RefreshOnly => format!(
            "Apply complete! Resources: {import}{} added, {} changed, {} destroyed.{invoked}",
            counts.add, counts.change, counts.destroy
        ),
        PlanMode::Destroy => format!("Destroy complete! Resources: {} destroyed.", counts.destroy),
    };
    format!("{}\n", style.paint(Ink::Green, &style.bold(&text)))
}

/// The table of phases; nothing without named phases.
pub fn phase_table(phases: &[PhaseSummary], style: Style) -> String {
    if phases.iter().all(|phase| phase.phase.is_empty()) {
        return String::new();
    }
    let wide = phases.iter().map(|phase| phase.phase.chars().count()).max().unwrap_or(0).max("phase".len());
    let head = format!("  {:<wide$}  added  changed  destroyed    time  critical path", "phase");
    let mut out = format!("{}\n", style.bold(&head));
    for phase in phases {
        let PhaseSummary { phase, added, changed, destroyed, elapsed, critical_path, end } = phase;
        let time = brief(*elapsed);
        let counts = format!("  {phase:<wide$}  {added:>5}  {changed:>7}  {destroyed:>9}  {time:>6}");
        let line = match end {
            PhaseEnd::Complete => format!("{counts}  {critical_path}"),
            PhaseEnd::Unfinished => format!("{counts}  {}", style.paint(Ink::Red, "✘ not finished")),
            PhaseEnd::NotStarted(left) => {
                format!("  {phase:<wide$}  {:>5}  {:>7}  {:>9}  {:>6}  not started, {left} to go", "-", "-", "-", "-")
            }
        };
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

#[cfg(test)]
mod tests;
