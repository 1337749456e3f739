//! Data of a Secret that is written and never stored: `data_wo`, `binary_data_wo`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::configured::Cluster;
use super::identity::Place;
use super::table::Resource;
use crate::client::kube::KubeError;
use crate::provider::ApplyRequest;
use crate::value::{Type, Value};

/// What is only written, and the number that says whether it is to be written again.
const WRITE_ONLY: [(&str, &str); 2] = [("data_wo", "data_wo_revision"), ("binary_data_wo", "binary_data_wo_revision")];

/// The configuration of an update, where what is only written stays as the cluster has it unless its revision changes.
///
/// # Errors
/// When the cluster does not give the object.
pub async fn with_kept(
    cluster: &Cluster,
    resource: &Resource,
    place: &Place,
    request: &ApplyRequest,
) -> Result<Value, KubeError> {
    let kept = |(attribute, revision): &&(&str, &str)| {
        let written = request.config.get(attribute).is_some_and(|value| !value.is_null());
        written && request.prior.get(revision) == request.planned.get(revision)
    };
    let kept: Vec<_> = WRITE_ONLY.iter().filter(kept).collect();
    let (false, Value::Object(entries)) = (kept.is_empty() || request.prior.is_null(), &request.config) else {
        return Ok(request.config.clone());
    };
    let live = cluster.kube.get(resource.kind, place.namespace.as_deref(), &place.name).await?.unwrap_or_default();
    let mut entries = entries.clone();
    for (attribute, _) in kept {
        let values = request.config.get(attribute).and_then(Value::as_entries).cloned().unwrap_or_default();
        let values = values.map_values(|key, value| match live["data"][key.as_str()].as_str() {
            Some(text) if attribute.starts_with("binary") => text.into(),
            Some(text) => String::from_utf8_lossy(&STANDARD.decode(text).unwrap_or_default()).into_owned().into(),
            None => value.clone(),
        });
        entries = entries.with(*attribute, Value::map(Type::String, values));
    }
    Ok(Value::Object(entries))
}

/// Whether state says that something was written that it does not have.
pub fn is_used(state: &Value) -> bool {
    WRITE_ONLY.iter().any(|(_, revision)| state.get(revision).is_some_and(|revision| !revision.is_null()))
}

/// What to read after a call: where data is only written, none of it is taken for the data that is stored.
pub fn hint(request: &ApplyRequest) -> Value {
    let is_set = |name: &str| request.config.get(name).is_some_and(|value| !value.is_null());
    let Value::Object(entries) = &request.planned else { return request.planned.clone() };
    let hidden = WRITE_ONLY
        .iter()
        .zip(["data", "binary_data"])
        .filter(|((written, _), stored)| is_set(written) && !is_set(stored));
    let null = Value::Null(Type::map(Type::String));
    Value::Object(hidden.fold(entries.clone(), |entries, (_, stored)| entries.with(stored, null.clone())))
}
