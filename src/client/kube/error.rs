//! What can go wrong between us and an API server, told apart by what the user can do about it.

use std::time::Duration;

use serde_json::Value as Json;

use crate::client::{Distrust, distrust, reason};
use crate::diag::Diagnostic;

/// A call to the API did not give what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum KubeError {
    /// The configuration of the connection makes no sense.
    #[error("{0}")]
    Configuration(String),
    /// The program that gives credentials gave none.
    #[error("{0}")]
    Credentials(String),
    /// Nobody answered.
    #[error("the Kubernetes API at {host} cannot be reached: {reason}")]
    Unreachable {
        /// Address of the API server.
        host: String,
        /// Why, with its causes.
        reason: String,
    },
    /// Somebody answered, whose certificate is not accepted.
    #[error("the certificate of {host} is not accepted: {why}")]
    Untrusted {
        /// Address of the API server.
        host: String,
        /// Why not.
        why: Distrust,
    },
    /// The server does not know the caller.
    #[error("the Kubernetes API at {host} does not accept the credentials: {message}")]
    Unauthorised {
        /// Address of the API server.
        host: String,
        /// The server's words.
        message: String,
    },
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// No such object.
    #[error("{0}")]
    NotFound(String),
    /// The server serves no such kind.
    #[error("the API server knows no kind {kind} in {api_version}")]
    UnknownKind {
        /// `example.com/v1`.
        api_version: String,
        /// `Widget`.
        kind: String,
    },
    /// An object of this name is there already.
    #[error("{0}")]
    Exists(String),
    /// Somebody else owns fields that an apply would change, or the object changed meanwhile.
    #[error("{message}")]
    Conflict {
        /// The server's words.
        message: String,
        /// The contested fields and who owns them; empty when the object changed meanwhile.
        fields: Vec<FieldProblem>,
    },
    /// The object breaks rules.
    #[error("{message}")]
    Invalid {
        /// The server's words.
        message: String,
        /// What is wrong, field by field.
        fields: Vec<FieldProblem>,
    },
    /// The server refused for another reason.
    #[error("{message} ({code} {reason})")]
    Refused {
        /// HTTP status.
        code: u16,
        /// The reason as a word.
        reason: String,
        /// The server's words.
        message: String,
        /// How long the server asks to wait before the next try.
        retry_after: Option<Duration>,
    },
    /// The answer is none that the API would give.
    #[error("{host} answered something else than the Kubernetes API would: {reason}")]
    Unreadable {
        /// Address of the API server.
        host: String,
        /// What was wrong with it.
        reason: String,
    },
    /// A connection into a pod failed.
    #[error("{0}")]
    Connection(String),
}

/// A field and what is wrong with it, in the server's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// `spec.template.spec.containers[0].image`.
    pub field: String,
    /// `Required value`, or who owns it.
    pub message: String,
}

impl KubeError {
    /// From a `Status` object, or whatever else came with a status code of failure.
    pub(super) fn from_answer(host: &str, code: u16, body: &[u8]) -> KubeError {
        let status: Json = serde_json::from_slice(body).unwrap_or_default();
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let (mut message, reason) = (text(&status["message"]), text(&status["reason"]));
        if message.is_empty() {
            let body = String::from_utf8_lossy(body);
            message = body.trim().chars().take(300).collect();
        }
        if message.is_empty() {
            message = format!("the server answered with status {code}");
        }
        let causes = status["details"]["causes"].as_array().into_iter().flatten();
        let fields = causes
            .map(|cause| FieldProblem { field: text(&cause["field"]), message: text(&cause["message"]) })
            .collect();
        match (code, reason.as_str()) {
            (401, _) => KubeError::Unauthorised { host: host.to_owned(), message },
            (403, _) => KubeError::Forbidden(message),
            (404, _) | (410, "Gone") => KubeError::NotFound(message),
            (409, "AlreadyExists") => KubeError::Exists(message),
            (409, _) => KubeError::Conflict { message, fields },
            (422, _) => KubeError::Invalid { message, fields },
            _ => {
                let retry_after = status["details"]["retryAfterSeconds"].as_u64().map(Duration::from_secs);
                KubeError::Refused { code, reason, message, retry_after }
            }
        }
    }

