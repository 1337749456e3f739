//! What goes wrong on the way to a host, told apart so that each case can say what to do.

use std::io;
use std::time::Duration;

use crate::diag::Diagnostic;

/// A failure of the connection, the login or the channel; a command that ran and failed is no such error.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// The name has no address.
    #[error("the name of {place} cannot be resolved")]
    Resolve {
        /// `host:port`.
        place: String,
        /// The resolver's answer.
        #[source]
        source: io::Error,
    },
    /// The host is there and nothing listens on the port.
    #[error("{place} refuses connections")]
    Refused {
        /// `host:port`.
        place: String,
    },
    /// No way to the host.
    #[error("{place} cannot be reached")]
    Unreachable {
        /// `host:port`.
        place: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// No answer in time.
    #[error("{place} did not answer within {} while {step}", seconds(*limit))]
    Timeout {
        /// `host:port`.
        place: String,
        /// What was being done, such as `connecting`.
        step: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// What answers speaks no SSH, or none that both sides know.
    #[error("the SSH handshake with {place} failed")]
    Handshake {
        /// `host:port`.
        place: String,
        /// The library's answer.
        #[source]
        source: ssh2::Error,
    },
    /// No key of the host is known.
    #[error("the host key of {place} is not known: it showed {kind} {fingerprint}")]
    HostKeyUnknown {
        /// `host:port`.
        place: String,
        /// Name or address, for the advice.
        host: String,
        /// TCP port, for the advice.
        port: u16,
        /// Type of the key, such as `ssh-ed25519`.
        kind: String,
        /// `SHA256:…`.
        fingerprint: String,
    },
    /// Another key of the host is known.
    #[error("the host key of {place} is not the known one: it showed {kind} {fingerprint}, known: {}", known.join(", "))]
    HostKeyChanged {
        /// `host:port`.
        place: String,
        /// Type of the key that was shown.
        kind: String,
        /// `SHA256:…` of the key that was shown.
        fingerprint: String,
        /// Type and fingerprint of each known key.
        known: Vec<String>,
    },
    /// The key is marked as revoked.
    #[error("the host key of {place} is revoked: {kind} {fingerprint}")]
    HostKeyRevoked {
        /// `host:port`.
        place: String,
        /// Type of the key.
        kind: String,
        /// `SHA256:…`.
        fingerprint: String,
    },
    /// The bastion does not reach the host.
    #[error("{bastion} cannot connect to {place}")]
    Tunnel {
        /// `host:port`.
        place: String,
        /// `user@host:port` of the bastion.
        bastion: String,
        /// The library's answer.
        #[source]
        source: ssh2::Error,
    },
    /// There is nothing to log in with.
    #[error("there is no key, agent or password to log in as {place}")]
    NoLogin {
        /// `user@host:port`.
        place: String,
    },
    /// The private key cannot be used.
    #[error("the private key for {place} cannot be used: {reason}")]
    Key {
        /// `user@host:port`.
        place: String,
        /// What is wrong with it, without any of its text.
        reason: &'static str,
    },
    /// The host refuses every login that was tried.
    #[error("{place} refuses the login (tried: {})", tried.join(", "))]
    Login {
        /// `user@host:port`.
        place: String,
        /// What was tried, such as `private key`.
        tried: Vec<String>,
        /// The methods that the host accepts, as it names them.
        accepted: String,
    },
    /// The connection broke.
    #[error("the connection to {place} was lost while {step}")]
    Lost {
        /// `user@host:port`.
        place: String,
        /// What was being done.
        step: &'static str,
        /// The library's answer.
        #[source]
        source: io::Error,
    },
    /// A command took too long. It may still be running on the host.
    #[error("the command on {place} did not end within {}", seconds(*limit))]
    Command {
        /// `user@host:port`.
        place: String,
        /// The limit.
        limit: Duration,
    },
    /// The user asked to stop before there was a connection.
    #[error("connecting to {place} was interrupted")]
    Interrupted {
        /// The host.
        place: String,
    },
    /// The caller lost interest, or the client was stopped.
    #[error("the work on {place} was stopped")]
    Stopped {
        /// `user@host:port`.
        place: String,
    },
}

impl SshError {
    /// Whether the same try may succeed a little later (a host that is still booting, a broken line).
    pub fn is_transient(&self) -> bool {
        match self {
            SshError::Resolve { .. }
            | SshError::Refused { .. }
            | SshError::Unreachable { .. }
            | SshError::Timeout { .. }
            | SshError::Handshake { .. }
            | SshError::Tunnel { .. }
            | SshError::Lost { .. } => true,
            SshError::HostKeyUnknown { .. }
            | SshError::HostKeyChanged { .. }
            | SshError::HostKeyRevoked { .. }
            | SshError::NoLogin { .. }
            | SshError::Key { .. }
            | SshError::Login { .. }
            | SshError::Command { .. }
            | SshError::Interrupted { .. }
            | SshError::Stopped { .. } => false,
        }
    }

    /// Whether a command may have run, in part or whole. The errors before that changed nothing on the host.
    pub fn may_have_acted(&self) -> bool {
        matches!(self, SshError::Lost { .. } | SshError::Command { .. } | SshError::Stopped { .. })
    }

    /// What the user is told, with what to do next.
    pub fn diagnostic(&self) -> Diagnostic {
        let (summary, advice) = match self {
            SshError::Resolve { .. } => ("Host not found", "Check the spelling of the host and the DNS record.".to_owned()),
            SshError::Refused { .. } => (
                "Host refuses SSH connections",
                "The host is up, but nothing listens on that port. Check the port, and that the SSH server runs.".to_owned(),
            ),
            SshError::Unreachable { .. } => {
                ("Host unreachable", "Check the address, that the host is up, and the network between.".to_owned())
            }
            SshError::Timeout { .. } => (
                "Host does not answer",
                "Check that the host is up and that no firewall drops the connection; \"connect_timeout\" gives it more time."
                    .to_owned(),
            ),
            SshError::Handshake { .. } => {
                ("SSH handshake failed", "Check that an SSH server listens on that port.".to_owned())
            }
            SshError::HostKeyUnknown { host, port, fingerprint, .. } => (
                "Host key unknown",
                format!(
                    "Nothing was sent to the host. Compare the fingerprint with the host's own (on its console: ssh-keygen -lf \
                     /etc/ssh/ssh_host_ed25519_key.pub). If it is {fingerprint}, set host_key to that fingerprint or to the public \
                     key itself, or add the host to the known hosts: ssh-keyscan -p {port} {host} >> ~/.ssh/known_hosts"
                ),
            ),
            SshError::HostKeyChanged { .. } => (
                "Host key changed",
                "Nothing was sent to the host. Either the host was reinstalled, or somebody is in between. Find out which: compare \
                 the fingerprint with the host's own on its console. If the new key is right, replace the known one (host_key, or \
                 the line in known_hosts)."
                    .to_owned(),
            ),
            SshError::HostKeyRevoked { .. } => (
                "Host key revoked",
                "Nothing was sent to the host. The known hosts mark this key as no longer to be trusted; give the host a new key."
                    .to_owned(),
            ),
            SshError::Tunnel { .. } => (
                "Host not reached from the bastion",
                "Check host and port as the bastion sees them, and that its SSH server allows TCP forwarding.".to_owned(),
            ),
            SshError::NoLogin { .. } => {
                ("No way to log in", "Set private_key or password, or start an SSH agent (SSH_AUTH_SOCK).".to_owned())
            }
            SshError::Key { .. } => {
                ("Private key unusable", "Check private_key: it is the text of the key, as file(\"~/.ssh/id_ed25519\") gives it.".to_owned())
            }
            SshError::Login { accepted, .. } => (
                "SSH login refused",
                format!(
                    "Check the user and that its authorized_keys on the host hold the public key. The host accepts these methods: {accepted}."
                ),
            ),
            SshError::Lost { .. } => ("SSH connection lost", "What was begun on the host may have happened. Run the command again.".to_owned()),
            SshError::Command { .. } => {
                ("Command timed out", "It may still be running on the host. A longer time-out gives it more time.".to_owned())
            }
            SshError::Interrupted { .. } => ("Interrupted", "Nothing was done on the host.".to_owned()),
            SshError::Stopped { .. } => ("Stopped", String::new()),
        };
        let mut detail = capitalised(&self.to_string());
        if let Some(source) = std::error::Error::source(self) {
            detail.push_str(&format!(": {source}"));
        }
        detail.push_str(". ");
        detail.push_str(&advice);
        Diagnostic::error(summary, detail.trim_end())
    }
}

fn capitalised(text: &str) -> String {
    // An address stays as it is written; a sentence that begins with an article gets its capital.
    match text.strip_prefix("the ") {
        Some(rest) => format!("The {rest}"),
        None => match text.strip_prefix("there ") {
            Some(rest) => format!("There {rest}"),
            None => text.to_owned(),
        },
    }
}

fn seconds(limit: Duration) -> String {
    if limit.subsec_millis() == 0 { format!("{} s", limit.as_secs()) } else { format!("{:.1} s", limit.as_secs_f64()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: &SshError, summary: &str, parts: &[&str]) {
        let diagnostic = error.diagnostic();
        assert_eq!(diagnostic.summary, summary);
        for part in parts {
            assert!(diagnostic.detail.contains(part), "{part} not in: {}", diagnostic.detail);
        }
    }

    #[test]
    fn says_what_to_do() {
        let place = || "vps:22".to_owned();
        check(
            &SshError::Refused { place: place() },
            "Host refuses SSH connections",
            &["vps:22 refuses", "Check the port"],
        );
        check(
            &SshError::Timeout { place: place(), step: "connecting", limit: Duration::from_secs(10) },
            "Host does not answer",
            &["within 10 s while connecting"],
        );
        check(
            &SshError::HostKeyUnknown {
                place: place(),
                host: "vps".to_owned(),
                port: 22,
                kind: "ssh-ed25519".to_owned(),
                fingerprint: "SHA256:abc".to_owned(),
            },
            "Host key unknown",
            &["ssh-ed25519 SHA256:abc", "ssh-keyscan -p 22 vps", "host_key"],
        );
        check(
            &SshError::HostKeyChanged {
                place: place(),
                kind: "ssh-ed25519".to_owned(),
                fingerprint: "SHA256:new".to_owned(),
                known: vec!["ssh-ed25519 SHA256:old".to_owned()],
            },
            "Host key changed",
            &["SHA256:new", "known: ssh-ed25519 SHA256:old"],
        );
    }
}
