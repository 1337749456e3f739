//! Commands in pods.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::AttachParams;
use tokio::io::AsyncReadExt as _;

use super::{Kube, KubeError};

/// What a command in a pod said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; 0 is success.
    pub code: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Kube {
    /// Runs a command (an argument vector, no shell) in a pod's container; without a name in its first.
    ///
    /// # Errors
    /// The connection failed, or the command could not be started. A command that fails is an [`Output`].
    pub async fn exec(
        &self,
        namespace: &str,
        pod: &str,
        container: Option<&str>,
        argv: &[String],
    ) -> Result<Output, KubeError> {
        let api: Api<Pod> = Api::namespaced(self.inner.client.clone(), namespace);
        let mut params = AttachParams::default().stdin(false).stdout(true).stderr(true);
        params.container = container.map(str::to_owned);
        let attached = api.exec(pod, argv.to_vec(), &params).await;
        let mut process = attached.map_err(|error| KubeError::from_client(self.host(), &error))?;
        let (stdout, stderr, status) = (process.stdout(), process.stderr(), process.take_status());
        let read = |stream: Option<_>| async move {
            let mut bytes = Vec::new();
            if let Some(mut stream) = stream {
                let stream: &mut (dyn tokio::io::AsyncRead + Unpin + Send) = &mut stream;
                // What was read before a broken end is still worth showing.
                let _ = stream.read_to_end(&mut bytes).await;
            }
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (stdout, stderr) = tokio::join!(read(stdout), read(stderr));
        let status = match status {
            Some(status) => status.await,
            None => None,
        };
        let Some(status) = status else {
            return Err(KubeError::Connection(format!(
                "the connection to pod {namespace}/{pod} ended before its command did"
            )));
        };
        if status.status.as_deref() == Some("Success") {
            return Ok(Output { code: 0, stdout, stderr });
        }
        let causes = status.details.and_then(|details| details.causes).unwrap_or_default();
        let code = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"));
        match code.and_then(|cause| cause.message.as_ref()?.parse().ok()) {
            Some(code) => Ok(Output { code, stdout, stderr }),
            None => {
                let said = status.message.unwrap_or_default();
                Err(KubeError::Connection(format!("the command could not be run in pod {namespace}/{pod}: {said}")))
            }
        }
    }
}
