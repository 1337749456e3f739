//! State by hand: objects are moved, forgotten, marked as tainted. Under the lock, and durable like every other result.

use std::sync::Arc;

use crate::addr::{InstanceAddr, Mode, Pattern, ProviderSource};
use crate::diag::{Diagnostic, Diagnostics};
use crate::event::Silent;
use crate::state::{Object, Record, Slot, State, Status};

use super::locks::Open;
use super::session::{RunOptions, Session};

/// What is to be done to state.
#[derive(Clone, Debug)]
pub enum Surgery {
    /// Forget every object at these addresses; the objects themselves stay.
    Remove(Vec<Pattern>),
    /// Give what is at the first address the second one.
    Move(Box<(Pattern, Pattern)>),
    /// The next apply replaces it.
    Taint(Pattern),
    /// The next apply does not replace it for that reason.
    Untaint(Pattern),
    /// The objects of the first provider are those of the second one from now on.
    ReplaceProvider(Box<(ProviderSource, ProviderSource)>),
}

/// What was done: whose objects, and where they are now if they moved.
pub type Treated = Vec<(InstanceAddr, Option<InstanceAddr>)>;

/// Changes state as asked.
///
/// # Errors
/// When there is no such object, the new place is taken, or state cannot be written. Then nothing has changed.
pub async fn surgery(session: &Session, options: &RunOptions, asked: &Surgery) -> Result<Treated, Diagnostics> {
    let operation = match asked {
        Surgery::Remove(_) => "state rm",
        Surgery::Move(_) => "state mv",
        Surgery::Taint(_) => "taint",
        Surgery::Untaint(_) => "untaint",
        Surgery::ReplaceProvider(_) => "state replace-provider",
    };
    let open = Open::take(session, options, operation, &Silent).await?;
    let states: Vec<&State> = open.views.iter().map(|view| &*view.state).collect();
    let result = match planned(&states, asked, true) {
        Ok(plan) => write(&open, plan).await,
        Err(diagnostic) => Err((*diagnostic).into()),
    };
    let finished = open.finish().await;
    match result {
        Ok(treated) if !finished.has_errors() => Ok(treated),
        Ok(_) => Err(finished),
        Err(mut said) => {
            said.append(finished);
            Err(said)
        }
    }
}

/// How it is called that `taint` and `untaint` find no instance.
pub const NO_INSTANCE: &str = "No such resource instance";

const NOT_TAINTED: &str = "Resource instance is not tainted";

/// What `-dry-run` tells: whose objects would be treated.
///
/// # Errors
/// As [`surgery`].
pub async fn rehearsal(session: &Session, asked: &Surgery) -> Result<Treated, Diagnostics> {
    let views = session.views().await?;
    let states: Vec<&State> = views.iter().map(|view| &*view.state).collect();
    planned(&states, asked, true).map(|plan| plan.treated).map_err(|diagnostic| (*diagnostic).into())
}

/// Records for each layer: what comes first, then what leaves.
pub(super) struct Planned {
    pub(super) put: Vec<Record>,
    pub(super) remove: Vec<Record>,
    pub(super) treated: Treated,
}

/// What has to be written. `stays`: what moves stays in these states, so that its new place has to be free there.
pub(super) fn planned(states: &[&State], asked: &Surgery, stays: bool) -> Result<Planned, Box<Diagnostic>> {
    let empty = || states.iter().map(|_| Record::new()).collect();
    let mut plan = Planned { put: empty(), remove: empty(), treated: Vec::new() };
    match asked {
        Surgery::Remove(patterns) => {
            for pattern in patterns {
                for addr in found(states, pattern) {
                    plan.take_out(states, &addr);
                    plan.treated.push((addr, None));
                }
            }
            // One that names nothing beside others that do is no reason to stop.
            if plan.treated.is_empty() {
                let names: Vec<String> = patterns.iter().map(ToString::to_string).collect();
                return Err(missing("Invalid target address", &names.join(", ")));
            }
        }
        Surgery::Move(ends) => plan.relocate(states, (&ends.0, &ends.1), stays)?,
        Surgery::Taint(pattern) => plan.mark(states, pattern, Status::Tainted)?,
        Surgery::Untaint(pattern) => plan.mark(states, pattern, Status::Ready)?,
        Surgery::ReplaceProvider(sources) => plan.replace_provider(states, &sources.0, &sources.1),
    }
    Ok(plan)
}

