//! `infra plan`

use std::time::Instant;

use jiff::Timestamp;

use crate::diag::{Diagnostic, Diagnostics};
use crate::event::Stop;
use crate::ops::{self, RunOptions, SavedPlan, Session};
use crate::plan::{Plan, PlanMode};
use crate::view::{self, Heading, Stream, Style};

use super::args::PlanArgs;
use super::exit::Exit;
use super::generate;
use super::listen::Listener;
use super::project::{Call, deprecated, incompatible, place, run_options, with_files};
use super::saved;
use super::terminal::Terminal;

/// Plans and shows; with `-out` saves.
pub(super) async fn run(call: &Call, args: &PlanArgs) -> Exit {
    let began = Instant::now();
    let planning = &args.planning;
    let terminal = Terminal::new(&planning.select.look, planning.input);
    let options = run_options(planning, call.now);
    let mut load = with_files(call.load(&planning.select), &planning.files);
    load.may_be_empty = options.mode == PlanMode::Destroy;
    load.generates = args.generate_config_out.is_some();
    let mut said = Diagnostics::none();
    said.append(deprecated(&planning.files));
    if let Some(refused) = incompatible(planning) {
        said.push(refused);
        terminal.say(&said, &call.sources);
        return Exit::Failed;
    }
    if let Some(path) = &args.generate_config_out
        && let Err(diagnostic) = generate::check(path, options.mode)
    {
        said.push(*diagnostic);
        terminal.say(&said, &call.sources);
        return Exit::Failed;
    }
    let stream = Stream::new(false);
    if planning.json {
        terminal.print(&stream.version(Timestamp::now()));
    }
    let mut plan = None;
    let mut opened = None;
    if let Some(session) = call.open(load, &planning.select).take(&mut said) {
        let prefixes = session.config.prefixes_layers();
        let listener = if planning.json { Listener::new(terminal, prefixes, true) } else { Listener::quiet(terminal) };
        let stop = Stop::default();
        let signals = super::signals::listen(&stop, &listener);
        plan = stop.scope(ops::plan(&session, &options, &listener)).await.take(&mut said);
        signals.abort();
        listener.finish();
        if stop.is_asked() {
            // A plan that was stopped is none, not even one that failed.
            plan = None;
        }
        opened = Some(session);
    }
    let failed = said.has_errors();
    if let (Some(session), Some(plan)) = (&opened, &plan) {
        if planning.json {
            terminal.print(&Stream::new(plan.prefixes_layers).plan(plan, Timestamp::now()));
        } else {
            terminal.print(&heading(session, plan, began));
            view::plan_in_pieces(plan, terminal.style, &mut |piece| terminal.print(piece));
        }
        if let Some(path) = args.generate_config_out.as_ref().filter(|_| !failed) {
            match generate::write(path, plan) {
                Ok(true) if !planning.json => terminal.print(&format!(
                    "\nWrote configuration for what is imported to {}. Review it, and edit it before you keep it.\n",
                    path.display()
                )),
                Ok(_) => {}
                Err(diagnostic) => said.push(*diagnostic),
            }
        }
        match &args.out {
            Some(path) => match save(call, args, session, &options, plan, path) {
                Ok(()) if planning.json || failed || !terminal.hints => {}
                Ok(()) => terminal.print(&format!(
                    "\nSaved the plan to {0}. Carry out exactly this with:\n    infra apply {0}\n",
                    path.display()
                )),
                Err(diagnostic) => said.push(*diagnostic),
            },
            None if planning.json || failed || plan.is_empty() || !terminal.hints => {}
            None => {
                terminal.print("\nThis plan was not saved: infra apply plans anew and asks. Keep it with -out=FILE.\n")
            }
        }
    }
    tell(&terminal, &said, call, planning.json.then_some(stream));
    let exit = match &plan {
        Some(plan) if !said.has_errors() => {
            if args.detailed_exitcode && !plan.is_empty() {
                Exit::Changes
            } else {
                Exit::Done
            }
        }
        _ => Exit::Failed,
    };
    // The process ends: the system takes its memory back at once, a value at a time would take a tenth of the run.
    std::mem::forget((plan, opened));
    exit
}

/// Says everything at the end, in the form that was asked for.
pub(super) fn tell(terminal: &Terminal, said: &Diagnostics, call: &Call, stream: Option<Stream>) {
    match stream {
        Some(stream) => {
            for diagnostic in said.iter() {
                terminal.print(&stream.diagnostic(diagnostic, &call.sources, Timestamp::now()));
            }
        }
        None => terminal.say(said, &call.sources),
    }
}

/// The line above the plan of a project; nothing in plain mode.
pub(super) fn heading(session: &Session, plan: &Plan, began: Instant) -> String {
    let config = &session.config;
    let Some(project) = &config.project else { return "\n".to_owned() };
    let heading = Heading {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        project: project.name.to_string(),
        about: super::project::about(config),
        state: place(config),
        layers: plan.layers.len(),
        objects: plan.layers.iter().map(|layer| layer.objects).sum(),
        elapsed: began.elapsed(),
    };
    format!("{}\n", view::heading(&heading))
}

fn save(
    call: &Call,
    args: &PlanArgs,
    session: &Session,
    options: &RunOptions,
    plan: &Plan,
    path: &std::path::Path,
) -> Result<(), Box<Diagnostic>> {
    let load = saved::pack(call, session, &args.planning.select, args.generate_config_out.is_some());
    let text = view::plan(plan, Style::PLAIN);
    let json = view::plan_json(plan).to_string();
    ops::write_saved(path, &SavedPlan::new(plan, options, load, text, json))
}
