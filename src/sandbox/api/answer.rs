//! Answers: objects, and refusals in the API's own `Status` form.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{StatusCode, header};
use serde_json::json;

use crate::client::kube::types::rules::FieldError;
use crate::client::kube::types::{Json, Kind};
use crate::sandbox::store::StoreError;

/// A refusal, which becomes a `Status` object.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// HTTP status.
    pub code: u16,
    /// `NotFound`, `Conflict`, `Invalid`… as clients match on it.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// `{ name, group, kind, causes }`.
    pub details: Json,
}

/// One thing wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueRequired`, `FieldValueInvalid`, `FieldManagerConflict`…
    pub reason: &'static str,
    /// `spec.replicas`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl Cause {
    /// The field must be set.
    pub fn required(field: impl Into<String>, hint: &str) -> Self {
        let message = if hint.is_empty() { "Required value".to_owned() } else { format!("Required value: {hint}") };
        Cause { reason: "FieldValueRequired", field: field.into(), message }
    }

    /// The field's value is not allowed. `value` as JSON; why, as a sentence part.
    pub fn invalid(field: impl Into<String>, value: &Json, why: &str) -> Self {
        Cause { reason: "FieldValueInvalid", field: field.into(), message: format!("Invalid value: {value}: {why}") }
    }

    /// The field must not be set or changed.
    pub fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Cause { reason: "FieldValueForbidden", field: field.into(), message: format!("Forbidden: {why}") }
    }

    /// The same value stands twice.
    pub fn duplicate(field: impl Into<String>, value: &Json) -> Self {
        Cause { reason: "FieldValueDuplicate", field: field.into(), message: format!("Duplicate value: {value}") }
    }

    /// What the field refers to does not exist.
    pub fn not_found(field: impl Into<String>, value: &Json) -> Self {
        Cause { reason: "FieldValueNotFound", field: field.into(), message: format!("Not found: {value}") }
    }
}

impl From<FieldError> for Cause {
    fn from(error: FieldError) -> Self {
        Cause { reason: error.reason, field: error.path, message: error.message }
    }
}

impl Refusal {
    /// A refusal without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Refusal { code, reason, message: message.into(), details: Json::Null }
    }

    /// The request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Refusal::new(400, "BadRequest", message)
    }

    /// No such path or kind.
    pub fn no_such_path() -> Self {
        Refusal::new(404, "NotFound", "the server could not find the requested resource")
    }

    /// No such object.
    pub fn not_found(kind: &Kind, name: &str) -> Self {
        let mut refusal = Refusal::new(404, "NotFound", format!("{} {name:?} not found", kind.resource()));
        refusal.details = json!({ "name": name, "group": kind.group, "kind": kind.plural });
        refusal
    }

    /// An object of this name is there.
    pub fn exists(kind: &Kind, name: &str) -> Self {
        let mut refusal = Refusal::new(409, "AlreadyExists", format!("{} {name:?} already exists", kind.resource()));
        refusal.details = json!({ "name": name, "group": kind.group, "kind": kind.plural });
        refusal
    }

    /// The object is another one than the caller believes.
    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.resource());
        let mut refusal = Refusal::new(409, "Conflict", message);
        refusal.details = json!({ "name": name, "group": kind.group, "kind": kind.plural });
        refusal
    }

    /// Other managers own fields that an apply would change.
    pub fn owned(causes: &[Cause]) -> Self {
        let noun = if causes.len() == 1 { "conflict" } else { "conflicts" };
        let list = match causes {
            [one] => format!("{}: {}", one.message, one.field),
            many => {
                let lines = many.iter().map(|cause| format!("\n- {}: {}", cause.message, cause.field));
                lines.collect::<String>()
            }
        };
        let message = format!("Apply failed with {} {noun}: {list}", causes.len());
        let mut refusal = Refusal::new(409, "Conflict", message);
        refusal.details = json!({ "causes": json_causes(causes) });
        refusal
    }

    /// The object breaks rules.
    pub fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        let said: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        let said = match &said[..] {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let mut refusal = Refusal::new(422, "Invalid", format!("{} {name:?} is invalid: {said}", kind.qualified()));
        refusal.details =
            json!({ "name": name, "group": kind.group, "kind": kind.kind, "causes": json_causes(causes) });
        refusal
    }

    /// The `Status` object.
    pub fn status(&self) -> Json {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Refusal::new(500, "InternalError", format!("the sandbox's store failed: {error}"))
    }
}

fn json_causes(causes: &[Cause]) -> Json {
    let causes = causes.iter();
    causes.map(|cause| json!({ "reason": cause.reason, "message": cause.message, "field": cause.field })).collect()
}

/// An answer of this status and type.
pub fn respond(code: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}

/// An object's bytes.
pub fn raw(code: StatusCode, bytes: Bytes) -> Response {
    respond(code, "application/json", bytes)
}

/// JSON.
pub fn tree(code: StatusCode, tree: &Json) -> Response {
    // Serialising a tree of JSON cannot fail.
    raw(code, Bytes::from(serde_json::to_vec(tree).unwrap_or_default()))
}

/// A refusal.
pub fn refused(refusal: &Refusal) -> Response {
    tree(StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &refusal.status())
}
