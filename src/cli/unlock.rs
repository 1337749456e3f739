//! `infra force-unlock`

use crate::diag::{Diagnostic, Diagnostics};
use crate::event::Stop;
use crate::ops;

use super::args::UnlockArgs;
use super::exit::Exit;
use super::project::{Call, layer};
use super::terminal::Terminal;

/// Removes a lock by its ID, after a yes.
pub(super) async fn run(call: &Call, args: &UnlockArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    let Some(session) = call.open(call.load(&args.select), &args.select).take(&mut said) else {
        terminal.say(&said, &call.sources);
        return Exit::Failed;
    };
    if !args.force {
        if !terminal.asks {
            said.push(Diagnostic::error("force-unlock needs approval", "There is no terminal to ask on. Pass -force."));
            terminal.say(&said, &call.sources);
            return Exit::Failed;
        }
        let question = format!(
            "{}\n  If its holder is alive after all, two runs may write at once. Only \"yes\" counts as yes.\n\n  {} ",
            terminal.style.bold(&format!("Remove the lock {}?", args.id)),
            terminal.style.bold("Enter a value:")
        );
        if terminal.ask(&question, &Stop::is_asked_here).as_deref() != Some("yes") {
            terminal.print("\nNothing was unlocked.\n");
            return Exit::Failed;
        }
    }
    let removed = ops::force_unlock(&session, layer(&args.select).as_ref(), &args.id).await.take(&mut said);
    terminal.say(&said, &call.sources);
    match removed {
        Some(info) => {
            terminal.print(&format!("Removed the lock that {} held for {:?}.\n", info.who, info.command()));
            Exit::Done
        }
        None => Exit::Failed,
    }
}
