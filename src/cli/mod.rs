//! The command line: arguments in, commands run, text out, exit code back. Only this room prints.
//!
//! One file a command; `args` declares them all. Not here: what commands do (`ops`), how things look (`view`).

mod apply;
mod approve;
mod args;
mod console;
mod exit;
mod fmt;
mod gate;
mod generate;
mod get;
mod graph;
mod identity;
mod import;
mod init;
mod init_output;
mod listen;
mod log;
mod metadata;
mod modules;
mod normalise;
mod output;
mod plan;
mod product;
mod project;
mod providers;
mod push;
mod sandbox;
mod saved;
mod show;
mod shown;
mod signals;
mod state;
mod surgery;
mod terminal;
mod test;
mod unlock;
mod usage;
mod validate;
mod version;
mod wiring;
mod workspace;

use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};

use crate::diag::{Diagnostic, SourceMap};
use crate::plan::PlanMode;
use crate::threads;

use args::{Command, GateCommand, LookArgs, MetadataCommand, Root, SandboxCommand, StateCommand};
use exit::Exit;
use project::Call;
use terminal::Terminal;

/// Terraform's commands that are not there yet: whoever types one is told so, not offered another one.
const NOT_YET: &[&str] = &["drift", "env", "login", "logout", "query", "stacks"];

/// For what is said before a command has read how it is to look.
const PLAIN: LookArgs = LookArgs { no_color: false, compact_warnings: false };

/// Runs the command that the arguments of this process ask for.
pub fn main() -> ExitCode {
    let args: Vec<String> = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    // What goes through values recurses, and the stack of a process's first thread is the caller's to choose.
    threads::with_stack(|| run(&args)).unwrap_or_else(|| run(&args)).into()
}

fn run(args: &[String]) -> Exit {
    let args = match normalise::normalise(args, &|name| std::env::var(name).ok()) {
        Ok(args) => args,
        Err(variable) => {
            return refuse("Quotes do not match", &format!("The environment variable {variable} has an open quote."));
        }
    };
    if let Some(refused) = product::refused() {
        return refuse(&refused.summary, &refused.detail);
    }
    // Before anything else: it is asked for by scripts, often.
    if matches!(args.first().map(String::as_str), Some("--version" | "-v")) {
        return version::run(&args::VersionArgs { json: args.iter().any(|arg| arg == "--json") }, Path::new("."));
    }
    if let Some(command) = args.iter().find(|arg| !arg.starts_with('-'))
        && NOT_YET.contains(&command.as_str())
    {
        return refuse(
            "Not yet",
            &format!("This program has no command {command:?} yet. infra -help lists what it has."),
        );
    }
    let parser = Root::command();
    let named = normalise::command(&args);
    let args = normalise::switches(args, &parser);
    let matches = match parser.try_get_matches_from(std::iter::once("infra".to_owned()).chain(args)) {
        Ok(matches) => matches,
        Err(error) => return usage(&error, &named),
    };
    let root = match Root::from_arg_matches(&matches) {
        Ok(root) => root,
        Err(error) => return usage(&error, &named),
    };
    match &root.command {
        Command::Version(args) => version::run(args, root.chdir.as_deref().unwrap_or(Path::new("."))),
        Command::Metadata(MetadataCommand::Functions(_)) => metadata::functions(),
        Command::Completions(args) => metadata::completions(args),
        _ => command(&root, &matches),
    }
}

/// Runs a command that needs a project.
fn command(root: &Root, matches: &ArgMatches) -> Exit {
    log::start();
    let given = match args::given(matches) {
        Ok(given) => given,
        Err(text) => {
            return refuse("Invalid -var option", &format!("{text:?} assigns nothing; write -var 'name=value'."));
        }
    };
    let call = match Call::new(root.chdir.as_ref(), given) {
        Ok(call) => call,
        Err(diagnostic) => return refuse(&diagnostic.summary, &diagnostic.detail),
    };
    match &root.command {
        Command::Graph(args) => return graph::run(&call, args),
        Command::Fmt(args) => return fmt::run(&call, args),
        Command::Modules(args) => return modules::run(&call, args),
        _ => {}
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().worker_threads(workers()).thread_stack_size(threads::STACK);
    let runtime = match runtime.build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse("Program not started", &format!("Its threads cannot be made: {error}.")),
    };
    let exit = runtime.block_on(async {
        let work = perform(root, &call);
        match writes(&root.command) {
            true => signals::guard(Terminal::new(&PLAIN, None), work).await,
            false => work.await,
        }
    });
    // Whatever still runs (a reader of standard input, a call that was given up) is not waited for.
    runtime.shutdown_background();
    exit
}

