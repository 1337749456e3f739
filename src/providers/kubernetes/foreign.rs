//! Keys that others have put into maps which the configuration describes.
//!
//! Such a map is ours as a whole, so that a key of somebody else is drift. Server-side apply leaves it alone all the same: it belongs to
//! another manager. What a plan takes out of a map is therefore taken out by a patch of its own. Left alone are the keys of Kubernetes
//! itself in labels and annotations, and those that the provider's configuration names.

use regex::RegexSet;
use serde_json::{Map, json};

use super::INTENT;
use super::table::{Entry, Field, Fields, Resource, What};
use crate::client::kube::types::{Json, Type as ApiType};
use crate::diag::Diagnostic;
use crate::value::{Type, Value};

/// Labels and annotations that the provider's configuration leaves to others.
#[derive(Debug, Default)]
pub struct Ignored {
    labels: RegexSet,
    annotations: RegexSet,
}

impl Ignored {
    /// Reads `ignore_labels` and `ignore_annotations`.
    ///
    /// # Errors
    /// A pattern that cannot be read.
    pub fn of(config: &Value) -> Result<Ignored, Diagnostic> {
        let patterns = |name: &str| {
            let items = config.get(name).and_then(Value::as_items).unwrap_or_default().iter();
            RegexSet::new(items.filter_map(Value::as_str)).map_err(|error| {
                Diagnostic::error(
                    "Invalid regular expression",
                    format!(
                        "A pattern of the provider's `{name}` cannot be read: {error}. Correct it, or leave it out."
                    ),
                )
            })
        };
        Ok(Ignored { labels: patterns("ignore_labels")?, annotations: patterns("ignore_annotations")? })
    }
}

/// Which keys of others are read.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Patterns count in the metadata of the object only, not in that of a template.
    ignored: Option<&'a Ignored>,
    depth: usize,
}

impl<'a> Rules<'a> {
    /// For a whole object.
    pub fn new(ignored: &'a Ignored) -> Self {
        Rules { ignored: Some(ignored), depth: 0 }
    }

    /// For a block in it.
    pub fn inside(self, block: &str) -> Self {
        let root = self.depth == 0 && block == "metadata";
        Rules { ignored: self.ignored.filter(|_| root), depth: self.depth + 1 }
    }

    /// Whether a key that is not ours shows in the map of an attribute.
    pub fn shows(self, attribute: &str, key: &str) -> bool {
        let ignored = match attribute {
            "labels" => self.ignored.map(|ignored| &ignored.labels),
            "annotations" => self.ignored.map(|ignored| &ignored.annotations),
            _ => return true,
        };
        !is_internal(key) && !ignored.is_some_and(|patterns| patterns.is_match(key))
    }
}

/// Labels and annotations that Kubernetes and this program set for themselves.
fn is_internal(key: &str) -> bool {
    let host = key.split_once('/').map_or(key, |(host, _)| host);
    let cluster = host == "kubernetes.io" || host.ends_with(".kubernetes.io");
    // What applications and load balancers are told under these names comes from users.
    let told = matches!(host, "app.kubernetes.io" | "service.beta.kubernetes.io");
    // A Job marks its own template; a DaemonSet counts its own.
    let marks = ["controller-uid", "job-name", "deprecated.daemonset.template.generation", INTENT];
    cluster && !told || marks.contains(&key)
}

/// The merge patch that takes out what state has, the plan has not, and is there still after an apply of `wanted`.
pub fn removals(resource: &Resource, prior: &Value, planned: &Value, wanted: &Json, live: &Json) -> Option<Json> {
    let api = super::object::api_type(resource);
    let sides = Sides { prior, planned, wanted, live };
    let mut patch = Map::new();
    sides.collect(&resource.fields, &api, &mut patch);
    if resource.kind.kind == "Secret" {
        // Both attributes are one map of the API.
        for attribute in ["data", "binary_data"] {
            sides.keys(attribute, "data", &mut patch);
        }
    }
    (!patch.is_empty()).then_some(Json::Object(patch))
}

/// One object, or a part of it, as four see it.
#[derive(Clone, Copy)]
struct Sides<'a> {
    prior: &'a Value,
    planned: &'a Value,
    wanted: &'a Json,
    live: &'a Json,
}

impl<'a> Sides<'a> {
    fn collect(self, fields: &Fields, api: &ApiType, patch: &mut Map<String, Json>) {
        for Entry { name, field, what, .. } in &fields.entries {
            match (field, what) {
                (Some(Field::Named(field)), What::Attribute { attribute, .. })
                    if matches!(attribute.ty, Type::Map(_)) && !is_atomic(&api.child(field)) =>
                {
                    self.keys(name, field, patch);
                }
                (Some(Field::Flat), What::Block { fields, .. }) => {
                    if let Some(inner) = self.block(name, None) {
                        inner.collect(fields, api, patch);
                    }
                }
                (Some(Field::Named(field)), What::Block { fields, .. }) => {
                    let api = api.child(field);
                    // Elements of lists cannot be told apart in a merge patch.
                    let (ApiType::Struct(_), Some(inner)) = (&api, self.block(name, Some(field))) else { continue };
                    let mut nested = Map::new();
                    inner.collect(fields, &api, &mut nested);
                    if !nested.is_empty() {
                        patch.insert(field.clone(), Json::Object(nested));
                    }
                }
                (None | Some(Field::Named(_) | Field::Flat), What::Attribute { .. } | What::Block { .. }) => {}
            }
        }
    }

