//! The provider inside the program, `terraform.io/builtin/terraform`: `terraform_data` and `terraform_remote_state`.
//!
//! In: requests of the engine. Out: values; nothing outside of state is touched, but other states are read through
//! [`RemoteState`]; [`StoredStates`] reads them where
//! they are stored. Not here: formats and stores of states (`state`).

mod data;
mod remote_state;
mod stored;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::{Diagnostics, Outcome};
use crate::provider::{
    Boxed, DataRequest, InState, MoveRequest, Moved, PlanRequest, Planned, Provider, ProviderSchema, StateOnly,
    unknown_kind,
};
use crate::value::Value;

use super::Settings;

pub use remote_state::{NoRemoteState, RemoteState, RemoteStateRequest};
pub use stored::StoredStates;

/// The provider.
pub fn provider(settings: &Settings) -> Arc<dyn Provider> {
    let schema = super::prose::described(
        "terraform",
        ProviderSchema {
            resources: BTreeMap::from([("terraform_data", data::schema())]),
            data: BTreeMap::from([("terraform_remote_state", remote_state::schema())]),
            ..ProviderSchema::default()
        },
    );
    Arc::new(StateOnly::new(Terraform { schema, remote_state: settings.remote_state.clone() }))
}

struct Terraform {
    schema: ProviderSchema,
    remote_state: Arc<dyn RemoteState>,
}

impl InState for Terraform {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn validate(&self, kind: &str, data: bool, config: &Value) -> Diagnostics {
        match (kind, data) {
            ("terraform_remote_state", true) => remote_state::validate(config),
            _ => Diagnostics::none(),
        }
    }

    fn plan(&self, request: &PlanRequest) -> Outcome<Planned> {
        Outcome::ok(data::plan(request))
    }

    fn create(&self, _kind: &str, planned: &Value) -> Outcome<Value> {
        Outcome::ok(data::apply(planned))
    }

    fn update(&self, _kind: &str, _prior: &Value, planned: &Value) -> Outcome<Value> {
        Outcome::ok(data::apply(planned))
    }

    fn import(&self, _kind: &str, id: &str) -> Outcome<Value> {
        Outcome::ok(data::imported(id))
    }

    fn move_state(&self, from: &MoveRequest<'_>) -> Option<Outcome<Moved>> {
        data::moved(from)
    }

    fn read_data<'a>(&'a self, request: DataRequest) -> Boxed<'a, Outcome<Value>> {
        if request.kind != "terraform_remote_state" {
            return Box::pin(async move { unknown_kind(&request.kind) });
        }
        Box::pin(async move { remote_state::read(&*self.remote_state, request.config).await })
    }
}
