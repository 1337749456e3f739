//! The factory of all native providers.

use std::sync::Arc;

use jiff::Timestamp;

use crate::addr::ProviderSource;
use crate::provider::{Provider, ProviderFactory};

use super::terraform::RemoteState;

/// What native providers need of their surroundings.
#[derive(Clone)]
pub struct Settings {
    /// The clock.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Reads states for `terraform_remote_state`.
    pub remote_state: Arc<dyn RemoteState>,
    /// The API that every configuration of `kubernetes` uses, whatever it says; `None`: the cluster it names.
    pub cluster: Option<super::kubernetes::Reach>,
    /// Connections to the clusters that configurations of `kubernetes` name; gates share them.
    pub connections: Arc<super::kubernetes::Connections>,
    /// Environment variables.
    pub env: Arc<dyn Fn(&str) -> Option<String> + Send + Sync>,
}

impl Settings {
    /// The system's clock and environment; states are looked for from the process's working directory.
    pub fn new() -> Self {
        let env: Arc<dyn Fn(&str) -> Option<String> + Send + Sync> = Arc::new(|name| std::env::var(name).ok());
        Settings {
            now: Arc::new(Timestamp::now),
            remote_state: Arc::new(super::terraform::StoredStates::new(".", env.clone())),
            cluster: None,
            connections: Arc::default(),
            env,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings::new()
    }
}

/// Makes a provider.
type Make = fn(&Settings) -> Arc<dyn Provider>;

/// Every native provider: namespace, type, and how it is made.
const NATIVE: &[(&str, &str, Make)] = &[
    ("builtin", "terraform", super::terraform::provider),
    ("hashicorp", "http", super::http::provider),
    ("hashicorp", "k3s", super::k3s::provider),
    ("hashicorp", "kubernetes", super::kubernetes::provider),
    ("hashicorp", "local", super::local::provider),
    ("hashicorp", "null", super::null::provider),
    ("hashicorp", "random", super::random::provider),
    ("hashicorp", "ssh", super::ssh::provider),
    ("hashicorp", "time", super::time::provider),
];

/// The native providers, see [`native`].
pub struct Native(Settings);

/// The factory of all native providers.
pub fn native(settings: Settings) -> Native {
    Native(settings)
}

impl ProviderFactory for Native {
    fn provider(&self, source: &ProviderSource) -> Option<Arc<dyn Provider>> {
        let wanted = |&&(namespace, kind, _): &&(&str, &str, Make)| {
            let host = if namespace == "builtin" { "terraform.io" } else { crate::addr::DEFAULT_HOST };
            let own = ProviderSource { host: host.into(), namespace: namespace.into(), kind: kind.into() };
            own.is_same(source)
        };
        let (_, _, make) = NATIVE.iter().find(wanted)?;
        Some(make(&self.0))
    }

    fn names(&self) -> Vec<String> {
        NATIVE.iter().map(|(_, kind, _)| (*kind).to_owned()).collect()
    }
}
