//! What a run works with: the values that the test gives, the providers it brings, and the configuration that comes of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::addr::{Name, Pattern, ProviderSource};
use crate::config::{
    Assignments, MockBlock, Module, OverrideBlock, ProviderConfig, ProviderRef, Stub, Suite, TestFile, TestRun,
    TestSetting, assemble,
};
use crate::diag::{Diagnostic, Diagnostics, Span};
use crate::lang::eval::{Scope, TEMPLATES, evaluate};
use crate::lang::functions::{Context, DirFiles};
use crate::lang::syntax::ast::{Attribute, Block, Body, Expr, ExprKind};
use crate::value::Value;

use super::super::session::Session;
use super::TestOptions;
use super::mocks::Mocks;
use super::scope::{Outputs, TestScope};
use super::states::TestState;

/// The file that is being run.
#[derive(Clone, Copy)]
pub(super) struct FileContext<'a> {
    pub options: &'a TestOptions<'a>,
    pub suite: &'a Suite,
    pub file: &'a TestFile,
    /// Its path, as messages name it.
    pub path: &'a str,
    /// Names of its runs.
    pub runs: &'a [Name],
    /// What `timestamp()` gives.
    pub now: Timestamp,
}

/// A run that is ready to be carried out.
pub(super) struct Ready {
    pub session: Arc<Session>,
    /// What is assigned to variables, declared or not.
    pub values: BTreeMap<Name, Value>,
}

impl<'a> FileContext<'a> {
    /// The module that a run tests.
    pub fn module(&self, run: &'a TestRun) -> &'a Arc<Module> {
        run.module.as_ref().map_or(&self.suite.root, |module| &module.root)
    }

    fn given(&self) -> &'a Assignments {
        if self.file.in_tests { &self.suite.given_in_tests } else { &self.suite.given }
    }

