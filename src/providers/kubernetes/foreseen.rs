//! What a manifest's object will be, as far as that can be told before it is applied: what the manifest says, and for the rest what is there;
//! unknown where the server decides.

use base64::Engine as _;

use super::fieldpath;
use super::scalar::{json_of, same};
use super::whole::{is_loose, mapping, sequence, type_of, value};
use crate::client::kube::types::{Json, ListKind, ListType, Type as ApiType};
use crate::value::{Entries, Str, Type, Value};

/// A manifest and what it is laid over.
pub struct Foresight<'a> {
    /// The fields that others may change at will.
    pub computed: &'a [Vec<String>],
    /// Whether there is an object.
    pub exists: bool,
    /// Whether something of it changes: then others may change what is theirs.
    pub changes: bool,
}

/// The parts of the manifest, the manifest before, and the object, at one place.
#[derive(Clone, Copy)]
struct At<'a> {
    wanted: Option<&'a Value>,
    before: Option<&'a Value>,
    object: Option<&'a Value>,
}

impl<'a> At<'a> {
    fn child(self, name: &str) -> At<'a> {
        let part = |value: Option<&'a Value>| value.and_then(|value| value.get(name)).filter(|part| !part.is_null());
        let object = self.object.and_then(|value| value.get(name));
        At { wanted: part(self.wanted), before: part(self.before), object }
    }
}

