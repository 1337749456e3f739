//! What stands in the way of destroying the layers that exist once for all environments: environments that still have state.

use std::collections::BTreeSet;

use crate::addr::{LayerName, Name};
use crate::config::{Above, INSTANCE, Place, StateSettings};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::plan::PlanMode;
use crate::state::StateHandle;

use super::session::{RunOptions, Session, store_of};

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
                let (store, key) = store_of(&with_instance(&settings, &instance));
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
    let (store, key) = store_of(settings);
    let Some((prefix, suffix)) = key.split_once(INSTANCE) else {
        let detail = format!(
            "The key of the states of environment {} does not contain environment.name, so that its instances cannot be listed.",
            above.environment
        );
        said.push(Diagnostic::error("State of an environment not found", detail));
        return BTreeSet::new();
    };
    let keys = match store.list(prefix).await {
        Ok(keys) => keys,
        Err(error) => {
            said.push(crate::state::StateError::from(error).diagnostic());
            return BTreeSet::new();
        }
    };
    // The state itself, or what lies beside it: a journal may be all that there is.
    let instance = |key: &String| {
        let rest = key.strip_prefix(prefix)?;
        let end = if suffix.is_empty() { rest.len() } else { rest.find(suffix)? };
        Some(rest[..end].to_owned()).filter(|name| !name.is_empty() && !name.contains('/'))
    };
    keys.iter().filter_map(instance).collect()
}

/// The settings with the name of an instance in the place of any.
fn with_instance(settings: &StateSettings, instance: &str) -> StateSettings {
    match settings {
        StateSettings::Local { path } => {
            StateSettings::Local { path: path.to_string_lossy().replace(INSTANCE, instance).into() }
        }
        StateSettings::S3(settings) => {
            let key = settings.key.replace(INSTANCE, instance);
            StateSettings::S3(Box::new(crate::config::S3Settings { key, ..(**settings).clone() }))
        }
    }
}
