//! Reading a state file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::names::{Known, Place};
use super::{FormatError, VERSION, compact, portions};
use crate::addr::{DeposedKey, InstanceKey, LayerName, Mode, Name, ResourceAddr};
use crate::state::model::{
    ForeignFields, InstanceState, Object, OutputState, ResourceKey, ResourceState, State, Status,
};
use crate::value::{self, Path, Step, Type};

/// Reads the state of `layer` from the bytes of a state file.
///
/// # Errors
/// When the bytes are not a state file of version 4, or something in it contradicts itself.
pub fn read(layer: &LayerName, bytes: &[u8]) -> Result<State, FormatError> {
    // Of a text serde has not to look at every string in it.
    let text = std::str::from_utf8(bytes).ok();
    if let Some(state) = text.and_then(|text| portions::read(layer, text)) {
        return Ok(state);
    }
    let file: FileIn<'_> = match text.map_or_else(|| serde_json::from_slice(bytes), serde_json::from_str) {
        Ok(file) => file,
        Err(error) => return Err(why_not(bytes).unwrap_or(FormatError::Malformed(error))),
    };
    if file.version != Some(VERSION) {
        return Err(why_not(bytes).unwrap_or(FormatError::NoVersion));
    }
    whole(layer, file, Vec::new())
}

/// A state from what stands in its file and resources that were read already.
pub(super) fn whole(layer: &LayerName, file: FileIn<'_>, mut resources: Resources) -> Result<State, FormatError> {
    let mut known = Known::new(layer.clone());
    let mut state = State::empty(layer.clone());
    state.written_by = file.terraform_version.into_owned();
    state.serial = file.serial;
    state.lineage = file.lineage.into_owned();
    state.check_results = file.check_results.map(compact_raw).transpose()?;
    state.foreign = foreign(&file.foreign)?;
    for (name, output) in file.outputs {
        let read = output.read().map_err(|what| invalid(format!("output \"{name}\""), what))?;
        if state.outputs.insert(name.as_ref().into(), read).is_some() {
            return Err(FormatError::Twice(format!("output \"{name}\"")));
        }
    }
    for resource in file.resources {
        resources.extend(read_resource(&mut known, resource)?);
    }
    state.set_resources(resources).map_err(|(module, addr)| {
        let dot = if module.is_root() { "" } else { "." };
        FormatError::Twice(format!("{module}{dot}{addr}"))
    })?;
    Ok(state)
}

/// Resources in the order of a file.
pub(super) type Resources = Vec<(ResourceKey, Arc<ResourceState>)>;

/// What is known of a file that did not read as version 4: the reason that helps most.
fn why_not(bytes: &[u8]) -> Option<FormatError> {
    #[derive(Deserialize)]
    struct Head {
        version: Option<u64>,
        terraform_version: Option<String>,
        encrypted_data: Option<IgnoredAny>,
    }
    let head: Head = serde_json::from_slice(bytes).ok()?;
    match head.version {
        _ if head.encrypted_data.is_some() => Some(FormatError::Encrypted),
        None => Some(FormatError::NoVersion),
        Some(version) if version > VERSION => {
            Some(FormatError::Newer { version, program: head.terraform_version.unwrap_or_else(|| "?".into()) })
        }
        Some(version) if version < VERSION => Some(FormatError::Older(version)),
        Some(_) => None,
    }
}

