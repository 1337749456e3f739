//! Providers of tests: one that makes values up instead of asking anybody, and real ones with single objects overridden.
//!
//! In: a provider, whose schemas say what its objects look like, and what the test says of values. Out: a provider that keeps
//! the contract, so that nobody above knows. Not here: test files (`config`), which configuration is mocked (`ops`).

use std::collections::HashMap;
use std::sync::Arc;

use crate::addr::{InstanceAddr, Pattern};
use crate::change::{Action, Intent};
use crate::diag::{Diagnostic, Diagnostics, Outcome, Span};
use crate::schema::{Block, computed_unknown};
use crate::value::{Type, Value};

use super::made_up::fill;
use super::{
    Applied, ApplyRequest, Boxed, Configured, DataRequest, Identity, ImportRequest, Imported, InvokeRequest, Limits,
    MoveRequest, Moved, OpenRequest, Opened, PlanRequest, Planned, Progress, Provider, ProviderSchema, ReadRequest,
    ReadResult, Recovered,
};

/// What a test says of made-up values.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// An object of values by attribute; null says nothing.
    pub given: Value,
    /// Where it is written.
    pub span: Option<Span>,
    /// Whether they are known when planning already.
    pub planned: bool,
}

/// A mocked provider.
#[derive(Clone, Debug, Default)]
pub struct Mock {
    /// What is said of resource types.
    pub resources: HashMap<String, Values>,
    /// What is said of data sources.
    pub data: HashMap<String, Values>,
    /// Whether values of other types are known when planning already.
    pub planned: bool,
}

/// One object or all instances of a resource, whose provider is not asked.
#[derive(Clone, Debug)]
pub struct Override {
    /// Which.
    pub target: Pattern,
    /// What its computed attributes are.
    pub values: Values,
}

/// A provider in a test.
pub struct StandIn {
    /// The real one: its schemas count in any case.
    pub real: Arc<dyn Provider>,
    /// Whether it is mocked as a whole.
    pub mock: Option<Arc<Mock>>,
    /// What is overridden; of several that match, one that names an instance counts, else the first.
    pub overrides: Arc<Vec<Override>>,
}

impl Provider for StandIn {
    fn schema(&self) -> &ProviderSchema {
        self.real.schema()
    }

    fn validate(&self, kind: &str, data: bool, config: &Value) -> Diagnostics {
        self.real.validate(kind, data, config)
    }

    fn move_state(&self, from: &MoveRequest<'_>) -> Option<Outcome<Moved>> {
        self.real.move_state(from)
    }

    fn upgrade(&self, kind: &str, version: u64, state: &str) -> Outcome<Value> {
        self.real.upgrade(kind, version, state)
    }

    fn configure(&self, config: Value) -> Boxed<'_, Outcome<Arc<dyn Configured>>> {
        let playing = |real, mock| {
            let (schemas, overrides) = (self.real.clone(), self.overrides.clone());
            Arc::new(Playing { schemas, real, mock, overrides }) as Arc<dyn Configured>
        };
        if let Some(mock) = &self.mock {
            return Box::pin(async move { Outcome::ok(playing(None, Some(mock.clone()))) });
        }
        Box::pin(async move { self.real.configure(config).await.map(|real| playing(Some(real), None)) })
    }

    fn limits(&self) -> Limits {
        match &self.mock {
            Some(_) => Limits { unknown_configuration: true, ..Limits::LOCAL },
            None => self.real.limits(),
        }
    }

    fn plan_pending(&self, kind: &str, config: &Value) -> Value {
        self.real.plan_pending(kind, config)
    }
}

/// A configured provider in a test: mocked, or a real one with overrides.
struct Playing {
    schemas: Arc<dyn Provider>,
    real: Option<Arc<dyn Configured>>,
    mock: Option<Arc<Mock>>,
    overrides: Arc<Vec<Override>>,
}

impl Playing {
    /// What is made up for a type, when this is a mock.
    fn made(&self, kind: &str, data: bool) -> Made<'_> {
        let mock = self.mock.as_deref();
        let of = |mock: &Mock| {
            let said = if data { &mock.data } else { &mock.resources };
            let nothing = || Values { planned: mock.planned, ..Values::default() };
            said.get(kind).cloned().unwrap_or_else(nothing)
        };
        Made { schemas: &*self.schemas, values: mock.map(of).unwrap_or_default() }
    }
}

