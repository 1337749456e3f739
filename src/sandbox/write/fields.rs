//! Sets of fields, as `metadata.managedFields` records who owns what (`FieldsV1`): `f:name` a field, `k:{…}` an element of a list by
//! its keys, `v:…` an element of a set.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use crate::client::kube::types::{Json, ListKind, ListType, Struct, Type};

/// A set of fields: a tree whose members are owned.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Fields {
    /// Whether the field itself is in the set.
    pub member: bool,
    /// What is in it below the field, by encoded step.
    pub children: BTreeMap<String, Fields>,
}

impl Fields {
    /// The fields a value holds: leaves, atomic parts, empty containers, and elements of lists that have keys.
    pub fn of(value: &Json, ty: &Type) -> Fields {
        let mut set = Fields::default();
        for (step, value, ty, is_element) in parts(value, ty) {
            let mut child = Fields::of(value, &ty);
            child.member |= is_element;
            set.children.insert(step, child);
        }
        set.member = set.children.is_empty();
        set
    }

    /// The leaves of `new` that are not so in `old`.
    pub fn changed(old: Option<&Json>, new: &Json, ty: &Type) -> Fields {
        let Some(old) = old else { return Fields::of(new, ty) };
        if old == new {
            return Fields::default();
        }
        let new_parts = parts(new, ty);
        if new_parts.is_empty() {
            return Fields { member: true, children: BTreeMap::new() };
        }
        let old_parts: BTreeMap<String, &Json> =
            parts(old, ty).into_iter().map(|(step, value, ..)| (step, value)).collect();
        let mut set = Fields::default();
        for (step, value, ty, is_element) in new_parts {
            let before = old_parts.get(&step).copied();
            let mut child = Fields::changed(before, value, &ty);
            child.member |= is_element && before.is_none();
            if !child.is_empty() {
                set.children.insert(step, child);
            }
        }
        set
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        !self.member && self.children.is_empty()
    }

    /// Adds everything of another set.
    pub fn unite(&mut self, other: &Fields) {
        self.member |= other.member;
        for (step, child) in &other.children {
            self.children.entry(step.clone()).or_default().unite(child);
        }
    }

    /// Without what is in another set. With `whole`, a part that the other set reaches into is no longer a member itself (so that
    /// removing what is left does not take the other's fields along).
    #[must_use]
    pub fn without(&self, other: &Fields, whole: bool) -> Fields {
        let mut left = Fields::default();
        for (step, child) in &self.children {
            let child = match other.children.get(step) {
                Some(taken) => child.without(taken, whole),
                None => child.clone(),
            };
            if !child.is_empty() {
                left.children.insert(step.clone(), child);
            }
        }
        let reached = if whole { !other.is_empty() } else { other.member };
        left.member = self.member && !reached;
        left
    }

    /// What is in both.
    #[must_use]
    pub fn common(&self, other: &Fields) -> Fields {
        let mut both = Fields { member: self.member && other.member, children: BTreeMap::new() };
        for (step, child) in &self.children {
            if let Some(others) = other.children.get(step) {
                let child = child.common(others);
                if !child.is_empty() {
                    both.children.insert(step.clone(), child);
                }
            }
        }
        both
    }

    /// Only what leads to something that a value still holds.
    #[must_use]
    pub fn existing(&self, value: &Json, ty: &Type) -> Fields {
        let mut kept = Fields { member: self.member, children: BTreeMap::new() };
        if self.children.is_empty() {
            return kept;
        }
        for (step, value, ty, _) in parts(value, ty) {
            if let Some(child) = self.children.get(&step) {
                let child = child.existing(value, &ty);
                if !child.is_empty() {
                    kept.children.insert(step, child);
                }
            }
        }
        kept
    }

    /// Removes these fields from a value.
    pub fn remove_from(&self, value: &mut Json, ty: &Type) {
        match (value, ty) {
            (Json::Object(map), _) => {
                for (step, child) in &self.children {
                    let Some(name) = step.strip_prefix("f:") else { continue };
                    let gone = child.member && child.children.is_empty();
                    if let Some(part) = map.get_mut(name)
                        && !gone
                    {
                        child.remove_from(part, &ty.child(name));
                    }
                    // A container that lost its last field goes with it.
                    let emptied = map.get(name).is_some_and(|part| is_hollow(part) && !child.children.is_empty());
                    if gone || emptied {
                        map.shift_remove(name);
                    }
                }
            }
            (Json::Array(items), Type::List(list)) => {
                items.retain_mut(|item| {
                    let Some(step) = element_step(item, list) else { return true };
                    let Some(child) = self.children.get(&step) else { return true };
                    if child.member {
                        return false;
                    }
                    let keys: Vec<(String, Json)> = match &list.kind {
                        ListKind::Map(keys) => {
                            keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone()))).collect()
                        }
                        _ => Vec::new(),
                    };
                    child.remove_from(item, &list.element);
                    for (key, value) in keys {
                        item[key] = value;
                    }
                    true
                });
            }
            _ => {}
        }
    }

    /// The paths of its members, as messages show them: `.spec.containers[name="app"].image`.
    pub fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.collect("", &mut found);
        found
    }

    fn collect(&self, path: &str, found: &mut Vec<String>) {
        if self.member && !path.is_empty() {
            found.push(path.to_owned());
        }
        for (step, child) in &self.children {
            child.collect(&format!("{path}{}", shown(step)), found);
        }
    }

    /// From `FieldsV1`.
    pub fn from_json(fields: &Json) -> Fields {
        let Some(map) = fields.as_object() else { return Fields::default() };
        let mut set = Fields { member: map.is_empty(), children: BTreeMap::new() };
        for (step, child) in map {
            if step == "." {
                set.member = true;
            } else {
                set.children.insert(step.clone(), Fields::from_json(child));
            }
        }
        set
    }

    /// As `FieldsV1`.
    pub fn to_json(&self) -> Json {
        let mut map = Map::new();
        if self.member && !self.children.is_empty() {
            map.insert(".".into(), json!({}));
        }
        for (step, child) in &self.children {
            map.insert(step.clone(), child.to_json());
        }
        Json::Object(map)
    }
}

