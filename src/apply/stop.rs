//! The user's wish to stop: once (finish what runs), twice (give up at once).

use std::sync::Arc;

use tokio::sync::watch;

/// Shared by whoever hears the signal and whoever runs. Starts as "go on".
#[derive(Clone)]
pub struct Stop(Arc<watch::Sender<u8>>);

impl Default for Stop {
    fn default() -> Self {
        Stop(Arc::new(watch::Sender::new(0)))
    }
}

impl Stop {
    /// The user asked to stop; the second time at once.
    pub fn ask(&self) {
        self.0.send_modify(|level| *level = level.saturating_add(1));
    }

    /// No new call may start.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Running calls are given up.
    pub fn is_urgent(&self) -> bool {
        *self.0.borrow() > 1
    }

    /// Resolves when the user asks to give up at once.
    pub async fn urgent(&self) {
        let mut level = self.0.subscribe();
        // The sender lives as long as this handle.
        let _ = level.wait_for(|level| *level > 1).await;
    }
}
