//! Apply: plan a segment, keep to what was agreed to, carry it out, and go on with what became known, until nothing is pending.

use std::sync::Arc;

use foldhash::{HashSet, HashSetExt};

use crate::addr::{Mode, Name};
use crate::apply::{GateContext, Inputs, Report, Stop};
use crate::change::{Action, Counts};
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::event::{Event, Events, Recovery};
use crate::plan::{GateDecision, Options, Plan, PlanMode};
use crate::state::{Meta, State};
use crate::value::to_json_typed;

use super::approval::{Answer, Approval, Approve, Question};
use super::locks::Open;
use super::plan::{metas, options_of, segment};
use super::saved::SavedPlan;
use super::session::{RunOptions, Session};

/// How the warning after an apply of a part is called.
pub const INCOMPLETE: &str = "Applied changes may be incomplete";

/// How an apply ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// Everything is as the configuration says.
    Complete,
    /// There was nothing to do.
    Unchanged,
    /// The user said no.
    Declined,
    /// A later segment goes beyond what was agreed to, and there was nobody to ask. What was done is safe.
    Beyond,
    /// The user stopped it.
    Stopped,
    /// Something failed.
    Failed,
}

/// What an apply came to, over all segments.
pub struct Applied {
    /// How it ended.
    pub ended: Ended,
    /// What was done in all.
    pub report: Report,
    /// Phases with changes that were not started, each with how many: after a failure or a stop.
    pub not_started: Vec<(Name, usize)>,
    /// What is to be said.
    pub said: Diagnostics,
}

/// Locks, plans, asks, applies, and goes on until nothing is pending.
pub async fn apply(
    session: &Session,
    options: &RunOptions,
    approve: &mut dyn Approve,
    events: &dyn Events,
    stop: &Stop,
) -> Applied {
    run(session, options, None, approve, events, stop).await
}

/// Carries out a saved plan: the states must be those it was made from, and planning again must give the same.
pub async fn apply_saved(
    session: &Session,
    saved: &SavedPlan,
    options: &RunOptions,
    approve: &mut dyn Approve,
    events: &dyn Events,
    stop: &Stop,
) -> Applied {
    run(session, options, Some(saved), approve, events, stop).await
}

async fn run(
    session: &Session,
    options: &RunOptions,
    saved: Option<&SavedPlan>,
    approve: &mut dyn Approve,
    events: &dyn Events,
    stop: &Stop,
) -> Applied {
    let mut run = Running {
        session,
        options,
        saved,
        approve,
        events,
        stop,
        approval: Approval::new(options.auto_approve),
        report: Report::default(),
        planned: Vec::new(),
        said: Diagnostics::none(),
    };
    let operation = if options.mode == PlanMode::Destroy { "destroy" } else { "apply" };
    let refused = super::plan::refused(options);
    if saved.is_none() {
        run.said.append(super::plan::targeting(options));
    }
    let failed = |said| Applied { ended: Ended::Failed, report: Report::default(), not_started: Vec::new(), said };
    if refused.has_errors() {
        return failed(refused);
    }
    if let Some(refused) = saved.and_then(SavedPlan::refused) {
        return failed(refused.into());
    }
    // Nothing is locked for a configuration that cannot be applied.
    let graph = session.graph();
    if graph.has_errors() {
        return failed(graph.said);
    }
    let refused = super::plan::other_states(session, options).await;
    if refused.has_errors() {
        return failed(refused);
    }
    let open = match stop.scope(Open::take(session, options, operation, events)).await {
        Ok(open) => open,
        Err(said) => return failed(said),
    };
    let ended = stop.scope(run.segments(&open)).await;
    // From here on nothing listens to the user: what was done is written, and the locks are given back.
    let finished = open.finish().await;
    let ended = if finished.has_errors() { Ended::Failed } else { ended };
    run.said.append(finished);
    let partial = !options.targets.is_empty() || !options.excludes.is_empty();
    if partial && matches!(ended, Ended::Complete | Ended::Unchanged) {
        let detail = "What does not take part was left as it is, and outputs may be out of date. Plan everything to see what is left.";
        run.said.push(Diagnostic::warning(INCOMPLETE, detail));
    }
    let begun: HashSet<&Name> = run.report.phases.iter().map(|phase| &phase.name).collect();
    run.planned.retain(|(phase, _)| !begun.contains(phase));
    let not_started = if matches!(ended, Ended::Complete | Ended::Unchanged) { Vec::new() } else { run.planned };
    Applied { ended, report: run.report, not_started, said: run.said }
}

