//! Terraform's machine-readable UI (`-json`): one JSON object a line, version 1.2 of the format.
//!
//! What that format does not know (phases, gates, waiting for locks) has types of its own, which readers pass over.

use serde_json::{Map, Value as Json, json};

use jiff::Timestamp;

use crate::addr::{ActionInstance, InstanceAddr, InstanceKey};
use crate::change::{Action, Change, Counts, Reason};
use crate::diag::{Diagnostic, Severity, SourceMap};
use crate::event::Event;
use crate::plan::{Invocation, Plan, PlanMode};

use super::diagnostics::diagnostic_json;
use super::document::TERRAFORM_VERSION;
use super::outputs::{ShownOutput, type_json};
use super::plan::counts;
use super::progress::{applied, begins, ends, seconds, so_far};
use super::style::Style;
use super::values::json_of;

/// Writes lines of the machine-readable UI. Every line is stamped with the time it is given.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    prefixes_layers: bool,
}

impl Stream {
    /// A writer. `prefixes_layers`: addresses with `layer.NAME.`.
    pub fn new(prefixes_layers: bool) -> Self {
        Stream { prefixes_layers }
    }

    /// The first line: which program speaks. Readers look for Terraform's version, so that stands there too.
    pub fn version(&self, now: Timestamp) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let more = json!({"terraform": TERRAFORM_VERSION, "infra": version, "ui": "1.2"});
        line("info", &format!("infra {version}"), now, "version", more)
    }

    /// Something that is said to whoever follows the run.
    pub fn log(&self, message: &str, now: Timestamp) -> String {
        line("info", message, now, "log", json!({}))
    }

    /// A plan: what drifted, what is to be done, the counts, the outputs.
    pub fn plan(&self, plan: &Plan, now: Timestamp) -> String {
        let mut out = String::new();
        for planned in &plan.drift {
            let gone = planned.change.after.is_null();
            let (words, action) = if gone { ("delete", "delete") } else { ("update", "update") };
            let message = format!("{}: Drift detected ({words})", self.address(&planned.change.addr));
            let change = json!({"resource": self.resource(&planned.change.addr), "action": action});
            out.push_str(&line("info", &message, now, "resource_drift", json!({"change": change})));
        }
        out.push_str(&self.planned_changes(plan, now));
        for invocation in &plan.invocations {
            let message = format!("planned action invocation: {}", self.action_name(&invocation.addr));
            let more = self.invocation(invocation);
            out.push_str(&line("info", &message, now, "planned_action_invocation", more));
        }
        for phase in &plan.phases {
            for (gate, reason) in phase.gates.iter().filter_map(|gate| Some((gate, gate.left_out()?))) {
                let more = json!({"phase": phase.name.as_str(), "gate": gate.name.as_str(), "reason": reason});
                out.push_str(&line(
                    "info",
                    &format!("gate {}: Not checked: {reason}", gate.name),
                    now,
                    "gate_left_out",
                    more,
                ));
            }
        }
        let message = format!("Plan: {}", counts(plan.counts()));
        out.push_str(&summary(&message, plan.counts(), "plan", now));
        if !plan.outputs.is_empty() {
            let outputs: Map<String, Json> = plan
                .outputs
                .iter()
                .map(|output| {
                    let action = match output.action {
                        Action::NoOp => "noop",
                        Action::Create => "create",
                        Action::Delete => "delete",
                        Action::Update
                        | Action::Read
                        | Action::DeleteThenCreate
                        | Action::CreateThenDelete
                        | Action::Forget => "update",
                    };
                    let name = if plan.prefixes_layers {
                        format!("layer.{}.{}", output.layer, output.name)
                    } else {
                        output.name.to_string()
                    };
                    (name, json!({"sensitive": output.sensitive, "action": action}))
                })
                .collect();
            out.push_str(&output_line(outputs, now));
        }
        out
    }

    /// What a plan does: a line for each change. A saved plan is carried out after these alone.
    pub fn planned_changes(&self, plan: &Plan, now: Timestamp) -> String {
        let mut out = String::new();
        for planned in plan.changes.iter().filter(|planned| !planned.change.is_noop()) {
            let change = &planned.change;
            let (message, action) = self.planned(change);
            let mut json = json!({"resource": self.resource(&change.addr), "action": action});
            if let Some(previous) = &change.previous {
                json["previous_resource"] = self.resource(previous);
            }
            if let Some(reason) = change.reason {
                json["reason"] = json!(reason_name(reason));
            }
            if let Some(id) = &change.importing {
                json["importing"] = json!({"id": id});
            }
            if let Some(pending) = &planned.pending {
                json["pending"] = json!(pending);
            }
            out.push_str(&line("info", &message, now, "planned_change", json!({"change": json})));
        }
        out
    }

    /// The end of an apply: the counts, then the outputs (values of sensitive ones are left out).
    pub fn applied(&self, mode: PlanMode, counts: Counts, outputs: &[ShownOutput], now: Timestamp) -> String {
        let operation = if mode == PlanMode::Destroy { "destroy" } else { "apply" };
        let mut out = summary(applied(mode, counts, Style::PLAIN).trim_end(), counts, operation, now);
        if mode != PlanMode::Destroy || !outputs.is_empty() {
            out.push_str(&self.outputs_now(outputs, now));
        }
        out
    }

    /// The outputs that state has now (values of sensitive ones are left out).
    pub fn outputs_now(&self, outputs: &[ShownOutput], now: Timestamp) -> String {
        let entries: Map<String, Json> = outputs
            .iter()
            .map(|output| {
                let mut json = json!({"sensitive": output.sensitive, "type": type_json(&output.value)});
                if !output.sensitive {
                    json["value"] = json_of(&output.value);
                }
                (output.label(self.prefixes_layers), json)
            })
            .collect();
        output_line(entries, now)
    }

    /// A diagnostic.
    pub fn diagnostic(&self, diagnostic: &Diagnostic, sources: &SourceMap, now: Timestamp) -> String {
        let (level, word) = match diagnostic.severity {
            Severity::Error => ("error", "Error"),
            Severity::Warning => ("warn", "Warning"),
        };
        let message = format!("{word}: {}", diagnostic.summary);
        line(level, &message, now, "diagnostic", json!({"diagnostic": diagnostic_json(diagnostic, sources)}))
    }

    /// An event; nothing for those without a line of their own. Diagnostics go through [`Stream::diagnostic`].
    pub fn event(&self, event: &Event, now: Timestamp) -> Option<String> {
        let info = |message: &str, kind: &str, more: Json| Some(line("info", message, now, kind, more));
        match event {
            // Terraform says nothing of imports here beside the plan and the counts.
            Event::ImportPreparing { .. } | Event::ImportStarted { .. } | Event::ImportEnded { .. } => None,
            Event::Said(_) | Event::ApplyStarted { .. } => None,
            Event::RefreshStarted { objects } => info(
                &format!("Refreshing state of {objects} objects..."),
                "refresh_summary",
                json!({"objects": objects}),
            ),
            Event::ReadStarted { addr, id } => {
                let message = format!("{}: Refreshing state...{}", self.address(addr), shown_id(id.as_deref()));
                info(&message, "refresh_start", self.read(addr, id.as_deref()))
            }
            Event::ReadEnded { addr, id } => {
                let message = format!("{}: Refresh complete{}", self.address(addr), shown_id(id.as_deref()));
                info(&message, "refresh_complete", self.read(addr, id.as_deref()))
            }
            Event::DataRead { addr } => {
                let hook = json!({"hook": {"resource": self.resource(addr), "action": "read"}});
                info(&format!("{}: Refreshing...", self.address(addr)), "apply_start", hook)
            }
            Event::DataReadEnded { addr, elapsed, failed } => {
                let (word, kind, level) = if *failed {
                    ("errored", "apply_errored", "error")
                } else {
                    ("complete", "apply_complete", "info")
                };
                let message = format!("{}: Refresh {word} after {}", self.address(addr), seconds(*elapsed));
                Some(line(level, &message, now, kind, self.hook(addr, Action::Read, None, Some(*elapsed))))
            }
            Event::EphemeralStarted { addr, closes } => {
                let (action, word) = if *closes { ("close", "Closing") } else { ("open", "Opening") };
                let hook = json!({"hook": {"resource": self.resource(addr), "action": action}});
                info(&format!("{}: {word}...", self.address(addr)), "ephemeral_op_start", hook)
            }
            Event::EphemeralEnded { addr, closes, elapsed, failed } => {
                let (action, word) = if *closes { ("close", "Closing") } else { ("open", "Opening") };
                let (end, kind, level) = if *failed {
                    ("errored", "ephemeral_op_errored", "error")
                } else {
                    ("complete", "ephemeral_op_complete", "info")
                };
                let message = format!("{}: {word} {end} after {}", self.address(addr), seconds(*elapsed));
                let seconds = whole(*elapsed);
                let hook =
                    json!({"hook": {"resource": self.resource(addr), "action": action, "elapsed_seconds": seconds}});
                Some(line(level, &message, now, kind, hook))
            }
            Event::PhaseStarted { phase } if phase.is_empty() => None,
            Event::PhaseStarted { phase } => info(&format!("phase {phase}"), "phase_start", json!({"phase": phase})),
            Event::PhaseEnded { phase, .. } if phase.is_empty() => None,
            Event::PhaseEnded { phase, elapsed, added, changed, destroyed, critical_path, failed } => {
                let (word, kind) = if *failed { ("failed", "phase_errored") } else { ("complete", "phase_complete") };
                let more = json!({
                    "phase": phase, "elapsed_seconds": whole(*elapsed), "critical_path": critical_path,
                    "changes": {"add": added, "change": changed, "remove": destroyed},
                });
                info(&format!("phase {phase} {word} after {}", seconds(*elapsed)), kind, more)
            }
            Event::StepStarted { addr, action, id, .. } => {
                let told = id.as_deref().map_or_else(String::new, |id| format!(" [id={id}]"));
                let verb = if *action == Action::Read { "Refreshing" } else { begins(*action) };
                let message = format!("{}: {verb}...{told}", self.address(addr));
                info(&message, "apply_start", self.hook(addr, *action, id.as_deref(), None))
            }
            Event::StepWaiting { addr, action, reason, elapsed } => {
                let still = begins(*action).to_lowercase();
                let message = format!("{}: Still {still}... [{} elapsed]", self.address(addr), so_far(*elapsed));
                let action = action.json_names().first().copied().unwrap_or("no-op");
                let mut hook = json!({
                    "resource": self.resource(addr), "action": action, "elapsed_seconds": elapsed.as_secs(),
                });
                if !reason.is_empty() {
                    hook["reason"] = json!(reason);
                }
                info(&message, "apply_progress", json!({"hook": hook}))
            }
            Event::StepEnded { addr, action, elapsed, id, failed, .. } => {
                let word = if *failed { "errored" } else { "complete" };
                let shown = id.as_deref().filter(|_| *action != Action::Delete && !failed);
                let told = shown.map_or_else(String::new, |id| format!(" [id={id}]"));
                let noun = if *action == Action::Read { "Refresh" } else { ends(*action) };
                let message = format!("{}: {noun} {word} after {}{told}", self.address(addr), seconds(*elapsed));
                let kind = if *failed { "apply_errored" } else { "apply_complete" };
                let level = if *failed { "error" } else { "info" };
                Some(line(level, &message, now, kind, self.hook(addr, *action, shown, Some(*elapsed))))
            }
            Event::ProvisionStarted { addr, provisioner } => {
                let message = format!("{}: Provisioning with '{provisioner}'...", self.address(addr));
                info(&message, "provision_start", self.provision(addr, provisioner, None))
            }
            Event::ProvisionOutput { addr, provisioner, line } => {
                let message = format!("{}: ({provisioner}): {line}", self.address(addr));
                info(&message, "provision_progress", self.provision(addr, provisioner, Some(line)))
            }
            Event::ProvisionEnded { addr, provisioner, failed } => {
                let (word, kind) =
                    if *failed { ("errored", "provision_errored") } else { ("complete", "provision_complete") };
                let message = format!("{}: ({provisioner}) Provisioning {word}", self.address(addr));
                info(&message, kind, self.provision(addr, provisioner, None))
            }
            Event::ActionStarted { action, trigger } => info(
                &format!("Action started: {}", self.action_name(action)),
                "action_start",
                self.action(action, trigger.as_ref()),
            ),
            Event::ActionProgress { action, trigger, text } => {
                let mut more = self.action(action, trigger.as_ref());
                more["hook"]["output"] = json!(text);
                info(&format!("Action {}: {text}", self.action_name(action)), "action_progress", more)
            }
            Event::ActionEnded { action, trigger, failed } => {
                let (word, kind) = if *failed { ("failed", "action_errored") } else { ("complete", "action_complete") };
                info(
                    &format!("Action {word}: {}", self.action_name(action)),
                    kind,
                    self.action(action, trigger.as_ref()),
                )
            }
            Event::GateStarted { phase, gate } => {
                info(&format!("gate {gate}: Checking..."), "gate_start", json!({"phase": phase, "gate": gate}))
            }
            Event::GateWaiting { gate, reason } => info(
                &format!("gate {gate}: Still checking..."),
                "gate_progress",
                json!({"gate": gate, "reason": reason}),
            ),
            Event::GateEnded { phase, gate, elapsed, failed, note } => {
                let word = if *failed { "Failed" } else { "Passed" };
                let kind = if *failed { "gate_errored" } else { "gate_complete" };
                let more = json!({
                    "phase": phase, "gate": gate, "elapsed_seconds": whole(*elapsed), "note": note,
                });
                info(&format!("gate {gate}: {word} after {}", seconds(*elapsed)), kind, more)
            }
            Event::Recovered(recovery) => {
                let runs: Json = recovery
                    .runs
                    .iter()
                    .map(|run| json!({"who": run.who, "operation": run.operation, "started": run.started}))
                    .collect();
                let more = json!({"recovery": {
                    "runs": runs, "results": recovery.results, "intents": recovery.intents,
                    "looked_up": recovery.looked_up, "uncertain": recovery.uncertain,
                }});
                info(&super::recovery::summary(recovery), "recovered", more)
            }
            Event::LockWaiting { key, holder } => info(
                &format!("Waiting for the lock of {key}, held by {holder}..."),
                "lock_wait",
                json!({"key": key, "holder": holder}),
            ),
        }
    }

    fn planned(&self, change: &Change) -> (String, &'static str) {
        let address = self.address(&change.addr);
        let action = match change.action {
            Action::NoOp if change.importing.is_some() => "import",
            Action::NoOp if change.previous.is_some() => "move",
            Action::NoOp => "noop",
            Action::Create => "create",
            Action::Read => "read",
            Action::Update => "update",
            Action::Delete => "delete",
            Action::DeleteThenCreate | Action::CreateThenDelete => "replace",
            Action::Forget => "remove",
        };
        (format!("{address}: Plan to {action}"), action)
    }

    fn hook(
        &self,
        addr: &InstanceAddr,
        action: Action,
        id: Option<&str>,
        elapsed: Option<std::time::Duration>,
    ) -> Json {
        let action = action.json_names().first().copied().unwrap_or("no-op");
        let mut hook = json!({"resource": self.resource(addr), "action": action});
        if let Some(id) = id {
            hook["id_key"] = json!("id");
            hook["id_value"] = json!(id);
        }
        if let Some(elapsed) = elapsed {
            hook["elapsed_seconds"] = json!(whole(elapsed));
        }
        json!({"hook": hook})
    }

    fn read(&self, addr: &InstanceAddr, id: Option<&str>) -> Json {
        let mut hook = json!({"resource": self.resource(addr)});
        if let Some(id) = id {
            (hook["id_key"], hook["id_value"]) = (json!("id"), json!(id));
        }
        json!({"hook": hook})
    }

    fn provision(&self, addr: &InstanceAddr, provisioner: &str, output: Option<&str>) -> Json {
        let mut hook = json!({"resource": self.resource(addr), "provisioner": provisioner});
        if let Some(output) = output {
            hook["output"] = json!(output);
        }
        json!({"hook": hook})
    }

    fn action_name(&self, action: &ActionInstance) -> String {
        action.in_project(self.prefixes_layers)
    }

    fn action(&self, action: &ActionInstance, trigger: Option<&InstanceAddr>) -> Json {
        let mut hook = json!({"action": self.action_addr(action)});
        if let Some(addr) = trigger {
            hook["resource"] = self.resource(addr);
        }
        json!({"hook": hook})
    }

    fn action_addr(&self, action: &ActionInstance) -> Json {
        let root = ActionInstance { module: crate::addr::ModuleInstance::root(), ..action.clone() };
        let kind = action.action.kind.as_str();
        json!({
            "addr": self.action_name(action),
            "module": action.module.to_string(),
            "action": root.to_string(),
            "implied_provider": kind.split('_').next().unwrap_or(kind),
            "action_type": kind,
            "action_name": action.action.name.as_str(),
            "action_key": key_json(action.key.as_ref()),
        })
    }

    fn invocation(&self, invocation: &Invocation) -> Json {
        let mut json = json!({"action_addr": self.action_addr(&invocation.addr)});
        match &invocation.trigger {
            None => json["action_trigger"] = json!({}),
            Some(trigger) => {
                json["lifecycle_trigger"] = json!({
                    "triggering_resource": self.resource(&trigger.addr),
                    "triggering_event": trigger.event.json_name(),
                    "action_trigger_block_index": trigger.block,
                    "actions_list_index": trigger.position,
                    "on_failure": "ActionOnFailureHalt",
                });
            }
        }
        json!({"invocation": json})
    }

    fn address(&self, addr: &InstanceAddr) -> String {
        addr.in_project(self.prefixes_layers)
    }

    fn resource(&self, addr: &InstanceAddr) -> Json {
        let root = InstanceAddr { module: crate::addr::ModuleInstance::root(), ..addr.clone() };
        let kind = addr.resource.kind.as_str();
        let mut json = json!({
            "addr": self.address(addr),
            "module": addr.module.to_string(),
            "resource": root.to_string(),
            "implied_provider": kind.split('_').next().unwrap_or(kind),
            "resource_type": kind,
            "resource_name": addr.resource.name.as_str(),
            "resource_key": key_json(addr.key.as_ref()),
        });
        if self.prefixes_layers {
            json["layer"] = json!(addr.layer.as_str());
        }
        json
    }
}

