//! State in memory: what is known of the objects of one layer, and its outputs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::addr::{
    ConfigResourceAddr, DeposedKey, InstanceAddr, InstanceKey, LayerName, ModuleInstance, Name, ProviderConfigAddr,
    ResourceAddr,
};
use crate::value::{Path, Value};

/// JSON fields of a state file that mean nothing to this program and are kept as they are: name and compact JSON text.
pub type ForeignFields = Vec<(Name, Arc<str>)>;

/// The state of one layer. Objects are shared: cloning copies the two maps, never what objects hold.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The layer it belongs to. Not part of the stored form.
    pub layer: LayerName,
    /// The program that wrote it last (`terraform_version` of the stored form).
    pub written_by: String,
    /// Counts the snapshots; 0 before the first.
    pub serial: u64,
    /// Names the line of snapshots; empty before the first.
    pub lineage: String,
    /// Values of the root module's outputs.
    pub outputs: BTreeMap<Name, OutputState>,
    /// Terraform's `check_results`, compact JSON text; `None` is null.
    pub check_results: Option<Arc<str>>,
    /// Top-level fields of other programs.
    pub foreign: ForeignFields,
    resources: BTreeMap<ResourceKey, Arc<ResourceState>>,
}

/// Where a resource stands inside a layer. Root module first, then by path; in one module by mode, type and name.
pub type ResourceKey = (ModuleInstance, ResourceAddr);

/// The value of an output.
#[derive(Clone, PartialEq)]
pub struct OutputState {
    /// The value, without marks.
    pub value: Value,
    /// Whether it must not be shown.
    pub sensitive: bool,
}

/// What is known of one resource in one module instance.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceState {
    /// The provider configuration that made its objects, without its key. Stored without the layer: one of the project reads
    /// back as one of the layer's root module.
    pub provider: ProviderConfigAddr,
    /// Its copies.
    pub instances: BTreeMap<Option<InstanceKey>, InstanceState>,
    /// Fields of other programs.
    pub foreign: ForeignFields,
}

/// What is known of one copy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceState {
    /// The object in use.
    pub current: Option<Arc<Object>>,
    /// Objects that were replaced and are still to be removed.
    pub deposed: BTreeMap<DeposedKey, Arc<Object>>,
}

/// A remote object as it was last seen.
#[derive(Clone, PartialEq)]
pub struct Object {
    /// The key of the provider configuration that made it, where that has `for_each`.
    pub provider_key: Option<Name>,
    /// Version of the schema that `attributes` follow.
    pub schema_version: u64,
    /// The attributes, encoded once: compact JSON text of an object.
    pub attributes: Arc<str>,
    /// Parts of the attributes that are sensitive: by the schema, and by what they were configured with.
    pub sensitive: Vec<Path>,
    /// The provider's own notes.
    pub private: Bytes,
    /// Resources this object depends on: it must be gone before they go. Those of other layers are not stored.
    pub dependencies: Arc<[ConfigResourceAddr]>,
    /// Whether a replacement comes before the removal.
    pub create_before_destroy: bool,
    /// Whether it may be kept.
    pub status: Status,
    /// Version of the identity's schema.
    pub identity_schema_version: Option<u64>,
    /// Terraform's resource identity, compact JSON text.
    pub identity: Option<Arc<str>>,
    /// Fields of other programs.
    pub foreign: ForeignFields,
}

/// Whether an object may be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum Status {
    /// It is as it should be.
    #[default]
    Ready,
    /// Its creation was not finished: the next plan replaces it.
    Tainted,
}

/// One place for an object: the current one of an instance, or a deposed one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slot {
    /// The instance.
    pub addr: InstanceAddr,
    /// Which deposed object; `None` is the current one.
    pub deposed: Option<DeposedKey>,
}

/// An object in its place, as [`State::objects`] gives it.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    /// The module instance and the resource.
    pub resource: &'a ResourceKey,
    /// Which copy.
    pub key: Option<&'a InstanceKey>,
    /// Which deposed object; `None` is the current one.
    pub deposed: Option<&'a DeposedKey>,
    /// The provider configuration that made it, without its key.
    pub provider: &'a ProviderConfigAddr,
    /// The object.
    pub object: &'a Arc<Object>,
}

