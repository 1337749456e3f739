//! Gates against real servers, a real API server, and the sandbox.

mod real;
mod sandbox;

use std::sync::Mutex;
use std::time::Duration;

use infra::client::kube::Kube;
use infra::diag::Outcome;
use infra::event::{Event, Events};
use infra::gate::{Around, Cluster, NoCluster, Report, Spec, Timing, run, schema};
use infra::provider::Boxed;
use infra::value::Value;

/// A cluster that is there.
struct Here(Kube);

impl Cluster for Here {
    fn client(&self) -> Boxed<'_, Outcome<Kube>> {
        let kube = self.0.clone();
        Box::pin(async move { Outcome::ok(kube) })
    }
}

/// Keeps the reasons for waiting.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Events for Heard {
    fn emit(&self, event: Event) {
        if let Event::GateWaiting { reason, .. } = event {
            self.0.lock().unwrap().push(reason);
        }
    }
}

fn quick(timeout: u64) -> Timing {
    Timing { interval: Duration::from_millis(50), timeout: Duration::from_millis(timeout), retries: None }
}

/// Asks a gate; what it reports or says, and what it waited for.
async fn ask(
    kind: &str,
    given: &[(&str, Value)],
    timing: Timing,
    cluster: Option<&Kube>,
    sandbox: bool,
) -> (Result<Report, String>, Vec<String>) {
    let block = schema(kind).unwrap();
    let arguments = Value::object(block.attributes.iter().map(|(name, attribute)| {
        let value = given.iter().find(|(key, _)| *key == name.as_str()).map(|(_, value)| value.clone());
        (name.clone(), value.unwrap_or(Value::Null(attribute.ty.clone())))
    }));
    let here = cluster.cloned().map(Here);
    let cluster: &dyn Cluster = match &here {
        Some(here) => here,
        None => &NoCluster,
    };
    let heard = Heard::default();
    let spec = Spec { phase: "2", name: "g", kind, arguments: &arguments, timing, absent: &[] };
    let outcome = run(&spec, &Around { cluster, sandbox, events: &heard, stop: &|| false }).await;
    let result = outcome.value.ok_or_else(|| outcome.said.to_string());
    (result, heard.0.into_inner().unwrap())
}

/// The gate must pass.
async fn passes(kind: &str, given: &[(&str, Value)], cluster: Option<&Kube>, sandbox: bool) -> Report {
    match ask(kind, given, quick(60_000), cluster, sandbox).await {
        (Ok(report), _) => report,
        (Err(said), _) => panic!("{said}"),
    }
}

/// The gate must fail, and its explanation hold these parts.
async fn fails(kind: &str, given: &[(&str, Value)], cluster: Option<&Kube>, sandbox: bool, parts: &[&str]) -> String {
    let (result, heard) = ask(kind, given, quick(1500), cluster, sandbox).await;
    let said = result.unwrap_err();
    assert!(said.contains("Gate failed: phase 2 \"g\""), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    format!("{said}\n{}", heard.join("\n"))
}
