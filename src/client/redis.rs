//! Redis: log in, ask, over any stream.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, RedisConnectionInfo, RedisError, ServerErrorKind, Value};

use super::stream::Stream;
use super::{Secret, reason};

/// As whom to log in.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// The user; Redis's `default` when `None`.
    pub user: Option<String>,
    /// The password, if one is needed.
    pub password: Option<Secret>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RedisFailure {
    /// The password is wrong or missing.
    #[error("the server refuses the login: {0}")]
    Login(String),
    /// The server answers with an error: loading, read-only, no such command.
    #[error("the server answers: {0}")]
    Server(String),
    /// The connection broke, or what answers is no Redis.
    #[error("{0}")]
    Connection(String),
}

/// Logs in over `stream`, sends the commands one after another, and gives each answer as text (an array as its elements' lines).
///
/// # Errors
/// When the login or a command fails.
pub async fn ask(stream: Stream, login: &Login, commands: &[&[&str]]) -> Result<Vec<String>, RedisFailure> {
    let mut info = RedisConnectionInfo::default().set_skip_set_lib_name();
    if let Some(user) = &login.user {
        info = info.set_username(user);
    }
    if let Some(password) = &login.password {
        info = info.set_password(password.reveal());
    }
    // Time limits are the caller's; the library's own would end a slow answer earlier than asked.
    let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
    let (mut connection, driver) = MultiplexedConnection::new_with_config(&info, stream, config).await.map_err(said)?;
    let work = async {
        let mut answers = Vec::with_capacity(commands.len());
        for words in commands {
            let mut command = Cmd::new();
            for word in *words {
                command.arg(*word);
            }
            let answer: Value = command.query_async(&mut connection).await.map_err(said)?;
            answers.push(text(&answer));
        }
        Ok(answers)
    };
    // The connection is driven beside the work rather than as a task of its own, so that nothing outlives the call. When it
    // ends first, an answer may already be waiting; if none is, the work fails by itself.
    tokio::pin!(work, driver);
    tokio::select! {
        answers = &mut work => answers,
        () = &mut driver => work.await,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Nil => String::new(),
        Value::Int(number) => number.to_string(),
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        Value::Okay => "OK".to_owned(),
        Value::Array(items) | Value::Set(items) => items.iter().map(text).collect::<Vec<_>>().join("\n"),
        other => format!("{other:?}"),
    }
}

fn said(error: RedisError) -> RedisFailure {
    match error.kind() {
        ErrorKind::AuthenticationFailed => RedisFailure::Login(reason(&error)),
        ErrorKind::Server(ServerErrorKind::NoPerm) => RedisFailure::Login(reason(&error)),
        ErrorKind::Server(_) | ErrorKind::Extension => match error.code() {
            Some("NOAUTH" | "WRONGPASS") => RedisFailure::Login(reason(&error)),
            _ => RedisFailure::Server(reason(&error)),
        },
        _ => RedisFailure::Connection(reason(&error)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A server that answers each request it reads with the next of `answers`, then hangs up.
    async fn check(answers: &'static [&'static str], login: Login, expect: Result<&str, &str>) {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let server = async move {
            let mut buffer = [0; 4096];
            for answer in answers {
                if theirs.read(&mut buffer).await.unwrap() == 0 {
                    return;
                }
                theirs.write_all(answer.as_bytes()).await.unwrap();
            }
        };
        let (answer, ()) = tokio::join!(ask(Box::new(ours), &login, &[&["PING"]]), server);
        match (answer, expect) {
            (Ok(answers), Ok(expect)) => assert_eq!(answers, [expect]),
            (Err(error), Err(expect)) => {
                let said = error.to_string();
                assert!(said.contains(expect), "{said}");
                assert!(!said.contains("hunter2"), "{said}");
            }
            (answer, expect) => panic!("{answer:?}, expected {expect:?}"),
        }
    }

    #[tokio::test]
    async fn asks() {
        let login = || Login { user: None, password: Some(Secret::new("hunter2")) };
        check(&["+PONG\r\n"], Login::default(), Ok("PONG")).await;
        check(&["+OK\r\n", "+PONG\r\n"], login(), Ok("PONG")).await;
        check(&["-NOAUTH Authentication required.\r\n"], Login::default(), Err("refuses the login")).await;
        check(&["-WRONGPASS invalid username-password pair\r\n"], login(), Err("refuses the login")).await;
        check(&["-LOADING Redis is loading the dataset in memory\r\n"], Login::default(), Err("loading")).await;
        check(&[], Login::default(), Err("")).await;
    }
}
