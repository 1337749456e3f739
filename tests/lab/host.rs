//! A bare host to be reached over SSH: systemd and sshd in a container of systemd-nspawn, in a network namespace with a
//! cable to this machine. Its files are a throw-away layer over the root file system that `./test` made.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::kubernetes::port_rule;
use super::link::Link;
use super::process::{Program, Running, folder};
use super::{Need, available, host_root, tools};

pub struct Host {
    /// Where sshd listens, on port 22.
    pub address: Ipv4Addr,
    /// This machine as the host sees it.
    pub gateway: Ipv4Addr,
    /// root's private key, in a file of mode 0600.
    pub private_key: PathBuf,
    /// A known_hosts file with the host's key.
    pub known_hosts: PathBuf,
    _container: Running,
    _link: Link,
}

/// Where the host finds the Go-built programs and the scripts of this folder, read-only.
pub const TOOLS_ON_HOST: &str = "/opt/lab/tools";
pub const SCRIPTS_ON_HOST: &str = "/opt/lab/scripts";

/// A new host, booted and reachable, stopped when dropped.
pub fn host() -> Option<Host> {
    let needs = [
        Need::Root,
        Need::HostRoot,
        Need::Tool("etcd"),
        Need::Program("ip"),
        Need::Program("systemd-nspawn"),
        Need::Program("ssh-keygen"),
    ];
    available("a host over SSH", &needs).then(Host::start)
}

impl Host {
    fn start() -> Self {
        let folder = folder("host");
        let (upper, work, root) = (folder.join("upper"), folder.join("work"), folder.join("root"));
        for part in [&upper, &work, &root] {
            fs::create_dir(part).unwrap();
        }
        let link = Link::new();
        let private_key = folder.join("id_ed25519");
        let known_hosts = folder.join("known_hosts");
        new_key(&private_key);
        let etc_ssh = upper.join("etc/ssh");
        fs::create_dir_all(&etc_ssh).unwrap();
        let host_key = new_key(&etc_ssh.join("ssh_host_ed25519_key"));
        fs::write(&known_hosts, format!("{} {host_key}", link.there)).unwrap();
        fs::DirBuilder::new().mode(0o700).create(upper.join("root")).unwrap();
        fs::DirBuilder::new().mode(0o700).create(upper.join("root/.ssh")).unwrap();
        fs::copy(private_key.with_extension("pub"), upper.join("root/.ssh/authorized_keys")).unwrap();
        for folder in [TOOLS_ON_HOST, SCRIPTS_ON_HOST] {
            fs::create_dir_all(upper.join(folder.trim_start_matches('/'))).unwrap();
        }

        // The layers are put together in a mount namespace of their own, which ends with the container. The container
        // gets a process namespace around it, so that killing the one process we know of ends all of it.
        let script = r#"
            mount --bind "$1" "$2" && mount -t overlay overlay -o "lowerdir=$3,upperdir=$4,workdir=$5" "$6" || exit
            namespace=$2 root=$6; shift 6
            exec unshare --pid --fork --kill-child=KILL --mount-proc \
                systemd-nspawn --directory="$root" --network-namespace-path="$namespace" "$@""#;
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab");
        let namespace = folder.join("namespace");
        fs::write(&namespace, "").unwrap();
        let mut container = Program::new("unshare")
            .args(["--mount", "--propagation=private", "sh", "-c", script, "host"])
            .args([link.namespace(), namespace, host_root().unwrap(), upper, work, root])
            .args(["--quiet", "--register=no", "--keep-unit", "--console=pipe", "--link-journal=no"])
            .args(["--resolv-conf=off", "--timezone=off", "--kill-signal=SIGRTMIN+3", "--boot"])
            .args([format!("--machine=lab-{}", link.there.to_string().replace('.', "-"))])
            .args([format!("--bind-ro={}:{TOOLS_ON_HOST}", tools().unwrap().display())])
            .args([format!("--bind-ro={}:{SCRIPTS_ON_HOST}", scripts.display())])
            .start(folder.join("console"));
        let address = SocketAddr::from((link.there, 22));
        let answers = || {
            let greeting = TcpStream::connect_timeout(&address, Duration::from_millis(200)).and_then(|mut stream| {
                stream.set_read_timeout(Some(Duration::from_secs(1)))?;
                let mut first = [0; 4];
                stream.read_exact(&mut first)?;
                Ok(first)
            });
            greeting.is_ok_and(|first| &first == b"SSH-")
        };
        let up = container.wait_until(Duration::from_secs(60), answers);
        assert!(up, "the host ended while it booted\n{}", container.said());
        let host = Self {
            address: link.there,
            gateway: link.here,
            private_key,
            known_hosts,
            _container: container,
            _link: link,
        };
        let (code, said) = host.run("systemctl is-system-running --wait");
        assert_eq!((code, said.trim()), (0, "running"), "{}", host.run("systemctl --failed").1);
        host
    }

    /// Runs a command as root over SSH; exit code, and what it wrote on both streams.
    pub fn run(&self, command: &str) -> (i32, String) {
        let mut session = ssh2::Session::new().unwrap();
        session.set_tcp_stream(TcpStream::connect((self.address, 22)).unwrap());
        session.handshake().unwrap();
        let mut known = session.known_hosts().unwrap();
        known.read_file(&self.known_hosts, ssh2::KnownHostFileKind::OpenSSH).unwrap();
        let (key, _) = session.host_key().unwrap();
        let verdict = known.check(&self.address.to_string(), key);
        assert!(matches!(verdict, ssh2::CheckResult::Match), "the host shows another key");
        session.userauth_pubkey_file("root", None, &self.private_key, None).unwrap();
        let mut channel = session.channel_session().unwrap();
        channel.handle_extended_data(ssh2::ExtendedData::Merge).unwrap();
        channel.exec(command).unwrap();
        let mut said = String::new();
        channel.read_to_string(&mut said).unwrap();
        channel.wait_close().unwrap();
        (channel.exit_status().unwrap(), said)
    }

    /// Makes a port of a pod, or of all pods in the namespace, lead to a server on 127.0.0.1 of this machine, once the
    /// stand-in for k3s is started there. May be called before anything is installed, so that the first check of an
    /// apply finds its way.
    pub fn lead_port<'a>(&self, namespace: &str, pod: impl Into<Option<&'a str>>, port: u16, server: u16) {
        let rule = port_rule(namespace, pod.into(), port, self.reach(server));
        let name = rule["metadata"]["name"].as_str().unwrap();
        let write =
            format!("mkdir -p /etc/lab/rules && echo '{rule}' > /etc/lab/rules/clusterportforwards.{name}.json");
        assert_eq!(self.run(&write), (0, String::new()));
    }

    /// Lets the host reach a port of 127.0.0.1 on this machine; returns where it finds it.
    /// It is open as long as this process runs.
    pub fn reach(&self, port: u16) -> SocketAddr {
        let listener = TcpListener::bind((self.gateway, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Ok(target) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                    pump(stream.try_clone().unwrap(), target.try_clone().unwrap());
                    pump(target, stream);
                }
            }
        });
        address
    }
}

/// Copies one direction of a connection until it ends.
fn pump(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        to.shutdown(std::net::Shutdown::Write).ok();
    });
}

/// Writes a new key pair and returns the public half, `TYPE KEY`.
fn new_key(path: &Path) -> String {
    Program::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).args([path]).run();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_owned() + "\n"
}
