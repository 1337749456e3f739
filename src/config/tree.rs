//! The module tree: folders that call folders.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::addr::{Constraints, ModuleSource, Name};
use crate::diag::{Diagnostic, Diagnostics, SourceMap, Span};
use crate::lang::syntax::ast::Expr;

use super::assign::Assignments;
use super::block::{self, BackendBlock, Call};
use super::constant::{Constants, Given};
use super::files::{normal, relative};
use super::folder::Reading;
use super::load::LoadOptions;
use super::model::{Module, ModuleCall, ProviderConfig, ProviderRef};
use super::modules::{Finder, Place};

/// Loads modules, each folder once.
pub struct Tree<'a> {
    options: &'a LoadOptions,
    reading: Reading<'a>,
    loaded: HashMap<PathBuf, Option<Arc<Module>>>,
    /// The modules whose calls are being followed, outermost first.
    open: Vec<Open>,
    /// Calls seen so far whose module depends on more than the folder they stand in: what was fetched for them, or the
    /// value of a variable.
    particular: usize,
}

/// A module whose calls are being followed.
struct Open {
    /// Its name in the calling module; empty for the root.
    name: String,
    dir: PathBuf,
    /// The folder that was fetched, out of which local sources may not lead.
    package: Option<PathBuf>,
    /// Where it was fetched from.
    source: Option<ModuleSource>,
}

/// A root module and what only root modules have.
pub struct Root {
    /// The module.
    pub module: Arc<Module>,
    /// Its `backend` block.
    pub backend: Option<BackendBlock>,
}

/// Where the called module comes from, as the call says.
struct Wish {
    text: String,
    address: ModuleSource,
    constraints: Constraints,
    /// `version` as written.
    version: Option<String>,
    span: Span,
}

impl<'a> Tree<'a> {
    /// Nothing loaded yet.
    pub fn new(options: &'a LoadOptions) -> Self {
        Tree { options, reading: options.reading(), loaded: HashMap::new(), open: Vec::new(), particular: 0 }
    }

    /// The folder of a layer, or of the whole configuration in plain mode, and everything it calls. Installed modules are
    /// those of the manifest in `data`. `None` when it has no configuration files or they cannot be read.
    pub fn root(&mut self, dir: &Path, data: &Path, assigned: &Assignments, said: &mut Diagnostics) -> Option<Root> {
        let entries = self.reading.files.list(dir).ok()?;
        let bodies = self.reading.folder(dir, &entries, said)?;
        if self.options.only_state {
            // What is wrong with it, and what it calls, matters to nobody here.
            let unlinked = block::read(&bodies, self.reading.sources, &mut Diagnostics::none());
            let module = Arc::new(Module { dir: dir.to_owned(), ..unlinked.module });
            return Some(Root { module, backend: unlinked.backend });
        }
        let mut unlinked = block::read(&bodies, self.reading.sources, said);
        if self.options.generates {
            unlinked = block::stubs(unlinked, self.reading.sources, said);
        }
        let backend = unlinked.backend.clone();
        let finder = Finder::new(dir, data, self.reading.files, self.options.installing.as_ref());
        let open = Open { name: String::new(), dir: dir.to_owned(), package: None, source: None };
        let module = Arc::new(self.link(open, unlinked, &Given::Root(assigned), &finder, said));
        Some(Root { module, backend })
    }

    /// The `backend` block of a folder, if it has one.
    pub fn backend(&mut self, dir: &Path, said: &mut Diagnostics) -> Option<BackendBlock> {
        let entries = self.reading.files.list(dir).ok()?;
        let bodies = self.reading.folder(dir, &entries, said)?;
        block::backend(&bodies, self.reading.sources)
    }

    /// The root module of a folder without what it calls: which variables and outputs it has. `None` when it has no
    /// configuration files or they cannot be read.
    pub fn outputs(&mut self, dir: &Path, said: &mut Diagnostics) -> Option<Module> {
        let entries = self.reading.files.list(dir).ok()?;
        let bodies = self.reading.folder(dir, &entries, said)?;
        Some(block::read(&bodies, self.reading.sources, said).module)
    }

