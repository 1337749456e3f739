//! One gate by itself.

use crate::apply::gates::{ask, prepare};
use crate::apply::{GateContext, Stop};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::event::Events;
use crate::gate::Report;
use crate::plan::scope::{Surroundings, Variables};
use crate::plan::world::World;

use super::session::{RunOptions, Session};

/// Runs a gate now, with stored outputs for its arguments. Changes nothing.
pub async fn run_gate(
    session: &Session,
    name: &str,
    options: &RunOptions,
    events: &dyn Events,
    stop: &Stop,
) -> Outcome<Option<Report>> {
    let config = &session.config;
    let gates = || config.phases.iter().flat_map(|phase| phase.gates.iter().map(move |gate| (phase, gate)));
    let Some((phase, gate)) = gates().find(|(_, gate)| gate.name == name) else {
        let hint = crate::diag::did_you_mean(name, gates().map(|(_, gate)| gate.name.as_str()));
        let names: Vec<&str> = gates().map(|(_, gate)| gate.name.as_str()).collect();
        let detail = format!("The project has no gate named {name:?}.{hint} Its gates are: {}.", names.join(", "));
        return Outcome::fail(Diagnostic::error("No such gate", detail));
    };
    let states = match session.states().await {
        Ok(states) => states,
        Err(said) => return Outcome::fail(said),
    };
    let mut said = Diagnostics::none();
    let Some(graph) = session.graph().take(&mut said) else { return Outcome::fail(said) };
    let prepared = {
        let env = session.env();
        let functions = session.functions(options.timestamp, true, &env);
        let world = World::new(&graph);
        let around = Surroundings {
            config,
            graph: &graph,
            world: &world,
            states: &states,
            functions: &functions,
            variables: Variables::Given,
        };
        prepare(around, &phase.name, gate, &*session.clusters).take(&mut said)
    };
    match prepared {
        None => Outcome::fail(said),
        Some(None) => Outcome::with(None, said),
        Some(Some(prepared)) => {
            let prepared = prepared.alone(gate, &graph, &states);
            let context = GateContext { sandbox: config.sandbox, clusters: &*session.clusters };
            let outcome = ask(prepared, context, events, stop).await;
            said.append(outcome.said);
            Outcome { value: outcome.value.map(Some), said }
        }
    }
}
