//! Provisioners: what runs when an object was made, or before it is destroyed.
//!
//! In: the kind of a provisioner, its arguments and those of its connection, wholly known. Out: lines of output while it runs,
//! and how it ended. Not here: when it runs, what its failure means (`apply`), how its blocks are read (`config`).

mod connect;
mod file;
mod local_exec;
mod quote;
mod remote_exec;
mod schemas;
mod tree;

use std::path::PathBuf;

use crate::client::ssh::Surroundings;
use crate::diag::{Diagnostic, Diagnostics};
use crate::value::{Marks, Value};

pub use schemas::{connection, schema};

/// What is printed instead of a line that may hold a value with these marks; `None` where it may be printed.
pub fn suppressed(marks: Marks) -> Option<&'static str> {
    match (marks.contains(Marks::SENSITIVE), marks.contains(Marks::EPHEMERAL)) {
        (true, true) => Some("(output suppressed due to sensitive, ephemeral value in config)"),
        (true, false) => Some("(output suppressed due to sensitive value in config)"),
        (false, true) => Some("(output suppressed due to ephemeral value in config)"),
        (false, false) => None,
    }
}

/// A provisioner that is ready to run.
pub struct Job {
    /// `local-exec`, `remote-exec` or `file`.
    pub kind: String,
    /// Its arguments, without marks.
    pub config: Value,
    /// Those of its connection, without marks.
    pub connection: Option<Value>,
    /// Where relative paths start.
    pub directory: PathBuf,
    /// The marks of its arguments: with any, neither arguments nor output appear in messages.
    pub marks: Marks,
}

/// What provisioners need of the world.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// What concerns SSH.
    pub ssh: Surroundings,
    /// Whether no machine is to be touched.
    pub sandbox: bool,
}

/// Hears lines of output.
pub type Hear<'a> = dyn Fn(&str) + Send + Sync + 'a;

/// Runs a provisioner to its end. When the future is dropped, what runs here is killed, and what runs on another machine loses
/// its connection.
///
/// # Errors
/// When it cannot run, or fails.
pub async fn run(job: &Job, context: &Context, hear: &Hear<'_>) -> Result<(), Box<Diagnostic>> {
    let hear = |line: &str| {
        for line in line.split(['\n', '\r']).map(str::trim_end).filter(|line| !line.is_empty()) {
            hear(suppressed(job.marks).unwrap_or(line));
        }
    };
    match job.kind.as_str() {
        "local-exec" => local_exec::run(job, &hear).await,
        "remote-exec" => remote_exec::run(job, context, &hear).await,
        "file" => file::run(job, context, &hear).await,
        other => Err(Box::new(Diagnostic::error("Unknown provisioner", format!("There is no provisioner {other:?}.")))),
    }
}

/// What is wrong with the arguments, as far as they are known.
pub fn validate(kind: &str, config: &Value) -> Diagnostics {
    let given = |name: &str| config.get(name).is_some_and(|value| !value.is_null());
    let unknown = |name: &str| config.get(name).is_some_and(|value| !value.is_wholly_known());
    let mut said = Diagnostics::none();
    match kind {
        "file" => match (given("source"), given("content")) {
            (true, true) if !unknown("source") && !unknown("content") => {
                said.error("Cannot set both 'source' and 'content'", "One of the two says what is uploaded.");
            }
            (false, false) => {
                let detail = "What is to be uploaded is missing: a path in source, or a text in content.";
                said.error("Must provide one of 'source' or 'content'", detail);
            }
            _ => {}
        },
        "remote-exec" => {
            let names = ["inline", "script", "scripts"];
            let known = names.iter().filter(|name| given(name)).count();
            if known != 1 && !names.iter().any(|name| unknown(name)) {
                let detail = "Exactly one of \"inline\", \"script\" and \"scripts\" has to be set.";
                said.error("Invalid remote-exec provisioner configuration", detail);
            }
        }
        _ => {}
    }
    said
}

/// The text of an argument that is set.
fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// The error of a provisioner of a kind.
fn failed(kind: &str, detail: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(format!("{kind} provisioner error"), detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, given: &[(&str, Value)], part: &str) {
        let Some(block) = schema(kind) else { unreachable!("{kind}") };
        let config = Value::object(block.attributes.iter().map(|(name, attribute)| {
            let found = given.iter().find(|(given, _)| *given == name.as_str());
            (name.clone(), found.map_or(Value::Null(attribute.ty.clone()), |(_, value)| value.clone()))
        }));
        let said = validate(kind, &config).to_string();
        assert!(if part.is_empty() { said.is_empty() } else { said.contains(part) }, "{said}");
    }

    #[test]
    fn arguments_that_exclude_each_other_are_refused() {
        let list = || Value::tuple(vec![Value::from("true")]);
        check("file", &[("destination", "/a".into())], "Must provide one of");
        check("file", &[("source", "a".into()), ("content", "b".into())], "Cannot set both");
        check("file", &[("source", Value::unknown(crate::value::Type::String)), ("content", "b".into())], "");
        check("file", &[("content", "b".into())], "");
        check("remote-exec", &[], "Exactly one");
        check("remote-exec", &[("inline", list()), ("script", "a".into())], "Exactly one");
        check("remote-exec", &[("inline", list())], "");
        check("local-exec", &[("command", "true".into())], "");
    }
}
