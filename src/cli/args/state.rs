//! Arguments of the commands below `state`, and of force-unlock.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::addr::Pattern;

use super::parse::pattern;
use super::{LockArgs, SelectArgs, StateFileArgs};

/// Commands below `state`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum StateCommand {
    /// List objects
    List(StateListArgs),
    /// Show one object
    Show(StateShowArgs),
    /// Print the state file
    Pull(StatePullArgs),
    /// Put a state file in the place of the stored state
    Push(StatePushArgs),
    /// Give an object, a resource or a module another address
    Mv(StateMvArgs),
    /// Forget objects, which stay as they are
    Rm(StateRmArgs),
    /// Hand the objects of a provider to another one
    ReplaceProvider(StateReplaceProviderArgs),
    /// List what a crash left open: uncertain objects, and journals of runs that another run overtook
    Uncertain(SelectArgs),
    /// Say what became of an uncertain object, or what counts of an overtaken run
    Settle(SettleArgs),
}

/// `state list`
#[derive(Debug, Args)]
pub(in crate::cli) struct StateListArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// The state file to look at
    #[arg(long, value_name = "PATH")]
    pub state: Option<PathBuf>,
    /// Only objects with this id
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Only these modules, resources or instances
    #[arg(value_name = "ADDRESS", value_parser = pattern)]
    pub addresses: Vec<Pattern>,
}

/// `state show`
#[derive(Debug, Args)]
pub(in crate::cli) struct StateShowArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// The state file to look at
    #[arg(long, value_name = "PATH")]
    pub state: Option<PathBuf>,
    /// The instance
    #[arg(value_name = "ADDRESS", value_parser = pattern)]
    pub address: Pattern,
}

/// `state pull`
#[derive(Debug, Args)]
pub(in crate::cli) struct StatePullArgs {
    #[command(flatten)]
    pub select: SelectArgs,
}

/// `state push`
#[derive(Debug, Args)]
pub(in crate::cli) struct StatePushArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// Also over a newer state, or one of another lineage
    #[arg(long)]
    pub force: bool,
    /// The file, or - for standard input
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
}

/// `state mv`
#[derive(Debug, Args)]
pub(in crate::cli) struct StateMvArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    #[command(flatten)]
    pub files: StateFileArgs,
    /// Where the former state of -state-out is kept; - keeps none
    #[arg(long, value_name = "PATH")]
    pub backup_out: Option<PathBuf>,
    /// Only tell what would be moved
    #[arg(long)]
    pub dry_run: bool,
    /// Where it is
    #[arg(value_name = "SOURCE", value_parser = pattern)]
    pub from: Pattern,
    /// Where it is to be; without a layer, in the same one
    #[arg(value_name = "DESTINATION", value_parser = pattern)]
    pub to: Pattern,
}

/// `state rm`
#[derive(Debug, Args)]
pub(in crate::cli) struct StateRmArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    #[command(flatten)]
    pub files: StateFileArgs,
    /// Only tell what would be forgotten
    #[arg(long)]
    pub dry_run: bool,
    /// What is to be forgotten
    #[arg(value_name = "ADDRESS", value_parser = pattern, required = true)]
    pub addresses: Vec<Pattern>,
}

/// `state replace-provider`
#[derive(Debug, Args)]
pub(in crate::cli) struct StateReplaceProviderArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    #[command(flatten)]
    pub files: StateFileArgs,
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// The source that state has
    #[arg(value_name = "FROM")]
    pub from: String,
    /// The source that it is to have
    #[arg(value_name = "TO")]
    pub to: String,
}

/// `state settle`: either what became of one object, or what counts of runs that another run overtook.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("settlement").args(["exists", "absent", "keep", "drop"]).required(true))]
#[command(after_help = "Look first: infra state uncertain lists what is to be settled, and what each journal holds.")]
pub(in crate::cli) struct SettleArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// The uncertain instance, with -exists or -absent
    #[arg(value_name = "ADDRESS", value_parser = pattern, required_unless_present_any = ["keep", "drop"],
          conflicts_with_all = ["keep", "drop"])]
    pub address: Option<Pattern>,
    /// It exists: state takes it over
    #[arg(long)]
    pub exists: bool,
    /// It does not exist
    #[arg(long)]
    pub absent: bool,
    /// Journals of overtaken runs: what they hold replaces what state has
    #[arg(long)]
    pub keep: bool,
    /// Journals of overtaken runs: forget what they hold
    #[arg(long)]
    pub drop: bool,
}

/// `force-unlock`
#[derive(Debug, Args)]
pub(in crate::cli) struct UnlockArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Do not ask
    #[arg(long)]
    pub force: bool,
    /// The ID of the lock
    #[arg(value_name = "ID")]
    pub id: String,
}
