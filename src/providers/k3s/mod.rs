//! `k3s`: a Kubernetes cluster on a bare host. Ours; there is no Terraform provider of that name to follow.
//!
//! In: how to reach the host over SSH (in the provider's configuration or in the resource), which version, which arguments.
//! Out: `k3s_server`, whose `kubeconfig` the providers above are configured with. Not here: what runs in the cluster.
//!
//! A note beside k3s's own configuration on the host says whose installation it is, so that a create that was cut off goes on,
//! and one that would take over somebody else's cluster does not.

mod host;
mod install;
mod kubeconfig;
mod schema;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::change::{Action, Intent};
use crate::client::ssh::{Host, Hosts, Surroundings, attributes, validate};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::provider::{
    Applied, ApplyRequest, Boxed, Configured, DataRequest, ImportRequest, Imported, Limits, PlanRequest, Planned,
    Progress, Provider, ProviderSchema, ReadRequest, ReadResult, Recovered, unknown_kind,
};
use crate::schema::{Block, Schema};
use crate::value::{Value, from_json_typed};

use super::Settings;

/// The provider.
pub fn provider(settings: &Settings) -> Arc<dyn Provider> {
    let schema = ProviderSchema {
        config: Schema::new(Block::new(attributes())),
        resources: BTreeMap::from([("k3s_server", schema::server())]),
        ..ProviderSchema::default()
    };
    Arc::new(K3s { schema: Arc::new(schema), around: Surroundings::from_env(&*settings.env) })
}

struct K3s {
    schema: Arc<ProviderSchema>,
    around: Surroundings,
}

impl Provider for K3s {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn validate(&self, _kind: &str, _data: bool, config: &Value) -> Diagnostics {
        let mut said = validate(config);
        said.append(schema::validate(config));
        said
    }

    fn upgrade(&self, kind: &str, _version: u64, state: &str) -> Outcome<Value> {
        let Some(schema) = self.schema.resources.get(kind) else { return unknown_kind(kind) };
        match from_json_typed(state.as_bytes(), &schema.ty()) {
            Ok(value) => Outcome::ok(value),
            Err(error) => Diagnostic::error("Unreadable object in state", error.to_string()).into(),
        }
    }

    fn configure(&self, config: Value) -> Boxed<'_, Outcome<Arc<dyn Configured>>> {
        let said = validate(&config);
        let (schema, around) = (self.schema.clone(), self.around.clone());
        Box::pin(async move {
            if said.has_errors() {
                return Outcome::fail(said);
            }
            let configured: Arc<dyn Configured> = Arc::new(Remote { schema, config, around, hosts: Hosts::default() });
            Outcome::with(configured, said)
        })
    }

    fn limits(&self) -> Limits {
        Limits::REMOTE
    }
}

struct Remote {
    schema: Arc<ProviderSchema>,
    config: Value,
    around: Surroundings,
    hosts: Hosts,
}

impl Remote {
    fn host(&self, object: &Value) -> Result<Host, Diagnostics> {
        self.hosts.find(object, &self.config, &self.around).into_result().map(|(host, _)| host)
    }

    async fn look(&self, request: ReadRequest) -> ReadResult {
        let host = match self.host(&request.prior) {
            Ok(host) => host,
            Err(said) => return ReadResult::Unreachable(said),
        };
        match host::look(&host).await {
            Err(said) => ReadResult::Unreachable(said.into()),
            Ok(found) if !found.installed() => ReadResult::Absent,
            Ok(found) => ReadResult::Found { value: found.describe(&host, &request.prior), private: request.private },
        }
    }
}

impl Configured for Remote {
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
        let planned = match self.schema.resources.get(request.kind.as_str()) {
            Some(schema) => Outcome::ok(schema::plan(&schema.block, request)),
            None => unknown_kind(&request.kind),
        };
        Box::pin(async move { planned })
    }

    fn apply<'a>(&'a self, request: ApplyRequest, progress: &'a dyn Progress) -> Boxed<'a, Applied> {
        Box::pin(async move {
            let object = if request.action == Action::Delete { &request.prior } else { &request.planned };
            let host = match self.host(object) {
                Ok(host) => host,
                Err(said) => return Applied::failed(said),
            };
            match request.action {
                Action::Delete => install::remove(&host, progress).await,
                Action::Update => install::update(&host, &request, progress).await,
                _ => install::create(&host, &request, progress).await,
            }
        })
    }

    fn import<'a>(&'a self, request: ImportRequest) -> Boxed<'a, Outcome<Vec<Imported>>> {
        Box::pin(async move {
            let Some(schema) = self.schema.resources.get(request.kind.as_str()) else {
                return unknown_kind(&request.kind);
            };
            let value = schema::empty(&schema.block, &request.id);
            let host = match self.host(&value) {
                Ok(host) => host,
                Err(said) => return Outcome::fail(said),
            };
            match host::look(&host).await {
                Err(said) => Outcome::fail(said),
                Ok(found) if !found.installed() => {
                    let detail = format!("There is no k3s on {}.", host.client.target().address());
                    Diagnostic::error("Cannot import non-existent remote object", detail).into()
                }
                Ok(found) => {
                    let value = found.describe(&host, &value);
                    Outcome::ok(vec![Imported { kind: request.kind, value, private: Vec::new() }])
                }
            }
        })
    }

    fn read_data<'a>(&'a self, request: DataRequest) -> Boxed<'a, Outcome<Value>> {
        Box::pin(async move { unknown_kind(&request.kind) })
    }

    fn recover<'a>(&'a self, _kind: &'a str, intent: &'a Intent, planned: Value) -> Boxed<'a, Recovered> {
        Box::pin(async move {
            match self.host(&planned) {
                Ok(host) => install::recover(&host, &intent.nonce, &planned).await,
                Err(said) => Recovered::CannotTell(said.to_string()),
            }
        })
    }

    fn stop(&self) {
        self.hosts.stop();
    }
}

/// The text of an attribute.
fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// The texts of a list.
fn words<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    value.get(name).and_then(Value::as_items).unwrap_or_default().iter().filter_map(Value::as_str).collect()
}

/// The object with attributes set.
fn with<const N: usize>(object: &Value, attributes: [(&'static str, Value); N]) -> Value {
    let Value::Object(entries) = object else { return object.clone() };
    Value::Object(attributes.into_iter().fold(entries.clone(), |entries, (name, value)| entries.with(name, value)))
}

#[cfg(test)]
mod tests;
