//! `infra show`: state, or what a file holds

use std::path::Path;

use crate::diag::{Diagnostic, Diagnostics};
use crate::ops::{self, SavedPlan};
use crate::state::State;
use crate::view;

use super::args::ShowArgs;
use super::exit::Exit;
use super::project::{Call, wants};
use super::shown::{self, decode};
use super::terminal::Terminal;

/// What a file holds.
enum Read {
    Plan(Box<SavedPlan>),
    State(Box<State>),
}

fn read(path: &Path) -> Result<Read, Box<Diagnostic>> {
    let plan = match ops::read_saved(path) {
        Ok(saved) => return Ok(Read::Plan(Box::new(saved))),
        Err(diagnostic) => diagnostic.detail,
    };
    let state = match shown::state_file(path) {
        Ok(Some(state)) => return Ok(Read::State(Box::new(state))),
        // That there is no such file has been said.
        Ok(None) => String::new(),
        Err(said) => said.iter().map(|said| format!("\nAs a state file: {}", said.detail)).collect(),
    };
    let detail = format!("As a plan file: {plan}{state}");
    Err(Box::new(Diagnostic::error("Failed to read the given file as a state or plan file", detail)))
}

/// Shows a saved plan as it was when it was saved, or the states as they are.
pub(super) async fn run(call: &Call, args: &ShowArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    let mut of_file = None;
    if let Some(path) = &args.file {
        match read(path) {
            Ok(Read::Plan(saved)) => {
                let text = if args.json { format!("{}\n", saved.json) } else { format!("\n{}", saved.text) };
                terminal.print(&text);
                return Exit::Done;
            }
            Ok(Read::State(state)) => of_file = Some(*state),
            Err(diagnostic) => {
                terminal.say(&(*diagnostic).into(), &call.sources);
                return Exit::Failed;
            }
        }
    }
    let Some(session) = call.open(call.load_state(&args.select), &args.select).take(&mut said) else {
        terminal.say(&said, &call.sources);
        return Exit::Failed;
    };
    let by_file = of_file.is_some();
    let states = match of_file {
        Some(state) => Ok(vec![state]),
        None => session.states().await,
    };
    let states = match states {
        Ok(states) => states,
        Err(errors) => {
            said.append(errors);
            terminal.say(&said, &call.sources);
            return Exit::Failed;
        }
    };
    let wanted: Vec<_> = states.iter().filter(|state| by_file || wants(&args.select, &state.layer)).collect();
    let decoded = decode(&session, &wanted);
    let checks = wanted.iter().filter_map(|state| Some((state.layer.clone(), state.check_results.clone()?)));
    let checks: Vec<_> = checks.collect();
    let prefixes = session.config.prefixes_layers() && !by_file;
    let objects = decoded.objects();
    let text = if args.json {
        format!("{}\n", view::state_json(&objects, &decoded.outputs, &checks, prefixes))
    } else if !by_file && wanted.iter().all(|state| state.lineage.is_empty()) {
        // Nothing was ever written.
        "No state.\n".to_owned()
    } else {
        view::state(&objects, &decoded.outputs, prefixes, terminal.style)
    };
    terminal.print(&text);
    if args.json {
        // Whoever reads the document reads nothing beside it.
        said.0.retain(crate::diag::Diagnostic::is_error);
    } else {
        said.append(decoded.said);
    }
    terminal.say(&said, &call.sources);
    Exit::Done
}
