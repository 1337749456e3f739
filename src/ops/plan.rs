//! Planning without writing.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet};

use crate::addr::Name;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::event::{Events, Silent, Stop};
use crate::plan::{Options, Plan, PlanMode};
use crate::state::{Meta, OpenIntent, State, View};

use super::session::{RunOptions, Session};

/// Plans what an apply would do now. Takes no lock and writes nothing. A state that somebody else holds is waited for as long as
/// `-lock-timeout` says; with `-lock=false` the plan is of what is known so far. Where planning fails there may be a plan all the
/// same, of what could be planned.
pub async fn plan(session: &Session, options: &RunOptions, events: &dyn Events) -> Outcome<Plan> {
    let mut said = refused(options);
    if said.has_errors() {
        return Outcome::fail(said);
    }
    said.append(targeting(options));
    session.begin_graph();
    said.append(other_states(session, options).await);
    if said.has_errors() {
        return Outcome::fail(said);
    }
    if options.lock
        && let Err(errors) = super::locks::wait_until_free(session, options, "plan", events).await
    {
        said.append(errors);
        return Outcome::fail(said);
    }
    let (live, noted) = running(session).await;
    said.append(noted);
    let views = match session.views().await {
        Ok(views) => views,
        Err(errors) => return Outcome::fail(errors),
    };
    let as_it_goes = |(index, view): (usize, View)| if live.contains(&index) { view.of_running() } else { view };
    let views: Vec<View> = views.into_iter().enumerate().map(as_it_goes).collect();
    said.append(conflicts(&views));
    let unfinished = views.iter().flat_map(|view| view.open.iter().cloned()).collect();
    let states: Vec<State> = views.into_iter().map(|view| Arc::unwrap_or_clone(view.state)).collect();
    let metas = metas(session).await;
    let plan_options = options_of(session, options, unfinished, &metas);
    let outcome = segment(session, &states, &plan_options, false, events).await;
    let mut value = outcome.value;
    if value.is_some() && outcome.said.has_errors() && !is_valid(session, options).await {
        // What is wrong whatever state holds is no plan's: Terraform says it before it plans.
        value = None;
    }
    said.append(outcome.said);
    Outcome { value, said }
}

/// Whether the configuration has no errors of its own.
async fn is_valid(session: &Session, options: &RunOptions) -> bool {
    let said = super::states::validate(session, &Options::new(options.timestamp)).await;
    !said.has_errors()
}

/// What is said of a plan that the user did not wait for.
fn interrupted() -> Diagnostic {
    Diagnostic::error(
        "Interrupted",
        "Planning was stopped before it was done. Nothing was changed; plan again when you are ready.",
    )
}

/// What is asked for and cannot go together.
pub(super) fn refused(options: &RunOptions) -> Diagnostics {
    let mut said = Diagnostics::none();
    let alone = match options.mode {
        PlanMode::Normal => None,
        PlanMode::RefreshOnly => Some(("only refreshes", "-refresh-only")),
        PlanMode::Destroy => Some(("destroys everything", "-destroy")),
    };
    if let (Some((what, flag)), false) = (alone, options.replace.is_empty()) {
        let detail = format!("A plan that {what} replaces nothing. Leave out either -replace or {flag}.");
        said.error("Unsupported plan mode", detail);
    }
    if options.mode == PlanMode::RefreshOnly && !options.refresh {
        let detail = "-refresh-only looks at objects, and -refresh=false does not: one of them has to go.";
        said.error("Incompatible refresh options", detail);
    }
    if options.invoke.len() > 1 {
        let detail = "-invoke can be given once: a run invokes one action. Run the command once for each of them.";
        said.error("Invalid combination of arguments", detail);
    }
    if !options.targets.is_empty() && !options.excludes.is_empty() {
        let detail = "-target says what takes part, -exclude what does not: use one of them.";
        said.error("Invalid combination of arguments", detail);
    }
    said
}

/// What states forbid that are none of the run's: those of environments that need the layers to be destroyed, and of layers
/// that the project does not have.
pub(super) async fn other_states(session: &Session, options: &RunOptions) -> Diagnostics {
    let in_use = super::global::in_use(session, options);
    let (mut said, undeclared) = futures::future::join(in_use, super::undeclared::undeclared(session)).await;
    said.append(undeclared);
    said
}

/// The warning of a plan that leaves something out.
pub(super) fn targeting(options: &RunOptions) -> Diagnostics {
    if options.targets.is_empty() && options.excludes.is_empty() {
        return Diagnostics::none();
    }
    let detail = "Only a part of the configuration takes part, so that the result may not be all that it asks for. That is meant for \
                  exceptions, such as recovering from a mistake; afterwards, plan everything.";
    Diagnostic::warning("Resource targeting is in effect", detail).into()
}