impl Configured for Playing {
    fn identity(&self) -> Boxed<'_, Outcome<Identity>> {
        match &self.real {
            Some(real) => real.identity(),
            None => Box::pin(async { Outcome::ok(None) }),
        }
    }

    fn read<'a>(
        &'a self,
        batch: Vec<ReadRequest>,
        out: &'a (dyn Fn(usize, ReadResult) + Send + Sync),
    ) -> Boxed<'a, Diagnostics> {
        match &self.real {
            Some(real) => real.read(batch, out),
            None => as_it_was(batch, out),
        }
    }

    fn plan<'a>(&'a self, request: PlanRequest) -> Boxed<'a, Outcome<Planned>> {
        match &self.real {
            Some(real) => real.plan(request),
            None => Box::pin(async move { self.made(&request.kind, false).plan(&request) }),
        }
    }

    fn apply<'a>(&'a self, request: ApplyRequest, progress: &'a dyn Progress) -> Boxed<'a, Applied> {
        match &self.real {
            Some(real) => real.apply(request, progress),
            None => Box::pin(async move { self.made(&request.kind, false).apply(&request) }),
        }
    }

    fn import<'a>(&'a self, request: ImportRequest) -> Boxed<'a, Outcome<Vec<Imported>>> {
        match &self.real {
            Some(real) => real.import(request),
            None => Box::pin(async move {
                let detail = format!(
                    "A mocked provider has no objects that could be imported. Say what this {} looks like with an \
                     override_resource block for it.",
                    request.kind
                );
                Diagnostic::error("Invalid import request", detail).into()
            }),
        }
    }

    fn read_data<'a>(&'a self, request: DataRequest) -> Boxed<'a, Outcome<Value>> {
        match &self.real {
            Some(real) => real.read_data(request),
            None => Box::pin(async move { self.made(&request.kind, true).read_data(&request) }),
        }
    }

    fn open<'a>(&'a self, request: OpenRequest) -> Boxed<'a, Outcome<Opened>> {
        match &self.real {
            Some(real) => real.open(request),
            None => Box::pin(async move { Made { schemas: &*self.schemas, values: Values::default() }.open(&request) }),
        }
    }

    fn close<'a>(&'a self, kind: &'a str, private: Vec<u8>) -> Boxed<'a, Diagnostics> {
        match &self.real {
            Some(real) => real.close(kind, private),
            None => Box::pin(async { Diagnostics::none() }),
        }
    }

    fn invoke<'a>(&'a self, request: InvokeRequest, hear: &'a (dyn Fn(&str) + Send + Sync)) -> Boxed<'a, Diagnostics> {
        match &self.real {
            Some(real) => real.invoke(request, hear),
            // A mocked provider touches nothing.
            None => Box::pin(async { Diagnostics::none() }),
        }
    }

    fn recover<'a>(&'a self, kind: &'a str, intent: &'a Intent, planned: Value) -> Boxed<'a, Recovered> {
        match &self.real {
            Some(real) => real.recover(kind, intent, planned),
            None => Box::pin(async { Recovered::Absent }),
        }
    }

    fn standing_in(&self, addr: &InstanceAddr) -> Option<Arc<dyn Configured>> {
        let matching = || self.overrides.iter().filter(|one| one.target.matches(addr));
        let found = matching().find(|one| !one.target.is_whole()).or_else(|| matching().next())?;
        Some(Arc::new(Overridden { schemas: self.schemas.clone(), values: found.values.clone() }))
    }

    fn stop(&self) {
        if let Some(real) = &self.real {
            real.stop();
        }
    }
}

/// Answers for one overridden object.
struct Overridden {
    schemas: Arc<dyn Provider>,
    values: Values,
}

impl Overridden {
    fn made(&self) -> Made<'_> {
        Made { schemas: &*self.schemas, values: self.values.clone() }
    }
}

impl Configured for Overridden {
    fn read<'a>(
        &'a self,
        batch: Vec<ReadRequest>,
        out: &'a (dyn Fn(usize, ReadResult) + Send + Sync),
    ) -> Boxed<'a, Diagnostics> {
        as_it_was(batch, out)
    }

    fn plan<'a>(&'a self, request: PlanRequest) -> Boxed<'a, Outcome<Planned>> {
        Box::pin(async move { self.made().plan(&request) })
    }

    fn apply<'a>(&'a self, request: ApplyRequest, _progress: &'a dyn Progress) -> Boxed<'a, Applied> {
        Box::pin(async move { self.made().apply(&request) })
    }

    fn import<'a>(&'a self, request: ImportRequest) -> Boxed<'a, Outcome<Vec<Imported>>> {
        Box::pin(async move { self.made().import(request) })
    }

    fn read_data<'a>(&'a self, request: DataRequest) -> Boxed<'a, Outcome<Value>> {
        Box::pin(async move { self.made().read_data(&request) })
    }

    fn recover<'a>(&'a self, _kind: &'a str, _intent: &'a Intent, _planned: Value) -> Boxed<'a, Recovered> {
        Box::pin(async { Recovered::Absent })
    }
}

