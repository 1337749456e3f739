//! What a provider promises.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::addr::{InstanceAddr, ProviderSource};
use crate::change::{Action, Intent};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::schema::Schema;
use crate::value::{Path, Value};

/// A future that a trait object can return.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// All schemas of a provider.
#[derive(Debug, Default)]
pub struct ProviderSchema {
    /// The provider's own configuration.
    pub config: Schema,
    /// Managed resources by type.
    pub resources: BTreeMap<&'static str, Schema>,
    /// Data sources by type.
    pub data: BTreeMap<&'static str, Schema>,
    /// Actions by type.
    pub actions: BTreeMap<&'static str, Schema>,
    /// Ephemeral resources by type.
    pub ephemeral: BTreeMap<&'static str, Schema>,
}

/// How a provider wants to be called.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls in flight at once, where it may be more than `-parallelism`; `None` keeps to `-parallelism`.
    pub in_flight: Option<usize>,
    /// Whether its objects live outside of state. Without remote objects no intent is written before a call.
    pub remote: bool,
    /// Whether it can be configured while its configuration is not wholly known (the sandbox needs none of it).
    pub unknown_configuration: bool,
}

impl Limits {
    /// An ordinary provider of remote objects.
    pub const REMOTE: Limits = Limits { in_flight: None, remote: true, unknown_configuration: false };
    /// A provider whose objects exist in state only.
    pub const LOCAL: Limits = Limits { in_flight: None, remote: false, unknown_configuration: false };
}

/// A provider's type: knows schemas, touches nothing.
pub trait Provider: Send + Sync {
    /// All schemas. Called often; must be cheap after the first call.
    fn schema(&self) -> &ProviderSchema;

    /// Says what is wrong with the configuration of a resource or data source (`data` true), which may hold unknowns.
    /// Coercion and required arguments are already checked.
    fn validate(&self, kind: &str, data: bool, config: &Value) -> Diagnostics {
        let _ = (kind, data, config);
        Diagnostics::none()
    }

    /// Brings stored JSON of an older schema version to the present one.
    fn upgrade(&self, kind: &str, version: u64, state: &str) -> Outcome<Value>;

    /// Takes over an object that a `moved` block brings from another resource type, of this provider or another one. `None`
    /// when there is no such move.
    fn move_state(&self, from: &MoveRequest<'_>) -> Option<Outcome<Moved>> {
        let _ = from;
        None
    }

    /// Makes it ready to be asked. The configuration is wholly known unless [`Limits::unknown_configuration`].
    fn configure(&self, config: Value) -> Boxed<'_, Outcome<Arc<dyn Configured>>>;

    /// How it wants to be called.
    fn limits(&self) -> Limits;

    /// The planned value of an instance whose provider cannot be configured yet: from the schema alone.
    fn plan_pending(&self, kind: &str, config: &Value) -> Value {
        match self.schema().resources.get(kind) {
            Some(schema) => crate::schema::computed_unknown(&schema.block, config, config),
            None => config.clone(),
        }
    }
}

/// An object of another resource type.
#[derive(Clone, Debug)]
pub struct MoveRequest<'a> {
    /// The resource type that it is to be of.
    pub kind: &'a str,
    /// The provider that made it.
    pub source: &'a ProviderSource,
    /// Its resource type there.
    pub from: &'a str,
    /// Version of the schema that its attributes follow.
    pub version: u64,
    /// Its attributes: the JSON text of an object.
    pub attributes: &'a str,
    /// Where they are sensitive beyond what the schema says.
    pub sensitive: &'a [Path],
}

/// An object that was taken over.
#[derive(Clone, Debug)]
pub struct Moved {
    /// It, by the schema of its new type.
    pub value: Value,
    /// Where it is sensitive beyond what that schema says.
    pub sensitive: Vec<Path>,
}

/// One object to look at.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// The resource type.
    pub kind: String,
    /// The object as state has it, without marks.
    pub prior: Value,
    /// The provider's own notes kept beside it.
    pub private: Vec<u8>,
}

