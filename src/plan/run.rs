//! One plan from beginning to end.

use std::sync::Arc;

use foldhash::{HashSet, HashSetExt};

use crate::addr::Mode;
use crate::change::Action;
use crate::config::Config;
use crate::diag::{Diagnostics, Outcome};
use crate::event::Events;
use crate::graph::Graph;
use crate::provider::Registry;
use crate::state::{Object, Slot, State};
use crate::value::Value;

use super::actions::Invocation;
use super::instance::schema_of;
use super::model::{LayerPlan, Plan, PlanMode, PlannedChange, Segment, Work};
use super::options::Options;
use super::scope::Functions;
use super::walk::{Input, Walk};
use super::world::{Repetition, World};

/// Plans one segment: compares the configuration with the states and proposes what can be planned with what is known now.
/// Everything wrong is said; with an error there is no plan, or one that says so and is only shown.
pub async fn run(
    config: &Arc<Config>,
    graph: &Arc<Graph>,
    states: &[State],
    registry: &Registry,
    options: &Options,
    functions: &Functions<'_>,
    events: &dyn Events,
) -> Outcome<Plan> {
    let input = Input { config, graph, states, registry, options, functions, events };
    let mut said = Diagnostics::none();
    let Some(mut walk) = Walk::new(input).take(&mut said) else { return Outcome::fail(said) };
    walk.tell_reading();
    said.append(walk.start_extra_providers().await);
    if said.has_errors() {
        return Outcome::fail(said);
    }
    walk.doom();
    walk.spare();
    said.append(walk.run().await);
    let asserts = options.mode != PlanMode::Destroy && !options.offline && options.selection.targets.is_empty();
    let asserted = asserts.then(|| super::checks::assertions(walk.around(), &|node| walk.is_broken(node)));
    if let Some(asserted) = &asserted {
        said.append(asserted.said(walk.around(), true));
    }
    let failed = said.has_errors();
    if graph.faulty || (failed && (options.offline || walk.is_unfounded)) {
        return Outcome::fail(said);
    }
    if !failed {
        said.append(walk.check_moves());
        said.append(walk.check_imports());
        if said.has_errors() {
            return Outcome::fail(said);
        }
    }
    said.append(walk.plan_orphans());
    said.append(walk.tell_forgotten());
    if !failed {
        said.append(walk.check_gates());
    }
    // What could be planned is shown beside the errors, as Terraform does.
    let errored = said.has_errors();
    let drift = drift_that_matters(&walk);
    let refreshed = walk.refreshed();
    let found = walk.found(&walk.changes);
    let leaving = walk.leaving();
    let outputs = walk.outputs();
    // Nothing is stored of what fails anyway, or of what is only looked at.
    let stores = !options.offline && !said.has_errors();
    for change in outputs.iter().filter(|change| stores && change.action != Action::NoOp) {
        let what = format!("output {:?}", change.name.as_str());
        said.0.extend(super::storable::refused(&what, &change.after));
    }
    let seen = walk.objects.entries.iter().filter(|entry| entry.slot.addr.resource.mode == Mode::Managed);
    let seen: Vec<Slot> = seen.map(|entry| entry.slot.clone()).collect();
    let changes = in_order(config, std::mem::take(&mut walk.changes));
    said.append(options.replace.iter().filter_map(|pattern| incomplete(pattern, &changes)));
    let Some(invocations) = invocations(&walk, &changes, errored, &mut said) else { return Outcome::fail(said) };
    let phases = walk.phases(&changes);
    if !errored {
        said.append(phases.said);
    }
    let Some(phases) = phases.value else { return Outcome::fail(said) };
    let errored = said.has_errors();
    let pending = changes.iter().any(|planned| planned.pending.is_some() || planned.lost_with.is_some());
    let selection = &options.selection;
    let checks = match options.idle {
        true => Vec::new(),
        false => super::checks::checks(walk.around(), &changes, asserted.as_ref()),
    };
    walk.forget_ephemerals();
    let plan = Plan {
        mode: options.mode,
        timestamp: options.timestamp,
        layers: config.layers.iter().zip(states).map(|(layer, state)| layer_plan(layer, state)).collect(),
        phases,
        changes,
        invocations,
        drift,
        outputs,
        complete: !errored && !pending && selection.is_everything(),
        targets: selection.targets.iter().chain(&selection.excludes).map(ToString::to_string).collect(),
        checks,
        asserts,
        errored,
        prefixes_layers: config.prefixes_layers(),
        segment: Some(Box::new(Segment {
            config: config.clone(),
            graph: graph.clone(),
            world: std::mem::take(&mut walk.world),
            providers: std::mem::take(&mut walk.providers),
            selected: std::mem::take(&mut walk.selected),
            refreshed,
            found,
            leaving,
            seen,
            identities: std::mem::take(&mut walk.identities),
            recovered: std::mem::take(&mut walk.recovered),
        })),
    };
    Outcome::with(plan, said)
}

