//! Tunnels: a stream to a port of a pod, through the API server.

use std::pin::Pin;
use std::task::{Context, Poll};

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::Portforwarder;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::ready::condition;
use super::types::{self, Json};
use super::{Kube, KubeError, Select};
use crate::client::stream::Stream;

/// Where a tunnel leads.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// A port of a pod.
    Pod {
        /// Its namespace.
        namespace: &'a str,
        /// Its name.
        name: &'a str,
        /// The container's port.
        port: u16,
    },
    /// A port of a service, which leads to one of its ready pods.
    Service {
        /// Its namespace.
        namespace: &'a str,
        /// Its name.
        name: &'a str,
        /// The service's port; its only one when left out.
        port: Option<u16>,
    },
}

/// A stream that keeps its port-forward alive.
struct Tunnel {
    stream: DuplexStream,
    forward: Portforwarder,
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.forward.abort();
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Kube {
    /// Opens a stream to a port; it ends when it is dropped.
    ///
    /// # Errors
    /// The server did not answer or refused, or no ready pod stands behind the service.
    pub async fn tunnel(&self, target: &Target<'_>) -> Result<Stream, KubeError> {
        let (namespace, pod, port) = match *target {
            Target::Pod { namespace, name, port } => (namespace, name.to_owned(), port),
            Target::Service { namespace, name, port } => {
                let (pod, port) = self.behind(namespace, name, port).await?;
                (namespace, pod, port)
            }
        };
        let api: Api<Pod> = Api::namespaced(self.inner.client.clone(), namespace);
        let opened = api.portforward(&pod, &[port]).await;
        let mut forward = opened.map_err(|error| KubeError::from_client(self.host(), &error))?;
        let stream = forward.take_stream(port);
        let stream = stream
            .ok_or_else(|| KubeError::Connection(format!("no stream to port {port} of pod {namespace}/{pod}")))?;
        Ok(Box::new(Tunnel { stream, forward }))
    }

    /// A ready pod behind a service, and the port of it that the service's port leads to.
    async fn behind(&self, namespace: &str, name: &str, port: Option<u16>) -> Result<(String, u16), KubeError> {
        let missing = |what: String| KubeError::NotFound(what);
        let (Some(services), Some(pods)) = (types::find("v1", "Service"), types::find("v1", "Pod")) else {
            return Err(missing("the kinds Service and Pod are not known".into()));
        };
        let found = self.get(services, Some(namespace), name).await?;
        let service = found.ok_or_else(|| missing(format!("service {namespace}/{name} does not exist")))?;
        let ports = service["spec"]["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
        let chosen = match port {
            None if ports.len() == 1 => ports.first(),
            None => {
                return Err(missing(format!("service {namespace}/{name} has {} ports: name one", ports.len())));
            }
            Some(port) => ports.iter().find(|one| one["port"].as_u64() == Some(u64::from(port))),
        };
        let chosen = chosen
            .ok_or_else(|| missing(format!("service {namespace}/{name} has no port {}", port.unwrap_or_default())))?;
        let selector = super::explain::selector_of(&service)
            .ok_or_else(|| missing(format!("service {namespace}/{name} selects no pods")))?;
        let select = Select { labels: Some(&selector), fields: None };
        let list = self.list(pods, Some(namespace), &select).await?.items;
        let ready = |pod: &&Json| {
            matches!(condition(pod, "Ready"), Some(("True", ..))) && pod["metadata"]["deletionTimestamp"].is_null()
        };
        let Some(pod) = list.iter().find(ready) else {
            let why = if list.is_empty() { "it selects no pods" } else { "none of its pods is ready" };
            return Err(missing(format!("service {namespace}/{name} has no endpoints: {why}")));
        };
        let number = match &chosen["targetPort"] {
            Json::String(port_name) => container_port(pod, port_name),
            Json::Null => chosen["port"].as_u64(),
            number => number.as_u64(),
        };
        let number = number.and_then(|number| u16::try_from(number).ok());
        let pod_name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let number = number
            .ok_or_else(|| missing(format!("pod {namespace}/{pod_name} has no port named {}", chosen["targetPort"])))?;
        Ok((pod_name, number))
    }
}

fn container_port(pod: &Json, name: &str) -> Option<u64> {
    let containers = pod["spec"]["containers"].as_array()?.iter();
    let mut ports = containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
    ports.find(|port| port["name"] == name)?["containerPort"].as_u64()
}
