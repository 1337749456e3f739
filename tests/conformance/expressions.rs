//! 10,000 random expressions beside the real `terraform console`: what each prints, the type of what it gives, what is hidden
//! in what is sensitive, and how what is wrong is called.
//!
//! `expressions/main.tf` has what they refer to, `expressions/generate.rs` makes them, `expressions/answers.gz` is what
//! terraform answered (`known.txt` lists what is answered otherwise here): a JSON array a line, `[expression, text, type, JSON of what is hidden]`, or `[expression, "!", summary…]`.
//! `just conformance` records anew. `INFRA_EXPRESSIONS=SEED` makes others and asks terraform at once.

mod generate;

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use infra::config::{Config, LoadOptions};
use infra::diag::{Diagnostic, Diagnostics, Outcome};
use infra::event::Silent;
use infra::lang::functions::DirFiles;
use infra::ops::{Console, Evaluated, Identity, RunOptions, Session, SessionOptions};
use infra::provider::Registry;
use infra::view;

use generate::Generator;

const COUNT: usize = 10_000;
const SEED: u64 = 20_261_121;

/// What is answered otherwise on purpose: how to tell by an expression and terraform's answer, and why.
type Known = (fn(&str, &Answer) -> bool, &'static str);
const KNOWN: &[Known] = &[
    (
        |expression, _| expression.contains(" || ") || expression.contains(" && "),
        "since 1.12 an operator that its left side decides asks nothing of the other",
    ),
    (
        |_, answer| has_negative_zero(&answer.concat()),
        "a number has no negative zero here: 0 and -0 are the same and print so",
    ),
    (
        |expression, answer| calls(expression, "element") && answer[0] == "!",
        "element() counts from the end, as under OpenTofu",
    ),
    (
        |expression, answer| calls(expression, "indent") && answer[0] == "!",
        "terraform panics at a negative number of spaces",
    ),
    (
        |expression, _| calls(expression, "log") || calls(expression, "pow"),
        "terraform counts on with the rounding error of doubles that it does not show",
    ),
    (
        |expression, _| {
            expression.contains("flatten(local.part") || expression.contains("flatten(sensitive(local.part")
        },
        "terraform takes an object for a list in flatten() as soon as a part of it is unknown",
    ),
];

/// Whether a function is called in an expression.
fn calls(expression: &str, function: &str) -> bool {
    expression.contains(&format!("{function}("))
}

fn has_negative_zero(text: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.');
    let begins = |before: &str| !before.ends_with(|c: char| c.is_ascii_alphanumeric());
    text.match_indices("-0").any(|(at, zero)| begins(&text[..at]) && ends(&text[at + zero.len()..]))
}

/// What one of the two programs says of an expression: its text, the type, and what is hidden; or `!` and what is wrong.
type Answer = Vec<String>;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/expressions").join(name)
}

/// Different expressions from a seed.
fn expressions(seed: u64, count: usize) -> Vec<String> {
    let mut generator = Generator::new(seed);
    let mut seen = HashSet::new();
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        let expression = generator.expression();
        if seen.insert(expression.clone()) {
            found.push(expression);
        }
    }
    found
}

/// Whether it is worth asking what a sensitive value hides.
fn hides(expression: &str) -> bool {
    expression.contains("sensitive(") || expression.contains("secret")
}

fn with_type(expression: &str) -> String {
    format!("type({expression})")
}

fn uncovered(expression: &str) -> String {
    format!("nonsensitive(jsonencode({expression}))")
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("terraformrc"), "").unwrap();
    std::fs::copy(file("main.tf"), dir.path().join("main.tf")).unwrap();
    dir
}

struct NoClusters;

impl infra::apply::Clusters for NoClusters {
    fn schema(&self) -> Option<&infra::schema::Block> {
        None
    }

    fn client(&self, _config: infra::value::Value) -> infra::provider::Boxed<'_, Outcome<infra::client::kube::Kube>> {
        Box::pin(async { Outcome::fail(Diagnostic::error("No cluster", "")) })
    }
}

