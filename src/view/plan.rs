//! A plan as text, in Terraform's notation: what will happen, grouped by phase, then the counts and the outputs.

use std::fmt::Write as _;

use crate::change::{Action, Counts};
use crate::gate::Absent;
use crate::plan::{GateDecision, GatePlan, OutputChange, Plan, PlanMode, PlannedChange};
use crate::value::{Path, Type, Value};

use super::change::{self, Drawn};
use super::diff::{Compare, Drawing};
use super::product::Product;
use super::style::{Ink, Style};

/// What a plan is about, for the line above it in projects.
#[derive(Clone, Debug)]
pub struct Heading {
    /// Version of this program.
    pub version: String,
    /// The project.
    pub project: String,
    /// What the run is about: `environment staging`, or `global layers`.
    pub about: String,
    /// Where state lies, such as `s3://tf-state` or `state/`.
    pub state: String,
    /// How many layers there are.
    pub layers: usize,
    /// How many objects state holds.
    pub objects: usize,
    /// How long reading took.
    pub elapsed: std::time::Duration,
}

/// `infra 0.1.0 · project blueprint · environment staging · state s3://tf-state (4 layers, 0 objects) · read in 0.1 s`
pub fn heading(heading: &Heading) -> String {
    let Heading { version, project, about, state, layers, objects, elapsed } = heading;
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    format!(
        "infra {version} · project {project} · {about} · state {state} ({}, {}) · read in {:.1} s\n",
        plural(*layers, "layer"),
        plural(*objects, "object"),
        elapsed.as_secs_f64()
    )
}

/// The whole plan as text, ending with a line break.
pub fn plan(plan: &Plan, style: Style) -> String {
    let mut all = String::new();
    plan_in_pieces(plan, style, &mut |piece| all.push_str(piece));
    all
}

/// Hands on the text of a plan in pieces: that of many thousand objects is longer than what it is made from.
pub fn plan_in_pieces(plan: &Plan, style: Style, hear: &mut dyn FnMut(&str)) {
    let mut spill = |out: &mut String| {
        if out.len() > PIECE {
            hear(out);
            out.clear();
        }
    };
    let rest = draw(plan, style, &mut spill);
    hear(&rest);
}

/// How long a text may become before it is handed on, in bytes.
const PIECE: usize = 64 << 10;

/// Draws a plan; `spill` is shown the text now and then, and may take it. What is left.
fn draw(plan: &Plan, style: Style, spill: &mut dyn FnMut(&mut String)) -> String {
    let drawn = Drawn { style, prefixes_layers: plan.prefixes_layers, plain: is_plain(plan) };
    let mut out = String::new();
    drift(&mut out, plan, drawn);
    let has_changes = plan.changes.iter().any(|planned| !planned.change.is_noop());
    let has_outputs = plan.outputs.iter().any(|output| output.action != Action::NoOp);
    if plan.invocations.iter().any(|invocation| invocation.trigger.is_none()) {
        // The plan of -invoke: nothing else is done.
        super::action::asked_for(&mut out, plan, style);
        let _ = writeln!(out, "{} {}", style.bold("Plan:"), counts(plan.counts()));
        return out;
    }
    let refreshed = plan.mode == PlanMode::RefreshOnly && !plan.drift.is_empty();
    if !plan.drift.is_empty() && (has_changes || has_outputs || !refreshed) {
        out.push_str(&style.rule());
    }
    if !has_changes && !has_outputs {
        if plan.errored {
            let head = style.paint(Ink::Red, &style.bold("Planning failed."));
            let _ = writeln!(out, "{head} {} encountered an error while generating this plan.", style.product.name());
        } else if !refreshed {
            out.push_str(&super::done::no_changes(plan.mode, style));
        }
        return out;
    }
    if has_changes {
        legend(&mut out, plan, style);
        phases(&mut out, spill, plan, drawn);
        lost(&mut out, plan, drawn);
        left_out(&mut out, plan, style);
        let _ = writeln!(out, "{} {}", style.bold("Plan:"), counts(plan.counts()));
        pending(&mut out, plan, style);
    }
    if has_outputs {
        let outputs = outputs(plan, drawn);
        if has_changes && !outputs.is_empty() {
            out.push('\n');
        }
        out.push_str(&outputs);
        if !has_changes {
            if !outputs.is_empty() {
                out.push('\n');
            }
            if plan.errored {
                return out;
            }
            let only = format!(
                "You can apply this plan to save these new output values to the {} state, without changing any real \
                 infrastructure.",
                style.product.name()
            );
            let _ = writeln!(out, "{}", style.prose(&only));
        }
    }
    out
}

