//! Small configurations, each played once: what is planned and done, what comes out, and how what is wrong is called and where
//! are those of the real `terraform`.
//!
//! `corpus/NAME.txt` holds cases: `=== NAME` begins one, `@ ARGUMENTS` are its arguments, `? plan` shows the plan in full instead of
//! applying it; then comes main.tf, and `--- PATH` begins another file. `corpus/NAME.json` is what terraform answered. `just
//! conformance` records anew and compares.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value as Json, json};

use super::known::corpus::KNOWN;
use super::peer::{Peer, sorted_members, without_ids};

#[test]
fn small_configurations_answer_as_under_terraform() {
    let answered = compare("corpus", KNOWN, &|path| play_all(path, &Peer::infra()), &differences);
    assert!(answered >= 715, "{answered} configurations");
}

#[test]
#[ignore = "records the answers of terraform: just conformance"]
fn record_corpus() {
    record("corpus", &|path| play_all(path, &Peer::terraform()));
}

/// Compares our answers to the files of a folder with those recorded, but for known differences: file, case, reason. How many
/// cases there were.
pub fn compare(
    folder: &str,
    known: &[(&str, &str, &str)],
    play_all: &dyn Fn(&Path) -> BTreeMap<String, Json>,
    differences: &dyn Fn(&Json, &Json) -> String,
) -> usize {
    let mut failed = Vec::new();
    let mut answered = 0;
    for path in texts(folder) {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let recorded = std::fs::read_to_string(path.with_extension("json")).unwrap_or_else(|_| "{}".to_owned());
        let expect: BTreeMap<String, Json> = serde_json::from_str(&recorded).unwrap();
        let got = play_all(&path);
        assert!(got.keys().eq(expect.keys()), "{file}: record it with `just conformance`");
        for (name, got) in &got {
            answered += 1;
            let known = known.iter().find(|known| (known.0, known.1) == (file.as_str(), name.as_str()));
            let differs = differences(&expect[name], got);
            match (differs.is_empty(), known) {
                (false, None) => failed.push(format!("{file}, {name}{differs}")),
                (true, Some(_)) => failed.push(format!("{file}, {name}: no difference any more")),
                (true, None) | (false, Some(_)) => {}
            }
        }
    }
    assert!(failed.is_empty(), "{} of {answered} differ:\n{}", failed.len(), failed.join("\n"));
    answered
}

/// Writes down the answers to the files of a folder, and says which became different.
pub fn record(folder: &str, play_all: &dyn Fn(&Path) -> BTreeMap<String, Json>) {
    for path in texts(folder) {
        let text = serde_json::to_string_pretty(&play_all(&path)).unwrap() + "\n";
        let file = path.with_extension("json");
        if !std::fs::read_to_string(&file).is_ok_and(|recorded| recorded == text) {
            println!("recorded {}", file.display());
            std::fs::write(file, text).unwrap();
        }
    }
}

/// The `.txt` files of a folder beside this one.
pub fn texts(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(folder);
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    // What is recorded may be limited to names that hold a word.
    let only = std::env::var("INFRA_CORPUS").unwrap_or_default();
    let wanted = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains(&only));
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "txt") && wanted(path)).collect();
    files.sort();
    files
}

/// The parts of two answers that differ, each on lines of its own.
pub fn differences(expect: &Json, got: &Json) -> String {
    let parts = ["code", "said", "changes", "ends", "outputs", "planned"];
    let parts = parts.iter().filter(|part| expect[**part] != got[**part]);
    parts.map(|part| format!("\n  {part}\n    terraform: {}\n    infra:     {}", expect[part], got[part])).collect()
}

/// One configuration.
struct Case {
    name: String,
    arguments: Vec<String>,
    /// Shows the plan in full instead of applying it.
    plans: bool,
    files: Vec<(String, String)>,
}

fn cases(path: &Path) -> Vec<Case> {
    let text = format!("\n{}", std::fs::read_to_string(path).unwrap());
    text.split("\n=== ").skip(1).map(case).collect()
}

fn case(text: &str) -> Case {
    let (name, mut body) = text.split_once('\n').unwrap();
    let mut case = Case { name: name.to_owned(), arguments: Vec::new(), plans: false, files: Vec::new() };
    while let Some((line, rest)) = body.split_once('\n').filter(|(line, _)| line.starts_with(['@', '?'])) {
        match line.split_at(2) {
            ("@ ", arguments) => case.arguments = arguments.split_whitespace().map(str::to_owned).collect(),
            ("? ", "plan") => case.plans = true,
            _ => panic!("{name}: {line}"),
        }
        body = rest;
    }
    for part in format!("\n--- main.tf\n{body}").split("\n--- ").skip(1) {
        let (path, text) = part.split_once('\n').unwrap_or((part, ""));
        case.files.push((path.to_owned(), format!("{}\n", text.trim_end_matches('\n'))));
    }
    case
}

/// The answers to every case of a file.
pub fn play_all(path: &Path, peer: &Peer) -> BTreeMap<String, Json> {
    at_once(&cases(path), |case| &case.name, |case| play(case, peer))
}

/// The answer to every case by its name, found out on several threads.
pub fn at_once<C: Sync>(
    cases: &[C],
    name: impl Fn(&C) -> &str + Sync,
    play: impl Fn(&C) -> Json + Sync,
) -> BTreeMap<String, Json> {
    let (next, answers) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (name, answer) = (name(case), play(case));
            assert!(answers.lock().unwrap().insert(name.to_owned(), answer).is_none(), "{name} is there twice");
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    answers.into_inner().unwrap()
}

