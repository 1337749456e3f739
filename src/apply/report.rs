//! What an apply came to, as data.

use std::sync::Arc;
use std::time::Duration;

use foldhash::HashSet;

use crate::addr::{LayerName, Name};
use crate::change::Counts;
use crate::plan::world::World;
use crate::state::Slot;
use crate::value::Value;

/// What a phase came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseReport {
    /// Its name.
    pub name: Name,
    /// What was done.
    pub counts: Counts,
    /// From its first call to its end.
    pub elapsed: Duration,
    /// The chain of calls that determined its length, longest first: `k3s_server.this 58s`.
    pub critical_path: String,
    /// Whether it ended with all its gates passed.
    pub ended: bool,
}

/// What an apply came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was done.
    pub counts: Counts,
    /// Each phase in which something was done.
    pub phases: Vec<PhaseReport>,
    /// Calls that were made.
    pub calls: usize,
    /// Calls that were not made, because something they need failed, the user stopped, or a later segment makes them.
    pub left: usize,
    /// Whether the user stopped it.
    pub stopped: bool,
    /// Slots that were made or changed: not to be read again in this run.
    pub fresh: HashSet<Slot>,
    /// Root outputs as they are now, by layer.
    pub outputs: Vec<(LayerName, Name, Value)>,
    /// Every value as it is now; none where nothing was carried out.
    pub world: Option<Arc<World>>,
    /// Names of gates that passed.
    pub gates_passed: Vec<Name>,
}
