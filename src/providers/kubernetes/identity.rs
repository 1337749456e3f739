//! How an object is named: in configuration, in state, in messages.

use crate::client::kube::types::{Json, Kind};
use crate::value::Value;

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Its namespace, for objects that live in one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl Place {
    /// The object that a block's `metadata` names; `None` while its name is not known.
    pub fn of_block(value: &Value, kind: &Kind) -> Option<Place> {
        let meta = value.get("metadata")?.as_items()?.first()?;
        let text =
            |name: &str| meta.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let known = meta.get("namespace").is_none_or(Value::is_known);
        let name = text("name")?;
        if !kind.namespaced {
            return Some(Place { namespace: None, name });
        }
        known.then(|| Place { namespace: Some(text("namespace").unwrap_or_else(|| "default".into())), name })
    }

    /// The object that an id names: `namespace/name`, or `name`.
    pub fn of_id(id: &str, kind: &Kind) -> Place {
        match id.split_once('/') {
            Some((namespace, name)) if kind.namespaced => {
                Place { namespace: Some(namespace.into()), name: name.into() }
            }
            _ => Place { namespace: kind.namespaced.then(|| "default".into()), name: id.into() },
        }
    }

    /// The object that a manifest names.
    pub fn of_manifest(manifest: &Json, kind: &Kind) -> Option<Place> {
        let meta = &manifest["metadata"];
        let name = meta["name"].as_str().filter(|name| !name.is_empty())?.to_owned();
        let namespace = meta["namespace"].as_str().unwrap_or("default").to_owned();
        Some(Place { namespace: kind.namespaced.then_some(namespace), name })
    }

    /// The id in state.
    pub fn id(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }

    /// How messages call it: `Deployment data/redis`.
    pub fn title(&self, kind: &Kind) -> String {
        format!("{} {}", kind.kind, self.id())
    }
}
