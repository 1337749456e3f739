//! `infra gate run`

use crate::apply::Stop;
use crate::diag::Diagnostics;
use crate::ops::{self, RunOptions};

use super::args::GateRunArgs;
use super::exit::Exit;
use super::listen::Listener;
use super::project::Call;
use super::terminal::Terminal;

/// Asks one gate until it passes or its time is over. Changes nothing.
pub(super) async fn run(call: &Call, args: &GateRunArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    let mut passed = None;
    if let Some(session) = call.open(call.load(&args.select), &args.select).take(&mut said) {
        let plain = Terminal { live: false, ..terminal };
        let listener = Listener::new(plain, session.config.prefixes_layers(), false);
        let stop = Stop::default();
        let signals = super::signals::listen(&stop, &listener);
        passed =
            ops::run_gate(&session, &args.name, &RunOptions::new(call.now), &listener, &stop).await.take(&mut said);
        signals.abort();
    }
    if let Some(None) = passed {
        terminal.print("The gate is switched off in this environment.\n");
    }
    terminal.say(&said, &call.sources);
    if said.has_errors() || passed.is_none() { Exit::Failed } else { Exit::Done }
}
