//! One instance: from its block's arguments and its stored object to a proposed change.

use std::sync::Arc;

use crate::addr::{InstanceAddr, Mode};
use crate::change::{Action, Reason};
use crate::config::Resource;
use crate::diag::{Diagnostic, Diagnostics, Outcome, Severity, Span};
use crate::event::Event;
use crate::graph::NodeId;
use crate::lang::decode::decode;
use crate::lang::generate;
use crate::lang::syntax::ast::Body;
use crate::provider::{Boxed, Configured, DataRequest, Opened, PlanRequest, Planned, Provider};
use crate::schema::{Schema, proposed, sensitive_paths};
use crate::state::Object;
use crate::value::{Marks, Path, Step, Value};

use super::ephemeral::Held;
use super::ignore::{check_ignored, ignore_changes};
use super::keyed::choose;
use super::model::PlannedChange;
use super::objects::Known;
use super::provider::Status;
use super::rules::check;
use super::scope::ModuleScope;
use super::walk::{Done, Place, Walk, block_name};

/// How planning an instance begins: with its end, when no provider has to be asked, or with a call.
pub(super) enum Start<'a> {
    /// Nothing to ask.
    Done(Box<Finished>),
    /// To be polled.
    Call(Boxed<'a, Done>),
}

/// An instance that is planned.
pub(super) struct Finished {
    pub(super) place: Place,
    /// What the rest of the configuration sees of it, marks inside.
    pub(super) value: Value,
    /// Its change; `None` when that could not be found out.
    pub(super) planned: Option<Box<PlannedChange>>,
    pub(super) said: Diagnostics,
}

/// What came of looking at a provider's answer.
pub(super) enum Judged<'a> {
    /// That was all.
    Done(Box<Finished>),
    /// The provider is to be asked again: the object must be replaced, so it is planned as a new one.
    Again(Boxed<'a, Done>),
}

/// A provider's answer and what is needed to judge it.
pub(super) struct InstanceDone {
    pub(super) place: Place,
    pub(super) draft: Draft,
    pub(super) answer: Answer,
}

pub(super) enum Answer {
    Planned(Outcome<Planned>),
    Data(Outcome<Value>),
    Opened(Outcome<(Opened, Held)>),
}

/// What is known about an instance before its provider is asked.
pub(super) struct Draft {
    pub(super) addr: InstanceAddr,
    pub(super) kind: Arc<dyn Provider>,
    pub(super) provider: usize,
    pub(super) config: Value,
    pub(super) marks: Vec<(Path, Marks)>,
    /// Where the arguments are ephemeral.
    pub(super) ephemeral: Vec<(Path, Marks)>,
    pub(super) prior: Option<Known>,
    pub(super) tainted: bool,
    pub(super) said: Diagnostics,
    pub(super) pending: Option<String>,
    /// Set when the object is replaced and the provider is asked for the new one.
    pub(super) replacing: Option<(Reason, Vec<Path>)>,
    /// Whether its block is to be written from what is found, and then its text.
    pub(super) generated: Option<Option<Arc<str>>>,
    /// Set when the prior object was found by an `import` block: its id, and what state will have.
    pub(super) importing: Option<(String, Option<Arc<Object>>)>,
}

impl Draft {
    /// Writes the block of an object that has none: its arguments are those of the object.
    pub(super) fn generate(&mut self, object: &Value, provider: Option<&str>) {
        let Some(schema) = schema_of(&*self.kind, &self.addr).filter(|_| self.generated.is_some()) else { return };
        self.config = generate::arguments(&schema.block, object);
        let text = generate::resource(&self.addr.resource, provider, &schema.block, object);
        self.generated = Some(Some(text.into()));
        // It is for the user to correct what is written; nothing depends on it before that.
        let checked = self.kind.validate(&self.addr.resource.kind, false, &self.config);
        self.said.append(checked.into_iter().map(|said| Diagnostic { severity: Severity::Warning, ..said }));
    }
}

