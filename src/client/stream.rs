//! Streams of bytes, whatever carries them: TCP, TLS, or a tunnel through an API server.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Both directions of a connection.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A connection of any kind.
pub type Stream = Box<dyn Duplex>;

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The name has no address.
    #[error("the name {host} cannot be resolved")]
    Resolve {
        /// The name.
        host: String,
        /// The resolver's answer.
        #[source]
        source: io::Error,
    },
    /// Nothing listens there.
    #[error("{address}: connection refused")]
    Refused {
        /// `host:port`.
        address: String,
    },
    /// No answer in time.
    #[error("{address}: no answer within {limit:?}")]
    Timeout {
        /// `host:port`.
        address: String,
        /// The limit.
        limit: Duration,
    },
    /// Anything else that the network says.
    #[error("{address} cannot be reached")]
    Unreachable {
        /// `host:port`.
        address: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

/// Opens a TCP connection, trying every address of the name.
///
/// # Errors
/// When none answers within `limit`.
pub async fn dial(host: &str, port: u16, limit: Duration) -> Result<TcpStream, DialError> {
    let address = || if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let connect = async {
        let found = tokio::net::lookup_host((host, port)).await;
        let found = found.map_err(|source| DialError::Resolve { host: host.to_owned(), source })?;
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for each in found {
            match TcpStream::connect(each).await {
                Ok(stream) => {
                    // Questions and answers alternate here; waiting to fill packets would only slow them down.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(match last.kind() {
            io::ErrorKind::ConnectionRefused => DialError::Refused { address: address() },
            _ => DialError::Unreachable { address: address(), source: last },
        })
    };
    match tokio::time::timeout(limit, connect).await {
        Ok(result) => result,
        Err(_) => Err(DialError::Timeout { address: address(), limit }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tells_refused_from_open() -> io::Result<()> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        assert!(dial("127.0.0.1", port, Duration::from_secs(5)).await.is_ok());
        drop(listener);
        let refused = dial("127.0.0.1", port, Duration::from_secs(5)).await;
        assert!(matches!(refused, Err(DialError::Refused { .. })));
        Ok(())
    }

    #[tokio::test]
    async fn a_name_without_address_says_so() {
        let nowhere = dial("no-such-host.invalid", 1, Duration::from_secs(20)).await;
        assert!(matches!(nowhere, Err(DialError::Resolve { .. } | DialError::Timeout { .. })));
    }
}
