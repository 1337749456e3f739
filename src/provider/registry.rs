//! Resolves providers on demand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::addr::{ProviderConfigAddr, ProviderSource};

use super::Provider;

/// Where providers come from: the native ones, installed plugins.
pub trait ProviderFactory: Send + Sync {
    /// The provider at a source address, or `None` when this factory has none of that name.
    fn provider(&self, source: &ProviderSource) -> Option<Arc<dyn Provider>>;

    /// The names it can resolve, for suggestions.
    fn names(&self) -> Vec<String>;
}

/// Puts another provider in the place of one, for one of its configurations.
pub type StandIns = Box<dyn Fn(&ProviderConfigAddr, Arc<dyn Provider>) -> Arc<dyn Provider> + Send + Sync>;

/// Resolves providers from the factories it was made of, each at most once.
pub struct Registry {
    stand_ins: Option<StandIns>,
    factories: Vec<Box<dyn ProviderFactory>>,
    resolved: Mutex<HashMap<ProviderSource, Option<Arc<dyn Provider>>>>,
}

impl Registry {
    /// A registry that asks the factories in this order.
    pub fn new(factories: Vec<Box<dyn ProviderFactory>>) -> Self {
        Registry { stand_ins: None, factories, resolved: Mutex::default() }
    }

    /// The same with others in the place of some providers: tests mock them so.
    #[must_use]
    pub fn with_stand_ins(mut self, stand_ins: StandIns) -> Self {
        self.stand_ins = Some(stand_ins);
        self
    }

    /// The provider of a configuration: the one at its source address, or what stands in for it.
    pub fn configuration(&self, addr: &ProviderConfigAddr) -> Option<Arc<dyn Provider>> {
        let found = self.provider(&addr.source)?;
        Some(match &self.stand_ins {
            Some(stand_ins) => stand_ins(addr, found),
            None => found,
        })
    }

    /// The provider at a source address, if any factory has it.
    pub fn provider(&self, source: &ProviderSource) -> Option<Arc<dyn Provider>> {
        let mut resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = resolved.get(source) {
            return found.clone();
        }
        let found = self.factories.iter().find_map(|factory| factory.provider(source));
        resolved.insert(source.clone(), found.clone());
        found
    }

    /// The names of all providers that can be resolved without installing anything.
    pub fn names(&self) -> Vec<String> {
        self.factories.iter().flat_map(|factory| factory.names()).collect()
    }
}
