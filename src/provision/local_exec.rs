//! `local-exec`: a command on this machine.

use crate::client::Secret;
use crate::client::process::{self, ProcessError, Run};
use crate::diag::Diagnostic;
use crate::value::{Marks, Value};

use super::quote::vector;
use super::{Hear, Job, failed, text};

/// Bytes of output that are kept for the message of a failure.
const KEPT: usize = 8 * 1024;

pub(super) async fn run(job: &Job, hear: &Hear<'_>) -> Result<(), Box<Diagnostic>> {
    let command = text(&job.config, "command").unwrap_or_default();
    if command.is_empty() {
        let detail = "The command must be a non-empty string.";
        return Err(Box::new(Diagnostic::error("Invalid local-exec provisioner command", detail)));
    }
    let argv = argv(&job.config, command);
    let directory = text(&job.config, "working_dir").filter(|path| !path.is_empty());
    if job.config.get("quiet").and_then(Value::as_bool) == Some(true) {
        hear("local-exec: Executing: Suppressed by quiet=true");
    } else {
        hear(&format!("Executing: {}", vector(&argv)));
    }
    let path = directory.map_or_else(|| job.directory.clone(), |path| job.directory.join(path));
    if !path.is_dir() {
        let shown = directory.map_or_else(|| path.display().to_string(), str::to_owned);
        return Err(error(job, command, &format!("chdir {shown}: no such file or directory"), ""));
    }
    let what = Run {
        env: environment(&job.config),
        directory: Some(path),
        limit: KEPT,
        together: true,
        ends_early: true,
        ..Run::new(argv.iter().map(String::as_str))
    };
    let output = match process::run(what, &|_, line| hear(line)).await {
        Ok(output) if output.succeeded() => return Ok(()),
        Ok(output) => output,
        Err(ProcessError::NotFound(program)) if !program.contains('/') => {
            let why = format!("exec: {program:?}: executable file not found in $PATH");
            return Err(error(job, command, &why, ""));
        }
        Err(ProcessError::Interrupted { .. }) => return Err(error(job, command, "interrupted", "")),
        Err(cause) => return Err(error(job, command, &crate::client::reason(&cause), "")),
    };
    let how = match output.signal {
        Some(number) => format!("signal: {}", signal(number)),
        None => format!("exit status {}", output.code),
    };
    Err(error(job, command, &how, &String::from_utf8_lossy(&output.stderr)))
}

/// The interpreter with the command as its last argument.
fn argv(config: &Value, command: &str) -> Vec<String> {
    let interpreter = config.get("interpreter").and_then(Value::as_items).unwrap_or_default();
    let mut argv: Vec<String> = interpreter.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if argv.is_empty() {
        argv = vec!["/bin/sh".to_owned(), "-c".to_owned()];
    }
    argv.push(command.to_owned());
    argv
}

fn environment(config: &Value) -> Vec<(String, Secret)> {
    let given = config.get("environment").and_then(Value::as_entries).into_iter().flatten();
    given.filter_map(|(name, value)| Some((name.to_string(), Secret::new(value.as_str()?)))).collect()
}

fn error(job: &Job, command: &str, how: &str, output: &str) -> Box<Diagnostic> {
    if super::suppressed(job.marks).is_some() {
        // Terraform prints both here. What is withheld from the output is not for messages either.
        let why = if job.marks.contains(Marks::SENSITIVE) { "sensitive" } else { "ephemeral" };
        let detail =
            format!("The command failed: {how}. It and its output are withheld, since its arguments are {why}.");
        return failed("local-exec", detail);
    }
    failed("local-exec", format!("Error running command '{command}': {how}. Output: {output}"))
}

/// The names of signals, as Go has them.
fn signal(number: i32) -> String {
    let name = match number {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        6 => "aborted",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        14 => "alarm clock",
        15 => "terminated",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    async fn check(config: &[(&str, Value)], marks: Marks) -> (Vec<String>, Result<(), String>) {
        let directory = std::env::temp_dir();
        let config = Value::object(config.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let job = Job { kind: "local-exec".into(), config, connection: None, directory, marks };
        let heard = Mutex::new(Vec::new());
        let hear = |line: &str| heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(line.to_owned());
        let ended = super::super::run(&job, &super::super::Context::default(), &hear).await;
        let heard = heard.into_inner().unwrap_or_default();
        (heard, ended.map_err(|diagnostic| format!("{}: {}", diagnostic.summary, diagnostic.detail)))
    }

    #[tokio::test]
    async fn a_command_runs_and_its_lines_are_heard() {
        let environment = Value::object([("FOO", Value::from("bar"))]);
        let script = "echo one; echo two >&2; echo; printf ' a  \\n'; echo $FOO; pwd";
        let given = [("command", script.into()), ("environment", environment), ("working_dir", "/".into())];
        let (heard, ended) = check(&given, Marks::NONE).await;
        assert_eq!(ended, Ok(()));
        assert_eq!(heard[1..], ["one", "two", " a", "bar", "/"]);
        assert!(heard[0].starts_with("Executing: [\"/bin/sh\" \"-c\" \"echo one; "), "{heard:?}");
    }

    #[tokio::test]
    async fn failures_say_how_and_show_the_output() {
        let run = async |config: &[(&str, Value)]| check(config, Marks::NONE).await.1.err().unwrap_or_default();
        let said = run(&[("command", "echo out; exit 3".into())]).await;
        assert_eq!(
            said,
            "local-exec provisioner error: Error running command 'echo out; exit 3': exit status 3. Output: out\n"
        );
        assert!(run(&[("command", "kill -9 $$".into())]).await.contains("signal: killed"));
        assert!(run(&[("command", "".into())]).await.contains("non-empty"));
        let nowhere = [("command", "true".into()), ("working_dir", "no-such-folder".into())];
        assert!(run(&nowhere).await.contains("chdir no-such-folder: no such file"));
        let missing = [("command", "x".into()), ("interpreter", Value::tuple(vec![Value::from("no-such-program")]))];
        assert!(run(&missing).await.contains("executable file not found in $PATH"));
    }

    #[tokio::test]
    async fn nothing_of_a_sensitive_command_is_said() {
        for (marks, why) in [
            (Marks::SENSITIVE, "sensitive"),
            (Marks::EPHEMERAL, "ephemeral"),
            (Marks::SENSITIVE | Marks::EPHEMERAL, "sensitive, ephemeral"),
        ] {
            let (heard, ended) = check(&[("command", "echo hunter2; exit 1".into())], marks).await;
            assert_eq!(heard, vec![format!("(output suppressed due to {why} value in config)"); 2]);
            let ended = ended.err().unwrap_or_default();
            assert!(!ended.contains("hunter2") && ended.contains(why.split(',').next().unwrap_or_default()), "{ended}");
        }
    }
}
