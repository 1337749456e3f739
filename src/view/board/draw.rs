//! The board as lines.

use std::time::Duration;

use super::{Board, Phase, Running, State, What};
use crate::change::Counts;
use crate::view::progress::{begins, brief};
use crate::view::style::Ink;

/// How many running steps of a phase are drawn; the longest running ones come first.
const ROWS: usize = 6;

/// How many failures of a phase are drawn.
const FAILURES: usize = 4;

/// Width of the bar.
const BAR: usize = 24;

impl Board {
    /// The block as it looks now, at most `width` columns wide.
    pub fn lines(&self, now: Duration, width: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let wide = self.phases.iter().map(|phase| phase.name.chars().count()).max().unwrap_or(0);
        let mut held_by = None;
        for phase in &self.phases {
            if phase.total == 0 && matches!(phase.state, State::Ahead) {
                continue;
            }
            let name = &phase.name;
            let lead = if wide == 0 { "  ".to_owned() } else { format!("  {name:<wide$} ") };
            self.phase_lines(phase, &lead, held_by, now, &mut lines);
            if !phase.failures.is_empty() {
                held_by.get_or_insert(name.as_str());
            }
        }
        lines.extend(self.note.iter().map(|note| format!("  {note}")));
        lines.extend(self.bar(now, held_by.is_some()));
        lines.into_iter().map(|line| cut(&line, width)).collect()
    }

    /// One line for a phase that is over or ahead, several for one that runs or has failed. `held_by`: the phase whose
    /// failure keeps this one from being started.
    fn phase_lines(&self, phase: &Phase, lead: &str, held_by: Option<&str>, now: Duration, lines: &mut Vec<String>) {
        let gates = || phase.gates.iter().map(|gate| format!("   {gate}")).collect::<String>();
        match &phase.state {
            State::Ahead => {
                let what = match &phase.planned {
                    Some((counts, _)) if !counts_text(*counts).is_empty() => counts_text(*counts),
                    _ => format!("{} to go", phase.total),
                };
                match held_by {
                    Some("") => lines.push(format!("{lead}·  {what}   not started")),
                    Some(by) => lines.push(format!("{lead}·  {what}   not started: phase {by} failed")),
                    None => {
                        let gates = phase.planned.iter().flat_map(|(_, gates)| gates);
                        let gates: String = gates.map(|gate| format!("   gate {gate}")).collect();
                        lines.push(format!("{lead}·  {what}{gates}"));
                    }
                }
            }
            State::Ended { elapsed, sum } if phase.failures.is_empty() => {
                let mark = self.style.paint(Ink::Green, "✔");
                let sum = if sum.is_empty() { "nothing to do" } else { sum };
                lines.push(format!("{lead}{mark} {sum}   {}{}", brief(*elapsed), gates()));
            }
            State::Ended { elapsed, sum } => {
                let mark = self.style.paint(Ink::Red, "✘");
                let sum = if sum.is_empty() { format!("{}/{}", phase.done, phase.total) } else { sum.clone() };
                let first = format!("{mark} {sum}   {}{}", brief(*elapsed), gates());
                self.block(lead, &first, self.failures(phase), false, lines);
            }
            State::Running => {
                let failed = !phase.failures.is_empty();
                let mark = if failed { self.style.paint(Ink::Red, "✘") } else { self.style.paint(Ink::Cyan, "▶") };
                let first = format!("{mark} {}/{}", phase.done, phase.total);
                let mut rows = self.failures(phase);
                rows.extend(self.rows(phase, now));
                self.block(lead, &first, rows, !failed, lines);
            }
        }
    }