struct Running<'a> {
    session: &'a Session,
    options: &'a RunOptions,
    saved: Option<&'a SavedPlan>,
    approve: &'a mut dyn Approve,
    events: &'a dyn Events,
    stop: &'a Stop,
    approval: Approval,
    report: Report,
    /// How many changes the last plan has in each phase.
    planned: Vec<(Name, usize)>,
    said: Diagnostics,
}

impl Running<'_> {
    /// What a plan said of `check` blocks: apply looks at them again and says how they stand then.
    fn drop_checks(&mut self) {
        let of_check = |said: &Diagnostic| said.within.as_ref().is_some_and(|within| within.starts_with("check \""));
        self.said.0.retain(|said| said.severity != Severity::Warning || !of_check(said));
    }

    /// What planning says, without the warnings that were said when a saved plan was made.
    fn new_to_user(&self, mut said: Diagnostics) -> Diagnostics {
        if self.saved.is_some() && !said.has_errors() {
            said.0.clear();
        }
        said
    }

    async fn segments(&mut self, open: &Open) -> Ended {
        let metas = metas(self.session).await;
        let unfinished: Vec<_> = open.views.iter().flat_map(|view| view.open.iter().cloned()).collect();
        let mut options = options_of(self.session, self.options, unfinished, &metas);
        if let Some(saved) = self.saved.filter(|_| options.unfinished.is_empty()) {
            match saved.found() {
                Ok(found) => options.found = Some(Arc::new(found)),
                Err(diagnostic) => {
                    self.said.push(*diagnostic);
                    return Ended::Failed;
                }
            }
        }
        let mut recovery = super::recovery::of(&open.views, self.options.timestamp);
        if !options.unfinished.is_empty()
            && let Err(ended) = self.recover(open, &mut options, recovery.as_mut()).await
        {
            return ended;
        }
        if let Some(recovery) = recovery {
            self.events.emit(Event::Recovered(recovery));
        }
        let mut first = true;
        let mut last_left = usize::MAX;
        loop {
            let states = match self.states(open).await {
                Ok(states) => states,
                Err(said) => {
                    self.said.append(said);
                    return Ended::Failed;
                }
            };
            let outcome = segment(self.session, &states, &options, false, self.events).await;
            let failed = outcome.has_errors();
            self.said.append(if first { self.new_to_user(outcome.said) } else { outcome.said });
            let Some(mut plan) = outcome.value.filter(|_| !failed) else {
                return if self.stop.is_asked() { Ended::Stopped } else { Ended::Failed };
            };
            if let Some(ended) = self.agree(&plan, first) {
                return ended;
            }
            let nothing = plan.is_empty() && plan.drift.is_empty() && !self.has_gates_to_run(&plan);
            if nothing && first {
                if !plan.segment().refreshed.is_empty() || reads_anew(&plan, &states) || !plan.checks.is_empty() {
                    self.drop_checks();
                    // Nothing to do, but what was read is newer than what is stored.
                    let report = self.carry_out(plan, &states, open, &options).await;
                    (self.report.world, self.report.outputs) = (report.world, report.outputs);
                } else {
                    self.report.world = plan.segment.take().map(|segment| Arc::new(segment.world));
                }
                return if self.said.has_errors() { Ended::Failed } else { Ended::Unchanged };
            }
            if nothing {
                return Ended::Complete;
            }
            let pending = !plan.complete
                && plan.changes.iter().any(|planned| planned.pending.is_some() || planned.lost_with.is_some());
            self.planned = changes_by_phase(&plan);
            let (seen, identities) = (plan.segment().seen.clone(), plan.segment().identities.clone());
            self.forget_gates(&plan).await;
            self.drop_checks();
            let report = self.carry_out(plan, &states, open, &options).await;
            let left = report.left;
            let calls = report.calls;
            let stopped = report.stopped;
            let errors = self.said.has_errors();
            options.fresh.extend(seen);
            options.fresh.extend(report.fresh.iter().cloned());
            options.unfinished.clear();
            options.found = None;
            self.remember_gates(&report, &identities, errors).await;
            options.outstanding = super::plan::outstanding(self.session, &super::plan::metas(self.session).await);
            merge(&mut self.report, report);
            if stopped {
                return Ended::Stopped;
            }
            if errors {
                return Ended::Failed;
            }
            if !pending && left == 0 {
                return Ended::Complete;
            }
            if calls == 0 && left >= last_left {
                self.said.error(
                    "Nothing more can be done",
                    "Some objects still wait for something that nothing in this project makes. What was done is in state.",
                );
                return Ended::Failed;
            }
            last_left = left;
            first = false;
        }
    }

    async fn states(&self, open: &Open) -> Result<Vec<State>, Diagnostics> {
        let mut states = Vec::new();
        for (index, commit) in open.commits.iter().enumerate() {
            match commit {
                None => states.push((*open.views[index].state).clone()),
                Some(commit) => {
                    let state = commit.state().await.map_err(|error| Diagnostics::from(error.diagnostic()))?;
                    states.push((*state).clone());
                }
            }
        }
        Ok(states)
    }

    /// Whether the plan may be carried out; how the run ends when it may not.
    fn agree(&mut self, plan: &Plan, first: bool) -> Option<Ended> {
        if let (Some(saved), true) = (self.saved, first) {
            if let Err(diagnostic) = saved.agrees(plan) {
                self.said.push(*diagnostic);
                return Some(Ended::Failed);
            }
            self.approval.add(plan);
            self.approve.begins(plan);
            return None;
        }
        let empty = plan.is_empty();
        let lost: Vec<_> = plan.changes.iter().filter(|planned| planned.lost_with.is_some()).collect();
        let lost = if self.options.accept_loss { Vec::new() } else { lost };
        let beyond: Vec<_> = plan.changes.iter().filter(|planned| !first && !self.approval.covers(planned)).collect();
        let must_ask = (first && !empty && !self.options.auto_approve) || !beyond.is_empty() || !lost.is_empty();
        if !must_ask {
            if first || !empty {
                self.approve.show(plan);
            }
            self.approval.add(plan);
            return None;
        }
        if self.options.auto_approve && !lost.is_empty() {
            let names: Vec<String> =
                lost.iter().map(|planned| planned.change.addr.in_project(plan.prefixes_layers)).collect();
            let source = lost.first().and_then(|planned| planned.lost_with.clone()).unwrap_or_default();
            self.said.error(
                "Objects would be lost",
                format!(
                    "{source} is replaced or removed, and these objects go with it:\n  {}\n-auto-approve does not cover \
                     that. Pass -accept-loss if it is meant.",
                    names.join("\n  ")
                ),
            );
            return Some(if first { Ended::Failed } else { Ended::Beyond });
        }
        let question = Question { plan, beyond, lost, first };
        match self.approve.ask(&question) {
            Answer::Yes => {
                self.approval.add(plan);
                None
            }
            Answer::No => Some(if first { Ended::Declined } else { Ended::Beyond }),
            Answer::Nobody if first => {
                self.said.error(
                    "Apply needs approval",
                    "There is no terminal to ask on. Pass -auto-approve, or apply a saved plan.",
                );
                Some(Ended::Failed)
            }
            Answer::Nobody => {
                self.said.push(differs(&question));
                Some(Ended::Beyond)
            }
        }
    }

    fn has_gates_to_run(&self, plan: &Plan) -> bool {
        plan.phases.iter().any(|phase| phase.gates.iter().any(|gate| gate.will_run()))
    }

    async fn carry_out(&mut self, plan: Plan, states: &[State], open: &Open, options: &Options) -> Report {
        let env = self.session.env();
        let functions = self.session.functions(options.timestamp, true, &env);
        let inputs = Inputs {
            states,
            commits: &open.commits,
            functions: &functions,
            events: self.events,
            stop: self.stop.clone(),
            parallelism: self.options.parallelism,
            gates: GateContext { sandbox: self.session.config.sandbox, clusters: &*self.session.clusters },
            provision: crate::provision::Context {
                ssh: crate::client::ssh::Surroundings::from_env(&|name| std::env::var(name).ok()),
                sandbox: self.session.config.sandbox,
            },
        };
        let (report, said) = crate::apply::run(plan, inputs).await;
        self.said.append(super::plan::addressed(self.session, said));
        report
    }

    /// Asks providers for calls of earlier runs whose end nobody knows, and writes what they can prove.
    async fn recover(
        &mut self,
        open: &Open,
        options: &mut Options,
        recovery: Option<&mut Recovery>,
    ) -> Result<(), Ended> {
        let states = self.states(open).await.map_err(|said| {
            self.said.append(said);
            Ended::Failed
        })?;
        // Objects are read by the plan that follows.
        let asking = Options { refresh: false, ..options.clone() };
        let outcome = segment(self.session, &states, &asking, false, self.events).await;
        let failed = outcome.has_errors();
        let Some(plan) = outcome.value.filter(|_| !failed) else {
            self.said.append(outcome.said);
            return Err(if self.stop.is_asked() { Ended::Stopped } else { Ended::Failed });
        };
        let (mut looked_up, mut uncertain) = (0, 0);
        for intent in &options.unfinished {
            let layer = self.session.config.layer_index(&intent.intent.addr.layer);
            let Some(commit) = layer.and_then(|layer| open.commits[layer].as_ref()) else { continue };
            let answer = plan.segment().recovered.iter().find(|(nonce, _)| *nonce == intent.intent.nonce);
            let record = super::settle::record_of(intent, answer.map(|(_, answer)| answer), &self.session.registry);
            match record {
                Some(record) => {
                    looked_up += 1;
                    if let Err(error) = commit.append(record).await {
                        self.said.push(error.diagnostic());
                        return Err(Ended::Failed);
                    }
                }
                None => {
                    uncertain += 1;
                    let addr = &intent.intent.addr;
                    options.selection.excludes.push(crate::addr::Pattern::of(addr));
                    self.said.push(
                        Diagnostic::warning(
                            "Object is uncertain",
                            format!(
                                "A former run was creating {} when it ended, and nobody can tell whether it exists. Nothing \
                                 is done with it or what depends on it until you say: infra state settle.",
                                addr.in_project(self.session.config.prefixes_layers())
                            ),
                        )
                        .about(addr),
                    );
                }
            }
        }
        if let Some(recovery) = recovery {
            (recovery.looked_up, recovery.uncertain) = (looked_up, uncertain);
        }
        options.unfinished.clear();
        Ok(())
    }

    /// Before a phase changes, the notes that its gates have passed go: a crash must not leave them behind. A gate that looks at nothing of
    /// what changes keeps its note.
    async fn forget_gates(&mut self, plan: &Plan) {
        let (mut phases, mut gates) = (HashSet::new(), HashSet::new());
        for (index, (phase, written)) in plan.phases.iter().zip(&self.session.config.phases).enumerate() {
            if !plan.changes.iter().any(|planned| planned.phase == index && planned.is_work()) {
                continue;
            }
            let kept = |name: &Name| {
                let planned = phase.gates.iter().find(|gate| gate.name == *name).map(|gate| &gate.decision);
                matches!(planned, Some(GateDecision::LeftOut { touched: false, .. }))
            };
            phases.insert(phase.name.to_string());
            gates.extend(
                written.gates.iter().map(|gate| &gate.name).filter(|name| !kept(name)).map(ToString::to_string),
            );
        }
        self.edit_meta(|meta| {
            meta.gates.retain(|phase, _| !phases.contains(phase));
            meta.passed.retain(|gate, _| !gates.contains(gate));
        })
        .await;
    }

    async fn remember_gates(&mut self, report: &Report, identities: &foldhash::HashMap<String, String>, failed: bool) {
        let at = self.options.timestamp.to_string();
        let destroy = self.options.mode == PlanMode::Destroy && !failed;
        self.edit_meta(|meta| {
            for gate in &report.gates_passed {
                let note = crate::state::GatePassed { at: at.clone(), on: String::new() };
                meta.passed.insert(gate.to_string(), note);
            }
            meta.identities.extend(identities.iter().map(|(key, value)| (key.clone(), value.clone())));
            if destroy {
                *meta = Meta::default();
            }
        })
        .await;
    }

    /// Changes the notes beside the states of the layers in this run. Losing them only costs time: failures are not errors.
    async fn edit_meta(&self, edit: impl Fn(&mut Meta)) {
        for index in self.session.writable(self.options) {
            let handle = &self.session.handles[index];
            if let Ok((meta, version)) = handle.meta().await {
                let mut new = meta.clone();
                edit(&mut new);
                if new != meta {
                    let _ = handle.save_meta(&new, version.as_ref()).await;
                }
            }
        }
    }
}