/// What changed outside of the program and is told: where it matters to this plan. The rest is only taken over into state.
fn drift_that_matters(walk: &Walk<'_>) -> Vec<PlannedChange> {
    let mut drift = walk.drift();
    if !walk.is_refresh_only() {
        let changing = walk.changes.iter().filter(|planned| planned.change.action != Action::NoOp);
        let changing: HashSet<_> = changing.map(|planned| &planned.change.addr).collect();
        drift.retain(|drifted| drifted.change.action == Action::Delete || changing.contains(&drifted.change.addr));
    }
    drift
}

/// Changes by phase, layer and address.
fn in_order(config: &Config, mut changes: Vec<PlannedChange>) -> Vec<PlannedChange> {
    let position = |planned: &PlannedChange| config.layer_index(&planned.change.addr.layer);
    // By keys of their own: changes are large, and every move of one would cost more than its key.
    changes.sort_by_cached_key(|planned| {
        let change = &planned.change;
        (planned.phase, position(planned), change.addr.clone(), change.deposed.clone())
    });
    changes
}

/// The actions that are invoked; none by a plan that has failed. `None`: something is wrong with them.
fn invocations(
    walk: &Walk<'_>,
    changes: &[PlannedChange],
    errored: bool,
    said: &mut Diagnostics,
) -> Option<Vec<Invocation>> {
    if errored {
        return Some(Vec::new());
    }
    let mut invocations = walk.invocations(changes).take(said).filter(|_| !said.has_errors())?;
    for invocation in &mut invocations {
        invocation.config = super::ephemeral::forgotten(&invocation.config);
    }
    Some(invocations)
}

/// What is said of a `-replace` that names a resource with several instances and none of them.
fn incomplete(pattern: &crate::addr::Pattern, changes: &[PlannedChange]) -> Option<crate::diag::Diagnostic> {
    let meant: Vec<String> = changes
        .iter()
        .map(|planned| &planned.change.addr)
        .filter(|addr| pattern.matches(addr))
        .map(|addr| addr.in_project(pattern.layer.is_some()))
        .collect();
    if meant.is_empty() || changes.iter().any(|planned| pattern.is_exactly(&planned.change.addr)) {
        return None;
    }
    let detail = format!(
        "{pattern} is no single instance, so that nothing is replaced. Name those that are meant:\n  {}",
        meant.join("\n  ")
    );
    Some(crate::diag::Diagnostic::warning("Incompletely-matched force-replace resource instance", detail))
}

/// Finds the value of every variable, local, output and module, with objects as state has them. What fails is said, and the
/// rest is there all the same; only without its providers there is no world.
pub async fn values(
    config: &Arc<Config>,
    graph: &Arc<Graph>,
    states: &[State],
    registry: &Registry,
    options: &Options,
    functions: &Functions<'_>,
) -> Outcome<World> {
    let options = Options { refresh: false, offline: true, values_only: true, ..options.clone() };
    let events = &crate::event::Silent;
    let input = Input { config, graph, states, registry, options: &options, functions, events };
    let mut said = Diagnostics::none();
    let Some(mut walk) = Walk::new(input).take(&mut said) else { return Outcome::fail(said) };
    said.append(walk.run().await);
    Outcome::with(std::mem::take(&mut walk.world), said)
}

fn layer_plan(layer: &crate::config::Layer, state: &State) -> LayerPlan {
    let location = match &layer.state {
        crate::config::StateSettings::Local { path } => path.display().to_string(),
        crate::config::StateSettings::S3(settings) => format!("s3://{}/{}", settings.bucket, settings.key),
    };
    LayerPlan {
        name: layer.name.clone(),
        location,
        serial: state.serial,
        lineage: state.lineage.clone(),
        objects: state.object_count(),
    }
}

