//! PostgreSQL and Redis: a real connection, a real answer.

use std::sync::Arc;
use std::time::Duration;

use crate::client::kube::Kube;
use crate::client::redis::{self, RedisFailure};
use crate::client::sql::{self, Mode, Rows, SqlError};
use crate::client::tls::{self, Trust, client_config};
use crate::client::{Secret, reason};
use crate::value::Value;

use super::check::{Failure, flag, text};
use super::place::Place;

/// Whether a server takes writes or follows another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Primary,
    Replica,
}

/// The check of kind `postgresql`.
#[derive(Debug)]
pub(super) struct Postgres {
    place: Place,
    role: Option<Role>,
    replica: Option<Place>,
    login: sql::Login,
    query: String,
    expect: Option<String>,
}

impl Postgres {
    pub(super) fn read(arguments: &Value) -> Result<Postgres, Failure> {
        let place = Place::read(arguments, "address", "service", Some(5432))?;
        let has_replica = ["replica_address", "replica_service"].iter().any(|name| text(arguments, name).is_some());
        let replica = match has_replica {
            true => Some(Place::read(arguments, "replica_address", "replica_service", Some(5432))?),
            false => None,
        };
        let role = match text(arguments, "role") {
            // Whoever names a replica too means the primary by the other one.
            None => has_replica.then_some(Role::Primary),
            Some("primary") => Some(Role::Primary),
            Some("replica") if !has_replica => Some(Role::Replica),
            Some(other) => {
                return Err(Failure::fatal(format!("role is {other:?}; it must be \"primary\" or \"replica\"")));
            }
        };
        let mode = text(arguments, "sslmode").unwrap_or("prefer");
        let mode = Mode::parse(mode).ok_or_else(|| {
            Failure::fatal(format!(
                "sslmode is {mode:?}; it must be disable, prefer, require, verify-ca or verify-full"
            ))
        })?;
        let user = text(arguments, "username").unwrap_or("postgres").to_owned();
        let login = sql::Login {
            host: place.host(),
            database: text(arguments, "database").unwrap_or(&user).to_owned(),
            user,
            password: text(arguments, "password").map(Secret::new),
            mode,
            ca_pem: text(arguments, "ca_cert_pem").map(str::to_owned),
        };
        Ok(Postgres {
            place,
            role,
            replica,
            login,
            query: text(arguments, "query").unwrap_or("SELECT 1").to_owned(),
            expect: text(arguments, "expect").map(str::to_owned),
        })
    }

    /// Where it looks.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.place).chain(&self.replica)
    }

    pub(super) async fn attempt(&self, cluster: Option<&Kube>, limit: Duration) -> Result<(), Failure> {
        self.ask(&self.place, self.role, cluster, limit).await?;
        match &self.replica {
            None => Ok(()),
            Some(replica) => {
                let asked = self.ask(replica, Some(Role::Replica), cluster, limit).await;
                asked.map_err(|failure| Failure { text: format!("replica {replica}: {}", failure.text), ..failure })
            }
        }
    }

    async fn ask(
        &self,
        place: &Place,
        role: Option<Role>,
        cluster: Option<&Kube>,
        limit: Duration,
    ) -> Result<(), Failure> {
        let stream = place.open(cluster, limit).await?;
        let login = sql::Login { host: place.host(), ..self.login.clone() };
        let answers = sql::query(stream, &login, &["SELECT pg_is_in_recovery()", &self.query], 1).await;
        let answers = answers.map_err(|error| match error {
            SqlError::Tls(_) => Failure::fatal(error.to_string()),
            SqlError::Server { .. } | SqlError::Connection(_) => Failure::passing(error.to_string()),
        })?;
        let [recovery, asked] = &answers[..] else { return Err(Failure::passing("the server gave no answer")) };
        let follows = recovery.first() == Some("t");
        match role {
            Some(Role::Primary) if follows => return Err(Failure::passing("it is a replica, not the primary")),
            Some(Role::Replica) if !follows => return Err(Failure::passing("it is a primary, not a replica")),
            _ => {}
        }
        self.judge(asked)
    }

    fn judge(&self, asked: &Rows) -> Result<(), Failure> {
        match (&self.expect, asked.first()) {
            (None, _) => Ok(()),
            (Some(expect), Some(found)) if expect == found => Ok(()),
            (Some(expect), Some(found)) => {
                Err(Failure::passing(format!("the query answers {found:?}, not {expect:?}")))
            }
            (Some(expect), None) => Err(Failure::passing(format!("the query answers nothing, not {expect:?}"))),
        }
    }

    pub(super) fn unmet(&self) -> String {
        match &self.replica {
            None => format!("PostgreSQL at {} did not answer the query", self.place),
            Some(replica) => {
                format!("PostgreSQL at {} and its replica at {replica} did not both answer the query", self.place)
            }
        }
    }
}

/// The check of kind `redis`.
#[derive(Debug)]
pub(super) struct Redis {
    pub(super) place: Place,
    login: redis::Login,
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl Redis {
    pub(super) fn read(arguments: &Value) -> Result<Redis, Failure> {
        let tls = match flag(arguments, "tls") {
            Some(true) => {
                let trust = Trust {
                    ca_pem: text(arguments, "ca_cert_pem").map(str::to_owned),
                    insecure: flag(arguments, "insecure").unwrap_or(false),
                    ..Trust::default()
                };
                Some(Arc::new(client_config(&trust).map_err(|error| Failure::fatal(reason(&error)))?))
            }
            _ => None,
        };
        Ok(Redis {
            place: Place::read(arguments, "address", "service", Some(6379))?,
            login: redis::Login {
                user: text(arguments, "username").map(str::to_owned),
                password: text(arguments, "password").map(Secret::new),
            },
            tls,
        })
    }

    pub(super) async fn attempt(&self, cluster: Option<&Kube>, limit: Duration) -> Result<(), Failure> {
        let mut stream = self.place.open(cluster, limit).await?;
        if let Some(tls) = &self.tls {
            let wrapped = tls::wrap(tls.clone(), &self.place.host(), stream).await;
            stream = wrapped.map_err(|error| Failure::passing(reason(&error)))?;
        }
        let answers = redis::ask(stream, &self.login, &[&["PING"]]).await;
        let answers = answers.map_err(|error| match error {
            RedisFailure::Login(_) | RedisFailure::Server(_) | RedisFailure::Connection(_) => {
                Failure::passing(error.to_string())
            }
        })?;
        match answers.first().map(String::as_str) {
            Some("PONG") => Ok(()),
            other => Err(Failure::passing(format!("it answers {:?} to PING", other.unwrap_or_default()))),
        }
    }
}
