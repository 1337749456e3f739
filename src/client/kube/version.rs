//! What the server says of itself.

use http::Method;

use super::types::Json;
use super::{Kube, KubeError};

impl Kube {
    /// The version of the server, as it is built.
    ///
    /// # Errors
    /// The server did not answer, or refused.
    pub async fn version(&self) -> Result<Json, KubeError> {
        self.json(Method::GET, "/version", None).await
    }
}
