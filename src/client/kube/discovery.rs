//! Which kinds a server serves, and under which paths.

use std::sync::{Arc, PoisonError};

use http::Method;

use super::types::{self, Kind, group_version};
use super::{Kube, KubeError};
use crate::event::Stop;

impl Kube {
    /// The kind behind `apiVersion` and `kind`. Kubernetes' own are known; others the server tells, which is asked again when it
    /// did not know a kind before: a definition may have been applied since.
    ///
    /// # Errors
    /// The server did not answer, or serves no such kind.
    pub async fn kind(&self, api_version: &str, kind: &str) -> Result<Arc<Kind>, KubeError> {
        if let Some(known) = types::find(api_version, kind) {
            return Ok(known.clone());
        }
        if let Some(known) = self.remembered(api_version, kind) {
            return Ok(known);
        }
        let unknown = || KubeError::UnknownKind { api_version: api_version.to_owned(), kind: kind.to_owned() };
        let (group, version) = group_version(api_version);
        let path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        let list = match self.json(Method::GET, &path, None).await {
            Err(KubeError::NotFound(_)) => return Err(unknown()),
            other => other?,
        };
        let text = |value: &types::Json| value.as_str().unwrap_or_default().to_owned();
        let mut found = Vec::new();
        for one in list["resources"].as_array().into_iter().flatten() {
            let plural = text(&one["name"]);
            match plural.split_once('/') {
                None => {
                    let namespaced = one["namespaced"] == true;
                    found.push(Kind::new(group, version, &text(&one["kind"]), &plural, namespaced));
                }
                Some((of, subresource)) => {
                    let of = found.iter_mut().find(|kind: &&mut Kind| kind.plural == of);
                    if let Some(of) = of {
                        of.subresources.push(subresource.to_owned());
                    }
                }
            }
        }
        let found: Vec<Arc<Kind>> = found.into_iter().map(Arc::new).collect();
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner).insert(api_version.to_owned(), found);
        self.remembered(api_version, kind).ok_or_else(unknown)
    }

    fn remembered(&self, api_version: &str, kind: &str) -> Option<Arc<Kind>> {
        let known = self.inner.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(api_version)?.iter().find(|one| one.kind == kind).cloned()
    }

    /// Waits until a kind is served, as after its definition was applied.
    ///
    /// # Errors
    /// The server did not answer, or the kind did not appear within the time.
    pub async fn kind_within(
        &self,
        api_version: &str,
        kind: &str,
        limit: std::time::Duration,
    ) -> Result<Arc<Kind>, KubeError> {
        let began = tokio::time::Instant::now();
        let (mut limit, mut pause) = (limit, std::time::Duration::from_millis(10));
        loop {
            match self.kind(api_version, kind).await {
                Err(KubeError::UnknownKind { .. }) if began.elapsed() < limit => {
                    // Discovery has no watch: it is asked again, less and less often.
                    if !Stop::pause(pause).await {
                        limit = std::time::Duration::ZERO;
                    }
                    pause = (pause * 2).min(std::time::Duration::from_secs(1));
                }
                other => return other,
            }
        }
    }
}
