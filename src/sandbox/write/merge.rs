//! The three ways an object and a patch become one object: by the fields of an apply, by JSON merge patch, by strategic merge patch.

use std::collections::HashSet;

use super::fields::element_step;
use crate::client::kube::types::{Json, ListKind, ListType, Type};

/// Server-side apply's merge: fields of `applied` win, lists with keys are merged element by element, everything else is replaced.
pub fn apply(live: &Json, applied: &Json, ty: &Type) -> Json {
    match (live, applied, ty) {
        (_, _, Type::Struct(structure)) if structure.atomic => applied.clone(),
        (_, _, Type::Map(map)) if map.atomic => applied.clone(),
        (Json::Object(live), Json::Object(new), _) => {
            let mut merged = live.clone();
            for (name, value) in new {
                let value = match live.get(name) {
                    Some(old) => apply(old, value, &ty.child(name)),
                    None => value.clone(),
                };
                merged.insert(name.clone(), value);
            }
            Json::Object(merged)
        }
        (Json::Array(live), Json::Array(new), Type::List(list)) if list.kind != ListKind::Atomic => {
            Json::Array(merge_lists(live, new, list))
        }
        _ => applied.clone(),
    }
}

/// Elements of both lists; those of `new` in their order, others where they stood among them.
fn merge_lists(live: &[Json], new: &[Json], list: &ListType) -> Vec<Json> {
    let old_steps: Vec<Option<String>> = live.iter().map(|item| element_step(item, list)).collect();
    let new_steps: Vec<Option<String>> = new.iter().map(|item| element_step(item, list)).collect();
    let in_new: HashSet<&String> = new_steps.iter().flatten().collect();
    let (mut merged, mut next, mut placed) = (Vec::with_capacity(live.len().max(new.len())), 0, HashSet::new());
    for (item, step) in new.iter().zip(&new_steps) {
        // Elements of the old list that only it has keep their place before the element they preceded.
        while next < live.len() && old_steps[next].as_ref().is_none_or(|step| !in_new.contains(step)) {
            merged.push(live[next].clone());
            next += 1;
        }
        let old = old_steps.iter().position(|old| old == step);
        merged.push(old.map_or_else(|| item.clone(), |at| apply(&live[at], item, &list.element)));
        placed.extend(step.clone());
        while next < live.len() && old_steps[next].as_ref().is_some_and(|step| placed.contains(step)) {
            next += 1;
        }
    }
    let rest = live[next..].iter().zip(&old_steps[next..]);
    merged.extend(
        rest.filter(|(_, step)| step.as_ref().is_none_or(|step| !in_new.contains(step))).map(|(item, _)| item.clone()),
    );
    merged
}

/// RFC 7386.
pub fn json_merge(target: &mut Json, patch: &Json) {
    let Json::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Json::Object(serde_json::Map::new());
    }
    let Json::Object(target) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.shift_remove(name);
        } else {
            json_merge(target.entry(name.clone()).or_insert(Json::Null), value);
        }
    }
}

/// Kubernetes' own patch: as a JSON merge patch, but lists with a merge key are merged by it; `$patch: delete|replace`,
/// `$retainKeys`, `$deleteFromPrimitiveList/…` and `$setElementOrder/…` are directives.
pub fn strategic(target: &mut Json, patch: &Json, ty: &Type) {
    let Json::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if patch.get("$patch").is_some_and(|directive| directive == "replace") {
        let kept = patch.iter().filter(|(name, _)| *name != "$patch");
        *target = Json::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect());
        return;
    }
    if !target.is_object() {
        *target = Json::Object(serde_json::Map::new());
    }
    let Json::Object(target) = target else { return };
    if let Some(kept) = patch.get("$retainKeys").and_then(Json::as_array) {
        target.retain(|name, _| kept.iter().any(|one| one == name.as_str()));
    }
    for (name, value) in patch {
        if name == "$patch" || name == "$retainKeys" || name.starts_with("$setElementOrder/") {
            continue;
        }
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array().map(Vec::as_slice).unwrap_or_default();
            if let Some(Json::Array(items)) = target.get_mut(list) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if value.is_null() || value.get("$patch").is_some_and(|directive| directive == "delete") {
            target.shift_remove(name);
            continue;
        }
        let ty = ty.child(name);
        match (&ty, value) {
            (Type::List(list), Json::Array(items)) if list.strategic.is_some() => {
                let old = target.entry(name.clone()).or_insert_with(|| Json::Array(Vec::new()));
                if let Json::Array(old) = old {
                    strategic_list(old, items, list);
                }
            }
            _ => strategic(target.entry(name.clone()).or_insert(Json::Null), value, &ty),
        }
    }
}