/// The numbers of the summary line: `1 to import, 2 to add, 1 to change, 0 to destroy.`
pub fn counts(counts: Counts) -> String {
    let import = if counts.import > 0 { format!("{} to import, ", counts.import) } else { String::new() };
    let invoke = if counts.invoke > 0 { format!(" Actions: {} to invoke.", counts.invoke) } else { String::new() };
    format!("{import}{} to add, {} to change, {} to destroy.{invoke}", counts.add, counts.change, counts.destroy)
}

/// Whether it is the plan of one folder, to be shown as Terraform does.
fn is_plain(plan: &Plan) -> bool {
    !plan.prefixes_layers && plan.phases.iter().all(|phase| phase.name.is_empty() && phase.gates.is_empty())
}

fn drift(out: &mut String, plan: &Plan, drawn: Drawn) {
    if plan.drift.is_empty() {
        return;
    }
    let style = drawn.style;
    let (name, command) = (style.product.name(), style.product.command());
    let head = style.bold(&format!("{} Objects have changed outside of {name}", style.paint(Ink::Cyan, "Note:")));
    let found = format!(
        "{name} detected the following changes made outside of {name} since the last \"{command} apply\" which may have \
         affected this plan:"
    );
    let _ = writeln!(out, "{head}\n\n{}\n", style.prose(&found));
    for planned in &plan.drift {
        change::drift(out, planned, drawn);
        out.push('\n');
    }
    let then = if plan.mode == PlanMode::RefreshOnly {
        format!(
            "This is a refresh-only plan, so {name} will not take any actions to undo these. If you were expecting these \
             changes then you can apply this plan to record the updated values in the {name} state without changing any \
             remote objects."
        )
    } else {
        "Unless you have made equivalent changes to your configuration, or ignored the relevant attributes using \
         ignore_changes, the following plan may include actions to undo or respond to these changes."
            .to_owned()
    };
    let _ = writeln!(out, "\n{}", style.prose(&then));
}

fn legend(out: &mut String, plan: &Plan, style: Style) {
    let name = style.product.name();
    let does = |planned: &PlannedChange| planned.change.action != Action::NoOp;
    if plan.changes.iter().any(does) {
        signs(out, plan, style);
        out.push('\n');
    }
    let what = match plan.errored {
        false => "will perform the following actions:",
        true => "planned the following actions, but then encountered a problem:",
    };
    let _ = writeln!(out, "{name} {what}\n");
}

/// The signs before what is done, in the order they are explained in.
const ORDER: [(Action, &str); 7] = [
    (Action::Create, "create"),
    (Action::Update, "update in-place"),
    (Action::Delete, "destroy"),
    (Action::DeleteThenCreate, "destroy and then create replacement"),
    (Action::CreateThenDelete, "create replacement and then destroy"),
    (Action::Read, "read (data resources)"),
    (Action::Forget, "forget: leave the object alone"),
];

