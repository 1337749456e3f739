//! One object taken over by its id: looked for, read, and put into state. Nothing else is changed.

use std::sync::Arc;

use crate::addr::{InstanceAddr, LayerName, Pattern};
use crate::apply::Dependencies;
use crate::diag::{Diagnostic, Diagnostics};
use crate::event::Events;
use crate::plan::{Plan, PlannedChange};
use crate::state::{Object, Record, Slot};

use super::locks::Open;
use super::plan::{metas, options_of, segment};
use super::session::{RunOptions, Session};

/// Takes over the object with this id; gives its address.
///
/// # Errors
/// When the configuration has no such object, state has one already, or the provider finds none. Then nothing has changed.
pub async fn import(
    session: &Session,
    options: &RunOptions,
    address: &Pattern,
    id: &str,
    events: &dyn Events,
) -> Result<InstanceAddr, Diagnostics> {
    let addr = instance(session, options, address)?;
    let mut options = options.clone();
    options.layer = Some(addr.layer.clone());
    options.targets = vec![Pattern::of(&addr)];
    let open = Open::take(session, &options, "import", events).await?;
    let result = take_over(session, &options, &open, &addr, id, events).await;
    let finished = open.finish().await;
    match result {
        Ok(()) if !finished.has_errors() => Ok(addr),
        Ok(()) => Err(finished),
        Err(mut said) => {
            said.append(finished);
            Err(said)
        }
    }
}

/// The instance that is meant; in a project its layer has to be said.
fn instance(session: &Session, options: &RunOptions, address: &Pattern) -> Result<InstanceAddr, Diagnostics> {
    let fail = |summary: &str, detail: String| Err(Diagnostic::error(summary, detail).into());
    let layers = &session.config.layers;
    let layer: LayerName = match (address.layer.as_ref().or(options.layer.as_ref()), layers.as_slice()) {
        (Some(layer), _) if layers.iter().any(|known| known.name == *layer) => layer.clone(),
        (Some(layer), _) => return fail("Unknown layer", format!("There is no layer {:?}.", layer.to_string())),
        (None, [only]) => only.name.clone(),
        (None, _) => {
            return fail(
                "Which layer?",
                format!("The project has several layers. Write the address with its own: layer.NAME.{address}."),
            );
        }
    };
    match &address.resource {
        Some(resource) if resource.mode == crate::addr::Mode::Managed => Ok(InstanceAddr {
            layer,
            module: address.module.clone(),
            resource: resource.clone(),
            key: address.key.clone(),
        }),
        Some(_) | None => fail(
            "Invalid import address",
            format!("{address} is not the address of an object. Only managed resources can be imported."),
        ),
    }
}

async fn take_over(
    session: &Session,
    options: &RunOptions,
    open: &Open,
    addr: &InstanceAddr,
    id: &str,
    events: &dyn Events,
) -> Result<(), Diagnostics> {
    let name = addr.in_project(session.config.prefixes_layers());
    let states: Vec<_> = open.views.iter().map(|view| (*view.state).clone()).collect();
    if states.iter().any(|state| state.layer == addr.layer && state.instance(addr).is_some()) {
        let detail = format!(
            "State has an object at {name} already. To import to this address, first take that one out of state: infra state \
             rm {name:?}."
        );
        return Err(Diagnostic::error("Resource already managed", detail).into());
    }
    let mut planning = options_of(session, options, Vec::new(), &metas(session).await);
    planning.imports = vec![(addr.clone(), id.to_owned())];
    let (plan, _) = segment(session, &states, &planning, false, events).await.into_result()?;
    let found = plan.change(addr).and_then(|planned| Some((planned, object(&plan, planned)?)));
    let Some((planned, object)) = found else {
        let detail = format!(
            "The configuration has no {name}, or its provider cannot be asked yet. Write the resource block first, and apply \
             what its provider is configured with."
        );
        return Err(Diagnostic::error("Resource not in configuration", detail).into());
    };
    let layer = session.config.layer_index(&addr.layer);
    let Some(commit) = layer.and_then(|layer| open.commits[layer].as_ref()) else {
        let detail = format!("Layer {} is not part of this run.", addr.layer);
        return Err(Diagnostic::error("State is not open for writing", detail).into());
    };
    let record = Record::new().put(Slot::current(addr.clone()), planned.change.provider.clone(), object);
    commit.append(record).await.map_err(|error| Diagnostics::from(error.diagnostic()))
}

/// What state is to have of an object that was found.
fn object(plan: &Plan, planned: &PlannedChange) -> Option<Arc<Object>> {
    planned.change.importing.as_ref()?;
    let dependencies = Dependencies::new(&plan.segment().graph).of(planned.work.node?);
    let stored = planned.work.stored.as_ref()?;
    Some(Arc::new(Object { dependencies, create_before_destroy: planned.work.creates_first, ..(**stored).clone() }))
}
