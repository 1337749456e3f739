//! S3: one bucket of AWS, R2, MinIO and their like.
//!
//! In: endpoint, bucket, static credentials. Out: whole objects with their ETags, conditional writes, and an error that tells
//! apart what the user can do something about. Not here: what the objects mean (`state`), other kinds of credentials.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use bytes::{Bytes, BytesMut};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Secret;

/// Which bucket, and how to get at it.
#[derive(Clone, Debug)]
pub struct S3Settings {
    /// The bucket's name.
    pub bucket: String,
    /// The region; `auto` for stores that have none.
    pub region: String,
    /// `https://HOST`; `None` is AWS.
    pub endpoint: Option<String>,
    /// `https://HOST/BUCKET/KEY` instead of `https://BUCKET.HOST/KEY`.
    pub use_path_style: bool,
    /// Who asks.
    pub credentials: S3Credentials,
}

/// Static credentials.
#[derive(Clone, Debug)]
pub struct S3Credentials {
    /// `AWS_ACCESS_KEY_ID`
    pub access_key: String,
    /// `AWS_SECRET_ACCESS_KEY`
    pub secret_key: Secret,
    /// `AWS_SESSION_TOKEN`
    pub session_token: Option<Secret>,
}

impl S3Credentials {
    /// From environment variables, which the caller looks up; `None` when one is missing or empty.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let get = |name| get(name).filter(|value| !value.is_empty());
        Some(S3Credentials {
            access_key: get("AWS_ACCESS_KEY_ID")?,
            secret_key: Secret::new(get("AWS_SECRET_ACCESS_KEY")?),
            session_token: get("AWS_SESSION_TOKEN").map(Secret::new),
        })
    }
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// The condition of a write does not hold.
    #[error("the object has been changed or created by someone else")]
    Precondition,
    /// There is no such object.
    #[error("there is no such object")]
    NotFound,
    /// There is no such bucket.
    #[error("there is no such bucket")]
    BucketMissing,
    /// The credentials are wrong or not allowed to do this.
    #[error("the credentials are refused ({code}): {message}")]
    Denied {
        /// S3's error code.
        code: String,
        /// The answer's text.
        message: String,
    },
    /// No answer, also after several tries.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// The store cannot do this at all.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// Anything else.
    #[error("refused ({code}): {message}")]
    Refused {
        /// S3's error code.
        code: String,
        /// The answer's text.
        message: String,
    },
    /// An object that is larger than the caller allows.
    #[error("the object has {0} bytes")]
    TooLarge(u64),
}

/// When a write may happen.
#[derive(Clone, Copy, Debug)]
pub enum When<'a> {
    /// Always.
    Always,
    /// Only while there is no such object.
    Absent,
    /// Only while the object has this ETag.
    Matches(&'a str),
}

/// One bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: String,
    endpoint: String,
}