fn shown_id(id: Option<&str>) -> String {
    id.map_or_else(String::new, |id| format!(" [id={id}]"))
}

fn key_json(key: Option<&InstanceKey>) -> Json {
    match key {
        None => Json::Null,
        Some(InstanceKey::Int(index)) => json!(index),
        Some(InstanceKey::Str(key)) => json!(key.as_str()),
        Some(InstanceKey::Unknown) => json!("*"),
    }
}

fn whole(elapsed: std::time::Duration) -> u64 {
    (elapsed.as_millis() as u64 + 500) / 1000
}

fn summary(message: &str, counts: Counts, operation: &str, now: Timestamp) -> String {
    let changes = json!({
        "add": counts.add, "change": counts.change, "import": counts.import, "remove": counts.destroy,
        "operation": operation,
    });
    line("info", message, now, "change_summary", json!({"changes": changes}))
}

fn output_line(outputs: Map<String, Json>, now: Timestamp) -> String {
    line("info", &format!("Outputs: {}", outputs.len()), now, "outputs", json!({"outputs": outputs}))
}

/// Terraform's short names in this format.
fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::ReplaceBecauseTainted => "tainted",
        Reason::ReplaceBecauseCannotUpdate => "cannot_update",
        Reason::ReplaceByRequest => "requested",
        Reason::ReplaceByTriggers => "replace_triggered_by",
        Reason::DeleteBecauseNoResourceConfig => "delete_because_no_resource_config",
        Reason::DeleteBecauseNoModule => "delete_because_no_module",
        Reason::DeleteBecauseEachKey => "delete_because_each_key",
        Reason::DeleteBecauseCountIndex => "delete_because_count_index",
        Reason::DeleteBecauseEnabledFalse => "delete_because_enabled_false",
        Reason::DeleteBecauseWrongRepetition => "delete_because_wrong_repetition",
        Reason::DeleteBecauseNoMoveTarget => "delete_because_no_move_target",
        Reason::DeleteDeposed => "delete_because_deposed",
        Reason::ReadBecauseConfigUnknown => "read_because_config_unknown",
        Reason::ReadBecauseDependencyPending => "read_because_dependency_pending",
        Reason::ReadBecauseCheckNested => "read_because_check_nested",
    }
}

