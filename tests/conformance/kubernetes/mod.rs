//! The provider of Kubernetes objects: one suite, run against the sandbox and against a real API server, so that the sandbox cannot
//! drift from the truth.

mod bench;
mod between;
mod cases;
mod kubectl;
mod objects;
mod parts;
mod platform;
mod random;
mod schemas;
mod waits;
mod whole;

use std::path::Path;
use std::sync::{Arc, Mutex};

use infra::addr::InstanceAddr;
use infra::change::{Action, Intent, Step};
use infra::client::Secret;
use infra::client::kube::types::quantity;
use infra::client::kube::{Kube, Settings as Connection, connect};
use infra::diag::{Diagnostic, Diagnostics, SourceMap, Span};
use infra::lang::decode::decode;
use infra::lang::eval::{Reference, Scope};
use infra::lang::functions::{Context, DirFiles};
use infra::lang::syntax::parse;
use infra::provider::{
    Applied, ApplyRequest, Configured, DataRequest, Now, OpenRequest, PlanRequest, Planned, Progress, Provider,
    ProviderFactory, ReadRequest, ReadResult, Recovered,
};
use infra::providers::{Settings, native};
use infra::sandbox::{Sandbox, Timing};
use infra::schema::proposed;
use infra::value::{Type, Value, to_json};
use tempfile::TempDir;

/// A cluster of either kind, and the provider over it.
pub struct World {
    pub provider: Arc<dyn Provider>,
    pub configured: Arc<dyn Configured>,
    pub kube: Kube,
    /// A namespace of the test's own, which exists.
    pub namespace: String,
    _folder: Option<TempDir>,
}

/// Keeps what a call says it waits for.
#[derive(Default)]
pub struct Heard(pub Mutex<Vec<String>>);

impl Progress for Heard {
    fn waiting(&self, reason: &str) {
        self.0.lock().unwrap().push(reason.to_owned());
    }

    fn stopped(&self) -> bool {
        false
    }
}

/// The provider over a connection.
fn provider_over(kube: &Kube) -> Arc<dyn Provider> {
    let kube = kube.clone();
    let reach: infra::providers::kubernetes::Reach = Arc::new(move || {
        let kube = kube.clone();
        Box::pin(async move { Ok(kube) })
    });
    let settings = Settings { cluster: Some(reach), ..Settings::new() };
    let source = infra::addr::ProviderSource {
        host: "registry.terraform.io".into(),
        namespace: "hashicorp".into(),
        kind: "kubernetes".into(),
    };
    native(settings).provider(&source).unwrap()
}

impl World {
    /// Over a sandbox of the test's own.
    pub async fn sandbox() -> World {
        let folder = TempDir::new().unwrap();
        let sandbox = Sandbox::open(folder.path(), Timing::default()).await.unwrap();
        let kube = Kube::from_service(sandbox.service());
        World::over(kube, Some(folder)).await
    }

    /// Over the lab's API server; `None` when there is none.
    pub async fn real() -> Option<World> {
        let cluster = crate::lab::kube()?;
        let config_raw = Some(Secret::new(cluster.kubeconfig.as_str()));
        let kube = connect(&Connection { config_raw, ..Connection::default() }).await.unwrap();
        Some(World::over(kube, None).await)
    }