impl Bucket {
    /// A client of a bucket. Touches nothing yet.
    pub fn new(settings: &S3Settings) -> Self {
        let credentials = &settings.credentials;
        let http = aws_smithy_http_client::Builder::new();
        // Loading the trusted certificates takes time, and plain connections need none.
        let http = match &settings.endpoint {
            Some(endpoint) if endpoint.starts_with("http://") => http.build_http(),
            _ => http.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https(),
        };
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_secs(30))
            .operation_attempt_timeout(Duration::from_secs(120))
            .operation_timeout(Duration::from_secs(300))
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(5)
            .with_initial_backoff(Duration::from_millis(200))
            .with_max_backoff(Duration::from_secs(5));
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .force_path_style(settings.use_path_style)
            .credentials_provider(Credentials::new(
                &credentials.access_key,
                credentials.secret_key.reveal(),
                credentials.session_token.as_ref().map(|token| token.reveal().to_owned()),
                None,
                "static",
            ))
            // Newer default checksums are refused by several stores that speak S3.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .timeout_config(timeouts)
            .retry_config(retries)
            .http_client(http);
        config.set_endpoint_url(settings.endpoint.clone());
        let endpoint = match &settings.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => format!("https://s3.{}.amazonaws.com", settings.region),
        };
        Bucket { client: Client::from_conf(config.build()), name: settings.bucket.clone(), endpoint }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// An object and its ETag.
    ///
    /// # Errors
    /// [`S3Error::NotFound`] when there is none; [`S3Error::TooLarge`] beyond `limit` bytes.
    pub async fn get(&self, key: &str, limit: u64) -> Result<(Bytes, String), S3Error> {
        // An answer that breaks off half-way is asked for again; before that the client itself tries several times.
        let mut tries = 0;
        loop {
            let sent = self.client.get_object().bucket(&self.name).key(key).send().await;
            let mut object = sent.map_err(|error| explain(&error))?;
            let announced = object.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
            if announced > limit {
                return Err(S3Error::TooLarge(announced));
            }
            let mut bytes = BytesMut::with_capacity(usize::try_from(announced).unwrap_or(0));
            let broken = loop {
                match object.body.try_next().await {
                    Ok(Some(part)) => bytes.extend_from_slice(&part),
                    Ok(None) => break None,
                    Err(error) => break Some(super::reason(&error)),
                }
                if bytes.len() as u64 > limit {
                    return Err(S3Error::TooLarge(bytes.len() as u64));
                }
            };
            match broken {
                None => return Ok((bytes.freeze(), object.e_tag.unwrap_or_default())),
                Some(_) if tries < 2 => tries += 1,
                Some(reason) => return Err(S3Error::Unreachable(reason)),
            }
        }
    }

    /// Writes an object; gives its ETag. [`S3Error::Precondition`] may be the answer to a second try of a write whose first
    /// answer was lost.
    ///
    /// # Errors
    /// As listed in [`S3Error`].
    pub async fn put(&self, key: &str, bytes: Bytes, when: When<'_>) -> Result<String, S3Error> {
        let mut tries = 0;
        loop {
            let request = self.client.put_object().bucket(&self.name).key(key).content_type("application/json");
            let request = match when {
                When::Always => request,
                When::Absent => request.if_none_match("*"),
                When::Matches(etag) => request.if_match(etag),
            };
            match request.body(ByteStream::from(bytes.clone())).send().await {
                Ok(done) => return Ok(done.e_tag.unwrap_or_default()),
                // Two writes at the same moment: S3 asks to try again, and then says who was first.
                Err(error) if code(&error) == "ConditionalRequestConflict" && tries < 5 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(100 * tries)).await;
                }
                Err(error) => {
                    return Err(match (explain(&error), when) {
                        // If-Match on an object that is gone.
                        (S3Error::NotFound, When::Matches(_)) => S3Error::Precondition,
                        (S3Error::Refused { code, .. }, _) if code == "ConditionalRequestConflict" => {
                            S3Error::Precondition
                        }
                        (error, _) => error,
                    });
                }
            }
        }
    }

    /// Removes an object; there need not be one.
    ///
    /// # Errors
    /// As listed in [`S3Error`].
    pub async fn delete(&self, key: &str) -> Result<(), S3Error> {
        match self.client.delete_object().bucket(&self.name).key(key).send().await {
            Ok(_) => Ok(()),
            Err(error) => match explain(&error) {
                S3Error::NotFound => Ok(()),
                error => Err(error),
            },
        }
    }

    /// The keys that begin with `prefix`, sorted.
    ///
    /// # Errors
    /// As listed in [`S3Error`].
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, S3Error> {
        self.listed(prefix, None).await
    }

    /// The keys that begin with `prefix` and have no slash behind it, and what the others begin with up to that slash; sorted.
    ///
    /// # Errors
    /// As of [`Bucket::list`].
    pub async fn list_level(&self, prefix: &str) -> Result<Vec<String>, S3Error> {
        self.listed(prefix, Some("/".to_owned())).await
    }

    async fn listed(&self, prefix: &str, delimiter: Option<String>) -> Result<Vec<String>, S3Error> {
        let mut keys = Vec::new();
        let call = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).set_delimiter(delimiter);
        let mut pages = call.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| explain(&error))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
            keys.extend(page.common_prefixes.unwrap_or_default().into_iter().filter_map(|folder| folder.prefix));
        }
        keys.sort();
        Ok(keys)
    }

    /// Copies an object inside the store.
    ///
    /// # Errors
    /// [`S3Error::NotFound`] when there is none.
    pub async fn copy(&self, from: &str, to: &str) -> Result<(), S3Error> {
        // The header is a URL path: everything but the separators is escaped.
        const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
        let source = format!("{}/{from}", self.name);
        let source = utf8_percent_encode(&source, IN_PATH).to_string();
        let copy = self.client.copy_object().bucket(&self.name).key(to).copy_source(source);
        copy.send().await.map_err(|error| explain(&error)).map(drop)
    }
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> &str {
    error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default()
}

/// Sorts an error by what can be done about it.
fn explain<E>(error: &SdkError<E, aws_sdk_s3::config::http::HttpResponse>) -> S3Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let Some(service) = error.as_service_error() else {
        return match error {
            SdkError::ConstructionFailure(_) => {
                S3Error::Refused { code: "not sent".into(), message: super::reason(error) }
            }
            _ => S3Error::Unreachable(super::reason(error)),
        };
    };
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let code = service.code().unwrap_or_default().to_owned();
    let message = service.message().unwrap_or_default().to_owned();
    let named = |code: String| if code.is_empty() { format!("status {status}") } else { code };
    match (status, code.as_str()) {
        (412, _) | (_, "PreconditionFailed") => S3Error::Precondition,
        (_, "NoSuchBucket") => S3Error::BucketMissing,
        (404, _) => S3Error::NotFound,
        (401 | 403, _)
        | (
            _,
            "AuthorizationHeaderMalformed" | "ExpiredToken" | "InvalidToken" | "InvalidAccessKeyId" | "Unauthorized",
        ) => S3Error::Denied { code: named(code), message },
        (501, _) => S3Error::Unsupported(message),
        (429 | 500.., _) => S3Error::Unreachable(format!("status {status} {code}: {message}")),
        _ => S3Error::Refused { code: named(code), message },
    }
}
