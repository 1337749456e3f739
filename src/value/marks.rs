//! Marks: sensitive and ephemeral values, which stay marked through every operation.

use std::fmt;
use std::ops::BitOr;
use std::sync::Arc;

use super::{Entries, Mapping, Path, Sequence, Step, Type, Value};

/// A set of marks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Marks(u8);

impl Marks {
    /// No mark.
    pub const NONE: Marks = Marks(0);
    /// Not to be shown.
    pub const SENSITIVE: Marks = Marks(1);
    /// Not to be stored in plan or state.
    pub const EPHEMERAL: Marks = Marks(2);

    /// Whether there is no mark.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether all of `other` are in it.
    pub fn contains(self, other: Marks) -> bool {
        self.0 & other.0 == other.0
    }

    /// These marks without `other`.
    #[must_use]
    pub fn without(self, other: Marks) -> Marks {
        Marks(self.0 & !other.0)
    }
}

impl BitOr for Marks {
    type Output = Marks;
    fn bitor(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }
}

/// A marked value. The inner value is not marked itself, though its parts may be.
#[derive(Clone)]
pub struct Marked {
    /// The value.
    pub value: Value,
    /// Its marks, at least one.
    pub marks: Marks,
}

impl fmt::Debug for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.marks.contains(Marks::SENSITIVE) {
            f.write_str("(sensitive)")
        } else {
            write!(f, "(ephemeral {:?})", self.value)
        }
    }
}

impl Value {
    /// The value with these marks added.
    #[must_use]
    pub fn mark(self, marks: Marks) -> Value {
        if marks.is_none() {
            return self;
        }
        match self {
            Value::Marked(marked) if marked.marks.contains(marks) => Value::Marked(marked),
            Value::Marked(marked) => {
                Value::Marked(Arc::new(Marked { value: marked.value.clone(), marks: marked.marks | marks }))
            }
            value => Value::Marked(Arc::new(Marked { value, marks })),
        }
    }

    /// The value marked sensitive.
    #[must_use]
    pub fn sensitive(self) -> Value {
        self.mark(Marks::SENSITIVE)
    }

    /// The marks on its outside.
    pub fn marks(&self) -> Marks {
        match self {
            Value::Marked(marked) => marked.marks,
            _ => Marks::NONE,
        }
    }

