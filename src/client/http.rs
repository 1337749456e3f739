//! HTTP: one request, one bounded answer. Over the network with redirects ([`send`]), or over a given stream ([`send_over`]).

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::rt::TokioIo;

use super::reason;
use super::stream::Stream;
use super::tls::{TlsError, Trust, client_config};

/// A question.
#[derive(Clone, Debug)]
pub struct Question {
    /// Where to: `http://…` or `https://…`; over a given stream its path and host only are used.
    pub url: String,
    /// The method.
    pub method: Method,
    /// Headers; values are never shown.
    pub headers: HeaderMap,
    /// What is sent.
    pub body: Bytes,
    /// Time for all of it.
    pub timeout: Duration,
    /// A longer body is an error.
    pub limit: usize,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The URL, method or a header cannot be sent.
    #[error("{0}")]
    Malformed(String),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No answer in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// No connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// The body is too long.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// Anything else on the way.
    #[error("{0}")]
    Broken(String),
}

impl HttpError {
    /// Whether the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            HttpError::Timeout(_) | HttpError::Connect(_) | HttpError::Broken(_) => true,
            HttpError::Malformed(_) | HttpError::Tls(_) | HttpError::TooLong(_) => false,
        }
    }
}

impl Question {
    /// A GET without headers, 30 seconds, at most 16 MiB.
    pub fn get(url: impl Into<String>) -> Self {
        Question {
            url: url.into(),
            method: Method::GET,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(30),
            limit: 16 << 20,
        }
    }

    /// Adds a header.
    ///
    /// # Errors
    /// When the name or value cannot be one; the value is not repeated.
    pub fn header(&mut self, name: &str, value: &str) -> Result<(), HttpError> {
        let key = HeaderName::from_bytes(name.as_bytes());
        let key = key.map_err(|_| HttpError::Malformed(format!("{name:?} is no name of a header")))?;
        let value = HeaderValue::from_str(value);
        let value = value.map_err(|_| {
            HttpError::Malformed(format!("the value of header {name:?} holds characters that cannot be sent"))
        })?;
        self.headers.append(key, value);
        Ok(())
    }
}

/// A client to send questions with; connections are reused.
#[derive(Clone, Debug)]
pub struct Client(reqwest::Client);

impl Client {
    /// A client that believes `trust` and follows up to ten redirects, or none.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(trust: &Trust, redirects: bool) -> Result<Self, HttpError> {
        let mut tls = client_config(trust)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let policy = if redirects { reqwest::redirect::Policy::limited(10) } else { reqwest::redirect::Policy::none() };
        let built = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(policy)
            .user_agent(concat!("infra/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Client(built.map_err(|error| HttpError::Malformed(reason(&error)))?))
    }

    /// Asks.
    ///
    /// # Errors
    /// When no whole answer comes; a status of 400 and more is an answer.
    pub async fn send(&self, question: Question) -> Result<Answer, HttpError> {
        let url =
            reqwest::Url::parse(&question.url).map_err(|error| HttpError::Malformed(format!("not a URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(HttpError::Malformed(format!(
                "the URL begins with {}://, not with http:// or https://",
                url.scheme()
            )));
        }
        let (timeout, limit) = (question.timeout, question.limit);
        let request = self.0.request(question.method, url).headers(question.headers).body(question.body);
        let work = async {
            let mut response = request.send().await.map_err(said)?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(said)? {
                if body.len() + chunk.len() > limit {
                    return Err(HttpError::TooLong(limit));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Answer { status, headers, body: body.into() })
        };
        match tokio::time::timeout(timeout, work).await {
            Ok(answer) => answer,
            Err(_) => Err(HttpError::Timeout(timeout)),
        }
    }
}

/// Asks over a stream that is there already (HTTP/1.1, no redirects).
///
/// # Errors
/// When no whole answer comes; a status of 400 and more is an answer.
pub async fn send_over(stream: Stream, question: Question) -> Result<Answer, HttpError> {
    let url =
        reqwest::Url::parse(&question.url).map_err(|error| HttpError::Malformed(format!("not a URL: {error}")))?;
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return Err(HttpError::Malformed("the URL has no host".to_owned())),
    };
    let mut request = http::Request::builder().method(question.method).uri(path).header(http::header::HOST, host);
    if let Some(headers) = request.headers_mut() {
        headers.extend(question.headers);
    }
    let request = request.body(Full::new(question.body)).map_err(|error| HttpError::Malformed(reason(&error)))?;
    let limit = question.limit;
    let work = async {
        let broken = |error: hyper::Error| HttpError::Broken(reason(&error));
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(broken)?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, limit).collect().await.map_err(|error| {
                match error.downcast::<LengthLimitError>() {
                    Ok(_) => HttpError::TooLong(limit),
                    Err(error) => HttpError::Broken(reason(&*error)),
                }
            })?;
            Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body: body.to_bytes() })
        };
        tokio::pin!(exchange, connection);
        // The connection is driven beside the exchange; when it ends first, the exchange has the last word about it.
        tokio::select! {
            answer = &mut exchange => answer,
            _ = &mut connection => exchange.await,
        }
    };
    match tokio::time::timeout(question.timeout, work).await {
        Ok(answer) => answer,
        Err(_) => Err(HttpError::Timeout(question.timeout)),
    }
}

