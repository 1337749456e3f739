//! What the cluster's API says: it is ready, an object exists, has a condition, is rolled out; a command in a pod ends well.

use crate::client::kube::types::Json;
use crate::client::kube::{Kube, KubeError, Readiness, Select, condition, readiness, selector_of, types};
use crate::value::Value;

use super::check::{Failure, flag, text, words};
use super::place::Service;
use super::program::{contains, ended};

/// The check of kind `kubernetes`.
#[derive(Debug)]
pub(super) struct Object {
    ready: bool,
    object: Option<Wanted>,
}

#[derive(Debug)]
struct Wanted {
    api_version: String,
    kind: String,
    namespace: Option<String>,
    name: String,
    exists: bool,
    condition: Option<String>,
    rollout: bool,
}

impl Object {
    pub(super) fn read(arguments: &Value) -> Result<Object, Failure> {
        let object = match (text(arguments, "kind"), text(arguments, "name")) {
            (Some(kind), Some(name)) => {
                let wanted = Wanted {
                    api_version: text(arguments, "api_version").unwrap_or("v1").to_owned(),
                    kind: kind.to_owned(),
                    namespace: text(arguments, "namespace").map(str::to_owned),
                    name: name.to_owned(),
                    exists: flag(arguments, "exists").unwrap_or(true),
                    condition: text(arguments, "condition").map(str::to_owned),
                    rollout: flag(arguments, "rollout").unwrap_or(false),
                };
                if !wanted.exists && (wanted.condition.is_some() || wanted.rollout) {
                    return Err(Failure::fatal("exists = false goes with neither condition nor rollout"));
                }
                Some(wanted)
            }
            (None, None) => None,
            _ => return Err(Failure::fatal("an object needs both kind and name")),
        };
        let ready = flag(arguments, "ready").unwrap_or(false);
        if !ready && object.is_none() {
            return Err(Failure::fatal("either ready = true or an object (api_version, kind, name) must be given"));
        }
        Ok(Object { ready, object })
    }

    pub(super) async fn attempt(&self, cluster: Option<&Kube>) -> Result<(), Failure> {
        let cluster = needed(cluster)?;
        if self.ready {
            cluster.ready().await.map_err(|error| said(&error))?;
        }
        let Some(wanted) = &self.object else { return Ok(()) };
        let found = match wanted.find(cluster).await {
            Err(KubeError::UnknownKind { .. }) if !wanted.exists => return Ok(()),
            found => found.map_err(|error| said(&error))?,
        };
        match (found, wanted.exists) {
            (None, false) => Ok(()),
            (None, true) => Err(Failure::passing("it does not exist")),
            (Some(_), false) => Err(Failure::passing("it still exists")),
            (Some(object), true) => wanted.judge(&object),
        }
    }

    /// The object it looks at, for the explanation.
    pub(super) async fn find(&self, cluster: &Kube) -> Option<Json> {
        self.object.as_ref()?.find(cluster).await.ok().flatten()
    }

    pub(super) fn unmet(&self) -> String {
        let Some(wanted) = &self.object else { return "The Kubernetes API did not say that it is ready".to_owned() };
        let place = match &wanted.namespace {
            Some(namespace) => format!("{} {namespace}/{}", wanted.kind, wanted.name),
            None => format!("{} {}", wanted.kind, wanted.name),
        };
        match (&wanted.condition, wanted.rollout) {
            (Some(condition), _) => format!("{place} did not reach the condition {condition}"),
            (None, true) => format!("{place} was not rolled out"),
            (None, false) if wanted.exists => format!("{place} did not come to exist"),
            (None, false) => format!("{place} did not go away"),
        }
    }
}

impl Wanted {
    async fn find(&self, cluster: &Kube) -> Result<Option<Json>, KubeError> {
        let kind = cluster.kind(&self.api_version, &self.kind).await?;
        let namespace = kind.namespaced.then(|| self.namespace.as_deref().unwrap_or("default"));
        cluster.get(&kind, namespace, &self.name).await
    }

    fn judge(&self, object: &Json) -> Result<(), Failure> {
        if let Some(wanted) = &self.condition {
            match condition(object, wanted) {
                Some(("True", ..)) => {}
                Some((status, reason, message)) => {
                    let why: Vec<&str> = [reason, message].into_iter().filter(|text| !text.is_empty()).collect();
                    return Err(Failure::passing(format!("{wanted} is {status}: {}", why.join(": "))));
                }
                None => return Err(Failure::passing(format!("it has no condition {wanted} yet"))),
            }
        }
        if self.rollout { rolled_out(object) } else { Ok(()) }
    }
}

/// Passes when a workload is rolled out.
pub(super) fn rolled_out(object: &Json) -> Result<(), Failure> {
    match readiness(object) {
        Readiness::Ready => Ok(()),
        Readiness::Waiting(why) | Readiness::Failed(why) => Err(Failure::passing(why)),
    }
}

