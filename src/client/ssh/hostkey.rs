//! Host keys: which are accepted for a host, and what to think of the one it showed.
//!
//! The format is that of OpenSSH's `known_hosts` (manual page sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): plain, wildcard and
//! negated patterns, `[host]:port`, hashed names, `@revoked`. Certificates (`@cert-authority`) are not supported and skipped.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Why a text is no host key and no line of a known-hosts file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostKeyError {
    /// The line has too few words or a key that is no base64.
    #[error(
        "line {line} is neither a public key (\"ssh-ed25519 AAAA…\") nor a known_hosts line (\"host ssh-ed25519 AAAA…\")"
    )]
    Malformed {
        /// Counted from 1.
        line: usize,
    },
    /// No key at all.
    #[error("it holds no key")]
    Empty,
}

/// What is thought of a key that a host showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is one of the accepted keys.
    Accepted,
    /// No key of this host is known.
    Unknown,
    /// Other keys of this host are known: each as `type fingerprint`.
    Changed(Vec<String>),
    /// The key is marked as revoked.
    Revoked,
}

/// The accepted host keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostKeys {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// `None` for a key that was given for the very host that is connected to.
    hosts: Option<Hosts>,
    revoked: bool,
    key: KnownKey,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum KnownKey {
    Blob(Vec<u8>),
    /// The part after `SHA256:`.
    Fingerprint(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    Patterns(Vec<String>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

impl HostKeys {
    /// No key: every host is unknown.
    pub fn none() -> Self {
        HostKeys::default()
    }

    /// The keys of the host that is connected to: one a line, either a public key as in `/etc/ssh/ssh_host_*_key.pub`
    /// (`ssh-ed25519 AAAA… comment`) or a fingerprint (`SHA256:…`). Lines of a known-hosts file, as `ssh-keyscan` prints
    /// them, are taken too.
    ///
    /// # Errors
    /// When a line is none of these, or there is no line.
    pub fn of_host(text: &str) -> Result<Self, HostKeyError> {
        let mut entries = Vec::new();
        for (number, line) in lines(text) {
            let entry = direct_key(line).or_else(|| known_hosts_line(line).flatten());
            entries.push(entry.ok_or(HostKeyError::Malformed { line: number })?);
        }
        if entries.is_empty() { Err(HostKeyError::Empty) } else { Ok(HostKeys { entries }) }
    }

    /// A known-hosts file.
    ///
    /// # Errors
    /// When a line cannot be read.
    pub fn known_hosts(text: &str) -> Result<Self, HostKeyError> {
        let mut entries = Vec::new();
        for (number, line) in lines(text) {
            match known_hosts_line(line) {
                Some(entry) => entries.extend(entry),
                None => return Err(HostKeyError::Malformed { line: number }),
            }
        }
        Ok(HostKeys { entries })
    }

    /// What to think of `key`, the blob that `host` showed on `port`.
    pub fn judge(&self, host: &str, port: u16, key: &[u8]) -> Verdict {
        let of_host: Vec<&Entry> = self.entries.iter().filter(|entry| entry.covers(host, port)).collect();
        if of_host.iter().any(|entry| entry.revoked && entry.key.is(key)) {
            return Verdict::Revoked;
        }
        let mut accepted = of_host.iter().filter(|entry| !entry.revoked).peekable();
        if accepted.peek().is_none() {
            return Verdict::Unknown;
        }
        let mut known = Vec::new();
        for entry in accepted {
            if entry.key.is(key) {
                return Verdict::Accepted;
            }
            known.push(entry.key.describe());
        }
        Verdict::Changed(known)
    }

    /// The signature algorithms to ask the host for first, so that it shows a key that is known: a host usually has several.
    pub fn preferred_algorithms(&self, host: &str, port: u16) -> Vec<&'static str> {
        let mut algorithms = Vec::new();
        for entry in self.entries.iter().filter(|entry| !entry.revoked && entry.covers(host, port)) {
            let KnownKey::Blob(blob) = &entry.key else { continue };
            let named: &[&'static str] = match key_type(blob) {
                "ssh-ed25519" => &["ssh-ed25519"],
                "ecdsa-sha2-nistp256" => &["ecdsa-sha2-nistp256"],
                "ecdsa-sha2-nistp384" => &["ecdsa-sha2-nistp384"],
                "ecdsa-sha2-nistp521" => &["ecdsa-sha2-nistp521"],
                "ssh-rsa" => &["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
                _ => &[],
            };
            for algorithm in named {
                if !algorithms.contains(algorithm) {
                    algorithms.push(*algorithm);
                }
            }
        }
        algorithms
    }
}

/// `SHA256:…` of a key blob, as `ssh-keygen -l` prints it.
pub fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}

/// The key's type, which is the first text of its blob (RFC 4253, section 6.6).
pub(super) fn key_type(blob: &[u8]) -> &str {
    let Some((length, rest)) = blob.split_first_chunk::<4>() else { return "unknown" };
    let length = u32::from_be_bytes(*length) as usize;
    rest.get(..length).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or("unknown")
}

impl Entry {
    fn covers(&self, host: &str, port: u16) -> bool {
        match &self.hosts {
            None => true,
            Some(hosts) => hosts.cover(host, port),
        }
    }
}

impl KnownKey {
    fn is(&self, blob: &[u8]) -> bool {
        match self {
            KnownKey::Blob(known) => known == blob,
            KnownKey::Fingerprint(known) => STANDARD_NO_PAD.encode(Sha256::digest(blob)) == *known,
        }
    }

    fn describe(&self) -> String {
        match self {
            KnownKey::Blob(blob) => format!("{} {}", key_type(blob), fingerprint(blob)),
            KnownKey::Fingerprint(known) => format!("SHA256:{known}"),
        }
    }
}

impl Hosts {
    fn cover(&self, host: &str, port: u16) -> bool {
        let host = host.to_ascii_lowercase();
        // A port other than 22 is part of the name.
        let name = if port == 22 { host } else { format!("[{host}]:{port}") };
        match self {
            Hosts::Hashed { salt, hash } => {
                let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(salt) else { return false };
                mac.update(name.as_bytes());
                mac.verify_slice(hash).is_ok()
            }
            Hosts::Patterns(patterns) => {
                let mut found = false;
                for pattern in patterns {
                    match pattern.strip_prefix('!') {
                        Some(negated) if wildcard(negated, &name) => return false,
                        Some(_) => {}
                        None => found |= wildcard(pattern, &name),
                    }
                }
                found
            }
        }
    }
}

/// Lines that say something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn direct_key(line: &str) -> Option<Entry> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    let key = match first.strip_prefix("SHA256:") {
        Some(print) => KnownKey::Fingerprint(print.trim_end_matches('=').to_owned()),
        None => KnownKey::Blob(blob(first, words.next()?)?),
    };
    Some(Entry { hosts: None, revoked: false, key })
}

