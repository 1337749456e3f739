//! The provider over one cluster: which resource type is handled where.

use std::sync::Arc;
use std::time::Duration;

use super::hidden::Ignored;
use super::identity::Place;
use super::object::Look;
use super::table::{Resource, table};
use super::{adopt, batch, certificate, data, found, manifest, object, proof, special, timeouts, token, typed, waits};
use crate::change::{Action, Intent};
use crate::client::kube::types::Kind;
use crate::client::kube::{Kube, KubeError};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::provider::{
    Applied, ApplyRequest, Boxed, Configured, DataRequest, Identity, ImportRequest, Imported, Now, OpenRequest, Opened,
    PlanRequest, Planned, Progress, ReadRequest, ReadResult, Recovered, unknown_kind,
};
use crate::value::Value;

/// The kind of resource that takes any object.
const MANIFEST: &str = "kubernetes_manifest";

/// A cluster.
pub struct Cluster {
    /// The connection.
    pub kube: Kube,
    /// Labels and annotations that are left to others.
    pub ignored: Ignored,
}

impl Cluster {
    /// Over a connection.
    pub fn new(kube: Kube, ignored: Ignored) -> Self {
        Cluster { kube, ignored }
    }
}

fn resource(kind: &str) -> Option<&'static Arc<Resource>> {
    table().resources.get(kind)
}

impl Configured for Cluster {
    fn identity(&self) -> Boxed<'_, Outcome<Identity>> {
        Box::pin(async move {
            match self.kube.identity().await {
                Ok(uid) => Outcome::ok(Some(uid)),
                // Rights in single namespaces do not tell which cluster it is; what they give is used all the same.
                Err(KubeError::Forbidden(_)) => Outcome::ok(None),
                Err(error) => {
                    Outcome::fail(error.diagnostic("read the namespace kube-system, which identifies the cluster"))
                }
            }
        })
    }

    fn read<'a>(
        &'a self,
        requests: Vec<ReadRequest>,
        out: &'a (dyn Fn(usize, ReadResult) + Send + Sync),
    ) -> Boxed<'a, Diagnostics> {
        Box::pin(batch::read(self, requests, out))
    }

    fn plan<'a>(&'a self, request: PlanRequest) -> Boxed<'a, Outcome<Planned>> {
        Box::pin(async move {
            if request.kind == MANIFEST {
                return manifest::plan(self, request).await;
            }
            if let Some(special) = special::of(&request.kind) {
                return special::plan(special, request);
            }
            match resource(&request.kind) {
                Some(resource) => typed::plan(self, resource, request).await,
                None => unknown_kind(&request.kind),
            }
        })
    }

    fn apply<'a>(&'a self, request: ApplyRequest, progress: &'a dyn Progress) -> Boxed<'a, Applied> {
        Box::pin(async move {
            if special::of(&request.kind).is_some() {
                return special::apply(self, request, progress).await;
            }
            let is_manifest = request.kind == MANIFEST;
            match (request.action, is_manifest, resource(&request.kind)) {
                (Action::Delete, true, _) => manifest::delete(self, request, progress).await,
                (_, true, _) => manifest::apply(self, request, progress).await,
                (Action::Delete, false, Some(resource)) => {
                    let Some(place) = Place::of_block(&request.prior, resource.kind) else { return Applied::gone() };
                    let meta = request.prior.get("metadata").and_then(Value::as_items).and_then(<[Value]>::first);
                    let uid = meta.and_then(|meta| meta.get("uid")).and_then(Value::as_str);
                    let limit = timeouts::limit(resource, &request.prior, "delete");
                    self.delete(resource.kind, &place, uid, limit, progress).await
                }
                (Action::Create, false, Some(resource)) if adopt::takes_over(&request.kind) => {
                    adopt::create(self, resource, request, progress).await
                }
                (_, false, Some(resource)) => typed::apply(self, resource, request, progress).await,
                (_, false, None) => {
                    let said = unknown_kind::<()>(&request.kind).said;
                    Applied { now: Now::Unchanged, said }
                }
            }
        })
    }

    fn import<'a>(&'a self, request: ImportRequest) -> Boxed<'a, Outcome<Vec<Imported>>> {
        Box::pin(async move {
            if request.kind == MANIFEST {
                return manifest::import(self, request).await;
            }
            if special::of(&request.kind).is_some() {
                return special::import(&request);
            }
            let Some(resource) = resource(&request.kind) else { return unknown_kind(&request.kind) };
            let place = Place::of_id(&request.id, resource.kind);
            let title = place.title(resource.kind);
            match self.kube.get(resource.kind, place.namespace.as_deref(), &place.name).await {
                Ok(Some(found)) => {
                    let value = object::read(resource, &found, &place, Look::Whole(&self.ignored));
                    let private = typed::private(resource, &Value::NULL);
                    Outcome::ok(vec![Imported { kind: request.kind, value, private }])
                }
                Ok(None) => {
                    let form = if resource.kind.namespaced { "namespace/name" } else { "name" };
                    let what = format!("{title} does not exist. The id to import is `{form}`.");
                    Outcome::fail(Diagnostic::error("Cannot import what does not exist", what))
                }
                Err(error) => Outcome::fail(error.diagnostic(&format!("import {title}"))),
            }
        })
    }

    fn read_data<'a>(&'a self, request: DataRequest) -> Boxed<'a, Outcome<Value>> {
        Box::pin(data::read(self, request))
    }

    fn open<'a>(&'a self, request: OpenRequest) -> Boxed<'a, Outcome<Opened>> {
        Box::pin(async move {
            match request.kind.as_str() {
                token::KIND => token::open(self, request).await,
                certificate::KIND => certificate::open(self, request).await,
                other => unknown_kind(other),
            }
        })
    }

    fn recover<'a>(&'a self, kind: &'a str, intent: &'a Intent, planned: Value) -> Boxed<'a, Recovered> {
        Box::pin(async move {
            if special::of(kind).is_some() {
                // What it wrote is read again with the object; a part that is there already is simply written again.
                return Recovered::Absent;
            }
            if kind == MANIFEST {
                return match found::find(self, &planned).await {
                    Err(error) => Recovered::CannotTell(error.to_string()),
                    Ok(None) => Recovered::Absent,
                    Ok(Some(found)) if proof::is_made_by(&found.object, &intent.nonce) => {
                        let (value, complete) = manifest::recovered(&planned, &found);
                        Recovered::Found { value, private: Vec::new(), complete }
                    }
                    Ok(Some(found)) => foreign(&found.place),
                };
            }
            let Some(resource) = resource(kind) else { return Recovered::Absent };
            match self.find(resource, &planned, &intent.nonce).await {
                Err(error) => Recovered::CannotTell(error.to_string()),
                Ok(None) => Recovered::Absent,
                Ok(Some((found, place))) if proof::is_made_by(&found, &intent.nonce) => {
                    // Whether what was waited for has come is looked at once.
                    let complete = waits::is_over(self, resource, &planned, &found).await;
                    let value = object::read(resource, &found, &place, Look::Ours(&planned, &self.ignored));
                    Recovered::Found { value, private: typed::private(resource, &planned), complete }
                }
                Ok(Some((_, place))) => foreign(&place),
            }
        })
    }
}