/// What became of an object.
#[derive(Clone, Debug)]
pub enum ReadResult {
    /// It is there.
    Found {
        /// As it is now.
        value: Value,
        /// Notes to be kept beside it.
        private: Vec<u8>,
    },
    /// It is gone. Only this removes it from state.
    Absent,
    /// What was asked is another cluster (host, Vault) than the one the object was made in.
    Elsewhere(String),
    /// Nobody answered.
    Unreachable(Diagnostics),
}

/// What to plan.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The resource type.
    pub kind: String,
    /// The object as it is, null for a new one; without marks.
    pub prior: Value,
    /// Prior and configured values merged by the schema; without marks, write-only values null.
    pub proposed: Value,
    /// The configuration, nulls where nothing is written; without marks; write-only values included.
    pub config: Value,
    /// The provider's notes.
    pub private: Vec<u8>,
}

/// What shall be.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The planned object, unknown where only apply will tell. Equal to `prior`: nothing to do.
    pub value: Value,
    /// Attributes whose change needs a new object (only those that differ count).
    pub replace: Vec<Path>,
    /// Notes for apply.
    pub private: Vec<u8>,
}

/// What to do.
#[derive(Clone, Debug)]
pub struct ApplyRequest {
    /// The resource type.
    pub kind: String,
    /// `Create`, `Update` or `Delete`; replacements arrive as two calls.
    pub action: Action,
    /// The object as it is, null for a new one; without marks.
    pub prior: Value,
    /// The planned object, null for a delete; without marks.
    pub planned: Value,
    /// The configuration; null for a delete.
    pub config: Value,
    /// Notes from plan (create, update) or state (delete).
    pub private: Vec<u8>,
    /// To be left on a new object where that is possible, see [`Configured::recover`].
    pub nonce: String,
}

/// What exists after a call, also when it failed.
#[derive(Clone, Debug)]
pub enum Now {
    /// The object is as it was before the call (a create: nothing was made).
    Unchanged,
    /// It is like this.
    Is {
        /// The object; unknown parts only beside an error.
        value: Value,
        /// Notes to be kept.
        private: Vec<u8>,
    },
    /// It is gone.
    Gone,
    /// The call was cut off; nobody can tell. The intent stays open.
    Unclear,
}

/// The end of a call.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What exists now. Beside an error of a create, `Is` means: made, but tainted.
    pub now: Now,
    /// What is to be said.
    pub said: Diagnostics,
}

impl Applied {
    /// It worked, and this is the object now.
    pub fn is(value: Value) -> Self {
        Applied { now: Now::Is { value, private: Vec::new() }, said: Diagnostics::none() }
    }

    /// It worked, and the object is gone.
    pub fn gone() -> Self {
        Applied { now: Now::Gone, said: Diagnostics::none() }
    }

    /// It failed and changed nothing.
    pub fn failed(said: impl Into<Diagnostics>) -> Self {
        Applied { now: Now::Unchanged, said: said.into() }
    }
}

/// What to import.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The resource type.
    pub kind: String,
    /// The id as the provider's documentation has it.
    pub id: String,
}

/// An object found by its id.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its resource type.
    pub kind: String,
    /// The object, as far as import knows it; it is read afterwards.
    pub value: Value,
    /// Notes to be kept.
    pub private: Vec<u8>,
}

/// What to read.
#[derive(Clone, Debug)]
pub struct DataRequest {
    /// The data source's type.
    pub kind: String,
    /// The configuration, wholly known; without marks.
    pub config: Value,
}

/// What to open.
#[derive(Clone, Debug)]
pub struct OpenRequest {
    /// The ephemeral resource's type.
    pub kind: String,
    /// The configuration, wholly known; without marks.
    pub config: Value,
}

/// An ephemeral resource that was opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The whole object, arguments and results; without marks.
    pub value: Value,
    /// What closing it needs.
    pub private: Vec<u8>,
}

/// Whose objects these are: compared with what state was made with, so that another cluster is not taken for an empty one.
pub type Identity = Option<String>;

/// What recovery could prove about a call whose result was lost.
#[derive(Clone, Debug)]
pub enum Recovered {
    /// The object is there and provably ours.
    Found {
        /// As it is now.
        value: Value,
        /// Notes to be kept.
        private: Vec<u8>,
        /// Whether it is what the call would have ended with: nothing that it waited for is still to come. An object that is not is
        /// tainted, as one is whose creation failed.
        complete: bool,
    },
    /// It is not there.
    Absent,
    /// Neither can be proved; says why.
    CannotTell(String),
}

