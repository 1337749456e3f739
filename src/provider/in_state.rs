//! A provider whose objects exist in state only, written as plain functions.

use std::sync::Arc;
use std::time::Duration;

use crate::change::{Action, Intent};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::event::Stop;
use crate::schema::{Block, Schema, computed_unknown};
use crate::value::{Path, Value, from_json_stored};

use super::{
    Applied, ApplyRequest, Boxed, Configured, DataRequest, ImportRequest, Imported, Limits, MoveRequest, Moved, Now,
    OpenRequest, Opened, PlanRequest, Planned, Progress, Provider, ProviderSchema, ReadRequest, ReadResult, Recovered,
};

/// What such a provider has to say; [`StateOnly`] makes a [`Provider`] of it. Kinds are those of its schema.
pub trait InState: Send + Sync + 'static {
    /// All schemas.
    fn schema(&self) -> &ProviderSchema;

    /// See [`Provider::validate`].
    fn validate(&self, kind: &str, data: bool, config: &Value) -> Diagnostics {
        let _ = (kind, data, config);
        Diagnostics::none()
    }

    /// What an object will be; what the schema says unless the kind knows more.
    fn plan(&self, request: &PlanRequest) -> Outcome<Planned> {
        match self.schema().resources.get(request.kind.as_str()) {
            Some(schema) => Outcome::ok(plan_by_schema(&schema.block, request)),
            None => unknown_kind(&request.kind),
        }
    }

    /// The new object: the planned one with everything unknown filled in.
    fn create(&self, kind: &str, planned: &Value) -> Outcome<Value>;

    /// The changed object.
    fn update(&self, kind: &str, prior: &Value, planned: &Value) -> Outcome<Value> {
        let _ = (kind, prior);
        Outcome::ok(planned.clone())
    }

    /// The object as it is now; `None` when it has ceased to be.
    fn read(&self, kind: &str, prior: Value) -> Option<Value> {
        let _ = kind;
        Some(prior)
    }

    /// The object that an id stands for.
    fn import(&self, kind: &str, id: &str) -> Outcome<Value> {
        let _ = id;
        Diagnostic::error("Resource import not supported", format!("Objects of type {kind} cannot be imported.")).into()
    }

    /// Reads a data source.
    fn read_data<'a>(&'a self, request: DataRequest) -> Boxed<'a, Outcome<Value>> {
        Box::pin(async move { unknown_kind(&request.kind) })
    }

    /// What an ephemeral resource is opened with: the whole object.
    fn open(&self, kind: &str, config: &Value) -> Outcome<Value> {
        let _ = config;
        unknown_kind(kind)
    }

    /// How long a call takes, beyond no time at all. `object` is the planned object, for a delete the prior one.
    fn lasts(&self, kind: &str, action: Action, object: &Value) -> Duration {
        let _ = (kind, action, object);
        Duration::ZERO
    }

    /// See [`Provider::move_state`].
    fn move_state(&self, from: &MoveRequest<'_>) -> Option<Outcome<Moved>> {
        let _ = from;
        None
    }

    /// Turns an attribute of an older schema version into those of the present one, before the object is read by its type.
    fn upgrade(&self, kind: &str, version: u64, object: &mut serde_json::Map<String, serde_json::Value>) {
        let _ = (kind, version, object);
    }
}

/// Makes a provider of plain functions. It needs no configuration.
pub struct StateOnly<T>(Arc<T>);

impl<T: InState> StateOnly<T> {
    /// A provider.
    pub fn new(kinds: T) -> Self {
        StateOnly(Arc::new(kinds))
    }
}

/// The planned object by its schema alone: computed attributes of a new object are unknown, an existing one keeps them;
/// attributes that the schema marks so need a new object.
pub fn plan_by_schema(block: &Block, request: &PlanRequest) -> Planned {
    if request.prior.is_null() {
        let value = computed_unknown(block, &request.config, &request.proposed);
        return Planned { value, replace: Vec::new(), private: Vec::new() };
    }
    let value = request.proposed.clone();
    let differs = |name: &str| value.get(name) != request.prior.get(name);
    let marked = block.attributes.iter().filter(|(_, attribute)| attribute.replace);
    let replace = marked.filter(|(name, _)| differs(name)).map(|(name, _)| Path::attribute(name.clone())).collect();
    Planned { value, replace, private: request.private.clone() }
}

/// The error of a kind that the schema does not have; the engine asks for none of these.
pub fn unknown_kind<T>(kind: &str) -> Outcome<T> {
    Diagnostic::error("Unknown resource type", format!("This provider has no resource type {kind:?}.")).into()
}

fn decode(schema: &Schema, text: &str) -> Outcome<Value> {
    match from_json_stored(text.as_bytes(), &schema.ty()) {
        Ok((value, _)) => Outcome::ok(value),
        Err(error) => Diagnostic::error("Unreadable object in state", error.to_string()).into(),
    }
}

