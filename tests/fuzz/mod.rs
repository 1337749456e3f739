//! Hostile input: the committed seeds and mutations of them, always the same ones. libFuzzer goes further: `just soak`.

#[path = "../../fuzz/checks/mod.rs"]
mod checks;
mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use mutate::Mutator;

/// How long one input may take. libFuzzer holds an optimised build to ten seconds.
const SLOW: Duration = Duration::from_secs(20);

/// Runs a target's seeds, then so many mutations of each.
fn sample(name: &str, mutations: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let mut seeds: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!seeds.is_empty());
    let words = mutate::words(&folder.join(format!("../../dictionaries/{name}.dict")));
    let mut mutator = Mutator::new(1, words);
    for seed in &seeds {
        tried(name, seed);
        for _ in 0..mutations {
            tried(name, &mutator.mutated(seed, &seeds));
        }
    }
}

fn tried(name: &str, input: &[u8]) {
    let began = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| checks::run(name, input)));
    let took = began.elapsed();
    assert!(result.is_ok(), "the input was\n{}", String::from_utf8_lossy(input));
    assert!(took < SLOW, "{took:?} for\n{}", String::from_utf8_lossy(input));
}

#[test]
fn every_text_falls_into_tokens() {
    sample("lexer", 400);
}

#[test]
fn every_text_is_read_and_its_form_says_the_same() {
    sample("parser", 40);
}

#[test]
fn every_text_is_read_as_json() {
    sample("json", 40);
}

#[test]
fn every_expression_has_a_value_or_an_error_soon() {
    sample("evaluate", 8);
}

#[test]
fn every_state_that_is_read_is_written_as_it_was() {
    sample("state", 100);
}

#[test]
fn every_plan_file_is_read_or_refused() {
    sample("plan", 400);
}

#[test]
fn every_log_is_read_or_refused_and_folds() {
    sample("journal", 200);
}
