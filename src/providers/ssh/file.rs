//! `ssh_file`: a file on the host.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::change::Action;
use crate::client::ssh::{FileError, Host, RemoteFile, Upload, attributes};
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::provider::{
    Applied, ApplyRequest, Now, PlanRequest, Planned, ReadRequest, ReadResult, Recovered, plan_by_schema,
};
use crate::schema::{Attribute, Block, Schema};
use crate::value::{Type, Value};

use super::{differs, text, with};

/// Larger files are not content for a state.
const LIMIT: usize = 64 << 20;
const TIMEOUT: Duration = Duration::from_secs(600);

/// The arguments of which exactly one is given.
const SOURCES: [&str; 4] = ["content", "sensitive_content", "content_base64", "source"];

pub(super) fn schema() -> Schema {
    let text = || Attribute::optional(Type::String);
    let mut all = attributes();
    for (name, attribute) in &mut all {
        // On another host it is another file.
        attribute.replace = *name == "host";
    }
    all.extend([
        ("path", Attribute::required(Type::String).replace()),
        ("content", text()),
        ("sensitive_content", text().sensitive()),
        ("content_base64", text()),
        ("source", text()),
        ("mode", Attribute::optional_computed(Type::String)),
        ("owner", text()),
        ("content_sha256", Attribute::computed(Type::String)),
        ("id", Attribute::computed(Type::String)),
    ]);
    Schema::new(Block::new(all))
}

pub(super) fn validate(config: &Value) -> Diagnostics {
    let mut said = Diagnostics::none();
    let given: Vec<&str> =
        SOURCES.into_iter().filter(|name| config.get(name).is_some_and(|value| !value.is_null())).collect();
    if given.len() != 1 {
        let detail = match given.len() {
            0 => format!("One of {} must be given.", SOURCES.join(", ")),
            _ => format!("Only one of {} may be given.", given.join(", ")),
        };
        said.error("Invalid Attribute Combination", detail);
    }
    if let Some(text) = text(config, "mode").filter(|text| mode(text).is_none()) {
        said.error(
            "Invalid file mode",
            format!("mode is {text:?}; it must be three or four octal digits in a string, such as \"0644\"."),
        );
    }
    if let Some(path) = text(config, "path").filter(|path| !path.starts_with('/') || path.ends_with('/')) {
        said.error("Invalid path", format!("path is {path:?}; it must be the absolute path of a file on the host."));
    }
    said
}

pub(super) fn plan(block: &Block, request: PlanRequest) -> Planned {
    let fresh = request.prior.is_null();
    let mode = match text(&request.proposed, "mode") {
        Some(_) => request.proposed.get("mode").cloned().unwrap_or_default(),
        None if request.proposed.get("mode").is_some_and(|mode| !mode.is_known()) => Value::unknown(Type::String),
        None => "0644".into(),
    };
    let prior = request.prior.clone();
    let proposed = with(&request.proposed, [("mode", mode)]);
    let mut planned = plan_by_schema(block, &PlanRequest { proposed, ..request });
    // The hash is known as soon as the content is, so that a change of a local source shows in the plan.
    let hash = match content(&planned.value) {
        Some(Ok(content)) => Value::from(hex(&content)),
        Some(Err(_)) | None => Value::unknown(Type::String),
    };
    let changed = SOURCES.iter().any(|name| differs(&planned.value, &prior, name));
    if fresh || changed || text(&planned.value, "source").is_some() {
        planned.value = with(&planned.value, [("content_sha256", hash)]);
    }
    planned
}

pub(super) async fn read(host: &Host, request: ReadRequest) -> ReadResult {
    let path = text(&request.prior, "path").unwrap_or_default().to_owned();
    match host.client.download(&path, LIMIT, host.sudo).await {
        Ok(None) => ReadResult::Absent,
        Ok(Some(found)) => ReadResult::Found { value: seen(&request.prior, &found), private: request.private },
        Err(error) => ReadResult::Unreachable(failed("read", host, &error).into()),
    }
}

/// The object as the host has it; what is the same stays as it was written.
fn seen(prior: &Value, found: &RemoteFile) -> Value {
    let mut value = prior.clone();
    let hash = hex(&found.content);
    if text(prior, "content_sha256") != Some(hash.as_str()) {
        let lossy = || Value::from(String::from_utf8_lossy(&found.content).into_owned());
        value = with(&value, [("content_sha256", hash.into())]);
        for name in ["content", "sensitive_content"] {
            if text(prior, name).is_some() {
                value = with(&value, [(name, lossy())]);
            }
        }
        if text(prior, "content_base64").is_some() {
            value = with(&value, [("content_base64", STANDARD.encode(&found.content).into())]);
        }
    }
    if text(prior, "mode").and_then(mode) != Some(found.mode) {
        value = with(&value, [("mode", format!("{:04o}", found.mode).into())]);
    }
    if let Some(owner) = text(prior, "owner") {
        let both = format!("{}:{}", found.owner, found.group);
        if owner != found.owner && owner != both {
            value = with(&value, [("owner", if owner.contains(':') { both } else { found.owner.clone() }.into())]);
        }
    }
    value
}