    fn functions(&self) -> Context<'a> {
        let base: &Path = &self.suite.dir;
        let (plan_time, now) = (Some(self.now), Some(self.now));
        Context { base, files: &DirFiles, plan_time, now, env: None, templates: Some(&TEMPLATES) }
    }

    /// Puts a run together. What it names of other runs has to be there.
    pub fn prepare(&self, run: &'a TestRun, outputs: &Outputs, state: &TestState) -> Result<Ready, Diagnostics> {
        let mut said = Diagnostics::none();
        let module = self.module(run);
        let mut values = self.outside_values(module);
        let mut assigned = Vec::new();
        for attributes in [&self.file.variables, &run.variables] {
            let scope = self.scope(&values, outputs);
            let found: Vec<(Name, Value, Span)> =
                attributes.iter().filter_map(|attribute| given(attribute, &scope, &mut said)).collect();
            values.extend(found.iter().map(|(name, value, _)| (name.clone(), value.clone())));
            assigned.extend(found);
        }
        let mut mocks = Mocks::default();
        let scope = self.scope(&values, outputs);
        let providers = self.providers(run, module, &mut mocks, &scope, &mut said);
        let in_mocks = self.file.mocks.iter().flat_map(|mock| &mock.overrides);
        let blocks = || run.overrides.iter().chain(&self.file.overrides);
        mocks.overrides(blocks().chain(in_mocks));
        if said.has_errors() {
            return Err(said);
        }
        let mut modules: Vec<(Pattern, Value)> = Vec::new();
        let mut stubs: Vec<Stub> = Vec::new();
        for block in blocks().filter(|block| block.target.resource.is_none()) {
            if let Some(layer) = &block.target.layer {
                if !stubs.iter().any(|known| known.layer == *layer) {
                    let outputs = block.values.clone();
                    stubs.push(Stub { layer: layer.clone(), outputs, span: block.values_span });
                }
                continue;
            }
            if !modules.iter().any(|(known, _)| *known == block.target) {
                modules.push((block.target.clone(), block.values.clone()));
            }
        }
        let setting = TestSetting {
            module: module.clone(),
            given: self.given().clone(),
            values: assigned,
            providers,
            modules,
            stubs,
            layer: self.suite.layer.clone(),
            dir: self.suite.dir.clone(),
            data: self.suite.data.clone(),
        };
        let config = assemble(&self.options.load.load, setting);
        let handles = config.layers.iter().map(|layer| state.handle(&layer.name)).collect();
        let registry = (self.options.registry)(&config).with_stand_ins(mocks.stand_ins());
        let clusters = (self.options.clusters)(&config);
        let session = Session::of(config, registry, handles, self.options.identity.clone(), clusters);
        Ok(Ready { session: Arc::new(session), values })
    }

    fn scope<'s>(&self, values: &'s BTreeMap<Name, Value>, outputs: &'s Outputs) -> TestScope<'s>
    where
        'a: 's,
    {
        TestScope { values, outputs, runs: self.runs, functions: self.functions() }
    }

    /// What files of variables, flags and the environment assign. What cannot be read is left to whoever needs it.
    fn outside_values(&self, module: &Module) -> BTreeMap<Name, Value> {
        let given = self.given();
        let one = |name: &Name| {
            let outcome = match module.variables.get(name) {
                Some(variable) => given.value(variable),
                None => given.undeclared(name),
            };
            let (value, _) = outcome?.into_result().ok()?;
            Some((name.clone(), value))
        };
        given.iter().filter_map(|(name, _)| one(name)).collect()
    }

    /// The provider blocks of the test that the run uses, with values in place of expressions.
    fn providers(
        &self,
        run: &TestRun,
        module: &Module,
        mocks: &mut Mocks,
        scope: &TestScope<'_>,
        said: &mut Diagnostics,
    ) -> Vec<ProviderConfig> {
        let mut found = Vec::new();
        let mut take = |of_file: OfFile<'_>, local: &Name, alias: Option<&Name>, said: &mut Diagnostics| match of_file {
            OfFile::Mock(mock) => found.push(mocks.add(mock, module, local, alias)),
            OfFile::Real(provider) => {
                let within = format!("provider {:?}", provider.local.as_str());
                let mut own = Diagnostics::none();
                let body = literal(&provider.body, scope, &mut own);
                said.append(own.located(Some(provider.span), Some(&within)));
                found.push(ProviderConfig {
                    local: local.clone(),
                    alias: alias.cloned(),
                    for_each: None,
                    each: None,
                    body,
                    span: provider.span,
                });
            }
        };
        let Some(passed) = &run.providers else {
            let used = |local: &Name| uses(module, &module.provider_source(local));
            for mock in self.file.mocks.iter().filter(|mock| used(&mock.local)) {
                take(OfFile::Mock(mock), &mock.local, mock.alias.as_ref(), said);
            }
            for provider in self.file.providers.iter().filter(|provider| used(&provider.local)) {
                take(OfFile::Real(provider), &provider.local, provider.alias.as_ref(), said);
            }
            return found;
        };
        for (inside, outside) in passed {
            match self.of_file(outside) {
                Some(of_file) => take(of_file, &inside.local, inside.alias.as_ref(), said),
                None => {
                    let alias = outside.alias.as_ref().map_or_else(String::new, |alias| format!(".{alias}"));
                    let name = format!("{}{alias}", outside.local);
                    let detail = format!(
                        "The run asks for {name}, and this file has no provider or mock_provider block of that name."
                    );
                    let error = Diagnostic::error(format!("Missing provider definition for {name}"), detail);
                    said.push(error.or_at(outside.span).within(format!("run {:?}", run.name.as_str())));
                }
            }
        }
        let missing = |local: &&Name| !passed.iter().any(|(inside, _)| inside.local == **local);
        for local in module.required_providers.keys().filter(missing) {
            let detail = format!(
                "The module needs a provider {:?}, and the providers argument of run {:?} does not say which one it gets.",
                local.as_str(),
                run.name.as_str()
            );
            said.push(Diagnostic::error("Missing required provider", detail));
        }
        found
    }

    fn of_file(&self, wanted: &ProviderRef) -> Option<OfFile<'a>> {
        let is = |local: &Name, alias: &Option<Name>| *local == wanted.local && *alias == wanted.alias;
        let mock = self.file.mocks.iter().find(|mock| is(&mock.local, &mock.alias)).map(OfFile::Mock);
        let real = || self.file.providers.iter().find(|one| is(&one.local, &one.alias)).map(OfFile::Real);
        mock.or_else(real)
    }

    /// Warnings about overrides of the file that no run could use.
    pub fn check_targets(&self) -> Diagnostics {
        let modules: Vec<&Arc<Module>> = self.file.runs.iter().map(|run| self.module(run)).collect();
        let in_mocks = self.file.mocks.iter().flat_map(|mock| &mock.overrides);
        let all = self.file.overrides.iter().chain(in_mocks);
        all.filter(|block| !modules.iter().any(|module| has(module, &block.target))).map(unused).collect()
    }
}

