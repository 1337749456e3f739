//! `state push`: a state from a file takes the place of the stored one.

use std::sync::Arc;

use crate::addr::LayerName;
use crate::diag::{Diagnostic, Diagnostics};
use crate::state::{LockRequest, Run, State, StateError, StateHandle, View, format};

use super::session::{RunOptions, Session};

/// Writes the state of a file; with `force` over whatever is there. `name` is what the file is called in messages.
///
/// # Errors
/// When the bytes are no state, the stored one is newer or another one, or the store fails. Then nothing has changed.
pub async fn push(
    session: &Session,
    options: &RunOptions,
    (name, bytes): (&str, &[u8]),
    force: bool,
) -> Result<(), Diagnostics> {
    let handle = one(session, options)?;
    let source = format::read(handle.layer(), bytes).map_err(|error| {
        let detail = format!("Error reading source state {name:?}: {error}.");
        Diagnostics::from(Diagnostic::error("State file not read", detail))
    })?;
    let failed = |error: StateError| Diagnostics::from(error.diagnostic());
    let mut lock = None;
    if options.lock {
        let mut request = LockRequest::new(session.identity.who.clone(), "state push");
        request.timeout = options.lock_timeout;
        request.version.clone_from(&session.identity.version);
        lock = Some(handle.lock(&request).await.map_err(failed)?);
    }
    let mut result = async {
        let run = Run {
            id: format!("r{}", uuid::Uuid::new_v4()),
            who: session.identity.who.clone(),
            operation: "state push".to_owned(),
            started: options.timestamp.to_string(),
        };
        // What a former run has left in the journal belongs to the state that is compared.
        let (commit, _) = handle.begin(lock.as_ref(), run).await.map_err(failed)?;
        commit.finish().await.map_err(failed)?;
        let there = handle.read().await.map_err(failed)?;
        match pushed(source, &there, force)? {
            Some(state) => handle.replace(&state, &there).await.map_err(failed),
            None => Ok(()),
        }
    }
    .await;
    if let Some(lock) = lock
        && let Err(error) = lock.release().await
    {
        result = result.and(Err(failed(error)));
    }
    result
}

/// The state that is meant: in a project its layer has to be said.
fn one<'a>(session: &'a Session, options: &RunOptions) -> Result<&'a StateHandle, Diagnostics> {
    let wanted = |handle: &&StateHandle| options.layer.as_ref().is_none_or(|layer| layer == handle.layer());
    let mut found = session.handles.iter().filter(wanted);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        _ => {
            let names: Vec<&str> = session.handles.iter().map(|handle| LayerName::as_str(handle.layer())).collect();
            let detail = format!("Each layer has a state of its own: pass -layer with one of {}.", names.join(", "));
            Err(Diagnostic::error("Which layer?", detail).into())
        }
    }
}

/// What is to be written; nothing where that is there already.
fn pushed(mut source: State, there: &View, force: bool) -> Result<Option<Arc<State>>, Diagnostics> {
    let refuse = |why: String| {
        let detail = "Nothing was changed. Look at both with infra state pull first; -force writes all the same.";
        Err(Diagnostic::error(format!("Failed to write state: {why}"), detail).into())
    };
    if !there.open.is_empty() && !force {
        return refuse(format!("{} calls of a former run are not settled: infra state uncertain", there.open.len()));
    }
    let stored = &there.state;
    let is_new = there.version.is_none() || stored.lineage.is_empty();
    if is_new {
        return Ok(Some(Arc::new(source)));
    }
    let same_line = source.lineage.is_empty() || source.lineage == stored.lineage;
    if !same_line && !force {
        return refuse(format!(
            "cannot import state with lineage {:?} over unrelated state with lineage {:?}",
            source.lineage, stored.lineage
        ));
    }
    if same_line && source.serial < stored.serial && !force {
        return refuse(format!(
            "cannot import state with serial {} over newer state with serial {}",
            source.serial, stored.serial
        ));
    }
    if same_line && source.serial == stored.serial {
        source.written_by.clone_from(&stored.written_by);
        if source == **stored {
            return Ok(None);
        }
        if !force {
            return refuse(format!(
                "cannot overwrite existing state with serial {} with a different state that has the same serial",
                source.serial
            ));
        }
        source.serial += 1;
    }
    Ok(Some(Arc::new(source)))
}
