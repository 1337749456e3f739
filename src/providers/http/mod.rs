//! `http`: the data source that asks a web server.
//!
//! In: a request under the argument names of the Terraform provider (hashicorp/http 3.x). Out: the answer; a status of 400 and more
//! is an answer, not an error. Not here: the protocol (`client::http`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;

use crate::change::Intent;
use crate::client::http::{Answer, Client, HttpError, Question};
use crate::client::retry::Retry;
use crate::client::tls::Trust;
use crate::client::{Secret, reason};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::provider::{
    Applied, ApplyRequest, Boxed, Configured, DataRequest, ImportRequest, Imported, Limits, PlanRequest, Planned,
    Progress, Provider, ProviderSchema, ReadRequest, ReadResult, Recovered, unknown_kind,
};
use crate::schema::{Attribute, Block, NestedBlock, Nesting, Schema};
use crate::value::{Entries, Type, Value};

use super::Settings;

/// The provider.
pub fn provider(_settings: &Settings) -> Arc<dyn Provider> {
    let schema = ProviderSchema { data: BTreeMap::from([("http", schema())]), ..ProviderSchema::default() };
    let schema = super::prose::described("http", schema);
    Arc::new(Http { schema })
}

struct Http {
    schema: ProviderSchema,
}

/// The configured provider: there is nothing to configure.
struct Asking;

fn schema() -> Schema {
    let text = || Attribute::optional(Type::String);
    let computed = || Attribute::computed(Type::String);
    let retry = Block::new([
        ("attempts", Attribute::optional(Type::Number)),
        ("min_delay_ms", Attribute::optional(Type::Number)),
        ("max_delay_ms", Attribute::optional(Type::Number)),
    ]);
    let block = Block::new([
        ("url", Attribute::required(Type::String)),
        ("method", text()),
        ("request_headers", Attribute::optional(Type::map(Type::String))),
        ("request_body", text()),
        ("request_timeout_ms", Attribute::optional(Type::Number)),
        ("ca_cert_pem", text()),
        ("client_cert_pem", text()),
        ("client_key_pem", text()),
        ("insecure", Attribute::optional(Type::Bool)),
        ("response_headers", Attribute::computed(Type::map(Type::String))),
        ("response_body", computed()),
        ("response_body_base64", computed()),
        ("body", computed().deprecated("Use response_body instead.")),
        ("status_code", Attribute::computed(Type::Number)),
        ("id", computed()),
    ]);
    Schema::new(block.with_blocks([("retry", NestedBlock::new(Nesting::Single, retry))]))
}

impl Provider for Http {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn validate(&self, _kind: &str, _data: bool, config: &Value) -> Diagnostics {
        let mut said = Diagnostics::none();
        if let Some(method) = text(config, "method").filter(|method| !matches!(*method, "GET" | "HEAD" | "POST")) {
            said.error("Invalid method", format!("method is {method:?}; it must be GET, HEAD or POST."));
        }
        let given = |name: &str| config.get(name).is_some_and(|value| !value.is_null());
        if given("client_cert_pem") != given("client_key_pem") {
            said.error("Invalid Attribute Combination", "client_cert_pem and client_key_pem must be given together.");
        }
        if given("ca_cert_pem") && config.get("insecure").and_then(Value::as_bool) == Some(true) {
            said.error(
                "Invalid Attribute Combination",
                "With insecure = true no certificate is checked; leave out ca_cert_pem.",
            );
        }
        said
    }

    fn upgrade(&self, kind: &str, _version: u64, _state: &str) -> Outcome<Value> {
        unknown_kind(kind)
    }

    fn configure(&self, _config: Value) -> Boxed<'_, Outcome<Arc<dyn Configured>>> {
        Box::pin(async { Outcome::ok(Arc::new(Asking) as Arc<dyn Configured>) })
    }

    fn limits(&self) -> Limits {
        Limits::LOCAL
    }
}

