//! A gate belongs to what it looks at: which gates run with a part of a project, and what becomes of one that looks at nothing.

use std::time::Duration;

use serde_json::Value as Json;

use super::program::{Answer, Program};
use super::projects::platform;

/// A gate that waits does so for five minutes; nothing here has a reason to.
const AT_ONCE: Duration = Duration::from_secs(100);

/// Calls the program, which must not wait for a gate.
fn at_once(program: &Program, args: &[&str]) -> Answer {
    program.call_within(args, AT_ONCE)
}

/// The gates that a run has asked.
fn asked(out: &str) -> Vec<&str> {
    let lines = out.lines().filter_map(|line| line.strip_prefix("gate ")?.strip_suffix(": Checking..."));
    let mut gates: Vec<&str> = lines.collect();
    gates.sort_unstable();
    gates
}

/// The gates that a plan says are not checked.
fn left_out(out: &str) -> Vec<&str> {
    out.lines()
        .filter_map(|line| line.trim_start().strip_prefix("◇ gate ")?.split_once(" of phase "))
        .map(|(gate, _)| gate)
        .collect()
}

#[test]
fn a_target_on_an_empty_environment_asks_its_own_gates_alone() {
    let program = platform();
    let target = ["apply", "-env", "dev", "--target", "module.postgresql", "-auto-approve"];
    let applied = at_once(&program, &target);
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
    // The cluster, which everything here needs, and the database.
    assert_eq!(asked(&applied.out), ["kubernetes_api", "postgresql_answers"], "{}", applied.out);
    assert!(applied.out.contains("gate postgresql_answers: Passed"), "{}", applied.out);
    let others = left_out(&applied.out);
    assert!(others.contains(&"dashboard_is_up") && others.contains(&"kubero_is_up"), "{}", applied.out);
    let reason = "◇ gate kubero_is_up of phase 1: Deployment kubero/kubero takes no part in this plan";
    assert!(applied.out.contains(reason) && applied.out.contains("2 gates · 10 gates not checked"), "{}", applied.out);

    // Nothing is forgotten: the rest is checked when it is made, and what has passed only where its phase changes.
    let rest = program.ok(&["apply", "-env", "dev", "-auto-approve"]);
    let gates = asked(&rest);
    assert!(gates.len() == 11 && !gates.contains(&"kubernetes_api") && left_out(&rest).is_empty(), "{gates:?}");

    // A part changes: gates that look at nothing of it have passed as before, and are not asked again.
    let tfvars = std::fs::read_to_string(program.path("envs/dev.tfvars")).unwrap();
    program.write("envs/dev.tfvars", &tfvars.replace("nginx:1.29-alpine", "nginx:1.29.1-alpine"));
    let part =
        at_once(&program, &["apply", "-env", "dev", "-target", "layer.apps.module.application", "-auto-approve"]);
    assert_eq!(part.code, 0, "{}{}", part.out, part.err);
    assert!(part.out.contains("0 added, 1 changed") && asked(&part.out).is_empty(), "{}", part.out);
    assert_eq!(left_out(&part.out), ["relay_is_healthy", "relay_is_configured", "relay_is_reachable"]);
    let again = program.ok(&["apply", "-env", "dev", "-auto-approve"]);
    assert!(asked(&again).is_empty() && again.contains("No changes."), "{again}");
}

#[test]
fn every_way_to_choose_a_part_chooses_gates_too() {
    let program = platform();
    // What the cluster is made of takes part in every target.
    for (selection, runs) in [
        (&["-layer", "data"][..], &["clickhouse_answers", "postgresql_answers", "redis_answers"][..]),
        (
            &["-target", "layer.apps.module.relay"],
            &["kubernetes_api", "relay_is_configured", "relay_is_healthy", "relay_is_reachable"],
        ),
        (&["-target", "layer.data.module.redis"], &["kubernetes_api", "redis_answers"]),
        // A service without what is behind it. That one needs the service.
        (&["-target", "layer.data.module.redis.module.service.kubernetes_service.this"], &["kubernetes_api"]),
        (
            &["-target", "layer.data.module.redis.module.service.kubernetes_stateful_set.this"],
            &["kubernetes_api", "redis_answers"],
        ),
    ] {
        let args = [&["plan", "-env", "dev", "-json"], selection].concat();
        let lines: Vec<Json> = program.ok(&args).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let left_out = lines.iter().filter(|line| line["type"] == "gate_left_out");
        assert_eq!(left_out.clone().count() + runs.len(), 12, "{selection:?}: {lines:#?}");
        for line in left_out {
            assert!(!runs.contains(&line["gate"].as_str().unwrap()), "{line}");
            assert!(line["reason"].as_str().unwrap().contains("part in this plan"), "{line}");
        }
    }
    let without = program.ok(&["plan", "-env", "dev", "-exclude", "layer.apps.module.kubero", "-out", "p"]);
    assert_eq!(left_out(&without), ["kubero_is_up"], "{without}");
    let shown: Json = serde_json::from_str(&program.ok(&["show", "-json", "p"])).unwrap();
    let gates = shown["gates"].as_array().unwrap();
    let of = |name: &str| gates.iter().find(|gate| gate["name"] == name).unwrap();
    assert_eq!((of("kubero_is_up")["status"].as_str(), gates.len()), (Some("not_checked"), 12));
    assert_eq!(of("kubero_is_up")["reason"], "Deployment kubero/kubero takes no part in this plan");
    assert_eq!((&of("redis_answers")["status"], &of("redis_answers")["phase"]), (&"will_run".into(), &"2".into()));
}

