//! Places for calls in flight.

use std::collections::VecDeque;

use foldhash::{HashMap, HashMapExt};

use crate::plan::PlannedChange;

/// Calls of providers without remote objects that may run at once: their results share appends to the journal.
const LOCAL_IN_FLIGHT: usize = 1024;

/// One pool for all providers that share `-parallelism`, and one for each provider configuration with a limit of its own.
pub(super) struct Pools {
    parallelism: usize,
    pools: HashMap<PoolId, Pool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum PoolId {
    Shared,
    /// Of the provider at this index.
    Own(usize),
}

#[derive(Default)]
struct Pool {
    flying: usize,
    /// Steps that wait for a place, in the order they came.
    queued: VecDeque<u32>,
}

impl Pools {
    pub(super) fn new(parallelism: usize) -> Self {
        Pools { parallelism: parallelism.max(1), pools: HashMap::new() }
    }

    /// Takes a place for the call of a step. Without one, the step is queued, and comes back from [`Pools::leave`].
    pub(super) fn enter(&mut self, planned: &PlannedChange, step: u32) -> bool {
        let (id, limit) = self.of(planned);
        let pool = self.pools.entry(id).or_default();
        if pool.flying < limit {
            pool.flying += 1;
            true
        } else {
            pool.queued.push_back(step);
            false
        }
    }

    /// Gives up a place. The step that has waited longest for it, to be tried again.
    pub(super) fn leave(&mut self, planned: &PlannedChange) -> Option<u32> {
        let pool = self.pools.get_mut(&self.of(planned).0)?;
        pool.flying -= 1;
        pool.queued.pop_front()
    }

    /// The pool of a call, and how many places it has.
    fn of(&self, planned: &PlannedChange) -> (PoolId, usize) {
        let limits = planned.provider_type.limits();
        let own = PoolId::Own(planned.work.provider);
        match limits.in_flight {
            Some(limit) => (own, limit.max(self.parallelism)),
            None if limits.remote => (PoolId::Shared, self.parallelism),
            None => (own, LOCAL_IN_FLIGHT),
        }
    }
}
