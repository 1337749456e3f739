//! What the journal of an overtaken run holds, in short.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::addr::LayerName;
use crate::change::Step;
use crate::state::{Conflict, OpenIntent, Slot};

/// A journal that cannot be folded in: whose it is, why it does not fit, and what it says of which object. Values are left
/// out: what is sensitive in them can be told by schemas only.
pub fn overtaken(layer: &LayerName, conflict: &Conflict, prefixes_layers: bool) -> String {
    let of = if prefixes_layers { format!("layer.{layer}: ") } else { String::new() };
    let who = match &conflict.run {
        Some(run) => format!("a run by {} ({}, {})", run.who, run.operation, run.started),
        None => format!("the run {}", conflict.log.run),
    };
    let mut out = format!("{of}journal of {who} that another run overtook: {}\n", conflict.reason);
    if !conflict.readable {
        out.push_str("  cannot be read, and can only be dropped\n");
    }
    for (name, what) in contents(conflict, prefixes_layers) {
        let _ = writeln!(out, "  {what:<15} {name}");
    }
    out
}

/// The last thing it says of every object and output.
fn contents(conflict: &Conflict, prefixes_layers: bool) -> BTreeMap<String, &'static str> {
    let name = |slot: &Slot| {
        let addr = slot.addr.in_project(prefixes_layers);
        match &slot.deposed {
            Some(key) => format!("{addr} (deposed object {key})"),
            None => addr,
        }
    };
    let mut said = BTreeMap::new();
    let mut open: Vec<&OpenIntent> = Vec::new();
    for record in &conflict.records {
        open.retain(|intent| !record.closes.contains(&intent.intent.nonce));
        open.extend(&record.opens);
        said.extend(record.removes.iter().map(|slot| (name(slot), "removed")));
        said.extend(record.puts.iter().map(|put| (name(&put.slot), "made or changed")));
        said.extend(record.outputs.iter().map(|(output, value)| {
            let what = if value.is_some() { "stored" } else { "removed" };
            (format!("output {output}"), what)
        }));
    }
    said.extend(open.into_iter().map(|intent| {
        let what = match intent.intent.step {
            Step::Create => "being created",
            Step::Update => "being changed",
            Step::Delete => "being removed",
        };
        (name(&intent.slot()), what)
    }));
    said
}
