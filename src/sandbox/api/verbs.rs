//! The verbs that change something: read the body, change the store, wait for the disk, answer.

use std::sync::Arc;

use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::json;

use super::Call;
use super::answer::{Refusal, raw, tree};
use super::path::Place;
use super::read::{bytes_of, key_in, render};
use super::select::Selection;
use crate::client::kube::types::{Json, Kind};
use crate::sandbox::store::{State, Store};
use crate::sandbox::write::{self, Options, PatchKind, Removal, Strictness, Writer, Written};

/// POST.
pub async fn create(store: &Arc<Store>, kind: &Kind, place: &Place, call: &Call) -> Result<Response, Refusal> {
    let body = body(call)?;
    let namespace = place.namespace.clone().unwrap_or_default();
    let options = options(call, place, false)?;
    change(store, kind, call, |state| write::create(state, kind, &namespace, body, &options)).await
}

/// PUT.
pub async fn replace(store: &Arc<Store>, kind: &Kind, place: &Place, call: &Call) -> Result<Response, Refusal> {
    let body = body(call)?;
    let key = key_in(kind, place);
    let options = options(call, place, false)?;
    change(store, kind, call, |state| write::replace(state, kind, &key, body, &options)).await
}

/// PATCH.
pub async fn patch(store: &Arc<Store>, kind: &Kind, place: &Place, call: &Call) -> Result<Response, Refusal> {
    let how = patch_kind(call)?;
    let body = body(call)?;
    let key = key_in(kind, place);
    let options = options(call, place, how == PatchKind::Apply)?;
    change(store, kind, call, |state| write::patch(state, kind, &key, how, body, &options)).await
}

/// DELETE of an object.
pub async fn delete(store: &Arc<Store>, kind: &Kind, place: &Place, call: &Call) -> Result<Response, Refusal> {
    let key = key_in(kind, place);
    let removal = removal(call)?;
    let (removed, revision) = store.write(|state| {
        let uid = state.get(&key).map(|object| object.uid.clone()).unwrap_or_default();
        write::remove(state, kind, &key, &removal).map(|left| (left, uid))
    });
    store.durable(revision).await?;
    let (left, uid) = removed?;
    Ok(match left {
        Some(object) => raw(StatusCode::OK, bytes_of(&object, kind)),
        None => tree(
            StatusCode::OK,
            &json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                "details": { "name": &*key.name, "group": kind.group, "kind": kind.plural, "uid": uid },
            }),
        ),
    })
}

/// DELETE of a collection.
pub async fn delete_all(store: &Arc<Store>, kind: &Kind, place: &Place, call: &Call) -> Result<Response, Refusal> {
    let selection = Selection::new(call.query.get("labelSelector"), call.query.get("fieldSelector"));
    let removal = removal(call)?;
    let (removed, revision) = store.write(|state| {
        let chosen: Vec<_> = state
            .list(&kind.resource(), place.namespace.as_deref())
            .filter(|object| selection.is_empty() || selection.takes(object.json()))
            .cloned()
            .collect();
        for object in &chosen {
            write::remove(state, kind, &object.key, &removal)?;
        }
        Ok::<_, Refusal>(chosen)
    });
    store.durable(revision).await?;
    let items: Vec<Json> = removed?.iter().map(|object| (**object.json()).clone()).collect();
    let list = json!({
        "kind": format!("{}List", kind.kind), "apiVersion": kind.api_version(),
        "metadata": { "resourceVersion": revision.to_string() }, "items": items,
    });
    Ok(tree(StatusCode::OK, &list))
}

