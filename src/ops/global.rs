//! What stands in the way of destroying the layers that exist once for all environments: environments that still have state.

use std::collections::BTreeSet;

use crate::addr::{LayerName, Name};
use crate::config::{Above, Place, StateSettings};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::plan::PlanMode;
use crate::state::StateHandle;

use super::session::{RunOptions, Session, store_of};
use super::stored::{Stored, with_name};

/// Refuses to destroy global layers while an environment above them has state, and where that cannot be found out.
pub(super) async fn in_use(session: &Session, options: &RunOptions) -> Diagnostics {
    if options.mode != PlanMode::Destroy {
        return Diagnostics::none();
    }
    let looks = session.config.above.iter().map(look);
    let mut said = Diagnostics::none();
    let mut used = BTreeSet::new();
    for found in futures::future::join_all(looks).await {
        used.extend(found.take(&mut said).unwrap_or_default());
    }
    if !used.is_empty() {
        let list: Vec<String> =
            used.into_iter().map(|(environment, layer)| format!("{layer} of {environment}")).collect();
        let detail = format!(
            "Layers of environments still have state: {}. They may need what the global layers made, and would be left without it. \
             Destroy the environments first.",
            list.join(", ")
        );
        said.push(Diagnostic::error("Global layers are in use", detail));
    }
    said
}

/// The environments, with their instances, in which the layer has state.
async fn look(above: &Above) -> Outcome<Vec<(Name, LayerName)>> {
    let mut said = Diagnostics::none();
    let Some(place) = above.state.clone().take(&mut said).filter(|_| !said.has_errors()) else {
        let detail = format!(
            "Where the state of layer {} of environment {} lies cannot be told from here, so that nobody knows whether it needs the \
             global layers.",
            above.layer, above.environment
        );
        said.push(Diagnostic::error("State of an environment not found", detail));
        return Outcome::fail(said);
    };
    let mut used = Vec::new();
    match place {
        Place::One(settings) => {
            let (store, key) = store_of(&settings);
            if has_state(&StateHandle::new(store, key, above.layer.clone()), &mut said).await {
                used.push((above.environment.clone(), above.layer.clone()));
            }
        }
        Place::Instances(settings) => {
            for instance in instances(above, &settings, &mut said).await {
                let (store, key) = store_of(&with_name(&settings, &instance));
                if has_state(&StateHandle::new(store, key, above.layer.clone()), &mut said).await {
                    let name = Name::from(format!("{}/{instance}", above.environment).as_str());
                    used.push((name, above.layer.clone()));
                }
            }
        }
    }
    Outcome::with(used, said)
}

async fn has_state(handle: &StateHandle, said: &mut Diagnostics) -> bool {
    match handle.read().await {
        Ok(view) => view.state.object_count() > 0 || !view.open.is_empty() || !view.conflicts.is_empty(),
        Err(error) => {
            said.push(error.diagnostic());
            false
        }
    }
}

/// The instances of an environment that have anything stored, by the names of the keys.
async fn instances(above: &Above, settings: &StateSettings, said: &mut Diagnostics) -> BTreeSet<String> {
    match Stored::of(settings).await {
        Ok(Some(stored)) => stored.names().into_keys().map(str::to_owned).collect(),
        Ok(None) => {
            let detail = format!(
                "The key of the states of environment {} does not contain environment.name, so that its instances cannot be listed.",
                above.environment
            );
            said.push(Diagnostic::error("State of an environment not found", detail));
            BTreeSet::new()
        }
        Err(error) => {
            said.push(error.diagnostic());
            BTreeSet::new()
        }
    }
}
