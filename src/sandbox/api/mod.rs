//! The HTTP side of a sandbox: paths, verbs, discovery, lists, watches, tables.
//!
//! In: requests as the Kubernetes API defines them. Out: its answers. Not here: what a change does to an object (`write`), storage.

pub mod answer;
mod columns;
mod discover;
mod path;
mod read;
pub mod select;
mod token;
mod verbs;
mod watch;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{Method, Request};
use http_body_util::BodyExt as _;

use super::store::Store;
use crate::client::kube::types::Kind;
use answer::Refusal;
use path::{Place, Query, Target};

/// One request, read.
struct Call {
    method: Method,
    query: Query,
    accept: String,
    content_type: String,
    agent: String,
    body: bytes::Bytes,
}

/// The API over a store.
pub fn router(store: Arc<Store>) -> Router {
    Router::new().fallback(handle).with_state(store)
}

async fn handle(State(store): State<Arc<Store>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: http::HeaderName| {
        let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(cause) => return answer::refused(&Refusal::bad_request(format!("the body could not be read: {cause}"))),
    };
    let call = Call {
        method: parts.method.clone(),
        query: Query::new(parts.uri.query()),
        accept: header(http::header::ACCEPT),
        content_type: header(http::header::CONTENT_TYPE),
        agent: header(http::header::USER_AGENT),
        body,
    };
    let answered = match path::target(parts.uri.path()) {
        Target::Other(words) => discover::answer(&store, &words, &call.accept),
        Target::Resource(place) => resource(&store, &place, &call).await,
    };
    answered.unwrap_or_else(|refusal| answer::refused(&refusal))
}

async fn resource(store: &Arc<Store>, place: &Place, call: &Call) -> Result<Response, Refusal> {
    let found = store.read(|state| state.kinds.by_path(&place.group, &place.version, &place.plural));
    let kind: Arc<Kind> = found.ok_or_else(Refusal::no_such_path)?;
    if kind.namespaced != place.namespace.is_some() && (place.name.is_some() || place.namespace.is_some()) {
        return Err(Refusal::no_such_path());
    }
    match (&call.method, &place.name, place.subresource.as_deref()) {
        (&Method::GET, None, None) if call.query.is("watch") => watch::open(store, &kind, place, call),
        (&Method::GET, None, None) => read::list(store, &kind, place, call),
        (&Method::GET, Some(_), None | Some("status")) => read::get(store, &kind, place, call),
        (&Method::GET, Some(_), Some("log")) if kind.has("log") => read::log(store, &kind, place, call),
        (&Method::GET | &Method::PUT | &Method::PATCH, Some(_), Some("scale")) if kind.has("scale") => {
            verbs::scale(store, &kind, place, call).await
        }
        (_, Some(_), Some("exec" | "portforward" | "attach")) if kind.has("exec") => {
            let message = "nothing runs in the sandbox's pods: there is nothing to execute or to connect to";
            Err(Refusal::new(501, "NotImplemented", message))
        }
        (&Method::POST, Some(_), Some("token")) if kind.has("token") => token::request(store, &kind, place, call),
        (&Method::POST, None, None) => verbs::create(store, &kind, place, call).await,
        (&Method::PUT, Some(_), None | Some("status" | "finalize")) => verbs::replace(store, &kind, place, call).await,
        (&Method::PATCH, Some(_), None | Some("status")) => verbs::patch(store, &kind, place, call).await,
        (&Method::DELETE, Some(_), None) => verbs::delete(store, &kind, place, call).await,
        (&Method::DELETE, None, None) => verbs::delete_all(store, &kind, place, call).await,
        (_, Some(_), Some(_)) => Err(Refusal::no_such_path()),
        _ => {
            let message = "the server does not allow this method on the requested resource";
            Err(Refusal::new(405, "MethodNotAllowed", message))
        }
    }
}
