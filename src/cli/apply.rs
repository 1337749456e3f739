//! `infra apply`, `infra destroy`, `infra refresh`

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::apply::Stop;
use crate::change::Counts;
use crate::diag::{Diagnostic, Diagnostics};
use crate::ops::{self, Applied, Backup, Ended, RunOptions, Session, StateFiles};
use crate::plan::PlanMode;
use crate::value::Marks;
use crate::view::{self, PhaseEnd, PhaseSummary, ShownOutput, Stream};

use super::approve::Prompt;
use super::args::{ApplyArgs, SelectArgs};
use super::exit::Exit;
use super::listen::Listener;
use super::plan::tell;
use super::project::{Call, backup, deprecated, incompatible, run_options, wants, with_files};
use super::saved;
use super::terminal::Terminal;

/// Plans, asks, applies, until nothing is pending.
pub(super) async fn run(call: &Call, args: &ApplyArgs, mode: Option<PlanMode>) -> Exit {
    let began = Instant::now();
    let planning = &args.planning;
    let terminal = Terminal::new(&planning.select.look, planning.input);
    let mut options = run_options(planning, call.now);
    options.mode = mode.unwrap_or(options.mode);
    let refreshes = mode == Some(PlanMode::RefreshOnly);
    // `refresh` writes what it finds, as it has always done under Terraform; apply -refresh-only asks.
    options.auto_approve = args.auto_approve || refreshes;
    options.accept_loss = args.accept_loss;
    let stream = planning.json.then(|| Stream::new(false));
    if let Some(stream) = stream {
        terminal.print(&stream.version(Timestamp::now()));
    }
    let mut said = Diagnostics::none();
    said.append(deprecated(&planning.files));
    if let Some(refused) = refused(args, mode) {
        tell(&terminal, &refused.into(), call, stream);
        return Exit::Failed;
    }
    let saved = match args.plan.as_ref().map(|path| ops::read_saved(path)).transpose() {
        Ok(saved) => saved,
        Err(diagnostic) => {
            tell(&terminal, &(*diagnostic).into(), call, stream);
            return Exit::Failed;
        }
    };
    if mode == Some(PlanMode::Destroy) && saved.is_some() {
        let detail = "A plan made with plan -destroy -out=FILE is carried out with infra apply FILE.";
        let refused = Diagnostic::error("Destroy can't be called with a plan file", detail);
        tell(&terminal, &refused.into(), call, stream);
        return Exit::Failed;
    }
    let load = match &saved {
        None => {
            let mut load = call.load(&planning.select);
            load.may_be_empty = options.mode == PlanMode::Destroy;
            Ok(load)
        }
        Some(saved) => saved
            .options(&options)
            .map(|saved| options = saved)
            .and_then(|()| saved::unpack(call, saved, &planning.select)),
    };
    let load = match load {
        Ok(load) => with_files(load, &planning.files),
        Err(diagnostic) => {
            tell(&terminal, &(*diagnostic).into(), call, stream);
            return Exit::Failed;
        }
    };
    let Some(session) = call.open(load, &planning.select).take(&mut said) else {
        tell(&terminal, &said, call, stream);
        return Exit::Failed;
    };
    tell(&terminal, &said, call, stream);
    let files = match StateFiles::begin(&session, &backup(planning.files.backup.as_ref(), Backup::Beside)).await {
        Ok(files) => files,
        Err(wrong) => {
            tell(&terminal, &wrong, call, stream);
            return Exit::Failed;
        }
    };
    let prefixes = session.config.prefixes_layers();
    let listener = Listener::new(terminal, prefixes, planning.json);
    let stop = Stop::default();
    let signals = super::signals::listen(&stop, &listener);
    let mut prompt = Prompt {
        session: &session,
        terminal,
        listener: listener.clone(),
        stop: stop.clone(),
        json: planning.json,
        began,
        // A saved plan was shown when it was made.
        shown: saved.is_some(),
        // What a refresh comes to is shown.
        quiet: refreshes,
    };
    let mut applied = match &saved {
        Some(saved) => ops::apply_saved(&session, saved, &options, &mut prompt, &listener, &stop).await,
        None => ops::apply(&session, &options, &mut prompt, &listener, &stop).await,
    };
    signals.abort();
    listener.finish();
    let done = matches!(applied.ended, Ended::Complete | Ended::Unchanged);
    if let Some(Err(wrong)) = files.map(|files| files.end(done)) {
        applied.said.append(wrong);
    }
    if refreshes && !applied.said.has_errors() {
        // Nothing was to be changed, and nothing is incomplete.
        applied.said.0.retain(|said| said.summary != ops::INCOMPLETE);
        said = empty_state(&session).await;
        tell(&terminal, &said, call, stream);
    }
    let outputs = outputs(&session, &planning.select, &applied).await;
    // What removes everything by a flag of apply ends as an apply does, under terraform too.
    if mode.is_none() && options.mode == PlanMode::Destroy {
        options.mode = PlanMode::Normal;
    }
    let what = Shown { refreshes, outputs };
    let exit = conclude(call, &terminal, &session, &options, &applied, what, planning.json);
    if !planning.json && terminal.hints {
        terminal.print(&again(&session, &listener.failed_gates()));
    }
    exit
}

