//! What a run writes beside the results of calls: objects that were read anew, and root outputs.

use std::sync::Arc;

use crate::addr::Mode;
use crate::change::{Action, Reason};
use crate::event::Event;
use crate::plan::{Assertions, PlannedChange};
use crate::state::{Object, OutputState, Record, Slot, Status as ObjectStatus};

use crate::value::writable;

use super::record::object;
use super::run::Run;

impl Run<'_> {
    /// Writes what reading brought to light, and data sources that were read at plan.
    pub(super) async fn write_refreshed(&mut self) {
        let plan = self.plan;
        let mut records: Vec<Record> = self.inputs.commits.iter().map(|_| Record::new()).collect();
        // An object that leaves its layer is in the other one first: it may be in both for a moment, never in none.
        let mut leaving: Vec<Record> = self.inputs.commits.iter().map(|_| Record::new()).collect();
        for (slot, provider, object) in &plan.segment().refreshed {
            let Some(layer) = plan.segment().config.layer_index(&slot.addr.layer) else { continue };
            let leaves = object.is_none() && plan.segment().leaving.contains(slot);
            let records = if leaves { &mut leaving } else { &mut records };
            let record = std::mem::take(&mut records[layer]);
            records[layer] = match object {
                Some(object) => {
                    record.put(slot.clone(), plan.segment().providers[*provider].addr.clone(), Arc::new(object.clone()))
                }
                None => record.remove(slot.clone()),
            };
        }
        for planned in &plan.changes {
            self.take_over(planned, &mut records);
            let is_read = planned.change.addr.resource.mode == Mode::Data && planned.change.action == Action::NoOp;
            let is_read = is_read && planned.work.planned.is_wholly_known();
            // As terraform does: it is stored as the plan has seen it until the apply has read it, too.
            let is_read = is_read || planned.change.reason == Some(Reason::ReadBecauseCheckNested);
            let Some(node) = planned.work.node.filter(|_| is_read) else { continue };
            let Some(layer) = plan.segment().config.layer_index(&planned.change.addr.layer) else { continue };
            let dependencies = self.dependencies.of(node);
            if let Ok(object) =
                object(planned, &writable(&planned.work.planned), &[], ObjectStatus::Ready, dependencies)
            {
                let slot = Slot { addr: planned.change.addr.clone(), deposed: None };
                let record = std::mem::take(&mut records[layer]);
                records[layer] = record.put(slot, planned.change.provider.clone(), object);
            }
        }
        let events = self.inputs.events;
        let imported = plan
            .changes
            .iter()
            .filter_map(|planned| Some((planned.change.addr.clone(), planned.change.importing.clone()?)));
        let imported: Vec<_> = imported.collect();
        for (addr, id) in imported.iter().cloned() {
            events.emit(Event::ImportStarted { addr, id });
        }
        if self.append(records).await {
            for (addr, id) in imported {
                events.emit(Event::ImportEnded { addr, id });
            }
            self.append(leaving).await;
        }
    }

    /// An imported object is in state before anything is done to it.
    fn take_over(&mut self, planned: &PlannedChange, records: &mut [Record]) {
        let (Some(_), Some(stored), Some(node)) = (&planned.change.importing, &planned.work.stored, planned.work.node)
        else {
            return;
        };
        let Some(layer) = self.plan.segment().config.layer_index(&planned.change.addr.layer) else { return };
        let object = Object {
            dependencies: self.dependencies.of(node),
            create_before_destroy: planned.work.creates_first,
            ..(**stored).clone()
        };
        let slot = Slot::current(planned.change.addr.clone());
        let record = std::mem::take(&mut records[layer]);
        records[layer] = record.put(slot, planned.change.provider.clone(), Arc::new(object));
        self.report.counts.import += 1;
    }

    /// Whether all of it is durable; what is not has been said.
    async fn append(&mut self, records: Vec<Record>) -> bool {
        let mut all = true;
        for (record, commit) in records.into_iter().zip(self.inputs.commits) {
            let Some(commit) = commit.as_ref().filter(|_| !record.is_empty()) else { continue };
            if let Err(error) = commit.append(record).await {
                all = false;
                self.said.push(error.diagnostic());
            }
        }
        all
    }

    /// Writes the root outputs that are known now, and takes out those that are gone.
    pub(super) async fn write_outputs(&mut self, asserted: Option<&Assertions>) {
        let plan = self.plan;
        let graph = &plan.segment().graph;
        let mut records: Vec<Record> = self.inputs.commits.iter().map(|_| Record::new()).collect();
        for output in &plan.outputs {
            let Some(layer) = plan.segment().config.layer_index(&output.layer) else { continue };
            let root = graph.roots[layer];
            let copy = self.world.copies_of(root)[0];
            let offset = graph.module(root).shape.output(&output.name);
            let record = std::mem::take(&mut records[layer]);
            if output.action == Action::Delete {
                records[layer] = record.output(output.name.clone(), None);
                continue;
            }
            let value = offset.and_then(|offset| self.world.get(copy, offset)).unwrap_or(&output.after);
            if !value.is_wholly_known() {
                let gone = plan.mode == crate::plan::PlanMode::RefreshOnly && !output.before.is_null();
                records[layer] = if gone {
                    // What it came from is gone, and nothing makes it anew in this run.
                    let value = crate::value::Value::Null(output.before.clone().unmark_deep().0.ty());
                    let shown = if output.sensitive { value.clone().sensitive() } else { value.clone() };
                    self.report.outputs.push((output.layer.clone(), output.name.clone(), shown));
                    record.output(output.name.clone(), Some(OutputState { value, sensitive: output.sensitive }))
                } else {
                    record
                };
                continue;
            }
            let bare = value.clone().unmark_deep().0;
            let shown = if output.sensitive { bare.clone().sensitive() } else { bare.clone() };
            self.report.outputs.push((output.layer.clone(), output.name.clone(), shown));
            records[layer] = if bare.is_null() {
                record.output(output.name.clone(), None)
            } else {
                record.output(output.name.clone(), Some(OutputState { value: bare, sensitive: output.sensitive }))
            };
        }
        for (layer, record) in records.iter_mut().enumerate() {
            let text = crate::plan::results(self.around(), plan, layer, &self.unmet, asserted);
            let stored = self.inputs.states.get(layer).and_then(|state| state.check_results.as_deref());
            if stored != text.as_deref() {
                record.check_results = Some(text.unwrap_or_else(|| "null".to_owned()).into());
            }
        }
        self.report_stored_outputs();
        self.append(records).await;
    }

    /// Outputs that take no part stay as they are stored.
    fn report_stored_outputs(&mut self) {
        let (planned, config) = (&self.plan.outputs, &self.plan.segment().config);
        let before = self.report.outputs.len();
        for (layer, state) in config.layers.iter().zip(self.inputs.states) {
            for (name, stored) in &state.outputs {
                if planned.iter().any(|output| output.layer == layer.name && output.name == *name) {
                    continue;
                }
                let value = stored.value.clone();
                let value = if stored.sensitive { value.sensitive() } else { value };
                self.report.outputs.push((layer.name.clone(), name.clone(), value));
            }
        }
        if self.report.outputs.len() > before {
            self.report.outputs.sort_by_cached_key(|(layer, name, _)| (config.layer_index(layer), name.clone()));
        }
    }
}