    /// From an error of the library below.
    pub(super) fn from_client(host: &str, error: &kube::Error) -> KubeError {
        if let kube::Error::Service(said) = error {
            // What a layer of ours has said on the way, or passed on.
            if let Some(said) = said.downcast_ref::<KubeError>() {
                return said.clone();
            }
            if let Some(said) = said.downcast_ref::<kube::Error>() {
                return KubeError::from_client(host, said);
            }
        }
        if let Some(why) = distrust(error) {
            return KubeError::Untrusted { host: host.to_owned(), why };
        }
        let unreachable = || KubeError::Unreachable { host: host.to_owned(), reason: reason(error) };
        match error {
            kube::Error::Api(status) => {
                let body = serde_json::to_vec(&**status).unwrap_or_default();
                KubeError::from_answer(host, status.code, &body)
            }
            kube::Error::Auth(_) => {
                KubeError::Credentials(format!("The credentials cannot be used: {}.", reason(error)))
            }
            kube::Error::UpgradeConnection(_) => KubeError::Connection(reason(error)),
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
                KubeError::Unreadable { host: host.to_owned(), reason: reason(error) }
            }
            _ => unreachable(),
        }
    }

    /// The same, with what the header `Retry-After` says (in seconds, as API servers write it).
    pub(super) fn retried_after(mut self, header: Option<u64>) -> KubeError {
        if let (KubeError::Refused { retry_after, .. }, Some(seconds)) = (&mut self, header) {
            *retry_after = Some(Duration::from_secs(seconds));
        }
        self
    }

    /// Whether the same call may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            KubeError::Unreachable { .. } => true,
            // A server that says when to come again means it.
            KubeError::Refused { code, retry_after, .. } => {
                matches!(code, 429 | 502 | 503 | 504) || (*code >= 500 && retry_after.is_some())
            }
            _ => false,
        }
    }

    /// Whether the server has too much to do, or is about to end: it may be well in a minute.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self, KubeError::Refused { code: 429 | 503, .. })
            || matches!(self, KubeError::Refused { retry_after: Some(_), .. })
    }

    /// Whether it says that nobody answered (rather than an answer that refuses).
    pub fn is_unreachable(&self) -> bool {
        matches!(self, KubeError::Unreachable { .. })
    }

    /// What the user is told. `doing` says what was attempted: `create Deployment data/redis`.
    pub fn diagnostic(&self, doing: &str) -> Diagnostic {
        let listed = |fields: &[FieldProblem]| {
            fields.iter().map(|problem| format!("\n  {}: {}", problem.field, problem.message)).collect::<String>()
        };
        match self {
            KubeError::Configuration(what) => {
                Diagnostic::error("Invalid configuration of the Kubernetes connection", format!("{what}."))
            }
            KubeError::Credentials(why) => {
                Diagnostic::error("No credentials for the cluster", format!("Cannot {doing}: {why}")).of_trouble(why.clone())
            }
            KubeError::Unreachable { host, reason } => Diagnostic::error(
                "Cluster unreachable",
                format!(
                    "Cannot {doing}: the Kubernetes API at {host} does not answer ({reason}). Check that the host is up, that the address and port in the provider's configuration are right, and that no firewall is in between."
                ),
            )
            .of_trouble(format!("{host} is unreachable")),
            KubeError::Untrusted { host, why } => {
                Diagnostic::error("Certificate of the cluster not accepted", format!("Cannot {doing}: the Kubernetes API at {host} has a certificate that is not accepted: {why}. {}", trusting(*why)))
                    .of_trouble(format!("{host} is not trusted"))
            }
            KubeError::Unauthorised { host, message } => Diagnostic::error(
                "Credentials refused by the cluster",
                format!(
                    "Cannot {doing}: the Kubernetes API at {host} does not accept the credentials ({message}). Check the token or client certificate; they may have expired."
                ),
            )
            .of_trouble(format!("{host} refuses the credentials")),
            KubeError::Forbidden(message) => {
                Diagnostic::error("Not permitted by the cluster", format!("Cannot {doing}: {message}."))
            }
            KubeError::NotFound(message) => {
                Diagnostic::error("Not found in the cluster", format!("Cannot {doing}: {message}."))
            }
            KubeError::UnknownKind { api_version, kind } => Diagnostic::error(
                "Unknown kind",
                format!(
                    "Cannot {doing}: the cluster serves no kind {kind} in {api_version}. If a CustomResourceDefinition makes it, that must be applied first: let this resource depend on it."
                ),
            ),
            KubeError::Exists(message) => Diagnostic::error(
                "Object exists already",
                format!(
                    "Cannot {doing}: {message}, and it is not in state. Import it to manage it from here, or delete it."
                ),
            ),
            KubeError::Conflict { message, fields } if fields.is_empty() => {
                Diagnostic::error("Object changed meanwhile", format!("Cannot {doing}: {message}."))
            }
            KubeError::Conflict { fields, .. } => Diagnostic::error(
                "Fields owned by others",
                format!(
                    "Cannot {doing}: other managers own fields that would change.{}\nLeave these fields out, or take them over with `force_conflicts = true` in `field_manager`.",
                    listed(fields)
                ),
            ),
            KubeError::Invalid { message, fields } if fields.is_empty() => {
                Diagnostic::error("Object refused by the API server", format!("Cannot {doing}: {message}"))
            }
            KubeError::Invalid { fields, .. } => Diagnostic::error(
                "Object refused by the API server",
                format!("Cannot {doing}: the object is invalid.{}", listed(fields)),
            ),
            KubeError::Refused { message, code, .. } => {
                Diagnostic::error("Refused by the API server", format!("Cannot {doing}: {message} (status {code})."))
            }
            KubeError::Unreadable { .. } | KubeError::Connection(_) => {
                Diagnostic::error("Unexpected answer from the cluster", format!("Cannot {doing}: {self}."))
            }
        }
    }
}

