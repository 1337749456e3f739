//! `infra output`

use crate::diag::{Diagnostic, Diagnostics};
use crate::ops;
use crate::view::{self, ShownOutput};

use super::args::OutputArgs;
use super::exit::Exit;
use super::project::{Call, wants};
use super::shown;
use super::terminal::Terminal;

/// Shows stored outputs.
pub(super) async fn run(call: &Call, args: &OutputArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    let text = text(call, args, &mut said).await;
    if args.json || args.raw {
        // Whoever reads the value reads nothing beside it.
        said.0.retain(Diagnostic::is_error);
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

async fn text(call: &Call, args: &OutputArgs, said: &mut Diagnostics) -> Option<String> {
    let session = call.open(call.load(&args.select), &args.select).take(said)?;
    let stored = match ops::outputs(&session).await {
        Ok(stored) => stored,
        Err(errors) => {
            said.append(errors);
            return None;
        }
    };
    let prefixes = session.config.prefixes_layers();
    let wanted = stored.into_iter().filter(|(layer, _, _)| wants(&args.select, layer));
    let outputs: Vec<ShownOutput> = wanted.map(|(layer, name, output)| shown::output(&layer, name, &output)).collect();
    let Some(name) = &args.name else {
        if args.json {
            return Some(format!("{:#}\n", view::outputs_json(&outputs, prefixes)));
        }
        if outputs.is_empty() {
            said.push(Diagnostic::warning(
                "No outputs found",
                "State holds no outputs: there is no output block, or nothing was applied yet.",
            ));
        }
        return Some(view::outputs(&outputs, prefixes));
    };
    let output = find(&outputs, name, prefixes, said)?;
    if args.raw {
        view::output_raw(output).take(said)
    } else if args.json {
        Some(format!("{}\n", view::output_json(output)))
    } else {
        Some(view::output(output))
    }
}

/// An output by its name, with or without its layer.
fn find<'a>(outputs: &'a [ShownOutput], name: &str, prefixes: bool, said: &mut Diagnostics) -> Option<&'a ShownOutput> {
    let bare = |output: &&ShownOutput| output.name == *name;
    let labelled = |output: &&ShownOutput| output.label(prefixes) == name;
    let found: Vec<&ShownOutput> = outputs.iter().filter(labelled).chain(outputs.iter().filter(bare)).collect();
    match found.as_slice() {
        [one] => Some(one),
        [one, ..] if one.label(prefixes) == name => Some(one),
        [] => {
            let detail = "State has no output of that name. A new output block has a value once it was applied.";
            let close = crate::diag::did_you_mean(name, outputs.iter().map(|output| output.name.as_str()));
            said.error(format!("Output {name:?} not found"), format!("{detail}{close}"));
            None
        }
        several => {
            let labels: Vec<String> = several.iter().map(|output| output.label(prefixes)).collect();
            let detail = format!("Several layers have an output of that name: {}. Name one.", labels.join(", "));
            said.error(format!("Output {name:?} is not unique"), detail);
            None
        }
    }
}