fn strategic_list(old: &mut Vec<Json>, patch: &[Json], list: &ListType) {
    if patch.iter().any(|item| item.get("$patch").is_some_and(|directive| directive == "replace")) {
        *old = patch.iter().filter(|item| item.get("$patch").is_none()).cloned().collect();
        return;
    }
    let key = list.strategic.as_deref().unwrap_or_default();
    for item in patch {
        let same = |other: &Json| if key.is_empty() { other == item } else { other.get(key) == item.get(key) };
        if item.get("$patch").is_some_and(|directive| directive == "delete") {
            old.retain(|other| !same(other));
            continue;
        }
        match old.iter_mut().find(|other| same(other)) {
            Some(other) => strategic(other, item, &list.element),
            None => {
                let mut fresh = Json::Null;
                strategic(&mut fresh, item, &list.element);
                old.push(fresh);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::kube::types::find;

    fn spec() -> Type {
        Type::Struct(find("v1", "Pod").unwrap().schema().unwrap().clone()).child("spec")
    }

    #[test]
    fn applies() {
        let check = |live: Json, applied: Json, expect: Json| assert_eq!(apply(&live, &applied, &spec()), expect);
        check(
            json!({ "containers": [{ "name": "a", "tty": true }, { "name": "side" }, { "name": "b" }] }),
            json!({ "containers": [{ "name": "b", "image": "2" }, { "name": "a", "image": "1" }] }),
            json!({ "containers": [{ "name": "b", "image": "2" }, { "name": "a", "tty": true, "image": "1" }, { "name": "side" }] }),
        );
        check(
            json!({ "nodeSelector": { "a": "1" } }),
            json!({ "nodeSelector": { "b": "2" } }),
            json!({ "nodeSelector": { "b": "2" } }),
        );
        check(
            json!({ "containers": [{ "name": "a", "args": ["1", "2"] }] }),
            json!({ "containers": [{ "name": "a", "args": ["3"] }] }),
            json!({ "containers": [{ "name": "a", "args": ["3"] }] }),
        );
    }

    #[test]
    fn patches_json() {
        let check = |mut target: Json, patch: Json, expect: Json| {
            json_merge(&mut target, &patch);
            assert_eq!(target, expect);
        };
        check(
            json!({ "a": { "b": 1, "c": 2 } }),
            json!({ "a": { "b": null, "d": { "e": null } } }),
            json!({ "a": { "c": 2, "d": {} } }),
        );
        check(json!({ "a": [1] }), json!({ "a": [2] }), json!({ "a": [2] }));
    }

    #[test]
    fn patches_strategically() {
        let check = |mut target: Json, patch: Json, expect: Json| {
            strategic(&mut target, &patch, &spec());
            assert_eq!(target, expect);
        };
        check(
            json!({ "containers": [{ "name": "a", "image": "1" }, { "name": "b" }] }),
            json!({ "$setElementOrder/containers": [{ "name": "a" }], "containers": [
                { "name": "a", "image": "2" }, { "name": "b", "$patch": "delete" }, { "name": "c" }] }),
            json!({ "containers": [{ "name": "a", "image": "2" }, { "name": "c" }] }),
        );
        check(
            json!({ "volumes": [{ "name": "v", "emptyDir": {} }] }),
            json!({ "volumes": [{ "name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": { "path": "/" } }] }),
            json!({ "volumes": [{ "name": "v", "hostPath": { "path": "/" } }] }),
        );
    }
}
