//! The terminal, or what stands in its place: what it can show, what is printed where, and questions.

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc;
use std::time::Duration;

use crate::diag::{Diagnostic, Diagnostics, SourceMap};
use crate::view::{self, Style};

use super::args::LookArgs;
use super::product::product;

/// What the user sees with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    /// Looks of what goes to standard output.
    pub style: Style,
    /// Looks of what goes to standard error.
    pub error_style: Style,
    /// Whether warnings are only listed.
    pub compact_warnings: bool,
    /// Whether standard output is a terminal that can be redrawn.
    pub live: bool,
    /// Whether somebody can be asked.
    pub asks: bool,
    /// Whether it is said which command comes next: not where a program decides that.
    pub hints: bool,
}

impl Terminal {
    /// Looks at the streams and the environment. `input`: what `-input` says.
    pub fn new(look: &LookArgs, input: Option<bool>) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let product = product();
        let plain = set("NO_COLOR") || look.no_color;
        let capable = !plain && std::env::var("TERM").as_deref() != Ok("dumb");
        let width = width();
        let style = |tty: bool| Style {
            colour: tty && capable,
            width: width.filter(|_| tty).or_else(|| product.file_width()),
            // Terraform frames what it says in a pipe, too, until it is told to leave out colours.
            framed: (tty && capable) || (product.is_compatible() && !plain),
            product,
        };
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let refused = std::env::var("TF_INPUT").is_ok_and(|text| matches!(text.as_str(), "0" | "false" | "f" | "no"));
        Terminal {
            style: style(out),
            error_style: style(err),
            compact_warnings: look.compact_warnings,
            live: out && !product.is_compatible() && std::env::var("TERM").as_deref() != Ok("dumb"),
            hints: !set("TF_IN_AUTOMATION"),
            // Terraform takes its answer from a pipe as well.
            asks: (product.is_compatible() || std::io::stdin().is_terminal()) && input.unwrap_or(!refused),
        }
    }

    /// Prints to standard output. A reader that has gone away is no error: there is nobody left to tell.
    pub fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Prints to standard error.
    pub fn print_error(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }

    /// Prints errors to standard error and warnings to standard output, as Terraform does.
    pub fn say(&self, said: &Diagnostics, sources: &SourceMap) {
        let (errors, warnings): (Vec<Diagnostic>, Vec<Diagnostic>) =
            said.iter().cloned().partition(Diagnostic::is_error);
        let warnings = view::diagnostics(&Diagnostics(warnings), sources, self.style, self.compact_warnings);
        self.print(&warnings);
        let errors = view::diagnostics(&Diagnostics(errors), sources, self.error_style, false);
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(errors.as_bytes()).and_then(|()| err.flush());
    }

    /// Prints errors and warnings to standard error, where standard output is for results alone.
    pub fn say_aside(&self, said: &Diagnostics, sources: &SourceMap) {
        let text = view::diagnostics(said, sources, self.error_style, false);
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }

    /// Asks and waits for a line; `None` when the input ends or `stopped` says so.
    pub fn ask(&self, question: &str, stopped: &dyn Fn() -> bool) -> Option<String> {
        self.print(question);
        let (sender, answers) = mpsc::channel();
        // The thread is left behind when the user stops instead of answering; the process ends soon after.
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line);
            let _ = sender.send(read.ok().filter(|length| *length > 0).map(|_| line.trim().to_owned()));
        });
        loop {
            match answers.recv_timeout(Duration::from_millis(100)) {
                Ok(answer) => return answer,
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                Err(mpsc::RecvTimeoutError::Timeout) if stopped() => return None,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

fn width() -> Option<usize> {
    let size =
        rustix::termios::tcgetwinsize(std::io::stdout()).or_else(|_| rustix::termios::tcgetwinsize(std::io::stderr()));
    size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
}
