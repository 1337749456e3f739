//! What is reported is durable: the calls of a run to the system show that the record of a result was written to the journal
//! and synced before anybody was told of it, and before anything that waits for it began.

use std::collections::HashMap;
use std::process::Command;

use super::program::Program;
use crate::lab;

/// One call to the system: which file, what was written, and the lines of the trace where it begins and ends.
#[derive(Debug)]
struct SystemCall {
    name: String,
    path: String,
    text: String,
    begin: usize,
    end: usize,
    worked: bool,
}

/// Reads what strace writes with `-f -y`.
fn read(trace: &str) -> Vec<SystemCall> {
    let begins = regex::Regex::new(r"^(\d+) +(\w+)\(\d+<([^>]*)>(.*)$").unwrap();
    let resumes = regex::Regex::new(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$").unwrap();
    let worked = |rest: &str| rest.rsplit_once(" = ").is_some_and(|(_, answer)| !answer.starts_with('-'));
    let mut calls: Vec<SystemCall> = Vec::new();
    let mut open: HashMap<String, usize> = HashMap::new();
    for (at, line) in trace.lines().enumerate() {
        if let Some(found) = resumes.captures(line) {
            if let Some(call) = open.remove(&found[1]) {
                calls[call].end = at;
                calls[call].worked = worked(&found[3]);
            }
        } else if let Some(found) = begins.captures(line) {
            let unfinished = found[4].ends_with("<unfinished ...>");
            if unfinished {
                open.insert(found[1].to_owned(), calls.len());
            }
            calls.push(SystemCall {
                name: found[2].to_owned(),
                path: found[3].to_owned(),
                text: found[4].replace("\\\"", "\""),
                begin: at,
                end: if unfinished { usize::MAX } else { at },
                worked: !unfinished && worked(&found[4]),
            });
        }
    }
    calls
}

impl SystemCall {
    fn writes(&self) -> bool {
        self.name.contains("write")
    }

    fn syncs(&self) -> bool {
        matches!(self.name.as_str(), "fsync" | "fdatasync") && self.worked
    }

    fn is_journal(&self) -> bool {
        self.path.contains(".journal/")
    }
}

/// The line of the trace after which the record that holds `key` is durable.
fn durable_from(calls: &[SystemCall], key: &str) -> Option<usize> {
    let record = calls.iter().find(|call| call.writes() && call.is_journal() && call.text.contains(key))?;
    let sync = calls.iter().find(|call| call.syncs() && call.path == record.path && call.begin > record.end)?;
    Some(sync.end)
}

/// Every text that was shown after the sync of the record that holds the key. The complaints.
fn too_early<'a>(calls: &[SystemCall], reports: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (report, key) in reports {
        let shown = calls.iter().find(|call| call.writes() && !call.is_journal() && call.text.contains(report));
        match (shown, durable_from(calls, key)) {
            (None, _) => complaints.push(format!("{report:?} was not shown")),
            (_, None) => complaints.push(format!("no synced record holds {key:?}, of {report:?}")),
            (Some(shown), Some(durable)) if shown.begin <= durable => {
                complaints.push(format!("{report:?} was shown in line {}, durable from {durable}", shown.begin));
            }
            (Some(_), Some(_)) => {}
        }
    }
    complaints
}

#[test]
fn a_report_before_its_sync_is_found() {
    let record = r#"7 write(9</p/s.journal/0-r>, "{\"id\":\"A\"}", 10) = 10"#;
    let sync = "7 fdatasync(9</p/s.journal/0-r>) = 0";
    let report = r#"8 write(1<pipe:[1]>, "x: Creation complete [id=A]\n", 9) = 9"#;
    let check = |lines: &[&str]| too_early(&read(&lines.join("\n")), [("x: Creation complete", "A")]).len();
    assert_eq!(check(&[record, sync, report]), 0);
    assert_eq!(check(&[record, report, sync]), 1);
    assert_eq!(check(&[report, record, sync]), 1);
    assert_eq!(check(&[sync, record, report]), 1);
    assert_eq!(check(&[record, "7 fdatasync(9</p/s.journal/0-r>) = -1 EIO", report]), 1);
    assert_eq!(check(&[record, "7 fdatasync(8</p/other>) = 0", report]), 1);
    let begun = "7 fdatasync(9</p/s.journal/0-r> <unfinished ...>";
    assert_eq!(check(&[record, begun, "7 <... fdatasync resumed>) = 0", report]), 0);
    assert_eq!(check(&[record, begun, report, "7 <... fdatasync resumed>) = 0"]), 1);
    assert_eq!(check(&[record, begun, "6 <... fdatasync resumed>) = 0", report]), 1);
}

/// Runs the program under strace: what it printed, and its calls.
fn traced(strace: &std::path::Path, program: &Program, args: &[&str]) -> (String, Vec<SystemCall>) {
    let trace = program.path("trace");
    let plain = program.command(args);
    let mut command = Command::new(strace);
    command.args(["-f", "-y", "-s", "1000000", "-e", "trace=write,writev,pwrite64,pwritev,fsync,fdatasync", "-o"]);
    command.arg(&trace).arg("--").arg(plain.get_program()).args(plain.get_args());
    command.current_dir(program.path("")).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{out}{err}");
    (out, read(&std::fs::read_to_string(trace).unwrap()))
}