/// What to do about a certificate that is not accepted.
fn trusting(why: Distrust) -> &'static str {
    match why {
        Distrust::Issuer => {
            "Set `cluster_ca_certificate` to the certificate of its authority (PEM), or take the kubeconfig that the cluster gives out. If the \
             address is right and the authority too, somebody is in between."
        }
        Distrust::Name => "Use a name that it has in `host`, or set `tls_server_name` to one.",
        Distrust::Time => "Renew it on the server, and check the clocks of both machines.",
        Distrust::Other => "Check the server's certificate.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_become_errors() {
        let check = |code, body: &str, expect: &str| {
            let error = KubeError::from_answer("h", code, body.as_bytes());
            let diagnostic = error.diagnostic("create X a");
            assert_eq!(format!("{}: {}", diagnostic.summary, diagnostic.detail), expect);
        };
        check(
            422,
            r#"{"kind":"Status","message":"m","reason":"Invalid","details":{"causes":[{"field":"spec.a","message":"Required value"}]}}"#,
            "Object refused by the API server: Cannot create X a: the object is invalid.\n  spec.a: Required value",
        );
        check(
            409,
            r#"{"kind":"Status","message":"m","reason":"Conflict","details":{"causes":[{"field":".spec.replicas","message":"conflict with \"hpa\""}]}}"#,
            "Fields owned by others: Cannot create X a: other managers own fields that would change.\n  .spec.replicas: conflict with \"hpa\"\nLeave these fields out, or take them over with `force_conflicts = true` in `field_manager`.",
        );
        check(502, "Bad Gateway", "Refused by the API server: Cannot create X a: Bad Gateway (status 502).");
        assert!(KubeError::from_answer("h", 503, b"").is_transient());
        assert!(!KubeError::from_answer("h", 500, b"").is_transient());
    }
}