impl Configured for Asking {
    fn read<'a>(
        &'a self,
        batch: Vec<ReadRequest>,
        out: &'a (dyn Fn(usize, ReadResult) + Send + Sync),
    ) -> Boxed<'a, Diagnostics> {
        for (at, request) in batch.into_iter().enumerate() {
            let said = unknown_kind::<Value>(&request.kind).said;
            out(at, ReadResult::Unreachable(said));
        }
        Box::pin(async { Diagnostics::none() })
    }

    fn plan<'a>(&'a self, request: PlanRequest) -> Boxed<'a, Outcome<Planned>> {
        Box::pin(async move { unknown_kind(&request.kind) })
    }

    fn apply<'a>(&'a self, request: ApplyRequest, _progress: &'a dyn Progress) -> Boxed<'a, Applied> {
        Box::pin(async move { Applied::failed(unknown_kind::<Value>(&request.kind).said) })
    }

    fn import<'a>(&'a self, request: ImportRequest) -> Boxed<'a, Outcome<Vec<Imported>>> {
        Box::pin(async move { unknown_kind(&request.kind) })
    }

    fn read_data<'a>(&'a self, request: DataRequest) -> Boxed<'a, Outcome<Value>> {
        Box::pin(async move {
            match ask(&request.config).await {
                Ok(answer) => describe(&request.config, &answer),
                Err(error) => {
                    let url = text(&request.config, "url").unwrap_or_default();
                    let method = text(&request.config, "method").unwrap_or("GET");
                    let detail = format!("{method} {}: {}.", without_credentials(url), reason(&error));
                    Diagnostic::error("Error making request", detail).into()
                }
            }
        })
    }

    fn recover<'a>(&'a self, _kind: &'a str, _intent: &'a Intent, _planned: Value) -> Boxed<'a, Recovered> {
        Box::pin(async { Recovered::Absent })
    }
}

async fn ask(config: &Value) -> Result<Answer, HttpError> {
    let own = |name: &str| text(config, name).map(str::to_owned);
    let trust = Trust {
        ca_pem: own("ca_cert_pem"),
        any_name: false,
        insecure: config.get("insecure").and_then(Value::as_bool).unwrap_or(false),
        client: own("client_cert_pem").zip(own("client_key_pem").map(Secret::new)),
    };
    let client = Client::new(&trust, true)?;
    let method = text(config, "method").unwrap_or("GET");
    let method =
        Method::from_bytes(method.as_bytes()).map_err(|_| HttpError::Malformed(format!("{method:?} is no method")))?;
    let mut question = Question {
        method,
        body: own("request_body").unwrap_or_default().into(),
        ..Question::get(text(config, "url").unwrap_or_default())
    };
    if let Some(limit) = number(config, "request_timeout_ms") {
        question.timeout = Duration::from_millis(limit);
    }
    for (name, value) in config.get("request_headers").and_then(Value::as_entries).into_iter().flatten() {
        question.header(name, value.as_str().unwrap_or_default())?;
    }
    let retry = match config.get("retry") {
        Some(retry) if !retry.is_null() => Retry {
            tries: u32::try_from(number(retry, "attempts").unwrap_or(0)).unwrap_or(u32::MAX).saturating_add(1),
            first_pause: Duration::from_millis(number(retry, "min_delay_ms").unwrap_or(1000)),
            longest_pause: Duration::from_millis(number(retry, "max_delay_ms").unwrap_or(30_000)),
        },
        _ => Retry::NEVER,
    };
    // Under Terraform a server's own failure is worth another try, too; the last answer counts whatever it is.
    let tried = retry
        .run(Tried::is_transient, || async {
            match client.send(question.clone()).await {
                Ok(answer) if answer.status >= 500 => Err(Tried::Status(answer)),
                Ok(answer) => Ok(answer),
                Err(error) => Err(Tried::Failed(error)),
            }
        })
        .await;
    match tried {
        Ok(answer) | Err(Tried::Status(answer)) => Ok(answer),
        Err(Tried::Failed(error)) => Err(error),
    }
}

/// A try that may be worth another one.
enum Tried {
    Status(Answer),
    Failed(HttpError),
}

impl Tried {
    fn is_transient(&self) -> bool {
        match self {
            Tried::Status(answer) => answer.status != 501,
            Tried::Failed(error) => error.is_transient(),
        }
    }
}

