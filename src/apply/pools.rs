//! Places for calls in flight.

use std::collections::VecDeque;

use foldhash::{HashMap, HashMapExt};

use crate::plan::{Invocation, PlannedChange};
use crate::provider::Provider;

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

/// Who is called: the provider, and its place among the configurations.
#[derive(Clone, Copy)]
pub(super) struct Called<'a> {
    kind: &'a dyn Provider,
    index: usize,
    /// An action is more than an append to the journal, whoever carries it out.
    acts: bool,
}

impl<'a> From<&'a PlannedChange> for Called<'a> {
    fn from(planned: &'a PlannedChange) -> Called<'a> {
        Called { kind: &*planned.provider_type, index: planned.work.provider, acts: false }
    }
}

impl<'a> From<&'a Invocation> for Called<'a> {
    fn from(invocation: &'a Invocation) -> Called<'a> {
        Called { kind: &*invocation.provider_type, index: invocation.provider, acts: true }
    }
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
    pub(super) fn enter<'c>(&mut self, called: impl Into<Called<'c>>, step: u32) -> bool {
        let (id, limit) = self.of(called.into());
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
    pub(super) fn leave<'c>(&mut self, called: impl Into<Called<'c>>) -> Option<u32> {
        let pool = self.pools.get_mut(&self.of(called.into()).0)?;
        pool.flying -= 1;
        pool.queued.pop_front()
    }

    /// The pool of a call, and how many places it has.
    fn of(&self, called: Called<'_>) -> (PoolId, usize) {
        let limits = called.kind.limits();
        let own = PoolId::Own(called.index);
        match limits.in_flight {
            Some(limit) => (own, limit.max(self.parallelism)),
            None if limits.remote || called.acts => (PoolId::Shared, self.parallelism),
            None => (own, LOCAL_IN_FLIGHT),
        }
    }
}
