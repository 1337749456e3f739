//! `infra plan`

use std::time::Instant;

use jiff::Timestamp;

use crate::config::relative;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
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
    if args.generate_config_out.is_some()
        && let Err(diagnostic) = generate::check_mode(options.mode)
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
    let free = |session: &Session| {
        args.generate_config_out.as_ref().map_or(Ok(()), |path| generate::check_target(path, &session.config))
    };
    let session = call.open(load, &planning.select).and_then(|session| match free(&session) {
        Ok(()) => Outcome::ok(session),
        Err(taken) => (*taken).into(),
    });
    if let Some(session) = session.take(&mut said) {
        let prefixes = session.config.prefixes_layers();
        // Programs that drive Terraform look for the lines about reading.
        let tells = planning.json || terminal.style.product.is_compatible();
        let listener = if tells { Listener::new(terminal, prefixes, planning.json) } else { Listener::quiet(terminal) };
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
            // What is to be known of the plan stands with it, before how to go on.
            terminal.say(&std::mem::take(&mut said), &call.sources);
        }
        if let Some(path) = args.generate_config_out.as_ref().filter(|_| !failed) {
            match generate::write(path, &session.config, plan) {
                Ok(written) if !planning.json => {
                    for path in written {
                        let shown = relative(&path, &call.working_dir);
                        terminal.print(&view::generated(&shown.display().to_string(), terminal.style));
                    }
                }
                Ok(_) => {}
                Err(diagnostic) => said.push(*diagnostic),
            }
        }
        let silent = planning.json || failed || plan.is_empty() || !terminal.hints;
        match &args.out {
            Some(path) => match save(call, args, session, &options, plan, (path, terminal.style)) {
                Ok(()) if silent => {}
                Ok(()) => terminal.print(&view::next_step(Some(&path.display().to_string()), terminal.style)),
                Err(diagnostic) => said.push(*diagnostic),
            },
            None if silent => {}
            None => terminal.print(&view::next_step(None, terminal.style)),
        }
    }
    tell(&terminal, &said, call, planning.json.then_some(stream));
    let exit = match &plan {
        Some(plan) if !failed && !said.has_errors() => {
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
    (path, style): (&std::path::Path, Style),
) -> Result<(), Box<Diagnostic>> {
    let load = saved::pack(call, session, &args.planning.select, args.generate_config_out.is_some());
    let text = view::plan(plan, style.for_file());
    let json = view::plan_json(plan).to_string();
    ops::write_saved(path, &SavedPlan::new(plan, options, load, text, json))
}