/// What the signs before what is done mean.
fn signs(out: &mut String, plan: &Plan, style: Style) {
    let name = style.product.name();
    let head = format!(
        "{name} used the selected providers to generate the following execution plan. Resource actions are indicated with \
         the following symbols:"
    );
    let _ = writeln!(out, "{}", style.prose(&head));
    for (action, words) in ORDER {
        // Terraform explains what it does to objects, and nothing is done to these.
        if action == Action::Forget && style.product == Product::Terraform {
            continue;
        }
        if plan.changes.iter().any(|planned| planned.change.action == action) {
            let pad = 3usize.saturating_sub(action.symbol().len());
            let _ = writeln!(out, "{:pad$}{} {words}", "", style.symbol(action));
        }
    }
}

fn phases(out: &mut String, spill: &mut dyn FnMut(&mut String), plan: &Plan, drawn: Drawn) {
    for (index, phase) in plan.phases.iter().enumerate() {
        let here: Vec<&PlannedChange> =
            plan.changes.iter().filter(|planned| planned.phase == index && !planned.change.is_noop()).collect();
        let gates: Vec<&GatePlan> = phase.gates.iter().filter(|gate| gate.will_run()).collect();
        if here.is_empty() && gates.is_empty() {
            continue;
        }
        // What is waiting for the same thing stands together, after what waits for nothing.
        let mut waits: Vec<Option<&str>> = Vec::new();
        for planned in &here {
            let wait = planned.pending.as_deref();
            if !waits.contains(&wait) {
                waits.push(wait);
            }
        }
        waits.sort();
        if waits.is_empty() {
            waits.push(None);
        }
        let last = waits.len() - 1;
        for (at, wait) in waits.into_iter().enumerate() {
            if !drawn.plain {
                let name = if phase.name.is_empty() { String::new() } else { format!("phase {}", phase.name) };
                let head = match wait {
                    Some(wait) if name.is_empty() => format!("pending {wait}"),
                    Some(wait) => format!("{name} · pending {wait}"),
                    None => name,
                };
                if !head.is_empty() {
                    let _ = writeln!(out, "{}", drawn.style.bold(&head));
                }
            }
            let mut first = true;
            for planned in here.iter().filter(|planned| planned.pending.as_deref() == wait) {
                if !first {
                    out.push('\n');
                }
                first = false;
                change::change(out, planned, drawn);
                if !plan.invocations.is_empty() {
                    super::action::of_change(out, plan, &planned.change.addr, drawn.style);
                }
                spill(out);
            }
            if at == last {
                if !first && !gates.is_empty() {
                    out.push('\n');
                }
                for gate in &gates {
                    self::gate(out, gate, drawn.style);
                }
            }
            out.push('\n');
        }
    }
}

fn gate(out: &mut String, gate: &GatePlan, style: Style) {
    let about = if gate.about.is_empty() { String::new() } else { format!("   {}", gate.about) };
    let mark = style.paint(Ink::Cyan, "◇");
    let _ = writeln!(out, "  {mark} gate {}{about}   (timeout {})", gate.name, super::duration_words(gate.timeout));
    if let GateDecision::Runs { absent } = &gate.decision {
        for Absent { object, hint, .. } in absent {
            let _ = writeln!(
                out,
                "      nothing in this project makes {object}: unless the cluster has it, the gate fails at once.{hint}"
            );
        }
    }
}

/// The gates that are due and will not be asked, each with its reason.
fn left_out(out: &mut String, plan: &Plan, style: Style) {
    let gates = plan.phases.iter().flat_map(|phase| phase.gates.iter().map(move |gate| (phase, gate)));
    let left_out: Vec<_> = gates.filter_map(|(phase, gate)| Some((phase, gate, gate.left_out()?))).collect();
    if left_out.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}", style.bold("Gates that are not checked"));
    for (phase, gate, reason) in left_out {
        let _ = writeln!(out, "  ◇ gate {} of phase {}: {reason}", gate.name, phase.name);
    }
    out.push('\n');
}

