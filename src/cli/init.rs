//! `infra init`

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::addr::ProviderSource;
use crate::config::{LoadOptions, data_dir, has_configuration};
use crate::diag::{Diagnostic, Diagnostics};
use crate::ops::{self, InitialiseOptions, Session};
use crate::providers::version_of;

use super::args::InitArgs;
use super::exit::Exit;
use super::get;
use super::identity::identity;
use super::init_output::InitOutput;
use super::project::{Call, chosen_later, place};
use super::providers::mentioned;
use super::signals;
use super::terminal::Terminal;

/// Initialises the backend, installs modules, writes down the providers, and reaches every state.
pub(super) async fn run(call: &Call, args: &InitArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, args.input);
    let refused = std::env::var("TF_INPUT").is_ok_and(|text| matches!(text.as_str(), "0" | "false" | "f" | "no"));
    let output = InitOutput::new(terminal, args.json, args.input.unwrap_or(!refused));
    let mut said = Diagnostics::none();
    let done = match incompatible(args) {
        Some(refused) => {
            said.push(refused);
            None
        }
        None => steps(call, args, terminal, &output, &mut said).await,
    };
    output.tell(&said, &call.sources);
    match done {
        Some(finished) if !said.has_errors() => {
            finished.tell(&output);
            Exit::Done
        }
        Some(_) | None => Exit::Failed,
    }
}

/// Flags that do not go together.
fn incompatible(args: &InitArgs) -> Option<Diagnostic> {
    if args.migrate_state && args.json {
        let detail = "infra cannot ask for interactive approval when -json is set. To use the -migrate-state option, disable the \
                      -json option.";
        return Some(Diagnostic::error("The -migrate-state and -json options are mutually-exclusive", detail));
    }
    let both = args.migrate_state && args.reconfigure;
    let detail = "The -migrate-state and -reconfigure options are mutually-exclusive.";
    both.then(|| Diagnostic::error("Invalid init options", detail))
}

/// How it ended well.
enum Finished {
    /// There is nothing to initialise.
    Empty,
    /// Everything is in place; a line about a project.
    Ready(Option<String>),
}

impl Finished {
    fn tell(&self, output: &InitOutput) {
        match self {
            Finished::Empty => output.message(
                "output_init_empty_message",
                &format!(
                    "{0} initialized in an empty directory!\n\nThe directory has no {0} configuration files. You may begin \
                     working\nwith {0} immediately by creating {0} configuration files.",
                    output.name()
                ),
            ),
            Finished::Ready(about) => {
                if let Some(about) = about {
                    output.line(about);
                }
                output.done();
            }
        }
    }
}

async fn steps(
    call: &Call,
    args: &InitArgs,
    terminal: Terminal,
    output: &InitOutput,
    said: &mut Diagnostics,
) -> Option<Finished> {
    if let Some(source) = &args.from_module {
        output.message("copying_configuration_message", &format!("Copying configuration from {source:?}..."));
        if let Err(wrong) = ops::copy_module(source, &call.working_dir).await {
            said.append(wrong);
            return None;
        }
    }
    let mut load = call.load(&args.select);
    load.backend_config.clone_from(&args.backend_config);
    if !has_configuration(&load) {
        return Some(Finished::Empty);
    }
    let chosen_later = chosen_later(&load);
    let later = chosen_later.is_some();
    if let Some(any) = chosen_later {
        load.environment = Some(any);
        load.needs_values = false;
        load.needs_state = false;
    } else if args.backend {
        output.message("initializing_backend_message", "Initializing the backend...");
        // A state that moves arrives whole, whatever signal comes.
        let options = options(call, args);
        match signals::guard(terminal, ops::initialise(&load, &options, output)).await {
            Ok(more) => said.append(more),
            Err(wrong) => {
                said.append(wrong);
                return None;
            }
        }
        // What is worth a warning is found again by the load that counts.
        *said = Diagnostics::none();
    } else {
        load.needs_state = false;
        load.backend_config.clear();
    }
    let interrupted = tokio::select! {
        () = signals::any() => Diagnostic::error("Interrupted", "Nothing that was in its place by then is undone; run init again."),
        finished = install(call, (args, later), load, output, said) => return finished,
    };
    said.push(interrupted);
    None
}

/// Modules, providers, and whether states can be reached.
async fn install(
    call: &Call,
    (args, later): (&InitArgs, bool),
    load: LoadOptions,
    output: &InitOutput,
    said: &mut Diagnostics,
) -> Option<Finished> {
    if args.get {
        output.message("initializing_modules_message", "Initializing modules...");
        let installed = get::install(call, &load, args.upgrade, &|line| output.line(line)).await;
        if installed.has_errors() {
            said.append(installed);
            return None;
        }
    }
    let data = data_dir(&load);
    let session = call.open(load, &args.select).take(said)?;
    providers(&session, args, output, said)?;
    // Others look for this folder to know whether init has run.
    if let Err(error) = std::fs::create_dir_all(&data) {
        said.error("Working directory not prepared", format!("{} cannot be made: {error}.", data.display()));
        return None;
    }
    let reaches = args.backend && !later;
    if reaches {
        said.append(ops::init(&session).await);
    }
    (!said.has_errors()).then(|| Finished::Ready(about(&session, reaches, later)))
}

fn options(call: &Call, args: &InitArgs) -> InitialiseOptions {
    InitialiseOptions {
        migrate: args.migrate_state || args.force_copy,
        reconfigure: args.reconfigure,
        force_copy: args.force_copy,
        lock: args.lock.lock,
        lock_timeout: args.lock.lock_timeout,
        started: call.now,
        identity: identity(),
    }
}

/// Names the providers and writes down their versions.
fn providers(session: &Session, args: &InitArgs, output: &InitOutput, said: &mut Diagnostics) -> Option<()> {
    output.message("initializing_provider_plugin_message", "Initializing provider plugins...");
    let mut chosen: BTreeMap<ProviderSource, &'static str> = BTreeMap::new();
    for source in mentioned(session) {
        if source == ProviderSource::builtin() {
            output.line(&format!("- {source} is built in to {}\n", output.name()));
        } else if let Some(version) = version_of(&source).filter(|_| session.registry.provider(&source).is_some()) {
            output.line(&format!("- {source} is part of infra, as v{version}\n"));
            chosen.insert(source, version);
        }
    }
    let dir = root(session);
    let readonly = args.lockfile.as_deref() == Some("readonly");
    match ops::lock_providers(session, &dir, &chosen, readonly) {
        Ok(locking) => output.locked(locking),
        Err(wrong) => {
            said.append(wrong);
            return None;
        }
    }
    Some(())
}

/// The folder of the project, or of the configuration.
fn root(session: &Session) -> PathBuf {
    let config = &session.config;
    config.project.as_ref().map_or_else(|| config.working_dir.clone(), |project| project.dir.clone())
}

/// What a project is about, and that its states can be reached.
fn about(session: &Session, reaches: bool, later: bool) -> Option<String> {
    let config = &session.config;
    let reached = if reaches { "State can be reached." } else { "" };
    match &config.project {
        // The one that it was read with is any of them.
        Some(project) if later => Some(format!(
            "\nProject {} · {} layers · no environment is chosen yet: infra workspace select NAME chooses one\n",
            project.name,
            config.layers.len(),
        )),
        Some(project) => Some(format!(
            "\nProject {} · {} · {} layers · state {}\n{reached}\n",
            project.name,
            super::project::about(config),
            config.layers.len(),
            place(config)
        )),
        None => None,
    }
}
