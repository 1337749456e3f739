//! `infra state mv`, `state rm`, `state replace-provider`, `taint`, `untaint`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::addr::{Pattern, ProviderSource};
use crate::config::{LoadOptions, StateSettings};
use crate::diag::{Diagnostic, Diagnostics};
use crate::event::Stop;
use crate::ops::{self, Backup, RunOptions, StateFiles, Surgery, Treated};

use super::args::{LockArgs, SelectArgs, StateFileArgs, StateMvArgs, StateReplaceProviderArgs, StateRmArgs, TaintArgs};
use super::exit::Exit;
use super::project::{Call, backup, layer, wants, with_files};
use super::terminal::Terminal;

/// Gives objects another address.
pub(super) async fn mv(call: &Call, args: &StateMvArgs) -> Exit {
    let asked = Surgery::Move(Box::new((args.from.clone(), args.to.clone())));
    let (from, to, dry) = (args.from.clone(), args.to.clone(), args.dry_run);
    let way = Way::stamped(call, &args.select, &args.lock, &args.files, dry);
    let text = |treated: &Treated, prefix: bool| {
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
    };
    let out = args.files.state_out.as_ref().filter(|out| !dry && Some(*out) != args.files.state.as_ref());
    match out {
        None => run(call, way, &asked, text).await,
        Some(out) => {
            let ends = (args.from.clone(), args.to.clone());
            let backups = [args.files.backup.as_ref(), args.backup_out.as_ref()];
            run_out(call, way, ends, (out, backups), text).await
        }
    }
}

