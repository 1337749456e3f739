//! Which actions are invoked: by the changes of resources that name them, or because the user asked for them.
//!
//! They are found when everything else is planned: nothing depends on them, and state knows nothing of them.

use std::sync::Arc;

use crate::addr::{ActionAddr, ActionInstance, InstanceAddr, InstanceKey, ResourceAddr};
use crate::change::Action;
use crate::config::{ActionBlock, ActionTrigger, Module, TriggerEvent};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::graph::{ModuleId, NodeId, ProviderId};
use crate::lang::decode::decode;
use crate::lang::eval::evaluate;
use crate::provider::Provider;
use crate::schema::Schema;
use crate::value::{Str, Type, Value, convert};

use super::expand::{Repeated, copies};
use super::keyed::choose;
use super::model::{PlanMode, PlannedChange};
use super::scope::ModuleScope;
use super::walk::Walk;
use super::world::{CopyId, Repetition};

/// An action that is to be invoked.
#[derive(Clone)]
pub struct Invocation {
    /// Which.
    pub addr: ActionInstance,
    /// What invokes it; `None` is the user.
    pub trigger: Option<Triggered>,
    /// Its arguments, marks inside; unknown where only apply will tell.
    pub config: Value,
    /// The provider type, for its schema.
    pub provider_type: Arc<dyn Provider>,
    /// Index into the segment's providers.
    pub provider: usize,
    /// The nodes that have to be there before it.
    pub needs: Vec<NodeId>,
    /// The module it stands in.
    pub module: ModuleId,
    /// The copy of that module.
    pub copy: CopyId,
    /// `count.index` or `each`.
    pub repetition: Repetition,
    /// Index into the plan's phases.
    pub phase: usize,
}

/// The change that invokes an action.
#[derive(Clone, Debug)]
pub struct Triggered {
    /// Index into the plan's changes.
    pub change: usize,
    /// Whose.
    pub addr: InstanceAddr,
    /// When.
    pub event: TriggerEvent,
    /// Which `action_trigger` block of the resource.
    pub block: usize,
    /// Which of the block's actions.
    pub position: usize,
}

impl Invocation {
    /// The schema of its arguments.
    pub fn schema(&self) -> Option<&Schema> {
        self.provider_type.schema().actions.get(self.addr.action.kind.as_str())
    }
}

/// One copy of an action, its arguments evaluated.
struct One {
    addr: ActionInstance,
    config: Value,
    repetition: Repetition,
    /// Index into the segment's providers.
    provider: usize,
}

/// Where an action is named.
#[derive(Clone, Copy)]
struct Place {
    module: ModuleId,
    copy: CopyId,
}

/// Which event of a trigger a change is, before it and after it.
fn events(action: Action) -> Option<[TriggerEvent; 2]> {
    match action {
        Action::Create | Action::DeleteThenCreate | Action::CreateThenDelete => {
            Some([TriggerEvent::BeforeCreate, TriggerEvent::AfterCreate])
        }
        Action::Update => Some([TriggerEvent::BeforeUpdate, TriggerEvent::AfterUpdate]),
        Action::NoOp | Action::Read | Action::Delete | Action::Forget => None,
    }
}

