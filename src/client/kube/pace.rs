//! How hard a server is asked: so many requests at once, fewer while it says that it has too many; again where that may help; and not at
//! all for a moment after it did not answer.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::KubeError;
use crate::client::retry::Retry;
use crate::event::Stop;

/// So many requests are in flight at once.
pub const IN_FLIGHT: usize = 64;

/// However busy a server is, so many are.
const AT_LEAST: usize = 4;

/// After so many answers one more request is tried at once again.
const ANSWERS: usize = 16;

const RETRY: Retry = Retry { tries: 5, first_pause: Duration::from_millis(100), longest_pause: Duration::from_secs(3) };

/// A busy server is asked again for this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// One that does not answer is, for this long.
const SILENCE: Duration = Duration::from_secs(15);

/// A server that did not answer is not asked for this long: what wants an object of it each would wait for the same error.
const DOWN: Duration = Duration::from_secs(3);

/// The pace of a connection.
pub(super) struct Pace {
    retry: Retry,
    permits: Semaphore,
    /// Permits that were taken out.
    fewer: AtomicUsize,
    answers: AtomicUsize,
    down: Mutex<Option<(Instant, KubeError)>>,
}

impl Default for Pace {
    fn default() -> Self {
        Pace::new(RETRY)
    }
}

/// The right to send one request.
pub(super) struct Permit<'a> {
    permit: Option<SemaphorePermit<'a>>,
    pace: &'a Pace,
}

impl Pace {
    fn new(retry: Retry) -> Self {
        let (fewer, answers, down) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::default());
        Pace { retry, permits: Semaphore::new(IN_FLIGHT), fewer, answers, down }
    }

    /// Of a server in this process: what fails once fails again.
    pub(super) fn of_one_try() -> Self {
        Pace::new(Retry::NEVER)
    }

    pub(super) async fn permit(&self) -> Permit<'_> {
        // The semaphore is never closed.
        Permit { permit: self.permits.acquire().await.ok(), pace: self }
    }

    /// Makes a call, again where that may help.
    ///
    /// # Errors
    /// Of the last try, or of the call that found the server down a moment ago.
    pub(super) async fn run<T, F: Future<Output = Result<T, KubeError>>>(
        &self,
        mut call: impl FnMut() -> F,
    ) -> Result<T, KubeError> {
        let (mut tried, began) = (0, Instant::now());
        loop {
            if let Some(error) = self.is_down() {
                return Err(error);
            }
            tried += 1;
            let error = match call().await {
                Err(error) if error.is_transient() => error,
                done => return done,
            };
            match self.pause(&error, tried, began.elapsed()) {
                Some(pause) if Stop::pause(pause).await => {}
                // Nobody waits for a further try.
                Some(_) => return Err(error),
                None => {
                    self.gave_up(&error);
                    return Err(error);
                }
            }
        }
    }

    /// The pause after a try; `None` when it was the last.
    fn pause(&self, error: &KubeError, tried: u32, elapsed: Duration) -> Option<Duration> {
        let next = self.retry.pause(tried);
        if !error.is_busy() {
            return next.filter(|_| elapsed < SILENCE);
        }
        if self.retry == Retry::NEVER {
            return None;
        }
        let KubeError::Refused { retry_after, .. } = error else { return next };
        let pause = retry_after.or(next).unwrap_or(self.retry.longest_pause);
        (elapsed + pause <= PATIENCE).then_some(pause)
    }

    fn is_down(&self) -> Option<KubeError> {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        match &*down {
            Some((since, error)) if since.elapsed() < DOWN => Some(error.clone()),
            Some(_) => {
                *down = None;
                None
            }
            None => None,
        }
    }

    fn gave_up(&self, error: &KubeError) {
        if error.is_unreachable() && self.retry != Retry::NEVER {
            *self.down.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), error.clone()));
        }
    }
}

impl Permit<'_> {
    /// Hears how the server answered.
    pub(super) fn answered(mut self, status: StatusCode) {
        let pace = self.pace;
        if status == StatusCode::TOO_MANY_REQUESTS {
            let fewer = |fewer: usize| (fewer < IN_FLIGHT - AT_LEAST).then_some(fewer + 1);
            if pace.fewer.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_ok()
                && let Some(permit) = self.permit.take()
            {
                permit.forget();
            }
            return;
        }
        let again = pace.answers.fetch_add(1, Ordering::Relaxed) % ANSWERS == ANSWERS - 1;
        if again && pace.fewer.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |fewer| fewer.checked_sub(1)).is_ok()
        {
            pace.permits.add_permits(1);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn refused(code: u16, retry_after: Option<u64>) -> KubeError {
        KubeError::from_answer("h", code, b"").retried_after(retry_after)
    }

    fn unreachable() -> KubeError {
        KubeError::Unreachable { host: "h".into(), reason: "refused".into() }
    }

    #[test]
    fn a_busy_server_has_a_minute() {
        let pace = Pace::default();
        for (error, tried, elapsed, expect) in [
            (refused(429, Some(7)), 1, 0, Some(7_000)),
            (refused(429, Some(7)), 9, 53, Some(7_000)),
            (refused(429, Some(7)), 9, 54, None),
            (refused(503, None), 1, 0, Some(100)),
            (refused(503, None), 40, 50, Some(3_000)),
            (refused(502, None), 5, 2, None),
            (refused(500, Some(1)), 5, 2, Some(1_000)),
            (unreachable(), 1, 0, Some(100)),
            (unreachable(), 5, 2, None),
            (unreachable(), 2, 20, None),
        ] {
            let pause = pace.pause(&error, tried, Duration::from_secs(elapsed));
            assert_eq!(pause.map(|pause| pause.as_millis()), expect, "{error:?} {tried} {elapsed}");
        }
        assert_eq!(Pace::of_one_try().pause(&refused(429, Some(1)), 1, Duration::ZERO), None);
    }

    #[tokio::test]
    async fn a_server_that_did_not_answer_is_not_asked_for_each_object() {
        let retry = Retry { tries: 5, first_pause: Duration::ZERO, longest_pause: Duration::ZERO };
        let (pace, asked) = (Pace::new(retry), AtomicUsize::new(0));
        let call = || async {
            asked.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(unreachable())
        };
        for _ in 0..100 {
            assert!(pace.run(call).await.unwrap_err().is_unreachable());
        }
        assert_eq!(asked.load(Ordering::Relaxed), 5);
        // A moment later it is.
        *pace.down.lock().unwrap() = Some((Instant::now() - DOWN, unreachable()));
        assert!(pace.run(|| async { Ok(()) }).await.is_ok());
    }

    #[tokio::test]
    async fn fewer_requests_are_made_of_a_server_that_has_too_many() {
        let pace = Pace::default();
        for _ in 0..200 {
            pace.permit().await.answered(StatusCode::TOO_MANY_REQUESTS);
        }
        assert_eq!(pace.permits.available_permits(), AT_LEAST);
        for _ in 0..IN_FLIGHT * ANSWERS {
            pace.permit().await.answered(StatusCode::OK);
        }
        assert_eq!(pace.permits.available_permits(), IN_FLIGHT);
    }
}
