//! `local`: files on this machine. `local_file`, `local_sensitive_file` and the data sources of the same names, and the action
//! `local_command`.
//!
//! In: content and a path. Out: the file, whole or not at all (written beside its place, synced, renamed), and its hashes under
//! the attribute names of the Terraform provider; the id is the SHA-1 of the content. Not here: files on other hosts (`ssh`).

mod command;
mod data;
mod disk;
mod file;
mod schemas;

use std::sync::Arc;

use crate::change::Intent;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::provider::{
    Applied, ApplyRequest, Boxed, Configured, DataRequest, ImportRequest, Imported, InvokeRequest, Limits, PlanRequest,
    Planned, Progress, Provider, ProviderSchema, ReadRequest, ReadResult, Recovered, plan_by_schema, unknown_kind,
};
use crate::value::{Value, from_json_stored};

use super::Settings;

/// The provider.
pub fn provider(_settings: &Settings) -> Arc<dyn Provider> {
    Arc::new(Local { schema: Arc::new(schemas::all()) })
}

struct Local {
    schema: Arc<ProviderSchema>,
}

impl Provider for Local {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn validate(&self, _kind: &str, data: bool, config: &Value) -> Diagnostics {
        if data { Diagnostics::none() } else { file::validate(config) }
    }

    fn upgrade(&self, kind: &str, _version: u64, state: &str) -> Outcome<Value> {
        let Some(schema) = self.schema.resources.get(kind) else { return unknown_kind(kind) };
        match from_json_stored(state.as_bytes(), &schema.ty()) {
            Ok((value, _)) => Outcome::ok(value),
            Err(error) => Diagnostic::error("Unreadable object in state", error.to_string()).into(),
        }
    }

    fn configure(&self, _config: Value) -> Boxed<'_, Outcome<Arc<dyn Configured>>> {
        let configured: Arc<dyn Configured> = Arc::new(Files { schema: self.schema.clone() });
        Box::pin(async move { Outcome::ok(configured) })
    }

    fn limits(&self) -> Limits {
        Limits::REMOTE
    }
}

/// The configured provider: there is nothing to configure.
struct Files {
    schema: Arc<ProviderSchema>,
}

/// Runs work with files on a thread where it may block.
async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Diagnostic> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| {
        Diagnostic::error("Interrupted", "The program is ending; the file may or may not have been written.")
    })
}

impl Configured for Files {
    fn read<'a>(
        &'a self,
        batch: Vec<ReadRequest>,
        out: &'a (dyn Fn(usize, ReadResult) + Send + Sync),
    ) -> Boxed<'a, Diagnostics> {
        Box::pin(async move {
            for (at, request) in batch.into_iter().enumerate() {
                let result = match on_disk(move || file::read(request)).await {
                    Ok(result) => result,
                    Err(said) => ReadResult::Unreachable(said.into()),
                };
                out(at, result);
            }
            Diagnostics::none()
        })
    }

    fn plan<'a>(&'a self, request: PlanRequest) -> Boxed<'a, Outcome<Planned>> {
        let planned = match self.schema.resources.get(request.kind.as_str()) {
            Some(schema) => {
                let proposed = file::with_defaults(&request.kind, &request.proposed);
                Outcome::ok(plan_by_schema(&schema.block, &PlanRequest { proposed, ..request }))
            }
            None => unknown_kind(&request.kind),
        };
        Box::pin(async move { planned })
    }

    fn apply<'a>(&'a self, request: ApplyRequest, _progress: &'a dyn Progress) -> Boxed<'a, Applied> {
        Box::pin(async move {
            match on_disk(move || file::apply(&request)).await {
                Ok(applied) => applied,
                Err(said) => Applied { now: crate::provider::Now::Unclear, said: said.into() },
            }
        })
    }

    fn import<'a>(&'a self, request: ImportRequest) -> Boxed<'a, Outcome<Vec<Imported>>> {
        let said =
            format!("Objects of type {} cannot be imported; writing the file again changes nothing.", request.kind);
        Box::pin(async move { Diagnostic::error("Resource import not supported", said).into() })
    }

    fn read_data<'a>(&'a self, request: DataRequest) -> Boxed<'a, Outcome<Value>> {
        Box::pin(async move {
            match on_disk(move || data::read(&request.config)).await {
                Ok(read) => read,
                Err(said) => said.into(),
            }
        })
    }

    fn invoke<'a>(&'a self, request: InvokeRequest, hear: &'a (dyn Fn(&str) + Send + Sync)) -> Boxed<'a, Diagnostics> {
        Box::pin(command::invoke(request, hear))
    }

    fn recover<'a>(&'a self, _kind: &'a str, _intent: &'a Intent, planned: Value) -> Boxed<'a, Recovered> {
        Box::pin(async move {
            match on_disk(move || file::recover(planned)).await {
                Ok(recovered) => recovered,
                Err(said) => Recovered::CannotTell(said.detail),
            }
        })
    }
}

#[cfg(test)]
mod tests;
