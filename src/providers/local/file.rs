//! The resources `local_file` and `local_sensitive_file`.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::change::Action;
use crate::diag::{Diagnostic, Diagnostics};
use crate::provider::{Applied, ApplyRequest, ReadRequest, ReadResult, Recovered};
use crate::value::{Entries, Value};

use super::disk;

/// The arguments of which exactly one is given.
const SOURCES: [&str; 4] = ["content", "content_base64", "sensitive_content", "source"];

/// Says what is wrong with the arguments; unknown ones count as given.
pub(super) fn validate(config: &Value) -> Diagnostics {
    let mut said = Diagnostics::none();
    let given: Vec<&str> =
        SOURCES.into_iter().filter(|name| config.get(name).is_some_and(|value| !value.is_null())).collect();
    let possible: Vec<&str> = SOURCES.into_iter().filter(|name| config.get(name).is_some()).collect();
    if given.len() != 1 {
        let detail = match given.len() {
            0 => format!("One of {} must be given.", possible.join(", ")),
            _ => format!("Only one of {} may be given.", given.join(", ")),
        };
        said.error("Invalid Attribute Combination", detail);
    }
    for name in ["file_permission", "directory_permission"] {
        if let Some(text) = config.get(name).and_then(Value::as_str)
            && mode(text).is_none()
        {
            said.error(
                "Invalid file permission",
                format!("{name} is {text:?}; it must be three or four octal digits in a string, such as \"0644\"."),
            );
        }
    }
    said
}

/// The permissions that are used when none are given.
pub(super) fn with_defaults(kind: &str, proposed: &Value) -> Value {
    let Value::Object(entries) = proposed else { return proposed.clone() };
    let default = if kind == "local_sensitive_file" { "0700" } else { "0777" };
    let filled = entries.map_values(|name, value| match name.as_str() {
        "file_permission" | "directory_permission" if value.is_null() => default.into(),
        _ => value.clone(),
    });
    Value::Object(filled)
}

/// Looks at the file: other content counts as another file, as under Terraform.
pub(super) fn read(request: ReadRequest) -> ReadResult {
    let path = text(&request.prior, "filename").to_owned();
    match disk::read(Path::new(&path)) {
        Ok(Some(content)) if hex(&Sha1::digest(&content)) == text(&request.prior, "id") => {
            ReadResult::Found { value: request.prior, private: request.private }
        }
        Ok(_) => ReadResult::Absent,
        Err(error) => ReadResult::Unreachable(failed("read", &path, &error).into()),
    }
}

/// Writes or removes the file.
pub(super) fn apply(request: &ApplyRequest) -> Applied {
    match request.action {
        Action::Delete => delete(&request.prior),
        _ => create(&request.planned),
    }
}

fn create(planned: &Value) -> Applied {
    let path = text(planned, "filename");
    let content = match content(planned) {
        Ok(content) => content,
        Err(said) => return Applied::failed(said),
    };
    let of = |name: &str| mode(text(planned, name)).unwrap_or(0o777);
    match disk::write(Path::new(path), &content, of("file_permission"), of("directory_permission")) {
        Ok(()) => Applied::is(described(planned, &content)),
        Err(error) => Applied::failed(failed("written", path, &error)),
    }
}

fn delete(prior: &Value) -> Applied {
    let path = text(prior, "filename");
    // A file that another resource has written there since (a replacement that is created first) is not ours to remove.
    let ours = match disk::read(Path::new(path)) {
        Ok(found) => found.is_some_and(|content| hex(&Sha1::digest(&content)) == text(prior, "id")),
        Err(error) => return Applied::failed(failed("read", path, &error)),
    };
    if ours && let Err(error) = disk::remove(Path::new(path)) {
        return Applied::failed(failed("removed", path, &error));
    }
    Applied::gone()
}

/// After a crash: the file was renamed into place whole, or not at all.
pub(super) fn recover(planned: Value) -> Recovered {
    let path = text(&planned, "filename");
    let wanted = match content(&planned) {
        Ok(content) => content,
        Err(said) => return Recovered::CannotTell(said.detail),
    };
    match disk::read(Path::new(path)) {
        Ok(Some(found)) if found == wanted => {
            Recovered::Found { value: described(&planned, &wanted), private: Vec::new(), complete: true }
        }
        Ok(_) => Recovered::Absent,
        Err(error) => Recovered::CannotTell(failed("read", path, &error).detail),
    }
}

/// The bytes that the file shall hold.
fn content(planned: &Value) -> Result<Vec<u8>, Diagnostic> {
    let given = |name: &str| planned.get(name).and_then(Value::as_str);
    if let Some(text) = given("content").or_else(|| given("sensitive_content")) {
        return Ok(text.as_bytes().to_vec());
    }
    if let Some(encoded) = given("content_base64") {
        return STANDARD.decode(encoded).map_err(|error| {
            Diagnostic::error("Invalid base64", format!("content_base64 cannot be decoded: {error}."))
        });
    }
    let source = given("source").unwrap_or_default();
    std::fs::read(source).map_err(|error| failed("read", source, &error))
}

/// The object with everything that follows from its content.
fn described(planned: &Value, content: &[u8]) -> Value {
    let Value::Object(entries) = planned else { return planned.clone() };
    Value::Object(
        hashes(content)
            .into_iter()
            .fold(entries.clone(), |entries: Entries, (name, hash)| entries.with(name, hash.into())),
    )
}

/// The id and the hashes of a content.
pub(super) fn hashes(content: &[u8]) -> [(&'static str, String); 7] {
    let (sha256, sha512) = (Sha256::digest(content), Sha512::digest(content));
    [
        ("id", hex(&Sha1::digest(content))),
        ("content_md5", hex(&Md5::digest(content))),
        ("content_sha1", hex(&Sha1::digest(content))),
        ("content_sha256", hex(&sha256)),
        ("content_base64sha256", STANDARD.encode(sha256)),
        ("content_sha512", hex(&sha512)),
        ("content_base64sha512", STANDARD.encode(sha512)),
    ]
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn mode(text: &str) -> Option<u32> {
    if !matches!(text.len(), 3 | 4) {
        return None;
    }
    u32::from_str_radix(text, 8).ok()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The error of a file that cannot be read, written or removed.
pub(super) fn failed(what: &str, path: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(format!("File cannot be {what}"), format!("{path}: {error}."))
}
