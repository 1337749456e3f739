//! Objects of manifests: how they are named, looked at and kept in state.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::configured::Cluster;
use super::identity::Place;
use super::whole;
use crate::client::kube::KubeError;
use crate::client::kube::types::{Json, Kind, Type as ApiType};
use crate::value::Value;

/// An object that was found.
pub struct Found {
    /// The object.
    pub object: Json,
    /// Its kind.
    pub kind: Arc<Kind>,
    /// Its name.
    pub place: Place,
}

/// The object that a value is of.
///
/// # Errors
/// The server did not answer, or refused.
pub async fn find(cluster: &Cluster, value: &Value) -> Result<Option<Found>, KubeError> {
    look(cluster, &identity(value)).await
}

/// The object of this identity.
///
/// # Errors
/// The server did not answer, or refused.
pub async fn look(cluster: &Cluster, identity: &Json) -> Result<Option<Found>, KubeError> {
    let kind = match kind_of(cluster, identity, Duration::ZERO).await {
        // Without the definition of its kind there is no object.
        Err(KubeError::UnknownKind { .. }) => return Ok(None),
        other => other?,
    };
    let Some(place) = Place::of_manifest(identity, &kind) else { return Ok(None) };
    let found = match cluster.kube.get(&kind, place.namespace.as_deref(), &place.name).await {
        Err(KubeError::UnknownKind { .. }) => return Ok(None),
        other => other?,
    };
    Ok(found.map(|object| Found { object, kind, place }))
}

/// What names the object of a value: the object itself, or else its manifest.
pub fn identity(value: &Value) -> Json {
    let part = |name: &str| value.get(name).map(named).filter(|named| named["metadata"]["name"].is_string());
    part("object").or_else(|| part("manifest")).unwrap_or_default()
}

/// The fields of an object that name it, as far as they are known.
pub fn named(object: &Value) -> Json {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map_or(Json::Null, Json::from);
    let meta = object.get("metadata");
    json!({
        "apiVersion": text(object.get("apiVersion")), "kind": text(object.get("kind")),
        "metadata": {
            "name": text(meta.and_then(|meta| meta.get("name"))),
            "namespace": text(meta.and_then(|meta| meta.get("namespace"))),
        },
    })
}

/// The value with the object as it is.
pub fn value_of(value: &Value, found: &Json, kind: &Kind) -> Value {
    let whole = whole::of_kind(&stripped(found), kind);
    let whole = match &whole {
        // Status is the cluster's, and in no object of a manifest.
        Value::Object(entries) if entries.contains_key("status") => {
            let entries = entries.iter().filter(|(name, _)| name.as_str() != "status");
            Value::Object(entries.cloned().collect())
        }
        _ => whole,
    };
    with_object(value, whole)
}

/// An object without what only the server writes.
fn stripped(found: &Json) -> Json {
    let mut object = found.clone();
    if let Json::Object(map) = &mut object {
        map.shift_remove("status");
        if let Some(Json::Object(meta)) = map.get_mut("metadata") {
            for field in ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"] {
                meta.shift_remove(field);
            }
            // Older versions left a mark.
            if let Some(Json::Object(annotations)) = meta.get_mut("annotations") {
                annotations.shift_remove(super::INTENT);
                if annotations.is_empty() {
                    meta.shift_remove("annotations");
                }
            }
        }
    }
    object
}

/// A value with another object.
pub fn with_object(value: &Value, object: Value) -> Value {
    match value.bare() {
        Value::Object(entries) => Value::Object(entries.clone().with("object", object)),
        other => other.clone(),
    }
}

/// The kind of a manifest, which a definition may be about to make.
///
/// # Errors
/// The server did not answer, or has no such kind.
pub async fn kind_of(cluster: &Cluster, manifest: &Json, limit: Duration) -> Result<Arc<Kind>, KubeError> {
    let text = |field: &str| manifest[field].as_str().unwrap_or_default();
    cluster.kube.kind_within(text("apiVersion"), text("kind"), limit).await
}

/// The type of its objects.
pub fn type_of(kind: &Kind) -> ApiType {
    kind.schema().cloned().map_or(ApiType::Any, ApiType::Struct)
}
