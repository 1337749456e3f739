//! Reading many objects: one list for a kind in a namespace where that is cheaper than asking for each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::configured::Cluster;
use super::identity::Place;
use super::object::Look;
use super::table::table;
use super::{manifest, object, special};
use crate::client::kube::types::{Json, Kind};
use crate::client::kube::{KubeError, Select, Waiting};
use crate::diag::Diagnostics;
use crate::provider::{ReadRequest, ReadResult};

/// An object that is being deleted has so long to be gone before it is taken for one that stays.
const GOING: Duration = Duration::from_secs(10);

/// From so many objects of a kind in a namespace on, they are listed.
const LIST_FROM: usize = 3;

/// One object to be read.
struct Wanted {
    at: usize,
    place: Place,
    request: ReadRequest,
}

/// Reads all objects and tells each result with its place in the batch.
pub async fn read(
    cluster: &Cluster,
    requests: Vec<ReadRequest>,
    out: &(dyn Fn(usize, ReadResult) + Send + Sync),
) -> Diagnostics {
    let mut groups: BTreeMap<(String, Option<String>), (Arc<Kind>, Vec<Wanted>)> = BTreeMap::new();
    let mut singles = Vec::new();
    for (at, request) in requests.into_iter().enumerate() {
        match table().resources.get(request.kind.as_str()) {
            Some(resource) => match Place::of_block(&request.prior, resource.kind) {
                Some(place) => {
                    let key = (resource.kind.resource(), place.namespace.clone());
                    let group = groups.entry(key).or_insert_with(|| (resource.kind.clone(), Vec::new()));
                    group.1.push(Wanted { at, place, request });
                }
                None => out(at, ReadResult::Absent),
            },
            None => singles.push((at, request)),
        }
    }
    let groups = groups.into_values().map(|(kind, wanted)| async move {
        if wanted.len() < LIST_FROM {
            join_all(wanted.into_iter().map(|one| single(cluster, &kind, one, out))).await;
        } else {
            listed(cluster, &kind, wanted, out).await;
        }
    });
    let manifests = singles.into_iter().map(|(at, request)| async move {
        let read = match special::of(&request.kind) {
            Some(_) => special::read(cluster, &request).await,
            None => manifest::read(cluster, &request).await,
        };
        out(at, read);
    });
    tokio::join!(join_all(groups), join_all(manifests));
    Diagnostics::none()
}

async fn single(cluster: &Cluster, kind: &Kind, wanted: Wanted, out: &(dyn Fn(usize, ReadResult) + Send + Sync)) {
    let found = cluster.kube.get(kind, wanted.place.namespace.as_deref(), &wanted.place.name).await;
    let result = match found {
        Ok(found) => looked_at(cluster, kind, &wanted, found.as_ref()).await,
        Err(error) => failed(&error, &wanted.place.title(kind)),
    };
    out(wanted.at, result);
}

/// An object that is being deleted is gone in a moment, mostly: a run that was cut off has asked for it, or somebody else. What is planned for
/// it would fail.
async fn looked_at(cluster: &Cluster, kind: &Kind, wanted: &Wanted, found: Option<&Json>) -> ReadResult {
    let Some(going) = found.filter(|found| found["metadata"]["deletionTimestamp"].is_string()) else {
        return result(cluster, wanted, found);
    };
    let waiting = Waiting { limit: GOING, since: going.clone(), tell: &|_| {} };
    let place = &wanted.place;
    match cluster.kube.wait_gone(kind, place.namespace.as_deref(), &place.name, waiting).await {
        Ok(()) => ReadResult::Absent,
        // Something holds it: it is there, and is told as it is.
        Err(_) => result(cluster, wanted, found),
    }
}

async fn listed(cluster: &Cluster, kind: &Kind, wanted: Vec<Wanted>, out: &(dyn Fn(usize, ReadResult) + Send + Sync)) {
    let namespace = wanted.first().and_then(|one| one.place.namespace.clone());
    match cluster.kube.list(kind, namespace.as_deref(), &Select::ALL).await {
        Ok(list) => {
            let by_name: BTreeMap<&str, &Json> =
                list.items.iter().filter_map(|item| Some((item["metadata"]["name"].as_str()?, item))).collect();
            let looked = wanted.iter().map(|one| async {
                let found = by_name.get(one.place.name.as_str()).copied();
                out(one.at, looked_at(cluster, kind, one, found).await);
            });
            join_all(looked).await;
        }
        Err(KubeError::Forbidden(_)) => {
            // Who may not list may still get.
            join_all(wanted.into_iter().map(|one| single(cluster, kind, one, out))).await;
        }
        Err(error) => {
            for one in &wanted {
                out(one.at, failed(&error, &one.place.title(kind)));
            }
        }
    }
}

fn result(cluster: &Cluster, wanted: &Wanted, found: Option<&Json>) -> ReadResult {
    let (Some(found), Some(resource)) = (found, table().resources.get(wanted.request.kind.as_str())) else {
        return ReadResult::Absent;
    };
    let value = object::read(resource, found, &wanted.place, Look::Shared(&wanted.request.prior, &cluster.ignored));
    ReadResult::Found { value, private: wanted.request.private.clone() }
}

/// A read that did not come to an answer.
pub fn failed(error: &KubeError, title: &str) -> ReadResult {
    ReadResult::Unreachable(error.diagnostic(&format!("read {title}")).into())
}
