//! What a gate looks at: the objects of the cluster that its arguments name.
//!
//! In: a kind of check and its arguments. Out: [`Subject`]s; none where the arguments do not tell, as with an address on the network,
//! a program, or the cluster itself. Not here: which resource makes such an object ([`super::made`]), and whether the gate runs (`plan`).

use std::fmt;

use crate::client::kube::types;
use crate::value::Value;

use super::check::{flag, text};
use super::place::Service;

/// The name of an object of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName {
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// Its namespace, for objects that live in one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl ObjectName {
    /// The name of an object; one that lives in a namespace and names none is in `default`.
    pub fn new(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        let namespace = match types::find(api_version, kind) {
            Some(known) if known.namespaced => Some(namespace.unwrap_or("default")),
            Some(_) => None,
            None => namespace,
        };
        ObjectName {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    /// Its API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// `apps/web`, or `web` outside of namespaces.
    pub fn place(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.place())
    }
}

/// What a gate looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An object that has to be there.
    Object(ObjectName),
    /// An object that has to be gone.
    Gone(ObjectName),
    /// A service, and with it the workload behind its selector.
    Service(ObjectName),
    /// A pod, which may be one of a StatefulSet.
    Pod {
        /// The pod.
        pod: ObjectName,
        /// The StatefulSet that a name such as `redis-0` belongs to.
        set: Option<ObjectName>,
    },
}

impl Subject {
    /// The object that the arguments name.
    pub fn object(&self) -> &ObjectName {
        match self {
            Subject::Object(object) | Subject::Gone(object) | Subject::Service(object) => object,
            Subject::Pod { pod, .. } => pod,
        }
    }
}

/// What a gate of this kind looks at, as far as its arguments are known. Arguments that are wrong name nothing; the check itself
/// says what is wrong with them.
pub fn subjects(kind: &str, arguments: &Value) -> Vec<Subject> {
    match kind {
        "kubernetes" => object(arguments).into_iter().collect(),
        "exec" => pod(arguments).into_iter().chain(service(arguments, "service")).collect(),
        "http" | "tcp" | "redis" => service(arguments, "service").into_iter().collect(),
        "postgresql" => ["service", "replica_service"].iter().filter_map(|name| service(arguments, name)).collect(),
        _ => Vec::new(),
    }
}

fn object(arguments: &Value) -> Option<Subject> {
    let known = |name: &str| arguments.get(name).is_none_or(Value::is_known);
    if !known("namespace") || !known("api_version") || !known("exists") {
        return None;
    }
    let (kind, name) = (text(arguments, "kind")?, text(arguments, "name")?);
    let api_version = text(arguments, "api_version").unwrap_or("v1");
    let object = ObjectName::new(api_version, kind, text(arguments, "namespace"), name);
    Some(match flag(arguments, "exists") {
        Some(false) => Subject::Gone(object),
        Some(true) | None => Subject::Object(object),
    })
}

fn service(arguments: &Value, argument: &str) -> Option<Subject> {
    let service = Service::parse(text(arguments, argument)?).ok()?;
    Some(Subject::Service(ObjectName::new("v1", "Service", Some(&service.namespace), &service.name)))
}

fn pod(arguments: &Value) -> Option<Subject> {
    let (namespace, name) = text(arguments, "pod")?.split_once('/')?;
    let set = name.rsplit_once('-').filter(|(_, ordinal)| ordinal.parse::<u32>().is_ok());
    Some(Subject::Pod {
        pod: ObjectName::new("v1", "Pod", Some(namespace), name),
        set: set.map(|(set, _)| ObjectName::new("apps/v1", "StatefulSet", Some(namespace), set)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a check of `kind` looks at, as messages write it.
    fn looks(kind: &str, arguments: &[(&str, Value)]) -> Vec<String> {
        let arguments = Value::object(arguments.iter().map(|(name, value)| (*name, value.clone())));
        let written = |subject: &Subject| match subject {
            Subject::Object(object) => object.to_string(),
            Subject::Gone(object) => format!("no {object}"),
            Subject::Service(object) => format!("{object} and what is behind"),
            Subject::Pod { pod, set: None } => pod.to_string(),
            Subject::Pod { pod, set: Some(set) } => format!("{pod} of {set}"),
        };
        subjects(kind, &arguments).iter().map(written).collect()
    }

    #[test]
    fn arguments_name_objects() {
        let unknown = || Value::unknown(crate::value::Type::String);
        let deployment = |more: &[(&'static str, Value)]| {
            let mut arguments =
                vec![("api_version", "apps/v1".into()), ("kind", "Deployment".into()), ("name", Value::from("web"))];
            arguments.extend_from_slice(more);
            looks("kubernetes", &arguments)
        };
        assert_eq!(deployment(&[]), ["Deployment default/web"]);
        assert_eq!(deployment(&[("namespace", "apps".into())]), ["Deployment apps/web"]);
        assert_eq!(deployment(&[("exists", false.into())]), ["no Deployment default/web"]);
        assert_eq!(deployment(&[("namespace", unknown())]), [""; 0]);
        assert_eq!(
            looks("kubernetes", &[("kind", "Namespace".into()), ("name", "a".into()), ("namespace", "b".into())]),
            ["Namespace a"]
        );
        assert_eq!(looks("kubernetes", &[("ready", true.into())]), [""; 0]);
        for kind in ["http", "tcp", "redis", "postgresql", "exec"] {
            assert_eq!(
                looks(kind, &[("service", "data/db:1".into())]),
                ["Service data/db and what is behind"],
                "{kind}"
            );
            assert_eq!(looks(kind, &[("service", unknown())]), [""; 0], "{kind}");
        }
        assert_eq!(looks("postgresql", &[("service", "a/b".into()), ("replica_service", "a/c".into())]).len(), 2);
        assert_eq!(looks("exec", &[("pod", "data/redis-0".into())]), ["Pod data/redis-0 of StatefulSet data/redis"]);
        assert_eq!(looks("exec", &[("pod", "data/tool".into())]), ["Pod data/tool"]);
        for (kind, argument) in [("http", "url"), ("tcp", "address"), ("redis", "address"), ("command", "argv")] {
            assert_eq!(looks(kind, &[(argument, "http://db.data.svc:1/".into())]), [""; 0], "{kind}");
        }
        assert_eq!(looks("redis", &[("service", "redis".into())]), [""; 0]);
    }
}