/// What is said when a later segment goes beyond what was agreed to and nobody can be asked.
fn differs(question: &Question<'_>) -> Diagnostic {
    let asked = question.beyond.iter().chain(&question.lost);
    let mut lines: Vec<String> = asked
        .map(|planned| {
            let addr = planned.change.addr.in_project(question.plan.prefixes_layers);
            format!("  {} {addr} ({})", planned.change.action.symbol(), planned.change.action)
        })
        .collect();
    lines.dedup();
    Diagnostic::error(
        "Rest differs from what was approved",
        format!(
            "With what became known, this would be done, which the approved plan did not say:\n{}\nNone of it was done, and \
             everything done before is in state. Look at the rest with infra plan; the next infra apply goes on from here.",
            lines.join("\n")
        ),
    )
}

/// The phases in which something is to be done, and how much.
fn changes_by_phase(plan: &Plan) -> Vec<(Name, usize)> {
    let count = |index: usize| {
        let here = plan
            .changes
            .iter()
            .filter(|planned| planned.phase == index && !planned.change.is_noop() && !planned.work.check);
        here.count()
    };
    let phases = plan.phases.iter().enumerate().map(|(index, phase)| (phase.name.clone(), count(index)));
    phases.filter(|(_, count)| *count > 0).collect()
}

