//! What holds for every configuration, tried on random ones: a plan after an apply is empty, a destroy leaves nothing, the
//! number of calls at once changes nothing, edits and killed runs end where they should.
//!
//! A failure names its seed; `INFRA_SEED=17 cargo test NAME` tries that one alone. The tests named `soak` are the same with
//! many more seeds; `just soak` runs them.

mod compare;
mod generate;
mod write;

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use infra::client::kube::Kube;
use infra::client::kube::types::find;
use infra::sandbox::{Sandbox, Timing};

use self::generate::{Dice, Shape};
use super::program::Program;
use crate::lab;

/// One try: a folder with a random configuration in it.
struct Try {
    seed: u64,
    dice: Dice,
    shape: Shape,
    program: Program,
}

impl Try {
    fn new(seed: u64) -> Try {
        let mut dice = Dice::new(seed);
        let shape = Shape::new(&mut dice);
        let mut program = Program::with(&[]);
        if shape.sandbox {
            program = program.env("TF_WORKSPACE", "dev");
        }
        let one = Try { seed, dice, shape, program };
        one.write();
        one
    }

    fn write(&self) {
        write::write(&self.shape, &self.program.path(""));
    }

    fn edit(&mut self) {
        self.shape.edit(&mut self.dice);
        self.write();
    }

    fn apply(&self) {
        apply(&self.program, 10);
    }

    /// Applies a part only, now and then: what is left is for the next run.
    fn apply_a_part(&mut self) {
        if self.shape.units.is_empty() || !self.dice.one_in(3) {
            return;
        }
        let unit = &self.shape.units[self.dice.below(self.shape.units.len())];
        let target = format!("-target={}.{}", unit.kind.type_name(), unit.name);
        let answer = self.program.call(&["apply", "-auto-approve", &target]);
        // Objects that move along are to be targeted, too.
        let refused = answer.code == 1 && answer.err.contains("Moved resource instances excluded by targeting");
        assert!(
            refused || matches!(answer.code, 0 | 3),
            "{target} ended with {}:\n{}\n{}",
            answer.code,
            answer.out,
            answer.err
        );
    }

    /// Everything is there once, nothing else is, and nothing is to be done.
    fn is_settled(&self) {
        let listed = self.program.ok(&["state", "list"]);
        let mut listed: Vec<&str> = listed.lines().collect();
        listed.sort_unstable();
        assert_eq!(listed, write::addresses(&self.shape), "what is in state");
        self.is_real();
        let planned = self.program.call(&["plan", "-detailed-exitcode"]);
        assert_eq!(planned.code, 0, "a plan after an apply is not empty:\n{}{}", planned.out, planned.err);
    }

    /// The world holds what state holds, nothing twice and nothing left over.
    fn is_real(&self) {
        let made = super::program::names_if(&self.program.path("out"));
        assert_eq!(made, write::files(&self.shape), "real files");
        if self.shape.sandbox {
            assert_eq!(self.config_maps(), write::objects(&self.shape), "objects of the sandbox");
        }
    }

    /// Whether a run left something behind that the next one has to take over.
    fn was_interrupted(&self) -> bool {
        if !self.shape.state.is_empty() {
            return self.program.call(&["plan"]).out.contains("A run was interrupted");
        }
        let folders = [self.program.path(""), self.program.path("state")];
        let names = folders.iter().flat_map(|folder| super::program::names_if(folder));
        names.into_iter().any(|name| name.ends_with(".journal"))
    }

    /// How many config maps of ours the sandbox holds.
    fn config_maps(&self) -> usize {
        let folder = self.program.path("state/sandbox-dev");
        if !folder.exists() {
            return 0;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let timing = Timing { start: Duration::from_millis(5), stop: Duration::from_millis(1) };
            let sandbox = Sandbox::open(&folder, timing).await.unwrap();
            let kube = Kube::from_service(sandbox.service());
            let kind = find("v1", "ConfigMap").unwrap();
            let list = kube.list(kind, Some("default"), &Default::default()).await.unwrap();
            let ours = |item: &&serde_json::Value| {
                item["metadata"]["name"].as_str().is_some_and(|name| name.starts_with('u') && name.contains('-'))
            };
            list.items.iter().filter(ours).count()
        })
    }

    fn destroy(&self) {
        self.program.ok(&["destroy", "-auto-approve"]);
        // Where nothing was ever applied there is no state to list.
        assert_eq!(self.program.call(&["state", "list"]).out, "");
        assert_eq!(super::program::names_if(&self.program.path("out")), Vec::<String>::new());
        if self.shape.sandbox {
            assert_eq!(self.config_maps(), 0);
        }
        assert_eq!(self.program.call(&["plan", "-destroy", "-detailed-exitcode"]).code, 0);
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("This was seed {0}; INFRA_SEED={0} tries it alone. The configuration:", self.seed);
            for (path, text) in write::texts(&self.shape, &self.program.path("")) {
                eprintln!("--- {path}\n{text}");
            }
        }
    }
}

