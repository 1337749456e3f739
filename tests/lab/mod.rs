//! Real servers for tests: each is started when a test first asks for it, on free ports of 127.0.0.1 (or in a network
//! namespace of its own), with data in a temporary folder, and is gone when the test binary ends, however it ends.
//!
//! `let Some(minio) = lab::minio() else { return };` is how a test begins that needs one: without the part the
//! test is skipped and says so. Which parts may be used is decided by `./test` through three variables:
//!
//! | variable | meaning |
//! | --- | --- |
//! | `INFRA_LAB` | `1`: use what is installed; `0`: skip; unset: skip, but in CI as with `1` |
//! | `INFRA_TOOLS` | folder of the Go-built programs (`bin/`) |
//! | `INFRA_HOST_ROOT` | root file system of the bare host |
//!
//! With `CI=true` a missing part is a failure. All functions here are synchronous and may be called inside and outside
//! of an asynchronous test; what a server hands out (clients) belongs to the test that asked for it.
//!
//! What is not here: tests of the engine against these servers; they stand in the other modules of this binary.

pub mod host;
pub mod kubernetes;
mod link;
pub mod minio;
pub mod postgres;
mod process;
pub mod redis;
mod smoke;
mod web;

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

pub use host::host;
pub use kubernetes::kube;
pub use minio::minio;
pub use postgres::postgres;
pub use redis::redis;
pub use web::web_stand_in;

/// What a part needs of this machine.
enum Need {
    /// A program of a Debian package.
    Program(&'static str),
    /// A program built by `./test`.
    Tool(&'static str),
    /// Network namespaces and mounts.
    Root,
    /// The root file system of the bare host.
    HostRoot,
}

impl Need {
    /// Says what is missing, or nothing.
    fn missing(&self) -> Option<String> {
        match self {
            Self::Program(name) => program(name).is_none().then(|| format!("program {name}")),
            Self::Tool(name) => tool(name).is_none().then(|| format!("program {name}, which ./test builds")),
            Self::Root => (!rustix::process::geteuid().is_root()).then(|| "root to run as".to_owned()),
            Self::HostRoot => host_root().is_none().then(|| "root file system that ./test makes".to_owned()),
        }
    }
}

/// The program that shows the calls of another one to the system.
pub fn strace() -> Option<PathBuf> {
    available("a trace of system calls", &[Need::Program("strace")]).then(|| program("strace")).flatten()
}

/// Programs that drive Terraform through terraform-exec.
pub struct TerraformExec {
    /// The program of ours.
    pub driver: PathBuf,
    /// The library's own suite.
    pub suite: PathBuf,
    /// The folder that the suite runs in: it reads `testdata` there.
    pub suite_folder: PathBuf,
}

/// The clients built on terraform-exec.
pub fn terraform_exec() -> Option<TerraformExec> {
    const PROGRAMS: [&str; 2] = ["terraform-exec", "terraform-exec-suite"];
    let needs = PROGRAMS.map(Need::Tool);
    if !available("terraform-exec", &needs) {
        return None;
    }
    let [driver, suite] = PROGRAMS.map(tool);
    Some(TerraformExec { driver: driver?, suite: suite?, suite_folder: tools()?.join("terraform-exec") })
}

/// Whether the running test may use `part`. Where it may not, says so on standard error, or fails in CI.
fn available(part: &str, needs: &[Need]) -> bool {
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    let wanted = std::env::var("INFRA_LAB").ok();
    let why = match wanted.as_deref() {
        Some("0") => "INFRA_LAB is 0".to_owned(),
        None if !in_ci => "INFRA_LAB is not set; ./test sets it".to_owned(),
        _ => match needs.iter().find_map(Need::missing) {
            Some(missing) if in_ci => {
                panic!("for {part} there is no {missing}, and nothing may be left out with CI=true")
            }
            Some(missing) => format!("there is no {missing}"),
            None => return true,
        },
    };
    let thread = std::thread::current();
    // Written past the test harness, which would keep the output of a passing test to itself.
    let line = format!("skipped {}, which needs {part}: {why}\n", thread.name().unwrap_or("a test"));
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).ok();
    false
}

/// The one instance of a server that all tests share, started by the first that asks.
fn shared<T: Send + Sync + 'static>(
    cell: &'static OnceLock<Result<T, String>>,
    part: &str,
    needs: &[Need],
    start: fn() -> T,
) -> Option<&'static T> {
    if !available(part, needs) {
        return None;
    }
    // A thread of its own: the asking test may be inside an asynchronous runtime, where nothing may block on another.
    let started = cell.get_or_init(|| {
        std::thread::spawn(start).join().map_err(|panic| match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(_) => "its start panicked; see above".to_owned(),
        })
    });
    match started {
        Ok(server) => Some(server),
        Err(why) => panic!("{part} did not start: {why}"),
    }
}

/// Runs asynchronous work to its end on a thread of its own, from inside or outside of a runtime.
fn apart<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
        scope.spawn(runtime).join().unwrap()
    })
}

/// A port of this machine that nobody listens on. It lies below those that the system gives to outgoing connections, and
/// is not handed out twice by this process.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<Vec<u16>> = Mutex::new(Vec::new());
    let mut given = GIVEN.lock().unwrap();
    loop {
        let port = rand::random_range(12_000..32_000);
        if !given.contains(&port) && TcpListener::bind(("0.0.0.0", port)).is_ok() {
            given.push(port);
            return port;
        }
    }
}

/// A program of Debian, looked for where its packages put it.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.filter_map(|version| Some(version.ok()?.path().join("bin"))));
    }
    folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The folder of Go-built programs.
fn tools() -> Option<PathBuf> {
    std::env::var_os("INFRA_TOOLS").map(PathBuf::from).filter(|folder| folder.is_dir())
}

fn tool(name: &str) -> Option<PathBuf> {
    tools().map(|folder| folder.join("bin").join(name)).filter(|path| path.is_file())
}

fn host_root() -> Option<PathBuf> {
    std::env::var_os("INFRA_HOST_ROOT").map(PathBuf::from).filter(|folder| folder.is_dir())
}
