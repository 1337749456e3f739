//! `ssh`: files and commands on a host. Ours; there is no Terraform provider of that name to follow.
//!
//! In: how to reach the host (in the provider's configuration or in the resource) and what shall be there. Out: `ssh_file`, a file
//! that is written whole or not at all; `ssh_command`, what commands make and remove. Not here: the protocol (`client::ssh`).

mod command;
mod file;

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
        resources: BTreeMap::from([("ssh_file", file::schema()), ("ssh_command", command::schema())]),
        ..ProviderSchema::default()
    };
    Arc::new(Ssh { schema: Arc::new(schema), around: Surroundings::from_env(&*settings.env) })
}

struct Ssh {
    schema: Arc<ProviderSchema>,
    around: Surroundings,
}

impl Provider for Ssh {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn validate(&self, kind: &str, _data: bool, config: &Value) -> Diagnostics {
        let mut said = validate(config);
        match kind {
            "ssh_file" => said.append(file::validate(config)),
            "ssh_command" => said.append(command::validate(config)),
            _ => {}
        }
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
        match request.kind.as_str() {
            "ssh_file" => file::read(&host, request).await,
            _ => command::read(&host, request).await,
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
            None => unknown_kind(&request.kind),
            Some(schema) if request.kind == "ssh_file" => Outcome::ok(file::plan(&schema.block, request)),
            Some(schema) => Outcome::ok(command::plan(&schema.block, request)),
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
            match request.kind.as_str() {
                "ssh_file" => file::apply(&host, &request).await,
                _ => command::apply(&host, &request, progress).await,
            }
        })
    }

    fn import<'a>(&'a self, request: ImportRequest) -> Boxed<'a, Outcome<Vec<Imported>>> {
        Box::pin(async move {
            match (request.kind.as_str(), self.schema.resources.get("ssh_file")) {
                ("ssh_file", Some(schema)) => {
                    let host = match self.host(&Value::NULL) {
                        Ok(host) => host,
                        Err(said) => return Outcome::fail(said),
                    };
                    let imported = file::import(&host, &schema.block, &request.id).await;
                    imported.map(|value| vec![Imported { kind: request.kind, value, private: Vec::new() }])
                }
                (kind, _) => {
                    let detail = format!("Objects of type {kind} cannot be imported.");
                    Diagnostic::error("Resource import not supported", detail).into()
                }
            }
        })
    }

    fn read_data<'a>(&'a self, request: DataRequest) -> Boxed<'a, Outcome<Value>> {
        Box::pin(async move { unknown_kind(&request.kind) })
    }

    fn recover<'a>(&'a self, kind: &'a str, _intent: &'a Intent, planned: Value) -> Boxed<'a, Recovered> {
        Box::pin(async move {
            let host = match self.host(&planned) {
                Ok(host) => host,
                Err(said) => return Recovered::CannotTell(said.to_string()),
            };
            match kind {
                "ssh_file" => file::recover(&host, planned).await,
                _ => command::recover(&host, planned).await,
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

/// Whether two objects differ in an attribute.
fn differs(a: &Value, b: &Value, name: &str) -> bool {
    a.get(name) != b.get(name)
}

/// The object with attributes set.
fn with<const N: usize>(object: &Value, attributes: [(&'static str, Value); N]) -> Value {
    let Value::Object(entries) = object else { return object.clone() };
    Value::Object(attributes.into_iter().fold(entries.clone(), |entries, (name, value)| entries.with(name, value)))
}