    async fn over(kube: Kube, folder: Option<TempDir>) -> World {
        let provider = provider_over(&kube);
        let configured = provider.configure(Value::NULL).await.value.unwrap();
        let random = format!("conformance-{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
        let world = World { provider, configured, kube, namespace: random, _folder: folder };
        let name = world.namespace.clone();
        world.create("kubernetes_namespace", &format!("metadata {{\n name = \"{name}\"\n}}")).await;
        world
    }

    /// The same cluster by another configuration of the provider.
    pub async fn configured_with(&self, text: &str) -> World {
        let config = self.decoded(&self.provider.schema().config.block, text);
        let configured = self.provider.configure(config).await.value.unwrap();
        let (provider, kube, namespace) = (self.provider.clone(), self.kube.clone(), self.namespace.clone());
        World { provider, configured, kube, namespace, _folder: None }
    }

    /// A configuration from its text.
    pub fn config(&self, kind: &str, text: &str) -> Value {
        let schema = &self.provider.schema().resources[kind];
        self.decoded(&schema.block, text)
    }

    fn decoded(&self, block: &infra::schema::Block, text: &str) -> Value {
        let text = text.replace("NAMESPACE", &self.namespace);
        let sources = SourceMap::default();
        let file = sources.add("test.tf", text);
        let (parsed, said) = parse(&sources, file);
        assert!(!said.has_errors(), "{said}");
        let decoded = decode(&parsed.body, block, &Constants);
        assert!(!decoded.said.has_errors(), "{}", decoded.said);
        decoded.value.unwrap()
    }

    /// Opens an ephemeral resource.
    pub async fn open(&self, kind: &str, text: &str) -> Result<Value, Diagnostics> {
        let config = self.decoded(&self.provider.schema().ephemeral[kind].block, text);
        let outcome = self.configured.open(OpenRequest { kind: kind.into(), config }).await;
        outcome.into_result().map(|(opened, _)| opened.value)
    }

    pub async fn plan(&self, kind: &str, prior: &Thing, text: &str) -> (Planned, Diagnostics, Value) {
        let config = self.config(kind, text);
        let said = self.provider.validate(kind, false, &config);
        assert!(!said.has_errors(), "{said}");
        let schema = &self.provider.schema().resources[kind];
        let proposed = proposed(&schema.block, &prior.value, &config);
        let request = PlanRequest {
            kind: kind.into(),
            prior: prior.value.clone(),
            proposed,
            config: config.clone(),
            private: prior.private.clone(),
        };
        let outcome = self.configured.plan(request).await;
        (outcome.value.unwrap(), outcome.said, config)
    }

    pub async fn try_create(&self, kind: &str, text: &str, nonce: &str) -> Applied {
        let (planned, said, config) = self.plan(kind, &Thing::none(), text).await;
        assert!(!said.has_errors(), "{said}");
        let request = ApplyRequest {
            kind: kind.into(),
            action: Action::Create,
            prior: Value::NULL,
            planned: planned.value.clone(),
            config,
            private: planned.private,
            nonce: nonce.into(),
        };
        let applied = self.configured.apply(request, &Heard::default()).await;
        if let Now::Is { value, .. } = &applied.now
            && !applied.said.has_errors()
        {
            assert_kept(&planned.value, value, kind);
        }
        applied
    }

    pub async fn create(&self, kind: &str, text: &str) -> Thing {
        Thing::of(self.try_create(kind, text, "0123-nonce").await)
    }

    /// Plans a change, carries it out, and sees that it then is as planned and nothing is left to do.
    pub async fn update(&self, kind: &str, prior: &Thing, text: &str) -> Thing {
        let (planned, said, config) = self.plan(kind, prior, text).await;
        assert!(!said.has_errors(), "{said}");
        assert!(planned.replace.is_empty(), "{:?}", planned.replace);
        assert_ne!(planned.value, prior.value, "nothing to change");
        let request = ApplyRequest {
            kind: kind.into(),
            action: Action::Update,
            prior: prior.value.clone(),
            planned: planned.value.clone(),
            config,
            private: planned.private,
            nonce: String::new(),
        };
        let applied = self.configured.apply(request, &Heard::default()).await;
        let thing = Thing::of(applied);
        assert_kept(&planned.value, &thing.value, kind);
        self.settled(kind, &thing, text).await;
        thing
    }

    /// The object as it is now; `None` when it is gone.
    pub async fn read(&self, kind: &str, thing: &Thing) -> Option<Thing> {
        self.read_all(vec![(kind, thing.clone())]).await.remove(0)
    }

    pub async fn read_all(&self, things: Vec<(&str, Thing)>) -> Vec<Option<Thing>> {
        let count = things.len();
        let requests = things.into_iter().map(|(kind, thing)| ReadRequest {
            kind: kind.into(),
            prior: thing.value,
            private: thing.private,
        });
        let found: Mutex<Vec<Option<Option<Thing>>>> = Mutex::new(vec![None; count]);
        let out = |at: usize, result: ReadResult| {
            let thing = match result {
                ReadResult::Found { value, private } => Some(Thing { value, private }),
                ReadResult::Absent => None,
                other => panic!("{other:?}"),
            };
            found.lock().unwrap()[at] = Some(thing);
        };
        let said = self.configured.read(requests.collect(), &out).await;
        assert!(said.is_empty(), "{said}");
        found.into_inner().unwrap().into_iter().map(Option::unwrap).collect()
    }

    /// Nothing is left to do: what is read is what state has, and its plan is empty.
    pub async fn settled(&self, kind: &str, thing: &Thing, text: &str) {
        let read = self.read(kind, thing).await.unwrap();
        assert_owned_same(&thing.value, &read.value, kind);
        let (planned, said, _) = self.plan(kind, &read, text).await;
        assert!(!said.has_errors(), "{said}");
        assert_eq!(planned.value, read.value, "{kind}: a plan after an apply is not empty");
    }

    pub async fn delete(&self, kind: &str, thing: &Thing) {
        let request = ApplyRequest {
            kind: kind.into(),
            action: Action::Delete,
            prior: thing.value.clone(),
            planned: Value::NULL,
            config: Value::NULL,
            private: thing.private.clone(),
            nonce: String::new(),
        };
        let applied = self.configured.apply(request, &Heard::default()).await;
        assert!(matches!(applied.now, Now::Gone), "{:?} {}", applied.now, applied.said);
    }

    pub async fn data(&self, kind: &str, text: &str) -> Value {
        let schema = &self.provider.schema().data[kind];
        let config = self.decoded(&schema.block, text);
        let outcome = self.configured.read_data(DataRequest { kind: kind.into(), config }).await;
        assert!(!outcome.said.has_errors(), "{}", outcome.said);
        outcome.value.unwrap()
    }

    pub async fn recover(&self, kind: &str, planned: Value, nonce: &str) -> Recovered {
        let layer = infra::addr::LayerName::from("");
        let addr: InstanceAddr = infra::addr::parse_instance(&layer, &format!("{kind}.this")).unwrap();
        let intent = Intent {
            addr,
            deposed: None,
            step: Step::Create,
            nonce: nonce.into(),
            schema_version: 0,
            object: "{}".into(),
        };
        self.configured.recover(kind, &intent, planned).await
    }
}

/// An object as state has it.
#[derive(Clone, Debug)]
pub struct Thing {
    pub value: Value,
    pub private: Vec<u8>,
}

impl Thing {
    pub fn none() -> Thing {
        Thing { value: Value::NULL, private: Vec::new() }
    }

