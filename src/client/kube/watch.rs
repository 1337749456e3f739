//! Watches: the changes of objects as they happen.

use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use http::Method;
use http_body_util::BodyExt as _;
use kube::client::Body;

use super::call::with_query;
use super::types::{Json, Kind};
use super::{Kube, KubeError, Select};

/// A watch ends by itself after this long, so that a connection that died unnoticed is made anew.
const LIFETIME: Duration = Duration::from_secs(240);

/// One change.
#[derive(Clone, Debug)]
pub enum Event {
    /// The object is new or different.
    Is(Json),
    /// The object is gone; as it was last.
    Gone(Json),
}

/// An open watch.
pub struct Watch {
    host: String,
    body: Body,
    buffer: BytesMut,
}

impl Kube {
    /// Opens a watch on the objects of a kind from a revision on (as a list gave it).
    ///
    /// # Errors
    /// The server did not answer, or refused; [`KubeError::Refused`] with 410 when the revision is too old.
    pub async fn watch(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        select: &Select<'_>,
        revision: &str,
    ) -> Result<Watch, KubeError> {
        let mut query = select.query();
        query.push(("watch", "true".into()));
        query.push(("resourceVersion", revision.to_owned()));
        query.push(("timeoutSeconds", LIFETIME.as_secs().to_string()));
        let path = with_query(&kind.path(namespace), &query);
        let response = self.send(&Method::GET, &path, None).await?;
        let status = response.status();
        if !status.is_success() {
            let collected = response.into_body().collect().await;
            let bytes = collected.map_err(|error| KubeError::from_client(self.host(), &error))?.to_bytes();
            return Err(KubeError::from_answer(self.host(), status.as_u16(), &bytes));
        }
        Ok(Watch { host: self.host().to_owned(), body: response.into_body(), buffer: BytesMut::new() })
    }
}

impl Watch {
    /// The next change; `None` when the watch ended (open a new one, from a new list).
    ///
    /// # Errors
    /// The connection broke, or the server says why it ends the watch.
    pub async fn next(&mut self) -> Result<Option<Event>, KubeError> {
        loop {
            if let Some(at) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(at);
                self.buffer.advance(1);
                if let Some(event) = self.read(&line)? {
                    return Ok(Some(event));
                }
                continue;
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.buffer.extend_from_slice(data);
                    }
                }
                Some(Err(error)) => return Err(KubeError::from_client(&self.host, &error)),
            }
        }
    }

    fn read(&self, line: &[u8]) -> Result<Option<Event>, KubeError> {
        let unreadable = |reason: String| KubeError::Unreadable { host: self.host.clone(), reason };
        let mut event: Json = serde_json::from_slice(line).map_err(|error| unreadable(error.to_string()))?;
        let object = event["object"].take();
        match event["type"].as_str() {
            Some("ADDED" | "MODIFIED") => Ok(Some(Event::Is(object))),
            Some("DELETED") => Ok(Some(Event::Gone(object))),
            Some("BOOKMARK") => Ok(None),
            Some("ERROR") => {
                let code = object["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
                Err(KubeError::from_answer(&self.host, code, object.to_string().as_bytes()))
            }
            other => Err(unreadable(format!("a watch event of type {other:?}"))),
        }
    }
}
