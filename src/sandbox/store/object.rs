//! One stored object: its place, and its JSON as bytes and as a tree.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::client::kube::types::Json;

/// Where an object is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// `deployments.apps`; `pods` in the core group.
    pub resource: Arc<str>,
    /// Its namespace; empty for objects of the cluster.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl Key {
    /// From its parts.
    pub fn new(resource: &str, namespace: &str, name: &str) -> Self {
        Key { resource: resource.into(), namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.resource, self.name)
        } else {
            write!(f, "{} {}/{}", self.resource, self.namespace, self.name)
        }
    }
}

/// A stored object in one revision. Immutable.
#[derive(Debug)]
pub struct Object {
    /// Where it is.
    pub key: Key,
    /// The revision that made it so; its `metadata.resourceVersion`.
    pub revision: u64,
    /// `metadata.uid`.
    pub uid: String,
    /// The uids of its owners.
    pub owners: Vec<String>,
    /// Whether a controller has still to do something about it.
    pub unsettled: bool,
    /// Its JSON.
    pub raw: Bytes,
    tree: OnceLock<Arc<Json>>,
}

impl Object {
    /// From JSON whose metadata already carries uid and resourceVersion.
    pub fn new(key: Key, revision: u64, tree: Json, unsettled: bool) -> Self {
        let uid = tree["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let owners = tree["metadata"]["ownerReferences"].as_array().into_iter().flatten();
        let owners = owners.filter_map(|owner| Some(owner["uid"].as_str()?.to_owned())).collect();
        // Serialising a tree of JSON cannot fail.
        let raw = Bytes::from(serde_json::to_vec(&tree).unwrap_or_default());
        Object { key, revision, uid, owners, unsettled, raw, tree: OnceLock::from(Arc::new(tree)) }
    }

    /// From stored bytes, read as a tree only when somebody asks for it.
    pub fn stored(key: Key, revision: u64, uid: String, owners: Vec<String>, unsettled: bool, raw: Bytes) -> Self {
        Object { key, revision, uid, owners, unsettled, raw, tree: OnceLock::new() }
    }

    /// The object as a tree.
    pub fn json(&self) -> &Arc<Json> {
        // The log is checked line by line when it is opened, so that the bytes are JSON.
        self.tree.get_or_init(|| Arc::new(serde_json::from_slice(&self.raw).unwrap_or_default()))
    }

    /// A text in it: `object.text("/metadata/labels/app")`.
    pub fn text(&self, pointer: &str) -> &str {
        self.json().pointer(pointer).and_then(Json::as_str).unwrap_or_default()
    }

    /// Whether it is being deleted.
    pub fn is_terminating(&self) -> bool {
        self.json().pointer("/metadata/deletionTimestamp").is_some()
    }
}

/// The present time as the API writes it.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
