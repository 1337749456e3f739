//! `infra modules`

use crate::config::Module;
use crate::diag::Diagnostics;
use crate::view;

use super::args::ModulesArgs;
use super::exit::Exit;
use super::project::{Call, wants};
use super::terminal::Terminal;

/// Shows which modules the configuration calls.
pub(super) fn run(call: &Call, args: &ModulesArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    let mut load = call.load(&args.select);
    load.needs_state = false;
    load.needs_values = false;
    let session = call.open(load, &args.select).take(&mut said).filter(|_| !said.has_errors());
    terminal.say_aside(&said, &call.sources);
    let Some(session) = session else { return Exit::Failed };
    let prefixes = session.config.prefixes_layers();
    let layers = session.config.layers.iter().filter(|layer| wants(&args.select, &layer.name));
    let layers: Vec<(Option<String>, &Module)> =
        layers.map(|layer| (prefixes.then(|| format!("layer.{}", layer.name)), &*layer.root)).collect();
    let text = if args.json { format!("{}\n", view::modules_json(&layers)) } else { view::modules_tree(&layers) };
    terminal.print(&text);
    Exit::Done
}