/// `None` for a line that cannot be read, `Some(None)` for one of a kind that is not supported.
fn known_hosts_line(line: &str) -> Option<Option<Entry>> {
    let mut words = line.split_whitespace().peekable();
    let marker = words.next_if(|word| word.starts_with('@'));
    if marker.is_some_and(|marker| marker != "@revoked") {
        return Some(None);
    }
    let names = words.next()?;
    let hosts = match names.strip_prefix("|1|") {
        Some(hashed) => {
            let (salt, hash) = hashed.split_once('|')?;
            Hosts::Hashed { salt: STANDARD.decode(salt).ok()?, hash: STANDARD.decode(hash).ok()? }
        }
        None => Hosts::Patterns(names.split(',').map(str::to_ascii_lowercase).collect()),
    };
    let kind = words.next()?;
    let key = KnownKey::Blob(blob(kind, words.next()?)?);
    Some(Some(Entry { hosts: Some(hosts), revoked: marker.is_some(), key }))
}

/// The decoded key, if it is of the type that stands before it.
fn blob(kind: &str, encoded: &str) -> Option<Vec<u8>> {
    let blob = STANDARD.decode(encoded).ok()?;
    (key_type(&blob) == kind).then_some(blob)
}

/// `*` stands for any characters, `?` for one.
fn wildcard(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const ED: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    const OTHER: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJ6nEXRqMFm3RzNAQ5dkVCZnVwzDDGzIzXSpV9tJ4Axv";

    fn decoded(key: &str) -> Vec<u8> {
        STANDARD.decode(key).unwrap()
    }

    fn check(known: &str, host: &str, port: u16, expect: &Verdict) {
        let keys = HostKeys::known_hosts(known).unwrap();
        assert_eq!(&keys.judge(host, port, &decoded(ED)), expect, "{known} for {host}:{port}");
    }

    #[test]
    fn judges_by_known_hosts() {
        let changed = Verdict::Changed(vec![format!("ssh-ed25519 {}", fingerprint(&decoded(OTHER)))]);
        check("", "a", 22, &Verdict::Unknown);
        check(&format!("a ssh-ed25519 {ED}"), "a", 22, &Verdict::Accepted);
        check(&format!("# note\n\nb,A ssh-ed25519 {ED} comment"), "a", 22, &Verdict::Accepted);
        check(&format!("a ssh-ed25519 {ED}"), "b", 22, &Verdict::Unknown);
        check(&format!("a ssh-ed25519 {ED}"), "a", 2222, &Verdict::Unknown);
        check(&format!("[a]:2222 ssh-ed25519 {ED}"), "a", 2222, &Verdict::Accepted);
        check(&format!("*.x ssh-ed25519 {ED}"), "a.x", 22, &Verdict::Accepted);
        check(&format!("*.x,!a.x ssh-ed25519 {ED}"), "a.x", 22, &Verdict::Unknown);
        check(&format!("10.0.0.? ssh-ed25519 {ED}"), "10.0.0.7", 22, &Verdict::Accepted);
        check(&format!("a ssh-ed25519 {OTHER}"), "a", 22, &changed);
        check(&format!("a ssh-ed25519 {OTHER}\na ssh-ed25519 {ED}"), "a", 22, &Verdict::Accepted);
        check(&format!("a ssh-ed25519 {ED}\n@revoked * ssh-ed25519 {ED}"), "a", 22, &Verdict::Revoked);
        check(&format!("@cert-authority *.x ssh-ed25519 {ED}"), "a.x", 22, &Verdict::Unknown);
    }

    #[test]
    fn judges_hashed_names() {
        let mut mac = Hmac::<Sha1>::new_from_slice(b"twenty bytes of salt").unwrap();
        mac.update(b"[vps]:2222");
        let hash = STANDARD.encode(mac.finalize().into_bytes());
        let line = format!("|1|{}|{hash} ssh-ed25519 {ED}", STANDARD.encode(b"twenty bytes of salt"));
        check(&line, "vps", 2222, &Verdict::Accepted);
        check(&line, "vps", 22, &Verdict::Unknown);
    }

    #[test]
    fn reads_keys_of_a_host() {
        let print = fingerprint(&decoded(ED));
        for text in [format!("ssh-ed25519 {ED} root@vps\n"), print, format!("vps ssh-ed25519 {ED}")] {
            let keys = HostKeys::of_host(&text).unwrap();
            assert_eq!(keys.judge("vps", 22, &decoded(ED)), Verdict::Accepted, "{text}");
            assert!(matches!(keys.judge("vps", 22, &decoded(OTHER)), Verdict::Changed(_)), "{text}");
        }
        assert_eq!(HostKeys::of_host(" \n# nothing"), Err(HostKeyError::Empty));
        for text in ["ssh-ed25519", "ssh-ed25519 ###", "hello world again", &format!("ssh-rsa {ED}")] {
            assert_eq!(HostKeys::of_host(text), Err(HostKeyError::Malformed { line: 1 }), "{text}");
        }
    }

    #[test]
    fn prefers_algorithms_of_known_keys() {
        let keys = HostKeys::known_hosts(&format!("a ssh-ed25519 {ED}\nb ssh-ed25519 {OTHER}")).unwrap();
        assert_eq!(keys.preferred_algorithms("a", 22), ["ssh-ed25519"]);
        assert!(keys.preferred_algorithms("c", 22).is_empty());
    }

    #[test]
    fn matches_wildcards() {
        for (pattern, name, expect) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("a?c", "abc", true),
            ("**b*", "ab", true),
            ("", "a", false),
        ] {
            assert_eq!(wildcard(pattern, name), expect, "{pattern} {name}");
        }
    }
}
