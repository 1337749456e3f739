//! Locking the layers of a run, and giving them back whatever happens.

use std::time::Duration;

use crate::diag::Diagnostics;
use crate::event::{Event, Events};
use crate::state::{Commit, Lock, LockRequest, Run, StateError, StateHandle, View};

use super::session::{RunOptions, Session};

/// The locked and opened states of a run.
pub(super) struct Open {
    /// One for each layer: `None` where the run does not write.
    pub(super) commits: Vec<Option<Commit>>,
    /// What each layer's state was when it was opened.
    pub(super) views: Vec<View>,
    locks: Vec<Lock>,
}

impl Open {
    /// Locks the layers a run may change, in the order of their keys, and opens them for writing. Reads the others.
    pub(super) async fn take(
        session: &Session,
        options: &RunOptions,
        operation: &str,
        events: &dyn Events,
    ) -> Result<Open, Diagnostics> {
        session.read_global().await?;
        let writable = session.writable(options);
        let mut open = Open { commits: vec![None; session.handles.len()], views: Vec::new(), locks: Vec::new() };
        let mut views: Vec<Option<View>> = session.handles.iter().map(|_| None).collect();
        let result = open.lock(session, options, (operation, events), &writable, &mut views).await;
        if let Err(said) = result {
            open.release().await;
            return Err(said);
        }
        for (index, view) in views.into_iter().enumerate() {
            match view {
                Some(view) => open.views.push(view),
                None => match session.handles[index].read().await {
                    Ok(view) => open.views.push(view),
                    Err(error) => {
                        open.release().await;
                        return Err(error.diagnostic().into());
                    }
                },
            }
        }
        Ok(open)
    }

    async fn lock(
        &mut self,
        session: &Session,
        options: &RunOptions,
        (operation, events): (&str, &dyn Events),
        writable: &[usize],
        views: &mut [Option<View>],
    ) -> Result<(), Diagnostics> {
        let id = uuid::Uuid::new_v4().to_string();
        let who = &session.identity.who;
        for index in writable {
            let handle = &session.handles[*index];
            let lock = if options.lock {
                let mut request = LockRequest::new(who.clone(), operation);
                request.timeout = options.lock_timeout;
                request.take_over_expired = options.take_over_expired;
                request.version.clone_from(&session.identity.version);
                let lock = wait_for(handle, request, events).await?;
                self.locks.push(lock);
                self.locks.last()
            } else {
                None
            };
            let run = Run {
                id: format!("r{id}"),
                who: who.clone(),
                operation: operation.to_owned(),
                started: options.timestamp.to_string(),
            };
            let (commit, view) =
                handle.begin(lock, run).await.map_err(|error| Diagnostics::from(error.diagnostic()))?;
            self.commits[*index] = Some(commit);
            views[*index] = Some(view);
        }
        Ok(())
    }

    /// Writes the snapshots and gives the locks back.
    pub(super) async fn finish(mut self) -> Diagnostics {
        let mut said = Diagnostics::none();
        let finished = futures::future::join_all(self.commits.iter().flatten().map(Commit::finish)).await;
        for result in finished {
            if let Err(error) = result {
                said.push(error.diagnostic());
            }
        }
        said.append(self.release().await);
        said
    }

    async fn release(&mut self) -> Diagnostics {
        let mut said = Diagnostics::none();
        for lock in self.locks.drain(..) {
            if let Err(error) = lock.release().await {
                said.push(error.diagnostic());
            }
        }
        said
    }
}

/// Waits until nobody holds the states that a run may change, without locking them: for those who only look. All are looked at
/// together, because a bucket takes its time to answer.
pub(super) async fn wait_until_free(
    session: &Session,
    options: &RunOptions,
    operation: &str,
    events: &dyn Events,
) -> Result<(), Diagnostics> {
    let deadline = tokio::time::Instant::now() + options.lock_timeout;
    let wait = async |index: usize| {
        let handle = &session.handles[index];
        let mut request = LockRequest::new(session.identity.who.clone(), operation);
        request.take_over_expired = options.take_over_expired;
        let mut free = handle.until_free(&request).await;
        if let Err(StateError::Locked(locked)) = &free
            && !options.lock_timeout.is_zero()
        {
            events.emit(Event::LockWaiting { key: locked.key.clone(), holder: locked.holder() });
            request.timeout = deadline.saturating_duration_since(tokio::time::Instant::now());
            free = handle.until_free(&request).await;
        }
        free.map_err(|error| Diagnostics::from(error.diagnostic()))
    };
    futures::future::try_join_all(session.writable(options).into_iter().map(wait)).await.map(|_| ())
}

/// Takes a lock. Somebody who has to wait for it is told for whom.
async fn wait_for(handle: &StateHandle, request: LockRequest, events: &dyn Events) -> Result<Lock, Diagnostics> {
    let failed = |error: StateError| Diagnostics::from(error.diagnostic());
    if request.timeout.is_zero() {
        return handle.lock(&request).await.map_err(failed);
    }
    let at_once = LockRequest { timeout: Duration::ZERO, ..request.clone() };
    match handle.lock(&at_once).await {
        Err(StateError::Locked(locked)) => {
            events.emit(Event::LockWaiting { key: locked.key.clone(), holder: locked.holder() });
            handle.lock(&request).await.map_err(failed)
        }
        result => result.map_err(failed),
    }
}
