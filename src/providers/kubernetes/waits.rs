//! What is waited for after an object was applied or deleted, for how long, and what is said when it does not come.

use std::time::Duration;

use super::configured::Cluster;
use super::identity::Place;
use super::table::Resource;
use super::timeouts;
use crate::client::kube::types::{Json, Kind, find};
use crate::client::kube::{Explanation, Readiness, Test, WaitError, Waiting, readiness};
use crate::diag::{Diagnostic, Diagnostics};
use crate::provider::Progress;
use crate::value::Value;

/// An object after waiting, and what is to be said.
pub struct Waited {
    /// The object as it was seen last.
    pub object: Json,
    /// Why it did not get ready.
    pub said: Diagnostics,
}

/// What a typed resource waits for.
struct Wait {
    limit: Duration,
    test: fn(&Json) -> Readiness,
}

/// What the arguments of a typed resource ask to wait for; `None` is nothing.
async fn wait_of(cluster: &Cluster, resource: &Resource, planned: &Value, creates: bool, live: &Json) -> Option<Wait> {
    let asked = |name: &str| planned.get(name).and_then(Value::as_bool).unwrap_or(false);
    let (waits, test): (bool, fn(&Json) -> Readiness) = match resource.kind.kind.as_str() {
        "Deployment" | "StatefulSet" | "DaemonSet" => (asked("wait_for_rollout"), readiness),
        "Job" => (asked("wait_for_completion"), readiness),
        "PersistentVolumeClaim" => {
            (creates && asked("wait_until_bound") && !waits_for_consumer(cluster, live).await, readiness)
        }
        "Service" => (asked("wait_for_load_balancer") && live["spec"]["type"] == "LoadBalancer", readiness),
        "Ingress" => (asked("wait_for_load_balancer"), balanced),
        "Pod" => (creates, readiness),
        "Secret" => (creates && is_token(live) && asked("wait_for_service_account_token"), filled),
        _ => return None,
    };
    let limit = timeouts::limit(resource, planned, if creates { "create" } else { "update" });
    waits.then_some(Wait { limit, test })
}

/// Waits for a typed resource as its arguments ask for.
pub async fn after(
    cluster: &Cluster,
    resource: &Resource,
    planned: &Value,
    creates: bool,
    place: &Place,
    live: Json,
    progress: &dyn Progress,
) -> Waited {
    let asked = |name: &str| planned.get(name).and_then(Value::as_bool).unwrap_or(false);
    if resource.kind.kind == "Namespace" && creates && asked("wait_for_default_service_account") {
        return service_account(cluster, place, live, progress).await;
    }
    match wait_of(cluster, resource, planned, creates, &live).await {
        None => Waited { object: live, said: Diagnostics::none() },
        Some(Wait { limit, test }) => until(cluster, resource.kind, place, live, limit, progress, &test).await,
    }
}

/// Whether a new object is what is waited for already.
pub async fn is_over(cluster: &Cluster, resource: &Resource, planned: &Value, live: &Json) -> bool {
    let wait = wait_of(cluster, resource, planned, true, live).await;
    wait.is_none_or(|wait| (wait.test)(live) == Readiness::Ready)
}

/// Waits until a test holds for an object. `live` is what is known of it; `Null` is waited for.
pub async fn until(
    cluster: &Cluster,
    kind: &Kind,
    place: &Place,
    live: Json,
    limit: Duration,
    progress: &dyn Progress,
    test: Test<'_>,
) -> Waited {
    if !live.is_null() && test(&live) == Readiness::Ready {
        return Waited { object: live, said: Diagnostics::none() };
    }
    let waiting = Waiting { limit, since: live.clone(), tell: &|reason: &str| progress.waiting(reason) };
    let namespace = place.namespace.as_deref();
    match cluster.kube.wait_until(kind, namespace, &place.name, waiting, test).await {
        Ok(object) => Waited { object, said: Diagnostics::none() },
        Err(error) => {
            // What it came to is state too; when it cannot be read, what was applied is the best that is known.
            let now = cluster.kube.get(kind, namespace, &place.name).await.ok().flatten();
            Waited { object: now.unwrap_or(live), said: unready(&error, &place.title(kind)).into() }
        }
    }
}

