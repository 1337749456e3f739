//! Typed blocks as whole objects, with what single kinds need beyond the table.

use serde_json::json;

use super::compare::{with_planned_nulls, with_prior_zeros};
use super::hidden::{Ignored, Spot};
use super::identity::Place;
use super::read::from_object;
use super::table::Resource;
use super::write::{Change, change_object, to_object};
use super::{INTENT, secret};
use crate::client::kube::types::{Json, Type as ApiType};
use crate::value::Value;

/// The API type of a resource's objects.
pub fn api_type(resource: &Resource) -> ApiType {
    resource.kind.schema().cloned().map_or(ApiType::Any, ApiType::Struct)
}

/// The object to apply: what is configured, and the defaults that the plan has.
pub fn build(resource: &Resource, config: &Value, planned: &Value, place: &Place) -> Json {
    let mut object = Json::Object(to_object(&resource.fields, config, Some(planned), &api_type(resource)));
    object["apiVersion"] = json!(resource.kind.api_version());
    object["kind"] = json!(resource.kind.kind);
    name(&mut object, place);
    match resource.kind.kind.as_str() {
        "Secret" => secret::encode(&mut object, config),
        // Only a load balancer may say so.
        "Service" if object["spec"]["type"] != "LoadBalancer" => {
            if let Some(spec) = object["spec"].as_object_mut() {
                spec.shift_remove("allocateLoadBalancerNodePorts");
            }
        }
        _ => {}
    }
    object
}

/// Writes the place into an object's metadata.
pub fn name(object: &mut Json, place: &Place) {
    let meta = &mut object["metadata"];
    if !meta.is_object() {
        *meta = json!({});
    }
    meta["name"] = json!(place.name);
    if let Some(namespace) = &place.namespace {
        meta["namespace"] = json!(namespace);
    }
    if let Json::Object(meta) = meta
        && place.namespace.is_none()
    {
        meta.shift_remove("namespace");
    }
}

/// The live object as it was planned to be, see [`write`](super::write).
pub fn changed(resource: &Resource, live: &Json, change: Change<'_>) -> Json {
    let kind = resource.kind.kind.as_str();
    let mut object = live.clone();
    change_object(&resource.fields, &mut object, &api_type(resource), change, Spot::top(kind, None));
    if kind == "Secret" {
        secret::change(&mut object, &live["data"], change);
    }
    // A strategy that is changed leaves nothing of the one before.
    for strategy in ["strategy", "updateStrategy"] {
        if matches!(object["spec"][strategy]["type"].as_str(), Some("Recreate" | "OnDelete"))
            && let Some(strategy) = object["spec"][strategy].as_object_mut()
        {
            strategy.shift_remove("rollingUpdate");
        }
    }
    // What older versions of this program left there for themselves.
    if let Some(Json::Object(annotations)) = object.pointer_mut("/metadata/annotations") {
        annotations.shift_remove(INTENT);
    }
    object
}

/// How an object is read.
#[derive(Clone, Copy)]
pub enum Look<'a> {
    /// After a change: hinted by what was planned.
    Ours(&'a Value, &'a Ignored),
    /// When it is looked at again: hinted by the value in state, whose nulls stay where the API has nothing.
    Shared(&'a Value, &'a Ignored),
    /// Without a hint, as for import and data sources.
    Whole(&'a Ignored),
}

/// The value of an object.
pub fn read(resource: &Resource, object: &Json, place: &Place, look: Look<'_>) -> Value {
    let (hint, ignored) = match look {
        Look::Ours(hint, ignored) | Look::Shared(hint, ignored) => (Some(hint), ignored),
        Look::Whole(ignored) => (None, ignored),
    };
    let kind = resource.kind.kind.as_str();
    let top = Spot::top(kind, Some(ignored));
    let spot = if matches!(look, Look::Shared(..)) { top.keeping_form() } else { top };
    let decoded;
    let seen = if kind == "Secret" {
        decoded = secret::decoded(object, hint);
        &decoded
    } else {
        object
    };
    let value = from_object(&resource.fields, seen, &api_type(resource), hint, spot);
    let Value::Object(mut entries) = value else { return value };
    entries = entries.with("id", Value::string(place.id()));
    if kind == "Secret" {
        entries = secret::read(entries, object, hint);
    }
    let value = Value::Object(entries);
    match look {
        Look::Shared(prior, _) => with_prior_zeros(prior, &value),
        Look::Ours(planned, _) => with_planned_nulls(planned, &value),
        Look::Whole(_) => imported(kind, &value),
    }
}

/// The value of an object that nobody has planned: what only configuration could say is as the provider of Terraform has it then.
fn imported(kind: &str, value: &Value) -> Value {
    match value {
        Value::Object(entries) if kind == "PersistentVolumeClaim" && entries.get("wait_until_bound").is_some() => {
            Value::Object(entries.clone().with("wait_until_bound", Value::Bool(true)))
        }
        _ => value.clone(),
    }
}
