//! What is known of Kubernetes' kinds without asking a server: names, scope, fields, list keys, defaults.
//!
//! In: the table `api.txt`. Out: [`Kind`]s and their [`Struct`]s, each parsed when first asked for. The sandbox merges, defaults and
//! checks by them; the provider maps attributes and compares objects by them. Not here: kinds of custom resources, which the
//! server tells (`client::kube::discovery`).

pub mod quantity;
pub mod rules;
mod shape;
mod table;

pub use shape::{Field, ListKind, ListType, MapType, Struct, Type};
pub use table::{builtin, find, find_resource};

use std::sync::{Arc, OnceLock};

/// JSON as the API exchanges it.
pub type Json = serde_json::Value;

/// A kind of object in one version, with the names that paths and messages use.
#[derive(Debug, Clone)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: String,
    /// Version within the group.
    pub version: String,
    /// `Deployment`.
    pub kind: String,
    /// `deployments`.
    pub plural: String,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// `deploy`.
    pub short: Vec<String>,
    /// `status`, `scale`, `log`…
    pub subresources: Vec<String>,
    /// `all`.
    pub categories: Vec<String>,
    /// The type of the object, where it is known.
    pub(crate) schema: OnceLock<Option<Arc<Struct>>>,
    /// Name of the type in the table, for kinds that are in it.
    pub(crate) type_name: Option<&'static str>,
}

impl Kind {
    /// A kind that is not in the table, such as one a custom resource definition makes.
    pub fn new(group: &str, version: &str, kind: &str, plural: &str, namespaced: bool) -> Self {
        Kind {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespaced,
            short: Vec::new(),
            subresources: Vec::new(),
            categories: Vec::new(),
            schema: OnceLock::new(),
            type_name: None,
        }
    }

    /// The kind with the type of its objects.
    #[must_use]
    pub fn with_schema(mut self, schema: Option<Arc<Struct>>) -> Self {
        self.schema = OnceLock::from(schema);
        self
    }

    /// `apps/v1`, or `v1` in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `deployments.apps`, or `pods` in the core group: the name that messages use.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `Deployment.apps`, or `Pod` in the core group.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}.{}", self.kind, self.group) }
    }

    /// The type of its objects, where known.
    pub fn schema(&self) -> Option<&Arc<Struct>> {
        self.schema.get_or_init(|| self.type_name.and_then(table::structure)).as_ref()
    }

    /// Whether it has this subresource.
    pub fn has(&self, subresource: &str) -> bool {
        self.subresources.iter().any(|name| name == subresource)
    }

    /// Path of the collection in the API: `/apis/apps/v1/namespaces/data/statefulsets`. Without a namespace, that of all namespaces.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }
}

/// Splits `apps/v1` into group and version; the core group is empty.
pub fn group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_table_resolves() {
        for kind in builtin() {
            let schema = kind.schema().unwrap();
            assert!(schema.field("metadata").is_some(), "{}", kind.kind);
        }
    }

    #[test]
    fn lists_know_their_keys() {
        let check = |kind: (&str, &str), path: &[&str], expect: ListKind| {
            let mut ty = Type::Struct(find(kind.0, kind.1).unwrap().schema().unwrap().clone());
            for step in path {
                ty = match ty {
                    Type::Struct(structure) => structure.field(step).unwrap().ty.clone(),
                    Type::List(list) => match &list.element {
                        Type::Struct(structure) => structure.field(step).unwrap().ty.clone(),
                        other => panic!("{other:?}"),
                    },
                    other => panic!("{other:?}"),
                };
            }
            let Type::List(list) = ty else { panic!("not a list") };
            assert_eq!(list.kind, expect, "{path:?}");
        };
        let keys = |names: &[&str]| ListKind::Map(names.iter().map(|name| (*name).to_owned()).collect());
        let pod = ["spec", "template", "spec"];
        let at = |last: &[&'static str]| [&pod[..], last].concat();
        check(("apps/v1", "Deployment"), &at(&["containers"]), keys(&["name"]));
        check(("apps/v1", "Deployment"), &at(&["containers", "ports"]), keys(&["containerPort", "protocol"]));
        check(("apps/v1", "Deployment"), &at(&["containers", "volumeMounts"]), keys(&["mountPath"]));
        check(("apps/v1", "Deployment"), &at(&["containers", "args"]), ListKind::Atomic);
        check(("v1", "Service"), &["spec", "ports"], keys(&["port", "protocol"]));
        check(("v1", "Namespace"), &["metadata", "finalizers"], ListKind::Set);
    }

    #[test]
    fn paths() {
        let check = |kind: (&str, &str), namespace, expect: &str| {
            assert_eq!(find(kind.0, kind.1).unwrap().path(namespace), expect);
        };
        check(("v1", "Pod"), Some("a"), "/api/v1/namespaces/a/pods");
        check(("apps/v1", "Deployment"), None, "/apis/apps/v1/deployments");
        check(("v1", "Namespace"), Some("a"), "/api/v1/namespaces");
    }
}
