//! The blocks of the project file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::addr::Name;
use crate::diag::{Diagnostic, Diagnostics, Span, did_you_mean};
use crate::lang::eval::evaluate;
use crate::lang::syntax::ast::{Attribute, Block, Body};
use crate::value::{Type, Value, convert};

use super::super::assign::Surroundings;
use super::super::block::{duplicate_provider, find_provider, provider_config, text_of};
use super::super::files::normal;
use super::super::global::LayerScope;
use super::super::load::LoadOptions;
use super::super::model::ProviderConfig;
use super::super::scope::{Env, Nothing, context};
use super::super::shape::{Shape, check_name, describe, not_yet, place};

/// Everything the file says.
pub struct Blocks {
    /// `project { name }`.
    pub name: Name,
    /// What `env("X")` may read.
    pub env: Env,
    /// The `state` block.
    pub state: Option<Arc<Block>>,
    /// Environments in written order.
    pub environments: Vec<EnvironmentBlock>,
    /// Layers in written order.
    pub layers: Vec<LayerBlock>,
    /// Phases in written order, unread.
    pub phases: Vec<Arc<Block>>,
    /// Shared providers.
    pub providers: Vec<ProviderConfig>,
}

/// An `environment` block.
pub struct EnvironmentBlock {
    /// Its name.
    pub name: Name,
    /// Files of variables, absolute, weakest first.
    pub var_files: Vec<(PathBuf, Span)>,
    /// Whether its state is local whatever the state block says.
    pub local_state: bool,
    /// Whether kubernetes is the in-process API.
    pub sandbox: bool,
    /// What there is one of it for each of, such as `pull_request`: a run names the instance, `-env test/123`.
    pub per: Option<String>,
}

/// A `layer` block.
#[derive(Clone)]
pub struct LayerBlock {
    /// Its name.
    pub name: Name,
    /// The folder, absolute.
    pub dir: PathBuf,
    /// Where the source is written.
    pub source: Span,
    /// How often it exists.
    pub scope: LayerScope,
    /// Files of variables of a global layer, absolute, weakest first.
    pub var_files: Vec<(PathBuf, Span)>,
    /// The block's header.
    pub span: Span,
}

impl EnvironmentBlock {
    /// The one environment of a project that declares none.
    pub fn undeclared() -> Self {
        let name = Name::from("default");
        EnvironmentBlock { name, var_files: Vec::new(), local_state: false, sandbox: false, per: None }
    }
}

const PROJECT: Shape = Shape { arguments: &["name", "env", "module_mirror"], required: &["name"], ..Shape::EMPTY };
const STATE: Shape = Shape { labels: &["type"], ..Shape::EMPTY };
const ENVIRONMENT: Shape =
    Shape { labels: &["name"], arguments: &["var_files", "state", "sandbox", "per", "ttl"], ..Shape::EMPTY };
const LAYER: Shape =
    Shape { labels: &["name"], arguments: &["source", "scope", "var_files"], required: &["source"], ..Shape::EMPTY };
const KNOWN: &[&str] = &["project", "state", "environment", "provider", "layer", "phase"];

/// Reads the blocks; says what is wrong with them.
pub fn blocks(options: &LoadOptions, dir: &Path, body: &Body, said: &mut Diagnostics) -> Blocks {
    let mut blocks = Blocks {
        name: Name::from(""),
        env: Env::default(),
        state: None,
        environments: Vec::new(),
        layers: Vec::new(),
        phases: Vec::new(),
        providers: Vec::new(),
    };
    for attribute in &body.attributes {
        let detail = format!(
            "An argument named {:?} is not expected here. Arguments stand inside of blocks.",
            attribute.name.text.as_str()
        );
        said.push(Diagnostic::error("Unsupported argument", detail).at(attribute.name.span));
    }
    // What env() may read is needed by all other blocks.
    let mut reader = Reader { options, dir, blocks: &mut blocks, said, seen: BTreeMap::new() };
    let (first, rest): (Vec<_>, Vec<_>) = body.blocks.iter().partition(|block| block.kind.text == "project");
    if first.is_empty() {
        let detail = "The project file needs a block such as project { name = \"blueprint\" }.";
        reader.said.push(Diagnostic::error("Missing project block", detail).or_at(body.span));
    }
    for block in first.into_iter().chain(rest) {
        reader.block(block);
    }
    blocks
}

struct Reader<'a> {
    options: &'a LoadOptions,
    dir: &'a Path,
    blocks: &'a mut Blocks,
    said: &'a mut Diagnostics,
    /// The first block of each kind and name.
    seen: BTreeMap<String, Span>,
}