impl<'a> Walk<'a> {
    /// Evaluates an instance's arguments and starts the call that plans it.
    pub(super) fn plan_instance(&mut self, place: Place) -> Start<'a> {
        let graph = self.input.graph;
        let (Some((_, resource)), Some(addr)) = (graph.resource(place.node), self.addr_of(&place)) else {
            return finished(place, Diagnostics::none());
        };
        let provider = match self.provider_for(&place, &addr) {
            Ok(provider) => provider,
            Err(said) => {
                return finished(place, said.located(Some(resource.block.header), Some(&block_name(&resource.addr))));
            }
        };
        let slot = &self.providers[provider];
        let kind = slot.kind.clone();
        let within = block_name(&resource.addr);
        let Some(schema) = schema_of(&*kind, &addr) else {
            return finished(place, unknown_type(&*kind, resource).within(within.to_string()).into());
        };
        let decoded = {
            let scope =
                ModuleScope { around: self.around(), copy: place.copy, repetition: &place.repetition, this: None };
            let mut decoded = decode(&resource.body, &schema.block, &scope);
            if place.at == (0, 0) {
                decoded.said.append(check_ignored(resource, schema));
                decoded.said.append(self.check_provisioners(&place, resource, schema));
            }
            for rule in &resource.lifecycle.preconditions {
                let failed = check(rule, &scope, "Resource precondition failed");
                decoded.said.append(failed.of_instance(addr.key.as_ref()));
            }
            decoded
        };
        let mut decoded = decoded;
        // Nothing is written yet, or, for the import command, need not be: what is found will say what should have been.
        let generated = resource.generated || self.input.options.imports.iter().any(|(wanted, _)| *wanted == addr);
        if generated {
            decoded = Outcome::ok(Value::Null(schema.ty()));
        }
        let mut said = decoded.said.located(Some(resource.block.header), Some(&within));
        let Some(config) = decoded.value.filter(|_| !said.has_errors()) else { return finished(place, said) };
        let (config, mut marks) = config.unmark_paths();
        let mut ephemeral = Vec::new();
        if resource.addr.mode != Mode::Ephemeral {
            (marks, ephemeral) = super::ephemeral::split(schema, &addr, &resource.body, marks, &mut said);
            said = said.located(Some(resource.block.header), Some(&within));
        }
        let checked = match generated {
            true => Diagnostics::none(),
            false => kind.validate(&addr.resource.kind, addr.resource.mode == Mode::Data, &config),
        };
        let secret: Vec<_> = marks.iter().chain(&ephemeral).cloned().collect();
        let checked = at_arguments(checked, &resource.body, &secret, &addr);
        said.append(checked.located(Some(resource.block.header), Some(&within)));
        if said.has_errors() {
            return finished(place, said);
        }
        let mut pending = self.pending[place.node.index()].clone();
        if pending.is_none()
            && let Status::Pending(what) = &self.providers[provider].status
            && !self.input.config.is_plain()
        {
            pending = Some(what.clone());
        }
        let entry = self.objects.claim(&addr);
        let prior = entry.and_then(|entry| entry.now.clone());
        let tainted =
            prior.is_some() && entry.is_some_and(|entry| entry.stored.status == crate::state::Status::Tainted);
        let draft = Draft {
            addr,
            kind,
            provider,
            config,
            marks,
            ephemeral,
            prior,
            tainted,
            said,
            pending,
            replacing: None,
            generated: generated.then_some(None),
            importing: None,
        };
        match resource.addr.mode {
            Mode::Data => self.plan_data(place, draft, resource),
            Mode::Managed => self.plan_managed(place, draft, resource),
            Mode::Ephemeral => self.plan_ephemeral(place, draft),
        }
    }

    /// The provider configuration of an instance: where its block has `for_each`, the key chooses.
    fn provider_for(&self, place: &Place, addr: &InstanceAddr) -> Result<usize, Diagnostics> {
        let graph = self.input.graph;
        match graph.keyed.get(&place.node) {
            None => Ok(graph.provider_of[&place.node].index()),
            Some(keyed) => choose(self.around(), keyed, place.copy, &place.repetition, addr)
                .map(|id| id.index())
                .map_err(|said| said.about(addr)),
        }
    }

    fn plan_managed(&mut self, place: Place, mut draft: Draft, resource: &Resource) -> Start<'a> {
        let status = self.providers[draft.provider].status.clone();
        if let Status::Lost(source, _) = &status {
            return Start::Done(Box::new(self.lost(place, draft, source.clone())));
        }
        if self.is_refresh_only() {
            let value = draft
                .prior
                .as_ref()
                .map_or_else(|| Value::unknown(crate::value::Type::Any), |known| known.value.clone());
            return Start::Done(Box::new(self.settle(place, draft, Action::NoOp, None, Vec::new(), value, Vec::new())));
        }
        let Some(schema) = schema_of(&*draft.kind, &draft.addr) else { return finished(place, draft.said) };
        let prior = draft.prior.as_ref().map_or(Value::NULL, |known| known.value.clone());
        draft.config = ignore_changes(&resource.lifecycle.ignore_changes, &prior, draft.config);
        let wanted = self.imports.get(&draft.addr).filter(|_| draft.prior.is_none()).map(|(id, _)| id.clone());
        let Some(configured) = status_ask(&status) else {
            if draft.generated.is_some() {
                let detail = "The provider cannot be asked yet, so that nothing can be generated from what it finds. Apply what \
                              it is configured with first.";
                draft.said.push(Diagnostic::error("Import not possible yet", detail).about(&draft.addr));
                return finished(place, draft.said);
            }
            if wanted.is_some() && draft.pending.is_none() && !self.input.options.offline {
                let detail =
                    "The provider's configuration is not known when planning, so that the object cannot be looked for.";
                draft.said.push(Diagnostic::error("Import not possible yet", detail).about(&draft.addr));
            }
            // The provider cannot be asked: a new object is planned from the schema, an existing one left as it is.
            let planned = if prior.is_null() {
                draft.kind.plan_pending(&draft.addr.resource.kind, &draft.config)
            } else {
                proposed(&schema.block, &prior, &draft.config)
            };
            let action = match draft.prior {
                None => Action::Create,
                Some(_) if planned == prior => Action::NoOp,
                Some(_) => Action::Update,
            };
            return Start::Done(Box::new(self.settle(place, draft, action, None, Vec::new(), planned, Vec::new())));
        };
        match wanted {
            Some(id) => self.ask_import(place, draft, resource, configured, id),
            None => {
                // It is in state already: only its block is missing.
                if let Some(known) = draft.prior.as_ref().map(|known| known.value.clone()) {
                    draft.generate(&known, None);
                }
                self.ask(place, draft, configured)
            }
        }
    }

    pub(super) fn ask(&self, place: Place, draft: Draft, configured: Arc<dyn Configured>) -> Start<'a> {
        let Some(schema) = schema_of(&*draft.kind, &draft.addr) else { return finished(place, draft.said) };
        let prior = match (&draft.prior, &draft.replacing) {
            (Some(known), None) => known.value.clone(),
            (_, Some(_)) | (None, _) => Value::Null(schema.ty()),
        };
        let private = match (&draft.prior, &draft.replacing) {
            (Some(known), None) => known.private.clone(),
            (_, Some(_)) | (None, _) => Vec::new(),
        };
        let request = PlanRequest {
            kind: draft.addr.resource.kind.to_string(),
            proposed: proposed(&schema.block, &prior, &draft.config),
            prior,
            config: draft.config.clone(),
            private,
        };
        let configured = crate::provider::answering(configured, &draft.addr);
        Start::Call(Box::pin(async move {
            let answer = Answer::Planned(configured.plan(request).await);
            Done::Instance(Box::new(InstanceDone { place, draft, answer }))
        }))
    }

    fn plan_data(&mut self, place: Place, draft: Draft, resource: &Resource) -> Start<'a> {
        let waits = self.data_waits(place.node, resource);
        let status = self.providers[draft.provider].status.clone();
        let known = draft.config.is_wholly_known();
        let ready = match &status {
            Status::Ready(configured) => Some(crate::provider::answering(configured.clone(), &draft.addr)),
            Status::Provisional(_) | Status::Lost(..) | Status::New | Status::Pending(_) | Status::Failed => None,
        };
        if let Some(configured) = ready.filter(|_| known && !waits && draft.pending.is_none()) {
            let found = self.input.options.found.as_ref().and_then(|found| found.data(&*draft.kind, &draft.addr));
            if let Some(value) = found {
                let done = InstanceDone { place, draft, answer: Answer::Data(Outcome::ok(value)) };
                return Start::Call(Box::pin(std::future::ready(Done::Instance(Box::new(done)))));
            }
            self.input.events.emit(Event::DataRead { addr: draft.addr.clone() });
            let request = DataRequest { kind: draft.addr.resource.kind.to_string(), config: draft.config.clone() };
            let events = self.input.events;
            return Start::Call(Box::pin(async move {
                let began = std::time::Instant::now();
                let read = configured.read_data(request).await;
                let (elapsed, failed) = (began.elapsed(), read.has_errors());
                events.emit(Event::DataReadEnded { addr: draft.addr.clone(), elapsed, failed });
                let answer = Answer::Data(read);
                Done::Instance(Box::new(InstanceDone { place, draft, answer }))
            }));
        }
        let Some(schema) = schema_of(&*draft.kind, &draft.addr) else { return finished(place, draft.said) };
        let planned = crate::schema::computed_unknown(&schema.block, &draft.config, &draft.config);
        let reason = if known { Reason::ReadBecauseDependencyPending } else { Reason::ReadBecauseConfigUnknown };
        Start::Done(Box::new(self.settle(place, draft, Action::Read, Some(reason), Vec::new(), planned, Vec::new())))
    }

    /// An object that goes with the source of its provider's configuration: forgotten now, made again in a later segment.
    fn lost(&mut self, place: Place, draft: Draft, source: String) -> Finished {
        let unknown = draft.kind.plan_pending(&draft.addr.resource.kind, &draft.config);
        let had = draft.prior.is_some();
        let action = if had { Action::Forget } else { Action::Create };
        let mut finished = self.settle(place, draft, action, None, Vec::new(), unknown, Vec::new());
        if let Some(planned) = &mut finished.planned {
            if had {
                planned.lost_with = Some(source);
            } else {
                planned.pending = Some(source);
            }
        }
        finished
    }

    /// Where a value of a resource node is sensitive by its schema.
    pub(super) fn schema_marks(&self, node: NodeId, value: &Value) -> Vec<(Path, Marks)> {
        let graph = self.input.graph;
        let provider = graph.provider_of.get(&node).map(|id| &self.providers[id.index()].kind);
        let (Some(kind), Some((_, resource))) = (provider, graph.resource(node)) else { return Vec::new() };
        let schema = kind.schema();
        let name = resource.addr.kind.as_str();
        let schema = match resource.addr.mode {
            Mode::Data => schema.data.get(name),
            Mode::Managed => schema.resources.get(name),
            Mode::Ephemeral => schema.ephemeral.get(name),
        };
        schema.map(|schema| sensitive_paths(&schema.block, value)).unwrap_or_default()
    }
}

