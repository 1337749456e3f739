//! `import` blocks: which instance is found by which id, and asking its provider for it.

use std::sync::Arc;

use crate::addr::{InstanceAddr, InstanceKey, ModuleStep};
use crate::config::{Import, Resource};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::event::Event;
use crate::graph::{ModuleId, NodeId};
use crate::lang::eval::{Scope, evaluate, references};
use crate::lang::syntax::ast::Expr;
use crate::provider::{Boxed, Configured, ImportRequest, PlanRequest, ReadRequest, ReadResult};
use crate::schema::proposed;
use crate::state::{Object, Slot};
use crate::value::{Type, Value, convert, to_json_typed};

use super::ignore::ignore_changes;
use super::instance::{Answer, Draft, InstanceDone, Start, schema_of};
use super::objects::Known;
use super::scope::ModuleScope;
use super::walk::{Done, Place, Walk};
use super::world::Repetition;

impl<'a> Walk<'a> {
    /// Evaluates the blocks that name a resource, before its instances are planned.
    pub(super) fn find_imports(&mut self, node: NodeId) -> Diagnostics {
        let graph = self.input.graph;
        let mut said = Diagnostics::none();
        let Some(blocks) = graph.imports.get(&node) else { return said };
        for (root, index) in blocks {
            let import = &graph.module(*root).module.imports[*index];
            if self.is_import_blocked(*root, import) {
                continue;
            }
            let outcome = self.import_ids(*root, import);
            said.append(outcome.said.located(Some(import.span), Some(&"import")));
            for (addr, id) in outcome.value.into_iter().flatten() {
                if self.imports.insert(addr.clone(), (id, Some(import.to_span))).is_some() {
                    let detail = format!("Another import block names {addr} already. An object is imported once.");
                    let summary = format!("Duplicate import configuration for {:?}", addr.to_string());
                    said.push(Diagnostic::error(summary, detail).at(import.to_span).within("import"));
                }
            }
        }
        said
    }

    /// Whether something that an `import` block names has failed. What the object itself needs does not matter.
    fn is_import_blocked(&self, root: ModuleId, import: &Import) -> bool {
        let keys = import.to.modules.iter().map(|(_, key)| key).chain([&import.to.key]).flatten();
        let own = import.id.iter().chain(&import.identity).chain(&import.for_each);
        let mut named = own.map(|expr| &**expr).chain(keys).flat_map(references);
        named.any(|found| self.input.graph.target(root, &found.reference).is_some_and(|node| self.is_broken(node)))
    }

    fn import_ids(&self, root: ModuleId, import: &Import) -> Outcome<Vec<(InstanceAddr, String)>> {
        let copy = self.world.copies_of(root)[0];
        let plain = ModuleScope::plain(self.around(), copy);
        let copies = match &import.for_each {
            None => Outcome::ok(vec![Repetition::None]),
            Some(for_each) => super::expand::copies(
                super::expand::Repeated { for_each: Some(for_each), ..Default::default() },
                &plain,
                false,
            )
            .map(|(_, repetitions)| repetitions),
        };
        copies.and_then(|copies| {
            let mut said = Diagnostics::none();
            let mut found = Vec::new();
            for repetition in &copies {
                let scope = ModuleScope { around: self.around(), copy, repetition, this: None };
                let addr = self.import_addr(root, import, &scope).take(&mut said);
                let id = match (&import.id, &import.identity) {
                    (Some(id), _) => import_id(id, &scope).take(&mut said),
                    (None, identity) => {
                        let place = identity.as_ref().map(|identity| identity.span);
                        said.push(no_identity(import).or_at(place));
                        None
                    }
                };
                found.extend(addr.zip(id));
            }
            Outcome { value: Some(found), said }
        })
    }

    fn import_addr(&self, root: ModuleId, import: &Import, scope: &dyn Scope) -> Outcome<InstanceAddr> {
        let mut said = Diagnostics::none();
        let mut key_of = |expr: &Option<Expr>| {
            let expr = expr.as_ref()?;
            let value = evaluate(expr, scope).take(&mut said)?;
            let key = instance_key(&value);
            if key.is_none() {
                let detail = "A key is a whole number or a text, known when the plan is made.";
                said.push(Diagnostic::error("Invalid import 'to' expression", detail).at(expr.span));
            }
            key
        };
        let target = &import.to;
        let steps = target.modules.iter().map(|(name, key)| ModuleStep { name: name.clone(), key: key_of(key) });
        let module = steps.collect();
        let layer = self.input.graph.layers[self.input.graph.module(root).layer].clone();
        let key = key_of(&target.key);
        let addr = InstanceAddr { layer, module, resource: target.resource.clone(), key };
        Outcome { value: (!said.has_errors()).then_some(addr), said }
    }

