//! `infra state mv`, `state rm`, `state replace-provider`, `taint`, `untaint`

use std::collections::BTreeSet;

use crate::addr::ProviderSource;
use crate::diag::{Diagnostic, Diagnostics};
use crate::event::Stop;
use crate::ops::{self, RunOptions, Surgery, Treated};

use super::args::{LockArgs, SelectArgs, StateMvArgs, StateReplaceProviderArgs, StateRmArgs, TaintArgs};
use super::exit::Exit;
use super::project::{Call, layer, wants};
use super::terminal::Terminal;

/// Gives objects another address.
pub(super) async fn mv(call: &Call, args: &StateMvArgs) -> Exit {
    let asked = Surgery::Move(Box::new((args.from.clone(), args.to.clone())));
    let (from, to, dry) = (args.from.clone(), args.to.clone(), args.dry_run);
    run(call, &args.select, &args.lock, &asked, dry, |treated, prefix| {
        let mut pairs: Vec<(String, String)> = treated
            .iter()
            .map(|(old, new)| {
                let new = new.as_ref().map(|new| new.in_project(prefix)).unwrap_or_default();
                (old.in_project(prefix), new)
            })
            .collect();
        if !prefix && (from.resource.is_none() || treated.len() > 1) {
            // What is moved as a whole is told as a whole.
            pairs = vec![(from.to_string(), to.to_string())];
        }
        let verb = if dry { "Would move" } else { "Move" };
        let lines: String = pairs.iter().map(|(from, to)| format!("{verb} {from:?} to {to:?}\n")).collect();
        if dry { lines } else { format!("{lines}Successfully moved {} object(s).\n", pairs.len()) }
    })
    .await
}

/// Forgets objects.
pub(super) async fn rm(call: &Call, args: &StateRmArgs) -> Exit {
    let asked = Surgery::Remove(args.addresses.clone());
    let dry = args.dry_run;
    run(call, &args.select, &args.lock, &asked, dry, |treated, prefix| {
        let verb = if dry { "Would remove" } else { "Removed" };
        let lines: String = treated.iter().map(|(addr, _)| format!("{verb} {}\n", addr.in_project(prefix))).collect();
        match (dry, treated.is_empty()) {
            (true, true) => "Would have removed nothing.\n".to_owned(),
            (true, false) => lines,
            (false, _) => format!("{lines}Successfully removed {} resource instance(s).\n", treated.len()),
        }
    })
    .await
}

/// Marks an object as tainted, or takes the mark away.
pub(super) async fn taint(call: &Call, args: &TaintArgs, tainted: bool) -> Exit {
    let address = args.address.clone();
    let asked = if tainted { Surgery::Taint(address) } else { Surgery::Untaint(address) };
    let what = if tainted { "marked as tainted" } else { "successfully untainted" };
    if args.allow_missing && !is_there(call, args).await {
        let detail = format!("State has no instance {}; -allow-missing says that this is no mistake.", args.address);
        let terminal = Terminal::new(&args.select.look, None);
        terminal.say(&Diagnostic::warning(ops::NO_INSTANCE, detail).into(), &call.sources);
        return Exit::Done;
    }
    run(call, &args.select, &args.lock, &asked, false, |treated, prefix| {
        let line = |addr: &crate::addr::InstanceAddr| {
            format!("Resource instance {} has been {what}.\n", addr.in_project(prefix))
        };
        treated.iter().map(|(addr, _)| line(addr)).collect()
    })
    .await
}

/// Whether state has an object at the address; what cannot be read is told by whoever goes on.
async fn is_there(call: &Call, args: &TaintArgs) -> bool {
    let mut said = Diagnostics::none();
    let Some(session) = call.open(call.load(&args.select), &args.select).take(&mut said) else { return true };
    let Ok(states) = session.states().await else { return true };
    let mut found = states.iter().flat_map(|state| state.objects().map(|placed| placed.addr(&state.layer)));
    found.any(|addr| args.address.matches(&addr))
}

/// Hands the objects of a provider to another one, when the user says yes.
pub(super) async fn replace_provider(call: &Call, args: &StateReplaceProviderArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    let mut source = |text: &str| {
        let source = ProviderSource::parse(text);
        if source.is_none() {
            let detail = format!("{text:?} is no source of a provider: write it like hashicorp/random.");
            said.error("Invalid provider source", detail);
        }
        source
    };
    let (Some(from), Some(to)) = (source(&args.from), source(&args.to)) else {
        terminal.say(&said, &call.sources);
        return Exit::Failed;
    };
    let Some(found) = made_by(call, &args.select, &from, &mut said).await else {
        terminal.say(&said, &call.sources);
        return Exit::Failed;
    };
    if found.is_empty() {
        terminal.print("No matching resources found.\n");
        return Exit::Done;
    }
    let list: String = found.iter().map(|name| format!("  {name}\n")).collect();
    terminal.print(&format!(
        "The provider of {} resource(s) changes in state:\n\n{list}\n  - {from}\n  + {to}\n\n",
        found.len()
    ));
    if !args.auto_approve {
        let question =
            "Do you want to make these changes?\nOnly 'yes' will be accepted to continue.\n\nEnter a value: ";
        if terminal.ask(question, &Stop::is_asked_here).as_deref() != Some("yes") {
            terminal.print("\nNothing was changed.\n");
            return Exit::Failed;
        }
    }
    let asked = Surgery::ReplaceProvider(Box::new((from, to)));
    run(call, &args.select, &args.lock, &asked, false, |_, _| {
        format!("Successfully replaced provider for {} resources.\n", found.len())
    })
    .await
}

/// The resources of which state has objects that a provider made.
async fn made_by(
    call: &Call,
    select: &SelectArgs,
    source: &ProviderSource,
    said: &mut Diagnostics,
) -> Option<BTreeSet<String>> {
    let session = call.open(call.load(select), select).take(said)?;
    let prefix = session.config.prefixes_layers();
    match session.states().await {
        Ok(states) => {
            let of = |state: &crate::state::State| {
                let objects = state.objects().filter(|placed| placed.provider.source == *source);
                let resource = |mut addr: crate::addr::InstanceAddr| {
                    addr.key = None;
                    addr.in_project(prefix)
                };
                objects.map(|placed| resource(placed.addr(&state.layer))).collect::<Vec<_>>()
            };
            Some(states.iter().filter(|state| wants(select, &state.layer)).flat_map(of).collect())
        }
        Err(errors) => {
            said.append(errors);
            None
        }
    }
}

/// What is said when there is no state to take objects from or to move them in.
async fn any_state(session: &ops::Session, asked: &Surgery) -> Option<Diagnostic> {
    if !matches!(asked, Surgery::Move(_) | Surgery::Remove(_)) {
        return None;
    }
    let states = session.states().await.ok()?;
    states.iter().all(super::state::is_missing).then(super::state::no_state)
}

async fn run(
    call: &Call,
    select: &SelectArgs,
    lock: &LockArgs,
    asked: &Surgery,
    dry: bool,
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
    let result = match dry {
        true => ops::rehearsal(&session, asked).await,
        false => match any_state(&session, asked).await {
            Some(missing) => Err(missing.into()),
            None => ops::surgery(&session, &options, asked).await,
        },
    };
    let treated = match result {
        Ok(treated) => Some(treated),
        Err(_) if dry && matches!(asked, Surgery::Remove(_)) => Some(Treated::new()),
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