fn session(folder: &Path) -> Session {
    let registry = |_: &Config| Registry::new(vec![Box::new(infra::providers::native(Default::default()))]);
    let clusters = |_: &Config| -> Arc<dyn infra::apply::Clusters> { Arc::new(NoClusters) };
    let outcome = Session::open(SessionOptions {
        load: LoadOptions::new(folder, Arc::new(DirFiles)),
        registry: &registry,
        clusters: &clusters,
        identity: Identity { who: "me@here".into(), version: "0".into() },
    });
    outcome.into_result().map(|(session, _)| session).unwrap_or_else(|said| panic!("{said}"))
}

/// What we say of a line of the console: its text, or how what is wrong is called.
fn line(console: &Console<'_>, text: &str) -> Result<String, Vec<String>> {
    let mut said = Diagnostics::none();
    let value = console.evaluate(text).take(&mut said);
    if said.has_errors() {
        return Err(summaries(said.iter().filter(|one| one.is_error()).map(|one| one.summary.clone())));
    }
    Ok(match value {
        Some(Evaluated::Value(value)) => view::console(&value),
        Some(Evaluated::Type(ty)) => view::console_type(&ty),
        Some(Evaluated::TypeOfType) => "type".to_owned(),
        None => String::new(),
    })
}

/// The names of errors: independent parts may be looked at in any order, and several times.
fn summaries(found: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = found.collect();
    found.sort();
    found.dedup();
    found
}

fn ours(console: &Console<'_>, expression: &str) -> Answer {
    let text = match line(console, expression) {
        Ok(text) => text,
        Err(errors) => return std::iter::once("!".to_owned()).chain(errors).collect(),
    };
    let ty = line(console, &with_type(expression)).unwrap_or_else(|errors| errors.join(";"));
    let mut answer = vec![text, ty];
    if hides(expression) && answer[0].contains("(sensitive value)") {
        answer.push(line(console, &uncovered(expression)).unwrap_or_else(|errors| errors.join(";")));
    }
    answer
}

fn console_of(session: &Session) -> Console<'_> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = RunOptions::new(jiff::Timestamp::UNIX_EPOCH);
    let outcome = runtime.block_on(infra::ops::console(session, &options, true, &Silent));
    outcome.into_result().map(|(console, _)| console).unwrap_or_else(|said| panic!("{said}"))
}

/// Whether two answers are the same. Of several things that are wrong the programs need to have one in common: how far they
/// look once something is wrong is their own affair.
fn agree(got: &Answer, expect: &Answer) -> bool {
    match (got.split_first(), expect.split_first()) {
        (Some((a, ours)), Some((b, theirs))) if a == "!" && b == "!" => ours.iter().any(|error| theirs.contains(error)),
        _ => got == expect,
    }
}

/// What differs between our answers and terraform's.
fn compare(recorded: &[(String, Answer)]) -> Vec<String> {
    let dir = folder();
    let session = session(dir.path());
    let console = console_of(&session);
    let listed = std::fs::read_to_string(file("known.txt")).unwrap();
    let listed = listed.lines().filter(|line| !line.starts_with('#'));
    let mut listed: HashSet<String> = listed.map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut failed = Vec::new();
    for (expression, expect) in recorded {
        let got = ours(&console, expression);
        let listed = listed.remove(expression);
        let known = listed || KNOWN.iter().any(|(matches, _)| matches(expression, expect));
        match (agree(&got, expect), known) {
            (true, _) if listed => failed.push(format!("{expression}\n  agrees now: take it out of known.txt")),
            (true, _) | (false, true) => {}
            (false, false) => failed.push(format!("{expression}\n  terraform: {expect:?}\n  infra:     {got:?}")),
        }
    }
    failed
}

