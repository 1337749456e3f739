//! The configuration of one run: the module that is tested, with what the test says in place of what the module says.

use std::path::PathBuf;
use std::sync::Arc;

use crate::addr::{LayerName, Name, Pattern, ProviderSource};
use crate::diag::Span;
use crate::lang::syntax::ast::{Expr, ExprKind};
use crate::value::Value;

use super::super::model::{
    AssignedExpr, Assignment, Config, Layer, Module, ModuleCall, Origin, Output, Phase, ProviderConfig, StateSettings,
};
use super::super::{Assignments, Env, LoadOptions};

/// What a run puts in place of what its module says.
pub struct TestSetting {
    /// The module that is tested.
    pub module: Arc<Module>,
    /// What is assigned to its variables from outside of the test.
    pub given: Assignments,
    /// What the test assigns: name, value, and where.
    pub values: Vec<(Name, Value, Span)>,
    /// Provider configurations of the test, their expressions replaced by values.
    pub providers: Vec<ProviderConfig>,
    /// Modules that are replaced by their outputs.
    pub modules: Vec<(Pattern, Value)>,
    /// Layers that the module may name, each replaced by its outputs.
    pub stubs: Vec<Stub>,
    /// The layer that the module is; the plain one without a project.
    pub layer: LayerName,
    /// The tested folder.
    pub dir: PathBuf,
    /// Where modules are installed for it.
    pub data: PathBuf,
}

/// A layer of which a test gives the outputs.
#[derive(Clone, Debug)]
pub struct Stub {
    /// Its name.
    pub layer: LayerName,
    /// Its outputs.
    pub outputs: Value,
    /// Where they are given.
    pub span: Span,
}

/// Puts a run's configuration together.
pub fn assemble(load: &LoadOptions, setting: TestSetting) -> Config {
    let TestSetting { module, mut given, values, providers, mut modules, stubs, layer, dir, data } = setting;
    let names: Vec<Name> = given.iter().map(|(name, _)| name.clone()).collect();
    // Values for variables that the module does not have are for conditions only.
    for name in names.iter().filter(|name| !module.variables.contains_key(*name)) {
        given.remove(name);
    }
    for (name, value, span) in values.into_iter().filter(|(name, ..)| module.variables.contains_key(name)) {
        let expr = Expr { kind: ExprKind::Literal(value), span };
        given
            .set(name, Assignment { origin: Origin::Test, expr: AssignedExpr::Expr(Arc::new(expr)), span: Some(span) });
    }
    let mut root = module;
    // What is inside goes first: an outer module may take its place.
    modules.sort_by_key(|(target, _)| std::cmp::Reverse(target.module.steps().len()));
    for (target, outputs) in &modules {
        let path: Vec<&Name> = target.module.steps().iter().map(|step| &step.name).collect();
        root = replaced(&root, &path, outputs);
    }
    let root = configured(&root, providers);
    let stub = |stub: Stub| {
        let outputs = stub.outputs.as_entries().into_iter().flatten();
        let output = |(name, value): &(Name, Value)| (name.clone(), output(name.clone(), value.clone(), stub.span));
        let root = Module { dir: dir.clone(), outputs: outputs.map(output).collect(), ..Module::default() };
        Layer {
            name: stub.layer.clone(),
            dir: dir.clone(),
            data: data.clone(),
            root: Arc::new(root),
            state: StateSettings::Local { path: PathBuf::from(format!("{}.tfstate", stub.layer)) },
            assignments: given.emptied(),
            span: None,
        }
    };
    let mut layers: Vec<Layer> = stubs.into_iter().map(stub).collect();
    layers.push(Layer {
        name: layer,
        dir: dir.clone(),
        data: data.clone(),
        root,
        state: StateSettings::Local { path: dir.join("terraform.tfstate") },
        assignments: given,
        span: None,
    });
    Config {
        sources: load.sources.clone(),
        project: None,
        environment: Name::from("default"),
        sandbox: false,
        sandbox_dir: dir.join("state/sandbox-default"),
        layers,
        phases: vec![Phase { name: Name::from(""), include: Vec::new(), gates: Vec::new(), span: None }],
        shared_providers: Vec::new(),
        env: Env::default(),
        working_dir: load.working_dir.clone(),
        workspaces: None,
        global: Vec::new(),
        above: Vec::new(),
        undeclared: None,
        state_from: None,
    }
}

/// The module with the test's provider configurations in place of its own of the same names.
fn configured(module: &Arc<Module>, providers: Vec<ProviderConfig>) -> Arc<Module> {
    if providers.is_empty() {
        return module.clone();
    }
    let mut module = (**module).clone();
    let source =
        |module: &Module, provider: &ProviderConfig| -> ProviderSource { module.provider_source(&provider.local) };
    for provider in providers {
        let new = source(&module, &provider);
        let old = |known: &ProviderConfig| known.alias == provider.alias && source(&module, known).is_same(&new);
        let kept: Vec<ProviderConfig> = module.providers.iter().filter(|known| !old(known)).cloned().collect();
        module.providers = kept;
        module.providers.push(provider);
    }
    Arc::new(module)
}

/// The module with the one that a path of calls leads to replaced by its outputs.
fn replaced(module: &Arc<Module>, path: &[&Name], outputs: &Value) -> Arc<Module> {
    let Some((first, rest)) = path.split_first() else { return module.clone() };
    let Some(call) = module.calls.get(*first) else { return module.clone() };
    let called = if rest.is_empty() { stand_in(&call.module, outputs) } else { replaced(&call.module, rest, outputs) };
    let mut module = (**module).clone();
    module.calls.insert((*first).clone(), ModuleCall { module: called, ..call.clone() });
    Arc::new(module)
}

/// Only the variables of a module, and outputs that are what a test says, or null.
fn stand_in(module: &Arc<Module>, outputs: &Value) -> Arc<Module> {
    let one = |(name, written): (&Name, &Output)| {
        let value = outputs.get(name).cloned().unwrap_or_default();
        let sensitive = written.sensitive;
        (name.clone(), Output { sensitive, ..output(name.clone(), value, written.span) })
    };
    Arc::new(Module {
        dir: module.dir.clone(),
        variables: module.variables.clone(),
        required_providers: module.required_providers.clone(),
        outputs: module.outputs.iter().map(one).collect(),
        ..Module::default()
    })
}

fn output(name: Name, value: Value, span: Span) -> Output {
    Output {
        name,
        value: Arc::new(Expr { kind: ExprKind::Literal(value), span }),
        description: None,
        deprecated: None,
        sensitive: false,
        ephemeral: false,
        depends_on: Vec::new(),
        preconditions: Vec::new(),
        span,
    }
}