fn said(error: reqwest::Error) -> HttpError {
    // The URL may hold credentials, so it is left out.
    let error = error.without_url();
    let text = reason(&error);
    if error.is_builder() {
        HttpError::Malformed(text)
    } else if error.is_connect() {
        HttpError::Connect(text)
    } else {
        HttpError::Broken(text)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one request with `answer` and gives what was asked.
    async fn serve(listener: TcpListener, answer: &str) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let count = stream.read(&mut asked).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        asked.truncate(count);
        String::from_utf8(asked).unwrap()
    }

    async fn check(answer: &str, limit: usize, expect: Result<(u16, &str), &str>) {
        for over_stream in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut question = Question { limit, ..Question::get(format!("http://{address}/health?x=1")) };
            question.header("X-Test", "yes").unwrap();
            let client = Client::new(&Trust { insecure: true, ..Trust::default() }, true).unwrap();
            let asking = async {
                if over_stream {
                    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
                    send_over(Box::new(stream), question).await
                } else {
                    client.send(question).await
                }
            };
            let (got, asked) = tokio::join!(asking, serve(listener, answer));
            assert!(asked.starts_with("GET /health?x=1 HTTP/1.1\r\n"), "{asked}");
            assert!(
                asked.to_lowercase().contains("x-test: yes")
                    && asked.to_lowercase().contains(&format!("host: {address}"))
            );
            match (got, expect) {
                (Ok(got), Ok((status, body))) => assert_eq!((got.status, &got.body[..]), (status, body.as_bytes())),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (got, expect) => panic!("{got:?}, expected {expect:?}"),
            }
        }
    }

    #[tokio::test]
    async fn asks_and_answers() {
        check("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine", 10, Ok((200, "fine"))).await;
        check("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", 10, Ok((503, ""))).await;
        check("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine", 3, Err("longer than 3 bytes")).await;
        check("SSH-2.0-OpenSSH\r\n\r\n", 10, Err("")).await;
    }

    #[tokio::test]
    async fn malformed_questions_are_told_from_missing_answers() {
        let client = Client::new(&Trust { insecure: true, ..Trust::default() }, true).unwrap();
        for url in ["", "nothing", "ftp://a/"] {
            let error = client.send(Question::get(url)).await.unwrap_err();
            assert!(matches!(error, HttpError::Malformed(_)), "{url}: {error}");
            assert!(!error.is_transient());
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = client.send(Question::get(format!("http://user:hunter2@{address}/"))).await.unwrap_err();
        assert!(matches!(error, HttpError::Connect(_)) && error.is_transient(), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[tokio::test]
    async fn a_silent_server_runs_into_the_limit() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let client = Client::new(&Trust { insecure: true, ..Trust::default() }, true).unwrap();
        let question = Question { timeout: Duration::from_millis(50), ..Question::get(url) };
        assert!(matches!(client.send(question).await, Err(HttpError::Timeout(_))));
    }
}