/// An object that somebody else has made, or of which nothing tells who has.
fn foreign(place: &Place) -> Recovered {
    Recovered::CannotTell(format!("{} is there, but nothing proves that this run has made it", place.id()))
}

impl Cluster {
    /// The object a planned typed block describes.
    async fn find(
        &self,
        resource: &Resource,
        planned: &Value,
        nonce: &str,
    ) -> Result<Option<(crate::client::kube::types::Json, Place)>, KubeError> {
        let place = typed::place_of(resource, planned, nonce);
        let found = self.kube.get(resource.kind, place.namespace.as_deref(), &place.name).await?;
        Ok(found.map(|found| (found, place)))
    }

    /// Deletes an object and waits until it is gone.
    pub async fn delete(
        &self,
        kind: &Kind,
        place: &Place,
        uid: Option<&str>,
        limit: Duration,
        progress: &dyn Progress,
    ) -> Applied {
        // What a workload has made goes before it does, so that its end is the end of its pods.
        let propagation = if matches!(kind.group.as_str(), "apps" | "batch") { "Foreground" } else { "Background" };
        let title = place.title(kind);
        let left = match self.kube.delete(kind, place.namespace.as_deref(), &place.name, uid, propagation).await {
            Ok(None) => return Applied::gone(),
            Ok(Some(left)) => left,
            // Another object has its name now: ours is gone.
            Err(KubeError::Conflict { .. }) if uid.is_some() => return Applied::gone(),
            Err(KubeError::UnknownKind { .. }) => return Applied::gone(),
            Err(error) => {
                let now = if error.is_unreachable() { Now::Unclear } else { Now::Unchanged };
                return Applied { now, said: error.diagnostic(&format!("delete {title}")).into() };
            }
        };
        match waits::gone(self, kind, place, left, limit, progress).await {
            Ok(()) => Applied::gone(),
            // It is being deleted, but still there: state keeps it.
            Err(said) => Applied { now: Now::Unchanged, said: said.into() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_account_that_may_not_read_kube_system_works_without_an_identity() {
        for (code, works) in [(403, true), (401, false)] {
            let kube = Kube::from_service(tower::service_fn(move |_: http::Request<kube::client::Body>| async move {
                let body = kube::client::Body::from(br#"{ "kind": "Status", "message": "no" }"#.to_vec());
                http::Response::builder().status(code).body(body)
            }));
            let outcome = Cluster::new(kube, Ignored::default()).identity().await;
            assert_eq!(outcome.value, works.then_some(None), "{code}");
        }
    }
}
