//! Differences of whole objects, by the schema that tells attributes from nested blocks.

use crate::change::Action;
use crate::schema::{self, Nesting};
use crate::value::{Path, Step, Str, Type, Value};

use super::compute::{Compare, set_items, value};
use super::sequence::{Pairing, pair};
use super::{Diff, overall};

/// How the content of a block differs.
#[derive(Clone, Debug)]
pub(in crate::view) struct BlockDiff {
    /// What happens to the block.
    pub action: Action,
    /// Whether this very block needs a new object.
    pub replace: bool,
    /// Attributes that are there on either side, sorted by name.
    pub attributes: Vec<(Str, Diff)>,
    /// Nested blocks by type, in drawing order.
    pub blocks: Vec<(Str, Vec<Nested>)>,
}

/// One nested block.
#[derive(Clone, Debug)]
pub(in crate::view) enum Nested {
    /// A block and its label.
    Known { label: Option<Str>, diff: BlockDiff },
    /// How many blocks there will be and what is in them, only the apply will tell.
    Unknown { action: Action, replace: bool },
    /// Blocks that must not be shown.
    Sensitive { action: Action, replace: bool },
}

impl Nested {
    pub(super) fn action(&self) -> Action {
        match self {
            Nested::Known { diff, .. } => diff.action,
            Nested::Unknown { action, .. } | Nested::Sensitive { action, .. } => *action,
        }
    }
}

/// The difference of two objects. Without a schema all parts are taken as attributes of open type.
pub(in crate::view) fn block(
    before: Option<&Value>,
    after: Option<&Value>,
    schema: Option<&schema::Block>,
    path: &mut Path,
    compare: &Compare<'_>,
) -> BlockDiff {
    let before = before.filter(|value| !value.is_null());
    let after = after.filter(|value| !value.is_null());
    let part = |side: Option<&Value>, name: &str| {
        side.and_then(|value| value.get(name)).filter(|part| !part.is_null()).cloned()
    };
    let mut attributes = Vec::new();
    let mut blocks = Vec::new();
    let mut attribute = |name: &Str, ty: &Type, sensitive: bool| {
        let (mut old, mut new) = (part(before, name), part(after, name));
        if old.is_none() && new.is_none() {
            return;
        }
        if sensitive {
            (old, new) = (old.map(Value::sensitive), new.map(Value::sensitive));
        }
        let step = Step::Attribute(name.clone());
        let diff = path.inside(step, |path| value(old.as_ref(), new.as_ref(), ty, path, compare));
        attributes.push((name.clone(), diff));
    };
    match schema {
        Some(schema) => {
            for (name, declared) in &schema.attributes {
                attribute(name, &declared.ty, declared.sensitive);
            }
            for (name, nested) in &schema.blocks {
                let (old, new) = (part(before, name), part(after, name));
                let step = Step::Attribute(name.clone());
                let found = path.inside(step, |path| nested_blocks(old.as_ref(), new.as_ref(), nested, path, compare));
                if !found.is_empty() {
                    blocks.push((name.clone(), found));
                }
            }
        }
        None => {
            let sides = [before, after].into_iter().flatten().filter_map(Value::as_entries);
            let names: std::collections::BTreeSet<Str> = sides.flat_map(|entries| entries.keys().cloned()).collect();
            for name in &names {
                attribute(name, &Type::Any, false);
            }
        }
    }
    let parts = attributes.iter().map(|(_, diff)| diff.action);
    let nested = blocks.iter().flat_map(|(_, all): &(Str, Vec<Nested>)| all.iter().map(Nested::action));
    let action = overall(parts.chain(nested), before.is_some(), after.is_some());
    let replace = action != Action::NoOp && !path.steps().is_empty() && compare.replace.contains(path);
    BlockDiff { action, replace, attributes, blocks }
}

fn nested_blocks(
    before: Option<&Value>,
    after: Option<&Value>,
    nested: &schema::NestedBlock,
    path: &mut Path,
    compare: &Compare<'_>,
) -> Vec<Nested> {
    let presence = match (before, after) {
        (None, None) => return Vec::new(),
        (None, Some(_)) => Action::Create,
        (Some(_), None) => Action::Delete,
        (Some(_), Some(_)) => Action::Update,
    };
    let replace = compare.replace.contains(path);
    let sensitive =
        |side: Option<&Value>| side.is_some_and(|side| side.marks().contains(crate::value::Marks::SENSITIVE));
    if sensitive(before) || sensitive(after) {
        let action = if before.map(Value::bare) == after.map(Value::bare) { Action::NoOp } else { presence };
        return vec![Nested::Sensitive { action, replace }];
    }
    if after.is_some_and(|after| !after.is_known()) {
        return vec![Nested::Unknown { action: presence, replace }];
    }
    let one = |old: Option<&Value>, new: Option<&Value>, label: Option<Str>, path: &mut Path| Nested::Known {
        label,
        diff: block(old, new, Some(&nested.block), path, compare),
    };
    let items = |side: Option<&Value>| side.and_then(Value::as_items).unwrap_or_default().to_vec();
    match nested.nesting {
        Nesting::Single | Nesting::Group => vec![one(before, after, None, path)],
        Nesting::List => {
            let (old, new) = (items(before), items(after));
            let pairs = pair(&old, &new).into_iter();
            pairs
                .map(|pairing| match pairing {
                    Pairing::Both(was, is) => {
                        path.inside(Step::Index(is), |path| one(old.get(was), new.get(is), None, path))
                    }
                    Pairing::Before(was) => path.inside(Step::Index(was), |path| one(old.get(was), None, None, path)),
                    Pairing::After(is) => path.inside(Step::Index(is), |path| one(None, new.get(is), None, path)),
                })
                .collect()
        }
        Nesting::Set => {
            let (old, new) = (items(before), items(after));
            set_items(&old, &new, |old, new| one(old, new, None, path))
        }
        Nesting::Map => {
            let sides = [before, after].into_iter().flatten().filter_map(Value::as_entries);
            let names: std::collections::BTreeSet<Str> = sides.flat_map(|entries| entries.keys().cloned()).collect();
            names
                .into_iter()
                .map(|name| {
                    let (old, new) = (before.and_then(|side| side.get(&name)), after.and_then(|side| side.get(&name)));
                    path.inside(Step::Key(name.clone()), |path| one(old, new, Some(name.clone()), path))
                })
                .collect()
        }
    }
}
