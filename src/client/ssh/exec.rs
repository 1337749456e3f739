//! One command on the host: what is sent, how its output is gathered, and the loop that moves both.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use ssh2::{Channel, Session};
use tokio::sync::mpsc::UnboundedSender;

use super::quote::{join, quote};
use super::session::milliseconds;
use super::{SshError, Target};
use crate::client::Secret;

/// While input is left to send, a wait for output is at most this long.
const BRIEF: Duration = Duration::from_millis(20);
/// Otherwise a wait is this long before the limits are looked at again.
const POLL: Duration = Duration::from_millis(200);
/// A line of output that is longer is reported in pieces.
const LINE_LIMIT: usize = 8 * 1024;

/// A line that a command printed, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputLine {
    /// Whether it came from standard error.
    pub stderr: bool,
    /// The text; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// A command to run.
#[derive(Clone, Debug)]
pub struct Exec {
    script: String,
    env: Vec<(String, Secret)>,
    stdin: Vec<u8>,
    sudo: bool,
    timeout: Duration,
    limit: usize,
    lines: Option<UnboundedSender<OutputLine>>,
}

/// How a command ended and what it printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecOutput {
    /// The exit code; 128 and more for a command that a signal ended, as shells have it.
    pub code: i32,
    /// Standard output, at most the limit's first bytes.
    pub stdout: Vec<u8>,
    /// Standard error, at most the limit's last bytes.
    pub stderr: Vec<u8>,
    /// Whether standard output was longer than the limit.
    pub truncated: bool,
}

impl Exec {
    /// A text for `sh`.
    pub fn script(script: impl Into<String>) -> Self {
        Exec {
            script: script.into(),
            env: Vec::new(),
            stdin: Vec::new(),
            sudo: false,
            timeout: Duration::from_secs(300),
            limit: 1 << 20,
            lines: None,
        }
    }

    /// An argument vector; nothing in it is interpreted by a shell.
    pub fn argv<S: AsRef<str>>(argv: &[S]) -> Self {
        Exec::script(join(argv))
    }

    /// Sets an environment variable. The value travels by standard input, so that it is in no process list.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: Secret) -> Self {
        self.env.push((name.into(), value));
        self
    }

    /// What the command reads.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs it as root through `sudo -n`, which fails rather than asks for a password.
    #[must_use]
    pub fn sudo(mut self, sudo: bool) -> Self {
        self.sudo = sudo;
        self
    }

    /// Time from start to end; 5 minutes unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Bytes that are kept of standard output and of standard error; 1 MiB unless set.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Where to report each line as it is printed.
    #[must_use]
    pub fn report(mut self, lines: UnboundedSender<OutputLine>) -> Self {
        self.lines = Some(lines);
        self
    }

    /// The command line for the login shell, and what is sent to it.
    fn wire(&self) -> (String, Vec<u8>) {
        let mut script = String::new();
        let mut input = Vec::new();
        if !self.env.is_empty() {
            for (name, value) in &self.env {
                input.extend_from_slice(format!("export {name}={}\n", quote(value.reveal())).as_bytes());
            }
            // dd with a block size of one reads exactly so much and leaves the rest to the command.
            script.push_str(&format!("eval \"$(dd bs=1 count={} 2>/dev/null)\"\n", input.len()));
        }
        script.push_str(&self.script);
        input.extend_from_slice(&self.stdin);
        let line =
            if self.sudo { join(&["sudo", "-n", "--", "sh", "-c", &script]) } else { join(&["sh", "-c", &script]) };
        (line, input)
    }
}

