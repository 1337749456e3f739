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
use crate::client::ssh::{Host, attributes};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::provider::{
    Applied, ApplyRequest, Boxed, ImportRequest, PlanRequest, Planned, Progress, Provider, ProviderSchema, ReadRequest,
    ReadResult, Recovered,
};
use crate::schema::{Block, Schema};
use crate::value::Value;

use super::Settings;
use super::over_ssh::{OnHosts, over_ssh, text, with};

/// The provider.
pub fn provider(settings: &Settings) -> Arc<dyn Provider> {
    let schema = super::prose::described(
        "k3s",
        ProviderSchema {
            config: Schema::new(Block::new(attributes())),
            resources: BTreeMap::from([("k3s_server", schema::server())]),
            ..ProviderSchema::default()
        },
    );
    over_ssh(K3s { schema }, settings)
}

struct K3s {
    schema: ProviderSchema,
}

impl OnHosts for K3s {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn validate(&self, _kind: &str, config: &Value) -> Diagnostics {
        schema::validate(config)
    }

    fn plan(&self, block: &Block, request: PlanRequest) -> Planned {
        schema::plan(block, request)
    }

    fn read<'a>(&'a self, host: &'a Host, request: ReadRequest) -> Boxed<'a, ReadResult> {
        Box::pin(async move {
            match host::look(host).await {
                Err(said) => ReadResult::Unreachable(said.into()),
                Ok(found) if !found.installed() => ReadResult::Absent,
                Ok(found) => {
                    ReadResult::Found { value: found.describe(host, &request.prior), private: request.private }
                }
            }
        })
    }

    fn apply<'a>(
        &'a self,
        host: &'a Host,
        request: &'a ApplyRequest,
        progress: &'a dyn Progress,
    ) -> Boxed<'a, Applied> {
        Box::pin(async move {
            match request.action {
                Action::Delete => install::remove(host, progress).await,
                Action::Update => install::update(host, request, progress).await,
                _ => install::create(host, request, progress).await,
            }
        })
    }

    fn named(&self, _kind: &str, block: &Block, id: &str) -> Option<Value> {
        Some(schema::empty(block, id))
    }

    fn import<'a>(&'a self, host: &'a Host, _request: &'a ImportRequest, named: Value) -> Boxed<'a, Outcome<Value>> {
        Box::pin(async move {
            match host::look(host).await {
                Err(said) => Outcome::fail(said),
                Ok(found) if !found.installed() => {
                    let detail = format!("There is no k3s on {}.", host.client.target().address());
                    Diagnostic::error("Cannot import non-existent remote object", detail).into()
                }
                Ok(found) => Outcome::ok(found.describe(host, &named)),
            }
        })
    }

    fn recover<'a>(
        &'a self,
        host: &'a Host,
        _kind: &'a str,
        intent: &'a Intent,
        planned: Value,
    ) -> Boxed<'a, Recovered> {
        Box::pin(async move { install::recover(host, &intent.nonce, &planned).await })
    }
}

/// The texts of a list.
fn words<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    value.get(name).and_then(Value::as_items).unwrap_or_default().iter().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests;
