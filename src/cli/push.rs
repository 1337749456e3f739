//! `infra state push`

use std::io::Read as _;

use crate::diag::{Diagnostic, Diagnostics};
use crate::ops::{self, Backup, RunOptions, StateFiles};

use super::args::StatePushArgs;
use super::exit::Exit;
use super::project::{Call, layer};
use super::terminal::Terminal;

/// Puts a state file in the place of the stored state.
pub(super) async fn run(call: &Call, args: &StatePushArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    if let Some(Err(wrong)) = push(call, args, &mut said).await {
        said.append(wrong);
    }
    terminal.say(&said, &call.sources);
    if said.has_errors() { Exit::Failed } else { Exit::Done }
}

async fn push(call: &Call, args: &StatePushArgs, said: &mut Diagnostics) -> Option<Result<(), Diagnostics>> {
    let name = args.path.display().to_string();
    let mut bytes = Vec::new();
    let read = if name == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(&args.path).map(|read| bytes = read)
    };
    if let Err(error) = read {
        let detail = "Name the file with the state, or - to read it from standard input.";
        said.push(Diagnostic::error(format!("open {name}: {error}"), detail));
        return None;
    }
    let session = call.open(call.load_state(&args.select), &args.select).take(said)?;
    let mut options = RunOptions::new(call.now);
    options.layer = layer(&args.select);
    options.lock = args.lock.lock;
    options.lock_timeout = args.lock.lock_timeout;
    let files = match StateFiles::begin(&session, &Backup::Beside).await {
        Ok(files) => files,
        Err(wrong) => return Some(Err(wrong)),
    };
    let pushed = ops::push(&session, &options, (&name, &bytes), args.force).await;
    let kept = files.map_or(Ok(()), |files| files.end(pushed.is_ok()));
    Some(pushed.and(kept))
}
