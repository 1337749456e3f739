//! The arguments that say how to reach a host, as every provider that works over SSH has them, and the clients made of them.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::client::Secret;
use crate::diag::{Diagnostic, Diagnostics, Outcome};
use crate::schema::Attribute;
use crate::text::duration;
use crate::value::{Type, Value};

use super::{Client, HostKeys, Login, Target};

/// What stands in the environment and concerns SSH.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The user's home folder, for `~` and the default known hosts.
    pub home: Option<PathBuf>,
    /// The socket of an SSH agent.
    pub agent: Option<PathBuf>,
}

impl Surroundings {
    /// Reads `HOME` and `SSH_AUTH_SOCK`.
    pub fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Self {
        let path = |name: &str| env(name).filter(|text| !text.is_empty()).map(PathBuf::from);
        Surroundings { home: path("HOME"), agent: path("SSH_AUTH_SOCK") }
    }

    fn expand(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }
}

/// The arguments, all of them optional: a resource's own come before its provider's.
pub fn attributes() -> Vec<(&'static str, Attribute)> {
    let text = || Attribute::optional(Type::String);
    vec![
        ("host", text()),
        ("port", Attribute::optional(Type::Number)),
        ("user", text()),
        ("private_key", text().sensitive()),
        ("private_key_passphrase", text().sensitive()),
        ("password", text().sensitive()),
        ("agent", Attribute::optional(Type::Bool)),
        ("host_key", text()),
        ("known_hosts", text()),
        ("connect_timeout", text()),
        ("sudo", Attribute::optional(Type::Bool)),
    ]
}

/// A host to work on.
#[derive(Clone, Debug)]
pub struct Host {
    /// The client, shared by everyone who reaches the host in the same way.
    pub client: Client,
    /// Whether root's work needs sudo.
    pub sudo: bool,
}

/// The hosts of a provider: one client for each way to reach one.
#[derive(Debug, Default)]
pub struct Hosts {
    clients: Mutex<Vec<Client>>,
}

impl Hosts {
    /// The host that the arguments mean: `own` first, what is null there from `fallback`. Connects to nothing.
    pub fn find(&self, own: &Value, fallback: &Value, around: &Surroundings) -> Outcome<Host> {
        let arguments = Arguments { own, fallback };
        arguments.target(around).map(|target| {
            let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            let known = clients.iter().find(|client| *client.target() == target).cloned();
            let client = known.unwrap_or_else(|| {
                let client = Client::new(target);
                clients.push(client.clone());
                client
            });
            let sudo = arguments.flag("sudo").unwrap_or(client.target().user != "root");
            Host { client, sudo }
        })
    }

    /// Ends what runs on any of them.
    pub fn stop(&self) {
        for client in self.clients.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            client.stop();
        }
    }
}

/// The host that arguments of these names mean. Connects to nothing.
pub fn target_of(arguments: &Value, around: &Surroundings) -> Outcome<Target> {
    Arguments { own: arguments, fallback: &Value::NULL }.target(around)
}

/// Says what is wrong with the arguments as far as they are known.
pub fn validate(arguments: &Value) -> Diagnostics {
    let mut said = Diagnostics::none();
    if arguments.get("port").is_some_and(|port| port.as_number().is_some()) {
        port(arguments.get("port"), &mut said);
    }
    if let Some(text) = arguments.get("connect_timeout").and_then(Value::as_str) {
        timeout(text, &mut said);
    }
    if let Some(text) = arguments.get("host_key").and_then(Value::as_str)
        && let Err(error) = HostKeys::of_host(text)
    {
        said.push(unreadable_key("host_key", &error));
    }
    said
}

struct Arguments<'a> {
    own: &'a Value,
    fallback: &'a Value,
}

