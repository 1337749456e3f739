//! PostgreSQL, as Debian packages it, with a streaming replica on request.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use super::process::{Program, Running, folder, start_on_free_ports};
use super::{Need, free_port, program, shared};

pub struct Postgres {
    /// On 127.0.0.1, with password authentication for everyone.
    pub port: u16,
    /// A superuser.
    pub user: String,
    pub password: String,
    pub database: String,
    _server: Running,
}

/// The primary that all tests share.
pub fn postgres() -> Option<&'static Postgres> {
    static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
    shared(&SHARED, "PostgreSQL", &[Need::Program("initdb"), Need::Program("postgres")], Postgres::start)
}

impl Postgres {
    fn start() -> Self {
        start_on_free_ports(|| {
            let data = data_folder("postgres");
            let password = "lab-postgres";
            let secret = data.parent().unwrap().join("password");
            fs::write(&secret, password).unwrap();
            Program::new(program("initdb").unwrap())
                .args(["--auth=scram-sha-256", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C"])
                .args([format!("--pwfile={}", secret.display()), format!("--pgdata={}", data.display())])
                .without_root()
                .run();
            fs::remove_file(secret).unwrap();
            Self::serve(data, password)
        })
    }

    /// A server that streams from this one and answers reading queries only; stopped when dropped.
    pub fn replica(&self) -> Self {
        start_on_free_ports(|| {
            let data = data_folder("replica");
            Program::new(program("pg_basebackup").unwrap())
                .args(["--host=127.0.0.1", "--checkpoint=fast", "--no-sync", "--write-recovery-conf"])
                .args([format!("--port={}", self.port), format!("--username={}", self.user)])
                .args([format!("--pgdata={}", data.display())])
                .env("PGPASSWORD", &self.password)
                .without_root()
                .run();
            Self::serve(data, &self.password)
        })
    }

    fn serve(data: PathBuf, password: &str) -> Result<Self, String> {
        let port = free_port();
        let log = data.parent().unwrap().join("log");
        let mut server = Program::new(program("postgres").unwrap())
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c"])
            .args([format!("unix_socket_directories={}", data.display()), "-D".to_owned(), data.display().to_string()])
            .without_root()
            .start(log.clone());
        // Both a primary and a replica say so when they take connections; the port alone is open before.
        let accepts = "ready to accept";
        let ready = || fs::read_to_string(&log).is_ok_and(|text| text.contains(accepts));
        if !server.wait_until(Duration::from_secs(60), ready) {
            return Err(server.said());
        }
        let (user, database) = ("postgres".to_owned(), "postgres".to_owned());
        Ok(Self { port, user, password: password.to_owned(), database, _server: server })
    }

    /// `host=… port=… user=… password=… dbname=…`
    pub fn connection(&self) -> String {
        let Self { port, user, password, database, .. } = self;
        format!("host=127.0.0.1 port={port} user={user} password={password} dbname={database}")
    }
}

/// A folder that the user nobody owns.
fn data_folder(name: &str) -> PathBuf {
    let outer = folder(name);
    let data = outer.join("data");
    fs::DirBuilder::new().mode(0o700).create(&data).unwrap();
    if rustix::process::geteuid().is_root() {
        Program::new("chown").args(["nobody:nogroup".into(), outer, data.clone()]).run();
    }
    data
}