/// Tries seeds from `first` on, `count` of them; the one of INFRA_SEED alone where that is set.
fn seeds(first: u64, count: u64, one: impl Fn(Try)) {
    if let Some(seed) = std::env::var("INFRA_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return one(Try::new(seed));
    }
    let began = Instant::now();
    for seed in first..first + count {
        one(Try::new(seed));
    }
    println!("{count} seeds from {first}: {:.0} s", began.elapsed().as_secs_f64());
}

/// Applies until nobody has to be asked any more: what a segment finds out beyond the approval ends a run with 3.
fn apply(program: &Program, parallelism: usize) {
    let parallelism = format!("-parallelism={parallelism}");
    for _ in 0..5 {
        let answer = program.call(&["apply", "-auto-approve", &parallelism]);
        match answer.code {
            0 => return,
            3 => assert!(answer.err.contains("Rest differs from what was approved"), "{}", answer.err),
            code => panic!("apply ended with {code}:\n{}\n{}", answer.out, answer.err),
        }
    }
    panic!("five runs in a row ended with 3");
}

fn settles_and_goes(mut one: Try) {
    one.apply_a_part();
    one.apply();
    one.is_settled();
    one.destroy();
}

/// The plan as text and as JSON, with so many calls at once.
fn planned(program: &Program, parallelism: usize) -> (String, String) {
    let parallelism = format!("-parallelism={parallelism}");
    let text = program.ok(&["plan", "-out=plan", &parallelism]);
    let json = program.ok(&["show", "-json", "plan"]);
    std::fs::remove_file(program.path("plan")).unwrap();
    (compare::plan(&text), json)
}

fn same_plans(program: &Program) {
    let first = planned(program, 1);
    for parallelism in [32, 1, 10] {
        let other = planned(program, parallelism);
        assert_eq!(first.0, other.0, "the plan at -parallelism={parallelism}");
        assert!(
            first.1 == other.1,
            "the JSON plan at -parallelism={parallelism}: {}",
            compare::difference(&first.1, &other.1)
        );
    }
}

fn parallel_is_serial(mut serial: Try) {
    let mut parallel = Try::new(serial.seed);
    for step in 0..3 {
        same_plans(&serial.program);
        apply(&serial.program, 1);
        apply(&parallel.program, 32);
        let (a, b) =
            (compare::states(&serial.program.path(""), true), compare::states(&parallel.program.path(""), true));
        for (name, text) in &a {
            assert!(b.get(name) == Some(text), "step {step}, {name}: {}", compare::difference(text, &b[name]));
        }
        serial.edit();
        parallel.edit();
    }
    drop(parallel);
}

fn edits_converge(mut one: Try) {
    one.apply();
    for _ in 0..4 {
        one.edit();
        one.apply_a_part();
        one.apply();
        one.is_settled();
    }
    // The same as if it had been written so from the beginning.
    let fresh = Program::with(&[]);
    let fresh = if one.shape.sandbox { fresh.env("TF_WORKSPACE", "dev") } else { fresh };
    write::write(&one.shape, &fresh.path(""));
    apply(&fresh, 10);
    let (a, b) = (compare::states(&one.program.path(""), false), compare::states(&fresh.path(""), false));
    for (name, text) in &b {
        let edited = a.get(name).map(String::as_str).unwrap_or_default();
        assert!(edited == text, "{name}: {}", compare::difference(edited, text));
    }
    one.destroy();
}

/// Blocks that only change their names are the same blocks.
fn renames_change_nothing(mut one: Try) {
    one.apply();
    let outputs = one.program.ok(&["output", "-json"]);
    for _ in 0..2 {
        for at in 0..one.shape.units.len() {
            if !one.dice.one_in(3) {
                one.shape.rename(at);
            }
        }
        one.write();
        let answer = one.program.ok(&["apply", "-auto-approve"]);
        let summaries: Vec<&str> = answer.lines().filter(|line| line.contains(" added, ")).collect();
        assert!(summaries.iter().all(|line| line.contains(": 0 added, 0 changed, 0 destroyed")), "{answer}");
        one.is_settled();
        assert_eq!(one.program.ok(&["output", "-json"]), outputs);
    }
    one.destroy();
}

