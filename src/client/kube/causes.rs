//! What the controllers of an object say against it: pods that a quota or a missing service account refuses, a load balancer that nobody
//! can make.

use super::ready::condition;
use super::types::{self, Json};
use super::{Kube, Select};

impl Kube {
    /// Why an object does not get further, as its condition or the last warning about it says. `pods` is how many it has: a workload that
    /// has all of them is not held up by what kept an earlier one away.
    pub(super) async fn causes_of(&self, object: &Json, pods: usize) -> Vec<String> {
        if let Some(message) = replica_failure(object) {
            return vec![message.to_owned()];
        }
        if wanted(object).is_some_and(|wanted| pods as u64 >= wanted) {
            return Vec::new();
        }
        let warning = self.last_warning(object).await;
        if warning.is_empty() { Vec::new() } else { vec![warning] }
    }

    /// The last warning about an object. Events are a courtesy: where they cannot be read there is none.
    pub(super) async fn last_warning(&self, about: &Json) -> String {
        let (Some(kind), Some(uid)) = (types::find("v1", "Event"), about["metadata"]["uid"].as_str()) else {
            return String::new();
        };
        let fields = format!("involvedObject.uid={uid},type=Warning");
        let select = Select { labels: None, fields: Some(&fields) };
        let namespace = about["metadata"]["namespace"].as_str().unwrap_or("default");
        let events = self.list(kind, Some(namespace), &select).await.map(|list| list.items).unwrap_or_default();
        let last = events.iter().max_by(|one, other| moment(one).cmp(moment(other)));
        last.and_then(|event| event["message"].as_str()).unwrap_or_default().to_owned()
    }
}

/// Deployments and replica sets say it themselves.
fn replica_failure(object: &Json) -> Option<&str> {
    match condition(object, "ReplicaFailure") {
        Some(("True", _, message)) if !message.is_empty() => Some(message),
        _ => None,
    }
}

/// How many pods an object is to have; `None` is one that is no workload.
fn wanted(object: &Json) -> Option<u64> {
    let (spec, status) = (&object["spec"], &object["status"]);
    match object["kind"].as_str()? {
        "Deployment" | "StatefulSet" | "ReplicaSet" => Some(spec["replicas"].as_u64().unwrap_or(1)),
        "DaemonSet" => Some(status["desiredNumberScheduled"].as_u64().unwrap_or(1)),
        "Job" => Some(spec["parallelism"].as_u64().unwrap_or(1)),
        "Pod" => Some(1),
        _ => None,
    }
}

/// When an event happened last. Both forms sort as text.
fn moment(event: &Json) -> &str {
    let times = [&event["lastTimestamp"], &event["eventTime"], &event["metadata"]["creationTimestamp"]];
    times.into_iter().find_map(Json::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_that_name_the_cause() {
        let of = |status: &str, message: &str| json!({ "status": { "conditions": [{ "type": "ReplicaFailure", "status": status, "message": message }] } });
        assert_eq!(replica_failure(&of("True", "exceeded quota: q")), Some("exceeded quota: q"));
        assert_eq!(replica_failure(&of("False", "exceeded quota: q")), None);
        assert_eq!(replica_failure(&of("True", "")), None);
    }

    #[test]
    fn pods_that_are_wanted() {
        for (object, expect) in [
            (json!({ "kind": "Deployment", "spec": {} }), Some(1)),
            (json!({ "kind": "StatefulSet", "spec": { "replicas": 3 } }), Some(3)),
            (json!({ "kind": "DaemonSet", "spec": {}, "status": { "desiredNumberScheduled": 2 } }), Some(2)),
            (json!({ "kind": "Job", "spec": { "parallelism": 4, "completions": 9 } }), Some(4)),
            (json!({ "kind": "Service", "spec": {} }), None),
        ] {
            assert_eq!(wanted(&object), expect, "{object}");
        }
    }

    #[test]
    fn events_of_both_forms() {
        let old = json!({ "lastTimestamp": "2026-01-02T03:04:05Z" });
        let new = json!({ "lastTimestamp": null, "eventTime": "2026-01-02T03:04:06.123456Z" });
        assert!(moment(&old) < moment(&new));
    }
}
