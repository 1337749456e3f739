//! The user's wish to stop, and the places that end early because of it.
//!
//! Asked once, everything that only waits (a pause between tries, a rollout, a provisioner) ends, and nothing new starts; a call
//! that changes something may end, because its result is worth more than the second that it takes. Asked twice, those calls are
//! given up as well. What cleans up (results, snapshots, locks) looks at neither: it takes bounded time and is never cut short.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// A call is given this long after the first signal, whatever else is asked: wrappers pass on a Ctrl-C that the terminal has
/// delivered already, so that two signals may be one wish.
const GRACE: Duration = Duration::from_millis(1500);

tokio::task_local! {
    /// The wish that counts for the work of this task.
    static HERE: Stop;
}

/// Shared by whoever hears the signal and whoever runs. Starts as "go on".
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<Asked>>);

#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    times: u8,
    first: Option<Instant>,
}

impl Default for Stop {
    fn default() -> Self {
        Stop(Arc::new(watch::Sender::new(Asked::default())))
    }
}

impl Stop {
    /// The user asks to stop; the second time without waiting for calls.
    pub fn ask(&self) {
        self.0.send_modify(|asked| {
            asked.times = asked.times.saturating_add(1);
            asked.first.get_or_insert_with(Instant::now);
        });
    }

    /// Nothing new may start, and nothing is waited for.
    pub fn is_asked(&self) -> bool {
        self.0.borrow().times > 0
    }

    /// Running calls are given up.
    pub fn is_urgent(&self) -> bool {
        self.0.borrow().times > 1
    }

    /// Resolves when the user asks to stop.
    pub async fn asked(&self) {
        let mut asked = self.0.subscribe();
        // The sender lives as long as this handle.
        let _ = asked.wait_for(|asked| asked.times > 0).await;
    }

    /// Resolves when running calls are to be given up.
    pub async fn urgent(&self) {
        let mut asked = self.0.subscribe();
        let first = asked.wait_for(|asked| asked.times > 1).await.ok().and_then(|asked| asked.first);
        if let Some(first) = first {
            tokio::time::sleep_until(first + GRACE).await;
        }
    }

    /// Does work that looks at this wish through [`Stop::here`]. Tasks that it spawns do not.
    pub async fn scope<F: Future>(&self, work: F) -> F::Output {
        HERE.scope(self.clone(), work).await
    }

    /// Resolves when the user asks to stop the work that this is called from; never outside of such work.
    pub async fn here() {
        match HERE.try_with(Stop::clone) {
            Ok(stop) => stop.asked().await,
            Err(_) => std::future::pending().await,
        }
    }

    /// Whether the user asks to stop the work that this is called from.
    pub fn is_asked_here() -> bool {
        HERE.try_with(Stop::is_asked).unwrap_or(false)
    }

    /// What work comes to that is worth nothing unless it is whole: `None` where the user asks to stop before its end. Work whose
    /// last pause was cut short may look as if it had ended.
    pub async fn or<F: Future>(work: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            () = Stop::here() => None,
            done = work => (!Stop::is_asked_here()).then_some(done),
        }
    }

    /// Waits, unless the user asks to stop; whether the time has passed.
    pub async fn pause(duration: Duration) -> bool {
        tokio::select! {
            biased;
            () = Stop::here() => false,
            () = tokio::time::sleep(duration) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn pauses_end_at_the_first_wish_where_it_counts() {
        let (stop, day) = (Stop::default(), Duration::from_secs(86_400));
        assert!(Stop::pause(Duration::from_millis(1)).await, "nobody can ask here");
        assert!(stop.scope(Stop::pause(Duration::from_millis(1))).await);
        let (passed, ()) = tokio::join!(stop.scope(Stop::pause(day)), async { stop.ask() });
        assert!(!passed);
        assert!(!stop.scope(Stop::pause(day)).await, "no pause begins any more");
        assert!(Stop::here().now_or_never().is_none(), "not outside of the work");
        let spawned = stop.scope(async { tokio::spawn(async { Stop::is_asked_here() }).await }).await;
        assert_eq!(spawned.ok(), Some(false), "not in tasks of its own");
    }

    #[tokio::test]
    async fn what_ends_together_with_the_wish_is_not_whole() {
        let stop = Stop::default();
        let done = stop.scope(Stop::or(async { 1 })).await;
        assert_eq!(done, Some(1));
        let done = stop.scope(Stop::or(async { stop.ask() })).await;
        assert_eq!(done, None);
        let done = stop.scope(Stop::or(async { unreachable!("it is not begun") })).await;
        assert_eq!(done, None::<()>);
        assert_eq!(Stop::or(async { 1 }).await, Some(1), "nobody can ask here");
    }

    #[tokio::test]
    async fn calls_are_given_up_at_the_second_wish_and_not_before_their_grace() {
        let (stop, began) = (Stop::default(), Instant::now());
        stop.ask();
        assert!(stop.is_asked() && !stop.is_urgent());
        stop.ask();
        assert!(stop.urgent().now_or_never().is_none(), "two signals at once may be one wish");
        stop.urgent().await;
        assert!(began.elapsed() >= GRACE);
        stop.urgent().await;
    }
}
