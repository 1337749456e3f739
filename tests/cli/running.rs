//! The program while it runs: what it prints is awaited line by line, and signals are sent at what it says.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::program::Program;

/// What waits for hours ends within about a second; the rest is for a machine that does other things as well.
pub const SOON: Duration = Duration::from_secs(10);

/// A call that has not ended.
pub struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    said: String,
    signalled: Option<Instant>,
}

/// A call that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Since the first signal.
    pub after: Duration,
}

impl Running {
    /// Starts a call.
    pub fn start(program: &Program, args: &[&str]) -> Self {
        let mut child = program.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Running { child, lines, said: String::new(), signalled: None }
    }

    /// Waits until a line of standard output contains a text.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> &mut Self {
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            self.said += &line;
            self.said += "\n";
            if line.contains(text) {
                return self;
            }
        }
        panic!("{text:?} was never printed:\n{}", self.said);
    }

    /// Sends a signal.
    pub fn signal(&mut self, signal: Signal) -> &mut Self {
        self.signalled.get_or_insert_with(Instant::now);
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self
    }

    /// Waits until the program hears SIGINT and SIGTERM itself, where it prints nothing by which that could be known.
    pub fn until_it_hears_signals(&mut self) -> &mut Self {
        let path = format!("/proc/{}/status", self.child.id());
        let both = (1_u64 << (Signal::INT.as_raw() - 1)) | (1 << (Signal::TERM.as_raw() - 1));
        loop {
            let status = std::fs::read_to_string(&path).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
            if u64::from_str_radix(caught.trim(), 16).unwrap() & both == both {
                return self;
            }
            std::thread::yield_now();
        }
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        for line in self.lines.by_ref() {
            self.said += &(line.unwrap() + "\n");
        }
        let output = self.child.wait_with_output().unwrap();
        Ended {
            out: self.said,
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code(),
            after: self.signalled.map(|signalled| signalled.elapsed()).unwrap_or_default(),
        }
    }
}
