//! What the engine is put together from: where providers come from, and how gates reach clusters.

use std::sync::{Arc, OnceLock};

use crate::apply::Clusters;
use crate::client::kube::Kube;
use crate::config::Config;
use crate::diag::Outcome;
use crate::provider::{Boxed, Registry};
use crate::providers::kubernetes::{Clients, Connections, Reach};
use crate::providers::{Settings, native};
use crate::sandbox::Lazily;
use crate::schema::Block;
use crate::value::Value;

/// The parts of one run. Providers and gates share its connections, and its sandbox, which is opened once and only when somebody needs it.
#[derive(Default)]
pub(super) struct Wiring {
    sandbox: OnceLock<Lazily>,
    connections: Arc<Connections>,
}

impl Wiring {
    /// The providers of the run.
    pub fn registry(&self, config: &Config) -> Registry {
        Registry::new(vec![Box::new(native(self.settings(config)))])
    }

    /// How gates of the run reach clusters.
    pub fn clusters(&self, config: &Config) -> Arc<dyn Clusters> {
        Arc::new(OfProject(Clients::new(&self.settings(config))))
    }

    fn settings(&self, config: &Config) -> Settings {
        Settings { cluster: self.cluster(config), connections: self.connections.clone(), ..Settings::new() }
    }

    /// The API that takes the place of every cluster, in an environment with a sandbox.
    fn cluster(&self, config: &Config) -> Option<Reach> {
        config.sandbox.then(|| self.sandbox.get_or_init(|| Lazily::new(&config.sandbox_dir)).opener())
    }
}

/// The clusters that the project's provider "kubernetes" names.
struct OfProject(Clients);

impl Clusters for OfProject {
    fn schema(&self) -> Option<&Block> {
        Some(self.0.schema())
    }

    fn client(&self, config: Value) -> Boxed<'_, Outcome<Kube>> {
        self.0.client(config)
    }
}