/// A resource; `None` where it has no instances.
pub(super) fn read_resource(
    known: &mut Known,
    resource: ResourceIn<'_>,
) -> Result<Option<(ResourceKey, Arc<ResourceState>)>, FormatError> {
    let place = Place { module: &resource.module, kind: &resource.kind, name: &resource.name };
    let (module, addr) = place.read(known, &resource.mode).map_err(|what| invalid(resource.place(), what))?;
    // With for_each of a provider block, OpenTofu names the configuration beside each instance.
    let told = if resource.provider.is_empty() {
        resource.instances.iter().find_map(|instance| instance.provider.as_ref())
    } else {
        None
    };
    let told = told.unwrap_or(&resource.provider);
    let provider = known
        .provider(told)
        .ok_or_else(|| invalid(resource.place(), format!("{told:?} is not the address of a provider configuration")))?;
    let provider = provider.with_key(None);
    let mut instances: BTreeMap<Option<InstanceKey>, InstanceState> = BTreeMap::new();
    for instance in &resource.instances {
        let place = || match &instance.index_key {
            Some(key) => format!("{}[{}]", resource.place(), key.get().chars().take(100).collect::<String>()),
            None => resource.place(),
        };
        let key = read_key(instance.index_key, known).map_err(|what| invalid(place(), what))?;
        let object = Arc::new(instance.read(known, &place)?);
        let slot = instances.entry(key).or_default();
        let before = match instance.deposed.as_deref() {
            None | Some("") => slot.current.replace(object),
            Some(deposed) => slot.deposed.insert(DeposedKey(Name::from(deposed)), object),
        };
        if before.is_some() {
            return Err(FormatError::Twice(place()));
        }
    }
    if instances.is_empty() {
        // Older versions keep resources without instances; they say nothing.
        return Ok(None);
    }
    let foreign = foreign(&resource.foreign)?;
    Ok(Some(((module, addr), Arc::new(ResourceState { provider, instances, foreign }))))
}

fn invalid(place: String, what: impl Into<String>) -> FormatError {
    FormatError::Invalid { place, what: what.into() }
}

fn compact_raw(raw: &RawValue) -> Result<Arc<str>, FormatError> {
    compact(raw.get())
}

fn foreign(fields: &[(Cow<'_, str>, &RawValue)]) -> Result<ForeignFields, FormatError> {
    fields.iter().map(|(name, raw)| Ok((Name::from(name.as_ref()), compact_raw(raw)?))).collect()
}

impl Place<'_> {
    /// The module instance and the resource, or what is wrong with the texts.
    pub fn read(&self, known: &mut Known, mode: &str) -> Result<(crate::addr::ModuleInstance, ResourceAddr), String> {
        let mode = match mode {
            "managed" => Mode::Managed,
            "data" => Mode::Data,
            "ephemeral" => Mode::Ephemeral,
            other => return Err(format!("{other:?} is not a mode; known are \"managed\" and \"data\"")),
        };
        if self.kind.is_empty() || self.name.is_empty() {
            return Err("it lacks a \"type\" or a \"name\"".into());
        }
        let module =
            known.module(self.module).ok_or_else(|| format!("{:?} is not the address of a module", self.module))?;
        Ok((module, ResourceAddr { mode, kind: known.name(self.kind), name: known.name(self.name) }))
    }
}

/// A state file.
#[derive(Default)]
pub(super) struct FileIn<'a> {
    pub version: Option<u64>,
    terraform_version: Cow<'a, str>,
    serial: u64,
    lineage: Cow<'a, str>,
    outputs: Vec<(Cow<'a, str>, OutputIn<'a>)>,
    pub resources: Vec<ResourceIn<'a>>,
    check_results: Option<&'a RawValue>,
    foreign: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// One entry of `resources`.
#[derive(Default)]
pub(super) struct ResourceIn<'a> {
    module: Cow<'a, str>,
    mode: Cow<'a, str>,
    kind: Cow<'a, str>,
    pub name: Cow<'a, str>,
    provider: Cow<'a, str>,
    instances: Vec<InstanceIn<'a>>,
    foreign: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// One entry of `instances`, or the `object` of a journal record.
#[derive(Default)]
pub struct InstanceIn<'a> {
    index_key: Option<&'a RawValue>,
    deposed: Option<Cow<'a, str>>,
    provider: Option<Cow<'a, str>>,
    status: Option<Cow<'a, str>>,
    schema_version: u64,
    attributes: Option<&'a RawValue>,
    attributes_flat: bool,
    sensitive: Option<&'a RawValue>,
    identity_schema_version: Option<u64>,
    identity: Option<&'a RawValue>,
    private: Option<Cow<'a, str>>,
    dependencies: Vec<Cow<'a, str>>,
    create_before_destroy: bool,
    foreign: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// One entry of `outputs`.
#[derive(Deserialize)]
pub struct OutputIn<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(borrow, rename = "type")]
    ty: Option<&'a RawValue>,
    #[serde(default)]
    sensitive: bool,
}

impl ResourceIn<'_> {
    fn place(&self) -> String {
        let dot = if self.module.is_empty() { "" } else { "." };
        let mode = if self.mode == "data" { "data." } else { "" };
        format!("{}{dot}{mode}{}.{}", self.module, self.kind, self.name)
    }
}

