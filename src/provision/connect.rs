//! From a `connection` block to a client that is logged in.

use std::time::{Duration, Instant};

use crate::client::ssh::{Client, SshError, Surroundings, Target, target_of};
use crate::diag::Diagnostic;
use crate::event::Stop;
use crate::text::duration;
use crate::value::Value;

use super::{Context, Hear, Job, failed, text};

/// How long a host may take to let us in, where `timeout` says nothing.
const PATIENCE: Duration = Duration::from_secs(300);

/// Longest pause between two tries.
const PAUSE: Duration = Duration::from_secs(10);

/// A way that is not there, and what to do instead.
const WINDOWS: &str = "not supported: machines are reached over SSH, and their shell has to be that of a Unix. Run what has to \
                       run on a Windows machine from local-exec.";

/// Connects and logs in, trying again until the connection's `timeout` is over: machines are often still booting.
///
/// # Errors
/// When the arguments make no sense, the host's key is not the expected one, or time is over.
pub(super) async fn connect(job: &Job, context: &Context, hear: &Hear<'_>) -> Result<Client, Box<Diagnostic>> {
    let fail = |detail: String| failed(&job.kind, detail);
    let Some(connection) = &job.connection else {
        return Err(fail("Missing connection configuration for provisioner.".into()));
    };
    if context.sandbox {
        let detail = "Nothing outside of this machine is touched in a sandbox. Switch the block off there, by count or by the \
                      module it stands in.";
        return Err(fail(detail.into()));
    }
    let patience = match text(connection, "timeout").filter(|text| !text.is_empty()) {
        Some(text) => duration::parse(text)
            .ok_or_else(|| fail(format!("timeout is {text:?}; a duration is written like \"30s\" or \"5m\".")))?,
        None => PATIENCE,
    };
    let target = target(connection, &context.ssh, patience).map_err(&fail)?;
    tell(connection, &target, hear);
    let client = Client::new(target);
    let begun = Instant::now();
    let mut pause = Duration::from_secs(1);
    loop {
        let error = match client.connect().await {
            Ok(()) => {
                hear("Connected!");
                return Ok(client);
            }
            Err(error) => error,
        };
        let left = patience.saturating_sub(begun.elapsed());
        // Keys of a user are often put on a machine while it boots.
        let again = error.is_transient() || matches!(error, SshError::Login { .. });
        if !again {
            let said = error.diagnostic();
            return Err(fail(format!("{}. {}", said.summary, said.detail)));
        }
        if left.is_zero() {
            let said = error.diagnostic();
            return Err(fail(format!("timeout - last error: {}. {}", said.summary, said.detail)));
        }
        Stop::pause(pause.min(left)).await;
        pause = (pause * 2).min(PAUSE);
        tell(connection, client.target(), hear);
    }
}

/// Where a connection leads.
fn target(connection: &Value, around: &Surroundings, patience: Duration) -> Result<Target, String> {
    match text(connection, "type").unwrap_or("ssh") {
        "ssh" | "" => {}
        "winrm" => return Err(format!("connection type 'winrm' is {WINDOWS}")),
        other => return Err(format!("connection type '{other}' not supported: there is \"ssh\".")),
    }
    match text(connection, "target_platform").unwrap_or("unix") {
        "unix" => {}
        "windows" => return Err(format!("target_platform \"windows\" is {WINDOWS}")),
        other => return Err(format!("target_platform is {other:?}: there is \"unix\".")),
    }
    if text(connection, "proxy_host").is_some_and(|host| !host.is_empty()) {
        return Err("proxy_host is not supported: SSH through an HTTP proxy is not there. A bastion_host is.".into());
    }
    if text(connection, "host").is_none_or(|host| host.trim().is_empty()) {
        return Err("host for provisioner cannot be empty".into());
    }
    let mut target = way(connection, "", around, patience)?;
    if text(connection, "bastion_host").is_some_and(|host| !host.is_empty()) {
        target.bastion = Some(Box::new(way(connection, "bastion_", around, patience)?));
    }
    Ok(target)
}

