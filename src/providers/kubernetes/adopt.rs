//! Objects that the cluster makes by itself and a resource takes over: the service account `default` of a namespace.

use std::time::Duration;

use super::configured::Cluster;
use super::identity::Place;
use super::object::Look;
use super::table::Resource;
use super::{object, timeouts, typed, waits};
use crate::change::Action;
use crate::client::kube::Readiness;
use crate::client::kube::types::Json;
use crate::provider::{Applied, ApplyRequest, Now, Progress};

/// How long the cluster has for it unless `timeouts` says otherwise.
const LIMIT: Duration = Duration::from_secs(30);

/// Whether a resource type takes over what is there.
pub fn takes_over(kind: &str) -> bool {
    matches!(kind, "kubernetes_default_service_account" | "kubernetes_default_service_account_v1")
}

/// Waits until the object is there, and changes it into what is planned.
pub async fn create(
    cluster: &Cluster,
    resource: &Resource,
    mut request: ApplyRequest,
    progress: &dyn Progress,
) -> Applied {
    let Some(place) = Place::of_block(&request.planned, resource.kind) else {
        return typed::apply(cluster, resource, request, progress).await;
    };
    let found = match cluster.kube.get(resource.kind, place.namespace.as_deref(), &place.name).await {
        Ok(found) => found.unwrap_or(Json::Null),
        Err(error) => {
            return Applied::failed(error.diagnostic(&format!("read {}", place.title(resource.kind))));
        }
    };
    let limit = timeouts::timeout(&request.planned, "create").unwrap_or(LIMIT);
    let waited = waits::until(cluster, resource.kind, &place, found, limit, progress, &|_| Readiness::Ready).await;
    if waited.said.has_errors() {
        return Applied { now: Now::Unchanged, said: waited.said };
    }
    request.prior = object::read(resource, &waited.object, &place, Look::Ours(&request.planned, &cluster.ignored));
    request.action = Action::Update;
    typed::apply(cluster, resource, request, progress).await
}
