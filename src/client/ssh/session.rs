//! A session: connected, the host's key judged, logged in. Blocking; called on a thread made for that.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::time::Duration;

use ssh2::{ErrorCode, KeyboardInteractivePrompt, MethodType, Prompt, Session};

use super::hostkey::{fingerprint, key_type};
use super::{Login, SshError, Target, Verdict};

/// libssh2's error numbers that mean something to us (libssh2.h).
mod code {
    pub(super) const TIMEOUT: i32 = -9;
    pub(super) const FILE: i32 = -16;
    pub(super) const AUTHENTICATION_FAILED: i32 = -18;
    pub(super) const PUBLICKEY_UNVERIFIED: i32 = -19;
    pub(super) const KEYFILE_AUTH_FAILED: i32 = -48;
}

/// Keep-alive messages are sent after this much silence, and the connection counts as dead when nothing was acknowledged for
/// [`DEAD_AFTER`].
const KEEPALIVE: Duration = Duration::from_secs(15);
const DEAD_AFTER: Duration = Duration::from_secs(60);

/// Connects, judges the host key, logs in.
///
/// # Errors
/// Every variant of [`SshError`] but those of commands.
pub(super) fn open(target: &Target) -> Result<Session, SshError> {
    match &target.bastion {
        Some(bastion) => log_in_on(target, super::tunnel::through(bastion, target)?),
        None => log_in_on(target, connect(target)?),
    }
}

/// A session on a stream that leads to the target.
pub(super) fn log_in_on(target: &Target, stream: impl AsRawFd + 'static) -> Result<Session, SshError> {
    let mut session = Session::new().map_err(|source| SshError::Handshake { place: target.address(), source })?;
    session.set_timeout(milliseconds(target.connect_timeout));
    prefer_known_keys(&session, target);
    session.set_tcp_stream(stream);
    session.handshake().map_err(|source| broken(target, "shaking hands", source))?;
    judge(&session, target)?;
    log_in(&session, target)?;
    session.set_keepalive(true, u32::try_from(KEEPALIVE.as_secs()).unwrap_or(15));
    Ok(session)
}

