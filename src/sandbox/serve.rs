//! A sandbox on loopback, for kubectl and for other processes of the same user.
//!
//! The address carries a random path: clients send no credentials over plain HTTP, and who does not know the path is refused.
//! It is written to `serving.json` (0600) in the sandbox's folder, where other processes find it.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{Sandbox, StoreError};

/// Where a sandbox answers.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Endpoint {
    /// `http://127.0.0.1:port/secret`.
    pub url: String,
    /// The process that answers.
    pub pid: u32,
}

impl std::fmt::Debug for Endpoint {
    /// The address is what lets a caller in.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoint {{ pid: {} }}", self.pid)
    }
}

impl Endpoint {
    /// A kubeconfig for it.
    pub fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: sandbox\n  cluster:\n    server: {}\ncontexts:\n- name: sandbox\n  context:\n    \
             cluster: sandbox\n    user: sandbox\ncurrent-context: sandbox\nusers:\n- name: sandbox\n  user: {{}}\n",
            self.url
        )
    }
}

/// A sandbox being served, until it is dropped.
pub struct Server {
    /// Where.
    pub endpoint: Endpoint,
    file: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Resolves when the server ends by itself, which it does only on an error.
    ///
    /// # Errors
    /// Why it ended.
    pub async fn ended(&mut self) -> std::io::Result<()> {
        match (&mut self.task).await {
            Ok(result) => result,
            Err(cause) => Err(std::io::Error::other(cause)),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Best effort: who finds the file left behind sees that its process is gone.
        let _ = std::fs::remove_file(&self.file);
        drop(self.stop.take());
        self.task.abort();
    }
}

/// Opens a sandbox on loopback; port 0 takes a free one.
///
/// # Errors
/// The port is taken, or the sandbox's folder cannot be written.
pub async fn serve(sandbox: &Sandbox, port: u16) -> Result<Server, StoreError> {
    let file = sandbox.folder().join("serving.json");
    let failed = |cause| StoreError::Io { path: file.clone(), cause: Arc::new(cause) };
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    let secret = uuid::Uuid::new_v4().simple().to_string();
    let endpoint = Endpoint { url: format!("http://127.0.0.1:{port}/{secret}"), pid: std::process::id() };
    let router = Router::new().nest_service(&format!("/{secret}"), sandbox.service());
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let stopped = async move {
            // Resolves also when the sender is dropped.
            let _ = stopped.await;
        };
        axum::serve(listener, router).with_graceful_shutdown(stopped).await
    });
    let text = serde_json::to_vec(&endpoint).unwrap_or_default();
    // Removed first: an old file might be readable by others.
    let _ = std::fs::remove_file(&file);
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file).map_err(failed)?;
    out.write_all(&text).map_err(failed)?;
    Ok(Server { endpoint, file, stop: Some(stop), task })
}

/// Where the sandbox in a folder is served, if it says so and the process is alive.
pub fn endpoint_of(folder: &Path) -> Option<Endpoint> {
    let text = std::fs::read(folder.join("serving.json")).ok()?;
    let endpoint: Endpoint = serde_json::from_slice(&text).ok()?;
    let pid = rustix::process::Pid::from_raw(i32::try_from(endpoint.pid).ok()?)?;
    match rustix::process::test_kill_process(pid) {
        Ok(()) | Err(rustix::io::Errno::PERM) => Some(endpoint),
        Err(_) => None,
    }
}
