//! Reads the table `kinds.txt`: which resource types there are, their schemas, and how each attribute is called in the API.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::rules::Rule;
use crate::client::kube::types::{self, Kind};
use crate::schema::{Attribute, Block, NestedBlock, Nesting, Presence, Schema};
use crate::text::duration;
use crate::value::{Number, Str, Type, Value, type_from_json};

const TEXT: &str = include_str!("kinds.txt");

/// A resource type or data source.
#[derive(Debug)]
pub struct Resource {
    /// Its names, the plain one and the versioned one.
    pub names: Vec<&'static str>,
    /// The kind of its objects.
    pub kind: &'static Arc<Kind>,
    /// Version of the schema.
    pub version: u64,
    /// Whether no server of today serves it.
    pub deprecated: bool,
    /// Its content.
    pub fields: Arc<Fields>,
    /// How long operations may take where nothing is configured, by their names.
    pub timeouts: Vec<(&'static str, Duration)>,
}

/// A resource type that is no object of its own.
#[derive(Debug)]
pub struct Special {
    /// Its name.
    pub name: &'static str,
    /// Version of the schema.
    pub version: u64,
    /// Its content.
    pub fields: Arc<Fields>,
}

/// The content of a block.
#[derive(Debug, Default)]
pub struct Fields {
    /// Attributes and nested blocks.
    pub entries: Vec<Entry>,
    ty: OnceLock<Type>,
}

/// An attribute or nested block.
#[derive(Debug)]
pub struct Entry {
    /// Its name in configuration.
    pub name: &'static str,
    /// The field in the API; `None` for what is not part of the object.
    pub field: Option<Field>,
    /// What it is.
    pub what: What,
    /// Whether a change needs a new object.
    pub replace: bool,
    /// What its value must be like.
    pub rules: Vec<Rule>,
    /// Whether it is a block that the schema has as a computed attribute.
    pub is_attribute: bool,
}

/// Where an entry is in the API.
#[derive(Debug, PartialEq, Eq)]
pub enum Field {
    /// A field of this name.
    Named(String),
    /// The fields of the nested block stand in the surrounding object.
    Flat,
}

/// What an entry is.
#[derive(Debug)]
pub enum What {
    /// An attribute.
    Attribute {
        /// Its schema.
        attribute: Attribute,
        /// Its value when the configuration has none.
        default: Option<Value>,
        /// Whether it is a text of octal digits.
        octal: bool,
    },
    /// A nested block.
    Block {
        /// Its content.
        fields: Arc<Fields>,
        /// How it nests.
        nesting: Nesting,
        /// How often it must and may stand.
        bounds: (usize, usize),
        /// Whether the server fills it in when it is left out.
        computed: bool,
    },
}

/// The whole table.
#[derive(Debug, Default)]
pub struct Table {
    /// Resource types by each of their names.
    pub resources: BTreeMap<&'static str, Arc<Resource>>,
    /// Data sources by each of their names.
    pub data: BTreeMap<&'static str, Arc<Resource>>,
    /// Resource types that are no objects of their own.
    pub special: BTreeMap<&'static str, Special>,
}

/// The table, read when first asked for.
pub fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut blocks: HashMap<&'static str, Arc<Fields>> = HashMap::new();
        let mut sections = TEXT.split("\nblock ");
        let head = sections.next().unwrap_or_default();
        for section in sections {
            let mut lines = section.lines();
            let name = lines.next().unwrap_or_default();
            let entries = lines.filter_map(|line| entry(line, &blocks)).collect();
            // A block stands after all it refers to.
            blocks.insert(name, Arc::new(Fields { entries, ty: OnceLock::new() }));
        }
        let mut table = Table::default();
        for line in head.lines() {
            if let Some(special) = special(line, &blocks) {
                table.special.insert(special.name, special);
            }
            let Some((data, resource)) = resource(line, &blocks) else { continue };
            let resource = Arc::new(resource);
            let into = if data { &mut table.data } else { &mut table.resources };
            into.extend(resource.names.iter().map(|name| (*name, resource.clone())));
        }
        table
    })
}

