//! `infra metadata` and `infra completions`

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::view;

use super::args::{CompletionsArgs, LookArgs, Root};
use super::exit::Exit;
use super::terminal::Terminal;

fn terminal() -> Terminal {
    Terminal::new(&LookArgs { no_color: false, compact_warnings: false }, None)
}

/// Prints what functions take and give, as JSON.
pub(super) fn functions() -> Exit {
    terminal().print(&format!("{}\n", view::functions_json()));
    Exit::Done
}

/// Prints the script that completes commands and flags in a shell.
pub(super) fn completions(args: &CompletionsArgs) -> Exit {
    let shell = match args.shell.as_str() {
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        _ => Shell::Bash,
    };
    let mut script = Vec::new();
    generate(shell, &mut Root::command(), "infra", &mut script);
    terminal().print(&String::from_utf8_lossy(&script));
    Exit::Done
}
