//! A Kubernetes-style API in this process: the transport of `client::kube` in an environment with `sandbox = true`, and what
//! `infra sandbox serve` opens on loopback.
//!
//! In: a folder where its objects are kept. Out: a [`tower`] service that answers as an API server does (discovery, CRUD, lists, watches,
//! server-side apply with owned fields, workloads that turn ready after a moment). Not here: how clients talk to it (`client::kube`).
//!
//! Nothing runs in its pods. It keeps to the truth by sharing the provider's conformance tests with a real API server.

mod api;
mod cluster;
mod kinds;
mod reach;
mod seed;
mod serve;
mod store;
mod write;

pub use cluster::{FAIL, LOG, Timing};
pub use reach::Lazily;
pub use serve::{Endpoint, Server, serve};
pub use store::StoreError;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;

use store::Store;

/// So long is an open sandbox of another process waited for: commands of one user follow each other closely.
const PATIENCE: Duration = Duration::from_secs(5);

/// An open sandbox. Closed when the last clone is dropped.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<Store>,
    controllers: tokio::task::AbortHandle,
    folder: PathBuf,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.controllers.abort();
    }
}

/// A sandbox, however it can be reached.
pub enum Access {
    /// It is open in this process.
    Here(Sandbox),
    /// `infra sandbox serve` has it open, and answers there.
    Served(Endpoint),
}

impl Sandbox {
    /// Opens the sandbox in a folder, which is made when it is missing. Needs a tokio runtime.
    ///
    /// # Errors
    /// The folder cannot be used, or another process has the sandbox open and keeps it.
    pub async fn open(folder: &Path, timing: Timing) -> Result<Sandbox, StoreError> {
        let began = tokio::time::Instant::now();
        let mut pause = Duration::from_millis(2);
        let (store, fresh) = loop {
            match Store::open(folder) {
                Err(StoreError::InUse { .. }) if began.elapsed() < PATIENCE && serve::endpoint_of(folder).is_none() => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(100));
                }
                other => break other?,
            }
        };
        if fresh {
            let ((), revision) = store.write(seed::plant);
            store.durable(revision).await?;
        }
        let stirred = store.stirred.clone();
        // What was left undone when the sandbox was last closed is looked at now.
        stirred.notify_one();
        let task = tokio::spawn(cluster::run(Arc::downgrade(&store), stirred, timing));
        Ok(Sandbox { inner: Arc::new(Inner { store, controllers: task.abort_handle(), folder: folder.to_owned() }) })
    }

    /// Opens the sandbox in a folder, or finds where `infra sandbox serve` answers for it.
    ///
    /// # Errors
    /// As [`Sandbox::open`].
    pub async fn reach(folder: &Path) -> Result<Access, StoreError> {
        match Sandbox::open(folder, Timing::default()).await {
            Ok(sandbox) => Ok(Access::Here(sandbox)),
            Err(error @ StoreError::InUse { .. }) => serve::endpoint_of(folder).map(Access::Served).ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// The API as a service: what `kube::Client::new` wants.
    pub fn service(&self) -> Router {
        // The router holds the store; the controllers end with the sandbox itself, which it therefore holds too.
        api::router(self.inner.store.clone()).layer(axum::Extension(self.clone()))
    }

    /// The folder its objects are kept in.
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
