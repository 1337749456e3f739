//! What names mean inside a module, a provider block of the project, or a gate.

use crate::addr::LayerName;
use crate::config::{Config, GlobalLayer};
use crate::diag::{Diagnostic, Span};
use crate::graph::{Graph, ModuleId};
use crate::lang::eval::{Reference, Repeats, Scope};
use crate::lang::functions::{Context, Function, provided};
use crate::state::State;
use crate::value::{Marks, Type, Value};

use super::world::{CopyId, Repetition, World};

/// What every scope of a run looks at.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// Its graph.
    pub graph: &'a Graph,
    /// What is known so far.
    pub world: &'a World,
    /// State of each layer as it was read: stored outputs of layers that take no part.
    pub states: &'a [State],
    /// What functions see.
    pub functions: &'a Functions<'a>,
    /// What becomes of variables.
    pub variables: Variables,
}

/// What becomes of variables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variables {
    /// They have their values; one without is an error.
    Given,
    /// They have their values; one without is unknown.
    Optional,
    /// They are unknown, whatever they were given: what is wrong is to be wrong for every value.
    Open,
    /// They are unknown as well, because nothing is done with them; that one has to be given is an error all the same.
    Unused,
}

/// What functions see: in the project file, and in each layer, whose relative paths start from its own folder.
pub struct Functions<'a> {
    /// In the project file.
    pub project: Context<'a>,
    /// In each layer, in written order.
    pub layers: Vec<Context<'a>>,
}

impl Surroundings<'_> {
    /// The output of a layer: as evaluated in this run, else as stored.
    fn layer_output(&self, layer: &LayerName, output: &str, span: Span) -> Result<Value, Box<Diagnostic>> {
        if let Some(global) = self.config.global_layer(layer) {
            return global_output(global, output, span);
        }
        let index = self.config.layer_index(layer);
        if let Some(index) = index {
            let root = self.graph.roots[index];
            let copy = self.world.copies_of(root)[0];
            let offset = self.graph.module(root).shape.output(output);
            if let Some(value) = offset.and_then(|offset| self.world.get(copy, offset)) {
                return Ok(value.clone());
            }
            if let Some(stored) = self.states.get(index).and_then(|state| state.outputs.get(output)) {
                return Ok(if stored.sensitive { stored.value.clone().sensitive() } else { stored.value.clone() });
            }
            if offset.is_some() {
                return Ok(Value::unknown(Type::Any));
            }
        }
        let detail = format!("There is no output layer.{layer}.{output}.");
        Err(Box::new(Diagnostic::error("Reference to undeclared output value", detail).at(span)))
    }
}

/// The stored output of a global layer. It is unknown where nobody has read its state: when configuration is only checked.
fn global_output(layer: &GlobalLayer, output: &str, span: Span) -> Result<Value, Box<Diagnostic>> {
    let Some(stored) = layer.stored.get() else { return Ok(Value::unknown(Type::Any)) };
    stored.get(output).cloned().ok_or_else(|| {
        let name = &layer.name;
        let detail = format!(
            "There is no value of layer.{name}.{output} in the state of the global layer {name}: it has not been applied since that \
             output was written. Apply the global layers first: infra apply -global."
        );
        Box::new(Diagnostic::error("Global layer without a stored output", detail).at(span))
    })
}

/// Names inside one copy of a module.
pub struct ModuleScope<'a> {
    /// What is known.
    pub around: Surroundings<'a>,
    /// The copy.
    pub copy: CopyId,
    /// `count.index` and `each` of the block that is evaluated.
    pub repetition: &'a Repetition,
    /// `self`, where it may be used.
    pub this: Option<&'a Value>,
}

impl<'a> ModuleScope<'a> {
    /// A scope for blocks without repetition.
    pub fn plain(around: Surroundings<'a>, copy: CopyId) -> Self {
        ModuleScope { around, copy, repetition: &Repetition::None, this: None }
    }

    fn module(&self) -> ModuleId {
        self.around.world.copy(self.copy).module
    }