impl Slot {
    /// The current object of an instance.
    pub fn current(addr: InstanceAddr) -> Self {
        Slot { addr, deposed: None }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.addr.fmt(f)?;
        match &self.deposed {
            Some(key) => write!(f, " (deposed object {key})"),
            None => Ok(()),
        }
    }
}

impl Object {
    /// A ready object with nothing but attributes (compact JSON text of an object).
    pub fn new(schema_version: u64, attributes: impl Into<Arc<str>>) -> Self {
        Object {
            provider_key: None,
            schema_version,
            attributes: attributes.into(),
            sensitive: Vec::new(),
            private: Bytes::new(),
            dependencies: Arc::new([]),
            create_before_destroy: false,
            status: Status::Ready,
            identity_schema_version: None,
            identity: None,
            foreign: Vec::new(),
        }
    }
}

impl fmt::Debug for Object {
    /// Attributes, notes and identity may hold secrets: only their lengths are told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object")
            .field("schema_version", &self.schema_version)
            .field("attributes", &format_args!("{} bytes", self.attributes.len()))
            .field("private", &format_args!("{} bytes", self.private.len()))
            .field("dependencies", &self.dependencies)
            .field("create_before_destroy", &self.create_before_destroy)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for OutputState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sensitive { f.write_str("(sensitive)") } else { self.value.fmt(f) }
    }
}

impl Placed<'_> {
    /// The full address of the instance, in a layer.
    pub fn addr(&self, layer: &LayerName) -> InstanceAddr {
        let (module, resource) = self.resource;
        resource.instance(layer.clone(), module.clone(), self.key.cloned())
    }
}

/// A newer form of the same object, with what only other programs know of it.
fn inherited(there: &Object, mut object: Arc<Object>) -> Arc<Object> {
    if object.foreign.is_empty() && !there.foreign.is_empty() {
        Arc::make_mut(&mut object).foreign.clone_from(&there.foreign);
    }
    if object.identity.is_none() && there.identity.is_some() {
        let object = Arc::make_mut(&mut object);
        object.identity.clone_from(&there.identity);
        object.identity_schema_version = there.identity_schema_version;
    }
    object
}

impl State {
    /// The state before the first snapshot.
    pub fn empty(layer: LayerName) -> Self {
        State {
            layer,
            written_by: String::new(),
            serial: 0,
            lineage: String::new(),
            outputs: BTreeMap::new(),
            check_results: None,
            foreign: Vec::new(),
            resources: BTreeMap::new(),
        }
    }

