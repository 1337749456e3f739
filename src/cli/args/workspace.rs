//! Arguments of the commands below `workspace`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{LockArgs, SelectArgs};

/// Commands below `workspace`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum WorkspaceCommand {
    /// Print the name of the environment
    Show(SelectArgs),
    /// List environments, or the workspaces of a folder without a project
    List(SelectArgs),
    /// Make a workspace and choose it
    New(WorkspaceNewArgs),
    /// Choose a workspace
    Select(WorkspaceSelectArgs),
    /// Remove a workspace and its state
    Delete(WorkspaceDeleteArgs),
}

/// `workspace new`
#[derive(Debug, Args)]
pub(in crate::cli) struct WorkspaceNewArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// A state file whose content the workspace begins with
    #[arg(long, value_name = "PATH")]
    pub state: Option<PathBuf>,
    /// The workspace
    pub name: String,
}

/// `workspace select`
#[derive(Debug, Args)]
pub(in crate::cli) struct WorkspaceSelectArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Make it if it does not exist
    #[arg(long)]
    pub or_create: bool,
    /// The workspace
    pub name: String,
}

/// `workspace delete`
#[derive(Debug, Args)]
pub(in crate::cli) struct WorkspaceDeleteArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// Also with objects, which are let go of
    #[arg(long)]
    pub force: bool,
    /// The workspace
    pub name: String,
}
