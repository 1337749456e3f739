//! The plan as data.

use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use jiff::Timestamp;

use crate::addr::{InstanceAddr, LayerName, Name};
use crate::change::{Action, Change, Counts};
use crate::config::Config;
use crate::gate::Absent;
use crate::graph::{Graph, ModuleId, NodeId};
use crate::provider::{Provider, Recovered};
use crate::schema::Schema;
use crate::state::{Object, Slot};
use crate::value::{Marks, Path, Value};

use super::actions::Invocation;
use super::checks::Checked;
use super::found::Found;
use super::provider::ProviderSlot;
use super::world::{CopyId, Repetition, World};

/// What kind of plan was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PlanMode {
    /// Make the world as the configuration says.
    #[default]
    Normal,
    /// Remove everything.
    Destroy,
    /// Only bring state up to date with the world.
    RefreshOnly,
}

/// What an apply would do. Everything in it is in a fixed order: the same inputs give the same plan.
pub struct Plan {
    /// Normal, destroy or refresh only.
    pub mode: PlanMode,
    /// When it was made; what `timestamp()` and `plantimestamp()` gave.
    pub timestamp: Timestamp,
    /// Every layer it covers, in written order.
    pub layers: Vec<LayerPlan>,
    /// Every phase, in written order.
    pub phases: Vec<PhasePlan>,
    /// A change for every instance and deposed object, no-ops included: by phase, then layer, then address.
    pub changes: Vec<PlannedChange>,
    /// What changed outside of the program since it last looked: before is state, after is what was found (null: gone).
    pub drift: Vec<PlannedChange>,
    /// The actions that are invoked: by change and, for one change, in their order; those of `-invoke` by address.
    pub invocations: Vec<Invocation>,
    /// A change for every root output, no-ops included: by layer, then name.
    pub outputs: Vec<OutputChange>,
    /// Whether everything is planned: nothing pending, no target.
    pub complete: bool,
    /// The `-target` and `-exclude` addresses, as given.
    pub targets: Vec<String>,
    /// How every block with conditions stands.
    pub checks: Vec<Checked>,
    /// Whether `check` blocks are looked at: not when everything is removed, and not with targets.
    pub asserts: bool,
    /// Whether planning failed: the plan is what could be planned all the same. It is shown, and never carried out.
    pub errored: bool,
    /// Whether addresses are shown with their layer.
    pub prefixes_layers: bool,
    /// What apply needs beside the changes; `None` in plans that are only shown.
    pub segment: Option<Box<Segment>>,
}

/// What a plan knows and an apply goes on from.
pub struct Segment {
    /// The configuration.
    pub config: Arc<Config>,
    /// Its graph.
    pub graph: Arc<Graph>,
    /// The values of every node, as planned.
    pub world: World,
    /// The provider configurations.
    pub providers: Vec<ProviderSlot>,
    /// The nodes that take part.
    pub selected: Vec<bool>,
    /// Objects that were read anew and differ from what is stored; `None` is gone.
    pub refreshed: Vec<(Slot, usize, Option<Object>)>,
    /// What was read, for carrying the plan out later.
    pub found: Found,
    /// Those of `refreshed` that go into the state of another layer.
    pub leaving: HashSet<Slot>,
    /// Every managed slot that was looked at or planned: not to be read again in this run.
    pub seen: Vec<Slot>,
    /// Identities of what providers answered for.
    pub identities: HashMap<String, String>,
    /// What providers could prove about unfinished calls of earlier runs, by nonce.
    pub recovered: Vec<(String, Recovered)>,
}

/// The layer's state that the plan was made from.
#[derive(Clone, Debug)]
pub struct LayerPlan {
    /// Its name.
    pub name: LayerName,
    /// Where its state lies, for people: `state/data-dev.tfstate` or `s3://bucket/key`.
    pub location: String,
    /// Serial of the snapshot; 0 when there is none.
    pub serial: u64,
    /// Lineage of the snapshot; empty when there is none.
    pub lineage: String,
    /// How many objects it held.
    pub objects: usize,
}

/// A phase in a plan.
#[derive(Clone, Debug)]
pub struct PhasePlan {
    /// Its name; empty in plain mode and in projects without phases.
    pub name: Name,
    /// Its gates, those that are switched off left out.
    pub gates: Vec<GatePlan>,
}

/// A gate in a plan.
#[derive(Clone, Debug)]
pub struct GatePlan {
    /// Its name.
    pub name: Name,
    /// What is checked, in a few words: `postgresql data/postgresql`.
    pub about: String,
    /// How long it may take to pass, in seconds.
    pub timeout: u64,
    /// What becomes of it.
    pub decision: GateDecision,
}

/// What becomes of a gate when the plan is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateDecision {
    /// It runs when its phase is done: something in it changes, or has changed since the gate last passed.
    Runs {
        /// What it names and nothing here makes. It need not wait for that.
        absent: Vec<Absent>,
    },
    /// It has passed, and nothing has changed in its phase since then.
    NotDue,
    /// It would run, but the plan is about a part of the project that what it looks at does not belong to.
    LeftOut {
        /// Why, without a full stop.
        reason: String,
        /// Whether a part of what it looks at takes part all the same, so that what it once said is worth nothing any more.
        touched: bool,
    },
}