fn status_ask(status: &Status) -> Option<Arc<dyn Configured>> {
    match status {
        Status::Ready(configured) | Status::Provisional(configured) => Some(configured.clone()),
        Status::Lost(..) | Status::New | Status::Pending(_) | Status::Failed => None,
    }
}

fn finished<'a>(place: Place, said: Diagnostics) -> Start<'a> {
    Start::Done(Box::new(Finished { place, value: Value::unknown(crate::value::Type::Any), planned: None, said }))
}

/// The schema of an instance's type.
pub fn schema_of<'k>(kind: &'k dyn Provider, addr: &InstanceAddr) -> Option<&'k Schema> {
    let schema = kind.schema();
    match addr.resource.mode {
        Mode::Managed => schema.resources.get(addr.resource.kind.as_str()),
        Mode::Data => schema.data.get(addr.resource.kind.as_str()),
        Mode::Ephemeral => schema.ephemeral.get(addr.resource.kind.as_str()),
    }
}

fn unknown_type(kind: &dyn Provider, resource: &Resource) -> Diagnostic {
    let schema = kind.schema();
    let (what, names): (&str, Vec<&str>) = match resource.addr.mode {
        Mode::Data => ("data source", schema.data.keys().copied().collect()),
        Mode::Managed => ("resource type", schema.resources.keys().copied().collect()),
        Mode::Ephemeral => ("ephemeral resource", schema.ephemeral.keys().copied().collect()),
    };
    let hint = crate::diag::did_you_mean(&resource.addr.kind, names);
    let summary = format!("Invalid {what}");
    let detail = format!(
        "The provider {} does not support {what} {:?}.{hint}",
        resource.provider.local,
        resource.addr.kind.as_str()
    );
    Diagnostic::error(summary, detail).at(resource
        .block
        .labels
        .first()
        .map_or(resource.block.header, |label| label.span))
}