fn lost(out: &mut String, plan: &Plan, drawn: Drawn) {
    let mut causes: Vec<&str> = Vec::new();
    for planned in &plan.changes {
        if let Some(cause) = planned.lost_with.as_deref()
            && !causes.contains(&cause)
        {
            causes.push(cause);
        }
    }
    for cause in causes {
        let head = format!("Lost with {cause}:");
        let _ = writeln!(out, "{}", drawn.style.paint(Ink::Red, &drawn.style.bold(&head)));
        for planned in plan.changes.iter().filter(|planned| planned.lost_with.as_deref() == Some(cause)) {
            let address = change::address(&planned.change, drawn);
            let id = match shown_id(&planned.change.before) {
                Some(id) => format!("  {id}"),
                None => String::new(),
            };
            let _ = writeln!(out, "  {} {address}{id}", drawn.style.paint(Ink::Red, "-"));
        }
        out.push_str("These objects go with it, and so does the data they hold. -auto-approve alone does not cover that; -accept-loss does.\n\n");
    }
}

/// The id of an object, when it has one that may be shown.
pub(super) fn shown_id(object: &Value) -> Option<&str> {
    match object.bare().get("id") {
        Some(Value::String(id)) if !object.marks().contains(crate::value::Marks::SENSITIVE) => Some(id),
        _ => None,
    }
}

fn pending(out: &mut String, plan: &Plan, style: Style) {
    let mut causes: Vec<(&str, usize)> = Vec::new();
    for planned in plan.changes.iter().filter(|planned| !planned.change.is_noop()) {
        if let Some(cause) = planned.pending.as_deref() {
            match causes.iter_mut().find(|(known, _)| *known == cause) {
                Some((_, count)) => *count += 1,
                None => causes.push((cause, 1)),
            }
        }
    }
    let gates = plan.phases.iter().flat_map(|phase| &phase.gates).filter(|gate| gate.will_run()).count();
    let mut parts: Vec<String> =
        causes.iter().map(|(cause, count)| format!("{count} of them pending on {cause}")).collect();
    if gates > 0 {
        parts.push(format!("{gates} gate{}", if gates == 1 { "" } else { "s" }));
    }
    let left_out = plan.phases.iter().flat_map(|phase| &phase.gates).filter(|gate| gate.left_out().is_some()).count();
    if left_out > 0 {
        parts.push(format!("{left_out} gate{} not checked", if left_out == 1 { "" } else { "s" }));
    }
    if !parts.is_empty() {
        let _ = writeln!(out, "{}", parts.join(" · "));
    }
    // Terraform says so in a warning alone.
    if !plan.targets.is_empty() && !style.product.is_compatible() {
        let _ = writeln!(out, "Only a part of the configuration was planned: {}.", plan.targets.join(", "));
    }
}

fn outputs(plan: &Plan, drawn: Drawn) -> String {
    let name = |output: &OutputChange| {
        if plan.prefixes_layers { format!("layer.{}.{}", output.layer, output.name) } else { output.name.to_string() }
    };
    let width = plan.outputs.iter().map(|output| name(output).chars().count()).max().unwrap_or(0);
    let mut drawing = Drawing::new(drawn.style);
    drawing.tells_unknown = !drawn.plain;
    for output in plan.outputs.iter().filter(|output| output.action != Action::NoOp) {
        let cover = |value: &Value| if output.sensitive { value.clone().sensitive() } else { value.clone() };
        let (before, after) = (cover(&output.before), cover(&output.after));
        let compare = Compare { replace: &[], quiet: true };
        let mut diff = super::diff::value(Some(&before), Some(&after), &Type::Any, &mut Path::root(), &compare);
        if diff.action == Action::NoOp {
            // Only whether it is shown changes; there is nothing to show of that.
            if output.sensitive {
                continue;
            }
            // A null output that appears or goes still does so.
            diff.action = output.action;
        }
        drawing.named(&name(output), width, &diff, 0, true);
    }
    if drawing.out.is_empty() { drawing.out } else { format!("Changes to Outputs:\n{}", drawing.out) }
}
