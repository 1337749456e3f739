//! Programs that live no longer than whoever started them.
//!
//! A `Running` is killed when dropped. Servers that all tests share are never dropped, and a test binary may be
//! killed; so every program also asks the kernel to be killed when its parent ends, and a janitor removes the
//! temporary folder afterwards.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// A program to be started, with everything it is given.
pub struct Program {
    command: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    without_root: bool,
}

impl Program {
    pub fn new(program: impl Into<OsString>) -> Self {
        Self { command: vec![program.into()], environment: Vec::new(), without_root: false }
    }

    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Runs as the user nobody when we are root, which some servers refuse.
    pub fn without_root(mut self) -> Self {
        self.without_root = true;
        self
    }

    /// Runs to the end and fails the test unless that ends well; returns standard output.
    #[track_caller]
    pub fn run(self) -> String {
        let shown = format!("{:?}", self.command);
        let Output { status, stdout, stderr } = self.assemble().output().unwrap();
        let stdout = String::from_utf8_lossy(&stdout).into_owned();
        assert!(status.success(), "{shown}: {status}\n{stdout}{}", String::from_utf8_lossy(&stderr));
        stdout
    }

    /// Starts it with its output in `log`.
    pub fn start(self, log: PathBuf) -> Running {
        let file = std::fs::File::create(&log).unwrap();
        let mut command = self.assemble();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        Running { child: spawn(command), log }
    }

    fn assemble(self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if self.without_root && rustix::process::geteuid().is_root() {
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
        }
        command.arg("--").args(self.command).envs(self.environment);
        command
    }
}

/// A program that runs, and is killed on drop.
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` says yes; `false` when the program ended before.
    /// A program that neither ends nor gets ready within `limit` fails the test.
    #[track_caller]
    pub fn wait_until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
        let started = Instant::now();
        while !ready() {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(started.elapsed() < limit, "not ready after {limit:?}\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// The end of what it wrote.
    pub fn said(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let end = &text[text.len().saturating_sub(4000)..];
        format!("{}:\n{}", self.log.display(), String::from_utf8_lossy(end))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Starts a server on ports that `attempt` picks; another process may take a port between picking and listening, so a
/// program that ends before it is ready is tried again on others.
#[track_caller]
pub fn start_on_free_ports<T>(mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let mut said = String::new();
    for _ in 0..3 {
        match attempt() {
            Ok(server) => return server,
            Err(why) => said = why,
        }
    }
    panic!("ended before it was ready, three times; the last time:\n{said}");
}

/// Starts a child on a thread that lives as long as the process: the kernel's "parent" of a child is the thread that
/// made it, and a test's thread ends with the test.
fn spawn(command: Command) -> Child {
    type Order = (Command, Sender<std::io::Result<Child>>);
    static SPAWNER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (send, orders) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in orders {
                answer.send(command.spawn()).ok();
            }
        });
        Mutex::new(send)
    });
    let (send, answer) = channel();
    spawner.lock().unwrap().send((command, send)).unwrap();
    answer.recv().unwrap().unwrap()
}

/// A new folder inside the temporary folder of this process; the process's end removes it.
pub fn folder(name: &str) -> PathBuf {
    static BASE: OnceLock<(PathBuf, Mutex<Child>)> = OnceLock::new();
    let (base, _) = BASE.get_or_init(|| {
        let base = tempfile::Builder::new().prefix("infra-lab-").tempdir().unwrap().keep();
        // Other users' servers (nobody's) must get through to their own folders.
        std::fs::set_permissions(&base, std::fs::Permissions::from_mode(0o711)).unwrap();
        (base.clone(), Mutex::new(janitor(&base)))
    });
    let folder = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(base).unwrap().keep();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o711)).unwrap();
    folder
}

/// Waits for the end of this process, which closes the pipe, and removes the folder. In a session of its own, so that
/// an interrupt from the terminal does not reach it; tries again while killed servers still let go of their files.
fn janitor(base: &Path) -> Child {
    let script = r#"cat >/dev/null; for again in 1 2 3 4 5 6 7 8 9; do rm -rf "$1" && exit; sleep 0.2; done"#;
    let mut command = Command::new("setsid");
    command.args(["sh", "-c", script, "janitor"]).arg(base);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    spawn(command)
}