/// Whether a command locks or writes state without the loop of a run, which hears signals itself: such a command is not ended in
/// the middle of it.
fn writes(command: &Command) -> bool {
    match command {
        Command::State(command) => match command {
            StateCommand::Push(_)
            | StateCommand::Mv(_)
            | StateCommand::Rm(_)
            | StateCommand::ReplaceProvider(_)
            | StateCommand::Settle(_) => true,
            StateCommand::List(_) | StateCommand::Show(_) | StateCommand::Pull(_) | StateCommand::Uncertain(_) => false,
        },
        Command::Import(_)
        | Command::Taint(_)
        | Command::Untaint(_)
        | Command::ForceUnlock(_)
        | Command::Workspace(_) => true,
        // Only a state that moves is written; modules that are fetched may be left half done.
        Command::Init(args) => args.migrate_state || args.force_copy,
        Command::Get(_)
        | Command::Validate(_)
        | Command::Plan(_)
        | Command::Apply(_)
        | Command::Destroy(_)
        | Command::Refresh(_)
        | Command::Show(_)
        | Command::Output(_)
        | Command::Console(_)
        | Command::Gate(_)
        | Command::Sandbox(_)
        | Command::Test(_)
        | Command::Providers(_)
        | Command::Graph(_)
        | Command::Modules(_)
        | Command::Metadata(_)
        | Command::Completions(_)
        | Command::Fmt(_)
        | Command::Version(_) => false,
    }
}

async fn perform(root: &Root, call: &Call) -> Exit {
    match &root.command {
        Command::Init(args) => init::run(call, args).await,
        Command::Get(args) => get::run(call, args).await,
        Command::Validate(args) => validate::run(call, args).await,
        Command::Plan(args) => plan::run(call, args).await,
        Command::Apply(args) => apply::run(call, args, None).await,
        Command::Destroy(args) => apply::run(call, args, Some(PlanMode::Destroy)).await,
        Command::Refresh(args) => apply::run(call, args, Some(PlanMode::RefreshOnly)).await,
        Command::Show(args) => show::run(call, args).await,
        Command::Output(args) => output::run(call, args).await,
        Command::Console(args) => console::run(call, args).await,
        Command::State(command) => state::run(call, command).await,
        Command::Import(args) => import::run(call, args).await,
        Command::Taint(args) => surgery::taint(call, args, true).await,
        Command::Untaint(args) => surgery::taint(call, args, false).await,
        Command::Gate(GateCommand::Run(args)) => gate::run(call, args).await,
        Command::Sandbox(SandboxCommand::Serve(args)) => sandbox::run(call, args).await,
        Command::Test(args) => test::run(call, args).await,
        Command::ForceUnlock(args) => unlock::run(call, args).await,
        Command::Workspace(command) => workspace::run(call, command).await,
        Command::Providers(args) => providers::run(call, args).await,
        Command::Graph(args) => graph::run(call, args),
        Command::Modules(args) => modules::run(call, args),
        Command::Metadata(MetadataCommand::Functions(_)) => metadata::functions(),
        Command::Completions(args) => metadata::completions(args),
        Command::Fmt(args) => fmt::run(call, args),
        Command::Version(args) => version::run(args, &call.working_dir),
    }
}

/// One worker waits at a prompt while another hears signals.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2))
}

/// A mistake in the arguments. Terraform's code for it is 1; 2 would read as "there are changes".
fn usage(error: &clap::Error, command: &str) -> Exit {
    let exit = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Exit::Failed,
        _ => {
            let said = usage::diagnostic(error, command, product::product());
            return refuse(&said.summary, &said.detail);
        }
    };
    // Nothing can be done when even that cannot be printed.
    let _ = error.print();
    exit
}

fn refuse(summary: &str, detail: &str) -> Exit {
    // Arguments that cannot be read are looked through for this one.
    let no_color = std::env::args().any(|arg| matches!(arg.as_str(), "-no-color" | "--no-color"));
    let terminal = Terminal::new(&LookArgs { no_color, ..PLAIN }, None);
    terminal.say(&Diagnostic::error(summary, detail).into(), &SourceMap::default());
    Exit::Failed
}
