//! `infra graph`

use crate::diag::{Diagnostic, Diagnostics};
use crate::ops;
use crate::view;

use super::args::GraphArgs;
use super::exit::Exit;
use super::project::Call;
use super::saved;
use super::terminal::Terminal;

/// Draws the graph of the configuration.
pub(super) fn run(call: &Call, args: &GraphArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    let text = text(call, args, &mut said).filter(|_| !said.has_errors());
    terminal.say_aside(&said, &call.sources);
    match text {
        Some(text) => {
            terminal.print(&text);
            Exit::Done
        }
        None => Exit::Failed,
    }
}

fn text(call: &Call, args: &GraphArgs, said: &mut Diagnostics) -> Option<String> {
    let planned = match args.kind.as_deref() {
        // A saved plan is drawn as what is done, of which an apply is one kind.
        None => args.plan.is_some(),
        Some("plan" | "plan-refresh-only") => true,
        Some("apply") if args.plan.is_some() => true,
        Some(kind) => {
            let detail =
                format!("There is no picture of type {kind:?}. -type=plan draws every node that a plan visits.");
            said.push(Diagnostic::error("Unsupported graph type", detail));
            return None;
        }
    };
    let mut load = match &args.plan {
        None => call.load(&args.select),
        Some(path) => match ops::read_saved(path).and_then(|saved| saved::unpack(call, &saved, &args.select)) {
            Ok(load) => load,
            Err(diagnostic) => {
                said.push(*diagnostic);
                return None;
            }
        },
    };
    load.needs_state = false;
    let session = call.open(load, &args.select).take(said)?;
    let graph = session.graph().take(said)?;
    Some(match (args.format.as_str(), planned) {
        ("mermaid", _) => view::graph_mermaid(&graph),
        (_, true) => view::graph_plan_dot(&graph),
        (_, false) => view::graph_dot(&graph),
    })
}
