//! `ssh`: files and commands on a host. Ours; there is no Terraform provider of that name to follow.
//!
//! In: how to reach the host (in the provider's configuration or in the resource) and what shall be there. Out: `ssh_file`, a file
//! that is written whole or not at all; `ssh_command`, what commands make and remove. Not here: the protocol (`client::ssh`).

mod command;
mod file;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::change::Intent;
use crate::client::ssh::{Host, attributes};
use crate::diag::{Diagnostics, Outcome};
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
        "ssh",
        ProviderSchema {
            config: Schema::new(Block::new(attributes())),
            resources: BTreeMap::from([("ssh_file", file::schema()), ("ssh_command", command::schema())]),
            ..ProviderSchema::default()
        },
    );
    over_ssh(Ssh { schema }, settings)
}

struct Ssh {
    schema: ProviderSchema,
}

impl OnHosts for Ssh {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn validate(&self, kind: &str, config: &Value) -> Diagnostics {
        match kind {
            "ssh_file" => file::validate(config),
            "ssh_command" => command::validate(config),
            _ => Diagnostics::none(),
        }
    }

    fn plan(&self, block: &Block, request: PlanRequest) -> Planned {
        match request.kind.as_str() {
            "ssh_file" => file::plan(block, request),
            _ => command::plan(block, request),
        }
    }

    fn read<'a>(&'a self, host: &'a Host, request: ReadRequest) -> Boxed<'a, ReadResult> {
        Box::pin(async move {
            match request.kind.as_str() {
                "ssh_file" => file::read(host, request).await,
                _ => command::read(host, request).await,
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
            match request.kind.as_str() {
                "ssh_file" => file::apply(host, request).await,
                _ => command::apply(host, request, progress).await,
            }
        })
    }

    /// A file is on the host that the provider's configuration names.
    fn named(&self, kind: &str, _block: &Block, _id: &str) -> Option<Value> {
        (kind == "ssh_file").then_some(Value::NULL)
    }

    fn import<'a>(&'a self, host: &'a Host, request: &'a ImportRequest, _named: Value) -> Boxed<'a, Outcome<Value>> {
        Box::pin(async move { file::import(host, &self.schema.resources["ssh_file"].block, &request.id).await })
    }

    fn recover<'a>(
        &'a self,
        host: &'a Host,
        kind: &'a str,
        _intent: &'a Intent,
        planned: Value,
    ) -> Boxed<'a, Recovered> {
        Box::pin(async move {
            match kind {
                "ssh_file" => file::recover(host, planned).await,
                _ => command::recover(host, planned).await,
            }
        })
    }
}

/// Whether two objects differ in an attribute.
fn differs(a: &Value, b: &Value, name: &str) -> bool {
    a.get(name) != b.get(name)
}
