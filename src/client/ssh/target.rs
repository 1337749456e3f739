//! Where to connect, as whom, and which host keys are accepted.

use std::path::PathBuf;
use std::time::Duration;

use super::HostKeys;
use crate::client::Secret;

/// One way to log in. They are tried in the order of [`Target::logins`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Login {
    /// A private key as text: PEM (PKCS #1, PKCS #8, SEC 1) or OpenSSH's own format.
    Key {
        /// The text of the key.
        key: Secret,
        /// What unlocks it, when it is encrypted.
        passphrase: Option<Secret>,
        /// The certificate that an authority made for it, in the format of OpenSSH.
        certificate: Option<String>,
    },
    /// Every key that an agent offers at this socket.
    Agent(PathBuf),
    /// A password, by the `password` or the `keyboard-interactive` method.
    Password(Secret),
}

/// A host and how to get in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Login name.
    pub user: String,
    /// Ways to log in, tried in order.
    pub logins: Vec<Login>,
    /// The accepted host keys.
    pub host_keys: HostKeys,
    /// Limit of connecting and of each step of the handshake.
    pub connect_timeout: Duration,
    /// Which key of an agent is tried first: its comment, or the public key.
    pub agent_identity: Option<String>,
    /// The host that the way leads through.
    pub bastion: Option<Box<Target>>,
}

impl Target {
    /// `user@host:port`, as errors name it.
    pub fn place(&self) -> String {
        format!("{}@{}", self.user, self.address())
    }

    /// `host:port`, with brackets around an IPv6 address.
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}
