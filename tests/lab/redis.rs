//! Redis, as Debian packages it.

use std::net::TcpStream;
use std::sync::OnceLock;
use std::time::Duration;

use super::process::{Program, Running, folder, start_on_free_ports};
use super::{Need, free_port, program, shared};

pub struct Redis {
    /// On 127.0.0.1.
    pub port: u16,
    pub password: String,
    _server: Running,
}

/// The server that all tests share.
pub fn redis() -> Option<&'static Redis> {
    static SHARED: OnceLock<Result<Redis, String>> = OnceLock::new();
    shared(&SHARED, "Redis", &[Need::Program("redis-server")], Redis::start)
}

impl Redis {
    fn start() -> Self {
        start_on_free_ports(|| {
            let folder = folder("redis");
            let (port, password) = (free_port(), "lab-redis".to_owned());
            let mut server = Program::new(program("redis-server").unwrap())
                .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--requirepass", &password])
                .args(["--save", "", "--appendonly", "no", "--daemonize", "no", "--dir"])
                .args([&folder])
                .start(folder.join("log"));
            if server.wait_until(Duration::from_secs(30), || TcpStream::connect(("127.0.0.1", port)).is_ok()) {
                Ok(Self { port, password, _server: server })
            } else {
                Err(server.said())
            }
        })
    }

    /// `redis://:PASSWORD@127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://:{}@127.0.0.1:{}", self.password, self.port)
    }
}
