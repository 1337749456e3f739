//! Actions in a plan: below the change that invokes them, or by themselves.

use std::fmt::Write as _;

use crate::addr::InstanceAddr;
use crate::plan::{Invocation, Plan};
use crate::value::{Marks, Value};

use super::literal;
use super::style::Style;

/// What the change of an object invokes, before it and after it.
pub(super) fn of_change(out: &mut String, plan: &Plan, addr: &InstanceAddr, style: Style) {
    for (before, word) in [(true, "before"), (false, "after")] {
        let here = |one: &&Invocation| {
            one.trigger.as_ref().is_some_and(|by| by.addr == *addr && by.event.is_before() == before)
        };
        let mut head = false;
        for one in plan.invocations.iter().filter(here) {
            if !head {
                let text = format!("Actions to be invoked {word} this change in order:");
                let _ = writeln!(out, "\n    {}", style.bold(&text));
                head = true;
            }
            draw(out, one);
        }
    }
}

/// What the user asked for.
pub(super) fn asked_for(out: &mut String, plan: &Plan, style: Style) {
    let _ = writeln!(out, "{}", style.bold("Actions to be invoked, and nothing else:"));
    for one in &plan.invocations {
        let _ = write!(out, "\n  {}", style.bold(&format!("# {}", one.addr.in_project(plan.prefixes_layers))));
        draw(out, one);
    }
    out.push('\n');
}

fn draw(out: &mut String, one: &Invocation) {
    let (kind, name) = (&one.addr.action.kind, &one.addr.action.name);
    let _ = writeln!(out, "\n    action \"{kind}\" \"{name}\" {{\n        config {{");
    let entries = one.config.bare().as_entries().cloned().unwrap_or_default();
    let written: Vec<_> = entries.iter().filter(|(_, value)| !value.is_null()).collect();
    let width = written.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in written {
        let shown = shown(value).replace('\n', "\n            ");
        let _ = writeln!(out, "            {:<width$} = {shown}", name.as_str());
    }
    out.push_str("        }\n    }\n");
}

fn shown(value: &Value) -> String {
    if value.marks_deep().contains(Marks::EPHEMERAL) {
        "(ephemeral value)".into()
    } else if value.marks_deep().contains(Marks::SENSITIVE) {
        "(sensitive value)".into()
    } else if !value.is_wholly_known() {
        "(known after apply)".into()
    } else {
        literal::console(value)
    }
}
