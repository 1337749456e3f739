//! `infra console`

use std::io::{BufRead as _, IsTerminal as _};

use crate::diag::{Diagnostic, Diagnostics};
use crate::event::Silent;
use crate::lang::syntax::{TokenKind, lex};
use crate::ops::{self, Console, Evaluated, RunOptions};
use crate::view;

use super::args::ConsoleArgs;
use super::exit::Exit;
use super::project::{Call, layer};
use super::terminal::Terminal;

/// What is typed instead of an expression to be told about the console.
const HELP: &str = "\
Type an expression and press Enter to see its value: var.region, module.data.url,
length(local.names). Names are those of the configuration, objects are as state has
them (with -plan: as they would be). type(EXPRESSION) shows the type of a value.
An open bracket continues on the next line.

\"exit\", Ctrl-C or Ctrl-D leave the console.";

/// Evaluates lines: of standard input up to its end, or as they are typed.
pub(super) async fn run(call: &Call, args: &ConsoleArgs) -> Exit {
    let terminal = Terminal::new(&args.select.look, None);
    let mut said = Diagnostics::none();
    let mut options = RunOptions::new(call.now);
    options.layer = layer(&args.select);
    let mut load = call.load(&args.select);
    load.may_be_empty = true;
    load.state_file.clone_from(&args.state);
    let Some(session) = call.open(load, &args.select).take(&mut said) else {
        terminal.say(&said, &call.sources);
        return Exit::Failed;
    };
    let Some(console) = ops::console(&session, &options, args.plan, &Silent).await.take(&mut said) else {
        terminal.say(&said, &call.sources);
        return Exit::Failed;
    };
    if said.has_errors() {
        let detail = "What does not depend on them is evaluated all the same.";
        let summary = "Due to the problems above, some expressions may produce unexpected results";
        said.push(Diagnostic::warning(summary, detail));
    }
    // Standard output is for values.
    terminal.say_aside(&said, &call.sources);
    if std::io::stdin().is_terminal() { talk(call, &terminal, &console) } else { pipe(call, &terminal, &console) }
}

/// One line after another until one fails; the last value is printed, as under Terraform.
fn pipe(call: &Call, terminal: &Terminal, console: &Console<'_>) -> Exit {
    let mut last = String::new();
    let mut text = String::new();
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if text.is_empty() && line.trim() == "exit" {
            return Exit::Done;
        }
        text.push_str(&line);
        if is_open(&text) {
            text.push('\n');
            continue;
        }
        match answer(call, terminal, console, &std::mem::take(&mut text)) {
            Some(value) => last = value,
            None => return Exit::Failed,
        }
    }
    if !text.is_empty() {
        match answer(call, terminal, console, &text) {
            Some(value) => last = value,
            None => return Exit::Failed,
        }
    }
    terminal.print(&format!("{last}\n"));
    Exit::Done
}

/// With a prompt; a line that fails is only said.
fn talk(call: &Call, terminal: &Terminal, console: &Console<'_>) -> Exit {
    let mut text = String::new();
    loop {
        terminal.print(if text.is_empty() { "> " } else { ": " });
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line).unwrap_or(0) == 0 {
            terminal.print("\n");
            return Exit::Done;
        }
        if text.is_empty() && matches!(line.trim(), "exit" | "quit") {
            return Exit::Done;
        }
        let ends = line.trim().is_empty();
        text.push_str(&line);
        // An empty line ends what would never close.
        if is_open(&text) && !ends {
            continue;
        }
        if let Some(value) = answer(call, terminal, console, &std::mem::take(&mut text)) {
            terminal.print(&format!("{value}\n"));
        }
    }
}

/// What a line prints; `None` when it fails, which is said then.
fn answer(call: &Call, terminal: &Terminal, console: &Console<'_>, text: &str) -> Option<String> {
    match text.trim() {
        "" => return Some(String::new()),
        "help" => return Some(HELP.to_owned()),
        _ => {}
    }
    let mut said = Diagnostics::none();
    let mut text = text.trim_end_matches(['\n', '\r']).to_owned();
    // The marker that ends a heredoc is a line of its own.
    if text.contains('\n') {
        text.push('\n');
    }
    let answer = console.evaluate(&text).take(&mut said);
    let answer = answer.filter(|_| !said.has_errors());
    terminal.say_aside(&said, &call.sources);
    Some(match answer? {
        Evaluated::Value(value) => view::console(&value),
        Evaluated::Type(ty) => view::console_type(&ty),
        Evaluated::TypeOfType => "type".to_owned(),
    })
}

/// Whether a text leaves a bracket or a heredoc open, so that the next line belongs to it.
fn is_open(text: &str) -> bool {
    let mut depth = 0_usize;
    for token in lex(&format!("{text}\n"), false) {
        match token.kind {
            TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace | TokenKind::OpenHeredoc => depth += 1,
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace | TokenKind::CloseHeredoc => {
                depth = depth.saturating_sub(1)
            }
            _ => {}
        }
    }
    depth > 0
}
