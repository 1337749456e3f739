//! `infra workspace`: the environments of a project, or Terraform's workspaces in a folder without one

use std::path::Path;

use crate::config::{self, Config, DEFAULT_WORKSPACE, is_workspace_name, workspace_file, wrong_workspace_name};
use crate::diag::{Diagnostic, Diagnostics};
use crate::ops;
use crate::state::LockRequest;
use crate::view::{self, Style};

use super::args::{LockArgs, SelectArgs, WorkspaceCommand, WorkspaceDeleteArgs};
use super::exit::Exit;
use super::identity::identity;
use super::project::Call;
use super::terminal::Terminal;

/// Runs a command below `workspace`.
pub(super) async fn run(call: &Call, command: &WorkspaceCommand) -> Exit {
    let select = command.select();
    let terminal = Terminal::new(&select.look, None);
    let mut said = Diagnostics::none();
    let style = terminal.style;
    let text = match command {
        WorkspaceCommand::Show(_) => show(call, select, &mut said),
        WorkspaceCommand::List(_) => list(call, select, &mut said).await,
        WorkspaceCommand::New(args) => {
            let asked = New { name: &args.name, from: args.state.as_deref(), lock: locking(Some(&args.lock)) };
            new(call, select, asked, style, &mut said).await
        }
        WorkspaceCommand::Select(args) => choose(call, select, (&args.name, args.or_create), style, &mut said).await,
        WorkspaceCommand::Delete(args) => delete(call, args, &mut said).await,
    };
    terminal.say(&said, &call.sources);
    match text {
        Some(text) if !said.has_errors() => {
            terminal.print(&text);
            Exit::Done
        }
        _ => Exit::Failed,
    }
}

/// Prints the name of the environment, or of the workspace.
fn show(call: &Call, select: &SelectArgs, said: &mut Diagnostics) -> Option<String> {
    let mut load = call.load(select);
    load.needs_state = false;
    load.only_state = true;
    load.leaves_workspace = true;
    // Whoever asks by flags is told when they name none.
    if load.environment.is_none()
        && load.given.is_empty()
        && !load.global
        && let Some((_, current)) = config::environments(&load).take(said)?
    {
        return Some(format!("{}\n", current.as_deref().unwrap_or(DEFAULT_WORKSPACE)));
    }
    Some(format!("{}\n", config::load(&load).take(said)?.environment))
}

/// Remembers an environment of the project; the outer `None` after an error, the inner one in a folder without a project.
fn choose_environment(call: &Call, select: &SelectArgs, name: &str, said: &mut Diagnostics) -> Option<Option<String>> {
    let mut load = call.load(select);
    load.may_be_empty = true;
    let Some(file) = config::environment_file(&load, name).take(said)? else { return Some(None) };
    if overridden(call, select, said) {
        return None;
    }
    let current = config::environments(&load).take(said)?.and_then(|(_, current)| current);
    if current.as_deref().unwrap_or(DEFAULT_WORKSPACE) == name {
        return Some(Some(String::new()));
    }
    write_down(&file, name, said)?;
    Some(Some(switched(name)))
}

fn switched(name: &str) -> String {
    format!("Switched to workspace {name:?}.\n")
}

/// The configuration of a folder without a project, whose workspaces can be made and removed.
fn plain(call: &Call, select: &SelectArgs, what: &str, said: &mut Diagnostics) -> Option<Config> {
    let mut load = call.load(select);
    load.only_state = true;
    // Commands that make or choose one work in whatever is chosen now.
    load.leaves_workspace = true;
    let config = config::load(&load).take(said)?;
    if said.has_errors() {
        return None;
    }
    if let Some(project) = &config.project {
        let names: Vec<&str> = project.environments.iter().map(|name| name.as_str()).collect();
        let detail = format!(
            "In a project a workspace is an environment, which infra.hcl declares ({}). {what}",
            if names.is_empty() { "there is only \"default\"".to_owned() } else { names.join(", ") }
        );
        said.error("Workspaces are environments here", detail);
        return None;
    }
    Some(config)
}

async fn list(call: &Call, select: &SelectArgs, said: &mut Diagnostics) -> Option<String> {
    let mut load = call.load(select);
    load.only_state = true;
    load.leaves_workspace = true;
    let project = config::environments(&load).take(said)?;
    let (names, current) = match project {
        Some((names, current)) => (names, current),
        None => {
            let config = config::load(&load).take(said).filter(|_| !said.has_errors())?;
            match ops::workspaces(&config).await {
                Ok(names) => (names, Some(config.environment.to_string())),
                Err(errors) => {
                    said.append(errors);
                    return None;
                }
            }
        }
    };
    let line = |name: &String| format!("{} {name}\n", if Some(name) == current.as_ref() { "*" } else { " " });
    let mut out = names.iter().map(line).collect::<String>() + "\n";
    if load.process_env.get("TF_WORKSPACE").is_some_and(|name| !name.is_empty()) {
        out.push_str("\n\nThe active workspace is being overridden using the TF_WORKSPACE environment\nvariable.\n\n");
    }
    Some(out)
}

/// With TF_WORKSPACE set, choosing another one would have no effect.
fn overridden(call: &Call, select: &SelectArgs, said: &mut Diagnostics) -> bool {
    let set = call.load(select).process_env.get("TF_WORKSPACE").filter(|name| !name.is_empty()).cloned();
    if let Some(name) = &set {
        let detail = format!("TF_WORKSPACE is {name:?} and decides. Unset it to choose with this command.");
        said.error("The workspace is chosen by TF_WORKSPACE", detail);
    }
    set.is_some()
}

