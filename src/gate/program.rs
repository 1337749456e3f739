//! A program on this machine ends well.

use std::time::Duration;

use crate::client::process::{self, ProcessError, Run};
use crate::value::Value;

use super::check::{Failure, brief, text, words};

/// The check of kind `command`.
#[derive(Debug)]
pub(super) struct Command {
    argv: Vec<String>,
    contains: Option<String>,
}

impl Command {
    pub(super) fn read(arguments: &Value) -> Result<Command, Failure> {
        let argv = words(arguments, "argv");
        if argv.is_empty() {
            return Err(Failure::fatal("argv must name a program"));
        }
        Ok(Command { argv, contains: text(arguments, "contains").map(str::to_owned) })
    }

    pub(super) async fn attempt(&self, limit: Duration) -> Result<(), Failure> {
        let run = Run { timeout: Some(limit), limit: 64 * 1024, ..Run::new(&self.argv) };
        match process::run(run, &|_, _| {}).await {
            Ok(output) if !output.succeeded() => Err(Failure::passing(ended(output.code, &output.tail(1)))),
            Ok(output) => contains(self.contains.as_deref(), &String::from_utf8_lossy(&output.stdout)),
            Err(error @ (ProcessError::NotFound(_) | ProcessError::Start { .. })) => {
                Err(Failure::fatal(error.to_string()))
            }
            Err(error) => Err(Failure::passing(error.to_string())),
        }
    }

    pub(super) fn unmet(&self) -> String {
        // Arguments may hold secrets; the program's name does not.
        format!("The program {} did not end well", self.argv.first().map_or("", String::as_str))
    }
}

/// How a program failed.
pub(super) fn ended(code: i32, said: &str) -> String {
    let said = brief(said);
    if said.is_empty() { format!("exit code {code}") } else { format!("exit code {code}: {said}") }
}

/// Whether the output holds the wanted text.
pub(super) fn contains(wanted: Option<&str>, output: &str) -> Result<(), Failure> {
    match wanted {
        Some(wanted) if !output.contains(wanted) => {
            Err(Failure::passing(format!("the output does not contain {wanted:?}")))
        }
        _ => Ok(()),
    }
}