/// Some side by side, some one after the other, of every provider that keeps its objects in state only.
const MIXED: &str = r#"
resource "terraform_data" "wide" {
  count = 8
  input = count.index
}
resource "terraform_data" "first" {
  input = terraform_data.wide[*].id
}
resource "random_id" "second" {
  byte_length = 8
  keepers     = { after = terraform_data.first.id }
}
resource "terraform_data" "third" {
  input = random_id.second.hex
}
resource "time_static" "fourth" {
  triggers = { after = terraform_data.third.id }
}
resource "terraform_data" "fifth" {
  input = time_static.fourth.unix
}
"#;

const CHAIN: [&str; 3] = ["terraform_data.first", "random_id.second", "terraform_data.third"];

/// Address and id of each object in what `apply` printed, by what its line says.
fn reported(out: &str) -> Vec<(String, String)> {
    let line = regex::Regex::new(r"(?m)^(\S+): Creation complete after \S+ \[id=([^\]]+)\]$").unwrap();
    line.captures_iter(out).map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
}

#[test]
fn nothing_is_reported_before_its_record_is_synced() {
    let Some(strace) = lab::strace() else { return };
    let program = Program::with(&[("main.tf", MIXED)]);
    let (out, calls) = traced(&strace, &program, &["apply", "-auto-approve"]);
    let objects = reported(&out);
    assert_eq!(objects.len(), 13, "{out}");
    // A time may stand in other records too; every other id is the object's own.
    let own: Vec<_> = objects.iter().filter(|(addr, _)| !addr.starts_with("time_")).collect();
    let lines: Vec<String> = own.iter().map(|(addr, _)| format!("{addr}: Creation complete")).collect();
    let reports = lines.iter().map(String::as_str).zip(own.iter().map(|(_, id)| id.as_str()));
    assert_eq!(too_early(&calls, reports), Vec::<String>::new());

    // What waits for an object begins after that object is durable.
    let id = |name: &str| &objects.iter().find(|(addr, _)| addr == name).unwrap().1;
    let begun: Vec<String> = CHAIN.iter().skip(1).map(|next| format!("{next}: Creating...")).collect();
    let waits = begun.iter().map(String::as_str).zip(CHAIN.iter().map(|before| id(before).as_str()));
    assert_eq!(too_early(&calls, waits), Vec::<String>::new());

    // Removals: the tombstone carries the address.
    let (_, calls) = traced(&strace, &program, &["destroy", "-auto-approve"]);
    assert_eq!(removals_too_early(&calls, &objects), Vec::<String>::new());
}

#[test]
fn no_event_tells_of_what_is_not_synced() {
    let Some(strace) = lab::strace() else { return };
    let program = Program::with(&[("main.tf", MIXED)]);
    let (out, calls) = traced(&strace, &program, &["apply", "-auto-approve", "-json"]);
    let events: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let complete: Vec<_> = events.iter().filter(|event| event["type"] == "apply_complete").collect();
    assert_eq!(complete.len(), 13, "{out}");
    let text = |event: &serde_json::Value, name: &str| event["hook"][name].as_str().unwrap().to_owned();
    let addr = |event: &serde_json::Value| event["hook"]["resource"]["addr"].as_str().unwrap().to_owned();
    let objects: Vec<_> = complete.iter().map(|event| (addr(event), text(event, "id_value"))).collect();
    let own: Vec<_> = objects.iter().filter(|(addr, _)| !addr.starts_with("time_")).collect();
    let lines: Vec<String> = own.iter().map(|(addr, _)| format!("{addr}: Creation complete")).collect();
    let reports = lines.iter().map(String::as_str).zip(own.iter().map(|(_, id)| id.as_str()));
    assert_eq!(too_early(&calls, reports), Vec::<String>::new());
    let (out, calls) = traced(&strace, &program, &["destroy", "-auto-approve", "-json"]);
    assert_eq!(out.matches("\"type\":\"apply_complete\"").count(), 13, "{out}");
    assert_eq!(removals_too_early(&calls, &objects), Vec::<String>::new());
}

fn removals_too_early(calls: &[SystemCall], objects: &[(String, String)]) -> Vec<String> {
    let lines: Vec<String> = objects.iter().map(|(addr, _)| format!("{addr}: Destruction complete")).collect();
    let keys: Vec<String> = objects.iter().map(|(addr, _)| place(addr)).collect();
    too_early(calls, lines.iter().map(String::as_str).zip(keys.iter().map(String::as_str)))
}

/// An address as a tombstone has it.
fn place(addr: &str) -> String {
    let (kind, name) = addr.split_once('.').unwrap();
    let (name, index) = match name.trim_end_matches(']').split_once('[') {
        Some((name, index)) => (name, format!("\"index_key\": {index},")),
        None => (name, String::new()),
    };
    format!(r#"{{{index}"mode": "managed","type": "{kind}","name": "{name}"}}"#)
}
