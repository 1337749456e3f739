//! Objects that no instance of the configuration stands for any more, and deposed ones: they are to be removed.

use crate::addr::{InstanceAddr, InstanceKey, Mode};
use crate::change::{Action, Change, Reason};
use crate::diag::{Diagnostic, Diagnostics};
use crate::value::Value;

use super::instance::schema_of;
use super::model::{PlannedChange, Work};
use super::objects::{Entry, stored_marks};
use super::provider::Status;
use super::walk::Walk;
use super::world::Repetition;

impl Walk<'_> {
    /// Proposes the removal of every object that is left over; with `-destroy`, of every object.
    pub(super) fn plan_orphans(&mut self) -> Diagnostics {
        let mut said = Diagnostics::none();
        let mut found = Vec::new();
        for entry in &self.objects.entries {
            if entry.slot.addr.resource.mode != Mode::Managed || entry.gone || !self.takes_part(entry) {
                continue;
            }
            // Nobody can tell which objects a block describes that could not be planned.
            if !self.is_destroy() && entry.node.is_some_and(|node| self.is_broken(node)) {
                continue;
            }
            let reason = if entry.slot.deposed.is_some() {
                Some(Reason::DeleteDeposed)
            } else if self.is_destroy() {
                None
            } else if entry.claimed {
                continue;
            } else {
                Some(self.why_left_over(entry))
            };
            if self.is_refresh_only() {
                continue;
            }
            if !self.is_forgotten(entry)
                && let Some(diagnostic) = self.protection(entry)
            {
                said.push(diagnostic);
            }
            found.extend(self.removal(entry, reason));
        }
        self.changes.extend(found);
        said
    }

    pub(super) fn takes_part(&self, entry: &Entry) -> bool {
        let selection = &self.input.options.selection;
        let matches =
            |patterns: &[crate::addr::Pattern]| patterns.iter().any(|pattern| pattern.matches(&entry.slot.addr));
        if !self.is_selected_layer(entry.layer) || matches(&selection.excludes) {
            return false;
        }
        if self.spared.contains(&entry.slot.addr.config()) {
            return false;
        }
        if selection.targets.is_empty() {
            return true;
        }
        if self.is_destroy() {
            // What depends on a target goes with it.
            return matches(&selection.targets) || self.doomed.contains(&entry.slot);
        }
        // Left-over copies of a block that takes part as a dependency are removed with it.
        matches(&selection.targets) || entry.node.is_some_and(|node| self.aims_at(node, &entry.slot.addr))
    }

    fn protection(&self, entry: &Entry) -> Option<Diagnostic> {
        let (_, resource) = self.input.graph.resource(entry.node?)?;
        let expr = resource.lifecycle.prevent_destroy.as_ref()?;
        let module = self.input.graph.module_of(entry.node?)?;
        let value = super::prior::early_value(self.around(), &self.objects, module, expr);
        let forbids = value.and_then(|value| value.as_bool()).unwrap_or(true);
        forbids.then(|| protected(&entry.slot.addr).at(resource.block.header))
    }

    fn why_left_over(&self, entry: &Entry) -> Reason {
        let Some(node) = entry.node else {
            if entry.moved_from.is_some() {
                return Reason::DeleteBecauseNoMoveTarget;
            }
            // Also when the whole module call is gone: Terraform speaks of a missing module for its copies only.
            return Reason::DeleteBecauseNoResourceConfig;
        };
        let Some((module, resource)) = self.input.graph.resource(node) else {
            return Reason::DeleteBecauseNoResourceConfig;
        };
        let copies = self.world.copies_of(module);
        if !copies.iter().any(|copy| self.world.copy(*copy).addr == entry.slot.addr.module) {
            return Reason::DeleteBecauseNoModule;
        }
        if resource.enabled.is_some() && entry.slot.addr.key.is_none() {
            return Reason::DeleteBecauseEnabledFalse;
        }
        match (&entry.slot.addr.key, &resource.count, &resource.for_each) {
            (Some(InstanceKey::Int(_)), Some(_), _) => Reason::DeleteBecauseCountIndex,
            (Some(InstanceKey::Str(_)), _, Some(_)) => Reason::DeleteBecauseEachKey,
            _ => Reason::DeleteBecauseWrongRepetition,
        }
    }

    fn removal(&self, entry: &Entry, reason: Option<Reason>) -> Option<PlannedChange> {
        let slot = &self.providers[entry.provider];
        let schema = schema_of(&*slot.kind, &entry.slot.addr)?;
        let known = entry.now.as_ref()?;
        let marks = stored_marks(schema, &entry.stored, &known.value);
        let lost_with = match &slot.status {
            Status::Lost(source, _) => Some(source.clone()),
            Status::New | Status::Ready(_) | Status::Provisional(_) | Status::Pending(_) | Status::Failed => None,
        };
        let forgotten = self.is_forgotten(entry);
        let change = Change {
            addr: entry.slot.addr.clone(),
            deposed: entry.slot.deposed.clone(),
            previous: entry.moved_from.clone(),
            action: if lost_with.is_some() || forgotten { Action::Forget } else { Action::Delete },
            reason,
            before: known.value.clone().mark_paths(&marks),
            after: Value::Null(schema.ty()),
            replace_paths: Vec::new(),
            importing: None,
            generated: None,
            provider: slot.addr.clone(),
        };
        let phase = match entry.node {
            Some(node) => self.input.graph.phase[node.index()],
            None => self.input.config.phases.len().saturating_sub(1),
        };
        Some(PlannedChange {
            change,
            phase,
            pending: None,
            lost_with,
            provider_type: slot.kind.clone(),
            private: known.private.clone(),
            work: Work {
                provider: entry.provider,
                node: entry.node,
                copy: None,
                repetition: Repetition::None,
                removed: if entry.node.is_none() { self.removals.of_object(&entry.slot.addr) } else { None },
                stored: Some(entry.stored.clone()),
                check: false,
                creates_first: entry.stored.create_before_destroy,
                config: Value::NULL,
                marks: Vec::new(),
                planned: Value::NULL,
            },
        })
    }
}

/// What is said when a protected object would be removed.
pub(super) fn protected(addr: &InstanceAddr) -> Diagnostic {
    Diagnostic::error(
        "Instance cannot be destroyed",
        format!(
            "Resource {addr} has lifecycle.prevent_destroy set, but the plan calls for this resource to be destroyed. To \
             avoid this error and continue with the plan, either disable lifecycle.prevent_destroy or reduce the scope of \
             the plan using the -target option."
        ),
    )
}
