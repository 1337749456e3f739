//! One connection to the sandbox of a run, opened when it is first needed.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::{Access, Sandbox};
use crate::client::Secret;
use crate::client::kube::{Kube, KubeError, Settings, connect};
use crate::provider::Boxed;

/// The sandbox of a run: nothing is opened until somebody asks for it, and then once.
#[derive(Clone)]
pub struct Lazily {
    folder: PathBuf,
    opened: Arc<OnceCell<Kube>>,
}

impl Lazily {
    /// The sandbox in a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Lazily { folder: folder.into(), opened: Arc::default() }
    }

    /// The connection to it: within this process, or to `infra sandbox serve` where that has it open.
    ///
    /// # Errors
    /// The folder cannot be used, or another process has the sandbox open and does not serve it.
    pub async fn kube(&self) -> Result<Kube, KubeError> {
        let open = async {
            let access = Sandbox::reach(&self.folder).await;
            match access.map_err(|error| KubeError::Configuration(error.to_string()))? {
                Access::Here(sandbox) => Ok(Kube::from_service(sandbox.service())),
                Access::Served(endpoint) => {
                    let config_raw = Some(Secret::new(endpoint.kubeconfig()));
                    connect(&Settings { config_raw, ..Settings::default() }).await
                }
            }
        };
        self.opened.get_or_try_init(|| open).await.cloned()
    }

    /// The same as a function: what the provider is given in an environment with a sandbox.
    pub fn opener(&self) -> Arc<dyn Fn() -> Boxed<'static, Result<Kube, KubeError>> + Send + Sync> {
        let lazily = self.clone();
        Arc::new(move || {
            let lazily = lazily.clone();
            Box::pin(async move { lazily.kube().await })
        })
    }
}