fn merge(all: &mut Report, new: Report) {
    let add = |a: &mut Counts, b: Counts| {
        a.import += b.import;
        a.add += b.add;
        a.change += b.change;
        a.destroy += b.destroy;
        a.forget += b.forget;
        a.invoke += b.invoke;
    };
    add(&mut all.counts, new.counts);
    for phase in new.phases {
        match all.phases.iter_mut().find(|known| known.name == phase.name) {
            Some(known) => {
                add(&mut known.counts, phase.counts);
                known.elapsed += phase.elapsed;
                known.ended = phase.ended;
                if !phase.critical_path.is_empty() {
                    known.critical_path = phase.critical_path;
                }
            }
            None => all.phases.push(phase),
        }
    }
    all.calls += new.calls;
    all.left = new.left;
    all.stopped |= new.stopped;
    all.fresh.extend(new.fresh);
    all.outputs = new.outputs;
    all.world = new.world.or_else(|| all.world.take());
    all.gates_passed.extend(new.gates_passed);
}

/// Whether a data source was read whose object is not stored as it was found.
fn reads_anew(plan: &Plan, states: &[State]) -> bool {
    plan.changes.iter().any(|planned| {
        let (addr, object) = (&planned.change.addr, &planned.work.planned);
        if addr.resource.mode != Mode::Data || planned.change.action != Action::NoOp || !object.is_wholly_known() {
            return false;
        }
        let Some(now) = planned.schema().and_then(|schema| to_json_typed(object, &schema.ty()).ok()) else {
            return false;
        };
        let stored = states.iter().find(|state| state.layer == addr.layer).and_then(|state| state.object(addr));
        stored.is_none_or(|stored| *stored.attributes != *now)
    })
}
