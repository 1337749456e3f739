//! When to try again: a number of tries with growing pauses.

use std::future::Future;
use std::time::Duration;

use crate::event::Stop;

/// How often to try, and how long to pause between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Tries in all; at least one is made.
    pub tries: u32,
    /// The first pause; each further one is twice as long.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
}

impl Retry {
    /// One try.
    pub const NEVER: Retry = Retry { tries: 1, first_pause: Duration::ZERO, longest_pause: Duration::ZERO };

    /// The pause after try number `tried` (the first is 1), or `None` when that was the last.
    pub fn pause(&self, tried: u32) -> Option<Duration> {
        if tried >= self.tries {
            return None;
        }
        let doubled = 2u32.saturating_pow(tried.saturating_sub(1).min(16));
        Some(self.first_pause.saturating_mul(doubled).min(self.longest_pause))
    }

    /// Runs `work` until it succeeds, its error is not `transient`, the tries are used up, or the user asks to stop; gives the last
    /// result.
    ///
    /// # Errors
    /// The error of the last try.
    pub async fn run<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        transient: impl Fn(&E) -> bool,
        mut work: impl FnMut() -> F,
    ) -> Result<T, E> {
        let mut tried = 0;
        loop {
            tried += 1;
            match work().await {
                Err(error) if transient(&error) => match self.pause(tried) {
                    Some(pause) if Stop::pause(pause).await => {}
                    // The tries are used up, or nobody waits for a further one.
                    Some(_) | None => return Err(error),
                },
                done => return done,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        let retry = Retry { tries: 5, first_pause: Duration::from_secs(1), longest_pause: Duration::from_secs(3) };
        let pauses: Vec<_> = (1..=5).map(|tried| retry.pause(tried).map(|pause| pause.as_secs())).collect();
        assert_eq!(pauses, [Some(1), Some(2), Some(3), Some(3), None]);
        assert_eq!(Retry::NEVER.pause(1), None);
    }

    #[tokio::test]
    async fn tries_again_only_what_may_pass() {
        async fn check(tries: u32, failures: u32, transient: bool, expect: (Result<u32, u32>, u32)) {
            let retry = Retry { tries, first_pause: Duration::ZERO, longest_pause: Duration::ZERO };
            let mut made = 0;
            let result = retry
                .run(
                    |_| transient,
                    || {
                        made += 1;
                        let result = if made <= failures { Err(made) } else { Ok(made) };
                        async move { result }
                    },
                )
                .await;
            assert_eq!((result, made), expect);
        }
        check(3, 0, true, (Ok(1), 1)).await;
        check(3, 2, true, (Ok(3), 3)).await;
        check(3, 9, true, (Err(3), 3)).await;
        check(3, 9, false, (Err(1), 1)).await;
    }
}
