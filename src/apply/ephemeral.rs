//! Ephemeral resources when applying: opened as soon as what they need is there, if some change needs them.

use std::sync::Arc;

use crate::addr::ResourceAddr;
use crate::diag::{Diagnostics, Outcome};
use crate::graph::{ModuleId, NodeId};
use crate::lang::decode::decode;
use crate::plan::ephemeral::{Held, marked, open};
use crate::plan::expand::{Repeated, copies};
use crate::plan::keyed::choose;
use crate::plan::rules::check;
use crate::plan::scope::ModuleScope;
use crate::plan::world::{CopyId, Repetition, Shaping, resource_value};
use crate::plan::{block_name, schema_of};
use crate::provider::Configured;
use crate::value::{Marks, Path, Value};

use super::run::{Done, Run};
use super::values::Evaluated;

/// What came of opening the instances in one copy of the module.
pub(super) struct OpenCopy {
    copy: CopyId,
    shaping: Shaping,
    instances: Vec<(Repetition, Outcome<(Value, Held)>)>,
}

/// An instance that can be opened.
struct Ready {
    addr: crate::addr::InstanceAddr,
    configured: Arc<dyn Configured>,
    config: Value,
    marks: Vec<(Path, Marks)>,
}

impl<'a> Run<'a> {
    /// Opens all instances of a block, unless no change needs it or its arguments will be known in a later segment only.
    pub(super) fn open_ephemeral(
        &mut self,
        step: u32,
        node: NodeId,
        module: ModuleId,
        addr: &ResourceAddr,
    ) -> Evaluated<'a> {
        let graph = &self.plan.segment().graph;
        let (Some(provider), Some((_, resource))) = (graph.provider_of.get(&node), graph.resource(node)) else {
            return Evaluated::Done(true);
        };
        if self.needed.get(node.index()) != Some(&true) {
            return Evaluated::Done(true);
        }
        let mut ready = Vec::new();
        let mut said = Diagnostics::none();
        for copy in self.world.copies_of(module).to_vec() {
            let scope = ModuleScope::plain(self.around(), copy);
            let expanded = copies(Repeated::of(resource), &scope, true).take(&mut said);
            let Some((shaping, repetitions)) = expanded else { continue };
            let mut instances = Vec::new();
            for repetition in repetitions {
                match self.ready(node, copy, &repetition) {
                    Ok(Some(one)) => instances.push((repetition, one)),
                    Ok(None) => return Evaluated::Done(true),
                    Err(wrong) => said.append(wrong),
                }
            }
            ready.push((copy, shaping, instances));
        }
        if said.has_errors() {
            self.said.append(said.located(Some(resource.block.header), Some(&block_name(addr))));
            return Evaluated::Done(false);
        }
        let (kind, events) = (self.providers[provider.index()].kind.clone(), self.inputs.events);
        Evaluated::Call(Box::pin(async move {
            let mut opened = Vec::with_capacity(ready.len());
            for (copy, shaping, instances) in ready {
                let each =
                    instances.into_iter().map(async |(repetition, Ready { addr, configured, config, marks })| {
                        let outcome = open(configured, addr.clone(), config, events).await;
                        let outcome = outcome.and_then(|(opened, held)| match schema_of(&*kind, &addr) {
                            Some(schema) => Outcome::ok((marked(schema, opened.value, &marks), held)),
                            None => Outcome::ok((opened.value.mark(Marks::EPHEMERAL), held)),
                        });
                        (repetition, outcome)
                    });
                let instances = futures::future::join_all(each).await;
                opened.push(OpenCopy { copy, shaping, instances });
            }
            Done::Opened(step, node, opened)
        }))
    }

    /// The arguments of an instance and who opens it; `None` where they are not known yet.
    fn ready(&self, node: NodeId, copy: CopyId, repetition: &Repetition) -> Result<Option<Ready>, Diagnostics> {
        let graph = &self.plan.segment().graph;
        let Some((module, resource)) = graph.resource(node) else { return Ok(None) };
        let layer = graph.layers[graph.module(module).layer].clone();
        let addr = resource.addr.instance(layer, self.world.copy(copy).addr.clone(), repetition.key());
        let provider = match graph.keyed.get(&node) {
            None => graph.provider_of.get(&node).copied(),
            Some(keyed) => Some(choose(self.around(), keyed, copy, repetition, &addr)?),
        };
        let Some(provider) = provider.map(|id| &self.providers[id.index()]) else { return Ok(None) };
        let Some(configured) = provider.ask().cloned() else { return Ok(None) };
        let Some(schema) = schema_of(&*provider.kind, &addr) else { return Ok(None) };
        let scope = ModuleScope { around: self.around(), copy, repetition, this: None };
        let mut decoded = decode(&resource.body, &schema.block, &scope);
        for rule in &resource.lifecycle.preconditions {
            decoded.said.append(check(rule, &scope, "Resource precondition failed"));
        }
        let (config, _) = decoded.into_result()?;
        let (config, marks) = config.unmark_paths();
        Ok(config.is_wholly_known().then_some(Ready { addr, configured, config, marks }))
    }

    /// Takes in what was opened.
    pub(super) fn opened(&mut self, step: u32, node: NodeId, copies: Vec<OpenCopy>) {
        let graph = self.plan.segment().graph.clone();
        let Some((_, resource)) = graph.resource(node) else { return self.release(step, true) };
        let (header, within) = (resource.block.header, block_name(&resource.addr));
        let mut failed = false;
        for OpenCopy { copy, shaping, instances } in copies {
            let mut values = Vec::with_capacity(instances.len());
            for (repetition, outcome) in instances {
                let mut said = outcome.said;
                if let Some((value, held)) = outcome.value {
                    self.held.push(held);
                    let scope =
                        ModuleScope { around: self.around(), copy, repetition: &repetition, this: Some(&value) };
                    for rule in &resource.lifecycle.postconditions {
                        said.append(check(rule, &scope, "Resource postcondition failed"));
                    }
                    values.push((repetition, value));
                }
                failed |= said.has_errors();
                self.said.append(said.located(Some(header), Some(&within)));
            }
            self.world.set(&graph, node, copy, resource_value(shaping, values));
        }
        self.release(step, failed);
    }
}
