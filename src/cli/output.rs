//! `infra output`

use std::path::Path;

use crate::addr::{LayerName, Name};
use crate::diag::{Diagnostic, Diagnostics};
use crate::ops;
use crate::state::OutputState;
use crate::view::{self, ShownOutput, Style};

use super::args::OutputArgs;
use super::exit::Exit;
use super::project::{Call, wants};
use super::shown;
use super::terminal::Terminal;

/// Shows stored outputs.
pub(super) async fn run(call: &Call, args: &OutputArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    let text = text(call, args, terminal.style, &mut said).await;
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

/// Flags that do not go together.
fn refused(args: &OutputArgs) -> Option<Diagnostic> {
    match (args.json, args.raw, &args.name) {
        (true, true, _) => {
            Some(Diagnostic::error("Invalid output format", "-json and -raw are two formats: give one."))
        }
        (false, true, None) => {
            Some(Diagnostic::error("Output name required", "-raw prints the value of one output: name it."))
        }
        _ => None,
    }
}

/// The outputs that a state file holds; none where there is no such file.
fn of_file(path: &Path) -> Result<Vec<(LayerName, Name, OutputState)>, Diagnostics> {
    Ok(match shown::state_file(path)? {
        Some(state) => {
            let named = state.outputs.iter().map(|(name, output)| (state.layer.clone(), name.clone(), output.clone()));
            named.collect()
        }
        None => Vec::new(),
    })
}

async fn text(call: &Call, args: &OutputArgs, style: Style, said: &mut Diagnostics) -> Option<String> {
    if let Some(refused) = refused(args) {
        said.push(refused);
        return None;
    }
    let session = call.open(call.load_state(&args.select), &args.select).take(said)?;
    let stored = match &args.state {
        Some(path) => of_file(path),
        None => ops::outputs(&session).await,
    };
    let stored = match stored {
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
            return Some(escaped(format!("{:#}\n", view::outputs_json(&outputs, prefixes))));
        }
        if outputs.is_empty() {
            said.push(Diagnostic::warning("No outputs found", view::no_outputs(style)));
        }
        return Some(view::outputs(&outputs, prefixes));
    };
    let output = find(&outputs, name, prefixes, said)?;
    if args.raw {
        view::output_raw(output).take(said)
    } else if args.json {
        Some(escaped(format!("{}\n", view::output_json(output))))
    } else {
        Some(view::output(output))
    }
}

/// JSON that can stand in a page, as Terraform writes it. These characters stand in texts only, where the escape means the same.
fn escaped(json: String) -> String {
    let mut json = json;
    for (from, to) in
        [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("\u{2028}", "\\u2028"), ("\u{2029}", "\\u2029")]
    {
        if json.contains(from) {
            json = json.replace(from, to);
        }
    }
    json
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