async fn existing(config: &Config, said: &mut Diagnostics) -> Option<Vec<String>> {
    match ops::workspaces(config).await {
        Ok(names) => Some(names),
        Err(errors) => {
            said.append(errors);
            None
        }
    }
}

/// A workspace that is asked for.
struct New<'a> {
    name: &'a str,
    /// The state file that it begins with.
    from: Option<&'a Path>,
    lock: Option<LockRequest>,
}

/// How states are locked: as asked, at once where nothing is said. `None`: not at all.
fn locking(args: Option<&LockArgs>) -> Option<LockRequest> {
    let mut request = LockRequest::new(identity().who, "workspace");
    match args {
        Some(args) if !args.lock => return None,
        Some(args) => request.timeout = args.lock_timeout,
        None => {}
    }
    Some(request)
}

async fn new(call: &Call, select: &SelectArgs, asked: New<'_>, style: Style, said: &mut Diagnostics) -> Option<String> {
    let New { name, from, lock } = asked;
    let config = plain(call, select, "Add an environment block to have one more.", said)?;
    if overridden(call, select, said) || !valid(name, said) {
        return None;
    }
    if existing(&config, said).await?.iter().any(|known| known == name) {
        said.error(
            format!("Workspace {name:?} already exists"),
            format!("Choose it with infra workspace select {name}."),
        );
        return None;
    }
    let from = match from.map(|path| std::fs::read(config.working_dir.join(path)).map_err(|error| (path, error))) {
        None => None,
        Some(Ok(bytes)) => Some(bytes),
        Some(Err((path, error))) => {
            said.error("State file not read", format!("{} cannot be read: {error}.", path.display()));
            return None;
        }
    };
    match ops::make_workspace(&config, name, from.as_deref(), lock.as_ref()).await {
        Err(errors) => {
            said.append(errors);
            None
        }
        Ok(objects) => {
            remember(call, select, name, said)?;
            Some(view::workspace_made(name, objects, style))
        }
    }
}

async fn choose(
    call: &Call,
    select: &SelectArgs,
    (name, or_create): (&str, bool),
    style: Style,
    said: &mut Diagnostics,
) -> Option<String> {
    if let Some(chosen) = choose_environment(call, select, name, said)? {
        return Some(chosen);
    }
    let config = plain(call, select, "Choose one with -env NAME, or TF_WORKSPACE.", said)?;
    if overridden(call, select, said) || !valid(name, said) {
        return None;
    }
    let known = existing(&config, said).await?.iter().any(|known| known == name);
    if !known && or_create {
        return new(call, select, New { name, from: None, lock: locking(None) }, style, said).await;
    }
    if !known {
        let detail = format!("Make it with infra workspace new {name}, or pass -or-create.");
        said.error(format!("Workspace {name:?} doesn't exist"), detail);
        return None;
    }
    if config.environment == *name {
        return Some(String::new());
    }
    remember(call, select, name, said)?;
    Some(switched(name))
}

async fn delete(call: &Call, args: &WorkspaceDeleteArgs, said: &mut Diagnostics) -> Option<String> {
    let (name, lock) = (args.name.as_str(), locking(Some(&args.lock)));
    let config = plain(call, &args.select, "infra destroy -env NAME removes what one has.", said)?;
    if name == DEFAULT_WORKSPACE {
        said.error("Cannot delete the default workspace", "It is always there.");
        return None;
    }
    if config.environment == *name {
        let detail =
            format!("{name:?} is the workspace in use. Choose another one first: infra workspace select default.");
        said.error("Workspace is in use", detail);
        return None;
    }
    if !existing(&config, said).await?.iter().any(|known| known == name) {
        said.error(format!("Workspace {name:?} doesn't exist"), "infra workspace list shows which there are.");
        return None;
    }
    match ops::remove_workspace(&config, name, args.force, lock.as_ref()).await {
        Ok(0) => Some(format!("Deleted workspace {name:?}!\n")),
        Ok(objects) => {
            said.push(Diagnostic::warning(
                "Objects were let go of",
                format!("{objects} of workspace {name:?} still exist; no state knows of them any more."),
            ));
            Some(format!("Deleted workspace {name:?}!\n"))
        }
        Err(errors) => {
            said.append(errors);
            None
        }
    }
}

fn valid(name: &str, said: &mut Diagnostics) -> bool {
    let valid = is_workspace_name(name);
    if !valid {
        said.error("Invalid workspace name", wrong_workspace_name(name));
    }
    valid
}

/// Writes down which workspace is chosen, where Terraform does.
fn remember(call: &Call, select: &SelectArgs, name: &str, said: &mut Diagnostics) -> Option<()> {
    write_down(&workspace_file(&call.load(select)), name, said)
}

fn write_down(path: &Path, name: &str, said: &mut Diagnostics) -> Option<()> {
    let written = match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, name)),
        None => std::fs::write(path, name),
    };
    if let Err(error) = written {
        said.error("Workspace not chosen", format!("{} cannot be written: {error}.", path.display()));
        return None;
    }
    Some(())
}

impl WorkspaceCommand {
    fn select(&self) -> &SelectArgs {
        match self {
            WorkspaceCommand::Show(select) | WorkspaceCommand::List(select) => select,
            WorkspaceCommand::New(args) => &args.select,
            WorkspaceCommand::Select(args) => &args.select,
            WorkspaceCommand::Delete(args) => &args.select,
        }
    }
}