/// A project in the sandbox with these objects in layer `only`, and these gates in its first phase.
fn sandbox(objects: &str, gates: &str) -> Program {
    let file = format!(
        r#"
project {{ name = "gated" }}
environment "dev" {{ sandbox = true }}
provider "kubernetes" {{}}
layer "only" {{ source = "only" }}
phase "1" {{
  include = [layer.only]
  {gates}
}}
"#
    );
    Program::with(&[("infra.hcl", &file), ("only/main.tf", objects)])
}

const SETTINGS: &str = r#"
resource "kubernetes_config_map" "settings" {
  metadata {
    name = "settings"
  }
}
resource "kubernetes_namespace" "other" {
  metadata {
    name = "other"
  }
}
"#;

fn looks_for(kind: &str, name: &str, more: &str) -> String {
    format!("gate \"is_there\" {{\n{more}\n kubernetes {{\n kind = \"{kind}\"\n name = \"{name}\"\n}}\n}}")
}

const APPLY: &[&str] = &["apply", "-env", "dev", "-auto-approve"];

#[test]
fn a_gate_on_what_nobody_makes_fails_at_once() {
    let program = sandbox(SETTINGS, &looks_for("ConfigMap", "setings", ""));
    let planned = program.ok(&["plan", "-env", "dev"]);
    let said = "nothing in this project makes ConfigMap default/setings";
    assert!(planned.contains(said) && planned.contains("Did you mean \"default/settings\"?"), "{planned}");
    let applied = at_once(&program, APPLY);
    assert_eq!(applied.code, 1, "{}", applied.out);
    for part in [
        "Gate failed: phase 1 \"is_there\"",
        "ConfigMap default/setings does not exist, and nothing in this project makes it",
        "Did you mean \"default/settings\"?",
        "for = [layer.NAME.module.NAME]",
        "infra gate run is_there -env dev",
    ] {
        assert!(applied.err.contains(part) || applied.out.contains(part), "{part}:\n{}{}", applied.out, applied.err);
    }
    // The same for a service that is in nobody's hands.
    let program = sandbox(SETTINGS, "gate \"answers\" {\n redis {\n service = \"data/redis\"\n}\n}");
    let applied = at_once(&program, APPLY);
    assert!(applied.code == 1 && applied.err.contains("Service data/redis does not exist"), "{}", applied.err);
    // And for a pod that a command is to run in.
    let program = sandbox(SETTINGS, "gate \"runs\" {\n exec {\n pod = \"data/web-0\"\n command = [\"true\"]\n}\n}");
    let applied = at_once(&program, APPLY);
    assert!(applied.code == 1 && applied.err.contains("Pod data/web-0 does not exist"), "{}", applied.err);
}

#[test]
fn the_sandbox_is_there_without_a_provider_block() {
    let program = sandbox(SETTINGS, &looks_for("ConfigMap", "settings", ""));
    let written = std::fs::read_to_string(program.path("infra.hcl")).unwrap();
    program.write("infra.hcl", &written.replace("provider \"kubernetes\" {}\n", ""));
    let applied = at_once(&program, APPLY);
    assert!(applied.code == 0 && applied.out.contains("gate is_there: Passed"), "{}{}", applied.out, applied.err);
    assert_eq!(program.call(&["gate", "run", "is_there", "-env", "dev"]).code, 0);
}

