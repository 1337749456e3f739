//! What providers whose objects live on hosts have in common: their configuration is how to reach a host, and every request
//! is about one host, reached in the way that the object or the configuration says.

use std::sync::Arc;

use crate::change::{Action, Intent};
use crate::client::ssh::{Host, Hosts, Surroundings, validate};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::provider::{
    Applied, ApplyRequest, Boxed, Configured, DataRequest, ImportRequest, Imported, Limits, PlanRequest, Planned,
    Progress, Provider, ProviderSchema, ReadRequest, ReadResult, Recovered, unknown_kind,
};
use crate::schema::Block;
use crate::value::{Value, from_json_stored};

use super::Settings;

/// The kinds of objects of such a provider. A request names a kind that [`OnHosts::schema`] has.
pub(super) trait OnHosts: Send + Sync + 'static {
    /// The provider's schemas; the configuration's is `client::ssh::attributes`.
    fn schema(&self) -> &ProviderSchema;

    /// What is wrong with the arguments of a kind, beside those that say how to reach the host.
    fn validate(&self, kind: &str, config: &Value) -> Diagnostics;

    /// What an object will be.
    fn plan(&self, block: &Block, request: PlanRequest) -> Planned;

    /// Looks at an object on its host.
    fn read<'a>(&'a self, host: &'a Host, request: ReadRequest) -> Boxed<'a, ReadResult>;

    /// Makes, changes or removes an object.
    fn apply<'a>(&'a self, host: &'a Host, request: &'a ApplyRequest, progress: &'a dyn Progress)
    -> Boxed<'a, Applied>;

    /// An object, before it has been looked at, that has only what its id says. `None`: the kind cannot be imported.
    fn named(&self, kind: &str, block: &Block, id: &str) -> Option<Value>;

    /// Looks at an object that is named by its id.
    fn import<'a>(&'a self, host: &'a Host, request: &'a ImportRequest, named: Value) -> Boxed<'a, Outcome<Value>>;

    /// What came of an unfinished create.
    fn recover<'a>(&'a self, host: &'a Host, kind: &'a str, intent: &'a Intent, planned: Value)
    -> Boxed<'a, Recovered>;
}

/// The provider of these kinds.
pub(super) fn over_ssh(kinds: impl OnHosts, settings: &Settings) -> Arc<dyn Provider> {
    Arc::new(OverSsh { kinds: Arc::new(kinds), around: Surroundings::from_env(&*settings.env) })
}

struct OverSsh<K> {
    kinds: Arc<K>,
    around: Surroundings,
}

impl<K: OnHosts> Provider for OverSsh<K> {
    fn schema(&self) -> &ProviderSchema {
        self.kinds.schema()
    }

    fn validate(&self, kind: &str, _data: bool, config: &Value) -> Diagnostics {
        let mut said = validate(config);
        said.append(self.kinds.validate(kind, config));
        said
    }

    fn upgrade(&self, kind: &str, _version: u64, state: &str) -> Outcome<Value> {
        let Some(schema) = self.schema().resources.get(kind) else { return unknown_kind(kind) };
        match from_json_stored(state.as_bytes(), &schema.ty()) {
            Ok((value, _)) => Outcome::ok(value),
            Err(error) => Diagnostic::error("Unreadable object in state", error.to_string()).into(),
        }
    }

    fn configure(&self, config: Value) -> Boxed<'_, Outcome<Arc<dyn Configured>>> {
        let said = validate(&config);
        let (kinds, around) = (self.kinds.clone(), self.around.clone());
        Box::pin(async move {
            if said.has_errors() {
                return Outcome::fail(said);
            }
            let configured: Arc<dyn Configured> = Arc::new(Remote { kinds, config, around, hosts: Hosts::default() });
            Outcome::with(configured, said)
        })
    }

    fn limits(&self) -> Limits {
        Limits::REMOTE
    }
}

struct Remote<K> {
    kinds: Arc<K>,
    config: Value,
    around: Surroundings,
    hosts: Hosts,
}

impl<K: OnHosts> Remote<K> {
    fn host(&self, object: &Value) -> Result<Host, Diagnostics> {
        self.hosts.find(object, &self.config, &self.around).into_result().map(|(host, _)| host)
    }

    fn block(&self, kind: &str) -> Option<&Block> {
        self.kinds.schema().resources.get(kind).map(|schema| &schema.block)
    }

    async fn look(&self, request: ReadRequest) -> ReadResult {
        match self.host(&request.prior) {
            Ok(host) => self.kinds.read(&host, request).await,
            Err(said) => ReadResult::Unreachable(said),
        }
    }

    async fn import_one(&self, request: ImportRequest) -> Outcome<Vec<Imported>> {
        let Some(block) = self.block(&request.kind) else { return unknown_kind(&request.kind) };
        let Some(named) = self.kinds.named(&request.kind, block, &request.id) else {
            let detail = format!("Objects of type {} cannot be imported.", request.kind);
            return Diagnostic::error("Resource import not supported", detail).into();
        };
        let host = match self.host(&named) {
            Ok(host) => host,
            Err(said) => return Outcome::fail(said),
        };
        let imported = self.kinds.import(&host, &request, named).await;
        imported.map(|value| vec![Imported { kind: request.kind, value, private: Vec::new() }])
    }
}

impl<K: OnHosts> Configured for Remote<K> {
    fn read<'a>(
        &'a self,
        batch: Vec<ReadRequest>,
        out: &'a (dyn Fn(usize, ReadResult) + Send + Sync),
    ) -> Boxed<'a, Diagnostics> {
        Box::pin(async move {
            let all = batch.into_iter().enumerate().map(async |(at, request)| out(at, self.look(request).await));
            futures::future::join_all(all).await;
            Diagnostics::none()
        })
    }

    fn plan<'a>(&'a self, request: PlanRequest) -> Boxed<'a, Outcome<Planned>> {
        let planned = match self.block(&request.kind) {
            Some(block) => Outcome::ok(self.kinds.plan(block, request)),
            None => unknown_kind(&request.kind),
        };
        Box::pin(async move { planned })
    }

    fn apply<'a>(&'a self, request: ApplyRequest, progress: &'a dyn Progress) -> Boxed<'a, Applied> {
        Box::pin(async move {
            let object = if request.action == Action::Delete { &request.prior } else { &request.planned };
            match self.host(object) {
                Ok(host) => self.kinds.apply(&host, &request, progress).await,
                Err(said) => Applied::failed(said),
            }
        })
    }

    fn import<'a>(&'a self, request: ImportRequest) -> Boxed<'a, Outcome<Vec<Imported>>> {
        Box::pin(self.import_one(request))
    }

    fn read_data<'a>(&'a self, request: DataRequest) -> Boxed<'a, Outcome<Value>> {
        Box::pin(async move { unknown_kind(&request.kind) })
    }

    fn recover<'a>(&'a self, kind: &'a str, intent: &'a Intent, planned: Value) -> Boxed<'a, Recovered> {
        Box::pin(async move {
            match self.host(&planned) {
                Ok(host) => self.kinds.recover(&host, kind, intent, planned).await,
                Err(said) => Recovered::CannotTell(said.to_string()),
            }
        })
    }

    fn stop(&self) {
        self.hosts.stop();
    }
}

/// The text of an attribute.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// The object with attributes set.
pub(super) fn with<const N: usize>(object: &Value, attributes: [(&'static str, Value); N]) -> Value {
    let Value::Object(entries) = object else { return object.clone() };
    Value::Object(attributes.into_iter().fold(entries.clone(), |entries, (name, value)| entries.with(name, value)))
}