impl Arguments<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        [self.own, self.fallback].into_iter().find_map(|value| value.get(name).filter(|value| !value.is_null()))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }

    fn target(&self, around: &Surroundings) -> Outcome<Target> {
        let mut said = Diagnostics::none();
        let host = self.text("host").unwrap_or_default().trim();
        if host.is_empty() {
            said.error("No host to connect to", "Set host in the resource or in its provider's configuration.");
        }
        let port = port(self.get("port"), &mut said);
        let connect_timeout = match self.text("connect_timeout") {
            Some(text) => timeout(text, &mut said),
            None => Duration::from_secs(15),
        };
        let host_keys = self.host_keys(around, &mut said);
        let target = Target {
            host: host.to_owned(),
            port,
            user: self.text("user").unwrap_or("root").to_owned(),
            logins: self.logins(around),
            host_keys,
            connect_timeout,
            agent_identity: self.text("agent_identity").map(str::to_owned),
            bastion: None,
        };
        if said.has_errors() { Outcome::fail(said) } else { Outcome::with(target, said) }
    }

    fn logins(&self, around: &Surroundings) -> Vec<Login> {
        let secret = |name: &str| self.text(name).map(Secret::new);
        let mut logins = Vec::new();
        if let Some(key) = secret("private_key") {
            logins.push(Login::Key {
                key,
                passphrase: secret("private_key_passphrase"),
                certificate: self.text("certificate").map(str::to_owned),
            });
        }
        // An agent is asked when the user says so, or when there is nothing else to log in with.
        let has_other = self.text("private_key").is_some() || self.text("password").is_some();
        if self.flag("agent").unwrap_or(!has_other)
            && let Some(socket) = &around.agent
        {
            logins.push(Login::Agent(socket.clone()));
        }
        if let Some(password) = secret("password") {
            logins.push(Login::Password(password));
        }
        logins
    }

    fn host_keys(&self, around: &Surroundings, said: &mut Diagnostics) -> HostKeys {
        if let Some(text) = self.text("host_key") {
            return HostKeys::of_host(text).unwrap_or_else(|error| {
                said.push(unreadable_key("host_key", &error));
                HostKeys::none()
            });
        }
        let (name, text) = match self.text("known_hosts") {
            // A line of known hosts has several words; a path that has blanks would have to be read with file().
            Some(text) if text.trim().contains(char::is_whitespace) => ("known_hosts".to_owned(), text.to_owned()),
            Some(path) => match read(&around.expand(path.trim())) {
                Ok(Some(text)) => (path.to_owned(), text),
                Ok(None) => {
                    said.error("Known hosts not found", format!("There is no file {path}, which known_hosts names."));
                    return HostKeys::none();
                }
                Err(diagnostic) => {
                    said.push(diagnostic);
                    return HostKeys::none();
                }
            },
            None => match around.home.as_ref().map(|home| read(&home.join(".ssh/known_hosts"))) {
                Some(Ok(Some(text))) => ("~/.ssh/known_hosts".to_owned(), text),
                // Nothing is known then, which is said when the host shows its key.
                _ => return HostKeys::none(),
            },
        };
        HostKeys::known_hosts(&text).unwrap_or_else(|error| {
            said.push(unreadable_key(&name, &error));
            HostKeys::none()
        })
    }
}

fn read(path: &Path) -> Result<Option<String>, Diagnostic> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Diagnostic::error("Known hosts unreadable", format!("{}: {error}.", path.display()))),
    }
}

fn unreadable_key(name: &str, error: &super::HostKeyError) -> Diagnostic {
    Diagnostic::error("Host key unreadable", format!("{name} cannot be used: {error}."))
}

fn port(value: Option<&Value>, said: &mut Diagnostics) -> u16 {
    let Some(number) = value.and_then(Value::as_number) else { return 22 };
    match number.as_u64().and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0) {
        Some(port) => port,
        None => {
            said.error("Invalid port", format!("port is {number}; it must be a whole number from 1 to 65535."));
            22
        }
    }
}

