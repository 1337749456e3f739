//! Which process holds a lock, so that another one on the same machine can tell whether it is still there.

use std::fs;

use serde::{Deserialize, Serialize};

/// A process, for as long as this boot of its machine lasts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Process {
    /// The kernel's random number of this boot; empty where it is not known.
    pub boot: String,
    /// The namespace that process numbers belong to: containers share a boot, not these.
    pub namespace: String,
    /// The process number.
    pub pid: u32,
    /// When it was started, in clock ticks since the boot.
    pub start: u64,
}

impl Process {
    /// This one.
    pub fn this() -> Self {
        let pid = std::process::id();
        Process { boot: boot(), namespace: namespace(), pid, start: start_of(pid).unwrap_or(0) }
    }

    /// Whether it can be known from here that the process has ended: same boot, same namespace, and its number is free or
    /// belongs to another process.
    pub fn is_dead(&self) -> bool {
        let here =
            !self.boot.is_empty() && self.boot == boot() && !self.namespace.is_empty() && self.namespace == namespace();
        // A start of 0 was not known; a number that is in use again proves nothing then.
        here && match start_of(self.pid) {
            None => {
                fs::exists("/proc/self/stat").unwrap_or(false)
                    && !fs::exists(format!("/proc/{}", self.pid)).unwrap_or(true)
            }
            Some(start) => self.start != 0 && start != self.start,
        }
    }
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

fn namespace() -> String {
    fs::read_link("/proc/self/ns/pid").map(|link| link.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Field 22 of `/proc/PID/stat` (proc(5)). The second field is a name in brackets that may hold anything. A zombie counts as
/// ended: it writes nothing any more.
fn start_of(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return Some(u64::MAX);
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_that_is_gone_is_dead() {
        let this = Process::this();
        assert!(!this.is_dead());
        assert!(Process { start: this.start + 1, ..this.clone() }.is_dead(), "the number is used again");
        assert!(!Process { start: 0, ..this.clone() }.is_dead(), "nothing is known");
        assert!(!Process { boot: "other".into(), start: this.start + 1, ..this.clone() }.is_dead(), "another boot");
        assert!(!Process { namespace: "pid:[1]".into(), pid: 999_999_999, ..this.clone() }.is_dead(), "a container");
        assert!(Process { pid: 999_999_999, ..this }.is_dead(), "no such number");
    }
}