impl Foresight<'_> {
    /// The object to come of a manifest, of the one that was applied before, and of the object as it is.
    pub fn object(&self, wanted: &Value, before: &Value, object: &Value, ty: &ApiType) -> Value {
        let (wanted, before) = (encoded(wanted), encoded(before));
        let at = At {
            wanted: Some(&wanted),
            before: Some(&before).filter(|before| !before.is_null()),
            object: Some(object),
        };
        self.part(at, ty, &mut Vec::new())
    }

    fn part(&self, at: At<'_>, ty: &ApiType, path: &mut Vec<String>) -> Value {
        if !path.is_empty() && self.computed.contains(path) {
            return self.left_to_others(at, ty);
        }
        let Some(wanted) = at.wanted else { return self.unasked(at, ty, path) };
        match (ty, wanted.bare()) {
            (_, Value::Unknown(_)) => Value::unknown(type_of(ty)),
            (ApiType::Struct(structure), Value::Object(entries)) if !is_loose(structure) => {
                let others = entries.keys().filter(|name| structure.field(name).is_none());
                let others = others.map(|name| (name.as_str(), ApiType::Any));
                let fields = structure.fields.iter().map(|field| (field.name.as_str(), field.ty.clone()));
                // Status is the cluster's, and in no object of a manifest.
                let fields = fields.filter(|(name, _)| !(path.is_empty() && *name == "status"));
                let fields: Vec<_> = fields.chain(others).collect();
                let parts = fields.into_iter().map(|(name, ty)| (Str::from(name), self.child(at, name, &ty, path)));
                Value::Object(parts.collect())
            }
            (ApiType::Map(map), Value::Object(_) | Value::Map(_)) => self.map(at, wanted, &map.element, path),
            (ApiType::Any | ApiType::Struct(_), Value::Object(_) | Value::Map(_)) => {
                self.map(at, wanted, &ApiType::Any, path)
            }
            (ApiType::List(list), _) => match wanted.as_items() {
                Some(items) => self.list(at, items, list, path),
                None => leaf(at, wanted, ty),
            },
            _ => leaf(at, wanted, ty),
        }
    }

    fn map(&self, at: At<'_>, wanted: &Value, element: &ApiType, path: &mut Vec<String>) -> Value {
        let mut names: Vec<&Str> = keys(wanted).filter(|name| at.child(name).wanted.is_some()).collect();
        // What others have put in stays.
        let taken = |name: &&Str| !names.contains(name) && at.child(name).before.is_none();
        let foreign: Vec<&Str> = at.object.into_iter().flat_map(keys).filter(taken).collect();
        names.extend(foreign);
        let parts: Entries = names.iter().map(|name| ((*name).clone(), self.child(at, name, element, path))).collect();
        mapping(parts, &type_of(element))
    }

    fn child(&self, at: At<'_>, name: &str, ty: &ApiType, path: &mut Vec<String>) -> Value {
        path.push(name.to_owned());
        let part = self.part(at.child(name), ty, path);
        path.pop();
        part
    }

    /// A field of which the manifest says nothing.
    fn unasked(&self, at: At<'_>, ty: &ApiType, path: &mut Vec<String>) -> Value {
        match (at.object, at.before, ty) {
            // What is set is asked for no more in parts only.
            (Some(object), Some(_), ApiType::Struct(structure))
                if !is_loose(structure) && object.as_entries().is_some() =>
            {
                let fields = structure.fields.iter();
                let parts =
                    fields.map(|field| (Str::from(field.name.as_str()), self.child(at, &field.name, &field.ty, path)));
                Value::Object(parts.collect())
            }
            // The server may have a default for what is taken out.
            (_, Some(_), _) => Value::unknown(type_of(ty)),
            (Some(object), None, _) => object.clone(),
            (None, None, _) if self.exists => Value::Null(type_of(ty)),
            (None, None, _) => Value::unknown(type_of(ty)),
        }
    }

    /// A field that others may change: it is as it is until the manifest says something else than before.
    fn left_to_others(&self, at: At<'_>, ty: &ApiType) -> Value {
        let known = |part: Option<&Value>| part.map(json_of);
        let stays = self.exists && at.wanted.is_none_or(Value::is_wholly_known) && known(at.wanted) == known(at.before);
        match at.object {
            // Of many, some may change with the object, as annotations of a controller do.
            Some(object) if self.changes && (at.wanted.is_none() || object.as_entries().is_some()) => {
                Value::unknown(type_of(ty))
            }
            Some(object) if stays => object.clone(),
            _ => Value::unknown(type_of(ty)),
        }
    }

    fn list(&self, at: At<'_>, items: &[Value], list: &ListType, path: &mut Vec<String>) -> Value {
        let objects = at.object.and_then(Value::as_items).unwrap_or_default();
        let before = at.before.and_then(Value::as_items).unwrap_or_default();
        let matched = |side: &'_ [Value], index: usize| -> Option<usize> {
            match &list.kind {
                ListKind::Map(keys) => {
                    let key = key_of(&items[index], keys, &list.element)?;
                    side.iter().position(|other| key_of(other, keys, &list.element).as_ref() == Some(&key))
                }
                ListKind::Set | ListKind::Atomic => (index < side.len()).then_some(index),
            }
        };
        let mut used = Vec::new();
        let mut parts = Vec::new();
        for (index, wanted) in items.iter().enumerate() {
            let object = matched(objects, index);
            used.extend(object);
            let object = object.and_then(|at| objects.get(at));
            let before = matched(before, index).and_then(|at| before.get(at));
            path.push(index.to_string());
            let foresight = Foresight { exists: object.is_some(), ..*self };
            parts.push((object, foresight.part(At { wanted: Some(wanted), before, object }, &list.element, path)));
            path.pop();
        }
        let element = type_of(&list.element);
        let ListKind::Map(keys) = &list.kind else {
            return sequence(parts.into_iter().map(|(_, part)| part).collect(), &element);
        };
        // Elements of others stay where they are; those that the manifest had before go.
        let had = |object: &Value| {
            let key = key_of(object, keys, &list.element);
            before.iter().any(|item| key_of(item, keys, &list.element) == key)
        };
        let foreign = |index: usize, object: &Value| !used.contains(&index) && !had(object);
        if !objects.iter().enumerate().any(|(index, object)| foreign(index, object)) {
            return sequence(parts.into_iter().map(|(_, part)| part).collect(), &element);
        }
        let kept = objects.iter().enumerate().filter(|(index, object)| used.contains(index) || foreign(*index, object));
        let (old, new): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(object, _)| object.is_some());
        let place = |object: &Value| {
            let part = old.iter().find(|(from, _)| from.is_some_and(|from| std::ptr::eq(from, object)));
            part.map_or_else(|| object.clone(), |(_, part)| part.clone())
        };
        let kept: Vec<Value> = kept.map(|(_, object)| place(object)).collect();
        sequence(kept.into_iter().chain(new.into_iter().map(|(_, part)| part)).collect(), &element)
    }
}

