//! PostgreSQL: one connection, one statement, its first rows as text. Over any stream, with or without TLS.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, NoTls, TlsConnect, TlsStream};
use tokio_postgres::{Config, SimpleQueryMessage};
use tokio_rustls::TlsConnector;

use super::stream::Stream;
use super::tls::{Trust, client_config};
use super::{Secret, reason};

/// How much TLS, as libpq names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// None.
    Disable,
    /// If the server can.
    #[default]
    Prefer,
    /// Encrypted, for whoever answers.
    Require,
    /// The certificate comes from a trusted authority.
    VerifyCa,
    /// It also names the host.
    VerifyFull,
}

impl Mode {
    /// The mode of that name.
    pub fn parse(name: &str) -> Option<Mode> {
        Some(match name {
            "disable" => Mode::Disable,
            "prefer" => Mode::Prefer,
            "require" => Mode::Require,
            "verify-ca" => Mode::VerifyCa,
            "verify-full" => Mode::VerifyFull,
            _ => return None,
        })
    }
}

/// As whom to log in, and where.
#[derive(Clone, Debug)]
pub struct Login {
    /// The name that a certificate must have.
    pub host: String,
    /// The database.
    pub database: String,
    /// The role.
    pub user: String,
    /// Its password.
    pub password: Option<Secret>,
    /// How much TLS.
    pub mode: Mode,
    /// PEM certificates to trust instead of the system's.
    pub ca_pem: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The server said no: wrong password, no such database, a statement that fails.
    #[error("the server answers: {message} (SQLSTATE {code})")]
    Server {
        /// SQLSTATE.
        code: String,
        /// The server's sentence, with its detail and hint.
        message: String,
    },
    /// TLS is asked for and did not come about.
    #[error("no TLS: {0}")]
    Tls(String),
    /// The connection broke, or what answers is no PostgreSQL.
    #[error("{0}")]
    Connection(String),
}

/// The answer to a statement.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rows {
    /// Column names.
    pub columns: Vec<String>,
    /// The rows, null as `None`; at most the caller's limit.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Rows {
    /// The first value of the first row.
    pub fn first(&self) -> Option<&str> {
        self.rows.first()?.first()?.as_deref()
    }
}

/// Logs in over `stream`, runs the statements one after another, logs out; gives one answer a statement.
///
/// # Errors
/// When the login or a statement fails.
pub async fn query(stream: Stream, login: &Login, statements: &[&str], limit: usize) -> Result<Vec<Rows>, SqlError> {
    let mut config = Config::new();
    config.user(&login.user).dbname(&login.database).application_name("infra");
    if let Some(password) = &login.password {
        config.password(password.reveal());
    }
    let tls = match login.mode {
        Mode::Disable => None,
        mode => {
            let trust = Trust {
                ca_pem: login.ca_pem.clone(),
                any_name: mode == Mode::VerifyCa,
                insecure: matches!(mode, Mode::Prefer | Mode::Require),
                client: None,
            };
            Some(client_config(&trust).map_err(|error| SqlError::Tls(reason(&error)))?)
        }
    };
    match tls {
        None => {
            config.ssl_mode(SslMode::Disable);
            converse(config, stream, NoTls, statements, limit).await
        }
        Some(tls) => {
            config.ssl_mode(if login.mode == Mode::Prefer { SslMode::Prefer } else { SslMode::Require });
            let name = ServerName::try_from(login.host.clone());
            let name = name.map_err(|_| SqlError::Tls(format!("{:?} is no host name", login.host)))?;
            converse(config, stream, Rustls { config: Arc::new(tls), name }, statements, limit).await
        }
    }
}

async fn converse<T>(
    config: Config,
    stream: Stream,
    tls: T,
    statements: &[&str],
    limit: usize,
) -> Result<Vec<Rows>, SqlError>
where
    T: TlsConnect<Stream>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect_raw(stream, tls).await.map_err(said)?;
    let work = async {
        let mut answers = Vec::with_capacity(statements.len());
        for statement in statements {
            let messages = client.simple_query(statement).await.map_err(said)?;
            answers.push(rows(&messages, limit));
        }
        Ok(answers)
    };
    // The connection is driven beside the work rather than as a task of its own, so that nothing outlives the call. When it
    // ends first, an answer may already be waiting; if none is, the work fails by itself.
    tokio::pin!(work);
    tokio::select! {
        answers = &mut work => answers,
        ended = connection => match ended {
            Err(error) => Err(said(error)),
            Ok(()) => work.await,
        },
    }
}

fn rows(messages: &[SimpleQueryMessage], limit: usize) -> Rows {
    let mut answer = Rows::default();
    for message in messages {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                // Of several statements in one text the last one's rows count.
                answer =
                    Rows { columns: columns.iter().map(|column| column.name().to_owned()).collect(), rows: Vec::new() };
            }
            SimpleQueryMessage::Row(row) if answer.rows.len() < limit => {
                answer.rows.push((0..row.len()).map(|index| row.get(index).map(str::to_owned)).collect());
            }
            _ => {}
        }
    }
    answer
}

fn said(error: tokio_postgres::Error) -> SqlError {
    if let Some(server) = error.as_db_error() {
        let mut message = server.message().to_owned();
        for more in [server.detail(), server.hint()].into_iter().flatten() {
            message.push_str("; ");
            message.push_str(more);
        }
        return SqlError::Server { code: server.code().code().to_owned(), message };
    }
    SqlError::Connection(reason(&error))
}

/// rustls under tokio-postgres.
struct Rustls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl TlsConnect<Stream> for Rustls {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, stream: Stream) -> Self::Future {
        Box::pin(
            async move { Ok(Encrypted(Box::new(TlsConnector::from(self.config).connect(self.name, stream).await?))) },
        )
    }
}

/// A stream that TLS has been put over.
struct Encrypted(Stream);

impl TlsStream for Encrypted {
    // Channel binding needs the hash of the server's certificate by the algorithm of its signature; SCRAM without it is
    // still safe against whoever does not know the password.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