/// Objects of a test are what state says.
fn as_it_was<'a>(
    batch: Vec<ReadRequest>,
    out: &'a (dyn Fn(usize, ReadResult) + Send + Sync),
) -> Boxed<'a, Diagnostics> {
    Box::pin(async move {
        for (index, request) in batch.into_iter().enumerate() {
            out(index, ReadResult::Found { value: request.prior, private: request.private });
        }
        Diagnostics::none()
    })
}

/// Objects with made-up values.
struct Made<'a> {
    schemas: &'a dyn Provider,
    values: Values,
}

impl Made<'_> {
    fn block(&self, kind: &str, data: bool) -> Option<&Block> {
        let schema = self.schemas.schema();
        let schema = if data { schema.data.get(kind) } else { schema.resources.get(kind) };
        schema.map(|schema| &schema.block)
    }

    /// The object with everything unknown made up.
    fn filled(&self, kind: &str, data: bool, object: &Value, config: &Value) -> Outcome<Value> {
        let given = &self.values.given;
        if !given.is_null() && given.as_entries().is_none() {
            let detail = "Made-up values are an object: each value by the name of the attribute it is for.";
            let diagnostic = Diagnostic::error("Invalid replacement value", detail).or_at(self.values.span);
            return diagnostic.into();
        }
        let Some(block) = self.block(kind, data) else { return super::in_state::unknown_kind(kind) };
        match fill(block, object, config, given) {
            Ok(value) => Outcome::ok(value),
            Err(why) => {
                let detail = format!("The test gives a value for {kind} that does not fit: {why}.");
                Diagnostic::error("Failed to compute attribute", detail).into()
            }
        }
    }

    fn plan(&self, request: &PlanRequest) -> Outcome<Planned> {
        let Some(block) = self.block(&request.kind, false) else { return super::in_state::unknown_kind(&request.kind) };
        let value = if request.prior.is_null() {
            computed_unknown(block, &request.config, &request.proposed)
        } else {
            request.proposed.clone()
        };
        let value = if self.values.planned {
            self.filled(&request.kind, false, &value, &request.config)
        } else {
            Outcome::ok(value)
        };
        value.map(|value| Planned { value, replace: Vec::new(), private: Vec::new() })
    }

    fn apply(&self, request: &ApplyRequest) -> Applied {
        if request.action == Action::Delete {
            return Applied::gone();
        }
        let outcome = self.filled(&request.kind, false, &request.planned, &Value::NULL);
        match outcome.into_result() {
            Ok((value, said)) => Applied { said, ..Applied::is(value) },
            Err(said) => Applied::failed(said),
        }
    }

    fn import(&self, request: ImportRequest) -> Outcome<Vec<Imported>> {
        let Some(schema) = self.schemas.schema().resources.get(request.kind.as_str()) else {
            return super::in_state::unknown_kind(&request.kind);
        };
        let nothing = match schema.ty() {
            Type::Object(object) => {
                Value::object(object.iter().map(|(name, attribute)| (name.clone(), Value::Null(attribute.ty.clone()))))
            }
            _ => Value::NULL,
        };
        let object = computed_unknown(&schema.block, &nothing, &nothing);
        let filled = self.filled(&request.kind, false, &object, &Value::NULL);
        filled.map(|value| vec![Imported { kind: request.kind, value, private: Vec::new() }])
    }

    fn open(&self, request: &OpenRequest) -> Outcome<Opened> {
        let Some(schema) = self.schemas.schema().ephemeral.get(request.kind.as_str()) else {
            return super::in_state::unknown_kind(&request.kind);
        };
        let object = computed_unknown(&schema.block, &request.config, &request.config);
        match fill(&schema.block, &object, &request.config, &Value::NULL) {
            Ok(value) => Outcome::ok(Opened { value, private: Vec::new() }),
            Err(why) => Diagnostic::error("Failed to compute attribute", format!("{}: {why}.", request.kind)).into(),
        }
    }

    fn read_data(&self, request: &DataRequest) -> Outcome<Value> {
        let Some(block) = self.block(&request.kind, true) else { return super::in_state::unknown_kind(&request.kind) };
        self.filled(&request.kind, true, &computed_unknown(block, &request.config, &request.config), &request.config)
    }
}
