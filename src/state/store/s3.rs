//! The store in an S3 bucket. Logs are folders of objects.

use std::time::Duration;

use bytes::Bytes;

use super::{Condition, MAX_BYTES, Store, StoreError, Version};
use crate::client::s3::{Bucket, S3Error, S3Settings, When};
use crate::provider::Boxed;

/// Keeps keys as objects of a bucket.
pub struct S3Store {
    bucket: Bucket,
    pause: Duration,
}

impl S3Store {
    /// A store in a bucket. Touches nothing yet.
    pub fn new(settings: &S3Settings) -> Self {
        // R2 takes one write a second under one key, and nobody can tell from outside who is behind an endpoint.
        S3Store { bucket: Bucket::new(settings), pause: Duration::from_secs(1) }
    }

    /// The same with another least time between two writes of one key.
    #[must_use]
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    fn error(&self, key: &str, error: S3Error) -> StoreError {
        let endpoint = self.bucket.endpoint().to_owned();
        match error {
            S3Error::Precondition => StoreError::Precondition { key: key.to_owned() },
            S3Error::BucketMissing => StoreError::BucketMissing { bucket: self.bucket.name().to_owned(), endpoint },
            S3Error::Denied { code, message } => StoreError::Denied { endpoint, code, message },
            S3Error::Unreachable(reason) => StoreError::Unreachable { endpoint, reason },
            S3Error::Unsupported(what) => StoreError::Unsupported { endpoint, what },
            S3Error::Refused { code, message } => StoreError::Refused { endpoint, code, message },
            S3Error::NotFound => StoreError::Refused { endpoint, code: "NotFound".into(), message: key.to_owned() },
            S3Error::TooLarge(bytes) => StoreError::TooLarge { key: key.to_owned(), bytes },
        }
    }
}

impl Store for S3Store {
    fn describe(&self) -> String {
        format!("s3://{}", self.bucket.name())
    }

    fn get<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<Option<(Bytes, Version)>, StoreError>> {
        Box::pin(async move {
            match self.bucket.get(key, MAX_BYTES).await {
                Ok((bytes, etag)) => Ok(Some((bytes, Version(etag)))),
                Err(S3Error::NotFound) => Ok(None),
                Err(error) => Err(self.error(key, error)),
            }
        })
    }

    fn put<'a>(&'a self, key: &'a str, bytes: Bytes, condition: Condition) -> Boxed<'a, Result<Version, StoreError>> {
        Box::pin(async move {
            let when = match &condition {
                Condition::Always => When::Always,
                Condition::Absent => When::Absent,
                Condition::Matches(version) => When::Matches(&version.0),
            };
            self.bucket.put(key, bytes, when).await.map(Version).map_err(|error| self.error(key, error))
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Boxed<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async move { self.bucket.list(prefix).await.map_err(|error| self.error(prefix, error)) })
    }

    fn list_level<'a>(&'a self, prefix: &'a str) -> Boxed<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async move { self.bucket.list_level(prefix).await.map_err(|error| self.error(prefix, error)) })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Boxed<'a, Result<(), StoreError>> {
        Box::pin(async move { self.bucket.delete(key).await.map_err(|error| self.error(key, error)) })
    }

    fn copy<'a>(&'a self, from: &'a str, to: &'a str) -> Boxed<'a, Result<(), StoreError>> {
        Box::pin(async move { self.bucket.copy(from, to).await.map_err(|error| self.error(from, error)) })
    }

    fn pause(&self) -> Duration {
        self.pause
    }
}