fn play(case: &Case, peer: &Peer) -> Json {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    std::fs::write(folder.join("terraformrc"), "").unwrap();
    for (path, text) in &case.files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let verb: &[&str] = if case.plans { &["plan", "-out=p"] } else { &["apply", "-auto-approve"] };
    // Of ours, only what has a backend needs it.
    let has_backend = || case.files.iter().any(|(_, text)| text.contains("backend \""));
    let installed = if peer.installs || has_backend() { lines(peer, folder, &["init"], &[]).1 } else { Vec::new() };
    let (code, lines) = lines(peer, folder, verb, &case.arguments);
    let said = said(&lines);
    // What terraform says when it was not prepared is of no interest; why it could not be prepared is.
    let unprepared = ["Module not installed", "Inconsistent dependency lock file", "Backend initialization required"];
    let wrong = self::said(&installed);
    let refused = wrong.iter().any(|line| line.starts_with("error"));
    if refused && (said.is_empty() || unprepared.iter().any(|why| said.iter().any(|line| line.contains(why)))) {
        return json!({ "code": 1, "said": wrong });
    }
    let mut answer = json!({ "code": code, "said": said });
    let of = |kind: &'static str| {
        lines.iter().filter(move |line| line["type"].as_str().is_some_and(|at| at.starts_with(kind)))
    };
    let applies = of("apply_start").any(|line| line["hook"]["action"] != "read");
    if code == Some(0) || applies {
        // Terraform plans in another order at each run.
        let changes: BTreeMap<String, String> =
            of("planned_change").map(|line| (text(&line["change"]["resource"]["addr"]), change(line))).collect();
        answer["changes"] = json!(changes);
        if case.plans {
            plan_in_full(peer, folder, &mut answer);
        } else {
            let mut ends: Vec<String> = of("apply_complete").chain(of("apply_errored")).filter_map(end).collect();
            ends.sort();
            answer["ends"] = json!(ends);
            answer["outputs"] = of("outputs")
                .next_back()
                .filter(|_| code == Some(0))
                .map_or(Json::Null, |line| line["outputs"].clone());
        }
    }
    let folder = folder.to_string_lossy();
    without_ids(&serde_json::from_str(&answer.to_string().replace(&*folder, "DIR")).unwrap())
}

/// What the plan holds of each output and object: its value, what of it is unknown, what is sensitive.
fn plan_in_full(peer: &Peer, folder: &Path, answer: &mut Json) {
    let output = peer.run(folder, &["show", "-json", "p"]);
    let document: Json = serde_json::from_slice(&output.stdout).unwrap();
    let parts = |change: &Json| json!([change["after"], change["after_unknown"], change["after_sensitive"]]);
    let outputs = document["output_changes"].as_object().into_iter().flatten();
    let outputs: Map<String, Json> = outputs.map(|(name, change)| (name.clone(), parts(change))).collect();
    let changes = document["resource_changes"].as_array().into_iter().flatten();
    let planned: Map<String, Json> =
        changes.map(|change| (text(&change["address"]), parts(&change["change"]))).collect();
    answer["outputs"] = Json::Object(outputs);
    answer["planned"] = Json::Object(planned);
}

/// The exit code of a command, and its lines for programs.
fn lines(peer: &Peer, folder: &Path, verb: &[&str], arguments: &[String]) -> (Option<i32>, Vec<Json>) {
    let given = arguments.iter().map(String::as_str);
    let arguments: Vec<&str> = verb.iter().copied().chain(["-json", "-input=false"]).chain(given).collect();
    let output = peer.run(folder, &arguments);
    let lines = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// Errors and warnings: what they are called, and where they are.
fn said(lines: &[Json]) -> Vec<String> {
    let all = lines.iter().filter(|line| line["type"] == "diagnostic").map(|line| &line["diagnostic"]);
    let one = |said: &Json| {
        let (severity, summary, range) = (text(&said["severity"]), text(&said["summary"]), &said["range"]);
        match range["filename"].as_str() {
            // Errors about an empty name nowhere follow those about a reference that is none.
            Some("") => None,
            // We say where a cycle is, terraform does not.
            _ if summary.starts_with("Cycle: ") => Some(format!("{severity}: {}", sorted_members(&summary))),
            Some(file) => Some(format!("{severity}: {summary} ({file}:{})", range["start"]["line"])),
            None => Some(format!("{severity}: {summary}")),
        }
    };
    let mut said: Vec<String> = all.filter_map(one).collect();
    said.sort();
    said.dedup();
    said
}

fn change(line: &Json) -> String {
    let reason = line["change"]["reason"].as_str().map(|reason| format!(" ({reason})"));
    format!("{}{}", text(&line["change"]["action"]), reason.unwrap_or_default())
}

/// How a step ended; nothing for a failed read, of which terraform tells only why.
fn end(line: &Json) -> Option<String> {
    let (hook, way) = (&line["hook"], text(&line["type"]).replace("apply_", ""));
    let (addr, action) = (text(&hook["resource"]["addr"]), text(&hook["action"]));
    (action != "read" || way == "complete").then(|| format!("{addr}: {action} {way}"))
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}
