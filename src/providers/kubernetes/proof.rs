//! Whose creation an object is: the field manager of the request that made it, which the server keeps beside the object. A label or annotation
//! would show to everybody who reads the object, and be taken away by some.

use super::INTENT;
use crate::client::kube::types::Json;

/// The field manager to create an object with.
pub fn manager(nonce: &str) -> String {
    format!("infra-{nonce}")
}

/// Whether an object was made with this nonce.
pub fn is_made_by(object: &Json, nonce: &str) -> bool {
    if nonce.is_empty() {
        return false;
    }
    let manager = manager(nonce);
    let managers = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    // Older versions left an annotation.
    managers.into_iter().any(|one| one["manager"] == manager.as_str())
        || object["metadata"]["annotations"][INTENT] == nonce
}