/// A value that the manifest has as a whole; in the server's own words where they say the same.
fn leaf(at: At<'_>, wanted: &Value, ty: &ApiType) -> Value {
    if !wanted.is_wholly_known() {
        return Value::unknown(type_of(ty));
    }
    let json = json_of(wanted);
    match at.object.filter(|object| object.is_wholly_known()) {
        Some(object) if same(&json_of(&value(Some(&json), ty)), Some(&json_of(object)), ty) => object.clone(),
        // The server writes amounts and times in its own way.
        _ if matches!(ty, ApiType::Quantity | ApiType::Time) => Value::unknown(Type::String),
        _ => value(Some(&json), ty),
    }
}

fn keys(value: &Value) -> impl Iterator<Item = &Str> {
    value.as_entries().into_iter().flat_map(Entries::keys)
}

/// What tells an element of a list from the others; `None` while that is not known.
fn key_of(item: &Value, keys: &[String], ty: &ApiType) -> Option<Vec<Json>> {
    let structure = match ty {
        ApiType::Struct(structure) => Some(structure),
        _ => None,
    };
    let key = |key: &String| {
        let part = item.get(key).filter(|part| !part.is_null());
        if part.is_some_and(|part| !part.is_wholly_known()) || !item.is_known() {
            return None;
        }
        let default = || structure.and_then(|structure| structure.field(key)).and_then(|field| field.default.clone());
        let json = part.map(json_of).or_else(default).unwrap_or_default();
        // A number is a text where the server takes both.
        Some(json.as_str().map_or_else(|| Json::String(json.to_string()), |text| Json::String(text.to_owned())))
    };
    keys.iter().map(key).collect()
}

/// A Secret's texts come back as base64 data.
fn encoded(manifest: &Value) -> Value {
    let Value::Object(entries) = manifest.bare() else { return manifest.clone() };
    let texts = manifest.get("stringData").filter(|texts| !texts.is_null());
    let Some(texts) = texts.filter(|_| manifest.get("kind").and_then(Value::as_str) == Some("Secret")) else {
        return manifest.clone();
    };
    let Some(texts) = texts.as_entries() else {
        return Value::Object(entries.clone().with("data", Value::unknown(Type::map(Type::String))));
    };
    let mut data = manifest.get("data").and_then(Value::as_entries).cloned().unwrap_or_default();
    for (name, text) in texts.iter() {
        let text = match text.as_str() {
            Some(text) => Value::string(base64::engine::general_purpose::STANDARD.encode(text)),
            None => Value::unknown(Type::String),
        };
        data = data.with(name.clone(), text);
    }
    let texts = Value::Null(Type::map(Type::String));
    Value::Object(entries.clone().with("data", Value::Object(data)).with("stringData", texts))
}

/// The manifest as it is applied to an object: fields that others may change are as they are, until the manifest says something else than before.
pub fn to_apply(manifest: &Json, before: &Json, object: &Json, computed: &[Vec<String>]) -> Json {
    fn overlay(wanted: &mut Json, live: &Json) {
        match (wanted, live) {
            (Json::Object(wanted), Json::Object(live)) => {
                for (name, part) in wanted.iter_mut() {
                    if let Some(live) = live.get(name).filter(|live| !live.is_null()) {
                        overlay(part, live);
                    }
                }
            }
            (wanted, live) => *wanted = live.clone(),
        }
    }
    let mut applied = manifest.clone();
    for path in computed {
        let (Some(before), Some(live)) = (fieldpath::part(before, path), fieldpath::part(object, path)) else {
            continue;
        };
        if let Some(wanted) = fieldpath::part_mut(&mut applied, path).filter(|wanted| *wanted == before) {
            overlay(wanted, live);
        }
    }
    applied
}