/// Waits until a deleted object is gone. `left` is what its deletion has left.
pub async fn gone(
    cluster: &Cluster,
    kind: &Kind,
    place: &Place,
    left: Json,
    limit: Duration,
    progress: &dyn Progress,
) -> Result<(), Diagnostic> {
    let waiting = Waiting { limit, since: left, tell: &|reason: &str| progress.waiting(reason) };
    let waited = cluster.kube.wait_gone(kind, place.namespace.as_deref(), &place.name, waiting).await;
    waited.map_err(|error| match error {
        WaitError::TimedOut { limit, explanation } => Diagnostic::error(
            "Object still there",
            format!("{} is still there after {}: {}.", place.title(kind), shown(limit), explanation.state),
        ),
        WaitError::Stopped => Diagnostic::error(
            "Interrupted",
            format!(
                "{} is being deleted; until it is gone was not waited. The next run looks again.",
                place.title(kind)
            ),
        ),
        other => unready(&other, &place.title(kind)),
    })
}

/// A claim of such a class is bound when a pod uses it, and not before.
async fn waits_for_consumer(cluster: &Cluster, claim: &Json) -> bool {
    let (Some(class), Some(kind)) =
        (claim["spec"]["storageClassName"].as_str(), find("storage.k8s.io/v1", "StorageClass"))
    else {
        return false;
    };
    // A class that cannot be read is waited for as any other.
    let found = cluster.kube.get(kind, None, class).await.ok().flatten();
    found.is_some_and(|class| class["volumeBindingMode"] == "WaitForFirstConsumer")
}

fn balanced(object: &Json) -> Readiness {
    if object["status"]["loadBalancer"]["ingress"].as_array().is_some_and(|list| !list.is_empty()) {
        Readiness::Ready
    } else {
        Readiness::Waiting("the load balancer has no address".into())
    }
}

/// The token controller fills in what a secret of its type is made for.
fn is_token(secret: &Json) -> bool {
    secret["type"] == "kubernetes.io/service-account-token"
}

fn filled(secret: &Json) -> Readiness {
    match secret["data"]["token"].as_str() {
        Some(token) if !token.is_empty() => Readiness::Ready,
        Some(_) | None => Readiness::Waiting("the secret has no token yet".into()),
    }
}

async fn service_account(cluster: &Cluster, place: &Place, live: Json, progress: &dyn Progress) -> Waited {
    let Some(kind) = find("v1", "ServiceAccount") else { return Waited { object: live, said: Diagnostics::none() } };
    let limit = Duration::from_secs(30);
    let tell = |_: &str| progress.waiting("waiting for the service account \"default\"");
    let waiting = Waiting { limit, since: Json::Null, tell: &tell };
    let waited = cluster.kube.wait_until(kind, Some(&place.name), "default", waiting, &|_| Readiness::Ready).await;
    let said = match waited {
        Ok(_) => Diagnostics::none(),
        Err(WaitError::TimedOut { .. }) => {
            let what =
                format!("The namespace {} has no service account \"default\" after {}.", place.name, shown(limit));
            Diagnostic::error("Service account missing", what).into()
        }
        Err(WaitError::Stopped) => {
            let what = format!(
                "Whether the namespace {} gets its service account \"default\" was not waited for.",
                place.name
            );
            Diagnostic::error("Interrupted", what).into()
        }
        Err(WaitError::Kube(error)) => error.diagnostic("read the service account").into(),
        Err(error @ (WaitError::Failed { .. } | WaitError::Gone)) => {
            unready(&error, &format!("ServiceAccount {}/default", place.name)).into()
        }
    };
    Waited { object: live, said }
}

/// What is said of an object that did not get ready.
pub fn unready(error: &WaitError, title: &str) -> Diagnostic {
    let because = |explanation: &Explanation| {
        let lines = explanation.lines().iter().map(|line| format!("\n  {line}")).collect::<String>();
        if lines.is_empty() { String::new() } else { format!("{lines}\n") }
    };
    match error {
        WaitError::TimedOut { limit, explanation } => Diagnostic::error(
            "Not ready in time",
            format!("{title} is not ready after {}: {}.{}", shown(*limit), explanation.state, because(explanation)),
        ),
        WaitError::Failed { why, explanation } => {
            Diagnostic::error("Rollout failed", format!("{title}: {why}.{}", because(explanation)))
        }
        WaitError::Gone => {
            let what = format!("{title} was deleted by somebody else while it was waited for.");
            Diagnostic::error("Object deleted", what)
        }
        WaitError::Stopped => {
            Diagnostic::error("Interrupted", format!("{title} was applied; whether it gets ready was not waited for."))
        }
        WaitError::Kube(error) => error.diagnostic(&format!("wait for {title}")),
    }
}

fn shown(limit: Duration) -> String {
    let seconds = limit.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, 0) => format!("{}ms", limit.as_millis()),
        (0, seconds) => format!("{seconds}s"),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}