/// Hears what a running call waits for. Called from any task.
pub trait Progress: Send + Sync {
    /// What is going on, in a few words: `0 of 1 pods ready — pod postgresql-0 Pending: claim unbound`.
    fn waiting(&self, reason: &str);
    /// Whether the user has asked to stop: the call ends its waiting, keeps what it has done, and says that it was interrupted.
    fn stopped(&self) -> bool;
}

/// Hears nothing.
pub struct SilentProgress;

impl Progress for SilentProgress {
    fn waiting(&self, _reason: &str) {}
    fn stopped(&self) -> bool {
        false
    }
}

/// An action to carry out.
#[derive(Clone, Debug)]
pub struct InvokeRequest {
    /// Its type.
    pub kind: String,
    /// Its arguments, wholly known.
    pub config: Value,
    /// Where relative paths start.
    pub directory: std::path::PathBuf,
}

/// A provider that can be asked to touch the world.
pub trait Configured: Send + Sync {
    /// Whose objects these are; `None` where there is only one world.
    fn identity(&self) -> Boxed<'_, Outcome<Identity>> {
        Box::pin(async { Outcome::ok(None) })
    }

    /// Looks at objects; calls `out` once for each, with its index in the batch.
    fn read<'a>(
        &'a self,
        batch: Vec<ReadRequest>,
        out: &'a (dyn Fn(usize, ReadResult) + Send + Sync),
    ) -> Boxed<'a, Diagnostics>;

    /// Says what an object will be. Without effects.
    fn plan<'a>(&'a self, request: PlanRequest) -> Boxed<'a, Outcome<Planned>>;

    /// Does it.
    fn apply<'a>(&'a self, request: ApplyRequest, progress: &'a dyn Progress) -> Boxed<'a, Applied>;

    /// Finds an object by its id.
    fn import<'a>(&'a self, request: ImportRequest) -> Boxed<'a, Outcome<Vec<Imported>>>;

    /// Reads a data source.
    fn read_data<'a>(&'a self, request: DataRequest) -> Boxed<'a, Outcome<Value>>;

    /// Does what an action of its schema means. `hear` is told what is to be shown while it runs. State knows nothing of it.
    fn invoke<'a>(&'a self, request: InvokeRequest, hear: &'a (dyn Fn(&str) + Send + Sync)) -> Boxed<'a, Diagnostics> {
        let _ = hear;
        let detail = format!("The provider has no action {:?}.", request.kind);
        Box::pin(async move { Diagnostic::error("Invalid action type", detail).into() })
    }

    /// Opens an ephemeral resource: what it gives is there until it is closed. Called once when planning and again when
    /// applying; nothing of it is stored.
    fn open<'a>(&'a self, request: OpenRequest) -> Boxed<'a, Outcome<Opened>> {
        let detail = format!("This provider has no ephemeral resource {:?}.", request.kind);
        Box::pin(async move { Outcome::fail(Diagnostic::error("Invalid ephemeral resource", detail)) })
    }

    /// Closes what was opened, with the notes of opening it.
    fn close<'a>(&'a self, kind: &'a str, private: Vec<u8>) -> Boxed<'a, Diagnostics> {
        let _ = (kind, private);
        Box::pin(async { Diagnostics::none() })
    }

    /// After a crash: what became of a create. `planned` is the intent's object.
    fn recover<'a>(&'a self, kind: &'a str, intent: &'a Intent, planned: Value) -> Boxed<'a, Recovered>;

    /// Who answers for one object in the place of this provider; nobody but under tests that override the object.
    fn standing_in(&self, addr: &InstanceAddr) -> Option<Arc<dyn Configured>> {
        let _ = addr;
        None
    }

    /// Asks every running call to end soon.
    fn stop(&self) {}
}

/// Who is to be asked about one object: what stands in for it, else the provider itself.
pub fn answering(configured: Arc<dyn Configured>, addr: &InstanceAddr) -> Arc<dyn Configured> {
    configured.standing_in(addr).unwrap_or(configured)
}
