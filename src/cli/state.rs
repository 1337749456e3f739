//! `infra state list`, `show`, `pull`, `uncertain`, `settle`; `mv` and `rm` are in `surgery`

use crate::addr::{InstanceAddr, Pattern};
use crate::change::Step;
use crate::diag::{Diagnostic, Diagnostics};
use crate::ops::{self, RunOptions, Session, Settlement};
use crate::state::{State, format};
use crate::value::Value;
use crate::view;

use super::args::{SelectArgs, SettleArgs, StateCommand, StateListArgs, StatePullArgs, StateShowArgs};
use super::exit::Exit;
use super::project::{Call, layer, wants};
use super::shown::decode;
use super::terminal::Terminal;

/// Runs a command below `state`.
pub(super) async fn run(call: &Call, command: &StateCommand) -> Exit {
    let select = match command {
        StateCommand::List(args) => &args.select,
        StateCommand::Show(args) => &args.select,
        StateCommand::Pull(args) => &args.select,
        StateCommand::Push(args) => return super::push::run(call, args).await,
        StateCommand::Mv(args) => return super::surgery::mv(call, args).await,
        StateCommand::Rm(args) => return super::surgery::rm(call, args).await,
        StateCommand::ReplaceProvider(args) => return super::surgery::replace_provider(call, args).await,
        StateCommand::Uncertain(select) => select,
        StateCommand::Settle(args) => &args.select,
    };
    let terminal = Terminal::new(&select.look, None);
    let mut said = Diagnostics::none();
    let mut load = call.load_state(select);
    load.state_file = match command {
        StateCommand::List(args) => args.state.clone(),
        StateCommand::Show(args) => args.state.clone(),
        StateCommand::Pull(_)
        | StateCommand::Push(_)
        | StateCommand::Mv(_)
        | StateCommand::Rm(_)
        | StateCommand::ReplaceProvider(_)
        | StateCommand::Uncertain(_)
        | StateCommand::Settle(_) => None,
    };
    let text = match call.open(load, select).take(&mut said) {
        None => None,
        Some(session) => match command {
            StateCommand::List(args) => list(&session, args, &mut said).await,
            StateCommand::Show(args) => show(&session, args, &terminal, &mut said).await,
            StateCommand::Pull(args) => pull(&session, args, &mut said).await,
            StateCommand::Uncertain(select) => uncertain(&session, select, &mut said).await,
            StateCommand::Push(_) | StateCommand::Mv(_) | StateCommand::Rm(_) | StateCommand::ReplaceProvider(_) => {
                None
            }
            StateCommand::Settle(args) => settle(&session, args, RunOptions::new(call.now), &mut said).await,
        },
    };
    if matches!(command, StateCommand::Pull(_)) {
        said.0.retain(crate::diag::Diagnostic::is_error);
    }
    terminal.say(&said, &call.sources);
    match text {
        Some(text) => {
            terminal.print(&text);
            Exit::Done
        }
        None => Exit::Failed,
    }
}

async fn states(session: &Session, select: &SelectArgs, said: &mut Diagnostics) -> Option<Vec<State>> {
    match session.states().await {
        Ok(states) => Some(states.into_iter().filter(|state| wants(select, &state.layer)).collect()),
        Err(errors) => {
            said.append(errors);
            None
        }
    }
}

/// Whether nothing was ever written there.
pub(super) fn is_missing(state: &State) -> bool {
    state.serial == 0 && state.is_empty()
}

/// What commands that need a state say where there is none.
pub(super) fn no_state() -> Diagnostic {
    Diagnostic::error(
        "No state file was found!",
        "State management commands require a state file. Run this command in a directory where infra has been run or use the \
         -state flag to point the command to a specific state location.",
    )
}

/// Addresses that filter a list have to name something, so that a typing error does not pass for an empty answer.
fn unknown(states: &[State], pattern: &Pattern) -> Option<Diagnostic> {
    let mut all = states.iter().flat_map(|state| state.objects().map(|placed| placed.addr(&state.layer)));
    if all.any(|addr| pattern.matches(&addr)) {
        return None;
    }
    let what = match (&pattern.resource, &pattern.key) {
        (None, _) => "Unknown module",
        (Some(_), None) => "Unknown resource",
        (Some(_), Some(_)) => "Unknown resource instance",
    };
    let detail = format!("State has nothing at {pattern}. infra state list without an address shows what it has.");
    Some(Diagnostic::error(what, detail))
}

