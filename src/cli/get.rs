//! `infra get`, and what `init` shares with it.

use std::path::PathBuf;

use crate::config::LoadOptions;
use crate::diag::Diagnostics;
use crate::ops::{self, Installation};

use super::args::GetArgs;
use super::exit::Exit;
use super::project::Call;
use super::terminal::Terminal;

/// Installs modules and says which.
pub(super) async fn run(call: &Call, args: &GetArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let said = install(call, &call.load(&args.select), args.update, &|line| terminal.print(line)).await;
    terminal.say(&said, &call.sources);
    if said.has_errors() { Exit::Failed } else { Exit::Done }
}

/// Installs modules and says which; the folder that stands for registries is that of INFRA_MODULE_MIRROR.
pub(super) async fn install(
    call: &Call,
    load: &LoadOptions,
    upgrade: bool,
    print: &(dyn Fn(&str) + Sync),
) -> Diagnostics {
    let mirror = std::env::var_os("INFRA_MODULE_MIRROR").filter(|folder| !folder.is_empty());
    let mirror = mirror.map(|folder| call.working_dir.join(PathBuf::from(folder)));
    ops::install(load, upgrade, mirror, &|heard| print(&line(&heard))).await
}

fn line(heard: &Installation<'_>) -> String {
    match heard {
        Installation::Fetching { source, version: Some(version), key } => {
            format!("Downloading {source} {version} for {key}...\n")
        }
        Installation::Fetching { source, version: None, key } => format!("Downloading {source} for {key}...\n"),
        Installation::There { key, dir } => format!("- {key} in {}\n", dir.display()),
    }
}
