//! Why a workload is not ready: its pods, their claims, the services in front of it, as data.

use std::collections::BTreeSet;

use super::ready::condition;
use super::types::{self, Json};
use super::{Kube, KubeError, Readiness, Select, readiness};

/// So many lines of a crashing container's log are shown.
const LOG_LINES: u32 = 5;

/// What is known about a workload that is not ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// `0 of 1 pods ready`; empty when it is ready.
    pub state: String,
    /// What its controllers say against it.
    pub causes: Vec<String>,
    /// Its pods, those in trouble first.
    pub pods: Vec<PodState>,
    /// Claims its pods use.
    pub claims: Vec<ClaimState>,
    /// Services that select its pods.
    pub services: Vec<ServiceState>,
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodState {
    /// Its name.
    pub name: String,
    /// Whether it is ready.
    pub ready: bool,
    /// `Pending`, `CrashLoopBackOff`, `ImagePullBackOff`, `Running`…
    pub reason: String,
    /// What stands behind the reason; may be empty.
    pub message: String,
    /// How often its containers were started again.
    pub restarts: i64,
    /// The last lines of a crashing container's log.
    pub log: Vec<String>,
}

/// A volume claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimState {
    /// Its name.
    pub name: String,
    /// `Bound`, `Pending`, or `missing`.
    pub phase: String,
    /// Why it is not bound; empty when it is or nobody knows.
    pub reason: String,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceState {
    /// Its name.
    pub name: String,
    /// How many addresses it leads to.
    pub endpoints: usize,
}

impl Explanation {
    /// The first trouble in a few words: `pod postgresql-0 Pending: claim data-postgresql-0 unbound`. Empty when there is none.
    pub fn headline(&self) -> String {
        if let Some(cause) = self.causes.first() {
            return cause.clone();
        }
        let Some(pod) = self.pods.iter().find(|pod| !pod.ready) else {
            let empty = self.services.iter().find(|service| service.endpoints == 0);
            return empty.map(|service| format!("service {} has no endpoints", service.name)).unwrap_or_default();
        };
        let detail = match self.claims.iter().find(|claim| claim.phase != "Bound") {
            Some(claim) if pod.reason == "Pending" => match claim.phase.as_str() {
                "missing" => format!("claim {} does not exist", claim.name),
                _ if claim.reason.is_empty() => format!("claim {} unbound", claim.name),
                _ => format!("claim {} unbound: {}", claim.name, claim.reason),
            },
            // The scheduler goes on at length; what it says first is why.
            _ => first_sentence(&pod.message).to_owned(),
        };
        let colon = if detail.is_empty() { "" } else { ": " };
        format!("pod {} {}{colon}{detail}", pod.name, pod.reason)
    }

    /// Everything, a line each; the log's lines are indented behind a bar.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.causes.clone();
        for pod in &self.pods {
            let restarts = if pod.restarts > 0 { format!(", {} restarts", pod.restarts) } else { String::new() };
            let message = if pod.message.is_empty() { String::new() } else { format!(": {}", pod.message) };
            let tail = if pod.log.is_empty() { "" } else { "; its log ends with:" };
            lines.push(format!("pod {}: {}{restarts}{message}{tail}", pod.name, pod.reason));
            lines.extend(pod.log.iter().map(|line| format!("  | {line}")));
        }
        for claim in &self.claims {
            let reason = if claim.reason.is_empty() { String::new() } else { format!(": {}", claim.reason) };
            lines.push(format!("claim {}: {}{reason}", claim.name, claim.phase));
        }
        for service in self.services.iter().filter(|service| service.endpoints == 0) {
            lines.push(format!("service {}: no endpoints", service.name));
        }
        lines
    }
}

impl Kube {
    /// Explains an object that was just read.
    ///
    /// # Errors
    /// The server did not answer.
    pub async fn explain_object(&self, object: &Json) -> Result<Explanation, KubeError> {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
        let state = match readiness(object) {
            Readiness::Ready => String::new(),
            Readiness::Waiting(why) | Readiness::Failed(why) => why,
        };
        let mut explanation = Explanation { state, ..Explanation::default() };
        let pods = self.pods_of(object, &namespace).await?;
        let mut claims: BTreeSet<String> = BTreeSet::new();
        if object["kind"] == "PersistentVolumeClaim" {
            claims.extend(object["metadata"]["name"].as_str().map(str::to_owned));
        }
        for pod in &pods {
            let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
            claims.extend(
                volumes.filter_map(|volume| Some(volume["persistentVolumeClaim"]["claimName"].as_str()?.to_owned())),
            );
            explanation.pods.push(self.pod_state(&namespace, pod).await);
        }
        explanation.pods.sort_by_key(|pod| pod.ready);
        explanation.causes = self.causes_of(object, pods.len()).await;
        for claim in claims {
            explanation.claims.push(self.claim_state(&namespace, claim).await?);
        }
        explanation.services = self.services_of(object, &namespace).await?;
        Ok(explanation)
    }

