//! `infra validate`

use crate::config::LoadOptions;
use crate::diag::Diagnostics;
use crate::ops;
use crate::plan::Options;
use crate::view;

use super::args::ValidateArgs;
use super::exit::Exit;
use super::project::Call;
use super::terminal::Terminal;

/// What is to be said of the global layers, beside what has been said of an environment. Values make no difference here.
async fn global(call: &Call, load: LoadOptions, before: &Diagnostics) -> Diagnostics {
    let load = LoadOptions { global: true, environment: None, given: Vec::new(), ..load };
    let mut said = Diagnostics::none();
    if let Some(session) = call.open_all(load).take(&mut said) {
        said.append(ops::validate(&session, &Options::new(call.now)).await);
    }
    said.0.retain(|one| !before.0.contains(one));
    said
}

/// Checks the configuration with nothing known from outside.
pub(super) async fn run(call: &Call, args: &ValidateArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut load = call.load(&args.select);
    load.needs_state = false;
    load.may_be_empty = true;
    load.needs_values = false;
    let mut said = Diagnostics::none();
    let tests = crate::config::TestLoad {
        load: load.clone(),
        layer: args.select.layer.clone(),
        directory: args.test_directory.clone(),
        filters: Vec::new(),
    };
    if let Some(session) = call.open(load.clone(), &args.select).take(&mut said) {
        said.append(ops::validate(&session, &Options::new(call.now)).await);
        if !session.config.global.is_empty() {
            said.append(global(call, load, &said).await);
        }
        // The process ends soon: the system takes its memory back faster than a value at a time.
        std::mem::forget(session);
        if !args.no_tests {
            said.append(crate::config::check_tests(&tests));
        }
    }
    if args.json {
        terminal.print(&format!("{:#}\n", view::validation_json(&said, &call.sources)));
    } else {
        terminal.say(&said, &call.sources);
        if !said.has_errors() {
            let head = terminal.style.paint(view::Ink::Green, &terminal.style.bold("Success!"));
            let but = if said.is_empty() { "." } else { ", but there were some validation warnings as shown above." };
            let text = format!("{head} The configuration is valid{but}");
            terminal.print(&format!("{}\n\n", terminal.style.prose(&text)));
        }
    }
    if said.has_errors() { Exit::Failed } else { Exit::Done }
}
