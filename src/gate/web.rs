//! HTTP: a page answers with the right status and text.

use std::time::Duration;

use http::Method;
use regex::Regex;

use crate::client::http::{Answer, Client, HttpError, Question, send_over};
use crate::client::kube::Kube;
use crate::client::tls::Trust;
use crate::value::Value;

use super::check::{Failure, brief, flag, text};
use super::place::Place;

/// The check of kind `http`.
#[derive(Debug)]
pub(super) struct Web {
    pub(super) place: Place,
    question: Question,
    /// Absent when the question goes through a tunnel.
    client: Option<Client>,
    status: Option<u16>,
    contains: Option<String>,
    body: Option<Regex>,
    /// Method and place for messages, without credentials and query.
    label: String,
}

impl Web {
    pub(super) fn read(arguments: &Value) -> Result<Web, Failure> {
        let (place, url) = match (text(arguments, "url"), text(arguments, "service")) {
            (Some(url), None) => by_url(url)?,
            (None, Some(_)) => {
                let place = Place::read(arguments, "address", "service", None)?;
                let path = text(arguments, "path").unwrap_or("/");
                let slash = if path.starts_with('/') { "" } else { "/" };
                let host = text(arguments, "host").map_or_else(|| place.host(), str::to_owned);
                (place, format!("http://{host}{slash}{path}"))
            }
            (Some(_), Some(_)) => return Err(Failure::fatal("only one of url and service can be given")),
            (None, None) => {
                return Err(Failure::fatal("one of url and service (\"namespace/name:port\") must be given"));
            }
        };
        let method = text(arguments, "method").unwrap_or("GET").to_ascii_uppercase();
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| Failure::fatal(format!("{method:?} is no HTTP method")))?;
        let body = text(arguments, "request_body").unwrap_or_default().to_owned();
        let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or("/");
        let path = path.split(['?', '#']).next().unwrap_or("/");
        let label = format!("{method} {place}{path}");
        let mut question = Question { method, body: body.into(), limit: 4 << 20, ..Question::get(url) };
        for (name, value) in arguments.get("headers").and_then(Value::as_entries).into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            question.header(name, value).map_err(|error| Failure::fatal(error.to_string()))?;
        }
        let client = match place {
            Place::Service(_) => None,
            Place::Address { .. } => {
                let trust = Trust {
                    ca_pem: text(arguments, "ca_cert_pem").map(str::to_owned),
                    insecure: flag(arguments, "insecure").unwrap_or(false),
                    ..Trust::default()
                };
                let redirects = flag(arguments, "follow_redirects").unwrap_or(true);
                Some(Client::new(&trust, redirects).map_err(|error| Failure::fatal(error.to_string()))?)
            }
        };
        let status = match arguments.get("status").and_then(Value::as_number) {
            None => None,
            Some(number) => {
                let status = number
                    .as_u64()
                    .and_then(|number| u16::try_from(number).ok())
                    .filter(|number| (100..600).contains(number));
                Some(status.ok_or_else(|| {
                    Failure::fatal(format!("status is {number}; it must be an HTTP status such as 200"))
                })?)
            }
        };
        let pattern = |text: &str| {
            Regex::new(text).map_err(|error| Failure::fatal(format!("body is no regular expression: {error}")))
        };
        Ok(Web {
            place,
            question,
            client,
            status,
            contains: text(arguments, "contains").map(str::to_owned),
            body: text(arguments, "body").map(pattern).transpose()?,
            label,
        })
    }

    pub(super) async fn attempt(&self, cluster: Option<&Kube>, limit: Duration) -> Result<(), Failure> {
        let question = Question { timeout: limit, ..self.question.clone() };
        let answer = match &self.client {
            Some(client) => client.send(question).await,
            None => send_over(self.place.open(cluster, limit).await?, question).await,
        };
        match answer {
            Ok(answer) => self.judge(&answer),
            Err(error @ (HttpError::Malformed(_) | HttpError::Tls(_))) => Err(Failure::fatal(error.to_string())),
            Err(error) => Err(Failure::passing(error.to_string())),
        }
    }

    fn judge(&self, answer: &Answer) -> Result<(), Failure> {
        let right = match self.status {
            Some(status) => answer.status == status,
            None => (200..300).contains(&answer.status),
        };
        let said = String::from_utf8_lossy(&answer.body);
        if !right {
            let text = brief(&said);
            let text = if text.is_empty() { String::new() } else { format!(": {text}") };
            return Err(Failure::passing(format!("status {}{text}", answer.status)));
        }
        if let Some(contains) = &self.contains
            && !said.contains(contains.as_str())
        {
            return Err(Failure::passing(format!(
                "status {}, but the body does not contain {contains:?}",
                answer.status
            )));
        }
        if let Some(body) = &self.body
            && !body.is_match(&said)
        {
            return Err(Failure::passing(format!(
                "status {}, but the body does not match {:?}",
                answer.status,
                body.as_str()
            )));
        }
        Ok(())
    }

    pub(super) fn unmet(&self) -> String {
        let wanted = match (self.status, self.contains.is_some() || self.body.is_some()) {
            (Some(status), false) => format!("status {status}"),
            (Some(status), true) => format!("status {status} and the right body"),
            (None, false) => "a status of 200 to 299".to_owned(),
            (None, true) => "the right body".to_owned(),
        };
        format!("{} did not answer with {wanted}", self.label)
    }
}

/// The place of a URL, and the URL.
fn by_url(url: &str) -> Result<(Place, String), Failure> {
    let wrong = || Failure::fatal("url is no URL; one begins with http:// or https://");
    let parsed: http::Uri = url.parse().map_err(|_| wrong())?;
    let port = match parsed.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return Err(wrong()),
    };
    let host = parsed.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok((Place::Address { host, port: parsed.port_u16().unwrap_or(port) }, url.to_owned()))
}
