//! `ssh_command`: what commands on the host make, change and remove.

use std::time::Duration;

use crate::change::Action;
use crate::client::Secret;
use crate::client::ssh::{Exec, ExecOutput, Host, SshError, attributes};
use crate::diag::{Diagnostic, Diagnostics};
use crate::provider::{
    Applied, ApplyRequest, Now, PlanRequest, Planned, Progress, ReadRequest, ReadResult, Recovered, plan_by_schema,
};
use crate::schema::{Attribute, Block, Schema};
use crate::text::duration;
use crate::value::{Path, Type, Value};

use super::{differs, text, with};

/// What makes the object another one: by `update` where there is one, else by a new one.
const MAKING: [&str; 3] = ["create", "environment", "triggers"];

pub(super) fn schema() -> Schema {
    let text = || Attribute::optional(Type::String);
    let texts = || Attribute::optional(Type::map(Type::String));
    let mut all = attributes();
    for (name, attribute) in &mut all {
        attribute.replace = *name == "host";
    }
    all.extend([
        ("create", Attribute::required(Type::String)),
        ("update", text()),
        ("delete", text()),
        ("read", text()),
        ("environment", texts().sensitive()),
        ("triggers", texts()),
        ("timeout", text()),
        ("stdout", Attribute::computed(Type::String)),
        ("id", Attribute::computed(Type::String)),
    ]);
    Schema::new(Block::new(all))
}

pub(super) fn validate(config: &Value) -> Diagnostics {
    let mut said = Diagnostics::none();
    if let Some(text) = text(config, "timeout").filter(|text| duration::parse(text).is_none_or(|limit| limit.is_zero()))
    {
        said.error("Invalid duration", format!("timeout is {text:?}; a duration is written like \"30s\" or \"10m\"."));
    }
    said
}

pub(super) fn plan(block: &Block, request: PlanRequest) -> Planned {
    let prior = request.prior.clone();
    let mut planned = plan_by_schema(block, &request);
    if prior.is_null() {
        return planned;
    }
    let changed: Vec<&str> = MAKING.into_iter().filter(|name| differs(&planned.value, &prior, name)).collect();
    if changed.is_empty() {
        return planned;
    }
    if planned.value.get("update").is_none_or(Value::is_null) {
        planned.replace.extend(changed.into_iter().map(Path::attribute));
    }
    planned.value = with(&planned.value, [("stdout", Value::unknown(Type::String))]);
    planned
}

pub(super) async fn read(host: &Host, request: ReadRequest) -> ReadResult {
    let Some(script) = text(&request.prior, "read") else {
        return ReadResult::Found { value: request.prior, private: request.private };
    };
    match host.client.run(exec(host, &request.prior, script)).await {
        Ok(output) if output.succeeded() => ReadResult::Found { value: request.prior, private: request.private },
        Ok(_) => ReadResult::Absent,
        Err(error) => ReadResult::Unreachable(error.diagnostic().into()),
    }
}

pub(super) async fn apply(host: &Host, request: &ApplyRequest, progress: &dyn Progress) -> Applied {
    match request.action {
        Action::Delete => {
            let Some(script) = text(&request.prior, "delete") else { return Applied::gone() };
            match run(host, &request.prior, script, progress).await {
                Ok(_) => Applied::gone(),
                Err(applied) => applied,
            }
        }
        Action::Update => {
            let changed = MAKING.iter().any(|name| differs(&request.planned, &request.prior, name));
            match text(&request.planned, "update").filter(|_| changed) {
                // Another way to the host, or other commands for later: nothing is to be run now.
                None => Applied::is(request.planned.clone()),
                Some(script) => match run(host, &request.planned, script, progress).await {
                    Ok(output) => Applied::is(with(&request.planned, [("stdout", output.text().into())])),
                    Err(applied) => applied,
                },
            }
        }
        _ => {
            let script = text(&request.planned, "create").unwrap_or_default();
            match run(host, &request.planned, script, progress).await {
                Ok(output) => {
                    let made = [("stdout", output.text().into()), ("id", request.nonce.clone().into())];
                    Applied::is(with(&request.planned, made))
                }
                Err(applied) => applied,
            }
        }
    }
}

/// After a crash: only a `read` command can tell what became of a `create`.
pub(super) async fn recover(host: &Host, planned: Value) -> Recovered {
    let Some(script) = text(&planned, "read") else {
        return Recovered::CannotTell(
            "nobody can tell whether its create command ran; a read command could".to_owned(),
        );
    };
    match host.client.run(exec(host, &planned, script)).await {
        Ok(output) if output.succeeded() => {
            Recovered::CannotTell("its read command succeeds, but what create printed is lost".to_owned())
        }
        Ok(_) => Recovered::Absent,
        Err(error) => Recovered::CannotTell(error.to_string()),
    }
}

fn exec(host: &Host, object: &Value, script: &str) -> Exec {
    let limit = text(object, "timeout").and_then(duration::parse).unwrap_or(Duration::from_secs(600));
    let mut exec = Exec::script(script).sudo(host.sudo).timeout(limit);
    for (name, value) in object.get("environment").and_then(Value::as_entries).into_iter().flatten() {
        exec = exec.env(name.as_str(), Secret::new(value.as_str().unwrap_or_default()));
    }
    exec
}

/// Runs a command; a failure comes as what the engine is to know of it.
async fn run(host: &Host, object: &Value, script: &str, progress: &dyn Progress) -> Result<ExecOutput, Applied> {
    let heard = |line: &str| progress.waiting(line);
    let ran = host.client.run_heard(exec(host, object, script), &heard).await;
    let failed = |now: Now, said: Diagnostic| Applied { now, said: said.into() };
    match ran {
        Ok(output) if output.succeeded() => Ok(output),
        Ok(output) => {
            let place = host.client.target().place();
            let detail = format!("It ended with exit code {} on {place}:\n{}", output.code, indented(&output.tail(15)));
            Err(failed(Now::Unchanged, Diagnostic::error("Command failed", detail)))
        }
        Err(error) => {
            let now = if SshError::may_have_acted(&error) { Now::Unclear } else { Now::Unchanged };
            Err(failed(now, error.diagnostic()))
        }
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}
