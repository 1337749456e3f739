//! Drives a provider as the engine does, one step at a time.

use std::sync::{Arc, Mutex};

use infra::addr::{LayerName, ProviderSource, parse_instance};
use infra::change::{Action, Intent, Step};
use infra::diag::Outcome;
use infra::provider::{
    Applied, ApplyRequest, Configured, ImportRequest, Imported, Now, PlanRequest, Planned, Progress, Provider,
    ProviderFactory, ReadRequest, ReadResult, Recovered,
};
use infra::providers::{Settings, native};
use infra::schema::proposed;
use infra::value::{Entries, Value};

/// Writes down what a call says that it waits for.
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

/// A configured provider and the kind of resource that a test is about.
pub struct Driver {
    provider: Arc<dyn Provider>,
    configured: Arc<dyn Configured>,
    kind: &'static str,
}

impl Driver {
    /// `given` is the provider's configuration.
    pub async fn new(provider: &str, kind: &'static str, given: &[(&str, Value)]) -> Self {
        let provider = native(Settings::new()).provider(&ProviderSource::implied(provider)).unwrap();
        let block = &provider.schema().config.block;
        let config = Value::object(block.attributes.iter().map(|(name, attribute)| {
            let value = given.iter().find(|(key, _)| *key == name.as_str()).map(|(_, value)| value.clone());
            (name.clone(), value.unwrap_or(Value::Null(attribute.ty.clone())))
        }));
        let configured = provider.configure(config).await;
        assert!(!configured.has_errors(), "{}", configured.said);
        let configured = configured.value.unwrap();
        Driver { provider, configured, kind }
    }

    /// A configuration of the resource: null where nothing is given.
    pub fn config(&self, given: &[(&str, Value)]) -> Value {
        let block = &self.provider.schema().resources[self.kind].block;
        for (name, _) in given {
            assert!(block.attribute(name).is_some(), "{} has no {name}", self.kind);
        }
        let config: Entries = block
            .attributes
            .iter()
            .map(|(name, attribute)| {
                let value = given.iter().find(|(key, _)| *key == name.as_str()).map(|(_, value)| value.clone());
                (name.clone(), value.unwrap_or(Value::Null(attribute.ty.clone())))
            })
            .collect();
        let config = Value::Object(config);
        let said = self.provider.validate(self.kind, false, &config);
        assert!(said.is_empty(), "{said}");
        config
    }

    pub async fn plan(&self, prior: &Value, given: &[(&str, Value)]) -> Planned {
        let config = self.config(given);
        let proposed = proposed(&self.provider.schema().resources[self.kind].block, prior, &config);
        let request = PlanRequest { kind: self.kind.into(), prior: prior.clone(), proposed, config, private: vec![] };
        let planned = self.configured.plan(request).await;
        assert!(!planned.has_errors(), "{}", planned.said);
        planned.value.unwrap()
    }

    pub async fn apply(&self, action: Action, prior: &Value, planned: Value, nonce: &str, heard: &Heard) -> Applied {
        let request = ApplyRequest {
            kind: self.kind.into(),
            action,
            prior: prior.clone(),
            planned: planned.clone(),
            config: Value::NULL,
            private: vec![],
            nonce: nonce.into(),
        };
        let applied = self.configured.apply(request, heard).await;
        if let (Now::Is { value, .. }, false) = (&applied.now, applied.said.has_errors()) {
            assert!(value.is_wholly_known(), "{value:?}");
            // What was planned and known must have become true.
            for (name, wanted) in planned.as_entries().unwrap() {
                assert!(!wanted.is_known() || value.get(name) == Some(wanted), "{name} is not as planned");
            }
        }
        applied
    }

    /// Plans and creates; the object.
    pub async fn create(&self, given: &[(&str, Value)], nonce: &str) -> Value {
        let planned = self.plan(&Value::NULL, given).await.value;
        done(self.apply(Action::Create, &Value::NULL, planned, nonce, &Heard::default()).await)
    }

    /// Plans and updates in place; the object.
    pub async fn update(&self, prior: &Value, given: &[(&str, Value)]) -> Value {
        let planned = self.plan(prior, given).await;
        assert!(planned.replace.is_empty(), "{:?}", planned.replace);
        assert_ne!(planned.value, *prior, "nothing would change");
        done(self.apply(Action::Update, prior, planned.value, "", &Heard::default()).await)
    }

    pub async fn delete(&self, prior: &Value) {
        let applied = self.apply(Action::Delete, prior, Value::NULL, "", &Heard::default()).await;
        assert!(matches!(applied.now, Now::Gone), "{}", applied.said);
    }

    pub async fn read(&self, prior: &Value) -> ReadResult {
        let result = Mutex::new(None);
        let request = ReadRequest { kind: self.kind.into(), prior: prior.clone(), private: vec![] };
        let said = self.configured.read(vec![request], &|_, found| *result.lock().unwrap() = Some(found)).await;
        assert!(said.is_empty(), "{said}");
        result.into_inner().unwrap().unwrap()
    }

    /// The object as it is found.
    pub async fn found(&self, prior: &Value) -> Value {
        match self.read(prior).await {
            ReadResult::Found { value, .. } => value,
            ReadResult::Unreachable(said) => panic!("{said}"),
            other => panic!("{other:?}"),
        }
    }

    /// What recovery finds of a create that was planned so; unknown parts are left out, as the journal does.
    pub async fn recover(&self, given: &[(&str, Value)], nonce: &str) -> Recovered {
        let planned = self.plan(&Value::NULL, given).await.value;
        let known = |value: &Value| if value.is_known() { value.clone() } else { Value::NULL };
        let noted = Value::Object(planned.as_entries().unwrap().map_values(|_, value| known(value)));
        let addr = parse_instance(&LayerName::plain(), &format!("{}.this", self.kind)).unwrap();
        let intent = Intent {
            addr,
            deposed: None,
            step: Step::Create,
            nonce: nonce.into(),
            schema_version: 0,
            object: "{}".into(),
        };
        self.configured.recover(self.kind, &intent, noted).await
    }

    pub async fn import(&self, id: &str) -> Outcome<Vec<Imported>> {
        self.configured.import(ImportRequest { kind: self.kind.into(), id: id.into() }).await
    }
}

/// The object after a call that must have worked.
pub fn done(applied: Applied) -> Value {
    assert!(!applied.said.has_errors(), "{}", applied.said);
    match applied.now {
        Now::Is { value, .. } => value,
        other => panic!("{other:?}"),
    }
}
