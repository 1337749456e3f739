//! The checks: what each kind asks, once.

use std::time::Duration;

use crate::client::kube::Kube;
use crate::value::Value;

use super::cluster::{Exec, Object};
use super::database::{Postgres, Redis};
use super::place::{Place, Service};
use super::program::Command;
use super::web::Web;

/// Why a try did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The reason, without a full stop.
    pub(super) text: String,
    /// Whether trying again is of no use: the arguments are wrong.
    pub(super) fatal: bool,
}

impl Failure {
    /// It may pass later.
    pub(super) fn passing(text: impl Into<String>) -> Self {
        Failure { text: text.into(), fatal: false }
    }

    /// It will not.
    pub(super) fn fatal(text: impl Into<String>) -> Self {
        Failure { text: text.into(), fatal: true }
    }
}

/// A check, ready to be tried.
#[derive(Debug)]
pub(super) enum Check {
    Tcp(Place),
    Web(Web),
    Postgres(Postgres),
    Redis(Redis),
    Object(Object),
    Exec(Exec),
    Command(Command),
}

impl Check {
    /// Reads the arguments of a kind of check.
    pub(super) fn read(kind: &str, arguments: &Value) -> Result<Check, Failure> {
        Ok(match kind {
            "tcp" => Check::Tcp(Place::read(arguments, "address", "service", None)?),
            "http" => Check::Web(Web::read(arguments)?),
            "postgresql" => Check::Postgres(Postgres::read(arguments)?),
            "redis" => Check::Redis(Redis::read(arguments)?),
            "kubernetes" => Check::Object(Object::read(arguments)?),
            "exec" => Check::Exec(Exec::read(arguments)?),
            "command" => Check::Command(Command::read(arguments)?),
            other => return Err(Failure::fatal(format!("there is no check of the kind {other:?}"))),
        })
    }

    /// Tries once. The caller limits the time; `limit` lets a client say so itself.
    pub(super) async fn attempt(&self, cluster: Option<&Kube>, limit: Duration) -> Result<(), Failure> {
        match self {
            Check::Tcp(place) => place.open(cluster, limit).await.map(|_| ()),
            Check::Web(web) => web.attempt(cluster, limit).await,
            Check::Postgres(postgres) => postgres.attempt(cluster, limit).await,
            Check::Redis(redis) => redis.attempt(cluster, limit).await,
            Check::Object(object) => object.attempt(cluster).await,
            Check::Exec(exec) => exec.attempt(cluster).await,
            Check::Command(command) => command.attempt(limit).await,
        }
    }

    /// The services that it looks at.
    pub(super) fn services(&self) -> Vec<&Service> {
        match self {
            Check::Tcp(place) => place.service().into_iter().collect(),
            Check::Web(web) => web.place.service().into_iter().collect(),
            Check::Postgres(postgres) => postgres.places().filter_map(Place::service).collect(),
            Check::Redis(redis) => redis.place.service().into_iter().collect(),
            Check::Exec(exec) => exec.service.iter().collect(),
            Check::Object(_) | Check::Command(_) => Vec::new(),
        }
    }

    /// Whether it asks the cluster's API.
    pub(super) fn needs_cluster(&self) -> bool {
        matches!(self, Check::Object(_) | Check::Exec(_)) || !self.services().is_empty()
    }

    /// What it waits for, as a sentence that ends in `within 2m`: `Redis at data/redis did not answer PING`.
    pub(super) fn unmet(&self) -> String {
        match self {
            Check::Tcp(place) => format!("Nothing accepted a connection at {place}"),
            Check::Web(web) => web.unmet(),
            Check::Postgres(postgres) => postgres.unmet(),
            Check::Redis(redis) => format!("Redis at {} did not answer PING", redis.place),
            Check::Object(object) => object.unmet(),
            Check::Exec(exec) => exec.unmet(),
            Check::Command(command) => command.unmet(),
        }
    }
}

/// The text of an argument.
pub(super) fn text<'a>(arguments: &'a Value, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str)
}

/// Whether a flag is set.
pub(super) fn flag(arguments: &Value, name: &str) -> Option<bool> {
    arguments.get(name).and_then(Value::as_bool)
}

/// The texts of a list.
pub(super) fn words(arguments: &Value, name: &str) -> Vec<String> {
    let items = arguments.get(name).and_then(Value::as_items).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A text cut to what fits into a message.
pub(super) fn brief(text: &str) -> String {
    const LONGEST: usize = 120;
    let line = text.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if text.trim().lines().nth(1).is_some() => format!("{line} …"),
        None => line.to_owned(),
    }
}