    /// Follows the calls of a module.
    fn link(
        &mut self,
        open: Open,
        unlinked: block::Unlinked,
        given: &Given<'_>,
        finder: &Finder<'_>,
        said: &mut Diagnostics,
    ) -> Module {
        let mut module = unlinked.module;
        module.dir.clone_from(&open.dir);
        self.open.push(open);
        if module.providers.iter().any(|provider| provider.for_each.is_some()) {
            self.particular += 1;
            let written = std::mem::take(&mut module.providers);
            check_outlived(&written, &module, &unlinked.calls, self.reading.sources, said);
            let (providers, keyed) = keyed_providers(&written, &Constants::new(&module, given, self.options), said);
            (module.providers, module.keyed_providers) = (providers, keyed);
        }
        let mut calls = BTreeMap::new();
        for (name, call) in unlinked.calls {
            let within = format!("module {:?}", name.as_str());
            let before = said.0.len();
            let constants = Constants::new(&module, given, self.options);
            if let Some(wish) = self.wish(&call, &constants, said)
                && let Some((called, version)) = self.called(&name, &wish, &call, &constants, finder, said)
            {
                check_configured(&call, &called, said);
                check_passed(&call, &called, said);
                check_known(&call, &called, &module, said);
                check_deprecated(&call, &called, said);
                let call = ModuleCall {
                    name: name.clone(),
                    source: wish.text,
                    address: wish.address,
                    version,
                    version_constraint: wish.version,
                    module: called,
                    arguments: call.arguments,
                    count: call.count,
                    for_each: call.for_each,
                    enabled: call.enabled,
                    depends_on: call.depends_on,
                    providers: call.providers,
                    missing: call.missing,
                    is_json: call.is_json,
                    span: call.span,
                };
                calls.insert(name, call);
            }
            for diagnostic in &mut said.0[before..] {
                diagnostic.within.get_or_insert_with(|| within.clone());
            }
        }
        module.calls = calls;
        self.open.pop();
        module
    }

    /// What a call says about where its module comes from.
    fn wish(&mut self, call: &Call, constants: &Constants<'_>, said: &mut Diagnostics) -> Option<Wish> {
        let version = match &call.version {
            Some(expr) => Some((constants.text("version", expr, said)?, expr.span)),
            None => None,
        };
        let constraints = match &version {
            Some((text, span)) => {
                let Some(constraints) = Constraints::parse(text) else {
                    let detail = format!(
                        "{text:?} is no version constraint. Write one like \">= 1.2.0, < 2.0.0\", \"~> 1.2\" or \"1.2.3\"."
                    );
                    said.push(Diagnostic::error("Invalid version constraint", detail).at(*span));
                    return None;
                };
                constraints
            }
            None => Constraints::default(),
        };
        let span = call.source.span;
        let text = constants.text("source", &call.source, said)?;
        if block::text_of(&call.source).is_none() {
            self.particular += 1;
        }
        match ModuleSource::parse(&text, version.is_some()) {
            Ok(address) => {
                let version = version.map(|(text, _)| text);
                Some(Wish { text, address, constraints, version, span })
            }
            Err(error) => {
                said.push(Diagnostic::error(error.summary(), error.to_string()).at(span));
                None
            }
        }
    }

    /// The module that a call leads to, and its version.
    fn called(
        &mut self,
        name: &Name,
        wish: &Wish,
        call: &Call,
        constants: &Constants<'_>,
        finder: &Finder<'_>,
        said: &mut Diagnostics,
    ) -> Option<(Arc<Module>, Option<String>)> {
        let mut version = None;
        let open = match &wish.address {
            ModuleSource::Local(path) => self.beside(name, path, wish.span, said)?,
            address => {
                self.particular += 1;
                if self.open.iter().any(|open| open.source.as_ref() == Some(address)) {
                    let detail = format!("The module {address} calls itself, without end.");
                    said.push(Diagnostic::error("Cycle of module calls", detail).at(wish.span));
                    return None;
                }
                let names = self.open.iter().skip(1).map(|open| open.name.as_str()).chain([name.as_str()]);
                let key = names.collect::<Vec<_>>().join(".");
                let place: Place = finder.find(&key, address, &wish.constraints, (call.span, wish.span), said)?;
                version = place.version;
                let package = Some(place.package);
                Open { name: name.to_string(), dir: place.dir, package, source: Some(address.clone()) }
            }
        };
        let dir = open.dir.clone();
        if let Some(known) = self.loaded.get(&dir) {
            return Some((known.clone()?, version));
        }
        let before = self.particular;
        let module =
            self.folder(open, wish.span, &Given::Call { arguments: &call.arguments, caller: constants }, finder, said);
        if self.particular == before {
            self.loaded.insert(dir, module.clone());
        }
        Some((module?, version))
    }

