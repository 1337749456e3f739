//! The verbs that only read: get, list, log.

use std::sync::Arc;

use axum::response::Response;
use bytes::{BufMut as _, Bytes, BytesMut};
use http::StatusCode;
use serde_json::json;

use super::answer::{Refusal, raw, respond, tree};
use super::path::Place;
use super::select::Selection;
use super::{Call, columns};
use crate::client::kube::types::{Json, Kind};
use crate::sandbox::cluster;
use crate::sandbox::store::{Key, Object, Store};
use crate::sandbox::write;

/// The key a path names.
pub fn key_in(kind: &Kind, place: &Place) -> Key {
    let name = place.name.as_deref().unwrap_or_default();
    write::key_of(kind, place.namespace.as_deref().unwrap_or_default(), name)
}

/// GET of an object.
pub fn get(store: &Store, kind: &Kind, place: &Place, call: &Call) -> Result<Response, Refusal> {
    let key = key_in(kind, place);
    let found = store.read(|state| state.get(&key).cloned());
    let object = found.ok_or_else(|| Refusal::not_found(kind, &key.name))?;
    Ok(render(StatusCode::OK, &object, kind, call))
}

/// GET of a pod's log.
pub fn log(store: &Store, kind: &Kind, place: &Place, call: &Call) -> Result<Response, Refusal> {
    let key = key_in(kind, place);
    let found = store.read(|state| state.get(&key).cloned());
    let pod = found.ok_or_else(|| Refusal::not_found(kind, &key.name))?;
    let text = cluster::log_of(pod.json());
    let lines: Vec<&str> = text.lines().collect();
    let wanted = call.query.get("tailLines").and_then(|lines| lines.parse().ok()).unwrap_or(lines.len());
    let tail: String = lines[lines.len().saturating_sub(wanted)..].iter().map(|line| format!("{line}\n")).collect();
    Ok(respond(StatusCode::OK, "text/plain", tail))
}

/// GET of a collection.
pub fn list(store: &Store, kind: &Kind, place: &Place, call: &Call) -> Result<Response, Refusal> {
    let (objects, revision, more) = page(store, kind, place, call)?;
    let mut meta = json!({ "resourceVersion": revision.to_string() });
    if let Some((token, remaining)) = more {
        meta["continue"] = json!(token);
        meta["remainingItemCount"] = json!(remaining);
    }
    if wants_table(call) {
        return Ok(tree(StatusCode::OK, &columns::table(kind, &objects, &meta)));
    }
    let head = json!({ "kind": format!("{}List", kind.kind), "apiVersion": kind.api_version(), "metadata": meta });
    let head = head.to_string();
    let size = objects.iter().map(|object| object.raw.len() + 1).sum::<usize>();
    // The objects' own bytes, without reading them.
    let mut body = BytesMut::with_capacity(head.len() + size + 16);
    body.put_slice(head.trim_end_matches('}').as_bytes());
    body.put_slice(b"},\"items\":[");
    for (at, object) in objects.iter().enumerate() {
        if at > 0 {
            body.put_u8(b',');
        }
        body.put_slice(&bytes_of(object, kind));
    }
    body.put_slice(b"]}");
    Ok(raw(StatusCode::OK, body.freeze()))
}

type Page = (Vec<Arc<Object>>, u64, Option<(String, usize)>);

fn page(store: &Store, kind: &Kind, place: &Place, call: &Call) -> Result<Page, Refusal> {
    let selection = Selection::new(call.query.get("labelSelector"), call.query.get("fieldSelector"));
    let (mut objects, revision) = store.read(|state| {
        let all = state.list(&kind.resource(), place.namespace.as_deref());
        let all = all.filter(|object| selection.is_empty() || selection.takes(object.json()));
        (all.cloned().collect::<Vec<_>>(), state.revision())
    });
    if let Some(token) = call.query.get("continue") {
        let (namespace, name) =
            token.split_once('/').ok_or_else(|| Refusal::bad_request("the continue token is not valid"))?;
        objects.retain(|object| (&*object.key.namespace, &*object.key.name) > (namespace, name));
    }
    let limit = call.query.get("limit").and_then(|limit| limit.parse::<usize>().ok()).filter(|limit| *limit > 0);
    let more = match limit {
        Some(limit) if limit < objects.len() => {
            let rest = objects.len() - limit;
            objects.truncate(limit);
            objects.last().map(|last| (format!("{}/{}", last.key.namespace, last.key.name), rest))
        }
        _ => None,
    };
    Ok((objects, revision, more))
}

/// Whether the caller would rather have a table for people.
pub fn wants_table(call: &Call) -> bool {
    let mut accepted = call.accept.split(',');
    accepted.any(|one| one.contains("as=Table") && one.contains("v=v1;") && one.contains("application/json"))
}

/// An object as the caller wants it.
pub fn render(code: StatusCode, object: &Object, kind: &Kind, call: &Call) -> Response {
    if wants_table(call) {
        let one = Arc::new(Object::new(object.key.clone(), object.revision, (**object.json()).clone(), false));
        let meta = json!({ "resourceVersion": object.revision.to_string() });
        return tree(code, &columns::table(kind, &[one], &meta));
    }
    raw(code, bytes_of(object, kind))
}

/// An object's bytes in the version of a kind.
pub fn bytes_of(object: &Object, kind: &Kind) -> Bytes {
    // Only custom resources have several versions here, and these differ in nothing but their name.
    if kind.type_name.is_some() || object.json()["apiVersion"] == kind.api_version().as_str() {
        return object.raw.clone();
    }
    let mut json: Json = (**object.json()).clone();
    json["apiVersion"] = json!(kind.api_version());
    Bytes::from(serde_json::to_vec(&json).unwrap_or_default())
}
