//! Tokens of service accounts: requested, never checked.

use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use super::Call;
use super::answer::{Cause, Refusal, tree};
use super::path::Place;
use super::read::key_in;
use crate::client::kube::types::{Json, Kind, find};
use crate::sandbox::cluster::unsigned;
use crate::sandbox::store::{State, Store};

const ISSUER: &str = "https://kubernetes.default.svc";
/// How long a token is good that does not say for how long.
const HOUR: i64 = 3600;

/// POST of `token`.
pub fn request(store: &Arc<Store>, kind: &Kind, place: &Place, call: &Call) -> Result<Response, Refusal> {
    let wanted: Json = serde_json::from_slice(&call.body)
        .map_err(|cause| Refusal::bad_request(format!("the body is not valid: {cause}")))?;
    let key = key_in(kind, place);
    let spec = &wanted["spec"];
    let seconds = spec["expirationSeconds"].as_i64().unwrap_or(HOUR);
    let invalid = |field: &str, value: &Json, why: &str| {
        let cause = Cause::invalid(field, value, why);
        let message = format!("TokenRequest.authentication.k8s.io \"\" is invalid: {}: {}", cause.field, cause.message);
        Refusal::new(422, "Invalid", message)
    };
    if seconds < 600 {
        let why = "may not specify a duration less than 10 minutes";
        return Err(invalid("spec.expirationSeconds", &json!(seconds), why));
    }
    let (account, bound) = store.read(|state| {
        let account = state.get(&key).cloned().ok_or_else(|| Refusal::not_found(kind, &key.name))?;
        Ok::<_, Refusal>((account, bound(state, &key.namespace, &spec["boundObjectRef"])?))
    })?;
    let audiences = match spec["audiences"].as_array() {
        Some(all) if !all.is_empty() => json!(all),
        Some(_) | None => json!([ISSUER]),
    };
    let now = jiff::Timestamp::now().as_second();
    let uid = &account.json()["metadata"]["uid"];
    let mut of = json!({ "namespace": key.namespace, "serviceaccount": { "name": key.name, "uid": uid } });
    if let Some((field, bound)) = bound {
        of[field] = bound;
    }
    let claims = json!({
        "aud": audiences, "exp": now + seconds, "iat": now, "nbf": now, "iss": ISSUER, "jti": uuid::Uuid::new_v4().to_string(),
        "kubernetes.io": of, "sub": format!("system:serviceaccount:{}:{}", key.namespace, key.name),
    });
    let ends = jiff::Timestamp::from_second(now + seconds).map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let answer = json!({
        "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
        "metadata": { "name": key.name, "namespace": key.namespace },
        "spec": {
            "audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": spec["boundObjectRef"],
        },
        "status": {
            "token": unsigned(&claims),
            "expirationTimestamp": ends.unwrap_or_default(),
        },
    });
    Ok(tree(StatusCode::CREATED, &answer))
}

/// What a token is bound to, and under which name it says so.
fn bound(state: &State, namespace: &str, wanted: &Json) -> Result<Option<(&'static str, Json)>, Refusal> {
    if wanted.is_null() {
        return Ok(None);
    }
    let text = |name: &str| wanted[name].as_str().unwrap_or_default();
    let (field, plural, namespace) = match (text("apiVersion"), text("kind")) {
        ("v1", "Pod") => ("pod", "pods", namespace),
        ("v1", "Secret") => ("secret", "secrets", namespace),
        ("v1", "Node") => ("node", "nodes", ""),
        (version, kind) => {
            let message = format!("cannot bind token to object of type {version}, Kind={kind}");
            return Err(Refusal::bad_request(message));
        }
    };
    let name = text("name");
    let Some(kind) = find("v1", text("kind")) else { return Ok(None) };
    let found = state.find(plural, namespace, name).ok_or_else(|| Refusal::not_found(kind, name))?;
    let uid = &found.json()["metadata"]["uid"];
    if !text("uid").is_empty() && Some(text("uid")) != uid.as_str() {
        let why = format!(
            "the UID in the bound object reference ({}) does not match the UID in record. The object might have been deleted and then \
             recreated",
            text("uid")
        );
        return Err(Refusal::conflict(kind, name, &why));
    }
    Ok(Some((field, json!({ "name": name, "uid": uid }))))
}