    /// Rows under the first line of a phase; with `beside`, the first of them stands in it.
    fn block(&self, lead: &str, first: &str, rows: Vec<String>, beside: bool, lines: &mut Vec<String>) {
        let column = if beside { columns(lead) + columns(first) + 2 } else { columns(lead) + 2 };
        let mut rows = rows.into_iter();
        match if beside { rows.next() } else { None } {
            Some(row) => lines.push(format!("{lead}{first}  {row}")),
            None => lines.push(format!("{lead}{first}")),
        }
        lines.extend(rows.map(|row| format!("{:column$}{row}", "")));
    }

    fn failures(&self, phase: &Phase) -> Vec<String> {
        let mark = self.style.paint(Ink::Red, "✘");
        let mut rows: Vec<String> =
            phase.failures.iter().take(FAILURES).map(|failure| format!("{mark} {failure}")).collect();
        if phase.failures.len() > FAILURES {
            rows.push(format!("and {} more failures", phase.failures.len() - FAILURES));
        }
        rows
    }

    fn rows(&self, phase: &Phase, now: Duration) -> Vec<String> {
        let mut here: Vec<&Running> = self.running.iter().filter(|one| one.phase == phase.name).collect();
        here.sort_by_key(|one| one.since);
        let row = |one: &&Running| {
            let what = match &one.what {
                What::Step(addr, action) => {
                    format!("{}  {}", addr.in_project(self.prefixes_layers), begins(*action).to_lowercase())
                }
                What::Gate(gate) => format!("gate {gate}"),
            };
            let waiting = if one.reason.is_empty() { String::new() } else { format!("  waiting: {}", one.reason) };
            format!("{what}  {}{waiting}", brief(now.saturating_sub(one.since)))
        };
        let mut rows: Vec<String> = here.iter().take(ROWS).map(row).collect();
        if here.len() > ROWS {
            rows.push(format!("and {} more", here.len() - ROWS));
        }
        rows
    }

    /// The bar, how far it is, and which phases have the most left.
    fn bar(&self, now: Duration, failed: bool) -> Option<String> {
        let (done, total) =
            self.phases.iter().fold((0, 0), |(done, all), phase| (done + phase.done, all + phase.total));
        let filled = (BAR * done.min(total)).checked_div(total)?;
        let (full, empty) = ("━".repeat(filled), "─".repeat(BAR - filled));
        let full = self.style.paint(if failed { Ink::Red } else { Ink::Green }, &full);
        let elapsed = brief(now.saturating_sub(self.started.unwrap_or_default()));
        let longest = self.longest_remaining().filter(|_| !failed);
        let longest = longest.map_or_else(String::new, |phases| format!("   longest remaining: {phases}"));
        Some(format!("  {full}{empty}  {done} of {total}   elapsed {elapsed}{longest}"))
    }

    /// The two phases that have the most left, in the order they run. Nothing where the one that runs is the last.
    fn longest_remaining(&self) -> Option<String> {
        let left = |phase: &Phase| match phase.state {
            State::Ended { .. } => 0,
            State::Ahead | State::Running => phase.total.saturating_sub(phase.done),
        };
        let mut open: Vec<(usize, &Phase)> =
            self.phases.iter().enumerate().filter(|(_, phase)| left(phase) > 0).collect();
        if open.len() < 2 {
            return None;
        }
        open.sort_by_key(|(index, phase)| (std::cmp::Reverse(left(phase)), *index));
        open.truncate(2);
        open.sort_by_key(|(index, _)| *index);
        Some(open.iter().map(|(_, phase)| phase.name.as_str()).collect::<Vec<_>>().join(" → "))
    }
}

fn counts_text(counts: Counts) -> String {
    let parts = [(counts.add, "add"), (counts.change, "change"), (counts.destroy, "destroy")];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} to {word}"));
    parts.collect::<Vec<_>>().join(", ")
}

/// How wide a text is; escape sequences take no room.
fn columns(text: &str) -> usize {
    let mut escape = false;
    let takes_room = |c: &char| {
        let inside = escape || *c == '\x1b';
        escape = inside && *c != 'm';
        !inside
    };
    text.chars().filter(takes_room).count()
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
