//! Whether an object is what it is meant to be: rolled out, bound, established, complete.

use super::types::Json;

/// How far an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It is there.
    Ready,
    /// Not yet: what is missing, in a few words.
    Waiting(String),
    /// It will not get there by itself: why.
    Failed(String),
}

/// Judges an object by its kind. Objects of kinds without a notion of being ready are ready when they exist.
pub fn readiness(object: &Json) -> Readiness {
    let kind = object["kind"].as_str().unwrap_or_default();
    let status = &object["status"];
    match kind {
        "Deployment" => deployment(object),
        "StatefulSet" => stateful_set(object),
        "DaemonSet" => daemon_set(object),
        "ReplicaSet" => pods(int(&status["readyReplicas"]), int(&object["spec"]["replicas"]), "ready"),
        "Job" => job(object),
        "Pod" => pod(object),
        "PersistentVolumeClaim" => match status["phase"].as_str() {
            Some("Bound") => Readiness::Ready,
            Some("Lost") => Readiness::Failed("the volume of the claim is lost".into()),
            _ => Readiness::Waiting("claim unbound".into()),
        },
        "CustomResourceDefinition" if !holds(object, "Established") => Readiness::Waiting("not established".into()),
        "Namespace" if status["phase"] == "Terminating" => Readiness::Failed("the namespace is being deleted".into()),
        "Service" if object["spec"]["type"] == "LoadBalancer" => {
            if status["loadBalancer"]["ingress"].as_array().is_some_and(|list| !list.is_empty()) {
                Readiness::Ready
            } else {
                Readiness::Waiting("the load balancer has no address".into())
            }
        }
        _ => Readiness::Ready,
    }
}

/// The condition of a type: its status, reason and message.
pub fn condition<'a>(object: &'a Json, kind: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let list = object["status"]["conditions"].as_array()?;
    let one = list.iter().find(|one| one["type"] == kind)?;
    let text = |field: &str| one[field].as_str().unwrap_or_default();
    Some((text("status"), text("reason"), text("message")))
}

fn holds(object: &Json, kind: &str) -> bool {
    condition(object, kind).is_some_and(|(status, ..)| status == "True")
}

fn int(value: &Json) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn pods(ready: i64, wanted: i64, what: &str) -> Readiness {
    if ready >= wanted { Readiness::Ready } else { Readiness::Waiting(format!("{ready} of {wanted} pods {what}")) }
}

/// Whether the controller has seen the present version of the object.
fn observed(object: &Json) -> bool {
    int(&object["status"]["observedGeneration"]) >= int(&object["metadata"]["generation"])
}

fn deployment(object: &Json) -> Readiness {
    let (spec, status) = (&object["spec"], &object["status"]);
    let wanted = spec["replicas"].as_i64().unwrap_or(1);
    if !observed(object) {
        return Readiness::Waiting("the rollout has not begun".into());
    }
    if let Some((_, "ProgressDeadlineExceeded", message)) = condition(object, "Progressing") {
        return Readiness::Failed(format!("progress deadline exceeded: {message}"));
    }
    let (updated, total) = (int(&status["updatedReplicas"]), int(&status["replicas"]));
    let available = int(&status["availableReplicas"]);
    if updated < wanted {
        return Readiness::Waiting(format!("{updated} of {wanted} pods updated"));
    }
    if total > updated {
        return Readiness::Waiting(format!("{} old pods are still there", total - updated));
    }
    pods(available, updated, "ready")
}

fn stateful_set(object: &Json) -> Readiness {
    let (spec, status) = (&object["spec"], &object["status"]);
    let wanted = spec["replicas"].as_i64().unwrap_or(1);
    if !observed(object) {
        return Readiness::Waiting("the rollout has not begun".into());
    }
    let ready = int(&status["readyReplicas"]);
    if ready < wanted {
        return pods(ready, wanted, "ready");
    }
    if spec["updateStrategy"]["type"] == "OnDelete" {
        return Readiness::Ready;
    }
    let partition = int(&spec["updateStrategy"]["rollingUpdate"]["partition"]);
    let updated = int(&status["updatedReplicas"]);
    if partition > 0 {
        return pods(updated, (wanted - partition).max(0), "updated");
    }
    if status["updateRevision"] != status["currentRevision"] {
        return Readiness::Waiting(format!("{updated} of {wanted} pods updated"));
    }
    Readiness::Ready
}

fn daemon_set(object: &Json) -> Readiness {
    let status = &object["status"];
    if !observed(object) {
        return Readiness::Waiting("the rollout has not begun".into());
    }
    let wanted = int(&status["desiredNumberScheduled"]);
    if int(&status["updatedNumberScheduled"]) < wanted && object["spec"]["updateStrategy"]["type"] != "OnDelete" {
        return Readiness::Waiting(format!("{} of {wanted} pods updated", int(&status["updatedNumberScheduled"])));
    }
    pods(int(&status["numberAvailable"]), wanted, "ready")
}

fn job(object: &Json) -> Readiness {
    if holds(object, "Complete") {
        return Readiness::Ready;
    }
    if let Some(("True", reason, message)) = condition(object, "Failed") {
        return Readiness::Failed(format!("the job failed: {reason}: {message}"));
    }
    let wanted = object["spec"]["completions"].as_i64().unwrap_or(1);
    Readiness::Waiting(format!("{} of {wanted} pods completed", int(&object["status"]["succeeded"])))
}

fn pod(object: &Json) -> Readiness {
    match object["status"]["phase"].as_str() {
        Some("Succeeded") => Readiness::Ready,
        Some("Failed") => Readiness::Failed("the pod failed".into()),
        _ if holds(object, "Ready") => Readiness::Ready,
        phase => Readiness::Waiting(format!("the pod is {}", phase.unwrap_or("Pending"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn judges() {
        let check = |object: Json, expect: Readiness| assert_eq!(readiness(&object), expect, "{object}");
        let waiting = |text: &str| Readiness::Waiting(text.into());
        let deployment = |status: Json| json!({ "kind": "Deployment", "metadata": { "generation": 2 }, "spec": { "replicas": 2 }, "status": status });
        check(deployment(json!({ "observedGeneration": 1 })), waiting("the rollout has not begun"));
        check(deployment(json!({ "observedGeneration": 2, "updatedReplicas": 1 })), waiting("1 of 2 pods updated"));
        check(
            deployment(json!({ "observedGeneration": 2, "updatedReplicas": 2, "replicas": 3 })),
            waiting("1 old pods are still there"),
        );
        check(
            deployment(json!({ "observedGeneration": 2, "updatedReplicas": 2, "replicas": 2 })),
            waiting("0 of 2 pods ready"),
        );
        check(
            deployment(json!({ "observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 2 })),
            Readiness::Ready,
        );
        check(
            deployment(json!({ "observedGeneration": 2, "conditions": [
                { "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "m" }] })),
            Readiness::Failed("progress deadline exceeded: m".into()),
        );
        let set = |status: Json| json!({ "kind": "StatefulSet", "spec": { "replicas": 1 }, "status": status });
        check(set(json!({})), waiting("0 of 1 pods ready"));
        check(
            set(json!({ "readyReplicas": 1, "currentRevision": "a", "updateRevision": "b" })),
            waiting("0 of 1 pods updated"),
        );
        check(set(json!({ "readyReplicas": 1, "currentRevision": "a", "updateRevision": "a" })), Readiness::Ready);
        check(json!({ "kind": "PersistentVolumeClaim", "status": { "phase": "Pending" } }), waiting("claim unbound"));
        check(json!({ "kind": "ConfigMap" }), Readiness::Ready);
    }
}
