//! What several commands take: selection, looks, planning, locks.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};

use crate::addr::Pattern;

use super::parse::{action, duration, pattern, replaceable};

/// How results look.
#[derive(Debug, Args, Clone)]
pub(in crate::cli) struct LookArgs {
    /// No colours
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub no_color: bool,
    /// Only list warnings
    #[arg(long)]
    pub compact_warnings: bool,
}

/// Which configuration, which environment, which values.
#[derive(Debug, Args, Clone)]
pub(in crate::cli) struct SelectArgs {
    /// The environment
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// Only this layer
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// The layers that exist once for all environments
    #[arg(long)]
    pub global: bool,
    /// Value of a variable
    #[arg(long, value_name = "NAME=VALUE")]
    var: Vec<String>,
    /// File with values of variables; its environment is taken
    #[arg(long, value_name = "FILE")]
    var_file: Vec<PathBuf>,
    #[command(flatten)]
    pub look: LookArgs,
}

/// What takes part, and how.
#[derive(Debug, Args, Clone)]
pub(in crate::cli) struct PlanningArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Plan to remove everything
    #[arg(long)]
    pub destroy: bool,
    /// Look at objects first
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub refresh: bool,
    /// Only bring state up to date
    #[arg(long)]
    pub refresh_only: bool,
    /// Only this module, resource or instance, and what it needs
    #[arg(long, value_name = "ADDRESS", value_parser = pattern)]
    pub target: Vec<Pattern>,
    /// Leave this out, and what needs it
    #[arg(long, value_name = "ADDRESS", value_parser = pattern)]
    pub exclude: Vec<Pattern>,
    /// Replace this instance
    #[arg(long, value_name = "ADDRESS", value_parser = replaceable)]
    pub replace: Vec<Pattern>,
    /// Invoke this action, and do nothing else
    #[arg(long, value_name = "ADDRESS", value_parser = action, conflicts_with_all = ["destroy", "target", "replace"])]
    pub invoke: Vec<Pattern>,
    /// Calls in flight at once
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub parallelism: u32,
    /// Lock state
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub lock: bool,
    /// How long to wait for a lock
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub lock_timeout: Duration,
    /// Take over a lock whose lease has run out
    #[arg(long)]
    pub take_over_expired: bool,
    /// Ask for what is missing
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub input: Option<bool>,
    /// Print events as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub files: StateFileArgs,
}

/// Terraform's flags for the files of a local state. In a project, and where state is no file, they have no effect.
#[derive(Debug, Args, Clone)]
pub(in crate::cli) struct StateFileArgs {
    /// The state file to read and write
    #[arg(long, value_name = "PATH")]
    pub state: Option<PathBuf>,
    /// The state file to write, if it is another one
    #[arg(long, value_name = "PATH")]
    pub state_out: Option<PathBuf>,
    /// Where the former state is kept; - keeps none
    #[arg(long, value_name = "PATH")]
    pub backup: Option<PathBuf>,
}

/// How state is locked.
#[derive(Debug, Args)]
pub(in crate::cli) struct LockArgs {
    /// Lock state
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true,
          action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    pub lock: bool,
    /// How long to wait for a lock
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub lock_timeout: Duration,
    /// Accepted for Terraform's sake: there is no remote version
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub ignore_remote_version: Option<String>,
}
