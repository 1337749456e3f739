//! The client of one host: a few sessions that are kept open and lent to whoever has something to do there.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ssh2::{DisconnectCode, Session};
use tokio::sync::Semaphore;

use super::exec::OutputLine;
use super::{Exec, ExecOutput, SshError, Target, exec, session};
use crate::event::Stop;

/// Commands at once on one host. Each takes a session of its own, because the library lets a session do one thing at a time;
/// more would run into the limit of logins that OpenSSH sets by default (MaxStartups 10:30:100).
const SESSIONS: usize = 4;

/// A host to run commands on. Cloning shares its sessions.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    target: Target,
    idle: Mutex<Vec<Session>>,
    permits: Semaphore,
    stopped: AtomicBool,
}

impl Client {
    /// A client that has not connected yet.
    pub fn new(target: Target) -> Self {
        Client {
            inner: Arc::new(Inner {
                target,
                idle: Mutex::default(),
                permits: Semaphore::new(SESSIONS),
                stopped: AtomicBool::new(false),
            }),
        }
    }

    /// Where it goes.
    pub fn target(&self) -> &Target {
        &self.inner.target
    }

    /// Connects and logs in, unless a session is open already.
    ///
    /// # Errors
    /// When that fails.
    pub async fn connect(&self) -> Result<(), SshError> {
        if !self.idle().is_empty() {
            return Ok(());
        }
        let inner = self.inner.clone();
        let session = tokio::select! {
            session = self.blocking(move |_| session::open(&inner.target)) => session?,
            () = Stop::here() => return Err(SshError::Interrupted { place: self.inner.target.place() }),
        };
        self.idle().push(session);
        Ok(())
    }

    /// Runs a command and waits for its end. When the future is dropped, the session is given up and the command loses its
    /// input and output; it may still be running on the host.
    ///
    /// # Errors
    /// When the host cannot be reached, or the command did not end in time. A command that fails is no error.
    pub async fn run(&self, exec: Exec) -> Result<ExecOutput, SshError> {
        let place = || self.inner.target.place();
        let permit = self.inner.permits.acquire().await.map_err(|_| SshError::Stopped { place: place() })?;
        // Connecting ends when the user asks to stop; the command itself does not.
        self.connect().await?;
        let inner = self.inner.clone();
        let kept = self.idle().pop();
        let output = self
            .blocking(move |stop| {
                let target = &inner.target;
                // A session that lay idle may be dead by now. That shows when a channel is opened, before anything ran.
                let reopened = kept.and_then(|session| {
                    let channel = exec::open(&session, target).ok()?;
                    Some((session, channel))
                });
                let (session, channel) = match reopened {
                    Some(both) => both,
                    None => {
                        let session = session::open(target)?;
                        let channel = exec::open(&session, target)?;
                        (session, channel)
                    }
                };
                let output = exec::run(&session, channel, &exec, target, stop)?;
                inner.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
                Ok(output)
            })
            .await;
        drop(permit);
        output
    }

    /// Runs a command like [`Client::run`], and reports each line of its output that is not blank as it is printed.
    ///
    /// # Errors
    /// Those of [`Client::run`].
    pub async fn run_heard(&self, exec: Exec, heard: &(dyn Fn(&str) + Sync)) -> Result<ExecOutput, SshError> {
        let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
        let running = self.run(exec.report(sender));
        tokio::pin!(running);
        let hear = |line: OutputLine| {
            if !line.text.trim().is_empty() {
                heard(line.text.trim());
            }
        };
        loop {
            tokio::select! {
                output = &mut running => {
                    // A short command has ended before its lines were looked at; they are reported all the same.
                    while let Ok(line) = lines.try_recv() {
                        hear(line);
                    }
                    return output;
                }
                Some(line) = lines.recv() => hear(line),
            }
        }
    }

    /// Ends what runs and closes the sessions.
    pub fn stop(&self) {
        self.inner.stopped.store(true, Ordering::Relaxed);
        self.inner.permits.close();
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs blocking work on a thread for it, and tells the work when nobody waits for it any more.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Fn() -> bool) -> Result<T, SshError> + Send + 'static,
    ) -> Result<T, SshError> {
        let abandoned = Arc::new(AtomicBool::new(false));
        let _raised_on_drop = Raise(abandoned.clone());
        let inner = self.inner.clone();
        let stop = move || abandoned.load(Ordering::Relaxed) || inner.stopped.load(Ordering::Relaxed);
        let task = tokio::task::spawn_blocking(move || work(&stop));
        match task.await {
            Ok(result) => result,
            Err(_) => Err(SshError::Stopped { place: self.inner.target.place() }),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let sessions = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for session in sessions {
            session.set_timeout(500);
            // The host drops its side anyway when the connection closes.
            let _ = session.disconnect(Some(DisconnectCode::ByApplication), "done", None);
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("target", &self.inner.target).finish_non_exhaustive()
    }
}

/// Raises a flag when dropped.
struct Raise(Arc<AtomicBool>);

impl Drop for Raise {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