#[test]
fn random_expressions_give_what_they_give_under_terraform() {
    let mut text = String::new();
    let packed = std::fs::File::open(file("answers.gz")).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let recorded: Vec<(String, Answer)> = text
        .lines()
        .map(|line| {
            let mut parts: Vec<String> = serde_json::from_str(line).unwrap();
            (parts.remove(0), parts)
        })
        .collect();
    assert!(recorded.len() >= COUNT, "{} expressions", recorded.len());
    let failed = compare(&recorded);
    assert!(failed.is_empty(), "{} of {} differ:\n{}", failed.len(), recorded.len(), failed.join("\n"));
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_expressions() {
    if let Some(seed) = std::env::var("INFRA_EXPRESSIONS").ok().and_then(|seed| seed.parse().ok()) {
        let failed = compare(&asked(&expressions(seed, COUNT)));
        assert!(failed.is_empty(), "{} differ:\n{}", failed.len(), failed.join("\n"));
        return;
    }
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for (expression, answer) in asked(&expressions(SEED, COUNT)) {
        let parts: Vec<String> = std::iter::once(expression).chain(answer).collect();
        writeln!(packer, "{}", serde_json::to_string(&parts).unwrap()).unwrap();
    }
    std::fs::write(file("answers.gz"), packer.finish().unwrap()).unwrap();
}

/// What terraform answers, several consoles at a time.
fn asked(expressions: &[String]) -> Vec<(String, Answer)> {
    let halves: Vec<&[String]> = expressions.chunks(expressions.len().div_ceil(2)).collect();
    std::thread::scope(|scope| {
        let asking: Vec<_> = halves
            .into_iter()
            .map(|half| {
                scope.spawn(move || {
                    // A console locks the state of its folder.
                    let dir = folder();
                    assert!(terraform(dir.path(), &["init"]).status().unwrap().success());
                    half.chunks(500).flat_map(|few| ask(dir.path(), few)).collect::<Vec<_>>()
                })
            })
            .collect();
        asking.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn terraform(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("terraform");
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder).env("TERM", "dumb");
    command.env("CHECKPOINT_DISABLE", "1").env("TF_CLI_CONFIG_FILE", folder.join("terraformrc"));
    command
}

/// Asks one console, which answers every line only when it believes that somebody types. Where it ends early, it has crashed.
fn ask(folder: &Path, expressions: &[String]) -> Vec<(String, Answer)> {
    let mut answers = Vec::new();
    while answers.len() < expressions.len() {
        let rest = &expressions[answers.len()..];
        let mut input = String::new();
        for expression in rest {
            input += &format!(
                "\"@@\"\n{expression}\n\"@@\"\n{}\n\"@@\"\n{}\n",
                with_type(expression),
                uncovered(expression)
            );
        }
        input += "\"@@\"\nexit\n";
        let text = typed(folder, &input);
        let mut parts: Vec<&str> = text.split("\"@@\"\n").skip(1).collect();
        // Nothing comes behind the last mark.
        parts.pop();
        for (expression, said) in rest.iter().zip(parts.chunks_exact(3)) {
            answers.push((expression.clone(), answer(expression, said)));
        }
        if answers.len() < expressions.len() {
            let crashed = &expressions[answers.len()];
            println!("terraform crashes: {crashed}\n{}", text.lines().last().unwrap_or_default());
            answers.push((crashed.clone(), vec!["!".to_owned(), "crash".to_owned()]));
        }
    }
    answers
}

fn answer(expression: &str, said: &[&str]) -> Answer {
    let errors = summaries(said[0].lines().filter_map(|line| line.strip_prefix("Error: ")).map(str::to_owned));
    if !errors.is_empty() {
        return std::iter::once("!".to_owned()).chain(errors).collect();
    }
    let trimmed = |text: &str| text.strip_suffix('\n').unwrap_or(text).to_owned();
    let mut answer = vec![trimmed(said[0]), trimmed(said[1])];
    if hides(expression) && answer[0].contains("(sensitive value)") {
        answer.push(trimmed(said[2]));
    }
    answer
}

/// Types into a console: its standard input is a terminal, and what it prints comes through a pipe.
fn typed(folder: &Path, input: &str) -> String {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&keyboard).unwrap();
    unlockpt(&keyboard).unwrap();
    let path = ptsname(&keyboard, Vec::new()).unwrap().into_string().unwrap();
    let screen = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let (mut out, into) = std::io::pipe().unwrap();
    let mut command = terraform(folder, &["console", "-no-color", "-plan"]);
    command.stdin(screen).stdout(into.try_clone().unwrap()).stderr(into);
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut keyboard = std::fs::File::from(keyboard);
    // Closing it would look like somebody hanging up.
    let kept = keyboard.try_clone().unwrap();
    let input = input.to_owned();
    // Left behind where the console has crashed, which hears nothing any more.
    std::thread::spawn(move || input.as_bytes().chunks(512).try_for_each(|piece| keyboard.write_all(piece)));
    let mut text = Vec::new();
    out.read_to_end(&mut text).unwrap();
    child.wait().unwrap();
    drop(kept);
    String::from_utf8_lossy(&text).into_owned()
}