fn timeout(text: &str, said: &mut Diagnostics) -> Duration {
    match duration::parse(text).filter(|limit| !limit.is_zero()) {
        Some(limit) => limit,
        None => {
            let detail = format!("connect_timeout is {text:?}; a duration is written like \"10s\" or \"2m\".");
            said.error("Invalid duration", detail);
            Duration::from_secs(15)
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    fn object(given: &[(&str, Value)]) -> Value {
        Value::object(given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())))
    }

    fn find(own: &[(&str, Value)], fallback: &[(&str, Value)], around: &Surroundings) -> Result<Target, String> {
        let found = Hosts::default().find(&object(own), &object(fallback), around);
        found.value.map(|host| host.client.target().clone()).ok_or_else(|| found.said.to_string())
    }

    #[test]
    fn own_arguments_come_before_the_providers() {
        let fallback = [("host", "a".into()), ("user", "ubuntu".into()), ("host_key", KEY.into())];
        let target =
            find(&[("host", "b".into()), ("port", Value::int(2222))], &fallback, &Surroundings::default()).unwrap();
        assert_eq!((target.host.as_str(), target.port, target.user.as_str()), ("b", 2222, "ubuntu"));
        assert_eq!(target.host_keys, HostKeys::of_host(KEY).unwrap());
    }

    #[test]
    fn one_client_serves_everyone_who_reaches_a_host_in_the_same_way() {
        let hosts = Hosts::default();
        let count = |user: &str| {
            let arguments = object(&[("host", "a".into()), ("user", user.into())]);
            let found = hosts.find(&arguments, &Value::NULL, &Surroundings::default()).value.unwrap();
            assert_eq!(found.sudo, user != "root");
            hosts.clients.lock().unwrap().len()
        };
        assert_eq!((count("root"), count("root"), count("admin")), (1, 1, 2));
    }

    #[test]
    fn an_agent_is_the_last_resort_unless_asked_for() {
        let around = Surroundings { home: None, agent: Some("/agent".into()) };
        let logins = |given: &[(&str, Value)]| {
            let mut all = vec![("host", Value::from("a"))];
            all.extend_from_slice(given);
            find(&all, &[], &around).unwrap().logins.len()
        };
        assert_eq!(logins(&[]), 1);
        assert_eq!(logins(&[("private_key", "k".into())]), 1);
        assert_eq!(logins(&[("private_key", "k".into()), ("agent", true.into())]), 2);
        assert_eq!(logins(&[("agent", false.into())]), 0);
    }

    #[test]
    fn known_hosts_are_a_text_a_file_or_the_users_own() {
        let home = tempfile::tempdir().unwrap();
        let around = Surroundings { home: Some(home.path().to_owned()), agent: None };
        let known = |given: &[(&str, Value)]| {
            let mut all = vec![("host", Value::from("a"))];
            all.extend_from_slice(given);
            find(&all, &[], &around).map(|target| target.host_keys != HostKeys::none())
        };
        assert_eq!(known(&[]), Ok(false));
        assert_eq!(known(&[("known_hosts", format!("a {KEY}").into())]), Ok(true));
        assert!(known(&[("known_hosts", "~/other".into())]).unwrap_err().contains("There is no file ~/other"));
        std::fs::write(home.path().join("other"), format!("a {KEY}\n")).unwrap();
        assert_eq!(known(&[("known_hosts", "~/other".into())]), Ok(true));
        std::fs::create_dir(home.path().join(".ssh")).unwrap();
        std::fs::write(home.path().join(".ssh/known_hosts"), format!("a {KEY}\n")).unwrap();
        assert_eq!(known(&[]), Ok(true));
        std::fs::write(home.path().join(".ssh/known_hosts"), "nonsense").unwrap();
        assert!(known(&[]).unwrap_err().contains("line 1"));
    }

    #[test]
    fn wrong_arguments_are_named() {
        let check = |given: &[(&str, Value)], part: &str| {
            let said = find(given, &[], &Surroundings::default()).unwrap_err();
            assert!(said.contains(part), "{said}");
        };
        check(&[], "No host to connect to");
        check(&[("host", "a".into()), ("port", Value::int(0))], "port is 0");
        check(&[("host", "a".into()), ("connect_timeout", "soon".into())], "connect_timeout is \"soon\"");
        check(&[("host", "a".into()), ("host_key", "AAAA".into())], "host_key cannot be used");
    }
}
