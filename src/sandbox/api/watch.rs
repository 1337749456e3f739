//! Watches: a stream of the changes after a revision.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::StatusCode;
use serde_json::json;
use tokio::sync::watch::Receiver;
use tokio::time::Instant;

use super::answer::{Refusal, respond};
use super::path::Place;
use super::select::Selection;
use super::{Call, columns, read};
use crate::client::kube::types::{Json, Kind};
use crate::sandbox::store::{Change, ChangeKind, Object, Store};

struct Watch {
    store: Arc<Store>,
    kind: Arc<Kind>,
    namespace: Option<String>,
    selection: Selection,
    table: bool,
    seen: u64,
    revisions: Receiver<u64>,
    until: Option<Instant>,
    first: VecDeque<Bytes>,
}

/// Opens a watch on a collection.
pub fn open(store: &Arc<Store>, kind: &Arc<Kind>, place: &Place, call: &Call) -> Result<Response, Refusal> {
    let namespace = place.namespace.clone();
    let selection = Selection::new(call.query.get("labelSelector"), call.query.get("fieldSelector"));
    let table = read::wants_table(call);
    // Before the state is read, so that no revision falls between the two.
    let revisions = store.revisions();
    let since: u64 = match call.query.get("resourceVersion") {
        None => 0,
        Some(text) => text.parse().map_err(|_| Refusal::bad_request(format!("invalid resource version {text:?}")))?,
    };
    let wants_initial = call.query.is("sendInitialEvents");
    let mut first = VecDeque::new();
    let seen = store.read(|state| {
        if since > 0 && !wants_initial {
            return match state.since(since) {
                Some(_) => Ok(since),
                None => Err(Refusal::new(410, "Expired", format!("too old resource version: {since}"))),
            };
        }
        let objects = state.list(&kind.resource(), namespace.as_deref());
        for object in objects.filter(|object| selection.is_empty() || selection.takes(object.json())) {
            first.push_back(line("ADDED", object, kind, table));
        }
        if wants_initial {
            let bookmark = json!({ "type": "BOOKMARK", "object": {
                "kind": kind.kind, "apiVersion": kind.api_version(), "metadata": {
                    "resourceVersion": state.revision().to_string(), "annotations": { "k8s.io/initial-events-end": "true" } } } });
            first.push_back(Bytes::from(format!("{bookmark}\n")));
        }
        Ok(state.revision())
    })?;
    let seconds = call.query.get("timeoutSeconds").and_then(|seconds| seconds.parse::<u64>().ok());
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let watch =
        Watch { store: store.clone(), kind: kind.clone(), namespace, selection, table, seen, revisions, until, first };
    let lines = stream::unfold(watch, |mut watch| async move {
        watch.next().await.map(|line| (Ok::<_, std::io::Error>(line), watch))
    });
    Ok(respond(StatusCode::OK, "application/json", Body::from_stream(lines)))
}

impl Watch {
    /// The next line; `None` when the time is over or the store is closed.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.first.pop_front() {
                return Some(line);
            }
            self.revisions.borrow_and_update();
            self.gather();
            if !self.first.is_empty() {
                continue;
            }
            match self.until {
                None => self.revisions.changed().await.ok()?,
                Some(until) => tokio::time::timeout_at(until, self.revisions.changed()).await.ok()?.ok()?,
            }
        }
    }

    fn gather(&mut self) {
        let resource = self.kind.resource();
        let (seen, lines) = self.store.read(|state| {
            let Some(changes) = state.since(self.seen) else {
                let status = Refusal::new(410, "Expired", format!("too old resource version: {}", self.seen)).status();
                let line = json!({ "type": "ERROR", "object": status });
                return (state.revision(), vec![Bytes::from(format!("{line}\n"))]);
            };
            let mine = changes.filter(|change| {
                let key = &change.object.key;
                *key.resource == *resource
                    && self.namespace.as_deref().is_none_or(|namespace| namespace == &*key.namespace)
            });
            let lines = mine.filter_map(|change| self.line_of(change)).collect();
            (state.revision(), lines)
        });
        self.seen = seen;
        self.first.extend(lines);
    }

    /// A change as somebody sees it who only knows what the selection takes.
    fn line_of(&self, change: &Change) -> Option<Bytes> {
        let takes = |object: &Arc<Object>| self.selection.is_empty() || self.selection.takes(object.json());
        let before = change.before.as_ref().is_some_and(takes);
        let now = change.kind != ChangeKind::Deleted && takes(&change.object);
        let what = match (before, now) {
            (false, false) => return None,
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
        };
        Some(line(what, &change.object, &self.kind, self.table))
    }
}

fn line(what: &str, object: &Arc<Object>, kind: &Kind, table: bool) -> Bytes {
    if table {
        let meta = json!({ "resourceVersion": object.revision.to_string() });
        let shown: Json = columns::table(kind, std::slice::from_ref(object), &meta);
        return Bytes::from(format!("{}\n", json!({ "type": what, "object": shown })));
    }
    let mut text = Vec::with_capacity(object.raw.len() + 40);
    text.extend_from_slice(format!("{{\"type\":\"{what}\",\"object\":").as_bytes());
    text.extend_from_slice(&read::bytes_of(object, kind));
    text.extend_from_slice(b"}\n");
    Bytes::from(text)
}
