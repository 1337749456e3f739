//! `infra import`

use crate::diag::Diagnostics;
use crate::ops::{self, RunOptions};

use super::args::ImportArgs;
use super::exit::Exit;
use super::listen::Listener;
use super::project::{Call, layer};
use super::terminal::Terminal;

/// Takes over an object that exists already.
pub(super) async fn run(call: &Call, args: &ImportArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    let Some(session) = call.open(call.load(&args.select), &args.select).take(&mut said) else {
        terminal.say(&said, &call.sources);
        return Exit::Failed;
    };
    let mut options = RunOptions::new(call.now);
    options.layer = layer(&args.select);
    options.lock = args.lock.lock;
    options.lock_timeout = args.lock.lock_timeout;
    let listener = Listener::quiet(terminal);
    let imported = ops::import(&session, &options, &args.address, &args.id, &listener).await;
    listener.finish();
    match imported {
        Ok(addr) => {
            terminal.say(&said, &call.sources);
            let name = addr.in_project(session.config.prefixes_layers());
            let next = " infra plan shows where it differs from the configuration.";
            let next = if terminal.hints { next } else { "" };
            terminal.print(&format!(
                "{name}: Imported from ID {:?}.\n\nImport successful!\n\nThe object is in state now.{next}\n",
                args.id
            ));
            Exit::Done
        }
        Err(errors) => {
            said.append(errors);
            terminal.say(&said, &call.sources);
            Exit::Failed
        }
    }
}