async fn list(session: &Session, args: &StateListArgs, said: &mut Diagnostics) -> Option<String> {
    let prefixes = session.config.prefixes_layers();
    let states = states(session, &args.select, said).await?;
    if states.iter().all(is_missing) {
        said.push(no_state());
        return None;
    }
    said.append(args.addresses.iter().filter_map(|pattern| unknown(&states, pattern)));
    if said.has_errors() {
        return None;
    }
    let mut out = String::new();
    let mut last = None;
    for state in &states {
        for placed in state.objects() {
            let addr = placed.addr(&state.layer);
            // An instance has one line, whether its object is current or deposed or both.
            if last.as_ref() == Some(&addr) {
                continue;
            }
            last = Some(addr.clone());
            let selected = args.addresses.is_empty() || args.addresses.iter().any(|pattern| pattern.matches(&addr));
            let with_id = args.id.as_deref().is_none_or(|id| {
                let object = crate::value::from_json(placed.object.attributes.as_bytes());
                object.is_ok_and(|object| object.get("id").and_then(Value::as_str) == Some(id))
            });
            if selected && with_id {
                out.push_str(&addr.in_project(prefixes));
                out.push('\n');
            }
        }
    }
    Some(out)
}

/// The one instance that a pattern means.
fn one<'a>(found: &'a [InstanceAddr], pattern: &Pattern, said: &mut Diagnostics) -> Option<&'a InstanceAddr> {
    let exact = |addr: &&InstanceAddr| addr.key == pattern.key && addr.module == pattern.module;
    match found {
        [one] => Some(one),
        [] => {
            said.error(
                "No such object",
                format!("State has no object at {pattern}. infra state list shows what it has."),
            );
            None
        }
        several => {
            let mut exact = several.iter().filter(exact);
            if let (Some(one), None) = (exact.next(), exact.next()) {
                return Some(one);
            }
            let names: Vec<String> = several.iter().map(|addr| addr.in_project(true)).collect();
            said.error(
                "Several objects",
                format!("{pattern} means more than one object. Name one of them:\n  {}", names.join("\n  ")),
            );
            None
        }
    }
}

async fn show(session: &Session, args: &StateShowArgs, terminal: &Terminal, said: &mut Diagnostics) -> Option<String> {
    let states = states(session, &args.select, said).await?;
    if states.iter().all(is_missing) {
        said.push(no_state());
        return None;
    }
    if args.address.resource.is_none() {
        let detail = "That is a module. Name one instance of a resource: infra state list shows them.";
        said.error(format!("Error parsing instance address: {}", args.address), detail);
        return None;
    }
    let decoded = decode(session, &states.iter().collect::<Vec<_>>());
    let objects = decoded.objects();
    let current = || objects.iter().filter(|object| object.deposed.is_none());
    let found: Vec<InstanceAddr> =
        current().map(|object| object.addr.clone()).filter(|addr| args.address.matches(addr)).collect();
    let exactly: Vec<InstanceAddr> = found.iter().filter(|addr| addr.key == args.address.key).cloned().collect();
    if exactly.is_empty() {
        let several: String = found.iter().map(|addr| format!("\n  {}", addr.in_project(true))).collect();
        let hint = if several.is_empty() { String::new() } else { format!(" It has these:{several}") };
        let detail = format!("State has no object at {}; infra state list shows what it has.{hint}", args.address);
        said.error("No instance found for the given address!", detail);
        return None;
    }
    let addr = one(&exactly, &args.address, said)?;
    let shown = objects.iter().filter(|object| object.addr == *addr && object.deposed.is_none());
    let prefixes = session.config.prefixes_layers();
    Some(shown.map(|object| view::object(object, prefixes, terminal.style)).collect::<Vec<_>>().join("\n"))
}

async fn pull(session: &Session, args: &StatePullArgs, said: &mut Diagnostics) -> Option<String> {
    let states = states(session, &args.select, said).await?;
    let [state] = states.as_slice() else {
        let names: Vec<&str> = states.iter().map(|state| state.layer.as_str()).collect();
        said.error(
            "Which layer?",
            format!("Each layer has a state of its own: pass -layer with one of {}.", names.join(", ")),
        );
        return None;
    };
    if is_missing(state) {
        return Some(String::new());
    }
    let mut out = Vec::new();
    match format::write(state, &mut out) {
        Ok(()) => Some(String::from_utf8_lossy(&out).into_owned()),
        Err(error) => {
            said.error("State not written", error.to_string());
            None
        }
    }
}