    /// The folder that a local source leads to.
    fn beside(&self, name: &Name, path: &str, span: Span, said: &mut Diagnostics) -> Option<Open> {
        let caller = self.open.last()?;
        let dir = normal(&caller.dir.join(path));
        let shown = |dir: &Path| relative(dir, self.reading.working_dir).display().to_string();
        if let Some(package) = &caller.package
            && !dir.starts_with(package)
        {
            let detail = format!(
                "The source {path:?} leads out of the package that this module was fetched with. Only what is in the package \
                 ({}) is there wherever it is used; the other module needs a source address of its own.",
                shown(package)
            );
            said.push(Diagnostic::error("Local module path escapes module package", detail).at(span));
            return None;
        }
        if let Some(at) = self.open.iter().position(|open| open.dir == dir) {
            let chain: Vec<String> =
                self.open[at..].iter().map(|open| &open.dir).chain([&dir]).map(|dir| shown(dir)).collect();
            let detail = format!("Modules call each other in a circle, without end: {}.", chain.join(" → "));
            said.push(Diagnostic::error("Cycle of module calls", detail).at(span));
            return None;
        }
        Some(Open { name: name.to_string(), dir, package: caller.package.clone(), source: None })
    }

    /// Reads the folder of a called module, and what it calls in turn.
    fn folder(
        &mut self,
        open: Open,
        span: Span,
        given: &Given<'_>,
        finder: &Finder<'_>,
        said: &mut Diagnostics,
    ) -> Option<Arc<Module>> {
        let shown = relative(&open.dir, self.reading.working_dir);
        let entries = match self.reading.files.list(&open.dir) {
            Ok(entries) => entries,
            Err(error) => {
                let detail = format!(
                    "The folder {} of module {:?} cannot be read: {error}. Correct \"source\", or put the module there.",
                    shown.display(),
                    open.name
                );
                said.push(Diagnostic::error("Unreadable module directory", detail).at(span));
                return None;
            }
        };
        let Some(bodies) = self.reading.folder(&open.dir, &entries, said) else {
            let detail =
                format!("The folder {} of module {:?} has no configuration files.", shown.display(), open.name);
            said.push(Diagnostic::error("Module without configuration", detail).at(span));
            return None;
        };
        let unlinked = block::read(&bodies, self.reading.sources, said);
        if let Some(backend) = &unlinked.backend {
            let detail = "Where state lies is told by the root module; any backend configuration of a called module has no effect.";
            said.push(Diagnostic::warning("Backend configuration ignored", detail).at(backend.span));
        }
        Some(Arc::new(self.link(open, unlinked, given, finder, said)))
    }
}

/// A key that goes from the resource and from its provider at once leaves nobody to remove the object.
fn check_outlived(
    providers: &[ProviderConfig],
    module: &Module,
    calls: &BTreeMap<Name, Call>,
    sources: &SourceMap,
    said: &mut Diagnostics,
) {
    let text = |expr: &Expr| sources.get(expr.span.file).map(|source| source.slice(expr.span).to_owned());
    let same = |named: &ProviderRef, for_each: &Expr| {
        let block = providers.iter().find(|block| block.local == named.local && block.alias == named.alias);
        let keys = block.and_then(|block| block.for_each.as_ref()).filter(|expr| expr.is_traversal());
        let keys = keys.and_then(|expr| text(expr));
        named.key.is_some() && keys.is_some() && keys == text(for_each)
    };
    let mut warn = |what: &str, at: Span| {
        let detail = format!(
            "The {what} has the for_each of its provider block. An object that loses its key is removed by the configuration of \
             that key, which would be gone as well, so that the plan would fail: give the provider block a for_each that \
             keeps keys longer."
        );
        said.push(Diagnostic::warning(format!("Provider configuration for_each matches {what}"), detail).at(at));
    };
    for resource in module.resources.values() {
        if let Some(for_each) = resource.for_each.as_ref().filter(|expr| same(&resource.provider, expr)) {
            warn("resource", for_each.span);
        }
    }
    for call in calls.values() {
        let Some(for_each) = &call.for_each else { continue };
        if call.providers.iter().any(|(_, parent)| same(parent, for_each)) {
            warn("module", for_each.span);
        }
    }
}

