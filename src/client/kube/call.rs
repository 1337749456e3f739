//! Calls: one object, a list, an apply, a deletion; with bounded concurrency and retries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tower::ServiceExt as _;

use super::KubeError;
use super::feed::Feeds;
use super::pace::Pace;
use super::types::{Json, Kind};

/// A connection to a cluster. Clones share it.
#[derive(Clone)]
pub struct Kube {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) client: Client,
    pub(super) host: String,
    pace: Pace,
    pub(super) feeds: Feeds,
    /// Kinds of versions that were asked for, by `apiVersion`.
    pub(super) known: Mutex<HashMap<String, Vec<Arc<Kind>>>>,
}

impl std::fmt::Debug for Kube {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kube({})", self.inner.host)
    }
}

/// How to apply.
#[derive(Clone, Debug)]
pub struct Apply<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// Whether to take fields from other managers.
    pub force: bool,
    /// Whether only to ask what would be.
    pub dry_run: bool,
}

/// How to make or change an object, other than by server-side apply.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// Whether only to ask what would be.
    pub dry_run: bool,
}

impl<'a> Write<'a> {
    /// A real change.
    pub fn by(manager: &'a str) -> Self {
        Write { manager, dry_run: false }
    }

    /// A change that is only asked about.
    pub fn dry_run(manager: &'a str) -> Self {
        Write { manager, dry_run: true }
    }

    fn query(self) -> Vec<(&'static str, String)> {
        let mut query = vec![("fieldManager", self.manager.to_owned())];
        if self.dry_run {
            query.push(("dryRun", "All".into()));
        }
        query
    }
}

/// Objects of one kind, and the revision they were listed at.
#[derive(Clone, Debug)]
pub struct List {
    /// The objects, each with its apiVersion and kind.
    pub items: Vec<Json>,
    /// Where a watch goes on.
    pub revision: String,
}

impl Kube {
    /// Over a ready client; `host` is what messages call the cluster.
    pub fn new(client: Client, host: String) -> Kube {
        Kube::with_pace(client, host, Pace::default())
    }

    /// Over a service in this process that answers as an API server does, such as the sandbox. Needs a tokio runtime.
    pub fn from_service<S, B>(service: S) -> Kube
    where
        S: tower::Service<Request<Body>, Response = Response<B>> + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<tower::BoxError>,
        B: axum::body::HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<tower::BoxError>,
    {
        Kube::with_pace(Client::new(service.map_err(Into::into), "default"), "the sandbox".into(), Pace::of_one_try())
    }

    fn with_pace(client: Client, host: String, pace: Pace) -> Kube {
        let feeds = Feeds::default();
        Kube { inner: Arc::new(Inner { client, host, pace, feeds, known: Mutex::default() }) }
    }

    /// What messages call the cluster.
    pub fn host(&self) -> &str {
        &self.inner.host
    }