/// A step as messages show it: `.name`, `[name="app"]` or `[="value"]`.
pub fn shown(step: &str) -> String {
    match step.split_at(2) {
        ("f:", name) => format!(".{name}"),
        ("k:", keys) => {
            let keys: Map<String, Json> = serde_json::from_str(keys).unwrap_or_default();
            let keys: Vec<String> = keys.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        (_, value) => format!("[={value}]"),
    }
}

fn is_hollow(value: &Json) -> bool {
    match value {
        Json::Object(map) => map.is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The parts of a value that are owned one by one: step, part, type, whether it is an element of a list. None for a leaf.
fn parts<'a>(value: &'a Json, ty: &Type) -> Vec<(String, &'a Json, Type, bool)> {
    match (value, ty) {
        (Json::Object(_), Type::Struct(structure)) if structure.atomic => Vec::new(),
        (Json::Object(_), Type::Map(map)) if map.atomic => Vec::new(),
        (Json::Object(map), _) => {
            map.iter().map(|(name, part)| (format!("f:{name}"), part, ty.child(name), false)).collect()
        }
        (Json::Array(items), Type::List(list)) if list.kind != ListKind::Atomic => {
            let steps = items.iter().filter_map(|item| Some((element_step(item, list)?, item)));
            steps.map(|(step, item)| (step, item, list.element.clone(), true)).collect()
        }
        _ => Vec::new(),
    }
}

/// The step to an element of a list with keys or of a set.
pub fn element_step(item: &Json, list: &ListType) -> Option<String> {
    match &list.kind {
        ListKind::Atomic => None,
        ListKind::Set => Some(format!("v:{item}")),
        ListKind::Map(keys) => {
            let mut named: Vec<(&String, Json)> =
                keys.iter().filter_map(|key| Some((key, key_of(item, key, list)?))).collect();
            named.sort_by(|a, b| a.0.cmp(b.0));
            let map: Map<String, Json> = named.into_iter().map(|(key, value)| (key.clone(), value)).collect();
            Some(format!("k:{}", Json::Object(map)))
        }
    }
}

/// The value of a key of an element; the field's default where it is left out.
fn key_of(item: &Json, key: &str, list: &ListType) -> Option<Json> {
    item.get(key).cloned().or_else(|| match &list.element {
        Type::Struct(structure) => default_of(structure, key),
        _ => None,
    })
}

fn default_of(structure: &Struct, key: &str) -> Option<Json> {
    structure.field(key)?.default.clone()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::client::kube::types::find;

    fn pod() -> Type {
        Type::Struct(find("v1", "Pod").unwrap().schema().unwrap().clone())
    }

    #[test]
    fn sets_of_values() {
        let object = json!({ "metadata": { "labels": { "a": "1" } }, "spec": { "containers": [
            { "name": "x", "args": ["1"], "ports": [{ "containerPort": 80 }] } ] } });
        let set = Fields::of(&object, &pod());
        let expect = json!({
            "f:metadata": { "f:labels": { "f:a": {} } },
            "f:spec": { "f:containers": { "k:{\"name\":\"x\"}": {
                ".": {}, "f:name": {}, "f:args": {},
                "f:ports": { "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:containerPort": {} } } } } },
        });
        assert_eq!(set.to_json(), expect);
        assert_eq!(Fields::from_json(&expect), set);
    }

    #[test]
    fn removal_spares_what_others_own() {
        let check = |others: Json, expect: Json| {
            let mut object =
                json!({ "spec": { "containers": [{ "name": "x", "image": "a" }, { "name": "y", "image": "b" }] } });
            let mine = Fields::of(&json!({ "spec": { "containers": [{ "name": "y", "image": "b" }] } }), &pod());
            mine.without(&Fields::from_json(&others), true).remove_from(&mut object, &pod());
            assert_eq!(object["spec"]["containers"], expect);
        };
        check(json!({}), json!([{ "name": "x", "image": "a" }]));
        check(
            json!({ "f:spec": { "f:containers": { "k:{\"name\":\"y\"}": { "f:tty": {} } } } }),
            json!([{ "name": "x", "image": "a" }, { "name": "y" }]),
        );
    }

    #[test]
    fn changes() {
        let old = json!({ "spec": { "containers": [{ "name": "x", "image": "a", "tty": true }] } });
        let new = json!({ "spec": { "containers": [{ "name": "x", "image": "b", "tty": true }] } });
        let paths = Fields::changed(Some(&old), &new, &pod()).paths();
        assert_eq!(paths, [".spec.containers[name=\"x\"].image"]);
    }
}
