//! Where a check looks: an address on the network, or a service of the cluster reached through the API server.

use std::fmt;
use std::time::Duration;

use crate::client::kube::{Kube, Target};
use crate::client::reason;
use crate::client::stream::{Stream, dial};
use crate::value::Value;

use super::check::Failure;

/// Where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Over the network.
    Address {
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// Through the API server.
    Service(Service),
}

/// A service of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    /// Its namespace.
    pub(super) namespace: String,
    /// Its name.
    pub(super) name: String,
    /// The service's port; its only one when `None`.
    pub(super) port: Option<u16>,
}

impl Place {
    /// Reads `address` and `service` (or arguments of other names with the same meaning); exactly one is needed.
    pub(super) fn read(
        arguments: &Value,
        address: &str,
        service: &str,
        default_port: Option<u16>,
    ) -> Result<Place, Failure> {
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        match (text(address), text(service)) {
            (Some(text), None) => Self::address(text, default_port),
            (None, Some(text)) => Ok(Place::Service(Service::parse(text)?)),
            (Some(_), Some(_)) => Err(Failure::fatal(format!("only one of {address} and {service} can be given"))),
            (None, None) => Err(Failure::fatal(format!(
                "one of {address} (\"host:port\") and {service} (\"namespace/name\") must be given"
            ))),
        }
    }

    fn address(text: &str, default_port: Option<u16>) -> Result<Place, Failure> {
        let wrong = || Failure::fatal(format!("{text:?} is no address; one is written \"host:port\""));
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => match text.rsplit_once(':') {
                // Several colons without brackets: an IPv6 address without a port.
                Some((host, _)) if host.contains(':') => (text, None),
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().ok(),
            None => default_port,
        };
        match port {
            Some(port) if !host.is_empty() => Ok(Place::Address { host: host.to_owned(), port }),
            _ => Err(wrong()),
        }
    }

    /// The service, if it is one.
    pub(super) fn service(&self) -> Option<&Service> {
        match self {
            Place::Service(service) => Some(service),
            Place::Address { .. } => None,
        }
    }

    /// The name that a certificate must have.
    pub(super) fn host(&self) -> String {
        match self {
            Place::Address { host, .. } => host.clone(),
            Place::Service(service) => format!("{}.{}.svc", service.name, service.namespace),
        }
    }

    /// Opens a connection.
    pub(super) async fn open(&self, cluster: Option<&Kube>, limit: Duration) -> Result<Stream, Failure> {
        match self {
            Place::Address { host, port } => match dial(host, *port, limit).await {
                Ok(stream) => Ok(Box::new(stream)),
                Err(error) => Err(Failure::passing(reason(&error))),
            },
            Place::Service(service) => {
                let Some(cluster) = cluster else {
                    return Err(Failure::fatal("there is no cluster to reach it through"));
                };
                let target = Target::Service { namespace: &service.namespace, name: &service.name, port: service.port };
                cluster.tunnel(&target).await.map_err(|error| Failure::passing(error.to_string()))
            }
        }
    }
}

impl Service {
    /// Reads `namespace/name` or `namespace/name:port`.
    pub(super) fn parse(text: &str) -> Result<Service, Failure> {
        let wrong = || {
            Failure::fatal(format!(
                "{text:?} is no service; one is written \"namespace/name\" or \"namespace/name:port\""
            ))
        };
        let (namespace, rest) = text.split_once('/').ok_or_else(wrong)?;
        let (name, port) = match rest.split_once(':') {
            Some((name, port)) => (name, Some(port.parse().map_err(|_| wrong())?)),
            None => (rest, None),
        };
        if namespace.is_empty() || name.is_empty() || name.contains('/') {
            return Err(wrong());
        }
        Ok(Service { namespace: namespace.to_owned(), name: name.to_owned(), port })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Address { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Place::Address { host, port } => write!(f, "{host}:{port}"),
            Place::Service(service) => service.fmt(f),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: Option<&str>, service: Option<&str>, expect: Result<&str, &str>) {
        let text = |text: Option<&str>| text.map_or(Value::NULL, Value::from);
        let arguments = Value::object([("address", text(address)), ("service", text(service))]);
        match (Place::read(&arguments, "address", "service", Some(5432)), expect) {
            (Ok(place), Ok(expect)) => assert_eq!(place.to_string(), expect),
            (Err(failure), Err(part)) => assert!(failure.text.contains(part) && failure.fatal, "{}", failure.text),
            (place, expect) => panic!("{place:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn reads_places() {
        check(Some("db:1"), None, Ok("db:1"));
        check(Some("db"), None, Ok("db:5432"));
        check(Some("[::1]:6"), None, Ok("[::1]:6"));
        check(Some("::1"), None, Ok("[::1]:5432"));
        check(None, Some("data/redis"), Ok("data/redis"));
        check(None, Some("data/redis:6379"), Ok("data/redis:6379"));
        check(Some("db:x"), None, Err("no address"));
        check(Some(":1"), None, Err("no address"));
        for service in ["redis", "/redis", "data/", "a/b/c", "data/redis:x"] {
            check(None, Some(service), Err("no service"));
        }
        check(None, None, Err("must be given"));
        check(Some("a:1"), Some("a/b"), Err("only one"));
    }
}
