//! Whose creation an object is: the field manager of the request that made it, which the server keeps beside the object. A label or annotation
//! would show to everybody who reads the object, and be taken away by some.

use serde_json::{Map, json};

use super::{INTENT, MANAGER};
use crate::client::kube::types::Json;

/// The field manager to create an object with.
pub fn manager(nonce: &str) -> String {
    format!("{PREFIX}{nonce}")
}

const PREFIX: &str = "infra-";

/// Whether an object was made with this nonce.
pub fn is_made_by(object: &Json, nonce: &str) -> bool {
    if nonce.is_empty() {
        return false;
    }
    let manager = manager(nonce);
    let managers = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    // Older versions left an annotation.
    managers.into_iter().any(|one| one["manager"] == manager.as_str())
        || object["metadata"]["annotations"][INTENT] == nonce
}

/// The record of owners in which `manager` has what was applied under names of our own: that of a creation, and the one that older versions
/// used. `None` when there is nothing to hand over.
pub fn handed_over(object: &Json, manager: &str, nonce: &str) -> Option<Json> {
    let is_ours = |entry: &Json| {
        let name = entry["manager"].as_str().unwrap_or_default();
        let of_creation = |rest: &str| rest == nonce || uuid::Uuid::try_parse(rest).is_ok();
        let ours = name == MANAGER || name.strip_prefix(PREFIX).is_some_and(of_creation);
        ours && name != manager && entry["operation"] == "Apply" && entry["subresource"].is_null()
    };
    let entries = object["metadata"]["managedFields"].as_array()?;
    let (ours, mut left): (Vec<Json>, Vec<Json>) = entries.iter().cloned().partition(is_ours);
    let mut one = ours.first()?.clone();
    one["manager"] = json!(manager);
    let is_heir =
        |entry: &Json| entry["manager"] == manager && entry["operation"] == "Apply" && entry["subresource"].is_null();
    let heir: Vec<Json> = left.extract_if(.., |entry| is_heir(entry)).collect();
    for other in ours.iter().skip(1).chain(&heir) {
        unite(&mut one["fieldsV1"], &other["fieldsV1"]);
    }
    left.push(one);
    Some(Json::Array(left))
}

/// Adds fields to fields, as `FieldsV1` writes them: a tree of empty objects.
fn unite(fields: &mut Json, others: &Json) {
    let Json::Object(others) = others else { return };
    if !fields.is_object() {
        *fields = Json::Object(Map::new());
    }
    if let Json::Object(fields) = fields {
        for (name, part) in others {
            unite(fields.entry(name.clone()).or_insert_with(|| json!({})), part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(manager: &str, operation: &str, fields: Json) -> Json {
        json!({ "manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields })
    }

    #[test]
    fn what_was_applied_under_our_names_is_handed_over() {
        let check = |owners: Json, expect: Option<Json>| {
            let object = json!({ "metadata": { "managedFields": owners } });
            assert_eq!(handed_over(&object, "Terraform", "nonce"), expect, "{object}");
        };
        let (a, b) = (json!({ "f:data": { "f:a": {} } }), json!({ "f:data": { ".": {}, "f:b": {} } }));
        let both = json!({ "f:data": { "f:a": {}, ".": {}, "f:b": {} } });
        let others = owner("kubectl-edit", "Update", a.clone());
        check(json!([owner("Terraform", "Apply", a.clone()), others]), None);
        check(json!(null), None);
        // A creation, with what somebody else has done since.
        check(
            json!([owner("infra-nonce", "Apply", a.clone()), others]),
            Some(json!([others, owner("Terraform", "Apply", a.clone())])),
        );
        // What older versions applied, beside what Terraform did.
        check(
            json!([owner("infra", "Apply", a.clone()), owner("Terraform", "Apply", b)]),
            Some(json!([owner("Terraform", "Apply", both)])),
        );
        // Of a creation that was cut off.
        check(
            json!([owner("infra-0123456789abcdef0123456789abcdef", "Apply", a.clone())]),
            Some(json!([owner("Terraform", "Apply", a.clone())])),
        );
        // Somebody's own name that begins as ours do.
        check(json!([owner("infra-team", "Apply", a.clone())]), None);
        // A change that is not an apply says nothing of what is wanted.
        check(json!([owner("infra", "Update", a)]), None);
    }

    #[test]
    fn a_creation_is_told_by_its_manager() {
        let check = |object: Json, expect: bool| assert_eq!(is_made_by(&object, "n"), expect, "{object}");
        check(json!({ "metadata": { "managedFields": [owner("infra-n", "Update", json!({}))] } }), true);
        check(json!({ "metadata": { "managedFields": [owner("infra-m", "Update", json!({}))] } }), false);
        check(json!({ "metadata": { "annotations": { INTENT: "n" } } }), true);
        check(json!({ "metadata": {} }), false);
        assert!(!is_made_by(&json!({ "metadata": { "annotations": { INTENT: "" } } }), ""));
    }
}
