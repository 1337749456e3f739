//! Defaults of optional attributes.

use std::collections::BTreeMap;

use crate::value::{Entries, Str, Value};

/// Defaults inside a type constraint, wherever it has `optional(…, default)`. The empty one changes nothing.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Defaults {
    /// Of the attributes of an object: the default, already of the attribute's type.
    pub(super) attributes: BTreeMap<Str, Value>,
    /// Of what lies inside the attributes of an object.
    pub(super) inside: BTreeMap<Str, Defaults>,
    /// Of the elements of a tuple, in order.
    pub(super) items: Vec<Defaults>,
    /// Of the elements of a list, set or map.
    pub(super) element: Option<Box<Defaults>>,
}

impl Defaults {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty() && self.inside.is_empty() && self.items.is_empty() && self.element.is_none()
    }

    /// The value with defaults where it leaves an attribute out or has null in it. To be converted to the type afterwards.
    #[must_use]
    pub fn apply(&self, value: &Value) -> Value {
        if self.is_empty() {
            return value.clone();
        }
        let (bare, marks) = (value.bare(), value.marks());
        let result = match bare {
            Value::Object(entries) => Value::Object(self.entries(entries)),
            Value::Map(mapping) if self.element.is_some() || self.is_object() => {
                Value::Object(self.entries(&mapping.entries))
            }
            Value::List(_) | Value::Set(_) | Value::Tuple(_) => {
                let items = bare.as_items().unwrap_or_default().iter().enumerate();
                // Elements may come to differ in type until they are converted.
                Value::tuple(items.map(|(at, item)| self.item(at, item)).collect::<Vec<_>>())
            }
            other => other.clone(),
        };
        result.mark(marks)
    }

    fn is_object(&self) -> bool {
        !self.attributes.is_empty() || !self.inside.is_empty()
    }

    fn item(&self, at: usize, item: &Value) -> Value {
        let defaults = self.element.as_deref().or_else(|| self.items.get(at));
        defaults.map_or_else(|| item.clone(), |defaults| defaults.apply(item))
    }

    fn entries(&self, entries: &Entries) -> Entries {
        if let Some(element) = &self.element {
            return entries.map_values(|_, item| element.apply(item));
        }
        let inside =
            |name: &Str, value: &Value| self.inside.get(name).map_or_else(|| value.clone(), |inner| inner.apply(value));
        let given = entries.iter().filter(|(name, value)| !(value.is_null() && self.attributes.contains_key(name)));
        let left_out = self.attributes.iter().filter(|(name, _)| entries.get(name).is_none_or(Value::is_null));
        given
            .map(|(name, value)| (name.clone(), inside(name, value)))
            .chain(left_out.map(|(name, value)| (name.clone(), inside(name, value))))
            .collect()
    }
}