impl<T: InState> Provider for StateOnly<T> {
    fn schema(&self) -> &ProviderSchema {
        self.0.schema()
    }

    fn validate(&self, kind: &str, data: bool, config: &Value) -> Diagnostics {
        self.0.validate(kind, data, config)
    }

    fn upgrade(&self, kind: &str, version: u64, state: &str) -> Outcome<Value> {
        let Some(schema) = self.schema().resources.get(kind) else { return unknown_kind(kind) };
        if version == schema.version {
            return decode(schema, state);
        }
        let mut object = match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(state) {
            Ok(object) => object,
            Err(error) => return Diagnostic::error("Unreadable object in state", error.to_string()).into(),
        };
        self.0.upgrade(kind, version, &mut object);
        object.retain(|name, _| schema.block.attribute(name).is_some());
        for (name, _) in &schema.block.attributes {
            object.entry(name.as_str()).or_insert(serde_json::Value::Null);
        }
        decode(schema, &serde_json::Value::Object(object).to_string())
    }

    fn move_state(&self, from: &MoveRequest<'_>) -> Option<Outcome<Moved>> {
        self.0.move_state(from)
    }

    fn configure(&self, _config: Value) -> Boxed<'_, Outcome<Arc<dyn Configured>>> {
        let configured: Arc<dyn Configured> = Arc::new(StateOnly(self.0.clone()));
        Box::pin(async move { Outcome::ok(configured) })
    }

    fn limits(&self) -> Limits {
        Limits::LOCAL
    }
}

impl<T: InState> StateOnly<T> {
    fn applied(&self, request: &ApplyRequest) -> Applied {
        let made = match request.action {
            Action::Delete => return Applied::gone(),
            Action::Update => self.0.update(&request.kind, &request.prior, &request.planned),
            _ => self.0.create(&request.kind, &request.planned),
        };
        match made.value {
            Some(value) => Applied { now: Now::Is { value, private: Vec::new() }, said: made.said },
            None => Applied::failed(made.said),
        }
    }
}

impl<T: InState> Configured for StateOnly<T> {
    fn read<'a>(
        &'a self,
        batch: Vec<ReadRequest>,
        out: &'a (dyn Fn(usize, ReadResult) + Send + Sync),
    ) -> Boxed<'a, Diagnostics> {
        for (at, request) in batch.into_iter().enumerate() {
            let result = match self.0.read(&request.kind, request.prior) {
                Some(value) => ReadResult::Found { value, private: request.private },
                None => ReadResult::Absent,
            };
            out(at, result);
        }
        Box::pin(async { Diagnostics::none() })
    }

    fn plan<'a>(&'a self, request: PlanRequest) -> Boxed<'a, Outcome<Planned>> {
        let planned = self.0.plan(&request);
        Box::pin(async move { planned })
    }

    fn apply<'a>(&'a self, request: ApplyRequest, _progress: &'a dyn Progress) -> Boxed<'a, Applied> {
        let object = if request.action == Action::Delete { &request.prior } else { &request.planned };
        let lasts = self.0.lasts(&request.kind, request.action, object);
        Box::pin(async move {
            if lasts.is_zero() || Stop::pause(lasts).await {
                return self.applied(&request);
            }
            match request.action {
                // The object is there; that its time was not waited for makes it a tainted one.
                Action::Create => {
                    let mut applied = self.applied(&request);
                    applied.said.push(interrupted("Its create duration was not waited for to its end. The object is kept, tainted: the next apply replaces it."));
                    applied
                }
                _ => Applied::failed(interrupted(
                    "What it waits for was not waited for to its end, so that nothing was done with the object.",
                )),
            }
        })
    }

    fn import<'a>(&'a self, request: ImportRequest) -> Boxed<'a, Outcome<Vec<Imported>>> {
        let found = self.0.import(&request.kind, &request.id);
        let imported = found.map(|value| vec![Imported { kind: request.kind, value, private: Vec::new() }]);
        Box::pin(async move { imported })
    }

    fn read_data<'a>(&'a self, request: DataRequest) -> Boxed<'a, Outcome<Value>> {
        self.0.read_data(request)
    }

    fn open<'a>(&'a self, request: OpenRequest) -> Boxed<'a, Outcome<Opened>> {
        let opened = self.0.open(&request.kind, &request.config);
        Box::pin(async move { opened.map(|value| Opened { value, private: Vec::new() }) })
    }

    fn recover<'a>(&'a self, _kind: &'a str, _intent: &'a Intent, _planned: Value) -> Boxed<'a, Recovered> {
        // No call of this provider leaves anything outside of state, so that a lost one has left nothing.
        Box::pin(async { Recovered::Absent })
    }
}

fn interrupted(detail: &str) -> Diagnostic {
    Diagnostic::error("Interrupted", detail)
}