    /// Blocks whose instance the configuration does not have, now that all copies are known.
    pub(super) fn check_imports(&self) -> Diagnostics {
        if self.imports.is_empty() {
            return Diagnostics::none();
        }
        let declared: foldhash::HashSet<_> = self
            .changes
            .iter()
            .filter(|planned| planned.work.node.is_some())
            .map(|planned| &planned.change.addr)
            .collect();
        let takes_part = |addr: &InstanceAddr| {
            let selection = &self.input.options.selection;
            selection.is_everything()
                || (selection.targets.iter().any(|target| target.matches(addr))
                    && !selection.excludes.iter().any(|pattern| pattern.matches(addr)))
        };
        let mut missing: Vec<_> =
            self.imports.iter().filter(|(addr, _)| takes_part(addr) && !declared.contains(addr)).collect();
        missing.sort_by_key(|(addr, _)| *addr);
        let say = |(addr, (_, span)): (&InstanceAddr, &(String, Option<crate::diag::Span>))| {
            let diagnostic = self.no_target(addr).or_at(*span);
            if span.is_some() { diagnostic.within("import") } else { diagnostic }
        };
        missing.into_iter().map(say).collect()
    }

    /// What the configuration lacks for an import: the module, the block, or that copy of it.
    fn no_target(&self, addr: &InstanceAddr) -> Diagnostic {
        let graph = self.input.graph;
        let block = addr.config();
        let is_layer = |layer: usize| graph.layers[layer] == addr.layer;
        let module = graph.modules.iter().find(|module| is_layer(module.layer) && module.addr == block.module);
        let name = addr.in_project(self.input.config.prefixes_layers());
        let Some(module) = module else {
            let detail = format!(
                "{} is not defined in the configuration. Please add configuration for this module before importing into it.",
                addr.module
            );
            return Diagnostic::error("Import to non-existent module", detail);
        };
        if module.module.resources.contains_key(&addr.resource) {
            let detail = format!(
                "The configuration for the given import {name} does not exist: the block {} is there, and its count or for_each \
                 makes other instances. All target instances must have an associated configuration to be imported. Write the address \
                 of one of those, or change the block.",
                addr.resource
            );
            return Diagnostic::error("Configuration for import target does not exist", detail);
        }
        let place = match (block.module.is_root(), self.input.config.is_plain()) {
            (false, _) => block.module.to_string(),
            (true, true) => "the root module".to_owned(),
            (true, false) => format!("layer {}", addr.layer),
        };
        let (kind, label) = (addr.resource.kind.as_str(), addr.resource.name.as_str());
        let detail = format!(
            "Before importing this resource, please create its configuration in {place}. For example:\n\n\
             resource {kind:?} {label:?} {{\n  # (resource arguments)\n}}"
        );
        Diagnostic::error(format!("resource address {name:?} does not exist in the configuration."), detail)
    }

    /// Finds the object, reads it, and plans what is to be changed of it.
    pub(super) fn ask_import(
        &self,
        place: Place,
        mut draft: Draft,
        resource: &Resource,
        configured: Arc<dyn Configured>,
        id: String,
    ) -> Start<'a> {
        let ignored = resource.lifecycle.ignore_changes.clone();
        let slot = Slot::current(draft.addr.clone());
        let before = self.input.options.found.as_ref().and_then(|found| found.known(&*draft.kind, &slot));
        if before.is_none() {
            self.input.events.emit(Event::ImportPreparing { addr: draft.addr.clone(), id: id.clone() });
        }
        let configured = crate::provider::answering(configured, &draft.addr);
        let provider = resource.provider.alias.as_ref().map(|alias| format!("{}.{alias}", resource.provider.local));
        Start::Call(Box::pin(async move {
            let known = match before {
                Some(before) => before.into_result().map(|(known, _)| known),
                None => found(&draft, &*configured, &id).await,
            };
            let answer = match known {
                Err(said) => Answer::Planned(Outcome::fail(said)),
                Ok(known) => {
                    draft.generate(&known.value, provider.as_deref());
                    draft.config = ignore_changes(&ignored, &known.value, draft.config);
                    match schema_of(&*draft.kind, &draft.addr) {
                        None => Answer::Planned(Outcome::fail(Diagnostics::none())),
                        Some(schema) => {
                            let request = PlanRequest {
                                kind: draft.addr.resource.kind.to_string(),
                                proposed: proposed(&schema.block, &known.value, &draft.config),
                                prior: known.value.clone(),
                                config: draft.config.clone(),
                                private: known.private.clone(),
                            };
                            draft.importing = Some((id, stored(&draft, &known)));
                            draft.prior = Some(known);
                            Answer::Planned(configured.plan(request).await)
                        }
                    }
                }
            };
            Done::Instance(Box::new(InstanceDone { place, draft, answer }))
        }) as Boxed<'a, Done>)
    }
}

