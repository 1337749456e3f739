//! Which provider configuration a block gets: its own module's, one passed by the caller, one inherited, the project's.

use std::collections::HashMap;

use crate::addr::{ModuleAddr, Name, ProviderConfigAddr, ProviderSource};
use crate::config::{Config, ProviderRef};
use crate::diag::Diagnostic;

use super::{Graph, ModuleId, Node, NodeId, Owner, ProviderId, ProviderNode};

/// Resolves and remembers provider configurations while the graph is built.
pub struct Providers<'a> {
    config: &'a Config,
    known: HashMap<ProviderConfigAddr, ProviderId>,
}

impl<'a> Providers<'a> {
    /// Nothing resolved yet.
    pub fn new(config: &'a Config) -> Self {
        Providers { config, known: HashMap::new() }
    }

    /// Makes sure that a written block has a node, whether anything uses it or not.
    pub fn declare(&mut self, graph: &mut Graph, owner: Owner, block: usize) -> ProviderId {
        let (addr, owner) = match owner {
            Owner::Module(id) => {
                let node = graph.module(id);
                let provider = &node.module.providers[block];
                let source = node.module.provider_source(&provider.local);
                (self.module_addr(graph, id, source, provider.alias.clone()), owner)
            }
            Owner::Project => {
                let provider = &self.config.shared_providers[block];
                let source = self.project_source(&provider.local);
                let alias = provider.alias.clone();
                (ProviderConfigAddr { layer: None, module: ModuleAddr::root(), source, alias }, owner)
            }
        };
        self.add(graph, addr, owner, Some(block))
    }

    /// The configuration a block of a module asks for.
    ///
    /// # Errors
    /// When it names an alias that nobody configures.
    pub fn resolve(
        &mut self,
        graph: &mut Graph,
        module: ModuleId,
        wanted: &ProviderRef,
    ) -> Result<ProviderId, Diagnostic> {
        let source = graph.module(module).module.provider_source(&wanted.local);
        self.find(graph, module, &wanted.local, wanted.alias.as_ref(), &source).ok_or_else(|| {
            let alias = wanted.alias.as_ref().map_or_else(String::new, |alias| format!(".{alias}"));
            Diagnostic::error(
                "Provider configuration not present",
                format!(
                    "There is no configuration {}{alias}. Write a provider {:?} block with that alias, or pass one to the \
                     module with providers = {{ … }}.",
                    wanted.local,
                    wanted.local.as_str(),
                ),
            )
            .or_at(wanted.span)
        })
    }

    fn find(
        &mut self,
        graph: &mut Graph,
        module: ModuleId,
        local: &Name,
        alias: Option<&Name>,
        source: &ProviderSource,
    ) -> Option<ProviderId> {
        let passed = graph.call(module).and_then(|(caller, call)| {
            let mut passed = call.providers.iter();
            let (_, parent) = passed.find(|(child, _)| child.local == *local && child.alias.as_ref() == alias)?;
            Some((caller, parent.clone()))
        });
        if let Some((caller, parent)) = passed {
            let source = graph.module(caller).module.provider_source(&parent.local);
            return self.find(graph, caller, &parent.local, parent.alias.as_ref(), &source);
        }
        let content = graph.module(module).module.clone();
        let block = content.providers.iter().position(|provider| {
            provider.alias.as_ref() == alias && content.provider_source(&provider.local).is_same(source)
        });
        if let Some(block) = block {
            return Some(self.declare(graph, Owner::Module(module), block));
        }
        if let Some((caller, _)) = graph.call(module) {
            // Only default configurations are inherited; aliases have to be passed.
            return if alias.is_none() { self.find(graph, caller, local, None, source) } else { None };
        }
        let shared = self.config.shared_providers.iter().position(|provider| {
            provider.alias.as_ref() == alias && self.project_source(&provider.local).is_same(source)
        });
        if let Some(block) = shared {
            return Some(self.declare(graph, Owner::Project, block));
        }
        if alias.is_some() {
            return None;
        }
        let addr = self.module_addr(graph, module, source.clone(), None);
        Some(self.add(graph, addr, Owner::Module(module), None))
    }

    fn module_addr(
        &self,
        graph: &Graph,
        module: ModuleId,
        source: ProviderSource,
        alias: Option<Name>,
    ) -> ProviderConfigAddr {
        let node = graph.module(module);
        let layer = Some(self.config.layers[node.layer].name.clone());
        ProviderConfigAddr { layer, module: node.addr.clone(), source, alias }
    }

    /// The project file has no `required_providers`: a name there means what the first layer that declares it says.
    fn project_source(&self, local: &Name) -> ProviderSource {
        let declared = self.config.layers.iter().find_map(|layer| layer.root.required_providers.get(local));
        declared.map_or_else(|| ProviderSource::implied(local), |required| required.source.clone())
    }

    fn add(&mut self, graph: &mut Graph, addr: ProviderConfigAddr, owner: Owner, block: Option<usize>) -> ProviderId {
        if let Some(id) = self.known.get(&addr) {
            return *id;
        }
        let id = ProviderId(graph.providers.len() as u32);
        let node = NodeId(graph.nodes.len() as u32);
        graph.nodes.push(Node::Provider(id));
        graph.needs.push(Vec::new());
        graph.providers.push(ProviderNode { addr: addr.clone(), owner, block, node });
        self.known.insert(addr, id);
        id
    }
}
