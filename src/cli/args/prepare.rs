//! Arguments of the commands that prepare and check a folder: init, get, validate, fmt.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};

use super::{LookArgs, SelectArgs};

/// `init`
#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Reach state
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub backend: bool,
    /// A setting of the backend, or a file of them
    #[arg(long, value_name = "KEY=VALUE")]
    pub backend_config: Vec<String>,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true, conflicts_with = "migrate_state")]
    pub reconfigure: bool,
    /// Accepted for Terraform's sake: state is where the configuration says
    #[arg(long, hide = true)]
    pub migrate_state: bool,
    /// Accepted for Terraform's sake: every provider is in the program
    #[arg(long, hide = true, value_name = "DIR")]
    pub plugin_dir: Vec<String>,
    /// Fetch modules again that are there
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub upgrade: bool,
    /// Install modules
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub get: bool,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub input: Option<String>,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub lockfile: Option<String>,
}

/// `get`
#[derive(Debug, Args)]
pub(in crate::cli) struct GetArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Fetch modules again that are there
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub update: bool,
}

/// `validate`
#[derive(Debug, Args)]
pub(in crate::cli) struct ValidateArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Leave test files out
    #[arg(long)]
    pub no_tests: bool,
    /// The folder of tests; tests by default
    #[arg(long, value_name = "DIR")]
    pub test_directory: Option<std::path::PathBuf>,
}

/// `fmt`
#[derive(Debug, Args)]
pub(in crate::cli) struct FmtArgs {
    #[command(flatten)]
    pub look: LookArgs,
    /// Name the files that change
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub list: bool,
    /// Write the files that change
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub write: bool,
    /// Show what changes
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub diff: bool,
    /// Write nothing; exit with 3 when a file would change
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub check: bool,
    /// Folders below, too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub recursive: bool,
    /// Files and folders, or - for standard input
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}
