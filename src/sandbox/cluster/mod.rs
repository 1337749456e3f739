//! What a cluster does by itself: workloads make pods, pods turn ready after a moment (or fail as told), claims are bound, services get
//! endpoints, token secrets get their tokens, what lost its owner goes, namespaces end when they are empty.
//!
//! In: keys of objects that changed. Out: changes of objects. One task looks at each key in turn under the store's lock; it
//! sleeps until something changes or a moment it waits for has come. Not here: what a user may ask for (`write`).

mod accounts;
mod claims;
mod garbage;
mod jobs;
mod namespaces;
mod pods;
mod ripple;
mod rollout;
mod services;
mod shape;
mod stateful;

pub use accounts::unsigned;
pub use claims::default_class;
pub use pods::log_of;
pub(super) use ripple::{ripple, settled};
pub use shape::{FAIL, LOG, make};

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::sandbox::store::{Key, State, Store};

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// From a pod's schedule to its being ready.
    pub start: Duration,
    /// From a pod's deletion to its being gone.
    pub stop: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Timing { start: Duration::from_millis(25), stop: Duration::from_millis(5) }
    }
}

/// What controllers wait for, by object.
struct Waits {
    timing: Timing,
    until: HashMap<Key, Instant>,
}

impl Waits {
    /// Whether a delay since the first time this was asked for the object has passed; if not, the object is looked at again when it has.
    fn over(&mut self, key: &Key, delay: Duration) -> bool {
        let until = *self.until.entry(key.clone()).or_insert_with(|| Instant::now() + delay);
        if Instant::now() < until {
            return false;
        }
        self.until.remove(key);
        true
    }
}

/// Runs the controllers until the store is gone.
pub async fn run(store: Weak<Store>, stirred: Arc<Notify>, timing: Timing) {
    let mut waits = Waits { timing, until: HashMap::new() };
    loop {
        // Made before looking, so that nothing that is stirred meanwhile is missed.
        let woken = stirred.notified();
        let Some(open) = store.upgrade() else { return };
        round(&open, &mut waits);
        drop(open);
        match waits.until.values().min().copied() {
            None => woken.await,
            Some(next) => {
                tokio::select! {
                    () = woken => {}
                    () = tokio::time::sleep_until(next) => {}
                }
            }
        }
    }
}

/// Looks at everything that changed or is due, until nothing is left to do now.
fn round(store: &Store, waits: &mut Waits) {
    let now = Instant::now();
    let mut due: BTreeSet<Key> =
        waits.until.iter().filter(|(_, until)| **until <= now).map(|(key, _)| key.clone()).collect();
    loop {
        let ((), _) = store.write(|state| {
            due.append(&mut state.take_dirty());
            for key in std::mem::take(&mut due) {
                reconcile(state, &key, waits);
            }
        });
        if !store.read(State::has_dirty) {
            return;
        }
    }
}

fn reconcile(state: &mut State, key: &Key, waits: &mut Waits) {
    let Some(object) = state.get(key).cloned() else {
        waits.until.remove(key);
        return;
    };
    if garbage::collect(state, &object) {
        return;
    }
    match &*key.resource {
        "namespaces" => namespaces::reconcile(state, &object),
        "secrets" => accounts::secret(state, &object),
        "pods" => pods::reconcile(state, &object, waits),
        "deployments.apps" => rollout::deployment(state, &object),
        "replicasets.apps" => rollout::replica_set(state, &object),
        "daemonsets.apps" => rollout::daemon_set(state, &object),
        "statefulsets.apps" => stateful::reconcile(state, &object),
        "jobs.batch" => jobs::reconcile(state, &object),
        "persistentvolumeclaims" => claims::reconcile(state, &object),
        "persistentvolumes" => claims::volume(state, &object),
        "services" => services::reconcile(state, &object),
        "ingresses.networking.k8s.io" => services::ingress(state, &object),
        crate::sandbox::kinds::CRDS => namespaces::definition(state, &object),
        _ => {}
    }
}