/// The host that the arguments with a prefix mean. What a bastion lacks is that of the host itself, save its key and port.
fn way(connection: &Value, prefix: &str, around: &Surroundings, patience: Duration) -> Result<Target, String> {
    let own = |name: &str| connection.get(&format!("{prefix}{name}")).filter(|value| !value.is_null()).cloned();
    let given = |name: &str| own(name).or_else(|| connection.get(name).cloned()).unwrap_or_default();
    let limit = patience.min(Duration::from_secs(15)).max(Duration::from_secs(1));
    let arguments = Value::object([
        ("host", own("host").unwrap_or_default()),
        ("port", own("port").unwrap_or_default()),
        ("user", given("user")),
        ("password", given("password")),
        ("private_key", given("private_key")),
        ("certificate", given("certificate")),
        ("host_key", own("host_key").unwrap_or_default()),
        ("agent", connection.get("agent").filter(|value| !value.is_null()).cloned().unwrap_or_else(|| true.into())),
        ("agent_identity", connection.get("agent_identity").cloned().unwrap_or_default()),
        ("connect_timeout", format!("{}s", limit.as_secs()).into()),
    ]);
    let found = target_of(&arguments, around);
    found.value.ok_or_else(|| found.said.iter().map(|said| said.detail.clone()).collect::<Vec<_>>().join(" "))
}

fn tell(connection: &Value, target: &Target, hear: &Hear<'_>) {
    let set = |name: &str| text(connection, name).is_some_and(|text| !text.is_empty());
    let agent = target.logins.iter().any(|login| matches!(login, crate::client::ssh::Login::Agent(_)));
    let mut lines = vec!["Connecting to remote host via SSH...".to_owned()];
    let mut line = |name: &str, value: &dyn std::fmt::Display| lines.push(format!("  {name}: {value}"));
    line("Host", &target.host);
    line("User", &target.user);
    line("Password", &set("password"));
    line("Private key", &set("private_key"));
    line("Certificate", &set("certificate"));
    line("SSH Agent", &agent);
    // The key of a host is always checked: against host_key, else against the known hosts.
    line("Checking Host Key", &true);
    line("Target Platform", &"unix");
    if let Some(bastion) = &target.bastion {
        lines.push("Using configured bastion host...".to_owned());
        let mut line = |name: &str, value: &dyn std::fmt::Display| lines.push(format!("  {name}: {value}"));
        line("Host", &bastion.host);
        line("User", &bastion.user);
    }
    hear(&lines.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    fn find(given: &[(&str, &str)]) -> Result<Target, String> {
        let connection = super::super::connection();
        let value = Value::object(connection.attributes.iter().map(|(name, attribute)| {
            let found = given.iter().find(|(given, _)| *given == name.as_str());
            (name.clone(), found.map_or(Value::Null(attribute.ty.clone()), |(_, text)| (*text).into()))
        }));
        target(&value, &Surroundings::default(), PATIENCE)
    }

    #[test]
    fn a_bastion_takes_over_what_it_does_not_set() {
        let given = [
            ("host", "inner"),
            ("user", "me"),
            ("password", "secret"),
            ("host_key", KEY),
            ("bastion_host", "outer"),
            ("bastion_user", "you"),
        ];
        let target = find(&given).unwrap_or_else(|why| unreachable!("{why}"));
        let bastion = target.bastion.clone().unwrap_or_else(|| unreachable!());
        assert_eq!((target.place().as_str(), bastion.place().as_str()), ("me@inner:22", "you@outer:22"));
        assert_eq!(bastion.logins, target.logins);
        assert_ne!(bastion.host_keys, target.host_keys);
    }

    #[test]
    fn ways_that_are_not_there_say_so() {
        let check = |given: &[(&str, &str)], part: &str| {
            let said = find(given).err().unwrap_or_default();
            assert!(said.contains(part), "{said}");
        };
        check(&[("host", "")], "host for provisioner cannot be empty");
        check(&[("host", "a"), ("type", "winrm")], "'winrm' is not supported");
        check(&[("host", "a"), ("type", "zz")], "connection type 'zz' not supported");
        check(&[("host", "a"), ("target_platform", "windows")], "not supported");
        check(&[("host", "a"), ("proxy_host", "p")], "HTTP proxy");
        check(&[("host", "a"), ("host_key", "zz")], "host_key");
    }
}
