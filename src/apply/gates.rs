//! Gates between phases: their arguments evaluated when they run, the checks themselves done by `gate`.

use crate::addr::Name;
use crate::client::kube::Kube;
use crate::config::{Config, Gate};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::gate::{self, Absent, Around, Cluster, Spec, Timing};
use crate::graph::Graph;
use crate::lang::decode::{decode, references_in};
use crate::lang::eval::{Found, Reference, evaluate};
use crate::lang::syntax::ast::Body;
use crate::plan::gates::{absent_from_state, gate_arguments};
use crate::plan::scope::{ProjectScope, Surroundings};
use crate::plan::{GateDecision, GatePlan};
use crate::provider::Boxed;
use crate::schema::Block;
use crate::state::State;
use crate::value::Value;

use super::Stop;
use super::run::{Done, Run};

/// Makes clients of the project's cluster.
pub trait Clusters: Send + Sync {
    /// The schema of the project's `provider "kubernetes"`.
    fn schema(&self) -> Option<&Block>;

    /// A client for that configuration (which may hold unknowns in the sandbox).
    fn client(&self, config: Value) -> Boxed<'_, Outcome<Kube>>;
}

/// What gates need of the run.
#[derive(Clone, Copy)]
pub struct GateContext<'a> {
    /// Whether the cluster is the sandbox.
    pub sandbox: bool,
    /// The cluster.
    pub clusters: &'a dyn Clusters,
}

/// A gate whose arguments are evaluated.
pub struct Prepared {
    /// Its phase.
    pub phase: Name,
    /// Its name.
    pub name: Name,
    kind: String,
    arguments: Value,
    timing: Timing,
    span: crate::diag::Span,
    cluster: Option<Value>,
    /// What it names and nothing in the project makes, by the plan.
    absent: Vec<Absent>,
}

impl Prepared {
    /// The gate, to be asked by itself: it does not wait for what is neither in state nor in the cluster.
    #[must_use]
    pub fn alone(mut self, gate: &Gate, graph: &Graph, states: &[State]) -> Self {
        self.absent = absent_from_state(gate, &self.arguments, graph, states);
        self
    }
}

/// A gate that has been asked.
pub(super) struct GateDone {
    step: u32,
    phase: usize,
    name: Name,
    said: Diagnostics,
}

/// Evaluates a gate. `None`: it is switched off.
pub fn prepare(
    around: Surroundings<'_>,
    phase: &Name,
    gate: &Gate,
    clusters: &dyn Clusters,
) -> Outcome<Option<Prepared>> {
    let scope = ProjectScope { around };
    let within = format!("gate {:?}", gate.name.as_str());
    let mut said = Diagnostics::none();
    if let Some(expr) = &gate.enabled {
        let Some(value) = evaluate(expr, &scope).take(&mut said) else { return Outcome::fail(said) };
        match value.as_bool() {
            Some(true) => {}
            Some(false) => return Outcome::with(None, said),
            None => {
                let detail = "The argument \"enabled\" of a gate must be true or false, and known when the gate runs.";
                said.push(Diagnostic::error("Invalid gate", detail).at(expr.span).within(within));
                return Outcome::fail(said);
            }
        }
    }
    let kind = gate.check.kind.text.to_string();
    let Some((arguments, timing)) = gate_arguments(gate, &scope).take(&mut said) else { return Outcome::fail(said) };
    let timing = Timing::from_value(&timing);
    said.append(timing.said.located(Some(gate.span), Some(&within)));
    let Some(timing) = timing.value else { return Outcome::fail(said) };
    let (arguments, _) = arguments.unmark_deep();
    if !arguments.is_wholly_known() {
        said.push(
            Diagnostic::error(
                "Gate cannot be evaluated",
                "Some of its arguments are not known, although everything in this phase and the ones before is done. They \
                 come from outputs of a later phase, or of something that was left out.",
            )
            .at(gate.check.header)
            .within(within),
        );
        return Outcome::fail(said);
    }
    let cluster = cluster_config(around, clusters).take(&mut said).flatten();
    if said.has_errors() {
        return Outcome::fail(said);
    }
    let prepared = Prepared {
        phase: phase.clone(),
        name: gate.name.clone(),
        kind,
        arguments,
        timing,
        span: gate.span,
        cluster,
        absent: Vec::new(),
    };
    Outcome::with(Some(prepared), said)
}

/// The configuration of the project's `provider "kubernetes"`, if it has one: one that the environments make is not there for
/// gates of global layers. The sandbox is there in any case, whatever is written of it.
fn cluster_config(around: Surroundings<'_>, clusters: &dyn Clusters) -> Outcome<Option<Value>> {
    let above =
        |found: &Found| matches!(&found.reference, Reference::Layer { layer, .. } if around.config.is_above(layer));
    let providers = &around.config.shared_providers;
    let found = providers
        .iter()
        .find(|provider| provider.local == "kubernetes" && provider.alias.is_none())
        .filter(|provider| !references_in(&provider.body).iter().any(above));
    let nothing = Body::default();
    let body = match found {
        Some(provider) => &provider.body,
        None if around.config.sandbox => &nothing,
        None => return Outcome::ok(None),
    };
    let Some(schema) = clusters.schema() else { return Outcome::ok(None) };
    decode(body, schema, &ProjectScope { around }).map(|value| Some(value.unmark_deep().0))
}

