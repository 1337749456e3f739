//! Programs on this machine, by argument vector; never through a shell unless the shell is the program.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};

use crate::event::Stop;

/// How long a program that is asked to end has for it, once for each way to ask.
const GRACE: Duration = Duration::from_millis(350);

/// A program to run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// Where it runs; here when `None`.
    pub directory: Option<PathBuf>,
    /// Variables in addition to ours.
    pub env: Vec<(String, super::Secret)>,
    /// Variables of ours that it does not get.
    pub env_remove: Vec<String>,
    /// What it reads; nothing when empty.
    pub stdin: Vec<u8>,
    /// Time from start to end; `None` has no limit.
    pub timeout: Option<Duration>,
    /// Bytes kept of standard output (the first) and of standard error (the last).
    pub limit: usize,
    /// Whether standard output goes where standard error goes, so that lines stay in the order they are printed.
    pub together: bool,
    /// Whether it is ended, with everything it has started, when the user asks to stop.
    pub ends_early: bool,
}

/// How a program ended and what it printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The exit code; 128 plus the signal's number for one that a signal ended, as shells have it.
    pub code: i32,
    /// The number of the signal that ended it.
    pub signal: Option<i32>,
    /// Standard output, at most the limit's first bytes.
    pub stdout: Vec<u8>,
    /// Standard error, at most the limit's last bytes.
    pub stderr: Vec<u8>,
    /// Whether standard output was longer than the limit.
    pub truncated: bool,
}

/// Why a program did not run to its end. A program that fails is no such error.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no program of that name.
    #[error("the program {0:?} was not found")]
    NotFound(String),
    /// It cannot be started.
    #[error("the program {program:?} cannot be started")]
    Start {
        /// Its name.
        program: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The user asked to stop; it was ended, with everything it had started.
    #[error("the program {program:?} was interrupted")]
    Interrupted {
        /// Its name.
        program: String,
    },
    /// It took too long and was killed, with everything it had started.
    #[error("the program {program:?} did not end within {limit:?}")]
    Timeout {
        /// Its name.
        program: String,
        /// The limit.
        limit: Duration,
    },
    /// Its output could not be read.
    #[error("the output of {program:?} cannot be read")]
    Output {
        /// Its name.
        program: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

impl Run {
    /// Runs this program with an empty input, our environment, no time limit, and 1 MiB kept of its output.
    pub fn new<S: Into<OsString>>(argv: impl IntoIterator<Item = S>) -> Self {
        Run {
            argv: argv.into_iter().map(Into::into).collect(),
            directory: None,
            env: Vec::new(),
            env_remove: Vec::new(),
            stdin: Vec::new(),
            timeout: None,
            limit: 1 << 20,
            together: false,
            ends_early: false,
        }
    }
}

impl Output {
    /// Whether the exit code is 0.
    pub fn succeeded(&self) -> bool {
        self.code == 0
    }

    /// The last lines of standard error, or of standard output when that is silent: what to show when it failed.
    pub fn tail(&self, lines: usize) -> String {
        let said = if self.stderr.iter().all(u8::is_ascii_whitespace) { &self.stdout } else { &self.stderr };
        let text = String::from_utf8_lossy(said);
        let all: Vec<&str> = text.trim_end().lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

/// Runs a program to its end; `line` hears each line of both outputs as it is printed, and whether it came from standard error.
/// When the future is dropped, the program and everything it started is killed.
///
/// # Errors
/// When it cannot be started or takes too long.
pub async fn run(what: Run, line: &(dyn Fn(bool, &str) + Sync)) -> Result<Output, ProcessError> {
    let Some((program, arguments)) = what.argv.split_first() else { return Err(ProcessError::NotFound(String::new())) };
    let name = program.to_string_lossy().into_owned();
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).process_group(0);
    let both = if what.together { Some(one_pipe(&mut command, &name)?) } else { None };
    command.stdin(if what.stdin.is_empty() { Stdio::null() } else { Stdio::piped() });
    for variable in &what.env_remove {
        command.env_remove(variable);
    }
    for (variable, value) in &what.env {
        command.env(variable, value.reveal());
    }
    if let Some(directory) = &what.directory {
        command.current_dir(directory);
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ProcessError::NotFound(name)),
        Err(source) => return Err(ProcessError::Start { program: name, source }),
    };
    // Our ends for writing have to go, else nobody ever sees the end of what is printed.
    drop(command);
    let group = KillGroup::of(&child);
    let work = gather(&mut child, both, what.stdin, what.limit, line);
    tokio::pin!(work);
    let over = async {
        match what.timeout {
            Some(limit) => {
                tokio::time::sleep(limit).await;
                limit
            }
            None => std::future::pending().await,
        }
    };
    let interrupted = async { if what.ends_early { Stop::here().await } else { std::future::pending().await } };
    let gathered = tokio::select! {
        gathered = &mut work => gathered,
        limit = over => return Err(ProcessError::Timeout { program: name, limit }),
        () = interrupted => {
            // What still runs in its group when it has ended goes with it.
            group.end(work).await;
            return Err(ProcessError::Interrupted { program: name });
        }
    };
    let output = gathered.map_err(|source| ProcessError::Output { program: name, source })?;
    group.keep();
    Ok(output)
}

/// Gives both outputs of a program one pipe; our end of it.
fn one_pipe(command: &mut Command, name: &str) -> Result<Receiver, ProcessError> {
    let error = |source| ProcessError::Start { program: name.to_owned(), source };
    let (reader, writer) = io::pipe().map_err(error)?;
    command.stdout(writer.try_clone().map_err(error)?).stderr(writer);
    Receiver::from_owned_fd(reader.into()).map_err(error)
}

async fn gather(
    child: &mut Child,
    both: Option<Receiver>,
    input: Vec<u8>,
    limit: usize,
    line: &(dyn Fn(bool, &str) + Sync),
) -> io::Result<Output> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A program may end without reading all it was given; how it ended says enough.
            let _ = stdin.write_all(&input).await;
        }
    };
    let err = async {
        match both {
            Some(both) => lines(Some(both), limit, true, line).await,
            None => lines(stderr, limit, true, line).await,
        }
    };
    let ((), out, err) = tokio::join!(feed, lines(stdout, limit, false, line), err);
    let (stdout, truncated) = out?;
    let (stderr, _) = err?;
    let status = child.wait().await?;
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    let code = status.code().unwrap_or(128 + signal.unwrap_or(0));
    Ok(Output { code, signal, stdout, stderr, truncated })
}

