//! From a provider's answer to a change: what is to happen, and why.

use crate::addr::{InstanceAddr, Mode};
use crate::change::{Action, Change, Reason};
use crate::config::Resource;
use crate::diag::{Diagnostics, Severity};
use crate::graph::NodeId;
use crate::schema::{attribute_at, sensitive_paths};
use crate::value::{Marks, Path, Type, Value};

use super::ephemeral::forgotten_at;
use super::instance::{Answer, Draft, Finished, InstanceDone, Judged, Start, schema_of};
use super::model::{PlanMode, PlannedChange, Work};
use super::rules::check;
use super::scope::ModuleScope;
use super::walk::{Place, Walk, block_name};

impl<'a> Walk<'a> {
    /// Decides from the provider's answer what is to happen.
    pub(super) fn judge(&mut self, done: InstanceDone) -> Judged<'a> {
        let InstanceDone { place, mut draft, answer } = done;
        let Some((_, resource)) = self.input.graph.resource(place.node) else {
            return Judged::Done(Box::new(Finished { place, value: Value::NULL, planned: None, said: draft.said }));
        };
        let (span, within) = (resource.block.header, block_name(&resource.addr));
        let locate = |said: Diagnostics, addr: &InstanceAddr| said.located(Some(span), Some(&within)).about(addr);
        let planned = match answer {
            Answer::Opened(outcome) => return Judged::Done(Box::new(self.opened(place, draft, outcome))),
            Answer::Data(outcome) => {
                let mut said = locate(outcome.said, &draft.addr);
                if let Some(check) = resource.check.as_ref().filter(|_| said.has_errors()) {
                    // Nothing but its check looks at it: that cannot tell, and the rest goes on.
                    for diagnostic in &mut said.0 {
                        diagnostic.severity = Severity::Warning;
                        diagnostic.within = Some(format!("check {:?}", check.as_str()));
                    }
                    let text = said.iter().map(|one| format!("{}: {}", one.summary, one.detail)).next();
                    self.world.set_unread(place.node, place.copy, text);
                    draft.said.append(said);
                    return Judged::Done(Box::new(self.read_again(place, draft, None)));
                }
                draft.said.append(said);
                let failed = draft.said.has_errors();
                return Judged::Done(Box::new(match outcome.value.filter(|_| !failed) {
                    Some(value) if resource.check.is_some() => self.read_again(place, draft, Some(value)),
                    Some(value) => self.settle(place, draft, Action::NoOp, None, Vec::new(), value, Vec::new()),
                    None => Finished { place, value: Value::NULL, planned: None, said: draft.said },
                }));
            }
            Answer::Planned(outcome) => {
                draft.said.append(locate(outcome.said, &draft.addr));
                let failed = draft.said.has_errors();
                match outcome.value.filter(|_| !failed) {
                    Some(planned) => planned,
                    None => {
                        let said = draft.said;
                        return Judged::Done(Box::new(Finished { place, value: Value::NULL, planned: None, said }));
                    }
                }
            }
        };
        if let Some((reason, paths)) = draft.replacing.take() {
            let action = self.replacement(place.node);
            let done = self.settle(place, draft, action, Some(reason), paths, planned.value, planned.private);
            return Judged::Done(Box::new(done));
        }
        let Some(prior) = &draft.prior else {
            let done = self.settle(place, draft, Action::Create, None, Vec::new(), planned.value, planned.private);
            return Judged::Done(Box::new(done));
        };
        let differs = |path: &Path| path.of(&prior.value) != path.of(&planned.value);
        let paths: Vec<Path> = planned.replace.into_iter().filter(differs).collect();
        let asked = self.input.options.replace.iter().any(|pattern| pattern.is_exactly(&draft.addr));
        let prior_is_planned = prior.value == planned.value;
        let triggered = self.is_triggered(&place, resource, &mut draft.said);
        let reason = if draft.tainted {
            Some(Reason::ReplaceBecauseTainted)
        } else if asked {
            Some(Reason::ReplaceByRequest)
        } else if triggered {
            Some(Reason::ReplaceByTriggers)
        } else if paths.is_empty() {
            None
        } else {
            Some(Reason::ReplaceBecauseCannotUpdate)
        };
        let Some(reason) = reason else {
            let same = prior_is_planned && !self.secrets_change(&draft, &planned.value);
            let action = if same { Action::NoOp } else { Action::Update };
            let done = self.settle(place, draft, action, None, Vec::new(), planned.value, planned.private);
            return Judged::Done(Box::new(done));
        };
        draft.replacing = Some((reason, paths));
        match self.providers[draft.provider].ask().cloned() {
            Some(configured) => match self.ask(place, draft, configured) {
                Start::Call(job) => Judged::Again(job),
                Start::Done(done) => Judged::Done(done),
            },
            None => Judged::Done(Box::new(Finished { place, value: Value::NULL, planned: None, said: draft.said })),
        }
    }

    /// Whether state is to hold other parts of the same object as sensitive than it does.
    fn secrets_change(&self, draft: &Draft, value: &Value) -> bool {
        let Some(entry) = self.objects.current(&draft.addr) else { return false };
        let marks =
            draft.marks.iter().filter(|(path, marks)| marks.contains(Marks::SENSITIVE) && path.of(value).is_some());
        let mut of_config = marks.map(|(path, _)| path.clone()).peekable();
        if draft.importing.is_some() || (entry.stored.sensitive.is_empty() && of_config.peek().is_none()) {
            return false;
        }
        let Some(schema) = schema_of(&*draft.kind, &draft.addr) else { return false };
        let by_schema = sensitive_paths(&schema.block, value);
        // Terraform's states also list what the schema marks, even where it is null: a difference in these paths is not a change.
        let is_marked = |path: &Path| attribute_at(&schema.block, path).is_some_and(|attribute| attribute.sensitive);
        let mut of_state = entry.stored.sensitive.iter().filter(|path| !is_marked(path)).cloned();
        let mut of_config = of_config.filter(|path| !is_marked(path));
        let marked = |paths: &mut dyn Iterator<Item = Path>| {
            let mut all = by_schema.clone();
            all.extend(paths.map(|path| (path, Marks::SENSITIVE)));
            value.clone().mark_paths(&all)
        };
        marked(&mut of_state) != marked(&mut of_config)
    }

    /// The data block of a check, read now and read again by the apply: what it finds then counts.
    fn read_again(&mut self, place: Place, draft: Draft, value: Option<Value>) -> Finished {
        let again = self.input.options.mode == PlanMode::Normal;
        let (action, reason) = match again {
            true => (Action::Read, Some(Reason::ReadBecauseCheckNested)),
            false => (Action::NoOp, None),
        };
        let unread = schema_of(&*draft.kind, &draft.addr)
            .map(|schema| crate::schema::computed_unknown(&schema.block, &draft.config, &draft.config));
        match (value, unread) {
            (Some(value), _) => self.settle(place, draft, action, reason, Vec::new(), value, Vec::new()),
            (None, Some(unread)) if again => self.settle(place, draft, action, reason, Vec::new(), unread, Vec::new()),
            (None, _) => {
                let value = Value::unknown(Type::Any);
                Finished { place, value, planned: None, said: draft.said }
            }
        }
    }

    fn replacement(&self, node: NodeId) -> Action {
        if self.replaces_first.get(node.index()).copied().unwrap_or(false) {
            Action::CreateThenDelete
        } else {
            Action::DeleteThenCreate
        }
    }

    /// Puts the marks back, checks what can be checked, and writes the change.
    #[expect(clippy::too_many_arguments, reason = "the parts of a change, each decided elsewhere")]
    pub(super) fn settle(
        &mut self,
        place: Place,
        draft: Draft,
        action: Action,
        reason: Option<Reason>,
        replace_paths: Vec<Path>,
        planned: Value,
        private: Vec<u8>,
    ) -> Finished {
        let graph = self.input.graph;
        let Draft {
            addr,
            kind,
            provider,
            config,
            marks,
            ephemeral,
            prior,
            mut said,
            pending,
            importing,
            generated,
            ..
        } = draft;
        let (Some((_, resource)), Some(schema)) = (graph.resource(place.node), schema_of(&*kind, &addr)) else {
            return Finished { place, value: Value::NULL, planned: None, said };
        };
        let within = block_name(&resource.addr);
        let mut after_marks = sensitive_paths(&schema.block, &planned);
        after_marks.extend(marks.iter().cloned());
        let after = crate::schema::write_only_null(&schema.block, &planned).mark_paths(&after_marks);
        let previous = self.objects.current(&addr).and_then(|entry| entry.moved_from.clone());
        let before = match (&prior, self.objects.current(&addr)) {
            (Some(known), Some(entry)) => {
                let marks = super::objects::stored_marks(schema, &entry.stored, &known.value);
                known.value.clone().mark_paths(&marks)
            }
            (Some(known), None) if importing.is_some() => {
                known.value.clone().mark_paths(&sensitive_paths(&schema.block, &known.value))
            }
            _ => Value::Null(schema.ty()),
        };
        if action.deletes() && self.forbids_destroy(&place, resource) {
            said.push(super::orphan::protected(&addr).at(resource.block.header).within(within.to_string()));
        }
        // Who only looks at the configuration stores nothing.
        if !self.input.options.offline && (action != Action::NoOp || resource.addr.mode == Mode::Data) {
            let refused = super::storable::refused(&addr, &planned);
            said.0.extend(refused.map(|one| one.at(resource.block.header)));
        }
        let rules = &resource.lifecycle.postconditions;
        if !rules.is_empty() {
            let scope = ModuleScope {
                around: self.around(),
                copy: place.copy,
                repetition: &place.repetition,
                this: Some(&after),
            };
            for rule in rules {
                let failed = check(rule, &scope, "Resource postcondition failed").located(None, Some(&within));
                said.append(failed.of_instance(addr.key.as_ref()));
            }
        }
        let change = Change {
            addr,
            deposed: None,
            previous,
            action,
            reason,
            before: if resource.addr.mode == Mode::Data { Value::Null(schema.ty()) } else { before },
            after: after.clone(),
            replace_paths,
            importing: importing.as_ref().map(|(id, _)| id.clone()),
            generated: generated.flatten(),
            provider: self.providers[provider].addr.clone(),
        };
        let change = PlannedChange {
            change,
            phase: graph.phase[place.node.index()],
            pending,
            lost_with: None,
            provider_type: kind,
            private,
            work: Work {
                provider,
                node: Some(place.node),
                copy: Some(place.copy),
                repetition: place.repetition.clone(),
                removed: None,
                stored: importing.and_then(|(_, stored)| stored),
                check: resource.check.is_some(),
                creates_first: self.replaces_first.get(place.node.index()).copied().unwrap_or(false),
                config: forgotten_at(config, &ephemeral),
                marks,
                planned,
            },
        };
        Finished { place, value: after, planned: Some(Box::new(change)), said }
    }

    fn forbids_destroy(&self, place: &Place, resource: &Resource) -> bool {
        let Some(expr) = &resource.lifecycle.prevent_destroy else { return false };
        let scope = ModuleScope::plain(self.around(), place.copy);
        let value = crate::lang::eval::evaluate(expr, &scope).value;
        value.and_then(|value| value.as_bool()).unwrap_or(true)
    }
}
