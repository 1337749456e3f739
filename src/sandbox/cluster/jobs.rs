//! Jobs: pods that end well after a moment.

use serde_json::json;

use super::rollout::{living, new_pod};
use super::shape::{FAIL, condition, random, set_status};
use crate::client::kube::types::Json;
use crate::sandbox::store::{Key, Object, State, now};

/// Brings a job further.
pub fn reconcile(state: &mut State, job: &Object) {
    let object = job.json();
    if job.is_terminating() || object["spec"]["suspend"] == true {
        return;
    }
    if super::shape::holds(object, "Complete") || super::shape::holds(object, "Failed") {
        return;
    }
    let wanted = object["spec"]["completions"].as_i64().or(object["spec"]["parallelism"].as_i64()).unwrap_or(1);
    let told_to_fail = object["spec"]["template"]["metadata"]["annotations"][FAIL] == "CrashLoopBackOff";
    let pods = living(state, job);
    for _ in pods.len() as i64..wanted {
        let key = Key::new("pods", &job.key.namespace, &format!("{}-{}", job.key.name, random()));
        new_pod(state, job, &object["spec"]["template"], key);
    }
    let done = living(state, job).iter().filter(|pod| pod.json()["status"]["phase"] == "Succeeded").count() as i64;
    set_status(state, &job.key, |status| {
        if status["startTime"].is_null() {
            status["startTime"] = json!(now());
        }
        status["active"] = if done < wanted { json!(wanted - done) } else { Json::Null };
        status["ready"] = json!(0);
        status["succeeded"] = if done > 0 { json!(done) } else { Json::Null };
        if told_to_fail {
            let message = "Job has reached the specified backoff limit";
            status["active"] = Json::Null;
            status["failed"] = json!(1);
            condition(status, "FailureTarget", true, "BackoffLimitExceeded", message);
            condition(status, "Failed", true, "BackoffLimitExceeded", message);
        } else if done >= wanted {
            let message = "Reached expected number of succeeded pods";
            status["completionTime"] = json!(now());
            condition(status, "SuccessCriteriaMet", true, "CompletionsReached", message);
            condition(status, "Complete", true, "CompletionsReached", message);
        }
    });
}