impl GatePlan {
    /// Whether the apply will run it.
    pub fn will_run(&self) -> bool {
        matches!(self.decision, GateDecision::Runs { .. })
    }

    /// Why the apply will not run it although it is due.
    pub fn left_out(&self) -> Option<&str> {
        match &self.decision {
            GateDecision::LeftOut { reason, .. } => Some(reason),
            GateDecision::Runs { .. } | GateDecision::NotDue => None,
        }
    }
}

/// A change and where it stands in the run.
#[derive(Clone)]
pub struct PlannedChange {
    /// The change.
    pub change: Change,
    /// Index into [`Plan::phases`].
    pub phase: usize,
    /// What has to exist before this can be planned for good, such as `layer.bootstrap.kubeconfig`.
    pub pending: Option<String>,
    /// What takes this object with it when it is replaced or deleted, such as `layer.bootstrap.module.k3s.k3s_server.this`.
    pub lost_with: Option<String>,
    /// The provider type, for its schema.
    pub provider_type: Arc<dyn Provider>,
    /// The provider's notes for apply.
    pub private: Vec<u8>,
    /// What apply needs to carry it out.
    pub work: Work,
}

/// What apply needs of a change beside what is shown of it.
#[derive(Clone, Default)]
pub struct Work {
    /// Index into the segment's providers.
    pub provider: usize,
    /// The block, if it is still written.
    pub node: Option<NodeId>,
    /// The copy of the module.
    pub copy: Option<CopyId>,
    /// `count.index` or `each`.
    pub repetition: Repetition,
    /// The `removed` block that speaks of it: the module that it stands in, and which of its blocks it is.
    pub removed: Option<(ModuleId, usize)>,
    /// The object as stored, for changes that remove one.
    pub stored: Option<Arc<Object>>,
    /// Whether it is the data block of a check: read when everything else is done.
    pub check: bool,
    /// Whether a replacement makes the new object first.
    pub creates_first: bool,
    /// The arguments, without marks; unknown where only apply will tell.
    pub config: Value,
    /// The marks of the arguments.
    pub marks: Vec<(Path, Marks)>,
    /// The planned object without marks; write-only values are null, they stand in `config`.
    pub planned: Value,
}

impl PlannedChange {
    /// Whether its phase has something to do for it: what a check reads belongs to none.
    pub fn is_work(&self) -> bool {
        self.change.action != Action::NoOp && !self.work.check
    }

    /// The schema of the object.
    pub fn schema(&self) -> Option<&Schema> {
        let schema = self.provider_type.schema();
        let kind = self.change.addr.resource.kind.as_str();
        match self.change.addr.resource.mode {
            crate::addr::Mode::Managed => schema.resources.get(kind),
            crate::addr::Mode::Data => schema.data.get(kind),
            crate::addr::Mode::Ephemeral => schema.ephemeral.get(kind),
        }
    }
}

/// A change of a root output.
#[derive(Clone, Debug)]
pub struct OutputChange {
    /// Its layer.
    pub layer: LayerName,
    /// Its name.
    pub name: Name,
    /// `NoOp`, `Create`, `Update` or `Delete`.
    pub action: Action,
    /// The stored value; null when there was none.
    pub before: Value,
    /// The new value; null when it is removed; unknown where only apply will tell.
    pub after: Value,
    /// Whether it is not to be shown.
    pub sensitive: bool,
}

impl Plan {
    /// The counts of the summary line.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for planned in &self.changes {
            if planned.change.importing.is_some() {
                counts.import += 1;
            }
            counts.count(planned.change.action);
        }
        counts.invoke = self.invocations.len();
        counts
    }

    /// Whether applying it would change nothing: no object, no address, no output; and in a plan that only refreshes, nothing that
    /// state has.
    pub fn is_empty(&self) -> bool {
        let takes_over = self.mode == PlanMode::RefreshOnly && !self.drift.is_empty();
        !takes_over
            && self.changes.iter().all(|planned| planned.change.is_noop())
            && self.outputs.iter().all(|output| output.action == Action::NoOp || self.is_open(output))
            && self.invocations.is_empty()
    }

    /// Whether a plan that only refreshes leaves an output as it is: nothing that it does makes the value known.
    fn is_open(&self, output: &OutputChange) -> bool {
        self.mode == PlanMode::RefreshOnly && !output.after.is_wholly_known()
    }

    /// What apply goes on from.
    ///
    /// # Panics
    /// In plans that are only shown; `run` never makes one.
    #[expect(clippy::expect_used, reason = "a plan made by hand for showing must never be applied")]
    pub fn segment(&self) -> &Segment {
        self.segment.as_deref().expect("a plan that came from plan::run")
    }

    /// The change of an instance's current object.
    pub fn change(&self, addr: &InstanceAddr) -> Option<&PlannedChange> {
        self.changes.iter().find(|planned| planned.change.deposed.is_none() && planned.change.addr == *addr)
    }
}
