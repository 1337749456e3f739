//! From two values to the tree of their differences.

use std::collections::BTreeSet;

use crate::change::Action;
use crate::value::{Entries, Marks, Path, Step, Str, Type, Value, from_json};

use super::sequence::{Pairing, pair};
use super::{Diff, Kind, Notation, SensitiveNote, overall};

/// What a comparison needs to know beside the values.
pub(in crate::view) struct Compare<'a> {
    /// Attributes whose change needs a new object.
    pub replace: &'a [Path],
    /// Whether the values are of one kind from the start, so that becoming sensitive is worth no note.
    pub quiet: bool,
}

/// The difference of two values of a declared type, either of which may be absent. In content of a declared type null
/// and absent are one; in content of open type (`Any`) null is a value.
pub(in crate::view) fn value(
    before: Option<&Value>,
    after: Option<&Value>,
    ty: &Type,
    path: &mut Path,
    compare: &Compare<'_>,
) -> Diff {
    let present = |value: Option<&'_ Value>| value.is_some_and(|value| !value.is_null());
    let (has_before, has_after) = (present(before), present(after));
    let open = matches!(ty, Type::Any);
    let mut diff = if open {
        open_value(before.filter(|_| has_before), after.filter(|_| has_after), compare)
    } else {
        typed(before.filter(|_| has_before), after.filter(|_| has_after), ty, path, compare)
    };
    let leaf = matches!(diff.kind, Kind::Unknown { .. } | Kind::Sensitive { .. });
    if diff.action != Action::NoOp && (!open || leaf) {
        diff.replace = compare.replace.contains(path);
    }
    diff
}

/// Sensitive and unknown values, which look alike in both kinds of content.
fn covered(
    before: Option<&Value>,
    after: Option<&Value>,
    compare: &Compare<'_>,
    shown: impl Fn(&Value) -> Diff,
) -> Option<Diff> {
    let hidden = |value: Option<&Value>| value.is_some_and(|value| value.marks().contains(Marks::SENSITIVE));
    let presence = || match (before, after) {
        (None, _) => Action::Create,
        (_, None) => Action::Delete,
        _ => Action::Update,
    };
    if hidden(before) || hidden(after) {
        let same = before.map(Value::bare) == after.map(Value::bare);
        let note = match (before, after) {
            (Some(_), Some(_)) if compare.quiet => None,
            (Some(_), Some(_)) if !hidden(before) => Some(SensitiveNote::Becomes { same }),
            (Some(_), Some(_)) if !hidden(after) => Some(SensitiveNote::Ends { same }),
            _ => None,
        };
        let action = if same && note.is_none() { Action::NoOp } else { presence() };
        let unknown = after.is_some_and(|value| !value.is_known());
        return Some(Diff::new(action, Kind::Sensitive { unknown, note }));
    }
    if after.is_some_and(|value| !value.is_known()) {
        let before = before.map(|before| Box::new(shown(before)));
        return Some(Diff::new(presence(), Kind::Unknown { before }));
    }
    None
}