/// Points what is about an argument at its value.
fn at_arguments(mut said: Diagnostics, body: &Body, secret: &[(Path, Marks)], addr: &InstanceAddr) -> Diagnostics {
    for diagnostic in &mut said.0 {
        let Some(path) = diagnostic.argument.take() else { continue };
        if secret.iter().any(|(secret, _)| overlap(secret, &path)) {
            // What a provider says of a value may repeat it.
            diagnostic.summary = format!("Invalid value for {path}");
            diagnostic.detail = "The provider refuses this value, which is sensitive and not shown. Its documentation \
                says which values the argument takes."
                .to_owned();
        }
        if let Some(span) = argument_at(body, &path).filter(|_| diagnostic.subject.is_none()) {
            diagnostic.subject = Some(span);
            diagnostic.address.get_or_insert_with(|| format!("{addr:#}"));
        }
    }
    said
}

/// Whether one of two paths leads to the other, or into it.
fn overlap(secret: &Path, path: &str) -> bool {
    let steps = secret.steps().iter().map(|step| match step {
        Step::Attribute(name) | Step::Key(name) => name.to_string(),
        Step::Index(at) => at.to_string(),
    });
    steps.zip(path.split('.')).all(|(step, part)| step == part)
}

/// Where the argument at a path such as `spec.0.type` is written.
fn argument_at(body: &Body, path: &str) -> Option<Span> {
    let Some((block, rest)) = path.split_once('.') else { return Some(body.attribute(path)?.expr.span) };
    let (nth, rest) = rest.split_once('.')?;
    let found = body.nested_of(block).nth(nth.parse().ok()?)?;
    argument_at(&found.body, rest)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::diag::SourceMap;
    use crate::lang::syntax::parse;

    const TEXT: &str = "name = 1\nspec {\n  port {\n    number = 2\n  }\n  port {\n    number = 3\n  }\n}\n";

    #[test]
    fn arguments_are_found_by_their_paths() {
        let sources = SourceMap::default();
        let (parsed, _) = parse(&sources, sources.add("a.tf", TEXT));
        let at = |path: &str| argument_at(&parsed.body, path).map(|span| &TEXT[span.start as usize..span.end as usize]);
        assert_eq!(at("name"), Some("1"));
        assert_eq!(at("spec.0.port.1.number"), Some("3"));
        assert_eq!(at("spec.0.port.2.number"), None);
        assert_eq!(at("spec.0.port"), None);
    }

    #[test]
    fn what_is_said_of_a_secret_does_not_repeat_it() {
        let sources = SourceMap::default();
        let (parsed, _) = parse(&sources, sources.add("a.tf", TEXT));
        let addr = crate::addr::parse_instance(&crate::addr::LayerName::from(""), "a.b").unwrap();
        let secret: Path =
            [Step::Attribute("spec".into()), Step::Index(0), Step::Attribute("port".into())].into_iter().collect();
        let said = |secret: &[(Path, Marks)]| {
            let refused = Diagnostic::error("expected one of, got hunter2", "").of_argument("spec.0.port.0.number");
            at_arguments(refused.into(), &parsed.body, secret, &addr).to_string()
        };
        assert!(said(&[]).contains("hunter2"));
        assert!(!said(&[(secret, Marks::SENSITIVE)]).contains("hunter2"));
        assert!(said(&[(Path::attribute("name"), Marks::SENSITIVE)]).contains("hunter2"));
    }
}