/// Plans one segment from given states.
pub(super) async fn segment(
    session: &Session,
    states: &[State],
    options: &Options,
    applying: bool,
    events: &dyn Events,
) -> Outcome<Plan> {
    let env = session.env();
    let functions = session.functions(options.timestamp, applying, &env);
    let registry = &session.registry;
    let mut said = Diagnostics::none();
    let Some(graph) = session.rough_graph().take(&mut said) else { return Outcome::fail(said) };
    let idle = options.mode == PlanMode::Destroy && options.unfinished.is_empty() && states.iter().all(State::is_empty);
    let nothing = idle.then(|| Options { refresh: false, offline: true, idle, ..options.clone() });
    let options = nothing.as_ref().unwrap_or(options);
    if said.has_errors() {
        // Nothing can be planned, but more may be wrong than names.
        let options = Options { refresh: false, offline: true, ..options.clone() };
        let walked = crate::plan::run(&session.config, &graph, &[], registry, &options, &functions, &Silent).await;
        let known: Vec<_> = said.iter().map(|one| one.subject).collect();
        said.append(walked.said.into_iter().filter(|one| one.subject.is_some() && !known.contains(&one.subject)));
        return Outcome::fail(addressed(session, said));
    }
    if idle {
        // Nothing is planned then, and what is written is looked at all the same.
        let checking = Options { mode: PlanMode::Normal, ..options.clone() };
        let checked = crate::plan::run(&session.config, &graph, states, registry, &checking, &functions, &Silent).await;
        if checked.has_errors() {
            said.append(checked.said);
            return Outcome::fail(addressed(session, said));
        }
    }
    // A plan changes nothing, so that nothing is lost with it.
    let planning = crate::plan::run(&session.config, &graph, states, registry, options, &functions, events);
    let planned = Stop::or(planning).await.unwrap_or_else(|| Outcome::fail(interrupted()));
    said.append(planned.said);
    Outcome { value: planned.value, said: addressed(session, said) }
}

/// Names objects with their layer only where there are several.
pub(super) fn addressed(session: &Session, said: Diagnostics) -> Diagnostics {
    match session.config.layers.as_slice() {
        [only] if !session.config.prefixes_layers() => said.without_prefix(&format!("layer.{}.", only.name)),
        _ => said,
    }
}

/// The options of a plan from those of a run.
pub(super) fn options_of(
    session: &Session,
    options: &RunOptions,
    unfinished: Vec<OpenIntent>,
    metas: &[Meta],
) -> Options {
    let mut identities = HashMap::new();
    for meta in metas {
        identities.extend(meta.identities.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    Options {
        mode: options.mode,
        refresh: options.refresh || !unfinished.is_empty(),
        selection: options.selection(),
        replace: options.replace.clone(),
        invoke: options.invoke.clone(),
        unfinished,
        outstanding: outstanding(session, metas),
        identities,
        ..Options::new(options.timestamp)
    }
}

/// The gates that have not passed since something in their phase changed.
pub(super) fn outstanding(session: &Session, metas: &[Meta]) -> HashSet<Name> {
    let passed = |phase: &Name, gate: &Name| {
        metas.iter().any(|meta| meta.passed.contains_key(gate.as_str()) || meta.gates.contains_key(phase.as_str()))
    };
    let gates =
        session.config.phases.iter().flat_map(|phase| phase.gates.iter().map(move |gate| (&phase.name, &gate.name)));
    gates.filter(|(phase, gate)| !passed(phase, gate)).map(|(_, gate)| gate.clone()).collect()
}

/// The notes beside the states; what cannot be read counts as empty.
pub(super) async fn metas(session: &Session) -> Vec<Meta> {
    let reads =
        session.handles.iter().map(|handle| async { handle.meta().await.map(|(meta, _)| meta).unwrap_or_default() });
    futures::future::join_all(reads).await
}

/// The layers that runs hold right now, whose results are not all in state yet, and what is to be said about that.
async fn running(session: &Session) -> (Vec<usize>, Diagnostics) {
    let (mut live, mut said) = (Vec::new(), Diagnostics::none());
    for (index, handle) in session.handles.iter().chain(&session.global).enumerate() {
        let Ok(Some(holder)) = handle.holder().await else { continue };
        if holder.is_dead() {
            said.push(
                Diagnostic::warning(
                    "A run was interrupted",
                    format!(
                        "{} is still locked by {} for {:?}, but that process has ended. What it did is in the journal and \
                         counted here; the next apply takes the lock over.",
                        handle.key(),
                        holder.who,
                        holder.command()
                    ),
                )
                .about(handle.key()),
            );
        } else {
            live.push(index);
            said.push(
                Diagnostic::warning(
                    "A run is in progress",
                    format!(
                        "{} is held by {} for {:?}. This plan is of what is known so far; it may differ once that run has \
                         ended.",
                        handle.key(),
                        holder.who,
                        holder.command()
                    ),
                )
                .about(handle.key()),
            );
        }
    }
    (live, said)
}

fn conflicts(views: &[View]) -> Diagnostics {
    let conflicts = views.iter().flat_map(|view| view.conflicts.iter());
    conflicts
        .map(|conflict| {
            Diagnostic::error(
                "Journal on a state that is no longer current",
                format!(
                    "{}: {}. Results of a run would be lost if this were ignored. infra state uncertain shows what they are; \
                     infra state settle -keep takes them into state, infra state settle -drop forgets them.",
                    conflict.log.key, conflict.reason
                ),
            )
            .about(&conflict.log.key)
        })
        .collect()
}