/// Kills, and those of them that left results or intents in a journal.
static KILLS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

/// Starts a command and kills it at some moment: after so many lines, and a little later.
fn kill(one: &mut Try, command: &str) {
    let parallelism = format!("-parallelism={}", 1 + one.dice.below(12));
    let mut child =
        one.program.command(&[command, "-auto-approve", &parallelism]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    // What is printed before the first call is the plan; most of the lines after it tell of calls.
    let mut left = one.dice.below(1 + 2 * write::addresses(&one.shape).len());
    let mut calls = false;
    while left > 0 {
        let Some(line) = lines.next() else { break };
        calls |= line.ends_with(": Creating...") || line.contains(": Destroying...");
        if calls {
            left -= 1;
        }
    }
    let moment = Instant::now() + Duration::from_micros(one.dice.below(3000) as u64);
    while Instant::now() < moment {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    KILLS[0].fetch_add(1, Ordering::Relaxed);
    if one.was_interrupted() {
        KILLS[1].fetch_add(1, Ordering::Relaxed);
    }
}

/// Kills that came too early or too late prove nothing: some of them must have come in between.
fn kills_hit() {
    let [all, hit] = [&KILLS[0], &KILLS[1]].map(|count| count.load(Ordering::Relaxed));
    println!("{hit} of {all} kills came in the middle of the work");
    assert!(hit * 20 >= all, "only {hit} of {all} kills came in the middle of the work");
}

fn killed_runs_converge(mut one: Try) {
    if one.dice.one_in(2) {
        one.apply();
        one.edit();
    }
    for _ in 0..1 + one.dice.below(3) {
        kill(&mut one, "apply");
    }
    one.apply();
    one.is_settled();
    one.edit();
    kill(&mut one, "apply");
    one.apply();
    one.is_settled();
    kill(&mut one, "destroy");
    one.destroy();
}

/// The same with state in a bucket. Without MinIO nothing is tried.
fn killed_runs_converge_in_a_bucket(first: u64, count: u64) {
    let Some(minio) = lab::minio() else { return };
    seeds(first, count, |mut one| {
        if one.shape.is_plain() {
            return;
        }
        one.shape.state = format!(
            "state \"s3\" {{\n  bucket = {:?}\n  region = \"us-east-1\"\n  endpoints = {{ s3 = {:?} }}\n  use_path_style = \
             true\n}}\n",
            minio.bucket(),
            minio.endpoint
        );
        one.program = std::mem::replace(&mut one.program, Program::with(&[]))
            .env("AWS_ACCESS_KEY_ID", &minio.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &minio.secret_key);
        one.write();
        killed_runs_converge(one);
    });
}

#[test]
fn random_configurations_settle_and_go() {
    seeds(1, 10, settles_and_goes);
}

#[test]
fn random_configurations_come_out_the_same_one_by_one_and_at_once() {
    seeds(1001, 4, parallel_is_serial);
}

#[test]
fn random_edits_converge() {
    seeds(2001, 5, edits_converge);
}

#[test]
fn random_renames_change_nothing() {
    seeds(5001, 5, renames_change_nothing);
}

#[test]
fn random_kills_converge() {
    seeds(3001, 6, killed_runs_converge);
    kills_hit();
}

#[test]
fn random_kills_converge_with_state_in_a_bucket() {
    killed_runs_converge_in_a_bucket(4001, 3);
}

#[test]
#[ignore = "long; just soak"]
fn soak_configurations_settle_and_go() {
    seeds(10_001, 400, settles_and_goes);
}

#[test]
#[ignore = "long; just soak"]
fn soak_one_by_one_and_at_once() {
    seeds(20_001, 120, parallel_is_serial);
}

#[test]
#[ignore = "long; just soak"]
fn soak_edits_converge() {
    seeds(30_001, 160, edits_converge);
}

#[test]
#[ignore = "long; just soak"]
fn soak_renames_change_nothing() {
    seeds(60_001, 160, renames_change_nothing);
}

#[test]
#[ignore = "long; just soak"]
fn soak_kills_converge() {
    seeds(40_001, 300, killed_runs_converge);
    kills_hit();
}

#[test]
#[ignore = "long; just soak"]
fn soak_kills_converge_with_state_in_a_bucket() {
    killed_runs_converge_in_a_bucket(50_001, 40);
}
