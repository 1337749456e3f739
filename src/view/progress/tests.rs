//! What is told of steps, gates and phases.

use super::*;
use crate::addr::{LayerName, parse_instance};

fn addr(text: &str) -> InstanceAddr {
    parse_instance(&LayerName::from("data"), text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn tells_steps_in_terraforms_words() {
    let mut lines = Lines::new(Style::PLAIN, true);
    let mut out = String::new();
    let phase = || "2".to_owned();
    let waiting = |elapsed| Event::StepWaiting {
        addr: addr("module.redis.a.b"),
        action: Action::Create,
        reason: "0 of 1 pods ready".into(),
        elapsed: Duration::from_secs(elapsed),
    };
    let ended = |action, failed| Event::StepEnded {
        addr: addr("module.redis.a.b"),
        action,
        phase: phase(),
        elapsed: Duration::from_millis(64_300),
        id: Some("i-1".into()),
        failed,
    };
    let events = [
        Event::RefreshStarted { objects: 3 },
        Event::PhaseStarted { phase: phase() },
        Event::StepStarted {
            addr: addr("module.redis.a.b"),
            deposed: None,
            action: Action::Create,
            phase: phase(),
            id: None,
        },
        waiting(3),
        waiting(10),
        waiting(14),
        waiting(21),
        waiting(30),
        ended(Action::Create, false),
        ended(Action::Delete, false),
        ended(Action::Update, true),
        Event::GateStarted { phase: phase(), gate: "redis".into() },
        Event::GateWaiting { gate: "redis".into(), reason: "connection refused".into() },
        Event::GateEnded {
            phase: phase(),
            gate: "redis".into(),
            elapsed: Duration::from_millis(3100),
            failed: false,
            note: "simulated".into(),
        },
        Event::LockWaiting { key: "k3s/data.tfstate".into(), holder: "ci@runner-7".into() },
    ];
    for (second, event) in (0..).zip(&events) {
        out.extend(lines.line(event, Duration::from_secs(second * 15)));
    }
    insta::assert_snapshot!(out, @"
    Refreshing state of 3 objects...
    phase 2
    layer.data.module.redis.a.b: Creating...
    layer.data.module.redis.a.b: Still creating... [10s elapsed] 0 of 1 pods ready
    layer.data.module.redis.a.b: Still creating... [21s elapsed] 0 of 1 pods ready
    layer.data.module.redis.a.b: Still creating... [30s elapsed] 0 of 1 pods ready
    layer.data.module.redis.a.b: Creation complete after 1m4s [id=i-1]
    layer.data.module.redis.a.b: Destruction complete after 1m4s
    layer.data.module.redis.a.b: Modifications errored after 1m4s
    gate redis: Checking...
    gate redis: Still checking... [15s elapsed] connection refused
    gate redis: Passed after 3s (simulated)
    Waiting for the lock of k3s/data.tfstate, held by ci@runner-7...
    ");
}

#[test]
fn ends_with_counts_and_a_table() {
    let counts = Counts { add: 2, change: 1, ..Counts::default() };
    let check = |mode, counts, expect: &str| assert_eq!(applied(mode, counts, Style::PLAIN), expect);
    check(PlanMode::Normal, counts, "Apply complete! Resources: 2 added, 1 changed, 0 destroyed.\n");
    check(PlanMode::Destroy, Counts { destroy: 3, ..Counts::default() }, "Destroy complete! Resources: 3 destroyed.\n");
    let import = Counts { import: 1, ..counts };
    check(PlanMode::Normal, import, "Apply complete! Resources: 1 imported, 2 added, 1 changed, 0 destroyed.\n");
    let row = |phase: &str, secs, critical_path: &str| PhaseSummary {
        phase: phase.into(),
        added: 12,
        changed: 0,
        destroyed: 0,
        elapsed: Duration::from_millis(secs),
        critical_path: critical_path.into(),
        end: PhaseEnd::Complete,
    };
    let failed = PhaseSummary { end: PhaseEnd::Unfinished, ..row("2", 9000, "a.b 9.0s") };
    let left = PhaseSummary { end: PhaseEnd::NotStarted(14), ..row("999", 0, "") };
    let rows = [row("0.1", 64_000, "k3s_server.this 58s"), row("0.2", 120, ""), failed, left];
    let table = phase_table(&rows, Style::PLAIN);
    insta::assert_snapshot!(table, @"
      phase  added  changed  destroyed    time  critical path
      0.1       12        0          0   1m04s  k3s_server.this 58s
      0.2       12        0          0    0.1s
      2         12        0          0    9.0s  ✘ not finished
      999        -        -          -       -  not started, 14 to go
    ");
    assert_eq!(phase_table(&[row("", 1, "")], Style::PLAIN), "");
}

#[test]
fn speaks_of_steps_as_terraform_does() {
    let style = Style { product: crate::view::Product::Terraform, ..Style::PLAIN };
    let mut lines = Lines::new(style, false);
    let step = |action| Event::StepStarted {
        addr: addr("a.b"),
        deposed: None,
        action,
        phase: String::new(),
        id: Some("i-1".into()),
    };
    let waiting = |action| Event::StepWaiting {
        addr: addr("a.b"),
        action,
        reason: "0 of 1 pods ready".into(),
        elapsed: Duration::from_secs(10),
    };
    let ended = |action, failed| Event::StepEnded {
        addr: addr("a.b"),
        action,
        phase: String::new(),
        elapsed: Duration::from_secs(10),
        id: Some("i-1".into()),
        failed,
    };
    let events = [
        Event::RefreshStarted { objects: 3 },
        step(Action::Delete),
        waiting(Action::Delete),
        ended(Action::Delete, false),
        step(Action::Update),
        ended(Action::Update, true),
        step(Action::Forget),
        ended(Action::Forget, false),
    ];
    let out: String = events.iter().filter_map(|event| lines.line(event, Duration::ZERO)).collect();
    insta::assert_snapshot!(out, @"
    a.b: Destroying... [id=i-1]
    a.b: Still destroying... [id=i-1, 10s elapsed]
    a.b: Destruction complete after 10s
    a.b: Modifying... [id=i-1]
    ");
}