impl ExecOutput {
    /// Whether the exit code is 0.
    pub fn succeeded(&self) -> bool {
        self.code == 0
    }

    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The last lines of standard error, or of standard output when that is silent: what to show when it failed.
    pub fn tail(&self, lines: usize) -> String {
        let said = if self.stderr.iter().all(u8::is_ascii_whitespace) { &self.stdout } else { &self.stderr };
        let text = String::from_utf8_lossy(said);
        let all: Vec<&str> = text.trim_end().lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

/// Opens a channel for a command. Nothing ran on the host when this fails.
pub(super) fn open(session: &Session, target: &Target) -> Result<Channel, SshError> {
    session.set_blocking(true);
    session.set_timeout(milliseconds(target.connect_timeout));
    session.channel_session().map_err(|error| lost(target, "opening a channel", error.into()))
}

/// Runs a command on a fresh channel.
///
/// # Errors
/// [`SshError::Command`] after the time-out, [`SshError::Stopped`] when `stop` says so, [`SshError::Lost`]. The session is
/// of no use after any of them.
pub(super) fn run(
    session: &Session,
    mut channel: Channel,
    exec: &Exec,
    target: &Target,
    stop: &dyn Fn() -> bool,
) -> Result<ExecOutput, SshError> {
    let deadline = Instant::now() + exec.timeout;
    let (line, input) = exec.wire();
    channel.exec(&line).map_err(|error| lost(target, "starting a command", error.into()))?;

    let mut out = Gathered::new(false, exec);
    let mut err = Gathered::new(true, exec);
    let mut unsent: &[u8] = &input;
    let mut ended_input = false;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if stop() {
            return Err(SshError::Stopped { place: target.place() });
        }
        if Instant::now() >= deadline {
            return Err(SshError::Command { place: target.place(), limit: exec.timeout });
        }
        session.set_blocking(false);
        let mut moved = false;
        if !unsent.is_empty() {
            match channel.write(&unsent[..unsent.len().min(32 * 1024)]) {
                Ok(count) => {
                    unsent = &unsent[count..];
                    moved = true;
                }
                Err(error) if must_wait(&error) => {}
                // A command may end without reading all it was given; how it ended is told below.
                Err(_) => unsent = &[],
            }
        }
        if unsent.is_empty() && !ended_input {
            match channel.send_eof().map_err(io::Error::from) {
                Err(error) if must_wait(&error) => {}
                _ => ended_input = true,
            }
        }
        for gathered in [&mut out, &mut err] {
            match channel.stream(gathered.stream()).read(&mut buffer) {
                Ok(0) => {}
                Ok(count) => {
                    gathered.take(&buffer[..count], exec);
                    moved = true;
                }
                Err(error) if must_wait(&error) => {}
                Err(error) => return Err(lost(target, "running a command", error)),
            }
        }
        if moved {
            continue;
        }
        if channel.eof() {
            break;
        }
        // Nothing to do: sleep in the library until output comes, or long enough to look at the limits again.
        session.set_blocking(true);
        session.set_timeout(milliseconds(if ended_input { POLL } else { BRIEF }));
        match channel.stream(0).read(&mut buffer) {
            Ok(count) => out.take(&buffer[..count], exec),
            Err(error) if must_wait(&error) => {
                session.keepalive_send().map_err(|error| lost(target, "running a command", error.into()))?;
            }
            Err(error) => return Err(lost(target, "running a command", error)),
        }
    }
    out.finish(exec);
    err.finish(exec);
    session.set_blocking(true);
    session.set_timeout(milliseconds(target.connect_timeout));
    let ending = channel.close().and_then(|()| channel.wait_close());
    ending.map_err(|error| lost(target, "ending a command", error.into()))?;
    let code = exit_code(&channel).map_err(|error| lost(target, "ending a command", error.into()))?;
    Ok(ExecOutput { code, stdout: out.kept, stderr: err.kept, truncated: out.truncated })
}

fn exit_code(channel: &Channel) -> Result<i32, ssh2::Error> {
    let signal = channel.exit_signal()?;
    Ok(match signal.exit_signal.as_deref() {
        None => channel.exit_status()?,
        Some("HUP") => 129,
        Some("INT") => 130,
        Some("KILL") => 137,
        Some("PIPE") => 141,
        Some("TERM") => 143,
        Some(_) => 128,
    })
}

fn must_wait(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn lost(target: &Target, step: &'static str, source: io::Error) -> SshError {
    SshError::Lost { place: target.place(), step, source }
}

/// One stream of output: what is kept, and the line that is not complete yet.
struct Gathered {
    stderr: bool,
    kept: Vec<u8>,
    truncated: bool,
    partial: Vec<u8>,
}

impl Gathered {
    fn new(stderr: bool, exec: &Exec) -> Self {
        Gathered { stderr, kept: Vec::with_capacity(exec.limit.min(4096)), truncated: false, partial: Vec::new() }
    }

    fn stream(&self) -> i32 {
        i32::from(self.stderr)
    }

    fn take(&mut self, bytes: &[u8], exec: &Exec) {
        if self.stderr {
            // Of errors the end matters.
            self.kept.extend_from_slice(bytes);
            let surplus = self.kept.len().saturating_sub(exec.limit);
            self.kept.drain(..surplus);
        } else {
            let room = exec.limit.saturating_sub(self.kept.len());
            self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
            self.truncated |= bytes.len() > room;
        }
        if exec.lines.is_some() {
            self.partial.extend_from_slice(bytes);
            while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.partial.drain(..=end).collect();
                self.report(&line, exec);
            }
            if self.partial.len() > LINE_LIMIT {
                self.finish(exec);
            }
        }
    }

    fn finish(&mut self, exec: &Exec) {
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            self.report(&line, exec);
        }
    }

