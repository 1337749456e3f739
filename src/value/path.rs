//! Paths to parts of a value: `spec[0].template.labels["app"]`.

use std::fmt;

use super::{Str, Value};

/// One step into a value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Step {
    /// An attribute of an object.
    Attribute(Str),
    /// An element of a map.
    Key(Str),
    /// An element of a list or tuple.
    Index(usize),
}

/// Steps from the whole value to a part.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Path(Vec<Step>);

impl Path {
    /// The whole value.
    pub fn root() -> Self {
        Path::default()
    }

    /// An attribute of the whole value.
    pub fn attribute(name: impl Into<Str>) -> Self {
        Path(vec![Step::Attribute(name.into())])
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// This path and one step more.
    #[must_use]
    pub fn child(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Path(steps)
    }

    /// Calls `f` with the path one step longer; afterwards the path is as before.
    pub fn inside<T>(&mut self, step: Step, f: impl FnOnce(&mut Path) -> T) -> T {
        self.0.push(step);
        let result = f(self);
        self.0.pop();
        result
    }

    /// Whether the part at `other` is this part or lies inside it.
    pub fn covers(&self, other: &Path) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The part of a value, marks of what lies around it aside. `None` where the path leads nowhere.
    pub fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Attribute(name) | Step::Key(name) => value.get(name),
            Step::Index(index) => value.as_items()?.get(*index),
        })
    }
}

impl FromIterator<Step> for Path {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Path(steps.into_iter().collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) => write!(f, "{}{name}", if index == 0 { "" } else { "." })?,
                Step::Key(key) => write!(f, "[{:?}]", key.as_str())?,
                Step::Index(at) => write!(f, "[{at}]")?,
            }
        }
        Ok(())
    }
}
