//! `infra import`

use crate::config::LoadOptions;
use crate::diag::Diagnostics;
use crate::ops::{self, Backup, RunOptions, StateFiles};

use super::args::ImportArgs;
use super::exit::Exit;
use super::listen::Listener;
use super::project::{Call, backup, layer, with_files};
use super::terminal::Terminal;

/// Takes over an object that exists already.
pub(super) async fn run(call: &Call, args: &ImportArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    let text = import(call, args, terminal, &mut said).await;
    terminal.say(&said, &call.sources);
    match text.filter(|_| !said.has_errors()) {
        Some(text) => {
            terminal.print(&text);
            Exit::Done
        }
        None => Exit::Failed,
    }
}

async fn import(call: &Call, args: &ImportArgs, terminal: Terminal, said: &mut Diagnostics) -> Option<String> {
    let session = call.open(load(call, args), &args.select).take(said)?;
    let mut options = RunOptions::new(call.now);
    options.layer = layer(&args.select);
    options.lock = args.lock.lock;
    options.lock_timeout = args.lock.lock_timeout;
    options.parallelism = if args.parallelism == 0 { options.parallelism } else { args.parallelism as usize };
    let files = match StateFiles::begin(&session, &backup(args.files.backup.as_ref(), Backup::Beside)).await {
        Ok(files) => files,
        Err(wrong) => {
            said.append(wrong);
            return None;
        }
    };
    let listener = Listener::quiet(terminal);
    let imported = ops::import(&session, &options, &args.address, &args.id, &listener).await;
    listener.finish();
    if let Some(Err(wrong)) = files.map(|files| files.end(imported.is_ok())) {
        said.append(wrong);
    }
    match imported {
        Ok(addr) => {
            let name = addr.in_project(session.config.prefixes_layers());
            let next = " infra plan shows where it differs from the configuration.";
            let next = if terminal.hints { next } else { "" };
            Some(format!(
                "{name}: Imported from ID {:?}.\n\nImport successful!\n\nThe object is in state now.{next}\n",
                args.id
            ))
        }
        Err(errors) => {
            said.append(errors);
            None
        }
    }
}

/// What to load. The configuration may lie elsewhere; the state of a folder without a backend lies here all the same.
fn load(call: &Call, args: &ImportArgs) -> LoadOptions {
    let mut load = with_files(call.load(&args.select), &args.files);
    if let Some(dir) = &args.config {
        load.state_file.get_or_insert_with(|| call.working_dir.join("terraform.tfstate"));
        for path in [&mut load.state_file, &mut load.state_out].into_iter().flatten() {
            *path = call.working_dir.join(&*path);
        }
        load.working_dir = call.working_dir.join(dir);
    }
    load
}