    /// The pods of a workload, as its selector takes them.
    async fn pods_of(&self, object: &Json, namespace: &str) -> Result<Vec<Json>, KubeError> {
        let Some(kind) = types::find("v1", "Pod") else { return Ok(Vec::new()) };
        if object["kind"] == "Pod" {
            return Ok(vec![object.clone()]);
        }
        let Some(selector) = selector_of(object) else { return Ok(Vec::new()) };
        let select = Select { labels: Some(&selector), fields: None };
        let mut pods = self.list(kind, Some(namespace), &select).await?.items;
        pods.retain(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        Ok(pods)
    }

    async fn pod_state(&self, namespace: &str, pod: &Json) -> PodState {
        let mut state = judge(pod);
        let crashing = pod["status"]["containerStatuses"].as_array().into_iter().flatten().find(|one| {
            one["ready"] != true
                && (one["restartCount"].as_i64().unwrap_or(0) > 0 || one["state"]["terminated"].is_object())
        });
        let Some(container) = crashing.filter(|_| !state.ready).and_then(|one| one["name"].as_str()) else {
            return state;
        };
        // The run before has the reason of the crash; a container in its first run has only that. No log is no error.
        let log = match self.log(namespace, &state.name, container, LOG_LINES, true).await {
            Ok(log) if !log.trim().is_empty() => log,
            _ => self.log(namespace, &state.name, container, LOG_LINES, false).await.unwrap_or_default(),
        };
        state.log = log.lines().map(str::to_owned).collect();
        state
    }

    async fn claim_state(&self, namespace: &str, name: String) -> Result<ClaimState, KubeError> {
        let missing = |name: String| ClaimState { name, phase: "missing".into(), reason: String::new() };
        let Some(kind) = types::find("v1", "PersistentVolumeClaim") else { return Ok(missing(name)) };
        let Some(claim) = self.get(kind, Some(namespace), &name).await? else { return Ok(missing(name)) };
        let phase = claim["status"]["phase"].as_str().unwrap_or("Pending").to_owned();
        if phase == "Bound" {
            return Ok(ClaimState { name, phase, reason: String::new() });
        }
        let class = claim["spec"]["storageClassName"].as_str().unwrap_or_default();
        let reason = if class.is_empty() {
            "no StorageClass".to_owned()
        } else {
            match types::find("storage.k8s.io/v1", "StorageClass") {
                Some(kind) if self.get(kind, None, class).await?.is_none() => {
                    format!("StorageClass {class} does not exist")
                }
                _ => self.last_warning(&claim).await,
            }
        };
        Ok(ClaimState { name, phase, reason })
    }

    /// The services that select the workload's pods, with how many addresses they lead to.
    async fn services_of(&self, object: &Json, namespace: &str) -> Result<Vec<ServiceState>, KubeError> {
        let (Some(services), Some(slices)) =
            (types::find("v1", "Service"), types::find("discovery.k8s.io/v1", "EndpointSlice"))
        else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        if object["kind"] == "Service" {
            names.extend(object["metadata"]["name"].as_str().map(str::to_owned));
        } else if object["spec"]["template"].is_object() {
            let labels = &object["spec"]["template"]["metadata"]["labels"];
            for service in self.list(services, Some(namespace), &Select::ALL).await?.items {
                let Some(selector) = service["spec"]["selector"].as_object().filter(|map| !map.is_empty()) else {
                    continue;
                };
                if selector.iter().all(|(name, value)| labels.get(name) == Some(value)) {
                    names.extend(service["metadata"]["name"].as_str().map(str::to_owned));
                }
            }
        }
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let slices = self.list(slices, Some(namespace), &Select::ALL).await?.items;
        let states = names.into_iter().map(|name| {
            let mine = slices
                .iter()
                .filter(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == name.as_str());
            let ready = mine.flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
            let endpoints = ready.filter(|endpoint| endpoint["conditions"]["ready"] != false).count();
            ServiceState { name, endpoints }
        });
        Ok(states.collect())
    }
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first)
}

