//! Arguments of commands that Terraform does not have: gates and the sandbox.

use clap::{Args, Subcommand};

use super::SelectArgs;

/// Commands below `gate`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum GateCommand {
    /// Run one check now
    Run(GateRunArgs),
}

/// Commands below `sandbox`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SandboxCommand {
    /// Open the sandbox of an environment on loopback and print a kubeconfig
    Serve(ServeArgs),
}

/// `gate run`
#[derive(Debug, Args)]
pub(in crate::cli) struct GateRunArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// The gate
    pub name: String,
}

/// `sandbox serve`
#[derive(Debug, Args)]
pub(in crate::cli) struct ServeArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// The port; a free one by default
    #[arg(long, default_value_t = 0)]
    pub port: u16,
}