/// The workloads whose pods a service selects.
///
/// # Errors
/// The service does not exist, selects nothing, or the cluster does not answer.
pub(super) async fn workloads_behind(cluster: &Kube, service: &Service) -> Result<Vec<Json>, Failure> {
    const WORKLOADS: [&str; 3] = ["StatefulSet", "Deployment", "DaemonSet"];
    let namespace = Some(service.namespace.as_str());
    let kind = types::find("v1", "Service").ok_or_else(|| Failure::fatal("the kind Service is not known"))?;
    let found = cluster.get(kind, namespace, &service.name).await.map_err(|error| said(&error))?;
    let found = found
        .ok_or_else(|| Failure::passing(format!("service {}/{} does not exist", service.namespace, service.name)))?;
    let selector = found["spec"]["selector"].as_object().filter(|selector| !selector.is_empty());
    let selector = selector.ok_or_else(|| Failure::passing(format!("service {service} selects no pods")))?;
    let mut behind = Vec::new();
    for name in WORKLOADS {
        let Some(kind) = types::find("apps/v1", name) else { continue };
        let list = cluster.list(kind, namespace, &Select::ALL).await.map_err(|error| said(&error))?;
        behind.extend(list.items.into_iter().filter(|workload| {
            let labels = &workload["spec"]["template"]["metadata"]["labels"];
            selector.iter().all(|(name, value)| labels.get(name) == Some(value))
        }));
    }
    Ok(behind)
}

/// The check of kind `exec`.
#[derive(Debug)]
pub(super) struct Exec {
    pod: Option<(String, String)>,
    pub(super) service: Option<Service>,
    container: Option<String>,
    command: Vec<String>,
    contains: Option<String>,
}

impl Exec {
    pub(super) fn read(arguments: &Value) -> Result<Exec, Failure> {
        let (pod, service) = match (text(arguments, "pod"), text(arguments, "service")) {
            (Some(pod), None) => {
                let (namespace, name) = pod
                    .split_once('/')
                    .ok_or_else(|| Failure::fatal(format!("{pod:?} is no pod; one is written \"namespace/name\"")))?;
                (Some((namespace.to_owned(), name.to_owned())), None)
            }
            (None, Some(service)) => (None, Some(Service::parse(service)?)),
            _ => {
                return Err(Failure::fatal(
                    "either pod (\"namespace/name\") or service (\"namespace/name\") must be given",
                ));
            }
        };
        let command = words(arguments, "command");
        if command.is_empty() {
            return Err(Failure::fatal("command must name a program"));
        }
        Ok(Exec {
            pod,
            service,
            container: text(arguments, "container").map(str::to_owned),
            command,
            contains: text(arguments, "contains").map(str::to_owned),
        })
    }

    pub(super) async fn attempt(&self, cluster: Option<&Kube>) -> Result<(), Failure> {
        let cluster = needed(cluster)?;
        let (namespace, pod) = match (&self.pod, &self.service) {
            (Some(pod), _) => pod.clone(),
            (None, Some(service)) => (service.namespace.clone(), pod_behind(cluster, service).await?),
            (None, None) => return Err(Failure::fatal("there is no pod to run it in")),
        };
        let output = cluster.exec(&namespace, &pod, self.container.as_deref(), &self.command).await;
        let output = output.map_err(|error| said(&error))?;
        if output.code != 0 {
            let text = if output.stderr.trim().is_empty() { &output.stdout } else { &output.stderr };
            return Err(Failure::passing(ended(output.code, text.trim().lines().last().unwrap_or_default())));
        }
        contains(self.contains.as_deref(), &output.stdout)
    }

    pub(super) fn unmet(&self) -> String {
        let place = match (&self.pod, &self.service) {
            (Some((namespace, name)), _) => format!("pod {namespace}/{name}"),
            (None, Some(service)) => format!("a pod of service {service}"),
            (None, None) => "a pod".to_owned(),
        };
        format!("The command {} in {place} did not end well", self.command.first().map_or("", String::as_str))
    }
}

async fn pod_behind(cluster: &Kube, service: &Service) -> Result<String, Failure> {
    let (Some(services), Some(pods)) = (types::find("v1", "Service"), types::find("v1", "Pod")) else {
        return Err(Failure::fatal("the kinds Service and Pod are not known"));
    };
    let namespace = Some(service.namespace.as_str());
    let found = cluster.get(services, namespace, &service.name).await.map_err(|error| said(&error))?;
    let found = found.ok_or_else(|| Failure::passing(format!("service {service} does not exist")))?;
    let selector = selector_of(&found).ok_or_else(|| Failure::passing(format!("service {service} selects no pods")))?;
    let select = Select { labels: Some(&selector), fields: None };
    let list = cluster.list(pods, namespace, &select).await.map_err(|error| said(&error))?.items;
    let ready = |pod: &&Json| {
        matches!(condition(pod, "Ready"), Some(("True", ..))) && pod["metadata"]["deletionTimestamp"].is_null()
    };
    let pod = list.iter().find(ready).and_then(|pod| pod["metadata"]["name"].as_str());
    pod.map(str::to_owned).ok_or_else(|| Failure::passing(format!("service {service} has no endpoints")))
}

pub(super) fn needed(cluster: Option<&Kube>) -> Result<&Kube, Failure> {
    cluster.ok_or_else(|| Failure::fatal("there is no cluster to ask: the project has no provider \"kubernetes\""))
}

/// What an answer of the API means to a gate that waits: a cluster that refuses us will not change its mind by waiting.
pub(super) fn said(error: &KubeError) -> Failure {
    let text = error.to_string();
    match error {
        KubeError::Configuration(_) => Failure::fatal(text),
        _ => Failure::passing(text),
    }
}
