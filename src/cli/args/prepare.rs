//! Arguments of the commands that prepare and check a folder: init, get, validate, fmt.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};

use super::{LockArgs, LookArgs, SelectArgs};

/// `init`
#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// Initialize the backend, and reach state
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub backend: bool,
    /// A setting of the backend, or a file of them
    #[arg(long, value_name = "KEY=VALUE")]
    pub backend_config: Vec<String>,
    /// Take the backend as it is written now; states stay where they are
    #[arg(long)]
    pub reconfigure: bool,
    /// Copy states from the former backend to the one that is written now
    #[arg(long)]
    pub migrate_state: bool,
    /// Copy them without asking
    #[arg(long)]
    pub force_copy: bool,
    /// Begin with a copy of this module, in an empty folder
    #[arg(long, value_name = "SOURCE")]
    pub from_module: Option<String>,
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
    /// Ask before states are copied
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub input: Option<bool>,
    /// readonly: fail where .terraform.lock.hcl would have to change
    #[arg(long, value_name = "MODE")]
    pub lockfile: Option<String>,
    /// Accepted for Terraform's sake: tests need nothing installed
    #[arg(long, hide = true, value_name = "DIR")]
    pub test_directory: Option<PathBuf>,
    /// Print events as JSON
    #[arg(long)]
    pub json: bool,
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
