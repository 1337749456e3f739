//! Journals of runs that another run overtook: what they hold, and whether it shall count.
//!
//! Such a run had lost its lock and went on, or its state was replaced behind its back. Its results extend a snapshot that is
//! no longer current, so nobody but the user can say which of the two is right.

use crate::addr::LayerName;
use crate::diag::{Diagnostic, Diagnostics};
use crate::state::{Conflict, LockRequest, Run};

use super::session::{RunOptions, Session};

/// A journal that cannot be folded in.
#[derive(Clone, Debug)]
pub struct Overtaken {
    /// The layer whose state it extends.
    pub layer: LayerName,
    /// What it holds, and why it does not fit.
    pub conflict: Conflict,
}

/// What became of the journals of one layer.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The layer.
    pub layer: LayerName,
    /// How many journals.
    pub journals: usize,
    /// Whether the state is another one now.
    pub changed: bool,
    /// Calls of whose end nobody knows now.
    pub uncertain: usize,
}

/// The overtaken journals of all layers, in the order of the layers.
///
/// # Errors
/// When a state cannot be read.
pub async fn overtaken(session: &Session) -> Result<Vec<Overtaken>, Diagnostics> {
    let views = session.views().await?;
    let of = views.into_iter().flat_map(|view| {
        let layer = view.state.layer.clone();
        view.conflicts.into_iter().map(move |conflict| Overtaken { layer: layer.clone(), conflict })
    });
    Ok(of.collect())
}

/// Takes what overtaken journals hold into state (`keep`), or drops it, layer after layer in the order of their keys.
///
/// # Errors
/// When there are none, a layer is locked, or what is to be kept cannot be read. Layers settled before stay so.
pub async fn settle_overtaken(
    session: &Session,
    options: &RunOptions,
    keep: bool,
) -> Result<Vec<Settled>, Diagnostics> {
    let mut settled = Vec::new();
    for index in session.writable(options) {
        let handle = &session.handles[index];
        let view = handle.read().await.map_err(|error| Diagnostics::from(error.diagnostic()))?;
        if view.conflicts.is_empty() {
            continue;
        }
        let mut request = LockRequest::new(session.identity.who.clone(), OPERATION);
        request.timeout = options.lock_timeout;
        request.take_over_expired = options.take_over_expired;
        request.version.clone_from(&session.identity.version);
        let lock = handle.lock(&request).await.map_err(|error| Diagnostics::from(error.diagnostic()))?;
        let run = Run {
            id: format!("r{}", uuid::Uuid::new_v4()),
            who: session.identity.who.clone(),
            operation: OPERATION.to_owned(),
            started: options.timestamp.to_string(),
        };
        let result = handle.settle_conflicts(&lock, run, keep).await;
        let released = lock.release().await;
        let finished = result.map_err(|error| Diagnostics::from(error.diagnostic()))?;
        released.map_err(|error| Diagnostics::from(error.diagnostic()))?;
        settled.push(Settled {
            layer: handle.layer().clone(),
            journals: view.conflicts.len(),
            changed: finished.written,
            uncertain: finished.open.len(),
        });
    }
    if settled.is_empty() {
        let detail = "No journal of an overtaken run is there. infra state uncertain lists what is to be settled.";
        return Err(Diagnostic::error("Nothing to settle", detail).into());
    }
    Ok(settled)
}

/// What the lock and the journal call this.
const OPERATION: &str = "state settle";