fn typed(before: Option<&Value>, after: Option<&Value>, ty: &Type, path: &mut Path, compare: &Compare<'_>) -> Diff {
    let removed =
        |value: &Value| typed(Some(value), None, ty, &mut path.clone(), &Compare { replace: &[], ..*compare });
    if let Some(diff) = covered(before, after, compare, removed) {
        return diff;
    }
    let whole = before.or(after);
    match ty {
        Type::List(element) => {
            let items = |side: Option<&Value>| side.and_then(Value::as_items).unwrap_or_default().to_vec();
            let (old, new) = (items(before), items(after));
            let items: Vec<Diff> = pair(&old, &new)
                .into_iter()
                .map(|pairing| {
                    let (old, new, at) = sides(pairing, &old, &new);
                    path.inside(Step::Index(at), |path| element_diff(old, new, element, path, compare))
                })
                .collect();
            let action = overall(items.iter().map(|item| item.action), before.is_some(), after.is_some());
            Diff::new(action, Kind::Items { items, set: false })
        }
        Type::Set(element) => {
            let items = |side: Option<&Value>| side.and_then(Value::as_items).unwrap_or_default().to_vec();
            let (old, new) = (items(before), items(after));
            let items = set_items(&old, &new, |old, new| element_diff(old, new, element, path, compare));
            let action = overall(items.iter().map(|item| item.action), before.is_some(), after.is_some());
            Diff::new(action, Kind::Items { items, set: true })
        }
        Type::Map(element) => {
            let entries = union(before, after)
                .into_iter()
                .map(|name| {
                    let (old, new) = (part(before, &name), part(after, &name));
                    let step = Step::Key(name.clone());
                    let diff = path.inside(step, |path| element_diff(old, new, element, path, compare));
                    (name, diff)
                })
                .collect::<Vec<_>>();
            let action = overall(entries.iter().map(|(_, diff)| diff.action), before.is_some(), after.is_some());
            Diff::new(action, Kind::Entries { entries, notation: Notation::Map })
        }
        Type::Object(attributes) => {
            let entries = attributes
                .iter()
                .filter_map(|(name, attribute)| {
                    let (old, new) = (part(before, name), part(after, name));
                    let absent = |side: Option<&Value>| side.is_none_or(Value::is_null);
                    if absent(old) && absent(new) {
                        return None;
                    }
                    let step = Step::Attribute(name.clone());
                    let diff = path.inside(step, |path| value(old, new, &attribute.ty, path, compare));
                    Some((name.clone(), diff))
                })
                .collect::<Vec<_>>();
            let action = overall(entries.iter().map(|(_, diff)| diff.action), before.is_some(), after.is_some());
            Diff::new(action, Kind::Entries { entries, notation: Notation::Object })
        }
        Type::String => texts(before, after, compare),
        Type::Bool | Type::Number => scalar(before, after),
        // A tuple type is declared nowhere; open content has it.
        Type::Tuple(_) | Type::Any => match whole {
            Some(_) => open_value(before, after, compare),
            None => scalar(None, None),
        },
    }
}

/// An element of a list, set or map: null is a value there.
fn element_diff(
    before: Option<&Value>,
    after: Option<&Value>,
    ty: &Type,
    path: &mut Path,
    compare: &Compare<'_>,
) -> Diff {
    if before.is_some_and(Value::is_null) || after.is_some_and(Value::is_null) {
        return open_value(before, after, compare);
    }
    value(before, after, ty, path, compare)
}

/// The difference of content of open type: what its values are decides, and null is a value.
fn open_value(before: Option<&Value>, after: Option<&Value>, compare: &Compare<'_>) -> Diff {
    let removed = |value: &Value| open_value(Some(value), None, compare);
    if let Some(diff) = covered(before, after, compare, removed) {
        return diff;
    }
    let (before, after) = (before.map(Value::bare), after.map(Value::bare));
    if let (Some(old), Some(new)) = (before, after)
        && shape(old) != shape(new)
    {
        let (before, after) = (open_value(Some(old), None, compare), open_value(None, Some(new), compare));
        return Diff::new(Action::Update, Kind::Replaced { before: before.into(), after: after.into() });
    }
    match before.or(after).map(shape) {
        Some(Shape::Items) => {
            let items = |side: Option<&'_ Value>| side.and_then(Value::as_items).unwrap_or_default().to_vec();
            let (old, new) = (items(before), items(after));
            let items: Vec<Diff> = pair(&old, &new)
                .into_iter()
                .map(|pairing| {
                    let (old, new, _) = sides(pairing, &old, &new);
                    open_value(old, new, compare)
                })
                .collect();
            let action = overall(items.iter().map(|item| item.action), before.is_some(), after.is_some());
            Diff::new(action, Kind::Items { items, set: false })
        }
        Some(Shape::Entries) => {
            let entries = union(before, after)
                .into_iter()
                .map(|name| {
                    let diff = open_value(part(before, &name), part(after, &name), compare);
                    (name, diff)
                })
                .collect::<Vec<_>>();
            let action = overall(entries.iter().map(|(_, diff)| diff.action), before.is_some(), after.is_some());
            Diff::new(action, Kind::Entries { entries, notation: Notation::Open })
        }
        Some(Shape::Scalar) | None => match (before, after) {
            (Some(Value::String(_)) | None, Some(Value::String(_)) | None) => texts(before, after, compare),
            _ => scalar(before, after),
        },
    }
}

#[derive(PartialEq, Eq)]
enum Shape {
    Scalar,
    Items,
    Entries,
}

