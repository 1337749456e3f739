//! Connections to the clusters that configurations name, each made once in a run: for the provider, and for gates, which look at a cluster
//! without managing objects in it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::{Reach, config};
use crate::client::kube::{Kube, KubeError, Settings, connect};
use crate::diag::Outcome;
use crate::provider::Boxed;
use crate::schema::Block;
use crate::value::Value;

/// The connections of a run. A program that gives credentials is called once for each.
#[derive(Default)]
pub struct Connections(Mutex<Vec<Arc<Connection>>>);

struct Connection {
    /// What it was made from: the settings, and what the files that they name held.
    from: (Settings, Vec<Option<Vec<u8>>>),
    made: OnceCell<Result<Kube, KubeError>>,
}

impl Connections {
    /// The connection of a configuration that is wholly known.
    ///
    /// # Errors
    /// See [`connect`]. What failed fails again, as long as the configuration and its files are the same.
    pub async fn open(&self, config: &Value, env: &config::Env) -> Result<Kube, KubeError> {
        let settings = config::settings(config, env)?;
        let files = contents(&settings.config_paths).await;
        let connection = self.of((settings, files));
        connection.made.get_or_init(|| connect(&connection.from.0)).await.clone()
    }

    fn of(&self, from: (Settings, Vec<Option<Vec<u8>>>)) -> Arc<Connection> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.iter().find(|known| known.from == from) {
            return known.clone();
        }
        let new = Arc::new(Connection { from, made: OnceCell::new() });
        all.push(new.clone());
        new
    }
}

/// Lower layers write kubeconfigs: the same path may lead elsewhere a moment later.
async fn contents(paths: &[PathBuf]) -> Vec<Option<Vec<u8>>> {
    let mut contents = Vec::with_capacity(paths.len());
    for path in paths {
        contents.push(tokio::fs::read(path).await.ok());
    }
    contents
}

/// How gates reach clusters.
pub struct Clients {
    schema: Block,
    fixed: Option<Reach>,
    connections: Arc<Connections>,
    env: Arc<config::Env>,
}

impl Clients {
    /// Over what the provider with the same settings uses: the clusters that configurations name, or the one API that takes their place.
    pub fn new(settings: &crate::providers::Settings) -> Self {
        let (fixed, connections, env) = (settings.cluster.clone(), settings.connections.clone(), settings.env.clone());
        Clients { schema: config::arguments(), fixed, connections, env }
    }

    /// The schema of the provider's own arguments.
    pub fn schema(&self) -> &Block {
        &self.schema
    }

    /// A connection for a configuration, which is wholly known unless there is but one API.
    pub fn client(&self, config: Value) -> Boxed<'_, Outcome<Kube>> {
        Box::pin(async move {
            let made = match &self.fixed {
                Some(reach) => reach().await,
                None => self.connections.open(&config, &*self.env).await,
            };
            match made {
                Ok(kube) => Outcome::ok(kube),
                Err(error) => Outcome::fail(error.diagnostic("connect to the cluster")),
            }
        })
    }
}