#[test]
fn what_somebody_else_has_made_is_looked_at() {
    let program = sandbox(SETTINGS, &looks_for("ConfigMap", "settings", ""));
    program.ok(APPLY);
    // Nobody manages it any more, and it is still there.
    program.ok(&["state", "rm", "-env", "dev", "kubernetes_config_map.settings"]);
    program.write(
        "only/main.tf",
        &SETTINGS
            .replace("kubernetes_config_map\" \"settings", "kubernetes_config_map\" \"more")
            .replace("\"settings\"", "\"more\""),
    );
    let applied = at_once(&program, APPLY);
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
    assert!(applied.out.contains("nothing in this project makes ConfigMap default/settings"), "{}", applied.out);
    assert!(applied.out.contains("gate is_there: Passed"), "{}", applied.out);
}

#[test]
fn a_gate_waits_where_something_else_may_make_what_it_looks_at() {
    let quick = "timeout = \"1s\"\n interval = \"200ms\"";
    for (objects, more) in [
        // A program that the project runs, and an address that says what makes the object.
        ("resource \"terraform_data\" \"run\" {\n provisioner \"local-exec\" {\n command = \"true\"\n }\n}\n", ""),
        ("", "for = [layer.only.kubernetes_namespace.other]"),
    ] {
        let program = sandbox(
            &format!("{SETTINGS}{objects}"),
            &looks_for("ConfigMap", "made-later", &format!("{quick}\n{more}")),
        );
        let applied = program.call(APPLY);
        assert_eq!(applied.code, 1, "{}", applied.out);
        assert!(applied.err.contains("ConfigMap made-later did not come to exist within 1s"), "{}", applied.err);
        assert!(!applied.out.contains("nothing in this project makes"), "{}", applied.out);
    }
}

#[test]
fn a_gate_says_what_it_is_for() {
    let command = |for_: &str| format!("gate \"answers\" {{\n for = {for_}\n command {{\n argv = [\"true\"]\n }}\n}}");
    let program = sandbox(SETTINGS, &command("[layer.only.kubernetes_config_map.settings]"));
    let other = ["apply", "-env", "dev", "-auto-approve", "-target", "kubernetes_namespace.other"];
    let planned = program.ok(&other);
    let reason = "gate answers of phase 1: layer.only.kubernetes_config_map.settings takes no part in this plan";
    assert!(planned.contains(reason) && asked(&planned).is_empty(), "{planned}");
    let own = program.ok(&["apply", "-env", "dev", "-auto-approve", "-target", "kubernetes_config_map.settings"]);
    assert_eq!(asked(&own), ["answers"], "{own}");

    for (for_, parts) in [
        (
            "[layer.only.kubernetes_config_map.setting]",
            &["Gate is for nothing", "Did you mean \"kubernetes_config_map.settings\"?"][..],
        ),
        ("[layer.only.module.web]", &["Gate is for nothing", "layer.only.module.web names no block of the project."]),
        ("[layer.onyl.module.web]", &["Reference to undeclared layer", "Did you mean \"only\"?"]),
        ("[kubernetes_config_map.settings]", &["Invalid for", "write layer.NAME.kubernetes_config_map.settings"]),
        ("[]", &["Invalid for", "At least one address"]),
        ("layer.only", &["Invalid for", "A list of addresses"]),
    ] {
        let program = sandbox(SETTINGS, &command(for_));
        let checked = program.call(&["validate", "-env", "dev"]);
        for part in parts {
            assert!(checked.code == 1 && checked.err.contains(part), "{for_}: {part}\n{}", checked.err);
        }
    }
}

#[test]
fn a_gate_for_something_that_is_switched_off_is_found_by_plan() {
    let objects = SETTINGS.replace("\"settings\" {", "\"settings\" {\n count = 0");
    let gate = "gate \"answers\" {\n for = [layer.only.kubernetes_config_map.settings]\n MORE\n command {\n argv = [\"true\"]\n }\n}";
    let program = sandbox(&objects, &gate.replace("MORE", ""));
    let planned = program.call(&["plan", "-env", "dev"]);
    assert_eq!(planned.code, 1, "{}", planned.out);
    for part in ["Gate is for nothing", "of which nothing exists and nothing is planned", "enabled = layer.NAME.OUTPUT"]
    {
        assert!(planned.err.contains(part), "{}", planned.err);
    }
    program.write(
        "infra.hcl",
        &std::fs::read_to_string(program.path("infra.hcl")).unwrap().replace("for = ", "enabled = false\n for = "),
    );
    program.ok(&["plan", "-env", "dev"]);
}