    /// Whether it holds neither objects nor outputs.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.outputs.is_empty()
    }

    /// All resources in order.
    pub fn resources(&self) -> impl Iterator<Item = (&ResourceKey, &ResourceState)> {
        self.resources.iter().map(|(key, resource)| (key, &**resource))
    }

    /// One resource.
    pub fn resource(&self, module: &ModuleInstance, resource: &ResourceAddr) -> Option<&ResourceState> {
        self.resources.get(&(module.clone(), resource.clone())).map(|resource| &**resource)
    }

    /// One instance; the address's layer is not looked at.
    pub fn instance(&self, addr: &InstanceAddr) -> Option<&InstanceState> {
        self.resource(&addr.module, &addr.resource)?.instances.get(&addr.key)
    }

    /// The current object of an instance.
    pub fn object(&self, addr: &InstanceAddr) -> Option<&Arc<Object>> {
        self.instance(addr)?.current.as_ref()
    }

    /// The object in a slot.
    pub fn at(&self, slot: &Slot) -> Option<&Arc<Object>> {
        let instance = self.instance(&slot.addr)?;
        match &slot.deposed {
            None => instance.current.as_ref(),
            Some(key) => instance.deposed.get(key),
        }
    }

    /// The provider configuration that made the objects of an instance.
    pub fn provider(&self, addr: &InstanceAddr) -> Option<ProviderConfigAddr> {
        let resource = self.resource(&addr.module, &addr.resource)?;
        let instance = resource.instances.get(&addr.key);
        let key = instance.and_then(|instance| instance.current.as_ref()?.provider_key.clone());
        Some(resource.provider.with_key(key))
    }

    /// Every object in order, the current one of an instance before its deposed ones.
    pub fn objects(&self) -> impl Iterator<Item = Placed<'_>> {
        self.resources.iter().flat_map(|(resource, state)| {
            state.instances.iter().flat_map(move |(key, instance)| {
                let placed = move |deposed, object| Placed {
                    resource,
                    key: key.as_ref(),
                    deposed,
                    provider: &state.provider,
                    object,
                };
                let deposed = instance.deposed.iter().map(move |(key, object)| placed(Some(key), object));
                instance.current.iter().map(move |object| placed(None, object)).chain(deposed)
            })
        })
    }

    /// How many objects there are, deposed ones included.
    pub fn object_count(&self) -> usize {
        let instances = self.resources.values().flat_map(|resource| resource.instances.values());
        instances.map(|instance| usize::from(instance.current.is_some()) + instance.deposed.len()).sum()
    }

    /// Puts an object into a slot, in place of what was there. Says whether that changed anything.
    pub fn put(&mut self, slot: &Slot, provider: &ProviderConfigAddr, mut object: Arc<Object>) -> bool {
        if object.provider_key != provider.key {
            Arc::make_mut(&mut object).provider_key.clone_from(&provider.key);
        }
        let provider = &provider.with_key(None);
        let key = (slot.addr.module.clone(), slot.addr.resource.clone());
        let resource = self.resources.entry(key).or_insert_with(|| {
            Arc::new(ResourceState { provider: provider.clone(), instances: BTreeMap::new(), foreign: Vec::new() })
        });
        let same_provider = resource.provider == *provider;
        let mut object = object;
        let there = resource.instances.get(&slot.addr.key).and_then(|instance| match &slot.deposed {
            None => instance.current.as_ref(),
            Some(key) => instance.deposed.get(key),
        });
        if let Some(there) = there {
            object = inherited(there, object);
            if same_provider && *there == object {
                return false;
            }
        }
        let resource = Arc::make_mut(resource);
        if !same_provider {
            resource.provider = provider.clone();
        }
        let instance = resource.instances.entry(slot.addr.key.clone()).or_default();
        match &slot.deposed {
            None => instance.current = Some(object),
            Some(key) => {
                instance.deposed.insert(key.clone(), object);
            }
        }
        true
    }

    /// The fields of other programs beside the resource of a slot.
    pub(super) fn foreign_of(&self, slot: &Slot) -> Option<&ForeignFields> {
        let resource = self.resource(&slot.addr.module, &slot.addr.resource)?;
        Some(&resource.foreign).filter(|fields| !fields.is_empty())
    }

    /// Gives the resource of a slot the fields of other programs that stood beside it where it was before.
    pub(super) fn take_foreign(&mut self, slot: &Slot, fields: ForeignFields) {
        let key = (slot.addr.module.clone(), slot.addr.resource.clone());
        if let Some(resource) = self.resources.get_mut(&key).filter(|resource| resource.foreign.is_empty()) {
            Arc::make_mut(resource).foreign = fields;
        }
    }

    /// Takes the object out of a slot; instances and resources without objects go with it.
    pub fn remove(&mut self, slot: &Slot) -> Option<Arc<Object>> {
        self.at(slot)?;
        let key = (slot.addr.module.clone(), slot.addr.resource.clone());
        let resource = Arc::make_mut(self.resources.get_mut(&key)?);
        let instance = resource.instances.get_mut(&slot.addr.key)?;
        let object = match &slot.deposed {
            None => instance.current.take(),
            Some(deposed) => instance.deposed.remove(deposed),
        };
        if instance.current.is_none() && instance.deposed.is_empty() {
            resource.instances.remove(&slot.addr.key);
        }
        if resource.instances.is_empty() {
            self.resources.remove(&key);
        }
        object
    }

    /// Sets an output, or removes it. Says whether that changed anything.
    pub fn set_output(&mut self, name: &Name, output: Option<OutputState>) -> bool {
        match output {
            Some(output) if self.outputs.get(name) == Some(&output) => false,
            Some(output) => {
                self.outputs.insert(name.clone(), output);
                true
            }
            None => self.outputs.remove(name).is_some(),
        }
    }

    /// Sets the resources to those that were read. `Err` is a key that two of them have.
    pub(super) fn set_resources(
        &mut self,
        mut read: Vec<(ResourceKey, Arc<ResourceState>)>,
    ) -> Result<(), ResourceKey> {
        // Files are sorted mostly; then this costs one look at each, as does the map.
        read.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(twice) = read.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(twice[0].0.clone());
        }
        self.resources = read.into_iter().collect();
        Ok(())
    }
}