    fn report(&self, line: &[u8], exec: &Exec) {
        if let Some(lines) = &exec.lines {
            let text = String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']).to_owned();
            // Nobody listening any more is no reason to stop the command.
            let _ = lines.send(OutputLine { stderr: self.stderr, text });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_travel_by_standard_input() {
        let exec = Exec::argv(&["env"]).env("TOKEN", Secret::new("it's secret")).stdin("rest").sudo(true);
        let (line, input) = exec.wire();
        assert_eq!(String::from_utf8_lossy(&input), "export TOKEN='it'\\''s secret'\nrest");
        assert!(line.starts_with("sudo -n -- sh -c "), "{line}");
        assert!(!line.contains("secret"), "{line}");
        assert!(!format!("{exec:?}").contains("it's"));
    }

    #[test]
    fn a_shell_reads_environment_and_input() -> io::Result<()> {
        let exec = Exec::script("printf '%s|' \"$A\" \"$B\"; cat")
            .env("A", Secret::new("one\ntwo"))
            .env("B", Secret::new("'"))
            .stdin("in\0put");
        let (line, input) = exec.wire();
        let mut child = std::process::Command::new("sh")
            .args(["-c", &line])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()?;
        child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?.write_all(&input)?;
        assert_eq!(child.wait_with_output()?.stdout, b"one\ntwo|'|in\0put");
        Ok(())
    }

    #[test]
    fn keeps_the_head_of_output_and_the_tail_of_errors() {
        let exec = Exec::script("").limit(4);
        let (mut out, mut err) = (Gathered::new(false, &exec), Gathered::new(true, &exec));
        for bytes in [b"abc", b"def"] {
            out.take(bytes, &exec);
            err.take(bytes, &exec);
        }
        assert_eq!((out.kept.as_slice(), out.truncated), (&b"abcd"[..], true));
        assert_eq!(err.kept, b"cdef");
    }

    #[test]
    fn reports_lines() {
        let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
        let exec = Exec::script("").report(sender);
        let mut out = Gathered::new(false, &exec);
        for bytes in [&b"one\r\ntw"[..], b"o\n\nthree"] {
            out.take(bytes, &exec);
        }
        out.finish(&exec);
        drop(exec);
        let mut texts = Vec::new();
        while let Ok(line) = lines.try_recv() {
            texts.push(line.text);
        }
        assert_eq!(texts, ["one", "two", "", "three"]);
    }
}
