//! Ctrl-C and SIGTERM: once to stop orderly, twice to give up.

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::apply::Stop;

use super::listen::Listener;

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

/// Calls `heard` at every signal until the task is aborted.
pub(super) fn each(mut heard: impl FnMut() + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
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
        let first = !stop.is_asked();
        stop.ask();
        listener.print(if first {
            "\nStopping: nothing new is started, what runs is waited for. Once more gives up at once.\n"
        } else {
            "\nGiving up what runs. The next run finds out what became of it.\n"
        });
    })
}