pub(super) fn line(level: &str, message: &str, now: Timestamp, kind: &str, more: Json) -> String {
    let mut json = json!({
        "@level": level,
        "@message": message,
        "@module": "terraform.ui",
        "@timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
    });
    if let (Some(line), Json::Object(more)) = (json.as_object_mut(), more) {
        line.extend(more);
        line.insert("type".into(), json!(kind));
    }
    format!("{json}\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::addr::{LayerName, parse_instance};

    #[test]
    fn speaks_terraforms_format() {
        let stream = Stream::new(true);
        let addr = parse_instance(&LayerName::from("data"), "module.m[\"x\"].random_id.a[2]")
            .unwrap_or_else(|error| panic!("{error}"));
        let now = Timestamp::UNIX_EPOCH;
        let started = Event::StepStarted {
            addr: addr.clone(),
            deposed: None,
            action: Action::Update,
            phase: String::new(),
            id: Some("i".into()),
        };
        let line: Json = serde_json::from_str(&stream.event(&started, now).unwrap_or_default()).unwrap_or_default();
        assert_eq!(
            line,
            json!({
                "@level": "info",
                "@message": "layer.data.module.m[\"x\"].random_id.a[2]: Modifying... [id=i]",
                "@module": "terraform.ui",
                "@timestamp": "1970-01-01T00:00:00.000000Z",
                "hook": {
                    "resource": {
                        "addr": "layer.data.module.m[\"x\"].random_id.a[2]", "module": "module.m[\"x\"]",
                        "resource": "random_id.a[2]", "implied_provider": "random", "resource_type": "random_id",
                        "resource_name": "a", "resource_key": 2, "layer": "data",
                    },
                    "action": "update", "id_key": "id", "id_value": "i",
                },
                "type": "apply_start",
            })
        );
        let failed = Event::StepEnded {
            addr,
            action: Action::Create,
            phase: String::new(),
            elapsed: Duration::from_millis(1600),
            id: None,
            failed: true,
        };
        let line: Json = serde_json::from_str(&stream.event(&failed, now).unwrap_or_default()).unwrap_or_default();
        assert_eq!((&line["type"], &line["hook"]["elapsed_seconds"]), (&json!("apply_errored"), &json!(2)));
    }

    #[test]
    fn ends_with_counts_and_outputs_without_secrets() {
        let output = |name: &str, sensitive| ShownOutput {
            layer: LayerName::plain(),
            name: name.into(),
            value: "hunter2".into(),
            sensitive,
        };
        let counts = Counts { add: 1, ..Counts::default() };
        let outputs = [output("open", false), output("secret", true)];
        let text = Stream::new(false).applied(PlanMode::Normal, counts, &outputs, Timestamp::UNIX_EPOCH);
        let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap_or_default()).collect();
        assert_eq!(lines[0]["@message"], "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.");
        assert_eq!(lines[0]["changes"]["operation"], "apply");
        assert_eq!(lines[1]["outputs"]["open"], json!({"sensitive": false, "type": "string", "value": "hunter2"}));
        assert_eq!(lines[1]["outputs"]["secret"], json!({"sensitive": true, "type": "string"}));
    }
}
