//! Schemas: which attributes and nested blocks a resource, provider, data source or gate has.
//!
//! In: what providers declare. Out: the implied [`Type`] of their objects, and the pure steps of planning that need a
//! schema only: [`proposed`] merges prior and configured values, [`computed_unknown`] marks what the provider will decide.
//! Not here: reading a body against a schema (`lang::decode`), providers themselves.

mod backend;
mod merge;

use std::sync::OnceLock;

pub use backend::{Backend, NoBackend};
pub use merge::{attribute_at, computed_unknown, proposed, sensitive_paths, write_only_null};

use crate::value::{AttrType, ObjectType, Str, Type};

/// The schema of one kind of object.
#[derive(Debug, Default)]
pub struct Schema {
    /// Version of the stored form; state of a lower one goes through `Provider::upgrade`.
    pub version: u64,
    /// Its content.
    pub block: Block,
}

/// Attributes and nested blocks.
#[derive(Debug, Default)]
pub struct Block {
    /// `name = value` arguments and computed attributes, sorted by name.
    pub attributes: Vec<(Str, Attribute)>,
    /// Nested blocks, sorted by name.
    pub blocks: Vec<(Str, NestedBlock)>,
    /// One or more sentences for documentation.
    pub description: &'static str,
    /// Whether its description and those of its attributes are Markdown, and not plain text.
    pub markdown: bool,
    /// Whether what it describes is on its way out.
    pub deprecated: bool,
    ty: OnceLock<Type>,
}

/// Who sets an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// The configuration must.
    Required,
    /// The configuration may; else it is null.
    Optional,
    /// The configuration may; else the provider decides.
    OptionalComputed,
    /// Only the provider.
    Computed,
}

/// One attribute.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its type; `Any` takes every type and keeps it in state.
    pub ty: Type,
    /// Who sets it.
    pub presence: Presence,
    /// Never shown.
    pub sensitive: bool,
    /// Sent to the provider, never stored in plan or state.
    pub write_only: bool,
    /// A sentence for documentation, which may be missing.
    pub description: Str,
    /// Why not to use it any more; `None` for most.
    pub deprecated: Option<&'static str>,
    /// A change of it needs a new object. Native providers use it; plugins say so in their plans.
    pub replace: bool,
}

/// How often a nested block may stand, and what it becomes in the value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nesting {
    /// At most once: an object, null when absent.
    Single,
    /// At most once: an object, with defaults when absent.
    Group,
    /// A list of objects (a tuple when the block holds an `Any`).
    List,
    /// A set of objects.
    Set,
    /// A map of objects by the block's one label.
    Map,
}

/// A nested block.
#[derive(Debug)]
pub struct NestedBlock {
    /// How it nests.
    pub nesting: Nesting,
    /// Its content.
    pub block: Block,
    /// Least number of blocks.
    pub min: usize,
    /// Greatest number of blocks; 0 is no limit.
    pub max: usize,
    /// With `List` or `Set`: when no block is written, keep what the provider made (an optional and computed block).
    pub computed: bool,
}

impl Attribute {
    /// An attribute that is not sensitive, write-only or deprecated, and is updated in place.
    pub fn new(ty: Type, presence: Presence) -> Self {
        Attribute {
            ty,
            presence,
            sensitive: false,
            write_only: false,
            description: Str::from(""),
            deprecated: None,
            replace: false,
        }
    }

    /// `Required`.
    pub fn required(ty: Type) -> Self {
        Attribute::new(ty, Presence::Required)
    }

    /// `Optional`.
    pub fn optional(ty: Type) -> Self {
        Attribute::new(ty, Presence::Optional)
    }

    /// `Computed`.
    pub fn computed(ty: Type) -> Self {
        Attribute::new(ty, Presence::Computed)
    }

    /// `OptionalComputed`.
    pub fn optional_computed(ty: Type) -> Self {
        Attribute::new(ty, Presence::OptionalComputed)
    }

    /// The same, sensitive.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// The same; a change needs a new object.
    #[must_use]
    pub fn replace(mut self) -> Self {
        self.replace = true;
        self
    }

    /// The same, deprecated.
    #[must_use]
    pub fn deprecated(mut self, why: &'static str) -> Self {
        self.deprecated = Some(why);
        self
    }

    /// Whether configuration may set it.
    pub fn is_settable(&self) -> bool {
        self.presence != Presence::Computed
    }

    /// Whether the provider may decide it.
    pub fn is_computed(&self) -> bool {
        matches!(self.presence, Presence::Computed | Presence::OptionalComputed)
    }
}

impl NestedBlock {
    /// A block that nests in one way, any number of times.
    pub fn new(nesting: Nesting, block: Block) -> Self {
        NestedBlock { nesting, block, min: 0, max: 0, computed: false }
    }

    /// A list block that stands at most once, and at least once when `required`: how providers write `spec { … }`.
    pub fn one(block: Block, required: bool) -> Self {
        NestedBlock { nesting: Nesting::List, block, min: usize::from(required), max: 1, computed: false }
    }

    /// The type of the value its blocks become.
    pub fn ty(&self) -> Type {
        let object = self.block.ty();
        match self.nesting {
            Nesting::Single | Nesting::Group => object,
            // Elements of different types cannot share a list; Terraform makes a tuple then, whose type is open.
            Nesting::List | Nesting::Map if !object.is_determined() => Type::Any,
            Nesting::List => Type::list(object),
            Nesting::Set => Type::set(object),
            Nesting::Map => Type::map(object),
        }
    }
}

impl Block {
    /// A block of these attributes and no nested blocks.
    pub fn new<K: Into<Str>>(attributes: impl IntoIterator<Item = (K, Attribute)>) -> Self {
        let mut attributes: Vec<_> = attributes.into_iter().map(|(name, attr)| (name.into(), attr)).collect();
        attributes.sort_by(|a, b| a.0.cmp(&b.0));
        Block { attributes, ..Block::default() }
    }

    /// The same with nested blocks.
    #[must_use]
    pub fn with_blocks<K: Into<Str>>(mut self, blocks: impl IntoIterator<Item = (K, NestedBlock)>) -> Self {
        self.blocks = blocks.into_iter().map(|(name, block)| (name.into(), block)).collect();
        self.blocks.sort_by(|a, b| a.0.cmp(&b.0));
        self
    }

    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        let at = self.attributes.binary_search_by(|(key, _)| key.as_str().cmp(name)).ok()?;
        Some(&self.attributes[at].1)
    }

    /// A nested block.
    pub fn nested(&self, name: &str) -> Option<&NestedBlock> {
        let at = self.blocks.binary_search_by(|(key, _)| key.as_str().cmp(name)).ok()?;
        Some(&self.blocks[at].1)
    }

    /// The type of the object a body becomes: every attribute and nested block, null where nothing was written.
    pub fn ty(&self) -> Type {
        let make = || {
            let attributes = self.attributes.iter().map(|(name, attr)| (name.clone(), attr.ty.clone()));
            let blocks = self.blocks.iter().map(|(name, nested)| (name.clone(), nested.ty()));
            let all = attributes.chain(blocks).map(|(name, ty)| (name, AttrType { ty, optional: false }));
            Type::Object(std::sync::Arc::new(ObjectType::new(all)))
        };
        self.ty.get_or_init(make).clone()
    }
}

impl Schema {
    /// A schema of version 0.
    pub fn new(block: Block) -> Self {
        Schema { version: 0, block }
    }

    /// The type of its objects.
    pub fn ty(&self) -> Type {
        self.block.ty()
    }
}
