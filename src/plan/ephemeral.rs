//! Ephemeral resources: opened when what they need is known, closed when the run has ended; nothing of them is kept.
//!
//! A plan opens them for what it asks of providers and closes them at its end. The apply opens them again: what a plan has
//! learnt from one is forgotten before it is handed on, and becomes known anew. Not here: what they are used for.

use std::sync::Arc;

use crate::addr::InstanceAddr;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::event::{Event, Events};
use crate::graph::{Graph, Node, NodeId};
use crate::provider::{Boxed, Configured, OpenRequest, Opened};
use crate::schema::{Schema, attribute_at, sensitive_paths};
use crate::value::{Marks, Path, Step, Type, Value};

use super::instance::{Answer, Draft, Finished, InstanceDone, Start, schema_of};
use super::model::Plan;
use super::provider::Status;
use super::rules::check;
use super::scope::ModuleScope;
use super::walk::{Done, Place, Walk, block_name};
use super::world::{CopyId, World};

/// One that is open.
pub struct Held {
    addr: InstanceAddr,
    configured: Arc<dyn Configured>,
    private: Vec<u8>,
}

/// Opens one, telling those who listen.
pub async fn open(
    configured: Arc<dyn Configured>,
    addr: InstanceAddr,
    config: Value,
    events: &dyn Events,
) -> Outcome<(Opened, Held)> {
    let began = std::time::Instant::now();
    events.emit(Event::EphemeralStarted { addr: addr.clone(), closes: false });
    let outcome = configured.open(OpenRequest { kind: addr.resource.kind.to_string(), config }).await;
    let (elapsed, failed) = (began.elapsed(), outcome.has_errors());
    events.emit(Event::EphemeralEnded { addr: addr.clone(), closes: false, elapsed, failed });
    outcome.and_then(|opened| {
        let held = Held { addr, configured, private: opened.private.clone() };
        Outcome::ok((opened, held))
    })
}

/// Closes all of them, the last one first.
pub async fn close(held: Vec<Held>, events: &dyn Events) -> Diagnostics {
    let mut all = Diagnostics::none();
    for Held { addr, configured, private } in held.into_iter().rev() {
        let began = std::time::Instant::now();
        events.emit(Event::EphemeralStarted { addr: addr.clone(), closes: true });
        let said = configured.close(&addr.resource.kind, private).await;
        let (elapsed, failed) = (began.elapsed(), said.has_errors());
        events.emit(Event::EphemeralEnded { addr: addr.clone(), closes: true, elapsed, failed });
        all.append(said.about(&addr));
    }
    all
}

/// What the rest of the configuration sees of an open one: ephemeral as a whole.
pub fn marked(schema: &Schema, value: Value, marks: &[(Path, Marks)]) -> Value {
    let mut all = sensitive_paths(&schema.block, &value);
    all.extend(marks.iter().cloned());
    value.mark_paths(&all).mark(Marks::EPHEMERAL)
}

/// The value with everything ephemeral in it unknown.
pub(super) fn forgotten(value: &Value) -> Value {
    value.replace_marked(Marks::EPHEMERAL, &|part, marks| Value::unknown(part.ty()).mark(marks))
}

/// The same of a value without marks, at these paths.
pub(super) fn forgotten_at(value: Value, ephemeral: &[(Path, Marks)]) -> Value {
    if ephemeral.is_empty() { value } else { forgotten(&value.mark_paths(ephemeral)).unmark_deep().0 }
}

/// Takes the ephemeral ones out of the marks of a block's arguments: those stand at write-only attributes, or are said to be
/// wrong.
pub(super) fn split(
    schema: &Schema,
    addr: &dyn std::fmt::Display,
    body: &crate::lang::syntax::ast::Body,
    marks: Vec<(Path, Marks)>,
    said: &mut Diagnostics,
) -> (Vec<(Path, Marks)>, Vec<(Path, Marks)>) {
    let mut others = Vec::with_capacity(marks.len());
    let mut ephemeral = Vec::new();
    for (path, marks) in marks {
        let rest = marks.without(Marks::EPHEMERAL);
        if !rest.is_none() {
            others.push((path.clone(), rest));
        }
        if !marks.contains(Marks::EPHEMERAL) {
            continue;
        }
        if !attribute_at(&schema.block, &path).is_some_and(|attribute| attribute.write_only) {
            // The attribute, not what is inside of its value.
            let mut at = (1..=path.steps().len()).map(|end| path.steps()[..end].iter().cloned().collect::<Path>());
            let shown = at.find(|part| attribute_at(&schema.block, part).is_some()).unwrap_or_else(|| path.clone());
            let detail = format!(
                "Ephemeral values are not valid for \"{shown}\", because it is not a write-only attribute and must be \
                 persisted to state."
            );
            let written = match path.steps().first() {
                Some(Step::Attribute(name)) => body.attribute(name),
                Some(Step::Key(_) | Step::Index(_)) | None => None,
            };
            let error = Diagnostic::error("Invalid use of ephemeral value", detail).about(addr);
            said.push(error.or_at(written.map(|attribute| attribute.expr.span)));
        }
        ephemeral.push((path, Marks::EPHEMERAL));
    }
    (others, ephemeral)
}

