//! Mistakes in the arguments, told like all others: what is wrong, and what is allowed. Summaries are those that Terraform's users know.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::diag::Diagnostic;
use crate::view::Product;

/// What is to be said of arguments that the parser refuses; `command` is the command as typed, such as `state rm`.
pub(super) fn diagnostic(error: &clap::Error, command: &str, product: Product) -> Diagnostic {
    Diagnostic::error(summary(error, command, product), detail(error))
}

fn summary(error: &clap::Error, command: &str, product: Product) -> String {
    let argument = context(error, ContextKind::InvalidArg).unwrap_or_default();
    let value = context(error, ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument if !argument.starts_with('-') => expected(command).to_owned(),
        ErrorKind::MissingRequiredArgument => expected(command).to_owned(),
        ErrorKind::InvalidSubcommand => {
            let name = context(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            let named = if command.is_empty() { &name } else { command };
            format!("{} has no command named {named:?}.", product.name())
        }
        ErrorKind::ValueValidation if argument.starts_with("--target ") => format!("Invalid target {value:?}"),
        ErrorKind::ValueValidation if argument.starts_with("--exclude ") => format!("Invalid exclude {value:?}"),
        ErrorKind::ValueValidation if argument.starts_with("--replace ") => {
            format!("Invalid force-replace address {value:?}")
        }
        ErrorKind::ValueValidation if !argument.starts_with('-') && command == "state show" => {
            format!("Error parsing instance address: {value}")
        }
        ErrorKind::ValueValidation if !argument.starts_with('-') => "Invalid address".to_owned(),
        ErrorKind::UnknownArgument if command.starts_with("state ") => {
            format!(
                "Error parsing command-line flags: flag provided but not defined: -{}",
                argument.trim_start_matches('-')
            )
        }
        _ => "Failed to parse command-line flags".to_owned(),
    }
}

/// How many arguments without a dash a command takes.
fn expected(command: &str) -> &'static str {
    match command {
        "state show" | "import" => "Exactly one argument expected.",
        "state rm" => "At least one address is required.",
        "state mv" | "state replace-provider" => "Exactly two arguments expected.",
        "taint" => "The taint command expects exactly one argument.",
        "untaint" => "The untaint command expects exactly one argument.",
        "output" => "Unexpected argument",
        _ => "Too many command line arguments",
    }
}

fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

/// The words of the parser without its own heading; flags with one dash, as they are documented.
fn detail(error: &clap::Error) -> String {
    if let (ErrorKind::ValueValidation, Some(source)) = (error.kind(), error.source()) {
        let argument = context(error, ContextKind::InvalidArg).unwrap_or_default();
        let argument = argument.replace("--", "-");
        return format!("{argument}: {source}. The flag -help tells more.");
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let text = text.split("\nFor more information").next().unwrap_or(text).replace(" --", " -").replace("'--", "'-");
    let mut chars = text.trim().chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}\n\nThe flag -help tells more.", chars.as_str())
}