    /// An object; `None` when there is none. An unknown kind is an error, not an absent object.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn get(&self, kind: &Kind, namespace: Option<&str>, name: &str) -> Result<Option<Json>, KubeError> {
        let path = format!("{}/{}", kind.path(namespace), escape(name));
        match self.json(Method::GET, &path, None).await {
            Ok(object) => Ok(Some(object)),
            Err(KubeError::NotFound(message)) => {
                // The server says the same of a kind that it does not serve.
                if message.contains("could not find the requested resource") {
                    return Err(KubeError::UnknownKind { api_version: kind.api_version(), kind: kind.kind.clone() });
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// All objects of a kind, in a namespace or everywhere, that selectors take. Fetched in pages.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn list(&self, kind: &Kind, namespace: Option<&str>, select: &Select<'_>) -> Result<List, KubeError> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let mut query = select.query();
            query.push(("limit", "500".into()));
            if !next.is_empty() {
                query.push(("continue", std::mem::take(&mut next)));
            }
            let path = with_query(&kind.path(namespace), &query);
            let mut list = self.json(Method::GET, &path, None).await?;
            if let Json::Array(page) = list["items"].take() {
                items.extend(page);
            }
            next = list["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
            if next.is_empty() {
                for item in &mut items {
                    item["apiVersion"] = json!(kind.api_version());
                    item["kind"] = json!(kind.kind);
                }
                let revision = list["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
                return Ok(List { items, revision });
            }
        }
    }

    /// Server-side apply: makes the object or merges its fields into it. Gives the object as it is then.
    ///
    /// # Errors
    /// The server did not answer, or refused: [`KubeError::Conflict`] names other owners, [`KubeError::Invalid`] the fields.
    pub async fn apply(&self, kind: &Kind, object: &Json, how: &Apply<'_>) -> Result<Json, KubeError> {
        let meta = &object["metadata"];
        let (namespace, name) = (meta["namespace"].as_str(), meta["name"].as_str().unwrap_or_default());
        let mut query = Write { manager: how.manager, dry_run: how.dry_run }.query();
        query.push(("fieldValidation", "Strict".into()));
        if how.force {
            query.push(("force", "true".into()));
        }
        let path = with_query(&format!("{}/{}", kind.path(namespace), escape(name)), &query);
        self.json(Method::PATCH, &path, Some(("application/apply-patch+yaml", object))).await
    }

    /// Makes an object. Gives it as it is then.
    ///
    /// # Errors
    /// The server did not answer, or refused: [`KubeError::Exists`] when there is one of this name, [`KubeError::Invalid`] names the fields.
    pub async fn create(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        object: &Json,
        how: &Write<'_>,
    ) -> Result<Json, KubeError> {
        let mut query = how.query();
        query.push(("fieldValidation", "Strict".into()));
        let path = with_query(&kind.path(namespace), &query);
        self.json(Method::POST, &path, Some(("application/json", object))).await
    }

    /// JSON merge patch. Gives the object as it is then.
    ///
    /// # Errors
    /// As for [`Kube::apply`].
    pub async fn merge(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        patch: &Json,
        how: &Write<'_>,
    ) -> Result<Json, KubeError> {
        let path = format!("{}/{}", kind.path(namespace), escape(name));
        let path = with_query(&path, &how.query());
        self.json(Method::PATCH, &path, Some(("application/merge-patch+json", patch))).await
    }

    /// Asks for deletion. `uid` keeps it from hitting another object of the same name. Gives the object if it is still there and its end has
    /// to be awaited: the answer itself tells, so that most deletions take one request.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn delete(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        uid: Option<&str>,
        propagation: &str,
    ) -> Result<Option<Json>, KubeError> {
        let path = format!("{}/{}", kind.path(namespace), escape(name));
        let mut options = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation });
        if let Some(uid) = uid {
            options["preconditions"] = json!({ "uid": uid });
        }
        match self.json(Method::DELETE, &path, Some(("application/json", &options))).await {
            // A Status says that it is gone; an object that finalizers or a grace period hold says since when it goes.
            Ok(answer) => {
                let goes = answer["kind"] != "Status" && !answer["metadata"]["deletionTimestamp"].is_null();
                Ok(goes.then_some(answer))
            }
            Err(KubeError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The last lines of a container's log; of the run before when `previous`.
    ///
    /// # Errors
    /// The server did not answer, or has no log.
    pub async fn log(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        lines: u32,
        previous: bool,
    ) -> Result<String, KubeError> {
        let mut query = vec![("tailLines", lines.to_string()), ("container", container.to_owned())];
        if previous {
            query.push(("previous", "true".into()));
        }
        let path = with_query(&format!("/api/v1/namespaces/{}/pods/{}/log", escape(namespace), escape(pod)), &query);
        let bytes = self.bytes(Method::GET, &path, None).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Asks for a token of a service account; `spec` as a TokenRequest has it. Gives the whole answer.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn request_token(&self, namespace: &str, account: &str, spec: &Json) -> Result<Json, KubeError> {
        let path = format!("/api/v1/namespaces/{}/serviceaccounts/{}/token", escape(namespace), escape(account));
        let request = json!({ "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": spec });
        self.json(Method::POST, &path, Some(("application/json", &request))).await
    }

    /// Whether the API server says of itself that it is ready.
    ///
    /// # Errors
    /// It did not answer, or says that it is not.
    pub async fn ready(&self) -> Result<(), KubeError> {
        self.once(&Method::GET, "/readyz", None).await.map(|_| ())
    }

    /// What tells this cluster from all others: the uid of its namespace `kube-system`.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn identity(&self) -> Result<String, KubeError> {
        let namespace = self.json(Method::GET, "/api/v1/namespaces/kube-system", None).await?;
        namespace["metadata"]["uid"].as_str().map(str::to_owned).ok_or_else(|| KubeError::Unreadable {
            host: self.inner.host.clone(),
            reason: "the namespace kube-system has no uid".into(),
        })
    }

    /// A call whose answer is JSON, tried again where that may help.
    pub(super) async fn json(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, &Json)>,
    ) -> Result<Json, KubeError> {
        let bytes = self.bytes(method, path, body).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| KubeError::Unreadable { host: self.inner.host.clone(), reason: error.to_string() })
    }

    async fn bytes(&self, method: Method, path: &str, body: Option<(&str, &Json)>) -> Result<Bytes, KubeError> {
        // Serialising a tree of JSON cannot fail.
        let body = body.map(|(content, json)| (content, Bytes::from(serde_json::to_vec(json).unwrap_or_default())));
        let body = body.as_ref().map(|(content, bytes)| (*content, bytes));
        self.inner.pace.run(|| self.once(&method, path, body)).await
    }

    async fn once(&self, method: &Method, path: &str, body: Option<(&str, &Bytes)>) -> Result<Bytes, KubeError> {
        let permit = self.inner.pace.permit().await;
        let response = self.send(method, path, body).await?;
        let status = response.status();
        let after = response.headers().get(header::RETRY_AFTER);
        let after = after.and_then(|seconds| seconds.to_str().ok()?.trim().parse().ok());
        let collected = response.into_body().collect().await;
        let bytes = collected.map_err(|error| KubeError::from_client(&self.inner.host, &error))?.to_bytes();
        permit.answered(status);
        if status.is_success() {
            return Ok(bytes);
        }
        Err(KubeError::from_answer(&self.inner.host, status.as_u16(), &bytes).retried_after(after))
    }

    /// Sends one request and gives the answer as it comes.
    pub(super) async fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<(&str, &Bytes)>,
    ) -> Result<Response<Body>, KubeError> {
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, "application/json");
        if let Some((content, _)) = body {
            request = request.header(header::CONTENT_TYPE, content);
        }
        let body = body.map_or_else(Vec::new, |(_, bytes)| bytes.to_vec());
        let request = request.body(Body::from(body)).map_err(|error| KubeError::Configuration(error.to_string()))?;
        self.inner.client.send(request).await.map_err(|error| KubeError::from_client(&self.inner.host, &error))
    }
}