/// The selector of a workload's pods as text.
pub fn selector_of(object: &Json) -> Option<String> {
    let selector = &object["spec"]["selector"];
    let by_label = if object["kind"] == "Service" { selector } else { &selector["matchLabels"] };
    let mut parts: Vec<String> = by_label
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
        .collect();
    for one in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = one["key"].as_str().unwrap_or_default();
        let values =
            one["values"].as_array().into_iter().flatten().filter_map(Json::as_str).collect::<Vec<_>>().join(",");
        parts.push(match one["operator"].as_str() {
            Some("In") => format!("{key} in ({values})"),
            Some("NotIn") => format!("{key} notin ({values})"),
            Some("DoesNotExist") => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    (!parts.is_empty()).then(|| parts.join(","))
}

/// What a pod says of itself.
fn judge(pod: &Json) -> PodState {
    let name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let ready = matches!(condition(pod, "Ready"), Some(("True", ..))) || pod["status"]["phase"] == "Succeeded";
    let statuses = ["initContainerStatuses", "containerStatuses"];
    let containers: Vec<&Json> =
        statuses.iter().flat_map(|list| pod["status"][*list].as_array().into_iter().flatten()).collect();
    let restarts = containers.iter().map(|one| one["restartCount"].as_i64().unwrap_or(0)).sum();
    let phase = pod["status"]["phase"].as_str().unwrap_or("Pending").to_owned();
    let mut state = PodState { name, ready, reason: phase, message: String::new(), restarts, log: Vec::new() };
    if ready {
        return state;
    }
    if let Some(("False", reason, message)) = condition(pod, "PodScheduled") {
        state.message = if reason == "Unschedulable" { message.to_owned() } else { format!("{reason}: {message}") };
        return state;
    }
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    // A container that only waits for its start says less than one that is in trouble.
    let troubled = containers.iter().find_map(|one| {
        let waiting = &one["state"]["waiting"];
        let reason =
            waiting["reason"].as_str().filter(|reason| !matches!(*reason, "ContainerCreating" | "PodInitializing"))?;
        Some((reason.to_owned(), text(&waiting["message"])))
    });
    let ended = containers.iter().find_map(|one| {
        let terminated = one["state"]["terminated"]
            .as_object()
            .filter(|state| state.get("exitCode").is_some_and(|code| *code != 0))?;
        Some((text(&terminated["reason"]), format!("exit code {}", terminated["exitCode"])))
    });
    if let Some((reason, message)) = troubled.or(ended) {
        state.reason = reason;
        state.message = message;
    } else if let Some(("False", _, message)) = condition(pod, "Ready") {
        state.message = message.to_owned();
    }
    state
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn judges_pods() {
        let check = |status: Json, reason: &str, message: &str| {
            let state = judge(&json!({ "metadata": { "name": "p" }, "status": status }));
            assert_eq!((state.reason.as_str(), state.message.as_str()), (reason, message));
        };
        check(json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] }), "Running", "");
        check(
            json!({ "phase": "Pending", "conditions": [{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "m" }] }),
            "Pending",
            "m",
        );
        check(
            json!({ "phase": "Pending", "containerStatuses": [{ "state": { "waiting": { "reason": "ImagePullBackOff", "message": "x" } } }] }),
            "ImagePullBackOff",
            "x",
        );
        check(
            json!({ "phase": "Running", "containerStatuses": [{ "state": { "terminated": { "reason": "Error", "exitCode": 2 } } }] }),
            "Error",
            "exit code 2",
        );
    }

    #[test]
    fn headlines() {
        let pod = |reason: &str, message: &str| PodState {
            name: "a-0".into(),
            ready: false,
            reason: reason.into(),
            message: message.into(),
            restarts: 0,
            log: Vec::new(),
        };
        let claim =
            |reason: &str| ClaimState { name: "data-a-0".into(), phase: "Pending".into(), reason: reason.into() };
        let check = |explanation: Explanation, expect: &str| assert_eq!(explanation.headline(), expect);
        let base = Explanation::default;
        check(
            Explanation { pods: vec![pod("Pending", "long words")], claims: vec![claim("")], ..base() },
            "pod a-0 Pending: claim data-a-0 unbound",
        );
        check(
            Explanation { pods: vec![pod("Pending", "")], claims: vec![claim("no StorageClass")], ..base() },
            "pod a-0 Pending: claim data-a-0 unbound: no StorageClass",
        );
        check(
            Explanation { pods: vec![pod("CrashLoopBackOff", "back-off")], ..base() },
            "pod a-0 CrashLoopBackOff: back-off",
        );
        check(
            Explanation {
                pods: vec![pod("Pending", "0/1 nodes are available: 1 Insufficient cpu. no new claims")],
                ..base()
            },
            "pod a-0 Pending: 0/1 nodes are available: 1 Insufficient cpu",
        );
        check(
            Explanation { causes: vec!["exceeded quota: q".into()], pods: vec![pod("Pending", "")], ..base() },
            "exceeded quota: q",
        );
        check(
            Explanation { services: vec![ServiceState { name: "s".into(), endpoints: 0 }], ..base() },
            "service s has no endpoints",
        );
        check(base(), "");
    }
}