    fn at(&self, offset: Option<u32>) -> Option<Value> {
        let offset = offset?;
        // A node without a value takes no part in this run: nothing is known of it.
        Some(self.around.world.get(self.copy, offset).cloned().unwrap_or_else(|| Value::unknown(Type::Any)))
    }
}

fn without_setting(name: &str, span: Span) -> Box<Diagnostic> {
    let hint = if name == "env" { " It was called \"env\" long ago." } else { "" };
    let detail = format!(
        "The \"terraform\" object does not have an attribute named {name:?}: there are terraform.workspace, the name \
         of the environment, and terraform.applying, which is true while an apply runs.{hint}"
    );
    Box::new(Diagnostic::error("Invalid \"terraform\" attribute", detail).at(span))
}

fn without_each(span: Span) -> Box<Diagnostic> {
    let detail = "The \"each\" object can be used only in \"module\" or \"resource\" blocks, and only when the \"for_each\" \
                  argument is set.";
    Box::new(Diagnostic::error("Reference to \"each\" in context without for_each", detail).at(span))
}

fn without_each_value(span: Span) -> Box<Diagnostic> {
    let detail = "There is an \"each.value\" only in blocks with \"for_each\", which this one does not have (any more). Add \
                  for_each, or remove the reference.";
    Box::new(Diagnostic::error("each.value cannot be used in this context", detail).at(span))
}

impl Scope for ModuleScope<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        let node = self.around.graph.module(self.module());
        let found = match reference {
            Reference::Var(name) => self.at(node.shape.variable(name)),
            Reference::Local(name) => self.at(node.shape.local(name)),
            Reference::Resource(addr) => self.at(node.shape.resource(addr)),
            Reference::Module { name, .. } => node.shape.call(name).map(|_| {
                let value = self.around.world.module_value(self.around.graph, self.copy, name);
                value.unwrap_or_else(|| Value::unknown(Type::Any))
            }),
            Reference::Layer { layer, output } => return self.around.layer_output(layer, output, span),
            Reference::EachKey => match self.repetition {
                Repetition::Each(key, _) => Some(Value::string(key.clone())),
                Repetition::Unknown(_) => Some(Value::unknown_not_null(Type::String)),
                Repetition::None | Repetition::Count(_) => return Err(without_each(span)),
            },
            Reference::EachValue => match self.repetition {
                Repetition::Each(_, value) | Repetition::Unknown(value) => Some(value.clone()),
                Repetition::None | Repetition::Count(_) => return Err(without_each_value(span)),
            },
            Reference::CountIndex => match self.repetition {
                Repetition::Count(index) => Some(Value::int(i64::try_from(*index).unwrap_or(i64::MAX))),
                Repetition::Unknown(_) => Some(Value::unknown_not_null(Type::Number)),
                Repetition::None | Repetition::Each(..) => {
                    return Err(Box::new(
                        Diagnostic::error(
                            "Reference to \"count\" in non-counted context",
                            "The \"count\" object can only be used in \"module\", \"resource\", and \"data\" blocks, and \
                             only when the \"count\" argument is set.",
                        )
                        .at(span),
                    ));
                }
            },
            Reference::SelfObject => match self.this {
                Some(value) => Some(value.clone()),
                None => {
                    return Err(Box::new(
                        Diagnostic::error(
                            "Invalid \"self\" reference",
                            "The \"self\" object is not available in this context. It can be used only in resource \
                             provisioner, connection, and postcondition blocks.",
                        )
                        .at(span),
                    ));
                }
            },
            Reference::PathModule => Some(module_path(self.around, self.module())),
            Reference::PathRoot => Some(Value::from(".")),
            Reference::PathCwd => Some(Value::from(self.around.config.working_dir.display().to_string())),
            Reference::Terraform(name) if *name == "workspace" => {
                Some(Value::string(self.around.config.environment.clone()))
            }
            Reference::Terraform(name) if *name == "applying" => {
                Some(Value::Bool(self.functions().now.is_some()).mark(Marks::EPHEMERAL))
            }
            Reference::Terraform(name) => return Err(without_setting(name, span)),
            Reference::Bare(_) => None,
        };
        found.ok_or_else(|| {
            let detail = format!("There is nothing named {reference} here.");
            Box::new(Diagnostic::error("Invalid reference", detail).at(span))
        })
    }

    fn functions(&self) -> &Context<'_> {
        &self.around.functions.layers[self.around.graph.module(self.module()).layer]
    }

    fn provided(&self, provider: &str, name: &str) -> Option<&'static Function> {
        let required = self.around.graph.module(self.module()).module.required_providers.get(provider)?;
        provided(&required.source, name)
    }

    fn repeats(&self, reference: &Reference) -> Option<Repeats> {
        let module = &self.around.graph.module(self.module()).module;
        let of = |count: bool, each: bool| match (count, each) {
            (true, _) => Repeats::Count,
            (false, true) => Repeats::Each,
            (false, false) => Repeats::Not,
        };
        match reference {
            Reference::Resource(addr) => {
                module.resources.get(addr).map(|block| of(block.count.is_some(), block.for_each.is_some()))
            }
            Reference::Module { name, .. } => {
                module.calls.get(name).map(|block| of(block.count.is_some(), block.for_each.is_some()))
            }
            _ => None,
        }
    }
}

