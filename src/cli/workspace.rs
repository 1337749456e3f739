//! `infra workspace show`

use crate::config;
use crate::diag::Diagnostics;

use super::args::SelectArgs;
use super::exit::Exit;
use super::project::Call;
use super::terminal::Terminal;

/// Prints the name of the environment.
pub(super) fn show(call: &Call, select: &SelectArgs) -> Exit {
    let terminal = Terminal::new(&select.look, None);
    let mut said = Diagnostics::none();
    let mut load = call.load(select);
    load.needs_state = false;
    let config = config::load(&load).take(&mut said);
    terminal.say(&said, &call.sources);
    match config {
        Some(config) if !said.has_errors() => {
            terminal.print(&format!("{}\n", config.environment));
            Exit::Done
        }
        _ => Exit::Failed,
    }
}
