//! One planned change: its heading, why, and what differs.

use std::fmt::Write as _;

use crate::addr::{InstanceKey, Mode};
use crate::change::{Action, Change, Reason};
use crate::plan::PlannedChange;
use crate::schema::Schema;
use crate::value::{Path, Value};

use super::diff::{BlockDiff, Compare, Drawing, block};
use super::literal;
use super::style::{Ink, Style};

/// How changes are drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn {
    pub style: Style,
    /// Addresses with `layer.NAME.` before them.
    pub prefixes_layers: bool,
    /// Terraform's words where ours would say more: a folder without a project file.
    pub plain: bool,
}

/// Draws a change. Nothing for one that changes nothing.
pub(super) fn change(out: &mut String, planned: &PlannedChange, drawn: Drawn) {
    let change = &planned.change;
    if change.is_noop() {
        return;
    }
    if let Some(source) = &planned.lost_with {
        lost(out, planned, source, drawn);
        return;
    }
    heading(out, change, drawn);
    body(out, change, planned.schema(), change.action, drawn);
}

/// An object that goes with what its provider's configuration comes from: nobody removes it, it is just no longer there.
fn lost(out: &mut String, planned: &PlannedChange, source: &str, drawn: Drawn) {
    let what = format!("is lost with {source}");
    line(out, drawn, "  ", &address(&planned.change, drawn), &what, Ink::Red);
    let described = planned.work.copy.is_some();
    let then = if described { "and made again when that is there again" } else { "and is not described any more" };
    let _ = writeln!(out, "  # ({then})");
}

/// Draws what was found changed outside of the program.
pub(super) fn drift(out: &mut String, planned: &PlannedChange, drawn: Drawn) {
    let change = &planned.change;
    let address = address(change, drawn);
    if change.after.is_null() {
        line(out, drawn, "  ", &address, "has been deleted", Ink::Red);
        body(out, change, planned.schema(), Action::Delete, drawn);
    } else {
        line(out, drawn, "  ", &address, "has changed", Ink::Bold);
        body(out, change, planned.schema(), Action::Update, drawn);
    }
}

/// The address as people see it, a deposed object named.
pub(super) fn address(change: &Change, drawn: Drawn) -> String {
    let mut address = change.addr.in_project(drawn.prefixes_layers);
    if let Some(key) = &change.deposed {
        let _ = write!(address, " (deposed object {key})");
    }
    address
}

fn line(out: &mut String, drawn: Drawn, indent: &str, address: &str, what: &str, ink: Ink) {
    let what = match ink {
        Ink::Bold => drawn.style.bold(what),
        ink => drawn.style.paint(ink, &drawn.style.bold(what)),
    };
    let _ = writeln!(out, "{indent}{} {what}", drawn.style.bold(&format!("# {address}")));
}

fn heading(out: &mut String, change: &Change, drawn: Drawn) {
    let address = address(change, drawn);
    let mut indent = "  ";
    let forgotten = format!("will no longer be managed by {}, but will not be destroyed", drawn.style.product.name());
    let (what, ink) = match change.action {
        Action::NoOp => match &change.previous {
            Some(previous) if change.importing.is_none() => {
                let previous = previous.in_project(drawn.prefixes_layers);
                let head = drawn.style.bold(&format!("# {previous}"));
                let _ = writeln!(out, "  {head} has moved to {}", drawn.style.bold(&address));
                return;
            }
            _ => ("will be imported", Ink::Bold),
        },
        Action::Create => ("will be created", Ink::Bold),
        Action::Read => ("will be read during apply", Ink::Bold),
        Action::Update => ("will be updated in-place", Ink::Bold),
        Action::Delete => ("will be destroyed", Ink::Red),
        Action::DeleteThenCreate | Action::CreateThenDelete => (replacement(change.reason), Ink::Red),
        Action::Forget => {
            indent = " ";
            (forgotten.as_str(), Ink::Bold)
        }
    };
    line(out, drawn, indent, &address, what, ink);
    let mut because = |text: &str| {
        let _ = writeln!(out, "{indent}# ({text})");
    };
    if change.action != Action::Forget
        && let Some(reason) = change.reason
        && let Some(text) = why(reason, change)
    {
        because(&text);
    }
    if change.action == Action::Forget {
        because("destroy = false is set in the configuration");
    }
    if change.generated.is_some() {
        because("config will be generated");
    } else if let Some(id) = change.importing.as_ref().filter(|_| change.action != Action::NoOp) {
        because(&format!("imported from {}", literal::quoted(id)));
    }
    if let Some(previous) = &change.previous {
        because(&format!("moved from {}", previous.in_project(drawn.prefixes_layers)));
    }
}