/// Nothing in state has such an address.
fn missing(summary: &str, address: &str) -> Box<Diagnostic> {
    let detail = format!("State has no object at {address}. infra state list shows what it has.");
    Box::new(Diagnostic::error(summary, detail))
}

/// The instances that a pattern names.
fn found(states: &[&State], pattern: &Pattern) -> Vec<InstanceAddr> {
    let mut found: Vec<InstanceAddr> = states
        .iter()
        .flat_map(|state| state.objects().map(|placed| placed.addr(&state.layer)))
        .filter(|addr| pattern.matches(addr))
        .collect();
    found.dedup();
    found
}

impl Planned {
    fn take_out(&mut self, states: &[&State], addr: &InstanceAddr) {
        for (layer, slot, ..) in slots(states, addr) {
            self.remove[layer] = std::mem::take(&mut self.remove[layer]).remove(slot);
        }
    }

    fn relocate(
        &mut self,
        states: &[&State],
        (from, to): (&Pattern, &Pattern),
        stays: bool,
    ) -> Result<(), Box<Diagnostic>> {
        let invalid = |detail: String| Box::new(Diagnostic::error("Invalid target address", detail));
        let found = found(states, from);
        if found.is_empty() {
            return Err(missing("Invalid source address", &from.to_string()));
        }
        if from.resource.is_some() != to.resource.is_some() {
            return Err(invalid(format!("{from} and {to} must either both be resources or both be modules.")));
        }
        if let (Some(old), Some(new)) = (&from.resource, &to.resource)
            && (old.mode, &old.kind) != (new.mode, &new.kind)
        {
            return Err(invalid(format!("{from} and {to} are of different types: an object keeps its type.")));
        }
        for addr in found {
            let Some(now) = crate::plan::relocated(from, to, &addr) else { continue };
            let Some(layer) = states.iter().position(|state| state.layer == now.layer) else {
                return Err(invalid(format!("There is no layer {:?}.", now.layer.to_string())));
            };
            if stays && states[layer].instance(&now).is_some() {
                return Err(invalid(format!("Cannot move to {now}: there is already an object at that address.")));
            }
            for (_, slot, object) in slots(states, &addr) {
                let Some(provider) = provider_of(states, &addr) else { continue };
                let slot = Slot { addr: now.clone(), deposed: slot.deposed };
                self.put[layer] = std::mem::take(&mut self.put[layer]).put(slot, provider, object);
            }
            self.take_out(states, &addr);
            self.treated.push((addr, Some(now)));
        }
        if self.treated.is_empty() {
            return Err(missing("Invalid source address", &format!("exactly {from}")));
        }
        Ok(())
    }

    fn replace_provider(&mut self, states: &[&State], from: &ProviderSource, to: &ProviderSource) {
        for (layer, state) in states.iter().enumerate() {
            for placed in state.objects().filter(|placed| placed.provider.source == *from) {
                let addr = placed.addr(&state.layer);
                let slot = Slot { addr: addr.clone(), deposed: placed.deposed.cloned() };
                let provider = crate::addr::ProviderConfigAddr { source: to.clone(), ..placed.provider.clone() };
                self.put[layer] = std::mem::take(&mut self.put[layer]).put(slot, provider, placed.object.clone());
                self.treated.push((addr, None));
            }
        }
    }