fn resource(line: &'static str, blocks: &HashMap<&'static str, Arc<Fields>>) -> Option<(bool, Resource)> {
    let words: Vec<&'static str> = line.split(' ').collect();
    let [what @ ("resource" | "data"), names, api_version, kind, version, block, ref flags @ ..] = words[..] else {
        return None;
    };
    let resource = Resource {
        names: names.split(',').collect(),
        kind: types::find(api_version, kind)?,
        version: version.parse().ok()?,
        deprecated: flags.contains(&"deprecated"),
        timeouts: flags.iter().filter_map(|word| limit(word)).collect(),
        fields: blocks.get(block.strip_prefix('*')?)?.clone(),
    };
    Some((what == "data", resource))
}

fn special(line: &'static str, blocks: &HashMap<&'static str, Arc<Fields>>) -> Option<Special> {
    let mut words = line.strip_prefix("special ")?.split(' ');
    let (name, version, block) = (words.next()?, words.next()?, words.next()?);
    let fields = blocks.get(block.strip_prefix('*')?)?.clone();
    Some(Special { name, version: version.parse().ok()?, fields })
}

/// `create=10m`.
fn limit(word: &'static str) -> Option<(&'static str, Duration)> {
    let (operation, limit) = word.split_once('=')?;
    Some((operation, duration::parse(limit)?))
}

fn entry(line: &'static str, blocks: &HashMap<&'static str, Arc<Fields>>) -> Option<Entry> {
    let line = line.trim();
    let (line, default) = match line.split_once(" =") {
        Some((line, default)) => (line, Some(default)),
        None => (line, None),
    };
    let mut words = line.split(' ');
    let (name, ty) = (words.next()?, words.next()?);
    let rest: Vec<&'static str> = words.collect();
    let has = |flag: &str| rest.contains(&flag);
    let field = match rest.iter().find_map(|word| word.strip_prefix('@')) {
        _ if has("local") => None,
        Some(".") => Some(Field::Flat),
        Some(field) => Some(Field::Named(field.to_owned())),
        None => Some(Field::Named(camel(name))),
    };
    let what = match ty.strip_prefix('*') {
        Some(block) => {
            let number = |at: usize| rest.get(at).and_then(|word| word.parse().ok()).unwrap_or(0);
            let nesting = match *rest.first()? {
                "set" => Nesting::Set,
                "single" => Nesting::Single,
                _ => Nesting::List,
            };
            let fields = blocks.get(block)?.clone();
            let bounds = (number(1), number(2));
            What::Block { fields, nesting, bounds, computed: has("computed") }
        }
        None => {
            let presence = match *rest.first()? {
                "r" => Presence::Required,
                "oc" => Presence::OptionalComputed,
                "c" => Presence::Computed,
                _ => Presence::Optional,
            };
            let mut attribute = Attribute::new(type_of(ty)?, presence);
            attribute.sensitive = has("sensitive");
            attribute.write_only = has("write_only");
            attribute.description = description(name, field.as_ref()).into();
            attribute.replace = has("replace");
            attribute.deprecated =
                has("deprecated").then_some("The provider's documentation says not to use it any more.");
            What::Attribute { attribute, default: default.and_then(constant), octal: has("octal") }
        }
    };
    let rules = rest.iter().filter_map(|word| Rule::parse(word)).collect();
    Some(Entry { name, field, what, replace: has("replace"), rules, is_attribute: has("attribute") })
}

/// What an attribute is: the field it stands for.
fn description(name: &str, field: Option<&Field>) -> String {
    let own = match (field, name) {
        (Some(Field::Named(field)), _) => return format!("The field `{field}` of the Kubernetes API."),
        (Some(Field::Flat), _) => "A part of the object.",
        (None, "id") => "The identifier of the object: its namespace and name.",
        (None, "create") => "How long a creation may take, as a duration such as \"10m\".",
        (None, "read") => "How long reading may take, as a duration such as \"10m\".",
        (None, "update") => "How long a change may take, as a duration such as \"10m\".",
        (None, "delete") => "How long a deletion may take, as a duration such as \"10m\".",
        (None, "binary_data") => "Data in base64.",
        (None, "data_wo" | "binary_data_wo") => "Data that is written and never stored.",
        (None, "data_wo_revision" | "binary_data_wo_revision") => {
            "A number. When it changes, the data is written again."
        }
        (None, name) if name.starts_with("wait_") => "Whether to wait until the object is ready.",
        (None, _) => "An argument that is no field of the object.",
    };
    own.to_owned()
}

fn constant(text: &str) -> Option<Value> {
    match text {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        _ => match text.strip_prefix('"') {
            Some(text) => Some(Value::string(text.trim_end_matches('"'))),
            None => Number::parse(text).ok().map(Value::Number),
        },
    }
}

