//! The kinds a sandbox serves: Kubernetes' own, and those of its custom resource definitions.

use std::sync::Arc;

use super::store::{Key, Object};
use crate::client::kube::types::{self, Field, Json, Kind, ListKind, ListType, MapType, Struct, Type, group_version};

/// The resource of custom resource definitions.
pub const CRDS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// All kinds that are served now.
#[derive(Default)]
pub struct Kinds {
    /// The name of the definition and a kind for each version it serves.
    custom: Vec<(String, Arc<Kind>)>,
}

impl Kinds {
    /// Takes notice of an object that was put (or removed): definitions of custom resources change what is served.
    pub(super) fn note(&mut self, key: &Key, object: Option<&Arc<Object>>) {
        if &*key.resource != CRDS {
            return;
        }
        self.custom.retain(|(definition, _)| definition.as_str() != &*key.name);
        if let Some(object) = object.filter(|object| is_established(object.json())) {
            self.custom.extend(served(object.json()).into_iter().map(|kind| (key.name.to_string(), Arc::new(kind))));
        }
    }

    /// All of them, Kubernetes' own first.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Kind>> {
        types::builtin().iter().chain(self.custom.iter().map(|(_, kind)| kind))
    }

    /// The kind behind a path.
    pub fn by_path(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        self.all().find(|kind| kind.plural == plural && kind.group == group && kind.version == version).cloned()
    }

    /// A kind that stores objects of a resource (`deployments.apps`), in any version.
    pub fn by_resource(&self, resource: &str) -> Option<Arc<Kind>> {
        let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
        self.all().find(|kind| kind.plural == plural && kind.group == group).cloned()
    }

    /// The kind an object says it is.
    pub fn of(&self, api_version: &str, kind: &str) -> Option<Arc<Kind>> {
        let (group, version) = group_version(api_version);
        self.all().find(|known| known.kind == kind && known.group == group && known.version == version).cloned()
    }
}

fn is_established(definition: &Json) -> bool {
    let conditions = definition["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|one| one["type"] == "Established" && one["status"] == "True")
}

fn served(definition: &Json) -> Vec<Kind> {
    let spec = &definition["spec"];
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let texts = |value: &Json| value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    let versions = spec["versions"].as_array().into_iter().flatten();
    let kinds = versions.filter(|version| version["served"] != false).map(|version| {
        let names = &spec["names"];
        let namespaced = spec["scope"] == "Namespaced";
        let kind = Kind::new(
            &text(&spec["group"]),
            &text(&version["name"]),
            &text(&names["kind"]),
            &text(&names["plural"]),
            namespaced,
        );
        let mut kind = kind.with_schema(Some(Arc::new(root(&version["schema"]["openAPIV3Schema"]))));
        kind.short = texts(&names["shortNames"]);
        kind.categories = texts(&names["categories"]);
        let subresources = version["subresources"].as_object();
        kind.subresources = subresources.into_iter().flat_map(|map| map.keys().cloned()).collect();
        kind
    });
    kinds.collect()
}

/// The type of a custom resource: its schema, and the parts every object has.
fn root(schema: &Json) -> Struct {
    let mut root = match shape(schema) {
        Type::Struct(structure) => Struct {
            name: String::new(),
            atomic: false,
            open: structure.open,
            fields: structure.fields.iter().map(clone_field).collect(),
        },
        _ => Struct { open: true, ..Struct::default() },
    };
    root.fields.retain(|field| !matches!(field.name.as_str(), "apiVersion" | "kind" | "metadata"));
    let meta =
        types::find("v1", "ConfigMap").and_then(|kind| kind.schema()).and_then(|schema| schema.field("metadata"));
    let plain = |name: &str, ty| Field { name: name.into(), ty, required: false, default: None };
    root.fields.push(plain("apiVersion", Type::String));
    root.fields.push(plain("kind", Type::String));
    root.fields.push(plain("metadata", meta.map_or(Type::Any, |field| field.ty.clone())));
    Struct { open: root.open, ..Struct::new("", root.fields) }
}

fn clone_field(field: &Field) -> Field {
    let Field { name, ty, required, default } = field;
    Field { name: name.clone(), ty: ty.clone(), required: *required, default: default.clone() }
}

/// The type that an OpenAPI v3 schema of a definition describes.
fn shape(schema: &Json) -> Type {
    if schema["x-kubernetes-int-or-string"] == true {
        return Type::IntOrString;
    }
    let keeps_unknown = schema["x-kubernetes-preserve-unknown-fields"] == true;
    match schema["type"].as_str() {
        Some("string") => Type::String,
        Some("integer") => Type::Int,
        Some("number") => Type::Number,
        Some("boolean") => Type::Bool,
        Some("array") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            let keys: Vec<String> = keys.filter_map(|key| Some(key.as_str()?.to_owned())).collect();
            let kind = match schema["x-kubernetes-list-type"].as_str() {
                Some("map") if !keys.is_empty() => ListKind::Map(keys),
                Some("set") => ListKind::Set,
                _ => ListKind::Atomic,
            };
            Type::List(Arc::new(ListType { element: shape(&schema["items"]), kind, strategic: None }))
        }
        Some("object") => match (schema["properties"].as_object(), schema.get("additionalProperties")) {
            (None, Some(inner)) if inner.is_object() => {
                let atomic = schema["x-kubernetes-map-type"] == "atomic";
                Type::Map(Arc::new(MapType { element: shape(inner), atomic }))
            }
            (None, _) if keeps_unknown => Type::Any,
            (properties, extra) => {
                let required = |name: &str| {
                    let names = schema["required"].as_array().into_iter().flatten();
                    names.filter_map(Json::as_str).any(|one| one == name)
                };
                let fields = properties.into_iter().flatten().map(|(name, inner)| Field {
                    name: name.clone(),
                    ty: shape(inner),
                    required: required(name),
                    default: inner.get("default").cloned(),
                });
                let mut structure = Struct::new("", fields.collect());
                structure.open = keeps_unknown || extra.is_some_and(|extra| extra != false);
                structure.atomic = schema["x-kubernetes-map-type"] == "atomic";
                Type::Struct(Arc::new(structure))
            }
        },
        _ => Type::Any,
    }
}