fn shape(value: &Value) -> Shape {
    match value {
        Value::List(_) | Value::Set(_) | Value::Tuple(_) => Shape::Items,
        Value::Map(_) | Value::Object(_) => Shape::Entries,
        Value::Marked(marked) => shape(&marked.value),
        Value::Null(_) | Value::Unknown(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => Shape::Scalar,
    }
}

fn scalar(before: Option<&Value>, after: Option<&Value>) -> Diff {
    let (before, after) = (before.map(Value::bare), after.map(Value::bare));
    let action = overall([changed(before, after)].into_iter(), before.is_some(), after.is_some());
    Diff::new(action, Kind::Scalar { before: before.cloned(), after: after.cloned() })
}

fn changed(before: Option<&Value>, after: Option<&Value>) -> Action {
    if before == after { Action::NoOp } else { Action::Update }
}

/// Two texts: JSON and several lines are compared by their parts.
fn texts(before: Option<&Value>, after: Option<&Value>, compare: &Compare<'_>) -> Diff {
    let (old, new) = (before.and_then(text), after.and_then(text));
    if old.is_none() && new.is_none() {
        return scalar(before, after);
    }
    match (old.map(json), new.map(json)) {
        (Some(Some(old_json)), Some(Some(new_json))) => {
            let inner = Box::new(open_value(Some(&old_json), Some(&new_json), compare));
            let layout = inner.action == Action::NoOp && old != new;
            let action = if layout { Action::Update } else { inner.action };
            return Diff::new(action, Kind::Json { inner, layout });
        }
        (Some(Some(json)), None) => {
            let inner = Box::new(open_value(Some(&json), None, compare));
            return Diff::new(Action::Delete, Kind::Json { inner, layout: false });
        }
        (None, Some(Some(json))) => {
            let inner = Box::new(open_value(None, Some(&json), compare));
            return Diff::new(Action::Create, Kind::Json { inner, layout: false });
        }
        (Some(Some(_)), Some(None)) | (Some(None), Some(Some(_))) => {
            let (before, after) = (texts(before, None, compare), texts(None, after, compare));
            return Diff::new(Action::Update, Kind::Replaced { before: before.into(), after: after.into() });
        }
        (Some(None) | None, Some(None) | None) => {}
    }
    if [old, new].into_iter().flatten().any(|text| text.contains('\n')) {
        let action = overall([changed(before, after)].into_iter(), before.is_some(), after.is_some());
        return Diff::new(action, Kind::Lines { before: old.cloned(), after: new.cloned() });
    }
    scalar(before, after)
}

fn text(value: &Value) -> Option<&Str> {
    match value.bare() {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// The JSON object or array that a text holds.
fn json(text: &Str) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    from_json(text.as_bytes()).ok()
}

fn part<'a>(whole: Option<&'a Value>, name: &str) -> Option<&'a Value> {
    whole.and_then(|whole| whole.get(name))
}

fn union(before: Option<&Value>, after: Option<&Value>) -> BTreeSet<Str> {
    let sides = [before, after].into_iter().flatten().filter_map(Value::as_entries);
    sides.flat_map(Entries::keys).cloned().collect()
}

fn sides<'a>(
    pairing: Pairing,
    before: &'a [Value],
    after: &'a [Value],
) -> (Option<&'a Value>, Option<&'a Value>, usize) {
    match pairing {
        Pairing::Both(old, new) => (before.get(old), after.get(new), new),
        Pairing::Before(old) => (before.get(old), None, old),
        Pairing::After(new) => (None, after.get(new), new),
    }
}

/// The elements of a set: what leaves and stays in old order, then what comes.
pub(super) fn set_items<T>(
    before: &[Value],
    after: &[Value],
    mut diff: impl FnMut(Option<&Value>, Option<&Value>) -> T,
) -> Vec<T> {
    let stays: BTreeSet<&Value> = after.iter().collect();
    let was: BTreeSet<&Value> = before.iter().collect();
    let mut items = Vec::with_capacity(before.len().max(after.len()));
    for old in before {
        items.push(diff(Some(old), stays.contains(old).then_some(old)));
    }
    for new in after.iter().filter(|new| !was.contains(new)) {
        items.push(diff(None, Some(new)));
    }
    items
}