    fn mark(&mut self, states: &[&State], pattern: &Pattern, status: Status) -> Result<(), Box<Diagnostic>> {
        if pattern.resource.is_none() {
            let detail = format!("{pattern} is a module. Name one instance of a resource, such as aws_instance.a[0].");
            return Err(Box::new(Diagnostic::error("Invalid address", detail)));
        }
        if pattern.resource.as_ref().is_some_and(|resource| resource.mode != Mode::Managed) {
            let summary = match status {
                Status::Tainted => format!("Resource instance {pattern} cannot be tainted"),
                _ => NOT_TAINTED.to_owned(),
            };
            return Err(Box::new(Diagnostic::error(summary, "Only what apply creates can be replaced by it.")));
        }
        let found = found(states, pattern);
        let addr = match found.as_slice() {
            [one] if one.key == pattern.key => one,
            [] => return Err(missing(NO_INSTANCE, &pattern.to_string())),
            several => {
                let names: Vec<String> = several.iter().map(|addr| addr.in_project(true)).collect();
                let detail = format!("{pattern} is no single instance. Name one of these:\n  {}", names.join("\n  "));
                return Err(Box::new(Diagnostic::error(NO_INSTANCE, detail)));
            }
        };
        let current = slots(states, addr).into_iter().find(|(_, slot, _)| slot.deposed.is_none());
        let Some(((layer, slot, object), provider)) = current.zip(provider_of(states, addr)) else {
            let detail = format!("{addr} has no current object; deposed ones are removed by the next apply.");
            return Err(Box::new(Diagnostic::error(NO_INSTANCE, detail)));
        };
        if object.status == status {
            if status != Status::Tainted {
                let detail = format!("{addr} is not marked as tainted: there is nothing to do.");
                return Err(Box::new(Diagnostic::error(NOT_TAINTED, detail)));
            }
            // It is as it was asked to be.
            self.treated.push((addr.clone(), None));
            return Ok(());
        }
        let object = Arc::new(Object { status, ..(*object).clone() });
        self.put[layer] = std::mem::take(&mut self.put[layer]).put(slot, provider, object);
        self.treated.push((addr.clone(), None));
        Ok(())
    }
}

/// All objects of an instance, with their layer.
fn slots(states: &[&State], addr: &InstanceAddr) -> Vec<(usize, Slot, Arc<Object>)> {
    let Some(layer) = states.iter().position(|state| state.layer == addr.layer) else { return Vec::new() };
    let Some(instance) = states[layer].instance(addr) else { return Vec::new() };
    let current = instance.current.iter().map(|object| (None, object.clone()));
    let deposed = instance.deposed.iter().map(|(key, object)| (Some(key.clone()), object.clone()));
    current.chain(deposed).map(|(deposed, object)| (layer, Slot { addr: addr.clone(), deposed }, object)).collect()
}

fn provider_of(states: &[&State], addr: &InstanceAddr) -> Option<crate::addr::ProviderConfigAddr> {
    states.iter().find(|state| state.layer == addr.layer)?.provider(addr)
}

/// Between two states an object is in the new one first; within one both come in one record.
async fn write(open: &Open, plan: Planned) -> Result<Treated, Diagnostics> {
    let Planned { put, remove, treated } = plan;
    let mut leaving = Vec::new();
    for (layer, (mut put, remove)) in put.into_iter().zip(remove).enumerate() {
        if put.is_empty() {
            leaving.push((layer, remove));
        } else {
            put.removes.extend(remove.removes);
            append(open, layer, put).await?;
        }
    }
    for (layer, record) in leaving {
        append(open, layer, record).await?;
    }
    Ok(treated)
}

async fn append(open: &Open, layer: usize, record: Record) -> Result<(), Diagnostics> {
    if record.is_empty() {
        return Ok(());
    }
    let Some(commit) = &open.commits[layer] else {
        let detail = "A layer that this needs is not part of the run: leave out -layer.";
        return Err(Diagnostic::error("State is not open for writing", detail).into());
    };
    commit.append(record).await.map_err(|error| Diagnostics::from(error.diagnostic()))
}
