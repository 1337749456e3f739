//! Whether a held lock still counts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

/// What is known of a lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeaseState {
    /// It counts.
    Held,
    /// It could not be renewed for two thirds of its time: nothing new may be started.
    Doubtful,
    /// Somebody else has the lock.
    Lost,
}

/// Says whether a lock still counts. Cloning gives another view of the same one.
#[derive(Clone, Debug)]
pub struct Lease(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    length: Option<Duration>,
    renewed: Mutex<(Instant, SystemTime)>,
    state: watch::Sender<LeaseState>,
}

impl Lease {
    /// One that counts until it is lost: the lock is the operating system's.
    pub fn unlimited() -> Self {
        Lease::new(None)
    }

    pub(super) fn limited(length: Duration) -> Self {
        Lease::new(Some(length))
    }

    fn new(length: Option<Duration>) -> Self {
        let renewed = Mutex::new((Instant::now(), SystemTime::now()));
        Lease(Arc::new(Inner { length, renewed, state: watch::Sender::new(LeaseState::Held) }))
    }

    /// Whether something new may be started now. Asked before every remote call and every snapshot.
    pub fn may_start(&self) -> bool {
        self.state() == LeaseState::Held
    }

    /// What is known of it now.
    pub fn state(&self) -> LeaseState {
        let known = *self.0.state.borrow();
        let Some(length) = self.0.length else { return known };
        if known == LeaseState::Lost || self.age() < length * 2 / 3 { known } else { LeaseState::Doubtful }
    }

    /// Hears of changes.
    pub fn watch(&self) -> watch::Receiver<LeaseState> {
        self.0.state.subscribe()
    }

    /// Since the last renewal. A sleeping machine's monotonic clock stands still, its wall clock does not: the longer one counts.
    pub(super) fn age(&self) -> Duration {
        let (instant, wall) = *self.0.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        instant.elapsed().max(wall.elapsed().unwrap_or_default())
    }

    /// It was renewed by a request that began at these times.
    pub(super) fn renewed(&self, began: (Instant, SystemTime)) {
        *self.0.renewed.lock().unwrap_or_else(PoisonError::into_inner) = began;
        self.set(LeaseState::Held);
    }

    /// It could not be renewed.
    pub(super) fn not_renewed(&self) {
        self.set(self.state());
    }

    /// Somebody else has the lock. That is final.
    pub(in crate::state) fn lost(&self) {
        self.set(LeaseState::Lost);
    }

    fn set(&self, state: LeaseState) {
        self.0.state.send_if_modified(|known| {
            let change = *known != LeaseState::Lost && *known != state;
            if change {
                *known = state;
            }
            change
        });
    }
}
