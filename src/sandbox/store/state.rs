//! Objects in memory: by key, by owner, and the recent changes for watches.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use super::log::line;
use super::{Key, Object};
use crate::client::kube::types::Json;
use crate::sandbox::cluster::settled;
use crate::sandbox::kinds::Kinds;

/// So many changes are kept for watches that resume.
const KEPT: usize = 20_000;

/// What happened to an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is different.
    Modified,
    /// It is gone.
    Deleted,
}

/// One change.
#[derive(Clone, Debug)]
pub struct Change {
    /// The revision it made.
    pub revision: u64,
    /// What happened.
    pub kind: ChangeKind,
    /// The object as it is; as it was, when deleted (with the revision of the deletion).
    pub object: Arc<Object>,
    /// The object as it was before.
    pub before: Option<Arc<Object>>,
}

/// All objects at one moment.
#[derive(Default)]
pub struct State {
    objects: BTreeMap<Key, Arc<Object>>,
    owned: HashMap<String, BTreeSet<Key>>,
    changes: VecDeque<Change>,
    revision: u64,
    lines: Vec<u8>,
    dirty: BTreeSet<Key>,
    /// The kinds that are served, custom ones included.
    pub kinds: Kinds,
}

impl State {
    /// From what the log held.
    pub(super) fn new(objects: BTreeMap<Key, Arc<Object>>, revision: u64) -> Self {
        let mut state = State { revision, ..State::default() };
        for object in objects.values() {
            for owner in &object.owners {
                state.owned.entry(owner.clone()).or_default().insert(object.key.clone());
            }
            if object.unsettled {
                state.dirty.insert(object.key.clone());
            }
            state.kinds.note(&object.key, Some(object));
        }
        state.objects = objects;
        state
    }

    /// The latest revision.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// An object.
    pub fn get(&self, key: &Key) -> Option<&Arc<Object>> {
        self.objects.get(key)
    }

    /// An object by the parts of its key.
    pub fn find(&self, resource: &str, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.objects.get(&Key::new(resource, namespace, name))
    }

    /// All objects of a resource, in one namespace or in all, by namespace and name.
    pub fn list<'a>(
        &'a self,
        resource: &str,
        namespace: Option<&str>,
    ) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        let first = Key::new(resource, namespace.unwrap_or(""), "");
        let (resource, namespace) = (first.resource.clone(), namespace.map(str::to_owned));
        self.objects.range((Bound::Included(first), Bound::Unbounded)).map(|(_, object)| object).take_while(
            move |object| {
                object.key.resource == resource
                    && namespace.as_deref().is_none_or(|namespace| &*object.key.namespace == namespace)
            },
        )
    }

    /// Every object.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values()
    }

    /// The keys of the objects that name this uid as an owner.
    pub fn owned_by(&self, uid: &str) -> Vec<Key> {
        self.owned.get(uid).into_iter().flatten().cloned().collect()
    }

    /// Puts an object; its `resourceVersion` is set here.
    pub fn put(&mut self, key: Key, mut tree: Json) -> Arc<Object> {
        self.revision += 1;
        tree["metadata"]["resourceVersion"] = Json::from(self.revision.to_string());
        let unsettled = !settled(&key, &tree);
        let object = Arc::new(Object::new(key.clone(), self.revision, tree, unsettled));
        self.lines.extend_from_slice(&line(&object));
        let before = self.objects.insert(key.clone(), object.clone());
        self.disown(before.as_deref());
        for owner in &object.owners {
            self.owned.entry(owner.clone()).or_default().insert(key.clone());
        }
        self.kinds.note(&key, Some(&object));
        let kind = if before.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        self.changed(Change { revision: self.revision, kind, object: object.clone(), before });
        object
    }

    /// Removes an object.
    pub fn remove(&mut self, key: &Key) -> Option<Arc<Object>> {
        let before = self.objects.remove(key)?;
        self.revision += 1;
        self.lines.extend_from_slice(&super::log::gone(key, self.revision));
        self.disown(Some(&before));
        self.kinds.note(key, None);
        let mut tree = (**before.json()).clone();
        tree["metadata"]["resourceVersion"] = Json::from(self.revision.to_string());
        let object = Arc::new(Object::new(key.clone(), self.revision, tree, false));
        let change =
            Change { revision: self.revision, kind: ChangeKind::Deleted, object, before: Some(before.clone()) };
        self.changed(change);
        Some(before)
    }

    /// The changes after a revision, oldest first; `None` when they are no longer known.
    pub fn since(&self, revision: u64) -> Option<impl Iterator<Item = &Change>> {
        // Every revision is one change, so that the first kept change tells how far back the memory reaches.
        let oldest = self.changes.front().map_or(self.revision + 1, |change| change.revision);
        if revision + 1 < oldest && revision < self.revision {
            return None;
        }
        let skip = self.changes.partition_point(|change| change.revision <= revision);
        Some(self.changes.range(skip..))
    }

    /// Marks an object for its controller.
    pub fn stir(&mut self, key: Key) {
        self.dirty.insert(key);
    }

    /// The objects whose controllers have to look again.
    pub fn take_dirty(&mut self) -> BTreeSet<Key> {
        std::mem::take(&mut self.dirty)
    }

    /// Whether there are such objects.
    pub fn has_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    pub(super) fn take_lines(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.lines)
    }

    fn changed(&mut self, change: Change) {
        crate::sandbox::cluster::ripple(self, &change);
        self.changes.push_back(change);
        if self.changes.len() > KEPT {
            self.changes.pop_front();
        }
    }

    fn disown(&mut self, before: Option<&Object>) {
        let Some(before) = before else { return };
        for owner in &before.owners {
            if let Some(keys) = self.owned.get_mut(owner) {
                keys.remove(&before.key);
                if keys.is_empty() {
                    self.owned.remove(owner);
                }
            }
        }
    }
}