/// The fields whose values the cluster may change at will: those that are named, else labels and annotations.
pub fn computed_fields(config: &Value) -> Vec<Vec<String>> {
    match config.get("computed_fields").filter(|fields| !fields.is_null()).and_then(Value::as_items) {
        Some(fields) => fields.iter().filter_map(Value::as_str).map(fieldpath::steps).collect(),
        None => ["annotations", "labels"].map(|name| vec!["metadata".to_owned(), name.to_owned()]).into(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::kube::types::find;
    use crate::providers::kubernetes::scalar::dynamic;

    fn foreseen(wanted: &Json, before: &Json, object: &Json, changes: bool) -> Value {
        let ty = ApiType::Struct(find("v1", "Service").unwrap().schema().unwrap().clone());
        let computed = computed_fields(&Value::NULL);
        let foresight = Foresight { computed: &computed, exists: !object.is_null(), changes };
        let object = if object.is_null() { Value::NULL } else { value(Some(object), &ty) };
        foresight.object(&dynamic(wanted), &dynamic(before), &object, &ty)
    }

    fn at(value: &Value, path: &str) -> Value {
        fieldpath::steps(path).iter().fold(value.clone(), |value, step| match step.parse::<usize>() {
            Ok(index) => value.as_items().unwrap()[index].clone(),
            Err(_) => value.get(step).cloned().unwrap_or_default(),
        })
    }

    #[test]
    fn what_will_be() {
        let manifest = |port: u16, rest: Json| {
            let mut manifest =
                json!({ "kind": "Service", "metadata": { "name": "a" }, "spec": { "ports": [{ "port": port }] } });
            for (name, part) in rest.as_object().unwrap() {
                manifest["spec"][name] = part.clone();
            }
            manifest
        };
        let one = manifest(80, json!({ "selector": { "a": "1" } }));
        let live = json!({
            "kind": "Service", "metadata": { "name": "a", "annotations": { "x": "y" } },
            "spec": { "ports": [{ "port": 80, "protocol": "TCP", "targetPort": 80 }], "selector": { "a": "1", "z": "2" }, "type": "ClusterIP" },
        });
        let known = |value: Value| Some(json_of(&value)).filter(|_| value.is_wholly_known());
        for (wanted, before, object, path, expect) in [
            // A new object: what the manifest says, and nothing else is known.
            (&one, &Json::Null, &Json::Null, "spec.ports[0].port", Some(json!(80))),
            (&one, &Json::Null, &Json::Null, "spec.ports[0].targetPort", None),
            (&one, &Json::Null, &Json::Null, "spec.type", None),
            (&one, &Json::Null, &Json::Null, "metadata.labels", None),
            // Nothing changes: all is as it is, with what others have put in.
            (&one, &one, &live, "", Some(json_of(&foreseen(&live, &live, &live, false)))),
            (&one, &one, &live, "spec.selector", Some(json!({ "a": "1", "z": "2" }))),
            // What is asked for no more may get a default.
            (&one, &manifest(80, json!({ "type": "ClusterIP", "selector": { "a": "1" } })), &live, "spec.type", None),
            (
                &one,
                &manifest(80, json!({ "selector": { "a": "1", "z": "2" } })),
                &live,
                "spec.selector",
                Some(json!({ "a": "1" })),
            ),
            // Another element of a list is a new one.
            (&manifest(81, json!({})), &one, &live, "spec.ports[0].port", Some(json!(81))),
            (&manifest(81, json!({})), &one, &live, "spec.type", Some(json!("ClusterIP"))),
            (&manifest(80, json!({ "selector": { "a": "2" } })), &one, &live, "spec.selector.a", Some(json!("2"))),
        ] {
            assert_eq!(known(at(&foreseen(wanted, before, object, false), path)), expect, "{wanted} {path}");
        }
        assert!(at(&foreseen(&one, &one, &live, false), "metadata.annotations").is_known());
        assert!(!at(&foreseen(&one, &one, &live, true), "metadata.annotations").is_known());
    }

    #[test]
    fn fields_of_others_are_applied_as_they_are() {
        let computed =
            [vec!["spec".to_owned(), "replicas".to_owned()], vec!["metadata".to_owned(), "labels".to_owned()]];
        let manifest =
            |replicas: u8| json!({ "metadata": { "labels": { "a": "1" } }, "spec": { "replicas": replicas } });
        let live = json!({ "metadata": { "labels": { "a": "2", "z": "3" } }, "spec": { "replicas": 5 } });
        let expect = json!({ "metadata": { "labels": { "a": "2" } }, "spec": { "replicas": 5 } });
        assert_eq!(to_apply(&manifest(1), &manifest(1), &live, &computed), expect);
        let expect = json!({ "metadata": { "labels": { "a": "2" } }, "spec": { "replicas": 3 } });
        assert_eq!(to_apply(&manifest(3), &manifest(1), &live, &computed), expect);
        assert_eq!(to_apply(&manifest(3), &manifest(1), &Json::Null, &computed), manifest(3));
    }
}
