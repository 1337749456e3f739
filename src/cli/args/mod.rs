//! The commands and their flags, as the parser sees them. Names and meanings are Terraform's where Terraform has them.

mod look;
mod own;
mod parse;
mod prepare;
mod run;
mod shared;
mod state;
mod workspace;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(super) use look::{
    CompletionsArgs, ConsoleArgs, GraphArgs, MetadataCommand, ModulesArgs, OutputArgs, ProvidersArgs, ProvidersCommand,
    ShowArgs, VersionArgs,
};
pub(super) use own::{GateCommand, GateRunArgs, SandboxCommand, ServeArgs};
pub(super) use parse::given;
pub(super) use prepare::{FmtArgs, GetArgs, InitArgs, ValidateArgs};
pub(super) use run::{ApplyArgs, ImportArgs, PlanArgs, TaintArgs, TestArgs};
pub(super) use shared::{LockArgs, LookArgs, PlanningArgs, SelectArgs, StateFileArgs};
pub(super) use state::{
    SettleArgs, StateCommand, StateListArgs, StateMvArgs, StatePullArgs, StatePushArgs, StateReplaceProviderArgs,
    StateRmArgs, StateShowArgs, UnlockArgs,
};
pub(super) use workspace::{WorkspaceCommand, WorkspaceDeleteArgs};

/// infra: plans and applies a whole platform, layer by layer, from Terraform's language.
#[derive(Debug, Parser)]
#[command(name = "infra", disable_help_subcommand = true, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "Flags take one dash or two. `infra COMMAND -help` tells more.")]
pub(in crate::cli) struct Root {
    /// Work in another folder.
    #[arg(long, value_name = "DIR")]
    pub chdir: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Install modules, check that the configuration loads and that state can be reached
    Init(InitArgs),
    /// Install the modules that the configuration calls
    Get(GetArgs),
    /// Check the configuration
    Validate(ValidateArgs),
    /// Bring files into their canonical form
    Fmt(FmtArgs),
    /// Show what an apply would do
    Plan(PlanArgs),
    /// Make the world as the configuration says
    Apply(ApplyArgs),
    /// Remove everything that state holds
    Destroy(ApplyArgs),
    /// Bring state up to date with the world
    Refresh(ApplyArgs),
    /// Show state, or a saved plan
    Show(ShowArgs),
    /// Show outputs
    Output(OutputArgs),
    /// Evaluate expressions
    Console(ConsoleArgs),
    /// Look at state, and settle what is uncertain
    #[command(subcommand)]
    State(StateCommand),
    /// Health checks between phases
    #[command(subcommand)]
    Gate(GateCommand),
    /// The Kubernetes-style API inside this program
    #[command(subcommand)]
    Sandbox(SandboxCommand),
    /// The environment, under Terraform's name for it
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Draw the graph of the configuration
    Graph(GraphArgs),
    /// Show which modules the configuration calls
    Modules(ModulesArgs),
    /// Show which module needs which provider
    Providers(ProvidersArgs),
    /// What this program knows of itself
    #[command(subcommand)]
    Metadata(MetadataCommand),
    /// Print a script that completes commands in a shell
    Completions(CompletionsArgs),
    /// Take over an object that exists already
    Import(ImportArgs),
    /// Mark an object as tainted: the next apply replaces it
    Taint(TaintArgs),
    /// Take the mark away
    Untaint(TaintArgs),
    /// Remove a lock whose holder is dead
    ForceUnlock(UnlockArgs),
    /// Run the tests of a folder
    Test(TestArgs),
    /// Show the version
    Version(VersionArgs),
}