fn replacement(reason: Option<Reason>) -> &'static str {
    match reason {
        Some(Reason::ReplaceBecauseTainted) => "is tainted, so must be replaced",
        Some(Reason::ReplaceByRequest) => "will be replaced, as requested",
        Some(Reason::ReplaceByTriggers) => "will be replaced due to changes in replace_triggered_by",
        Some(
            Reason::ReplaceBecauseCannotUpdate
            | Reason::DeleteBecauseNoResourceConfig
            | Reason::DeleteBecauseNoModule
            | Reason::DeleteBecauseEachKey
            | Reason::DeleteBecauseCountIndex
            | Reason::DeleteBecauseEnabledFalse
            | Reason::DeleteBecauseWrongRepetition
            | Reason::DeleteBecauseNoMoveTarget
            | Reason::DeleteDeposed
            | Reason::ReadBecauseConfigUnknown
            | Reason::ReadBecauseDependencyPending
            | Reason::ReadBecauseCheckNested,
        )
        | None => "must be replaced",
    }
}

/// The reason in words, where the heading does not already say it.
fn why(reason: Reason, change: &Change) -> Option<String> {
    let addr = &change.addr;
    Some(match reason {
        Reason::ReplaceBecauseTainted
        | Reason::ReplaceBecauseCannotUpdate
        | Reason::ReplaceByRequest
        | Reason::ReplaceByTriggers => return None,
        Reason::DeleteBecauseNoResourceConfig => format!("because {} is not in configuration", addr.resource),
        Reason::DeleteBecauseNoModule => format!("because {} is not in configuration", addr.module),
        Reason::DeleteBecauseEachKey => match &addr.key {
            Some(key) => format!("because key {key} is not in for_each map"),
            None => "because its key is not in for_each map".into(),
        },
        Reason::DeleteBecauseCountIndex => match &addr.key {
            Some(key) => format!("because index {key} is out of range for count"),
            None => "because its index is out of range for count".into(),
        },
        Reason::DeleteBecauseNoMoveTarget => match &change.previous {
            Some(previous) => format!("because {previous} was moved to {addr}, which is not in configuration"),
            None => format!("because {addr} is not in configuration"),
        },
        Reason::DeleteBecauseEnabledFalse => "because enabled is false".into(),
        Reason::DeleteBecauseWrongRepetition => match &addr.key {
            Some(InstanceKey::Int(_)) => "because resource does not use count".into(),
            Some(InstanceKey::Str(_)) => "because resource does not use for_each".into(),
            Some(InstanceKey::Unknown) | None => "because resource uses count or for_each".into(),
        },
        Reason::DeleteDeposed => "left over from a partially-failed replacement of this instance".into(),
        Reason::ReadBecauseConfigUnknown => "config refers to values not yet known".into(),
        Reason::ReadBecauseDependencyPending => "depends on a resource or a module with changes pending".into(),
        Reason::ReadBecauseCheckNested => "config will be reloaded to verify a check block".into(),
    })
}

fn body(out: &mut String, change: &Change, schema: Option<&Schema>, action: Action, drawn: Drawn) {
    // A forgotten object stays as it is.
    let after = if action == Action::Forget { &change.before } else { &change.after };
    let diff = difference(&change.before, after, schema, &change.replace_paths);
    let mut drawing = Drawing::new(drawn.style);
    drawing.tells_unknown = !drawn.plain;
    drawing.everything = change.importing.is_some() && change.action == Action::NoOp;
    if action == Action::Forget {
        drawing.out.push_str(" . ");
    } else {
        drawing.start(0, action);
    }
    let word = match change.addr.resource.mode {
        Mode::Managed => "resource",
        Mode::Data => "data",
        Mode::Ephemeral => "ephemeral",
    };
    let resource = &change.addr.resource;
    let (kind, name) = (literal::quoted(&resource.kind), literal::quoted(&resource.name));
    if diff.attributes.is_empty() && diff.blocks.is_empty() {
        let _ = writeln!(drawing.out, "{word} {kind} {name} {{}}");
    } else {
        let _ = writeln!(drawing.out, "{word} {kind} {name} {{");
        drawing.content(&diff, 1);
        drawing.out.push_str("    }\n");
    }
    out.push_str(&drawing.out);
}

/// The difference of two objects under a schema.
pub(super) fn difference(before: &Value, after: &Value, schema: Option<&Schema>, replace: &[Path]) -> BlockDiff {
    let compare = Compare { replace, quiet: false };
    block(Some(before), Some(after), schema.map(|schema| &schema.block), &mut Path::root(), &compare)
}