impl OutputIn<'_> {
    /// The output, or what is wrong with it.
    pub fn read(&self) -> Result<OutputState, String> {
        let ty = match self.ty {
            Some(ty) => value::type_from_json(ty.get().as_bytes()).map_err(|error| error.to_string())?,
            None => Type::Any,
        };
        compact_raw(self.value).map_err(|error| error.to_string())?;
        let value = match ty {
            Type::Any => value::from_json(self.value.get().as_bytes()),
            ty => value::from_json_typed(self.value.get().as_bytes(), &ty),
        };
        Ok(OutputState { value: value.map_err(|error| error.to_string())?, sensitive: self.sensitive })
    }
}

/// Reads an `index_key`: a JSON number or text. Or says what is wrong with it.
pub fn read_key(raw: Option<&RawValue>, known: &mut Known) -> Result<Option<InstanceKey>, String> {
    match raw.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some(raw) => match serde_json::from_str::<String>(raw) {
            Ok(key) => Ok(Some(InstanceKey::Str(known.name(&key)))),
            Err(_) => match raw.parse() {
                Ok(index) => Ok(Some(InstanceKey::Int(index))),
                Err(_) => Err("its \"index_key\" is neither a text nor a whole number".into()),
            },
        },
    }
}

impl InstanceIn<'_> {
    /// The object. `place` names it in errors.
    pub fn read(&self, known: &mut Known, place: &dyn Fn() -> String) -> Result<Object, FormatError> {
        let wrong = |what: String| invalid(place(), what);
        let attributes = match self.attributes {
            Some(raw) if raw.get().starts_with('{') => compact_raw(raw)?,
            _ if self.attributes_flat => return Err(FormatError::Flat(place())),
            _ => return Err(wrong("its \"attributes\" are not an object".into())),
        };
        let status = match self.status.as_deref() {
            None | Some("") => Status::Ready,
            Some("tainted") => Status::Tainted,
            Some(other) => return Err(wrong(format!("{other:?} is not a status; known is \"tainted\""))),
        };
        let private = match self.private.as_deref() {
            None => Vec::new(),
            Some(text) => STANDARD.decode(text).map_err(|_| wrong("its \"private\" is not base64".into()))?,
        };
        let dependencies: Result<Vec<_>, FormatError> = self
            .dependencies
            .iter()
            .map(|text| {
                known.dependency(text).ok_or_else(|| wrong(format!("{text:?} is not the address of a resource")))
            })
            .collect();
        let provider = match self.provider.as_deref() {
            Some(text) => {
                Some(known.provider(text).ok_or_else(|| wrong(format!("{text:?} is no provider configuration")))?)
            }
            None => None,
        };
        Ok(Object {
            provider_key: provider.and_then(|provider| provider.key),
            schema_version: self.schema_version,
            attributes,
            sensitive: self.sensitive.map_or(Ok(Vec::new()), |raw| read_paths(raw.get(), known)).map_err(wrong)?,
            private: private.into(),
            dependencies: dependencies?.into(),
            create_before_destroy: self.create_before_destroy,
            status,
            identity_schema_version: self.identity_schema_version,
            identity: self.identity.filter(|raw| raw.get() != "null").map(compact_raw).transpose()?,
            foreign: foreign(&self.foreign)?,
        })
    }
}

/// `sensitive_attributes`: paths of steps `{"type":"get_attr","value":NAME}` and
/// `{"type":"index","value":{"value":KEY,"type":"string"|"number"}}`.
fn read_paths(json: &str, known: &mut Known) -> Result<Vec<Path>, String> {
    #[derive(Deserialize)]
    struct StepIn<'a> {
        #[serde(borrow, rename = "type")]
        kind: Cow<'a, str>,
        #[serde(borrow)]
        value: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct IndexIn<'a> {
        #[serde(borrow)]
        value: &'a RawValue,
    }
    if matches!(json, "[]" | "null") {
        return Ok(Vec::new());
    }
    let wrong = || "its \"sensitive_attributes\" are not paths".to_owned();
    let paths: Vec<Vec<StepIn<'_>>> = serde_json::from_str(json).map_err(|_| wrong())?;
    paths
        .into_iter()
        .map(|steps| {
            steps
                .into_iter()
                .map(|step| match step.kind.as_ref() {
                    "get_attr" => {
                        let name: String = serde_json::from_str(step.value.get()).map_err(|_| wrong())?;
                        Ok(Step::Attribute(known.name(&name)))
                    }
                    "index" => {
                        let index: IndexIn<'_> = serde_json::from_str(step.value.get()).map_err(|_| wrong())?;
                        match serde_json::from_str::<String>(index.value.get()) {
                            Ok(key) => Ok(Step::Key(known.name(&key))),
                            Err(_) => index.value.get().parse().map(Step::Index).map_err(|_| wrong()),
                        }
                    }
                    _ => Err(wrong()),
                })
                .collect()
        })
        .collect()
}

