//! `infra test`

use jiff::Timestamp;
use tokio::task::JoinHandle;

use crate::diag::{Diagnostic, Diagnostics, SourceMap};
use crate::event::TestStatus;
use crate::ops::{self, TestEvent, TestEvents, TestOptions, TestStop};
use crate::plan::PlanMode;
use crate::view::{self, Stream, TestLines, TestText};

use super::args::TestArgs;
use super::exit::Exit;
use super::identity::identity;
use super::plan::tell;
use super::project::Call;
use super::shown::decode;
use super::terminal::Terminal;
use super::wiring::Wiring;

/// Runs the tests of a folder.
pub(super) async fn run(call: &Call, args: &TestArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let stream = args.json.then(|| Stream::new(false));
    if let Some(stream) = stream {
        terminal.print(&stream.version(Timestamp::now()));
    }
    if args.cloud_run.is_some() {
        let detail = "-cloud-run asks HCP Terraform to run the tests, and this program talks to no such service. Leave it out: \
                      the tests then run here.";
        tell(&terminal, &Diagnostic::error("No runs in HCP Terraform", detail).into(), call, stream);
        return Exit::Failed;
    }
    if let Some(environment) = &args.select.env {
        let detail = format!(
            "-env {environment} chooses among the environments of a project, and tests belong to none: give what they need with \
             -var or -var-file, or in the test files."
        );
        tell(&terminal, &Diagnostic::error("No environment of tests", detail).into(), call, stream);
        return Exit::Failed;
    }
    let wiring = Wiring::default();
    let mut load = call.load(&args.select);
    // Tests have states of their own: that of the folder need not be reachable.
    load.backend = crate::config::BackendUse::Written;
    let options = TestOptions {
        load: crate::config::TestLoad {
            load,
            layer: args.select.layer.clone(),
            directory: args.test_directory.clone(),
            filters: args.filter.clone(),
        },
        registry: &|config| wiring.registry(config),
        clusters: &|config| wiring.clusters(config),
        identity: identity(),
        parallelism: args.parallelism as usize,
    };
    let mut said = Diagnostics::none();
    let suites = ops::load_tests(&options).take(&mut said);
    tell(&terminal, &said, call, stream);
    let Some(suites) = suites.filter(|_| !said.has_errors()) else { return Exit::Failed };
    let teller = Teller { terminal, json: args.json, verbose: args.verbose, sources: &call.sources };
    let stop = TestStop::default();
    let signals = listen(&stop, terminal, stream);
    let results = ops::test(&options, &suites, &teller, &stop).await;
    signals.abort();
    if let Some(path) = &args.junit_xml
        && let Err(error) = std::fs::write(path, view::junit(&results, &call.sources))
    {
        let detail = format!("{} cannot be written: {error}. The tests themselves have ended.", path.display());
        tell(&terminal, &Diagnostic::error("Report not written", detail).into(), call, stream);
        return Exit::Failed;
    }
    if results.status() == TestStatus::Pass { Exit::Done } else { Exit::Failed }
}

/// Ctrl-C and SIGTERM: once to stop what runs and clean up, again to give what runs up, and once more to leave the rest of what
/// was made.
fn listen(stop: &TestStop, terminal: Terminal, stream: Option<Stream>) -> JoinHandle<()> {
    let stop = stop.clone();
    super::signals::each(move || {
        let (text, asked) = match (stop.runs.is_asked(), stop.runs.is_urgent()) {
            (false, _) => (
                "\nInterrupt received.\nNo run is begun any more, and what was made is destroyed. Once more gives up what runs.\n",
                &stop.runs,
            ),
            (true, false) => (
                "\nTwo interrupts received.\nWhat runs is given up. What was made is destroyed; once more leaves it.\n",
                &stop.runs,
            ),
            (true, true) => ("\nLeaving the rest of what was made.\n", &stop.cleanup),
        };
        // Told before it is asked for: what stops may end the process at once.
        match stream {
            Some(stream) => terminal.print(&stream.log(text, Timestamp::now())),
            None => terminal.print(text),
        }
        asked.ask();
        if stop.cleanup.is_asked() {
            // There is no waiting for what is left as it is.
            stop.cleanup.ask();
        }
    })
}

