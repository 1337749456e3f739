//! `infra state mv`, `state rm`, `state replace-provider`, `taint`, `untaint`

use std::collections::BTreeSet;

use crate::addr::ProviderSource;
use crate::diag::{Diagnostics, Severity};
use crate::ops::{self, RunOptions, Surgery, Treated};

use super::args::{LockArgs, SelectArgs, StateMvArgs, StateReplaceProviderArgs, StateRmArgs, TaintArgs};
use super::exit::Exit;
use super::project::{Call, layer, wants};
use super::terminal::Terminal;

/// Gives objects another address.
pub(super) async fn mv(call: &Call, args: &StateMvArgs) -> Exit {
    let asked = Surgery::Move(Box::new((args.from.clone(), args.to.clone())));
    run(call, &args.select, &args.lock, &asked, false, |treated, prefix| {
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
    run(call, &args.select, &args.lock, &asked, false, |treated, prefix| {
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
    run(call, &args.select, &args.lock, &asked, args.allow_missing, |treated, prefix| {
        let line = |addr: &crate::addr::InstanceAddr| {
            format!("Resource instance {} has been {what}.\n", addr.in_project(prefix))
        };
        treated.iter().map(|(addr, _)| line(addr)).collect()
    })
    .await
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
        if terminal.ask(question, &|| false).as_deref() != Some("yes") {
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

async fn run(
    call: &Call,
    select: &SelectArgs,
    lock: &LockArgs,
    asked: &Surgery,
    may_be_missing: bool,
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
        Err(mut errors) => {
            let absent = errors.iter().all(|error| error.summary == ops::NO_SUCH_OBJECT);
            let excused = may_be_missing && absent;
            if excused {
                errors.0.iter_mut().for_each(|error| error.severity = Severity::Warning);
            }
            said.append(errors);
            excused.then(Treated::new)
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
