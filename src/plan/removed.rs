//! `removed` blocks, and what a plan says about `moved` ones once all copies are known.

use std::collections::BTreeSet;

use crate::addr::{InstanceAddr, Pattern};
use crate::change::Action;
use crate::config::{Module, Removed};
use crate::diag::{Diagnostic, Diagnostics, Span};
use crate::graph::{Graph, ModuleId};

use super::ends::End;
use super::model::{PlanMode, PlannedChange};
use super::objects::Entry;
use super::walk::Walk;

/// The `removed` blocks of every module.
#[derive(Default)]
pub struct Removals {
    blocks: Vec<Block>,
}

struct Block {
    end: End,
    destroy: bool,
    /// The module that it stands in, and which of its blocks it is.
    at: (ModuleId, usize),
}

impl Removals {
    /// Reads them.
    pub fn of(graph: &Graph) -> Removals {
        let mut blocks = Vec::new();
        for (id, module) in graph.modules.iter().enumerate() {
            let layer = &graph.layers[module.layer];
            for (position, Removed { from, destroy, .. }) in module.module.removed.iter().enumerate() {
                let end = End::new(layer, module.addr.calls(), from, true);
                blocks.push(Block { end, destroy: *destroy, at: (ModuleId(id as u32), position) });
            }
        }
        // A resource has its own say inside of a module that is removed.
        blocks.sort_by_key(|block| std::cmp::Reverse((block.end.steps.len(), block.end.resource.is_some())));
        Removals { blocks }
    }

    /// Whether the object of an address, which is no longer written, is only to be forgotten.
    pub fn forget(&self, addr: &InstanceAddr) -> bool {
        self.find(addr).is_some_and(|block| !block.destroy)
    }

    /// The block that speaks of an address: the module that it stands in, and which of its blocks it is.
    pub fn of_object(&self, addr: &InstanceAddr) -> Option<(ModuleId, usize)> {
        self.find(addr).map(|block| block.at)
    }

    fn find(&self, addr: &InstanceAddr) -> Option<&Block> {
        self.blocks.iter().find(|block| block.end.covers(addr))
    }

    /// What is said to be removed must not be written any more.
    pub fn check(graph: &Graph) -> Diagnostics {
        let mut said = Diagnostics::none();
        for module in &graph.modules {
            for Removed { from, span, .. } in &module.module.removed {
                if from.layer.is_some() {
                    let detail = "A removed block speaks of its own layer: write the address without \"layer\".";
                    said.push(Diagnostic::error("Invalid address", detail).at(*span));
                    continue;
                }
                let Some((what, written)) = written(&module.module, from) else { continue };
                let detail = format!(
                    "This statement declares that {from} was removed, but it is still declared in configuration. Take either \
                     of the two out."
                );
                said.push(Diagnostic::error(format!("Removed {what} still exists"), detail).at(written));
            }
        }
        said
    }
}

/// The block that an address names, as seen from a module: what it is, and where.
fn written(module: &Module, from: &Pattern) -> Option<(&'static str, Span)> {
    let mut at = module;
    let steps = from.module.steps();
    for (index, step) in steps.iter().enumerate() {
        let call = at.calls.get(&step.name)?;
        if from.resource.is_none() && index + 1 == steps.len() {
            return Some(("module", call.span));
        }
        at = &call.module;
    }
    let resource = at.resources.get(from.resource.as_ref()?)?;
    Some(("resource", resource.block.header))
}

impl Walk<'_> {
    /// Whether an object is only to be forgotten: its block is gone, and a `removed` block says so.
    pub(super) fn is_forgotten(&self, entry: &Entry) -> bool {
        !self.is_destroy() && entry.node.is_none() && self.removals.forget(&entry.slot.addr)
    }

    /// What is to be said of moves once all copies are known.
    pub(super) fn check_moves(&self) -> Diagnostics {
        let mut said = Diagnostics::none();
        if self.input.options.mode == PlanMode::Normal {
            let stands = |planned: &&PlannedChange| planned.work.node.is_some() && !is_removal(planned.change.action);
            let declared: Vec<_> = self.changes.iter().filter(stands).map(|planned| &planned.change.addr).collect();
            said.append(self.moves.still_declared(&declared));
        }
        said.append(self.moves.unresolved());
        said.append(self.left_out());
        said
    }

    /// Moves of which `-target`, `-exclude` or `-layer` leave out one side.
    fn left_out(&self) -> Option<Diagnostic> {
        let selection = &self.input.options.selection;
        if selection.is_everything() {
            return None;
        }
        let mut missing = BTreeSet::new();
        let implied = self.objects.implied.iter().map(|(from, to)| (from, to));
        for (from, to) in self.moves.all().chain(implied) {
            let covered = |addr: &InstanceAddr| {
                let of_layer = selection.layer.as_ref().is_none_or(|layer| *layer == addr.layer);
                let targeted =
                    selection.targets.is_empty() || selection.targets.iter().any(|target| target.matches(addr));
                of_layer && targeted && !selection.excludes.iter().any(|pattern| pattern.matches(addr))
            };
            // With -layer the moves of other layers do not matter.
            if selection.layer.as_ref().is_some_and(|layer| *layer != from.layer && *layer != to.layer) {
                continue;
            }
            missing.extend([from, to].into_iter().filter(|addr| !covered(addr)));
        }
        if missing.is_empty() {
            return None;
        }
        let prefix = self.input.config.prefixes_layers();
        let lines: String = missing.iter().map(|addr| format!("\n  -target={:?}", addr.in_project(prefix))).collect();
        Some(Diagnostic::error(
            "Moved resource instances excluded by targeting",
            format!(
                "Moved blocks give new addresses to objects in state. A plan has to cover such an object under both of its \
                 addresses, and the -target, -exclude or -layer options leave some out. Take these options away, or cover \
                 these as well:{lines}"
            ),
        ))
    }

    /// Tells which objects are only forgotten.
    pub(super) fn tell_forgotten(&self) -> Option<Diagnostic> {
        let forgotten = self.changes.iter().filter(|planned| {
            planned.change.action == Action::Forget && planned.lost_with.is_none() && planned.pending.is_none()
        });
        let prefix = self.input.config.prefixes_layers();
        let lines: String =
            forgotten.map(|planned| format!("\n - {}", planned.change.addr.in_project(prefix))).collect();
        (!lines.is_empty()).then(|| {
            Diagnostic::warning(
                "Some objects will no longer be managed by infra",
                format!(
                    "When this is applied, state forgets these objects, and they stay as they are:{lines}\n\nTo manage them \
                     again they have to be imported."
                ),
            )
        })
    }
}

fn is_removal(action: Action) -> bool {
    matches!(action, Action::Delete | Action::Forget)
}
