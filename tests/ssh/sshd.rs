//! An SSH server on a free port of 127.0.0.1 that lets this very user in, with keys made for it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use infra::client::Secret;
use infra::client::ssh::{HostKeys, Login, Target};

pub struct Sshd {
    folder: tempfile::TempDir,
    child: Child,
    pub port: u16,
}

impl Sshd {
    /// A running server, or `None` where there is no sshd (then the test is skipped and says so).
    pub fn start() -> Option<Sshd> {
        let program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].into_iter().find(|path| Path::new(path).exists());
        let Some(program) = program.filter(|_| std::env::var("INFRA_LAB").as_deref() != Ok("0")) else {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "sshd is needed, and nothing may be left out with CI=true"
            );
            eprintln!("skipped: no sshd");
            return None;
        };
        if rustix::process::geteuid().is_root() {
            // sshd refuses to start as root without the folder that its unprivileged half is locked into.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        for (name, kind) in [
            ("host_ed25519", "ed25519"),
            ("host_rsa", "rsa"),
            ("user", "ed25519"),
            ("user_rsa", "rsa"),
            ("user_ecdsa", "ecdsa"),
            ("authority", "ed25519"),
        ] {
            key(&folder.path().join(name), kind, "");
        }
        key(&folder.path().join("user_locked"), "ed25519", "open sesame");
        key(&folder.path().join("stranger"), "ed25519", "");
        let public = ["user", "user_rsa", "user_ecdsa", "user_locked"]
            .map(|name| fs::read_to_string(folder.path().join(name).with_extension("pub")).unwrap());
        fs::write(folder.path().join("authorized_keys"), public.concat()).unwrap();
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let configuration = format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {path}/host_ed25519\nHostKey {path}/host_rsa\nPidFile none\n\
                 AuthorizedKeysFile {path}/authorized_keys\nTrustedUserCAKeys {path}/authority.pub\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n\
                 PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 100\n",
                path = folder.path().display()
            );
            fs::write(folder.path().join("sshd_config"), configuration).unwrap();
            let mut child = Command::new(program)
                .args(["-D", "-E"])
                .arg(folder.path().join("log"))
                .arg("-f")
                .arg(folder.path().join("sshd_config"))
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(20) && child.try_wait().unwrap().is_none() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Some(Sshd { folder, child, port });
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("sshd does not start");
    }

    /// A file in its folder: keys are `host_ed25519`, `host_rsa`, `user`, `user_rsa`, `user_ecdsa`, `user_locked`, `stranger`.
    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate of the authority that the server trusts, for one of the keys.
    pub fn certificate(&self, name: &str) -> String {
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-s"]).arg(self.path("authority")).args(["-I", "test", "-n", &user()]);
        assert!(command.arg(self.path(name).with_extension("pub")).status().unwrap().success());
        self.text(&format!("{name}-cert.pub"))
    }

    /// How many times somebody was let in.
    pub fn logins(&self) -> usize {
        fs::read_to_string(self.path("log")).unwrap_or_default().matches("Accepted publickey").count()
    }

    pub fn login(&self, key: &str) -> Login {
        Login::Key { key: Secret::new(self.text(key)), passphrase: None, certificate: None }
    }

    /// Lets the user in by a key and accepts the host's own key.
    pub fn target(&self) -> Target {
        Target {
            host: "127.0.0.1".into(),
            port: self.port,
            user: user(),
            logins: vec![self.login("user")],
            host_keys: HostKeys::of_host(&self.text("host_ed25519.pub")).unwrap(),
            connect_timeout: Duration::from_secs(10),
            agent_identity: None,
            bastion: None,
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This very user's name.
pub fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Makes a key pair.
pub fn key(path: &Path, kind: &str, passphrase: &str) {
    let made = Command::new("ssh-keygen")
        .args([
            "-q",
            "-t",
            kind,
            "-b",
            if kind == "rsa" { "2048" } else { "256" },
            "-N",
            passphrase,
            "-C",
            "test",
            "-f",
        ])
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}