/// GET, PUT and PATCH of `scale`.
pub async fn scale(store: &Arc<Store>, kind: &Kind, place: &Place, call: &Call) -> Result<Response, Refusal> {
    let key = key_in(kind, place);
    let mut options = options(call, &Place::default(), false)?;
    options.writer.subresource = "scale".into();
    let patches = call.method == Method::PATCH;
    let wanted = match call.method {
        Method::GET => None,
        _ => Some(body(call)?),
    };
    let (done, revision) = store.write(|state| {
        let live = state.get(&key).cloned().ok_or_else(|| Refusal::not_found(kind, &key.name))?;
        let Some(wanted) = wanted else { return Ok(live) };
        let mut object = (**live.json()).clone();
        let replicas = &wanted["spec"]["replicas"];
        if replicas.is_number() {
            object["spec"]["replicas"] = replicas.clone();
        } else if !patches {
            return Err(Refusal::bad_request("spec.replicas must be a number"));
        }
        write::replace(state, kind, &key, object, &options).map(|(object, _)| object)
    });
    store.durable(revision).await?;
    let object = done?;
    let json = object.json();
    let labels = json["spec"]["selector"]["matchLabels"].as_object().into_iter().flatten();
    let labels: Vec<String> =
        labels.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
    let meta = &json["metadata"];
    let scale = json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"], "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": { "replicas": json["spec"]["replicas"] },
        "status": { "replicas": json["status"]["replicas"].as_i64().unwrap_or(0), "selector": labels.join(",") },
    });
    Ok(tree(StatusCode::OK, &scale))
}

async fn change(
    store: &Arc<Store>,
    kind: &Kind,
    call: &Call,
    f: impl FnOnce(&mut State) -> Result<Written, Refusal>,
) -> Result<Response, Refusal> {
    let (written, revision) = store.write(f);
    store.durable(revision).await?;
    let (object, created) = written?;
    let code = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(render(code, &object, kind, call))
}

fn options(call: &Call, place: &Place, applies: bool) -> Result<Options, Refusal> {
    let manager = match call.query.get("fieldManager") {
        Some(manager) => manager.to_owned(),
        None if applies => {
            return Err(Refusal::bad_request(
                "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
            ));
        }
        None => call.agent.split('/').next().filter(|agent| !agent.is_empty()).unwrap_or("unknown").to_owned(),
    };
    Ok(Options {
        writer: Writer {
            manager,
            applies,
            subresource: place.subresource.clone().filter(|name| name == "status").unwrap_or_default(),
        },
        dry_run: call.query.get("dryRun") == Some("All"),
        strictness: match call.query.get("fieldValidation") {
            Some("Strict") => Strictness::Strict,
            _ => Strictness::Ignore,
        },
        force: call.query.is("force"),
    })
}

fn patch_kind(call: &Call) -> Result<PatchKind, Refusal> {
    match call.content_type.split(';').next().unwrap_or_default().trim() {
        "application/apply-patch+yaml" | "application/apply-patch+json" => Ok(PatchKind::Apply),
        "application/merge-patch+json" => Ok(PatchKind::Merge),
        "application/strategic-merge-patch+json" => Ok(PatchKind::Strategic),
        other => {
            let message = format!(
                "the body of the request was in an unknown format ({other}) - accepted media types include: \
                 application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml"
            );
            Err(Refusal::new(415, "UnsupportedMediaType", message))
        }
    }
}

fn body(call: &Call) -> Result<Json, Refusal> {
    if call.content_type.contains("protobuf") {
        // Clients made from Go types send it, such as `kubectl create namespace`.
        let message =
            "the sandbox reads JSON and YAML, not protocol buffers: use `kubectl apply -f` or `kubectl create -f`";
        return Err(Refusal::new(415, "UnsupportedMediaType", message));
    }
    let said = |cause: &dyn std::fmt::Display| Refusal::bad_request(format!("the body is not valid: {cause}"));
    match serde_json::from_slice(&call.body) {
        Ok(json) => Ok(json),
        // An apply may be YAML, of which JSON is nearly a part.
        Err(_) if call.content_type.contains("yaml") => {
            let text = std::str::from_utf8(&call.body).map_err(|cause| said(&cause))?;
            serde_saphyr::from_str(text).map_err(|cause| said(&cause))
        }
        Err(cause) => Err(said(&cause)),
    }
}

fn removal(call: &Call) -> Result<Removal, Refusal> {
    let body = if call.body.is_empty() { Json::Null } else { body(call)? };
    let text = |value: &Json| value.as_str().map(str::to_owned);
    let orphans = (body["orphanDependents"] == true).then(|| "Orphan".to_owned());
    let asked = call.query.get("propagationPolicy").map(str::to_owned);
    let dry = call.query.get("dryRun") == Some("All") || body["dryRun"][0] == "All";
    Ok(Removal {
        propagation: asked.or_else(|| text(&body["propagationPolicy"])).or(orphans),
        uid: text(&body["preconditions"]["uid"]),
        revision: text(&body["preconditions"]["resourceVersion"]),
        dry_run: dry,
    })
}