/// Asks the provider for the object, and reads what it names.
async fn found(draft: &Draft, configured: &dyn Configured, id: &str) -> Result<Known, Diagnostics> {
    let kind = draft.addr.resource.kind.to_string();
    let missing = |what: String| {
        Diagnostics::from(Diagnostic::error("Cannot import non-existent remote object", what).about(&draft.addr))
    };
    let request = ImportRequest { kind: kind.clone(), id: id.to_owned() };
    let (imported, _) = configured.import(request).await.into_result()?;
    let own = imported.into_iter().find(|imported| imported.kind == kind);
    let Some(own) = own else { return Err(missing(format!("The provider found no {kind} by this id."))) };
    let answer = std::sync::Mutex::new(None);
    let out = |_: usize, result: ReadResult| {
        *answer.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(result);
    };
    let said = configured.read(vec![ReadRequest { kind, prior: own.value, private: own.private }], &out).await;
    if said.has_errors() {
        return Err(said);
    }
    match answer.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(ReadResult::Found { value, private }) => Ok(Known { value, private }),
        Some(ReadResult::Unreachable(why)) => Err(why),
        Some(ReadResult::Elsewhere(_) | ReadResult::Absent) | None => Err(missing(format!(
            "While attempting to import an existing object to {}, the provider detected that no object exists with the given \
             id. Only pre-existing objects can be imported; check that the id is correct and that it is associated with the \
             provider's configured region or endpoint.",
            draft.addr
        ))),
    }
}

/// The object as state will have it before anything is changed of it.
fn stored(draft: &Draft, known: &Known) -> Option<Arc<Object>> {
    let schema = schema_of(&*draft.kind, &draft.addr)?;
    let attributes = to_json_typed(&known.value, &schema.ty()).ok()?;
    Some(Arc::new(Object { private: known.private.clone().into(), ..Object::new(schema.version, attributes) }))
}

fn instance_key(value: &Value) -> Option<InstanceKey> {
    let (value, marks) = value.clone().unmark();
    if !marks.is_none() {
        return None;
    }
    match &value {
        Value::String(text) => Some(InstanceKey::Str(text.clone())),
        Value::Number(number) => number.as_u64().map(InstanceKey::Int),
        _ => None,
    }
}

/// The error of an object that is to be found by its identity.
fn no_identity(import: &Import) -> Diagnostic {
    let kind = &import.to.resource.kind;
    let detail = format!(
        "The provider of {kind} has no identities for its objects, so that they are found by their id only: write id instead of \
         identity."
    );
    Diagnostic::error("Resource identity not supported", detail)
}

fn import_id(expr: &Expr, scope: &dyn Scope) -> Outcome<String> {
    let fail = |detail: &str| Outcome::fail(Diagnostic::error("Invalid import id argument", detail).at(expr.span));
    let wrong_type = |why: &str| {
        let detail = format!("Invalid expression value: {why}.");
        Outcome::fail(Diagnostic::error("Incorrect value type", detail).at(expr.span))
    };
    evaluate(expr, scope).and_then(|value| {
        let (value, _) = value.unmark_deep();
        if !value.is_known() {
            return fail(
                "The import block \"id\" argument depends on resource attributes that cannot be determined until apply, so the \
                 import cannot be planned. Use an id that is known, or apply what it comes from first.",
            );
        }
        if value.is_null() {
            return fail("The import ID cannot be null.");
        }
        match convert(&value, &Type::String) {
            Ok(Value::String(id)) if id.is_empty() => fail("The import ID value evaluates to an empty string, please provide a non-empty value."),
            Ok(Value::String(id)) => Outcome::ok(id.to_string()),
            Ok(_) => wrong_type("string required"),
            Err(error) => wrong_type(&error.to_string()),
        }
    })
}