/// Which objects of a kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Select<'a> {
    /// `app=redis`.
    pub labels: Option<&'a str>,
    /// `metadata.name=redis-0`.
    pub fields: Option<&'a str>,
}

impl Select<'_> {
    /// All of them.
    pub const ALL: Select<'static> = Select { labels: None, fields: None };

    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        let both = [("labelSelector", self.labels), ("fieldSelector", self.fields)];
        both.into_iter().filter_map(|(name, text)| Some((name, text?.to_owned()))).collect()
    }
}

/// A path with a query string.
pub(super) fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let parts: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    if parts.is_empty() { path.to_owned() } else { format!("{path}?{}", parts.join("&")) }
}

/// A text as part of a path or query.
pub(super) fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string().replace("%2D", "-").replace("%2E", ".")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::client::kube::types;

    /// A server that gives one answer to all.
    fn answering(code: u16, answer: Json) -> Kube {
        Kube::from_service(tower::service_fn(move |_: Request<Body>| {
            let body = Body::from(answer.to_string().into_bytes());
            async move { Response::builder().status(code).body(body) }
        }))
    }

    #[tokio::test]
    async fn the_answer_of_a_deletion_says_whether_to_wait() {
        let kind = types::find("v1", "ConfigMap").unwrap();
        for (code, answer, waits) in [
            (200, json!({ "kind": "Status", "status": "Success" }), false),
            (200, json!({ "kind": "ConfigMap", "metadata": { "name": "a" } }), false),
            (200, json!({ "kind": "Pod", "metadata": { "deletionTimestamp": "2025-01-01T00:00:00Z" } }), true),
            (404, json!({ "kind": "Status", "code": 404, "reason": "NotFound", "message": "gone" }), false),
        ] {
            let kube = answering(code, answer.clone());
            let left = kube.delete(kind, Some("default"), "a", None, "Background").await.unwrap();
            assert_eq!(left.is_some(), waits, "{answer}");
        }
    }
}
