//! Which provider configuration a block gets: its own module's, one passed by the caller, one inherited, the project's.

use foldhash::{HashMap, HashMapExt};

use crate::addr::{ModuleAddr, Name, ProviderConfigAddr, ProviderSource};
use crate::config::{Config, ProviderRef};
use crate::diag::Diagnostic;

use super::{Graph, Keyed, ModuleId, Node, NodeId, Owner, ProviderId, ProviderNode};

/// A reference that needs a key, or has one.
struct Chosen {
    /// The module that it stands in.
    module: ModuleId,
    /// The called module, when it stands in `providers` of the call.
    call: Option<ModuleId>,
    named: ProviderRef,
}

/// Follows a reference up the calls to where a key is chosen, if one is.
fn chosen(graph: &Graph, module: ModuleId, wanted: &ProviderRef) -> Option<Chosen> {
    let (mut at, mut call, mut named) = (module, None, wanted.clone());
    loop {
        let content = &graph.module(at).module;
        let keyed = |local: &Name, alias: &Name| {
            content.keyed_providers.iter().any(|(known, name)| known == local && name == alias)
        };
        if named.key.is_some() || named.alias.as_ref().is_some_and(|alias| keyed(&named.local, alias)) {
            return Some(Chosen { module: at, call, named });
        }
        let (caller, block) = graph.call(at)?;
        let passed = block.providers.iter().find(|(child, _)| {
            child.local == named.local
                && child.alias.as_ref().map(Name::as_str) == named.alias.as_ref().map(Name::as_str)
        });
        let (_, parent) = match passed {
            Some(passed) => passed,
            // A default configuration is inherited.
            None if named.alias.is_none() => {
                (at, call) = (caller, Some(at));
                continue;
            }
            None => return None,
        };
        (named, call, at) = (parent.clone(), Some(at), caller);
    }
}

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
                let key = provider.each.as_ref().map(|(key, _)| key.clone());
                (self.module_addr(graph, id, source, provider.alias.clone()).with_key(key), owner)
            }
            Owner::Project => {
                let provider = &self.config.shared_providers[block];
                let source = self.project_source(&provider.local);
                let alias = provider.alias.clone();
                (ProviderConfigAddr { layer: None, module: ModuleAddr::root(), source, alias, key: None }, owner)
            }
        };
        self.add(graph, addr, owner, Some(block))
    }

    /// The configuration a block of a module asks for.
    ///
    /// # Errors
    /// When it names an alias that nobody configures, or a key where there are none.
    pub fn resolve(
        &mut self,
        graph: &mut Graph,
        module: ModuleId,
        wanted: &ProviderRef,
    ) -> Result<(ProviderId, Option<Keyed>), Diagnostic> {
        if let Some(chosen) = chosen(graph, module, wanted) {
            return self.keyed(graph, chosen, wanted);
        }
        let id = self.single(graph, module, wanted)?;
        Ok((id, None))
    }

    /// The configurations of a block with `for_each`.
    fn keyed(
        &mut self,
        graph: &mut Graph,
        chosen: Chosen,
        wanted: &ProviderRef,
    ) -> Result<(ProviderId, Option<Keyed>), Diagnostic> {
        let Chosen { module, call, named } = chosen;
        let invalid = |detail: String| {
            Err(Diagnostic::error("Invalid resource provider configuration", detail).or_at(wanted.span))
        };
        let content = graph.module(module).module.clone();
        let alias = named.alias.clone().unwrap_or_else(|| Name::from(""));
        let declared = content.keyed_providers.iter().any(|(local, known)| *local == named.local && *known == alias);
        let key = match (&named.key, declared) {
            (Some(key), true) => key.clone(),
            (None, _) => {
                return invalid(format!(
                    "{}.{alias} has for_each, so that a key must say which of its configurations is meant: {0}.{alias}[…]. Not all of \
                     them together can be passed on.",
                    named.local
                ));
            }
            (Some(_), false) => {
                return invalid(format!(
                    "There is no provider {:?} block with alias = {:?} and for_each in this module, so that there is no key to \
                     choose by.",
                    named.local.as_str(),
                    alias.as_str()
                ));
            }
        };
        let blocks = content.providers.iter().enumerate();
        let blocks = blocks.filter(|(_, block)| block.local == named.local && block.alias.as_ref() == Some(&alias));
        let blocks: Vec<_> =
            blocks.filter_map(|(index, block)| Some((index, block.each.as_ref()?.0.clone()))).collect();
        let mut by_key = HashMap::new();
        let mut first = None;
        for (index, key) in blocks {
            let id = self.declare(graph, Owner::Module(module), index);
            first = first.or(Some(id));
            by_key.insert(key, id);
        }
        let addr = self.module_addr(graph, module, content.provider_source(&named.local), Some(alias));
        // Without a single key there is still a schema to be known.
        let id = first.unwrap_or_else(|| self.add(graph, addr.clone(), Owner::Module(module), None));
        Ok((id, Some(Keyed { by_key, key, call, addr })))
    }

    fn single(&mut self, graph: &mut Graph, module: ModuleId, wanted: &ProviderRef) -> Result<ProviderId, Diagnostic> {
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
        ProviderConfigAddr { layer, module: node.addr.clone(), source, alias, key: None }
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
