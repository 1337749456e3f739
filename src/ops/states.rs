//! Use cases that read states or check configuration, without planning.

use crate::addr::{LayerName, Name};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::event::Silent;
use crate::plan::Options;
use crate::state::{LockInfo, OutputState, State};

use super::session::Session;

/// Checks that every store can be reached and keeps what is asked of it.
pub async fn init(session: &Session) -> Diagnostics {
    let mut said = Diagnostics::none();
    for handle in &session.handles {
        if let Err(error) = crate::state::store::probe(&**handle.store(), handle.key()).await {
            said.push(error.diagnostic().about(handle.key()));
        }
    }
    if !said.has_errors() {
        match session.views().await {
            Ok(_) => {}
            Err(errors) => said.append(errors),
        }
    }
    said
}

/// Checks the configuration against the schemas with nothing known from outside: the walk of a plan over empty states, in
/// which nobody is asked.
pub async fn validate(session: &Session, options: &Options) -> Diagnostics {
    let states: Vec<State> = session.config.layers.iter().map(|layer| State::empty(layer.name.clone())).collect();
    let options = Options { refresh: false, offline: true, ..options.clone() };
    let outcome = super::plan::segment(session, &states, &options, false, &Silent).await;
    outcome.said
}

/// The stored root outputs of every layer, in order.
///
/// # Errors
/// When a state cannot be read.
pub async fn outputs(session: &Session) -> Result<Vec<(LayerName, Name, OutputState)>, Diagnostics> {
    let views = session.views().await?;
    let of = |state: &State| {
        let layer = state.layer.clone();
        let outputs = state.outputs.iter();
        outputs.map(move |(name, output)| (layer.clone(), name.clone(), output.clone())).collect::<Vec<_>>()
    };
    Ok(views.iter().flat_map(|view| of(&view.state)).collect())
}

/// Removes a lock by its ID: in the named layer, else in the one that has it.
pub async fn force_unlock(session: &Session, layer: Option<&LayerName>, id: &str) -> Outcome<LockInfo> {
    let mut said = Diagnostics::none();
    for handle in &session.handles {
        if layer.is_some_and(|layer| layer != handle.layer()) {
            continue;
        }
        match handle.holder().await {
            Ok(Some(holder)) if holder.id == id => {
                return match handle.force_unlock(id).await {
                    Ok(info) => Outcome::ok(info),
                    Err(error) => Outcome::fail(error.diagnostic()),
                };
            }
            Ok(Some(holder)) => said.push(Diagnostic::error(
                "Lock has another ID",
                format!("{} is locked by {} with the ID {}.", handle.key(), holder.who, holder.id),
            )),
            Ok(None) => {}
            Err(error) => said.push(error.diagnostic()),
        }
    }
    if said.is_empty() {
        said.error(
            "Nothing is locked",
            if session.config.is_plain() {
                "Nobody holds a lock on the state."
            } else {
                "No layer of this project is locked."
            },
        );
    }
    Outcome::fail(said)
}