struct Reached<'a> {
    clusters: &'a dyn Clusters,
    config: Option<Value>,
}

impl Cluster for Reached<'_> {
    fn client(&self) -> Boxed<'_, Outcome<Kube>> {
        match &self.config {
            Some(config) => self.clusters.client(config.clone()),
            None => gate::NoCluster.client_boxed(),
        }
    }
}

trait Without {
    fn client_boxed<'a>(&self) -> Boxed<'a, Outcome<Kube>>;
}

impl Without for gate::NoCluster {
    fn client_boxed<'a>(&self) -> Boxed<'a, Outcome<Kube>> {
        Box::pin(async { gate::NoCluster.client().await })
    }
}

/// Asks a gate until it passes or its time is over.
pub async fn ask(
    prepared: Prepared,
    context: GateContext<'_>,
    events: &dyn crate::event::Events,
    stop: &Stop,
) -> Outcome<gate::Report> {
    let cluster = Reached { clusters: context.clusters, config: prepared.cluster };
    let spec = Spec {
        phase: &prepared.phase,
        name: &prepared.name,
        kind: &prepared.kind,
        arguments: &prepared.arguments,
        timing: prepared.timing,
        absent: &prepared.absent,
    };
    let stopped = || stop.is_asked();
    let around = Around { cluster: &cluster, sandbox: context.sandbox, events, stop: &stopped };
    let outcome = gate::run(&spec, &around).await;
    let within = format!("phase {:?}", prepared.phase.as_str());
    Outcome { value: outcome.value, said: outcome.said.located(Some(prepared.span), Some(&within)) }
}

impl<'a> Run<'a> {
    /// Starts the gates of a phase that is done, those that the plan runs. False when there are none.
    pub(super) fn start_gates(&mut self, step: u32, phase: usize) -> bool {
        let config: &'a Config = &self.plan.segment().config;
        let (Some(written), Some(planned)) = (config.phases.get(phase), self.plan.phases.get(phase)) else {
            return false;
        };
        if !planned.gates.iter().any(GatePlan::will_run) {
            return false;
        }
        if self.inputs.stop.is_asked() {
            self.report.stopped = true;
            return false;
        }
        let mut started = 0;
        let mut failed = false;
        for GatePlan { name, decision, .. } in &planned.gates {
            let GateDecision::Runs { absent } = decision else { continue };
            let Some(gate) = written.gates.iter().find(|gate| gate.name == *name) else { continue };
            let outcome = prepare(self.around(), &written.name, gate, self.inputs.gates.clusters);
            self.said.append(outcome.said);
            let prepared = match outcome.value {
                Some(Some(prepared)) => Prepared { absent: absent.clone(), ..prepared },
                Some(None) => continue,
                None => {
                    failed = true;
                    continue;
                }
            };
            started += 1;
            let (context, events, stop) = (self.inputs.gates, self.inputs.events, self.inputs.stop.clone());
            let name = name.clone();
            self.running.push(Box::pin(async move {
                let outcome = ask(prepared, context, events, &stop).await;
                Done::Gate(GateDone { step, phase, name, said: outcome.said })
            }));
        }
        if failed {
            self.failed_gates.insert(step);
        }
        if started == 0 {
            if failed {
                self.phase_over(step, phase, true);
                return true;
            }
            return false;
        }
        self.open_gates.insert(step, started);
        true
    }

    /// What a failed gate means for the run, and how to go on.
    fn after_failure(&self, phase: usize, gate: &Name) -> String {
        let config = &self.plan.segment().config;
        let env = config.flags();
        let next = self.plan.phases.get(phase + 1);
        let next = next.map(|next| format!("Phase {} was not started. ", next.name)).unwrap_or_default();
        format!(
            "\n\n{next}Everything applied so far is in state; infra apply{env} goes on from here.\nRun the check alone with: \
             infra gate run {gate}{env}"
        )
    }

    /// Folds in a gate's answer; the phase is over with its last one.
    pub(super) fn gate_ended(&mut self, mut done: GateDone) {
        let failed = done.said.has_errors();
        if failed {
            let advice = self.after_failure(done.phase, &done.name);
            let last = done.said.0.iter_mut().rfind(|diagnostic| diagnostic.is_error());
            if let Some(diagnostic) = last {
                diagnostic.detail.push_str(&advice);
            }
        }
        for diagnostic in done.said.iter() {
            self.inputs.events.emit(crate::event::Event::Said(diagnostic.clone()));
        }
        self.said.append(done.said);
        if failed {
            self.failed_gates.insert(done.step);
        } else {
            self.report.gates_passed.push(done.name);
        }
        if let Some(open) = self.open_gates.get_mut(&done.step) {
            *open -= 1;
            if *open == 0 {
                self.open_gates.remove(&done.step);
                let failed = self.failed_gates.contains(&done.step);
                self.phase_over(done.step, done.phase, failed);
            }
        }
    }
}