/// Provider blocks with one for each key in the place of those with `for_each`, and the names of these.
fn keyed_providers(
    written: &[ProviderConfig],
    constants: &Constants<'_>,
    said: &mut Diagnostics,
) -> (Vec<ProviderConfig>, Vec<(Name, Name)>) {
    let (mut providers, mut keyed) = (Vec::new(), Vec::new());
    for provider in written {
        let (Some(for_each), Some(alias)) = (&provider.for_each, &provider.alias) else {
            providers.push(provider.clone());
            continue;
        };
        keyed.push((provider.local.clone(), alias.clone()));
        let within = format!("provider {:?}", provider.local.as_str());
        let before = said.0.len();
        for each in constants.keys(for_each, said).unwrap_or_default() {
            providers.push(ProviderConfig { each: Some(each), for_each: None, ..provider.clone() });
        }
        for diagnostic in &mut said.0[before..] {
            diagnostic.within.get_or_insert_with(|| within.clone());
        }
    }
    (providers, keyed)
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

/// What is passed to a module is something that it knows, and of the provider that the name stands for there.
fn check_known(call: &Call, called: &Module, caller: &Module, said: &mut Diagnostics) {
    for (child, parent) in &call.providers {
        let name = &child.local;
        let place = child.span.map_or(call.span, |span| match child.alias {
            Some(_) => Span { end: (span.start + name.len() as u32).min(span.end), ..span },
            None => span,
        });
        let required = called.required_providers.get(name);
        let written = called.providers.iter().any(|own| own.local == *name && own.alias == child.alias);
        if let Some(alias) = &child.alias
            && !written
            && !required.is_some_and(|required| required.aliases.contains(alias))
        {
            let detail = format!(
                "The module declares no configuration {name}.{alias}. If it is to have one, add {name}.{alias} to the \
                 configuration_aliases of {name} in its required_providers."
            );
            said.push(Diagnostic::error("Reference to undefined provider", detail).at(place));
            continue;
        }
        let (given, wanted) = (caller.provider_source(&parent.local), called.provider_source(name));
        if required.is_none() && !written {
            let detail = format!(
                "The module does not say which provider it means by {name:?}, so that {wanted} is assumed. Add an entry \
                 {name:?} to its required_providers."
            );
            said.push(Diagnostic::warning("Reference to undefined provider", detail).at(place));
        }
        if given != wanted {
            let detail = format!(
                "A configuration of {given} is passed under a name that stands for {wanted} in the module. Pass it under the \
                 name that {given} has there."
            );
            said.push(Diagnostic::error("Provider type mismatch", detail).at(place));
        }
    }
}

/// Whoever sets a deprecated variable is told what to do instead.
fn check_deprecated(call: &Call, called: &Module, said: &mut Diagnostics) {
    for argument in &call.arguments {
        let variable = called.variables.get(&argument.name.text);
        if let Some(why) = variable.and_then(|variable| variable.deprecated.as_ref()) {
            let detail = format!(
                "The author of the module has marked its variable {:?} as deprecated:\n{why}",
                argument.name.text.as_str()
            );
            let summary = "Variable marked as deprecated by the module author";
            said.push(Diagnostic::warning(summary, detail).at(argument.expr.span));
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
    let repeated =
        call.count.is_some() || call.for_each.is_some() || call.enabled.is_some() || !call.depends_on.is_empty();
    if repeated && configures(called) {
        let detail = "The module has provider configurations of its own, and so can neither be called with count or for_each \
                      nor have depends_on. Pass providers to it with the providers argument instead.";
        let summary = "Module is incompatible with count, for_each, and depends_on";
        said.push(Diagnostic::error(summary, detail).at(call.span));
    }
}
