//! Arguments of the commands that show something and change nothing.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::SelectArgs;

/// `show`
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Print Terraform's JSON
    #[arg(long)]
    pub json: bool,
    /// A saved plan or a state file; without one, state is shown
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `output`
#[derive(Debug, Args)]
pub(in crate::cli) struct OutputArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print the text alone
    #[arg(long)]
    pub raw: bool,
    /// Read this state file, not that of the configuration
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// The output: NAME, or layer.LAYER.NAME
    pub name: Option<String>,
}

/// `console`
#[derive(Debug, Args)]
pub(in crate::cli) struct ConsoleArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Evaluate against what a plan would make of the objects
    #[arg(long)]
    pub plan: bool,
    /// The state file to look at
    #[arg(long, value_name = "PATH")]
    pub state: Option<PathBuf>,
}

/// `graph`
#[derive(Debug, Args)]
pub(in crate::cli) struct GraphArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Every node of a plan, not resources alone
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Draw the configuration that a saved plan was made from
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub draw_cycles: bool,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub module_depth: Option<String>,
    /// dot or mermaid
    #[arg(long, value_name = "FORMAT", default_value = "dot", value_parser = ["dot", "mermaid"])]
    pub format: String,
}

/// `modules`
#[derive(Debug, Args)]
pub(in crate::cli) struct ModulesArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Print Terraform's JSON
    #[arg(long)]
    pub json: bool,
}

/// `providers`
#[derive(Debug, Args)]
pub(in crate::cli) struct ProvidersArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(subcommand)]
    pub command: Option<ProvidersCommand>,
}

/// Commands below `providers`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ProvidersCommand {
    /// Print what the providers of the configuration take and give
    Schema(ProvidersSchemaArgs),
    /// Tell what is to be locked
    Lock(ProvidersLockArgs),
    /// Tell what is to be mirrored
    Mirror(ProvidersMirrorArgs),
}

/// `providers schema`
#[derive(Debug, Args)]
pub(in crate::cli) struct ProvidersSchemaArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Print JSON; there is nothing else
    #[arg(long, required = true)]
    pub json: bool,
}

/// `providers lock`
#[derive(Debug, Args)]
pub(in crate::cli) struct ProvidersLockArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub platform: Vec<String>,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub fs_mirror: Option<PathBuf>,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub net_mirror: Option<String>,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub enable_plugin_cache: bool,
    /// Only these
    pub sources: Vec<String>,
}

/// `providers mirror`
#[derive(Debug, Args)]
pub(in crate::cli) struct ProvidersMirrorArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub platform: Vec<String>,
    /// Accepted for Terraform's sake
    #[arg(long, hide = true)]
    pub lock_file: bool,
    /// The folder
    pub folder: PathBuf,
}

/// Commands below `metadata`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum MetadataCommand {
    /// Print what functions take and give
    Functions(MetadataArgs),
}

/// `metadata functions`
#[derive(Debug, Args)]
pub(in crate::cli) struct MetadataArgs {
    /// Print JSON; there is nothing else
    #[arg(long, required = true)]
    pub json: bool,
}

/// `version`
#[derive(Debug, Args)]
pub(in crate::cli) struct VersionArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `completions`
#[derive(Debug, Args)]
pub(in crate::cli) struct CompletionsArgs {
    /// The shell
    #[arg(value_parser = ["bash", "zsh", "fish"])]
    pub shell: String,
}