async fn uncertain(session: &Session, select: &SelectArgs, said: &mut Diagnostics) -> Option<String> {
    let found = match ops::uncertain(session).await {
        Ok(found) => found,
        Err(errors) => {
            said.append(errors);
            return None;
        }
    };
    let prefixes = session.config.prefixes_layers();
    let mut out = String::new();
    for one in found.iter().filter(|one| wants(select, &one.addr.layer)) {
        let what = match one.step {
            Step::Create => "was being created",
            Step::Update => "was being changed; the next apply looks at it",
            Step::Delete => "was being removed; the next apply looks at it",
        };
        out.push_str(&format!("{}: {what}\n", one.addr.in_project(prefixes)));
    }
    if !out.is_empty() {
        out.push_str(
            "\nLook whether they exist, then say so:\n  infra state settle -exists ADDRESS\n  infra state settle -absent ADDRESS\n",
        );
    }
    let journals = match ops::overtaken(session).await {
        Ok(journals) => journals,
        Err(errors) => {
            said.append(errors);
            return None;
        }
    };
    let mut journals = journals.iter().filter(|one| wants(select, &one.layer)).peekable();
    if journals.peek().is_some() {
        if !out.is_empty() {
            out.push('\n');
        }
        for one in journals {
            out.push_str(&view::overtaken(&one.layer, &one.conflict, prefixes));
        }
        out.push_str(
            "\nLook what is true, then say what counts:\n  infra state settle -keep   what these runs recorded replaces what \
             state has\n  infra state settle -drop   what they recorded is forgotten; their objects stay where they are\n",
        );
    }
    if out.is_empty() {
        out.push_str("Nothing is uncertain.\n");
    }
    Some(out)
}

/// Keeps or drops what overtaken runs have recorded.
async fn settle_overtaken(
    session: &Session,
    args: &SettleArgs,
    mut options: RunOptions,
    said: &mut Diagnostics,
) -> Option<String> {
    options.layer = layer(&args.select);
    let settled = match ops::settle_overtaken(session, &options, args.keep).await {
        Ok(settled) => settled,
        Err(errors) => {
            said.append(errors);
            return None;
        }
    };
    let prefixes = session.config.prefixes_layers();
    let mut out = String::new();
    for one in settled {
        let of = if prefixes { format!("layer.{}: ", one.layer) } else { String::new() };
        let journals = if one.journals == 1 { "1 journal".to_owned() } else { format!("{} journals", one.journals) };
        let what = match (args.keep, one.changed) {
            (false, _) => "forgotten",
            (true, true) => "taken into state",
            (true, false) => "taken into state, which has not changed by that",
        };
        out.push_str(&format!("{of}{journals} {what}.\n"));
        if one.uncertain > 0 {
            out.push_str(&format!("{of}{} uncertain: infra state uncertain\n", one.uncertain));
        }
    }
    out.push_str("infra plan shows what that means.\n");
    Some(out)
}

async fn settle(
    session: &Session,
    args: &SettleArgs,
    mut options: RunOptions,
    said: &mut Diagnostics,
) -> Option<String> {
    let Some(address) = &args.address else { return settle_overtaken(session, args, options, said).await };
    let open = match ops::uncertain(session).await {
        Ok(open) => open,
        Err(errors) => {
            said.append(errors);
            return None;
        }
    };
    let found: Vec<InstanceAddr> = open.into_iter().map(|one| one.addr).filter(|addr| address.matches(addr)).collect();
    if found.is_empty() {
        said.push(Diagnostic::error(
            "Nothing is uncertain there",
            format!("No unfinished call is known for {address}. infra state uncertain lists them."),
        ));
        return None;
    }
    let addr = one(&found, address, said)?;
    // Only the layer of the object is written.
    options.layer = layer(&args.select).or_else(|| Some(addr.layer.clone()));
    let settlement = if args.exists { Settlement::Exists } else { Settlement::Absent };
    match ops::settle(session, &options, addr, settlement).await {
        Ok(()) => {
            let name = addr.in_project(session.config.prefixes_layers());
            Some(match settlement {
                Settlement::Exists => {
                    format!("{name} is in state now, marked as tainted: the next apply replaces it.\n")
                }
                Settlement::Absent => format!("{name} is taken as not existing: the next apply makes it.\n"),
            })
        }
        Err(errors) => {
            said.append(errors);
            None
        }
    }
}