    pub fn of(applied: Applied) -> Thing {
        assert!(!applied.said.has_errors(), "{}", applied.said);
        match applied.now {
            Now::Is { value, private } => Thing { value, private },
            other => panic!("{other:?}"),
        }
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&to_json(&self.value).unwrap()).unwrap()
    }

    /// A part of it as JSON: `/spec/0/replicas`.
    pub fn at(&self, pointer: &str) -> serde_json::Value {
        self.json().pointer(pointer).cloned().unwrap_or_default()
    }
}

/// What was planned and known is what it became: nothing is the zero of its type, and amounts come back in the form of the API.
fn assert_kept(planned: &Value, actual: &Value, path: &str) {
    match (planned.bare(), actual.bare()) {
        (Value::Unknown(_), _) => {}
        (Value::Object(planned), Value::Object(actual)) => {
            for (name, part) in planned {
                assert_kept(part, actual.get(name).unwrap_or(&Value::NULL), &format!("{path}.{name}"));
            }
        }
        (Value::List(planned), Value::List(actual)) => {
            assert_eq!(
                planned.items.len(),
                actual.items.len(),
                "{path}: {planned:?} became {actual:?}",
                planned = planned.items,
                actual = actual.items
            );
            for (at, (planned, actual)) in planned.items.iter().zip(&actual.items).enumerate() {
                assert_kept(planned, actual, &format!("{path}[{at}]"));
            }
        }
        (Value::Null(_), actual) if is_zero(actual) => {}
        (Value::Map(planned), Value::Map(actual)) => {
            assert!(planned.entries.keys().eq(actual.entries.keys()), "{path}: other keys than planned");
            for (key, planned) in &planned.entries {
                assert_kept(planned, actual.entries.get(key).unwrap(), &format!("{path}.{key}"));
            }
        }
        (Value::String(planned), Value::String(actual)) if quantity::same(planned, actual) => {}
        // What is not written in a block of a set is read as the zero of its type.
        (Value::Set(planned), Value::Set(actual)) if matches!(planned.element, Type::Object(_)) => {
            assert_eq!(planned.items.len(), actual.items.len(), "{path}");
        }
        (planned, actual) if planned.is_wholly_known() => assert_eq!(planned, actual, "{path}"),
        _ => {}
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Map(map) => map.entries.is_empty(),
        Value::List(_) | Value::Set(_) => value.as_items().is_some_and(<[Value]>::is_empty),
        _ => value.is_null(),
    }
}

/// Equal in everything that does not change by itself.
fn assert_owned_same(a: &Value, b: &Value, kind: &str) {
    let strip = |value: &Value| {
        let mut json: serde_json::Value = serde_json::from_str(&to_json(value).unwrap()).unwrap();
        for pointer in ["/metadata/0/resource_version", "/metadata/0/generation", "/status"] {
            if let Some(part) = json.pointer_mut(pointer) {
                *part = serde_json::Value::Null;
            }
        }
        json
    };
    assert_eq!(strip(a), strip(b), "{kind}: state and what is read differ");
}

struct Constants;

static CONTEXT: std::sync::LazyLock<Context<'static>> = std::sync::LazyLock::new(|| Context {
    base: Path::new(""),
    files: &DirFiles,
    plan_time: None,
    now: None,
    env: None,
    templates: None,
});

impl Scope for Constants {
    fn resolve(&self, _reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        Err(Box::new(Diagnostic::error("No variables", "").at(span)))
    }

    fn functions(&self) -> &Context<'_> {
        &CONTEXT
    }
}
