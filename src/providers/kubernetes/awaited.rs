//! What is waited for after a manifest was applied: the `wait` block, and the older `wait_for`.

use regex::Regex;

use super::fieldpath;
use crate::client::kube::types::{Json, Kind};
use crate::client::kube::{Readiness, readiness};
use crate::diag::Diagnostic;
use crate::value::Value;

/// What a `wait` block waits for.
pub struct Awaited {
    rollout: bool,
    conditions: Vec<(String, String)>,
    fields: Vec<(String, Option<Regex>)>,
}

impl Awaited {
    /// What a configuration, or an object in state, asks for.
    ///
    /// # Errors
    /// A pattern cannot be read.
    pub fn of(config: &Value, kind: &Kind) -> Result<Awaited, Diagnostic> {
        let block = config.get("wait").and_then(Value::as_items).and_then(<[Value]>::first);
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let conditions =
            block.and_then(|block| block.get("condition")).and_then(Value::as_items).unwrap_or_default().iter();
        let conditions = conditions.map(|one| (text(one.get("type")), text(one.get("status")))).collect();
        let older = config.get("wait_for").and_then(|wait| wait.get("fields"));
        let fields = block.and_then(|block| block.get("fields")).filter(|fields| !fields.is_null()).or(older);
        let mut wanted = Vec::new();
        for (path, pattern) in fields.and_then(Value::as_entries).into_iter().flatten() {
            let pattern = pattern.as_str().unwrap_or("*");
            let regex = if pattern == "*" {
                None
            } else {
                let regex = Regex::new(pattern).map_err(|error| {
                    Diagnostic::error(
                        "Invalid pattern",
                        format!("The pattern of `wait` for {path:?} cannot be read: {error}."),
                    )
                })?;
                Some(regex)
            };
            wanted.push((path.to_string(), regex));
        }
        // What a definition makes can be used only when it is established.
        let defines = kind.kind == "CustomResourceDefinition";
        let rollout = block.and_then(|block| block.get("rollout")).and_then(Value::as_bool).unwrap_or(false) || defines;
        Ok(Awaited { rollout, conditions, fields: wanted })
    }

    /// Whether an object is as awaited.
    pub fn judge(&self, object: &Json) -> Readiness {
        if self.rollout {
            match readiness(object) {
                Readiness::Ready => {}
                other => return other,
            }
        }
        let list = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (kind, status) in &self.conditions {
            if !list.iter().any(|one| one["type"] == kind.as_str() && one["status"] == status.as_str()) {
                return Readiness::Waiting(format!("condition {kind} is not {status}"));
            }
        }
        for (path, pattern) in &self.fields {
            let found = fieldpath::at(object, path)
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            let met = match (found, pattern) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(text), Some(pattern)) => pattern.is_match(&text),
            };
            if !met {
                return Readiness::Waiting(format!("field {path} is not as awaited"));
            }
        }
        Readiness::Ready
    }
}
