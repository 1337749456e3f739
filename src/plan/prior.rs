//! What a provider's configuration was when state was written: the same expressions over stored values. Refresh and delete
//! need it when the planned configuration is not known.

use crate::diag::{Diagnostic, Span};
use crate::graph::{ModuleId, Node, NodeId, Owner, ProviderId};
use crate::lang::eval::{Reference, Scope, evaluate};
use crate::lang::functions::Context;
use crate::provider::Provider;
use crate::value::{Type, Value};

use super::objects::Objects;
use super::provider::decode_body;
use super::scope::{ModuleScope, Surroundings};
use super::world::{Repetition, Shaping, resource_value};

/// The stored configuration of a provider, if everything it needs is stored.
pub fn prior_config(
    around: Surroundings<'_>,
    objects: &Objects<'_>,
    id: ProviderId,
    kind: &dyn Provider,
) -> Option<Value> {
    let node = &around.graph.providers[id.index()];
    let module = match node.owner {
        Owner::Project => None,
        Owner::Module(module) => Some(module),
    };
    let outcome = decode_body(around, id, kind, &PriorScope { around, objects, module, depth: 0 });
    let (value, _) = outcome.into_result().ok()?;
    value.is_wholly_known().then_some(value)
}

struct PriorScope<'a> {
    around: Surroundings<'a>,
    objects: &'a Objects<'a>,
    /// `None` in the project file.
    module: Option<ModuleId>,
    depth: usize,
}

impl PriorScope<'_> {
    fn node(&self, node: NodeId) -> Option<Value> {
        // Deep chains of locals are rare in provider blocks; a bound keeps hostile input from the stack.
        if self.depth > 64 {
            return None;
        }
        let module = self.around.graph.module_of(node)?;
        let content = &self.around.graph.module(module).module;
        let inner = PriorScope { module: Some(module), depth: self.depth + 1, ..*self };
        match self.around.graph.node(node) {
            Node::Variable(_, name) => {
                let variable = content.variables.get(name)?;
                match self.around.graph.call(module) {
                    None => {
                        let copy = self.around.world.copies_of(module).first()?;
                        super::values::node_value(self.around, node, *copy).value
                    }
                    Some((caller, call)) => match call.arguments.iter().find(|argument| argument.name.text == *name) {
                        Some(argument) => evaluate(&argument.expr, &PriorScope { module: Some(caller), ..inner }).value,
                        None => evaluate(variable.default.as_ref()?, &inner).value,
                    },
                }
            }
            Node::Local(_, name) => evaluate(&content.locals.get(name)?.expr, &inner).value,
            Node::Output(_, name) => evaluate(&content.outputs.get(name)?.value, &inner).value,
            Node::Resource(..) | Node::Data(..) => self.stored(node),
            Node::Ephemeral(..) | Node::ModuleCall(..) | Node::ModuleEnd(..) | Node::Provider(_) => None,
        }
    }

    fn stored(&self, node: NodeId) -> Option<Value> {
        let addr = self.around.graph.config_addr(node)?;
        let kept = self.objects.of_block(&addr);
        let mut shaping = Shaping::Single;
        let mut instances = Vec::new();
        for (instance, value) in kept {
            let repetition = match instance.key {
                None => Repetition::None,
                Some(crate::addr::InstanceKey::Int(index)) => {
                    shaping = Shaping::Count;
                    Repetition::Count(index)
                }
                Some(crate::addr::InstanceKey::Str(key)) => {
                    shaping = Shaping::Each;
                    Repetition::Each(key, Value::NULL)
                }
                Some(crate::addr::InstanceKey::Unknown) => return None,
            };
            instances.push((repetition, value));
        }
        if instances.is_empty() { None } else { Some(resource_value(shaping, instances)) }
    }
}

impl Scope for PriorScope<'_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Box<Diagnostic>> {
        let missing = || Box::new(Diagnostic::error("Not stored", format!("{reference} is not stored.")).at(span));
        if let Reference::Layer { layer, output } = reference {
            if let Some(global) = self.around.config.global_layer(layer) {
                let stored = global.stored.get().and_then(|stored| stored.get(output)).ok_or_else(missing)?;
                return Ok(stored.clone().unmark_deep().0);
            }
            let index = self.around.config.layer_index(layer).ok_or_else(missing)?;
            let stored =
                self.around.states.get(index).and_then(|state| state.outputs.get(output)).ok_or_else(missing)?;
            return Ok(stored.value.clone());
        }
        let Some(module) = self.module else {
            return super::scope::ProjectScope { around: self.around }.resolve(reference, span);
        };
        let graph = self.around.graph;
        let shape = &graph.module(module).shape;
        let found = match reference {
            Reference::Var(name) => shape.variable(name).map(|at| graph.at(module, at)),
            Reference::Local(name) => shape.local(name).map(|at| graph.at(module, at)),
            Reference::Resource(addr) => shape.resource(addr).map(|at| graph.at(module, at)),
            Reference::Module { name, .. } => {
                let child = *graph.module(module).children.get(name).ok_or_else(missing)?;
                let node = graph.module(child);
                let entries = node.module.outputs.keys().filter_map(|name| {
                    let node = graph.at(child, node.shape.output(name)?);
                    Some((name.clone(), self.node(node).unwrap_or_else(|| Value::unknown(Type::Any))))
                });
                return Ok(Value::object(entries));
            }
            Reference::Layer { .. }
            | Reference::EachKey
            | Reference::EachValue
            | Reference::CountIndex
            | Reference::SelfObject
            | Reference::PathModule
            | Reference::PathRoot
            | Reference::PathCwd
            | Reference::Terraform(_)
            | Reference::Bare(_) => {
                let copy = self.around.world.copies_of(module).first().ok_or_else(missing)?;
                return ModuleScope::plain(self.around, *copy).resolve(reference, span);
            }
        };
        found.and_then(|node| self.node(node)).ok_or_else(missing)
    }

    fn functions(&self) -> &Context<'_> {
        match self.module {
            Some(module) => &self.around.functions.layers[self.around.graph.module(module).layer],
            None => &self.around.functions.project,
        }
    }

    fn is_bare(&self, name: &str) -> bool {
        self.module.is_none() && name == "environment"
    }
}

/// The value of an expression of a module before the walk: from variables, locals and what is stored.
pub fn early_value(
    around: Surroundings<'_>,
    objects: &Objects<'_>,
    module: ModuleId,
    expr: &crate::lang::syntax::ast::Expr,
) -> Option<Value> {
    evaluate(expr, &PriorScope { around, objects, module: Some(module), depth: 0 }).value
}