/// Reads to the end, reports lines, keeps the head (or for standard error the tail).
async fn lines<R: AsyncRead + Unpin>(
    from: Option<R>,
    limit: usize,
    stderr: bool,
    line: &(dyn Fn(bool, &str) + Sync),
) -> io::Result<(Vec<u8>, bool)> {
    let Some(from) = from else { return Ok((Vec::new(), false)) };
    let mut from = BufReader::new(from);
    let (mut kept, mut truncated, mut buffer) = (Vec::new(), false, Vec::new());
    loop {
        buffer.clear();
        if from.read_until(b'\n', &mut buffer).await? == 0 {
            return Ok((kept, truncated));
        }
        line(stderr, String::from_utf8_lossy(&buffer).trim_end_matches(['\n', '\r']));
        if stderr {
            kept.extend_from_slice(&buffer);
            let surplus = kept.len().saturating_sub(limit);
            truncated |= surplus > 0;
            kept.drain(..surplus);
        } else {
            let room = limit.saturating_sub(kept.len());
            truncated |= buffer.len() > room;
            kept.extend_from_slice(&buffer[..buffer.len().min(room)]);
        }
    }
}

/// Kills the process group of a child when dropped, unless it ended by itself.
struct KillGroup(Option<Pid>);

impl KillGroup {
    fn of(child: &Child) -> Self {
        KillGroup(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    fn keep(mut self) {
        self.0 = None;
    }

    /// Asks the group to end as a terminal does, then as a system does that shuts down. It is killed in the end.
    async fn end(&self, work: impl Future) {
        let ended = async {
            tokio::pin!(work);
            for signal in [Signal::INT, Signal::TERM] {
                self.send(signal);
                if tokio::time::timeout(GRACE, &mut work).await.is_ok() {
                    return;
                }
            }
        };
        ended.await;
    }

    fn send(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // Already gone is fine.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for KillGroup {
    fn drop(&mut self) {
        self.send(Signal::KILL);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Mutex;

    use super::*;

    async fn check(argv: &[&str], stdin: &str, code: i32, stdout: &str, stderr: &str) {
        let run_this = Run { stdin: stdin.into(), ..Run::new(argv) };
        let output = run(run_this, &|_, _| {}).await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(
            (output.code, text(&output.stdout), text(&output.stderr)),
            (code, stdout.to_owned(), stderr.to_owned())
        );
    }

    #[tokio::test]
    async fn runs_programs() {
        check(&["echo", "a b", "$HOME"], "", 0, "a b $HOME\n", "").await;
        check(&["cat"], "in", 0, "in", "").await;
        check(&["sh", "-c", "echo out; echo err >&2; exit 3"], "", 3, "out\n", "err\n").await;
        check(&["sh", "-c", "kill -TERM $$"], "", 143, "", "").await;
        check(&["true"], "never read", 0, "", "").await;
    }

    #[tokio::test]
    async fn reports_lines_and_bounds_what_it_keeps() {
        let heard = Mutex::new(Vec::new());
        let script = "echo one; echo two; printf three; echo err >&2";
        let run_this = Run { limit: 5, ..Run::new(["sh", "-c", script]) };
        let output =
            run(run_this, &|stderr, line| heard.lock().unwrap().push((stderr, line.to_owned()))).await.unwrap();
        assert_eq!((output.stdout.as_slice(), output.truncated), (&b"one\nt"[..], true));
        let mut heard = heard.into_inner().unwrap();
        heard.retain(|(stderr, _)| !stderr);
        assert_eq!(heard.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>(), ["one", "two", "three"]);
    }

    #[tokio::test]
    async fn keeps_the_order_of_both_outputs_in_one_pipe() {
        let heard = Mutex::new(Vec::new());
        let run_this = Run { together: true, ..Run::new(["sh", "-c", "echo 1; echo 2 >&2; echo 3; kill -9 $$"]) };
        let output = run(run_this, &|_, line| heard.lock().unwrap().push(line.to_owned())).await.unwrap();
        assert_eq!((output.code, output.signal), (137, Some(9)));
        assert_eq!(output.stderr, b"1\n2\n3\n");
        assert_eq!(heard.into_inner().unwrap(), ["1", "2", "3"]);
    }

    #[tokio::test]
    async fn kills_what_takes_too_long_with_its_children() {
        let directory = tempfile::tempdir().unwrap();
        let pid_file = directory.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}; wait", pid_file.display());
        let run_this = Run { timeout: Some(Duration::from_millis(300)), ..Run::new(["sh", "-c", &script]) };
        assert!(matches!(run(run_this, &|_, _| {}).await, Err(ProcessError::Timeout { .. })));
        let pid: i32 = std::fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
        let status = std::path::PathBuf::from(format!("/proc/{pid}/stat"));
        // Killed means gone, or a zombie until somebody reaps it.
        let gone = || std::fs::read_to_string(&status).map_or(true, |stat| stat.contains(") Z "));
        for _ in 0..200 {
            if gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the child still runs");
    }

    #[tokio::test]
    async fn the_wish_to_stop_ends_a_program_with_its_children_whatever_they_ignore() {
        async fn check(script: &str, heard_last: &str, early: bool) {
            let stop = Stop::default();
            let heard = Mutex::new(Vec::new());
            let hear = |_: bool, line: &str| {
                heard.lock().unwrap().push(line.to_owned());
                if line == "ready" {
                    stop.ask();
                }
            };
            let what = Run { ends_early: true, together: true, ..Run::new(["sh", "-c", script]) };
            let began = tokio::time::Instant::now();
            let ended = stop.scope(run(what, &hear)).await;
            assert!(matches!(ended, Err(ProcessError::Interrupted { .. })), "{script}: {ended:?}");
            assert!(began.elapsed() < Duration::from_secs(5), "{script}");
            assert_eq!(early, began.elapsed() < GRACE * 2, "{script}");
            assert_eq!(heard.lock().unwrap().last().map(String::as_str), Some(heard_last), "{script}");
        }
        check("echo ready; sleep 1000", "ready", true).await;
        // It may clean up.
        check("trap 'echo cleaned; kill $!; exit 1' INT; sleep 1000 & echo ready; wait", "cleaned", true).await;
        // Children that ignore both, and one that holds the output open.
        check("trap '' INT TERM; echo ready; sleep 1000", "ready", false).await;
        check("trap '' INT TERM; sleep 1000 & trap - TERM; echo ready; wait", "ready", false).await;
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let missing = run(Run::new(["no-such-program"]), &|_, _| {}).await;
        assert!(matches!(missing, Err(ProcessError::NotFound(name)) if name == "no-such-program"));
    }
}
