//! What happens during plan and apply, as data. Rooms emit; `view` and `cli` draw. Events hold no secrets: values are
//! left out altogether.

mod stop;
mod testing;

use std::time::Duration;

use crate::addr::{ActionInstance, DeposedKey, InstanceAddr};
use crate::change::Action;
use crate::diag::Diagnostic;

pub use stop::Stop;
pub use testing::{FileResult, RunResult, TestResults, TestStatus};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// Refresh asks for objects: how many.
    RefreshStarted {
        /// Objects to be read.
        objects: usize,
    },
    /// An object of state is being read.
    ReadStarted {
        /// Whose.
        addr: InstanceAddr,
        /// Its id, where it has one.
        id: Option<String>,
    },
    /// An object of state was read.
    ReadEnded {
        /// Whose.
        addr: InstanceAddr,
        /// Its id, where it has one.
        id: Option<String>,
    },
    /// A data source is being read during plan.
    DataRead {
        /// Whose.
        addr: InstanceAddr,
    },
    /// A data source was read during plan, or could not be; the diagnostic follows.
    DataReadEnded {
        /// Whose.
        addr: InstanceAddr,
        /// How long it took.
        elapsed: Duration,
        /// Whether it failed.
        failed: bool,
    },
    /// An object that an `import` block names is looked for.
    ImportPreparing {
        /// Whose it is to be.
        addr: InstanceAddr,
        /// Its id.
        id: String,
    },
    /// An imported object is taken into state.
    ImportStarted {
        /// Whose it is to be.
        addr: InstanceAddr,
        /// Its id.
        id: String,
    },
    /// An imported object is in state.
    ImportEnded {
        /// Whose it is.
        addr: InstanceAddr,
        /// Its id.
        id: String,
    },
    /// An ephemeral resource is being opened or closed.
    EphemeralStarted {
        /// Whose.
        addr: InstanceAddr,
        /// Whether it is being closed.
        closes: bool,
    },
    /// An ephemeral resource was opened or closed, or could not be; the diagnostic follows.
    EphemeralEnded {
        /// Whose.
        addr: InstanceAddr,
        /// Whether it was to be closed.
        closes: bool,
        /// How long it took.
        elapsed: Duration,
        /// Whether it failed.
        failed: bool,
    },
    /// Approved changes are about to be carried out.
    ApplyStarted {
        /// Name of every phase with its number of steps, in order; one unnamed phase without a project file.
        phases: Vec<(String, usize)>,
    },
    /// A phase may run.
    PhaseStarted {
        /// Its name.
        phase: String,
    },
    /// Everything of a phase is done, its gates asked.
    PhaseEnded {
        /// Its name.
        phase: String,
        /// How long it took.
        elapsed: Duration,
        /// Objects made, changed and removed.
        added: usize,
        /// See `added`.
        changed: usize,
        /// See `added`.
        destroyed: usize,
        /// The chain of steps that determined its length, as text: `k3s_server.this 58s`.
        critical_path: String,
        /// Whether a gate keeps the next phase from being started.
        failed: bool,
    },
    /// A call to a provider begins.
    StepStarted {
        /// Whose.
        addr: InstanceAddr,
        /// Which deposed object; `None` is the current one.
        deposed: Option<DeposedKey>,
        /// `Create`, `Update`, `Delete`, `Read` or `Forget`.
        action: Action,
        /// The phase it belongs to.
        phase: String,
        /// The id of an existing object, where it has one that is not sensitive.
        id: Option<String>,
    },
    /// A running call says what it waits for, or only that it still runs.
    StepWaiting {
        /// Whose.
        addr: InstanceAddr,
        /// What is being done.
        action: Action,
        /// Why, where the provider knows.
        reason: String,
        /// Since its start.
        elapsed: Duration,
    },
    /// A call ended, its result durable when it succeeded.
    StepEnded {
        /// Whose.
        addr: InstanceAddr,
        /// What was done.
        action: Action,
        /// The phase it belongs to.
        phase: String,
        /// How long it took.
        elapsed: Duration,
        /// The id of the object, where it has one that is not sensitive.
        id: Option<String>,
        /// Whether it failed; the diagnostic follows.
        failed: bool,
    },
    /// A provisioner begins.
    ProvisionStarted {
        /// Whose.
        addr: InstanceAddr,
        /// `local-exec`, `remote-exec` or `file`.
        provisioner: String,
    },
    /// A provisioner says something.
    ProvisionOutput {
        /// Whose.
        addr: InstanceAddr,
        /// See [`Event::ProvisionStarted`].
        provisioner: String,
        /// One line of output, nothing sensitive in it.
        line: String,
    },
    /// A provisioner ended; whether that matters depends on its `on_failure`.
    ProvisionEnded {
        /// Whose.
        addr: InstanceAddr,
        /// See [`Event::ProvisionStarted`].
        provisioner: String,
        /// Whether it failed.
        failed: bool,
    },
    /// An action is invoked.
    ActionStarted {
        /// Which.
        action: ActionInstance,
        /// Whose change invokes it; `None` is the user.
        trigger: Option<InstanceAddr>,
    },
    /// An action says something.
    ActionProgress {
        /// Which.
        action: ActionInstance,
        /// See [`Event::ActionStarted`].
        trigger: Option<InstanceAddr>,
        /// What it says, nothing sensitive in it.
        text: String,
    },
    /// An action ended.
    ActionEnded {
        /// Which.
        action: ActionInstance,
        /// See [`Event::ActionStarted`].
        trigger: Option<InstanceAddr>,
        /// Whether it failed; the diagnostic follows.
        failed: bool,
    },
    /// A gate is being asked.
    GateStarted {
        /// Its phase.
        phase: String,
        /// Its name.
        gate: String,
    },
    /// A gate did not pass yet.
    GateWaiting {
        /// Its name.
        gate: String,
        /// The last answer.
        reason: String,
    },
    /// A gate passed, failed or was not asked.
    GateEnded {
        /// Its phase.
        phase: String,
        /// Its name.
        gate: String,
        /// Since its start.
        elapsed: Duration,
        /// Whether the phase is held up.
        failed: bool,
        /// `simulated`, `not checked`, or empty.
        note: String,
    },
    /// Something to be said while the run goes on.
    Said(Diagnostic),
    /// What runs that ended without saying so have left behind is folded in, before anything else is done.
    Recovered(Recovery),
    /// The lock of a layer is held by somebody else; waiting.
    LockWaiting {
        /// The state key.
        key: String,
        /// Who holds it.
        holder: String,
    },
}

/// What came out of the journals of former runs, over all layers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovery {
    /// The runs, in the order they began.
    pub runs: Vec<RecoveredRun>,
    /// Results that no snapshot held.
    pub results: usize,
    /// Calls without a result.
    pub intents: usize,
    /// Of those, how many a look at the object or the provider's proof has settled.
    pub looked_up: usize,
    /// Of those, how many nobody can tell the end of.
    pub uncertain: usize,
}

/// A run that ended without saying so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecoveredRun {
    /// `user@host`.
    pub who: String,
    /// `apply`.
    pub operation: String,
    /// When it began: `14:02 UTC` today, else with the date.
    pub started: String,
}

/// Hears events, from any task, in the order they happen. Must not block for long.
pub trait Events: Send + Sync {
    /// One event.
    fn emit(&self, event: Event);
}

/// Hears nothing.
pub struct Silent;

impl Events for Silent {
    fn emit(&self, _event: Event) {}
}
