//! Why a gate did not pass: what the cluster knows about the workloads it looks at.

use std::time::Duration;

use crate::client::kube::Kube;

use super::check::Check;
use super::cluster::workloads_behind;

/// Explaining takes at most this long; a cluster that is down must not hold up the error.
const LIMIT: Duration = Duration::from_secs(10);

/// Lines about the pods, claims and services behind a check, indented; empty when there is nothing to say.
pub(super) async fn explain(check: &Check, cluster: Option<&Kube>) -> String {
    let Some(cluster) = cluster else { return String::new() };
    let lines = tokio::time::timeout(LIMIT, gather(check, cluster)).await.unwrap_or_default();
    lines.into_iter().map(|line| format!("\n  {line}")).collect()
}

async fn gather(check: &Check, cluster: &Kube) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut objects = Vec::new();
    for service in check.services() {
        match workloads_behind(cluster, service).await {
            Ok(found) if found.is_empty() => {
                lines.push(format!("service {service}: no workload's pods match its selector"))
            }
            Ok(found) => objects.extend(found),
            Err(failure) => lines.push(failure.text),
        }
    }
    if let Check::Object(object) = check {
        objects.extend(object.find(cluster).await);
    }
    for object in objects {
        let Ok(explanation) = cluster.explain_object(&object).await else { continue };
        if !explanation.state.is_empty() {
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
            let kind = object["kind"].as_str().unwrap_or_default();
            lines.push(format!("{kind} {}/{}: {}", text("namespace"), text("name"), explanation.state));
        }
        lines.extend(explanation.lines());
    }
    let mut seen = std::collections::HashSet::new();
    // The log's lines are kept as they are; anything else is said once.
    lines.retain(|line| line.trim_start().starts_with('|') || seen.insert(line.clone()));
    lines
}