fn type_of(text: &str) -> Option<Type> {
    let inner = |text: &str| type_of(&text[1..text.len() - 1]);
    match text.as_bytes().first()? {
        b's' => Some(Type::String),
        b'n' => Some(Type::Number),
        b'b' => Some(Type::Bool),
        b'a' => Some(Type::Any),
        b'<' => inner(text).map(Type::set),
        b'{' => inner(text).map(Type::map),
        b'[' if text.starts_with("[\"") => type_from_json(text.as_bytes()).ok(),
        b'[' => inner(text).map(Type::list),
        _ => None,
    }
}

/// `image_pull_policy` → `imagePullPolicy`.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

impl Fields {
    /// An entry by its name in configuration.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The type of the object that the block becomes.
    pub fn ty(&self) -> Type {
        let parts = || {
            self.entries.iter().map(|entry| match &entry.what {
                What::Attribute { attribute, .. } => (entry.name, attribute.ty.clone()),
                What::Block { fields, nesting, .. } => (entry.name, nested(fields.ty(), *nesting)),
            })
        };
        self.ty.get_or_init(|| Type::object(parts())).clone()
    }

    /// The schema of the block.
    pub fn block(&self) -> Block {
        let (mut attributes, mut blocks): (Vec<(Str, Attribute)>, Vec<(Str, NestedBlock)>) = (Vec::new(), Vec::new());
        for entry in &self.entries {
            match &entry.what {
                What::Attribute { attribute, .. } => attributes.push((entry.name.into(), attribute.clone())),
                What::Block { fields, nesting, .. } if entry.is_attribute => {
                    let mut attribute = Attribute::computed(nested(fields.ty(), *nesting));
                    attribute.description = description(entry.name, entry.field.as_ref()).into();
                    attributes.push((entry.name.into(), attribute));
                }
                What::Block { fields, nesting, bounds, computed } => {
                    let mut nested = NestedBlock::new(*nesting, fields.block());
                    (nested.min, nested.max) = *bounds;
                    nested.computed = *computed;
                    blocks.push((entry.name.into(), nested));
                }
            }
        }
        Block::new(attributes).with_blocks(blocks)
    }
}

fn nested(object: Type, nesting: Nesting) -> Type {
    match nesting {
        Nesting::Single | Nesting::Group => object,
        Nesting::Set => Type::set(object),
        Nesting::List | Nesting::Map => Type::list(object),
    }
}

impl Resource {
    /// Its schema.
    pub fn schema(&self) -> Schema {
        let mut block = self.fields.block();
        block.deprecated = self.deprecated;
        Schema { version: self.version, block }
    }
}

impl Special {
    /// Its schema.
    pub fn schema(&self) -> Schema {
        Schema { version: self.version, block: self.fields.block() }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_table_is_one_of_the_api() {
        fn walk(fields: &Fields, ty: &types::Type, path: &str) {
            let structure = match ty {
                types::Type::Struct(structure) => structure,
                types::Type::List(list) => return walk(fields, &list.element, path),
                other => panic!("{path}: {other:?}"),
            };
            for entry in &fields.entries {
                let path = format!("{path}.{}", entry.name);
                let ty = match &entry.field {
                    None => continue,
                    Some(Field::Flat) => ty,
                    Some(Field::Named(name)) => &structure.field(name).unwrap_or_else(|| panic!("{path}: {name}")).ty,
                };
                if let What::Block { fields, .. } = &entry.what {
                    walk(fields, ty, &path);
                }
            }
        }
        for (name, resource) in table().resources.iter().chain(&table().data) {
            walk(&resource.fields, &types::Type::Struct(resource.kind.schema().unwrap().clone()), name);
        }
        assert!(table().resources.len() > 40);
    }

    #[test]
    fn schemas() {
        let schema = table().resources["kubernetes_deployment"].schema();
        let spec = schema.block.nested("spec").unwrap();
        assert_eq!((spec.nesting, spec.min, spec.max), (Nesting::List, 1, 1));
        let container =
            spec.block.nested("template").unwrap().block.nested("spec").unwrap().block.nested("container").unwrap();
        assert_eq!(container.block.attribute("image_pull_policy").unwrap().presence, Presence::OptionalComputed);
        assert!(container.block.nested("volume_mount").is_some());
        let secret = table().resources["kubernetes_secret_v1"].schema();
        assert!(secret.block.attribute("data").unwrap().sensitive);
    }
}
