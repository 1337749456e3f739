//! Who runs this, for locks and journals: `user@host`.

use crate::ops::Identity;

/// This process's.
pub(super) fn identity() -> Identity {
    let name = |variable: &str| std::env::var(variable).ok().filter(|name| !name.is_empty());
    let uid = rustix::process::getuid().as_raw();
    // Neither variable is set in many containers and under some supervisors.
    let known = || std::fs::read_to_string("/etc/passwd").ok().and_then(|text| name_in(&text, uid));
    let user = name("USER").or_else(|| name("LOGNAME")).or_else(known).unwrap_or_else(|| uid.to_string());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Identity { who: format!("{user}@{host}"), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// The name of a user in the text of `/etc/passwd` (passwd(5)): `NAME:PASSWORD:UID:…`.
fn name_in(text: &str, uid: u32) -> Option<String> {
    let name = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    };
    text.lines().find_map(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number() {
        let text =
            "root:x:0:0:root:/root:/bin/bash\n# a comment\nbroken\n:x:7:7::/:\nci:x:1001:1001::/home/ci:/bin/sh\n";
        let check = |uid: u32, expect: Option<&str>| assert_eq!(name_in(text, uid).as_deref(), expect, "{uid}");
        check(0, Some("root"));
        check(1001, Some("ci"));
        check(7, None);
        check(1002, None);
        assert_eq!(name_in("", 0), None);
    }
}