fn describe(config: &Value, answer: &Answer) -> Outcome<Value> {
    let Value::Object(entries) = config else { return Outcome::ok(config.clone()) };
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in &answer.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(canonical(name.as_str())).or_default().push(value);
    }
    let headers: Entries =
        headers.into_iter().map(|(name, values)| (name.into(), Value::from(values.join(", ")))).collect();
    let mut said = Diagnostics::none();
    let body = match std::str::from_utf8(&answer.body) {
        Ok(body) => body.to_owned(),
        Err(_) => {
            said.push(Diagnostic::warning(
                "Response body is not UTF-8",
                "Characters that are none are replaced in response_body; response_body_base64 has the body as it came.",
            ));
            String::from_utf8_lossy(&answer.body).into_owned()
        }
    };
    let url = text(config, "url").unwrap_or_default().to_owned();
    let read = entries
        .clone()
        .with("response_headers", Value::map(Type::String, headers))
        .with("response_body", body.clone().into())
        .with("body", body.into())
        .with("response_body_base64", STANDARD.encode(&answer.body).into())
        .with("status_code", Value::int(i64::from(answer.status)))
        .with("id", url.into());
    Outcome::with(Value::Object(read), said)
}

/// A header's name as Terraform writes it: `Content-Type`.
fn canonical(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// A URL that may be shown: user, password and query left out.
fn without_credentials(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            format!("{scheme}://{}{path}", authority.rsplit_once('@').map_or(authority, |(_, host)| host))
        }
        None => url.to_owned(),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn number(value: &Value, name: &str) -> Option<u64> {
    value.get(name).and_then(Value::as_number).and_then(crate::value::Number::as_u64)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn config(given: &[(&str, Value)]) -> Value {
        let schema = schema();
        let mut entries: Entries = schema
            .block
            .attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), Value::Null(attribute.ty.clone())))
            .collect();
        for (name, value) in given {
            entries = entries.with(*name, value.clone());
        }
        Value::Object(entries)
    }

    async fn read(config: Value) -> Outcome<Value> {
        let configured = provider(&Settings::new()).configure(Value::NULL).await.value.unwrap();
        configured.read_data(DataRequest { kind: "http".into(), config }).await
    }

    /// Answers requests with the given texts in turn, the last one for ever.
    async fn server(answers: &'static [&'static str]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut asked = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(answers[asked.min(answers.len() - 1)].as_bytes()).await;
                asked += 1;
            }
        });
        format!("http://user:hunter2@{address}/x?token=hunter2")
    }

    #[tokio::test]
    async fn an_answer_becomes_attributes() {
        let url =
            server(&["HTTP/1.1 404 No\r\ncontent-length: 2\r\nx-a: 1\r\nx-a: 2\r\nconnection: close\r\n\r\nhi"]).await;
        let value = read(config(&[("url", url.clone().into())])).await.value.unwrap();
        assert_eq!(value.get("status_code"), Some(&Value::int(404)));
        assert_eq!(text(&value, "response_body"), Some("hi"));
        assert_eq!(text(&value, "response_body_base64"), Some("aGk="));
        assert_eq!(text(&value, "id"), Some(url.as_str()));
        assert_eq!(value.get("response_headers").and_then(|headers| headers.get("X-A")), Some(&Value::from("1, 2")));
    }

    #[tokio::test]
    async fn failures_are_tried_again_as_often_as_asked() {
        const BAD: &str = "HTTP/1.1 503 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        const GOOD: &str = "HTTP/1.1 200 Yes\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        for (attempts, status) in [(0, 503), (1, 503), (2, 200)] {
            let url = server(&[BAD, BAD, GOOD]).await;
            let retry = Value::object([
                ("attempts", Value::int(attempts)),
                ("min_delay_ms", Value::int(1)),
                ("max_delay_ms", Value::int(2)),
            ]);
            let value = read(config(&[("url", url.into()), ("retry", retry)])).await.value.unwrap();
            assert_eq!(value.get("status_code"), Some(&Value::int(status)), "{attempts}");
        }
    }

    #[tokio::test]
    async fn errors_show_no_credentials() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let failed = read(config(&[("url", format!("http://user:hunter2@{address}/x?token=hunter2").into())])).await;
        let said = failed.said.to_string();
        assert!(
            said.contains(&format!("GET http://{address}/x: no connection")) && !said.contains("hunter2"),
            "{said}"
        );
    }

    #[test]
    fn wrong_arguments_are_named() {
        let provider = provider(&Settings::new());
        let check = |given: &[(&str, Value)], part: &str| {
            let said = provider.validate("http", true, &config(given)).to_string();
            assert!(said.contains(part), "{said}");
        };
        check(&[("method", "PUT".into())], "method is \"PUT\"");
        check(&[("client_cert_pem", "c".into())], "must be given together");
        check(&[("ca_cert_pem", "c".into()), ("insecure", true.into())], "no certificate is checked");
    }
}
