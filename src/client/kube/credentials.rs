//! Programs that give credentials for a cluster, by client-go's protocol (client.authentication.k8s.io).
//!
//! A program is called once for a connection, and again shortly before its token ends. What it is called with and what it answers is secret.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, header};
use jiff::{SignedDuration, Timestamp};
use kube::client::Body;
use kube::config::ExecConfig;
use serde_json::{Value as Json, json};
use tokio::sync::Mutex;
use tower::BoxError;

use super::KubeError;
use crate::client::Secret;
use crate::client::process::{Output, ProcessError, Run, run};

/// A program that has to ask somebody has this long.
const LIMIT: Duration = Duration::from_secs(120);

/// A credential is a few kilobytes.
const LARGEST: usize = 256 * 1024;

/// A token that ends within this time is asked for anew.
const EARLY: SignedDuration = SignedDuration::from_secs(10);

/// So many lines of what a program said are shown.
const LINES: usize = 5;

/// A program that gives credentials.
pub(super) struct Program(pub(super) ExecConfig);

/// What it gave.
pub(super) struct Credential {
    /// A bearer token.
    pub(super) token: Option<Secret>,
    /// A client certificate and its key, both PEM.
    pub(super) identity: Option<(String, Secret)>,
    until: Option<Timestamp>,
}

impl Program {
    fn name(&self) -> &str {
        self.0.command.as_deref().unwrap_or_default()
    }

    /// Calls the program.
    ///
    /// # Errors
    /// [`KubeError::Credentials`]: it cannot be started, fails, or answers something else.
    pub(super) async fn call(&self) -> Result<Credential, KubeError> {
        let failed =
            |why: String| KubeError::Credentials(format!("{}, which gives credentials (`exec`), {why}", self.name()));
        if self.name().is_empty() {
            return Err(KubeError::Credentials("`exec` names no command.".into()));
        }
        let output = run(self.run(), &|_, _| {}).await.map_err(|error| failed(unstarted(&error)))?;
        if output.code != 0 {
            return Err(failed(unsuccessful(&output)));
        }
        credential(&output.stdout).map_err(|why| failed(why.into()))
    }

    fn run(&self) -> Run {
        let exec = &self.0;
        let mut spec = json!({ "interactive": false });
        if exec.provide_cluster_info {
            spec["cluster"] = json!(exec.cluster);
        }
        let info = json!({ "kind": "ExecCredential", "apiVersion": exec.api_version, "spec": spec });
        let variables = exec.env.iter().flatten();
        let named =
            variables.filter_map(|one| Some((one.get("name")?.clone(), Secret::new(one.get("value")?.as_str()))));
        let arguments = exec.args.iter().flatten();
        Run {
            argv: [self.name()].into_iter().chain(arguments.map(String::as_str)).map(Into::into).collect(),
            directory: None,
            env: named.chain([("KUBERNETES_EXEC_INFO".to_owned(), Secret::new(info.to_string()))]).collect(),
            env_remove: exec.drop_env.clone().unwrap_or_default(),
            stdin: Vec::new(),
            timeout: Some(LIMIT),
            limit: LARGEST,
            together: false,
            ends_early: true,
        }
    }
}

fn unstarted(error: &ProcessError) -> String {
    match error {
        ProcessError::NotFound(_) => "was not found. Install it, or correct `command`.".into(),
        ProcessError::Start { source, .. } => format!("cannot be started: {source}."),
        ProcessError::Interrupted { .. } => "was interrupted.".into(),
        ProcessError::Timeout { limit, .. } => {
            format!("did not answer within {}.", crate::text::duration::short(*limit))
        }
        ProcessError::Output { source, .. } => format!("cannot be read: {source}."),
    }
}

fn unsuccessful(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.trim().lines().collect();
    let last: String = lines.iter().skip(lines.len().saturating_sub(LINES)).map(|line| format!("\n  {line}")).collect();
    format!("failed with exit code {}{}{last}", output.code, if last.is_empty() { "." } else { " and said:" })
}

