//! `state mv -state-out`: objects leave one state file for another one.

use std::path::Path;

use crate::addr::Pattern;
use crate::diag::{Diagnostic, Diagnostics};
use crate::event::Silent;
use crate::state::{Lock, LockRequest, Record, Run, State, StateError, StateHandle};

use super::locks::Open;
use super::session::{RunOptions, Session};
use super::state_files::handle_of;
use super::surgery::{Surgery, Treated, planned};

/// Moves what is at the first address to the second one of another state file. It is there before it leaves.
///
/// # Errors
/// When there is no such object, the new place is taken, or a state cannot be written.
pub async fn move_out(
    session: &Session,
    options: &RunOptions,
    ends: (Pattern, Pattern),
    to: &Path,
) -> Result<Treated, Diagnostics> {
    let open = Open::take(session, options, "state mv", &Silent).await?;
    let result = moved(session, options, &open, ends, to).await;
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

async fn moved(
    session: &Session,
    options: &RunOptions,
    open: &Open,
    ends: (Pattern, Pattern),
    to: &Path,
) -> Result<Treated, Diagnostics> {
    let states: Vec<&State> = open.views.iter().map(|view| &*view.state).collect();
    let to_pattern = ends.1.clone();
    let mut plan =
        planned(&states, &Surgery::Move(Box::new(ends)), false).map_err(|wrong| Diagnostics::from(*wrong))?;
    let failed = |error: StateError| Diagnostics::from(error.diagnostic());
    let other = handle_of(&session.config.working_dir.join(to));
    let lock = match options.lock {
        true => {
            let mut request = LockRequest::new(session.identity.who.clone(), "state mv");
            request.timeout = options.lock_timeout;
            Some(other.lock(&request).await.map_err(failed)?)
        }
        false => None,
    };
    let there = other.read().await.map_err(failed)?;
    let taken = plan.treated.iter().filter_map(|(_, now)| now.as_ref()).find(|now| there.state.instance(now).is_some());
    if let Some(taken) = taken {
        let detail = format!("Cannot move to {taken}: there is already an object at that address of {}.", to.display());
        return Err(Diagnostic::error("Invalid target address", detail).into());
    }
    let Some(commit) = open.commits.first().and_then(Option::as_ref) else {
        let detail = format!("{to_pattern} belongs to a layer that is not part of the run.");
        return Err(Diagnostic::error("State is not open for writing", detail).into());
    };
    let run = Run {
        id: format!("r{}", uuid::Uuid::new_v4()),
        who: session.identity.who.clone(),
        operation: "state mv".to_owned(),
        started: options.timestamp.to_string(),
    };
    let (put, remove) = (take(&mut plan.put), take(&mut plan.remove));
    let arrived = arrive(&other, lock.as_ref(), run, put).await;
    if let Some(lock) = lock {
        lock.release().await.map_err(failed)?;
    }
    arrived.map_err(failed)?;
    commit.append(remove).await.map_err(failed)?;
    Ok(plan.treated)
}

/// Writes what arrives, to the snapshot.
async fn arrive(other: &StateHandle, lock: Option<&Lock>, run: Run, put: Record) -> Result<(), StateError> {
    let (commit, _) = other.begin(lock, run).await?;
    commit.append(put).await?;
    commit.finish().await.map(drop)
}

/// A folder without a project has one state.
fn take(records: &mut Vec<Record>) -> Record {
    if records.is_empty() { Record::new() } else { records.swap_remove(0) }
}
