//! Dry runs: what the server thinks of a change, without making it.

use http::Method;

use super::call::{escape, with_query};
use super::types::{Json, Kind};
use super::{Kube, KubeError};

impl Kube {
    /// Asks what a new object would be.
    ///
    /// # Errors
    /// As for [`Kube::create`].
    pub async fn try_create(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        object: &Json,
        manager: &str,
    ) -> Result<Json, KubeError> {
        let query = [
            ("fieldManager", manager.to_owned()),
            ("fieldValidation", "Strict".to_owned()),
            ("dryRun", "All".to_owned()),
        ];
        let path = with_query(&kind.path(namespace), &query);
        self.json(Method::POST, &path, Some(("application/json", object))).await
    }

    /// Asks what an object would be after a JSON merge patch.
    ///
    /// # Errors
    /// As for [`Kube::merge`].
    pub async fn try_merge(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        patch: &Json,
        manager: &str,
    ) -> Result<Json, KubeError> {
        let path = format!("{}/{}", kind.path(namespace), escape(name));
        let path = with_query(&path, &[("fieldManager", manager.to_owned()), ("dryRun", "All".to_owned())]);
        self.json(Method::PATCH, &path, Some(("application/merge-patch+json", patch))).await
    }

    /// Makes an object. Gives it as it is then.
    ///
    /// # Errors
    /// The server did not answer, or refused: [`KubeError::Exists`] when there is one of this name, [`KubeError::Invalid`] names the fields.
    pub async fn create(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        object: &Json,
        manager: &str,
    ) -> Result<Json, KubeError> {
        let query = [("fieldManager", manager.to_owned()), ("fieldValidation", "Strict".to_owned())];
        let path = with_query(&kind.path(namespace), &query);
        self.json(Method::POST, &path, Some(("application/json", object))).await
    }
}