    /// The marks on its outside and on any part of it.
    pub fn marks_deep(&self) -> Marks {
        let fold =
            |items: &mut dyn Iterator<Item = &Value>| items.fold(Marks::NONE, |marks, item| marks | item.marks_deep());
        match self {
            Value::Marked(marked) => marked.marks | marked.value.marks_deep(),
            Value::List(sequence) => fold(&mut sequence.items.iter()),
            Value::Tuple(items) => fold(&mut items.iter()),
            Value::Map(mapping) => fold(&mut mapping.entries.values()),
            Value::Object(entries) => fold(&mut entries.values()),
            // Elements of sets carry no marks.
            Value::Set(_)
            | Value::Null(_)
            | Value::Unknown(_)
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_) => Marks::NONE,
        }
    }

    /// The value without the marks on its outside, and these marks.
    pub fn unmark(self) -> (Value, Marks) {
        match self {
            Value::Marked(marked) => (marked.value.clone(), marked.marks),
            value => (value, Marks::NONE),
        }
    }

    /// The value with every part that bears `marks`, outermost first, replaced by what `with` makes of that part. `with` gets
    /// the part without its outer marks, and those.
    #[must_use]
    pub fn replace_marked(&self, marks: Marks, with: &dyn Fn(&Value, Marks) -> Value) -> Value {
        let each = |part: &Value| part.replace_marked(marks, with);
        match self {
            Value::Marked(marked) if marked.marks.contains(marks) => with(&marked.value, marked.marks),
            Value::Marked(marked) => each(&marked.value).mark(marked.marks),
            Value::List(list) => Value::list(list.element.clone(), list.items.iter().map(each).collect()),
            Value::Tuple(items) => Value::tuple(items.iter().map(each).collect::<Vec<_>>()),
            Value::Map(map) => Value::map(map.element.clone(), map.entries.map_values(|_, value| each(value))),
            Value::Object(entries) => Value::Object(entries.map_values(|_, value| each(value))),
            // Elements of sets carry no marks.
            Value::Set(_)
            | Value::Null(_)
            | Value::Unknown(_)
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_) => self.clone(),
        }
    }

    /// The value without any marks in it, and all of them together.
    pub fn unmark_deep(self) -> (Value, Marks) {
        let marks = self.marks_deep();
        if marks.is_none() { (self, marks) } else { (self.rebuild_unmarked(&mut |_, _| {}, &mut Path::root()), marks) }
    }

    /// The value without any marks in it, and where each mark was.
    pub fn unmark_paths(self) -> (Value, Vec<(Path, Marks)>) {
        if self.marks_deep().is_none() {
            return (self, Vec::new());
        }
        let mut found = Vec::new();
        let value = self.rebuild_unmarked(&mut |path, marks| found.push((path.clone(), marks)), &mut Path::root());
        (value, found)
    }

    /// The value with marks put on the parts at these paths. Paths that lead nowhere are passed over; a path into a
    /// null or unknown value marks that value.
    #[must_use]
    pub fn mark_paths(self, paths: &[(Path, Marks)]) -> Value {
        paths.iter().fold(self, |value, (path, marks)| value.mark_at(path.steps(), *marks))
    }

    fn mark_at(self, steps: &[Step], marks: Marks) -> Value {
        let Some((step, rest)) = steps.split_first() else { return self.mark(marks) };
        let (value, own) = self.unmark();
        let entries = |entries: &Entries, key: &str| match entries.get(key) {
            Some(part) => entries.clone().with(key, part.clone().mark_at(rest, marks)),
            None => entries.clone(),
        };
        let marked = match (&value, step) {
            (Value::Object(object), Step::Attribute(name) | Step::Key(name)) => Value::Object(entries(object, name)),
            (Value::Map(mapping), Step::Attribute(name) | Step::Key(name)) => {
                Value::map(mapping.element.clone(), entries(&mapping.entries, name))
            }
            (Value::List(sequence), Step::Index(index)) => {
                let mut items = sequence.items.clone();
                if let Some(item) = items.get_mut(*index) {
                    *item = std::mem::take(item).mark_at(rest, marks);
                }
                Value::list(sequence.element.clone(), items)
            }
            (Value::Tuple(tuple), Step::Index(index)) => {
                let mut items = tuple.to_vec();
                if let Some(item) = items.get_mut(*index) {
                    *item = std::mem::take(item).mark_at(rest, marks);
                }
                Value::tuple(items)
            }
            // Sets cannot hold marked elements; null and unknown have no parts.
            (Value::Set(_) | Value::Null(_) | Value::Unknown(_), _) => value.mark(marks),
            _ => value,
        };
        marked.mark(own)
    }

    fn rebuild_unmarked(self, found: &mut dyn FnMut(&Path, Marks), path: &mut Path) -> Value {
        match self {
            Value::Marked(marked) => {
                found(path, marked.marks);
                marked.value.clone().rebuild_unmarked(found, path)
            }
            Value::List(sequence) => {
                let items = unmark_items(&sequence.items, found, path);
                Value::List(Arc::new(Sequence { element: sequence.element.clone(), items }))
            }
            Value::Tuple(items) => Value::tuple(unmark_items(&items, found, path)),
            Value::Map(mapping) => {
                let entries = mapping.entries.map_values(|key, value| {
                    path.inside(Step::Key(key.clone()), |path| value.clone().rebuild_unmarked(found, path))
                });
                Value::Map(Arc::new(Mapping { element: mapping.element.clone(), entries }))
            }
            Value::Object(entries) => Value::Object(entries.map_values(|key, value| {
                path.inside(Step::Attribute(key.clone()), |path| value.clone().rebuild_unmarked(found, path))
            })),
            value => value,
        }
    }
}

fn unmark_items(items: &[Value], found: &mut dyn FnMut(&Path, Marks), path: &mut Path) -> Vec<Value> {
    let each = |(index, item): (usize, &Value)| {
        path.inside(Step::Index(index), |path| item.clone().rebuild_unmarked(found, path))
    };
    items.iter().enumerate().map(each).collect()
}

/// The unknown value of a type under the given marks.
impl Value {
    /// An unknown value of a type with marks.
    pub fn unknown_marked(ty: Type, marks: Marks) -> Value {
        Value::unknown(ty).mark(marks)
    }
}
