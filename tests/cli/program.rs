//! The program as users call it: a folder, arguments, and what comes back.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A folder to call the program in. The environment is empty but for the little a program needs.
pub struct Program {
    dir: tempfile::TempDir,
    env: Vec<(String, String)>,
}

/// What a call gave back.
pub struct Answer {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Answer {
    fn of(output: Output) -> Self {
        Answer {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Program {
    /// In a folder with these files.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let program = Program { dir: tempfile::tempdir().unwrap(), env: Vec::new() };
        for (path, text) in files {
            program.write(path, text);
        }
        program
    }

    /// In a folder that holds what this one holds now.
    pub fn copied(&self) -> Self {
        let copy = Program { dir: tempfile::tempdir().unwrap(), env: self.env.clone() };
        copy_folder(self.dir.path(), copy.dir.path());
        copy
    }

    /// With an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A path in the folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Whether a file is there.
    pub fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// The program with these arguments, ready to be started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_infra"));
        command.args(args).current_dir(self.dir.path()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.dir.path()).env("USER", "tester").env("INFRA_NOW", "2026-01-02T03:04:05Z");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Calls the program.
    pub fn call(&self, args: &[&str]) -> Answer {
        Answer::of(self.command(args).output().unwrap())
    }

    /// Calls the program, which must be done within `limit`: one that waits for something in vain is killed, and ends the test.
    pub fn call_within(&self, args: &[&str], limit: Duration) -> Answer {
        let child = self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        let (done, ended) = mpsc::channel();
        std::thread::spawn(move || done.send(child.wait_with_output().unwrap()));
        let output = ended.recv_timeout(limit).unwrap_or_else(|_| {
            kill_process(pid, Signal::KILL).unwrap();
            let output = ended.recv().unwrap();
            panic!("{args:?} was not done within {limit:?}:\n{}", String::from_utf8_lossy(&output.stdout));
        });
        Answer::of(output)
    }

    /// Calls the program and gives standard output; anything but the exit code 0 ends the test.
    pub fn ok(&self, args: &[&str]) -> String {
        let answer = self.call(args);
        assert_eq!(answer.code, 0, "{args:?}\n{}\n{}", answer.out, answer.err);
        answer.out
    }
}

/// The text with every random id replaced by a number, in the order they come.
pub fn without_ids(text: &str) -> String {
    let id = regex::Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap();
    let mut seen: Vec<String> = Vec::new();
    let replace = |found: &regex::Captures<'_>| {
        let at = seen.iter().position(|known| *known == found[0]).unwrap_or_else(|| {
            seen.push(found[0].to_owned());
            seen.len() - 1
        });
        format!("00000000-0000-0000-0000-{at:012}")
    };
    id.replace_all(text, replace).into_owned()
}

/// The names in a folder; none without the folder.
pub fn names_if(dir: &Path) -> Vec<String> {
    if dir.exists() { names(dir) } else { Vec::new() }
}

/// The names in a folder.
pub fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Copies a file, or a folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) {
    if from.is_file() {
        std::fs::copy(from, to).unwrap();
        return;
    }
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy_folder(&entry.path(), &to.join(entry.file_name()));
    }
}
