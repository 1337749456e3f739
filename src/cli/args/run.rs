//! Arguments of the commands that plan and change: plan, apply, destroy, refresh, import, taint, untaint, test.

use std::path::PathBuf;

use clap::Args;

use crate::addr::Pattern;

use super::parse::pattern;
use super::{LockArgs, PlanningArgs, SelectArgs, StateFileArgs};

/// `plan`
#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    #[command(flatten)]
    pub planning: PlanningArgs,
    /// Save the plan
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write resource blocks for import blocks that have none into this new file
    #[arg(long, value_name = "FILE")]
    pub generate_config_out: Option<PathBuf>,
    /// Exit with 2 when there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// `apply`, `destroy`, `refresh`
#[derive(Debug, Args)]
pub(in crate::cli) struct ApplyArgs {
    #[command(flatten)]
    pub planning: PlanningArgs,
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// Agree to losing what goes with a replaced cluster
    #[arg(long)]
    pub accept_loss: bool,
    /// A saved plan
    #[arg(value_name = "PLAN")]
    pub plan: Option<PathBuf>,
}

/// `import`
#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    #[command(flatten)]
    pub files: StateFileArgs,
    /// The folder of the configuration
    #[arg(long, value_name = "DIR")]
    pub config: Option<PathBuf>,
    /// Calls in flight at once
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub parallelism: u32,
    /// Accepted for Terraform's sake: nothing is asked for
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub input: Option<String>,
    /// The instance of the configuration that it is to be
    #[arg(value_name = "ADDRESS", value_parser = pattern)]
    pub address: Pattern,
    /// The id that its provider finds it by
    #[arg(value_name = "ID")]
    pub id: String,
}

/// `taint` and `untaint`
#[derive(Debug, Args)]
pub(in crate::cli) struct TaintArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    #[command(flatten)]
    pub files: StateFileArgs,
    /// An instance that is not there is no mistake
    #[arg(long)]
    pub allow_missing: bool,
    /// The instance
    #[arg(value_name = "ADDRESS", value_parser = pattern)]
    pub address: Pattern,
}

/// `test`
#[derive(Debug, Args)]
#[command(
    after_help = "Tests are the .tftest.hcl and .tftest.json files of the folder and of its folder of tests. What they make \
                        is real, unless it is mocked, and is destroyed at the end."
)]
pub(in crate::cli) struct TestArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Only this test file
    #[arg(long, value_name = "FILE")]
    pub filter: Vec<PathBuf>,
    /// The folder of tests; tests by default
    #[arg(long, value_name = "DIR")]
    pub test_directory: Option<PathBuf>,
    /// Show the plan or the state of each run
    #[arg(long)]
    pub verbose: bool,
    /// Print events as JSON
    #[arg(long)]
    pub json: bool,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE")]
    pub junit_xml: Option<PathBuf>,
    /// Calls in flight at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub parallelism: u32,
    /// Not here: runs in HCP Terraform
    #[arg(long, value_name = "SOURCE", hide = true)]
    pub cloud_run: Option<String>,
    /// Not looked at, as under Terraform
    #[arg(hide = true)]
    pub rest: Vec<String>,
}
