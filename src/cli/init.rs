//! `infra init`

use crate::diag::Diagnostics;
use crate::ops;

use super::args::InitArgs;
use super::exit::Exit;
use super::get;
use super::project::{Call, place};
use super::terminal::Terminal;

/// Installs modules, loads the configuration and reaches every state. Every provider is in the program.
pub(super) async fn run(call: &Call, args: &InitArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut load = call.load(&args.select);
    load.backend_config.clone_from(&args.backend_config);
    let mut said = Diagnostics::none();
    if args.get {
        said.append(get::install(call, &load, args.upgrade, &terminal).await);
        if said.has_errors() {
            terminal.say(&said, &call.sources);
            return Exit::Failed;
        }
        // What is worth a warning is found again by the load that counts.
        said = Diagnostics::none();
    }
    let Some(session) = call.open(load, &args.select).take(&mut said) else {
        terminal.say(&said, &call.sources);
        return Exit::Failed;
    };
    if args.backend {
        said.append(ops::init(&session).await);
    }
    terminal.say(&said, &call.sources);
    if said.has_errors() {
        return Exit::Failed;
    }
    let config = &session.config;
    let what = match &config.project {
        Some(project) => format!(
            "Project {} · {} · {} layers · state {}",
            project.name,
            super::project::about(config),
            config.layers.len(),
            place(config)
        ),
        None => format!("One folder of configuration · state {}", place(config)),
    };
    let reached = if args.backend { "State can be reached. " } else { "" };
    let next = "Next: infra plan shows what would be done, infra apply does it.\n";
    let next = if terminal.hints { next } else { "" };
    terminal.print(&format!("{what}\n\n{reached}Everything is ready.\n{next}"));
    Exit::Done
}
