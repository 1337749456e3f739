//! Ctrl-C and SIGTERM: once to end what only waits and finish, twice to give up the calls that run.
//!
//! Neither cuts short what cleans up: results, snapshots and locks take bounded time, and a cancelled job sends its second signal
//! while they are being written.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::event::Stop;

use super::listen::Listener;
use super::product::product;
use super::terminal::Terminal;

/// What the second signal means.
const GIVEN_UP: &str = "\nTwo interrupts received. Exiting immediately.\nCalls that are still under way are given up; the next run finds out what became of them.\n";

/// What the first signal means, in Terraform's words; the name is that of the program that is spoken as.
fn received() -> String {
    let program = product().name();
    format!(
        "\nInterrupt received.\nPlease wait for {program} to exit or data loss may occur.\nGracefully shutting down...\n"
    )
}

/// Resolves at the first signal.
pub(super) async fn any() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Calls `heard` at every signal until the task is aborted. From the moment this returns no signal ends the process any more.
pub(super) fn each(mut heard: impl FnMut() + Send + 'static) -> JoinHandle<()> {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else { return };
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            heard();
        }
    })
}

/// Tells `stop` of every signal until the task is aborted.
pub(super) fn listen(stop: &Stop, listener: &Listener) -> JoinHandle<()> {
    let (stop, listener) = (stop.clone(), listener.clone());
    each(move || {
        // Told before it is asked for: what stops may end the process at once.
        if !stop.is_asked() {
            listener.log(&received());
            listener.log("Stopping operation...");
        } else if !stop.is_urgent() {
            listener.log(GIVEN_UP);
        }
        stop.ask();
    })
}

/// Does the work of a command that writes state without a plan. A signal ends what it waits for (the lock, a provider), and
/// nothing else: the write of a few records and the release of the lock are not cut short.
pub(super) async fn guard<F: Future>(terminal: Terminal, work: F) -> F::Output {
    let stop = Stop::default();
    let heard = stop.clone();
    let signals = each(move || {
        if !heard.is_asked() {
            terminal.print(&format!("{}\n", received()));
        }
        heard.ask();
    });
    let done = stop.scope(work).await;
    signals.abort();
    done
}