/// Names that provisioners see which run before an object is destroyed: the object and its key, and what is true of the run. Its
/// module may have no copy any more.
pub struct ObjectScope<'a> {
    /// What is known.
    pub around: Surroundings<'a>,
    /// The module that the block stands in.
    pub module: ModuleId,
    /// The key of the object.
    pub repetition: &'a Repetition,
    /// The object.
    pub this: &'a Value,
}

impl Scope for ObjectScope<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        let root = self.around.graph.roots[self.around.graph.module(self.module).layer];
        let copy = self.around.world.copies_of(root)[0];
        let (repetition, this) = (self.repetition, Some(self.this));
        match reference {
            Reference::PathModule => Ok(module_path(self.around, self.module)),
            Reference::SelfObject
            | Reference::CountIndex
            | Reference::EachKey
            | Reference::PathRoot
            | Reference::PathCwd
            | Reference::Terraform(_) => {
                // These mean the same in every module of a layer.
                ModuleScope { around: self.around, copy, repetition, this }.resolve(reference, span)
            }
            other => {
                let detail = format!("{other} cannot be used here: only self, count.index and each.key can.");
                Err(Box::new(Diagnostic::error("Invalid reference from destroy provisioner", detail).at(span)))
            }
        }
    }

    fn functions(&self) -> &Context<'_> {
        &self.around.functions.layers[self.around.graph.module(self.module).layer]
    }
}

fn module_path(around: Surroundings<'_>, module: ModuleId) -> Value {
    let node = around.graph.module(module);
    Value::from(show(&node.module.dir, &around.config.layers[node.layer].dir))
}

/// Folders are shown relative to the layer's own, as Terraform does: `.` and `modules/a`.
fn show(dir: &std::path::Path, root: &std::path::Path) -> String {
    match dir.strip_prefix(root) {
        Ok(rest) if rest.as_os_str().is_empty() => ".".to_owned(),
        Ok(rest) => rest.display().to_string(),
        Err(_) => crate::config::relative(dir, root).display().to_string(),
    }
}

/// Names inside the project file's providers and gates.
pub struct ProjectScope<'a> {
    /// What is known.
    pub around: Surroundings<'a>,
}

impl Scope for ProjectScope<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        match reference {
            Reference::Layer { layer, output } => self.around.layer_output(layer, output, span),
            Reference::Bare(name) if *name == "environment" => {
                Ok(Value::object([("name", Value::string(self.around.config.environment.clone()))]))
            }
            other => Err(Box::new(
                Diagnostic::error(
                    "Invalid reference in the project file",
                    format!(
                        "{other} cannot be used here: only env(\"NAME\"), environment.name and layer.NAME.OUTPUT can."
                    ),
                )
                .at(span),
            )),
        }
    }

    fn functions(&self) -> &Context<'_> {
        &self.around.functions.project
    }

    fn is_bare(&self, name: &str) -> bool {
        name == "environment"
    }
}
