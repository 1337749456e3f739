//! The instances of a resource node: how many there are, and its value once all of them are planned.

use crate::addr::InstanceKey;
use crate::change::Action;
use crate::diag::Diagnostics;
use crate::graph::{ModuleId, NodeId};
use crate::value::Value;

use super::expand::Repeated;
use super::instance::Finished;
use super::scope::ModuleScope;
use super::walk::{Place, Walk, block_name};
use super::world::{CopyId, Repetition, Shaping};

/// A resource node some of whose instances are still being planned.
pub(super) struct Open {
    left: usize,
    copies: Vec<OpenCopy>,
}

struct OpenCopy {
    copy: CopyId,
    shaping: Shaping,
    instances: Vec<(Repetition, Option<Value>)>,
}

/// What a block waits for whose copies are not known yet.
pub(super) const OPEN_KEYS: &str = "keys that are not known yet";

fn is_open(key: Option<&InstanceKey>) -> bool {
    key == Some(&InstanceKey::Unknown)
}

impl Walk<'_> {
    /// Evaluates how many instances a resource has in each copy of its module, and opens the node.
    pub(super) fn expand_resource(&mut self, node: NodeId, module: ModuleId) -> Vec<Place> {
        let graph = self.input.graph;
        let Some((_, resource)) = graph.resource(node) else { return Vec::new() };
        let within = block_name(&resource.addr);
        let open_keys = !self.input.config.is_plain() || self.input.options.offline;
        let mut open = Open { left: 0, copies: Vec::new() };
        let mut places = Vec::new();
        for position in 0..self.world.copies_of(module).len() {
            let copy = self.world.copies_of(module)[position];
            let scope = ModuleScope::plain(self.around(), copy);
            let outcome = super::expand::copies(Repeated::of(resource), &scope, open_keys);
            let Some((shaping, copies)) = outcome.value else {
                self.say(node, outcome.said.located(None, Some(&within)));
                continue;
            };
            let open_module = self.world.copy(copy).addr.steps().iter().any(|step| is_open(step.key.as_ref()));
            if (shaping == Shaping::Unknown || open_module)
                && let Some(addr) = graph.config_addr(node)
            {
                // Which of the stored objects stay will be seen when the keys are known.
                self.objects.claim_block(&addr);
                self.pending[node.index()].get_or_insert_with(|| OPEN_KEYS.to_owned());
            }
            let at = open.copies.len();
            let instances: Vec<_> = copies.iter().map(|repetition| (repetition.clone(), None)).collect();
            open.left += instances.len();
            open.copies.push(OpenCopy { copy, shaping, instances });
            let each = copies.into_iter().enumerate();
            places.extend(each.map(|(index, repetition)| Place { node, copy, repetition, at: (at, index) }));
        }
        if open.left == 0 {
            self.close(node, open);
        } else {
            self.open.insert(node, open);
        }
        places
    }

    /// Takes in a planned instance. True when it was the node's last.
    pub(super) fn instance_done(&mut self, done: Finished) -> bool {
        let node = done.place.node;
        self.say(node, done.said);
        if let Some(planned) = done.planned {
            // A new address, or being taken over, changes nothing of the object.
            self.changed[node.index()] |= planned.change.action != Action::NoOp;
            self.triggers.heard(node, self.changes.len());
            self.changes.push(*planned);
        }
        let Some(open) = self.open.get_mut(&node) else { return true };
        let (copy, instance) = done.place.at;
        open.copies[copy].instances[instance].1 = Some(done.value);
        open.left -= 1;
        if open.left > 0 {
            return false;
        }
        if let Some(open) = self.open.remove(&node) {
            self.close(node, open);
        }
        true
    }

    fn close(&mut self, node: NodeId, open: Open) {
        for OpenCopy { copy, shaping, instances } in open.copies {
            let instances =
                instances.into_iter().map(|(repetition, value)| (repetition, value.unwrap_or_default())).collect();
            let value = super::world::resource_value(shaping, instances);
            self.world.set(self.input.graph, node, copy, value);
        }
    }

    /// Gives an instance that does not take part the value of its stored object.
    pub(super) fn leave_as_stored(&mut self, place: Place) -> Finished {
        let stored = self.addr_of(&place).and_then(|addr| self.objects.claim(&addr)?.as_stored());
        let value = match stored {
            Some(value) => {
                let marks = self.schema_marks(place.node, &value);
                value.mark_paths(&marks)
            }
            None => Value::unknown(crate::value::Type::Any),
        };
        Finished { place, value, planned: None, said: Diagnostics::none() }
    }

    /// Gives a resource that is not planned the value of its stored objects.
    pub(super) fn take_stored(&mut self, node: NodeId) {
        let graph = self.input.graph;
        let (Some(addr), Some(module)) = (graph.config_addr(node), graph.module_of(node)) else { return };
        if !self.is_destroy() {
            self.objects.claim_block(&addr);
        }
        let stored = self.objects.of_block(&addr);
        for position in 0..self.world.copies_of(module).len() {
            let copy = self.world.copies_of(module)[position];
            let own = &self.world.copy(copy).addr;
            let mut shaping = Shaping::Single;
            let mut instances = Vec::new();
            for (instance, value) in stored.iter().filter(|(instance, _)| instance.module == *own) {
                let repetition = match &instance.key {
                    None | Some(InstanceKey::Unknown) => Repetition::None,
                    Some(InstanceKey::Int(index)) => {
                        shaping = Shaping::Count;
                        Repetition::Count(*index)
                    }
                    Some(InstanceKey::Str(key)) => {
                        shaping = Shaping::Each;
                        Repetition::Each(key.clone(), Value::NULL)
                    }
                };
                let marks = self.schema_marks(node, value);
                instances.push((repetition, value.clone().mark_paths(&marks)));
            }
            let value = if instances.is_empty() {
                Value::unknown(crate::value::Type::Any)
            } else {
                super::world::resource_value(shaping, instances)
            };
            self.world.set(graph, node, copy, value);
        }
    }
}