impl Reader<'_> {
    fn block(&mut self, block: &Arc<Block>) {
        let before = self.said.0.len();
        match block.kind.text.as_str() {
            "project" => self.project(block),
            "state" => self.state(block),
            "environment" => self.environment(block),
            "layer" => self.layer(block),
            "phase" => {
                if self.is_first(block, "Duplicate phase") {
                    self.blocks.phases.push(block.clone());
                }
            }
            "provider" => {
                if let Some(provider) = provider_config(block, self.said) {
                    if let Some(for_each) = &provider.for_each {
                        let wrong = not_yet("for_each of a provider block of the project file");
                        self.said.push(wrong.at(for_each.span));
                    }
                    match find_provider(&self.blocks.providers, &provider.local, provider.alias.as_ref()) {
                        Some(first) => {
                            let at = place(&self.options.sources, first);
                            self.said.push(duplicate_provider(&provider, &at));
                        }
                        None => self.blocks.providers.push(provider),
                    }
                }
            }
            kind => {
                let hint = did_you_mean(kind, KNOWN.iter().copied());
                let detail = format!("Blocks of type {kind:?} are not expected in the project file.{hint}");
                self.said.push(Diagnostic::error("Unsupported block type", detail).at(block.kind.span));
            }
        }
        let within = describe(block);
        for diagnostic in &mut self.said.0[before..] {
            diagnostic.within.get_or_insert_with(|| within.clone());
        }
    }

    /// Whether a block is the first of its kind and labels; says so when it is not.
    fn is_first(&mut self, block: &Block, summary: &str) -> bool {
        let name = describe(block);
        match self.seen.get(&name) {
            Some(first) => {
                let at = place(&self.options.sources, *first);
                let detail = format!("A block {name} was already written at {at}.");
                self.said.push(Diagnostic::error(summary, detail).at(block.header));
                false
            }
            None => {
                self.seen.insert(name, block.header);
                true
            }
        }
    }

    /// The value of an argument, which may call functions and read the environment.
    fn value(&mut self, attribute: &Attribute, ty: &Type) -> Option<Value> {
        let around = Surroundings::of(self.options, self.blocks.env.clone(), self.dir);
        let value = evaluate(&attribute.expr, &Nothing(context(&around))).take(self.said)?;
        match convert(&value, ty) {
            Ok(value) if value.is_null() => None,
            Ok(value) => Some(value),
            Err(error) => {
                let detail = format!("Inappropriate value for attribute {:?}: {error}.", attribute.name.text.as_str());
                self.said.push(Diagnostic::error("Incorrect attribute value type", detail).at(attribute.expr.span));
                None
            }
        }
    }

    fn texts(&mut self, block: &Block, name: &str) -> Vec<String> {
        let Some(attribute) = block.body.attribute(name) else { return Vec::new() };
        let value = self.value(attribute, &Type::list(Type::String));
        let items = value.as_ref().and_then(Value::as_items).unwrap_or_default();
        items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn project(&mut self, block: &Block) {
        PROJECT.check(block, self.said);
        if !self.is_first(block, "Duplicate project block") {
            return;
        }
        let listed = self.texts(block, "env");
        self.blocks.env = Env::new(listed, &self.options.process_env);
        self.mirror(block);
        if let Some(attribute) = block.body.attribute("name")
            && let Some(name) = self.value(attribute, &Type::String)
            && let Some(name) = name.as_str()
        {
            self.blocks.name = Name::from(name);
            check_name("project", &self.blocks.name.clone(), attribute.expr.span, self.said);
        }
    }

    fn mirror(&mut self, block: &Block) {
        if let Some(attribute) = block.body.attribute("module_mirror")
            && let Some(folder) = self.value(attribute, &Type::String)
            && let Some(folder) = folder.as_str()
            && let Some(installing) = &self.options.installing
        {
            installing.set_mirror(normal(&self.dir.join(folder)));
        }
    }

    fn state(&mut self, block: &Arc<Block>) {
        if !STATE.check_labels(block, self.said) {
            return;
        }
        let kind = &block.labels[0];
        if !matches!(kind.text.as_str(), "local" | "s3") {
            let hint = did_you_mean(&kind.text, ["local", "s3"]);
            let detail =
                format!("There are the kinds of state \"local\" and \"s3\", not {:?}.{hint}", kind.text.as_str());
            self.said.push(Diagnostic::error("Unknown kind of state", detail).at(kind.span));
            return;
        }
        if let Some(first) = &self.blocks.state {
            let at = place(&self.options.sources, first.header);
            let detail = format!("A project has one state block, and it was already written at {at}.");
            self.said.push(Diagnostic::error("Duplicate state block", detail).at(block.header));
            return;
        }
        self.blocks.state = Some(block.clone());
    }

    /// `per` of an environment; `ttl`, how long an instance is meant to last, is only looked at here.
    fn instances(&mut self, block: &Block) -> Option<String> {
        let mut text = |name: &str| {
            let attribute = block.body.attribute(name)?;
            let value = self.value(attribute, &Type::String)?;
            Some((value.as_str().unwrap_or_default().to_owned(), attribute.expr.span))
        };
        let (per, ttl) = (text("per"), text("ttl"));
        if let Some((_, span)) = per.as_ref().filter(|(per, _)| !crate::lang::syntax::is_name(per)) {
            let detail = "The argument says what there is an instance for, as a name: \"pull_request\".";
            self.said.push(Diagnostic::error("Invalid instances of an environment", detail).at(*span));
        }
        if let Some((ttl, span)) = ttl {
            let wrong = match (&per, crate::text::duration::parse(&ttl)) {
                (None, _) => Some("Only an environment with instances has a ttl: it needs the argument \"per\"."),
                (Some(_), None) => Some("The argument is a time such as \"72h\" or \"30m\"."),
                (Some(_), Some(_)) => None,
            };
            if let Some(detail) = wrong {
                self.said.push(Diagnostic::error("Invalid ttl of an environment", detail).at(span));
            }
        }
        per.map(|(per, _)| per)
    }

    fn environment(&mut self, block: &Block) {
        if !ENVIRONMENT.check(block, self.said) || !self.is_first(block, "Duplicate environment") {
            return;
        }
        let label = &block.labels[0];
        if !check_name("environment", &label.text, label.span, self.said) {
            return;
        }
        let var_files = self.var_files(block, &format!("environment {:?}", label.text.as_str()));
        let mut local_state = false;
        if let Some(attribute) = block.body.attribute("state")
            && let Some(state) = self.value(attribute, &Type::String)
        {
            local_state = state.as_str() == Some("local");
            if !local_state {
                let detail = "The state of an environment is \"local\", or as the project's state block says when this argument \
                              is left out.";
                self.said.push(Diagnostic::error("Invalid state of an environment", detail).at(attribute.expr.span));
            }
        }
        let sandbox = match block.body.attribute("sandbox") {
            Some(attribute) => self.value(attribute, &Type::Bool).and_then(|value| value.as_bool()).unwrap_or(false),
            None => false,
        };
        let per = self.instances(block);
        self.blocks.environments.push(EnvironmentBlock {
            name: label.text.clone(),
            var_files,
            local_state,
            sandbox,
            per,
        });
    }

    fn layer(&mut self, block: &Block) {
        if !LAYER.check(block, self.said) || !self.is_first(block, "Duplicate layer") {
            return;
        }
        let label = &block.labels[0];
        if !check_name("layer", &label.text, label.span, self.said) {
            return;
        }
        let scope = self.scope(block);
        let var_files = self.var_files(block, &format!("layer {:?}", label.text.as_str()));
        if let (LayerScope::Environment, Some(attribute)) = (scope, block.body.attribute("var_files")) {
            let detail = "Only a layer with scope = \"global\" has files of variables of its own. Values for a layer that exists once \
                          per environment come from var_files of the environments, or from *.auto.tfvars in the layer's folder.";
            self.said.push(Diagnostic::error("Unexpected var_files", detail).at(attribute.name.span));
        }
        let Some(source) = block.body.attribute("source") else { return };
        let Some(text) = text_of(&source.expr) else {
            let detail =
                "The source of a layer is a string that is written out: the path of a folder, from the project file.";
            self.said.push(Diagnostic::error("Invalid layer source", detail).at(source.expr.span));
            return;
        };
        if text.contains("://") || text.contains("::") {
            self.said.push(not_yet("A layer source outside of the project").at(source.expr.span));
            return;
        }
        let dir = normal(&self.dir.join(text.as_str()));
        if let Some(other) = self.blocks.layers.iter().find(|layer| layer.dir == dir) {
            let detail =
                format!("Layer {:?} has the same source. Two layers cannot share a folder.", other.name.as_str());
            self.said.push(Diagnostic::error("Duplicate layer source", detail).at(source.expr.span));
            return;
        }
        self.blocks.layers.push(LayerBlock {
            name: label.text.clone(),
            dir,
            source: source.expr.span,
            scope,
            var_files,
            span: block.header,
        });
    }

    fn scope(&mut self, block: &Block) -> LayerScope {
        let Some(attribute) = block.body.attribute("scope") else { return LayerScope::Environment };
        let scope = self.value(attribute, &Type::String);
        match scope.as_ref().and_then(Value::as_str) {
            Some("global") => LayerScope::Global,
            Some("environment") | None => LayerScope::Environment,
            Some(_) => {
                let detail = "The scope of a layer is \"environment\" (the default) or \"global\".";
                self.said.push(Diagnostic::error("Invalid scope", detail).at(attribute.expr.span));
                LayerScope::Environment
            }
        }
    }

    /// The files that `var_files` lists; says which are not there.
    fn var_files(&mut self, block: &Block, owner: &str) -> Vec<(PathBuf, Span)> {
        let span = block.body.attribute("var_files").map_or(block.header, |attribute| attribute.expr.span);
        let mut found = Vec::new();
        for file in self.texts(block, "var_files") {
            let path = normal(&self.dir.join(&file));
            if self.options.files.read(&path).is_err() {
                let detail = format!("The file {file} of {owner} does not exist or cannot be read.");
                self.said.push(Diagnostic::error("Missing variables file", detail).at(span));
            } else {
                found.push((path, span));
            }
        }
        found
    }
}
