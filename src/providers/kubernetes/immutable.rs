//! Changes that need a new object by what the object says of itself, beyond the flags of the table.

use super::compare::is_nothing;
use super::table::Resource;
use crate::client::kube::types::quantity;
use crate::value::{Path, Step, Value};

/// Adds the paths at which such a change is.
pub fn replaced(resource: &Resource, prior: &Value, planned: &Value, found: &mut Vec<Path>) {
    match resource.kind.kind.as_str() {
        "ConfigMap" | "Secret" if prior.get("immutable").and_then(Value::as_bool) == Some(true) => {
            for name in ["data", "binary_data", "immutable"] {
                if differs(at(prior, &[name]), at(planned, &[name])) {
                    push(found, &[name]);
                }
            }
        }
        "PersistentVolumeClaim" => claim(prior, planned, found),
        "PersistentVolume" => {
            let spec = |value| at(value, &["spec"]);
            let source = |value| spec(value)?.as_items()?.first()?.get("persistent_volume_source");
            if let (Some(old), Some(new)) = (source(prior), source(planned)) {
                Path::root().inside(Step::Attribute("spec".into()), |path| {
                    path.inside(Step::Index(0), |path| {
                        let name = Step::Attribute("persistent_volume_source".into());
                        path.inside(name, |path| leaves(old, new, path, found));
                    });
                });
            }
        }
        _ => {}
    }
}

/// A claim can grow; its limits, and anything less than before, need a new one.
fn claim(prior: &Value, planned: &Value, found: &mut Vec<Path>) {
    let part = |name| ["spec", "resources", name];
    if differs(at(prior, &part("limits")), at(planned, &part("limits"))) {
        return push(found, &part("limits"));
    }
    let storage = |value| at(value, &part("requests")).and_then(|requests| requests.get("storage")?.as_str());
    if let (Some(old), Some(new)) = (storage(prior), storage(planned))
        && quantity::compare(new, old) == Some(std::cmp::Ordering::Less)
    {
        push(found, &part("requests"));
    }
}

/// Where two values differ, as deep as both have the same blocks.
fn leaves(old: &Value, new: &Value, path: &mut Path, found: &mut Vec<Path>) {
    if !differs(Some(old), Some(new)) {
        return;
    }
    match (old.as_items(), new.as_items(), old.as_entries(), new.as_entries()) {
        (Some(olds), Some(news), ..)
            if olds.len() == news.len() && olds.iter().all(|item| item.as_entries().is_some()) =>
        {
            for (at, (old, new)) in olds.iter().zip(news).enumerate() {
                path.inside(Step::Index(at), |path| leaves(old, new, path, found));
            }
        }
        (None, None, Some(entries), Some(_)) if matches!(old, Value::Object(_)) => {
            for (name, old) in entries {
                let new = new.get(name).unwrap_or(&Value::NULL);
                path.inside(Step::Attribute(name.clone()), |path| leaves(old, new, path, found));
            }
        }
        _ if found.contains(path) => {}
        _ => found.push(path.clone()),
    }
}

fn differs(old: Option<&Value>, new: Option<&Value>) -> bool {
    let is_nothing = |value: Option<&Value>| value.is_none_or(is_nothing);
    old != new && !(is_nothing(old) && is_nothing(new))
}

/// An attribute, through the one block of each name before it.
fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    let (last, blocks) = path.split_last()?;
    let block = blocks.iter().try_fold(value, |value, name| value.get(name)?.as_items()?.first())?;
    block.get(last)
}

fn push(found: &mut Vec<Path>, path: &[&str]) {
    fn build(at: &mut Path, rest: &[&str], found: &mut Vec<Path>) {
        let Some((name, rest)) = rest.split_first() else {
            if !found.contains(at) {
                found.push(at.clone());
            }
            return;
        };
        at.inside(Step::Attribute((*name).into()), |at| {
            if rest.is_empty() {
                build(at, rest, found);
            } else {
                at.inside(Step::Index(0), |at| build(at, rest, found));
            }
        });
    }
    build(&mut Path::root(), path, found);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::providers::kubernetes::table::table;
    use crate::value::from_json_stored;

    #[test]
    fn what_an_object_does_not_let_change() {
        let storage = |text: &str, limit: Json| json!({ "spec": [{ "resources": [{ "requests": { "storage": text }, "limits": limit }] }] });
        let source = |path: &str| json!({ "spec": [{ "persistent_volume_source": [{ "host_path": [{ "path": path, "type": "" }] }] }] });
        let claim = "kubernetes_persistent_volume_claim_v1";
        for (kind, prior, planned, expect) in [
            (
                "kubernetes_config_map_v1",
                json!({ "immutable": true, "data": { "a": "1" } }),
                json!({ "immutable": true, "data": { "a": "2" } }),
                &["data"][..],
            ),
            ("kubernetes_secret_v1", json!({ "immutable": true }), json!({ "immutable": false }), &["immutable"]),
            (
                "kubernetes_config_map_v1",
                json!({ "immutable": true, "binary_data": {} }),
                json!({ "immutable": true }),
                &[],
            ),
            (
                "kubernetes_config_map_v1",
                json!({ "immutable": false, "data": { "a": "1" } }),
                json!({ "immutable": true }),
                &[],
            ),
            (claim, storage("1Gi", json!({})), storage("2Gi", json!({})), &[]),
            (claim, storage("2Gi", json!({})), storage("1Gi", json!({})), &["spec[0].resources[0].requests"]),
            (
                claim,
                storage("1Gi", json!({})),
                storage("1Gi", json!({ "storage": "3Gi" })),
                &["spec[0].resources[0].limits"],
            ),
            (
                "kubernetes_persistent_volume_v1",
                source("/a"),
                source("/b"),
                &["spec[0].persistent_volume_source[0].host_path[0].path"],
            ),
            ("kubernetes_persistent_volume_v1", source("/a"), source("/a"), &[]),
        ] {
            let resource = &table().resources[kind];
            let value = |json: &Json| from_json_stored(json.to_string().as_bytes(), &resource.schema().ty()).unwrap().0;
            let mut found = Vec::new();
            replaced(resource, &value(&prior), &value(&planned), &mut found);
            assert_eq!(found.iter().map(Path::to_string).collect::<Vec<_>>(), expect, "{kind}: {prior} -> {planned}");
        }
    }
}
