//! `infra state mv`, `state rm`, `taint`, `untaint`

use crate::diag::Diagnostics;
use crate::ops::{self, RunOptions, Surgery, Treated};

use super::args::{LockArgs, SelectArgs, StateMvArgs, StateRmArgs, TaintArgs};
use super::exit::Exit;
use super::project::{Call, layer};
use super::terminal::Terminal;

/// Gives objects another address.
pub(super) async fn mv(call: &Call, args: &StateMvArgs) -> Exit {
    let asked = Surgery::Move(Box::new((args.from.clone(), args.to.clone())));
    run(call, &args.select, &args.lock, &asked, |treated, prefix| {
        let line = |(from, to): &(crate::addr::InstanceAddr, Option<crate::addr::InstanceAddr>)| {
            let to = to.as_ref().map(|to| to.in_project(prefix)).unwrap_or_default();
            format!("Move \"{}\" to \"{to}\"\n", from.in_project(prefix))
        };
        let lines: String = treated.iter().map(line).collect();
        format!("{lines}Successfully moved {} object(s).\n", treated.len())
    })
    .await
}

/// Forgets objects.
pub(super) async fn rm(call: &Call, args: &StateRmArgs) -> Exit {
    let asked = Surgery::Remove(args.addresses.clone());
    run(call, &args.select, &args.lock, &asked, |treated, prefix| {
        let lines: String = treated.iter().map(|(addr, _)| format!("Removed {}\n", addr.in_project(prefix))).collect();
        format!("{lines}Successfully removed {} resource instance(s).\n", treated.len())
    })
    .await
}

/// Marks an object as tainted, or takes the mark away.
pub(super) async fn taint(call: &Call, args: &TaintArgs, tainted: bool) -> Exit {
    let address = args.address.clone();
    let asked = if tainted { Surgery::Taint(address) } else { Surgery::Untaint(address) };
    let what = if tainted { "marked as tainted" } else { "successfully untainted" };
    run(call, &args.select, &args.lock, &asked, |treated, prefix| {
        let line = |addr: &crate::addr::InstanceAddr| {
            format!("Resource instance {} has been {what}.\n", addr.in_project(prefix))
        };
        treated.iter().map(|(addr, _)| line(addr)).collect()
    })
    .await
}

async fn run(
    call: &Call,
    select: &SelectArgs,
    lock: &LockArgs,
    asked: &Surgery,
    text: impl Fn(&Treated, bool) -> String,
) -> Exit {
    let terminal = Terminal::new(&select.look, None);
    let mut said = Diagnostics::none();
    let Some(session) = call.open(call.load(select), select).take(&mut said) else {
        terminal.say(&said, &call.sources);
        return Exit::Failed;
    };
    let mut options = RunOptions::new(call.now);
    options.layer = layer(select);
    options.lock = lock.lock;
    options.lock_timeout = lock.lock_timeout;
    let treated = match ops::surgery(&session, &options, asked).await {
        Ok(treated) => Some(treated),
        Err(errors) => {
            said.append(errors);
            None
        }
    };
    terminal.say(&said, &call.sources);
    match treated {
        Some(treated) => {
            terminal.print(&text(&treated, session.config.prefixes_layers()));
            Exit::Done
        }
        None => Exit::Failed,
    }
}