/// A provider of a test file.
enum OfFile<'a> {
    Mock(&'a MockBlock),
    Real(&'a ProviderConfig),
}

/// Warnings about overrides of a run that its module does not have.
pub(super) fn check_targets(run: &TestRun, module: &Module) -> Diagnostics {
    run.overrides.iter().filter(|block| !has(module, &block.target)).map(unused).collect()
}

fn unused(block: &OverrideBlock) -> Diagnostic {
    let detail = format!(
        "There is no {} in the configuration under test, so that this override has no effect. Correct the target, or remove \
         the block.",
        block.target
    );
    Diagnostic::warning("Invalid override target", detail).at(block.target_span)
}

/// Whether a module has what a pattern names.
fn has(module: &Module, target: &Pattern) -> bool {
    if target.layer.is_some() {
        return true;
    }
    let mut at = module;
    for step in target.module.steps() {
        match at.calls.get(&step.name) {
            Some(call) => at = &call.module,
            None => return false,
        }
    }
    target.resource.as_ref().is_none_or(|resource| at.resources.contains_key(resource))
}

/// Whether anything in a module or what it calls is of a provider.
fn uses(module: &Module, source: &ProviderSource) -> bool {
    let names = module.required_providers.keys().chain(module.providers.iter().map(|provider| &provider.local));
    let names = names.chain(module.resources.values().map(|resource| &resource.provider.local));
    names.into_iter().any(|local| module.provider_source(local).is_same(source))
        || module.calls.values().any(|call| uses(&call.module, source))
}

fn given(attribute: &Attribute, scope: &dyn Scope, said: &mut Diagnostics) -> Option<(Name, Value, Span)> {
    let value = evaluate(&attribute.expr, scope).take(said)?;
    Some((attribute.name.text.clone(), value, attribute.expr.span))
}

/// The body with the value of each expression in its place. The content of dynamic blocks has names of its own and stays.
fn literal(body: &Body, scope: &dyn Scope, said: &mut Diagnostics) -> Body {
    let value = |attribute: &Attribute, said: &mut Diagnostics| {
        let value = evaluate(&attribute.expr, scope).take(said)?;
        let expr = Expr { kind: ExprKind::Literal(value), span: attribute.expr.span };
        Some(Attribute { expr: Arc::new(expr), ..attribute.clone() })
    };
    let block = |block: &Arc<Block>, said: &mut Diagnostics| {
        if block.kind.text.as_str() == "dynamic" {
            return block.clone();
        }
        Arc::new(Block { body: literal(&block.body, scope, said), ..(**block).clone() })
    };
    Body {
        attributes: body.attributes.iter().filter_map(|attribute| value(attribute, said)).collect(),
        blocks: body.blocks.iter().map(|nested| block(nested, said)).collect(),
        ..body.clone()
    }
}