impl Walk<'_> {
    /// With `-destroy -exclude`: finds what an excluded object depends on, by what state recorded and by the configuration. It
    /// stays as well.
    fn spare(&mut self) {
        let selection = &self.input.options.selection;
        if self.input.options.mode != PlanMode::Destroy || selection.excludes.is_empty() {
            return;
        }
        let graph = self.input.graph;
        let excluded =
            |addr: &crate::addr::ConfigResourceAddr| selection.excludes.iter().any(|pattern| pattern.may_match(addr));
        let mut spared: HashSet<crate::addr::ConfigResourceAddr> = HashSet::new();
        let mut nodes = vec![false; graph.nodes.len()];
        for id in graph.order.iter().rev() {
            let addr = graph.config_addr(*id);
            let needed = graph.needed_by[id.index()].iter().any(|user| nodes[user.index()]);
            nodes[id.index()] = needed || addr.as_ref().is_some_and(excluded);
            if needed {
                spared.extend(addr);
            }
        }
        loop {
            let before = spared.len();
            for entry in &self.objects.entries {
                let addr = entry.slot.addr.config();
                if excluded(&addr) || spared.contains(&addr) {
                    spared.extend(entry.stored.dependencies.iter().cloned());
                }
            }
            if spared.len() == before {
                break;
            }
        }
        self.spared = spared;
    }

    /// With `-destroy -target`: finds what depends on a target, by what state recorded and by the configuration.
    fn doom(&mut self) {
        let selection = &self.input.options.selection;
        if self.input.options.mode != PlanMode::Destroy || selection.targets.is_empty() {
            return;
        }
        let graph = self.input.graph;
        let mut doomed: HashSet<crate::addr::ConfigResourceAddr> = HashSet::new();
        let mut nodes = vec![false; graph.nodes.len()];
        for id in &graph.order {
            let below = graph.needs[id.index()].iter().any(|need| nodes[need.index()]);
            let addr = graph.config_addr(*id);
            let matches =
                addr.as_ref().is_some_and(|addr| selection.targets.iter().any(|target| target.may_match(addr)));
            nodes[id.index()] = below || matches;
            // The target itself is matched instance by instance.
            if below {
                doomed.extend(addr);
            }
        }
        loop {
            let before = doomed.len();
            for entry in &self.objects.entries {
                let hit = |addr: &crate::addr::ConfigResourceAddr| {
                    doomed.contains(addr) || selection.targets.iter().any(|target| target.may_match(addr))
                };
                if entry.stored.dependencies.iter().any(hit) {
                    doomed.insert(entry.slot.addr.config());
                }
            }
            if doomed.len() == before {
                break;
            }
        }
        let slots = self.objects.entries.iter().filter(|entry| doomed.contains(&entry.slot.addr.config()));
        self.doomed = slots.map(|entry| entry.slot.clone()).collect();
    }

    /// What reading the objects brought to light.
    fn drift(&self) -> Vec<PlannedChange> {
        let mut drift = Vec::new();
        for entry in &self.objects.entries {
            let Some(old) = &entry.drifted_from else { continue };
            let slot = &self.providers[entry.provider];
            let Some(schema) = schema_of(&*slot.kind, &entry.slot.addr) else { continue };
            let marked = |value: &Value| {
                let marks = super::objects::stored_marks(schema, &entry.stored, value);
                value.clone().mark_paths(&marks)
            };
            let (action, after) = match &entry.now {
                Some(known) => (Action::Update, marked(&known.value)),
                None => (Action::Delete, Value::Null(schema.ty())),
            };
            let change = crate::change::Change {
                addr: entry.slot.addr.clone(),
                deposed: entry.slot.deposed.clone(),
                previous: None,
                action,
                reason: None,
                before: marked(old),
                after,
                replace_paths: Vec::new(),
                importing: None,
                generated: None,
                provider: slot.addr.clone(),
            };
            drift.push(PlannedChange {
                change,
                phase: entry.node.map_or(0, |node| self.input.graph.phase[node.index()]),
                pending: None,
                lost_with: None,
                provider_type: slot.kind.clone(),
                private: Vec::new(),
                work: Work {
                    provider: entry.provider,
                    node: entry.node,
                    copy: None,
                    repetition: Repetition::None,
                    removed: None,
                    stored: None,
                    check: false,
                    creates_first: false,
                    config: Value::NULL,
                    marks: Vec::new(),
                    planned: Value::NULL,
                },
            });
        }
        drift
    }

    /// What apply has to write even where nothing else changes: objects read anew, and data sources.
    fn refreshed(&self) -> Vec<(Slot, usize, Option<Object>)> {
        let mut refreshed: Vec<_> = self.objects.left_behind.iter().map(|slot| (slot.clone(), 0, None)).collect();
        for entry in &self.objects.entries {
            if entry.slot.addr.resource.mode == Mode::Data {
                let kept = entry.claimed || !self.is_selected_layer(entry.layer) || !self.selection_is_whole();
                if !kept {
                    refreshed.push((entry.slot.clone(), entry.provider, None));
                }
                continue;
            }
            if let Some(from) = &entry.moved_from {
                let from = Slot { addr: from.clone(), deposed: entry.slot.deposed.clone() };
                refreshed.push((from, entry.provider, None));
            }
            if (entry.moved_from.is_some() || entry.relinked) && entry.drifted_from.is_none() {
                refreshed.push((entry.slot.clone(), entry.provider, Some((*entry.stored).clone())));
            }
            if entry.drifted_from.is_none() {
                continue;
            }
            if entry.now.is_none() {
                refreshed.push((entry.slot.clone(), entry.provider, None));
            } else if let Some(object) = self.drifted(entry) {
                refreshed.push((entry.slot.clone(), entry.provider, Some(object)));
            }
        }
        // One object may have moved to where another one was.
        refreshed.sort_by_key(|(_, _, object)| object.is_some());
        refreshed
    }

    /// Stored objects that go into another layer's state.
    fn leaving(&self) -> HashSet<Slot> {
        let moved = self.objects.entries.iter().filter_map(|entry| {
            let from = entry.moved_from.as_ref().filter(|from| from.layer != entry.slot.addr.layer)?;
            Some(Slot { addr: from.clone(), deposed: entry.slot.deposed.clone() })
        });
        // Where another object takes its place, that is what replaces it.
        moved.filter(|slot| self.objects.current(&slot.addr).is_none()).collect()
    }

    pub(super) fn selection_is_whole(&self) -> bool {
        self.input.options.selection.is_everything()
    }
}
