//! `infra fmt`: files in their canonical form. Flags, what is printed and exit codes are those of `terraform fmt`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::config::relative;
use crate::diag::{Diagnostic, Diagnostics};
use crate::lang::format::format;

use super::args::FmtArgs;
use super::exit::Exit;
use super::project::Call;
use super::terminal::Terminal;

/// The ends of the names of files that have a canonical form.
const FORMATTED: &[&str] = &[".tf", ".tfvars", ".tftest.hcl", ".tfmock.hcl", ".tofu", ".tofutest.hcl"];

/// A run over files.
struct Run<'a> {
    call: &'a Call,
    terminal: Terminal,
    recursive: bool,
    list: bool,
    write: bool,
    diff: bool,
    check: bool,
    said: Diagnostics,
    changed: bool,
}

/// Formats files, folders, or standard input.
pub(super) fn run(call: &Call, args: &FmtArgs) -> Exit {
    let stdin = args.paths.iter().any(|path| path.as_os_str() == "-");
    let mut run = Run {
        call,
        terminal: Terminal::new(&args.look, None),
        recursive: args.recursive,
        list: args.list && !stdin,
        write: args.write && !stdin && !args.check,
        diff: args.diff,
        check: args.check,
        said: Diagnostics::none(),
        changed: false,
    };
    if stdin && args.paths.len() > 1 {
        run.said.error("Invalid arguments", "A dash stands for standard input; it cannot stand beside other paths.");
    } else if stdin {
        run.standard_input();
    } else if args.paths.is_empty() {
        run.folder(&call.working_dir);
    } else {
        args.paths.iter().for_each(|path| run.path(path));
    }
    run.terminal.say(&run.said, &call.sources);
    match (run.said.has_errors(), run.check && run.changed) {
        (true, _) => Exit::Unreadable,
        (false, true) => Exit::Unformatted,
        (false, false) => Exit::Done,
    }
}

impl Run<'_> {
    fn standard_input(&mut self) {
        let mut bytes = Vec::new();
        match std::io::stdin().read_to_end(&mut bytes) {
            Ok(_) => drop(self.text(Path::new("<stdin>"), bytes)),
            Err(error) => self.said.error("Failed to read standard input", format!("{error}.")),
        }
    }

    fn path(&mut self, path: &Path) {
        let absolute = self.call.working_dir.join(path);
        match std::fs::metadata(&absolute) {
            Err(_) => self.said.error(
                format!("No file or directory at {}", path.display()),
                "Paths are those of files and folders, as seen from the working directory.",
            ),
            Ok(meta) if meta.is_dir() => self.folder(&absolute),
            Ok(_) if is_formatted(path) => self.file(&absolute),
            Ok(_) => self.said.error(
                "Only .tf, .tfvars, and .tftest.hcl files can be processed with infra fmt",
                format!("{} is none of them, nor a .tofu or .tfmock.hcl file.", path.display()),
            ),
        }
    }

    fn folder(&mut self, dir: &Path) {
        let mut paths: Vec<PathBuf> = match std::fs::read_dir(dir) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
            Err(error) => {
                let detail = format!("{} cannot be listed: {error}.", self.shown(dir).display());
                return self.said.error("Failed to read folder", detail);
            }
        };
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#')) {
                continue;
            }
            if path.is_dir() {
                if self.recursive {
                    self.folder(&path);
                }
            } else if is_formatted(&path) {
                self.file(&path);
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let shown = self.shown(path);
        let formatted = match std::fs::read(path) {
            Ok(bytes) => self.text(&shown, bytes),
            Err(error) => {
                let detail = format!("{} cannot be read: {error}.", shown.display());
                return self.said.error("Failed to read file", detail);
            }
        };
        if let Some(text) = formatted.filter(|_| self.write)
            && let Err(error) = std::fs::write(path, text)
        {
            self.said.error("Failed to write file", format!("{} cannot be written: {error}.", shown.display()));
        }
    }

    /// Formats a text and prints what is asked for. Gives its form if that is another one.
    fn text(&mut self, shown: &Path, bytes: Vec<u8>) -> Option<String> {
        let Ok(text) = String::from_utf8(bytes) else {
            let detail = format!("{} is not UTF-8 text.", shown.display());
            self.said.push(Diagnostic::error("Invalid character encoding", detail));
            return None;
        };
        let file = self.call.sources.add(shown, text.as_str());
        let formatted = match format(&self.call.sources, file) {
            Ok(formatted) => formatted,
            Err(errors) => {
                self.said.append(errors);
                return None;
            }
        };
        let changes = formatted != text;
        self.changed |= changes;
        if changes && self.list {
            self.terminal.print(&format!("{}\n", shown.display()));
        }
        if changes && self.diff {
            self.terminal.print(&difference(&text, &formatted, shown));
        }
        if !self.list && !self.write && !self.diff && !self.check {
            let end = if formatted.ends_with('\n') { "" } else { "\n" };
            self.terminal.print(&format!("{formatted}{end}"));
        }
        changes.then_some(formatted)
    }

    fn shown(&self, path: &Path) -> PathBuf {
        relative(&crate::config::normal(path), &self.call.working_dir)
    }
}

fn is_formatted(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    FORMATTED.iter().any(|end| name.ends_with(end))
}

fn difference(old: &str, new: &str, shown: &Path) -> String {
    let shown = shown.display();
    let diff = TextDiff::from_lines(old, new);
    diff.unified_diff().header(&format!("old/{shown}"), &format!("new/{shown}")).to_string()
}
