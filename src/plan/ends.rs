//! Addresses as `moved` and `removed` blocks name them: of one object, of all copies of a resource, or of a module with all
//! that is in it, seen from any copy of the module that the block stands in.

use std::fmt;

use crate::addr::{InstanceAddr, InstanceKey, LayerName, ModuleStep, Name, Pattern, ResourceAddr};

/// A key in an address: a certain one (or certainly none), or whichever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyIs {
    /// Whichever.
    Any,
    /// A certain one, or certainly none.
    This(Option<InstanceKey>),
}

impl KeyIs {
    fn fits(&self, key: Option<&InstanceKey>) -> bool {
        match self {
            KeyIs::Any => true,
            KeyIs::This(this) => this.as_ref() == key,
        }
    }

    fn meets(&self, other: &KeyIs) -> bool {
        match (self, other) {
            (KeyIs::This(one), KeyIs::This(other)) => one == other,
            (KeyIs::Any, _) | (_, KeyIs::Any) => true,
        }
    }
}

/// One side of a move: a module or a resource, all of its copies or one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// The layer.
    pub layer: LayerName,
    /// The calls that lead to the module.
    pub steps: Vec<(Name, KeyIs)>,
    /// The resource, and which of its copies; `None` is the module with all that is in it.
    pub resource: Option<(ResourceAddr, KeyIs)>,
}

impl End {
    /// `path` is the module that the block stands in; `whole` says that every copy is meant, with its key.
    pub fn new(layer: &LayerName, path: &[Name], pattern: &Pattern, whole: bool) -> End {
        let mut steps: Vec<(Name, KeyIs)> = path.iter().map(|name| (name.clone(), KeyIs::Any)).collect();
        let own = pattern.module.steps();
        for (index, step) in own.iter().enumerate() {
            let last = pattern.resource.is_none() && index + 1 == own.len();
            let key = if whole && last { KeyIs::Any } else { KeyIs::This(step.key.clone()) };
            steps.push((step.name.clone(), key));
        }
        let key = || if whole { KeyIs::Any } else { KeyIs::This(pattern.key.clone()) };
        let resource = pattern.resource.as_ref().map(|resource| (resource.clone(), key()));
        End { layer: pattern.layer.clone().unwrap_or_else(|| layer.clone()), steps, resource }
    }

    /// The keys at the places where any fits, when the address is this one or inside of it.
    pub fn keys_in(&self, addr: &InstanceAddr) -> Option<Vec<Option<InstanceKey>>> {
        let steps = addr.module.steps();
        if self.layer != addr.layer || steps.len() < self.steps.len() {
            return None;
        }
        let mut keys = Vec::new();
        for ((name, wanted), step) in self.steps.iter().zip(steps) {
            if *name != step.name || !wanted.fits(step.key.as_ref()) {
                return None;
            }
            if *wanted == KeyIs::Any {
                keys.push(step.key.clone());
            }
        }
        if let Some((resource, wanted)) = &self.resource {
            if steps.len() != self.steps.len() || *resource != addr.resource || !wanted.fits(addr.key.as_ref()) {
                return None;
            }
            if *wanted == KeyIs::Any {
                keys.push(addr.key.clone());
            }
        }
        Some(keys)
    }

    /// Whether the address is this one or inside of it.
    pub fn covers(&self, addr: &InstanceAddr) -> bool {
        self.keys_in(addr).is_some()
    }

    /// Where an address at (or in) `from` is when that is this end.
    pub fn put(&self, from: &End, addr: &InstanceAddr, keys: Vec<Option<InstanceKey>>) -> InstanceAddr {
        let mut keys = keys.into_iter();
        let mut key = |is: &KeyIs| match is {
            KeyIs::Any => keys.next().flatten(),
            KeyIs::This(key) => key.clone(),
        };
        let mut steps: Vec<ModuleStep> =
            self.steps.iter().map(|(name, is)| ModuleStep { name: name.clone(), key: key(is) }).collect();
        let (resource, key) = match &self.resource {
            Some((resource, is)) => (resource.clone(), key(is)),
            None => {
                steps.extend(addr.module.steps()[from.steps.len()..].iter().cloned());
                (addr.resource.clone(), addr.key.clone())
            }
        };
        InstanceAddr { layer: self.layer.clone(), module: steps.into_iter().collect(), resource, key }
    }

    /// Whether something at this end may stand in, or at, the other one.
    pub fn is_in(&self, outer: &End) -> bool {
        let steps = self.steps.len() >= outer.steps.len()
            && self.layer == outer.layer
            && self.steps.iter().zip(&outer.steps).all(|(own, other)| own.0 == other.0 && own.1.meets(&other.1));
        match (&self.resource, &outer.resource) {
            (_, None) => steps,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => {
                steps && self.steps.len() == outer.steps.len() && own.0 == other.0 && own.1.meets(&other.1)
            }
        }
    }

    /// Whether one of the two may be in the other.
    pub fn meets(&self, other: &End) -> bool {
        self.is_in(other) || other.is_in(self)
    }

    /// Whether both may mean the same objects, neither more than the other.
    pub fn is_same_place(&self, other: &End) -> bool {
        self.is_in(other) && other.is_in(self)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = |is: &KeyIs| match is {
            KeyIs::This(Some(key)) => key.to_string(),
            KeyIs::Any | KeyIs::This(None) => String::new(),
        };
        let steps = self.steps.iter().map(|(name, is)| format!("module.{name}{}", key(is)));
        let resource = self.resource.iter().map(|(resource, is)| format!("{resource}{}", key(is)));
        f.write_str(&steps.chain(resource).collect::<Vec<_>>().join("."))
    }
}