/// A text that is borrowed where it has no escapes. (`Cow` alone always copies inside of collections.)
#[derive(Deserialize, Default)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// `null` counts as absent.
fn or_default<'de, T: Deserialize<'de> + Default, A: MapAccess<'de>>(map: &mut A) -> Result<T, A::Error> {
    Ok(map.next_value::<Option<T>>()?.unwrap_or_default())
}

fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Cow<'de, str>, A::Error> {
    Ok(or_default::<Text<'de>, A>(map)?.0)
}

macro_rules! object_visitor {
    ($type:ident, $expecting:literal, |$map:ident, $out:ident| { $($key:literal => $take:expr,)* }) => {
        impl<'de: 'a, 'a> Deserialize<'de> for $type<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;
                impl<'de> Visitor<'de> for Fields {
                    type Value = $type<'de>;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut $map: A) -> Result<Self::Value, A::Error> {
                        let mut $out = $type::default();
                        while let Some(Text(key)) = $map.next_key()? {
                            match key.as_ref() {
                                $($key => $take,)*
                                _ => $out.foreign.push((key, $map.next_value()?)),
                            }
                        }
                        Ok($out)
                    }
                }
                deserializer.deserialize_map(Fields)
            }
        }
    };
}

object_visitor!(FileIn, "a state file", |map, out| {
    "version" => out.version = map.next_value()?,
    "terraform_version" => out.terraform_version = text(&mut map)?,
    "serial" => out.serial = or_default(&mut map)?,
    "lineage" => out.lineage = text(&mut map)?,
    "outputs" => out.outputs = or_default::<Pairs<'de>, A>(&mut map)?.0,
    "resources" => out.resources = or_default(&mut map)?,
    "check_results" => out.check_results = map.next_value()?,
});

object_visitor!(ResourceIn, "a resource", |map, out| {
    "module" => out.module = text(&mut map)?,
    "mode" => out.mode = text(&mut map)?,
    "type" => out.kind = text(&mut map)?,
    "name" => out.name = text(&mut map)?,
    "provider" => out.provider = text(&mut map)?,
    "instances" => out.instances = or_default(&mut map)?,
});

object_visitor!(InstanceIn, "an instance", |map, out| {
    "index_key" => out.index_key = map.next_value()?,
    "deposed" => out.deposed = map.next_value::<Option<Text<'de>>>()?.map(|text| text.0),
    "provider" => out.provider = map.next_value::<Option<Text<'de>>>()?.map(|text| text.0),
    "status" => out.status = map.next_value::<Option<Text<'de>>>()?.map(|text| text.0),
    "schema_version" => out.schema_version = or_default(&mut map)?,
    "attributes" => out.attributes = map.next_value()?,
    "attributes_flat" => out.attributes_flat = map.next_value::<Option<IgnoredAny>>()?.is_some(),
    "sensitive_attributes" => out.sensitive = map.next_value()?,
    "identity_schema_version" => out.identity_schema_version = map.next_value()?,
    "identity" => out.identity = map.next_value()?,
    "private" => out.private = map.next_value::<Option<Text<'de>>>()?.map(|text| text.0),
    "dependencies" => {
        out.dependencies = or_default::<Vec<Text<'de>>, A>(&mut map)?.into_iter().map(|text| text.0).collect();
    },
    "create_before_destroy" => out.create_before_destroy = or_default(&mut map)?,
});

/// `outputs` in order, repeated names included.
#[derive(Default)]
struct Pairs<'a>(Vec<(Cow<'a, str>, OutputIn<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("outputs by name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Text(name), output)) = map.next_entry()? {
                    pairs.push((name, output));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}
