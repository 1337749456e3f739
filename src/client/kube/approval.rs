//! Approval of certificate signing requests, which is a subresource with rights of its own.

use http::Method;
use serde_json::json;

use super::call::escape;
use super::types::{Json, Kind};
use super::{Kube, KubeError};

impl Kube {
    /// Approves a request that nobody has judged yet. Gives it as it is then.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn approve(&self, kind: &Kind, name: &str, condition: &Json) -> Result<Json, KubeError> {
        let path = format!("{}/{}/approval", kind.path(None), escape(name));
        let patch = json!({ "status": { "conditions": [condition] } });
        self.json(Method::PATCH, &path, Some(("application/merge-patch+json", &patch))).await
    }
}
