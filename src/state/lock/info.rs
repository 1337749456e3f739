//! What a lock says of its holder.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LockRequest, Process};
use crate::addr::LayerName;

/// Content of a lock, as Terraform 1.10 and later write and read it, plus our lease.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LockInfo {
    /// Names the lock.
    #[serde(rename = "ID")]
    pub id: String,
    /// `OperationTypeApply`.
    pub operation: String,
    /// Free text.
    pub info: String,
    /// `user@host`.
    pub who: String,
    /// Version of the holder's program.
    pub version: String,
    /// When it was taken, RFC 3339.
    pub created: String,
    /// `bucket/key`, or the path of the file.
    pub path: String,
    /// Until when it counts; Terraform's locks have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseInfo>,
}

/// Until when a lock counts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LeaseInfo {
    /// When it was renewed last, RFC 3339.
    pub renewed: String,
    /// How many seconds it counts from then on.
    pub seconds: u64,
    /// The holder.
    pub process: Process,
}

impl LockInfo {
    pub(super) fn new(request: &LockRequest, path: String, lease: Option<LeaseInfo>) -> Self {
        let mut letters = request.operation.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        LockInfo {
            id: uuid::Uuid::new_v4().to_string(),
            operation: format!("OperationType{first}{}", letters.as_str()),
            info: String::new(),
            who: request.who.clone(),
            version: request.version.clone(),
            created: (request.clock)().to_string(),
            path,
            lease,
        }
    }

    /// The JSON text.
    pub fn encode(&self) -> Bytes {
        // Texts and numbers only: cannot fail.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// Reads the JSON text.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The command: `apply`.
    pub fn command(&self) -> String {
        self.operation.strip_prefix("OperationType").unwrap_or(&self.operation).to_lowercase()
    }

    /// How long its lease has not been renewed; `None` without a lease. Negative where clocks differ.
    pub fn lease_age(&self, now: Timestamp) -> Option<jiff::SignedDuration> {
        let renewed: Timestamp = self.lease.as_ref()?.renewed.parse().ok()?;
        Some(now.duration_since(renewed))
    }

    /// Whether its lease has run out.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        match (&self.lease, self.lease_age(now)) {
            (Some(lease), Some(age)) => {
                age > jiff::SignedDuration::from_secs(lease.seconds.try_into().unwrap_or(i64::MAX))
            }
            _ => false,
        }
    }

    /// Whether its holder is known to have ended.
    pub fn is_dead(&self) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.process.is_dead())
    }
}

/// Somebody else holds the lock: who, since when, and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Locked {
    /// Key of the state.
    pub key: String,
    /// The layer, in a project with layers.
    pub layer: LayerName,
    /// What the lock says; empty where it cannot be read.
    pub info: LockInfo,
    /// Whether it is a lock of the operating system, which dies with its holder.
    pub file: bool,
    /// When this was found.
    pub now: Timestamp,
}

impl Locked {
    pub(super) fn new(key: &str, layer: &LayerName, info: Option<LockInfo>, file: bool, request: &LockRequest) -> Self {
        Locked {
            key: key.to_owned(),
            layer: layer.clone(),
            info: info.unwrap_or_default(),
            file,
            now: (request.clock)(),
        }
    }

    /// Who holds it, as far as that is known.
    pub fn holder(&self) -> String {
        if self.info.who.is_empty() { "another process".to_owned() } else { self.info.who.clone() }
    }

    /// Whether its lease has run out: it may be taken over after a yes.
    pub fn is_expired(&self) -> bool {
        self.info.is_expired(self.now)
    }
}

impl fmt::Display for LockInfo {
    /// As Terraform prints it: programs and people look for these lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let created = match self.created.parse::<Timestamp>() {
            Ok(created) => created.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string(),
            Err(_) => self.created.clone(),
        };
        let lines = [
            ("ID:", &self.id),
            ("Path:", &self.path),
            ("Operation:", &self.operation),
            ("Who:", &self.who),
            ("Version:", &self.version),
            ("Created:", &created),
            ("Info:", &self.info),
        ];
        f.write_str("Lock Info:\n")?;
        lines.iter().try_for_each(|(name, value)| writeln!(f, "  {name:<10} {value}"))
    }
}

impl fmt::Display for Locked {
    /// The cause and the lock as Terraform has them, then what is known beyond that and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = &self.info;
        let cause = if self.file { "resource temporarily unavailable" } else { "the lock object exists already" };
        writeln!(f, "Error message: {cause}")?;
        if !info.id.is_empty() {
            writeln!(f, "{info}")?;
        }
        write!(f, "{} is held by {}", self.key, self.holder())?;
        if !info.operation.is_empty() {
            write!(f, " for {:?}", info.command())?;
        }
        if let Ok(created) = info.created.parse::<Timestamp>() {
            let ago = self.now.duration_since(created);
            let pattern = if ago.as_hours() < 24 { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
            write!(f, " since {} UTC ({} ago)", created.strftime(pattern), Ago(ago))?;
        }
        if let Some(age) = info.lease_age(self.now) {
            write!(f, ", lease renewed {} ago", Ago(age))?;
        }
        f.write_str(".\n")?;
        self.advise(f)
    }
}

impl Locked {
    /// What can be done about it.
    fn advise(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = &self.info;
        let layer = if self.layer == LayerName::plain() { String::new() } else { format!("-layer {} ", self.layer) };
        let unlock = format!("infra force-unlock {layer}{}", info.id);
        if self.is_expired() {
            return write!(
                f,
                "Its lease has run out: it is most likely dead. Take it over with -take-over-expired, or: {unlock}"
            );
        }
        if self.file {
            return f.write_str("It is alive: wait, or pass -lock-timeout=10m. The lock goes when that process ends.");
        }
        if info.lease.is_some() {
            return write!(f, "It is alive: wait, or pass -lock-timeout=10m. If you know it is dead: {unlock}");
        }
        write!(
            f,
            "It has no lease (Terraform {} took it), so that nobody can tell whether it is alive: wait, or pass \
             -lock-timeout=10m. If you know it is dead: {unlock}",
            info.version
        )
    }
}

/// A length of time in one or two words.
struct Ago(jiff::SignedDuration);

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs().max(0) {
            seconds @ 0..60 => write!(f, "{seconds} s"),
            seconds @ 60..3600 => write!(f, "{}m", seconds / 60),
            seconds @ 3600..86_400 => write!(f, "{}h{:02}m", seconds / 3600, seconds / 60 % 60),
            seconds => write!(f, "{}d", seconds / 86_400),
        }
    }
}