impl Walk<'_> {
    /// The actions that a plan invokes. Every `action` block is looked at, invoked or not.
    pub(super) fn invocations(&self, changes: &[PlannedChange]) -> Outcome<Vec<Invocation>> {
        let mut said = self.check_actions();
        let mut found = Vec::new();
        if said.has_errors() {
            return Outcome::fail(said);
        }
        if self.input.options.mode == PlanMode::Normal {
            for (index, planned) in changes.iter().enumerate() {
                self.triggered(index, planned, &mut found, &mut said);
            }
        }
        said.append(self.asked_for(&mut found));
        Outcome::with(found, said)
    }

    /// Whether the user invokes an action of a provider configuration.
    pub(super) fn is_asked_to_act(&self, provider: ProviderId) -> bool {
        let meant = |action: &ActionAddr| {
            let named = |resource: &ResourceAddr| resource.kind == action.kind && resource.name == action.name;
            self.input.options.invoke.iter().any(|pattern| pattern.resource.as_ref().is_some_and(named))
        };
        let graph = self.input.graph;
        let of = |place: &(ModuleId, ActionAddr), by: ProviderId| match graph.keyed_actions.get(place) {
            Some(keyed) => keyed.by_key.values().any(|one| *one == provider),
            None => by == provider,
        };
        graph.actions.iter().any(|(place, (by, _))| of(place, *by) && meant(&place.1))
    }

    fn check_actions(&self) -> Diagnostics {
        let graph = self.input.graph;
        let mut said = Diagnostics::none();
        for (index, node) in graph.modules.iter().enumerate() {
            let module = ModuleId(index as u32);
            let Some(copy) = self.world.copies_of(module).first().copied() else { continue };
            for action in node.module.actions.values() {
                said.append(self.copies_of_action(Place { module, copy }, action).said);
            }
            said.append(check_triggers(&node.module));
        }
        said
    }

    /// What one change invokes.
    fn triggered(&self, index: usize, planned: &PlannedChange, found: &mut Vec<Invocation>, said: &mut Diagnostics) {
        let (Some(node), Some(copy)) = (planned.work.node, planned.work.copy) else { return };
        let Some((module, resource)) = self.input.graph.resource(node) else { return };
        let waits = planned.pending.is_some() || planned.lost_with.is_some();
        let Some(happens) = events(planned.change.action).filter(|_| !waits) else { return };
        let place = Place { module, copy };
        for event in happens {
            for (block, trigger) in resource.lifecycle.action_triggers.iter().enumerate() {
                if !trigger.events.contains(&event) || !self.condition_holds(place, planned, trigger, said) {
                    continue;
                }
                for (position, named) in trigger.actions.iter().enumerate() {
                    let Some(action) = self.input.graph.module(module).module.actions.get(&named.addr) else {
                        continue;
                    };
                    let scope =
                        ModuleScope { around: self.around(), copy, repetition: &planned.work.repetition, this: None };
                    let key = match named.key.as_ref().map(|key| evaluate(key, &scope)) {
                        None => None,
                        Some(outcome) => {
                            said.append(outcome.said);
                            outcome.value.and_then(|value| key_of(&value))
                        }
                    };
                    let all = self.copies_of_action(place, action).value.unwrap_or_default();
                    let before = found.len();
                    for one in all.into_iter().filter(|one| key.is_none() || one.addr.key == key) {
                        let addr = planned.change.addr.clone();
                        let trigger = Triggered { change: index, addr, event, block, position };
                        found.extend(self.invocation(place, action, one, Some(trigger), planned.phase));
                    }
                    if found.len() == before && named.key.is_some() {
                        let detail = format!("{} has no copy of that key.", named.addr);
                        said.push(Diagnostic::error("Reference to undeclared action", detail).at(named.span));
                    }
                }
            }
        }
    }

    fn condition_holds(
        &self,
        place: Place,
        planned: &PlannedChange,
        trigger: &ActionTrigger,
        said: &mut Diagnostics,
    ) -> bool {
        let Some(condition) = &trigger.condition else { return true };
        let repetition = &planned.work.repetition;
        let scope = ModuleScope { around: self.around(), copy: place.copy, repetition, this: None };
        let outcome = evaluate(condition, &scope);
        said.append(outcome.said);
        let Some(value) = outcome.value else { return false };
        let value = convert(&value.unmark().0, &Type::Bool);
        match value {
            Ok(value) if value.as_bool().is_some() => value.as_bool() == Some(true),
            Ok(value) if !value.is_known() && self.input.options.offline => true,
            Ok(value) => {
                let detail = if value.is_known() {
                    "The condition is null; it has to be true or false."
                } else {
                    "Whether the condition holds is known only when the plan is carried out. A plan has to say which actions \
                     are invoked: name only what is known before."
                };
                said.push(
                    Diagnostic::error("Invalid condition", detail).at(condition.span).about(&planned.change.addr),
                );
                false
            }
            Err(error) => {
                let detail = format!("Unsuitable value for the condition: {error}.");
                said.push(
                    Diagnostic::error("Invalid condition", detail).at(condition.span).about(&planned.change.addr),
                );
                false
            }
        }
    }

    /// What the user asked for by `-invoke`.
    fn asked_for(&self, found: &mut Vec<Invocation>) -> Diagnostics {
        let graph = self.input.graph;
        let mut said = Diagnostics::none();
        for pattern in &self.input.options.invoke {
            let before = found.len();
            for (index, node) in graph.modules.iter().enumerate() {
                let module = ModuleId(index as u32);
                for copy in self.world.copies_of(module) {
                    let place = Place { module, copy: *copy };
                    for action in node.module.actions.values() {
                        let all = self.copies_of_action(place, action).value.unwrap_or_default();
                        for one in all.into_iter().filter(|one| one.addr.is_meant(pattern)) {
                            let phase = self.input.config.phases.len().saturating_sub(1);
                            found.extend(self.invocation(place, action, one, None, phase));
                        }
                    }
                }
            }
            if found.len() == before {
                let detail = format!("The configuration has no action.{pattern}.");
                said.push(Diagnostic::error("Reference to undeclared action", detail));
            }
        }
        said
    }

    fn invocation(
        &self,
        place: Place,
        action: &ActionBlock,
        one: One,
        trigger: Option<Triggered>,
        phase: usize,
    ) -> Option<Invocation> {
        let (_, needs) = self.input.graph.actions.get(&(place.module, action.addr.clone()))?;
        Some(Invocation {
            addr: one.addr,
            trigger,
            config: one.config,
            provider_type: self.providers[one.provider].kind.clone(),
            provider: one.provider,
            needs: needs.clone(),
            module: place.module,
            copy: place.copy,
            repetition: one.repetition,
            phase,
        })
    }

    /// Every copy of an action, with its arguments.
    fn copies_of_action(&self, place: Place, action: &ActionBlock) -> Outcome<Vec<One>> {
        let graph = self.input.graph;
        let Some((provider, _)) = graph.actions.get(&(place.module, action.addr.clone())) else {
            return Outcome::ok(Vec::new());
        };
        let kind = &self.providers[provider.index()].kind;
        let within = format!("action {:?} {:?}", action.addr.kind.as_str(), action.addr.name.as_str());
        let Some(schema) = kind.schema().actions.get(action.addr.kind.as_str()) else {
            let names = kind.schema().actions.keys().copied();
            let hint = crate::diag::did_you_mean(&action.addr.kind, names);
            let detail =
                format!("The provider {} has no action {:?}.{hint}", action.provider.local, action.addr.kind.as_str());
            return Diagnostic::error("Invalid action type", detail).at(action.span).within(within).into();
        };
        let plain = ModuleScope::plain(self.around(), place.copy);
        let open = self.input.options.offline;
        let repeated =
            Repeated { count: action.count.as_ref(), for_each: action.for_each.as_ref(), ..Repeated::default() };
        let outcome = copies(repeated, &plain, open);
        let mut said = outcome.said.located(None, Some(&within));
        let mut all = Vec::new();
        for repetition in outcome.value.map(|(_, all)| all).unwrap_or_default() {
            let scope = ModuleScope { around: self.around(), copy: place.copy, repetition: &repetition, this: None };
            let decoded = decode(&action.config, &schema.block, &scope);
            said.append(decoded.said.located(Some(action.span), Some(&within)));
            let Some(config) = decoded.value else { continue };
            let node = graph.module(place.module);
            let addr = ActionInstance {
                layer: graph.layers[node.layer].clone(),
                module: self.world.copy(place.copy).addr.clone(),
                action: action.addr.clone(),
                key: repetition.key(),
            };
            let (bare, marks) = config.unmark_paths();
            let mut misused = Diagnostics::none();
            // Ephemeral values stay at write-only arguments only: the plan carries all others.
            let (mut marks, kept) =
                super::ephemeral::split(schema, &addr.in_project(false), &action.config, marks, &mut misused);
            said.append(misused.located(Some(action.span), Some(&within)));
            marks.extend(kept);
            let config = bare.mark_paths(&marks);
            let provider = match graph.keyed_actions.get(&(place.module, action.addr.clone())) {
                None => Ok(*provider),
                Some(keyed) => choose(self.around(), keyed, place.copy, &repetition, &addr.in_project(true)),
            };
            match provider {
                Ok(provider) => all.push(One { addr, config, repetition, provider: provider.index() }),
                Err(wrong) => said.append(wrong.located(Some(action.span), Some(&within))),
            }
        }
        if said.has_errors() { Outcome::fail(said) } else { Outcome::with(all, said) }
    }
}

/// Triggers that name an action of several copies as a whole: which of them is meant has to be said.
fn check_triggers(module: &Module) -> Diagnostics {
    let mut said = Diagnostics::none();
    for resource in module.resources.values() {
        let named = resource.lifecycle.action_triggers.iter().flat_map(|trigger| &trigger.actions);
        for named in named.filter(|named| named.key.is_none()) {
            let Some(action) = module.actions.get(&named.addr) else { continue };
            if action.count.is_none() && action.for_each.is_none() {
                continue;
            }
            let key = if action.count.is_some() { "0" } else { "\"KEY\"" };
            let detail = format!(
                "Action instance was not found in the current context: {0} has count or for_each, so that a trigger names one of its \
                 copies, such as {0}[{key}].",
                named.addr
            );
            let error = Diagnostic::error("Reference to non-existent action instance", detail).at(named.span);
            said.push(error.within(super::walk::block_name(&resource.addr).to_string()));
        }
    }
    said
}

fn key_of(value: &Value) -> Option<InstanceKey> {
    let value = value.bare();
    match value.as_str() {
        Some(key) => Some(InstanceKey::Str(Str::from(key))),
        None => value.as_number().and_then(|number| number.as_u64()).map(InstanceKey::Int),
    }
}
