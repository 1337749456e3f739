//! How fast text becomes a tree. Run it alone, optimised: `cargo test --release --lib soak_parsing -- --ignored --nocapture`.

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::{lex, parse};
use crate::diag::SourceMap;

const ROUNDS: usize = 15;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The `linked` shape of bench/gen.py.
fn linked(count: usize) -> String {
    let mut text = "locals {\n  tags = { env = var.env, owner = \"bench\" }\n}\n".to_owned();
    for number in 0..count {
        let up = if number > 0 && number % 5 == 0 {
            format!("terraform_data.r{}.output", number - 1 - number * 7919 % number.min(50))
        } else {
            "\"x\"".to_owned()
        };
        let _cannot_fail = write!(
            text,
            "resource \"terraform_data\" \"r{number}\" {{\n  input = {{\n    name  = \"svc-{number}-${{var.env}}\"\n    \
             up    = {up}\n    tags  = merge(local.tags, {{ idx = \"{number}\" }})\n    \
             ports = [for p in [80, 443, {number}] : p + 1]\n  }}\n}}\n"
        );
    }
    text
}

/// Times `f`, whose results are dropped outside of the measured time, and prints the best and the middle round, and what all
/// rounds took of all processors: other work on the machine disturbs that least.
fn measure<T>(what: &str, bytes: usize, mut f: impl FnMut() -> T) {
    let mut busy = Duration::ZERO;
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let before = processor_time();
            let began = Instant::now();
            let result = f();
            let took = began.elapsed();
            busy += processor_time().saturating_sub(before);
            drop(result);
            took
        })
        .collect();
    times.sort();
    let speed = |took: Duration| bytes as f64 / 1e6 / took.as_secs_f64();
    let (best, median) = (speed(times[0]), speed(times[ROUNDS / 2]));
    let busy = speed(busy / ROUNDS as u32);
    println!("{what}: best {best:.0} MB/s, median {median:.0} MB/s, {busy:.0} MB/s of processor time");
}

/// What this process has taken of all processors, in steps of 10 ms; zero where the system does not tell.
fn processor_time() -> Duration {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = told.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    Duration::from_millis(fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10)
}

#[test]
#[ignore = "a measurement"]
fn soak_parsing_is_fast() {
    for count in [10_000, 50_000] {
        let text = linked(count);
        let sources = SourceMap::default();
        let file = sources.add("main.tf", text.as_str());
        measure(&format!("{count} blocks, tokens"), text.len(), || lex(&text, true));
        measure(&format!("{count} blocks, tree"), text.len(), || {
            let (file, said) = parse(&sources, file);
            assert!(said.is_empty(), "{said}");
            file
        });
    }
}