impl<'a> Walk<'a> {
    /// Opens an instance, or leaves it unknown where something it needs is.
    pub(super) fn plan_ephemeral(&self, place: Place, draft: Draft) -> Start<'a> {
        let waits = self.waits_for_changes(place.node);
        let configured = match &self.providers[draft.provider].status {
            Status::Ready(configured) if !waits && draft.config.is_wholly_known() && draft.pending.is_none() => {
                configured.clone()
            }
            Status::Ready(_)
            | Status::Provisional(_)
            | Status::Lost(..)
            | Status::New
            | Status::Pending(_)
            | Status::Failed => {
                let value = Value::unknown(Type::Any).mark(Marks::EPHEMERAL);
                return Start::Done(Box::new(Finished { place, value, planned: None, said: draft.said }));
            }
        };
        let events = self.input.events;
        let (addr, config) = (draft.addr.clone(), draft.config.clone());
        let job: Boxed<'a, Done> = Box::pin(async move {
            let answer = Answer::Opened(open(configured, addr, config, events).await);
            Done::Instance(Box::new(InstanceDone { place, draft, answer }))
        });
        Start::Call(job)
    }

    /// Whether a resource that the block names is to be made or changed: what it opens may not be there before.
    fn waits_for_changes(&self, node: NodeId) -> bool {
        let graph = self.input.graph;
        let is_resource = |need: &NodeId| matches!(graph.node(*need), Node::Resource(..) | Node::ModuleEnd(..));
        graph.needs[node.index()].iter().any(|need| is_resource(need) && self.changed[need.index()])
    }

    /// Takes in one that was opened.
    pub(super) fn opened(&mut self, place: Place, draft: Draft, outcome: Outcome<(Opened, Held)>) -> Finished {
        let Draft { addr, kind, marks, mut said, .. } = draft;
        let finished = |place, value, said| Finished { place, value, planned: None, said };
        let failed = outcome.has_errors();
        let graph = self.input.graph;
        let Some((_, resource)) = graph.resource(place.node) else { return finished(place, Value::NULL, said) };
        let (header, within) = (resource.block.header, block_name(&resource.addr));
        said.append(outcome.said.located(Some(header), Some(&within)).about(&addr));
        let Some((opened, held)) = outcome.value.filter(|_| !failed) else { return finished(place, Value::NULL, said) };
        self.held.push(held);
        let Some(schema) = schema_of(&*kind, &addr) else { return finished(place, Value::NULL, said) };
        let value = marked(schema, opened.value, &marks);
        let around = self.around();
        let scope = ModuleScope { around, copy: place.copy, repetition: &place.repetition, this: Some(&value) };
        for rule in &resource.lifecycle.postconditions {
            said.append(check(rule, &scope, "Resource postcondition failed").located(None, Some(&within)));
        }
        finished(place, value, said)
    }

    /// Closes what the walk has opened.
    pub(super) async fn close_ephemerals(&mut self) -> Diagnostics {
        close(std::mem::take(&mut self.held), self.input.events).await
    }

    /// Forgets what came from ephemeral resources: the apply opens them again. Providers configured with it are configured
    /// again, too.
    pub(super) fn forget_ephemerals(&mut self) {
        let graph = self.input.graph;
        if !has_some(graph) {
            return;
        }
        let mut touched = vec![false; graph.nodes.len()];
        for id in &graph.order {
            let below = || graph.needs[id.index()].iter().any(|need| touched[need.index()]);
            touched[id.index()] = match graph.node(*id) {
                Node::Ephemeral(module, _) => {
                    forget(&mut self.world, graph, *id, *module);
                    true
                }
                Node::Variable(module, _) | Node::Local(module, _) | Node::Output(module, _) => {
                    let below = below();
                    if below {
                        forget(&mut self.world, graph, *id, *module);
                    }
                    below
                }
                Node::ModuleCall(module, name) => {
                    if below() {
                        for parent in self.world.copies_of(*module).to_vec() {
                            for copy in self.world.copies_of_call(parent, name) {
                                self.world.forget_each_value(copy);
                            }
                        }
                    }
                    below()
                }
                Node::Provider(provider) => {
                    let status = &mut self.providers[provider.index()].status;
                    if below()
                        && let Status::Ready(configured) = status
                    {
                        *status = Status::Provisional(configured.clone());
                    }
                    false
                }
                // What they are is stored: nothing ephemeral is in it.
                Node::Resource(..) | Node::Data(..) | Node::ModuleEnd(..) => false,
            };
        }
    }
}

fn forget(world: &mut World, graph: &Graph, node: crate::graph::NodeId, module: crate::graph::ModuleId) {
    let copies: Vec<CopyId> = world.copies_of(module).to_vec();
    for copy in copies {
        let value = world.value_of(graph, node, copy).filter(|value| value.marks_deep().contains(Marks::EPHEMERAL));
        if let Some(value) = value.map(forgotten) {
            world.set(graph, node, copy, value);
        }
    }
}

fn has_some(graph: &Graph) -> bool {
    graph.nodes.iter().any(|node| matches!(node, Node::Ephemeral(..)))
}

/// For each node, whether something that a plan does needs it: ephemeral resources that nothing needs stay closed. Empty where
/// there are none.
pub fn needed(plan: &Plan) -> Vec<bool> {
    let graph = &plan.segment().graph;
    if !has_some(graph) {
        return Vec::new();
    }
    let mut needed = vec![false; graph.nodes.len()];
    let mut stack = Vec::new();
    for planned in plan.changes.iter().filter(|planned| !planned.change.is_noop()) {
        stack.extend(planned.work.node);
        stack.extend(graph.providers.get(planned.work.provider).map(|provider| provider.node));
    }
    for invocation in &plan.invocations {
        stack.extend(&invocation.needs);
    }
    // How they stand is asked at the end of every apply.
    if plan.asserts {
        stack.extend(graph.check_needs.values().flatten());
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        if let Node::Output(module, name) = node
            && graph.module(*module).module.outputs.get(name).is_some_and(|output| !output.preconditions.is_empty())
        {
            stack.push(NodeId(index as u32));
        }
    }
    while let Some(node) = stack.pop() {
        if !std::mem::replace(&mut needed[node.index()], true) {
            stack.extend(&graph.needs[node.index()]);
        }
    }
    needed
}