/// Flags that do not go with the command.
fn refused(args: &ApplyArgs, mode: Option<PlanMode>) -> Option<Diagnostic> {
    let planning = &args.planning;
    if mode == Some(PlanMode::Destroy) && (planning.destroy || planning.refresh_only) {
        let detail = "infra destroy removes everything: -destroy says it twice, and -refresh-only says something else.";
        return Some(Diagnostic::error("Invalid mode option", detail));
    }
    if mode == Some(PlanMode::RefreshOnly) && args.plan.is_some() {
        let detail = "infra refresh takes no argument: it looks at everything that state holds.";
        return Some(Diagnostic::error("Too many command line arguments", detail));
    }
    incompatible(planning)
}

/// What a refresh says when there was nothing to look at.
async fn empty_state(session: &Session) -> Diagnostics {
    match session.states().await {
        Ok(states) if states.iter().all(|state| state.object_count() == 0) => {
            let detail = "State holds no objects, so that there was nothing to look at.";
            Diagnostic::warning("Empty or non-existent state", detail).into()
        }
        _ => Diagnostics::none(),
    }
}

/// The outputs that the run came to; those of state when nothing was done.
async fn outputs(session: &Session, select: &SelectArgs, applied: &Applied) -> Vec<ShownOutput> {
    let outputs = shown_outputs(applied);
    if !outputs.is_empty() || !matches!(applied.ended, Ended::Complete | Ended::Unchanged) {
        return outputs;
    }
    let stored = ops::outputs(session).await.unwrap_or_default();
    let wanted = stored.into_iter().filter(|(layer, _, _)| wants(select, layer));
    wanted.map(|(layer, name, output)| super::shown::output(&layer, name, &output)).collect()
}

/// What is shown in the end.
struct Shown {
    /// `refresh` shows outputs alone.
    refreshes: bool,
    outputs: Vec<ShownOutput>,
}