    /// The one block of a name, where state has it.
    fn block(&self, name: &str, field: Option<&str>) -> Option<Self> {
        fn first<'v>(side: &'v Value, name: &str) -> Option<&'v Value> {
            side.get(name).and_then(Value::as_items).and_then(<[Value]>::first)
        }
        let part = |side: &'a Json| field.map_or(side, |field| &side[field]);
        Some(Sides {
            prior: first(self.prior, name)?,
            planned: first(self.planned, name).unwrap_or(&Value::NULL),
            wanted: part(self.wanted),
            live: part(self.live),
        })
    }

    fn keys(self, attribute: &str, field: &str, patch: &mut Map<String, Json>) {
        let Some(prior) = self.prior.get(attribute).and_then(Value::as_entries) else { return };
        let planned = self.planned.get(attribute);
        if planned.is_some_and(|planned| !planned.is_known()) {
            return;
        }
        let gone = prior.keys().filter(|key| {
            let kept = planned.is_some_and(|planned| planned.get(key).is_some());
            !kept && self.wanted[field].get(key.as_str()).is_none() && self.live[field].get(key.as_str()).is_some()
        });
        let gone: Map<String, Json> = gone.map(|key| (key.to_string(), Json::Null)).collect();
        if gone.is_empty() {
            return;
        }
        match patch.entry(field).or_insert_with(|| json!({})) {
            Json::Object(keys) => keys.extend(gone),
            other => *other = Json::Object(gone),
        }
    }
}

/// Whether server-side apply replaces a map as a whole.
pub fn is_atomic(api: &ApiType) -> bool {
    matches!(api, ApiType::Map(map) if map.atomic)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::providers::kubernetes::table::table;
    use crate::value::{Entries, Str};

    fn map(entries: &[(&str, &str)]) -> Value {
        let entries = entries.iter().map(|(key, value)| (Str::from(*key), Value::from(*value)));
        Value::map(Type::String, Entries::from_iter(entries))
    }

    #[test]
    fn what_kubernetes_sets_for_itself_is_left_to_it() {
        let texts = |texts: &[&str]| Value::list(Type::String, texts.iter().map(|text| Value::from(*text)).collect());
        let config = Value::object([
            ("ignore_labels", texts(&["^team$"])),
            ("ignore_annotations", texts(&["cattle\\.io", "^own/"])),
        ]);
        let ignored = Ignored::of(&config).unwrap();
        let root = Rules::new(&ignored);
        for (rules, attribute, key, expect) in [
            (root, "data", "kubernetes.io/x", true),
            (root.inside("metadata"), "labels", "who", true),
            (root.inside("metadata"), "labels", "team", false),
            (root.inside("metadata"), "labels", "teams", true),
            (root.inside("metadata"), "annotations", "team", true),
            (root.inside("metadata"), "annotations", "field.cattle.io/projectId", false),
            (root.inside("metadata"), "labels", "kubernetes.io/metadata.name", false),
            (root.inside("metadata"), "annotations", "deployment.kubernetes.io/revision", false),
            (root.inside("metadata"), "annotations", "pv.kubernetes.io/bind-completed", false),
            (root.inside("metadata"), "labels", "app.kubernetes.io/name", true),
            (root.inside("metadata"), "annotations", "service.beta.kubernetes.io/x", true),
            (root.inside("metadata"), "labels", "example.com/kubernetes.io", true),
            (root.inside("metadata"), "annotations", INTENT, false),
            // Patterns are for the object's own metadata.
            (root.inside("spec").inside("template").inside("metadata"), "labels", "team", true),
            (root.inside("spec").inside("template").inside("metadata"), "labels", "job-name", false),
        ] {
            assert_eq!(rules.shows(attribute, key), expect, "{attribute} {key}");
        }
        let broken = Value::object([("ignore_labels", texts(&["("]))]);
        assert_eq!(Ignored::of(&broken).unwrap_err().summary, "Invalid regular expression");
    }

    #[test]
    fn only_what_the_plan_takes_out_and_is_there_still_is_removed() {
        let none = Value::Null(Type::map(Type::String));
        let object = |labels: Value, data: Value, binary: Value| {
            let meta = Value::object([("labels", labels), ("name", "x".into())]);
            let metadata = Value::list(meta.ty(), vec![meta]);
            Value::object([("metadata", metadata), ("data", data), ("binary_data", binary)])
        };
        let prior =
            object(map(&[("a", "1"), ("who", "else")]), map(&[("k", "v"), ("z", "9"), ("gone", "1")]), none.clone());
        let planned = object(map(&[("a", "1")]), map(&[("k", "v")]), none.clone());
        let wanted = json!({ "metadata": { "labels": { "a": "1" } }, "data": { "k": "v" } });
        let live = json!({ "metadata": { "labels": { "a": "1", "who": "else" } }, "data": { "k": "v", "z": "9", "new": "1" } });
        let expect = json!({ "metadata": { "labels": { "who": null } }, "data": { "z": null } });
        for kind in ["kubernetes_config_map", "kubernetes_secret"] {
            let resource = &table().resources[kind];
            assert_eq!(removals(resource, &prior, &planned, &wanted, &live), Some(expect.clone()), "{kind}");
            assert_eq!(removals(resource, &prior, &planned, &wanted, &wanted), None, "{kind}");
            assert_eq!(removals(resource, &Value::NULL, &planned, &wanted, &live), None, "{kind}");
        }
        // A key of a Secret that changes its form is none that goes.
        let moved = object(map(&[("a", "1")]), none.clone(), map(&[("k", "dg==")]));
        let before = object(map(&[("a", "1")]), map(&[("k", "v")]), none);
        assert_eq!(removals(&table().resources["kubernetes_secret"], &before, &moved, &wanted, &live), None);
    }
}