/// Reads an ExecCredential; some programs write YAML, which holds JSON.
fn credential(answer: &[u8]) -> Result<Credential, &'static str> {
    let answer: Json = serde_saphyr::from_slice(answer).map_err(|_| "did not answer with an ExecCredential.")?;
    let status = &answer["status"];
    let text = |name: &str| status[name].as_str().filter(|text| !text.is_empty());
    let until = match text("expirationTimestamp") {
        Some(until) => Some(until.parse().map_err(|_| "gave credentials whose expirationTimestamp cannot be read.")?),
        None => None,
    };
    let token = text("token").map(Secret::new);
    let identity = text("clientCertificateData").zip(text("clientKeyData"));
    let identity = identity.map(|(certificate, key)| (certificate.to_owned(), Secret::new(key)));
    if token.is_none() && identity.is_none() {
        return Err("answered without a token or a client certificate.");
    }
    Ok(Credential { token, identity, until })
}

/// The token of a program, for every request of a connection.
#[derive(Clone)]
pub(super) struct Bearer(Arc<Current>);

struct Current {
    program: Program,
    token: Mutex<(HeaderValue, Option<Timestamp>)>,
}

impl Bearer {
    /// `None` when the program gave no token.
    ///
    /// # Errors
    /// The token cannot stand in a header.
    pub(super) fn new(program: Program, credential: &Credential) -> Result<Option<Bearer>, KubeError> {
        let Some(token) = &credential.token else { return Ok(None) };
        let token = Mutex::new((bearer(token)?, credential.until));
        Ok(Some(Bearer(Arc::new(Current { program, token }))))
    }

    /// The same request with the token.
    ///
    /// # Errors
    /// The program gave no new one: a [`KubeError`].
    pub(super) async fn authorise(self, mut request: Request<Body>) -> Result<Request<Body>, BoxError> {
        let mut current = self.0.token.lock().await;
        if current.1.is_some_and(|until| Timestamp::now() + EARLY > until) {
            let new = self.0.program.call().await?;
            let token =
                new.token.ok_or_else(|| KubeError::Credentials("The program gave no token any more.".into()))?;
            *current = (bearer(&token)?, new.until);
        }
        request.headers_mut().insert(header::AUTHORIZATION, current.0.clone());
        Ok(request)
    }
}

fn bearer(token: &Secret) -> Result<HeaderValue, KubeError> {
    let value = HeaderValue::try_from(format!("Bearer {}", token.reveal()));
    let mut value = value.map_err(|_| KubeError::Credentials("The token holds what no header can hold.".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn answers_of_programs() {
        let read =
            |status: Json| credential(json!({ "kind": "ExecCredential", "status": status }).to_string().as_bytes());
        let all = json!({
            "token": "t", "expirationTimestamp": "2026-01-02T03:04:05Z", "clientCertificateData": "c", "clientKeyData": "k",
        });
        let given = read(all).unwrap();
        assert_eq!(given.token, Some(Secret::new("t")));
        assert_eq!(given.identity, Some(("c".to_owned(), Secret::new("k"))));
        assert_eq!(given.until, Some("2026-01-02T03:04:05Z".parse().unwrap()));
        assert!(credential(b"kind: ExecCredential\nstatus:\n  token: t\n").unwrap().until.is_none());
        for (status, why) in [
            (json!({}), "answered without a token"),
            (json!({ "token": "", "clientCertificateData": "c" }), "answered without a token"),
            (json!({ "token": "t", "expirationTimestamp": "soon" }), "expirationTimestamp cannot be read"),
        ] {
            assert!(read(status.clone()).err().unwrap().contains(why), "{status}");
        }
        assert!(credential(b"{ not: [").is_err());
    }

    #[tokio::test]
    async fn a_token_is_asked_for_anew_before_it_ends() {
        let script = r#"echo '{"status":{"token":"new","expirationTimestamp":"2999-01-01T00:00:00Z"}}'"#;
        let exec: ExecConfig = serde_json::from_value(json!({ "command": "sh", "args": ["-c", script] })).unwrap();
        for (until, expect) in [
            (None, "Bearer old"),
            (Some(Timestamp::now() + SignedDuration::from_mins(5)), "Bearer old"),
            (Some(Timestamp::now() + SignedDuration::from_secs(5)), "Bearer new"),
        ] {
            let old = Credential { token: Some(Secret::new("old")), identity: None, until };
            let bearer = Bearer::new(Program(exec.clone()), &old).unwrap().unwrap();
            for _ in 0..2 {
                let request = bearer.clone().authorise(Request::new(Body::empty())).await.unwrap();
                assert_eq!(request.headers()[header::AUTHORIZATION], expect);
            }
        }
    }
}