fn conclude(
    call: &Call,
    terminal: &Terminal,
    session: &Session,
    options: &RunOptions,
    applied: &Applied,
    shown: Shown,
    json: bool,
) -> Exit {
    let Shown { refreshes, outputs } = shown;
    let prefixes = session.config.prefixes_layers();
    let stream = json.then(|| Stream::new(prefixes));
    let report = &applied.report;
    match applied.ended {
        Ended::Complete | Ended::Unchanged => {
            match stream {
                Some(stream) => {
                    tell(terminal, &applied.said, call, Some(stream));
                    if refreshes {
                        terminal.print(&stream.outputs_now(&outputs, Timestamp::now()));
                        return Exit::Done;
                    }
                    terminal.print(&stream.applied(options.mode, report.counts, &outputs, Timestamp::now()));
                }
                None => {
                    terminal.say(&applied.said, &call.sources);
                    if !refreshes {
                        terminal.print(&format!("\n{}", view::applied(options.mode, report.counts, terminal.style)));
                    }
                    table(terminal, applied, options.mode);
                    if !outputs.is_empty() && options.mode != PlanMode::Destroy {
                        terminal.print(&format!(
                            "\n{}\n\n{}",
                            terminal.style.bold("Outputs:"),
                            view::outputs(&outputs, prefixes)
                        ));
                    }
                }
            }
            Exit::Done
        }
        Ended::Declined => {
            tell(terminal, &applied.said, call, stream);
            let what = if options.mode == PlanMode::Destroy { "Destroy" } else { "Apply" };
            told(terminal, json, &format!("{what} cancelled.\n"));
            Exit::Failed
        }
        Ended::Beyond => {
            table_unless(terminal, applied, options.mode, json);
            tell(terminal, &applied.said, call, stream);
            if !applied.said.has_errors() {
                // Somebody was asked, and knows why.
                let rest =
                    "\nStopped as you said. Everything done so far is in state; the next run goes on from here.\n";
                told(terminal, json, rest);
            }
            Exit::Differs
        }
        Ended::Stopped => {
            table_unless(terminal, applied, options.mode, json);
            tell(terminal, &applied.said, call, stream);
            if json && !applied.said.has_errors() {
                // Whatever ran has ended well: only this says why the exit code is 1.
                let detail = format!("The run was stopped as asked. {}", so_far(report.counts).trim_end());
                tell(terminal, &Diagnostic::error("execution halted", detail).into(), call, stream);
            }
            told(terminal, json, &format!("\nStopped as asked. {}", so_far(report.counts)));
            Exit::Failed
        }
        Ended::Failed => {
            table_unless(terminal, applied, options.mode, json);
            tell(terminal, &applied.said, call, stream);
            // Spoken as another program, the errors are what is read.
            if report.calls > 0 && !terminal.style.product.is_compatible() {
                told(terminal, json, &format!("\n{}{}", not_started(applied), so_far(report.counts)));
            }
            Exit::Failed
        }
    }
}

/// Words for people only; they go to standard error, where errors are.
fn told(terminal: &Terminal, json: bool, text: &str) {
    if !json {
        terminal.print(text);
    }
}

/// Which phases the failure has kept from being started.
fn not_started(applied: &Applied) -> String {
    let names: Vec<&str> = applied.not_started.iter().map(|(phase, _)| phase.as_str()).collect();
    match names.as_slice() {
        [] | [""] => String::new(),
        [one] => format!("Phase {one} was not started. "),
        [rest @ .., last] => format!("Phases {} and {last} were not started. ", rest.join(", ")),
    }
}

/// How to ask gates again that did not pass.
fn again(session: &Session, gates: &[String]) -> String {
    let env = session.config.flags();
    gates.iter().map(|gate| format!("Run the check alone with: infra gate run {gate}{env}\n")).collect()
}

fn so_far(counts: Counts) -> String {
    format!(
        "Done so far and in state: {} added, {} changed, {} destroyed. The next run goes on from here.\n",
        counts.add, counts.change, counts.destroy
    )
}

fn table_unless(terminal: &Terminal, applied: &Applied, mode: PlanMode, json: bool) {
    if !json {
        table(terminal, applied, mode);
    }
}

fn table(terminal: &Terminal, applied: &Applied, mode: PlanMode) {
    let begun = applied.report.phases.iter().map(|phase| PhaseSummary {
        phase: phase.name.to_string(),
        added: phase.counts.add,
        changed: phase.counts.change,
        destroyed: phase.counts.destroy,
        elapsed: phase.elapsed,
        critical_path: phase.critical_path.clone(),
        // Removals follow edges and not phases: a destroy has no ends of phases.
        end: if phase.ended || mode == PlanMode::Destroy { PhaseEnd::Complete } else { PhaseEnd::Unfinished },
    });
    let ahead = applied.not_started.iter().map(|(phase, left)| PhaseSummary {
        phase: phase.to_string(),
        added: 0,
        changed: 0,
        destroyed: 0,
        elapsed: Duration::ZERO,
        critical_path: String::new(),
        end: PhaseEnd::NotStarted(*left),
    });
    let rows: Vec<PhaseSummary> = begun.chain(ahead).collect();
    let table = view::phase_table(&rows, terminal.style);
    if !table.is_empty() {
        terminal.print(&format!("\n{table}"));
    }
}

fn shown_outputs(applied: &Applied) -> Vec<ShownOutput> {
    let shown = applied.report.outputs.iter().map(|(layer, name, value)| ShownOutput {
        layer: layer.clone(),
        name: name.clone(),
        value: value.clone(),
        sensitive: value.marks().contains(Marks::SENSITIVE),
    });
    shown.collect()
}
