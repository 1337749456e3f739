//! `kubernetes`: objects of a cluster under the resource types, schemas and ids of the Terraform provider.
//!
//! In: configured blocks or whole manifests. Out: objects. A typed resource owns its object: what the schema covers is read whole, and
//! changed by a patch from the live object; manifests own their fields, by server-side apply. Rollouts are waited for, with the reason
//! told while they last. Typed resources come from one table (`kinds.txt`) and a mechanical
//! mapping, never from code of their own. Not here: how the API is spoken to (`client::kube`), the in-process API (`sandbox`).

mod adopt;
mod awaited;
mod batch;
mod certificate;
mod clients;
mod compare;
mod config;
mod configured;
mod cron;
mod data;
mod fieldpath;
mod foreseen;
mod forms;
mod found;
mod hidden;
mod identity;
mod immutable;
mod lists;
mod manifest;
mod object;
mod parts;
mod proof;
mod read;
mod refused;
mod rules;
mod scalar;
mod secret;
mod special;
mod table;
mod timeouts;
mod token;
mod trial;
mod typed;
mod waits;
mod whole;
mod write;

use std::sync::{Arc, OnceLock};

use crate::client::kube::{Kube, KubeError};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::provider::{Boxed, Configured, Limits, Provider, ProviderSchema, unknown_kind};
use crate::value::{Value, from_json_stored};

use super::Settings;
use configured::Cluster;

pub use clients::{Clients, Connections};

/// The field manager of server-side applies that name none, as with the Terraform provider.
pub const FIELD_MANAGER: &str = "Terraform";

/// The field manager of changes of typed resources.
pub const MANAGER: &str = "infra";

/// Annotation that older versions left on what they made. It is only read.
pub const INTENT: &str = "infra/intent";

/// Opens an API that is used whatever a configuration says: the sandbox.
pub type Reach = Arc<dyn Fn() -> Boxed<'static, Result<Kube, KubeError>> + Send + Sync>;

/// The provider, over clusters that its configuration names or over the one API the settings name.
pub fn provider(settings: &Settings) -> Arc<dyn Provider> {
    let (fixed, connections, env) = (settings.cluster.clone(), settings.connections.clone(), settings.env.clone());
    Arc::new(Kubernetes { schema: OnceLock::new(), fixed, connections, env })
}

struct Kubernetes {
    schema: OnceLock<Arc<ProviderSchema>>,
    /// The API that every configuration uses.
    fixed: Option<Reach>,
    connections: Arc<Connections>,
    env: Arc<config::Env>,
}

impl Kubernetes {
    fn schemas(&self) -> &Arc<ProviderSchema> {
        self.schema.get_or_init(|| Arc::new(config::schemas()))
    }
}

impl Provider for Kubernetes {
    fn schema(&self) -> &ProviderSchema {
        self.schemas()
    }

    fn validate(&self, kind: &str, data: bool, config: &Value) -> Diagnostics {
        let mut said = timeouts::check(config);
        said.append(match (kind, data) {
            ("kubernetes_manifest", false) => manifest::validate(config),
            (kind, data) => {
                let table = table::table();
                let resources = if data { &table.data } else { &table.resources };
                match (resources.get(kind), special::of(kind)) {
                    (Some(resource), _) => rules::validate(resource, config),
                    (None, Some(special)) => rules::validate_special(special, config),
                    (None, None) => Diagnostics::none(),
                }
            }
        });
        said
    }

    fn upgrade(&self, kind: &str, _version: u64, state: &str) -> Outcome<Value> {
        let Some(schema) = self.schemas().resources.get(kind) else { return unknown_kind(kind) };
        match from_json_stored(state.as_bytes(), &schema.ty()) {
            Ok((value, _)) => Outcome::ok(value),
            Err(error) => Diagnostic::error("Unreadable object in state", error.to_string()).into(),
        }
    }

    fn configure(&self, config: Value) -> Boxed<'_, Outcome<Arc<dyn Configured>>> {
        Box::pin(async move {
            let ignored = match hidden::Ignored::of(&config) {
                Ok(ignored) => ignored,
                Err(said) => return Outcome::fail(said),
            };
            let opened = match &self.fixed {
                Some(reach) => reach().await,
                None => self.connections.open(&config, &*self.env).await,
            };
            let kube = match opened {
                Ok(kube) => kube,
                Err(error) => return Outcome::fail(error.diagnostic("connect to the cluster")),
            };
            let cluster: Arc<dyn Configured> = Arc::new(Cluster::new(kube, ignored));
            Outcome::ok(cluster)
        })
    }

    fn limits(&self) -> Limits {
        Limits {
            in_flight: Some(crate::client::kube::IN_FLIGHT),
            remote: true,
            unknown_configuration: self.fixed.is_some(),
        }
    }

    fn plan_pending(&self, kind: &str, config: &Value) -> Value {
        if let Some(special) = special::of(kind) {
            return special::planned_new(special, config);
        }
        match table::table().resources.get(kind) {
            Some(resource) => typed::planned_new(resource, config),
            None => manifest::planned_new(config),
        }
    }
}
