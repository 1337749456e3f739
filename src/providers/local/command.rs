//! `local_command`: runs a program on this machine when the action is invoked.

use crate::client::Secret;
use crate::client::process::{self, Run};
use crate::diag::{Diagnostic, Diagnostics};
use crate::provider::InvokeRequest;
use crate::schema::{Attribute, Block, Schema};
use crate::value::{Type, Value};

/// Its arguments.
pub(super) fn schema() -> Schema {
    Schema::new(Block::new(vec![
        ("arguments", Attribute::optional(Type::list(Type::String))),
        ("command", Attribute::required(Type::String)),
        ("environment", Attribute::optional(Type::map(Type::String))),
        ("stdin", Attribute::optional(Type::String)),
        ("working_directory", Attribute::optional(Type::String)),
    ]))
}

/// Runs it; its output is shown when it has ended well.
pub(super) async fn invoke(request: InvokeRequest, hear: &(dyn Fn(&str) + Send + Sync)) -> Diagnostics {
    let text = |name: &str| request.config.get(name).and_then(Value::as_str);
    let command = text("command").unwrap_or_default();
    let arguments = request.config.get("arguments").and_then(Value::as_items).unwrap_or_default();
    let argv = std::iter::once(command).chain(arguments.iter().filter_map(Value::as_str));
    let environment = request.config.get("environment").and_then(Value::as_entries).into_iter().flatten();
    let folder = request.directory.join(text("working_directory").unwrap_or_default());
    let what = Run {
        directory: Some(folder),
        ends_early: true,
        stdin: text("stdin").unwrap_or_default().into(),
        env: environment.filter_map(|(name, value)| Some((name.to_string(), Secret::new(value.as_str()?)))).collect(),
        ..Run::new(argv)
    };
    match process::run(what, &|_, _| {}).await {
        Ok(output) if output.succeeded() => {
            hear(&format!("\n\n{}\n", String::from_utf8_lossy(&output.stdout)));
            Diagnostics::none()
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = if said.trim().is_empty() { "It said nothing.".into() } else { format!("It said:\n\n{said}") };
            let detail = format!("{command} ended with exit code {}. {said}", output.code);
            Diagnostic::error("Command Execution Failed", detail).into()
        }
        Err(error) => {
            let detail = format!("{command} was not run: {}.", crate::client::reason(&error));
            Diagnostic::error("Command Execution Failed", detail).into()
        }
    }
}
