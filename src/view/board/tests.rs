//! The board at set moments of a run.

use std::time::Duration;

use super::*;
use crate::addr::{LayerName, parse_instance};

fn addr(text: &str) -> InstanceAddr {
    parse_instance(&LayerName::plain(), text).unwrap_or_else(|error| panic!("{error}"))
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn p(name: &str) -> String {
    name.to_owned()
}

fn starts(name: &str, phase: &str) -> Event {
    Event::StepStarted { addr: addr(name), deposed: None, action: Action::Create, phase: p(phase), id: None }
}

fn ends_after(seconds: u64, name: &str, phase: &str, failed: bool) -> Event {
    Event::StepEnded {
        addr: addr(name),
        action: Action::Create,
        phase: p(phase),
        elapsed: secs(seconds),
        id: None,
        failed,
    }
}

fn gate_ends(seconds: u64, gate: &str, phase: &str, failed: bool) -> Event {
    let note = if failed { p("") } else { p("simulated") };
    Event::GateEnded { phase: p(phase), gate: p(gate), elapsed: secs(seconds), failed, note }
}

fn phase_ends(seconds: u64, phase: &str) -> Event {
    Event::PhaseEnded {
        phase: p(phase),
        elapsed: secs(seconds),
        added: 1,
        changed: 0,
        destroyed: 0,
        critical_path: p(""),
        failed: false,
    }
}

/// A board with four phases, whose first is over after 64 seconds, and whose second is running.
fn begun() -> Board {
    let mut board = Board::new(Style::PLAIN, false);
    let add = |add: usize| Counts { add, ..Counts::default() };
    board.expected = vec![
        (p("0.1"), add(1), vec![p("kubernetes_api")]),
        (p("0.2"), add(2), Vec::new()),
        (p("2"), Counts { add: 8, change: 1, ..Counts::default() }, vec![p("redis_answers"), p("clickhouse_answers")]),
        (p("999"), add(14), Vec::new()),
    ];
    let phases = [("0.1", 1), ("0.2", 2), ("2", 9), ("999", 14)];
    let phases = phases.iter().map(|(name, total)| (p(name), *total)).collect();
    board.take(&Event::ApplyStarted { phases }, secs(0));
    board.take(&Event::PhaseStarted { phase: p("0.1") }, secs(0));
    board.take(&starts("k3s_server.this", "0.1"), secs(0));
    board.take(&ends_after(58, "k3s_server.this", "0.1", false), secs(58));
    board.take(&Event::GateStarted { phase: p("0.1"), gate: p("kubernetes_api") }, secs(58));
    board.take(&gate_ends(3, "kubernetes_api", "0.1", false), secs(61));
    board.take(&phase_ends(64, "0.1"), secs(64));
    board.take(&Event::PhaseStarted { phase: p("0.2") }, secs(64));
    board.take(&starts("kubernetes_stateful_set.this", "0.2"), secs(64));
    board.take(&starts("kubernetes_namespace.this", "0.2"), secs(65));
    board
}

#[test]
fn shows_what_runs_what_it_waits_for_and_what_is_ahead() {
    let mut board = begun();
    let reason = "0 of 1 pods ready — claim unbound".to_owned();
    let addr = addr("kubernetes_stateful_set.this");
    board.take(&Event::StepWaiting { addr, action: Action::Create, reason, elapsed: secs(41) }, secs(105));
    insta::assert_snapshot!(board.lines(secs(105), 200).join("\n"), @"
          0.1 ✔ 1 added   1m04s   gate kubernetes_api ✔ 3.0s (simulated)
          0.2 ▶ 0/2  kubernetes_stateful_set.this  creating  41s  waiting: 0 of 1 pods ready — claim unbound
                     kubernetes_namespace.this  creating  40s
          2   ·  8 to add, 1 to change   gate redis_answers   gate clickhouse_answers
          999 ·  14 to add
          ────────────────────────  1 of 26   elapsed 1m45s   longest remaining: 2 → 999
    ");
    assert_eq!(board.lines(secs(105), 12)[2], "           …");
}

#[test]
fn a_failed_step_holds_up_the_phases_behind_it() {
    let mut board = begun();
    board.take(&ends_after(2, "kubernetes_namespace.this", "0.2", true), secs(67));
    insta::assert_snapshot!(board.lines(secs(70), 200).join("\n"), @"
          0.1 ✔ 1 added   1m04s   gate kubernetes_api ✔ 3.0s (simulated)
          0.2 ✘ 0/2
                ✘ kubernetes_namespace.this  creation failed after 2.0s
                kubernetes_stateful_set.this  creating  6.0s
          2   ·  8 to add, 1 to change   not started: phase 0.2 failed
          999 ·  14 to add   not started: phase 0.2 failed
          ────────────────────────  1 of 26   elapsed 1m10s
    ");
}

#[test]
fn a_failed_gate_is_what_failed() {
    let mut board = begun();
    board.take(&ends_after(2, "kubernetes_namespace.this", "0.2", false), secs(67));
    board.take(&ends_after(9, "kubernetes_stateful_set.this", "0.2", false), secs(73));
    board.take(&phase_ends(9, "0.2"), secs(73));
    board.take(&Event::PhaseStarted { phase: p("2") }, secs(73));
    board.take(&Event::GateStarted { phase: p("2"), gate: p("redis_answers") }, secs(80));
    board.take(&Event::GateWaiting { gate: p("redis_answers"), reason: p("connection refused") }, secs(82));
    insta::assert_snapshot!(board.lines(secs(90), 200).join("\n"), @"
          0.1 ✔ 1 added   1m04s   gate kubernetes_api ✔ 3.0s (simulated)
          0.2 ✔ 1 added   9.0s
          2   ▶ 0/9  gate redis_answers  10s  waiting: connection refused
          999 ·  14 to add
          ━━──────────────────────  3 of 26   elapsed 1m30s   longest remaining: 2 → 999
    ");
    board.take(&gate_ends(120, "redis_answers", "2", true), secs(200));
    board.take(&phase_ends(127, "2"), secs(200));
    insta::assert_snapshot!(board.lines(secs(200), 200).join("\n"), @"
          0.1 ✔ 1 added   1m04s   gate kubernetes_api ✔ 3.0s (simulated)
          0.2 ✔ 1 added   9.0s
          2   ✘ 1 added   2m07s
                ✘ gate redis_answers  failed after 2m00s
          999 ·  14 to add   not started: phase 2 failed
          ━━──────────────────────  3 of 26   elapsed 3m20s
    ");
}

#[test]
fn one_unnamed_phase_needs_no_names() {
    let mut board = Board::new(Style::PLAIN, false);
    board.take(&Event::ApplyStarted { phases: vec![(p(""), 2)] }, secs(0));
    board.take(&Event::PhaseStarted { phase: p("") }, secs(0));
    board.take(&starts("terraform_data.a", ""), secs(0));
    insta::assert_snapshot!(board.lines(secs(12), 200).join("\n"), @"
          ▶ 0/2  terraform_data.a  creating  12s
          ────────────────────────  0 of 2   elapsed 12s
    ");
}
