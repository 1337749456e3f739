//! A network namespace and the cable to it. Both vanish with the process that holds the namespace open, so nothing of
//! them outlives a test binary.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use super::process::{Program, Running, folder};
use super::program;

/// A namespace whose one interface is cabled to this machine.
pub struct Link {
    /// Our end.
    pub here: Ipv4Addr,
    /// The end inside the namespace.
    pub there: Ipv4Addr,
    holder: Running,
}

impl Link {
    /// Needs root.
    pub fn new() -> Self {
        let log = folder("link").join("log");
        let mut holder = Program::new("unshare").args(["--net", "sleep", "infinity"]).start(log);
        let namespace = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).ok();
        let (ours, pid) = (namespace("self"), holder.id().to_string());
        let apart = holder.wait_until(Duration::from_secs(10), || namespace(&pid) != ours);
        assert!(apart, "{}", holder.said());

        let (here, there) = free_addresses();
        // The kernel keeps names of interfaces under 16 characters.
        let (near, far) = (format!("lab{pid}"), format!("labx{pid}"));
        let ip = |arguments: String| Program::new(program("ip").unwrap()).args(arguments.split(' ')).run();
        let inside = |arguments: String| {
            let enter = ["-t", &pid, "-n", "ip"];
            Program::new("nsenter").args(enter).args(arguments.split(' ')).run()
        };
        ip(format!("link add {near} type veth peer name {far} netns {pid}"));
        ip(format!("address add {here}/30 dev {near}"));
        ip(format!("link set {near} up"));
        inside("link set lo up".to_owned());
        inside(format!("address add {there}/30 dev {far}"));
        inside(format!("link set {far} up"));
        inside(format!("route add default via {here}"));
        Self { here, there, holder }
    }

    /// Where the kernel shows the namespace.
    pub fn namespace(&self) -> PathBuf {
        format!("/proc/{}/ns/net", self.holder.id()).into()
    }
}

/// Two neighbouring addresses of 10.99.0.0/16 that this machine does not use.
fn free_addresses() -> (Ipv4Addr, Ipv4Addr) {
    let used = Program::new(program("ip").unwrap()).args(["-4", "-oneline", "address"]).run();
    loop {
        let block = u32::from(Ipv4Addr::new(10, 99, 0, 0)) + 4 * rand::random_range(0..16_384);
        let (here, there) = (Ipv4Addr::from(block + 1), Ipv4Addr::from(block + 2));
        if !used.contains(&format!(" {here}/")) {
            return (here, there);
        }
    }
}
