//! From blocks of a test to providers that stand in for others.

use std::collections::HashMap;
use std::sync::Arc;

use crate::addr::{Mode, Name, ProviderConfigAddr, ProviderSource};
use crate::config::{During, MockBlock, Module, OverrideBlock, ProviderConfig};
use crate::lang::syntax::ast::Body;
use crate::provider::StandIns;
use crate::provider::mock::{Mock, Override, StandIn, Values};

/// What stands in for the providers of one run: mocks by the configuration of the root module that they take, and overrides.
#[derive(Default)]
pub(super) struct Mocks {
    mocks: HashMap<(ProviderSource, Option<Name>), Arc<Mock>>,
    overrides: Vec<Override>,
}

impl Mocks {
    /// A mock for what the module calls by a name; the block that takes the place of the module's own.
    pub fn add(&mut self, block: &MockBlock, module: &Module, local: &Name, alias: Option<&Name>) -> ProviderConfig {
        let mut mock = Mock { planned: block.during == During::Plan, ..Mock::default() };
        for kind in &block.kinds {
            let values = Values {
                given: kind.values.clone(),
                span: Some(kind.values_span),
                planned: kind.during == During::Plan,
            };
            let into = if kind.mode == Mode::Data { &mut mock.data } else { &mut mock.resources };
            into.insert(kind.kind.to_string(), values);
        }
        self.mocks.insert((module.provider_source(local), alias.cloned()), Arc::new(mock));
        ProviderConfig {
            local: local.clone(),
            alias: alias.cloned(),
            for_each: None,
            each: None,
            body: Body::default(),
            span: block.span,
        }
    }

    /// Overrides; those that are added first count.
    pub fn overrides<'b>(&mut self, blocks: impl IntoIterator<Item = &'b OverrideBlock>) {
        for block in blocks.into_iter().filter(|block| block.target.resource.is_some()) {
            if self.overrides.iter().any(|known| known.target == block.target) {
                continue;
            }
            let planned = block.during == During::Plan;
            let values = Values { given: block.values.clone(), span: Some(block.values_span), planned };
            self.overrides.push(Override { target: block.target.clone(), values });
        }
    }

    /// What the registry of the run asks for each configuration.
    pub fn stand_ins(self) -> StandIns {
        let Mocks { mocks, overrides } = self;
        let overrides = Arc::new(overrides);
        Box::new(move |addr: &ProviderConfigAddr, real| {
            let is_meant = |(source, alias): &(ProviderSource, Option<Name>)| {
                addr.module.is_root() && source.is_same(&addr.source) && *alias == addr.alias
            };
            let mock = mocks.iter().find(|(key, _)| is_meant(key)).map(|(_, mock)| mock.clone());
            if mock.is_none() && overrides.is_empty() {
                return real;
            }
            Arc::new(StandIn { real, mock, overrides: overrides.clone() })
        })
    }
}