/// Tells what happens: as text, or as lines for programs.
struct Teller<'a> {
    terminal: Terminal,
    json: bool,
    verbose: bool,
    sources: &'a SourceMap,
}

impl TestEvents for Teller<'_> {
    fn tell(&self, event: TestEvent<'_>) {
        if self.json { self.line(event) } else { self.text(event) }
    }

    fn is_verbose(&self) -> bool {
        self.verbose
    }
}

impl Teller<'_> {
    fn text(&self, event: TestEvent<'_>) {
        let text = TestText(self.terminal.style);
        let print = |text: String| self.terminal.print(&text);
        match event {
            TestEvent::Found(_) | TestEvent::RunStarted(..) | TestEvent::RunTearingDown(..) => {}
            TestEvent::FileStarted(path) => print(text.file_started(path)),
            TestEvent::RunEnded(_, result) => print(text.run(&result.name, result.status)),
            TestEvent::Planned { plan, .. } => {
                let empty = plan.is_empty() && plan.mode == PlanMode::Normal;
                print(format!("\n{}{}", view::plan(plan, self.terminal.style), if empty { "\n" } else { "" }));
            }
            TestEvent::Applied { session, state, .. } => {
                let decoded = decode(session, &[state]);
                print(view::state(&decoded.objects(), &decoded.outputs, false, self.terminal.style));
            }
            TestEvent::Said(_, _, said) => self.terminal.say(said, self.sources),
            TestEvent::TearingDown(path) => print(text.tearing_down(path)),
            TestEvent::Left { file, run, said, objects } => {
                let text = TestText(self.terminal.error_style);
                self.terminal.print_error(&text.left(&format!("{file}/{run}"), said, objects, self.sources));
            }
            TestEvent::FileEnded(result) => print(text.file(&result.path, result.status)),
            TestEvent::Ended(results) => print(text.summary(results)),
        }
    }

    fn line(&self, event: TestEvent<'_>) {
        let now = Timestamp::now();
        let lines = TestLines;
        let say = |of: (&str, Option<&str>), said: &Diagnostics| {
            said.iter().map(|one| lines.diagnostic(of, one, self.sources, now)).collect::<String>()
        };
        let text = match event {
            TestEvent::Found(files) => {
                let runs = |file: &crate::config::TestFile| file.runs.iter().map(|run| run.name.to_string()).collect();
                let files: Vec<_> = files.iter().map(|file| (file.path.display().to_string(), runs(file))).collect();
                lines.found(&files, now)
            }
            TestEvent::FileStarted(path) => lines.file(path, "starting", None, now),
            TestEvent::RunStarted(path, run) => lines.run(path, run, "starting", None, now),
            TestEvent::RunEnded(path, result) => lines.ended(path, result, now),
            TestEvent::Planned { file, run, plan } => lines.plan(file, run, plan, now),
            TestEvent::Applied { file, run, session, state } => {
                let decoded = decode(session, &[state]);
                lines.state(file, run, &decoded.objects(), &decoded.outputs, now)
            }
            TestEvent::Said(path, run, said) => say((path, run), said),
            TestEvent::TearingDown(path) => lines.file(path, "teardown", None, now),
            TestEvent::RunTearingDown(path, run) => lines.run(path, run, "teardown", None, now),
            TestEvent::Left { file, run, said, objects } => {
                let mut text = say((file, Some(run)), said);
                if !objects.is_empty() {
                    text.push_str(&lines.left(file, run, objects, now));
                }
                text
            }
            TestEvent::FileEnded(result) => lines.file(&result.path, "complete", Some(result.status), now),
            TestEvent::Ended(results) => lines.summary(results, now),
        };
        self.terminal.print(&text);
    }
}
