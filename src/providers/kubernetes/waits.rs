//! What is waited for after an object was applied or deleted, for how long, and what is said when it does not come.

use std::time::Duration;

use super::configured::Cluster;
use super::identity::Place;
use super::table::Resource;
use crate::client::kube::types::{Json, Kind, find};
use crate::client::kube::{Explanation, KubeError, Readiness, WaitError, Waiting, readiness};
use crate::diag::{Diagnostic, Diagnostics};
use crate::event::Stop;
use crate::provider::Progress;
use crate::value::Value;

/// An object after waiting, and what is to be said.
pub struct Waited {
    /// The object as it was seen last.
    pub object: Json,
    /// Why it did not get ready.
    pub said: Diagnostics,
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
    let done = |object: Json| Waited { object, said: Diagnostics::none() };
    let asked = |name: &str| planned.get(name).and_then(Value::as_bool).unwrap_or(false);
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    let (waits, default) = match resource.kind.kind.as_str() {
        "Deployment" | "StatefulSet" | "DaemonSet" => (asked("wait_for_rollout"), minutes(10)),
        "Job" => (asked("wait_for_completion"), minutes(1)),
        "PersistentVolumeClaim" => {
            (creates && asked("wait_until_bound") && !waits_for_consumer(cluster, &live).await, minutes(5))
        }
        "Service" => (asked("wait_for_load_balancer") && live["spec"]["type"] == "LoadBalancer", minutes(10)),
        "Ingress" => (asked("wait_for_load_balancer"), minutes(20)),
        "Pod" => (creates, minutes(5)),
        "Namespace" => {
            if creates && asked("wait_for_default_service_account") {
                return service_account(cluster, place, live, progress).await;
            }
            (false, minutes(5))
        }
        _ => (false, minutes(5)),
    };
    if !waits {
        return done(live);
    }
    let limit = timeout(planned, if creates { "create" } else { "update" }).unwrap_or(default);
    let ingress = resource.kind.kind == "Ingress";
    let test = move |object: &Json| if ingress { balanced(object) } else { readiness(object) };
    until(cluster, resource.kind, place, live, limit, progress, &test).await
}

/// Waits until a test holds for an object.
pub async fn until(
    cluster: &Cluster,
    kind: &Kind,
    place: &Place,
    live: Json,
    limit: Duration,
    progress: &dyn Progress,
    test: &(dyn Fn(&Json) -> Readiness + Send + Sync),
) -> Waited {
    if test(&live) == Readiness::Ready {
        return Waited { object: live, said: Diagnostics::none() };
    }
    let tell = |reason: &str| progress.waiting(reason);
    let stopped = || progress.stopped() || cluster.is_stopped();
    let waiting = Waiting { limit, tell: &tell, stopped: &stopped };
    let namespace = place.namespace.as_deref();
    match cluster.kube.wait_until(kind, namespace, &place.name, &waiting, test).await {
        Ok(object) => Waited { object, said: Diagnostics::none() },
        Err(error) => {
            // What it came to is state too; when it cannot be read, what was applied is the best that is known.
            let now = cluster.kube.get(kind, namespace, &place.name).await.ok().flatten();
            Waited { object: now.unwrap_or(live), said: unready(&error, &place.title(kind)).into() }
        }
    }
}

/// Waits until a deleted object is gone.
pub async fn gone(
    cluster: &Cluster,
    kind: &Kind,
    place: &Place,
    uid: Option<&str>,
    limit: Duration,
    progress: &dyn Progress,
) -> Result<(), Diagnostic> {
    let tell = |reason: &str| progress.waiting(reason);
    let stopped = || progress.stopped() || cluster.is_stopped();
    let waiting = Waiting { limit, tell: &tell, stopped: &stopped };
    let waited = cluster.kube.wait_gone(kind, place.namespace.as_deref(), &place.name, uid, &waiting).await;
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

/// How long an operation may take, as its `timeouts` block says.
pub fn timeout(value: &Value, operation: &str) -> Option<Duration> {
    let timeouts = value.get("timeouts")?;
    // The block of manifests is a list, that of typed resources an object.
    let block = timeouts.as_items().and_then(<[Value]>::first).unwrap_or(timeouts);
    parse(block.get(operation)?.as_str()?)
}

/// A duration such as `1h10m` or `90s`.
pub fn parse(text: &str) -> Option<Duration> {
    let (mut total, mut number) = (0.0_f64, String::new());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_digit() || letter == '.' {
            number.push(letter);
            continue;
        }
        let mut unit = letter.to_string();
        if letter == 'm' && letters.peek() == Some(&'s') {
            letters.next();
            unit.push('s');
        }
        let seconds = match unit.as_str() {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * seconds;
        number.clear();
    }
    (number.is_empty() && !text.is_empty()).then(|| Duration::try_from_secs_f64(total).ok())?
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

async fn service_account(cluster: &Cluster, place: &Place, live: Json, progress: &dyn Progress) -> Waited {
    let Some(kind) = find("v1", "ServiceAccount") else { return Waited { object: live, said: Diagnostics::none() } };
    let account = Place { namespace: Some(place.name.clone()), name: "default".into() };
    let limit = Duration::from_secs(30);
    let began = tokio::time::Instant::now();
    let mut pause = Duration::from_millis(20);
    progress.waiting("waiting for the service account \"default\"");
    loop {
        match cluster.kube.get(kind, account.namespace.as_deref(), "default").await {
            Ok(Some(_)) => return Waited { object: live, said: Diagnostics::none() },
            Ok(None) if began.elapsed() < limit && !progress.stopped() => {
                Stop::pause(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
            Ok(None) if progress.stopped() => {
                let said = Diagnostic::error(
                    "Interrupted",
                    format!(
                        "Whether the namespace {} gets its service account \"default\" was not waited for.",
                        place.name
                    ),
                );
                return Waited { object: live, said: said.into() };
            }
            Ok(None) => {
                let what =
                    format!("The namespace {} has no service account \"default\" after {}.", place.name, shown(limit));
                return Waited { object: live, said: Diagnostic::error("Service account missing", what).into() };
            }
            Err(error) => return Waited { object: live, said: error.diagnostic("read the service account").into() },
        }
    }
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
        WaitError::Gone => Diagnostic::error(
            "Object deleted",
            format!("{title} was deleted by somebody else while it was waited for."),
        ),
        WaitError::Stopped => {
            Diagnostic::error("Interrupted", format!("{title} was applied; whether it gets ready was not waited for."))
        }
        WaitError::Kube(error @ KubeError::Unreachable { .. }) => error.diagnostic(&format!("wait for {title}")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let check = |text: &str, expect: Option<u64>| {
            assert_eq!(parse(text).map(|time| time.as_millis() as u64), expect, "{text}")
        };
        check("10m", Some(600_000));
        check("1h10m", Some(4_200_000));
        check("1.5s", Some(1_500));
        check("250ms", Some(250));
        check("10", None);
        check("", None);
        check("10d", None);
    }
}
