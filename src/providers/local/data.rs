//! The data sources `local_file` and `local_sensitive_file`.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::diag::{Diagnostic, Outcome};
use crate::value::Value;

use super::{disk, file};

/// Reads the file that the configuration names; none is an error.
pub(super) fn read(config: &Value) -> Outcome<Value> {
    let Value::Object(entries) = config else { return Outcome::ok(config.clone()) };
    let path = config.get("filename").and_then(Value::as_str).unwrap_or_default();
    let content = match disk::read(Path::new(path)) {
        Ok(Some(content)) => content,
        Ok(None) => {
            let detail =
                format!("There is no file {path}. A file that is made in the same run is read with depends_on.");
            return Diagnostic::error("Read local file data source error", detail).into();
        }
        Err(error) => return file::failed("read", path, &error).into(),
    };
    let hashed = file::hashes(&content)
        .into_iter()
        .fold(entries.clone(), |entries, (name, hash)| entries.with(name, hash.into()));
    Outcome::ok(Value::Object(
        hashed
            .with("content", String::from_utf8_lossy(&content).into_owned().into())
            .with("content_base64", STANDARD.encode(&content).into()),
    ))
}