/// Forgets objects.
pub(super) async fn rm(call: &Call, args: &StateRmArgs) -> Exit {
    let asked = Surgery::Remove(args.addresses.clone());
    let dry = args.dry_run;
    let way = Way::stamped(call, &args.select, &args.lock, &args.files, dry);
    run(call, way, &asked, |treated, prefix| {
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
    let way = Way {
        backup: Backup::Beside,
        by_file: false,
        ..Way::stamped(call, &args.select, &args.lock, &args.files, false)
    };
    run(call, way, &asked, |treated, prefix| {
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
    let load = with_files(call.load_state(&args.select), &args.files);
    let Some(session) = call.open(load, &args.select).take(&mut said) else { return true };
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
    let Some(found) = made_by(call, args, &from, &mut said).await else {
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
    run(call, Way::stamped(call, &args.select, &args.lock, &args.files, false), &asked, |_, _| {
        format!("Successfully replaced provider for {} resources.\n", found.len())
    })
    .await
}

/// The resources of which state has objects that a provider made.
async fn made_by(
    call: &Call,
    args: &StateReplaceProviderArgs,
    source: &ProviderSource,
    said: &mut Diagnostics,
) -> Option<BTreeSet<String>> {
    let select = &args.select;
    let load = with_files(call.load_state(select), &args.files);
    let session = call.open(load, select).take(said)?;
    let prefix = session.config.prefixes_layers();
    match session.states().await {
        Ok(states) if states.iter().all(super::state::is_missing) => {
            said.push(super::state::no_state());
            None
        }
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

/// How state is changed.
struct Way<'a> {
    select: &'a SelectArgs,
    lock: &'a LockArgs,
    files: &'a StateFileArgs,
    /// Where the former state is kept, without a flag.
    backup: Backup,
    dry: bool,
    /// Whether the file of `-state` is meant also where the backend is no local one.
    by_file: bool,
    now: jiff::Timestamp,
}

impl<'a> Way<'a> {
    /// With a copy of the former state for each command.
    fn stamped(
        call: &Call,
        select: &'a SelectArgs,
        lock: &'a LockArgs,
        files: &'a StateFileArgs,
        dry: bool,
    ) -> Way<'a> {
        Way { select, lock, files, backup: Backup::Stamped(call.now), dry, by_file: true, now: call.now }
    }

    /// What to load. A file that is named is meant, whatever the backend is.
    fn load(&self, call: &Call) -> LoadOptions {
        let mut load = with_files(call.load_state(self.select), self.files);
        load.needs_state = self.files.state.is_none() || !self.by_file;
        load
    }

    fn options(&self) -> RunOptions {
        let mut options = RunOptions::new(self.now);
        options.layer = layer(self.select);
        options.lock = self.lock.lock;
        options.lock_timeout = self.lock.lock_timeout;
        options
    }
}

async fn run(call: &Call, way: Way<'_>, asked: &Surgery, text: impl Fn(&Treated, bool) -> String) -> Exit {
    let mut said = Diagnostics::none();
    let Some(session) = call.open(way.load(call), way.select).take(&mut said) else {
        return tell(call, &way, &said, None);
    };
    let result = match way.dry {
        true => ops::rehearsal(&session, asked).await,
        false => changed(&session, &way, asked).await,
    };
    let treated = match result {
        Ok(treated) => Some(treated),
        Err(_) if way.dry && matches!(asked, Surgery::Remove(_)) => Some(Treated::new()),
        Err(errors) => {
            said.append(errors);
            None
        }
    };
    tell(call, &way, &said, treated.map(|treated| text(&treated, session.config.prefixes_layers())))
}

async fn changed(session: &ops::Session, way: &Way<'_>, asked: &Surgery) -> Result<Treated, Diagnostics> {
    if let Some(missing) = any_state(session, asked).await {
        return Err(missing.into());
    }
    let files = StateFiles::begin(session, &backup(way.files.backup.as_ref(), way.backup.clone())).await?;
    let treated = ops::surgery(session, &way.options(), asked).await;
    let kept = files.map_or(Ok(()), |files| files.end(treated.is_ok()));
    treated.and_then(|treated| kept.map(|()| treated))
}

/// The file of a local state.
fn local(session: &ops::Session) -> Option<&Path> {
    match &session.config.layers.first()?.state {
        StateSettings::Local { path } => Some(path),
        StateSettings::S3(_) => None,
    }
}

/// Moves from one state file to another one.
async fn run_out(
    call: &Call,
    way: Way<'_>,
    ends: (Pattern, Pattern),
    (out, backups): (&PathBuf, [Option<&PathBuf>; 2]),
    text: impl Fn(&Treated, bool) -> String,
) -> Exit {
    let mut said = Diagnostics::none();
    let open = |file: Option<&PathBuf>, said: &mut Diagnostics| {
        let mut load = way.load(call);
        load.state_out = None;
        if let Some(file) = file {
            load.needs_state = false;
            load.state_file = Some(file.clone());
        }
        call.open(load, way.select).take(said)
    };
    let (Some(from), Some(to)) = (open(None, &mut said), open(Some(out), &mut said)) else {
        return tell(call, &way, &said, None);
    };
    if let (Some(one), Some(other)) = (local(&from), local(&to))
        && ops::is_same_file(one, other)
    {
        // One file under two names: a move within it.
        return run(call, way, &Surgery::Move(Box::new(ends)), text).await;
    }
    let moved = async {
        let kept = [
            StateFiles::begin(&from, &backup(backups[0], way.backup.clone())).await?,
            StateFiles::begin(&to, &backup(backups[1], way.backup.clone())).await?,
        ];
        let treated = ops::move_out(&from, &way.options(), ends, out).await?;
        for files in kept.into_iter().flatten() {
            files.end(true)?;
        }
        Ok::<Treated, Diagnostics>(treated)
    };
    let treated = match moved.await {
        Ok(treated) => Some(treated),
        Err(errors) => {
            said.append(errors);
            None
        }
    };
    tell(call, &way, &said, treated.map(|treated| text(&treated, false)))
}

fn tell(call: &Call, way: &Way<'_>, said: &Diagnostics, text: Option<String>) -> Exit {
    let terminal = Terminal::new(&way.select.look, None);
    terminal.say(said, &call.sources);
    match text {
        Some(text) => {
            terminal.print(&text);
            Exit::Done
        }
        None => Exit::Failed,
    }
}
