//! `infra show`

use crate::diag::Diagnostics;
use crate::ops;
use crate::view;

use super::args::ShowArgs;
use super::exit::Exit;
use super::project::{Call, wants};
use super::shown::decode;
use super::terminal::Terminal;

/// Shows a saved plan as it was when it was saved, or the states as they are.
pub(super) async fn run(call: &Call, args: &ShowArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    if let Some(path) = &args.plan {
        return match ops::read_saved(path) {
            Ok(saved) => {
                let text = if args.json { format!("{}\n", saved.json) } else { saved.text };
                terminal.print(&text);
                Exit::Done
            }
            Err(diagnostic) => {
                terminal.say(&(*diagnostic).into(), &call.sources);
                Exit::Failed
            }
        };
    }
    let Some(session) = call.open(call.load(&args.select), &args.select).take(&mut said) else {
        terminal.say(&said, &call.sources);
        return Exit::Failed;
    };
    let states = match session.states().await {
        Ok(states) => states,
        Err(errors) => {
            said.append(errors);
            terminal.say(&said, &call.sources);
            return Exit::Failed;
        }
    };
    let wanted: Vec<_> = states.iter().filter(|state| wants(&args.select, &state.layer)).collect();
    let decoded = decode(&session, &wanted);
    let prefixes = session.config.prefixes_layers();
    let objects = decoded.objects();
    let text = if args.json {
        format!("{}\n", view::state_json(&objects, &decoded.outputs, prefixes))
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
