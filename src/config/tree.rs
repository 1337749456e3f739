//! The module tree: folders that call folders.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics};

use super::block::{self, BackendBlock, Call, text_of};
use super::files::{normal, relative};
use super::folder::Reading;
use super::model::{Module, ModuleCall, ProviderRef};
use super::shape::{constant_error, not_yet};

/// Loads modules, each folder once.
pub struct Tree<'a> {
    reading: Reading<'a>,
    loaded: HashMap<PathBuf, Option<Arc<Module>>>,
    /// The folders whose calls are being followed, outermost first.
    open: Vec<PathBuf>,
}

/// A root module and what only root modules have.
pub struct Root {
    /// The module.
    pub module: Arc<Module>,
    /// Its `backend` block.
    pub backend: Option<BackendBlock>,
}

impl<'a> Tree<'a> {
    /// Nothing loaded yet.
    pub fn new(reading: Reading<'a>) -> Self {
        Tree { reading, loaded: HashMap::new(), open: Vec::new() }
    }

    /// The folder of a layer, or of the whole configuration in plain mode, and everything it calls. `None` when it has no
    /// configuration files or they cannot be read.
    pub fn root(&mut self, dir: &Path, said: &mut Diagnostics) -> Option<Root> {
        let entries = self.reading.files.list(dir).ok()?;
        let bodies = self.reading.folder(dir, &entries, said)?;
        let unlinked = block::read(&bodies, self.reading.sources, said);
        let backend = unlinked.backend.clone();
        let module = Arc::new(self.link(dir, unlinked, said));
        Some(Root { module, backend })
    }

    /// Follows the calls of a module.
    fn link(&mut self, dir: &Path, unlinked: block::Unlinked, said: &mut Diagnostics) -> Module {
        let mut module = unlinked.module;
        module.dir = dir.to_owned();
        self.open.push(dir.to_owned());
        for (name, call) in unlinked.calls {
            let within = format!("module {:?}", name.as_str());
            let before = said.0.len();
            if let Some(called) = self.called(dir, &within, &call, said) {
                check_configured(&call, &called, said);
                check_passed(&call, &called, said);
                let call = ModuleCall {
                    name: name.clone(),
                    source: text_of(&call.source).map(|text| text.to_string()).unwrap_or_default(),
                    module: called,
                    arguments: call.arguments,
                    count: call.count,
                    for_each: call.for_each,
                    depends_on: call.depends_on,
                    providers: call.providers,
                    span: call.span,
                };
                module.calls.insert(name, call);
            }
            for diagnostic in &mut said.0[before..] {
                diagnostic.within.get_or_insert_with(|| within.clone());
            }
        }
        self.open.pop();
        module
    }

    fn called(&mut self, caller: &Path, within: &str, call: &Call, said: &mut Diagnostics) -> Option<Arc<Module>> {
        let span = call.source.span;
        let Some(source) = text_of(&call.source) else {
            let diagnostic = if crate::lang::eval::references(&call.source).is_empty() {
                Diagnostic::error("Invalid module source", "The source of a module is a string that is written out.")
                    .at(span)
            } else {
                let wanted = not_yet("A module source with variables or locals").at(span);
                if call.source.is_traversal() { wanted } else { constant_error(&call.source) }
            };
            said.push(diagnostic);
            return None;
        };
        let local =
            ["./", "../"].iter().any(|start| source.starts_with(start)) || matches!(source.as_str(), "." | "..");
        if !local {
            let detail = format!(
                "The source {:?} names a module outside of this configuration. This version follows local paths only, which \
                 begin with \"./\" or \"../\".",
                source.as_str()
            );
            said.push(Diagnostic::error("Not supported yet", detail).at(span));
            return None;
        }
        let dir = normal(&caller.join(source.as_str()));
        if let Some(at) = self.open.iter().position(|open| *open == dir) {
            let shown = |dir: &PathBuf| relative(dir, self.reading.working_dir).display().to_string();
            let chain: Vec<String> = self.open[at..].iter().chain([&dir]).map(shown).collect();
            let detail = format!("Modules call each other in a circle, without end: {}.", chain.join(" → "));
            said.push(Diagnostic::error("Cycle of module calls", detail).at(span));
            return None;
        }
        if let Some(known) = self.loaded.get(&dir) {
            return known.clone();
        }
        let shown = relative(&dir, self.reading.working_dir);
        let entries = match self.reading.files.list(&dir) {
            Ok(entries) => entries,
            Err(error) => {
                let detail = format!(
                    "The folder {} of {within} cannot be read: {error}. Correct \"source\", or put the module there.",
                    shown.display()
                );
                said.push(Diagnostic::error("Unreadable module directory", detail).at(span));
                return None;
            }
        };
        let Some(bodies) = self.reading.folder(&dir, &entries, said) else {
            let detail = format!("The folder {} of {within} has no configuration files.", shown.display());
            said.push(Diagnostic::error("Module without configuration", detail).at(span));
            return None;
        };
        let unlinked = block::read(&bodies, self.reading.sources, said);
        if let Some(backend) = &unlinked.backend {
            let detail = "Where state lies is told by the root module; any backend configuration of a called module has no effect.";
            said.push(Diagnostic::warning("Backend configuration ignored", detail).at(backend.span));
        }
        let module = Some(Arc::new(self.link(&dir, unlinked, said)));
        self.loaded.insert(dir, module.clone());
        module
    }
}

/// A module gets every configuration that it asks for by `configuration_aliases`.
fn check_passed(call: &Call, called: &Module, said: &mut Diagnostics) {
    for (local, required) in &called.required_providers {
        for alias in &required.aliases {
            let passed =
                |(child, _): &(ProviderRef, ProviderRef)| child.local == *local && child.alias.as_ref() == Some(alias);
            if !call.providers.iter().any(passed) {
                let detail = format!(
                    "The module asks for a configuration {local}.{alias}. Say which one it gets: providers = {{ \
                     {local}.{alias} = … }}."
                );
                said.push(Diagnostic::error("Missing required provider configuration", detail).at(call.span));
            }
        }
    }
}

/// A module that configures providers itself can neither be repeated nor wait for others.
fn check_configured(call: &Call, called: &Module, said: &mut Diagnostics) {
    fn configures(module: &Module) -> bool {
        let own = module.providers.iter().any(|provider| {
            !provider.body.attributes.is_empty() || !provider.body.blocks.is_empty() || provider.alias.is_some()
        });
        own || module.calls.values().any(|call| configures(&call.module))
    }
    let repeated = call.count.is_some() || call.for_each.is_some() || !call.depends_on.is_empty();
    if repeated && configures(called) {
        let detail = "The module has provider configurations of its own, and so can neither be called with count or for_each \
                      nor have depends_on. Pass providers to it with the providers argument instead.";
        let summary = "Module is incompatible with count, for_each, and depends_on";
        said.push(Diagnostic::error(summary, detail).at(call.span));
    }
}