pub(super) async fn apply(host: &Host, request: &ApplyRequest) -> Applied {
    if request.action == Action::Delete {
        let path = text(&request.prior, "path").unwrap_or_default();
        return match host.client.remove(path, host.sudo).await {
            Ok(()) => Applied::gone(),
            Err(error) => broken("removed", host, &error),
        };
    }
    let planned = &request.planned;
    let path = text(planned, "path").unwrap_or_default();
    let content = match content(planned) {
        Some(Ok(content)) => content,
        Some(Err(said)) => return Applied::failed(said),
        None => {
            return Applied::failed(Diagnostic::error("No content", "None of the arguments gives the file's content."));
        }
    };
    let hash = hex(&content);
    if let Some(expected) = text(planned, "content_sha256").filter(|expected| *expected != hash) {
        let detail = format!(
            "{}: its content was planned with SHA-256 {expected}; by now it is {hash}. Plan again.",
            text(planned, "source").unwrap_or(path)
        );
        return Applied::failed(Diagnostic::error("Source changed since the plan", detail));
    }
    let upload = Upload {
        path: path.to_owned(),
        content,
        mode: text(planned, "mode").and_then(mode).unwrap_or(0o644),
        owner: text(planned, "owner").map(str::to_owned),
        make_directories: true,
        sudo: host.sudo,
        timeout: TIMEOUT,
    };
    match host.client.upload(&upload).await {
        Ok(()) => Applied::is(finished(host, planned, hash)),
        Err(error) => broken("written", host, &error),
    }
}

fn finished(host: &Host, planned: &Value, hash: String) -> Value {
    let id = format!("{}:{}", host.client.target().host, text(planned, "path").unwrap_or_default());
    // The id names where the file was made; it stays when the way there changes.
    let id = text(planned, "id").map_or(id, str::to_owned);
    with(planned, [("content_sha256", hash.into()), ("id", id.into())])
}

/// After a crash: the file was renamed into place whole, or not at all.
pub(super) async fn recover(host: &Host, planned: Value) -> Recovered {
    let path = text(&planned, "path").unwrap_or_default();
    let wanted = match content(&planned) {
        Some(Ok(content)) => hex(&content),
        Some(Err(said)) => return Recovered::CannotTell(said.detail),
        None => return Recovered::CannotTell("its content is not known".to_owned()),
    };
    match host.client.download(path, LIMIT, host.sudo).await {
        Ok(Some(found)) if hex(&found.content) == wanted => {
            let value = seen(&finished(host, &planned, wanted), &found);
            Recovered::Found { value, private: Vec::new(), complete: true }
        }
        Ok(_) => Recovered::Absent,
        Err(error) => Recovered::CannotTell(failed("read", host, &error).detail),
    }
}

/// The file at a path, with its text as content where it is text.
pub(super) async fn import(host: &Host, block: &Block, path: &str) -> Outcome<Value> {
    let found = match host.client.download(path, LIMIT, host.sudo).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            let detail = format!("There is no file {path} on {}.", host.client.target().address());
            return Diagnostic::error("Cannot import non-existent remote object", detail).into();
        }
        Err(error) => return failed("read", host, &error).into(),
    };
    let empty = Value::object(
        block.attributes.iter().map(|(name, attribute)| (name.clone(), Value::Null(attribute.ty.clone()))),
    );
    let value = with(&empty, [("path", path.into()), ("mode", format!("{:04o}", found.mode).into())]);
    let value = match String::from_utf8(found.content.clone()) {
        Ok(content) => with(&value, [("content", content.into())]),
        Err(_) => with(&value, [("content_base64", STANDARD.encode(&found.content).into())]),
    };
    Outcome::ok(finished(host, &value, hex(&found.content)))
}

/// The bytes that the file shall hold; `None` while they are not known.
fn content(object: &Value) -> Option<Result<Vec<u8>, Diagnostic>> {
    if let Some(text) = text(object, "content").or_else(|| text(object, "sensitive_content")) {
        return Some(Ok(text.as_bytes().to_vec()));
    }
    if let Some(encoded) = text(object, "content_base64") {
        let decoded = STANDARD.decode(encoded);
        return Some(decoded.map_err(|error| {
            Diagnostic::error("Invalid base64", format!("content_base64 cannot be decoded: {error}."))
        }));
    }
    let source = text(object, "source")?;
    Some(std::fs::read(source).map_err(|error| Diagnostic::error("File cannot be read", format!("{source}: {error}."))))
}

fn mode(text: &str) -> Option<u32> {
    if matches!(text.len(), 3 | 4) { u32::from_str_radix(text, 8).ok() } else { None }
}

fn hex(content: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(content).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn failed(what: &str, host: &Host, error: &FileError) -> Diagnostic {
    match error {
        FileError::Ssh(error) => error.diagnostic(),
        other => {
            let detail = format!("On {}: {other}.", host.client.target().place());
            Diagnostic::error(format!("File cannot be {what}"), detail)
        }
    }
}

/// A failed write or removal. When the connection broke meanwhile, nobody knows whether it happened; reading settles it.
fn broken(what: &str, host: &Host, error: &FileError) -> Applied {
    let now = match error {
        FileError::Ssh(error) if error.may_have_acted() => Now::Unclear,
        _ => Now::Unchanged,
    };
    Applied { now, said: failed(what, host, error).into() }
}