pub(super) fn connect(target: &Target) -> Result<TcpStream, SshError> {
    let place = target.address();
    let addresses = (target.host.as_str(), target.port)
        .to_socket_addrs()
        .map_err(|source| SshError::Resolve { place: place.clone(), source })?;
    let mut last = None;
    for address in addresses {
        match TcpStream::connect_timeout(&address, target.connect_timeout) {
            Ok(stream) => {
                // Small requests and answers alternate; waiting to fill packets would only slow them down.
                let _ = stream.set_nodelay(true);
                let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, milliseconds(DEAD_AFTER));
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(match last {
        None => SshError::Resolve { place, source: io::Error::new(io::ErrorKind::NotFound, "no address") },
        Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => SshError::Refused { place },
        Some(error) if error.kind() == io::ErrorKind::TimedOut => {
            SshError::Timeout { place, step: "connecting", limit: target.connect_timeout }
        }
        Some(source) => SshError::Unreachable { place, source },
    })
}

/// Asks for the types of keys that are known, before the others: else a host with several keys may show one that is not.
fn prefer_known_keys(session: &Session, target: &Target) {
    let known = target.host_keys.preferred_algorithms(&target.host, target.port);
    if known.is_empty() {
        return;
    }
    let Ok(supported) = session.supported_algs(MethodType::HostKey) else { return };
    let mut order: Vec<&str> = known.into_iter().filter(|algorithm| supported.contains(algorithm)).collect();
    let others: Vec<&str> = supported.into_iter().filter(|algorithm| !order.contains(algorithm)).collect();
    order.extend(others);
    // Without this preference the handshake still works and the key is judged all the same.
    let _ = session.method_pref(MethodType::HostKey, &order.join(","));
}

fn judge(session: &Session, target: &Target) -> Result<(), SshError> {
    let place = target.address();
    // A handshake without a host key does not exist; if it did, nothing may be trusted.
    let key = session.host_key().map(|(key, _)| key).unwrap_or_default();
    let (kind, print) = (key_type(key).to_owned(), fingerprint(key));
    match target.host_keys.judge(&target.host, target.port, key) {
        Verdict::Accepted => Ok(()),
        Verdict::Unknown => Err(SshError::HostKeyUnknown {
            place,
            host: target.host.clone(),
            port: target.port,
            kind,
            fingerprint: print,
        }),
        Verdict::Changed(known) => Err(SshError::HostKeyChanged { place, kind, fingerprint: print, known }),
        Verdict::Revoked => Err(SshError::HostKeyRevoked { place, kind, fingerprint: print }),
    }
}

fn log_in(session: &Session, target: &Target) -> Result<(), SshError> {
    if target.logins.is_empty() {
        return Err(SshError::NoLogin { place: target.place() });
    }
    // Asking for the methods tries the method "none", which some hosts accept.
    let accepted = match session.auth_methods(&target.user) {
        Ok(methods) => methods.to_owned(),
        Err(_) if session.authenticated() => return Ok(()),
        Err(source) => return Err(broken(target, "logging in", source)),
    };
    let mut tried = Vec::new();
    for login in &target.logins {
        let done = match login {
            Login::Key { key, passphrase, certificate } => {
                tried.push(if certificate.is_some() { "certificate" } else { "private key" }.to_owned());
                check_key(target, key.reveal(), passphrase.is_some())?;
                session.userauth_pubkey_memory(
                    &target.user,
                    certificate.as_deref(),
                    key.reveal(),
                    passphrase.as_ref().map(|secret| secret.reveal()),
                )
            }
            Login::Agent(socket) => {
                let keys = by_agent(session, target, socket)?;
                tried.push(format!("{keys} keys of the agent"));
                Ok(())
            }
            Login::Password(password) => {
                tried.push("password".to_owned());
                by_password(session, target, password.reveal(), &accepted)
            }
        };
        match done {
            _ if session.authenticated() => return Ok(()),
            Ok(()) => {}
            Err(error) => match error.code() {
                ErrorCode::Session(code::AUTHENTICATION_FAILED | code::PUBLICKEY_UNVERIFIED) => {}
                ErrorCode::Session(code::FILE | code::KEYFILE_AUTH_FAILED) => {
                    let reason = match login {
                        Login::Key { passphrase: Some(_), .. } => "it cannot be read, or the passphrase is wrong",
                        _ => "it cannot be read",
                    };
                    return Err(SshError::Key { place: target.place(), reason });
                }
                _ => return Err(broken(target, "logging in", error)),
            },
        }
    }
    Err(SshError::Login { place: target.place(), tried, accepted })
}

/// Tells the usual mistakes apart before the library is asked, which has one answer for all of them.
fn check_key(target: &Target, key: &str, has_passphrase: bool) -> Result<(), SshError> {
    let trimmed = key.trim_start();
    let reason = if trimmed.is_empty() {
        "it is empty"
    } else if trimmed.starts_with("ssh-") || trimmed.starts_with("ecdsa-") {
        "it is a public key; the private one is needed"
    } else if !trimmed.starts_with("-----BEGIN ") {
        "it does not begin with \"-----BEGIN … PRIVATE KEY-----\"; the text of the key is needed, not its path"
    } else if trimmed.contains("ENCRYPTED") && !has_passphrase {
        "it is encrypted and there is no passphrase"
    } else {
        return Ok(());
    };
    Err(SshError::Key { place: target.place(), reason })
}

/// Tries every key of the agent and gives their number.
fn by_agent(session: &Session, target: &Target, socket: &std::path::Path) -> Result<usize, SshError> {
    let Ok(mut agent) = session.agent() else { return Ok(0) };
    if agent.set_identity_path(socket).is_err() || agent.connect().is_err() || agent.list_identities().is_err() {
        return Ok(0);
    }
    let mut identities = agent.identities().unwrap_or_default();
    if let Some(preferred) = &target.agent_identity {
        // Hosts end a login after a few keys: the one that is meant comes first.
        identities.sort_by_key(|identity| !is_preferred(preferred, identity.comment(), identity.blob()));
    }
    for identity in &identities {
        if agent.userauth(&target.user, identity).is_ok() || session.authenticated() {
            break;
        }
    }
    let _ = agent.disconnect();
    Ok(identities.len())
}

/// Whether a key of an agent is the one that is meant: by its comment, or by its public key.
fn is_preferred(preferred: &str, comment: &str, blob: &[u8]) -> bool {
    use base64::Engine as _;
    let key = base64::engine::general_purpose::STANDARD.encode(blob);
    preferred == comment || preferred.split_whitespace().nth(1) == Some(&key)
}

fn by_password(session: &Session, target: &Target, password: &str, accepted: &str) -> Result<(), ssh2::Error> {
    if accepted.split(',').any(|method| method == "password") || !accepted.contains("keyboard-interactive") {
        session.userauth_password(&target.user, password)
    } else {
        session.userauth_keyboard_interactive(&target.user, &mut Answer(password))
    }
}

/// Answers every question that hides its answer with the password, any other with nothing.
struct Answer<'a>(&'a str);

impl KeyboardInteractivePrompt for Answer<'_> {
    fn prompt<'b>(&mut self, _user: &str, _instructions: &str, prompts: &[Prompt<'b>]) -> Vec<String> {
        prompts.iter().map(|prompt| if prompt.echo { String::new() } else { self.0.to_owned() }).collect()
    }
}

fn broken(target: &Target, step: &'static str, source: ssh2::Error) -> SshError {
    let place = target.address();
    match source.code() {
        ErrorCode::Session(code::TIMEOUT) => SshError::Timeout { place, step, limit: target.connect_timeout },
        _ => SshError::Handshake { place, source },
    }
}

pub(super) fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX).max(1)
}
