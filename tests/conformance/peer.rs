//! The two programs whose answers are compared.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use regex::Regex;
use serde_json::Value as Json;

/// One of the two programs.
pub struct Peer {
    program: PathBuf,
    /// Whether modules are installed by a command of its own.
    pub installs: bool,
}

impl Peer {
    pub fn infra() -> Self {
        Peer { program: env!("CARGO_BIN_EXE_infra").into(), installs: false }
    }

    pub fn terraform() -> Self {
        Peer { program: "terraform".into(), installs: true }
    }

    pub fn tofu() -> Self {
        Peer { program: "tofu".into(), installs: true }
    }

    /// Runs a command in a folder that is its home as well, with nothing of this machine's configuration.
    pub fn run(&self, folder: &Path, arguments: &[&str]) -> Output {
        self.run_with(folder, arguments, &[])
    }

    /// The same with more variables in the environment.
    pub fn run_with(&self, folder: &Path, arguments: &[&str], env: &[(String, String)]) -> Output {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
        command.env("CHECKPOINT_DISABLE", "1").env("TF_CLI_CONFIG_FILE", folder.join("terraformrc"));
        command.envs(env.iter().map(|(name, value)| (name, value)));
        command.output().unwrap()
    }
}

/// `Cycle: b, a` with its members in order: terraform names them in another one at each run, and some with a word about what
/// it is doing with them.
pub fn sorted_members(summary: &str) -> String {
    let Some(members) = summary.strip_prefix("Cycle: ") else { return summary.to_owned() };
    let members = members.replace(" (expand)", "").replace(" (validation)", "");
    let mut members: Vec<&str> = members.split(", ").collect();
    members.sort_unstable();
    format!("Cycle: {}", members.join(", "))
}

/// The answer with every random id replaced by the same word: the programs make others at each run.
pub fn without_ids(answer: &Json) -> Json {
    let id = Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap();
    serde_json::from_str(&id.replace_all(&answer.to_string(), "ID")).unwrap()
}
